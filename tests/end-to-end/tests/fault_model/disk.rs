//! The disk, full from any point on at which something is put on it: a file made, written, synced, renamed. The app is a
//! process of its own, to which the system says so (`ENOSPC`).

use std::collections::BTreeMap;

use end_to_end::{PhoneProcess, Run, World, json, sample};
use hpki_agent::journal::verify_export;
use reference_service::{Canned, Fault, State};

use crate::{cases::Case, journey::DELIVER, reboot::PHONE};

/// What a doctor is told whose phone is full. This phone's secret store lies on the same disk.
const TOLD: [&str; 3] = ["StorageFailed", "SecretStoreUnavailable", "KeyVaultFailed"];

fn new_phone(world: &World) -> PhoneProcess {
    PhoneProcess::trusting(PHONE, &world.trust().to_string())
}

fn bound_phone(world: &World) -> PhoneProcess {
    let phone = new_phone(world);
    phone.run(&["register", &world.card().qr_text]).well();
    phone
}

/// Lets the disk be full from the first point of a step on, from the second, and so on until there is room for all of it. What the
/// step says is that the phone is full, or that it is done: then it is.
fn from_every_point(step: &str, mut full: impl FnMut(usize) -> Run) {
    let mut told = BTreeMap::<_, usize>::new();
    for number in 1.. {
        let _case = Case { number, what: format!("no room from this point of {step} on") };
        let run = full(number);
        if run.points.len() < number {
            run.well();
            println!("{step}: {} points; told: {told:?}", number - 1);
            assert!(number > 10, "{number} points of {step}");
            return;
        }
        let code = run.err.split(':').next().unwrap_or_default();
        match run.code {
            Some(0) => assert_eq!(code, ""),
            Some(1) => assert!(TOLD.contains(&code), "{}", run.err),
            other => panic!("ended with {other:?}: {}", run.err),
        }
        *told.entry(code.to_owned()).or_default() += 1;
    }
}

/// What the phone's record says of each kind of event.
fn record(phone: &PhoneProcess) -> BTreeMap<String, Vec<String>> {
    let record = phone.run(&["journal"]).well();
    verify_export(record.as_bytes()).unwrap();
    let mut events = BTreeMap::<_, Vec<_>>::new();
    for line in record.lines() {
        let event = json(line.as_bytes())["event"].clone();
        if let Some(kind) = event["type"].as_str() {
            events.entry(kind.to_owned()).or_default().push(event.to_string());
        }
    }
    events
}

/// As many different events of a kind as there were requests, and none twice.
#[track_caller]
fn assert_once(record: &mut BTreeMap<String, Vec<String>>, kind: &str, requests: usize) {
    let events = record.get_mut(kind).map(std::mem::take).unwrap_or_default();
    let different: std::collections::BTreeSet<_> = events.iter().collect();
    assert_eq!((events.len(), different.len()), (requests, requests), "{kind}");
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_on_a_full_disk_says_so_and_registers_once_when_there_is_room() {
    let world = World::new().await;
    tokio::task::block_in_place(|| {
        from_every_point("registering", |number| {
            let (phone, ticket) = (new_phone(&world), world.letter());
            let step = ["register", &ticket.qr_text, ticket.activation_code.as_deref().unwrap()];
            let run = phone.full_from(number, &step);
            phone.run(&step).well();
            assert_once(&mut record(&phone), "registered", 1);
            run
        });
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_on_a_full_disk_says_what_was_delivered_and_the_rest_follows_when_there_is_room() {
    let world = World::new().await;
    tokio::task::block_in_place(|| {
        let phone = bound_phone(&world);
        let (mut requests, mut done_though_full) = (Vec::new(), 0);
        from_every_point("signing", |number| {
            let both = [world.submit(&sample::csv(1)), world.submit(&sample::envelope(2))];
            // One of them is left to be delivered later.
            world.service().faults().next(1, DELIVER, Fault::Instead(Canned::empty(503)));
            let run = phone.full_from(number, &["sign"]);
            world.service().faults().clear();
            if run.code == Some(0) {
                for request in &both {
                    let is_delivered = matches!(world.state_of(request), State::Signed(_));
                    assert_eq!(is_delivered, !run.out.contains(request), "{}", run.out);
                }
                done_though_full += usize::from(run.points.len() >= number);
            }
            phone.run(&["sign"]).well();
            world.assert_signed(&both[0], &sample::csv(1));
            world.assert_signed(&both[1], &sample::csv(2));
            requests.extend(both);
            run
        });
        assert!(done_though_full > 0, "a delivery that cannot be written down is a delivery");
        let again = world.ledger().assert_each_signed_once(&requests);
        println!("{again} signatures, which could not be kept, were made again: the same values");
        let mut record = record(&phone);
        assert_once(&mut record, "signed", requests.len());
        assert_once(&mut record, "delivered", requests.len());
        assert_once(&mut record, "not_delivered", 0);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn declining_and_unregistering_on_a_full_disk_say_so_and_are_done_once_when_there_is_room() {
    let world = World::new().await;
    tokio::task::block_in_place(|| {
        let phone = bound_phone(&world);
        let mut declined = 0;
        from_every_point("declining", |number| {
            let request = world.submit(&sample::csv(1));
            let run = phone.full_from(number, &["decline"]);
            let is_declined = matches!(world.state_of(&request), State::Declined { .. });
            assert!(is_declined || run.code == Some(1));
            phone.run(&["decline"]).well();
            assert!(matches!(world.state_of(&request), State::Declined { .. }));
            declined += 1;
            run
        });
        assert_once(&mut record(&phone), "declined", declined);
        from_every_point("unregistering", |number| {
            let run = phone.full_from(number, &["unregister"]);
            phone.run(&["unregister"]).well();
            assert_eq!(phone.secrets(), ["journal-anchor", "state-key"]);
            assert_eq!(phone.entries(), [""; 0]);
            phone.run(&["register", &world.card().qr_text]).well();
            run
        });
        let record = record(&phone);
        let ended = ["unregistered", "wiped"].map(|kind| record.get(kind).map_or(0, Vec::len));
        assert_eq!(record["registered"].len(), ended[0] + ended[1] + 1, "{ended:?}");
    });
}
