//! Bytes → [`Prescription`]: the only thing that can be signed, and what the doctor is shown of it.
//!
//! In comes an unsigned e-prescription as clinics' systems make it: the XML envelope (EP.xsd), or the bare `SJ1` CSV,
//! which is wrapped in that envelope here. Out comes the exact envelope and the [`Preview`] derived from the same bytes.
//! Refused are files that merely look alike ([`LookAlike`]) and whatever breaks the record table of the e-prescription
//! (JAHIS 26-101 with the differences of 電子処方箋 記録条件仕様) in a way that blocks signing ([`Severity::Error`]);
//! the rest is listed as warnings, and nothing of the document is hidden from the doctor.

mod build;
mod check;
mod codes;
mod envelope;
mod glyph;
mod look_alike;
mod preview;
mod rules;
mod sheet;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod violation;

use std::{fmt, ops::Range, str};

use serde::Serialize;

pub(crate) use glyph::visible;
pub use look_alike::LookAlike;
pub use preview::{
    Burden, ClinicalNote, Coded, DateText, Department, Drug, DrugSupplement, Institution, Insurance,
    Narcotics, OtherLine, Patient, Prescriber, PrescriptionNumber, Preview, PublicExpense, Remark, Rp,
    SingleDose, Split, SplitQuantity, TestResult, Uneven, Usage, UsageSupplement, UseBy,
};
pub use text::Lang;
pub use violation::{Name, Severity, Violation};

use crate::certificate::Holder;
use envelope::Layout;

/// Largest file that is looked at, in bytes: a prescription of 100 drugs with all its supplements has 60 KB.
pub const MAX_DOCUMENT_BYTES: usize = 1 << 20;
/// Largest CSV, in bytes: in base64 it still fits [`MAX_DOCUMENT_BYTES`].
pub const MAX_CSV_BYTES: usize = 512 << 10;

/// An e-prescription that may be signed. It owns the immutable bytes; preview and digest both derive from them.
pub struct Prescription {
    envelope: Vec<u8>,
    layout: Layout,
    csv: String,
    preview: Preview,
    warnings: Vec<Violation>,
}

/// Why a file is not a prescription that can be signed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is something else, or in a form that nobody accepts.
    #[error("{0}")]
    LookAlike(LookAlike),
    /// It breaks the specification. All violations are listed, warnings included, in the order of lines.
    #[error("{} violations of the e-prescription's specification", .0.iter().filter(|v| v.blocks()).count())]
    Violations(Vec<Violation>),
}

impl Prescription {
    /// Reads an unsigned e-prescription: the XML envelope or the bare CSV, in UTF-8, up to [`MAX_DOCUMENT_BYTES`].
    ///
    /// # Errors
    /// [`Refusal::LookAlike`] where the file is something else; else [`Refusal::Violations`] with everything that is
    /// wrong, where something of it blocks signing.
    pub fn parse(bytes: &[u8]) -> Result<Prescription, Refusal> {
        let Reading { look_alike, source, csv, preview, violations } = read(bytes);
        if let Some(look_alike) = look_alike {
            return Err(Refusal::LookAlike(look_alike));
        }
        let blocked = violations.iter().any(Violation::blocks);
        let (Some(source), Some(csv), Some(preview), false) = (source, csv, preview, blocked) else {
            return Err(Refusal::Violations(violations));
        };
        let (envelope, layout) = match source {
            Source::Envelope(layout) => (bytes.to_vec(), layout),
            Source::Csv => envelope::wrap(&csv),
        };
        Ok(Prescription { envelope, layout, csv, preview, warnings: violations })
    }

    /// The envelope, without signature: exactly the bytes that were received, or, for a bare CSV, the envelope that
    /// the agent made around it.
    pub fn envelope(&self) -> &[u8] {
        &self.envelope
    }

    /// The same, giving up the prescription.
    pub fn into_envelope(self) -> Vec<u8> {
        self.envelope
    }

    /// The document that will be signed, decoded: UTF-8, lines ended by LF.
    pub fn csv(&self) -> &str {
        &self.csv
    }

    /// What the doctor is shown.
    pub fn preview(&self) -> &Preview {
        &self.preview
    }

    /// What the doctor is shown first: none of it blocks signing. In the order of lines.
    pub fn warnings(&self) -> &[Violation] {
        &self.warnings
    }

    /// Compares record 5's name in kanji with the certificate's holder, white space aside: a warning where they differ
    /// (maiden names and variant characters exist) or where the certificate has no name in kanji; else none.
    pub fn check_prescriber(&self, holder: &Holder) -> Option<Violation> {
        let letters = |name: &str| name.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        let rule = match &holder.name_kanji {
            Some(name) if letters(name) == letters(&self.preview.prescriber.name) => return None,
            Some(_) => violation::PRESCRIBER_DIFFERS,
            None => violation::PRESCRIBER_UNCHECKED,
        };
        let line = (1u32..).zip(self.csv.split('\n')).find(|(_, text)| text.starts_with("5,"))?.0;
        table::find(5).map(|record| rule.at_record(line, record))
    }

    /// Byte range of the element `PrescriptionDocument`, tags included, in the envelope.
    pub(crate) fn document_element_range(&self) -> Range<usize> {
        self.layout.document.clone()
    }

