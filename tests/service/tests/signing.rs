//! Tokens, SAD and signHash: what is granted once, and each thing that is refused, over TLS.

mod common;

use common::{Jwt, Phone, ResourceCall, TokenCall, World, doctor, random_id, sha256, verifies};
use reference_service::{HolderSpec, Options, ReferenceService};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

fn hashes(count: usize) -> Vec<String> {
    (0..count).map(|n| sha256(&n.to_be_bytes())).collect()
}

fn sad(call: &mut TokenCall) -> &mut Jwt {
    call.sad.as_mut().expect("a call with a SAD")
}

fn detail(call: &mut TokenCall) -> &mut Value {
    &mut sad(call).claims["authorization_details"][0]
}

#[tokio::test]
async fn a_hundred_hashes_take_one_token_and_one_call_and_every_value_verifies() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let body = json!({"credentialID": phone.credential, "certificates": "chain", "certInfo": true, "authInfo": true});
    let info = phone.ask(Method::POST, "/csc/v2/credentials/info", Some(body)).await;
    assert_eq!((info.status, info.text("SCAL")), (200, "2"), "{}", info.body);
    assert_eq!(info.body["key"]["status"], "enabled");
    assert_eq!(info.body["cert"]["status"], "valid");
    assert_eq!(info.body["cert"]["certificates"].as_array().map(Vec::len), Some(3));
    let certificate = info.body["cert"]["certificates"][0].as_str().unwrap();

    let before = world.service.requests_seen();
    let hashes = hashes(100);
    let granted = phone.token(&phone.credential_token_call(&hashes)).await;
    assert_eq!(granted.body["authorization_details"][0]["numSignatures"], 100);
    let signed = phone.call(&phone.sign_hash_call(granted.text("access_token"), &hashes)).await;
    assert_eq!(signed.status, 200, "{}", signed.body);
    let seen = |log: &std::collections::BTreeMap<String, u64>| log.values().sum::<u64>();
    assert_eq!(seen(&world.service.requests_seen()) - seen(&before), 2);

    let signatures = signed.body["signatures"].as_array().unwrap();
    assert_eq!(signatures.len(), 100);
    for (n, signature) in signatures.iter().enumerate() {
        assert!(verifies(certificate, &n.to_be_bytes(), signature.as_str().unwrap()), "{n}");
    }
    assert_eq!(world.office().signatures_made(&world.credential).unwrap(), 100);
}

#[tokio::test]
async fn a_token_signs_once_even_when_asked_twice_at_the_same_time_and_across_a_restart() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let hashes = hashes(1);
    let token = phone.credential_token(&hashes).await;
    let (first, second) = (phone.sign_hash_call(&token, &hashes), phone.sign_hash_call(&token, &hashes));
    let (first, second) = tokio::join!(phone.call(&first), phone.call(&second));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    assert_eq!(world.office().signatures_made(&world.credential).unwrap(), 1);

    let issuer = world.service.issuer().to_owned();
    let listen = issuer.trim_start_matches("https://").parse().unwrap();
    world.service.stop().await;
    let options = Options { listen, keys: common::keys(), ..Options::new(world.dir.path()) };
    let service = ReferenceService::start(options).await.unwrap();
    assert_eq!(service.issuer(), issuer);
    phone.get("/.well-known/oauth-authorization-server").await;
    let answer = phone.call(&phone.sign_hash_call(&token, &hashes)).await;
    answer.expect_refusal("after a restart", 401, "invalid_token", "spent");
    assert_eq!(phone.token(&phone.service_token_call()).await.status, 200, "the binding is still there");
}

type SpoilToken = fn(&mut TokenCall, &Phone);

