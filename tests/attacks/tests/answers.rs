//! A service, or whoever sits between it and the phone, that answers with anything else than it should: every field of
//! every answer, in every way. The phone refuses with an error that says so, or what it does is not touched by it; never
//! is anything signed or handed out but what was displayed.

use std::collections::{BTreeMap, BTreeSet};

use attacks::{
    files::sha256,
    tamper::{Change, changes, fields, rewrite},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use end_to_end::{NO_WAIT, Phone, World, json, sample};
use hpki_agent::{
    agent::{AgentError, Code, Status},
    signature::{Method, Verdict, canonicalize},
};
use reference_service::Fault;
use serde_json::Value;

/// What a phone may say of a service that misbehaves. Never that the phone itself, or the doctor, is at fault.
const OF_THE_SERVICE: [Code; 23] = [
    Code::ServiceMisbehaved,
    Code::ServiceRefused,
    Code::ServiceNotTrusted,
    Code::ServiceUnavailable,
    Code::Offline,
    Code::AlreadyAnswered,
    Code::BatchEmpty,
    Code::BatchTooLarge,
    Code::CertificateChanged,
    Code::CertificateExpired,
    Code::CertificateForAuthentication,
    Code::CertificateInvalid,
    Code::CertificateNotPrescriber,
    Code::CertificateRevoked,
    Code::CertificateUntrusted,
    Code::CertificateWithoutRole,
    Code::CredentialDisabled,
    Code::DocumentRefused,
    Code::PhoneUnbound,
    Code::RequestDamaged,
    Code::SignatureRefused,
    Code::SignatureWrong,
    Code::SoleControlMissing,
];

#[track_caller]
fn assert_of_the_service(error: &AgentError, what: &str) {
    assert!(OF_THE_SERVICE.contains(&error.code()), "{what}: {error} {:?}", std::error::Error::source(error));
}

/// What was displayed, by request.
type Shown = BTreeMap<String, String>;

/// The doctor reads all that waits and approves it in one act.
async fn approve_all(
    phone: &Phone,
    shown: &mut Shown,
    signed: &mut Vec<(String, Vec<u8>)>,
) -> Result<(), AgentError> {
    let waiting = phone.inbox(NO_WAIT).await?;
    for one in &waiting {
        if let Ok(prescription) = one.prescription() {
            shown.insert(one.id().to_owned(), prescription.csv().to_owned());
        }
    }
    if waiting.is_empty() {
        return Ok(());
    }
    let batch = phone.prepare(waiting).await?;
    for approved in phone.approve(batch).await? {
        signed.push((approved.id, approved.signed.into_bytes()));
    }
    Ok(())
}

/// The hash that was signed in a file.
fn signed_hash(file: &[u8]) -> String {
    let text = String::from_utf8(file.to_vec()).unwrap();
    let id = text.split_once("SignedInfo Id=\"").unwrap().1.split_once('"').unwrap().0;
    BASE64_STANDARD.encode(sha256(&canonicalize(file, Some(id), Method::Exclusive, false, &[]).unwrap()))
}

/// Every file that left the phone's core says what was displayed, and the service was never asked for another hash.
fn assert_only_what_was_shown(
    world: &World,
    before: usize,
    shown: &Shown,
    signed: &[(String, Vec<u8>)],
    what: &str,
) {
    let mut hashes = BTreeSet::new();
    for (id, file) in signed {
        let report = world.judge(file);
        assert_eq!((report.verdict, report.document.as_ref()), (Verdict::Valid, shown.get(id)), "{what}");
        hashes.insert(signed_hash(file));
    }
    let wire = world.wire().after(before);
    for asked in wire.of("POST /csc/v2/signatures/signHash") {
        for hash in json(&asked.body)["hashes"].as_array().unwrap() {
            assert!(hashes.contains(hash.as_str().unwrap()), "{what}: a hash of what was never handed out");
        }
    }
}

/// A part of a journey.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Registering,
    Signing,
}

/// The answers of an endpoint in this part of a journey in which nothing is tampered with.
async fn true_answers(part: Part, endpoint: &str) -> Vec<Value> {
    let world = World::new().await;
    let mut phone = world.bound_phone().await;
    let registered = world.wire().0.len();
    phone.restart().await.unwrap();
    world.submit(&sample::csv(1));
    world.submit(&sample::csv(2));
    approve_all(&phone, &mut Shown::new(), &mut Vec::new()).await.unwrap();
    let mut wire = world.wire();
    match part {
        Part::Registering => wire.0.truncate(registered),
        Part::Signing => wire = wire.after(registered),
    }
    let answers = wire.of(endpoint).filter_map(|exchange| serde_json::from_slice(&exchange.answer).ok());
    answers.filter(|answer: &Value| answer.as_object().is_some_and(|members| !members.is_empty())).collect()
}

/// Every change of every field of the endpoint's answers.
async fn every_change(part: Part, endpoint: &str) -> Vec<(String, Change)> {
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    for answer in true_answers(part, endpoint).await {
        for pointer in fields(&answer) {
            let value = answer.pointer(&pointer).unwrap();
            if seen.insert(pointer.clone()) {
                all.extend(changes(value).into_iter().map(|change| (pointer.clone(), change)));
            }
        }
    }
    assert!(!all.is_empty(), "{endpoint} answers nothing");
    all
}

async fn world_with_phone() -> (World, Phone) {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    (world, phone)
}

