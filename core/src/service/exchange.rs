//! One request and its answer, with what every exchange shares: the proof, the service's nonces, its clock, and the
//! single repetition that RFC 9449 §8 asks for. Nothing else is ever repeated here.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration as StdDuration,
};

use serde_json::Value;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc2822};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::{
    dpop,
    error::ServiceError,
    http::{HttpRequest, HttpResponse, Method, Transport},
    identity::{Client, PhoneKeys},
    refusal::{Refusal, retry_after, wants_new_nonce},
    tokens,
};
use crate::device::{Clock, Device};

/// A clock that differs by more than this is wrong: told to the doctor, and no time to register at.
pub const MAX_SKEW: Duration = Duration::minutes(5);
/// One exchange without waiting: a service that signs a hundred hashes in an HSM needs seconds.
pub const TIMEOUT: StdDuration = StdDuration::from_secs(30);
/// Answers without documents are small; a hundred signatures of RSA 4096 are 70 KB.
pub const MAX_ANSWER: usize = 1024 * 1024;
/// Nonces are short; a longer one would only blow up every header (RFC 9449 §8 sets no limit).
const MAX_NONCE: usize = 512;

/// What proves the right to a request, beside the DPoP proof.
#[derive(Clone, Copy)]
pub(crate) enum Authorization<'a> {
    None,
    /// A registration ticket or registration access token (RFC 6750; RFC 7591 §3, RFC 7592 §2).
    Bearer(&'a str),
    /// An access token bound to the device key (RFC 9449 §7.1).
    Dpop(&'a str),
}

/// What is sent.
#[derive(Clone, Copy)]
pub(crate) enum Payload<'a> {
    None,
    Json(&'a [u8]),
    /// `application/x-www-form-urlencoded`, with a client assertion added that is made anew for each sending.
    Form {
        fields: &'a [(&'a str, &'a str)],
        client: &'a Client,
        audience: &'a str,
    },
}

/// One request to be.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a Url,
    pub(crate) payload: Payload<'a>,
    pub(crate) authorization: Authorization<'a>,
    /// Whose device key proves possession; `None` sends no proof.
    pub(crate) keys: Option<&'a PhoneKeys>,
    /// Their proof, where it was made ahead; sent if it still serves.
    pub(crate) proof: Option<&'a Proof>,
    /// Whether `use_dpop_nonce` is answered by one repetition.
    pub(crate) repeat: bool,
    pub(crate) timeout: StdDuration,
    pub(crate) max_body: usize,
}

impl<'a> Call<'a> {
    pub(crate) fn new(method: Method, url: &'a Url) -> Self {
        Self {
            method,
            url,
            payload: Payload::None,
            authorization: Authorization::None,
            keys: None,
            proof: None,
            repeat: true,
            timeout: TIMEOUT,
            max_body: MAX_ANSWER,
        }
    }
}

/// A proof that was made before its request.
pub(crate) struct Proof {
    made_at: OffsetDateTime,
    url: Url,
    nonce: Option<String>,
    access_token: Zeroizing<String>,
    text: Zeroizing<String>,
}

/// The line to one service and what is remembered of it.
pub(crate) struct Exchange {
    transport: Arc<dyn Transport>,
    /// The phone, with the service's time.
    pub(crate) device: Device,
    clock: Arc<ServiceClock>,
    memory: Mutex<Memory>,
}

/// The phone's clock, set right by the service's `Date`: whoever checks a proof reads the service's clock, and a phone
/// that is wrong by hours still makes proofs that hold.
struct ServiceClock {
    phone: Arc<dyn Clock>,
    /// Service's time minus phone's, in seconds.
    ahead: AtomicI64,
}

impl Clock for ServiceClock {
    fn now(&self) -> OffsetDateTime {
        self.phone.now().saturating_add(Duration::seconds(self.ahead.load(Ordering::Relaxed)))
    }
}

