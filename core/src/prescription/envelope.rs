//! The XML envelope, read strictly: only what an e-prescription is known to have, each thing once and in its place, so
//! that the one document inside is what will be signed and shown. Also writes the envelope around a bare CSV.

use std::{collections::HashSet, ops::Range};

use base64::{Engine, engine::general_purpose::STANDARD};
use roxmltree::{Document, Node, ParsingOptions};

use super::{
    look_alike::LookAlike,
    violation::{self as rule, Rule, Violation},
};

/// A signed prescription at XAdES-A has some 200 nodes, a CDA document a few thousand.
const MAX_NODES: u32 = 20_000;
/// Document/Prescription/PrescriptionSign/Signature and XAdES below it reach 16.
const MAX_DEPTH: usize = 64;
/// The longest start tag of an envelope has 150 bytes. Bounds the attributes that are compared with each other.
const MAX_TAG_BYTES: usize = 1_024;

/// The Id that the signature will have.
const SIGNATURE_ID: &str = "PrescriptionSign";
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const XMLDSIG: &str = "http://www.w3.org/2000/09/xmldsig#";

const BEFORE_DOCUMENT: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
    <Document xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" id=\"Document\" \
    xsi:noNamespaceSchemaLocation=\"EP.xsd\"><Prescription>\
    <PrescriptionManagement id=\"PrescriptionManagement\"><Version Value=\"EPS1.0\"/></PrescriptionManagement>";
const DOCUMENT_START: &str = "<PrescriptionDocument id=\"PrescriptionDocument\">";
const DOCUMENT_END: &str = "</PrescriptionDocument>";
const AFTER_DOCUMENT: &str = "</Prescription></Document>";

/// Where the parts that matter to a signer lie in the envelope, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The element `PrescriptionDocument`, tags included.
    pub(super) document: Range<usize>,
    /// What `PrescriptionSign` replaces.
    pub(super) signature: Range<usize>,
}

/// Writes the envelope around a CSV, as clinics' systems expect it: one line, no PrescriptionId, unbroken base64.
pub(super) fn wrap(csv: &str) -> (Vec<u8>, Layout) {
    let body = STANDARD.encode(csv);
    let start = BEFORE_DOCUMENT.len();
    let end = start + DOCUMENT_START.len() + body.len() + DOCUMENT_END.len();
    let envelope = [BEFORE_DOCUMENT, DOCUMENT_START, &body, DOCUMENT_END, AFTER_DOCUMENT].concat();
    (envelope.into_bytes(), Layout { document: start..end, signature: end..end })
}

/// What an XML file turned out to be.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) look_alike: Option<LookAlike>,
    pub(super) layout: Option<Layout>,
    pub(super) csv: Option<Vec<u8>>,
}

/// Reads an XML file.
pub(super) fn read(text: &str, violations: &mut Vec<Violation>) -> Reading {
    let mut reader = Reader { text, violations, reading: Reading::default() };
    if reader.has_nameless_prefix() {
        reader.report(&rule::XML_BROKEN);
        return reader.reading;
    }
    if reader.has_long_tag() {
        reader.report(&rule::XML_TOO_COMPLEX);
        return reader.reading;
    }
    // The default refuses a DOCTYPE declaration
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    match Document::parse_with_options(text, options) {
        Ok(document) => reader.document(&document),
        Err(roxmltree::Error::DtdDetected) => reader.report(&rule::XML_DTD),
        Err(roxmltree::Error::NodesLimitReached) => reader.report(&rule::XML_TOO_COMPLEX),
        Err(_) => reader.report(&rule::XML_BROKEN),
    }
    reader.reading
}

struct Reader<'t, 'v> {
    text: &'t str,
    violations: &'v mut Vec<Violation>,
    reading: Reading,
}

impl Reader<'_, '_> {
    /// Reports a rule once, however often the envelope breaks it: an envelope has no lines to tell places apart.
    fn report(&mut self, rule: &Rule) {
        let violation = rule.in_file();
        if !self.violations.contains(&violation) {
            self.violations.push(violation);
        }
    }

    /// Whether an element's name begins with a colon: the parser would read on as if it did not (Namespaces in XML 1.0 §4).
    fn has_nameless_prefix(&self) -> bool {
        self.text.split('<').skip(1).any(|after| after.starts_with(':') || after.starts_with("/:"))
    }

