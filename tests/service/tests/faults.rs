//! Each fault, met by a client over TLS, and what the service made of the request meanwhile.

mod common;

use common::{Phone, World, sha256};
use reference_service::{Canned, CscVersion, Fault, Faults, Rewrite, ServedCertificate, Spoilt};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const DISCOVERY: &str = "/.well-known/oauth-authorization-server";
const GET_DISCOVERY: &str = "GET /.well-known/oauth-authorization-server";
const TOKEN: &str = "POST /token";
const SIGN: &str = "POST /csc/v2/signatures/signHash";
const INFO: &str = "POST /csc/v2/info";

/// What came over the line.
#[derive(Debug)]
struct Raw {
    status: u16,
    media_type: String,
    date: String,
    body: String,
}

async fn raw(request: RequestBuilder) -> reqwest::Result<Raw> {
    let response = request.send().await?;
    let header = |name| response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let (media_type, date) = (header("content-type"), header("date"));
    Ok(Raw { status: response.status().as_u16(), media_type, date, body: response.text().await? })
}

fn discovery(phone: &Phone) -> RequestBuilder {
    phone.http.get(format!("{}{DISCOVERY}", phone.issuer))
}

fn hashes(count: usize) -> Vec<String> {
    (0..count).map(|n| sha256(&n.to_be_bytes())).collect()
}

async fn start() -> (World, Phone, Faults) {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let faults = world.service.faults().clone();
    (world, phone, faults)
}

#[tokio::test]
async fn an_answer_can_be_delayed_slow_without_end_or_of_another_time() {
    let (world, phone, faults) = start().await;
    let started = Instant::now();
    faults.next(1, GET_DISCOVERY, Fault::Delay(Duration::from_millis(300)));
    assert_eq!(raw(discovery(&phone)).await.unwrap().status, 200);
    assert!(started.elapsed() >= Duration::from_millis(300));

    let whole = raw(discovery(&phone)).await.unwrap();
    let started = Instant::now();
    faults.next(1, GET_DISCOVERY, Fault::Slow { piece: 100, pause: Duration::from_millis(30) });
    assert_eq!(raw(discovery(&phone)).await.unwrap().body, whole.body);
    assert!(started.elapsed() >= Duration::from_millis(30 * (whole.body.len() / 100) as u64));

    faults.next(1, GET_DISCOVERY, Fault::Endless);
    let mut response = discovery(&phone).send().await.unwrap();
    let mut received = 0;
    while received < 8 * 1024 * 1024 {
        received += response.chunk().await.unwrap().expect("a body without end").len();
    }
    drop(response);

    faults.next(1, GET_DISCOVERY, Fault::Date(-7200));
    let then = raw(discovery(&phone)).await.unwrap().date;
    let format = &time::format_description::well_known::Rfc2822;
    let then = time::OffsetDateTime::parse(&then.replace("GMT", "+0000"), format).unwrap();
    let behind = world.office().clock().now() - then;
    assert!((7199..7260).contains(&behind.whole_seconds()), "{behind}");
    assert_eq!(faults.left(), 0);
}

#[tokio::test]
async fn a_cut_line_leaves_the_request_carried_out_and_an_unheard_one_does_not() {
    let (world, phone, faults) = start().await;
    let hashes = hashes(1);
    let made = || world.office().signatures_made(&world.credential).unwrap();

    let token = phone.credential_token(&hashes).await;
    faults.next(1, SIGN, Fault::Unheard);
    assert!(raw(phone.call_request(&phone.sign_hash_call(&token, &hashes))).await.is_err());
    assert_eq!(made(), 0);
    let answer = phone.call(&phone.sign_hash_call(&token, &hashes)).await;
    assert_eq!((answer.status, made()), (200, 1), "the token was never spent");

    for (number, bytes) in [0, 1, 20, 200, 300, 350].into_iter().enumerate() {
        let token = phone.credential_token(&hashes).await;
        faults.next(1, SIGN, Fault::Cut(bytes));
        let lost = raw(phone.call_request(&phone.sign_hash_call(&token, &hashes))).await;
        assert!(lost.is_err(), "cut after {bytes}: {lost:?}");
        assert_eq!(made(), 2 + number as u64, "cut after {bytes}");
        let again = phone.call(&phone.sign_hash_call(&token, &hashes)).await;
        again.expect_refusal("the token is spent", 401, "invalid_token", "spent");
    }
    assert_eq!(faults.left(), 0);
}

