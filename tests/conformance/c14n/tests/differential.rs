//! Canonical XML against libxml2 over generated documents: every method, whole and by id, byte for byte.

use std::fmt::Write;
use std::sync::{LazyLock, Mutex};

use conformance::{Oracle, Query};
use hpki_agent::signature::Method;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

/// Documents compared, twelve outputs each; `HPKI_AGENT_DIFFERENTIAL_CASES` overrides it.
const CASES: u32 = 2_000;
const CASES_VARIABLE: &str = "HPKI_AGENT_DIFFERENTIAL_CASES";

const PREFIXES: [&str; 4] = ["", "a", "b", "c"];
const NAMES: [&str; 4] = ["x", "y", "z", "PrescriptionDocument"];
/// Name-space names, the empty one first; absolute, because canonical XML is not defined over relative ones; without `&`,
/// which libxml2 writes unescaped there.
const NAMESPACES: [&str; 4] = ["", "urn:one", "urn:two", "http://localhost/three"];
/// Inherited by C14N 1.0 and (but for `xml:id`, which carries the target here) 1.1, ignored by exclusive.
const XML_ATTRIBUTES: [(&str, &str); 5] =
    [("lang", "ja"), ("space", "preserve"), ("lang", "en"), ("base", "http://localhost/a/"), ("base", "b/c")];
/// Pieces of character data, as they may stand in a file.
const TEXTS: [&str; 14] = [
    "text",
    "処方　箋",
    " ",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "&#13;",
    "&amp;&lt;&gt;",
    "&#x9;&#xA;",
    ">",
    "\"'",
    "&#x1F48A;",
    "💊",
];
/// Pieces that are no character data.
const MARKUP: [&str; 6] = [
    "<!---->",
    "<!-- a comment\r\n of two lines -->",
    "<?pi?>",
    "<?pi  some data ?>",
    "<![CDATA[<&>\r\n]]>",
    "<![CDATA[]]>",
];
/// Pieces of attribute values; the quote is `"`.
const VALUES: [&str; 11] =
    ["v", "値", " ", "\n", "\r\n", "\t", "&#9;&#10;&#13;", "&quot;&apos;'", "&amp;&lt;", ">", "&#x20;&#x20;"];

#[derive(Debug, Clone)]
enum Node {
    Element(Element),
    Text(usize),
    Markup(usize),
}

#[derive(Debug, Clone)]
struct Element {
    prefix: usize,
    name: usize,
    declarations: Vec<(usize, usize)>,
    attributes: Vec<(usize, usize, Vec<usize>)>,
    xml_attribute: Option<usize>,
    children: Vec<Node>,
    spaced: bool,
}

fn element(children: impl Strategy<Value = Vec<Node>>) -> impl Strategy<Value = Element> {
    let declarations = prop::collection::vec((0..PREFIXES.len(), 0..NAMESPACES.len()), 0..4);
    let value = prop::collection::vec(0..VALUES.len(), 0..4);
    let attributes = prop::collection::vec((0..PREFIXES.len(), 0..NAMES.len(), value), 0..4);
    let xml_attribute = prop::option::weighted(0.2, 0..XML_ATTRIBUTES.len());
    (0..PREFIXES.len(), 0..NAMES.len(), declarations, attributes, xml_attribute, children, any::<bool>())
        .prop_map(|(prefix, name, declarations, attributes, xml_attribute, children, spaced)| Element {
            prefix,
            name,
            declarations,
            attributes,
            xml_attribute,
            children,
            spaced,
        })
}

fn tree() -> impl Strategy<Value = Element> {
    let leaf = prop_oneof![
        3 => (0..TEXTS.len()).prop_map(Node::Text),
        2 => (0..MARKUP.len()).prop_map(Node::Markup),
        2 => element(Just(Vec::new())).prop_map(Node::Element),
    ];
    let node = leaf.prop_recursive(6, 40, 5, |inner| {
        element(prop::collection::vec(inner, 0..5)).prop_map(Node::Element)
    });
    element(prop::collection::vec(node, 0..5))
}

/// Writes a tree as a well-formed document; the `target`-th element, counted from the root, carries the id.
struct Writer {
    out: String,
    target: usize,
    written: usize,
}

