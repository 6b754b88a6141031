//! Whether a token's authority may be believed: its certificate, signature, purpose, path and revocation.

use time::OffsetDateTime;

use super::Token;
use crate::certificate::{
    Certificate, Crl, Path, PathError, PathOptions, PathRefusal, Purpose, Revocation, RevocationOptions,
    RevocationReason, build_path_with, revocation_with,
};

/// Why a token's time is not believed.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
pub(in crate::signature) enum AuthorityError {
    /// No certificate is known that the token names.
    #[error("the authority's certificate is missing")]
    CertificateMissing,
    /// There is one of the signer's issuer and serial number, but it is not the one that the signature names.
    #[error("the authority's certificate is not the one that the token names")]
    CertificateMismatch,
    /// The signature does not verify, or the content is not what was signed.
    #[error("the token's signature does not verify")]
    Signature,
    /// The time lies outside the validity of the authority's certificate.
    #[error("the token was made outside the validity of its authority's certificate")]
    OutsideValidity,
    /// The certificate is not for time-stamping alone, critically so (RFC 3161 §2.3).
    #[error("the certificate is not for time-stamping alone")]
    Purpose,
    /// It was revoked.
    #[error("the authority's certificate is revoked")]
    Revoked,
    /// The token is later than the moment by which it must have existed.
    #[error("the token is later than what it must precede")]
    Order,
    /// There is no path to a root for time-stamping at that moment.
    #[error("no path from the authority to a configured root")]
    Path,
    /// That it is not revoked is not established.
    #[error("the revocation of the authority is not established")]
    RevocationOpen,
}

/// What is known when a token is judged; nothing here is trusted but `roots`.
#[derive(Clone, Copy)]
pub(in crate::signature) struct Knowledge<'a> {
    /// Trusted for time-stamping.
    pub(in crate::signature) roots: &'a [Certificate],
    /// Certificates that may belong to a path.
    pub(in crate::signature) certificates: &'a [Certificate],
    /// CRLs from anywhere.
    pub(in crate::signature) crls: &'a [Crl],
    /// The time of verification.
    pub(in crate::signature) now: OffsetDateTime,
}

impl Knowledge<'_> {
    /// As of `at`, from CRLs of then and of later; `certificates` may hold those of CRL signers.
    pub(in crate::signature) fn revocation(
        &self,
        path: &Path,
        certificates: &[Certificate],
        at: OffsetDateTime,
    ) -> Revocation {
        revocation_with(path, self.crls, &RevocationOptions { at, now: self.now, certificates })
    }
}

/// Judges a token that is known to have existed at `then`: the time of verification, or of a later time-stamp over it.
pub(in crate::signature) fn judge(
    token: &Token,
    known: &Knowledge,
    then: OffsetDateTime,
) -> Result<OffsetDateTime, AuthorityError> {
    let certificates: Vec<Certificate> =
        token.certificates().iter().chain(known.certificates).cloned().collect();
    let authority = certificates.iter().find(|certificate| token.names(certificate)).ok_or_else(|| {
        let seems_there = certificates.iter().any(|certificate| token.seems_by(certificate));
        if seems_there { AuthorityError::CertificateMismatch } else { AuthorityError::CertificateMissing }
    })?;
    if !token.is_signed_by(authority) {
        return Err(AuthorityError::Signature);
    }
    if !authority.validity().contains(token.time()) {
        return Err(AuthorityError::OutsideValidity);
    }
    let options = PathOptions::new(Purpose::TimeStamping, then);
    let path =
        build_path_with(authority, &certificates, known.roots, &options).map_err(|error| match error {
            PathError::Refused { position: 0, refusal: PathRefusal::ExtendedKeyUsage } => {
                AuthorityError::Purpose
            }
            _ => AuthorityError::Path,
        })?;
    match known.revocation(&path, &certificates, then) {
        Revocation::Good { .. } => {}
        Revocation::Revoked { at, reason, position: 0, .. } if token.time() < at && is_harmless(reason) => {
            issuers_stand(&path, &certificates, known, then)?;
        }
        Revocation::Revoked { .. } => return Err(AuthorityError::Revoked),
        Revocation::Unknown { .. } => return Err(AuthorityError::RevocationOpen),
    }
    if then < token.time() { Err(AuthorityError::Order) } else { Ok(token.time()) }
}

/// Whether the rest of the path is not revoked: of a path whose leaf is revoked, nothing more was asked.
fn issuers_stand(
    path: &Path,
    certificates: &[Certificate],
    known: &Knowledge,
    then: OffsetDateTime,
) -> Result<(), AuthorityError> {
    let [_, issuer, _, ..] = path.certificates() else { return Ok(()) };
    let options = PathOptions::new(Purpose::Any, then);
    let path =
        build_path_with(issuer, certificates, known.roots, &options).map_err(|_| AuthorityError::Path)?;
    match known.revocation(&path, certificates, then) {
        Revocation::Good { .. } => Ok(()),
        Revocation::Revoked { .. } => Err(AuthorityError::Revoked),
        Revocation::Unknown { .. } => Err(AuthorityError::RevocationOpen),
    }
}

/// Revocations after which earlier tokens remain valid (RFC 3161 §4, 1). Without a reason, as with a compromised key, none
/// does.
fn is_harmless(reason: RevocationReason) -> bool {
    matches!(
        reason,
        RevocationReason::AffiliationChanged
            | RevocationReason::Superseded
            | RevocationReason::CessationOfOperation
    )
}
