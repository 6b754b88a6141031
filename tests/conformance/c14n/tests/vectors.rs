//! Canonical XML against published vectors: the digest in every usable Reference, every SignedInfo, and every file as a whole.
//!
//! A Reference whose digest nobody reproduces (files altered on purpose, and digest methods that ring lacks) passes when our
//! bytes are libxml2's; how many these are is printed. A refusal is right only where the file itself shows the restriction (a DTD, another encoding than UTF-8), or libxml2 has no result either.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use conformance::{Oracle, Query, vectors};
use hpki_agent::signature::{Method, XmlError};
use ring::digest;
use roxmltree::{Node, ParsingOptions};

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/// Stands on a SignedInfo for one call, so that it can be named.
const MARK: &str = " Id=\"the-signed-info\"";

/// What became of the cases of one set.
#[derive(Default)]
struct Tally {
    passed: usize,
    only_agreed: usize,
    refused: BTreeMap<String, usize>,
    unusable: BTreeMap<&'static str, usize>,
    failed: Vec<String>,
}

impl Tally {
    fn cases(&self) -> usize {
        self.passed + self.refused.values().sum::<usize>() + self.failed.len()
    }
}

#[derive(Default)]
struct Report(BTreeMap<String, Tally>);

impl Report {
    /// Prints a line per set and fails on any failure, or on having had nothing to do.
    fn conclude(self, kind: &str) {
        for (set, tally) in &self.0 {
            println!(
                "{kind}, {set}: {} cases, {} passed ({} of them by libxml2's bytes alone), {} failed; \
                 refused by restriction {:?}; not usable {:?}",
                tally.cases(),
                tally.passed,
                tally.only_agreed,
                tally.failed.len(),
                tally.refused,
                tally.unusable
            );
        }
        let failed: Vec<&String> = self.0.values().flat_map(|tally| &tally.failed).collect();
        assert!(failed.is_empty(), "{failed:#?}");
        assert!(self.0.values().any(|tally| tally.passed > 0), "no {kind} could be checked");
    }
}

/// One set's name and every XML file in it.
fn files() -> Vec<(String, PathBuf)> {
    let root = vectors();
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the vectors are readable") {
            let path = entry.expect("the vectors are readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "xml") {
                let set = path.strip_prefix(&root).expect("it lies below").iter().take(2);
                found.push((set.map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/"), path));
            }
        }
    }
    found.sort();
    found
}

/// Why a refusal is right, seen in the file itself.
fn restriction(xml: &[u8], refusal: XmlError) -> Option<&'static str> {
    let head = String::from_utf8_lossy(&xml[..xml.len().min(200)]).to_lowercase();
    let declared = head.split("encoding=").nth(1).map(|rest| &rest[1..6]);
    match refusal {
        XmlError::Dtd if xml.windows(9).any(|window| window == b"<!DOCTYPE") => Some("DTD"),
        XmlError::NotUtf8 if std::str::from_utf8(xml).is_err() => Some("not UTF-8"),
        XmlError::Declaration if declared.is_some_and(|encoding| encoding != "utf-8") => Some("not UTF-8"),
        _ => None,
    }
}

/// Compares one canonicalisation: `expected` is libxml2's, `digest` tells whether bytes are those that the file's author had.
fn judge(
    tally: &mut Tally,
    case: &str,
    xml: &[u8],
    ours: Result<Vec<u8>, XmlError>,
    expected: Option<&[u8]>,
    digest: Option<&Digest>,
) {
    match ours {
        Ok(_) if expected.is_none() && digest.is_none() => {
            *tally.unusable.entry("libxml2 has no result").or_default() += 1;
        }
        Ok(ours) if digest.is_some_and(|digest| digest.is_of(&ours)) => tally.passed += 1,
        Ok(ours) if Some(ours.as_slice()) == expected => {
            tally.passed += 1;
            tally.only_agreed += 1;
        }
        Ok(_) => tally.failed.push(format!("{case}: other bytes than libxml2's")),
        Err(refusal) => match restriction(xml, refusal) {
            Some(reason) => *tally.refused.entry(reason.into()).or_default() += 1,
            None if expected.is_none() => *tally.refused.entry(refusal.to_string()).or_default() += 1,
            None => tally.failed.push(format!("{case}: refused, {refusal}")),
        },
    }
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name((DS, name)))
}

