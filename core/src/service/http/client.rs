//! [`HttpsTransport`]: reqwest over rustls with ring, every limit set.

use std::{error::Error, io, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::{
    Client, Response,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect, retry,
};
use zeroize::Zeroizing;

use super::{HttpRequest, HttpResponse, Method, Transport, TransportError, tls};
use crate::trust::TlsTrust;

/// Establishing TCP and TLS: three lost packets on a bad mobile network still fit.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Silence between two pieces of an answer: as long as the most patient call waits (`signHash` over a full batch), so
/// that a poll of 25 s is no error, and a peer that stopped talking is noticed whatever the caller's own limit.
pub const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// A kept connection outlives the pause between two polls and a touch of the sensor. Its buffers hold what was sent and
/// received last, tokens and prescriptions; with it they are gone.
pub const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// One origin, one doctor: a poll and an action at the same time.
pub const POOL_MAX_IDLE: usize = 2;
/// What the agent calls itself: product and version, nothing about the phone or the doctor.
pub const USER_AGENT: &str = concat!("hpki-agent/", env!("CARGO_PKG_VERSION"));

/// HTTPS as the service is spoken to: TLS 1.2 or 1.3 judged by the trust configuration, HTTP/1.1, no
/// redirects, no cookies, no repetition. Proxies named in the environment are not used: a phone has none there, and
/// a variable must not decide through whom prescriptions travel.
///
/// Its futures must run inside a tokio runtime with time and I/O enabled.
pub struct HttpsTransport {
    client: Client,
}

impl HttpsTransport {
    /// A transport for one service.
    ///
    /// # Errors
    /// [`TransportError::TlsConfiguration`] when a root cannot be read, the list of roots is empty, or the platform
    /// offers none, as Android does.
    pub fn new(trust: &TlsTrust) -> Result<Self, TransportError> {
        Client::builder()
            .tls_backend_preconfigured(tls::client_config(trust)?)
            .https_only(true)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .pool_max_idle_per_host(POOL_MAX_IDLE)
            .user_agent(USER_AGENT)
            .build()
            .map(|client| Self { client })
            .map_err(|_| TransportError::TlsConfiguration)
    }
}

#[async_trait]
impl Transport for HttpsTransport {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        if request.url.scheme() != "https" {
            return Err(TransportError::NotHttps);
        }
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut outgoing = self
            .client
            .request(method, request.url.clone())
            .headers(header_map(request.headers)?)
            .timeout(request.timeout);
        if request.method == Method::Post {
            outgoing = outgoing.body(Bytes::from_owner(request.body));
        }
        let response = outgoing.send().await.map_err(|error| classify(&error))?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let body = read_body(response, request.max_body).await?;
        Ok(HttpResponse { status, headers, body })
    }
}

/// Values stay in the memory that their owner wipes.
fn header_map(headers: Vec<(&'static str, Zeroizing<String>)>) -> Result<HeaderMap, TransportError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| TransportError::Protocol)?;
        let value = HeaderValue::from_maybe_shared(Bytes::from_owner(value));
        let mut value = value.map_err(|_| TransportError::Protocol)?;
        value.set_sensitive(true);
        map.insert(name, value);
    }
    Ok(map)
}

/// Reads piece by piece and stops at the limit, whatever length was announced. A buffer that becomes too small is
/// replaced and wiped, not reallocated; copies inside the TLS library are out of reach.
async fn read_body(mut response: Response, limit: usize) -> Result<Zeroizing<Vec<u8>>, TransportError> {
    let announced = response.content_length().unwrap_or(0);
    if announced > limit as u64 {
        return Err(TransportError::BodyTooLarge { limit });
    }
    let mut body = Zeroizing::new(Vec::with_capacity(usize::try_from(announced).unwrap_or(0)));
    while let Some(piece) = response.chunk().await.map_err(|error| classify(&error))? {
        let needed = body.len() + piece.len();
        if needed > limit {
            return Err(TransportError::BodyTooLarge { limit });
        }
        if needed > body.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * body.capacity())));
            larger.extend_from_slice(&body);
            body = larger;
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn classify(error: &reqwest::Error) -> TransportError {
    if let Some(tls) = causes(error).find_map(tls_error) {
        return tls::classify(tls);
    }
    if error.is_timeout() {
        TransportError::Timeout
    } else if error.is_dns() {
        TransportError::Dns
    } else if error.is_connect() {
        TransportError::Unreachable
    } else if causes(error).any(<dyn Error>::is::<io::Error>) || error.is_body() || error.is_decode() {
        // Nothing is decoded here: what reqwest calls so is a body whose connection ended.
        TransportError::Interrupted
    } else {
        TransportError::Protocol
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        // An `io::Error` names as its source what its payload was caused by, not the payload.
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(payload) => Some(payload as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

fn tls_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    cause.downcast_ref()
}
