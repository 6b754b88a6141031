//! The trust configuration that an app ships (protocol §1): which services exist, who signs their registration
//! tickets, which TLS and HPKI roots count, which roles may prescribe. Everything else is refused offline.

use crate::jose::PublicKey;

/// Services the app trusts. Made only by [`TrustConfiguration::from_json`].
#[derive(Clone)]
pub struct TrustConfiguration {
    services: Vec<TrustedService>,
}

/// One remote-signing service.
#[derive(Clone)]
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
#[derive(Clone)]
pub struct TlsTrust {
    /// DER certificates; `None` means the platform's own roots.
    pub roots: Option<Vec<Vec<u8>>>,
    /// SHA-256 of SubjectPublicKeyInfo, any of which must appear in the verified chain; empty means no pinning.
    pub spki_pins: Vec<[u8; 32]>,
}

impl TrustConfiguration {
    /// The service of exactly this issuer URL.
    pub fn service(&self, issuer: &str) -> Option<&TrustedService> {
        self.services.iter().find(|s| s.issuer == issuer)
    }
}