fn method(algorithm: &str) -> Option<(Method, bool)> {
    let (name, comments) = algorithm.split_once('#').unwrap_or((algorithm, ""));
    let method = match name {
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315" => Method::Inclusive10,
        "http://www.w3.org/2006/12/xml-c14n11" => Method::Inclusive11,
        "http://www.w3.org/2001/10/xml-exc-c14n" => Method::Exclusive,
        _ => return None,
    };
    Some((method, comments == "WithComments"))
}

fn prefixes<'a>(transform: Node<'a, '_>) -> Vec<&'a str> {
    let list = transform.children().find_map(|child| child.attribute("PrefixList"));
    list.map(|list| list.split_ascii_whitespace().collect()).unwrap_or_default()
}

/// What a Reference covers, where canonical XML alone makes it: a document, perhaps without the Signature, and the query.
struct Covered<'a> {
    xml: Vec<u8>,
    id: Option<&'a str>,
    method: Method,
    with_comments: bool,
    prefixes: Vec<&'a str>,
}

fn covered<'a>(reference: Node<'a, '_>, xml: &str) -> Result<Covered<'a>, &'static str> {
    let uri = reference.attribute("URI").ok_or("no URI")?;
    let xpointer = |rest: &'a str| rest.strip_prefix("id('").and_then(|rest| rest.strip_suffix("')"));
    // XMLDSig 4.4.3.3: a bare name or an empty URI selects without comments, an XPointer with them
    let (id, keeps_comments) = match uri.strip_prefix('#') {
        _ if uri.is_empty() => (None, false),
        None => return Err("another document"),
        Some(fragment) => match fragment.strip_prefix("xpointer(").and_then(|rest| rest.strip_suffix(')')) {
            None => (Some(fragment), false),
            Some("/") => (None, true),
            Some(rest) => (Some(xpointer(rest).ok_or("another XPointer")?), true),
        },
    };

    let (mut source, mut form) = (xml.as_bytes().to_vec(), None);
    for transform in child(reference, "Transforms").iter().flat_map(Node::children).filter(Node::is_element) {
        match transform.attribute("Algorithm").unwrap_or_default() {
            _ if form.is_some() => return Err("several transforms"),
            ENVELOPED => {
                let signature = reference.ancestors().find(|node| node.has_tag_name((DS, "Signature")));
                let place = signature.ok_or("no Signature around it")?.range();
                source = [&xml[..place.start], &xml[place.end..]].concat().into_bytes();
            }
            algorithm => form = Some((method(algorithm).ok_or("another transform")?, prefixes(transform))),
        }
    }
    let ((method, asked), prefixes) = form.unwrap_or(((Method::Inclusive10, false), Vec::new()));
    Ok(Covered { xml: source, id, method, with_comments: asked && keeps_comments, prefixes })
}

/// A Reference's DigestMethod and DigestValue, where ring knows the method.
struct Digest {
    algorithm: &'static digest::Algorithm,
    value: Vec<u8>,
}

impl Digest {
    fn of(reference: Node) -> Option<Self> {
        let algorithm = match child(reference, "DigestMethod")?.attribute("Algorithm")? {
            "http://www.w3.org/2000/09/xmldsig#sha1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            "http://www.w3.org/2001/04/xmlenc#sha256" => &digest::SHA256,
            "http://www.w3.org/2001/04/xmldsig-more#sha384" => &digest::SHA384,
            "http://www.w3.org/2001/04/xmlenc#sha512" => &digest::SHA512,
            _ => return None,
        };
        let text: String = child(reference, "DigestValue")?.text()?.split_ascii_whitespace().collect();
        Some(Self { algorithm, value: STANDARD.decode(text).ok()? })
    }

    fn is_of(&self, bytes: &[u8]) -> bool {
        digest::digest(self.algorithm, bytes).as_ref() == self.value
    }
}

fn parse(xml: &str) -> Option<roxmltree::Document<'_>> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    roxmltree::Document::parse_with_options(xml, options).ok()
}

