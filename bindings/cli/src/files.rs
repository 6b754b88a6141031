//! `inspect` and `verify`: a file and nothing else, no phone.

use std::{
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use hpki_agent::{
    certificate::{Certificate, Crl},
    prescription::{self, Inspection, Lang, Violation},
    signature::{self, Reason, Report, Trust, Verdict},
};
use serde::Serialize;
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Files are read up to this size, so that a wrong path cannot exhaust memory: far above any prescription with all its
/// timestamps and revocation data (the core refuses well below it).
const MAX_FILE: u64 = 64 << 20;

#[derive(Args)]
pub(crate) struct InspectArgs {
    /// The envelope (XML) or the bare CSV.
    file: PathBuf,
    /// Print the inspection as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct VerifyArgs {
    /// The signed file.
    file: PathBuf,
    /// Trusted root, DER or PEM; may be repeated.
    #[arg(long)]
    root: Vec<PathBuf>,
    /// Trusted root of time-stamp authorities, DER or PEM; may be repeated.
    #[arg(long)]
    tsa_root: Vec<PathBuf>,
    /// Certificate of an intermediate CA, DER or PEM; may be repeated.
    #[arg(long)]
    ca: Vec<PathBuf>,
    /// Revocation list, DER or PEM; may be repeated.
    #[arg(long)]
    crl: Vec<PathBuf>,
    /// Time of validation, RFC 3339 [default: now].
    #[arg(long)]
    at: Option<String>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn inspect(args: &InspectArgs) -> ExitCode {
    let bytes = match read(&args.file) {
        Ok(bytes) => bytes,
        Err(error) => return usage(&error),
    };
    let inspection = prescription::inspect(&bytes);
    if args.json {
        print_json(&inspection);
    } else {
        print_inspection(&inspection);
    }
    if inspection.is_signable() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A violation as one line, in both languages.
pub(crate) fn told(violation: &Violation) -> String {
    let severity = if violation.blocks() { "エラー / error" } else { "注意 / warning" };
    format!("[{severity}] {} / {}", violation.message_ja, violation.message_en)
}

fn print_inspection(inspection: &Inspection) {
    if let Some(look_alike) = &inspection.look_alike {
        out!("{} / {}", look_alike.message_ja(), look_alike.message_en());
    }
    for violation in &inspection.violations {
        out!("{}", told(violation));
    }
    if let Some(preview) = &inspection.preview {
        out!("{}", preview.to_text(Lang::Ja));
    }
    out!("{}", if inspection.is_signable() { "署名可 / signable" } else { "署名不可 / not signable" });
}

pub(crate) fn verify(args: &VerifyArgs) -> ExitCode {
    match verification(args) {
        Err(error) => usage(&error),
        Ok(report) => {
            if args.json {
                print_json(&report);
            } else {
                print_report(&report);
            }
            match report.verdict {
                Verdict::Valid => ExitCode::SUCCESS,
                Verdict::Invalid => ExitCode::FAILURE,
                Verdict::Indeterminate => ExitCode::from(3),
            }
        }
    }
}

fn verification(args: &VerifyArgs) -> Result<Report, String> {
    let file = read(&args.file)?;
    let certificates = |paths: &[PathBuf]| -> Result<Vec<Certificate>, String> {
        paths.iter().map(|p| Certificate::from_pem_or_der(&read(p)?).map_err(|e| named(p, e))).collect()
    };
    let roots = certificates(&args.root)?;
    let timestamp_roots = certificates(&args.tsa_root)?;
    let intermediates = certificates(&args.ca)?;
    let crls: Result<Vec<Crl>, String> =
        args.crl.iter().map(|p| Crl::from_pem_or_der(&read(p)?).map_err(|e| named(p, e))).collect();
    let at = match &args.at {
        Some(text) => OffsetDateTime::parse(text, &Rfc3339).map_err(|e| format!("--at {text}: {e}"))?,
        None => OffsetDateTime::now_utc(),
    };
    let prescriber_roles = prescriber_roles();
    let trust = Trust {
        roots: &roots,
        timestamp_roots: &timestamp_roots,
        intermediates: &intermediates,
        crls: &crls?,
        prescriber_roles: &prescriber_roles,
        at,
    };
    Ok(signature::verify(&file, &trust))
}

/// Who may prescribe in Japan: 医師 and 歯科医師, as hcRole texts.
pub(crate) fn prescriber_roles() -> [String; 2] {
    ["Medical Doctor".to_owned(), "Dentist".to_owned()]
}

fn print_report(report: &Report) {
    out!("{}", word(&report.verdict));
    for signature in &report.signatures {
        let (signer, role) =
            (signature.signer.as_deref().unwrap_or("?"), signature.role.as_deref().unwrap_or("?"));
        let level = word(&signature.level);
        out!("  {} {level}: {signer} ({role})", word(&signature.covers));
        signature.reasons.iter().for_each(print_reason);
    }
    report.reasons.iter().for_each(print_reason);
}

fn print_reason(reason: &Reason) {
    out!("    [{}] {} / {}", reason.code, reason.text_ja, reason.text_en);
}

/// The word that JSON has for a unit variant.
fn word(value: &impl Serialize) -> String {
    json!(value).as_str().unwrap_or_default().to_owned()
}

/// One line, members in the order of the type.
fn print_json(value: &impl Serialize) {
    match serde_json::to_string(value) {
        Ok(line) => out!("{line}"),
        Err(error) => eprintln!("{error}"),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|e| named(path, e))?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|e| named(path, e))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(named(path, format!("larger than {MAX_FILE} bytes")));
    }
    Ok(bytes)
}

fn named(path: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

fn usage(error: &str) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(2)
}
