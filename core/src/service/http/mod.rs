//! The one door to the network: a request goes out, an answer or a [`TransportError`] comes back. Only [`client`]
//! knows reqwest and only `tls` knows rustls; everything else builds [`HttpRequest`]s and judges [`HttpResponse`]s,
//! so that tests and replays need no network. Refused here: anything but `https`, redirects, certificates outside
//! the app's trust configuration, bodies over the caller's limit (protocol §1; RFC 9110, RFC 9325).

pub mod client;
mod cryptography;
mod tls;

#[cfg(test)]
mod tests;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use url::Url;
use zeroize::Zeroizing;

pub use client::HttpsTransport;

/// Request methods that the wire uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reading: metadata, inbox, a registration.
    Get,
    /// Everything else.
    Post,
    /// Removing a registration (RFC 7592 §2.3).
    Delete,
}

impl Method {
    /// The method's name on the wire, which is also the `htm` of a proof (RFC 9449 §4.2).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// One request, complete. Bodies and header values may hold secrets: both are wiped when dropped and never printed.
pub struct HttpRequest {
    /// Method.
    pub method: Method,
    /// Absolute `https` URL.
    pub url: Url,
    /// Header fields, names in lower case.
    pub headers: Vec<(&'static str, Zeroizing<String>)>,
    /// Body; empty for none.
    pub body: Zeroizing<Vec<u8>>,
    /// From connecting to the last byte of the answer.
    pub timeout: Duration,
    /// The most bytes that the answer's body may have; a longer one is cut off with [`TransportError::BodyTooLarge`].
    pub max_body: usize,
}

impl HttpRequest {
    /// The value of a header field, for tests and scripted transports; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method.as_str(), self.url.path(), self.body.len())
    }
}

/// One answer. The body may hold a token: it is wiped when dropped and never printed.
pub struct HttpResponse {
    /// Status code, 100 to 599.
    pub status: u16,
    /// Header fields, names in lower case; values that are not visible ASCII are left out.
    pub headers: Vec<(String, String)>,
    /// The body, at most [`HttpRequest::max_body`] bytes.
    pub body: Zeroizing<Vec<u8>>,
}

impl HttpResponse {
    /// The first value of a header field; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.status, self.body.len())
    }
}

/// Sends one request, once. Implementations never repeat a request on their own: one that signs must not run twice.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Any status is an answer; an error means that there was none, or none that may be read.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError>;
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum TransportError {
    /// No connection: the phone is offline, or the service does not accept connections.
    #[error("the service cannot be reached")]
    Unreachable,
    /// The service's name has no address: usually the phone is offline.
    #[error("the service's name cannot be resolved")]
    Dns,
    /// No complete answer in time. The request may have been carried out.
    #[error("the service did not answer in time")]
    Timeout,
    /// The connection ended before the answer was complete. The request may have been carried out.
    #[error("the connection was interrupted")]
    Interrupted,
    /// The TLS certificate is not one of this service: no path to a trusted root, or another host's.
    #[error("the TLS certificate is not trusted")]
    TlsUntrusted,
    /// The TLS certificate is outside its validity, which often means that the phone's clock is wrong.
    #[error("the TLS certificate is not valid at this time")]
    TlsNotValidNow,
    /// The certificate is trusted, but none of the pinned keys stands behind it: perhaps an inspecting proxy.
    #[error("the TLS certificate does not match the pinned keys")]
    TlsPin,
    /// The TLS handshake failed otherwise.
    #[error("TLS could not be established")]
    TlsHandshake,
    /// The trust configuration's TLS part cannot be used: an unreadable root, or no platform roots.
    #[error("the TLS trust configuration cannot be used")]
    TlsConfiguration,
    /// The body exceeds the limit of this kind of request, in bytes.
    #[error("the answer is larger than {limit} bytes")]
    BodyTooLarge {
        /// The limit.
        limit: usize,
    },
    /// Not an `https` URL. Nothing was sent.
    #[error("refused to speak without TLS")]
    NotHttps,
    /// The answer is not HTTP, or the request could not be expressed in it.
    #[error("the answer is not valid HTTP")]
    Protocol,
}

impl TransportError {
    /// Whether the same request may well be answered a moment later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable | Self::Dns | Self::Timeout | Self::Interrupted)
    }
}
