//! Canonical XML: a document, or one element of it, as the one sequence of bytes that a digest is made over.
//! Canonical XML 1.0 (W3C REC 2001-03-15), 1.1 (W3C REC 2008-05-02) and Exclusive 1.0 (W3C REC 2002-07-18), each
//! with or without comments. The walk is iterative and writes into a sink; the reader's limits bound its cost.

mod base;
mod sink;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::xml::{Name, Node, NodeId, NodeType, Text, XML_NAMESPACE, XmlError};
pub(super) use sink::Hasher;
use sink::{Sink, write_text, write_value};

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
        None => document.root(),
    };
    let form = Form { method, with_comments, inclusive_prefixes: inclusive_prefixes.to_vec() };
    let mut canonical = Vec::with_capacity(xml.len());
    Room::default().write(apex, None, &form, &mut canonical);
    Ok(canonical)
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

/// Writes canonical forms of one document, one after another, in the same memory.
#[derive(Default)]
pub(super) struct Room<'d> {
    /// Namespaces as written by the open elements, innermost last.
    rendered: Vec<Namespace<'d>>,
    /// The attributes of one element.
    attributes: Vec<Attribute<'d>>,
}

impl<'d> Room<'d> {
    /// Writes the canonical form of `apex` (the document node or an element) with everything below it except the
    /// subtree `without`.
    pub(super) fn write<'t: 'd, S: Sink>(
        &mut self,
        apex: Node<'d, 't>,
        without: Option<NodeId>,
        form: &Form,
        sink: &mut S,
    ) {
        self.rendered.clear();
        let mut writer = Writer { apex, form, sink, depth: 0, has_root: false, room: self };
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
}

struct Writer<'w, 'd, 't, S> {
    apex: Node<'d, 't>,
    form: &'w Form<'w>,
    sink: &'w mut S,
    /// How many elements are open.
    depth: usize,
    /// Whether one has been written.
    has_root: bool,
    room: &'w mut Room<'d>,
}

/// Ordered by prefix, which is empty for the default namespace.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Namespace<'d> {
    prefix: &'d str,
    uri: &'d str,
    /// Of the element that it is written on.
    depth: usize,
}

struct Attribute<'d> {
    namespace: &'d str,
    name: Name<'d>,
    value: Cow<'d, str>,
    /// With the space before it, where it is written as it must be.
    written: Option<&'d str>,
}

