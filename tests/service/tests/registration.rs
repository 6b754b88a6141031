//! Binding a phone: what the service grants, and each thing that it refuses, over TLS.

mod common;

use common::{Answer, Key, Phone, Registration, World, random_id};
use reference_service::TicketSpec;
use reqwest::Method;
use serde_json::json;
use std::sync::Arc;
use time::Duration;

#[tokio::test]
async fn a_letter_with_its_code_binds_the_phone_and_the_same_again_is_the_same_registration() {
    let world = World::new().await;
    let mut phone = world.phone().await;
    let ticket = world.letter();
    let first = phone.register(&phone.registration(&ticket)).await;
    assert_eq!((first.status, &first.body["replaced"]), (201, &json!(false)), "{}", first.body);
    assert_eq!(first.text("credential_id"), world.credential);
    assert!(first.body.get("activation_code").is_none() && first.body.get("approval_proof").is_none());
    phone.adopt(&first);

    world.office().clock().shift(Duration::days(31));
    phone.get("/.well-known/oauth-authorization-server").await;
    let second = phone.register(&phone.registration(&ticket)).await;
    assert_eq!((second.status, second.text("client_id")), (200, first.text("client_id")));
    assert_ne!(second.text("registration_access_token"), first.text("registration_access_token"));

    let old = phone.registration_client(Method::GET, &phone.registration_token, &phone.device).await;
    old.expect_refusal("the registration token before", 401, "invalid_token", "registration access token");
}

#[tokio::test]
async fn a_ticket_from_the_card_route_needs_no_code_and_lives_ten_minutes() {
    let world = World::new().await;
    let card = || world.office().ticket(&world.credential, TicketSpec::card()).unwrap();
    let (used, late) = (card(), card());
    assert_eq!(used.activation_code, None);
    let phone = world.phone().await;
    assert_eq!(phone.register(&phone.registration(&used)).await.status, 201);

    world.office().clock().shift(Duration::minutes(10));
    let other = world.phone().await;
    let answer = other.register(&other.registration(&late)).await;
    answer.expect_refusal("after ten minutes", 401, "ticket_expired", "expired");
}

#[tokio::test]
async fn five_wrong_codes_lock_a_ticket_and_each_says_how_many_tries_remain() {
    let world = World::new().await;
    let ticket = world.letter();
    let phone = world.phone().await;
    let with_code = |code: &str| {
        let mut registration = phone.registration(&ticket);
        registration.body["activation_code"] = json!(code);
        registration
    };
    for left in [4, 3, 2, 1] {
        let answer = phone.register(&with_code("x0000000")).await;
        answer.expect_refusal("a wrong code", 400, "invalid_activation_code", "wrong");
        assert_eq!(answer.body["tries_left"], json!(left));
    }
    let locked = phone.register(&with_code("x0000000")).await;
    locked.expect_refusal("the fifth wrong code", 403, "ticket_locked", "");
    let right = phone.register(&phone.registration(&ticket)).await;
    right.expect_refusal("the right code afterwards", 403, "ticket_locked", "");
}

#[tokio::test]
async fn a_new_phone_replaces_the_old_one_whose_tokens_stop_at_once() {
    let world = World::new().await;
    let old = world.bound_phone().await;
    let token = old.service_token().await;
    let new = world.phone().await;
    let answer = new.register(&new.registration(&world.letter())).await;
    assert_eq!((answer.status, &answer.body["replaced"]), (201, &json!(true)));

    let call = old.resource(Method::GET, "/prescriptions", &token, None);
    old.call(&call).await.expect_refusal("its token", 401, "invalid_token", "no longer bound");
    let answer = old.token(&old.service_token_call()).await;
    answer.expect_refusal("its assertion", 401, "invalid_client", "not registered");
}

#[tokio::test]
async fn a_registration_can_be_read_and_removed_with_its_token_and_device_key_only() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let token = phone.registration_token.clone();
    let read = phone.registration_client(Method::GET, &token, &phone.device).await;
    assert_eq!((read.status, read.text("client_id")), (200, phone.client_id.as_str()));

    let answer = phone.registration_client(Method::DELETE, "guess", &phone.device).await;
    answer.expect_refusal("another token", 401, "invalid_token", "");
    let answer = phone.registration_client(Method::DELETE, &token, &phone.approval).await;
    answer.expect_refusal("another key", 400, "invalid_dpop_proof", "device key");

    assert_eq!(phone.registration_client(Method::DELETE, &token, &phone.device).await.status, 204);
    let answer = phone.token(&phone.service_token_call()).await;
    answer.expect_refusal("afterwards", 401, "invalid_client", "not registered");
}

type Spoil = fn(&mut Registration, &Phone);

