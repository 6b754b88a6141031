use std::time::SystemTime;

use hpki_agent::{
    certificate::{Certificate, Crl},
    signature as core,
};

use crate::convert::{self, Expose, choices, records};

choices! {
    /// The answer about a whole file.
    Verdict of core::Verdict {
        /// Every signature is sound, made by a certificate that may make it, and its path and revocation are established.
        Valid,
        /// Something is wrong for certain.
        Invalid,
        /// The signatures are sound, but path or revocation are not established with what was given.
        Indeterminate,
    }

    /// How far the signature's form has been extended (ETSI TS 101 903 §4.4). What its timestamps are worth is in
    /// `SignatureReport.stamped_at` and `SignatureReport.checks`.
    SignatureLevel of core::Level {
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
    WhatIsSigned of core::Covers {
        /// A prescriber's signature over the prescription.
        Prescription,
        /// A pharmacist's signature over the dispensing.
        Dispensing,
    }

    /// What a reason does to the verdict.
    VerificationSeverity of core::Severity {
        /// The file is invalid.
        Fails,
        /// The file cannot be called valid with what was given.
        Indeterminate,
        /// Worth knowing; the verdict stays.
        Note,
    }

    /// What one verification item of the e-prescription specification came to.
    VerificationOutcome of core::Outcome {
        /// Checked and right.
        Passed,
        /// Checked and wrong.
        Failed,
        /// The signature has nothing that this item is about.
        NotApplicable,
        /// It could not be decided with what was given, or what comes before it has failed.
        Undetermined,
    }
}

records! {
    /// One reason. It never holds content of the document.
    VerificationReason of core::Reason {
        /// Stable, for programs.
        code: String,
        /// What it does to the verdict.
        severity: VerificationSeverity,
        /// For a Japanese reader.
        text_ja: String,
        /// For an English reader.
        text_en: String,
    }

    /// One verification item of the e-prescription specification, for an auditor.
    VerificationCheck of core::Check {
        /// Number in the specification: `5.5.3` signature, `5.6.1` timestamp, `5.7` certificate.
        item: String,
        /// Stable, for programs; unique in a list.
        code: String,
        /// What it came to.
        result: VerificationOutcome,
        /// What is checked, for a Japanese reader.
        text_ja: String,
        /// What is checked, for an English reader.
        text_en: String,
    }

    /// What was found about one signature.
    SignatureReport of core::SignatureReport {
        /// What it covers.
        covers: WhatIsSigned,
        /// The holder's name in kanji, else in romaji; none when no certificate could be read.
        signer: Option<String>,
        /// hcRole texts of the certificate; none when it has none.
        role: Option<String>,
        /// The signing time, as claimed by the signer.
        signed_at: Option<SystemTime>,
        /// The earliest time that a verified timestamp proves the signature to have existed at; role, path and revocation are
        /// judged as of then. None without one.
        stamped_at: Option<SystemTime>,
        /// The form found.
        level: SignatureLevel,
        /// Empty when nothing is to be said.
        reasons: Vec<VerificationReason>,
        /// Every verification item of the specification, in its order.
        checks: Vec<VerificationCheck>,
    }

    /// What was found about a file.
    VerificationReport of core::Report {
        /// The answer.
        verdict: Verdict,
        /// The form of the outermost signature; none when there is none.
        level: Option<SignatureLevel>,
        /// The outermost first.
        signatures: Vec<SignatureReport>,
        /// Reasons that concern the file as a whole.
        reasons: Vec<VerificationReason>,
        /// The prescription's CSV, exactly what was signed, when that signature is sound by itself; whether its signer is
        /// trusted is for the verdict to say.
        document: Option<String>,
    }
}

/// What a file is verified against; certificates and lists each in DER or PEM.
#[derive(Clone, Debug, uniffi::Record)]
pub struct VerificationMaterial {
    /// HPKI roots. Without any, no file is valid.
    pub roots: Vec<Vec<u8>>,
    /// CA certificates between signer and root; those that the file carries are used too.
    pub intermediates: Vec<Vec<u8>>,
    /// Revocation lists of every CA on the path.
    pub revocation_lists: Vec<Vec<u8>>,
    /// hcRole texts that may sign a prescription, such as `Medical Doctor`.
    pub prescriber_roles: Vec<String>,
    /// Roots of time-stamp authorities, which are not HPKI's. Without any, no file with a timestamp is valid.
    #[uniffi(default = [])]
    pub timestamp_roots: Vec<Vec<u8>>,
}

/// What a file should be verified against cannot be read.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum MaterialError {
    /// One item.
    #[error("{reason}")]
    Unreadable {
        /// Which one and why.
        reason: String,
    },
}

/// Verifies a signed file, without any network. The bytes are read where they lie. A file that is no prescription at all gets
/// a report that says so.
#[uniffi::export]
pub fn verify_file(
    file: &[u8],
    against: &VerificationMaterial,
    at: SystemTime,
) -> Result<VerificationReport, MaterialError> {
    let roots = read_all("root", &against.roots, Certificate::from_pem_or_der)?;
    let intermediates = read_all("intermediate", &against.intermediates, Certificate::from_pem_or_der)?;
    let timestamp_roots = read_all("timestamp root", &against.timestamp_roots, Certificate::from_pem_or_der)?;
    let crls = read_all("revocation list", &against.revocation_lists, Crl::from_pem_or_der)?;
    let at = convert::time(at).ok_or_else(|| MaterialError::Unreadable {
        reason: "the time of verification is out of range".to_owned(),
    })?;
    let trust = core::Trust {
        roots: &roots,
        intermediates: &intermediates,
        timestamp_roots: &timestamp_roots,
        crls: &crls,
        prescriber_roles: &against.prescriber_roles,
        at,
    };
    Ok(core::verify(file, &trust).expose())
}

fn read_all<T, E: std::fmt::Display>(
    what: &str,
    items: &[Vec<u8>],
    read: impl Fn(&[u8]) -> Result<T, E>,
) -> Result<Vec<T>, MaterialError> {
    let read = |(index, item): (usize, &Vec<u8>)| {
        read(item).map_err(|error| MaterialError::Unreadable { reason: format!("{what} {index}: {error}") })
    };
    items.iter().enumerate().map(read).collect()
}