impl Writer {
    fn element(&mut self, element: &Element, outer: [usize; 4]) {
        let mut scope = outer;
        let mut declared = [false; 4];
        for &(prefix, namespace) in &element.declarations {
            // A prefix cannot be undeclared (Namespaces in XML 1.0, 2.2), nor declared twice on one element.
            if !declared[prefix] && (prefix == 0 || namespace != 0) {
                (declared[prefix], scope[prefix]) = (true, namespace);
            }
        }
        let used = element.attributes.iter().map(|attribute| attribute.0).chain([element.prefix]);
        for prefix in used {
            if prefix != 0 && scope[prefix] == 0 {
                (declared[prefix], scope[prefix]) = (true, 1);
            }
        }

        let name = qualified(element.prefix, element.name);
        let space = if element.spaced { "\n  " } else { " " };
        write!(self.out, "<{name}").expect("a String takes all");
        for prefix in (0..4).filter(|&prefix| declared[prefix]) {
            let colon = if prefix == 0 { "" } else { ":" };
            write!(self.out, "{space}xmlns{colon}{}=\"{}\"", PREFIXES[prefix], NAMESPACES[scope[prefix]])
                .expect("a String takes all");
        }
        let mut seen = Vec::new();
        for (prefix, local, value) in &element.attributes {
            let namespace = if *prefix == 0 { 0 } else { scope[*prefix] };
            if !seen.contains(&(namespace, local)) {
                seen.push((namespace, local));
                let value: String = value.iter().map(|&piece| VALUES[piece]).collect();
                write!(self.out, "{space}{}=\"{value}\"", qualified(*prefix, *local))
                    .expect("a String takes all");
            }
        }
        if let Some((local, value)) = element.xml_attribute.map(|index| XML_ATTRIBUTES[index]) {
            write!(self.out, "{space}xml:{local}='{value}'").expect("a String takes all");
        }
        if self.written == self.target {
            write!(self.out, "{space}Id='target'").expect("a String takes all");
        }
        self.written += 1;
        if element.children.is_empty() && element.spaced {
            self.out.push_str(" />");
            return;
        }
        self.out.push('>');
        for child in &element.children {
            match child {
                Node::Element(child) => self.element(child, scope),
                Node::Text(index) => self.out.push_str(TEXTS[*index]),
                Node::Markup(index) => self.out.push_str(MARKUP[*index]),
            }
        }
        write!(self.out, "</{name}>").expect("a String takes all");
    }
}

fn qualified(prefix: usize, name: usize) -> String {
    let colon = if prefix == 0 { "" } else { ":" };
    format!("{}{colon}{}", PREFIXES[prefix], NAMES[name])
}

fn count(element: &Element) -> usize {
    let below = |node: &Node| if let Node::Element(element) = node { count(element) } else { 0 };
    1 + element.children.iter().map(below).sum::<usize>()
}

/// A whole document: perhaps a declaration, comments and instructions around the root, and one element with the id `target`.
fn document() -> impl Strategy<Value = String> {
    let around = || prop::collection::vec(0..4_usize, 0..3);
    (tree(), any::<prop::sample::Index>(), any::<bool>(), around(), around()).prop_map(
        |(root, target, declaration, before, after)| {
            let target = target.index(count(&root));
            let mut writer = Writer { out: String::new(), target, written: 0 };
            if declaration {
                writer.out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n");
            }
            for piece in before {
                writer.out.push_str(MARKUP[piece]);
            }
            writer.element(&root, [0; 4]);
            for piece in after {
                writer.out.push_str(MARKUP[piece]);
            }
            writer.out
        },
    )
}

static ORACLE: LazyLock<Mutex<Oracle>> = LazyLock::new(|| Mutex::new(Oracle::start()));

fn cases() -> u32 {
    std::env::var(CASES_VARIABLE).map_or(CASES, |text| text.parse().expect("a number of documents"))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: cases(),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/differential.regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_generated_document_has_the_canonical_bytes_of_libxml2(
        xml in document(),
        listed in prop::sample::subsequence(vec!["a", "b", "#default"], 0..=3),
    ) {
        let mut queries = Vec::new();
        for method in [Method::Inclusive10, Method::Inclusive11, Method::Exclusive] {
            let prefixes = if matches!(method, Method::Exclusive) { listed.as_slice() } else { &[] };
            for with_comments in [false, true] {
                for id in [None, Some("target")] {
                    queries.push(Query { method, with_comments, prefixes, id });
                }
            }
        }
        let expected = ORACLE.lock().expect("no other test has failed").canonicalize(xml.as_bytes(), &queries);
        let expected = expected.expect("generated documents are well-formed");
        for (query, expected) in queries.iter().zip(expected) {
            let expected = expected.expect("libxml2 canonicalises every generated document");
            let ours = query.ours(xml.as_bytes());
            let ours = ours.as_deref().map(String::from_utf8_lossy).map_err(ToString::to_string);
            prop_assert_eq!(ours, Ok(String::from_utf8_lossy(&expected)), "{:?}", query);
        }
    }
}
