//! From what waits to what the clinic has: prepare, approve, deliver, decline.

use std::time::{Duration as StdDuration, Instant};

use base64::{Engine, prelude::BASE64_STANDARD};
use end_to_end::{Phone, World, code, json, sample, take};
use hpki_agent::{
    agent::{Approved, Batch, Code, Delivery, Kind, Redelivery, Status, Waiting},
    device::{KeyVaultError, Prompt},
    journal::Event,
    signature::Verdict,
};
use reference_service::{Canned, Fault, State};
use time::Duration;

const NO_WAIT: StdDuration = StdDuration::ZERO;

async fn inbox(phone: &Phone) -> Vec<Waiting> {
    phone.inbox(NO_WAIT).await.unwrap()
}

/// Everything that waits, approved in one act.
async fn sign_all(phone: &Phone) -> Vec<Approved> {
    let batch = phone.prepare(inbox(phone).await).await.unwrap();
    phone.approve(batch).await.unwrap()
}

#[tokio::test]
async fn bare_csv_and_envelope_are_both_signed_as_what_was_shown() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let (csv, envelope) = (world.submit(&sample::csv(1)), world.submit(&sample::envelope(2)));
    let waiting = inbox(&phone).await;
    assert_eq!(waiting.iter().map(Waiting::id).collect::<Vec<_>>(), [csv.as_str(), envelope.as_str()]);
    for one in &waiting {
        assert_eq!(one.requester().unwrap().name, "検証用クリニック");
        assert!(one.received_at().is_some() && one.expires_at() > one.received_at());
        assert!(one.warnings().is_empty(), "{:?}", one.warnings());
    }
    let batch = phone.prepare(waiting).await.unwrap();
    assert_eq!((batch.len(), batch.prescriptions().count()), (2, 2));
    phone.approve(batch).await.unwrap();
    world.assert_signed(&csv, &sample::csv(1));
    world.assert_signed(&envelope, &sample::csv(2));
    assert!(inbox(&phone).await.is_empty());
}

#[tokio::test]
async fn a_signed_file_with_one_changed_byte_is_valid_no_more() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    sign_all(&phone).await;
    let file = world.collected(&request);
    let text = String::from_utf8(file.clone()).unwrap();
    for element in ["<PrescriptionDocument", "SigningTime", "X509Certificate", "SignatureValue"] {
        let at = text.find(element).unwrap();
        let at = at + text[at..].find('>').unwrap() + 5;
        let mut changed = file.clone();
        changed[at] = if changed[at] == b'1' { b'2' } else { b'1' };
        let report = world.judge(&changed);
        assert_eq!(report.verdict, Verdict::Invalid, "{element}");
    }
    assert_eq!(world.judge(&file).verdict, Verdict::Valid);
}

#[tokio::test]
async fn n_prescriptions_cost_two_requests_to_authorise_and_sign() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    for count in [1, 10, 100] {
        let requests: Vec<_> = (0..count).map(|number| world.submit(&sample::csv(number))).collect();
        let batch = phone.prepare(inbox(&phone).await).await.unwrap();
        assert_eq!(batch.len(), count);
        let before = world.wire().0.len();
        let asked = phone.user.asked().len();
        assert_eq!(phone.approve(batch).await.unwrap().len(), count);

        let mut expected = vec!["POST /token".to_owned(), "POST /csc/v2/signatures/signHash".to_owned()];
        expected.extend(vec!["POST /prescriptions/{id}".to_owned(); count]);
        assert_eq!(world.wire().after(before).lines(), expected);
        assert_eq!(phone.user.asked()[asked..], [Prompt::Approve { count }], "one act");
        for (number, request) in requests.iter().enumerate() {
            world.assert_signed(request, &sample::csv(number));
        }
    }
    assert_eq!(world.signatures_made(), 111);
}

#[tokio::test]
async fn what_is_authorised_is_exactly_what_is_signed() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    world.submit(&sample::csv(1));
    world.submit(&sample::csv(2));
    sign_all(&phone).await;
    let wire = world.wire();
    let signed = json(&wire.of("POST /csc/v2/signatures/signHash").next().unwrap().body);
    let grants = wire.of("POST /token").map(|e| json(&e.answer)["authorization_details"].clone());
    let details: Vec<_> = grants.filter(|details| !details.is_null()).collect();
    let [details] = details.as_slice() else { panic!("one credential token: {details:?}") };
    let digests = details[0]["documentDigests"].as_array().unwrap();
    let authorised: Vec<_> = digests.iter().map(|digest| digest["hash"].clone()).collect();
    assert_eq!(signed["hashes"].as_array(), Some(&authorised));
    assert_eq!(details[0]["numSignatures"], 2);
}

