use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING as ES256, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};

use super::super::testing::{ISSUER, now};
use super::*;
use crate::device::Secret;

const KEYS: &str = "0123456789abcdef0123456789abcdef";

fn key() -> PublicKey {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ES256, &random).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ES256, pkcs8.as_ref(), &random).unwrap();
    PublicKey::from_uncompressed(key.public_key().as_ref()).unwrap()
}

fn registered() -> Registered {
    Registered {
        issuer: ISSUER.into(),
        client_id: "c-1".into(),
        registration_access_token: Secret::new(b"secret-token".to_vec()),
        registration_client_uri: format!("{ISSUER}/register/c-1"),
        credential_id: "credential-1".into(),
        replaced: false,
    }
}

fn holder() -> Holder {
    Holder {
        name_kanji: Some("山田　太郎".into()),
        name_romaji: "TARO YAMADA".into(),
        roles: vec!["Medical Doctor".into()],
        organization: None,
        issuer: "CN=HPKI-01".into(),
        serial_number: "0a".into(),
        not_before: now(),
        not_after: now() + time::Duration::days(365),
    }
}

fn pin(device: &PublicKey, approval: &PublicKey, chain: Vec<Vec<u8>>) -> Result<Binding, BindingError> {
    Binding::pin(&registered(), &BoundKeys { binding: KEYS, device, approval }, chain, holder(), now())
}

fn binding() -> Binding {
    pin(&key(), &key(), vec![vec![0x30, 1], vec![0x30, 2]]).unwrap()
}

#[test]
fn what_is_pinned_survives_storage() {
    let (device, approval) = (key(), key());
    let binding = pin(&device, &approval, vec![vec![0x30, 1], vec![0x30, 2]]).unwrap();
    let read = Binding::from_json(&binding.to_json().unwrap()).unwrap();
    assert!(read == binding);
    assert_eq!(read.issuer(), ISSUER);
    assert_eq!(read.client_id(), "c-1");
    assert_eq!(read.credential_id(), "credential-1");
    assert_eq!(read.registration_client_uri(), "https://sign.example/register/c-1");
    assert_eq!(read.holder(), &holder());
    assert_eq!(read.registered_at(), now());
    assert_eq!(read.certificate_chain(), [[0x30, 1], [0x30, 2]]);
    assert!(read.is_key(KeyRole::Device, &device) && read.is_key(KeyRole::Approval, &approval));
    assert!(!read.is_key(KeyRole::Device, &approval) && !read.is_key(KeyRole::Approval, &device));
    let alias = KeyAlias { binding: KEYS.into(), role: KeyRole::Approval };
    assert_eq!(read.key_alias(KeyRole::Approval), alias);
    assert_eq!(read.secret_name(), "registration-token-0123456789abcdef0123456789abcdef");
}

#[test]
fn another_certificate_is_noticed() {
    let binding = binding();
    assert!(binding.same_certificate(&[vec![0x30, 1], vec![0x30, 2]]));
    assert!(binding.same_certificate(&[vec![0x30, 1]]));
    assert!(!binding.same_certificate(&[vec![0x30, 2], vec![0x30, 1]]));
    assert!(!binding.same_certificate(&[vec![0x30, 1, 0]]));
    assert!(!binding.same_certificate(&[]));
}

#[test]
fn it_neither_stores_the_token_nor_prints_the_doctor() {
    let binding = binding();
    assert!(!String::from_utf8(binding.to_json().unwrap()).unwrap().contains("secret-token"));
    let printed = format!("{binding:?}");
    assert!(!printed.contains("山田") && !printed.contains("YAMADA"));
}

#[test]
fn a_stored_form_that_differs_in_anything_unknown_is_refused() {
    let stored: Value = serde_json::from_slice(&binding().to_json().unwrap()).unwrap();
    let read = |name: &str, value: Value| {
        let mut changed = stored.clone();
        changed[name] = value;
        Binding::from_json(changed.to_string().as_bytes()).err().unwrap()
    };
    assert_eq!(read("version", json!(2)), BindingError::Version(2));
    assert_eq!(read("more", json!(1)), BindingError::Malformed);
    assert_eq!(read("holder", json!(null)), BindingError::Malformed);
    assert_eq!(read("certificate_chain", json!(["MAE"])), BindingError::Malformed);
    for (name, value) in [
        ("client_id", json!("")),
        ("credential_id", json!("a\nb")),
        ("registration_client_uri", json!("https://evil.example/")),
        ("client_id", json!("c".repeat(257))),
        ("credential_id", json!("c".repeat(257))),
        ("keys", json!("../../etc")),
        ("keys", json!("a".repeat(31))),
        ("keys", json!("a".repeat(33))),
        ("keys", json!("g".repeat(32))),
        ("keys", json!("A".repeat(32))),
        ("device_key", json!("short")),
        ("approval_key", json!("k".repeat(42))),
        ("approval_key", json!("k".repeat(44))),
        ("approval_key", stored["device_key"].clone()),
        ("certificate_chain", json!([])),
    ] {
        assert_eq!(read(name, value), BindingError::Part(name));
    }
    for other in [&b""[..], b"{}", b"[]", b"{\"version\":1}", &vec![b' '; MAX_JSON + 1]] {
        assert_eq!(Binding::from_json(other).err(), Some(BindingError::Malformed));
    }
}

#[test]
fn the_largest_binding_is_stored_and_read_again() {
    let largest = pin(&key(), &key(), vec![vec![0x30; 16 * 1024]; 8]).unwrap();
    let mut stored = largest.to_json().unwrap();
    assert!(Binding::from_json(&stored).unwrap() == largest);
    stored.resize(256 * 1024, b' ');
    assert!(Binding::from_json(&stored).unwrap() == largest);
    stored.push(b' ');
    assert_eq!(Binding::from_json(&stored).err(), Some(BindingError::Malformed));
}

#[test]
fn one_key_for_both_roles_and_an_absurd_chain_are_not_pinned() {
    let key = key();
    assert_eq!(pin(&key, &key, vec![vec![0x30]]).err(), Some(BindingError::Part("approval_key")));
    for chain in [vec![], vec![vec![]], vec![vec![0; MAX_CERTIFICATE + 1]], vec![vec![0x30]; MAX_CHAIN + 1]] {
        let refused = pin(&key, &self::key(), chain).err();
        assert_eq!(refused, Some(BindingError::Part("certificate_chain")));
    }
}
