//! The trust configuration that an app ships (protocol §1): which services exist, who signs their registration
//! tickets, which TLS and HPKI roots count, which roles may prescribe.
//!
//! In: one JSON file. Out: [`TrustConfiguration`]; whatever is not in it is refused offline. Refused, each time with
//! the path of the member: anything unknown, missing, doubled, empty or over a limit, an issuer that is not exactly
//! `https://host[:port]`, keys that are not P-256, roots that are not DER.
//!
//! ```json
//! {"services": [{
//!   "issuer": "https://sign.example.jp",
//!   "display_name": {"ja": "電子署名サービス", "en": "Signing service"},
//!   "ticket_keys": {"keys": [{"kid": "2026-1", "kty": "EC", "crv": "P-256", "x": "…", "y": "…"}]},
//!   "tls": {"roots": "platform", "spki_pins": ["base64 of the SHA-256 of a SubjectPublicKeyInfo"]},
//!   "hpki_roots": ["-----BEGIN CERTIFICATE-----\n…", "or base64 of the DER"],
//!   "prescriber_roles": ["Medical Doctor", "Dentist"]
//! }]}
//! ```
//!
//! `tls.roots` is `"platform"` or a list like `hpki_roots`; on Android it is a list, since the platform's roots can be asked
//! in Java alone. `tls.spki_pins` may be absent or empty, which means no pinning.
//! Everything else is required. That a root is a certificate, and one that may stand as a root, is judged where it is
//! used: see [`crate::certificate`].

pub(crate) mod pem;

use serde_json::Value;

use crate::jose::{self, PublicKey};

/// Longest configuration, bytes: some hundred roots.
const MAX_CONFIGURATION: usize = 1 << 20;
/// Most services; there is one in Japan today.
const MAX_SERVICES: usize = 32;
/// Most entries of any other list: keys during a rollover, roots of several generations, the 32 roles of hcRole.
const MAX_ITEMS: usize = 64;
/// Longest name or identifier, bytes.
const MAX_TEXT: usize = 256;

/// Services the app trusts. Made only by [`TrustConfiguration::from_json`].
#[derive(Clone, Debug)]
pub struct TrustConfiguration {
    services: Vec<TrustedService>,
}

/// One remote-signing service.
#[derive(Clone, Debug)]
pub struct TrustedService {
    /// Issuer URL as in RFC 8414: `https`, no query, no fragment, no trailing slash.
    pub issuer: String,
    /// Display name, Japanese.
    pub display_name_ja: String,
    /// Display name, English.
    pub display_name_en: String,
    /// Keys that sign registration tickets, by `kid`.
    pub ticket_keys: Vec<(String, PublicKey)>,
    /// How the service's TLS certificate is judged.
    pub tls: TlsTrust,
    /// HPKI roots, DER, 1 or more.
    pub hpki_roots: Vec<Vec<u8>>,
    /// hcRole texts that may prescribe, such as `Medical Doctor`.
    pub prescriber_roles: Vec<String>,
}

/// How TLS is judged.
#[derive(Clone, Debug)]
pub struct TlsTrust {
    /// DER certificates; `None` means the platform's own roots.
    pub roots: Option<Vec<Vec<u8>>>,
    /// SHA-256 of SubjectPublicKeyInfo, any of which must appear in the verified chain; empty means no pinning.
    pub spki_pins: Vec<[u8; 32]>,
}

/// Whether `"platform"` says something here.
const PLATFORM_HAS_ROOTS: bool = cfg!(not(target_os = "android"));

/// Why a trust configuration is refused.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum TrustError {
    /// Over 1 MiB.
    #[error("the trust configuration is longer than {MAX_CONFIGURATION} bytes")]
    TooLong,
    /// Not JSON with unique member names.
    #[error("the trust configuration is not JSON with unique members: line {line}, column {column}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// A member is wrong.
    #[error("trust configuration, {path}: {problem}")]
    Member {
        /// Where, such as `services[0].ticket_keys.keys[1].kid`.
        path: String,
        /// What is wrong.
        problem: &'static str,
    },
}

impl TrustConfiguration {
    /// Parses the file described [above](self), UTF-8, at most 1 MiB.
    ///
    /// # Errors
    /// [`TrustError`], naming the first member that is wrong.
    pub fn from_json(json: &[u8]) -> Result<Self, TrustError> {
        if json.len() > MAX_CONFIGURATION {
            return Err(TrustError::TooLong);
        }
        let value =
            jose::parse_json(json).map_err(|e| TrustError::Json { line: e.line(), column: e.column() })?;
        let top = Member { value: &value, path: String::new() };
        top.only(&["services"])?;
        let services = top.member("services")?.list(MAX_SERVICES, service)?;
        refuse_duplicates(&services, "services", "issuer", |service| &service.issuer)?;
        Ok(Self { services })
    }

    /// All services, in the order of the file.
    pub fn services(&self) -> &[TrustedService] {
        &self.services
    }

    /// The service of exactly this issuer URL.
    pub fn service(&self, issuer: &str) -> Option<&TrustedService> {
        self.services.iter().find(|s| s.issuer == issuer)
    }
}

