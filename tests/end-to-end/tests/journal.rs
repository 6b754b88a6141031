//! What stays behind on the phone: a record that shows tampering, and no secret, no patient.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use end_to_end::{NO_WAIT, Phone, Wire, World, code, form, header, json, refused, sample, target_dir};
use hpki_agent::{
    agent::{Agent, Code, Kind, Options},
    device::{
        Device, Secret, SystemClock, SystemRandom,
        desktop::{DesktopKeyVault, PassphraseStore},
    },
    journal::verify_export,
    registration::{ActivationCode, ClientInfo},
    trust::TrustConfiguration,
};
use reference_service::Exchange;
use serde_json::{Value, json};

/// Registered, two signed, one declined, one refused.
async fn journey(world: &World, agent: &Agent) {
    for document in [sample::csv(1), sample::envelope(2), sample::csv(3), sample::unsignable()] {
        world.submit(&document);
    }
    let mut waiting = agent.inbox(NO_WAIT).await.unwrap();
    waiting.retain(|one| one.prescription().is_ok());
    let declined = waiting.pop().unwrap();
    agent.decline(declined, "電処　太郎様の用量を確認してください").await.unwrap();
    let batch = agent.prepare(waiting).await.unwrap();
    assert_eq!(agent.approve(batch).await.unwrap().len(), 2);
}

async fn after_a_journey(world: &World) -> Phone {
    let phone = world.bound_phone().await;
    journey(world, &phone).await;
    phone
}

#[tokio::test]
async fn the_record_tells_the_journey_and_holds_together() {
    let world = World::new().await;
    let phone = after_a_journey(&world).await;
    let export = phone.export_journal().await.unwrap();
    let summary = verify_export(&export).unwrap();
    let lines: Vec<Value> = export.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(json).collect();
    let kinds: Vec<_> = lines.iter().filter_map(|line| find(line, "type")?.as_str()).collect();
    let expected =
        ["registered", "refused", "declined", "approved", "signed", "signed", "delivered", "delivered"];
    assert_eq!(kinds, expected);
    assert_eq!(summary.head.count, 8);
    phone.unregister().await.unwrap();
    let export = phone.export_journal().await.unwrap();
    assert_eq!(verify_export(&export).unwrap().head.count, 9, "the record outlives the registration");
}

/// The value of a member, wherever it stands.
fn find<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(members) => members.get(name).or_else(|| members.values().find_map(|v| find(v, name))),
        _ => None,
    }
}

#[tokio::test]
async fn the_record_holds_no_patient_data() {
    let world = World::new().await;
    let export = after_a_journey(&world).await.export_journal().await.unwrap();
    let text = String::from_utf8(export).unwrap();
    assert!(text.is_ascii());
    for word in sample::PATIENT_WORDS {
        assert!(!text.contains(word), "{word}");
    }
    assert!(!text.contains(&BASE64_STANDARD.encode(sample::csv(1))[..40]));
}

#[tokio::test]
async fn an_exported_record_that_was_changed_is_found_out() {
    let world = World::new().await;
    let export = after_a_journey(&world).await.export_journal().await.unwrap();
    let lines: Vec<&[u8]> = export.split_inclusive(|b| *b == b'\n').collect();
    for left_out in 0..lines.len() {
        let rest: Vec<_> =
            lines.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, l)| *l).collect();
        assert!(verify_export(&rest.concat()).is_err(), "line {left_out} left out");
    }
    let mut swapped = lines.clone();
    swapped.swap(4, 5);
    assert!(verify_export(&swapped.concat()).is_err());
    for at in (0..export.len()).step_by(7) {
        let mut changed = export.clone();
        changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
        if changed != export {
            assert!(verify_export(&changed).is_err(), "changed at {at}");
        }
    }
}

