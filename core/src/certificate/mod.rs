//! HPKI certificates: profile, role, path to a configured root, revocation.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Any X.509 certificate, parsed and kept with its exact DER.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
}

impl Certificate {
    /// The exact DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

/// A certificate that has passed the HPKI signing profile for a prescriber.
#[derive(Clone)]
pub struct SigningCertificate {
    certificate: Certificate,
    holder: Holder,
}

impl SigningCertificate {
    /// The certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
    /// Who holds it.
    pub fn holder(&self) -> &Holder {
        &self.holder
    }
}

/// Whose certificate it is, as the doctor is shown it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Name in kanji, from subjectAltName's directoryName; family and given name separated by U+3000.
    pub name_kanji: Option<String>,
    /// Name in romaji, from the subject's CN.
    pub name_romaji: String,
    /// hcRole texts.
    pub roles: Vec<String>,
    /// Organisation, where present.
    pub organization: Option<String>,
    /// The issuing CA's name, RFC 4514.
    pub issuer: String,
    /// Serial number, lower-case hexadecimal.
    pub serial_number: String,
    /// Start of validity.
    #[serde(with = "time::serde::rfc3339")]
    pub not_before: OffsetDateTime,
    /// End of validity.
    #[serde(with = "time::serde::rfc3339")]
    pub not_after: OffsetDateTime,
}
