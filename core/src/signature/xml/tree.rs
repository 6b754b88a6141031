//! What has been read: elements, texts, comments and instructions in the order of the document, with names and tags as
//! they were written, which canonical XML needs.

use std::{borrow::Cow, fmt, ops::Range};

use super::XML_NAMESPACE;

/// A parsed document.
pub(in crate::signature) struct Document<'t> {
    /// The node that holds the root element, and what stands beside it.
    pub(super) root: NodeData<'t>,
    /// All others in their order; the first has the id 1.
    pub(super) nodes: Vec<NodeData<'t>>,
    /// Of all elements, one after another.
    pub(super) attributes: Vec<AttributeData<'t>>,
    /// Of all elements, one after another, behind [`NO_NAMESPACE`] and [`XML`].
    pub(super) namespaces: Vec<Namespace<'t>>,
}

/// Index of the namespace that is none.
pub(super) const NO_NAMESPACE: usize = 0;
/// Index of the namespace of the prefix `xml`.
pub(super) const XML: usize = 1;
/// How many namespaces no element declares.
pub(super) const PREDEFINED: usize = 2;

pub(super) struct NodeData<'t> {
    pub(super) kind: Kind<'t>,
    /// Of the element around it, or of the document node.
    pub(super) parent: usize,
    /// Of the first node behind it and all that it holds.
    pub(super) end: usize,
}

pub(super) enum Kind<'t> {
    Document,
    Element(ElementData<'t>),
    Text { content: Cow<'t, str>, is_plain: bool },
    Comment(&'t str),
    Instruction { target: &'t str, value: &'t str },
}

pub(super) struct ElementData<'t> {
    pub(super) name: Name<'t>,
    pub(super) namespace: usize,
    pub(super) attributes: Range<usize>,
    /// Those that it declares itself.
    pub(super) namespaces: Range<usize>,
    /// `</name>`, where it is written so.
    pub(super) end_tag: Option<&'t str>,
}

pub(super) struct AttributeData<'t> {
    pub(super) name: Name<'t>,
    pub(super) namespace: usize,
    pub(super) value: Cow<'t, str>,
    pub(super) written: Option<&'t str>,
}

/// A declaration of a namespace.
pub(in crate::signature) struct Namespace<'t> {
    /// Empty for the default namespace.
    pub(in crate::signature) prefix: &'t str,
    /// Empty where the default namespace is none.
    pub(in crate::signature) uri: Cow<'t, str>,
}

/// A name as written.
#[derive(Clone, Copy, Default)]
pub(in crate::signature) struct Name<'t> {
    /// Empty when it has none.
    pub(in crate::signature) prefix: &'t str,
    pub(in crate::signature) local: &'t str,
    /// With its prefix.
    pub(in crate::signature) qualified: &'t str,
}

/// A node of a document.
#[derive(Clone, Copy)]
pub(in crate::signature) struct Node<'d, 't> {
    document: &'d Document<'t>,
    data: &'d NodeData<'t>,
    id: NodeId,
}

/// Tells the nodes of one document apart; ordered as they are in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::signature) struct NodeId(usize);

/// What a node is.
pub(in crate::signature) enum NodeType<'d> {
    Document,
    Element,
    /// Whether its canonical form is itself.
    Text {
        content: &'d str,
        is_plain: bool,
    },
    Comment(&'d str),
    /// The value is empty where there is none.
    Instruction {
        target: &'d str,
        value: &'d str,
    },
}

/// An attribute of an element; declarations of namespaces are none.
pub(in crate::signature) struct Attribute<'d, 't> {
    document: &'d Document<'t>,
    data: &'d AttributeData<'t>,
}

impl<'t> Document<'t> {
    /// See [`Document::root`].
    pub(in crate::signature) fn root(&self) -> Node<'_, 't> {
        Node { document: self, data: &self.root, id: NodeId(0) }
    }

    /// All nodes in their order.
    pub(in crate::signature) fn descendants(&self) -> impl Iterator<Item = Node<'_, 't>> {
        let nodes = std::iter::once(&self.root).chain(&self.nodes).enumerate();
        nodes.map(|(id, data)| Node { document: self, data, id: NodeId(id) })
    }

    /// The id of a node that would be added.
    pub(super) fn next_id(&self) -> usize {
        self.nodes.len() + 1
    }

    fn node(&self, id: usize) -> Option<Node<'_, 't>> {
        let data = id.checked_sub(1).map_or(Some(&self.root), |at| self.nodes.get(at))?;
        Some(Node { document: self, data, id: NodeId(id) })
    }

    pub(super) fn node_mut(&mut self, id: usize) -> Option<&mut NodeData<'t>> {
        id.checked_sub(1).map_or(Some(&mut self.root), |at| self.nodes.get_mut(at))
    }

    pub(super) fn uri(&self, namespace: usize) -> &str {
        self.namespaces.get(namespace).map_or("", |namespace| &namespace.uri)
    }
}

impl<'d, 't> Node<'d, 't> {
    pub(in crate::signature) fn id(self) -> NodeId {
        self.id
    }

