//! Who signs registration tickets: one service that the phone trusts, with a key that is the same in every run, so that
//! what the fuzzer has found stays genuine.

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hpki_agent::trust::TrustConfiguration;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use time::{OffsetDateTime, macros::datetime};

/// Issuer of the one trusted service.
pub const ISSUER: &str = "https://sign.example";
/// The phone's time.
pub const NOW: OffsetDateTime = datetime!(2026-06-02 00:00:00 UTC);
/// Names the key of the tickets.
pub const KID: &str = "2026-1";

static KEY: LazyLock<EcdsaKeyPair> = LazyLock::new(|| {
    let key = include_bytes!("../../../core/src/signature/fixtures/doctor-p256.pk8");
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key, &SystemRandom::new()).expect("a key")
});

/// What the app ships.
pub fn trust() -> TrustConfiguration {
    let (x, y) = KEY.public_key().as_ref()[1..].split_at(32);
    let configuration = json!({"services": [{
        "issuer": ISSUER,
        "display_name": {"ja": "電子署名サービス", "en": "Signing service"},
        "ticket_keys": {"keys": [{"kid": KID, "kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y)}]},
        "tls": {"roots": "platform"},
        "hpki_roots": [base64::prelude::BASE64_STANDARD.encode(super::files::ROOT)],
        "prescriber_roles": super::files::prescriber_roles(),
    }]});
    TrustConfiguration::from_json(configuration.to_string().as_bytes()).expect("a configuration")
}

/// The header of a genuine ticket.
pub fn header() -> Value {
    json!({"alg": "ES256", "kid": KID, "typ": "ticket+jwt"})
}

/// The claims of a genuine ticket.
pub fn claims() -> Value {
    let expires = NOW.unix_timestamp() + 3600;
    json!({"iss": ISSUER, "jti": encoded([7; 16]), "exp": expires, "route": "letter", "code": true})
}

/// The text of a QR with a ticket of this header and these claims, whatever they are, signed by the office.
pub fn signed(issuer: &str, header: &[u8], claims: &[u8]) -> String {
    let input = format!("{}.{}", encoded(header), encoded(claims));
    let signature = KEY.sign(&SystemRandom::new(), input.as_bytes()).expect("signed");
    format!("{issuer}/r#{input}.{}", encoded(signature))
}

/// Base64url without padding.
pub fn encoded(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
