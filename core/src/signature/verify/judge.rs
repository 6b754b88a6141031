//! Whether the certificate of a sound signature may have made it: role, profile, validity, path, revocation.

use time::OffsetDateTime;

use super::{
    super::report::{Covers, Reason, SignatureReport},
    Examined,
    reasons::{self, OUT_OF_VALIDITY_NOW, PATH_OPEN, REVOCATION_OPEN, REVOKED, SIGNED_OUTSIDE_VALIDITY},
};
use crate::certificate::{self, Certificate, Crl, Holder, Revocation};

/// What a file is verified against.
#[derive(Clone, Copy)]
pub struct Trust<'a> {
    /// HPKI roots. Without any, no file is valid; sound ones are indeterminate.
    pub roots: &'a [Certificate],
    /// Revocation lists of every CA on the path.
    pub crls: &'a [Crl],
    /// CA certificates between signer and root; those that a file carries are used too.
    pub intermediates: &'a [Certificate],
    /// hcRole texts that may sign a prescription, such as `Medical Doctor`.
    pub prescriber_roles: &'a [String],
    /// The time of verification.
    pub at: OffsetDateTime,
}

pub(super) fn judge(examined: Examined, trust: &Trust) -> SignatureReport {
    let mut report = SignatureReport {
        covers: examined.covers,
        signer: None,
        role: None,
        signed_at: examined.signed_at,
        level: examined.level,
        reasons: examined.reasons,
    };
    let Some(certificate) = examined.certificate else { return report };
    match certificate::holder(&certificate) {
        Err(error) => {
            report.signer = Some(certificate.subject_name());
            report.reasons.push(reasons::of_profile(&error));
        }
        Ok(holder) => {
            let profile = profile(&certificate, &holder, &report, trust);
            report.reasons.extend(profile);
            report.role = Some(holder.roles.join(", ")).filter(|roles| !roles.is_empty());
            report.signer = Some(holder.name_kanji.unwrap_or(holder.name_romaji));
        }
    }
    report.reasons.extend(path(&certificate, examined.others, trust));
    report
}

/// Profile, role and validity. At this level nothing proves when the signature was made, so a certificate that has
/// expired since leaves the question open (ETSI EN 319 102-1 §5.2.6, `OUT_OF_BOUNDS_NO_POE`).
fn profile(
    certificate: &Certificate,
    holder: &Holder,
    signature: &SignatureReport,
    trust: &Trust,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let roles = match signature.covers {
        Covers::Prescription => trust.prescriber_roles,
        Covers::Dispensing => &holder.roles,
    };
    if let Err(error) = certificate::check_signer(certificate, holder, roles) {
        reasons.push(reasons::of_profile(&error));
    }
    let is_valid = |at| holder.not_before <= at && at <= holder.not_after;
    if signature.signed_at.is_some_and(|at| !is_valid(at)) {
        reasons.push(SIGNED_OUTSIDE_VALIDITY);
    }
    if !is_valid(trust.at) {
        reasons.push(OUT_OF_VALIDITY_NOW);
    }
    reasons
}

fn path(certificate: &Certificate, carried: Vec<Certificate>, trust: &Trust) -> Option<Reason> {
    let intermediates: Vec<Certificate> = trust.intermediates.iter().cloned().chain(carried).collect();
    let Ok(path) = certificate::build_path(certificate, &intermediates, trust.roots, trust.at) else {
        return Some(PATH_OPEN);
    };
    match certificate::revocation(&path, trust.crls, trust.at) {
        Revocation::Good { .. } => None,
        Revocation::Revoked { .. } => Some(REVOKED),
        Revocation::Unknown { .. } => Some(REVOCATION_OPEN),
    }
}
