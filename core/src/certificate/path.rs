//! From a certificate to a configured root (RFC 5280 §6.1, as far as HPKI uses it).

use time::OffsetDateTime;

use super::{
    extension::{ANY_POLICY, KeyUsage},
    key::KeyAlgorithm,
    profile::{AUTHENTICATION_POLICIES, SIGNING_POLICIES, is_under},
    x509::Certificate,
};

/// Most certificates in a path, both ends included. HPKI has three.
const MAX_PATH: usize = 8;
/// Most signatures tried for one path: many issuers of one name must not buy unlimited work.
const MAX_TRIES: usize = 64;

/// A verified path. Made only by [`build_path`].
#[derive(Clone, Debug)]
pub struct Path {
    certificates: Vec<Certificate>,
}

impl Path {
    /// From the leaf to the root, 2 or more.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }
}

/// Why there is no path.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum PathError {
    /// The path ends at a certificate authority of its own that is not configured, or at one of a configured name
    /// with another key.
    #[error("the path ends at a root that is not configured: {root}")]
    WrongRoot {
        /// The root's name, RFC 4514.
        root: String,
    },
    /// The chain is incomplete: neither the given nor the configured certificates hold this issuer.
    #[error("the issuer's certificate is missing: {issuer}")]
    IssuerMissing {
        /// The issuer's name, RFC 4514.
        issuer: String,
    },
    /// A certificate may not stand where it does.
    #[error("certificate {position} of the path: {refusal}")]
    Refused {
        /// 0 is the leaf, 1 its issuer.
        position: usize,
        /// Why.
        refusal: PathRefusal,
    },
    /// More than 8 certificates, or more than 64 signatures to try.
    #[error("the path is too long or too tangled")]
    TooComplex,
}

/// Why one certificate may not stand in a path.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum PathRefusal {
    /// Its signature does not verify with its issuer's key.
    #[error("its signature does not verify")]
    Signature,
    /// Signed with SHA-1 or by an unknown algorithm.
    #[error("it is signed by an algorithm that does not count")]
    WeakSignature,
    /// The key is too weak or of another kind.
    #[error("its key is too weak or of another kind: {0:?}")]
    KeyTooWeak(KeyAlgorithm),
    /// Validity has not begun.
    #[error("not valid before {0}")]
    NotYetValid(OffsetDateTime),
    /// Validity is over.
    #[error("expired at {0}")]
    Expired(OffsetDateTime),
    /// A critical extension that no rule applies, by OID. Name constraints, policy constraints, policy mappings and
    /// inhibitAnyPolicy are [`PathRefusal::Restriction`].
    #[error("unknown critical extension {0}")]
    UnknownCriticalExtension(String),
    /// A critical restriction that HPKI does not use and this module does not apply.
    #[error("it restricts paths by {0}, which is not supported")]
    Restriction(&'static str),
    /// It issued a certificate without being a CA (basicConstraints, §4.2.1.9).
    #[error("it is not a certification authority")]
    NotAuthority,
    /// It issued a certificate without keyCertSign (§4.2.1.3).
    #[error("its key may not sign certificates")]
    KeyUsage,
    /// More CAs follow than it allows (§4.2.1.9).
    #[error("more authorities follow than it allows")]
    PathLength,
    /// It does not allow the leaf's policy (§4.2.1.4).
    #[error("it does not allow the policy of the certificate")]
    Policy,
    /// It stands in the path already.
    #[error("the path is a loop")]
    Loop,
}

/// Finds a path from `leaf` over `intermediates` to one of `roots`, all valid at `at`. The order of the inputs does
/// not matter; certificates that do not belong are ignored. A root counts because its exact DER is configured; it
/// must be a valid CA itself, but who signed it does not matter.
///
/// Simplified, always to the strict side: there is no policy tree; every CA below the root must list one of the
/// leaf's policies, another of the same HPKI arc (as HPKI's CAs do), or anyPolicy; a leaf without policies is not
/// restricted. Critical name constraints, policy constraints, policy mappings and inhibitAnyPolicy are refused.
/// Extended key usage is not judged unless it is critical, which is refused.
///
/// # Errors
/// [`PathError`]; where several candidates fail, the failure of the longest attempt.
pub fn build_path(
    leaf: &Certificate,
    intermediates: &[Certificate],
    roots: &[Certificate],
    at: OffsetDateTime,
) -> Result<Path, PathError> {
    let mut search = Search { intermediates, roots, at, path: vec![leaf], tries: 0, failure: None };
    search.check(leaf).map_err(|refusal| PathError::Refused { position: 0, refusal })?;
    if search.extend(leaf) {
        return Ok(Path { certificates: search.path.into_iter().cloned().collect() });
    }
    let missing = || PathError::IssuerMissing { issuer: leaf.issuer_name() };
    Err(search.failure.map_or_else(missing, |(_, error)| error))
}

struct Search<'a> {
    intermediates: &'a [Certificate],
    roots: &'a [Certificate],
    at: OffsetDateTime,
    /// From the leaf upwards.
    path: Vec<&'a Certificate>,
    tries: usize,
    /// The failure of the longest attempt so far, and how long that was.
    failure: Option<(usize, PathError)>,
}