#[tokio::test]
async fn a_decline_reaches_the_clinic_in_the_doctors_words() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let (declined, other) = (world.submit(&sample::csv(1)), world.submit(&sample::csv(2)));
    let mut waiting = inbox(&phone).await;
    phone.decline(take(&mut waiting, &declined), "用量を確認してください").await.unwrap();
    let State::Declined { error, description } = world.state_of(&declined) else { panic!("not declined") };
    assert_eq!((error.as_str(), description.as_deref()), ("access_denied", Some("用量を確認してください")));
    assert_eq!(world.state_of(&other), State::Waiting);
    assert_eq!(inbox(&phone).await.len(), 1);
    assert_eq!(world.signatures_made(), 0);
}

#[tokio::test]
async fn a_waiting_phone_wakes_when_something_arrives() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    assert!(inbox(&phone).await.is_empty());
    let began = Instant::now();
    let (waiting, request) = tokio::join!(phone.inbox(StdDuration::from_secs(20)), async {
        tokio::time::sleep(StdDuration::from_millis(500)).await;
        world.submit(&sample::csv(1))
    });
    assert_eq!(waiting.unwrap()[0].id(), request);
    let took = began.elapsed();
    assert!(took > StdDuration::from_millis(400) && took < StdDuration::from_secs(10), "{took:?}");
}

#[tokio::test]
async fn a_file_of_the_apps_own_is_signed_and_returned() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let file = phone.open_document(&sample::envelope(7), "処方箋7.xml").await.unwrap();
    assert!(file.requester().is_none());
    let batch = phone.prepare(vec![file]).await.unwrap();
    let approved = phone.approve(batch).await.unwrap();
    assert!(matches!(approved[0].delivery, Delivery::Returned));
    assert_eq!((approved[0].id.as_str(), approved[0].label.as_str()), ("処方箋7.xml", "処方箋7.xml"));
    let report = world.judge(approved[0].signed.bytes());
    assert_eq!(report.verdict, Verdict::Valid);
    assert_eq!(report.document.map(String::into_bytes), Some(sample::csv(7)));
    assert_eq!(world.wire().of("POST /prescriptions/{id}").count(), 0);
    // Neither does the service learn what the file was called.
    let sent = world.wire().0.iter().flat_map(|e| e.body.clone()).collect::<Vec<_>>();
    let name = BASE64_STANDARD.encode("処方箋7.xml");
    assert!(
        !String::from_utf8_lossy(&sent).contains("処方箋7")
            && !String::from_utf8_lossy(&sent).contains(&name)
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_signed_is_not_opened() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let Err(error) = phone.open_document(&sample::unsignable(), "x").await else { panic!("opened") };
    assert_eq!(error.code(), Code::DocumentRefused);
    assert!(error.violations().len() >= 2);
    assert_eq!(code(phone.open_document(b"%PDF-1.7", "x").await), Code::DocumentRefused);
}

#[tokio::test]
async fn a_signed_file_is_not_signed_again() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    sign_all(&phone).await;
    assert_eq!(code(phone.open_document(&world.collected(&request), "x").await), Code::DocumentRefused);
}

/// Nothing is signed, whatever the reason; and with nothing in the way any more, the same is.
async fn nothing_is_signed_when_the_user(fails: KeyVaultError, expected: Code) {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    let batch = phone.prepare(inbox(&phone).await).await.unwrap();
    let before = world.wire().0.len();
    phone.user.will(fails);
    assert_eq!(code(phone.approve(batch).await), expected);
    assert_eq!(world.wire().after(before).lines(), [""; 0], "nothing was even asked for");
    assert_eq!(world.signatures_made(), 0);
    assert_eq!(world.state_of(&request), State::Waiting);
    assert!(matches!(phone.status().await.unwrap(), Status::Registered { undelivered: 0, .. }));

    sign_all(&phone).await;
    world.assert_signed(&request, &sample::csv(1));
    assert_eq!(world.signatures_made(), 1);
}

#[tokio::test]
async fn nothing_is_signed_when_the_user_cancels() {
    nothing_is_signed_when_the_user(KeyVaultError::Cancelled, Code::UserCancelled).await;
}

#[tokio::test]
async fn nothing_is_signed_when_biometrics_are_locked() {
    nothing_is_signed_when_the_user(KeyVaultError::LockedOut, Code::BiometricsLocked).await;
}

