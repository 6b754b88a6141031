//! What can be recorded: digests, codes and identifiers only.

use std::fmt;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::TamperingKind;
use crate::jose::UniqueMembers;

/// The longest code, in bytes.
const MAX_CODE: usize = 64;
/// The longest identifier, in bytes.
const MAX_IDENTIFIER: usize = 256;

/// A text or an event that has no place in the journal.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
#[error("not a code, an identifier or an event that the journal takes")]
pub struct NotAllowed;

/// SHA-256 of something, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    pub(super) const ZERO: Self = Self([0; 32]);

    /// Of these bytes. Request identifiers are recorded so: a service may have made them from a patient's number.
    pub fn of(bytes: &[u8]) -> Self {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, bytes).as_ref());
        Self(sha256)
    }

    /// A SHA-256 that was computed already.
    pub fn from_sha256(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = NotAllowed;

    fn try_from(text: String) -> Result<Self, NotAllowed> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(NotAllowed);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| NotAllowed)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NotAllowed)?;
        }
        Ok(Self(bytes))
    }
}

/// A word of the program, such as the code of a violation: 1 to 64 of `[a-z0-9_.:-]`, never free text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code(String);

impl Code {
    /// The word of a name in the program: `PhoneUnbound` becomes `phone_unbound`; whatever else is no word, `other`.
    pub(crate) fn of_name(name: &str) -> Self {
        let mut word = String::new();
        for c in name.chars() {
            if c.is_ascii_uppercase() && !word.is_empty() {
                word.push('_');
            }
            word.push(c.to_ascii_lowercase());
        }
        Self::try_from(word).unwrap_or_else(|_| Self("other".to_owned()))
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Code {
    type Error = NotAllowed;

    fn try_from(text: String) -> Result<Self, NotAllowed> {
        let allowed = |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b':' | b'-');
        let fits = (1..=MAX_CODE).contains(&text.len()) && text.bytes().all(allowed);
        if fits { Ok(Self(text)) } else { Err(NotAllowed) }
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.0
    }
}

/// An identifier of service, phone, key or credential: 1 to 256 visible ASCII characters, no space.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Identifier(String);

impl Identifier {
    /// The identifier.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Identifier {
    type Error = NotAllowed;

    fn try_from(text: String) -> Result<Self, NotAllowed> {
        let fits = (1..=MAX_IDENTIFIER).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self(text)) } else { Err(NotAllowed) }
    }
}

impl From<Identifier> for String {
    fn from(identifier: Identifier) -> Self {
        identifier.0
    }
}

/// What happened. `request` is the [`Digest`] of a waiting prescription's identifier at the service, `None` for a file
/// that the app brought itself; `document` is the SHA-256 of the bytes that were shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "UniqueMembers")]
pub enum Event {
    /// The phone was bound and the doctor confirmed the certificate.
    Registered {
        /// Issuer of the service.
        service: Identifier,
        /// The phone at the service.
        client_id: Identifier,
        /// The credential to sign with.
        credential_id: Identifier,
        /// SHA-256 of the certificate's DER.
        certificate: Digest,
        /// Thumbprint of the approval key.
        approval_key: Identifier,
        /// Another phone was bound before.
        replaced: bool,
    },
    /// The doctor approved these documents in one act; the approval key has signed.
    Approved {
        /// SHA-256 of each, in the order shown.
        documents: Vec<Digest>,
    },
    /// An approved batch came to nothing.
    NotSigned {
        /// Why.
        code: Code,
        /// How many documents were approved.
        count: u64,
    },
    /// A document was signed, and the signature verified.
    Signed {
        /// Which request.
        request: Option<Digest>,
        /// Which document.
        document: Digest,
        /// SHA-256 of the signature value.
        signature: Digest,
    },
    /// The service took the signed document.
    Delivered {
        /// Which request.
        request: Digest,
        /// Which document.
        document: Digest,
    },
    /// The service did not take the doctor's answer, a signed document or a refusal to sign, and will not.
    NotDelivered {
        /// Which request.
        request: Digest,
        /// Which document.
        document: Digest,
        /// Why.
        code: Code,
    },
    /// The doctor declined. The reason, free text, goes to the clinic and is not kept.
    Declined {
        /// Which request.
        request: Digest,
        /// Which document, where it could be read.
        document: Option<Digest>,
    },
    /// The phone refused the document before the doctor could approve it.
    Refused {
        /// Which request.
        request: Option<Digest>,
        /// Which document.
        document: Digest,
        /// Codes of the violations, each once.
        codes: Vec<Code>,
    },
    /// Something pinned at registration has changed; the agent stopped.
    BindingChanged {
        /// What changed.
        code: Code,
    },
    /// The doctor unbound the phone.
    Unregistered {
        /// The phone at the service.
        client_id: Identifier,
    },
    /// Keys and state were wiped without the doctor's asking, such as when the service has revoked the phone.
    Wiped {
        /// Why.
        code: Code,
    },
    /// An older journal was tampered with and put aside; this one begins here.
    SetAside {
        /// The first entry that was wrong.
        seq: u64,
        /// What was wrong.
        kind: TamperingKind,
    },
}

/// Written as serde derives it. Read here, because what serde derives to read an enum told apart by a member would be
/// the largest function of the library.
impl TryFrom<UniqueMembers> for Event {
    type Error = NotAllowed;

    fn try_from(UniqueMembers(value): UniqueMembers) -> Result<Self, NotAllowed> {
        let Value::Object(mut members) = value else { return Err(NotAllowed) };
        let kind: String = take(&mut members, "type")?;
        macro_rules! event {
            ($kind:ident { $($name:ident),* }) => {
                Self::$kind { $($name: take(&mut members, stringify!($name))?),* }
            };
        }
        let event = match kind.as_str() {
            "registered" => {
                event!(Registered { service, client_id, credential_id, certificate, approval_key, replaced })
            }
            "approved" => event!(Approved { documents }),
            "not_signed" => event!(NotSigned { code, count }),
            "signed" => event!(Signed { request, document, signature }),
            "delivered" => event!(Delivered { request, document }),
            "not_delivered" => event!(NotDelivered { request, document, code }),
            "declined" => event!(Declined { request, document }),
            "refused" => event!(Refused { request, document, codes }),
            "binding_changed" => event!(BindingChanged { code }),
            "unregistered" => event!(Unregistered { client_id }),
            "wiped" => event!(Wiped { code }),
            "set_aside" => event!(SetAside { seq, kind }),
            _ => return Err(NotAllowed),
        };
        if members.is_empty() { Ok(event) } else { Err(NotAllowed) }
    }
}

/// The member of this name, which must be there, `null` or not.
fn take<T: DeserializeOwned>(members: &mut Map<String, Value>, name: &str) -> Result<T, NotAllowed> {
    let value = members.remove(name).ok_or(NotAllowed)?;
    serde_json::from_value(value).map_err(|_| NotAllowed)
}

#[cfg(test)]
mod tests;
