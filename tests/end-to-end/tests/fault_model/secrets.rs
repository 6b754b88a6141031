//! The phone's secret store: locked at any access, emptied after any step, put back to what it held after an earlier one,
//! alone and with the app's folder.

use std::{collections::BTreeMap, path::PathBuf};

use end_to_end::{Part, SecretsBackup, World, refused, sample};
use hpki_agent::{
    agent::{Code, Delivery, Kind},
    journal::{Event, verify_export},
};
use reference_service::Fault;

use crate::{
    cases::{Case, cases, spread},
    journey::{DELIVER, Journey, STEPS, Step, assert_told},
};

/// Accesses in CI at which the store locks.
const LOCKS: usize = 24;

#[tokio::test]
async fn a_secret_store_that_locks_at_any_access_leaves_the_journey_whole() {
    let world = World::new().await;
    let accesses = {
        let mut journey = Journey::new(&world);
        let before = journey.phone.secrets.accesses();
        journey.go_on(STEPS[0]).await.unwrap();
        let accesses = journey.phone.secrets.accesses() - before;
        journey.finish(STEPS[4]).await;
        accesses
    };
    let places: Vec<_> = spread(accesses).collect();
    let mut told = BTreeMap::<_, usize>::new();
    let asked = cases(LOCKS, places.len());
    println!("the store was asked {accesses} times; cases {asked:?}");
    for number in asked {
        let _case = Case { number, what: format!("locked from access {}", places[number]) };
        let mut journey = Journey::new(&world);
        journey.phone.secrets.lock_from(journey.phone.secrets.accesses() + places[number]);
        let refused = journey.go_on(STEPS[0]).await.err();
        let has_refused = journey.phone.secrets.unlock();
        if let Some((step, error)) = &refused {
            assert_told(error);
            let is_told = matches!(error.code(), Code::SecretStoreUnavailable | Code::KeyVaultFailed);
            assert!(is_told, "{step:?} {error}");
            *told.entry(format!("{step:?} {:?}", error.code())).or_default() += 1;
        }
        assert!(has_refused || refused.is_none());
        journey.finish(refused.map_or(Step::Unregister, |(step, _)| step)).await;
        journey.assert_over().await;
    }
    println!("told: {told:?}");
}

/// What a phone held after a step.
struct Backup {
    secrets: SecretsBackup,
    files: Vec<(PathBuf, Vec<u8>)>,
}

/// What is put back.
#[derive(Clone, Copy, Debug)]
enum Restored {
    /// The secret store; what of it.
    Secrets(Part),
    /// The app's folder.
    Files,
    /// Both.
    Both(Part),
}

async fn assert_each_has_one_answer(journey: &Journey<'_>, requests: &mut Vec<String>) {
    journey.assert_answered();
    verify_export(&journey.phone.export_journal().await.unwrap()).unwrap();
    requests.extend(journey.to_sign.iter().cloned());
    journey.world.ledger().assert_each_delivered_once(&*requests);
}

#[tokio::test]
async fn a_secret_store_that_is_emptied_after_any_step_leaves_each_request_with_one_answer() {
    let world = World::new().await;
    let (mut requests, mut told) = (Vec::new(), BTreeMap::<_, usize>::new());
    for after in STEPS {
        for part in [Part::Secrets, Part::All] {
            for app_lives_on in [true, false] {
                let what = format!("{part:?} lost after {after:?}, the app lives on: {app_lives_on}");
                let _case = Case { number: 0, what };
                let mut journey = Journey::new(&world);
                for step in STEPS.into_iter().filter(|step| *step <= after) {
                    journey.step(step).await.unwrap();
                }
                journey.phone.secrets.restore(&SecretsBackup::default(), part);
                let next = STEPS.into_iter().find(|step| *step > after).unwrap_or(Step::Unregister);
                if app_lives_on && let Err((_, error)) = journey.go_on(next).await {
                    assert_told(&error);
                    *told.entry(error.code().as_str()).or_default() += 1;
                }
                // Where the app lived on, it may have come to the end.
                for code in journey.do_as_told(Step::Register).await {
                    *told.entry(code.as_str()).or_default() += 1;
                }
                assert_each_has_one_answer(&journey, &mut requests).await;
            }
        }
    }
    println!("told: {told:?}");
    assert!(told.contains_key("StateDamaged"), "{told:?}");
}

