//! Tickets that are forged, changed, replayed, expired, or of another service. Those that can be told offline are
//! refused before any request: nobody listens at the services of these tests, so a request would end as `Offline`.

use attacks::tickets::{Office, encoded};
use end_to_end::{Phone, World, code};
use hpki_agent::{agent::Code, registration::ActivationCode};
use reference_service::TicketSpec;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

/// Two services that nobody runs, and a phone that trusts both.
async fn two_services() -> (Office, Office, Phone) {
    let like = World::new().await.trust()["services"][0].clone();
    let (a, b) = (Office::new("https://127.0.0.1:1", "a"), Office::new("https://127.0.0.1:2", "b"));
    let trust = json!({"services": [a.trusted(&like), b.trusted(&like)]});
    let phone = Phone::trusting(&trust.to_string());
    (a, b, phone)
}

async fn outcome(phone: &Phone, text: &str) -> Code {
    let code = code(phone.register(text, ActivationCode::parse("12345678").ok()).await);
    assert!(phone.secrets.keys() == 0);
    code
}

#[tokio::test]
async fn a_forged_ticket_is_refused_before_any_request() {
    let (a, _, phone) = two_services().await;
    assert_eq!(outcome(&phone, &a.ticket()).await, Code::Offline, "a genuine one is followed");

    let with = |name: &str, value: Value| {
        let mut header = a.header();
        header[name] = value;
        a.signed(&a.issuer, &header, &a.claims())
    };
    let thief = Office::new(&a.issuer, &a.kid);
    let mut embedded = a.header();
    embedded["jwk"] = thief.jwk();
    for forged in [
        thief.ticket(),
        thief.signed(&a.issuer, &embedded, &a.claims()),
        with("alg", json!("none")),
        with("alg", json!("HS256")),
        with("alg", json!("ES384")),
        with("alg", json!(["ES256"])),
        with("alg", Value::Null),
        with("kid", json!("unknown")),
        with("kid", Value::Null),
        with("typ", json!("JWT")),
        with("typ", json!("sad+jwt")),
        with("crit", json!(["exp"])),
        with("b64", json!(false)),
    ] {
        assert_eq!(outcome(&phone, &forged).await, Code::TicketForged, "{forged}");
    }
    // Without signature, with another's, with each part changed
    let genuine = a.ticket();
    let (head, jws) = genuine.split_once('#').unwrap();
    let parts: Vec<_> = jws.split('.').collect();
    let mut claims = a.claims();
    claims["exp"] = json!(9_999_999_999_i64);
    let longer = encoded(claims.to_string());
    for [header, body, signature] in [
        [parts[0], parts[1], ""],
        [parts[0], &longer, parts[2]],
        [parts[0], parts[1], &encoded([0; 64])],
        [parts[0], parts[1], &encoded([0xFF; 64])],
        [&encoded("{\"alg\":\"none\"}"), parts[1], ""],
        [&encoded("{\"alg\":\"none\"}"), parts[1], parts[2]],
        [parts[0], parts[1], &format!("{}A", parts[2])],
    ] {
        let forged = format!("{head}#{header}.{body}.{signature}");
        assert_eq!(outcome(&phone, &forged).await, Code::TicketForged, "{forged}");
    }
}

#[tokio::test]
async fn a_ticket_for_another_service_is_refused_before_any_request() {
    let (a, b, phone) = two_services().await;
    let unknown = Office::new("https://evil.example", "a");
    // To B's address with A's key, to A's address with A's key but naming B, and the other way round
    for (text, expected) in [
        (a.signed(&b.issuer, &a.header(), &b.claims()), Code::TicketForged),
        (a.signed(&b.issuer, &b.header(), &b.claims()), Code::TicketForged),
        (a.signed(&a.issuer, &a.header(), &b.claims()), Code::TicketForged),
        (b.signed(&a.issuer, &b.header(), &a.claims()), Code::TicketForged),
        (unknown.ticket(), Code::UnknownIssuer),
        (a.signed("https://evil.example", &a.header(), &a.claims()), Code::UnknownIssuer),
        (
            a.ticket().replace("https://127.0.0.1:1/", "https://127.0.0.1:1@evil.example/"),
            Code::UnknownIssuer,
        ),
        (
            a.ticket().replace("https://127.0.0.1:1/", "https://127.0.0.1:1.evil.example/"),
            Code::UnknownIssuer,
        ),
        (a.ticket().replace("https://", "http://"), Code::NotATicket),
        (a.ticket().replace("https://", "HTTPS://"), Code::NotATicket),
        (a.ticket().replace("/r#", "/evil#"), Code::NotATicket),
        (a.ticket().replace("/r#", "/r?x#"), Code::NotATicket),
    ] {
        assert_eq!(outcome(&phone, &text).await, expected, "{text}");
    }
}

#[tokio::test]
async fn an_expired_ticket_is_refused_and_cannot_be_made_younger() {
    let (a, _, phone) = two_services().await;
    let mut claims = a.claims();
    claims["exp"] = json!((OffsetDateTime::now_utc() - Duration::SECOND).unix_timestamp());
    assert_eq!(outcome(&phone, &a.signed(&a.issuer, &a.header(), &claims)).await, Code::TicketExpired);
    for exp in [
        Value::Null,
        json!("9999999999"),
        json!(1e300),
        json!(true),
        json!(i64::MAX),
        json!(99_999_999_999_999_i64),
    ] {
        claims["exp"] = exp.clone();
        let text = a.signed(&a.issuer, &a.header(), &claims);
        assert_eq!(outcome(&phone, &text).await, Code::TicketForged, "{exp}");
    }
    // Two values for one claim, the later or the earlier being the true one
    for twice in ["{\"exp\":9999999999,", "{\"exp\":1,\"exp\":9999999999,"] {
        let text = a.claims().to_string().replacen('{', twice, 1);
        let input = format!("{}.{}", encoded(a.header().to_string()), encoded(text));
        let forged = format!("{}/r#{input}.{}", a.issuer, encoded([1; 64]));
        assert_eq!(outcome(&phone, &forged).await, Code::TicketForged);
    }
}

#[tokio::test]
async fn a_ticket_replayed_on_another_phone_binds_nothing_and_unbinds_nobody() {
    let world = World::new().await;
    let ticket = world.office().ticket(&world.doctor, TicketSpec::letter()).unwrap();
    let phone = world.phone();
    phone.confirm(phone.use_ticket(&ticket).await.unwrap()).await.unwrap();
    for _ in 0..3 {
        let thief = world.phone();
        assert_eq!(code(thief.use_ticket(&ticket).await), Code::TicketUsed);
        assert_eq!(thief.secrets.keys(), 0);
    }
    assert!(phone.inbox(std::time::Duration::ZERO).await.unwrap().is_empty());
    // After it was given back, it is still spent.
    phone.unregister().await.unwrap();
    assert_eq!(code(world.phone().use_ticket(&ticket).await), Code::TicketUsed);
}
