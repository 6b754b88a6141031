//! Each refusal by its own name, and what it leaves behind: nothing.

use end_to_end::{NO_WAIT, Phone, World, code, json, refused, sample};
use hpki_agent::{
    agent::{Code, Kind, Status},
    device::KeyVaultError,
};
use reference_service::{HolderSpec, IssuedTicket, TicketSpec};
use serde_json::json;
use time::Duration;

// Tickets, before any request

#[tokio::test]
async fn a_text_that_is_no_ticket_is_refused_before_any_request() {
    let world = World::new().await;
    let phone = world.phone();
    let elsewhere = world.card().qr_text.replace("/r#", "/r?");
    for text in ["", "JAHISTC08", "https://example.jp/", elsewhere.as_str()] {
        assert_eq!(code(phone.register(text, None).await), Code::NotATicket, "{text}");
    }
    assert!(world.service().requests_seen().is_empty());
    phone.assert_untouched();
}

#[tokio::test]
async fn a_ticket_of_an_unknown_issuer_is_refused_before_any_request() {
    let (ours, theirs) = (World::new().await, World::new().await);
    let phone = ours.phone();
    let error = refused(phone.use_ticket(&theirs.card()).await);
    assert_eq!((error.code(), error.kind()), (Code::UnknownIssuer, Kind::Refuse));
    assert!(ours.service().requests_seen().is_empty());
    assert!(theirs.service().requests_seen().is_empty());
    phone.assert_untouched();
}

#[tokio::test]
async fn a_forged_ticket_is_refused_before_any_request() {
    let (world, forger) = (World::new().await, World::new().await);
    let phone = world.phone();
    let genuine = world.card().qr_text;
    let forgery = forger.card().qr_text;
    let (head, signature) = genuine.rsplit_once('.').unwrap();
    let (issuer, _) = genuine.split_once("/r#").unwrap();
    let (_, others) = forgery.split_once("/r#").unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    for text in [
        format!("{head}.{flipped}{}", &signature[1..]),
        // A ticket that its own issuer would take, under our service's address
        format!("{issuer}/r#{others}"),
        // Another ticket's signature
        format!("{head}.{}", world.card().qr_text.rsplit_once('.').unwrap().1),
    ] {
        assert_eq!(code(phone.register(&text, None).await), Code::TicketForged, "{text}");
    }
    assert!(world.service().requests_seen().is_empty());
    phone.assert_untouched();
}

#[tokio::test]
async fn a_letter_without_its_activation_code_asks_for_it_before_any_request() {
    let world = World::new().await;
    let phone = world.phone();
    let error = refused(phone.register(&world.letter().qr_text, None).await);
    assert_eq!((error.code(), error.kind()), (Code::ActivationCodeRequired, Kind::Retry));
    assert!(world.service().requests_seen().is_empty());
    phone.assert_untouched();
}

// Tickets, by the service's word

fn wrong_code(ticket: &IssuedTicket) -> String {
    let code: u32 = ticket.activation_code.as_deref().unwrap().parse().unwrap();
    format!("{:08}", (code + 1) % 100_000_000)
}

#[tokio::test]
async fn wrong_activation_codes_count_down_and_the_fifth_locks_the_ticket_for_good() {
    let world = World::new().await;
    let mut phone = world.phone();
    let ticket = world.letter();
    let wrong = wrong_code(&ticket);
    for left in [4, 3, 2, 1] {
        let error = refused(phone.use_ticket_with_code(&ticket, &wrong).await);
        assert_eq!((error.code(), error.tries_left()), (Code::WrongActivationCode, Some(left)));
        assert!(error.text_ja().contains(&format!("残り{left}回")), "{}", error.text_ja());
        assert_eq!(phone.status().await.unwrap(), Status::Unregistered);
    }
    assert_eq!(code(phone.use_ticket_with_code(&ticket, &wrong).await), Code::TicketLocked);
    phone.assert_unregistered().await;
    assert_eq!(code(phone.use_ticket(&ticket).await), Code::TicketLocked);
    phone.assert_unregistered().await;
    assert_eq!(code(world.phone().use_ticket(&ticket).await), Code::TicketLocked);
}

#[tokio::test]
async fn after_a_wrong_code_the_right_one_registers() {
    let world = World::new().await;
    let phone = world.phone();
    let ticket = world.letter();
    let error = refused(phone.use_ticket_with_code(&ticket, &wrong_code(&ticket)).await);
    assert_eq!(error.tries_left(), Some(4));
    phone.confirm(phone.use_ticket(&ticket).await.unwrap()).await.unwrap();
    assert_eq!(phone.secrets.keys(), 2);
}