fn service(member: &Member) -> Result<TrustedService, TrustError> {
    member.only(&["issuer", "display_name", "ticket_keys", "tls", "hpki_roots", "prescriber_roles"])?;
    let display_name = member.member("display_name")?;
    display_name.only(&["ja", "en"])?;
    let ticket_keys = member.member("ticket_keys")?;
    ticket_keys.only(&["keys"])?;
    let keys = ticket_keys.member("keys")?;
    let service = TrustedService {
        issuer: issuer(&member.member("issuer")?)?,
        display_name_ja: display_name.member("ja")?.text()?,
        display_name_en: display_name.member("en")?.text()?,
        ticket_keys: keys.list(MAX_ITEMS, ticket_key)?,
        tls: tls(&member.member("tls")?, PLATFORM_HAS_ROOTS)?,
        hpki_roots: member.member("hpki_roots")?.list(MAX_ITEMS, certificate)?,
        prescriber_roles: member.member("prescriber_roles")?.list(MAX_ITEMS, role)?,
    };
    refuse_duplicates(&service.ticket_keys, &keys.path, "kid", |(kid, _)| kid)?;
    Ok(service)
}

/// Exactly an origin in its canonical spelling, so that comparing text is comparing origins.
fn issuer(member: &Member) -> Result<String, TrustError> {
    let text = member.text()?;
    match url::Url::parse(&text) {
        Ok(url) if url.scheme() == "https" && url.origin().ascii_serialization() == text => Ok(text),
        _ => Err(member.refuse("must be https://host or https://host:port in lower case, nothing after it")),
    }
}

fn ticket_key(member: &Member) -> Result<(String, PublicKey), TrustError> {
    let kid = member.member("kid")?.text()?;
    let key = PublicKey::from_jwk(member.value).map_err(|_| member.refuse("must be a public P-256 JWK"))?;
    Ok((kid, key))
}

fn tls(member: &Member, platform_has_roots: bool) -> Result<TlsTrust, TrustError> {
    member.only(&["roots", "spki_pins"])?;
    let roots = member.member("roots")?;
    let roots = match roots.value == "platform" {
        true if !platform_has_roots => {
            return Err(roots.refuse("must be a list of roots: this platform's own cannot be asked"));
        }
        true => None,
        false => Some(roots.list(MAX_ITEMS, certificate)?),
    };
    let spki_pins = match member.member("spki_pins") {
        Ok(pins) if pins.value != &Value::Array(Vec::new()) => pins.list(MAX_ITEMS, spki_pin)?,
        _ => Vec::new(),
    };
    Ok(TlsTrust { roots, spki_pins })
}

fn spki_pin(member: &Member) -> Result<[u8; 32], TrustError> {
    jose::decode_base64_lenient(&member.text()?)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| member.refuse("must be base64 of 32 bytes"))
}

fn role(member: &Member) -> Result<String, TrustError> {
    member.text()
}

fn certificate(member: &Member) -> Result<Vec<u8>, TrustError> {
    let text = member.value.as_str().ok_or_else(|| member.refuse("must be text"))?;
    pem::decode(text.as_bytes(), "CERTIFICATE")
        .or_else(|| jose::decode_base64_lenient(text))
        .filter(|der| pem::is_sequence(der))
        .ok_or_else(|| member.refuse("must be one certificate in PEM or base64 DER"))
}

fn refuse_duplicates<T>(
    items: &[T],
    path: &str,
    member: &str,
    name: impl Fn(&T) -> &String,
) -> Result<(), TrustError> {
    for (index, item) in items.iter().enumerate() {
        if items.iter().take(index).any(|earlier| name(earlier) == name(item)) {
            let path = format!("{path}[{index}].{member}");
            return Err(TrustError::Member { path, problem: "stands twice" });
        }
    }
    Ok(())
}

/// A JSON value and where it stands.
struct Member<'a> {
    value: &'a Value,
    path: String,
}

impl Member<'_> {
    fn refuse(&self, problem: &'static str) -> TrustError {
        TrustError::Member { path: self.path.clone(), problem }
    }

    fn path_to(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// An object with no members but these.
    fn only(&self, known: &[&str]) -> Result<(), TrustError> {
        let object = self.value.as_object().ok_or_else(|| self.refuse("must be an object"))?;
        match object.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(TrustError::Member { path: self.path_to(name), problem: "is unknown" }),
            None => Ok(()),
        }
    }

    fn member(&self, name: &str) -> Result<Member<'_>, TrustError> {
        let path = self.path_to(name);
        match self.value.get(name) {
            Some(value) => Ok(Member { value, path }),
            None => Err(TrustError::Member { path, problem: "is missing" }),
        }
    }

    /// A list of 1 to `max` items.
    fn list<T>(
        &self,
        max: usize,
        item: impl Fn(&Member) -> Result<T, TrustError>,
    ) -> Result<Vec<T>, TrustError> {
        let values = self.value.as_array().ok_or_else(|| self.refuse("must be a list"))?;
        if values.is_empty() || values.len() > max {
            return Err(self.refuse("has no items or too many"));
        }
        let items = values.iter().enumerate();
        items.map(|(i, value)| item(&Member { value, path: format!("{}[{i}]", self.path) })).collect()
    }

    fn text(&self) -> Result<String, TrustError> {
        let text = self.value.as_str().ok_or_else(|| self.refuse("must be text"))?;
        if text.trim() != text || text.is_empty() || text.len() > MAX_TEXT || text.contains(char::is_control)
        {
            return Err(self.refuse("is empty, too long, or holds control characters or outer spaces"));
        }
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests;