#[tokio::test]
async fn each_thing_that_a_client_assertion_must_say_is_checked() {
    const CLIENT: (u16, &str) = (401, "invalid_client");
    let rows: Vec<(&str, (u16, &str), SpoilToken)> = vec![
        ("jwt-bearer", CLIENT, |c, _| c.form["client_assertion_type"] = json!("x")),
        ("not registered", CLIENT, |c, _| c.assertion.claims["iss"] = json!(random_id())),
        ("verify", CLIENT, |c, phone| c.assertion.by = Arc::clone(&phone.approval)),
        ("kid", CLIENT, |c, _| c.assertion.header["kid"] = json!("1")),
        ("sub", CLIENT, |c, _| c.assertion.claims["sub"] = json!("1")),
        ("aud", CLIENT, |c, _| c.assertion.claims["aud"] = json!("https://example.com")),
        ("60 seconds", CLIENT, |c, phone| c.assertion.claims["exp"] = json!((phone.now)() + 61)),
        ("of now", CLIENT, |c, phone| {
            c.assertion.claims["iat"] = json!((phone.now)() - 302);
            c.assertion.claims["exp"] = json!((phone.now)() - 242);
        }),
        ("jti", CLIENT, |c, _| c.assertion.claims["jti"] = json!(null)),
        ("device key", (400, "invalid_dpop_proof"), |c, phone| {
            c.dpop.by = Arc::clone(&phone.approval);
            c.dpop.header["jwk"] = phone.approval.jwk();
        }),
        ("htm", (400, "invalid_dpop_proof"), |c, _| c.dpop.claims["htm"] = json!("GET")),
        ("htu", (400, "invalid_dpop_proof"), |c, phone| {
            c.dpop.claims["htu"] = json!(format!("{}/register", phone.issuer));
        }),
        ("ath", (400, "invalid_dpop_proof"), |c, _| c.dpop.claims["ath"] = json!("AA")),
        ("nonce", (400, "use_dpop_nonce"), |c, _| c.dpop.claims["nonce"] = json!("AA")),
        ("", (400, "invalid_scope"), |c, _| c.form["scope"] = json!("admin")),
        ("", (400, "unsupported_grant_type"), |c, _| c.form["grant_type"] = json!("password")),
    ];
    let world = World::new().await;
    let phone = world.bound_phone().await;
    for (number, (part, (status, error), spoil)) in rows.into_iter().enumerate() {
        let mut call = phone.service_token_call();
        spoil(&mut call, &phone);
        phone.token(&call).await.expect_refusal(&format!("row {number}, {part}"), status, error, part);
    }
    let right = phone.service_token_call();
    assert_eq!(phone.token(&right).await.status, 200);
    let mut replay = phone.service_token_call();
    replay.assertion = right.assertion;
    phone.token(&replay).await.expect_refusal("replayed", 401, "invalid_client", "used before");
}

#[tokio::test]
async fn each_thing_that_a_sad_must_bind_is_checked() {
    const GRANT: (u16, &str) = (400, "invalid_grant");
    const DETAILS: (u16, &str) = (400, "invalid_authorization_details");
    const REQUEST: (u16, &str) = (400, "invalid_request");
    let rows: Vec<(&str, (u16, &str), SpoilToken)> = vec![
        ("typ", GRANT, |c, _| sad(c).header["typ"] = json!("JWT")),
        ("kid", GRANT, |c, phone| sad(c).header["kid"] = json!(phone.device.thumbprint())),
        ("verify", GRANT, |c, phone| sad(c).by = Arc::clone(&phone.device)),
        ("iss", GRANT, |c, _| sad(c).claims["iss"] = json!("1")),
        ("sub", GRANT, |c, _| sad(c).claims["sub"] = json!("1")),
        ("aud", GRANT, |c, phone| sad(c).claims["aud"] = json!(phone.issuer)),
        ("purpose", GRANT, |c, _| sad(c).claims["purpose"] = json!("contract")),
        ("nonce", GRANT, |c, _| sad(c).claims["nonce"] = json!("AA")),
        ("SAD expired", GRANT, |c, phone| sad(c).claims["exp"] = json!((phone.now)())),
        ("five minutes", GRANT, |c, phone| sad(c).claims["exp"] = json!((phone.now)() + 302)),
        ("five minutes", GRANT, |c, phone| sad(c).claims["iat"] = json!((phone.now)() - 302)),
        ("jti", GRANT, |c, _| sad(c).claims["jti"] = json!(null)),
        ("it is missing", GRANT, |c, _| c.sad = None),
        ("the SAD has none", DETAILS, |c, _| {
            sad(c).claims.as_object_mut().unwrap().remove("authorization_details");
        }),
        ("differ", DETAILS, |c, _| {
            let mut other = sad(c).claims["authorization_details"].clone();
            other[0]["documentDigests"][0]["label"] = json!("other");
            c.form.insert("authorization_details".into(), json!(other.to_string()));
        }),
        ("one credential detail", DETAILS, |c, _| {
            let twice = json!([detail(c), detail(c).clone()]);
            sad(c).claims["authorization_details"] = twice;
        }),
        ("unknown field", DETAILS, |c, _| detail(c)["locations"] = json!([])),
        ("type", DETAILS, |c, _| detail(c)["type"] = json!("payment")),
        ("credentialID", DETAILS, |c, _| detail(c)["credentialID"] = json!("1")),
        ("SHA-256", DETAILS, |c, _| detail(c)["hashAlgorithmOID"] = json!("1.3.14.3.2.26")),
        ("dtbsr", DETAILS, |c, _| detail(c)["hashType"] = json!("sodr")),
        ("numSignatures", DETAILS, |c, _| detail(c)["numSignatures"] = json!(2)),
        ("label", DETAILS, |c, _| detail(c)["documentDigests"][0]["label"] = json!("")),
        ("Empty hash array", REQUEST, |c, _| detail(c)["documentDigests"] = json!([])),
        ("Invalid Base64", REQUEST, |c, _| detail(c)["documentDigests"][0]["hash"] = json!("*")),
        ("digest value length", REQUEST, |c, _| detail(c)["documentDigests"][0]["hash"] = json!("AAAA")),
        ("too high", REQUEST, |c, _| {
            let digests = vec![detail(c)["documentDigests"][0].clone(); 3];
            detail(c)["documentDigests"] = json!(digests);
            detail(c)["numSignatures"] = json!(3);
        }),
    ];
    let world = World::with(&HolderSpec { multisign: 2, ..doctor() }).await;
    let phone = world.bound_phone().await;
    for (number, (part, (status, error), spoil)) in rows.into_iter().enumerate() {
        let mut call = phone.credential_token_call(&hashes(1));
        spoil(&mut call, &phone);
        phone.token(&call).await.expect_refusal(&format!("row {number}, {part}"), status, error, part);
    }
    let right = phone.credential_token_call(&hashes(2));
    assert_eq!(phone.token(&right).await.status, 200);
    let mut replay = phone.credential_token_call(&hashes(2));
    replay.sad = right.sad;
    phone.token(&replay).await.expect_refusal("replayed", 400, "invalid_grant", "used before");
}

