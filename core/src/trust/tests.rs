use serde_json::json;

use super::*;

const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
/// Base64 of a SEQUENCE that holds the INTEGER 1.
const SEQUENCE: &str = "MAMCAQE=";

fn good() -> Value {
    json!({"services": [{
        "issuer": "https://sign.example.jp:8443",
        "display_name": {"ja": "電子署名サービス", "en": "Signing service"},
        "ticket_keys": {"keys": [{"kid": "1", "kty": "EC", "crv": "P-256", "x": X, "y": Y, "use": "sig"}]},
        "tls": {"roots": "platform"},
        "hpki_roots": [SEQUENCE, format!("HPKI root\n-----BEGIN CERTIFICATE-----\n{SEQUENCE}\n-----END CERTIFICATE-----\n")],
        "prescriber_roles": ["Medical Doctor", "Dentist"],
    }]})
}

fn parse(value: &Value) -> Result<TrustConfiguration, TrustError> {
    TrustConfiguration::from_json(value.to_string().as_bytes())
}

/// The path that is complained about after `pointer` was set to `value`.
fn path_after(pointer: &str, value: Value) -> String {
    let mut configuration = good();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match configuration.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        object => object[name] = value,
    }
    match parse(&configuration) {
        Err(TrustError::Member { path, .. }) => path,
        other => panic!("{pointer}: {other:?}"),
    }
}

#[test]
fn a_whole_configuration_is_read_and_found_by_its_exact_issuer() {
    let configuration = parse(&good()).unwrap();
    let service = configuration.service("https://sign.example.jp:8443").unwrap();
    assert_eq!(configuration.services().len(), 1);
    assert_eq!(service.display_name_ja, "電子署名サービス");
    assert_eq!(service.ticket_keys[0].0, "1");
    assert_eq!(service.hpki_roots, [[0x30, 3, 2, 1, 1], [0x30, 3, 2, 1, 1]]);
    assert_eq!(service.prescriber_roles, ["Medical Doctor", "Dentist"]);
    assert!(service.tls.roots.is_none() && service.tls.spki_pins.is_empty());
    assert!(configuration.service("https://sign.example.jp").is_none());
}

#[test]
fn own_tls_roots_and_pins_are_read() {
    let mut configuration = good();
    configuration["services"][0]["tls"] =
        json!({"roots": [SEQUENCE], "spki_pins": ["AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="]});
    let configuration = parse(&configuration).unwrap();
    let tls = &configuration.services()[0].tls;
    assert_eq!(tls.roots.as_ref().map(Vec::len), Some(1));
    assert_eq!(tls.spki_pins, [[1; 32]]);
}

#[test]
fn the_platforms_roots_are_refused_where_they_cannot_be_asked() {
    let member =
        |value: &Value, has: bool| tls(&Member { value, path: "tls".into() }, has).map(|tls| tls.roots);
    assert_eq!(member(&json!({"roots": "platform"}), true), Ok(None));
    assert!(matches!(
        member(&json!({"roots": "platform"}), false),
        Err(TrustError::Member { path, problem }) if path == "tls.roots" && problem.contains("list of roots")
    ));
    assert!(member(&json!({"roots": [SEQUENCE]}), false).is_ok_and(|roots| roots.is_some()));
}

#[test]
fn an_issuer_that_is_not_a_plain_https_origin_is_refused() {
    for issuer in [
        "http://sign.example.jp",
        "https://sign.example.jp/",
        "https://sign.example.jp/path",
        "https://sign.example.jp?q",
        "https://sign.example.jp#f",
        "https://user@sign.example.jp",
        "https://sign.example.jp:443",
        "https://SIGN.example.jp",
        "https://署名.jp",
        "https://",
        " https://sign.example.jp",
        "sign.example.jp",
    ] {
        assert_eq!(path_after("/services/0/issuer", json!(issuer)), "services[0].issuer", "{issuer}");
    }
}