    fn has_long_tag(&self) -> bool {
        self.text.split('<').skip(1).any(|after| {
            let head = after.as_bytes().get(..MAX_TAG_BYTES).unwrap_or_default();
            !after.starts_with(['!', '?']) && !head.is_empty() && !head.contains(&b'>')
        })
    }

    fn document(&mut self, document: &Document<'_>) {
        let root = document.root_element();
        let look_alike =
            LookAlike::of_root(root.tag_name().name(), root.tag_name().namespace().unwrap_or_default());
        if look_alike.is_some() {
            self.reading.look_alike = look_alike;
            return;
        }
        let schema = root.attribute((XSI, "noNamespaceSchemaLocation"));
        if schema == Some("ED.xsd") || root.children().any(|child| child.has_tag_name("Dispensing")) {
            self.reading.look_alike = Some(LookAlike::Dispensing);
            return;
        }
        self.everywhere(document);
        self.declaration();
        self.attributes(root, &[("id", "Document")]);
        match schema {
            None => self.report(&rule::SCHEMA_LOCATION),
            Some("EP.xsd") => {}
            Some(_) => self.report(&rule::XML_UNEXPECTED),
        }
        match self.children(root, &["Prescription"]).as_slice() {
            [Some(prescription)] => self.prescription(*prescription),
            _ => self.report(&rule::XML_MISSING),
        }
    }

    /// What must hold of every node: no comment, no processing instruction, no foreign namespace in scope, no id twice
    /// (that of the signature to come included), no signature, and one document, under whatever element.
    fn everywhere(&mut self, document: &Document<'_>) {
        let mut ids = HashSet::from([SIGNATURE_ID]);
        let is_document = |node: &Node| node.tag_name().name() == "PrescriptionDocument";
        if document.descendants().filter(is_document).nth(1).is_some() {
            self.report(&rule::XML_DUPLICATE);
        }
        for node in document.descendants() {
            if node.is_comment() || node.is_pi() {
                self.report(&rule::XML_UNEXPECTED);
            }
            if node.ancestors().nth(MAX_DEPTH).is_some() {
                self.report(&rule::XML_TOO_COMPLEX);
            }
            for attribute in node.attributes().filter(|a| a.name().eq_ignore_ascii_case("id")) {
                if !ids.insert(attribute.value()) {
                    self.report(&rule::XML_DUPLICATE);
                }
            }
            if node.has_tag_name((XMLDSIG, "Signature")) {
                self.reading.look_alike = Some(LookAlike::Signed);
            }
        }
    }

    fn declaration(&mut self) {
        let Some((declaration, _)) = self.text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"))
        else {
            return;
        };
        let value = |name| declaration.split_once(name).map(|(_, after)| after.split(['"', '\'']).nth(1));
        if value("encoding").is_some_and(|name| !name.is_some_and(|name| name.eq_ignore_ascii_case("UTF-8")))
        {
            self.report(&rule::XML_ENCODING);
        }
        // Version 1.1 takes other characters for line ends.
        if value("version") != Some(Some("1.0")) {
            self.report(&rule::XML_UNEXPECTED);
        }
    }

    fn prescription(&mut self, prescription: Node<'_, '_>) {
        self.attributes(prescription, &[]);
        let names = [
            "PrescriptionManagement",
            "PrescriptionDocument",
            "AdditionalPrescriptionInformation",
            "PrescriptionSign",
        ];
        let children = self.children(prescription, &names);
        let [management, document, additional, sign] = children.as_slice() else { return };
        match management {
            Some(management) => self.management(*management),
            None => self.report(&rule::XML_MISSING),
        }
        if additional.is_some() {
            self.report(&rule::NOT_SIGNED_INFORMATION);
        }
        if let Some(sign) = sign {
            self.attributes(*sign, &[]);
            if sign.children().any(|child| child.is_element() || !is_space(child)) {
                self.reading.look_alike = Some(LookAlike::Signed);
            }
        }
        let Some(document) = document else { return self.report(&rule::XML_MISSING) };
        self.body(*document);
        let range = prescription.range();
        let end_tag = self.text.get(range.clone()).and_then(|raw| raw.rfind("</")).map(|at| range.start + at);
        self.reading.layout = match (sign, end_tag) {
            (Some(sign), _) => Some(Layout { document: document.range(), signature: sign.range() }),
            (None, Some(at)) => Some(Layout { document: document.range(), signature: at..at }),
            (None, None) => None,
        };
    }

