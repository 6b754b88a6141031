//! JSON Web Signatures with ES256, as strictly as the protocol allows (RFC 7515, 7517, 7638; P-256 only).
//!
//! Compact form goes in and claims come out; anything but ES256 over P-256 is refused, and so are `crit`, private
//! members in a public key and padded base64url.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, KeyPair, UnparsedPublicKey};
use serde_json::{Map, Value, json};

/// A SAD over a thousand hashes stays below this.
const MAX_JWS_BYTES: usize = 512 * 1024;

/// Why a JWS or a key was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// Not three base64url parts with JSON objects, or too long.
    #[error("not a compact JWS")]
    Malformed,
    /// `alg` is not ES256, or the header holds `crit`.
    #[error("the header asks for something else than ES256")]
    Algorithm,
    /// Not a public P-256 JWK.
    #[error("not a public P-256 key")]
    Key,
    /// The signature does not verify.
    #[error("the signature does not verify")]
    Signature,
}

/// A public P-256 key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicKey {
    point: [u8; 65],
}

impl PublicKey {
    /// Reads `kty`, `crv`, `x`, `y` of a JWK (RFC 7518 6.2); whether the point is on the curve shows at `verify`.
    ///
    /// # Errors
    /// [`JoseError::Key`] for another kind of key, and for one that carries its private part.
    pub(crate) fn from_jwk(jwk: &Value) -> Result<Self, JoseError> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str).ok_or(JoseError::Key);
        if text("kty")? != "EC" || text("crv")? != "P-256" || jwk.get("d").is_some() {
            return Err(JoseError::Key);
        }
        let mut point = [4; 65];
        for (name, range) in [("x", 1..33), ("y", 33..65)] {
            let bytes = BASE64URL.decode(text(name)?).map_err(|_| JoseError::Key)?;
            if bytes.len() != 32 {
                return Err(JoseError::Key);
            }
            point[range].copy_from_slice(&bytes);
        }
        Ok(Self { point })
    }

    fn coordinates(&self) -> (String, String) {
        (BASE64URL.encode(&self.point[1..33]), BASE64URL.encode(&self.point[33..65]))
    }

    /// The JWK with its required members alone.
    pub(crate) fn to_jwk(&self) -> Value {
        let (x, y) = self.coordinates();
        json!({"crv": "P-256", "kty": "EC", "x": x, "y": y})
    }

    /// RFC 7638 thumbprint with SHA-256, base64url.
    pub(crate) fn thumbprint(&self) -> String {
        let (x, y) = self.coordinates();
        sha256_base64url(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#).as_bytes())
    }
}

/// SHA-256, base64url without padding: thumbprints, `ath`.
pub(crate) fn sha256_base64url(bytes: &[u8]) -> String {
    BASE64URL.encode(ring::digest::digest(&ring::digest::SHA256, bytes))
}

/// A parsed compact JWS whose signature is still to be verified.
pub(crate) struct Jws {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    signing_input: String,
    signature: Vec<u8>,
}

impl Jws {
    /// Takes a compact JWS apart.
    ///
    /// # Errors
    /// [`JoseError::Malformed`] and [`JoseError::Algorithm`].
    pub(crate) fn parse(compact: &str) -> Result<Self, JoseError> {
        if compact.len() > MAX_JWS_BYTES {
            return Err(JoseError::Malformed);
        }
        let (signing_input, signature) = compact.rsplit_once('.').ok_or(JoseError::Malformed)?;
        let (header, claims) = signing_input.split_once('.').ok_or(JoseError::Malformed)?;
        let header = object(header)?;
        if header.get("alg").and_then(Value::as_str) != Some("ES256") || header.contains_key("crit") {
            return Err(JoseError::Algorithm);
        }
        Ok(Self {
            claims: object(claims)?,
            header,
            signing_input: signing_input.to_owned(),
            signature: BASE64URL.decode(signature).map_err(|_| JoseError::Malformed)?,
        })
    }

