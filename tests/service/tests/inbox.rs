//! Prescriptions between the clinic and the doctor, over TLS, and the commands beside a running server.

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use common::{Answer, Phone, World, key_arguments, sha256};
use reference_service::{HolderSpec, State};
use reqwest::Method;
use serde_json::json;
use std::process::{Command, Output};
use std::time::Instant;
use time::Duration;

const CSV: &str = "SJ1,01\n1,1,1319999999,13\n";

fn envelope(body: &str, signature: Option<&str>) -> String {
    let body = BASE64.encode(body);
    let signature = signature.map_or_else(String::new, |value| {
        format!(
            "<PrescriptionSign><xs:SignatureValue Id=\"v\">\n{value}\n</xs:SignatureValue></PrescriptionSign>"
        )
    });
    format!(
        r#"<Document><Prescription><PrescriptionDocument id="PrescriptionDocument">{body}</PrescriptionDocument>{signature}</Prescription></Document>"#
    )
}

/// A signature value of the service for this phone, over the hash of `message`.
async fn signature(phone: &Phone, message: &[u8]) -> String {
    let hashes = [sha256(message)];
    let token = phone.credential_token(&hashes).await;
    let answer = phone.call(&phone.sign_hash_call(&token, &hashes)).await;
    answer.body["signatures"][0].as_str().unwrap().to_owned()
}

async fn deliver(phone: &Phone, id: &str, document: &str) -> Answer {
    let body = json!({"documentWithSignature": [BASE64.encode(document)]});
    phone.ask(Method::POST, &format!("/prescriptions/{id}"), Some(body)).await
}

#[tokio::test]
async fn a_prescription_is_listed_signed_delivered_once_and_collected() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let (xml, csv) = (envelope(CSV, None), CSV);
    let (first, second) = (world.submit(xml.as_bytes()), world.submit(csv.as_bytes()));

    let listed = phone.ask(Method::GET, "/prescriptions", None).await;
    let requests = listed.body["requests"].as_array().unwrap();
    for (request, (id, document, media_type)) in
        requests.iter().zip([(&first, xml.as_str(), "application/xml"), (&second, csv, "text/csv")])
    {
        let asked = &request["signatureRequests"][0];
        assert_eq!(request["id"], json!(id));
        assert_eq!(request["requester"]["facility_code"], "1319999999");
        assert_eq!(asked["href"], json!(format!("data:{media_type};base64,{}", BASE64.encode(document))));
        assert_eq!(asked["checksum"]["value"], json!(sha256(document.as_bytes())));
        assert_eq!(asked["responseURI"], json!(format!("{}/prescriptions/{id}", phone.issuer)));
    }
    assert_eq!(requests.len(), 2);

    for id in [&first, &second] {
        let value = signature(&phone, id.as_bytes()).await;
        let signed = envelope(CSV, Some(&value));
        let answer = deliver(&phone, id, &signed).await;
        assert_eq!((answer.status, &answer.body), (200, &json!({})));
        let again = deliver(&phone, id, &signed).await;
        again.expect_refusal("a second delivery", 409, "already_answered", "first answer");
        assert_eq!(world.office().collect(id).unwrap(), State::Signed(signed.into_bytes()));
    }
    let listed = phone.ask(Method::GET, "/prescriptions", None).await;
    assert_eq!(listed.body["requests"], json!([]));
}

#[tokio::test]
async fn only_the_asked_prescription_with_a_signature_made_for_this_phone_is_taken() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let (id, other) = (world.submit(CSV.as_bytes()), world.submit(CSV.as_bytes()));
    let value = signature(&phone, b"1").await;
    let foreign = BASE64.encode([7; 256]);
    for (part, document) in [
        ("not the prescription", envelope("SJ1,02\n", Some(&value))),
        ("no readable SignatureValue", envelope(CSV, None)),
        ("no readable SignatureValue", envelope(CSV, Some("***"))),
        ("not made here for this phone", envelope(CSV, Some(&foreign))),
    ] {
        deliver(&phone, &id, &document).await.expect_refusal(part, 400, "invalid_request", part);
    }
    for body in [
        json!({"documentWithSignature": ["*"]}),
        json!({"documentWithSignature": []}),
        json!({"error": "server_error"}),
        json!({"documentWithSignature": ["AAAA"], "error": "access_denied"}),
    ] {
        let answer = phone.ask(Method::POST, &format!("/prescriptions/{id}"), Some(body.clone())).await;
        answer.expect_refusal(&body.to_string(), 400, "invalid_request", "");
    }
    assert_eq!(deliver(&phone, &id, &envelope(CSV, Some(&value))).await.status, 200);
    let reused = deliver(&phone, &other, &envelope(CSV, Some(&value))).await;
    reused.expect_refusal("one signature for two", 409, "already_answered", "delivered before");

    let stranger = HolderSpec::new("他 人", "HITO TA", "Dentist");
    let stranger = world.office().issue(&stranger).unwrap();
    let requester = reference_service::Requester { name: "A".into(), facility_code: "1".into() };
    let not_ours = world.office().submit(&stranger, &requester, CSV.as_bytes()).unwrap();
    let answer = deliver(&phone, &not_ours, &envelope(CSV, Some(&value))).await;
    answer.expect_refusal("another doctor's", 404, "not_found", "");

    world.office().clock().shift(Duration::days(4));
    phone.get("/.well-known/oauth-authorization-server").await;
    let late = deliver(&phone, &other, &envelope(CSV, Some(&value))).await;
    late.expect_refusal("after four days", 409, "expired", "");
}