#[tokio::test]
async fn a_phone_whose_approval_key_is_gone_signs_nothing_and_registers_again() {
    let world = World::new().await;
    let mut phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    for loss in ["the platform has destroyed it", "it is not there"] {
        let batch = phone.prepare(inbox(&phone).await).await.unwrap();
        match loss {
            "it is not there" => phone.secrets.lose("-approval"),
            _ => phone.user.will(KeyVaultError::Invalidated),
        }
        assert_eq!(code(phone.approve(batch).await), Code::KeysInvalidated, "{loss}");
        assert_eq!((world.signatures_made(), phone.secrets.keys()), (0, 0), "{loss}");
        phone.restart().await.unwrap();
        assert_eq!(phone.status().await.unwrap(), Status::Unregistered, "{loss}");
        assert_eq!(code(phone.inbox(NO_WAIT).await), Code::NotRegistered, "{loss}");
        phone.confirm(phone.use_ticket(&world.card()).await.unwrap()).await.unwrap();
    }
    phone.unregister().await.unwrap();
    phone.confirm(phone.use_ticket(&world.card()).await.unwrap()).await.unwrap();
    sign_all(&phone).await;
    world.assert_signed(&request, &sample::csv(1));
}

/// Two batches of the one request that waits, from two readings of the inbox, with other bytes each.
async fn read_twice(phone: &Phone) -> [Batch; 2] {
    let first = phone.prepare(inbox(phone).await).await.unwrap();
    tokio::time::sleep(StdDuration::from_millis(1100)).await;
    [first, phone.prepare(inbox(phone).await).await.unwrap()]
}

#[tokio::test]
async fn a_request_that_was_read_twice_is_signed_once() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    let [first, second] = read_twice(&phone).await;
    let again = inbox(&phone).await;
    phone.approve(first).await.unwrap();
    assert_eq!(code(phone.approve(second).await), Code::AlreadyAnswered);
    let third = phone.prepare(again).await.unwrap();
    assert_eq!(code(phone.approve(third).await), Code::AlreadyAnswered);
    assert_eq!((world.signatures_made(), phone.user.asked().len()), (1, 2), "registered, and approved once");
    world.assert_signed(&request, &sample::csv(1));
}

#[tokio::test]
async fn two_approvals_of_one_request_at_the_same_time_sign_it_once() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    let [first, second] = read_twice(&phone).await;
    let (first, second) = tokio::join!(phone.approve(first), phone.approve(second));
    assert!(first.is_ok() != second.is_ok(), "one of them");
    assert_eq!(world.signatures_made(), 1);
    world.assert_signed(&request, &sample::csv(1));
}

#[tokio::test]
async fn other_bytes_of_a_request_are_not_signed_while_the_fate_of_the_first_is_unknown() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    let [first, second] = read_twice(&phone).await;
    world.service().faults().next(1, "POST /csc/v2/signatures/signHash", Fault::Cut(0));
    assert_eq!(code(phone.approve(first).await), Code::ServiceUnavailable);
    assert_eq!(code(phone.approve(second).await), Code::BatchStale);
    sign_all(&phone).await;
    world.assert_signed(&request, &sample::csv(1));
    assert_eq!(world.wire().hashes_by_request()[&request].len(), 1, "the same bytes each time");
}

#[tokio::test]
async fn one_request_has_no_place_twice_in_a_batch() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    world.submit(&sample::csv(1));
    let mut twice = inbox(&phone).await;
    twice.extend(inbox(&phone).await);
    let batch = phone.prepare(twice).await.unwrap();
    assert_eq!(code(phone.approve(batch).await), Code::BatchStale);
    assert_eq!(world.signatures_made(), 0);
}

#[tokio::test]
async fn files_of_one_label_are_told_apart_by_what_is_in_them() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let open = async |number| phone.open_document(&sample::csv(number), "prescription.csv").await.unwrap();
    let batch = phone.prepare(vec![open(1).await]).await.unwrap();
    world.service().faults().next(1, "POST /csc/v2/signatures/signHash", Fault::Unheard);
    assert_eq!(code(phone.approve(batch).await), Code::ServiceUnavailable);
    let batch = phone.prepare(vec![open(1).await, open(2).await]).await.unwrap();
    let approved = phone.approve(batch).await.unwrap();
    assert!(approved.iter().all(|one| matches!(one.delivery, Delivery::Returned)));
}