    /// Byte range of the envelope that the signed `PrescriptionSign` replaces: the empty element of that name, or the
    /// empty range before `</Prescription>`.
    pub(crate) fn signature_insertion(&self) -> Range<usize> {
        self.layout.signature.clone()
    }
}

impl fmt::Debug for Prescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prescription").field("bytes", &self.envelope.len()).finish_non_exhaustive()
    }
}

/// Everything that can be said about a file, signable or not.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// What the file is, where it is something else or in a form that nobody accepts.
    pub look_alike: Option<LookAlike>,
    /// What it says, wherever a prescription's CSV could be read at all.
    pub preview: Option<Preview>,
    /// What is wrong with it, in the order of lines; those without a line first.
    pub violations: Vec<Violation>,
}

impl Inspection {
    /// Whether [`Prescription::parse`] takes the file.
    pub fn is_signable(&self) -> bool {
        self.look_alike.is_none() && self.preview.is_some() && !self.violations.iter().any(Violation::blocks)
    }
}

/// Reads any file as far as it can be read.
pub fn inspect(bytes: &[u8]) -> Inspection {
    let Reading { look_alike, preview, violations, .. } = read(bytes);
    Inspection { look_alike, preview, violations }
}

/// Reads the CSV of a prescription, such as that inside a signed file whose signature was verified.
pub fn read_csv(csv: &str) -> (Preview, Vec<Violation>) {
    let mut violations = Vec::new();
    let preview = read_records(csv, &mut violations);
    violations.sort_by_key(|violation| violation.line);
    (preview, violations)
}

/// Where the CSV came from.
enum Source {
    Envelope(Layout),
    Csv,
}

#[derive(Default)]
struct Reading {
    look_alike: Option<LookAlike>,
    source: Option<Source>,
    csv: Option<String>,
    preview: Option<Preview>,
    violations: Vec<Violation>,
}

impl Reading {
    fn of(look_alike: LookAlike) -> Reading {
        Reading { look_alike: Some(look_alike), ..Reading::default() }
    }
}

fn read(bytes: &[u8]) -> Reading {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Reading::of(LookAlike::TooLarge);
    }
    let content = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Some(look_alike) = LookAlike::of_bytes(content) {
        return Reading::of(look_alike);
    }
    let Ok(text) = str::from_utf8(content) else {
        return Reading::of(LookAlike::of_other_encoding(content));
    };
    let mut reading = if text.trim_ascii_start().starts_with('<') {
        read_envelope(text)
    } else if text.starts_with("SJ") {
        let mut reading = Reading { source: Some(Source::Csv), ..Reading::default() };
        read_document(text.to_owned(), &mut reading);
        reading
    } else if text.trim_ascii_start().starts_with('{') && text.contains("\"resourceType\"") {
        Reading::of(LookAlike::Fhir)
    } else {
        Reading::of(LookAlike::Unknown)
    };
    if content.len() < bytes.len() {
        reading.look_alike.get_or_insert(LookAlike::Bom);
        reading.violations.push(violation::BOM.in_file());
    }
    reading.violations.sort_by_key(|violation| violation.line);
    reading
}

fn read_envelope(text: &str) -> Reading {
    let mut reading = Reading::default();
    let envelope::Reading { look_alike, layout, csv } = envelope::read(text, &mut reading.violations);
    reading.look_alike = look_alike;
    reading.source = layout.map(Source::Envelope);
    match csv.map(String::from_utf8) {
        Some(Ok(csv)) => read_document(csv, &mut reading),
        Some(Err(error)) => {
            let inner = LookAlike::of_bytes(error.as_bytes())
                .unwrap_or_else(|| LookAlike::of_other_encoding(error.as_bytes()));
            reading.look_alike.get_or_insert(inner);
        }
        None => {}
    }
    reading
}

/// Reads the decoded document, whether it came in an envelope or bare.
fn read_document(csv: String, reading: &mut Reading) {
    let text = csv.strip_prefix('\u{FEFF}').unwrap_or(&csv);
    let look_alike = if csv.len() > MAX_CSV_BYTES {
        Some(LookAlike::TooLarge)
    } else {
        LookAlike::of_bytes(text.as_bytes())
    };
    if let Some(look_alike) = look_alike {
        reading.look_alike.get_or_insert(look_alike);
        return;
    }
    reading.preview = Some(read_records(&csv, &mut reading.violations));
    let first_line = text.split(['\r', '\n', ',']).next().unwrap_or_default();
    let other_edition = |edition: &str| edition != "1" && edition.parse::<u8>().is_ok();
    let look_alike = if text.len() < csv.len() {
        Some(LookAlike::Bom)
    } else if first_line.strip_prefix("SJ").is_some_and(other_edition) {
        Some(LookAlike::WrongVersion)
    } else {
        (1u32..)
            .zip(csv.split('\n'))
            .find(|(_, line)| line.ends_with('\r'))
            .map(|(line, _)| LookAlike::Crlf { line })
    };
    reading.look_alike = reading.look_alike.or(look_alike);
    reading.csv = Some(csv);
}

fn read_records(csv: &str, violations: &mut Vec<Violation>) -> Preview {
    let rows = sheet::read(csv, violations);
    for row in &rows {
        check::row(row, violations);
    }
    let preview = build::preview(&rows, violations);
    rules::check(&rows, &preview, violations);
    preview
}