#[tokio::test]
async fn the_clinic_submits_and_collects_over_http_with_its_key_alone() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let key = world.office().clinic_key();
    let body = json!({"doctor": world.credential, "requester": {"name": "A", "facility_code": "1"},
        "document": BASE64.encode(CSV)});
    let refused = phone.clinic(Method::POST, "/clinic/prescriptions", "guess", Some(body.clone())).await;
    refused.expect_refusal("another key", 401, "invalid_token", "clinic");
    let mut unknown = body.clone();
    unknown["doctor"] = json!("nobody");
    let refused = phone.clinic(Method::POST, "/clinic/prescriptions", key, Some(unknown)).await;
    refused.expect_refusal("no such doctor", 400, "invalid_request", "no such doctor");

    let submitted = phone.clinic(Method::POST, "/clinic/prescriptions", key, Some(body)).await;
    let (id, path) = (submitted.text("id"), format!("/clinic/prescriptions/{}", submitted.text("id")));
    assert_eq!(phone.clinic(Method::GET, &path, key, None).await.body["state"], "waiting");
    let decline = json!({"error": "access_denied", "error_description": "用量を確認してください"});
    assert_eq!(phone.ask(Method::POST, &format!("/prescriptions/{id}"), Some(decline)).await.status, 200);
    let collected = phone.clinic(Method::GET, &path, key, None).await;
    assert_eq!(collected.text("state"), "declined");
    assert_eq!(collected.text("error_description"), "用量を確認してください");
}

#[tokio::test]
async fn a_waiting_phone_is_woken_by_the_server_and_by_a_command_beside_it() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let token = phone.service_token().await;
    let wait = |query| {
        let mut call = phone.resource(Method::GET, "/prescriptions", &token, None);
        call.query = query;
        call
    };
    let started = Instant::now();
    let poll = wait("?wait=25");
    let (found, id) = tokio::join!(phone.call(&poll), async { world.submit(CSV.as_bytes()) });
    assert_eq!(found.body["requests"][0]["id"], json!(id));

    let decline = json!({"error": "access_denied"});
    phone.ask(Method::POST, &format!("/prescriptions/{id}"), Some(decline)).await;
    let file = world.dir.path().join("prescription.csv");
    std::fs::write(&file, CSV).unwrap();
    let (dir, credential) = (world.dir.path().to_owned(), world.credential.clone());
    let command = tokio::task::spawn_blocking(move || {
        run(&dir, &["submit", "--doctor", &credential, file.to_str().unwrap()])
    });
    let poll = wait("?wait=25");
    let (found, printed) = tokio::join!(phone.call(&poll), command);
    let printed = printed.unwrap();
    assert!(printed.status.success(), "{printed:?}");
    assert_eq!(found.text("error"), "");
    assert_eq!(
        found.body["requests"][0]["id"].as_str(),
        std::str::from_utf8(&printed.stdout).ok().map(str::trim)
    );
    assert!(started.elapsed().as_secs() < 20, "neither waited to the end");

    let answer = phone.call(&wait("?wait=26")).await;
    answer.expect_refusal("beyond 25 seconds", 400, "invalid_request", "0 to 25");
}

fn run(dir: &std::path::Path, arguments: &[&str]) -> Output {
    let binary = env!("CARGO_BIN_EXE_reference-service");
    Command::new(binary).arg("--dir").arg(dir).args(key_arguments()).args(arguments).output().unwrap()
}

#[test]
fn the_commands_make_a_folder_a_doctor_a_letter_and_crls() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("service");
    let text = |arguments: &[&str]| {
        let output = run(&dir, arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    text(&["init"]);
    let issue = [
        "issue",
        "--name-kanji",
        "手須戸 花子",
        "--name-romaji",
        "HANAKO TESUTO",
        "--role",
        "Medical Doctor",
    ];
    let credential = text(&issue);
    let letters = dir.join("letters");
    let out = letters.to_str().unwrap();
    let qr = text(&["letter", "--credential", &credential, "--out", out, "--print"]);
    assert!(qr.starts_with("https://127.0.0.1:8443/r#ey"), "{qr}");
    for (file, magic) in [
        ("letter.pdf", "%PDF"),
        ("letter.png", "\u{fffd}PNG"),
        ("code.pdf", "%PDF"),
        ("code.png", "\u{fffd}PNG"),
    ] {
        let bytes = std::fs::read(letters.join(file)).unwrap();
        assert!(String::from_utf8_lossy(&bytes[..8]).starts_with(magic), "{file}");
    }
    text(&["revoke", "--credential", &credential]);
    assert_eq!(text(&["crl"]).lines().count(), 2);
    let trust = std::fs::read_to_string(dir.join("trust.json")).unwrap();
    let trust: serde_json::Value = serde_json::from_str(&trust).unwrap();
    assert_eq!(trust["services"][0]["issuer"], "https://127.0.0.1:8443");
    assert!(!run(&dir, &["revoke", "--credential", "nobody"]).status.success());
}
