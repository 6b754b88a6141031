//! What verification says of a file: a verdict, and every reason with a stable code and words in two languages.

use serde::Serialize;
use time::OffsetDateTime;

/// The answer about a whole file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every signature is sound, made by a certificate that may make it, and its path and revocation are established.
    Valid,
    /// Something is wrong for certain.
    Invalid,
    /// The signatures are sound, but path or revocation are not established with what was given.
    Indeterminate,
}

/// How far the signature's form has been extended (ETSI TS 101 903 §4.4). It is read off the properties present; what
/// their timestamps are worth is in [`SignatureReport::stamped_at`] and [`SignatureReport::checks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// As the signer made it.
    Bes,
    /// With a signature timestamp.
    T,
    /// With certificates and revocation data.
    Xl,
    /// With an archive timestamp.
    A,
}

/// What a signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Covers {
    /// A prescriber's signature over PrescriptionDocument.
    Prescription,
    /// A pharmacist's signature over Dispensing.
    Dispensing,
}

/// What a reason does to the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file is invalid.
    Fails,
    /// The file cannot be called valid with what was given.
    Indeterminate,
    /// Worth knowing; the verdict stays.
    Note,
}

/// One reason. It never holds content of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Stable, for programs.
    pub code: &'static str,
    /// What it does to the verdict.
    pub severity: Severity,
    /// For a Japanese reader.
    pub text_ja: &'static str,
    /// For an English reader.
    pub text_en: &'static str,
}

impl Reason {
    pub(super) const fn fails(code: &'static str, text_ja: &'static str, text_en: &'static str) -> Self {
        Self { code, severity: Severity::Fails, text_ja, text_en }
    }
    pub(super) const fn open(code: &'static str, text_ja: &'static str, text_en: &'static str) -> Self {
        Self { code, severity: Severity::Indeterminate, text_ja, text_en }
    }
    pub(super) const fn note(code: &'static str, text_ja: &'static str, text_en: &'static str) -> Self {
        Self { code, severity: Severity::Note, text_ja, text_en }
    }
}

/// What one verification item of the e-prescription specification came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Checked and right.
    Passed,
    /// Checked and wrong.
    Failed,
    /// The signature has nothing that this item is about.
    NotApplicable,
    /// It could not be decided with what was given, or what comes before it has failed.
    Undetermined,
}

/// One verification item of the e-prescription specification, for an auditor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Number in the specification: `5.5.3` signature, `5.6.1` timestamp, `5.7` certificate.
    pub item: &'static str,
    /// Stable, for programs; unique in a list.
    pub code: &'static str,
    /// What it came to.
    pub result: Outcome,
    /// What is checked, for a Japanese reader.
    pub text_ja: &'static str,
    /// What is checked, for an English reader.
    pub text_en: &'static str,
}

/// What was found about one signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignatureReport {
    /// What it covers.
    pub covers: Covers,
    /// The holder's name in kanji, else in romaji; `None` when no certificate could be read.
    pub signer: Option<String>,
    /// hcRole texts of the certificate, `, ` between them; `None` when it has none.
    pub role: Option<String>,
    /// SigningTime, as claimed by the signer.
    #[serde(with = "time::serde::rfc3339::option")]
    pub signed_at: Option<OffsetDateTime>,
    /// The earliest time that a verified timestamp proves the signature to have existed at; role, path and revocation
    /// are judged as of then. `None` without one: they are judged as of the time of verification, or of the timestamp of
    /// a signature around this one.
    #[serde(with = "time::serde::rfc3339::option")]
    pub stamped_at: Option<OffsetDateTime>,
    /// The form found.
    pub level: Level,
    /// Empty when nothing is to be said.
    pub reasons: Vec<Reason>,
    /// Every verification item of the specification, in its order.
    pub checks: Vec<Check>,
}

impl SignatureReport {
    /// When this signature, and what it covers, is proven to have existed.
    pub(super) fn proven_at(&self) -> Option<OffsetDateTime> {
        let fails = self.reasons.iter().any(|reason| reason.severity == Severity::Fails);
        self.stamped_at.filter(|_| !fails)
    }
}

/// What was found about a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The answer.
    pub verdict: Verdict,
    /// The form of the outermost signature; `None` when there is none.
    pub level: Option<Level>,
    /// The outermost first.
    pub signatures: Vec<SignatureReport>,
    /// Reasons that concern the file as a whole.
    pub reasons: Vec<Reason>,
    /// The prescription's CSV, exactly what was signed, when that signature is cryptographically sound. Whether the
    /// signer may prescribe and is trusted is for `verdict` to say.
    #[serde(skip)]
    pub document: Option<String>,
}

impl Report {
    pub(super) fn conclude(
        signatures: Vec<SignatureReport>,
        reasons: Vec<Reason>,
        document: Option<String>,
    ) -> Self {
        let all = || reasons.iter().chain(signatures.iter().flat_map(|signature| &signature.reasons));
        let any = |severity| all().any(|reason| reason.severity == severity);
        let verdict = if signatures.is_empty() || any(Severity::Fails) {
            Verdict::Invalid
        } else if any(Severity::Indeterminate) {
            Verdict::Indeterminate
        } else {
            Verdict::Valid
        };
        Self { verdict, level: signatures.first().map(|s| s.level), signatures, reasons, document }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: OffsetDateTime = time::macros::datetime!(2026-06-02 00:00 UTC);

    fn report(stamped_at: Option<OffsetDateTime>, severities: &[Severity]) -> SignatureReport {
        let reason = |severity: &Severity| Reason { severity: *severity, ..Reason::note("code", "", "") };
        SignatureReport {
            covers: Covers::Prescription,
            signer: None,
            role: None,
            signed_at: None,
            stamped_at,
            level: Level::T,
            reasons: severities.iter().map(reason).collect(),
            checks: Vec::new(),
        }
    }

    #[test]
    fn a_time_is_proven_by_a_timestamp_of_a_signature_that_does_not_fail() {
        use Severity::{Fails, Indeterminate, Note};
        for (stamped_at, severities, proven_at) in [
            (Some(AT), &[][..], Some(AT)),
            (Some(AT), &[Note, Indeterminate], Some(AT)),
            (Some(AT), &[Note, Fails], None),
            (None, &[], None),
        ] {
            assert_eq!(report(stamped_at, severities).proven_at(), proven_at, "{severities:?}");
        }
    }

    #[test]
    fn the_gravest_reason_of_any_signature_or_of_the_file_is_the_verdict() {
        use Severity::{Fails, Indeterminate, Note};
        for (severities, verdict) in [
            (&[][..], Verdict::Valid),
            (&[Note], Verdict::Valid),
            (&[Note, Indeterminate], Verdict::Indeterminate),
            (&[Indeterminate, Fails, Note], Verdict::Invalid),
        ] {
            let inner = Report::conclude(vec![report(None, &[]), report(None, severities)], Vec::new(), None);
            assert_eq!((inner.verdict, inner.level), (verdict, Some(Level::T)), "{severities:?}");
            let file = Report::conclude(vec![report(None, &[])], report(None, severities).reasons, None);
            assert_eq!(file.verdict, verdict, "{severities:?}");
        }
        assert_eq!(Report::conclude(Vec::new(), Vec::new(), None).verdict, Verdict::Invalid);
    }
}
