//! A phone without network: what it fetched is there to be read, an approval waits, and nothing that signs is sent again by
//! itself.

use end_to_end::{NO_WAIT, Phone, World, code, refused, sample};
use hpki_agent::{
    agent::{Code, Kind, LastInbox, Waiting},
    device::KeyVaultError,
    prescription::Prescription,
};
use reference_service::{Fault, State};
use time::{Duration, OffsetDateTime};

const SIGN: &str = "POST /csc/v2/signatures/signHash";

async fn last_inbox(phone: &Phone) -> LastInbox {
    phone.last_inbox().await.unwrap().expect("the inbox was read before")
}

fn ids(waiting: &[Waiting]) -> Vec<&str> {
    waiting.iter().map(Waiting::id).collect()
}

#[tokio::test]
async fn what_was_fetched_is_shown_offline_and_approved_when_the_network_is_back() {
    let mut world = World::new().await;
    let mut phone = world.bound_phone().await;
    assert!(phone.last_inbox().await.unwrap().is_none());
    let requests = [
        world.submit(&sample::csv(1)),
        world.submit(&sample::envelope(2)),
        world.submit(&sample::unsignable()),
    ];
    let shown: Vec<_> = phone.inbox(NO_WAIT).await.unwrap();
    let before = world.wire().0.len();
    world.stop().await;

    let offline = refused(phone.inbox(NO_WAIT).await);
    assert_eq!((offline.code(), offline.kind()), (Code::Offline, Kind::Retry));
    phone.restart().await.unwrap();
    let last = last_inbox(&phone).await;
    assert_eq!((ids(&last.waiting), last.left_out), (ids(&shown), 0));
    assert!((OffsetDateTime::now_utc() - last.read_at).abs() < Duration::minutes(1));
    for (now, then) in last.waiting.iter().zip(&shown) {
        assert_eq!(
            now.prescription().map(Prescription::preview).ok(),
            then.prescription().map(Prescription::preview).ok()
        );
        assert_eq!((now.requester(), now.label()), (then.requester(), then.label()));
        assert_eq!((now.received_at(), now.expires_at()), (then.received_at(), then.expires_at()));
    }
    let reasons = last.waiting[2].prescription().err().unwrap().violations().len();
    assert_eq!(reasons, shown[2].prescription().err().unwrap().violations().len());
    let asked = phone.user.asked().len();
    let mut signable = last.waiting;
    signable.truncate(2);
    assert_eq!(code(phone.prepare(signable).await), Code::Offline);
    assert_eq!(phone.user.asked().len(), asked, "nobody is asked to approve what cannot be sent");

    world.start().await;
    let mut signable = last_inbox(&phone).await.waiting;
    signable.truncate(2);
    let batch = phone.prepare(signable).await.unwrap();
    assert_eq!(world.wire().after(before).of(SIGN).count(), 0);
    phone.approve(batch).await.unwrap();
    world.assert_signed(&requests[0], &sample::csv(1));
    world.assert_signed(&requests[1], &sample::csv(2));
    assert_eq!(
        ids(&last_inbox(&phone).await.waiting),
        [requests[2].as_str()],
        "what is answered is not shown again"
    );
    assert_eq!(world.signatures_made(), 2);
}

#[tokio::test]
async fn an_approval_that_met_no_network_is_not_sent_later_by_itself() {
    let mut world = World::new().await;
    let mut phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    let batch = phone.prepare(phone.inbox(NO_WAIT).await.unwrap()).await.unwrap();
    world.stop().await;
    assert_eq!(code(phone.approve(batch).await), Code::Offline);
    world.start().await;

    let batch = phone.prepare(phone.inbox(NO_WAIT).await.unwrap()).await.unwrap();
    world.service().faults().next(1, SIGN, Fault::Unheard);
    assert_eq!(refused(phone.approve(batch).await).kind(), Kind::Retry);
    let asked = phone.user.asked().len();
    for _ in 0..2 {
        assert!(phone.deliver_pending().await.unwrap().is_empty());
        assert_eq!(ids(&phone.inbox(NO_WAIT).await.unwrap()), [request.as_str()]);
        assert_eq!(last_inbox(&phone).await.waiting.len(), 1);
        phone.restart().await.unwrap();
    }
    assert_eq!((world.wire().of(SIGN).count(), world.signatures_made()), (0, 0));
    assert_eq!(phone.user.asked().len(), asked);

    let batch = phone.prepare(phone.inbox(NO_WAIT).await.unwrap()).await.unwrap();
    phone.user.will(KeyVaultError::Cancelled);
    assert_eq!(code(phone.approve(batch).await), Code::UserCancelled, "a repeat needs a new act");
    assert_eq!(world.state_of(&request), State::Waiting);
}

#[tokio::test]
async fn what_waits_no_longer_is_not_signed_from_an_earlier_reading() {
    let world = World::new().await;
    let mut phone = world.bound_phone().await;
    world.submit(&sample::csv(1));
    phone.inbox(NO_WAIT).await.unwrap();
    // The service lets a request expire; the phone, whose clock is behind, still shows it.
    world.office().clock().shift(Duration::days(8));
    phone.restart().await.unwrap();
    let last = last_inbox(&phone).await.waiting;
    assert_eq!(last.len(), 1);
    assert_eq!(code(phone.prepare(last).await), Code::RequestGone);
    assert!(last_inbox(&phone).await.waiting.is_empty());
    assert_eq!(world.signatures_made(), 0);
}

#[tokio::test]
async fn what_has_expired_meanwhile_is_not_shown() {
    let mut world = World::new().await;
    let phone = world.bound_phone().await;
    world.submit(&sample::csv(1));
    let waiting = phone.inbox(NO_WAIT).await.unwrap();
    world.stop().await;
    let end = waiting[0].expires_at().unwrap() - OffsetDateTime::now_utc();
    phone.clock.is_off_by(end - Duration::MINUTE);
    assert_eq!(last_inbox(&phone).await.waiting.len(), 1);
    phone.clock.is_off_by(end + Duration::MINUTE);
    assert!(last_inbox(&phone).await.waiting.is_empty());
}

#[tokio::test]
async fn what_was_fetched_is_sealed_and_goes_with_the_binding() {
    let world = World::new().await;
    let forgotten = |phone: &Phone| {
        let files = phone.files();
        assert!(files.iter().all(|(path, _)| !path.to_string_lossy().contains("inbox")), "{files:?}");
    };
    let phone = world.bound_phone().await;
    world.submit(&sample::csv(1));
    phone.inbox(NO_WAIT).await.unwrap();
    let kept: Vec<_> = phone.files();
    assert!(kept.iter().any(|(path, _)| path.ends_with("state/inbox.sealed")));
    for (path, bytes) in kept {
        let text = String::from_utf8_lossy(&bytes);
        assert!(sample::PATIENT_WORDS.iter().all(|word| !text.contains(word)), "{}", path.display());
    }
    phone.unregister().await.unwrap();
    assert_eq!(code(phone.last_inbox().await), Code::NotRegistered);
    forgotten(&phone);

    let replaced = world.bound_phone().await;
    replaced.inbox(NO_WAIT).await.unwrap();
    let _new = world.bound_phone().await;
    assert_eq!(code(replaced.inbox(NO_WAIT).await), Code::PhoneUnbound);
    forgotten(&replaced);
}