#[test]
fn every_reference_made_by_canonical_xml_alone_has_its_digest() {
    let (mut report, mut oracle, mut digests) = (Report::default(), Oracle::start(), 0);
    for (set, file) in files() {
        let Ok(xml) = fs::read_to_string(&file) else { continue };
        let Some(document) = parse(&xml) else { continue };
        let tally = report.0.entry(set).or_default();
        for reference in document.descendants().filter(|node| node.has_tag_name((DS, "Reference"))) {
            let covered = match covered(reference, &xml) {
                Ok(covered) => covered,
                Err(reason) => {
                    *tally.unusable.entry(reason).or_default() += 1;
                    continue;
                }
            };
            let Covered { xml, id, method, with_comments, prefixes } = &covered;
            let query = Query { method: *method, with_comments: *with_comments, prefixes, id: *id };
            let expected = oracle.canonicalize(xml, &[query]).and_then(|mut outputs| outputs.remove(0));
            let digest = Digest::of(reference);
            let ours = query.ours(xml);
            digests += usize::from(
                ours.as_ref().is_ok_and(|ours| digest.as_ref().is_some_and(|digest| digest.is_of(ours))),
            );
            let case = format!("{} {:?}", file.display(), reference.attribute("URI"));
            judge(tally, &case, xml, ours, expected.as_deref(), digest.as_ref());
        }
    }
    println!("{digests} digests in the files themselves reproduced");
    report.conclude("References");
}

#[test]
fn every_signed_info_has_the_canonical_bytes_of_libxml2() {
    let (mut report, mut oracle) = (Report::default(), Oracle::start());
    for (set, file) in files() {
        let Ok(xml) = fs::read_to_string(&file) else { continue };
        let Some(document) = parse(&xml) else { continue };
        let tally = report.0.entry(set).or_default();
        for info in document.descendants().filter(|node| node.has_tag_name((DS, "SignedInfo"))) {
            let canonicalization = child(info, "CanonicalizationMethod").expect("a SignedInfo has one");
            let Some((method, with_comments)) = canonicalization.attribute("Algorithm").and_then(method)
            else {
                *tally.unusable.entry("another canonicalization").or_default() += 1;
                continue;
            };
            // Where it has an Id of its own that serves; else one is lent and taken out of the result.
            let lent = info.attributes().all(|attribute| !attribute.name().eq_ignore_ascii_case("id"));
            let at =
                xml[info.range().start..].find(|c: char| c.is_whitespace() || c == '>').expect("a tag ends");
            let (before, after) = xml.split_at(info.range().start + at);
            let marked = if lent { format!("{before}{MARK}{after}") } else { xml.clone() };
            let id =
                if lent { "the-signed-info" } else { info.attribute("Id").expect("xmldsig's own spelling") };
            let query = Query { method, with_comments, prefixes: &prefixes(canonicalization), id: Some(id) };
            let without = |bytes: Vec<u8>| {
                String::from_utf8(bytes)
                    .expect("canonical XML is UTF-8")
                    .replacen(MARK, "", usize::from(lent))
                    .into_bytes()
            };
            let expected =
                oracle.canonicalize(marked.as_bytes(), &[query]).and_then(|mut outputs| outputs.remove(0));
            let expected = expected.map(without);
            let ours = query.ours(marked.as_bytes()).map(without);
            judge(tally, &file.display().to_string(), marked.as_bytes(), ours, expected.as_deref(), None);
        }
    }
    report.conclude("SignedInfo");
}

#[test]
fn every_file_as_a_whole_has_the_canonical_bytes_of_libxml2() {
    let (mut report, mut oracle) = (Report::default(), Oracle::start());
    for (set, file) in files() {
        let xml = fs::read(&file).expect("the vectors are readable");
        let tally = report.0.entry(set).or_default();
        let ways = [Method::Inclusive10, Method::Inclusive11, Method::Exclusive];
        let queries: Vec<Query> = ways
            .into_iter()
            .flat_map(|method| {
                [false, true].map(|with_comments| Query { method, with_comments, prefixes: &[], id: None })
            })
            .collect();
        let expected = oracle.canonicalize(&xml, &queries).unwrap_or_else(|| vec![None; queries.len()]);
        for (query, expected) in queries.iter().zip(expected) {
            let case = format!("{} {query:?}", file.display());
            judge(tally, &case, &xml, query.ours(&xml), expected.as_deref(), None);
        }
    }
    report.conclude("files");
}
