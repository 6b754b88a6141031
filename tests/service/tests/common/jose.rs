//! Keys and JWS of the test phone.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64URL};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use std::sync::Arc;

/// A P-256 key.
pub(crate) struct Key(EcdsaKeyPair);

impl Key {
    pub(crate) fn new() -> Arc<Self> {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random);
        Arc::new(Self(pair.unwrap()))
    }

    pub(crate) fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let (x, y) = (BASE64URL.encode(&point[1..33]), BASE64URL.encode(&point[33..]));
        json!({"crv": "P-256", "kty": "EC", "x": x, "y": y})
    }

    pub(crate) fn thumbprint(&self) -> String {
        sha256_base64url(self.jwk().to_string().as_bytes())
    }

    /// As in `jwks`.
    pub(crate) fn registered(&self) -> Value {
        let mut jwk = self.jwk();
        jwk["kid"] = json!(self.thumbprint());
        jwk["use"] = json!("sig");
        jwk["alg"] = json!("ES256");
        jwk
    }
}

pub(crate) fn sha256_base64url(bytes: &[u8]) -> String {
    BASE64URL.encode(ring::digest::digest(&ring::digest::SHA256, bytes))
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    BASE64.encode(ring::digest::digest(&ring::digest::SHA256, bytes))
}

pub(crate) fn random_id() -> String {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).unwrap();
    BASE64URL.encode(bytes)
}

/// A JWS that is still to be signed, and may be spoilt before.
#[derive(Clone)]
pub(crate) struct Jwt {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    pub(crate) by: Arc<Key>,
}

impl Jwt {
    pub(crate) fn compact(&self) -> String {
        let encode = |value: &Value| BASE64URL.encode(value.to_string());
        let input = format!("{}.{}", encode(&self.header), encode(&self.claims));
        let signature = self.by.0.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
        format!("{input}.{}", BASE64URL.encode(signature))
    }
}