    pub(in crate::signature) fn node_type(self) -> NodeType<'d> {
        match &self.data.kind {
            Kind::Document => NodeType::Document,
            Kind::Element(_) => NodeType::Element,
            Kind::Text { content, is_plain } => NodeType::Text { content, is_plain: *is_plain },
            Kind::Comment(text) => NodeType::Comment(text),
            Kind::Instruction { target, value } => NodeType::Instruction { target, value },
        }
    }

    pub(in crate::signature) fn is_element(&self) -> bool {
        matches!(self.data.kind, Kind::Element(_))
    }

    fn element(self) -> Option<&'d ElementData<'t>> {
        match &self.data.kind {
            Kind::Element(element) => Some(element),
            _ => None,
        }
    }

    /// Of an element; empty for all else.
    pub(in crate::signature) fn name(self) -> Name<'t> {
        self.element().map(|element| element.name).unwrap_or_default()
    }

    /// Of an element; empty where it has none.
    pub(in crate::signature) fn namespace(self) -> &'d str {
        self.element().map_or("", |element| self.document.uri(element.namespace))
    }

    /// The element's end tag, where it is written `</name>`.
    pub(in crate::signature) fn end_tag(self) -> Option<&'t str> {
        self.element()?.end_tag
    }

    /// The text of an element that holds one piece of text and nothing else.
    pub(in crate::signature) fn only_text(self) -> Option<&'d str> {
        let only = self.first_child().filter(|child| child.data.end == self.data.end)?;
        match &only.data.kind {
            Kind::Text { content, .. } => Some(content),
            _ => None,
        }
    }

    pub(in crate::signature) fn attributes(self) -> impl Iterator<Item = Attribute<'d, 't>> {
        let range = self.element().map(|element| element.attributes.clone()).unwrap_or_default();
        let attributes = self.document.attributes.get(range).unwrap_or_default();
        attributes.iter().map(move |data| Attribute { document: self.document, data })
    }

    /// The value of the attribute of this name and no namespace.
    pub(in crate::signature) fn attribute(self, name: &str) -> Option<&'d str> {
        self.attribute_in("", name)
    }

    /// The value of the attribute `xml:name`.
    pub(in crate::signature) fn xml_attribute(self, name: &str) -> Option<&'d str> {
        self.attribute_in(XML_NAMESPACE, name)
    }

    fn attribute_in(self, namespace: &str, name: &str) -> Option<&'d str> {
        let mut attributes = self.attributes();
        let found = attributes.find(|a| a.name().local == name && a.namespace() == namespace);
        found.map(|attribute| attribute.value())
    }

    /// Whether the element itself declares a namespace.
    pub(in crate::signature) fn declares_namespaces(self) -> bool {
        self.element().is_some_and(|element| !element.namespaces.is_empty())
    }

    /// The namespaces that are in scope on an element, each prefix once.
    pub(in crate::signature) fn namespaces(self) -> Vec<&'d Namespace<'t>> {
        let mut in_scope: Vec<&Namespace> = Vec::new();
        for namespace in self.ancestors().flat_map(Node::own_namespaces) {
            if !in_scope.iter().any(|nearer| nearer.prefix == namespace.prefix) {
                in_scope.push(namespace);
            }
        }
        in_scope
    }

    fn own_namespaces(self) -> impl Iterator<Item = &'d Namespace<'t>> {
        let range = self.element().map(|element| element.namespaces.clone()).unwrap_or_default();
        self.document.namespaces.get(range).unwrap_or_default().iter()
    }

    pub(in crate::signature) fn parent(self) -> Option<Self> {
        (self.id.0 > 0).then(|| self.document.node(self.data.parent))?
    }

    pub(in crate::signature) fn first_child(self) -> Option<Self> {
        let first = self.id.0 + 1;
        (first < self.data.end).then(|| self.document.node(first))?
    }

    pub(in crate::signature) fn next_sibling(self) -> Option<Self> {
        let next = self.data.end;
        (next < self.parent()?.data.end).then(|| self.document.node(next))?
    }

    pub(in crate::signature) fn children(self) -> impl Iterator<Item = Self> {
        let mut next = self.id.0 + 1;
        std::iter::from_fn(move || {
            let child = (next < self.data.end).then(|| self.document.node(next))??;
            next = child.data.end;
            Some(child)
        })
    }

    /// From the node itself up to the document node.
    pub(in crate::signature) fn ancestors(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), |node| node.parent())
    }
}

impl PartialEq for Node<'_, '_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.data, other.data)
    }
}

impl fmt::Debug for Node<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} <{}>", self.id, self.name().qualified)
    }
}

impl<'d, 't> Attribute<'d, 't> {
    pub(in crate::signature) fn name(&self) -> Name<'t> {
        self.data.name
    }

    /// Empty where it has none.
    pub(in crate::signature) fn namespace(&self) -> &'d str {
        self.document.uri(self.data.namespace)
    }

    /// Normalised (XML 1.0 §3.3.3).
    pub(in crate::signature) fn value(&self) -> &'d str {
        &self.data.value
    }

    /// The attribute with the space before it, where it is written ` name="value"` with a value in which nothing is
    /// escaped or normalised: its canonical form.
    pub(in crate::signature) fn written(&self) -> Option<&'t str> {
        self.data.written
    }
}
