//! What an attacker, a lost phone or a mistaken one would try: replays, things of others, things that are over.

mod common;

use common::{Phone, World, sha256};
use reference_service::{HolderSpec, TicketSpec};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use time::Duration;

const LIST: &str = "/csc/v2/credentials/list";
const INFO: &str = "/csc/v2/credentials/info";
const POLLING: &str = "/csc/v2/signatures/signPolling";

fn hashes(count: usize) -> Vec<String> {
    (0..count).map(|n| sha256(&n.to_be_bytes())).collect()
}

/// Two doctors of one service, each with a phone.
async fn two_doctors() -> (World, Phone, Phone, String) {
    let world = World::new().await;
    let first = world.bound_phone().await;
    let other = HolderSpec::new("他 人", "HITO TA", "Dentist");
    let other = world.office().issue(&other).unwrap();
    let mut second = world.phone().await;
    let ticket = world.office().ticket(&other, TicketSpec::card()).unwrap();
    let answer = second.register(&second.registration(&ticket)).await;
    second.adopt(&answer);
    (world, first, second, other)
}

#[tokio::test]
async fn a_proof_is_taken_once_at_the_token_endpoint_and_at_every_resource() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let first = phone.service_token_call();
    assert_eq!(phone.token(&first).await.status, 200);
    let mut second = phone.service_token_call();
    second.dpop = first.dpop;
    phone.token(&second).await.expect_refusal("token", 400, "invalid_dpop_proof", "used before");

    let token = phone.service_token().await;
    for (method, path, body) in [
        (Method::GET, "/prescriptions", None),
        (Method::POST, LIST, Some(json!({}))),
        (Method::POST, INFO, Some(json!({"credentialID": phone.credential}))),
    ] {
        let call = phone.resource(method, path, &token, body);
        assert_eq!(phone.call(&call).await.status, 200, "{path}");
        phone.call(&call).await.expect_refusal(path, 401, "invalid_dpop_proof", "used before");
    }
    let credential_token = phone.credential_token(&hashes(1)).await;
    let mut call = phone.sign_hash_call(&credential_token, &hashes(1));
    call.dpop.claims["htm"] = json!("GET");
    phone.call(&call).await.expect_refusal("htm", 401, "invalid_dpop_proof", "htm");
    let call = phone.sign_hash_call(&credential_token, &hashes(1));
    assert_eq!(phone.call(&call).await.status, 200);
    phone.call(&call).await.expect_refusal("signHash", 401, "invalid_dpop_proof", "used before");
    assert_eq!(world.office().signatures_made(&world.credential).unwrap(), 1);
}

#[tokio::test]
async fn the_keys_of_another_phone_open_nothing() {
    let (world, phone, other, _) = two_doctors().await;
    let token = phone.service_token().await;
    let mut call = phone.resource(Method::GET, "/prescriptions", &token, None);
    call.dpop.by = Arc::clone(&other.device);
    call.dpop.header["jwk"] = other.device.jwk();
    phone.call(&call).await.expect_refusal("a stolen token", 401, "invalid_token", "another key");

    let credential_token = phone.credential_token(&hashes(1)).await;
    let mut call = phone.sign_hash_call(&credential_token, &hashes(1));
    call.dpop.by = Arc::clone(&other.device);
    call.dpop.header["jwk"] = other.device.jwk();
    phone.call(&call).await.expect_refusal("a stolen credential token", 401, "invalid_token", "another key");

    let mut call = phone.service_token_call();
    call.assertion.by = Arc::clone(&other.device);
    phone.token(&call).await.expect_refusal("another's assertion", 401, "invalid_client", "verify");

    let mut call = other.service_token_call();
    call.assertion = phone.service_token_call().assertion;
    other.token(&call).await.expect_refusal("a stolen assertion", 400, "invalid_dpop_proof", "device key");

    let mut call = phone.credential_token_call(&hashes(1));
    call.sad.as_mut().unwrap().by = Arc::clone(&other.approval);
    phone.token(&call).await.expect_refusal("another's approval", 400, "invalid_grant", "verify");

    let mut call = other.credential_token_call(&hashes(1));
    call.sad = phone.credential_token_call(&hashes(1)).sad;
    other.token(&call).await.expect_refusal("a stolen SAD", 400, "invalid_grant", "verify");

    let token = phone.registration_token.clone();
    let answer = phone.registration_client(Method::DELETE, &token, &other.device).await;
    answer.expect_refusal("a stolen registration token", 400, "invalid_dpop_proof", "device key");
    assert_eq!(world.office().signatures_made(&world.credential).unwrap(), 0);
}

