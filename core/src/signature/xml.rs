//! Reading XML within bounds: UTF-8 only, no DTD, and every limit checked in one linear pass before the parser sees
//! the text, so that nothing hostile costs more than reading it once.

use std::{borrow::Cow, ops::Range};

use roxmltree::{Node, ParsingOptions};

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

/// Text that has passed the limits: without byte order mark and XML declaration, line ends normalised
/// (XML 1.0 §2.11).
///
/// The parser looks at text character by character. Long pieces of plain text (base64: nearly all of a prescription)
/// mean themselves, so they are set aside, and the parser reads the rest with [`STAND_IN`] in their places.
pub(super) struct Text<'a> {
    whole: Cow<'a, str>,
    /// What the parser reads, where that is not all.
    shortened: Option<String>,
    aside: Vec<Aside>,
    /// Where elements with namespace declarations start in what the parser reads, ascending.
    declaring: Vec<usize>,
}

/// A piece of text that was set aside: all that its element holds.
struct Aside {
    /// Where the stand-in is in what the parser reads.
    at: usize,
    /// Where the piece is in the text.
    piece: Range<usize>,
}

/// Stands where a piece was set aside.
const STAND_IN: char = '.';
/// Pieces below this length, in bytes, are not worth the trouble.
const LONG: usize = 256;

impl<'a> Text<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, XmlError> {
        if bytes.len() > MAX_BYTES {
            return Err(XmlError::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| XmlError::NotUtf8)?;
        let text = without_declaration(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text))?;
        // Without an early exit the check is vectorised.
        let text = if text.bytes().fold(0, |found, byte| found | u8::from(byte == b'\r')) != 0 {
            Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
        } else {
            Cow::Borrowed(text)
        };
        let Scan { declaring, aside, mut shortened, kept, .. } = Scan::default().run(&text)?;
        let shortened = (!aside.is_empty()).then(|| {
            shortened.push_str(text.get(kept..).unwrap_or_default());
            shortened
        });
        Ok(Self { whole: text, shortened, aside, declaring })
    }

    pub(super) fn parse(&self) -> Result<Document<'_>, XmlError> {
        let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
        let text = self.shortened.as_deref().unwrap_or(&self.whole);
        let tree = roxmltree::Document::parse_with_options(text, options)
            .map_err(|error| XmlError::NotWellFormed { line: error.pos().row })?;
        Ok(Document { text, tree, whole: &self.whole, aside: &self.aside, declaring: &self.declaring })
    }
}

/// A parsed document, with what the parser drops and canonical XML needs: prefixes, and where namespaces are declared.
pub(super) struct Document<'t> {
    /// What the parser has read.
    text: &'t str,
    tree: roxmltree::Document<'t>,
    whole: &'t str,
    aside: &'t [Aside],
    declaring: &'t [usize],
}

impl<'t> Document<'t> {
    pub(super) fn tree(&self) -> &roxmltree::Document<'t> {
        &self.tree
    }

    /// The content of a text node. The node itself knows only the stand-in of a long one.
    pub(super) fn text<'d>(&'d self, text: Node<'d, 't>) -> &'d str {
        let found = self.aside.binary_search_by_key(&text.range().start, |aside| aside.at);
        match found.ok().and_then(|at| self.aside.get(at)) {
            Some(aside) => self.whole.get(aside.piece.clone()).unwrap_or_default(),
            None => text.text().unwrap_or_default(),
        }
    }

    /// The text of an element that holds one piece of text and nothing else.
    pub(super) fn only_text<'d>(&'d self, element: Node<'d, 't>) -> Option<&'d str> {
        let only = element.first_child().filter(|child| child.is_text() && child.next_sibling().is_none());
        only.map(|text| self.text(text))
    }

    /// Whether the element itself declares a namespace.
    pub(super) fn declares_namespaces(&self, element: Node) -> bool {
        self.declaring.binary_search(&element.range().start).is_ok()
    }

    /// The element's prefix as written, empty when it has none.
    pub(super) fn element_prefix(&self, element: Node) -> &'t str {
        self.prefix_at(element.range().start.saturating_add(1))
    }

    /// The attribute's prefix as written, empty when it has none.
    pub(super) fn attribute_prefix(&self, attribute: &roxmltree::Attribute) -> &'t str {
        self.prefix_at(attribute.range().start)
    }

    fn prefix_at(&self, start: usize) -> &'t str {
        let rest = self.text.get(start..).unwrap_or_default();
        let end = |b: &u8| matches!(b, b':' | b'=' | b'>' | b'/' | b' ' | b'\t' | b'\n');
        match rest.bytes().position(|b| end(&b)).map(|at| rest.split_at(at)) {
            Some((prefix, after)) if after.starts_with(':') => prefix,
            _ => "",
        }
    }

    /// The one element whose `id`, `Id`, `ID` or `xml:id` is this.
    pub(super) fn element_by_id(&self, id: &str) -> Result<Node<'_, 't>, XmlError> {
        let mut found = self.tree.descendants().filter(|node| ids(*node).any(|value| value == id));
        match (found.next(), found.next()) {
            (Some(node), None) => Ok(node),
            (None, _) => Err(XmlError::IdNotFound),
            _ => Err(XmlError::IdNotUnique),
        }
    }
}