#[tokio::test]
async fn a_phone_put_back_to_an_older_state_in_part_or_whole_leaves_each_request_with_one_answer() {
    let world = World::new().await;
    let (mut requests, mut told) = (Vec::new(), BTreeMap::<_, usize>::new());
    let restored = [
        Restored::Secrets(Part::Secrets),
        Restored::Secrets(Part::All),
        Restored::Files,
        Restored::Both(Part::Secrets),
        Restored::Both(Part::All),
    ];
    let ages = (0..STEPS.len()).flat_map(|old| (old + 1..=STEPS.len()).map(move |now| (old, now)));
    let all: Vec<_> = ages.flat_map(|ages| restored.map(|what| (ages, what))).collect();
    for (number, ((old, now), what)) in all.into_iter().enumerate() {
        let _case = Case { number, what: format!("{what:?} of before step {old} back before step {now}") };
        let mut journey = Journey::new(&world);
        let mut backups = Vec::new();
        for step in &STEPS[..now] {
            backups.push(Backup { secrets: journey.phone.secrets.backup(), files: journey.phone.backup() });
            journey.step(*step).await.unwrap();
        }
        let Backup { secrets, files } = &backups[old];
        journey.phone.end();
        if let Restored::Files | Restored::Both(_) = what {
            journey.phone.restore(files);
        }
        if let Restored::Secrets(part) | Restored::Both(part) = what {
            journey.phone.secrets.restore(secrets, part);
        }
        for code in journey.do_as_told(Step::Register).await {
            *told.entry(code.as_str()).or_default() += 1;
        }
        assert_each_has_one_answer(&journey, &mut requests).await;
    }
    println!("told: {told:?}");
    assert!(told.contains_key("JournalTampered"), "{told:?}");
}

#[tokio::test]
async fn a_delivery_that_cannot_be_written_down_is_told_all_the_same_and_written_down_later() {
    let world = World::new().await;
    let mut phone = world.bound_phone().await;
    let mut requests = Vec::new();
    for app_lives_on in [true, false] {
        let request = world.submit(&sample::csv(1));
        let batch = phone.prepare(phone.waiting().await).await.unwrap();
        let seen = world.wire().of(DELIVER).count();
        world.service().faults().next(1, DELIVER, Fault::Delay(std::time::Duration::from_millis(500)));
        let (approved, ()) = tokio::join!(phone.approve(batch), async {
            let arrived = || world.service().requests_seen().get(DELIVER).copied().unwrap_or_default();
            while arrived() as usize == seen {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            phone.secrets.lock_from(phone.secrets.accesses());
        });
        assert!(matches!(approved.unwrap()[0].delivery, Delivery::Delivered));
        world.assert_signed(&request, &sample::csv(1));
        let told = refused(phone.deliver_pending().await);
        assert_eq!((told.code(), told.kind()), (Code::SecretStoreUnavailable, Kind::FixPhone));
        phone.secrets.unlock();

        let before = world.wire().0.len();
        if !app_lives_on {
            phone.restart().await.unwrap();
        }
        let tried = phone.deliver_pending().await.unwrap();
        // An app that has ended does not know it any more, and learns it from the service.
        assert_eq!(
            (tried.len(), world.wire().after(before).of(DELIVER).count()),
            if app_lives_on { (0, 0) } else { (1, 1) }
        );
        assert!(tried.iter().all(|one| matches!(one.delivery, Delivery::Delivered)), "{tried:?}");
        assert!(phone.deliver_pending().await.unwrap().is_empty());
        requests.push(request);
        let events: Vec<_> = phone.journal().await.unwrap().into_iter().map(|entry| entry.event).collect();
        let delivered = events.iter().filter(|event| matches!(event, Event::Delivered { .. })).count();
        let signed = events.iter().filter(|event| matches!(event, Event::Signed { .. })).count();
        assert_eq!((signed, delivered), (requests.len(), requests.len()), "{events:?}");
    }
    assert_eq!(world.ledger().assert_each_signed_once(&requests), 0);
}