#[tokio::test]
async fn a_record_that_was_changed_on_the_phone_stops_the_agent() {
    let world = World::new().await;
    let mut phone = after_a_journey(&world).await;
    phone.end();
    let file = phone.data_dir().join("journal.jsonl");
    let whole = std::fs::read(&file).unwrap();
    let last = whole.trim_ascii_end().iter().rposition(|b| *b == b'\n').unwrap() + 1;
    let declined = String::from_utf8(whole.clone()).unwrap().replace("\"declined\"", "\"delivered\"");
    for changed in [&whole[..last], b"", declined.as_bytes()] {
        std::fs::write(&file, changed).unwrap();
        let error = match phone.restart().await {
            Err(error) => error,
            Ok(()) => refused(phone.export_journal().await),
        };
        assert_eq!((error.code(), error.kind()), (Code::JournalTampered, Kind::AskOffice));
        phone.end();
    }
    std::fs::write(&file, whole).unwrap();
    phone.restart().await.unwrap();
}

/// Everything on the wire that would let somebody act as the doctor or the phone.
fn secrets_of(wire: &Wire) -> Vec<String> {
    let mut secrets = Vec::new();
    for exchange in &wire.0 {
        let Ok(answer) = serde_json::from_slice::<Value>(&exchange.answer) else { continue };
        for name in ["access_token", "registration_access_token"] {
            secrets.extend(answer[name].as_str().map(str::to_owned));
        }
    }
    secrets
}

#[tokio::test]
async fn no_file_of_the_phone_holds_a_secret_or_a_patient_in_the_clear() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let store = {
        let (path, passphrase) = (folder.path().join("secrets"), Secret::new(b"a passphrase".to_vec()));
        let store = PassphraseStore::open(&path, &passphrase, Arc::new(SystemRandom)).unwrap();
        Arc::new(store)
    };
    let user = Arc::new(end_to_end::User::default());
    let agent = Agent::open(Options {
        trust: TrustConfiguration::from_json(world.trust().to_string().as_bytes()).unwrap(),
        client: ClientInfo {
            software_id: "end-to-end".into(),
            software_version: "1".into(),
            client_name: "検証用の端末".into(),
        },
        device: Device {
            keys: Arc::new(DesktopKeyVault::new(store.clone(), user)),
            secrets: store,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            data_dir: folder.path().join("data"),
        },
    })
    .unwrap();
    let ticket = world.letter();
    let activation_code = ticket.activation_code.clone().unwrap();
    let typed = ActivationCode::parse(&activation_code).unwrap();
    agent.confirm(agent.register(&ticket.qr_text, Some(typed)).await.unwrap()).await.unwrap();
    journey(&world, &agent).await;
    // One more whose approval is interrupted, wherever it has left its file on the phone: sealed, like all the rest.
    let is_kept = || files(folder.path()).keys().any(|name| name.to_string_lossy().contains("outbox"));
    for awaits in 1..100 {
        let own = agent.open_document(&sample::csv(4), "own").await.unwrap();
        let batch = agent.prepare(vec![own]).await.unwrap();
        let interrupted = end_to_end::interrupted_at(awaits, agent.approve(batch)).await.is_none();
        assert!(interrupted, "approved without leaving anything on the phone");
        if is_kept() {
            break;
        }
    }
    assert!(is_kept());

    let mut secrets = secrets_of(&world.wire());
    assert!(secrets.len() >= 3, "registration, service and credential token");
    secrets.push(activation_code);
    secrets.push(BASE64_STANDARD.encode(sample::csv(4))[..40].to_owned());
    secrets.extend(sample::PATIENT_WORDS.map(str::to_owned));
    for (name, bytes) in files(folder.path()) {
        for secret in &secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {}", name.display());
        }
    }
}

fn files(folder: &std::path::Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.insert(entry.path(), std::fs::read(entry.path()).unwrap());
        }
    }
    found
}

#[tokio::test]
async fn no_error_holds_a_secret_or_a_patient() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let Err(refusal) = phone.open_document(&sample::unsignable(), "電処").await else { panic!("accepted") };
    let ticket = world.letter();
    let forged = format!("{}A", ticket.qr_text);
    let forged = refused(world.phone().register(&forged, None).await);
    let wrong = refused(world.phone().use_ticket_with_code(&ticket, "00000000").await);
    assert_eq!(wrong.code(), Code::WrongActivationCode);
    let mut words: Vec<_> = sample::PATIENT_WORDS.map(str::to_owned).into();
    words.push(ticket.activation_code.clone().unwrap());
    words.push(ticket.qr_text.split_once('#').unwrap().1[..40].to_owned());
    words.push("00000000".to_owned());
    for error in [&refusal, &forged, &wrong] {
        let mut told = format!("{error} {error:?} {} {:?}", error.text_ja(), error.violations());
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            told.push_str(&[" ", &inner.to_string(), " ", &format!("{inner:?}")].concat());
            cause = inner.source();
        }
        for word in &words {
            assert!(!told.contains(word.as_str()), "{word} in {told}");
        }
    }
    assert_eq!(code(phone.prepare(Vec::new()).await), Code::BatchEmpty);
}

