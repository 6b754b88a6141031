use proptest::prelude::*;
use serde_json::json;

use super::super::testing::{ISSUER, Office};
use super::*;

fn ticket() -> Ticket {
    let office = Office::new();
    office.read(&office.ticket(&json!({}))).unwrap()
}

fn success() -> Value {
    json!({
        "client_id": "c-1",
        "client_id_issued_at": 1,
        "registration_access_token": "secret-token",
        "registration_client_uri": format!("{ISSUER}/register/c-1"),
        "credential_id": "credential-1",
        "replaced": true,
        "scope": "service",
    })
}

fn judged(status: u16, body: &Value) -> Result<Registered, RegistrationRefusal> {
    judge(status, body.to_string().as_bytes(), &ticket())
}

fn refused(status: u16, body: &str) -> RegistrationRefusal {
    judge(status, body.as_bytes(), &ticket()).err().unwrap()
}

#[test]
fn a_registration_is_read_first_time_or_repeated() {
    for status in [200, 201] {
        let registered = judged(status, &success()).unwrap();
        assert_eq!(registered.issuer, ISSUER);
        assert_eq!(registered.client_id, "c-1");
        assert_eq!(registered.registration_access_token.expose(), b"secret-token");
        assert_eq!(registered.registration_client_uri, "https://sign.example/register/c-1");
        assert_eq!(registered.credential_id, "credential-1");
        assert!(registered.replaced);
        assert!(!format!("{registered:?}").contains("secret-token"));
    }
    for replaced in [json!(null), json!(false)] {
        let mut body = success();
        body["replaced"] = replaced;
        assert!(!judged(201, &body).unwrap().replaced);
    }
}

#[test]
fn an_answer_that_leads_elsewhere_or_lacks_something_is_refused_by_name() {
    for (member, value) in [
        ("client_id", json!(null)),
        ("client_id", json!("")),
        ("client_id", json!("a b")),
        ("client_id", json!("x".repeat(MAX_IDENTIFIER + 1))),
        ("credential_id", json!(null)),
        ("registration_access_token", json!(null)),
        ("registration_access_token", json!("line\r\nbreak")),
        ("registration_access_token", json!("x".repeat(MAX_TOKEN + 1))),
        ("registration_client_uri", json!(null)),
        ("registration_client_uri", json!("http://sign.example/register/c-1")),
        ("registration_client_uri", json!("https://evil.example/register/c-1")),
        ("registration_client_uri", json!("https://sign.example:8443/register/c-1")),
        ("registration_client_uri", json!("https://u@sign.example/register/c-1")),
        ("registration_client_uri", json!("https://sign.example/register/c-1#x")),
        ("registration_client_uri", json!("/register/c-1")),
        ("registration_client_uri", json!(format!("{ISSUER}/{}", "x".repeat(MAX_URI)))),
    ] {
        let mut body = success();
        body[member] = value;
        assert_eq!(judged(201, &body).err(), Some(RegistrationRefusal::BadAnswer { what: member }));
    }
    let mut body = success();
    body["client_id"] = json!(7);
    assert_eq!(judged(201, &body).err(), Some(RegistrationRefusal::BadAnswer { what: "JSON" }));
    assert_eq!(refused(200, "<html>"), RegistrationRefusal::BadAnswer { what: "JSON" });
    let long = " ".repeat(MAX_ANSWER + 1);
    assert_eq!(refused(201, &long), RegistrationRefusal::BadAnswer { what: "length" });
}

#[test]
fn what_just_keeps_a_limit_is_taken() {
    let mut body = success();
    body["client_id"] = json!("c".repeat(MAX_IDENTIFIER));
    body["credential_id"] = json!("d".repeat(MAX_IDENTIFIER));
    body["registration_access_token"] = json!("t".repeat(MAX_TOKEN));
    let address = format!("{ISSUER}/");
    body["registration_client_uri"] = json!(address.clone() + &"u".repeat(MAX_URI - address.len()));
    let text = body.to_string();
    let padded = " ".repeat(MAX_ANSWER - text.len()) + &text;
    let registered = judge(201, padded.as_bytes(), &ticket()).unwrap();
    assert_eq!(registered.client_id.len(), MAX_IDENTIFIER);
    assert_eq!(registered.credential_id.len(), MAX_IDENTIFIER);
    assert_eq!(registered.registration_access_token.expose().len(), MAX_TOKEN);
    assert_eq!(registered.registration_client_uri.len(), MAX_URI);
}

#[test]
fn a_word_is_hidden_when_it_may_be_a_token_or_a_code_and_only_then() {
    let told_of = |words: &str| match judged(400, &json!({"error": "strange", "error_description": words})) {
        Err(RegistrationRefusal::Other { description, .. }) => description,
        _ => panic!("another refusal"),
    };
    let word = "w".repeat(MAX_WORD);
    assert_eq!(
        told_of(&format!("{word} {word}w 2026-11 1234567 12345678 1-2-3-4-5-6-7-8")),
        format!("{word} … 2026-11 1234567 … …")
    );
    for unseen in [
        '\u{200b}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2060}', '\u{2069}', '\u{feff}', '\u{7}', '\u{85}',
    ] {
        assert_eq!(told_of(&format!("a{unseen}b")), "a b", "{unseen:?}");
    }
    assert_eq!(told_of("診察\u{2010}室"), "診察\u{2010}室");
}

