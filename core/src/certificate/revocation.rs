//! Whether a certificate of a path was revoked, by CRLs (RFC 5280 §6.3, complete CRLs issued by the CA itself).

use time::OffsetDateTime;

use super::{
    crl::{Crl, Entry},
    extension::KeyUsage,
    path::Path,
    x509::Certificate,
};

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

/// Judges every certificate of `path` below the root at the time `at`, the leaf first.
///
/// A CRL counts when it is issued and signed by the very CA of the path, and speaks for the certificate. `Good` needs
/// one with thisUpdate ≤ `at` ≤ nextUpdate. An entry in that one, or in the newest one even if it is stale, revokes
/// from its revocationDate on. A revoked certificate outweighs what is unknown about the others. The root is not
/// judged: it counts by configuration.
pub fn revocation(path: &Path, crls: &[Crl], at: OffsetDateTime) -> Revocation {
    let certificates = path.certificates();
    let mut checked_until = OffsetDateTime::new_utc(time::Date::MAX, time::Time::MIDNIGHT);
    let mut unknown = None;
    for (position, (certificate, issuer)) in certificates.iter().zip(certificates.iter().skip(1)).enumerate()
    {
        match one(certificate, issuer, crls, at) {
            Status::Good(next_update) => checked_until = checked_until.min(next_update),
            Status::Revoked { at, reason } => {
                return Revocation::Revoked { at, reason, serial: certificate.serial_number(), position };
            }
            Status::Unknown(why) => unknown = unknown.or(Some(why)),
        }
    }
    match unknown {
        Some(why) => Revocation::Unknown { why },
        None => Revocation::Good { checked_until },
    }
}

enum Status {
    Good(OffsetDateTime),
    Revoked { at: OffsetDateTime, reason: RevocationReason },
    Unknown(RevocationUnknown),
}

fn one(certificate: &Certificate, issuer: &Certificate, crls: &[Crl], at: OffsetDateTime) -> Status {
    let name = issuer.subject_name();
    let covering: Vec<_> = crls.iter().filter(|crl| crl.covers(certificate)).collect();
    if covering.is_empty() {
        return Status::Unknown(RevocationUnknown::Missing { issuer: name });
    }
    if !issuer.extensions().allows(KeyUsage::CRL_SIGN) {
        return Status::Unknown(RevocationUnknown::KeyUsage { issuer: name });
    }
    let mut authentic: Vec<_> = covering.into_iter().filter(|crl| crl.is_signed_by(issuer)).collect();
    authentic.sort_by_key(|crl| crl.this_update());
    let Some(newest) = authentic.last() else {
        return Status::Unknown(RevocationUnknown::Signature { issuer: name });
    };
    let fresh = authentic.iter().rfind(|crl| crl.this_update() <= at && at <= crl.next_update());
    let entries = [Some(newest), fresh].into_iter().flatten().filter_map(|crl| crl.entry(certificate));
    if let Some(entry) = entries.into_iter().find(|entry| revokes(entry, at)) {
        return Status::Revoked { at: entry.at, reason: entry.reason };
    }
    match fresh {
        Some(crl) => Status::Good(crl.next_update()),
        None if at < newest.this_update() => Status::Unknown(RevocationUnknown::NotYetValid {
            issuer: name,
            this_update: newest.this_update(),
        }),
        None => Status::Unknown(RevocationUnknown::Stale { issuer: name, next_update: newest.next_update() }),
    }
}

fn revokes(entry: &Entry, at: OffsetDateTime) -> bool {
    entry.at <= at && entry.reason != RevocationReason::RemoveFromCrl
}

#[cfg(test)]
mod tests;
