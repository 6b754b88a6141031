//! One pass over the markup before the parser runs: every limit is checked, long plain texts are set aside, and it is
//! noted where namespaces are declared. It follows the grammar exactly as far as the text is well-formed, and the parser
//! stops where it is not: so what holds here holds for the parser.

use memchr::{memchr, memchr2, memchr3};

use super::{
    Aside, LONG, MAX_ATTRIBUTES, MAX_DEPTH, MAX_NAMESPACES, MAX_NAMESPACES_IN_SCOPE, MAX_NODES, STAND_IN,
    XmlError, is_space,
};

/// What the pass finds.
#[derive(Default)]
pub(super) struct Scan {
    /// Where elements with namespace declarations start in what the parser will read, ascending.
    pub(super) declaring: Vec<usize>,
    pub(super) aside: Vec<Aside>,
    /// By how many bytes the stand-ins so far have shortened what the parser will read.
    pub(super) removed: usize,
    nodes: usize,
    namespaces: usize,
    /// For each open element, how many namespaces are in scope.
    open: Vec<usize>,
}

impl Scan {
    pub(super) fn run(text: &str) -> Result<Self, XmlError> {
        let mut scan = Self { open: Vec::with_capacity(MAX_DEPTH), ..Self::default() };
        let mut rest = text;
        let mut in_fresh_element = false;
        while let Some((before, markup)) = split_once(rest, b'<') {
            let start = text.len() - markup.len() - 1;
            if in_fresh_element && markup.starts_with('/') && before.len() >= LONG && is_plain(before) {
                scan.set_aside(start - before.len(), before.len());
            }
            in_fresh_element = false;
            let line = || XmlError::NotWellFormed { line: line_of(text, markup) };
            rest = match markup.as_bytes().first() {
                Some(b'/') => {
                    scan.open.pop();
                    let ends = split_once(markup, b'>').filter(|_| !markup.starts_with("/:"));
                    ends.ok_or_else(line)?.1
                }
                Some(b'!' | b'?') => scan.other(markup)?.ok_or_else(line)?,
                _ => {
                    scan.count()?;
                    let tag = StartTag::read(markup)?.ok_or_else(line)?;
                    scan.start(&tag, start - scan.removed)?;
                    in_fresh_element = !tag.is_empty;
                    tag.rest
                }
            };
        }
        Ok(scan)
    }

    fn set_aside(&mut self, start: usize, length: usize) {
        self.aside.push(Aside { at: start - self.removed, piece: start..start + length });
        self.removed += length - STAND_IN.len_utf8();
    }

    /// What follows a comment, a CDATA section or a processing instruction; `None` when it does not end.
    fn other<'a>(&mut self, markup: &'a str) -> Result<Option<&'a str>, XmlError> {
        let after = |body: &'a str, end: &str| body.split_once(end).map(|(_, rest)| rest);
        if let Some(comment) = markup.strip_prefix("!--") {
            self.count()?;
            return Ok(after(comment, "-->"));
        }
        if let Some(data) = markup.strip_prefix("![CDATA[") {
            return Ok(after(data, "]]>"));
        }
        let Some(instruction) = markup.strip_prefix('?') else { return Err(XmlError::Dtd) };
        self.count()?;
        let Some((instruction, rest)) = instruction.split_once("?>") else { return Ok(None) };
        let target = instruction.split(is_space).next().unwrap_or_default();
        // XML 1.0 §2.6: white space ends the name, which the parser does not insist on.
        let is_target = target.chars().all(is_name_char) && !target.eq_ignore_ascii_case("xml");
        Ok(is_target.then_some(rest))
    }

    fn count(&mut self) -> Result<(), XmlError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES { Err(XmlError::TooManyNodes) } else { Ok(()) }
    }

    fn start(&mut self, tag: &StartTag, at: usize) -> Result<(), XmlError> {
        let in_scope = self.open.last().copied().unwrap_or_default() + tag.namespaces;
        self.namespaces += tag.namespaces;
        if in_scope > MAX_NAMESPACES_IN_SCOPE || self.namespaces > MAX_NAMESPACES {
            return Err(XmlError::TooManyNamespaces);
        }
        if self.open.len() == MAX_DEPTH {
            return Err(XmlError::TooDeep);
        }
        if tag.namespaces > 0 {
            self.declaring.push(at);
        }
        if !tag.is_empty {
            self.open.push(in_scope);
        }
        Ok(())
    }
}

