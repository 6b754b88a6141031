//! What the service has seen.

use std::collections::{BTreeMap, BTreeSet};

use reference_service::Exchange;
use serde_json::Value;

/// Requests in the order in which they were made.
pub struct Wire(pub Vec<Exchange>);

impl Wire {
    /// `METHOD /path` of each, identifiers of registrations and prescriptions as `{id}`.
    pub fn lines(&self) -> Vec<String> {
        self.0.iter().map(line).collect()
    }

    /// Those after the first `count`.
    #[must_use]
    pub fn after(&self, count: usize) -> Self {
        Self(self.0.iter().skip(count).cloned().collect())
    }

    /// Those of one kind, as [`Wire::lines`] names it.
    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Exchange> {
        self.0.iter().filter(move |exchange| line(exchange) == kind)
    }

    /// Hashes that were sent to be signed, by the request that the approval names them for.
    ///
    /// # Panics
    /// When an approval has no such form.
    pub fn hashes_by_request(&self) -> BTreeMap<String, BTreeSet<String>> {
        let details = |exchange| Some(json(form(exchange).get("authorization_details")?.as_bytes()));
        let mut hashes = BTreeMap::<_, BTreeSet<_>>::new();
        for details in self.of("POST /token").filter_map(details) {
            for digest in details[0]["documentDigests"].as_array().unwrap() {
                let [label, hash] = ["label", "hash"].map(|name| digest[name].as_str().unwrap().to_owned());
                hashes.entry(label).or_default().insert(hash);
            }
        }
        hashes
    }

    /// Statuses of the answers to one kind.
    pub fn statuses(&self, kind: &str) -> Vec<Option<u16>> {
        self.of(kind).map(|exchange| exchange.status).collect()
    }
}

fn line(exchange: &Exchange) -> String {
    let path = exchange.target.split('?').next().unwrap_or_default();
    let path = match path.rsplit_once('/') {
        Some((folder @ ("/register" | "/prescriptions"), _)) => format!("{folder}/{{id}}"),
        _ => path.to_owned(),
    };
    format!("{} {path}", exchange.method)
}

/// The value of a header field of a request; `name` in lower case.
pub fn header<'a>(exchange: &'a Exchange, name: &str) -> Option<&'a str> {
    exchange.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

/// A JSON body.
///
/// # Panics
/// When it is none.
pub fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("a JSON body")
}

/// The parameters of a request's form (application/x-www-form-urlencoded).
///
/// # Panics
/// When its body is none.
pub fn form(exchange: &Exchange) -> BTreeMap<String, String> {
    let body = std::str::from_utf8(&exchange.body).expect("a form");
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (percent_decoded(name), percent_decoded(value))).collect()
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits: String = bytes.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&digits, 16).expect("two hexadecimal digits")
            }
            other => other,
        });
    }
    String::from_utf8(decoded).expect("UTF-8")
}
