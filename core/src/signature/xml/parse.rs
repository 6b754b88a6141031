//! From text to a [`Document`], in one pass that checks every limit as it goes: XML 1.0 without document type
//! declarations, and Namespaces in XML 1.0. Nothing is looked at twice, and nothing calls itself.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::{
    MAX_ATTRIBUTES, MAX_DEPTH, MAX_NAMESPACES, MAX_NAMESPACES_IN_SCOPE, MAX_NODES, XML_NAMESPACE, XmlError,
    characters, malformed,
    tree::{
        AttributeData, Document, ElementData, Kind, NO_NAMESPACE, Name, Namespace, NodeData, PREDEFINED, XML,
    },
};

/// Namespace of declarations of namespaces, which nothing may be bound to (Namespaces in XML 1.0 §3).
const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";
/// Room that is made for nodes at first: a signed prescription has some 60.
const USUAL_NODES: usize = 80;
/// See [`USUAL_NODES`]; some 30.
const USUAL_ATTRIBUTES: usize = 40;
/// See [`USUAL_NODES`].
const USUAL_NAMESPACES: usize = 8;

/// Parses text whose line ends are normalised and whose characters are all those of XML.
pub(super) fn parse(text: &str) -> Result<Document<'_>, XmlError> {
    let mut parser = Parser::new(text);
    while parser.at < text.len() {
        if !parser.step()? {
            return Err(malformed(text, parser.at));
        }
    }
    parser.finish()
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    document: Document<'t>,
    /// The innermost element that is open, or the document node.
    parent: usize,
    depth: usize,
    has_root: bool,
    /// Elements, comments and instructions.
    counted: usize,
    /// The declarations in scope, innermost last.
    in_scope: Vec<usize>,
}

