//! JSON Web Signatures with ES256 and P-256 keys (RFC 7515, 7517, 7518 §3.4, 7638), as the wire uses them.
//!
//! In: keys as points or JWKs, claims to be signed by the phone's vault, compact JWS text from outside. Out: the
//! compact text, and claims that can be read only after their signature was verified. Refused: every algorithm but
//! ES256, every header that brings its own key or asks for an extension (`jwk`, `crit`, `b64` …), padding, a member
//! that stands twice, anything over [`MAX_JWS`].

use std::fmt;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use ring::{digest, signature};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// Longest compact JWS that is parsed, in bytes. A ticket must fit a QR of under 1 KiB; the rest is headroom.
pub const MAX_JWS: usize = 8 * 1024;

/// Header members that would change how, or with which key, a JWS is verified (RFC 7515 §4.1, RFC 7797).
const REFUSED_HEADERS: [&str; 7] = ["crit", "b64", "jwk", "jku", "x5c", "x5u", "zip"];

/// Why a key or a JWS is refused. Holds nothing of its content.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
pub enum JoseError {
    /// Not a P-256 public key: wrong type, curve, length or encoding, or a private key.
    #[error("not a P-256 public key")]
    Key,
    /// Not three base64url parts within [`MAX_JWS`], the third of 64 bytes.
    #[error("not a compact JWS")]
    Form,
    /// Header or claims are not a JSON object whose member names are unique.
    #[error("a JWS part is not a JSON object with unique members")]
    Json,
    /// `alg` is not `ES256`.
    #[error("the JWS algorithm is not ES256")]
    Algorithm,
    /// The header holds a member that this profile refuses.
    #[error("the JWS header holds {0:?}")]
    Header(&'static str),
    /// The signature does not verify with the given key.
    #[error("the signature does not verify")]
    Signature,
}

/// A P-256 public key (RFC 7517 `kty: EC`, `crv: P-256`).
///
/// Length and form are checked when it is made; that the point lies on the curve is checked by `ring` at each
/// verification, so a point off the curve verifies nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 65]);

impl PublicKey {
    /// From an uncompressed point, SEC 1 §2.3.3: `04 || x || y`, 65 bytes.
    ///
    /// # Errors
    /// [`JoseError::Key`] for another length or first byte.
    pub fn from_uncompressed(point: &[u8]) -> Result<Self, JoseError> {
        let point: [u8; 65] = point.try_into().map_err(|_| JoseError::Key)?;
        if point.first() == Some(&4) { Ok(Self(point)) } else { Err(JoseError::Key) }
    }

    /// From a public JWK (RFC 7518 §6.2.1). Members besides `kty`, `crv`, `x`, `y` are not judged, except that
    /// `alg` must be `ES256` and `use` must be `sig` where present, and that `d`, a private key, is refused.
    ///
    /// # Errors
    /// [`JoseError::Key`].
    pub fn from_jwk(jwk: &Value) -> Result<Self, JoseError> {
        let jwk = jwk.as_object().ok_or(JoseError::Key)?;
        let is = |member, value| jwk.get(member).and_then(Value::as_str) == Some(value);
        let absent_or = |member, value| !jwk.contains_key(member) || is(member, value);
        if !is("kty", "EC") || !is("crv", "P-256") || jwk.contains_key("d") {
            return Err(JoseError::Key);
        }
        if !absent_or("alg", "ES256") || !absent_or("use", "sig") {
            return Err(JoseError::Key);
        }
        let coordinate = |member| -> Result<[u8; 32], JoseError> {
            let text = jwk.get(member).and_then(Value::as_str).ok_or(JoseError::Key)?;
            decode_base64url(text).and_then(|bytes| bytes.try_into().ok()).ok_or(JoseError::Key)
        };
        let (x, y) = (coordinate("x")?, coordinate("y")?);
        Self::from_uncompressed(&[&[4][..], &x, &y].concat())
    }

    /// The public JWK: `kty`, `crv`, `x`, `y` and nothing else.
    pub fn to_jwk(&self) -> Value {
        let (x, y) = self.coordinates();
        serde_json::json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    }

    /// SHA-256 thumbprint (RFC 7638 §3), base64url without padding: 43 characters.
    pub fn thumbprint(&self) -> String {
        let (x, y) = self.coordinates();
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        base64url(digest::digest(&digest::SHA256, canonical.as_bytes()))
    }

    /// The uncompressed point, SEC 1 §2.3.3: `04 || x || y`, 65 bytes.
    pub fn uncompressed(&self) -> &[u8; 65] {
        &self.0
    }

    /// Verifies ES256: ECDSA with SHA-256 over `message`, `signature` being `r || s`, 64 bytes (RFC 7518 §3.4).
    ///
    /// # Errors
    /// [`JoseError::Signature`], also for a signature of another length.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, &self.0)
            .verify(message, signature)
            .map_err(|_| JoseError::Signature)
    }

    fn coordinates(&self) -> (String, String) {
        let [_, coordinates @ ..] = &self.0;
        let (x, y) = coordinates.split_at(32);
        (base64url(x), base64url(y))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.thumbprint())
    }
}