#[tokio::test]
async fn a_request_that_arrives_twice_is_carried_out_once_and_an_old_answer_comes_again() {
    let (world, phone, faults) = start().await;
    let hashes = hashes(1);
    let token = phone.credential_token(&hashes).await;
    faults.next(1, SIGN, Fault::Twice);
    let answer = phone.call(&phone.sign_hash_call(&token, &hashes)).await;
    answer.expect_refusal("the same proof", 401, "invalid_dpop_proof", "used before");
    assert_eq!(world.office().signatures_made(&world.credential).unwrap(), 1);

    faults.next(1, TOKEN, Fault::Again);
    let (first, second) = (phone.service_token().await, phone.service_token().await);
    assert_eq!(first, second);
    assert_ne!(first, phone.service_token().await);
    assert_eq!(faults.left(), 0);
}

#[tokio::test]
async fn proxies_answer_in_every_shape_before_or_behind_the_service() {
    let (world, phone, faults) = start().await;
    let rows = [
        (Canned::empty(502), 502, "", ""),
        (Canned::html(503), 503, "text/html; charset=utf-8", "<!DOCTYPE html>"),
        (Canned::text(400, "SAD expired"), 400, "text/plain; charset=utf-8", "SAD expired"),
        (Canned::message(429, "slow down"), 429, "application/json", r#"{"message":"slow down"}"#),
        (Canned::json(400, &json!({"error": "invalidRequest"})), 400, "application/json", "invalidRequest"),
        (Canned::empty(503).with_header("retry-after", "120"), 503, "", ""),
    ];
    let hashes = hashes(1);
    for (number, (answer, status, media_type, part)) in rows.into_iter().enumerate() {
        let token = phone.credential_token(&hashes).await;
        faults.next(1, SIGN, Fault::Instead(answer.clone()));
        faults.next(1, SIGN, Fault::Behind(answer));
        for made in [number, number + 1] {
            let found = raw(phone.call_request(&phone.sign_hash_call(&token, &hashes))).await.unwrap();
            assert_eq!((found.status, found.media_type.as_str()), (status, media_type), "row {number}");
            assert!(found.body.contains(part), "row {number}: {}", found.body);
            assert_eq!(world.office().signatures_made(&world.credential).unwrap(), made as u64);
        }
    }
    assert_eq!(faults.left(), 0);
}

#[tokio::test]
async fn signatures_come_reversed_wrong_foreign_too_few_or_too_many() {
    let (world, phone, faults) = start().await;
    let hashes = hashes(3);
    let sign = async || {
        let token = phone.credential_token(&hashes).await;
        let answer = phone.call(&phone.sign_hash_call(&token, &hashes)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["signatures"].as_array().unwrap().clone()
    };
    let right = sign().await;
    let mut expected = right.clone();
    expected.reverse();
    for spoilt in [Spoilt::Reversed, Spoilt::Missing, Spoilt::Surplus, Spoilt::Wrong, Spoilt::Foreign] {
        faults.next(1, SIGN, Fault::Signatures(spoilt));
        let found = sign().await;
        match spoilt {
            Spoilt::Reversed => assert_eq!(found, expected),
            Spoilt::Missing => assert_eq!(found, right[..2]),
            Spoilt::Surplus => assert_eq!((found.len(), &found[3]), (4, &right[2])),
            Spoilt::Wrong => assert!(found[..2] == right[..2] && found[2] != right[2]),
            Spoilt::Foreign => assert!(found.len() == 3 && found.iter().all(|value| !right.contains(value))),
        }
    }
    assert_eq!(sign().await, right, "PKCS#1 v1.5 gives the same value again");
    assert_eq!(world.office().signatures_made(&world.credential).unwrap(), 21);
}

#[tokio::test]
async fn an_asynchronous_service_gives_the_signatures_later_and_to_this_phone_only() {
    let (world, phone, faults) = start().await;
    faults.sign_later(Some(2));
    let info = phone.clinic(Method::POST, "/csc/v2/info", "", Some(json!({}))).await;
    assert_eq!(info.body["asynchronousOperationMode"], json!(true));

    let hashes = hashes(2);
    let token = phone.credential_token(&hashes).await;
    let mut call = phone.sign_hash_call(&token, &hashes);
    call.body.as_mut().unwrap()["operationMode"] = json!("A");
    let promised = phone.call(&call).await;
    assert!(promised.status == 200 && promised.body.get("signatures").is_none(), "{}", promised.body);
    let body = json!({"requestID": promised.body["responseID"]});
    let path = "/csc/v2/signatures/signPolling";
    for _ in 0..2 {
        let pending = phone.ask(Method::POST, path, Some(body.clone())).await;
        assert_eq!((pending.status, pending.text("error")), (202, "accepted_request"));
    }
    for _ in 0..2 {
        let given = phone.ask(Method::POST, path, Some(body.clone())).await;
        assert_eq!((given.status, given.body["signatures"].as_array().map(Vec::len)), (200, Some(2)));
    }
    let unknown = phone.ask(Method::POST, path, Some(json!({"requestID": "1"}))).await;
    unknown.expect_refusal("an unknown id", 400, "invalid_request", "requestID");
    let spent = phone.call(&phone.resource(Method::POST, path, &token, Some(body.clone()))).await;
    spent.expect_refusal("the spent token", 401, "invalid_token", "spent");

    let next = world.bound_phone().await;
    let foreign = next.ask(Method::POST, path, Some(body)).await;
    foreign.expect_refusal("another phone", 400, "invalid_request", "requestID");
    assert_eq!(world.office().signatures_made(&world.credential).unwrap(), 2);
}

#[tokio::test]
async fn each_csc_version_has_its_info_and_takes_its_type_of_authorization_details() {
    let (_world, phone, faults) = start().await;
    let (short, long) = ("credential", "https://cloudsignatureconsortium.org/2025/credential");
    for (version, specs, member, right, wrong) in [
        (CscVersion::V2_0, "2.0.0.2", "oauth2", short, long),
        (CscVersion::V2_1, "2.1.0.1", "oauth2Issuer", short, long),
        (CscVersion::V2_2, "2.2.0.0", "oauth2Servers", long, short),
    ] {
        faults.speak(version);
        let info = phone.clinic(Method::POST, "/csc/v2/info", "", Some(json!({}))).await;
        assert_eq!(info.text("specs"), specs);
        let ways = ["oauth2", "oauth2Issuer", "oauth2Servers"];
        let found: Vec<_> = ways.into_iter().filter(|name| info.body.get(name).is_some()).collect();
        assert_eq!(found, [member]);
        let metadata = phone.get(DISCOVERY).await;
        assert_eq!(metadata.body["authorization_details_types_supported"], json!([right]));
        for (kind, status) in [(right, 200), (wrong, 400)] {
            let mut call = phone.credential_token_call(&hashes(1));
            call.sad.as_mut().unwrap().claims["authorization_details"][0]["type"] = json!(kind);
            assert_eq!(phone.token(&call).await.status, status, "{specs} {kind}");
        }
    }
}

#[tokio::test]
async fn absent_members_come_as_null_and_any_answer_can_be_rewritten() {
    let (_world, phone, faults) = start().await;
    faults.next(1, "POST /csc/v2/credentials/info", Fault::Nulls);
    let body = json!({"credentialID": phone.credential, "authInfo": true});
    let info = phone.ask(Method::POST, "/csc/v2/credentials/info", Some(body)).await;
    for path in ["/description", "/signatureQualifier", "/key/curve", "/auth/expression", "/auth/objects"] {
        assert_eq!(info.body.pointer(path), Some(&Value::Null), "{path}");
    }
    assert_eq!(info.text("SCAL"), "2");

    let change = Rewrite::new(|asked, answer| answer["name"] = asked["lang"].clone());
    faults.next(1, INFO, Fault::Rewritten(change));
    let info = phone.clinic(Method::POST, "/csc/v2/info", "", Some(json!({"lang": "ja"}))).await;
    assert_eq!((info.text("name"), info.text("specs")), ("ja", "2.2.0.0"));
}

#[tokio::test]
async fn an_expired_certificate_and_one_for_another_host_are_presented_to_new_connections() {
    let (world, _, _) = start().await;
    let client = || {
        let root = reqwest::Certificate::from_pem(world.office().tls_ca_pem().as_bytes()).unwrap();
        reqwest::Client::builder().tls_certs_only([root]).build().unwrap()
    };
    let url = format!("{}{DISCOVERY}", world.service.issuer());
    for (certificate, words) in
        [(ServedCertificate::Expired, "expired"), (ServedCertificate::OtherHost, "not valid for name")]
    {
        world.service.present(certificate).unwrap();
        let error = client().get(&url).send().await.expect_err("TLS refuses");
        let whole = format!("{error:?}").to_lowercase();
        assert!(whole.contains(words) || whole.contains(&words.replace(' ', "")), "{whole}");
    }
    world.service.present(ServedCertificate::Good).unwrap();
    assert_eq!(client().get(&url).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_shifted_clock_shows_in_the_date_and_refuses_what_is_of_another_time() {
    let (world, phone, _) = start().await;
    let real = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let service_token = phone.service_token().await;
    world.office().clock().shift(time::Duration::hours(3));
    phone.get(DISCOVERY).await;
    let mut late = phone.service_token_call();
    late.dpop.claims["iat"] = json!(real);
    phone.token(&late).await.expect_refusal(
        "the phone's own time",
        400,
        "invalid_dpop_proof",
        "five minutes",
    );
    let call = phone.resource(Method::GET, "/prescriptions", &service_token, None);
    phone.call(&call).await.expect_refusal("three hours later", 401, "invalid_token", "expired");
    assert_eq!(phone.token(&phone.service_token_call()).await.status, 200, "by the service's time");
}