#[test]
fn every_wrong_member_is_named_by_its_path() {
    for (pointer, value, path) in [
        ("/services", json!([]), "services"),
        ("/services", json!({}), "services"),
        ("/service", json!(1), "service"),
        ("/services/0", json!(null), "services[0]"),
        ("/services/0/extra", json!(1), "services[0].extra"),
        ("/services/0/display_name/fr", json!("x"), "services[0].display_name.fr"),
        ("/services/0/display_name/ja", json!(""), "services[0].display_name.ja"),
        ("/services/0/display_name/en", json!("a\nb"), "services[0].display_name.en"),
        ("/services/0/ticket_keys/keys", json!([]), "services[0].ticket_keys.keys"),
        ("/services/0/ticket_keys/keys/0/kid", json!(1), "services[0].ticket_keys.keys[0].kid"),
        ("/services/0/ticket_keys/keys/0/crv", json!("P-384"), "services[0].ticket_keys.keys[0]"),
        ("/services/0/ticket_keys/keys/0/d", json!("AA"), "services[0].ticket_keys.keys[0]"),
        ("/services/0/tls/roots", json!("any"), "services[0].tls.roots"),
        ("/services/0/tls/roots", json!([]), "services[0].tls.roots"),
        ("/services/0/tls/spki_pins", json!(["AAAA"]), "services[0].tls.spki_pins[0]"),
        ("/services/0/hpki_roots/1", json!("AgEB"), "services[0].hpki_roots[1]"),
        ("/services/0/hpki_roots/1", json!("MAMCAQEA"), "services[0].hpki_roots[1]"),
        ("/services/0/hpki_roots", json!([]), "services[0].hpki_roots"),
        ("/services/0/prescriber_roles", json!(vec!["a"; MAX_ITEMS + 1]), "services[0].prescriber_roles"),
    ] {
        assert_eq!(path_after(pointer, value), path);
    }
}

#[test]
fn every_member_but_the_pins_is_required() {
    for pointer in [
        "/services",
        "/services/0/issuer",
        "/services/0/display_name",
        "/services/0/display_name/ja",
        "/services/0/ticket_keys",
        "/services/0/ticket_keys/keys/0/kid",
        "/services/0/tls",
        "/services/0/tls/roots",
        "/services/0/hpki_roots",
        "/services/0/prescriber_roles",
    ] {
        let mut configuration = good();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        configuration.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
        let error = parse(&configuration).err();
        assert!(matches!(error, Some(TrustError::Member { problem: "is missing", .. })), "{pointer}");
    }
}

#[test]
fn what_stands_twice_is_refused() {
    let mut configuration = good();
    let service = configuration["services"][0].clone();
    configuration["services"] = json!([service, service]);
    let error = parse(&configuration).unwrap_err();
    assert_eq!(error.to_string(), "trust configuration, services[1].issuer: stands twice");

    let mut configuration = good();
    let key = configuration["services"][0]["ticket_keys"]["keys"][0].clone();
    configuration["services"][0]["ticket_keys"]["keys"] = json!([key, key]);
    let error = parse(&configuration).unwrap_err();
    assert_eq!(error.to_string(), "trust configuration, services[0].ticket_keys.keys[1].kid: stands twice");

    let error = TrustConfiguration::from_json(br#"{"services":[],"services":[]}"#).unwrap_err();
    assert!(matches!(error, TrustError::Json { line: 1, .. }));
}

#[test]
fn two_certificates_in_one_pem_text_are_refused() {
    let one = format!("-----BEGIN CERTIFICATE-----\n{SEQUENCE}\n-----END CERTIFICATE-----\n");
    let path = path_after("/services/0/hpki_roots/0", json!(format!("{one}{one}")));
    assert_eq!(path, "services[0].hpki_roots[0]");
}

#[test]
fn a_configuration_over_the_limit_is_refused_unread() {
    let long = vec![b' '; MAX_CONFIGURATION + 1];
    assert_eq!(TrustConfiguration::from_json(&long).err(), Some(TrustError::TooLong));
}
