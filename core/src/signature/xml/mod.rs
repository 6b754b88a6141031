//! Reading XML within bounds: UTF-8 only, no DTD, and every limit checked in one linear pass before the parser sees
//! the text, so that nothing hostile costs more than reading it once.

mod scan;

use std::{borrow::Cow, ops::Range};

use memchr::memchr2;
use roxmltree::{Node, ParsingOptions};

use scan::Scan;
pub(super) use scan::StartTag;

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
        let text = simdutf8::basic::from_utf8(bytes).map_err(|_| XmlError::NotUtf8)?;
        let text = without_declaration(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text))?;
        if text.starts_with(BYTE_ORDER_MARK) {
            return Err(XmlError::NotWellFormed { line: 1 }); // the parser would take off a second one
        }
        let text = match memchr2(b'\r', b'&', text.as_bytes()) {
            Some(_) => {
                check_references(text)?;
                Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
            }
            None => Cow::Borrowed(text),
        };
        let Scan { declaring, aside, removed, .. } = Scan::run(&text)?;
        let shortened = (!aside.is_empty()).then(|| shortened(&text, &aside, text.len() - removed));
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

/// A name as written.
#[derive(Clone, Copy)]
pub(super) struct Name<'t> {
    /// Empty when it has none.
    pub(super) prefix: &'t str,
    /// With its prefix.
    pub(super) qualified: &'t str,
}

