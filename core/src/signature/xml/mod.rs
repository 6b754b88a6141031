//! Reading XML within bounds: UTF-8 only, no DTD. Every limit is checked in the one pass that reads, so that nothing
//! hostile costs more than reading it up to there, and nothing is read in two ways. What is not well-formed XML 1.0
//! with namespaces is refused. What comes out is a tree that keeps names and tags as they were written.

mod characters;
mod parse;
#[cfg(test)]
mod tests;
mod tree;

use std::borrow::Cow;

use memchr::memchr;

pub(super) use tree::{Attribute, Document, Name, Node, NodeId, NodeType};

/// Largest file read, in bytes. A prescription with its certificates, CRLs and timestamps stays below 2 MiB.
pub const MAX_BYTES: usize = 8 << 20;
/// Deepest nesting of elements. The deepest real file, a dispensing file with archive timestamps, has fewer than 20.
pub const MAX_DEPTH: usize = 64;
/// Most attributes on one element, namespace declarations included: parsers compare them pairwise.
pub const MAX_ATTRIBUTES: usize = 64;
/// Most elements, comments and processing instructions together.
pub const MAX_NODES: usize = 100_000;
/// Most namespace declarations in scope at one place: each element may have to be compared with all of them.
pub const MAX_NAMESPACES_IN_SCOPE: usize = 128;
/// Most namespace declarations in a file.
pub const MAX_NAMESPACES: usize = 4096;

/// Namespace of the prefix `xml` (Namespaces in XML 1.0 §3).
pub(super) const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Why bytes are not XML that this crate reads. Never holds content of the document.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
pub enum XmlError {
    /// Over [`MAX_BYTES`].
    #[error("the file is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// The bytes are not UTF-8.
    #[error("the file is not UTF-8")]
    NotUtf8,
    /// The XML declaration names another encoding than UTF-8, or another version than 1.0.
    #[error("the XML declaration is not version 1.0 with UTF-8")]
    Declaration,
    /// A document type declaration (entities, external references).
    #[error("the file has a document type declaration")]
    Dtd,
    /// Over [`MAX_DEPTH`].
    #[error("elements are nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// Over [`MAX_ATTRIBUTES`].
    #[error("an element has more than {MAX_ATTRIBUTES} attributes")]
    TooManyAttributes,
    /// Over [`MAX_NODES`].
    #[error("the file has more than {MAX_NODES} nodes")]
    TooManyNodes,
    /// Over [`MAX_NAMESPACES_IN_SCOPE`] or [`MAX_NAMESPACES`].
    #[error("the file declares too many namespaces")]
    TooManyNamespaces,
    /// Not well-formed XML with namespaces.
    #[error("the file is not well-formed XML (line {line})")]
    NotWellFormed {
        /// Line in the file, from 1, where the parser stopped.
        line: u32,
    },
    /// No element has the wanted id.
    #[error("no element has this id")]
    IdNotFound,
    /// More than one element has the wanted id.
    #[error("several elements have this id")]
    IdNotUnique,
}

/// Text without byte order mark and XML declaration, of characters that XML allows, line ends normalised
/// (XML 1.0 §2.11).
pub(super) struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, XmlError> {
        if bytes.len() > MAX_BYTES {
            return Err(XmlError::TooLarge);
        }
        let text = simdutf8::basic::from_utf8(bytes).map_err(|_| XmlError::NotUtf8)?;
        let text = without_declaration(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text))?;
        // Without an early exit the range is vectorised.
        let range = text.bytes().fold((b'~', b' '), |(low, high), byte| (low.min(byte), high.max(byte)));
        if matches!(range, (b' '.., ..=b'~')) {
            return Ok(Self(Cow::Borrowed(text)));
        }
        let text = match memchr(b'\r', text.as_bytes()) {
            Some(_) => Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")),
            None => Cow::Borrowed(text),
        };
        match characters::first_forbidden(&text) {
            Some(at) => Err(malformed(&text, at)),
            None => Ok(Self(text)),
        }
    }

    pub(super) fn parse(&self) -> Result<Document<'_>, XmlError> {
        parse::parse(&self.0)
    }
}

/// [`XmlError::NotWellFormed`] for what is at `at` in `text`.
fn malformed(text: &str, at: usize) -> XmlError {
    let lines = text.get(..at).unwrap_or_default().matches('\n').count();
    XmlError::NotWellFormed { line: u32::try_from(lines).unwrap_or(u32::MAX).saturating_add(1) }
}

impl<'t> Document<'t> {
    /// The one element whose `id`, `Id`, `ID` or `xml:id` is this.
    pub(super) fn element_by_id(&self, id: &str) -> Result<Node<'_, 't>, XmlError> {
        let mut found = self.descendants().filter(|node| ids(*node).any(|value| value == id));
        match (found.next(), found.next()) {
            (Some(node), None) => Ok(node),
            (None, _) => Err(XmlError::IdNotFound),
            _ => Err(XmlError::IdNotUnique),
        }
    }
}

/// The values of everything on an element that some reader may take for its id.
pub(super) fn ids<'d, 't>(element: Node<'d, 't>) -> impl Iterator<Item = &'d str> + use<'d, 't> {
    let is_id = |attribute: &Attribute| match attribute.namespace() {
        "" => attribute.name().local.eq_ignore_ascii_case("id"),
        namespace => namespace == XML_NAMESPACE && attribute.name().local == "id",
    };
    element.attributes().filter(is_id).map(|attribute| attribute.value())
}

/// What follows the start tag that `element` begins with.
pub(super) fn after_start_tag(element: &str) -> Option<&str> {
    let mut rest = element;
    loop {
        let (_, tail) = rest.split_at_checked(rest.find(['"', '\'', '>'])?)?;
        let quote = match tail.as_bytes().first()? {
            b'>' => return tail.get(1..),
            b'"' => '"',
            _ => '\'',
        };
        rest = tail.get(1..)?.split_once(quote)?.1;
    }
}

/// Takes the XML declaration off, after checking that it means what is read here.
fn without_declaration(text: &str) -> Result<&str, XmlError> {
    let Some(declaration) = text.strip_prefix("<?xml").filter(|rest| rest.starts_with(is_space)) else {
        return Ok(text);
    };
    let (declaration, rest) = declaration.split_once("?>").ok_or(XmlError::NotWellFormed { line: 1 })?;
    let (mut left, mut last) = (declaration, 0);
    while let Some((name, value)) = left.split_once('=') {
        let quote = value.chars().find(|c| !is_space(*c)).filter(|c| matches!(c, '"' | '\''));
        let value =
            quote.and_then(|quote| value.trim_start_matches(is_space).strip_prefix(quote)?.split_once(quote));
        let (value, after) = value.ok_or(XmlError::Declaration)?;
        let place = match name.strip_prefix(is_space).map(|name| name.trim_matches(is_space)) {
            Some("version") if value == "1.0" => 1,
            Some("encoding") if value.eq_ignore_ascii_case("UTF-8") => 2,
            Some("standalone") if matches!(value, "yes" | "no") => 3,
            _ => return Err(XmlError::Declaration),
        };
        if place <= last || (last == 0 && place != 1) {
            return Err(XmlError::Declaration);
        }
        (left, last) = (after, place);
    }
    let is_over = last > 0 && left.chars().all(is_space);
    if is_over { Ok(rest) } else { Err(XmlError::Declaration) }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}