/// The values of everything on an element that some reader may take for its id.
pub(super) fn ids<'a, 't: 'a>(element: Node<'a, 't>) -> impl Iterator<Item = &'a str> {
    let is_id = |attribute: &roxmltree::Attribute| match attribute.namespace() {
        None => attribute.name().eq_ignore_ascii_case("id"),
        Some(namespace) => namespace == XML_NAMESPACE && attribute.name() == "id",
    };
    element.attributes().filter(is_id).map(|attribute| attribute.value())
}

/// Takes the XML declaration off, after checking that it means what is read here.
fn without_declaration(text: &str) -> Result<&str, XmlError> {
    let Some(declaration) = text.strip_prefix("<?xml").filter(|rest| rest.starts_with(is_space)) else {
        return Ok(text);
    };
    let (declaration, rest) = declaration.split_once("?>").ok_or(XmlError::NotWellFormed { line: 1 })?;
    let mut attributes = declaration.split(['"', '\'']);
    let mut has_version = false;
    while let (Some(name), Some(value)) = (attributes.next(), attributes.next()) {
        match name.trim_matches(|c| is_space(c) || c == '=') {
            "version" if value == "1.0" => has_version = true,
            "encoding" if value.eq_ignore_ascii_case("UTF-8") => {}
            "standalone" if matches!(value, "yes" | "no") => {}
            _ => return Err(XmlError::Declaration),
        }
    }
    if has_version { Ok(rest) } else { Err(XmlError::Declaration) }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// One pass over the markup. It follows the grammar exactly as far as the text is well-formed, and the parser stops
/// where it is not: so what holds here holds for the parser.
#[derive(Default)]
struct Scan {
    nodes: usize,
    namespaces: usize,
    /// For each open element, how many namespaces are in scope.
    open: Vec<usize>,
    declaring: Vec<usize>,
    aside: Vec<Aside>,
    /// What the parser will read, up to the last stand-in.
    shortened: String,
    /// Where the text that is not yet in `shortened` starts.
    kept: usize,
}

impl Scan {
    fn run(mut self, text: &str) -> Result<Self, XmlError> {
        let mut rest = text;
        let mut in_fresh_element = false;
        while let Some((before, markup)) = rest.split_once('<') {
            if in_fresh_element && markup.starts_with('/') && before.len() >= LONG && is_plain(before) {
                self.set_aside(text, text.len() - rest.len(), before.len());
            }
            in_fresh_element = false;
            let line = || XmlError::NotWellFormed { line: line_of(text, markup) };
            let after = |body: &'_ str, end: &str| body.find(end).map(|at| at + end.len());
            rest = if let Some(comment) = markup.strip_prefix("!--") {
                self.count()?;
                comment.get(after(comment, "-->").ok_or_else(line)?..)
            } else if let Some(data) = markup.strip_prefix("![CDATA[") {
                data.get(after(data, "]]>").ok_or_else(line)?..)
            } else if markup.starts_with('!') {
                return Err(XmlError::Dtd);
            } else if let Some(instruction) = markup.strip_prefix('?') {
                self.count()?;
                let target = instruction.split(|c| is_space(c) || c == '?').next().unwrap_or_default();
                if target.eq_ignore_ascii_case("xml") {
                    return Err(line());
                }
                instruction.get(after(instruction, "?>").ok_or_else(line)?..)
            } else if let Some(name) = markup.strip_prefix('/') {
                self.open.pop();
                // A name is short: no search for a text is set up.
                let end = name.bytes().position(|byte| byte == b'>').ok_or_else(line)?;
                name.get(end + 1..)
            } else {
                self.count()?;
                let tag = StartTag::read(markup)?.ok_or_else(line)?;
                // The stand-ins have shifted what the parser will read.
                let at = self.shortened.len() + (text.len() - markup.len() - 1 - self.kept);
                self.start(&tag, at)?;
                in_fresh_element = !tag.is_empty;
                Some(tag.rest)
            }
            .unwrap_or_default();
        }
        Ok(self)
    }

    fn set_aside(&mut self, text: &str, start: usize, length: usize) {
        self.shortened.push_str(text.get(self.kept..start).unwrap_or_default());
        self.aside.push(Aside { at: self.shortened.len(), piece: start..start + length });
        self.shortened.push(STAND_IN);
        self.kept = start + length;
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

/// Whether it is printable ASCII in which nothing is escaped or markup: it stands for itself, in canonical form too.
fn is_plain(text: &str) -> bool {
    let odd = |byte| !matches!(byte, b' '..=b'~') || matches!(byte, b'&' | b'<' | b'>');
    // Without an early exit the check is vectorised.
    !text.bytes().fold(false, |found, byte| found | odd(byte))
}

fn line_of(text: &str, rest: &str) -> u32 {
    let before = text.get(..text.len() - rest.len()).unwrap_or_default();
    u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX).saturating_add(1)
}

/// A start tag, read from behind its `<`.
pub(super) struct StartTag<'a> {
    /// What follows the tag.
    pub(super) rest: &'a str,
    is_empty: bool,
    namespaces: usize,
}

impl<'a> StartTag<'a> {
    /// `None` when the tag does not end. Refuses what the parser would misread: two default namespaces, an attribute
    /// `p:xmlns`, and `xmlns:p=""` (Namespaces in XML 1.0 §5).
    pub(super) fn read(markup: &'a str) -> Result<Option<Self>, XmlError> {
        let (mut attributes, mut namespaces, mut has_default) = (0, 0, false);
        let mut rest = markup;
        loop {
            let stop = rest.bytes().position(|b| matches!(b, b'"' | b'\'' | b'>'));
            let Some((head, tail)) = stop.and_then(|at| rest.split_at_checked(at)) else { return Ok(None) };
            if let Some(rest) = tail.strip_prefix('>') {
                return Ok(Some(Self { rest, is_empty: head.ends_with('/'), namespaces }));
            }
            attributes += 1;
            if attributes > MAX_ATTRIBUTES {
                return Err(XmlError::TooManyAttributes);
            }
            let quote = if tail.starts_with('"') { '"' } else { '\'' };
            let Some((value, after)) = tail.get(1..).and_then(|tail| tail.split_once(quote)) else {
                return Ok(None);
            };
            rest = after;
            let name = head.trim_end_matches(|c| is_space(c) || c == '=');
            match name.rsplit(is_space).next().unwrap_or_default() {
                "xmlns" if has_default => return Ok(None),
                "xmlns" => has_default = true,
                prefixed if prefixed.starts_with("xmlns:") && !value.is_empty() => {}
                odd if odd.starts_with("xmlns:") || odd.ends_with(":xmlns") => return Ok(None),
                _ => continue,
            }
            namespaces += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(xml: &str) -> Result<(), XmlError> {
        Text::read(xml.as_bytes())?.parse().map(|_| ())
    }

    #[test]
    fn nesting_attributes_nodes_and_namespaces_are_bounded_before_the_parser_runs() {
        assert_eq!(read(&"<a>".repeat(200_000)), Err(XmlError::TooDeep));
        let attributes = (0..50_000).map(|i| format!(" a{i}=''")).collect::<Vec<_>>().concat();
        assert_eq!(read(&format!("<a{attributes}/>")), Err(XmlError::TooManyAttributes));
        assert_eq!(read(&format!("<a>{}</a>", "<b/>".repeat(MAX_NODES))), Err(XmlError::TooManyNodes));
        let declarations = (0..60).map(|i| format!(" xmlns:p{i}='u'")).collect::<Vec<_>>().concat();
        let nested = format!("<a{declarations}>").repeat(3);
        assert_eq!(read(&nested), Err(XmlError::TooManyNamespaces));
        let flat = format!("<a>{}</a>", format!("<b{declarations}/>").repeat(100));
        assert_eq!(read(&flat), Err(XmlError::TooManyNamespaces));
        assert_eq!(read(&" ".repeat(MAX_BYTES + 1)), Err(XmlError::TooLarge));
    }

    #[test]
    fn a_quoted_angle_bracket_or_a_comment_does_not_hide_depth() {
        let deep = "<a>".repeat(MAX_DEPTH + 1);
        for start in ["<!-- > <a> -->", "<?p <a ?>", "<r a='>' b=\"'>\"/>"] {
            assert_eq!(read(&format!("{start}{deep}")), Err(XmlError::TooDeep));
        }
        assert_eq!(read(&format!("<a><![CDATA[ > <b> ' ]]>{deep}")), Err(XmlError::TooDeep));
    }

    #[test]
    fn other_encodings_versions_and_document_types_are_refused() {
        assert_eq!(read("<?xml version='1.0' encoding='Shift_JIS'?><a/>"), Err(XmlError::Declaration));
        assert_eq!(read("<?xml\nversion='1.0'\tencoding='UTF-16'?><a/>"), Err(XmlError::Declaration));
        assert_eq!(read("<?xml version='1.1'?><a/>"), Err(XmlError::Declaration));
        assert_eq!(read("<?xml encoding='UTF-8'?><a/>"), Err(XmlError::Declaration));
        assert_eq!(read("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), Err(XmlError::Dtd));
        assert_eq!(read("<a>&b;</a>"), Err(XmlError::NotWellFormed { line: 1 }));
        assert_eq!(Text::read(b"<a>\x82\xa0</a>").map(|_| ()), Err(XmlError::NotUtf8));
        assert_eq!(read("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\" standalone='yes' ?><a/>"), Ok(()));
    }

    #[test]
    fn what_the_parser_would_misread_is_refused() {
        for odd in [
            "<a xmlns='u' xmlns='v'/>",
            "<a xmlns:p='u' p:xmlns='v'/>",
            "<a xmlns:p='u'><b xmlns:p=''/></a>",
            "<a><?XML x?></a>",
            "<a b='c",
            "<a><!-- ",
            "",
        ] {
            assert!(matches!(read(odd), Err(XmlError::NotWellFormed { .. })), "{odd}");
        }
    }

    #[test]
    fn a_long_plain_text_is_the_same_whether_or_not_the_parser_sees_it() {
        for length in [LONG - 1, LONG, 3 * LONG] {
            let long = "QUJD".repeat(length).split_off(3 * length);
            for around in
                ["*", "**", "*<!--c-->", "&amp;*", "*\n", "<b/>*", "*]]&gt;", "<![CDATA[c]]>*", "ａ*"]
            {
                let content = around.replace('*', &long);
                let xml =
                    format!("<a xmlns='u'><c>{content}</c><p:d xmlns:p='v' p:e='f'>{content}</p:d></a>");
                let text = Text::read(xml.as_bytes()).unwrap();
                let document = text.parse().unwrap();
                let plain = roxmltree::Document::parse(&xml).unwrap();
                assert_eq!(
                    text.shortened.is_some(),
                    around.trim_matches('*').is_empty() && content.len() >= LONG
                );
                let texts = document.tree.descendants().filter(Node::is_text).map(|text| document.text(text));
                assert!(texts.eq(plain.descendants().filter(Node::is_text).filter_map(|text| text.text())));
                let last = document.tree.root_element().last_element_child().unwrap();
                assert!(document.declares_namespaces(last));
                assert_eq!(document.element_prefix(last), "p");
            }
        }
    }

    #[test]
    fn an_error_names_the_line_and_no_content() {
        let error = read("<a>\n<secret>\n</other></a>").unwrap_err();
        assert_eq!(error.to_string(), "the file is not well-formed XML (line 3)");
    }

    #[test]
    fn an_id_must_be_found_exactly_once_whatever_its_case() {
        let text = Text::read(b"<a id='x'><b Id='y'/><c ID='y'/></a>").unwrap();
        let document = text.parse().unwrap();
        assert_eq!(document.element_by_id("x").map(|n| n.tag_name().name().to_owned()), Ok("a".into()));
        assert_eq!(document.element_by_id("y").err(), Some(XmlError::IdNotUnique));
        assert_eq!(document.element_by_id("z").err(), Some(XmlError::IdNotFound));
    }
}