type SpoilSigning = fn(&mut ResourceCall, &Phone);

/// Every refusal past the proof of possession has spent the token.
#[tokio::test]
async fn each_thing_that_sign_hash_must_match_is_checked_and_spends_the_token() {
    fn set(call: &mut ResourceCall, name: &str, value: Value) {
        call.body.as_mut().expect("a call with a body")[name] = value;
    }
    let rows: Vec<(&str, SpoilSigning)> = vec![
        ("credentialID", |c, _| set(c, "credentialID", json!("1"))),
        ("operationMode", |c, _| set(c, "operationMode", json!("A"))),
        ("hashAlgorithmOID", |c, _| set(c, "hashAlgorithmOID", json!("1.3.14.3.2.26"))),
        ("signAlgo", |c, _| set(c, "signAlgo", json!("1.2.840.113549.1.1.10"))),
        ("Empty hash array", |c, _| set(c, "hashes", json!([]))),
        ("Invalid Base64 hash string parameter", |c, _| set(c, "hashes", json!(["*", "*"]))),
        ("Invalid digest value length", |c, _| set(c, "hashes", json!(["AAAA", "AAAA"]))),
        ("Numbers of signatures is too high", |c, _| set(c, "hashes", json!(hashes(3)))),
        ("Hash is not authorized by the SAD.", |c, _| set(c, "hashes", json!([sha256(b"a"), sha256(b"b")]))),
        ("Hash is not authorized by the SAD.", |c, _| set(c, "hashes", json!(hashes(1)))),
        ("Hash is not authorized by the SAD.", |c, _| {
            let first = hashes(1).remove(0);
            set(c, "hashes", json!([first, first]));
        }),
        ("another shape", |c, _| set(c, "SAD", json!("1"))),
    ];
    let world = World::with(&HolderSpec { multisign: 2, ..doctor() }).await;
    let phone = world.bound_phone().await;
    for (number, (part, spoil)) in rows.into_iter().enumerate() {
        let token = phone.credential_token(&hashes(2)).await;
        let mut call = phone.sign_hash_call(&token, &hashes(2));
        spoil(&mut call, &phone);
        let row = format!("row {number}, {part}");
        phone.call(&call).await.expect_refusal(&row, 400, "invalid_request", part);
        let answer = phone.call(&phone.sign_hash_call(&token, &hashes(2))).await;
        answer.expect_refusal(&row, 401, "invalid_token", "spent");
    }
    assert_eq!(world.office().signatures_made(&world.credential).unwrap(), 0);
}

