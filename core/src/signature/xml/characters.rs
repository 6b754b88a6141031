//! Which characters XML 1.0 allows where (§2.2, §2.3), and what references stand for (§4.1).

use std::borrow::Cow;

use memchr::memchr;

/// Where the first character is that no document may hold, in text whose line ends are normalised (§2.2).
pub(super) fn first_forbidden(text: &str) -> Option<usize> {
    let control = text.bytes().position(|byte| byte < b' ' && !matches!(byte, b'\t' | b'\n'));
    control.or_else(|| text.find('\u{fffe}')).or_else(|| text.find('\u{ffff}'))
}

/// Char (§2.2).
fn is_char(c: char) -> bool {
    !matches!(c, '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}') || matches!(c, '\t' | '\n' | '\r')
}

/// NameStartChar (§2.3), without the colon.
pub(super) fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}'
        | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}'
        | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

/// NameChar (§2.3), without the colon.
pub(super) fn is_name(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// The NCName that `text` begins with (Namespaces in XML 1.0 §3).
pub(super) fn nc_name(text: &str) -> Option<&str> {
    let is_ascii_name =
        |byte: &u8| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_');
    let ascii = text.bytes().position(|byte| !is_ascii_name(&byte)).unwrap_or(text.len());
    let end = match text.as_bytes().get(ascii) {
        Some(0x80..) => text.find(|c| !is_name(c)).unwrap_or(text.len()),
        _ => ascii,
    };
    text.get(..end).filter(|name| name.starts_with(is_name_start))
}

/// Whether the value of an attribute stands for itself and is written as it is, between quotation marks, in canonical form.
pub(super) fn is_plain_value(value: &str) -> bool {
    // Without an early exit the check is vectorised.
    !value.bytes().fold(false, |found, byte| found | matches!(byte, b'&' | b'"' | b'\t' | b'\n'))
}

/// Text with references replaced; `None` where one is not of a character or of a predefined entity.
pub(super) fn expand(text: &str) -> Option<Cow<'_, str>> {
    if memchr(b'&', text.as_bytes()).is_none() {
        return Some(Cow::Borrowed(text));
    }
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, reference)) = rest.split_once('&') {
        let (name, after) = reference.split_once(';')?;
        expanded.push_str(before);
        expanded.push(referenced(name)?);
        rest = after;
    }
    expanded.push_str(rest);
    Some(Cow::Owned(expanded))
}

/// The value of an attribute, normalised (§3.3.3): white space that is not referred to becomes a space.
pub(super) fn expand_value(value: &str) -> Option<Cow<'_, str>> {
    let mut expanded = String::with_capacity(value.len());
    let mut rest = value;
    loop {
        let (before, reference) = rest.split_once('&').map_or((rest, None), |(b, r)| (b, Some(r)));
        expanded.extend(before.chars().map(|c| if matches!(c, '\t' | '\n') { ' ' } else { c }));
        let Some(reference) = reference else { return Some(Cow::Owned(expanded)) };
        let (name, after) = reference.split_once(';')?;
        expanded.push(referenced(name)?);
        rest = after;
    }
}

/// CharRef or EntityRef without `&` and `;` (§4.1, §4.6).
fn referenced(name: &str) -> Option<char> {
    let code = |digits: &str, radix| {
        let is_number = digits.chars().all(|c| c.is_digit(radix));
        let code = u32::from_str_radix(digits, radix).ok().filter(|_| is_number)?;
        char::from_u32(code).filter(|c| is_char(*c))
    };
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => match name.strip_prefix("#x") {
            Some(digits) => code(digits, 16),
            None => code(name.strip_prefix('#')?, 10),
        },
    }
}
