//! An association's office and a phone, for the tests of this module.

use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING as ES256, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use time::{OffsetDateTime, macros::datetime};

use super::{Ticket, TicketError};
use crate::{
    jose::{PublicKey, UnsignedJws},
    trust::{TlsTrust, TrustedService},
};

pub(super) const ISSUER: &str = "https://sign.example";

pub(super) fn now() -> OffsetDateTime {
    datetime!(2026-11-22 08:00 UTC)
}

/// Signs tickets.
pub(super) struct Office {
    key: EcdsaKeyPair,
    service: TrustedService,
}

impl Office {
    pub(super) fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ES256, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ES256, pkcs8.as_ref(), &random).unwrap();
        let public = PublicKey::from_uncompressed(key.public_key().as_ref()).unwrap();
        let service = TrustedService {
            issuer: ISSUER.into(),
            display_name_ja: "試験サービス".into(),
            display_name_en: "Test service".into(),
            ticket_keys: vec![("office-1".into(), public)],
            tls: TlsTrust { roots: None, spki_pins: vec![] },
            hpki_roots: vec![],
            prescriber_roles: vec![],
        };
        Self { key, service }
    }

    /// A letter's ticket, valid for an hour, with these claims instead.
    pub(super) fn ticket(&self, instead: &Value) -> String {
        self.sign("office-1", "ticket+jwt", instead)
    }

    pub(super) fn signed_as(&self, kid: &str, instead: &Value) -> String {
        self.sign(kid, "ticket+jwt", instead)
    }

    pub(super) fn of_type(&self, typ: &str) -> String {
        self.sign("office-1", typ, &json!({}))
    }

    fn sign(&self, kid: &str, typ: &str, instead: &Value) -> String {
        let mut claims = json!({
            "iss": ISSUER,
            "jti": "AAECAwQFBgcICQoLDA0ODw",
            "exp": now().unix_timestamp() + 3600,
            "route": "letter",
            "code": true,
        });
        for (name, value) in instead.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let jws = UnsignedJws::new(&json!({"typ": typ, "kid": kid}), &claims);
        let signature = self.key.sign(&SystemRandom::new(), jws.signing_input()).unwrap();
        let jws = jws.finish(signature.as_ref().try_into().unwrap());
        format!("{ISSUER}/r#{}", jws.as_str())
    }

    pub(super) fn read(&self, text: &str) -> Result<Ticket, TicketError> {
        Ticket::parse_for(text, |issuer| (issuer == ISSUER).then_some(&self.service), now())
    }
}
