//! Services that exist only in the trust configuration, and registration tickets signed with their keys, or not.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

/// Whoever signs tickets.
pub struct Office {
    /// The service's issuer URL.
    pub issuer: String,
    /// Names its key.
    pub kid: String,
    key: EcdsaKeyPair,
}

impl Office {
    /// With a new key.
    ///
    /// # Panics
    /// When there is no randomness.
    pub fn new(issuer: &str, kid: &str) -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random).unwrap();
        Self { issuer: issuer.to_owned(), kid: kid.to_owned(), key }
    }

    /// The public key.
    pub fn jwk(&self) -> Value {
        let point = self.key.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        json!({"kty": "EC", "crv": "P-256", "kid": self.kid, "alg": "ES256", "use": "sig",
               "x": encoded(x), "y": encoded(y)})
    }

    /// The entry of a trust configuration: as `like`, but of this issuer and key.
    pub fn trusted(&self, like: &Value) -> Value {
        let mut entry = like.clone();
        entry["issuer"] = json!(self.issuer);
        entry["ticket_keys"] = json!({"keys": [self.jwk()]});
        entry
    }

    /// The header of a genuine ticket.
    pub fn header(&self) -> Value {
        json!({"alg": "ES256", "kid": self.kid, "typ": "ticket+jwt"})
    }

    /// The claims of a genuine ticket, from the card route.
    pub fn claims(&self) -> Value {
        let expires = (OffsetDateTime::now_utc() + Duration::HOUR).unix_timestamp();
        json!({"iss": self.issuer, "jti": encoded([7; 16]), "exp": expires, "route": "card", "code": false})
    }

    /// A ticket with this header and these claims, as the text of a QR that leads to `issuer`.
    ///
    /// # Panics
    /// When the key does not sign.
    pub fn signed(&self, issuer: &str, header: &Value, claims: &Value) -> String {
        let input = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
        let signature = self.key.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        format!("{issuer}/r#{input}.{}", encoded(signature))
    }

    /// A genuine ticket.
    pub fn ticket(&self) -> String {
        self.signed(&self.issuer, &self.header(), &self.claims())
    }
}

/// Base64url without padding.
pub fn encoded(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