#[tokio::test]
async fn an_expired_ticket_is_refused() {
    let world = World::new().await;
    let mut phone = world.phone();
    let expired = TicketSpec { valid_for: -Duration::MINUTE, ..TicketSpec::card() };
    let ticket = world.office().ticket(&world.doctor, expired).unwrap();
    let error = refused(phone.use_ticket(&ticket).await);
    assert_eq!((error.code(), error.kind()), (Code::TicketExpired, Kind::AskOffice));
    assert_eq!(world.wire().of("POST /register").count(), 0);
    phone.assert_unregistered().await;
}

#[tokio::test]
async fn a_ticket_that_only_the_service_holds_for_expired_is_refused() {
    let world = World::new().await;
    let mut phone = world.phone();
    let ticket = world
        .office()
        .ticket(&world.doctor, TicketSpec { valid_for: Duration::MINUTE, ..TicketSpec::card() });
    // Within what a phone's clock may be off.
    world.office().clock().shift(Duration::minutes(2));
    assert_eq!(code(phone.use_ticket(&ticket.unwrap()).await), Code::TicketExpired);
    phone.assert_unregistered().await;
}

#[tokio::test]
async fn a_ticket_that_another_phone_has_used_is_refused() {
    let world = World::new().await;
    let ticket = world.letter();
    let first = world.phone();
    first.confirm(first.use_ticket(&ticket).await.unwrap()).await.unwrap();
    let mut second = world.phone();
    let error = refused(second.use_ticket(&ticket).await);
    assert_eq!((error.code(), error.kind()), (Code::TicketUsed, Kind::AskOffice));
    second.assert_unregistered().await;
    assert!(first.inbox(NO_WAIT).await.is_ok());
}

// The phone's clock