#[tokio::test]
async fn what_was_declined_cannot_be_approved_from_an_earlier_reading() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    let [first, second] = read_twice(&phone).await;
    phone.decline(inbox(&phone).await.remove(0), "重複").await.unwrap();
    for batch in [first, second] {
        assert_eq!(code(phone.approve(batch).await), Code::AlreadyAnswered);
    }
    assert!(matches!(world.state_of(&request), State::Declined { .. }));
    assert_eq!(world.signatures_made(), 0);
}

#[tokio::test]
async fn a_file_that_the_service_refuses_at_the_first_try_is_never_called_delivered() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    world.submit(&sample::csv(1));
    let answered = Canned::json(409, &serde_json::json!({"error": "already_answered"}));
    world.service().faults().next(1, "POST /prescriptions/{id}", Fault::Instead(answered));
    let approved = sign_all(&phone).await;
    let refused = |d: &Delivery| matches!(d, Delivery::Refused(e) if e.code() == Code::AlreadyAnswered);
    assert!(refused(&approved[0].delivery), "{:?}", approved[0].delivery);
    assert!(phone.deliver_pending().await.unwrap().is_empty());
    let last = phone.journal().await.unwrap().pop().unwrap().event;
    assert!(
        matches!(&last, Event::NotDelivered { code, .. } if code.as_str() == "already_answered"),
        "{last:?}"
    );
}

#[tokio::test]
async fn a_file_for_a_request_that_has_expired_is_given_up_and_the_doctor_learns_it() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    world.service().faults().next(1, "POST /prescriptions/{id}", Fault::Unheard);
    let approved = sign_all(&phone).await;
    assert!(matches!(approved[0].delivery, Delivery::Pending(_)));
    world.office().clock().shift(Duration::days(5));
    phone.clock.is_off_by(Duration::days(5));
    let tried = phone.deliver_pending().await.unwrap();
    assert!(
        matches!(&tried[..], [Redelivery { id, delivery: Delivery::Refused(e) }]
        if *id == request && e.code() == Code::RequestGone),
        "{tried:?}"
    );
    assert!(phone.deliver_pending().await.unwrap().is_empty());
    let last = phone.journal().await.unwrap().pop().unwrap().event;
    assert!(matches!(&last, Event::NotDelivered { code, .. } if code.as_str() == "request_gone"), "{last:?}");
}

#[tokio::test]
async fn files_that_the_service_could_not_take_are_kept_and_delivered_when_it_is_back() {
    let mut world = World::new().await;
    let mut phone = world.bound_phone().await;
    let requests: Vec<_> = (0..10).map(|number| world.submit(&sample::csv(number))).collect();
    let batch = phone.prepare(inbox(&phone).await).await.unwrap();
    let (approved, ()) = tokio::join!(phone.approve(batch), async {
        while !world.wire().statuses("POST /prescriptions/{id}").contains(&Some(200)) {
            tokio::task::yield_now().await;
        }
        world.stop().await;
    });
    let approved = approved.unwrap();
    let mut pending = 0;
    for one in &approved {
        match &one.delivery {
            Delivery::Delivered => {}
            Delivery::Pending(error) => {
                assert_eq!(error.kind(), Kind::Retry, "{error}");
                pending += 1;
            }
            other => panic!("{} is {other:?}", one.id),
        }
    }
    assert!((1..=9).contains(&pending), "{pending} pending");
    assert!(
        matches!(phone.status().await.unwrap(), Status::Registered { undelivered, .. } if undelivered == pending)
    );
    let tried = phone.deliver_pending().await.unwrap();
    assert_eq!(tried.len(), pending);
    assert!(tried.iter().all(|one| matches!(one.delivery, Delivery::Pending(_))), "{tried:?}");

    world.start().await;
    phone.restart().await.unwrap();
    assert!(inbox(&phone).await.is_empty(), "what is signed is not offered for signing again");
    let tried = phone.deliver_pending().await.unwrap();
    assert_eq!(tried.len(), pending);
    assert!(tried.iter().all(|one| matches!(one.delivery, Delivery::Delivered)), "{tried:?}");
    assert!(phone.deliver_pending().await.unwrap().is_empty());
    assert!(matches!(phone.status().await.unwrap(), Status::Registered { undelivered: 0, .. }));
    for (number, request) in requests.iter().enumerate() {
        world.assert_signed(request, &sample::csv(number));
    }
    for one in &approved {
        assert_eq!(one.signed.bytes(), world.collected(&one.id));
    }
    assert_eq!(world.signatures_made(), 10);
}