/// A JWS whose signature is still to be made by the phone's vault. Wiped when dropped.
pub struct UnsignedJws(Zeroizing<String>);

impl UnsignedJws {
    /// Encodes header and claims, both JSON objects; `alg` is set to `ES256`.
    pub fn new(header: &Value, claims: &Value) -> Self {
        let mut header = header.clone();
        if let Value::Object(members) = &mut header {
            members.insert("alg".to_owned(), Value::from("ES256"));
        }
        let claims = Zeroizing::new(claims.to_string());
        let claims = Zeroizing::new(base64url(claims.as_bytes()));
        Self(Zeroizing::new([base64url(header.to_string()).as_str(), claims.as_str()].join(".")))
    }

    /// What must be signed (RFC 7515 §5.1).
    pub fn signing_input(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The compact serialization (RFC 7515 §7.1) with `signature` = `r || s`.
    pub fn finish(self, signature: &[u8; 64]) -> Zeroizing<String> {
        Zeroizing::new([self.0.as_str(), base64url(signature).as_str()].join("."))
    }
}

/// A compact JWS that is well formed; nothing of its claims can be read before [`ParsedJws::verify`].
pub struct ParsedJws {
    header: Value,
    claims: Value,
    signing_input: Zeroizing<String>,
    signature: [u8; 64],
}

impl ParsedJws {
    /// Parses the compact serialization (RFC 7515 §7.1), at most [`MAX_JWS`] bytes.
    ///
    /// # Errors
    /// Every [`JoseError`] but [`JoseError::Key`] and [`JoseError::Signature`].
    pub fn parse(text: &str) -> Result<Self, JoseError> {
        if text.len() > MAX_JWS {
            return Err(JoseError::Form);
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or(JoseError::Form)?;
        let (header, claims) = signing_input.split_once('.').ok_or(JoseError::Form)?;
        let header = decode_object(header)?;
        if header.get("alg").and_then(Value::as_str) != Some("ES256") {
            return Err(JoseError::Algorithm);
        }
        if let Some(member) = REFUSED_HEADERS.into_iter().find(|m| header.get(m).is_some()) {
            return Err(JoseError::Header(member));
        }
        Ok(Self {
            claims: decode_object(claims)?,
            header,
            signature: decode_base64url(signature)
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or(JoseError::Form)?,
            signing_input: Zeroizing::new(signing_input.to_owned()),
        })
    }

    /// The protected header, not yet verified: good for choosing a key, for nothing else.
    pub fn header(&self) -> &Value {
        &self.header
    }

    /// The header's `kid`, not yet verified.
    pub fn key_id(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }

    /// Verifies the signature and sets the claims free.
    ///
    /// # Errors
    /// [`JoseError::Signature`].
    pub fn verify(self, key: &PublicKey) -> Result<VerifiedJws, JoseError> {
        key.verify(self.signing_input.as_bytes(), &self.signature)?;
        Ok(VerifiedJws { header: self.header, claims: self.claims })
    }
}

/// Header and claims whose signature was verified. Their meaning (`typ`, `exp`, `aud` …) is the caller's to judge.
pub struct VerifiedJws {
    header: Value,
    claims: Value,
}

impl VerifiedJws {
    /// The protected header, a JSON object.
    pub fn header(&self) -> &Value {
        &self.header
    }

    /// The claims, a JSON object.
    pub fn claims(&self) -> &Value {
        &self.claims
    }
}

/// Base64url without padding (RFC 4648 §5).
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Strict base64url without padding; `None` for anything else.
pub(crate) fn decode_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Base64 as services send it: either alphabet, padded or not, with ASCII white space anywhere.
pub(crate) fn decode_base64_lenient(text: &str) -> Option<Vec<u8>> {
    let standard: String = text
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .map(|c| match c {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    let unpadded = standard.trim_end_matches('=');
    if standard.len() - unpadded.len() > 2 {
        return None;
    }
    STANDARD_NO_PAD.decode(unpadded).ok()
}

/// Parses JSON in which no object holds a member name twice (RFC 8259 §4 leaves that open; RFC 7515 §4 forbids it).
/// Nesting is bounded by `serde_json` (128).
pub(crate) fn parse_json(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice::<UniqueMembers>(bytes).map(|unique| unique.0)
}

fn decode_object(part: &str) -> Result<Value, JoseError> {
    let bytes = Zeroizing::new(decode_base64url(part).ok_or(JoseError::Form)?);
    parse_json(&bytes).ok().filter(Value::is_object).ok_or(JoseError::Json)
}

/// A JSON value in which no object holds a member name twice.
pub(crate) struct UniqueMembers(pub(crate) Value);

impl<'de> Deserialize<'de> for UniqueMembers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueMembersVisitor).map(Self)
    }
}

struct UniqueMembersVisitor;

impl<'de> Visitor<'de> for UniqueMembersVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON with unique member names")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(UniqueMembers(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, UniqueMembers(value))) = members.next_entry::<String, _>()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a member stands twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests;
