//! Whether the certificate of a sound signature may have made it: role, profile, validity, path, revocation. From a
//! verified timestamp on, all of it as of the timestamp's time; without one, as of the time of verification.

use std::borrow::Cow;

use time::{Duration, OffsetDateTime};

use super::{
    super::{
        report::{Covers, Reason, SignatureReport},
        timestamp::Knowledge,
    },
    Examined, checks,
    reasons::{self, OUT_OF_VALIDITY_NOW, REVOKED, SIGNED_OUTSIDE_VALIDITY, SIGNING_TIME_LATE},
};
use crate::certificate::{self, Certificate, Crl, Revocation};

/// How far the clocks of a clinic and of a time-stamp authority may differ without a word.
const CLOCK_TOLERANCE: Duration = Duration::minutes(5);

/// What a file is verified against.
#[derive(Clone, Copy)]
pub struct Trust<'a> {
    /// HPKI roots. Without any, no file is valid; sound ones are indeterminate.
    pub roots: &'a [Certificate],
    /// Roots of time-stamp authorities, which are not HPKI's. Without any, no file with a timestamp is valid; sound ones
    /// are indeterminate.
    pub timestamp_roots: &'a [Certificate],
    /// Revocation lists of every CA on the paths; those that a file carries are used too, as far as they verify.
    pub crls: &'a [Crl],
    /// CA certificates between signer and root; those that a file carries are used too.
    pub intermediates: &'a [Certificate],
    /// hcRole texts that may sign a prescription, such as `Medical Doctor`.
    pub prescriber_roles: &'a [String],
    /// The time of verification.
    pub at: OffsetDateTime,
}

/// Judges a signature that is known to have existed at `then`: the time of verification, or that of a timestamp over a
/// signature around it.
pub(super) fn judge(examined: Examined, trust: &Trust, then: OffsetDateTime) -> SignatureReport {
    let certificates: Vec<Certificate> = trust.intermediates.iter().cloned().chain(examined.others).collect();
    let crls = match examined.crls.as_slice() {
        [] => Cow::Borrowed(trust.crls),
        carried => [trust.crls, carried].concat().into(),
    };
    let known =
        Knowledge { roots: trust.timestamp_roots, certificates: &certificates, crls: &crls, now: trust.at };
    let stamps = examined.stamps.judge(&known, then);
    let at = stamps.time.unwrap_or(then);
    let mut report = SignatureReport {
        covers: examined.covers,
        signer: None,
        role: None,
        signed_at: examined.signed_at,
        stamped_at: stamps.time,
        level: examined.level,
        reasons: examined.reasons,
        checks: Vec::new(),
    };
    let is_late = |stamped| report.signed_at.is_some_and(|signed| signed - stamped > CLOCK_TOLERANCE);
    if stamps.time.is_some_and(is_late) {
        report.reasons.push(SIGNING_TIME_LATE);
    }
    let is_complete = examined.certificate.is_some();
    if let Some(certificate) = examined.certificate {
        match certificate::name_and_roles(&certificate) {
            Err(error) => {
                report.signer = Some(certificate.subject_name());
                report.reasons.push(reasons::of_profile(&error));
            }
            Ok((name, roles)) => {
                let profile = profile(&certificate, &roles, &report, trust, at);
                report.reasons.extend(profile);
                report.role = Some(roles.join(", ")).filter(|roles| !roles.is_empty());
                report.signer = Some(name);
            }
        }
        report.reasons.extend(path(&certificate, &Knowledge { roots: trust.roots, ..known }, at));
    }
    report.checks = checks::all(&report.reasons, is_complete, &stamps);
    for reason in stamps.archive.into_iter().chain(stamps.signature).flatten() {
        if !report.reasons.contains(&reason) {
            report.reasons.push(reason);
        }
    }
    report
}

/// Profile, role and validity. Without a timestamp nothing proves when the signature was made, so a certificate that
/// has expired since leaves the question open (ETSI EN 319 102-1 §5.2.6, `OUT_OF_BOUNDS_NO_POE`).
fn profile(
    certificate: &Certificate,
    roles: &[String],
    signature: &SignatureReport,
    trust: &Trust,
    at: OffsetDateTime,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let may_sign = match signature.covers {
        Covers::Prescription => trust.prescriber_roles,
        Covers::Dispensing => roles,
    };
    if let Err(error) = certificate::check_signer(certificate, roles, may_sign) {
        reasons.push(reasons::of_profile(&error));
    }
    let validity = certificate.validity();
    let is_stamped_before = signature.stamped_at.is_some_and(|at| at < validity.not_before);
    if signature.signed_at.is_some_and(|at| !validity.contains(at)) || is_stamped_before {
        reasons.push(SIGNED_OUTSIDE_VALIDITY);
    }
    if !validity.contains(at) {
        reasons.push(OUT_OF_VALIDITY_NOW);
    }
    reasons
}

fn path(certificate: &Certificate, known: &Knowledge, at: OffsetDateTime) -> Option<Reason> {
    match certificate::build_path(certificate, known.certificates, known.roots, at) {
        Err(error) => Some(reasons::of_path(&error)),
        Ok(path) => match known.revocation(&path, known.certificates, at) {
            Revocation::Good { .. } => None,
            Revocation::Revoked { .. } => Some(REVOKED),
            Revocation::Unknown { why } => Some(reasons::of_revocation(&why)),
        },
    }
}