#[test]
fn each_refusal_tells_the_doctor_what_it_is() {
    use RegistrationRefusal as R;
    for (status, error, expected) in [
        (400, "activation_code_required", R::ActivationCodeRequired),
        (403, "ticket_locked", R::TicketLocked),
        (401, "ticket_expired", R::TicketExpired),
        (401, "ticket_used", R::TicketUsed),
        (401, "invalid_token", R::TicketUnknown),
        (401, "invalidToken", R::TicketUnknown),
        (401, "InvalidToken", R::TicketUnknown),
        (400, "invalid_client_metadata", R::InvalidClientMetadata { description: "why".into() }),
        (400, "invalid_approval_proof", R::InvalidApprovalProof),
        (400, "invalid_dpop_proof", R::InvalidDpopProof),
        (401, "invalid_dpop_proof", R::InvalidDpopProof),
        (400, "use_dpop_nonce", R::UseDpopNonce),
    ] {
        let body = json!({"error": error, "error_description": "why", "tries_left": null});
        assert_eq!(judged(status, &body).err(), Some(expected), "{error}");
    }
}

#[test]
fn a_wrong_code_tells_how_many_tries_remain() {
    let answer = |tries: Value| {
        judged(400, &json!({"error": "invalid_activation_code", "tries_left": tries})).err().unwrap()
    };
    for left in 1..=4 {
        let expected = RegistrationRefusal::WrongActivationCode { tries_left: Some(left) };
        assert_eq!(answer(json!(left)), expected);
    }
    assert_eq!(answer(json!(0)), RegistrationRefusal::TicketLocked);
    for unusable in [json!(null), json!(-1), json!("4"), json!(1_u64 << 40)] {
        assert_eq!(answer(unusable), RegistrationRefusal::WrongActivationCode { tries_left: None });
    }
}

#[test]
fn other_bodies_keep_their_words_without_markup_and_secrets() {
    let other = |status, body: &str| match refused(status, body) {
        RegistrationRefusal::Other { status: told, error, description } => {
            assert_eq!(told, status);
            (error, description)
        }
        refusal => panic!("{refusal:?}"),
    };
    let none = String::new;
    assert_eq!(other(502, ""), (none(), none()));
    assert_eq!(other(503, "Service\tUnavailable\n"), (none(), "Service Unavailable".into()));
    let html = "<html><body class='a'><h1>502 Bad Gateway</h1>\u{202e}<hr></body></html>";
    assert_eq!(other(502, html), (none(), "502 Bad Gateway".into()));
    assert_eq!(other(500, r#"{"message": "out of order"}"#), (none(), "out of order".into()));
    assert_eq!(other(500, r#"["?"]"#), (none(), none()));
    assert_eq!(other(400, r#"{"error": "strange", "error_description": null}"#), ("strange".into(), none()));
    let echo =
        json!({"error": "strange", "error_description": format!("code 1234-5678 of {}", ticket().jws())});
    assert_eq!(other(400, &echo.to_string()).1, "code … of …");
    assert_eq!(other(500, &"long ".repeat(100_000)).1.chars().count(), MAX_WORDS);
}

#[test]
fn a_removal_is_done_when_the_service_no_longer_knows_the_phone() {
    let gone = br#"{"error": "invalid_token"}"#;
    assert_eq!(judge_unregistration(204, b""), Ok(Unregistration::Removed));
    assert_eq!(judge_unregistration(200, b"{}"), Ok(Unregistration::Removed));
    assert!(matches!(judge_unregistration(200, b"<html>"), Err(RegistrationRefusal::BadAnswer { .. })));
    assert_eq!(judge_unregistration(401, gone), Ok(Unregistration::AlreadyGone));
    for status in [404, 410] {
        assert_eq!(judge_unregistration(status, b""), Ok(Unregistration::AlreadyGone));
    }
    assert_eq!(judge_unregistration(200, b" \n"), Ok(Unregistration::Removed));
    assert!(matches!(judge_unregistration(200, b"[]"), Err(RegistrationRefusal::BadAnswer { .. })));
    let proof = br#"{"error": "invalid_dpop_proof"}"#;
    assert_eq!(judge_unregistration(401, proof), Err(RegistrationRefusal::InvalidDpopProof));
    let nonce = br#"{"error": "use_dpop_nonce"}"#;
    assert_eq!(judge_unregistration(401, nonce), Err(RegistrationRefusal::UseDpopNonce));
    assert!(matches!(judge_unregistration(401, b""), Err(RegistrationRefusal::Other { status: 401, .. })));
    assert!(matches!(judge_unregistration(503, gone), Err(RegistrationRefusal::TicketUnknown)));
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic_and_words_stay_bounded(status in 100_u16..600, body in any::<Vec<u8>>()) {
        if let Err(RegistrationRefusal::Other { error, description, .. }) = judge(status, &body, &ticket()) {
            prop_assert!(error.chars().count() <= MAX_WORDS && description.chars().count() <= MAX_WORDS);
            prop_assert!(!description.chars().any(char::is_control));
        }
        let _ = judge_unregistration(status, &body);
    }
}
