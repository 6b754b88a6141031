//! Whether the certificates of a path were revoked at a moment in the past, from CRLs of then and of later.

use time::OffsetDateTime;

use crate::certificate::{
    Certificate, Crl, Path, PathOptions, Purpose, Revocation, build_path_with, revocation,
};

/// As [`revocation`] at the time `then`, with one thing more: where no CRL was in force at `then`, one that was issued
/// later, by `now`, tells as much, since it keeps the date of each revocation; but only while the certificate is not
/// expired, for afterwards its entry may be gone (RFC 5280 §3.3).
pub(in crate::signature) fn revocation_at(
    path: &Path,
    purpose: Purpose,
    crls: &[Crl],
    then: OffsetDateTime,
    now: OffsetDateTime,
) -> Revocation {
    let whole = revocation(path, crls, then);
    if now <= then || !matches!(whole, Revocation::Unknown { .. }) {
        return whole;
    }
    let certificates = path.certificates();
    for (position, (certificate, issuer)) in certificates.iter().zip(certificates.iter().skip(1)).enumerate()
    {
        let purpose = if position == 0 { purpose } else { Purpose::Any };
        let options = PathOptions::new(purpose, then);
        let Ok(link) = build_path_with(certificate, &[], std::slice::from_ref(issuer), &options) else {
            return whole;
        };
        match link_at(&link, certificate, crls, then, now) {
            Revocation::Good { .. } => {}
            Revocation::Revoked { at, reason, serial, .. } => {
                return Revocation::Revoked { at, reason, serial, position };
            }
            unknown @ Revocation::Unknown { .. } => return unknown,
        }
    }
    Revocation::Good { checked_until: now }
}

/// The same for one certificate and its issuer.
fn link_at(
    link: &Path,
    certificate: &Certificate,
    crls: &[Crl],
    then: OffsetDateTime,
    now: OffsetDateTime,
) -> Revocation {
    let at_the_time = revocation(link, crls, then);
    if !matches!(at_the_time, Revocation::Unknown { .. }) {
        return at_the_time;
    }
    let end = certificate.validity().not_after.min(now);
    let later = crls.iter().map(Crl::this_update).filter(|issued| then < *issued && *issued <= end);
    later
        .map(|issued| match revocation(link, crls, issued) {
            // The key was good until then.
            Revocation::Revoked { at, .. } if then < at => Revocation::Good { checked_until: at },
            answer => answer,
        })
        .find(|answer| !matches!(answer, Revocation::Unknown { .. }))
        .unwrap_or(at_the_time)
}