/// XML 1.0 §2.3, `NameChar`.
fn is_name_char(c: char) -> bool {
    match c {
        ':' | '_' | '-' | '.' | '\u{B7}' => true,
        '\u{0}'..='\u{7F}' => c.is_ascii_alphanumeric(),
        '\u{D7}' | '\u{F7}' | '\u{37E}' => false,
        '\u{C0}'..='\u{1FFF}'
        | '\u{200C}'
        | '\u{200D}'
        | '\u{203F}'
        | '\u{2040}'
        | '\u{2070}'..='\u{218F}' => true,
        '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' => true,
        '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}' => true,
        _ => false,
    }
}

/// Whether it is printable ASCII in which nothing is escaped: it stands for itself, in canonical form too. No `<` is in
/// it, where it ends.
fn is_plain(text: &str) -> bool {
    // Without an early exit the range is vectorised.
    let (low, high) = text.bytes().fold((b'~', b' '), |(low, high), byte| (low.min(byte), high.max(byte)));
    low >= b' ' && high <= b'~' && memchr2(b'&', b'>', text.as_bytes()).is_none()
}

fn line_of(text: &str, rest: &str) -> u32 {
    line_at(text, text.len() - rest.len())
}

/// The line, from 1, in which this byte of the text is.
pub(super) fn line_at(text: &str, at: usize) -> u32 {
    let before = text.get(..at).unwrap_or_default();
    u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX).saturating_add(1)
}

/// What stands before and after the first `byte`, which is ASCII.
fn split_once(text: &str, byte: u8) -> Option<(&str, &str)> {
    // One tag often follows another at once: no search is set up.
    let at = if text.as_bytes().first() == Some(&byte) { 0 } else { memchr(byte, text.as_bytes())? };
    text.get(..at).zip(text.get(at + 1..))
}

/// A start tag, read from behind its `<`.
pub(in crate::signature) struct StartTag<'a> {
    /// What follows the tag.
    pub(in crate::signature) rest: &'a str,
    is_empty: bool,
    namespaces: usize,
}

impl<'a> StartTag<'a> {
    /// `None` when the tag does not end. Refuses what the parser would misread: two default namespaces, an attribute
    /// `p:xmlns`, `xmlns:p=""`, and names that begin with a colon (Namespaces in XML 1.0 §4, §5).
    pub(in crate::signature) fn read(markup: &'a str) -> Result<Option<Self>, XmlError> {
        let (mut attributes, mut namespaces, mut has_default) = (0, 0, false);
        let mut rest = markup;
        if markup.starts_with(':') {
            return Ok(None);
        }
        loop {
            let stop = memchr3(b'"', b'\'', b'>', rest.as_bytes());
            let Some((head, tail)) = stop.and_then(|at| rest.split_at_checked(at)) else { return Ok(None) };
            if let Some(rest) = tail.strip_prefix('>') {
                return Ok(Some(Self { rest, is_empty: head.ends_with('/'), namespaces }));
            }
            attributes += 1;
            if attributes > MAX_ATTRIBUTES {
                return Err(XmlError::TooManyAttributes);
            }
            let quote = if tail.starts_with('"') { b'"' } else { b'\'' };
            let Some((value, after)) = tail.get(1..).and_then(|tail| split_once(tail, quote)) else {
                return Ok(None);
            };
            rest = after;
            match attribute_name(head) {
                "xmlns" if has_default => return Ok(None),
                "xmlns" => has_default = true,
                prefixed if prefixed.starts_with("xmlns:") && !value.is_empty() => {}
                odd if odd.starts_with("xmlns:") || odd.ends_with(":xmlns") => return Ok(None),
                odd if odd.starts_with(':') => return Ok(None),
                _ => continue,
            }
            namespaces += 1;
        }
    }
}

/// The last word of what stands before a value, without its `=`.
fn attribute_name(head: &str) -> &str {
    let is_space = |byte: &u8| is_space(char::from(*byte));
    let end = head.bytes().rposition(|byte| byte != b'=' && !is_space(&byte)).map_or(0, |at| at + 1);
    let name = head.get(..end).unwrap_or_default();
    let start = name.bytes().rposition(|byte| is_space(&byte)).map_or(0, |at| at + 1);
    name.get(start..).unwrap_or_default()
}