#[derive(Default)]
struct Memory {
    nonce: Option<String>,
    /// Whether the latest answer left the nonce as it was.
    steady: bool,
    skew: Option<Duration>,
}

impl Exchange {
    pub(crate) fn new(transport: Arc<dyn Transport>, mut device: Device) -> Self {
        let clock = Arc::new(ServiceClock { phone: device.clock, ahead: AtomicI64::new(0) });
        device.clock = clock.clone();
        Self { transport, device, clock, memory: Mutex::default() }
    }

    /// The latest `DPoP-Nonce`.
    pub(crate) fn nonce(&self) -> Option<String> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).nonce.clone()
    }

    /// Service's time minus phone's, of the latest answer that told its time.
    pub(crate) fn skew(&self) -> Option<Duration> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).skew
    }

    /// Sends, and once more with the new nonce when the service asks for it and the call allows it.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<HttpResponse, ServiceError> {
        let used = self.nonce();
        let response = self.send(call).await?;
        if call.repeat && wants_new_nonce(&response) && self.nonce() != used {
            return self.send(Call { proof: None, ..call }).await;
        }
        Ok(response)
    }

    async fn send(&self, call: Call<'_>) -> Result<HttpResponse, ServiceError> {
        let request = self.build(call).await?;
        let response = self.transport.send(request).await?;
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let before = memory.nonce.clone();
        if let Some(nonce) = response.header("dpop-nonce").filter(|nonce| is_nonce(nonce)) {
            memory.nonce = Some(nonce.to_owned());
        }
        memory.steady = memory.nonce == before;
        if let Some(date) = response.header("date").and_then(http_date) {
            let ahead = (date - self.clock.phone.now()).whole_seconds();
            memory.skew = Some(Duration::seconds(ahead));
            self.clock.ahead.store(ahead, Ordering::Relaxed);
        }
        drop(memory);
        Ok(response)
    }

    /// A proof for a POST that follows the one under way, made while that is: a phone's key store may take as long for it as the
    /// network does. Only for a service whose nonces last longer than one answer (RFC 9449 §8.2: the latest is to be used), and
    /// where the key store makes one; else the request makes its own. It serves for [`TIMEOUT`]: a step that was broken off may
    /// leave one behind.
    pub(crate) async fn prove_ahead(&self, keys: &PhoneKeys, url: &Url, access_token: &str) -> Option<Proof> {
        let nonce = {
            let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            memory.steady.then(|| memory.nonce.clone())?
        };
        let (target, made_at) = ((Method::Post, url), self.device.clock.now());
        let text =
            dpop::proof(&self.device, keys, target, Some(access_token), nonce.as_deref()).await.ok()?;
        let access_token = Zeroizing::new(access_token.to_owned());
        Some(Proof { made_at, url: url.clone(), nonce, access_token, text })
    }

    async fn build(&self, call: Call<'_>) -> Result<HttpRequest, ServiceError> {
        let mut headers = vec![("accept", Zeroizing::new("application/json".to_owned()))];
        let token = match call.authorization {
            Authorization::None => None,
            Authorization::Bearer(token) => {
                headers.push(("authorization", Zeroizing::new(["Bearer ", token].concat())));
                None
            }
            Authorization::Dpop(token) => {
                headers.push(("authorization", Zeroizing::new(["DPoP ", token].concat())));
                Some(token)
            }
        };
        if let Some(keys) = call.keys {
            let nonce = self.nonce();
            let serves = |proof: &&Proof| {
                (self.device.clock.now() - proof.made_at).unsigned_abs() <= TIMEOUT
                    && proof.url == *call.url
                    && proof.nonce == nonce
                    && token.is_some_and(|token| *proof.access_token == token)
            };
            let proof = if let Some(ahead) = call.proof.filter(serves) {
                ahead.text.clone()
            } else {
                let target = (call.method, call.url);
                dpop::proof(&self.device, keys, target, token, nonce.as_deref()).await?
            };
            headers.push(("dpop", proof));
        }
        let body = match call.payload {
            Payload::None => Zeroizing::default(),
            Payload::Json(bytes) => {
                headers.push(("content-type", Zeroizing::new("application/json".to_owned())));
                Zeroizing::new(bytes.to_vec())
            }
            Payload::Form { fields, client, audience } => {
                let media_type = "application/x-www-form-urlencoded".to_owned();
                headers.push(("content-type", Zeroizing::new(media_type)));
                let assertion = tokens::client_assertion(&self.device, client, audience).await?;
                let authentication =
                    [("client_assertion_type", tokens::ASSERTION_TYPE), ("client_assertion", &assertion)];
                form(fields.iter().chain(&authentication))
            }
        };
        Ok(HttpRequest {
            method: call.method,
            url: call.url.clone(),
            headers,
            body,
            timeout: call.timeout,
            max_body: call.max_body,
        })
    }

    /// The error that an answer other than success stands for.
    pub(crate) fn refused(&self, response: &HttpResponse) -> ServiceError {
        let status = response.status;
        let refusal = Refusal::of(response);
        let skew = self.skew().filter(|skew| skew.abs() > MAX_SKEW);
        match refusal.code.as_str() {
            // A wrong clock is looked at first: it makes a phone that is still bound look unknown.
            "invalid_dpop_proof" | "invalid_client" | "invalid_grant" | "invalid_token" if skew.is_some() => {
                ServiceError::ClockWrong { by: skew.unwrap_or_default() }
            }
            "invalid_client" => ServiceError::Unbound,
            _ if is_out_of_order(status) => {
                ServiceError::Unavailable { status, retry_after: retry_after(response) }
            }
            _ => ServiceError::Refused(refusal),
        }
    }
}

