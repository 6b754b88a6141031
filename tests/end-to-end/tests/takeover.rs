//! A new phone takes over: the old one learns it, wipes its keys and says so, and what was approved on it and not
//! delivered waits for the doctor to look at it again.

use std::time::Duration as StdDuration;

use end_to_end::{NO_WAIT, Phone, World, code, json, refused, sample};
use hpki_agent::{
    agent::{Code, Delivery, Kind, Status},
    device::Prompt,
    journal::verify_export,
};
use reference_service::{Fault, State};

const SIGN: &str = "POST /csc/v2/signatures/signHash";
const DELIVER: &str = "POST /prescriptions/{id}";

/// What the phone's record says, oldest first.
async fn record(phone: &Phone) -> Vec<String> {
    let export = phone.export_journal().await.unwrap();
    verify_export(&export).unwrap();
    let lines = export.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(json);
    lines.filter_map(|line| Some(line["event"]["type"].as_str()?.to_owned())).collect()
}

async fn assert_wiped(phone: &mut Phone) {
    assert_eq!(phone.secrets.names(), ["journal-anchor", "state-key"]);
    assert_eq!(phone.status().await.unwrap(), Status::Unregistered);
    phone.restart().await.unwrap();
    assert_eq!(phone.status().await.unwrap(), Status::Unregistered);
    assert_eq!(code(phone.inbox(NO_WAIT).await), Code::NotRegistered);
}

#[tokio::test]
async fn what_was_approved_on_the_old_phone_is_approved_anew_on_the_new_one_or_not_at_all() {
    let world = World::new().await;
    let mut old = world.bound_phone().await;
    let signed = world.submit(&sample::csv(1));
    let batch = old.prepare(old.inbox(NO_WAIT).await.unwrap()).await.unwrap();
    world.service().faults().next(1, DELIVER, Fault::Unheard);
    let approved = old.approve(batch).await.unwrap();
    assert!(matches!(approved[0].delivery, Delivery::Pending(_)));
    let prepared = world.submit(&sample::envelope(2));
    let pending = old.prepare(old.inbox(NO_WAIT).await.unwrap()).await.unwrap();
    assert_eq!(pending.len(), 1);

    let new = world.bound_phone().await;
    let told = refused(old.deliver_pending().await);
    assert_eq!((told.code(), told.kind()), (Code::PhoneUnbound, Kind::RegisterAgain));
    assert!(told.text_ja().contains("登録は解除") && told.text_en().contains("replaced or revoked"));
    assert_eq!(code(old.approve(pending).await), Code::NotRegistered);
    assert_wiped(&mut old).await;
    assert_eq!(record(&old).await, ["registered", "approved", "signed", "not_delivered", "wiped"]);
    assert_eq!((world.state_of(&signed), world.state_of(&prepared)), (State::Waiting, State::Waiting));
    assert_eq!(world.signatures_made(), 1);

    // The new phone knows nothing of it but what waits, and asks.
    assert!(new.deliver_pending().await.unwrap().is_empty());
    let waiting = new.inbox(NO_WAIT).await.unwrap();
    assert_eq!(waiting.len(), 2);
    new.approve(new.prepare(waiting).await.unwrap()).await.unwrap();
    assert_eq!(new.user.asked().last(), Some(&Prompt::Approve { count: 2 }));
    world.assert_signed(&signed, &sample::csv(1));
    world.assert_signed(&prepared, &sample::csv(2));
    assert_ne!(world.collected(&signed), approved[0].signed.bytes());
    let answers = world.wire().statuses(DELIVER);
    assert_eq!(answers.iter().filter(|status| **status == Some(200)).count(), 2, "{answers:?}");
}

#[tokio::test]
async fn an_approval_that_a_new_phone_overtakes_signs_nothing() {
    let world = World::new().await;
    let mut old = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    let batch = old.prepare(old.inbox(NO_WAIT).await.unwrap()).await.unwrap();
    world.service().faults().next(1, SIGN, Fault::Delay(StdDuration::from_secs(5)));
    let (overtaken, new) = tokio::join!(old.approve(batch), async {
        while !world.service().requests_seen().contains_key(SIGN) {
            tokio::time::sleep(StdDuration::from_millis(5)).await;
        }
        let new = world.phone();
        let candidate = new.use_ticket(&world.card()).await.unwrap();
        assert!(candidate.replaced());
        new.confirm(candidate).await.unwrap();
        new
    });
    assert_eq!(code(overtaken), Code::SignatureRefused);
    assert_eq!((world.signatures_made(), world.state_of(&request)), (0, State::Waiting));
    assert_eq!(code(old.inbox(NO_WAIT).await), Code::PhoneUnbound);
    assert_wiped(&mut old).await;
    new.approve(new.prepare(new.inbox(NO_WAIT).await.unwrap()).await.unwrap()).await.unwrap();
    world.assert_signed(&request, &sample::csv(1));
}

#[tokio::test]
async fn every_step_of_a_replaced_phone_tells_it_and_wipes_it() {
    let world = World::new().await;
    world.submit(&sample::csv(1));
    for step in ["inbox", "prepare", "approve", "decline", "unregister"] {
        let mut old = world.bound_phone().await;
        let [waiting, other] = [old.inbox(NO_WAIT).await.unwrap(), old.inbox(NO_WAIT).await.unwrap()];
        let batch = old.prepare(other).await.unwrap();
        let _new = world.bound_phone().await;
        let told = match step {
            "inbox" => old.inbox(NO_WAIT).await.map(drop),
            "prepare" => old.prepare(waiting).await.map(drop),
            "approve" => old.approve(batch).await.map(drop),
            "decline" => old.decline(waiting.into_iter().next().unwrap(), "今は署名しません").await,
            _ => old.unregister().await,
        };
        // There is nothing left to remove at the service: the phone is as it was asked to be.
        assert_eq!(
            told.err().map(|error| error.code()),
            (step != "unregister").then_some(Code::PhoneUnbound),
            "{step}"
        );
        assert_wiped(&mut old).await;
    }
    assert_eq!(world.signatures_made(), 0);
}

#[tokio::test]
async fn a_lost_phone_that_the_office_unbinds_learns_it_and_another_takes_over() {
    let world = World::new().await;
    let mut lost = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    let batch = lost.prepare(lost.inbox(NO_WAIT).await.unwrap()).await.unwrap();
    world.office().unbind(&world.doctor).unwrap();
    assert_eq!(code(lost.approve(batch).await), Code::PhoneUnbound);
    assert_wiped(&mut lost).await;
    assert_eq!((world.signatures_made(), world.state_of(&request)), (0, State::Waiting));

    let new = world.phone();
    let candidate = new.use_ticket(&world.letter()).await.unwrap();
    assert!(!candidate.replaced());
    new.confirm(candidate).await.unwrap();
    new.approve(new.prepare(new.inbox(NO_WAIT).await.unwrap()).await.unwrap()).await.unwrap();
    world.assert_signed(&request, &sample::csv(1));
}
