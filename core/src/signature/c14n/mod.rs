//! Canonical XML: a document, or one element of it, as the one sequence of bytes that a digest is made over.
//! Canonical XML 1.0 (W3C REC 2001-03-15), 1.1 (W3C REC 2008-05-02) and Exclusive 1.0 (W3C REC 2002-07-18), each
//! with or without comments. The walk is iterative and writes into a sink; the reader's limits bound its cost.

mod base;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use roxmltree::{Node, NodeId, NodeType};

use super::xml::{Document, Text, XML_NAMESPACE, XmlError};

/// Which canonicalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `http://www.w3.org/TR/2001/REC-xml-c14n-20010315`
    Inclusive10,
    /// `http://www.w3.org/2006/12/xml-c14n11`
    Inclusive11,
    /// `http://www.w3.org/2001/10/xml-exc-c14n#`
    Exclusive,
}

/// Canonical form of a whole document, or of the one element whose `id`, `Id`, `ID` or `xml:id` is `id`.
///
/// `xml` is UTF-8. `inclusive_prefixes` is the PrefixList of [`Method::Exclusive`] (`#default` names the default
/// namespace); the other methods ignore it.
///
/// # Errors
/// Whatever [`XmlError`] names.
///
/// ```
/// use hpki_agent::signature::{Method, canonicalize};
/// let canonical = canonicalize(b"<a  b='1' a='2'/>", None, Method::Inclusive10, false, &[])?;
/// assert_eq!(canonical, b"<a a=\"2\" b=\"1\"></a>");
/// # Ok::<(), hpki_agent::signature::XmlError>(())
/// ```
pub fn canonicalize(
    xml: &[u8],
    id: Option<&str>,
    method: Method,
    with_comments: bool,
    inclusive_prefixes: &[&str],
) -> Result<Vec<u8>, XmlError> {
    let text = Text::read(xml)?;
    let document = text.parse()?;
    let apex = match id {
        Some(id) => document.element_by_id(id)?,
        None => document.tree().root(),
    };
    let form = Form { method, with_comments, inclusive_prefixes: inclusive_prefixes.to_vec() };
    let mut canonical = Vec::with_capacity(xml.len());
    write(&document, apex, None, &form, &mut canonical);
    Ok(canonical)
}

/// Where canonical bytes go.
pub(super) trait Sink {
    fn write(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn write(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

impl Sink for ring::digest::Context {
    fn write(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

/// A canonicalisation with its parameters.
pub(super) struct Form<'p> {
    pub(super) method: Method,
    pub(super) with_comments: bool,
    pub(super) inclusive_prefixes: Vec<&'p str>,
}

impl Form<'_> {
    /// Canonical XML 1.0 without comments: what a Reference without Transforms means (XML Signature 1.1 §4.4.3.2).
    pub(super) const INCLUSIVE: Self =
        Self { method: Method::Inclusive10, with_comments: false, inclusive_prefixes: Vec::new() };
}

/// Writes the canonical form of `apex` (the document node or an element) with everything below it except the subtree
/// `without`.
pub(super) fn write<'d, 't, S: Sink>(
    document: &'d Document<'t>,
    apex: Node<'d, 't>,
    without: Option<NodeId>,
    form: &Form,
    sink: &mut S,
) {
    let mut writer = Writer { document, apex, form, sink, rendered: Vec::new(), marks: Vec::new() };
    let mut node = apex;
    loop {
        if Some(node.id()) != without {
            writer.enter(node);
            if let Some(child) = node.first_child() {
                node = child;
                continue;
            }
            writer.leave(node);
        }
        loop {
            if node == apex {
                return;
            }
            if let Some(next) = node.next_sibling() {
                node = next;
                break;
            }
            let Some(parent) = node.parent() else { return };
            writer.leave(parent);
            node = parent;
        }
    }
}

struct Writer<'w, 'd, 't, S> {
    document: &'d Document<'t>,
    apex: Node<'d, 't>,
    form: &'w Form<'w>,
    sink: &'w mut S,
    /// Namespaces as written by the open elements, innermost last: prefix (empty: the default), URI.
    rendered: Vec<(&'d str, &'d str)>,
    /// How long `rendered` was before each open element.
    marks: Vec<usize>,
}

struct Attribute<'d> {
    namespace: &'d str,
    prefix: &'d str,
    local: &'d str,
    value: Cow<'d, str>,
}

impl<'d, 't, S: Sink> Writer<'_, 'd, 't, S> {
    fn enter(&mut self, node: Node<'d, 't>) {
        match node.node_type() {
            NodeType::Root => {}
            NodeType::Element => self.start_tag(node),
            NodeType::Text => self.text(self.document.text(node)),
            NodeType::Comment if !self.form.with_comments => {}
            NodeType::Comment => {
                self.outside_root(node, |sink| {
                    sink.write(b"<!--");
                    sink.write(node.text().unwrap_or_default().as_bytes());
                    sink.write(b"-->");
                });
            }
            NodeType::PI => self.outside_root(node, |sink| {
                let Some(instruction) = node.pi() else { return };
                sink.write(b"<?");
                sink.write(instruction.target.as_bytes());
                if let Some(value) = instruction.value {
                    sink.write(b" ");
                    sink.write(value.as_bytes());
                }
                sink.write(b"?>");
            }),
        }
    }