#[tokio::test]
async fn a_resource_wants_the_right_token_with_a_proof_that_names_it() {
    const DPOP: &str = "invalid_dpop_proof";
    let rows: Vec<(&str, &str, SpoilSigning)> = vec![
        ("unknown or spent", "invalid_token", |c, phone| {
            c.token = random_id();
            c.dpop = phone.proof("POST", &c.path, Some(&c.token));
        }),
        ("ath", DPOP, |c, _| c.dpop.claims["ath"] = json!("AA")),
        ("ath", DPOP, |c, _| {
            c.dpop.claims.as_object_mut().unwrap().remove("ath");
        }),
        ("htu", DPOP, |c, phone| c.dpop.claims["htu"] = json!(format!("{}/csc/v2/info", phone.issuer))),
        ("nonce", "use_dpop_nonce", |c, _| c.dpop.claims["nonce"] = json!("")),
        ("another key", "invalid_token", |c, phone| {
            c.dpop.by = Arc::clone(&phone.approval);
            c.dpop.header["jwk"] = phone.approval.jwk();
        }),
    ];
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let service = phone.service_token().await;
    let list = || phone.resource(Method::POST, "/csc/v2/credentials/list", &service, Some(json!({})));
    for (number, (part, error, spoil)) in rows.into_iter().enumerate() {
        let mut call = list();
        spoil(&mut call, &phone);
        let answer = phone.call(&call).await;
        answer.expect_refusal(&format!("row {number}, {part}"), 401, error, part);
        assert!(answer.challenge.contains(&format!(r#"DPoP error="{error}""#)), "{}", answer.challenge);
    }
    let answer = phone.call(&list()).await;
    assert_eq!(answer.body["credentialIDs"], json!([world.credential]));

    let answer = phone.call(&phone.sign_hash_call(&service, &hashes(1))).await;
    answer.expect_refusal("a service token signs nothing", 401, "insufficient_scope", "");
    let credential = phone.credential_token(&hashes(1)).await;
    let inbox = phone.resource(Method::GET, "/prescriptions", &credential, None);
    phone.call(&inbox).await.expect_refusal(
        "a credential token reads nothing",
        401,
        "insufficient_scope",
        "",
    );

    world.office().clock().shift(Duration::seconds(301));
    let answer = phone.call(&phone.sign_hash_call(&credential, &hashes(1))).await;
    answer.expect_refusal("after five minutes", 401, "invalid_token", "expired");
    world.office().clock().shift(Duration::seconds(601));
    let stale = list();
    phone.call(&stale).await.expect_refusal("after ten minutes", 401, "use_dpop_nonce", "nonce");
    phone.call(&list()).await.expect_refusal("with the new nonce", 401, "invalid_token", "expired");
}

#[tokio::test]
async fn a_disabled_key_a_revoked_and_an_expired_certificate_sign_nothing() {
    let now = OffsetDateTime::now_utc();
    let disabled = HolderSpec { key_enabled: false, ..doctor() };
    let expired =
        HolderSpec { validity: Some((now - Duration::days(9), now - Duration::days(1))), ..doctor() };
    for (holder, status, text) in [(disabled, "valid", "is disabled"), (expired, "expired", "is expired.")] {
        let world = World::with(&holder).await;
        let phone = world.bound_phone().await;
        let answer = phone.token(&phone.credential_token_call(&hashes(1))).await;
        answer.expect_refusal(text, 400, "invalid_request", text);
        let body = json!({"credentialID": phone.credential});
        let info = phone.ask(Method::POST, "/csc/v2/credentials/info", Some(body)).await;
        assert_eq!(info.body["cert"]["status"], status);
    }

    let world = World::new().await;
    let phone = world.bound_phone().await;
    let token = phone.credential_token(&hashes(1)).await;
    world.office().revoke(&world.credential).unwrap();
    assert!(world.office().revoke(&world.credential).is_err(), "once");
    let answer = phone.call(&phone.sign_hash_call(&token, &hashes(1))).await;
    answer.expect_refusal("revoked after the SAD", 400, "invalid_request", "is disabled");
    assert_eq!(world.office().signatures_made(&world.credential).unwrap(), 0);
}
