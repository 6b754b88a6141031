//! The CSV as lines and fields, every field borrowed from the text, and the characters that must not stand in it.

use super::{
    glyph::{self, Hazard},
    table::{self, Record},
    violation::{self as rule, Violation},
};

/// A prescription has some ten lines for each drug at most; the longest known have under 200.
const MAX_LINES: usize = 2_000;
/// The widest record of the table has 12 fields.
const MAX_FIELDS: usize = 32;

/// One line after the header.
pub(super) struct Row<'a> {
    /// Line number, from 1 for the header.
    pub(super) line: u32,
    /// The record number, where it is a number at all.
    pub(super) number: Option<u16>,
    /// The record, where the table has it.
    pub(super) record: Option<&'static Record>,
    /// The whole line, without its end.
    pub(super) text: &'a str,
    /// Whether every character of the line shows as itself.
    pub(super) plain: bool,
    /// What follows the record number.
    pub(super) fields: Vec<&'a str>,
}

impl Row<'_> {
    /// A field's value; empty where the line ends before it.
    pub(super) fn field(&self, index: usize) -> &str {
        self.fields.get(index).copied().unwrap_or_default()
    }
}

/// Splits the CSV into rows, and reports what is wrong with its lines as such.
pub(super) fn read<'a>(csv: &'a str, violations: &mut Vec<Violation>) -> Vec<Row<'a>> {
    let csv = match csv.strip_prefix('\u{FEFF}') {
        Some(rest) => {
            violations.push(rule::BOM.at_line(1));
            rest
        }
        None => csv,
    };
    let body = csv.strip_suffix('\n').unwrap_or(csv);
    let mut rows = Vec::new();
    let mut crlf_reported = false;
    for (line, raw) in (1u32..).zip(body.split('\n')) {
        if line as usize > MAX_LINES {
            violations.push(rule::TOO_MANY_LINES.at_line(line));
            break;
        }
        let text = raw.strip_suffix('\r').unwrap_or(raw);
        if text.len() < raw.len() && !crlf_reported {
            violations.push(rule::CRLF.at_line(line));
            crlf_reported = true;
        }
        let plain = report_hazards(text, line, violations);
        if line == 1 {
            if text != "SJ1" {
                violations.push(rule::HEADER.at_line(line));
            }
        } else if text.is_empty() {
            violations.push(rule::EMPTY_LINE.at_line(line));
        } else {
            rows.push(row(text, line, plain, violations));
        }
    }
    rows
}

fn row<'a>(text: &'a str, line: u32, plain: bool, violations: &mut Vec<Violation>) -> Row<'a> {
    let mut parts = text.splitn(MAX_FIELDS + 1, ',');
    let number = parts.next().and_then(record_number);
    let mut fields = Vec::with_capacity(8);
    fields.extend(parts);
    // Only the last part of a line that was not split to its end holds a comma
    if fields.last().is_some_and(|last| last.contains(',')) {
        violations.push(rule::TOO_MANY_FIELDS.at_line(line));
    }
    if number.is_none() {
        violations.push(rule::RECORD_NUMBER.at_line(line));
    }
    Row { line, number, record: number.and_then(table::find), text, plain, fields }
}

/// A record number as the table writes it: no sign, no leading zero.
fn record_number(text: &str) -> Option<u16> {
    if text.starts_with('0') || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Reports each kind of hazard once in a line; whether there was none.
fn report_hazards(text: &str, line: u32, violations: &mut Vec<Violation>) -> bool {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return true;
    }
    let mut found = [false; Hazard::ALL.len()];
    for hazard in text.chars().filter_map(glyph::hazard) {
        for ((kind, rule), reported) in Hazard::ALL.iter().zip(&mut found) {
            if *kind == hazard && !*reported {
                *reported = true;
                violations.push(rule.at_line(line));
            }
        }
    }
    !found.contains(&true)
}

/// Text of a row as it may be displayed.
pub(super) fn visible(row: &Row<'_>, text: &str) -> String {
    if row.plain { text.to_owned() } else { glyph::visible(text) }
}