impl<'a> Search<'a> {
    /// Looks for an issuer of `last`, the end of the path, and so on up to a root; depth first, [`MAX_PATH`] deep.
    fn extend(&mut self, last: &'a Certificate) -> bool {
        let candidates = self.candidates(last);
        if candidates.is_empty() {
            self.fail(if last.is_self_issued() {
                PathError::WrongRoot { root: last.subject_name() }
            } else {
                PathError::IssuerMissing { issuer: last.issuer_name() }
            });
        }
        for (issuer, is_root) in candidates {
            if self.path.len() == MAX_PATH || self.tries == MAX_TRIES {
                self.fail(PathError::TooComplex);
                return false;
            }
            if let Err(error) = self.judge(last, issuer, is_root) {
                self.fail(error);
                continue;
            }
            self.path.push(issuer);
            if is_root || self.extend(issuer) {
                return true;
            }
            self.path.pop();
        }
        false
    }

    /// Certificates of the issuer's name: roots first, then those whose key identifier fits.
    fn candidates(&self, last: &Certificate) -> Vec<(&'a Certificate, bool)> {
        let roots = self.roots.iter().map(|root| (root, true));
        let others = self.intermediates.iter().filter(|c| !self.roots.contains(c)).map(|c| (c, false));
        let named = |(issuer, _): &(&Certificate, bool)| last.issuer().matches(issuer.subject());
        // A self-signed certificate that is no root leads nowhere.
        let leads_on = |(issuer, _): &(&Certificate, bool)| *issuer != last;
        let mut candidates: Vec<_> = roots.chain(others).filter(named).filter(leads_on).collect();
        candidates.sort_by_key(|(issuer, is_root)| (!is_root, key_identifiers_differ(last, issuer)));
        candidates
    }

    fn judge(&mut self, last: &Certificate, issuer: &Certificate, is_root: bool) -> Result<(), PathError> {
        let position = self.path.len();
        let refused = |position, refusal| PathError::Refused { position, refusal };
        if self.path.contains(&issuer) {
            return Err(refused(position, PathRefusal::Loop));
        }
        self.tries += 1;
        if last.signature_algorithm().is_none() {
            return Err(refused(position - 1, PathRefusal::WeakSignature));
        }
        if !last.is_signed_by(issuer) {
            return Err(if is_root && key_identifiers_differ(last, issuer) {
                PathError::WrongRoot { root: issuer.subject_name() }
            } else {
                refused(position - 1, PathRefusal::Signature)
            });
        }
        self.check(issuer)
            .and_then(|()| self.check_authority(issuer, is_root))
            .map_err(|refusal| refused(position, refusal))
    }

    /// What every certificate of a path must be.
    fn check(&self, certificate: &Certificate) -> Result<(), PathRefusal> {
        let validity = certificate.validity();
        if self.at < validity.not_before {
            return Err(PathRefusal::NotYetValid(validity.not_before));
        }
        if self.at > validity.not_after {
            return Err(PathRefusal::Expired(validity.not_after));
        }
        if !certificate.key().is_strong_enough() {
            return Err(PathRefusal::KeyTooWeak(certificate.key_algorithm()));
        }
        match certificate.extensions().unknown_critical() {
            Some(oid) => Err(refused_extension(&oid)),
            None => Ok(()),
        }
    }

    /// What an issuer must be besides.
    fn check_authority(&self, issuer: &Certificate, is_root: bool) -> Result<(), PathRefusal> {
        let extensions = issuer.extensions();
        if !extensions.is_ca() {
            return Err(PathRefusal::NotAuthority);
        }
        if !extensions.allows(KeyUsage::KEY_CERT_SIGN) {
            return Err(PathRefusal::KeyUsage);
        }
        let following = self.path.iter().skip(1).filter(|c| !c.is_self_issued()).count();
        let allowed = extensions.basic_constraints.and_then(|constraints| constraints.path_length);
        if allowed.is_some_and(|allowed| following > allowed) {
            return Err(PathRefusal::PathLength);
        }
        let leaf_policies = self.path.first().and_then(|leaf| leaf.extensions().policies.as_deref());
        if !is_root && !allows_policies(extensions.policies.as_deref(), leaf_policies) {
            return Err(PathRefusal::Policy);
        }
        Ok(())
    }

    fn fail(&mut self, error: PathError) {
        let length = self.path.len();
        if self.failure.as_ref().is_none_or(|(longest, _)| length > *longest) {
            self.failure = Some((length, error));
        }
    }
}

/// Both name a key and the keys differ: only a hint (RFC 5280 §4.2.1.1), so it orders and explains, never decides.
fn key_identifiers_differ(certificate: &Certificate, issuer: &Certificate) -> bool {
    let wanted = certificate.extensions().authority_key_identifier.as_ref();
    let found = issuer.extensions().subject_key_identifier.as_ref();
    wanted.zip(found).is_some_and(|(wanted, found)| wanted != found)
}

fn refused_extension(oid: &str) -> PathRefusal {
    match oid {
        "2.5.29.30" => PathRefusal::Restriction("name constraints"),
        "2.5.29.33" => PathRefusal::Restriction("policy mappings"),
        "2.5.29.36" => PathRefusal::Restriction("policy constraints"),
        "2.5.29.54" => PathRefusal::Restriction("inhibitAnyPolicy"),
        _ => PathRefusal::UnknownCriticalExtension(oid.to_owned()),
    }
}

/// One of the authority's policies covers one of the leaf's.
fn allows_policies(authority: Option<&[Vec<u8>]>, leaf: Option<&[Vec<u8>]>) -> bool {
    let Some(leaf) = leaf else { return true };
    let covers = |authority: &[u8], leaf: &[u8]| {
        let share = |arc: &[u8]| is_under(authority, arc) && is_under(leaf, arc);
        authority == leaf
            || authority == ANY_POLICY
            || share(SIGNING_POLICIES)
            || share(AUTHENTICATION_POLICIES)
    };
    authority.unwrap_or_default().iter().any(|a| leaf.iter().any(|l| covers(a, l)))
}

#[cfg(test)]
mod tests;
