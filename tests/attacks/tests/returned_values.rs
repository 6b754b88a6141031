//! `signHash` answers with something else than the signatures that were approved. A value counts only when it verifies
//! over the phone's own hash with the doctor's key, so whatever comes back is put to its prescription or thrown away.

use std::{
    sync::{Arc, Mutex},
    time::Duration as StdDuration,
};

use end_to_end::{Phone, World, refused, sample};
use hpki_agent::agent::{AgentError, Approved, Code};
use reference_service::{Fault, Rewrite, Spoilt, State};
use serde_json::{Value, json};

const SIGN_HASH: &str = "POST /csc/v2/signatures/signHash";

async fn approve(phone: &Phone) -> Result<Vec<Approved>, AgentError> {
    let batch = phone.prepare(phone.inbox(StdDuration::ZERO).await.unwrap()).await.unwrap();
    phone.approve(batch).await
}

/// Three prescriptions are approved and `fault` happens to the values; nothing may leave the phone.
async fn nothing_is_handed_out_when(fault: Fault, expected: Code) {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let requests: Vec<_> = (1..=3).map(|number| world.submit(&sample::csv(number))).collect();
    world.service().faults().next(1, SIGN_HASH, fault);
    let error = refused(approve(&phone).await);
    assert_eq!(error.code(), expected, "{error}");
    assert_eq!(world.wire().of("POST /prescriptions/{id}").count(), 0);
    for request in &requests {
        assert_eq!(world.state_of(request), State::Waiting);
    }
    assert!(phone.deliver_pending().await.unwrap().is_empty());
    // The token is spent; only a new act of the doctor signs, and signs what was shown.
    assert_eq!(approve(&phone).await.unwrap().len(), 3);
    for (number, request) in (1..=3).zip(&requests) {
        world.assert_signed(request, &sample::csv(number));
    }
}

fn rewritten(change: impl Fn(&mut Vec<Value>) + Send + Sync + 'static) -> Fault {
    Fault::Rewritten(Rewrite::new(move |_, answer| {
        if let Some(values) = answer["signatures"].as_array_mut() {
            change(values);
        }
    }))
}

#[tokio::test]
async fn signatures_in_another_order_are_each_put_to_their_own_prescription() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let requests: Vec<_> = (1..=3).map(|number| world.submit(&sample::csv(number))).collect();
    for order in [Fault::Signatures(Spoilt::Reversed), rewritten(|values| values.rotate_left(1))] {
        world.service().faults().next(1, SIGN_HASH, order);
    }
    assert_eq!(approve(&phone).await.unwrap().len(), 3);
    for (number, request) in (1..=3).zip(&requests) {
        world.assert_signed(request, &sample::csv(number));
    }
    let request = world.submit(&sample::csv(4));
    approve(&phone).await.unwrap();
    world.assert_signed(&request, &sample::csv(4));
}

#[tokio::test]
async fn another_keys_signature_is_thrown_away() {
    nothing_is_handed_out_when(Fault::Signatures(Spoilt::Foreign), Code::SignatureWrong).await;
}

#[tokio::test]
async fn a_signature_with_one_wrong_bit_is_thrown_away_and_so_is_the_batch() {
    nothing_is_handed_out_when(Fault::Signatures(Spoilt::Wrong), Code::SignatureWrong).await;
}

#[tokio::test]
async fn one_signature_given_for_two_prescriptions_is_thrown_away() {
    let doubled = rewritten(|values| values[1] = values[0].clone());
    nothing_is_handed_out_when(doubled, Code::SignatureWrong).await;
    let all = rewritten(|values| *values = vec![values[2].clone(); 3]);
    nothing_is_handed_out_when(all, Code::SignatureWrong).await;
}

#[tokio::test]
async fn too_few_signatures_are_thrown_away() {
    nothing_is_handed_out_when(Fault::Signatures(Spoilt::Missing), Code::ServiceMisbehaved).await;
    nothing_is_handed_out_when(rewritten(Vec::clear), Code::ServiceMisbehaved).await;
}

#[tokio::test]
async fn too_many_signatures_are_thrown_away() {
    nothing_is_handed_out_when(Fault::Signatures(Spoilt::Surplus), Code::ServiceMisbehaved).await;
    let flood = rewritten(|values| *values = vec![values[0].clone(); 5_000]);
    nothing_is_handed_out_when(flood, Code::ServiceMisbehaved).await;
}

#[tokio::test]
async fn a_signature_of_an_earlier_approval_is_not_taken_for_this_one() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let kept = Arc::new(Mutex::new(Value::Null));
    let keep = kept.clone();
    let first = Rewrite::new(move |_, answer| *keep.lock().unwrap() = answer["signatures"].clone());
    let again = Rewrite::new(move |_, answer| answer["signatures"] = kept.lock().unwrap().clone());
    world.submit(&sample::csv(1));
    world.service().faults().next(1, SIGN_HASH, Fault::Rewritten(first));
    approve(&phone).await.unwrap();
    let second = world.submit(&sample::csv(2));
    world.service().faults().next(1, SIGN_HASH, Fault::Rewritten(again));
    assert_eq!(refused(approve(&phone).await).code(), Code::SignatureWrong);
    assert_eq!(world.state_of(&second), State::Waiting);
}

#[tokio::test]
async fn signatures_that_come_later_are_judged_as_those_that_come_at_once() {
    for (spoilt, expected) in [
        (Spoilt::Wrong, Code::SignatureWrong),
        (Spoilt::Missing, Code::ServiceMisbehaved),
        (Spoilt::Surplus, Code::ServiceMisbehaved),
    ] {
        let world = World::new().await;
        let phone = world.bound_phone().await;
        let request = world.submit(&sample::csv(1));
        world.service().faults().sign_later(Some(0));
        world.service().faults().next(1, "POST /csc/v2/signatures/signPolling", Fault::Signatures(spoilt));
        assert_eq!(refused(approve(&phone).await).code(), expected, "{spoilt:?}");
        assert_eq!(world.state_of(&request), State::Waiting);
    }
    let never = rewritten(|values| values.push(json!("AAAA")));
    nothing_is_handed_out_when(never, Code::ServiceMisbehaved).await;
}