/// What is well-formed; `None` stops the parser where it stands.
type Parsed<T> = Result<Option<T>, XmlError>;

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Self {
        let mut document = Document {
            root: NodeData { kind: Kind::Document, parent: 0, end: 1 },
            nodes: Vec::with_capacity(USUAL_NODES),
            attributes: Vec::with_capacity(USUAL_ATTRIBUTES),
            namespaces: Vec::with_capacity(USUAL_NAMESPACES),
        };
        document.namespaces.push(Namespace { prefix: "", uri: Cow::Borrowed("") });
        document.namespaces.push(Namespace { prefix: "xml", uri: Cow::Borrowed(XML_NAMESPACE) });
        Self {
            text,
            at: 0,
            document,
            parent: 0,
            depth: 0,
            has_root: false,
            counted: 0,
            in_scope: Vec::with_capacity(USUAL_NAMESPACES),
        }
    }

    fn finish(mut self) -> Result<Document<'t>, XmlError> {
        if self.depth > 0 || !self.has_root {
            return Err(malformed(self.text, self.at));
        }
        self.close();
        Ok(self.document)
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Reads the text up to the next markup, or one piece of markup. `false` when it is not well-formed.
    fn step(&mut self) -> Result<bool, XmlError> {
        let rest = self.rest();
        let Some(markup) = rest.strip_prefix('<') else {
            let text = memchr(b'<', rest.as_bytes()).and_then(|end| rest.get(..end)).unwrap_or(rest);
            return Ok(self.characters(text).is_some());
        };
        let read = match markup.as_bytes().first() {
            Some(b'/') => self.end_tag(),
            Some(b'?') => self.instruction(markup)?,
            Some(b'!') => self.comment_or_data(markup)?,
            _ => self.start_tag()?,
        };
        Ok(read.is_some())
    }

    fn count(&mut self) -> Result<(), XmlError> {
        self.counted += 1;
        if self.counted > MAX_NODES { Err(XmlError::TooManyNodes) } else { Ok(()) }
    }

    fn append(&mut self, kind: Kind<'t>) {
        let end = self.document.next_id() + 1;
        self.document.nodes.push(NodeData { kind, parent: self.parent, end });
    }

    /// Ends the innermost element that is open; what it declared is no longer in scope.
    fn close(&mut self) {
        let end = self.document.next_id();
        let Some(node) = self.document.node_mut(self.parent) else { return };
        node.end = end;
        self.parent = node.parent;
        if let Kind::Element(element) = &node.kind {
            self.in_scope.truncate(self.in_scope.len().saturating_sub(element.namespaces.len()));
        }
    }

    /// CharData and references (XML 1.0 §2.4); beside the root element, white space.
    fn characters(&mut self, text: &'t str) -> Option<()> {
        if self.depth == 0 {
            text.bytes().all(is_space).then_some(())?;
        } else if memchr2(b'&', b'>', text.as_bytes()).is_none() {
            self.append_text(Cow::Borrowed(text), true);
        } else {
            (!text.contains("]]>")).then_some(())?;
            self.append_text(characters::expand(text)?, false);
        }
        self.at += text.len();
        Some(())
    }

    /// Text that follows text is one with it.
    fn append_text(&mut self, text: Cow<'t, str>, is_alone_plain: bool) {
        if let Some(NodeData { kind: Kind::Text { content, is_plain }, parent, .. }) =
            self.document.nodes.last_mut()
            && *parent == self.parent
        {
            content.to_mut().push_str(&text);
            *is_plain = false;
        } else {
            self.append(Kind::Text { content: text, is_plain: is_alone_plain });
        }
    }

    /// Comment (§2.5) or CDSect (§2.7). Whatever else begins like them, a document type declaration does.
    fn comment_or_data(&mut self, markup: &'t str) -> Parsed<()> {
        let rest = if let Some(comment) = markup.strip_prefix("!--") {
            self.count()?;
            let Some((text, end)) = comment.split_once("--") else { return Ok(None) };
            self.append(Kind::Comment(text));
            end.strip_prefix('>')
        } else if let Some(data) = markup.strip_prefix("![CDATA[") {
            let Some((text, end)) = data.split_once("]]>").filter(|_| self.depth > 0) else {
                return Ok(None);
            };
            self.append_text(Cow::Borrowed(text), false);
            Some(end)
        } else {
            return Err(XmlError::Dtd);
        };
        Ok(rest.map(|rest| self.at = self.text.len() - rest.len()))
    }

    /// PI (§2.6).
    fn instruction(&mut self, markup: &'t str) -> Parsed<()> {
        self.count()?;
        let read = || {
            let (instruction, rest) = markup.strip_prefix('?')?.split_once("?>")?;
            let (target, value) = instruction.split_once(SPACES).unwrap_or((instruction, ""));
            let is_name = target.starts_with(|c| c == ':' || characters::is_name_start(c))
                && target.chars().all(|c| c == ':' || characters::is_name(c))
                && !target.eq_ignore_ascii_case("xml");
            is_name.then_some((target, value.trim_start_matches(SPACES), rest))
        };
        let Some((target, value, rest)) = read() else { return Ok(None) };
        self.append(Kind::Instruction { target, value });
        self.at = self.text.len() - rest.len();
        Ok(Some(()))
    }

    /// ETag (§3.1).
    fn end_tag(&mut self) -> Option<()> {
        let tag = self.rest();
        let Kind::Element(element) = &mut self.document.node_mut(self.parent)?.kind else { return None };
        let after_name = tag.strip_prefix("</")?.strip_prefix(element.name.qualified)?;
        let rest = after_name.trim_start_matches(SPACES).strip_prefix('>')?;
        let start = std::mem::replace(&mut self.at, self.text.len() - rest.len());
        if after_name.starts_with('>') {
            element.end_tag = self.text.get(start..self.at);
        }
        self.depth -= 1;
        self.close();
        Some(())
    }

    /// STag or EmptyElemTag (§3.1), its names resolved (Namespaces in XML 1.0 §6).
    fn start_tag(&mut self) -> Parsed<()> {
        self.count()?;
        if self.depth == MAX_DEPTH {
            return Err(XmlError::TooDeep);
        }
        if self.depth == 0 && std::mem::replace(&mut self.has_root, true) {
            return Ok(None);
        }
        self.at += 1;
        let Some(name) = self.name() else { return Ok(None) };
        let (attributes, namespaces) = (self.document.attributes.len(), self.document.namespaces.len());
        let outer = self.in_scope.len();
        let is_empty = loop {
            let has_space = self.skip_spaces();
            match self.byte() {
                Some(b'>') => break false,
                Some(b'/') => break true,
                _ if !has_space => return Ok(None),
                _ => {}
            }
            let count = self.document.attributes.len() + self.document.namespaces.len();
            if count - attributes - namespaces == MAX_ATTRIBUTES {
                return Err(XmlError::TooManyAttributes);
            }
            if self.attribute(namespaces).is_none() {
                return Ok(None);
            }
        };
        if self.in_scope.len() > MAX_NAMESPACES_IN_SCOPE
            || self.document.namespaces.len() > PREDEFINED + MAX_NAMESPACES
        {
            return Err(XmlError::TooManyNamespaces);
        }
        let Some(rest) = self.rest().strip_prefix(if is_empty { "/>" } else { ">" }) else { return Ok(None) };
        self.at = self.text.len() - rest.len();
        let Some(namespace) = self.resolve(name.prefix) else { return Ok(None) };
        if self.resolve_attributes(attributes).is_none() {
            return Ok(None);
        }
        let id = self.document.next_id();
        self.append(Kind::Element(ElementData {
            name,
            namespace,
            attributes: attributes..self.document.attributes.len(),
            namespaces: namespaces..self.document.namespaces.len(),
            end_tag: None,
        }));
        if is_empty {
            self.in_scope.truncate(outer);
        } else {
            self.parent = id;
            self.depth += 1;
        }
        Ok(Some(()))
    }

    /// Attribute (§3.1), or a declaration of a namespace; `namespaces`: where those of its element begin.
    fn attribute(&mut self, namespaces: usize) -> Option<()> {
        let start = self.at;
        let name = self.name()?;
        let is_tight = self.rest().starts_with("=\"");
        self.skip_spaces();
        (self.byte() == Some(b'=')).then_some(())?;
        self.at += 1;
        self.skip_spaces();
        let quote = self.byte().filter(|byte| matches!(byte, b'"' | b'\''))?;
        self.at += 1;
        let rest = self.rest();
        let length = memchr2(quote, b'<', rest.as_bytes())?;
        (rest.as_bytes().get(length) == Some(&quote)).then_some(())?;
        let raw = rest.get(..length)?;
        self.at += length + 1;
        let is_plain = characters::is_plain_value(raw);
        let value = if is_plain { Cow::Borrowed(raw) } else { characters::expand_value(raw)? };
        match (name.prefix, name.local) {
            ("", "xmlns") => self.declare("", value, namespaces),
            ("xmlns", prefix) => self.declare(prefix, value, namespaces),
            (_, "xmlns") => None,
            _ => {
                let written = self.text.get(start.checked_sub(1)?..self.at);
                let written = written.filter(|written| is_plain && is_tight && written.starts_with(' '));
                self.document.attributes.push(AttributeData {
                    name,
                    namespace: NO_NAMESPACE,
                    value,
                    written,
                });
                Some(())
            }
        }
    }

    /// Namespaces in XML 1.0 §3: what may be bound to what, each prefix once on an element.
    fn declare(&mut self, prefix: &'t str, uri: Cow<'t, str>, own: usize) -> Option<()> {
        let is_allowed = (prefix == "xml") == (uri == XML_NAMESPACE)
            && prefix != "xmlns"
            && uri != XMLNS_NAMESPACE
            && (prefix.is_empty() || !uri.is_empty());
        let mut earlier = self.document.namespaces.iter().skip(own);
        if !is_allowed || earlier.any(|earlier| earlier.prefix == prefix) {
            return None;
        }
        self.in_scope.push(self.document.namespaces.len());
        self.document.namespaces.push(Namespace { prefix, uri });
        Some(())
    }

    /// The namespace that a prefix is bound to; the empty one, the default namespace.
    fn resolve(&self, prefix: &str) -> Option<usize> {
        let declared = |at: &&usize| self.document.namespaces.get(**at).is_some_and(|n| n.prefix == prefix);
        let unbound = match prefix {
            "" => Some(NO_NAMESPACE),
            "xml" => Some(XML),
            _ => None,
        };
        self.in_scope.iter().rev().find(declared).copied().or(unbound)
    }

    /// Those of one element, from the index `own`: each name once (§6.3).
    fn resolve_attributes(&mut self, own: usize) -> Option<()> {
        for at in own..self.document.attributes.len() {
            let prefix = self.document.attributes.get(at)?.name.prefix;
            if !prefix.is_empty() {
                let namespace = self.resolve(prefix)?;
                self.document.attributes.get_mut(at)?.namespace = namespace;
            }
        }
        let uri = |attribute: &AttributeData| self.document.uri(attribute.namespace);
        let mut own = self.document.attributes.get(own..)?.iter();
        while let Some(attribute) = own.next() {
            let is_same = |other: &AttributeData| {
                other.name.local == attribute.name.local && uri(other) == uri(attribute)
            };
            if own.as_slice().iter().any(is_same) {
                return None;
            }
        }
        Some(())
    }

    /// QName (§4).
    fn name(&mut self) -> Option<Name<'t>> {
        let rest = self.rest();
        let first = characters::nc_name(rest)?;
        let name = match rest.get(first.len()..)?.strip_prefix(':') {
            None => Name { prefix: "", local: first, qualified: first },
            Some(after) => {
                let local = characters::nc_name(after)?;
                let qualified = rest.get(..first.len() + 1 + local.len())?;
                Name { prefix: first, local, qualified }
            }
        };
        self.at += name.qualified.len();
        Some(name)
    }

    /// Whether there were any.
    fn skip_spaces(&mut self) -> bool {
        let from = self.at;
        while self.byte().is_some_and(is_space) {
            self.at += 1;
        }
        self.at > from
    }
}

/// S (§2.3), once line ends are normalised.
const SPACES: [char; 3] = [' ', '\t', '\n'];

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n')
}
