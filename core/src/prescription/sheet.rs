//! The CSV as lines and fields, every field borrowed from the text, and the characters that must not stand in it.

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
        report_hazards(text, line, violations);
        if line == 1 {
            if text != "SJ1" {
                violations.push(rule::HEADER.at_line(line));
            }
        } else if text.is_empty() {
            violations.push(rule::EMPTY_LINE.at_line(line));
        } else {
            rows.push(row(text, line, violations));
        }
    }
    rows
}

fn row<'a>(text: &'a str, line: u32, violations: &mut Vec<Violation>) -> Row<'a> {
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
    Row { line, number, record: number.and_then(table::find), text, fields }
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
    match c {
        // What nearly every character is: ASCII, half-width kana and full-width forms, CJK
        ' '..='~'
        | '\u{3000}'..='\u{3029}'
        | '\u{3030}'..='\u{3098}'
        | '\u{309B}'..='\u{3130}'
        | '\u{3400}'..='\u{9FFF}' => None,
        '\u{FF01}'..='\u{FF9F}' => None,
        '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}' => Some(Hazard::Control),
        '\u{AD}'
        | '\u{61C}'
        | '\u{115F}'
        | '\u{1160}'
        | '\u{17B4}'
        | '\u{17B5}'
        | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}'
        | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{FEFF}'
        | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFF}'
        | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E00FF}'
        | '\u{E01F0}'..='\u{E0FFF}' => Some(Hazard::Invisible),
        // Right-to-left letters change the order in which their neighbours are displayed
        '\u{590}'..='\u{8FF}'
        | '\u{FB1D}'..='\u{FDFF}'
        | '\u{FE70}'..='\u{FEFE}'
        | '\u{10800}'..='\u{10FFF}'
        | '\u{1E800}'..='\u{1EFFF}' => Some(Hazard::Invisible),
        '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}' => Some(Hazard::Gaiji),
        '\u{300}'..='\u{36F}'
        | '\u{483}'..='\u{489}'
        | '\u{1AB0}'..='\u{1AFF}'
        | '\u{1DC0}'..='\u{1DFF}'
        | '\u{20D0}'..='\u{20FF}'
        | '\u{302A}'..='\u{302F}'
        | '\u{3099}'
        | '\u{309A}'
        | '\u{FE20}'..='\u{FE2F}' => Some(Hazard::Combining),
        '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' => Some(Hazard::Variant),
        _ => None,
    }
}

fn report_hazards(text: &str, line: u32, violations: &mut Vec<Violation>) {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return;
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
}

/// The text as it may be displayed: characters that would not show, or would change how others show, stand as `⟦U+XXXX⟧`.
/// A prescription that may be signed has none, so this changes nothing in it.
pub(super) fn visible(text: &str) -> String {
    let hides = |c: char| hazard(c).is_some_and(|kind| kind != Hazard::Variant);
    if !text.chars().any(hides) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hides(c) {
            out.push_str(&format!("⟦U+{:04X}⟧", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}