impl<'d, 't, S: Sink> Writer<'_, 'd, 't, S> {
    fn enter(&mut self, node: Node<'d, 't>) {
        match node.node_type() {
            NodeType::Document => {}
            NodeType::Element => self.start_tag(node),
            NodeType::Text { content, is_plain: true } => self.sink.write(content.as_bytes()),
            NodeType::Text { content, .. } => write_text(self.sink, content),
            NodeType::Comment(_) if !self.form.with_comments => {}
            NodeType::Comment(text) => self.outside_root(|sink| {
                sink.write(b"<!--");
                sink.write(text.as_bytes());
                sink.write(b"-->");
            }),
            NodeType::Instruction { target, value } => self.outside_root(|sink| {
                sink.write(b"<?");
                sink.write(target.as_bytes());
                if !value.is_empty() {
                    sink.write(b" ");
                    sink.write(value.as_bytes());
                }
                sink.write(b"?>");
            }),
        }
    }

    /// Comments and instructions beside the root element stand on lines of their own (Canonical XML §2.3).
    fn outside_root(&mut self, write: impl FnOnce(&mut S)) {
        let is_beside_root = self.depth == 0;
        if is_beside_root && self.has_root {
            self.sink.write(b"\n");
        }
        write(self.sink);
        if is_beside_root && !self.has_root {
            self.sink.write(b"\n");
        }
    }

    fn leave(&mut self, node: Node) {
        if node.is_element() {
            if let Some(tag) = node.end_tag() {
                self.sink.write(tag.as_bytes());
            } else {
                self.sink.write(b"</");
                self.sink.write(node.name().qualified.as_bytes());
                self.sink.write(b">");
            }
            while self.room.rendered.pop_if(|namespace| namespace.depth == self.depth).is_some() {}
            self.depth -= 1;
        }
    }

    fn start_tag(&mut self, element: Node<'d, '_>) {
        self.depth += 1;
        self.has_root = true;
        let name = element.name();
        let mut attributes = std::mem::take(&mut self.room.attributes);
        attributes.extend(element.attributes().map(|attribute| Attribute {
            namespace: attribute.namespace(),
            name: attribute.name(),
            value: Cow::Borrowed(attribute.value()),
            written: attribute.written(),
        }));
        let outer = self.room.rendered.len();
        self.render_namespaces(element, name.prefix, &attributes);
        if element == self.apex {
            self.inherit(element, &mut attributes);
        }
        attributes.sort_unstable_by_key(|attribute| (attribute.namespace, attribute.name.local));

        self.sink.write(b"<");
        self.sink.write(name.qualified.as_bytes());
        for Namespace { prefix, uri, .. } in self.room.rendered.get(outer..).unwrap_or_default() {
            self.sink.write(if prefix.is_empty() { b" xmlns" } else { b" xmlns:" });
            self.sink.write(prefix.as_bytes());
            write_value(self.sink, uri);
        }
        for attribute in attributes.drain(..) {
            if let Some(written) = attribute.written {
                self.sink.write(written.as_bytes());
                continue;
            }
            self.sink.write(b" ");
            self.sink.write(attribute.name.qualified.as_bytes());
            write_value(self.sink, &attribute.value);
        }
        self.sink.write(b">");
        self.room.attributes = attributes;
    }

    /// Adds the namespaces to be written on this element, in order, to those that are.
    fn render_namespaces(&mut self, element: Node<'d, '_>, prefix: &'d str, attributes: &[Attribute<'d>]) {
        let outer = self.room.rendered.len();
        let exclusive = self.form.method == Method::Exclusive;
        if exclusive {
            // Exclusive XML Canonicalization §3: what the element and its attributes visibly use
            self.render(outer, prefix, element.namespace());
            for attribute in attributes.iter().filter(|attribute| !attribute.name.prefix.is_empty()) {
                self.render(outer, attribute.name.prefix, attribute.namespace);
            }
        }
        let are_more_written = !exclusive || !self.form.inclusive_prefixes.is_empty();
        if are_more_written && (element == self.apex || element.declares_namespaces()) {
            for namespace in element.namespaces() {
                let prefix = namespace.prefix;
                let listed = if prefix.is_empty() { "#default" } else { prefix };
                if !exclusive || self.form.inclusive_prefixes.contains(&listed) {
                    self.render(outer, prefix, &namespace.uri);
                }
            }
        }
        self.room.rendered.get_mut(outer..).unwrap_or_default().sort_unstable();
    }

    /// Adds a namespace unless it is written already: by the elements around, which have the first `outer`, or by this
    /// one. A default namespace that was never written is none.
    fn render(&mut self, outer: usize, prefix: &'d str, uri: &'d str) {
        let (around, own) = self.room.rendered.split_at_checked(outer).unwrap_or_default();
        let bound = around.iter().rev().find(|n| n.prefix == prefix).map_or("", |n| n.uri);
        if bound != uri && uri != XML_NAMESPACE && !own.iter().any(|n| n.prefix == prefix) {
            self.room.rendered.push(Namespace { prefix, uri, depth: self.depth });
        }
    }

    /// `xml:` attributes that an element takes over from ancestors that are not written (Canonical XML 1.0 §2.4,
    /// 1.1 §2.4).
    fn inherit(&self, element: Node<'d, '_>, attributes: &mut Vec<Attribute<'d>>) {
        if self.form.method == Method::Exclusive {
            return;
        }
        let v11 = self.form.method == Method::Inclusive11;
        for ancestor in element.ancestors().skip(1) {
            for attribute in ancestor.attributes().filter(|a| a.namespace() == XML_NAMESPACE) {
                let name = attribute.name();
                if v11 && !matches!(name.local, "lang" | "space") {
                    continue;
                }
                if !attributes.iter().any(|a| a.namespace == XML_NAMESPACE && a.name.local == name.local) {
                    attributes.push(xml_attribute(name, Cow::Borrowed(attribute.value())));
                }
            }
        }
        if v11 {
            attributes.retain(|a| !(a.namespace == XML_NAMESPACE && a.name.local == "base"));
            let base = element
                .ancestors()
                .filter_map(|node| node.xml_attribute("base"))
                .map(String::from)
                .reduce(|below, above| base::join(&above, &below));
            if let Some(base) = base.filter(|base| !base.is_empty()) {
                let name = Name { prefix: "xml", local: "base", qualified: "xml:base" };
                attributes.push(xml_attribute(name, Cow::Owned(base)));
            }
        }
    }
}

fn xml_attribute<'d>(name: Name<'d>, value: Cow<'d, str>) -> Attribute<'d> {
    Attribute { namespace: XML_NAMESPACE, name, value, written: None }
}