#[tokio::test]
async fn the_credential_and_the_prescriptions_of_another_doctor_are_out_of_reach() {
    let (world, phone, _, other) = two_doctors().await;
    let info = phone.ask(Method::POST, INFO, Some(json!({"credentialID": other}))).await;
    info.expect_refusal("its certificate", 400, "invalid_request", "credentialID");
    let list = phone.ask(Method::POST, LIST, Some(json!({}))).await;
    assert_eq!(list.body["credentialIDs"], json!([world.credential]));

    let mut call = phone.credential_token_call(&hashes(1));
    call.sad.as_mut().unwrap().claims["authorization_details"][0]["credentialID"] = json!(other);
    let answer = phone.token(&call).await;
    answer.expect_refusal("a SAD for it", 400, "invalid_authorization_details", "credentialID");
    let mut call = phone.credential_token_call(&hashes(1));
    call.sad.as_mut().unwrap().claims["sub"] = json!(other);
    phone.token(&call).await.expect_refusal("as its subject", 400, "invalid_grant", "sub");

    let token = phone.credential_token(&hashes(1)).await;
    let mut call = phone.sign_hash_call(&token, &hashes(1));
    call.body.as_mut().unwrap()["credentialID"] = json!(other);
    phone.call(&call).await.expect_refusal("its key", 400, "invalid_request", "credentialID");

    let requester = reference_service::Requester { name: "A".into(), facility_code: "1".into() };
    let id = world.office().submit(&other, &requester, b"SJ1\n").unwrap();
    let list = phone.ask(Method::GET, "/prescriptions", None).await;
    assert_eq!(list.body["requests"], json!([]));
    let decline = json!({"error": "access_denied"});
    let answer = phone.ask(Method::POST, &format!("/prescriptions/{id}"), Some(decline)).await;
    answer.expect_refusal("its prescription", 404, "not_found", "");
    assert_eq!(world.office().signatures_made(&other).unwrap(), 0);
}

#[tokio::test]
async fn a_replaced_phone_can_do_nothing_any_more() {
    let world = World::new().await;
    let mut old = world.phone().await;
    let ticket = world.letter();
    let answer = old.register(&old.registration(&ticket)).await;
    old.adopt(&answer);
    let id = world.submit(b"SJ1\n");
    let (service, credential) = (old.service_token().await, old.credential_token(&hashes(1)).await);
    let _new = world.bound_phone().await;

    let resources: [(Method, String, Option<Value>); 5] = [
        (Method::GET, "/prescriptions".into(), None),
        (Method::POST, format!("/prescriptions/{id}"), Some(json!({"error": "access_denied"}))),
        (Method::POST, LIST.into(), Some(json!({}))),
        (Method::POST, INFO.into(), Some(json!({"credentialID": old.credential}))),
        (Method::POST, POLLING.into(), Some(json!({"requestID": "1"}))),
    ];
    for (method, path, body) in resources {
        let answer = old.call(&old.resource(method, &path, &service, body)).await;
        answer.expect_refusal(&path, 401, "invalid_token", "no longer bound");
    }
    let answer = old.call(&old.sign_hash_call(&credential, &hashes(1))).await;
    answer.expect_refusal("signHash", 401, "invalid_token", "no longer bound");
    let answer = old.token(&old.service_token_call()).await;
    answer.expect_refusal("a service token", 401, "invalid_client", "not registered");
    let answer = old.token(&old.credential_token_call(&hashes(1))).await;
    answer.expect_refusal("a credential token", 401, "invalid_client", "not registered");
    for method in [Method::GET, Method::DELETE] {
        let answer = old.registration_client(method, &old.registration_token, &old.device).await;
        answer.expect_refusal("its registration", 401, "invalid_token", "registration access token");
    }
    let answer = old.register(&old.registration(&ticket)).await;
    answer.expect_refusal("its ticket again", 401, "ticket_used", "");
    assert_eq!(world.office().signatures_made(&world.credential).unwrap(), 0);
}

#[tokio::test]
async fn a_certificate_revoked_a_second_ago_signs_nothing_and_says_so() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let token = phone.credential_token(&hashes(1)).await;
    world.office().revoke(&world.credential).unwrap();
    world.office().clock().shift(Duration::seconds(1));
    let answer = phone.call(&phone.sign_hash_call(&token, &hashes(1))).await;
    answer.expect_refusal("a token from before", 400, "invalid_request", "is disabled");
    let answer = phone.token(&phone.credential_token_call(&hashes(1))).await;
    answer.expect_refusal("a new SAD", 400, "invalid_request", "is disabled");
    let info = phone.ask(Method::POST, INFO, Some(json!({"credentialID": phone.credential}))).await;
    assert_eq!(
        (&info.body["cert"]["status"], &info.body["key"]["status"]),
        (&json!("revoked"), &json!("disabled"))
    );
    assert_eq!(world.office().signatures_made(&world.credential).unwrap(), 0);
}

#[tokio::test]
async fn a_letter_is_dead_after_its_days_after_its_use_and_after_a_sixth_wrong_code() {
    let world = World::new().await;
    let (late, guessed, used) = (world.letter(), world.letter(), world.letter());
    let phone = world.phone().await;
    let mut wrong = phone.registration(&guessed);
    wrong.body["activation_code"] = json!("x0000000");
    for attempt in 1..=6 {
        wrong.dpop = phone.proof("POST", "/register", None);
        let answer = phone.register(&wrong).await;
        let (status, left) = if attempt < 5 { (400, json!(5 - attempt)) } else { (403, Value::Null) };
        assert_eq!((answer.status, &answer.body["tries_left"]), (status, &left), "attempt {attempt}");
    }
    let right = phone.register(&phone.registration(&guessed)).await;
    right.expect_refusal("the right code, too late", 403, "ticket_locked", "");

    assert_eq!(phone.register(&phone.registration(&used)).await.status, 201);
    let thief = world.phone().await;
    let answer = thief.register(&thief.registration(&used)).await;
    answer.expect_refusal("used", 401, "ticket_used", "other keys");

    world.office().clock().shift(Duration::days(30));
    thief.get("/.well-known/oauth-authorization-server").await;
    let answer = thief.register(&thief.registration(&late)).await;
    answer.expect_refusal("after thirty days", 401, "ticket_expired", "expired");
    let answer = thief.register(&thief.registration(&used)).await;
    answer.expect_refusal("used, thirty days ago", 401, "ticket_used", "other keys");
}
