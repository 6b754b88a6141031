use proptest::prelude::*;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::json;

use super::*;

/// RFC 7515 appendix A.3: the key and its JWS.
const RFC7515_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const RFC7515_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const RFC7515_A3: &str = "eyJhbGciOiJFUzI1NiJ9.\
    eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
    DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

fn rfc7515_key() -> PublicKey {
    PublicKey::from_jwk(&json!({"kty": "EC", "crv": "P-256", "x": RFC7515_X, "y": RFC7515_Y})).unwrap()
}

struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        Self(key)
    }
    fn public(&self) -> PublicKey {
        PublicKey::from_uncompressed(self.0.public_key().as_ref()).unwrap()
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(&SystemRandom::new(), message).unwrap().as_ref().try_into().unwrap()
    }
}

fn error(jws: &str) -> JoseError {
    ParsedJws::parse(jws).err().unwrap()
}

#[test]
fn the_jws_of_rfc_7515_verifies() {
    let verified = ParsedJws::parse(RFC7515_A3).unwrap().verify(&rfc7515_key()).unwrap();
    assert_eq!(verified.claims()["iss"], "joe");
}

#[test]
fn a_jwk_survives_the_round_trip_and_its_thumbprint_is_that_of_the_canonical_json() {
    let key = rfc7515_key();
    assert_eq!(PublicKey::from_jwk(&key.to_jwk()).unwrap(), key);
    // printf '{"crv":"P-256","kty":"EC","x":"…","y":"…"}' | openssl dgst -sha256 -binary | basenc --base64url
    assert_eq!(key.thumbprint(), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
}

#[test]
fn keys_of_another_kind_are_refused() {
    let good = rfc7515_key().to_jwk();
    for (member, value) in [
        ("kty", json!("RSA")),
        ("crv", json!("P-384")),
        ("x", json!("AAAA")),
        ("x", json!(format!("{RFC7515_X}="))),
        ("y", json!(null)),
        ("d", json!(RFC7515_X)),
        ("alg", json!("ES384")),
        ("use", json!("enc")),
    ] {
        let mut jwk = good.clone();
        jwk[member] = value;
        assert_eq!(PublicKey::from_jwk(&jwk), Err(JoseError::Key), "{member}");
    }
    assert_eq!(PublicKey::from_jwk(&json!("key")), Err(JoseError::Key));
    assert_eq!(PublicKey::from_uncompressed(&[4; 64]), Err(JoseError::Key));
    assert_eq!(PublicKey::from_uncompressed(&[2; 65]), Err(JoseError::Key));
}

#[test]
fn a_point_off_the_curve_verifies_nothing() {
    let signer = Signer::new();
    let mut point = *signer.public().uncompressed();
    point[64] ^= 1;
    let key = PublicKey::from_uncompressed(&point).unwrap();
    assert_eq!(key.verify(b"message", &signer.sign(b"message")), Err(JoseError::Signature));
}

#[test]
fn what_is_built_is_parsed_and_one_changed_character_is_refused() {
    let signer = Signer::new();
    let unsigned = UnsignedJws::new(&json!({"typ": "ticket+jwt", "kid": "k"}), &json!({"jti": "1"}));
    let signature = signer.sign(unsigned.signing_input());
    let text = unsigned.finish(&signature);
    let parsed = ParsedJws::parse(&text).unwrap();
    assert_eq!(parsed.key_id(), Some("k"));
    assert_eq!(parsed.header()["alg"], "ES256");
    assert_eq!(parsed.verify(&signer.public()).unwrap().claims(), &json!({"jti": "1"}));

    let other = Signer::new().public();
    let refused = ParsedJws::parse(&text).unwrap().verify(&other).err();
    assert_eq!(refused, Some(JoseError::Signature));

    for at in 0..text.len() {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(ParsedJws::parse(&changed).and_then(|jws| jws.verify(&signer.public())).is_err(), "{at}");
    }
}

#[test]
fn headers_that_weaken_the_signature_are_refused() {
    let jws = |header: &str| format!("{}.{}.{}", base64url(header), base64url("{}"), base64url([1; 64]));
    assert!(ParsedJws::parse(&jws(r#"{"alg":"ES256"}"#)).is_ok());
    for header in [r#"{"alg":"none"}"#, r#"{"alg":"HS256"}"#, r#"{"alg":["ES256"]}"#, "{}"] {
        assert_eq!(error(&jws(header)), JoseError::Algorithm, "{header}");
    }
    for member in REFUSED_HEADERS {
        let header = json!({"alg": "ES256", member: null}).to_string();
        assert_eq!(error(&jws(&header)), JoseError::Header(member));
    }
    assert_eq!(error(&jws(r#"{"alg":"none","alg":"ES256"}"#)), JoseError::Json);
    assert_eq!(error(&jws(r#"["alg"]"#)), JoseError::Json);
}

#[test]
fn only_the_strict_compact_form_is_parsed() {
    let (signing_input, signature) = RFC7515_A3.rsplit_once('.').unwrap();
    for form in [
        String::new(),
        signing_input.to_owned(),
        format!("{RFC7515_A3}="),
        format!("{RFC7515_A3}\n"),
        format!("{RFC7515_A3}."),
        format!("{RFC7515_A3}.AAAA"),
        format!("{signing_input}.{}", &signature[..80]),
        "A".repeat(MAX_JWS + 1),
    ] {
        assert_eq!(error(&form), JoseError::Form, "{form}");
    }
}

#[test]
fn base64_is_read_however_services_write_it() {
    let bytes = [0xfb, 0xef, 0xff, 0x01];
    for text in ["++//AQ==", "--__AQ", "++//AQ", " --__\r\n AQ= =", "+-/_AQ=="] {
        assert_eq!(decode_base64_lenient(text).as_deref(), Some(&bytes[..]), "{text}");
    }
    for text in ["++//AQ===", "=", "A", "++=/", "é"] {
        assert_eq!(decode_base64_lenient(text).filter(|b| !b.is_empty()), None, "{text}");
    }
}

#[test]
fn a_member_that_stands_twice_is_refused_at_any_depth() {
    assert!(parse_json(br#"{"a":[{"b":1.5,"c":null,"d":true,"e":-1}],"b":"x"}"#).is_ok());
    assert!(parse_json(br#"{"a":[{"b":1,"b":1}]}"#).is_err());
    assert!(parse_json("[".repeat(100_000).as_bytes()).is_err());
}

proptest! {
    #[test]
    fn arbitrary_text_is_refused_without_panic(text in ".{0,200}") {
        prop_assert!(ParsedJws::parse(&text).is_err());
        prop_assert!(decode_base64_lenient(&text).is_none_or(|bytes| bytes.len() <= text.len()));
    }
}
