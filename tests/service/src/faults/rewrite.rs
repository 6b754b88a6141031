//! Changes to the JSON of an answer: other shapes that providers give it, and signatures that are not right.

use crate::signer::{Signer, SoftwareSigner};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;

/// Members that may be absent, by the object that holds them (CSC v2.2 11.1, 11.5, 11.9; RFC 6749 5.1).
const OPTIONAL: [(&str, &[&str]); 4] = [
    (
        "",
        &[
            "description",
            "signatureQualifier",
            "lang",
            "responseID",
            "refresh_token",
            "scope",
            "oauth2",
            "expires_at",
            "asynchronousOperationMode",
            "tries_left",
        ],
    ),
    ("/key", &["curve"]),
    ("/cert", &["issuerDN", "status"]),
    ("/auth", &["expression", "objects"]),
];

/// A change to the JSON of an answer, made in view of the request's.
#[derive(Clone)]
pub struct Rewrite(Arc<Change>);

type Change = dyn Fn(&Value, &mut Value) + Send + Sync;

impl Rewrite {
    /// `change` gets the request's JSON (`null` when it has none) and the answer's.
    pub fn new(change: impl Fn(&Value, &mut Value) + Send + Sync + 'static) -> Self {
        Self(Arc::new(change))
    }

    pub(super) fn apply(&self, request: &Value, answer: &mut Value) {
        (self.0)(request, answer);
    }

    pub(super) fn nulls() -> Self {
        Self::new(|_, answer| {
            for (object, names) in OPTIONAL {
                let Some(object) = answer.pointer_mut(object).and_then(Value::as_object_mut) else {
                    continue;
                };
                for name in names {
                    object.insert((*name).to_owned(), Value::Null);
                }
            }
        })
    }

    pub(super) fn signatures(spoilt: Spoilt) -> Self {
        Self::new(move |request, answer| {
            if let Some(signatures) = answer["signatures"].as_array_mut() {
                spoilt.spoil(request, signatures);
            }
        })
    }
}

impl fmt::Debug for Rewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rewrite")
    }
}

/// What is wrong with the signatures of an answer. The ledger holds what was made, not this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoilt {
    /// All right, in the reverse order.
    Reversed,
    /// One bit of the last value is wrong.
    Wrong,
    /// Made over the right hashes by a key that nobody knows (`signHash` only, whose request names the hashes).
    Foreign,
    /// The last is missing.
    Missing,
    /// The last stands twice.
    Surplus,
}

impl Spoilt {
    fn spoil(self, request: &Value, signatures: &mut Vec<Value>) {
        match self {
            Self::Reversed => signatures.reverse(),
            Self::Missing => drop(signatures.pop()),
            Self::Surplus => signatures.extend(signatures.last().cloned()),
            Self::Wrong => {
                let Some(last) = signatures.last_mut() else { return };
                let mut value = BASE64.decode(last.as_str().unwrap_or_default()).unwrap_or_default();
                if let Some(byte) = value.last_mut() {
                    *byte ^= 1;
                }
                *last = json!(BASE64.encode(value));
            }
            Self::Foreign => {
                if let Some(foreign) = foreign_signatures(request) {
                    *signatures = foreign;
                }
            }
        }
    }
}

fn foreign_signatures(request: &Value) -> Option<Vec<Value>> {
    let digests: Option<Vec<[u8; 32]>> = request["hashes"]
        .as_array()?
        .iter()
        .map(|hash| BASE64.decode(hash.as_str()?).ok()?.try_into().ok())
        .collect();
    let key = SoftwareSigner.generate().ok()?;
    let values = SoftwareSigner.sign_digests(&key.handle, &digests?).ok()?;
    Some(values.iter().map(|value| json!(BASE64.encode(value))).collect())
}
