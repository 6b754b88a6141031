//! From a certificate to a configured root (RFC 5280 §6.1): the path as it is asked for and found, or why there is
//! none. `search` finds candidates, `validate` applies what runs from the root down.

mod search;
mod validate;

use time::OffsetDateTime;

use super::{key::KeyAlgorithm, x509::Certificate};
use search::Search;

/// Most certificates in a path, both ends included. HPKI has three.
const MAX_PATH: usize = 8;
/// Most candidates tried for one path: many issuers of one name must not buy unlimited work.
const MAX_TRIES: usize = 64;

/// A verified path. Made only by [`build_path`] and [`build_path_with`].
#[derive(Clone, Debug)]
pub struct Path {
    certificates: Vec<Certificate>,
    policies: Vec<String>,
}

impl Path {
    /// From the leaf to the root, 2 or more.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The user-constrained-policy-set (RFC 5280 §6.1.5 (g)): for which of the policies asked for the path is valid, in
    /// terms of the root's domain, dotted; `2.5.29.32.0` for any. May be empty where no policy was required, as it is
    /// for HPKI's CAs, whose policy differs from that of the certificates they issue.
    pub fn policies(&self) -> &[String] {
        &self.policies
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
    /// More than 8 certificates, or more than 64 candidates to try.
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
    /// A critical extension that no rule applies, by OID.
    #[error("unknown critical extension {0}")]
    UnknownCriticalExtension(String),
    /// Beyond what this module handles: more than 64 policies or policy mappings in one certificate, or more than 256
    /// names or name constraints.
    #[error("it has {0}, which is not supported")]
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
    /// It does not allow the leaf's policy (§4.2.1.4), or there is no policy where one is required (§6.1.3 (f),
    /// §6.1.5).
    #[error("it does not allow the policy of the certificate")]
    Policy,
    /// It maps anyPolicy to a policy or a policy to anyPolicy (§6.1.4 (a)).
    #[error("it maps anyPolicy")]
    PolicyMapping,
    /// It bears a name that an authority above does not permit, or one that cannot be compared (§4.2.1.10).
    #[error("an authority above does not permit its names")]
    NameConstraints,
    /// It is not for time-stamping alone (RFC 3161 §2.3).
    #[error("its extended key usage is not time-stamping alone")]
    ExtendedKeyUsage,
    /// It stands in the path already.
    #[error("the path is a loop")]
    Loop,
}

/// What a certificate must be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An HPKI certificate: besides RFC 5280, every CA below the root must list one of the leaf's policies, another of
    /// the same HPKI arc (as HPKI's CAs do), or anyPolicy; a leaf without policies is not restricted.
    Hpki,
    /// A time-stamp authority: besides RFC 5280, an extended key usage that is critical and time-stamping alone
    /// (RFC 3161 §2.3).
    TimeStamping,
    /// RFC 5280 and no more.
    Any,
}

/// The inputs of path validation (RFC 5280 §6.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathOptions {
    /// The time at which all certificates must be valid, UTC.
    pub at: OffsetDateTime,
    /// What the leaf must be good for.
    pub purpose: Purpose,
    /// user-initial-policy-set, dotted OIDs; empty is any-policy.
    pub initial_policies: Vec<String>,
    /// initial-explicit-policy: the path must be valid for one of `initial_policies`.
    pub explicit_policy: bool,
    /// initial-policy-mapping-inhibit.
    pub inhibit_policy_mapping: bool,
    /// initial-any-policy-inhibit.
    pub inhibit_any_policy: bool,
}

impl PathOptions {
    /// Any policy, nothing inhibited.
    pub fn new(purpose: Purpose, at: OffsetDateTime) -> Self {
        Self {
            at,
            purpose,
            initial_policies: Vec::new(),
            explicit_policy: false,
            inhibit_policy_mapping: false,
            inhibit_any_policy: false,
        }
    }
}

/// Finds a path from `leaf` over `intermediates` to one of `roots` for [`Purpose::Hpki`], all valid at `at`. The order
/// of the inputs does not matter; certificates that do not belong are ignored.
///
/// # Errors
/// As [`build_path_with`].
pub fn build_path(
    leaf: &Certificate,
    intermediates: &[Certificate],
    roots: &[Certificate],
    at: OffsetDateTime,
) -> Result<Path, PathError> {
    build_path_with(leaf, intermediates, roots, &PathOptions::new(Purpose::Hpki, at))
}

/// Finds a path and validates it by RFC 5280 §6.1, policies by RFC 9618.
///
/// A root counts because its exact DER is configured, whoever signed it; beyond §6.1 it must itself be valid, a CA,
/// and what it limits (path length, names, policy constraints) counts (RFC 5937). On the strict side of the standard,
/// too: an issuer must have keyUsage; keys and signatures are RSA of 2048 to 4096 bits with SHA-256, SHA-384 or
/// SHA-512 and ECDSA on P-256 or P-384, nothing else; extended key usage is refused when it is critical, except for
/// [`Purpose::TimeStamping`].
///
/// # Errors
/// [`PathError`]; where several candidates fail, the failure of the longest attempt.
pub fn build_path_with(
    leaf: &Certificate,
    intermediates: &[Certificate],
    roots: &[Certificate],
    options: &PathOptions,
) -> Result<Path, PathError> {
    Search::new(intermediates, roots, options).run(leaf)
}

#[cfg(test)]
mod tests;
