//! Whether a certificate of a path was revoked, by CRLs (RFC 5280 §6.3): complete and delta, direct and indirect, for
//! all reasons or some, signed by the CA's key of the path or by another key that the same root vouches for.

mod judge;

use time::OffsetDateTime;

use super::{crl::Crl, path::Path, x509::Certificate};
use judge::Judge;

/// The answer for a whole path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// A fresh CRL was found for every certificate below the root, and none of them is revoked.
    Good {
        /// The earliest `nextUpdate` among those CRLs, UTC: until then the answer may be kept.
        checked_until: OffsetDateTime,
    },
    /// A certificate of the path, the leaf or a CA, is revoked.
    Revoked {
        /// Since when, UTC.
        at: OffsetDateTime,
        /// Why.
        reason: RevocationReason,
        /// Its serial number, lower-case hexadecimal.
        serial: String,
        /// Its place in the path: 0 is the leaf.
        position: usize,
    },
    /// It could not be established.
    Unknown {
        /// Why.
        why: RevocationUnknown,
    },
}

/// Why revocation could not be established. `issuer` is the CA whose CRL is meant, RFC 4514.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum RevocationUnknown {
    /// No CRL of this issuer speaks for its certificate.
    #[error("there is no CRL of {issuer}")]
    Missing {
        /// The CA.
        issuer: String,
    },
    /// The CRL is not signed by this issuer's key.
    #[error("the signature of the CRL of {issuer} does not verify")]
    Signature {
        /// The CA.
        issuer: String,
    },
    /// The issuer's key may not sign CRLs (keyUsage without cRLSign, §6.3.3 (f)).
    #[error("the key of {issuer} may not sign CRLs")]
    KeyUsage {
        /// The CA.
        issuer: String,
    },
    /// `nextUpdate` is past.
    #[error("the CRL of {issuer} is stale since {next_update}")]
    Stale {
        /// The CA.
        issuer: String,
        /// When the next one was due, UTC.
        next_update: OffsetDateTime,
    },
    /// The CRLs that count leave some reasons for revocation open (onlySomeReasons, §5.2.5).
    #[error("the CRLs of {issuer} do not speak for all reasons")]
    SomeReasons {
        /// The CA.
        issuer: String,
    },
    /// The key that has signed the CRL has no certificate by this issuer's name under the same root, or one that is
    /// itself revoked or unknown (§6.3.3 (f)).
    #[error("the key that signs the CRL of {issuer} is not trusted")]
    Signer {
        /// The issuer of the CRL.
        issuer: String,
    },
    /// More than 64 signatures would have to be tried.
    #[error("too many CRLs to try")]
    TooComplex,
    /// `thisUpdate` is still to come: the CRL, or the clock, is wrong.
    #[error("the CRL of {issuer} is not valid before {this_update}")]
    NotYetValid {
        /// The CA.
        issuer: String,
        /// When it was issued, UTC.
        this_update: OffsetDateTime,
    },
}

/// Reason codes (RFC 5280 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationReason {
    /// None was given.
    Unspecified,
    /// The private key was, or may have been, compromised.
    KeyCompromise,
    /// The CA's key was compromised.
    AuthorityCompromise,
    /// Name or affiliation changed.
    AffiliationChanged,
    /// Replaced by another certificate.
    Superseded,
    /// No longer needed.
    CessationOfOperation,
    /// On hold; may come back.
    CertificateHold,
    /// Taken off a list again; stands in delta CRLs only and revokes nothing.
    RemoveFromCrl,
    /// A privilege, such as the licence, was withdrawn.
    PrivilegeWithdrawn,
    /// The attribute authority was compromised.
    AttributeAuthorityCompromise,
}

impl RevocationReason {
    /// From the contents octets of the ENUMERATED.
    pub(super) fn from_code(code: &[u8]) -> Option<Self> {
        Some(match code {
            [0] => Self::Unspecified,
            [1] => Self::KeyCompromise,
            [2] => Self::AuthorityCompromise,
            [3] => Self::AffiliationChanged,
            [4] => Self::Superseded,
            [5] => Self::CessationOfOperation,
            [6] => Self::CertificateHold,
            [8] => Self::RemoveFromCrl,
            [9] => Self::PrivilegeWithdrawn,
            [10] => Self::AttributeAuthorityCompromise,
            _ => return None,
        })
    }
}

/// What revocation is judged by, besides the CRLs.
#[derive(Clone, Copy, Debug)]
pub struct RevocationOptions<'a> {
    /// The time for which the answer is wanted, UTC: now, or that of a time-stamp.
    pub at: OffsetDateTime,
    /// The present, UTC, not before `at`. A CRL of a moment between counts for `at`, too, as long as the certificate
    /// had not expired by then: its entry would still be there (RFC 5280 §3.3).
    pub now: OffsetDateTime,
    /// Certificates among which those of CRL signers may be, when they do not sign with the key of the path.
    pub certificates: &'a [Certificate],
}

/// [`revocation_with`] at the time `at`, which is now, with the certificates of the path alone.
pub fn revocation(path: &Path, crls: &[Crl], at: OffsetDateTime) -> Revocation {
    revocation_with(path, crls, &RevocationOptions { at, now: at, certificates: &[] })
}

/// Judges every certificate of `path` below the root, the leaf first.
///
/// A CRL counts when it speaks for the certificate (issuer, distribution point, kind, reasons) and is signed by a key
/// of the CRL issuer's name: one above the certificate in the path, or one of the other certificates, which then must
/// have a path to the same root and be judged `Good` itself by CRLs that it did not sign. Delta CRLs are applied to
/// the complete CRL that they continue. `Good` needs, for every reason, one with thisUpdate ≤ `at` ≤ nextUpdate. An
/// entry in that one, or in the newest one even if it is stale, revokes from its revocationDate on. A revoked
/// certificate outweighs what is unknown about the others. The root is not judged: it counts by configuration.
///
/// Stricter than §6.3.3: a CRL signer whose own certificate only its own CRLs speak for is not trusted.
pub fn revocation_with(path: &Path, crls: &[Crl], options: &RevocationOptions) -> Revocation {
    Judge::new(crls, options).path(path.certificates())
}

#[cfg(test)]
mod tests;
