//! The CSV as lines and fields, every field borrowed from the text, and the characters that must not stand in it.

use std::fmt::Write;

use super::{
    table::{self, Record},
    violation::{self as rule, Rule, Violation},
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
    if fields.len() == MAX_FIELDS && fields.last().is_some_and(|last| last.contains(',')) {
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

/// A character because of which the display could differ from the bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hazard {
    Control,
    Invisible,
    Gaiji,
    Combining,
    Variant,
}

impl Hazard {
    const ALL: [(Hazard, &'static Rule); 5] = [
        (Hazard::Control, &rule::CONTROL),
        (Hazard::Invisible, &rule::INVISIBLE),
        (Hazard::Gaiji, &rule::GAIJI),
        (Hazard::Combining, &rule::COMBINING),
        (Hazard::Variant, &rule::VARIANT),
    ];
}

fn hazard(c: char) -> Option<Hazard> {
    // What nearly every character is: ASCII, CJK, full-width forms and half-width kana
    if matches!(c, ' '..='~' | '\u{3000}'..='\u{3029}' | '\u{3030}'..='\u{3098}' | '\u{309B}'..='\u{3130}')
        || matches!(c, '\u{3400}'..='\u{9FFF}' | '\u{FF01}'..='\u{FF9F}')
    {
        return None;
    }
    match u32::from(c) {
        0..=0x1F | 0x7F..=0x9F => Some(Hazard::Control),
        // Default-ignorable code points, fillers, line separators, bidi controls, specials
        0xAD | 0x61C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F | 0x2028..=0x202E
        | 0x2060..=0x206F | 0x2800 | 0x3164 | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFF | 0x1_BCA0..=0x1_BCA3
        | 0x1_D173..=0x1_D17A | 0xE_0000..=0xE_00FF | 0xE_01F0..=0xE_0FFF
        // Right-to-left letters change the order in which their neighbours are displayed
        | 0x590..=0x8FF | 0xFB1D..=0xFDFF | 0xFE70..=0xFEFE | 0x1_0800..=0x1_0FFF | 0x1_E800..=0x1_EFFF => {
            Some(Hazard::Invisible)
        }
        0xE000..=0xF8FF | 0xF_0000.. => Some(Hazard::Gaiji),
        0x300..=0x36F | 0x483..=0x489 | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0x302A..=0x302F
        | 0x3099 | 0x309A | 0xFE20..=0xFE2F => Some(Hazard::Combining),
        0xFE00..=0xFE0F | 0xE_0100..=0xE_01EF => Some(Hazard::Variant),
        _ => None,
    }
}

/// Reports each kind of hazard once in a line; whether there was none.
fn report_hazards(text: &str, line: u32, violations: &mut Vec<Violation>) -> bool {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return true;
    }
    let mut found = [false; Hazard::ALL.len()];
    for hazard in text.chars().filter_map(hazard) {
        for ((kind, rule), reported) in Hazard::ALL.iter().zip(&mut found) {
            if *kind == hazard && !*reported {
                *reported = true;
                violations.push(rule.at_line(line));
            }
        }
    }
    !found.contains(&true)
}

/// Text of a row as it may be displayed: characters that would not show, or would change how others show, stand as
/// `⟦U+XXXX⟧`. A prescription that may be signed has none, so this changes nothing in it.
pub(super) fn visible(row: &Row<'_>, text: &str) -> String {
    if row.plain {
        return text.to_owned();
    }
    let hides = |c: char| hazard(c).is_some_and(|kind| kind != Hazard::Variant);
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hides(c) {
            let _ = write!(out, "⟦U+{:04X}⟧", u32::from(c)); // writing to a String cannot fail
        } else {
            out.push(c);
        }
    }
    out
}
