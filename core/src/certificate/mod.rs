//! HPKI certificates (保健医療福祉分野 PKI): profile, role, path to a configured root, revocation.
//!
//! In: DER or PEM of certificates and CRLs, the roots and roles of the trust configuration, a time. Out: a
//! [`SigningCertificate`] with its [`Holder`], a [`Path`] to one of the roots, a [`Revocation`] answer. Refused, each
//! by a variant of its own: pharmacists, holders without a role, certificates for authentication, expired and not yet
//! valid ones, weak keys, critical extensions that no rule here applies, paths to any other root. The profile is that
//! of the HPKI certificate policies for signing; paths and CRLs follow RFC 5280 §6, what is stricter being said at
//! [`build_path_with`] and [`revocation_with`]. `ring` verifies every signature.

mod crl;
mod distribution_point;
mod extension;
mod general_name;
mod key;
mod name;
mod name_constraints;
mod path;
mod policy;
mod profile;
mod revocation;
mod role;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod tlv;
mod x509;

pub use crl::{Crl, CrlError};
pub use key::{KeyAlgorithm, SignatureAlgorithm, SignatureInvalid};
pub use path::{Path, PathError, PathOptions, PathRefusal, Purpose, build_path, build_path_with};
pub use profile::{Holder, ProfileError, SigningCertificate, holder};
pub(crate) use profile::{check_signer, name_and_roles};
pub use revocation::{
    Revocation, RevocationOptions, RevocationReason, RevocationUnknown, revocation, revocation_with,
};
pub use x509::{Certificate, Validity};

/// Why bytes are not a certificate.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
pub enum CertificateError {
    /// Over 16 KiB.
    #[error("the certificate is too long")]
    TooLong,
    /// Neither DER nor PEM with exactly one certificate.
    #[error("neither DER nor PEM with one certificate")]
    Pem,
    /// Not the DER of a certificate.
    #[error("malformed certificate: {0}")]
    Malformed(&'static str),
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