/// Each row spoils one thing in a right registration.
#[tokio::test]
async fn each_thing_that_a_registration_must_bind_is_checked() {
    const TOKEN: (u16, &str) = (401, "invalid_token");
    const METADATA: (u16, &str) = (400, "invalid_client_metadata");
    const DPOP: (u16, &str) = (400, "invalid_dpop_proof");
    const APPROVAL: (u16, &str) = (400, "invalid_approval_proof");
    let rows: Vec<(&str, (u16, &str), Spoil)> = vec![
        ("", TOKEN, |r, _| r.ticket.push('A')),
        ("", TOKEN, |r, _| r.ticket = "x".into()),
        ("typ", DPOP, |r, _| r.dpop.header["typ"] = json!("JWT")),
        ("ES256", DPOP, |r, _| r.dpop.header["alg"] = json!("none")),
        ("P-256", DPOP, |r, _| r.dpop.header["jwk"]["d"] = json!("AA")),
        ("verify", DPOP, |r, phone| r.dpop.by = Arc::clone(&phone.approval)),
        ("htm", DPOP, |r, _| r.dpop.claims["htm"] = json!("GET")),
        ("htu", DPOP, |r, _| r.dpop.claims["htu"] = json!("https://example.com/register")),
        ("five minutes", DPOP, |r, phone| r.dpop.claims["iat"] = json!((phone.now)() - 301)),
        ("five minutes", DPOP, |r, phone| r.dpop.claims["iat"] = json!((phone.now)() + 302)),
        ("ath", DPOP, |r, _| r.dpop.claims["ath"] = json!("AA")),
        ("jti", DPOP, |r, _| r.dpop.claims["jti"] = json!("")),
        ("nonce", (400, "use_dpop_nonce"), |r, _| r.dpop.claims["nonce"] = json!("AA")),
        ("one of the two", DPOP, |r, _| {
            r.dpop.by = Key::new();
            r.dpop.header["jwk"] = r.dpop.by.jwk();
        }),
        ("two keys", METADATA, |r, _| r.body["jwks"]["keys"] = json!([r.body["jwks"]["keys"][0]])),
        ("same", METADATA, |r, _| r.body["jwks"]["keys"][1] = r.body["jwks"]["keys"][0].clone()),
        ("P-256", METADATA, |r, _| r.body["jwks"]["keys"][1]["crv"] = json!("P-384")),
        ("thumbprint", METADATA, |r, _| r.body["jwks"]["keys"][1]["kid"] = json!("1")),
        ("private_key_jwt", METADATA, |r, _| r.body["token_endpoint_auth_method"] = json!("none")),
        ("ES256", METADATA, |r, _| r.body["token_endpoint_auth_signing_alg"] = json!("RS256")),
        ("grant_types", METADATA, |r, _| r.body["grant_types"] = json!(["authorization_code"])),
        ("response_types", METADATA, |r, _| r.body["response_types"] = json!(["code"])),
        ("dpop_bound", METADATA, |r, _| r.body["dpop_bound_access_tokens"] = json!(false)),
        ("scope", METADATA, |r, _| r.body["scope"] = json!("service admin")),
        ("software_id", METADATA, |r, _| r.body["software_id"] = json!("")),
        ("client_name", METADATA, |r, _| r.body["client_name"] = json!("長".repeat(101))),
        ("key_attestation", METADATA, |r, _| r.body["key_attestation"] = json!(["***"])),
        ("typ", APPROVAL, |r, _| r.approval_proof.header["typ"] = json!("JWT")),
        ("kid", APPROVAL, |r, _| r.approval_proof.header["kid"] = json!("1")),
        ("verify", APPROVAL, |r, phone| r.approval_proof.by = Arc::clone(&phone.device)),
        ("aud", APPROVAL, |r, _| r.approval_proof.claims["aud"] = json!("https://example.com")),
        ("ticket", APPROVAL, |r, _| r.approval_proof.claims["ticket"] = json!(random_id())),
        ("device", APPROVAL, |r, _| r.approval_proof.claims["device"] = json!("1")),
        ("iat", APPROVAL, |r, phone| r.approval_proof.claims["iat"] = json!((phone.now)() - 302)),
        ("", (400, "activation_code_required"), |r, _| r.body["activation_code"] = json!(null)),
    ];
    let world = World::new().await;
    let (phone, ticket) = (world.phone().await, world.letter());
    for (number, (part, (status, error), spoil)) in rows.into_iter().enumerate() {
        let mut registration = phone.registration(&ticket);
        spoil(&mut registration, &phone);
        let answer = phone.register(&registration).await;
        answer.expect_refusal(&format!("row {number}, {part}"), status, error, part);
    }
    let right = phone.registration(&ticket);
    assert_eq!(phone.register(&right).await.status, 201);
    let replay: Answer = phone.register(&right).await;
    replay.expect_refusal("the same proof again", 400, "invalid_dpop_proof", "used before");

    let other = world.phone().await;
    let answer = other.register(&other.registration(&ticket)).await;
    answer.expect_refusal("other keys", 401, "ticket_used", "other keys");
}

#[tokio::test]
async fn a_ticket_of_another_service_is_refused() {
    let (world, other) = (World::new().await, World::new().await);
    let phone = world.phone().await;
    let answer = phone.register(&phone.registration(&other.letter())).await;
    answer.expect_refusal("a stranger's ticket", 401, "invalid_token", "not a ticket of this service");
}