    fn management(&mut self, management: Node<'_, '_>) {
        self.attributes(management, &[("id", "PrescriptionManagement")]);
        let children = self.children(management, &["Version", "PrescriptionId"]);
        let [version, id] = children.as_slice() else { return };
        match version.and_then(|version| version.attribute("Value")) {
            Some("EPS1.0") => {}
            Some(_) => {
                self.report(&rule::VERSION);
                self.reading.look_alike.get_or_insert(LookAlike::WrongVersion);
            }
            None => self.report(&rule::XML_MISSING),
        }
        for leaf in [version, id].into_iter().flatten() {
            self.children(*leaf, &[]);
            if leaf.attributes().any(|attribute| attribute.name() != "Value") {
                self.report(&rule::XML_UNEXPECTED);
            }
        }
        if id.is_some() {
            self.report(&rule::NOT_SIGNED_ID);
        }
    }

    /// The one part that is signed: base64 and nothing else, down to the characters of the file.
    fn body(&mut self, document: Node<'_, '_>) {
        self.attributes(document, &[("id", "PrescriptionDocument")]);
        let raw = self.text.get(document.range()).unwrap_or_default();
        let content = raw
            .split_once('>')
            .and_then(|(_, rest)| rest.rsplit_once("</"))
            .map_or("", |(content, _)| content);
        // Strict base64 admits nothing but its own alphabet, so what decodes at once needs no further look
        if let Ok(csv) = STANDARD.decode(content) {
            self.reading.csv = Some(csv);
        } else if content.contains(['<', '&']) {
            self.report(&rule::XML_UNEXPECTED);
        } else if let Ok(csv) = STANDARD.decode(content.split_ascii_whitespace().collect::<String>()) {
            self.report(&rule::BASE64_SPACE);
            self.reading.csv = Some(csv);
        } else {
            self.report(&rule::BASE64);
        }
    }

    /// The named children, each at most once and in this order; white space between them, and nothing else.
    fn children<'n, 'd>(&mut self, parent: Node<'n, 'd>, names: &[&str]) -> Vec<Option<Node<'n, 'd>>> {
        let mut found = vec![None; names.len()];
        let mut last = 0;
        for child in parent.children() {
            if !child.is_element() {
                if !is_space(child) {
                    self.report(&rule::XML_UNEXPECTED);
                }
                continue;
            }
            let position = names.iter().position(|name| child.has_tag_name(*name) && is_plain(child));
            match position.and_then(|position| found.get_mut(position).map(|slot| (position, slot))) {
                None => self.report(&rule::XML_UNEXPECTED),
                Some((_, Some(_))) => self.report(&rule::XML_DUPLICATE),
                Some((position, slot)) => {
                    *slot = Some(child);
                    if position < last {
                        self.report(&rule::XML_ORDER);
                    }
                    last = position;
                }
            }
        }
        found
    }

    /// Exactly these attributes, spelt out without character references, and no namespace in scope but `xsi`.
    fn attributes(&mut self, node: Node<'_, '_>, expected: &[(&str, &str)]) {
        for attribute in node.attributes() {
            let schema =
                attribute.namespace() == Some(XSI) && attribute.name() == "noNamespaceSchemaLocation";
            if schema && node.has_tag_name("Document") {
                continue;
            }
            let raw = self.text.get(attribute.range_value());
            let begins_with_colon = self.text.get(attribute.range()).is_none_or(|raw| raw.starts_with(':'));
            let known = expected.iter().any(|(name, value)| attribute.name() == *name && raw == Some(*value));
            if !known || begins_with_colon || attribute.namespace().is_some() {
                self.report(&rule::XML_UNEXPECTED);
            }
        }
        if expected.iter().any(|(name, _)| node.attribute(*name).is_none()) {
            self.report(&rule::XML_MISSING);
        }
        if node.namespaces().any(|namespace| namespace.name() != Some("xsi") || namespace.uri() != XSI) {
            self.report(&rule::XML_NAMESPACE);
        }
    }
}

fn is_space(node: Node<'_, '_>) -> bool {
    node.is_text() && node.text().is_some_and(|text| text.trim_ascii().is_empty())
}

/// Whether an element is in no namespace, as all of an envelope is.
fn is_plain(node: Node<'_, '_>) -> bool {
    node.tag_name().namespace().is_none()
}