/// Whether the service, or what stands before it, cannot answer for now: 429 and every 5xx.
pub(crate) fn is_out_of_order(status: u16) -> bool {
    status == 429 || status >= 500
}

/// A form whose buffer never grows, so that no copy of a secret stays behind.
fn form<'a>(fields: impl Iterator<Item = &'a (&'a str, &'a str)> + Clone) -> Zeroizing<Vec<u8>> {
    let largest: usize = fields.clone().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
    let mut form = form_urlencoded::Serializer::new(String::with_capacity(largest));
    form.extend_pairs(fields);
    Zeroizing::new(form.finish().into_bytes())
}

/// RFC 9449 §8.1: `1*NQCHAR`, visible characters without quote and backslash.
fn is_nonce(text: &str) -> bool {
    let visible = |byte| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
    !text.is_empty() && text.len() <= MAX_NONCE && text.bytes().all(visible)
}

/// `Date` as RFC 9110 §5.6.7 prescribes it, `Sun, 06 Nov 1994 08:49:37 GMT`: a form of the date of mails.
fn http_date(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc2822).ok()
}

/// JSON text of a value that cannot fail to have one.
pub(crate) fn json_bytes(value: &Value) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(value.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_date_header_is_read_as_rfc_9110_writes_it() {
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(datetime!(1994-11-06 08:49:37 UTC)));
        assert_eq!(http_date("Sunday, 06-Nov-94 08:49:37 GMT"), None);
        assert_eq!(http_date("soon"), None);
    }

    #[test]
    fn only_a_nonce_of_rfc_9449_section_8_1_is_remembered() {
        assert!(is_nonce("eyJ7S_zG.eyJH0-Z.HX4w-7v"));
        for bad in ["", "with space", "quo\"te", "back\\slash", &"x".repeat(MAX_NONCE + 1)] {
            assert!(!is_nonce(bad), "{bad}");
        }
    }

    #[test]
    fn a_form_is_encoded_and_its_buffer_never_grows() {
        let fields = [("a", "=&+ ü"), ("b", "x")];
        assert_eq!(form(fields.iter()).as_slice(), b"a=%3D%26%2B+%C3%BC&b=x");
    }
}
