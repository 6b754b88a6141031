//! One request, one answer: whatever readings of the inbox it is approved or declined from.

use std::time::Duration as StdDuration;

use end_to_end::{Phone, World, code, sample};
use hpki_agent::{
    agent::{Batch, Code, Delivery, Redelivery},
    journal::Event,
};
use reference_service::{Canned, Fault, State};
use time::Duration;

/// Two batches of the one request that waits, from two readings of the inbox, with other bytes each.
async fn read_twice(phone: &Phone) -> [Batch; 2] {
    let first = phone.prepare(phone.waiting().await).await.unwrap();
    tokio::time::sleep(StdDuration::from_millis(1100)).await;
    [first, phone.prepare(phone.waiting().await).await.unwrap()]
}

#[tokio::test]
async fn a_request_that_was_read_twice_is_signed_once() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    let [first, second] = read_twice(&phone).await;
    let again = phone.waiting().await;
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
    phone.sign_all().await;
    world.assert_signed(&request, &sample::csv(1));
    assert_eq!(world.wire().hashes_by_request()[&request].len(), 1, "the same bytes each time");
}

#[tokio::test]
async fn one_request_has_no_place_twice_in_a_batch() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    world.submit(&sample::csv(1));
    let mut twice = phone.waiting().await;
    twice.extend(phone.waiting().await);
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
    phone.decline(phone.waiting().await.remove(0), "重複").await.unwrap();
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
    let approved = phone.sign_all().await;
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
    let approved = phone.sign_all().await;
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
