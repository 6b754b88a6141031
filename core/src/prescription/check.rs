//! One record against the table: which fields it has, and what they are made of.

use time::{Date, Month};

use super::{
    codes::Code,
    sheet::Row,
    table::{Class, Field, Need, Record},
    violation::{self as rule, Rule, Violation},
};

/// No field of the table is longer than 300 characters; beyond this a screen would not show it whole.
const MAX_FIELD_CHARS: usize = 1_000;
/// An amount has 12 characters: 6 digits, a point, 5 digits.
const MAX_WHOLE_DIGITS: usize = 6;
const MAX_DECIMAL_DIGITS: usize = 5;
/// The Japanese calendar of births and issues begins with the Meiji era.
const FIRST_YEAR: i32 = 1868;

/// Checks every field of a row.
pub(super) fn row(row: &Row<'_>, violations: &mut Vec<Violation>) {
    let Some(record) = row.record else {
        if let Some(number) = row.number {
            violations.push(Violation { record: Some(number), ..rule::UNKNOWN_RECORD.at_line(row.line) });
        }
        if row.fields.iter().any(|value| value.chars().nth(MAX_FIELD_CHARS).is_some()) {
            violations.push(rule::FIELD_ABSURD.at_line(row.line));
        }
        return;
    };
    for (index, field) in record.fields.iter().enumerate() {
        check_field(row, record, field, row.field(index), violations);
    }
    let surplus = row.fields.get(record.fields.len()..).unwrap_or_default();
    if surplus.iter().any(|value| !value.is_empty()) {
        violations.push(rule::SURPLUS_FIELD.at_record(row.line, record));
    }
    if surplus.iter().any(|value| value.chars().nth(MAX_FIELD_CHARS).is_some()) {
        violations.push(rule::FIELD_ABSURD.at_record(row.line, record));
    }
    let mut one_of =
        record.fields.iter().enumerate().filter(|(_, field)| field.need == Need::OneOf).peekable();
    if one_of.peek().is_some() && one_of.all(|(index, _)| row.field(index).trim().is_empty()) {
        violations.push(rule::ONE_OF_MISSING.at_record(row.line, record));
    }
}

fn check_field(row: &Row<'_>, record: &Record, field: &Field, value: &str, violations: &mut Vec<Violation>) {
    let mut report = |rule: &Rule| violations.push(rule.at_field(row.line, record, field));
    if value.trim().is_empty() && field.need == Need::Required {
        return report(&rule::FIELD_MISSING);
    }
    if value.is_empty() {
        return;
    }
    if value.trim().len() < value.len() {
        report(&rule::EDGE_SPACE);
    }
    let length = value.chars().count();
    if length > MAX_FIELD_CHARS {
        return report(&rule::FIELD_ABSURD);
    }
    if length > field.max && field.class.is_counted() {
        report(&rule::FIELD_TOO_LONG);
    }
    if let Some(rule) = broken(field, value) {
        report(rule);
    }
}

/// What is wrong with the characters of a value: numbers, dates and codes must be readable wherever they stand, text of
/// another width is only remarked on.
fn broken(field: &Field, value: &str) -> Option<&'static Rule> {
    let (sound, rule) = match field.class {
        Class::Digits => (digits(value), &rule::NOT_DIGITS),
        Class::FixedDigits => (digits(value) && value.len() == field.max, &rule::WRONG_DIGITS),
        Class::Decimal => return broken_amount(value, false),
        Class::Amount => return broken_amount(value, true),
        Class::Date => (date(value).is_some(), &rule::BROKEN_DATE),
        Class::Code(list) | Class::OpenCode(list) => return unknown_code(field, list, value),
        Class::Any => return None,
        Class::Alphanumeric => {
            (value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), &rule::NOT_ALPHANUMERIC)
        }
        Class::Kana => {
            (value.chars().all(|c| matches!(c, ' '..='~' | '\u{FF61}'..='\u{FF9F}')), &rule::NOT_KANA)
        }
        Class::FullWidth => {
            (!value.chars().any(|c| matches!(c, ' '..='~' | '\u{FF61}'..='\u{FF9F}')), &rule::NOT_FULL_WIDTH)
        }
        Class::Phone => {
            (value.bytes().all(|b| b.is_ascii_digit() || b"-()+#*".contains(&b)), &rule::NOT_A_PHONE)
        }
        Class::Postal => (postal(value), &rule::NOT_A_POSTAL_CODE),
    };
    (!sound).then_some(rule)
}

fn unknown_code(field: &Field, list: &[Code], value: &str) -> Option<&'static Rule> {
    if list.iter().any(|known| known.code == value) {
        None
    } else if field.need == Need::Required && matches!(field.class, Class::Code(_)) {
        Some(&rule::UNKNOWN_CODE)
    } else {
        Some(&rule::UNFAMILIAR_CODE)
    }
}

fn broken_amount(value: &str, fraction_allowed: bool) -> Option<&'static Rule> {
    let nonzero = |text: &str| text.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    let (before, after) = value.split_once(['/', '.']).unwrap_or((value, "1"));
    let fraction = value.contains('/');
    if !digits(before) || !digits(after) || (fraction && !(fraction_allowed && nonzero(after))) {
        Some(&rule::BROKEN_NUMBER)
    } else if !nonzero(if fraction { before } else { value }) {
        Some(&rule::ZERO)
    } else if before.len() > MAX_WHOLE_DIGITS || after.len() > MAX_DECIMAL_DIGITS {
        Some(&rule::FIELD_TOO_LONG)
    } else {
        None
    }
}

fn digits(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
}

fn postal(value: &str) -> bool {
    value
        .split_once('-')
        .is_some_and(|(area, rest)| area.len() == 3 && rest.len() == 4 && digits(area) && digits(rest))
}

/// A real date, written YYYYMMDD.
pub(super) fn date(value: &str) -> Option<Date> {
    if value.len() != 8 || !digits(value) {
        return None;
    }
    let year = value.get(..4)?.parse().ok().filter(|year| *year >= FIRST_YEAR)?;
    let month: u8 = value.get(4..6)?.parse().ok()?;
    let day = value.get(6..)?.parse().ok()?;
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
}