    /// Comments and instructions beside the root element stand on lines of their own (Canonical XML §2.3).
    fn outside_root(&mut self, node: Node, write: impl FnOnce(&mut S)) {
        let beside_root = node.parent().is_some_and(|parent| parent.is_root());
        let root = node.document().root_element();
        if beside_root && node.range().start > root.range().start {
            self.sink.write(b"\n");
        }
        write(self.sink);
        if beside_root && node.range().start < root.range().start {
            self.sink.write(b"\n");
        }
    }

    fn leave(&mut self, node: Node) {
        if node.is_element() {
            self.sink.write(b"</");
            self.qualified(self.document.element_prefix(node), node.tag_name().name());
            self.sink.write(b">");
            self.rendered.truncate(self.marks.pop().unwrap_or_default());
        }
    }

    fn start_tag(&mut self, element: Node<'d, '_>) {
        self.marks.push(self.rendered.len());
        let prefix = self.document.element_prefix(element);
        let mut attributes: Vec<Attribute> = element
            .attributes()
            .map(|attribute| Attribute {
                namespace: attribute.namespace().unwrap_or_default(),
                prefix: self.document.attribute_prefix(&attribute),
                local: attribute.name(),
                value: Cow::Borrowed(attribute.value()),
            })
            .collect();
        let namespaces = self.namespaces(element, prefix, &attributes);
        if element == self.apex {
            self.inherit(element, &mut attributes);
        }
        attributes.sort_unstable_by_key(|attribute| (attribute.namespace, attribute.local));

        self.sink.write(b"<");
        self.qualified(prefix, element.tag_name().name());
        for (prefix, uri) in &namespaces {
            let name = if prefix.is_empty() { "" } else { "xmlns" };
            self.sink.write(b" ");
            self.qualified(name, if prefix.is_empty() { "xmlns" } else { prefix });
            self.value(uri);
        }
        for attribute in &attributes {
            self.sink.write(b" ");
            self.qualified(attribute.prefix, attribute.local);
            self.value(&attribute.value);
        }
        self.sink.write(b">");
        self.rendered.extend(namespaces);
    }

    /// The namespaces to be written on this element, in order.
    fn namespaces(
        &self,
        element: Node<'d, '_>,
        prefix: &'d str,
        attributes: &[Attribute<'d>],
    ) -> Vec<(&'d str, &'d str)> {
        let mut wanted: Vec<(&str, &str)> = Vec::new();
        let exclusive = self.form.method == Method::Exclusive;
        if exclusive {
            // Exclusive XML Canonicalization §3: what the element and its attributes visibly use
            wanted.push((prefix, element.tag_name().namespace().unwrap_or_default()));
            wanted
                .extend(attributes.iter().filter(|a| !a.prefix.is_empty()).map(|a| (a.prefix, a.namespace)));
        }
        let listed = |prefix: &str| {
            let name = if prefix.is_empty() { "#default" } else { prefix };
            !exclusive || self.form.inclusive_prefixes.contains(&name)
        };
        if element == self.apex || self.document.declares_namespaces(element) {
            let in_scope = element.namespaces().map(|n| (n.name().unwrap_or_default(), n.uri()));
            wanted.extend(in_scope.filter(|(prefix, _)| listed(prefix)));
        }
        wanted.retain(|(prefix, uri)| *uri != XML_NAMESPACE && self.rendered(prefix) != *uri);
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }

    /// What the open elements have bound the prefix to; a default namespace that was never written is none.
    fn rendered(&self, prefix: &str) -> &'d str {
        self.rendered.iter().rev().find(|(name, _)| *name == prefix).map_or("", |(_, uri)| uri)
    }