    /// Verifies the signature (`r || s`, RFC 7518 3.4).
    ///
    /// # Errors
    /// [`JoseError::Signature`].
    pub(crate) fn verify(&self, key: &PublicKey) -> Result<(), JoseError> {
        UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, &key.point)
            .verify(self.signing_input.as_bytes(), &self.signature)
            .map_err(|_| JoseError::Signature)
    }

    /// A header member that is a string.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// The key that the header carries (RFC 9449 4.2).
    ///
    /// # Errors
    /// [`JoseError::Key`] when there is none or it is not a public P-256 key.
    pub(crate) fn header_key(&self) -> Result<PublicKey, JoseError> {
        PublicKey::from_jwk(self.header.get("jwk").ok_or(JoseError::Key)?)
    }

    /// A claim that is a string.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// A claim that is a whole number: times, in seconds since 1970.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.claims.get(name).and_then(Value::as_i64)
    }

    /// Any claim.
    pub(crate) fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }
}

fn object(part: &str) -> Result<Map<String, Value>, JoseError> {
    let bytes = BASE64URL.decode(part).map_err(|_| JoseError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| JoseError::Malformed)
}

/// A P-256 key that signs: the service's ticket key.
pub(crate) struct SigningKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl SigningKey {
    /// A fresh key, as PKCS#8.
    ///
    /// # Errors
    /// [`JoseError::Key`] when the random generator fails.
    pub(crate) fn generate() -> Result<Vec<u8>, JoseError> {
        EcdsaKeyPair::generate_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map(|document| document.as_ref().to_vec())
            .map_err(|_| JoseError::Key)
    }

    /// Reads the key that `generate` made.
    ///
    /// # Errors
    /// [`JoseError::Key`].
    pub(crate) fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, JoseError> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &random)
            .map_err(|_| JoseError::Key)?;
        Ok(Self { pair, random })
    }

    /// The public half.
    ///
    /// # Errors
    /// [`JoseError::Key`] never happens with a key that ring made.
    pub(crate) fn public_key(&self) -> Result<PublicKey, JoseError> {
        let point = self.pair.public_key().as_ref().try_into().map_err(|_| JoseError::Key)?;
        Ok(PublicKey { point })
    }

    /// A compact JWS; `alg` is added to the header.
    ///
    /// # Errors
    /// [`JoseError::Key`] when the random generator fails.
    pub(crate) fn sign(&self, mut header: Value, claims: &Value) -> Result<String, JoseError> {
        header["alg"] = json!("ES256");
        let input =
            format!("{}.{}", BASE64URL.encode(header.to_string()), BASE64URL.encode(claims.to_string()));
        let signature = self.pair.sign(&self.random, input.as_bytes()).map_err(|_| JoseError::Key)?;
        Ok(format!("{input}.{}", BASE64URL.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_of_a_p256_key_hashes_its_required_members_in_order() {
        // RFC 7517 appendix A.1, first key; thumbprint computed with an independent tool.
        let jwk = json!({"kty": "EC", "crv": "P-256", "use": "enc", "kid": "1",
            "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"});
        let key = PublicKey::from_jwk(&jwk).unwrap();
        assert_eq!(key.thumbprint(), "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
    }

    #[test]
    fn what_is_signed_verifies_and_one_changed_claim_does_not() {
        let key = SigningKey::from_pkcs8(&SigningKey::generate().unwrap()).unwrap();
        let compact = key.sign(json!({"typ": "ticket+jwt"}), &json!({"jti": "a"})).unwrap();
        let public = key.public_key().unwrap();
        assert_eq!(Jws::parse(&compact).unwrap().verify(&public), Ok(()));
        let parts: Vec<&str> = compact.split('.').collect();
        let forged = format!("{}.{}.{}", parts[0], BASE64URL.encode(r#"{"jti":"b"}"#), parts[2]);
        assert_eq!(Jws::parse(&forged).unwrap().verify(&public), Err(JoseError::Signature));
    }

    #[test]
    fn other_algorithms_critical_headers_and_private_keys_are_refused() {
        for header in [r#"{"alg":"none"}"#, r#"{"alg":"HS256"}"#, r#"{"alg":"ES256","crit":["b64"]}"#] {
            let compact = format!("{}.e30.", BASE64URL.encode(header));
            assert_eq!(Jws::parse(&compact).err(), Some(JoseError::Algorithm), "{header}");
        }
        let mut jwk =
            SigningKey::from_pkcs8(&SigningKey::generate().unwrap()).unwrap().public_key().unwrap().to_jwk();
        jwk["d"] = json!("AA");
        assert_eq!(PublicKey::from_jwk(&jwk), Err(JoseError::Key));
    }
}
