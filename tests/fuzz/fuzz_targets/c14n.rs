//! Canonical XML: what is canonical stays as it is, and libxml2 reads the document too and writes the same bytes.

#![no_main]

use std::{collections::HashSet, sync::LazyLock};

use fuzz::libxml2::{Form, Libxml2};
use hpki_agent::signature::{Method, canonicalize};
use libfuzzer_sys::fuzz_target;

/// The id of the element that is canonicalised alone.
const ID: &str = "x";

fuzz_target!(|data: &[u8]| {
    static LIBXML2: LazyLock<Libxml2> = LazyLock::new(|| Libxml2::load().expect("libxml2, to compare with"));
    let whole = |method, with_comments| canonicalize(data, None, method, with_comments, &[]);
    let Ok(first) = whole(Method::Inclusive10, true) else { return };
    let mut forms = Vec::new();
    for method in [Method::Inclusive10, Method::Inclusive11, Method::Exclusive] {
        for with_comments in [true, false] {
            for id in [None, Some(ID)] {
                forms.push(Form { id, method, with_comments });
            }
        }
    }
    let ours: Vec<_> = forms
        .iter()
        .map(|form| canonicalize(data, form.id, form.method, form.with_comments, &[]).ok())
        .collect();
    for (form, canonical) in forms.iter().zip(&ours) {
        let Some(canonical) = canonical else {
            assert!(form.id.is_some(), "what has one canonical form has every");
            continue;
        };
        let again = canonicalize(canonical, None, form.method, form.with_comments, &[])
            .expect("canonical XML is XML");
        assert_eq!(text(&again), text(canonical), "{form:?} is not its own canonical form");
    }
    assert!(first.len() <= data.len() * EXPANDS, "{} bytes from {}", first.len(), data.len());

    if !is_comparable(&first) {
        return;
    }
    let theirs = LIBXML2.canonicalize(data, &forms).expect("libxml2 reads what is read here");
    for ((form, ours), theirs) in forms.iter().zip(&ours).zip(&theirs) {
        if let (Some(ours), Some(theirs)) = (ours, theirs) {
            assert_eq!(text(ours), text(theirs), "{form:?}");
        }
    }
});

/// The most that canonical XML is longer than the text that it was made of: a tab in an attribute becomes `&#x9;`, and
/// `<a/>`, `<a></a>`.
const EXPANDS: usize = 8;

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Where the specifications, or libxml2, leave it open what is canonical: namespace names that are relative, which canonical
/// XML is not defined over, or hold characters that libxml2 does not escape; `xml:base`, which libxml2 joins by rules of its own.
fn is_comparable(canonical: &[u8]) -> bool {
    let text = text(canonical);
    let names: HashSet<&str> =
        text.split(" xmlns").skip(1).filter_map(|after| after.split('"').nth(1)).collect();
    let is_plain = |name: &&str| {
        let absolute = name.is_empty() || name.starts_with("urn:") || name.starts_with("http://");
        absolute && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":/.-#".contains(&byte))
    };
    names.iter().all(is_plain) && !text.contains("xml:base") && !text.contains("xml:id")
}