#[tokio::test]
async fn a_phone_whose_clock_is_an_hour_off_is_told_so() {
    let world = World::new().await;
    for hours in [-1, 1] {
        let (phone, ticket) = (world.phone(), world.letter());
        phone.clock.is_off_by(Duration::hours(hours));
        let error = refused(phone.use_ticket(&ticket).await);
        assert_eq!((error.code(), error.kind()), (Code::ClockWrong, Kind::FixPhone), "{hours}");
        assert_eq!(phone.status().await.unwrap(), Status::Unregistered);
        // Set right, the same ticket registers.
        phone.clock.is_off_by(Duration::ZERO);
        phone.confirm(phone.use_ticket(&ticket).await.unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn a_ticket_that_looks_expired_to_a_wrong_clock_is_not_called_expired() {
    let world = World::new().await;
    let phone = world.phone();
    phone.clock.is_off_by(Duration::hours(1));
    assert_eq!(code(phone.use_ticket(&world.card()).await), Code::ClockWrong);
    phone.assert_untouched();
}

// The phone's keys

#[tokio::test]
async fn a_registration_that_the_user_cancels_is_none() {
    let world = World::new().await;
    let phone = world.phone();
    let ticket = world.letter();
    phone.user.will(KeyVaultError::Cancelled);
    assert_eq!(code(phone.use_ticket(&ticket).await), Code::UserCancelled);
    assert_eq!(phone.status().await.unwrap(), Status::Unregistered);
    assert_eq!(world.wire().of("POST /register").count(), 0);
    phone.confirm(phone.use_ticket(&ticket).await.unwrap()).await.unwrap();
}

// The network

#[tokio::test]
async fn a_service_under_another_tls_root_is_not_trusted_and_learns_nothing() {
    let world = World::new().await;
    let mut trust = world.trust();
    let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    trust["services"][0]["tls"]["roots"] = json!([other.cert.pem()]);
    let phone = Phone::trusting(&trust.to_string());
    let error = refused(phone.use_ticket(&world.letter()).await);
    assert_eq!((error.code(), error.kind()), (Code::ServiceNotTrusted, Kind::Refuse));
    assert!(world.service().requests_seen().is_empty());
    phone.assert_untouched();
}

#[tokio::test]
async fn a_service_with_another_key_than_the_pinned_one_is_not_trusted() {
    let world = World::new().await;
    let mut trust = world.trust();
    trust["services"][0]["tls"]["spki_pins"] = json!(["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]);
    let phone = Phone::trusting(&trust.to_string());
    assert_eq!(code(phone.use_ticket(&world.letter()).await), Code::ServiceNotTrusted);
    assert!(world.service().requests_seen().is_empty());
}

#[tokio::test]
async fn without_the_service_every_step_says_offline_and_loses_nothing() {
    let mut world = World::new().await;
    let bound = world.bound_phone().await;
    let (new, ticket) = (world.phone(), world.letter());
    world.submit(&sample::csv(1));
    let waiting = bound.inbox(NO_WAIT).await.unwrap();
    let batch = bound.prepare(bound.inbox(NO_WAIT).await.unwrap()).await.unwrap();
    world.stop().await;

    let offline = refused(new.use_ticket(&ticket).await);
    assert_eq!((offline.code(), offline.kind()), (Code::Offline, Kind::Retry));
    new.assert_untouched();
    assert_eq!(code(bound.inbox(NO_WAIT).await), Code::Offline);
    assert_eq!(code(bound.prepare(waiting).await), Code::Offline);
    assert_eq!(code(bound.approve(batch).await), Code::Offline);
    assert_eq!(code(bound.unregister().await), Code::Offline);
    assert!(matches!(bound.status().await.unwrap(), Status::Registered { .. }));

    world.start().await;
    assert_eq!(world.signatures_made(), 0);
    assert_eq!(bound.inbox(NO_WAIT).await.unwrap().len(), 1);
}

// Batches and documents

#[tokio::test]
async fn a_batch_above_what_the_credential_allows_is_refused_with_the_limit() {
    let mut world = World::new().await;
    world.doctor = world.office().issue(&HolderSpec { multisign: 2, ..World::a_doctor() }).unwrap();
    let phone = world.bound_phone().await;
    for number in 1..=3 {
        world.submit(&sample::csv(number));
    }
    let error = refused(phone.prepare(phone.inbox(NO_WAIT).await.unwrap()).await);
    assert_eq!(error.code(), Code::BatchTooLarge);
    assert!(error.text_ja().contains("2件"), "{}", error.text_ja());
    let mut two = phone.inbox(NO_WAIT).await.unwrap();
    two.truncate(2);
    let batch = phone.prepare(two).await.unwrap();
    assert_eq!(phone.approve(batch).await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_empty_batch_is_refused() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    assert_eq!(code(phone.prepare(Vec::new()).await), Code::BatchEmpty);
}

#[tokio::test]
async fn a_document_that_cannot_be_signed_says_why_and_can_be_declined() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let (bad, good) = (world.submit(&sample::unsignable()), world.submit(&sample::csv(2)));
    let mut waiting = phone.inbox(NO_WAIT).await.unwrap();
    assert_eq!(waiting.len(), 2, "one refused document does not hide another");

    let refusal = end_to_end::take(&mut waiting, &bad);
    let Err(error) = refusal.prescription() else { panic!("accepted") };
    assert_eq!(error.code(), Code::DocumentRefused);
    let blocking: Vec<_> = error.violations().iter().filter(|v| v.blocks()).collect();
    let records: Vec<_> = blocking.iter().filter_map(|v| v.record).collect();
    assert!(records.contains(&11) && records.contains(&201), "{records:?}");
    assert!(blocking.iter().all(|v| !v.message_ja.is_empty() && !v.message_en.is_empty()));
    assert!(blocking.iter().any(|v| v.record == Some(201) && v.line.is_some()));

    assert_eq!(code(phone.prepare(vec![refusal]).await), Code::DocumentRefused);
    let refusal = end_to_end::take(&mut phone.inbox(NO_WAIT).await.unwrap(), &bad);
    phone.decline(refusal, "患者の記載がありません").await.unwrap();
    let state = world.state_of(&bad);
    assert!(matches!(state, reference_service::State::Declined { .. }), "{state:?}");
    assert_eq!(world.signatures_made(), 0);
    let left = phone.inbox(NO_WAIT).await.unwrap();
    assert_eq!(left.iter().map(hpki_agent::agent::Waiting::id).collect::<Vec<_>>(), [good.as_str()]);
}

#[tokio::test]
async fn a_request_that_was_answered_before_says_so() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    let mut seen_twice = phone.inbox(NO_WAIT).await.unwrap();
    let batch = phone.prepare(phone.inbox(NO_WAIT).await.unwrap()).await.unwrap();
    phone.approve(batch).await.unwrap();
    let late = end_to_end::take(&mut seen_twice, &request);
    assert_eq!(code(phone.decline(late, "遅い").await), Code::AlreadyAnswered);
    world.assert_signed(&request, &sample::csv(1));
    let answers: Vec<_> = world.wire().of("POST /prescriptions/{id}").map(|e| json(&e.answer)).collect();
    assert_eq!(answers.last().unwrap()["error"], "already_answered");
}