// The tokens and proofs of one journey, for independent JOSE code to judge.

fn claims(jws: &str) -> Value {
    let payload = jws.split('.').nth(1).unwrap();
    json(&base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap())
}

fn thumbprint_of_proof(exchange: &Exchange) -> Value {
    let head = header(exchange, "dpop").unwrap().split('.').next().unwrap();
    json(&base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(head).unwrap())["jwk"].clone()
}

#[tokio::test]
async fn the_tokens_of_a_journey_are_left_for_independent_code_to_judge() {
    let world = World::new().await;
    let ticket = world.letter();
    let phone = world.phone();
    phone.confirm(phone.use_ticket(&ticket).await.unwrap()).await.unwrap();
    journey(&world, &phone).await;
    phone.unregister().await.unwrap();

    let (wire, trust, issuer) = (world.wire(), world.trust(), world.service().issuer().to_owned());
    let registration = wire.of("POST /register").last().unwrap();
    let (asked, answered) = (json(&registration.body), json(&registration.answer));
    let keys = asked["jwks"]["keys"].as_array().unwrap();
    let proving = thumbprint_of_proof(registration);
    let is_device = |key: &&Value| key["x"] == proving["x"] && key["y"] == proving["y"];
    let device = keys.iter().find(is_device).unwrap();
    let approval = keys.iter().find(|key| !is_device(key)).unwrap();
    let jws = ticket.qr_text.split_once('#').unwrap().1;

    let proofs = wire.0.iter().filter_map(|exchange| {
        let proof = header(exchange, "dpop")?;
        let target = exchange.target.split('?').next().unwrap();
        let mut item = json!({"proof": proof, "htm": exchange.method, "htu": format!("{issuer}{target}")});
        if let Some(token) = header(exchange, "authorization").and_then(|v| v.strip_prefix("DPoP ")) {
            item["access_token"] = json!(token);
        }
        if let Some(nonce) = claims(proof).get("nonce") {
            item["nonce"] = nonce.clone();
        }
        Some(item)
    });
    let grants: Vec<_> = wire.of("POST /token").map(form).collect();
    let sads = grants.iter().filter_map(|form| {
        let jws = form.get("assertion")?;
        let details = json(form["authorization_details"].as_bytes());
        let digests = details[0]["documentDigests"].as_array().unwrap();
        let hashes: Vec<_> = digests.iter().map(|digest| digest["hash"].clone()).collect();
        Some(json!({"jws": jws, "nonce": claims(jws)["nonce"], "hashes": hashes}))
    });
    let tokens = json!({
        "made_at": time::OffsetDateTime::now_utc().unix_timestamp(),
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/token"),
        "client_id": answered["client_id"],
        "credential_id": answered["credential_id"],
        "device_jwk": device,
        "approval_jwk": approval,
        "ticket": {"jws": jws, "jwk": trust["services"][0]["ticket_keys"]["keys"][0]},
        "ticket_id": claims(jws)["jti"],
        "approval_proof": asked["approval_proof"],
        "dpop": proofs.collect::<Vec<_>>(),
        "client_assertions": grants.iter().map(|form| &form["client_assertion"]).collect::<Vec<_>>(),
        "sads": sads.collect::<Vec<_>>(),
    });
    assert_eq!(tokens["sads"].as_array().unwrap().len(), 1);
    assert!(tokens["dpop"].as_array().unwrap().len() >= 8);
    let folder = target_dir().join("conformance");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("tokens.json"), format!("{tokens:#}\n")).unwrap();
}