    /// `xml:` attributes that an element takes over from ancestors that are not written (Canonical XML 1.0 §2.4,
    /// 1.1 §2.4).
    fn inherit(&self, element: Node<'d, '_>, attributes: &mut Vec<Attribute<'d>>) {
        if self.form.method == Method::Exclusive {
            return;
        }
        let v11 = self.form.method == Method::Inclusive11;
        for ancestor in element.ancestors().skip(1) {
            for attribute in ancestor.attributes().filter(|a| a.namespace() == Some(XML_NAMESPACE)) {
                let local = attribute.name();
                if v11 && !matches!(local, "lang" | "space") {
                    continue;
                }
                if !attributes.iter().any(|a| a.namespace == XML_NAMESPACE && a.local == local) {
                    attributes.push(xml_attribute(local, Cow::Borrowed(attribute.value())));
                }
            }
        }
        if v11 {
            attributes.retain(|a| !(a.namespace == XML_NAMESPACE && a.local == "base"));
            let base = element
                .ancestors()
                .filter_map(|node| node.attribute((XML_NAMESPACE, "base")))
                .map(String::from)
                .reduce(|below, above| base::join(&above, &below));
            if let Some(base) = base.filter(|base| !base.is_empty()) {
                attributes.push(xml_attribute("base", Cow::Owned(base)));
            }
        }
    }

    fn qualified(&mut self, prefix: &str, local: &str) {
        if !prefix.is_empty() {
            self.sink.write(prefix.as_bytes());
            self.sink.write(b":");
        }
        self.sink.write(local.as_bytes());
    }

    fn text(&mut self, text: &str) {
        escape(self.sink, text, is_text_special, text_escape);
    }

    fn value(&mut self, value: &str) {
        self.sink.write(b"=\"");
        escape(self.sink, value, is_attribute_special, attribute_escape);
        self.sink.write(b"\"");
    }
}

fn xml_attribute<'d>(local: &'d str, value: Cow<'d, str>) -> Attribute<'d> {
    Attribute { namespace: XML_NAMESPACE, prefix: "xml", local, value }
}

fn is_text_special(byte: u8) -> bool {
    matches!(byte, b'&' | b'<' | b'>' | b'\r')
}

fn is_attribute_special(byte: u8) -> bool {
    matches!(byte, b'&' | b'<' | b'"' | b'\t' | b'\n' | b'\r')
}

fn text_escape(byte: u8) -> Option<&'static [u8]> {
    match byte {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        b'>' => Some(b"&gt;"),
        b'\r' => Some(b"&#xD;"),
        _ => None,
    }
}

fn attribute_escape(byte: u8) -> Option<&'static [u8]> {
    match byte {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        b'"' => Some(b"&quot;"),
        b'\t' => Some(b"&#x9;"),
        b'\n' => Some(b"&#xA;"),
        b'\r' => Some(b"&#xD;"),
        _ => None,
    }
}

fn escape(
    sink: &mut impl Sink,
    text: &str,
    is_special: impl Fn(u8) -> bool,
    escape: impl Fn(u8) -> Option<&'static [u8]>,
) {
    // Without an early exit the check is vectorised, and a body of base64 passes in one piece.
    if !text.bytes().fold(false, |found, byte| found | is_special(byte)) {
        return sink.write(text.as_bytes());
    }
    let mut rest = text.as_bytes();
    while let Some((at, replacement)) = rest.iter().enumerate().find_map(|(at, b)| Some((at, escape(*b)?))) {
        let (plain, after) = rest.split_at(at);
        sink.write(plain);
        sink.write(replacement);
        rest = after.get(1..).unwrap_or_default();
    }
    sink.write(rest);
}