impl<'t> Document<'t> {
    pub(super) fn tree(&self) -> &roxmltree::Document<'t> {
        &self.tree
    }

    /// The content of a text node. The node itself knows only the stand-in of a long one.
    pub(super) fn text<'d>(&'d self, text: Node<'d, 't>) -> &'d str {
        self.plain_text(text).or_else(|| text.text()).unwrap_or_default()
    }

    /// The content of a text node that was set aside: its canonical form is itself.
    pub(super) fn plain_text(&self, text: Node) -> Option<&'t str> {
        let found = self.aside.binary_search_by_key(&text.range().start, |aside| aside.at);
        let aside = found.ok().and_then(|at| self.aside.get(at))?;
        self.whole.get(aside.piece.clone())
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

    /// The element's name as written.
    pub(super) fn element_name(&self, element: Node) -> Name<'t> {
        self.name_at(element.range().start.saturating_add(1), element.tag_name().name())
    }

    /// The attribute's name as written.
    pub(super) fn attribute_name(&self, attribute: &roxmltree::Attribute) -> Name<'t> {
        self.name_at(attribute.range().start, attribute.name())
    }

    /// The attribute named `name`, with the space before it, if it is written ` name="value"`: then the value is what
    /// stands between the quotes, with references and white space as they were.
    pub(super) fn plainly_written(
        &self,
        attribute: &roxmltree::Attribute,
        name: Name,
    ) -> Option<(&'t str, &'t str)> {
        let Range { start, end } = attribute.range();
        let written = self.text.get(start.checked_sub(1)?..end)?;
        let value = written.strip_prefix(' ')?.get(name.qualified.len()..)?.strip_prefix("=\"")?;
        value.strip_suffix('"').map(|value| (written, value))
    }

    /// The element's end tag, if it has one that is written `</name>`.
    pub(super) fn end_tag(&self, element: Node, name: Name) -> Option<&'t str> {
        let end = element.range().end;
        let tag = self.text.get(end.checked_sub("</>".len() + name.qualified.len())?..end)?;
        // A tag has no other `<`.
        tag.starts_with("</").then_some(tag)
    }

    /// The name at `start`, of which the parser has kept the local part.
    fn name_at(&self, start: usize, local: &str) -> Name<'t> {
        let name = self.text.get(start..).unwrap_or_default();
        // Were there a prefix, this place would be inside the name.
        let ends = |byte| matches!(byte, b'=' | b'>' | b'/' | b' ' | b'\t' | b'\n');
        if name.as_bytes().get(local.len()).is_some_and(|byte| ends(*byte)) {
            return Name { prefix: "", qualified: name.get(..local.len()).unwrap_or_default() };
        }
        let prefix = name.bytes().position(|byte| byte == b':').unwrap_or_default();
        Name {
            prefix: name.get(..prefix).unwrap_or_default(),
            qualified: name.get(..prefix + 1 + local.len()).unwrap_or_default(),
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

/// Refuses references to what is no character, for which the parser would put U+FFFD (XML 1.0 §4.1).
fn check_references(text: &str) -> Result<(), XmlError> {
    for (at, start) in text.match_indices("&#") {
        let number = text.get(at + start.len()..).and_then(|rest| rest.split(';').next()).unwrap_or_default();
        let number = match number.strip_prefix('x') {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        if number.is_ok_and(|number| char::from_u32(number).is_none()) {
            return Err(XmlError::NotWellFormed { line: scan::line_at(text, at) });
        }
    }
    Ok(())
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// What the parser reads: a stand-in in place of each piece; `length` bytes.
fn shortened(text: &str, aside: &[Aside], length: usize) -> String {
    let mut shortened = String::with_capacity(length);
    let mut kept = 0;
    for Aside { piece, .. } in aside {
        shortened.push_str(text.get(kept..piece.start).unwrap_or_default());
        shortened.push(STAND_IN);
        kept = piece.end;
    }
    shortened.push_str(text.get(kept..).unwrap_or_default());
    shortened
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
    fn a_second_byte_order_mark_is_refused() {
        assert_eq!(read("\u{feff}<?xml version='1.0'?><a/>"), Ok(()));
        for xml in ["\u{feff}\u{feff}<a/>", "<?xml version='1.0'?>\u{feff}<a/>"] {
            assert_eq!(read(xml), Err(XmlError::NotWellFormed { line: 1 }));
        }
    }

    #[test]
    fn names_that_begin_with_a_colon_are_refused() {
        for xml in ["<:a></a>", "<a></:a>", "<:a/>", "<a :b=''/>", "<a b='' :c=''/>", "<a :id='x' b=''/>"] {
            assert_eq!(read(xml), Err(XmlError::NotWellFormed { line: 1 }), "{xml}");
        }
        assert_eq!(read("<p:a xmlns:p='u' p:b=':'>:</p:a>"), Ok(()));
    }

    #[test]
    fn a_reference_to_what_is_no_character_is_refused() {
        for reference in
            ["&#xD800;", "&#57343;", "&#x110000;", "&#99999999999;", "&#x;", "&#;", "&#+9;", "&#x9"]
        {
            let refused = Err(XmlError::NotWellFormed { line: 2 });
            assert_eq!(read(&format!("<a>\n{reference}</a>")), refused, "{reference}");
            assert_eq!(read(&format!("<a>\n<b c='{reference}'/></a>")), refused, "{reference}");
        }
        assert_eq!(read("<a b='&#x9;&amp;'>&#x1F48A;&#38;</a>"), Ok(()));
    }

    #[test]
    fn a_declaration_has_its_parts_in_order_and_apart() {
        for (declaration, is_one) in [
            ("version='1.0'", true),
            ("version = \"1.0\"\tencoding='utf-8' standalone='no' ", true),
            ("version='1.0'encoding='UTF-8'", false),
            ("encoding='UTF-8' version='1.0'", false),
            ("version='1.0' version='1.0'", false),
            ("version=='1.0'", false),
            ("version '1.0'", false),
            ("version='1.0\"", false),
            ("version='1.0' x", false),
            ("version=1.0", false),
        ] {
            assert_eq!(read(&format!("<?xml {declaration}?><a/>")).is_ok(), is_one, "{declaration}");
        }
    }

    #[test]
    fn an_instruction_whose_name_does_not_end_is_refused() {
        for (instruction, is_one) in [
            ("<?p?>", true),
            ("<?p\td?>", true),
            ("<?処方-1 ?d?>", true),
            ("<?p&lt;d?>", false),
            ("<?p?d?>", false),
            ("<?p×?>", false),
            ("<?XML ?>", false),
            ("<?p", false),
        ] {
            assert_eq!(read(&format!("<a>{instruction}</a>")).is_ok(), is_one, "{instruction}");
        }
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
                assert_eq!(document.element_name(last).qualified, "p:d");
                assert_eq!(document.element_name(last).prefix, "p");
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