/// Spoils the answers of an endpoint while a bound phone reads, approves and signs; then the same without.
async fn spoil_while_signing(endpoint: &str) {
    let mut place: Option<(World, Phone)> = None;
    let (mut refused, mut unaffected) = (0, 0);
    for (pointer, change) in every_change(Part::Signing, endpoint).await {
        let what = format!("{endpoint} {pointer} {}", short(&change));
        let (world, mut phone) =
            if let Some(place) = place.take() { place } else { world_with_phone().await };
        world.submit(&sample::csv(1));
        world.submit(&sample::csv(2));
        phone.restart().await.unwrap();
        let before = world.wire().0.len();
        let (mut shown, mut signed) = (Shown::new(), Vec::new());
        world.service().faults().next(u32::MAX, endpoint, Fault::Rewritten(rewrite(&pointer, change)));
        match approve_all(&phone, &mut shown, &mut signed).await {
            Ok(()) => unaffected += 1,
            Err(error) => {
                assert_of_the_service(&error, &what);
                assert!(signed.is_empty(), "{what}");
                refused += 1;
            }
        }
        world.service().faults().clear();

        // With nothing in the way any more, what is left is signed, and as the same bytes.
        phone.restart().await.unwrap();
        let is_bound = matches!(phone.status().await.unwrap(), Status::Registered { .. });
        if is_bound {
            let again = approve_all(&phone, &mut shown, &mut signed).await;
            again.unwrap_or_else(|error| panic!("{what}, and afterwards: {error}"));
        }
        assert!(is_bound, "{what} has unbound the phone");
        assert_only_what_was_shown(&world, before, &shown, &signed, &what);
        let is_clean = matches!(phone.status().await.unwrap(), Status::Registered { undelivered: 0, .. });
        place = is_clean.then_some((world, phone));
    }
    assert!(refused > 0 && refused + unaffected >= 8, "{refused} refused, {unaffected} unaffected");
    println!("{endpoint}: {refused} refused, {unaffected} unaffected");
}

/// Spoils the answers of an endpoint while a phone registers.
async fn spoil_while_registering(endpoint: &str) {
    let world = World::new().await;
    world.submit(&sample::csv(1));
    let (mut refused, mut unaffected) = (0, 0);
    for (pointer, change) in every_change(Part::Registering, endpoint).await {
        let what = format!("{endpoint} {pointer} {}", short(&change));
        let mut phone = world.phone();
        let ticket = world.card();
        world.service().faults().next(u32::MAX, endpoint, Fault::Rewritten(rewrite(&pointer, change)));
        let candidate = phone.use_ticket(&ticket).await;
        world.service().faults().clear();
        let candidate = match candidate {
            Ok(candidate) => candidate,
            Err(error) => {
                assert_of_the_service(&error, &what);
                refused += 1;
                phone.restart().await.unwrap();
                let status = phone.status().await.unwrap();
                assert!(!matches!(status, Status::Registered { .. }), "{what}: {status:?}");
                continue;
            }
        };
        assert_eq!(candidate.holder().name_kanji.as_deref(), Some(sample::PRESCRIBER), "{what}");
        phone.confirm(candidate).await.unwrap();
        let (mut shown, mut signed) = (Shown::new(), Vec::new());
        let before = world.wire().0.len();
        unaffected += 1;
        match approve_all(&phone, &mut shown, &mut signed).await {
            Ok(()) => assert_only_what_was_shown(&world, before, &shown, &signed, &what),
            Err(error) => assert_of_the_service(&error, &what),
        }
        world.submit(&sample::csv(1));
    }
    assert!(refused > 0 && refused + unaffected >= 8, "{refused} refused, {unaffected} unaffected");
    println!("{endpoint}: {refused} refused, {unaffected} unaffected");
}

fn short(change: &Change) -> String {
    format!("{change:?}").chars().take(80).collect()
}

macro_rules! spoilt {
    ($($name:ident: $how:ident $endpoint:literal)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            $how($endpoint).await;
        })*
    };
}

spoilt! {
    no_field_of_the_metadata_leads_a_registration_astray:
        spoil_while_registering "GET /.well-known/oauth-authorization-server"
    no_field_of_info_leads_a_registration_astray: spoil_while_registering "POST /csc/v2/info"
    no_field_of_the_registrations_answer_leads_it_astray: spoil_while_registering "POST /register"
    no_field_of_a_token_leads_a_registration_astray: spoil_while_registering "POST /token"
    no_field_of_the_credential_leads_a_registration_astray: spoil_while_registering "POST /csc/v2/credentials/info"
    no_field_of_the_metadata_makes_a_phone_sign_what_was_not_shown:
        spoil_while_signing "GET /.well-known/oauth-authorization-server"
    no_field_of_info_makes_a_phone_sign_what_was_not_shown: spoil_while_signing "POST /csc/v2/info"
    no_field_of_the_credential_makes_a_phone_sign_what_was_not_shown: spoil_while_signing "POST /csc/v2/credentials/info"
    no_field_of_the_inbox_makes_a_phone_sign_what_was_not_shown: spoil_while_signing "GET /prescriptions"
    no_field_of_a_grant_makes_a_phone_sign_what_was_not_shown: spoil_while_signing "POST /token"
    no_field_of_sign_hash_makes_a_phone_hand_out_what_was_not_shown: spoil_while_signing "POST /csc/v2/signatures/signHash"
}
