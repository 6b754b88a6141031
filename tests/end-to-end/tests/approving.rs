//! From what waits to what the clinic has: prepare, approve, deliver, decline.

use std::time::{Duration as StdDuration, Instant};

use base64::{Engine, prelude::BASE64_STANDARD};
use end_to_end::{NO_WAIT, World, code, json, sample, take};
use hpki_agent::{
    agent::{Code, Delivery, Kind, Status, Waiting},
    device::{KeyVaultError, Prompt},
    signature::Verdict,
};
use reference_service::State;

#[tokio::test]
async fn bare_csv_and_envelope_are_both_signed_as_what_was_shown() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let (csv, envelope) = (world.submit(&sample::csv(1)), world.submit(&sample::envelope(2)));
    let waiting = phone.waiting().await;
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
    assert!(phone.waiting().await.is_empty());
}

#[tokio::test]
async fn a_signed_file_with_one_changed_byte_is_valid_no_more() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    phone.sign_all().await;
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
        let batch = phone.prepare(phone.waiting().await).await.unwrap();
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
    phone.sign_all().await;
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
    let mut waiting = phone.waiting().await;
    phone.decline(take(&mut waiting, &declined), "用量を確認してください").await.unwrap();
    let State::Declined { error, description } = world.state_of(&declined) else { panic!("not declined") };
    assert_eq!((error.as_str(), description.as_deref()), ("access_denied", Some("用量を確認してください")));
    assert_eq!(world.state_of(&other), State::Waiting);
    assert_eq!(phone.waiting().await.len(), 1);
    assert_eq!(world.signatures_made(), 0);
}

#[tokio::test]
async fn a_waiting_phone_wakes_when_something_arrives() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    assert!(phone.waiting().await.is_empty());
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
    phone.sign_all().await;
    assert_eq!(code(phone.open_document(&world.collected(&request), "x").await), Code::DocumentRefused);
}

/// Nothing is signed, whatever the reason; and with nothing in the way any more, the same is.
async fn nothing_is_signed_when_the_user(fails: KeyVaultError, expected: Code) {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    let batch = phone.prepare(phone.waiting().await).await.unwrap();
    let before = world.wire().0.len();
    phone.user.will(fails);
    assert_eq!(code(phone.approve(batch).await), expected);
    assert_eq!(world.wire().after(before).lines(), [""; 0], "nothing was even asked for");
    assert_eq!(world.signatures_made(), 0);
    assert_eq!(world.state_of(&request), State::Waiting);
    assert!(matches!(phone.status().await.unwrap(), Status::Registered { undelivered: 0, .. }));

    phone.sign_all().await;
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
        let batch = phone.prepare(phone.waiting().await).await.unwrap();
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
    phone.sign_all().await;
    world.assert_signed(&request, &sample::csv(1));
}

#[tokio::test]
async fn files_that_the_service_could_not_take_are_kept_and_delivered_when_it_is_back() {
    let mut world = World::new().await;
    let mut phone = world.bound_phone().await;
    let requests: Vec<_> = (0..10).map(|number| world.submit(&sample::csv(number))).collect();
    let batch = phone.prepare(phone.waiting().await).await.unwrap();
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
    assert!(phone.waiting().await.is_empty(), "what is signed is not offered for signing again");
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
