//! A phone whose battery dies. Its app is a process of its own, killed at every point where it changes a file, and
//! between every request and its answer; the next start continues or undoes what was begun, and a whole journey
//! follows. Each test prints the points. Between two points nothing on the disk changes.

use std::{collections::BTreeSet, sync::Mutex, time::Duration};

use end_to_end::{PhoneProcess, Run, World, header, json, sample};
use reference_service::{Fault, IssuedTicket};

const PHONE: &str = env!("CARGO_BIN_EXE_phone");

fn new_phone(world: &World) -> PhoneProcess {
    PhoneProcess::trusting(PHONE, &world.trust().to_string())
}

/// What is typed and scanned for a step.
fn registering(ticket: &IssuedTicket) -> Vec<&str> {
    ["register", &ticket.qr_text].into_iter().chain(ticket.activation_code.as_deref()).collect()
}

fn bound_phone(world: &World) -> PhoneProcess {
    let phone = new_phone(world);
    phone.run(&registering(&world.card())).well();
    phone
}

/// The phones of one service, and what they were asked to sign.
struct Doctor {
    world: World,
    requests: Mutex<Vec<String>>,
}

impl Doctor {
    async fn new() -> Self {
        Self { world: World::new().await, requests: Mutex::default() }
    }

    fn submit(&self) -> [String; 2] {
        let requests = [self.world.submit(&sample::csv(1)), self.world.submit(&sample::envelope(2))];
        self.requests.lock().unwrap().extend(requests.clone());
        requests
    }

    /// The phone works: it signs two prescriptions, keeps nothing of them, and its record holds together.
    fn assert_a_journey(&self, phone: &PhoneProcess, after: &str) {
        let requests = self.submit();
        assert_eq!(phone.run(&["sign"]).well(), "", "{after}");
        self.assert_signed(&requests);
        assert_at_rest(phone, after);
    }

    fn assert_signed(&self, requests: &[String; 2]) {
        self.world.assert_signed(&requests[0], &sample::csv(1));
        self.world.assert_signed(&requests[1], &sample::csv(2));
    }

    /// What the service's books say of everything that was ever asked for, and that no token was used for a second
    /// `signHash`.
    fn assert_books(&self) -> usize {
        let repeated = self.world.ledger().assert_each_signed_once(&*self.requests.lock().unwrap());
        let wire = self.world.wire();
        let tokens: Vec<_> = wire
            .of("POST /csc/v2/signatures/signHash")
            .map(|e| header(e, "authorization").unwrap())
            .collect();
        let different: BTreeSet<_> = tokens.iter().collect();
        assert_eq!(different.len(), tokens.len(), "a token was used again");
        repeated
    }
}

/// Bound, and nothing under way.
fn assert_at_rest(phone: &PhoneProcess, after: &str) {
    let roles = phone.secrets().iter().map(|name| without_binding(name)).collect::<Vec<_>>();
    assert_eq!(
        roles,
        ["journal-anchor", "key-*-approval", "key-*-device", "registration-token-*", "state-key"],
        "{after}"
    );
    assert!(phone.entries().iter().all(|e| AT_REST.contains(&e.as_str())), "{after}: {:?}", phone.entries());
    let record = phone.run(&["journal"]).well();
    hpki_agent::journal::verify_export(record.as_bytes()).unwrap();
}

/// The binding and what the inbox last held.
const AT_REST: [&str; 3] = ["binding.sealed", "inbox-read-at.sealed", "inbox.sealed"];

fn without_binding(name: &str) -> String {
    name.split('-').map(|part| if part.len() == 32 { "*" } else { part }).collect::<Vec<_>>().join("-")
}

/// Kills a step at its first point, its second, and so on until it runs to its end; prints them.
fn at_every_point(step: &str, mut kill: impl FnMut(usize) -> Run) {
    for number in 1.. {
        let run = kill(number);
        if run.code.is_some() {
            run.well();
            println!("{step}: {} points", number - 1);
            assert!(number > 20, "{number} points of {step}");
            return;
        }
        println!("{step} {number:3}: {}", run.points.last().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_killed_at_any_write_is_continued_as_one_registration() {
    let doctor = Doctor::new().await;
    tokio::task::block_in_place(|| {
        at_every_point("registering", |number| {
            let (phone, ticket) = (new_phone(&doctor.world), doctor.world.letter());
            let seen = doctor.world.wire().0.len();
            let run = phone.killed_at(number, &registering(&ticket));
            let after = format!("killed {:?}", run.points.last());
            phone.run(&registering(&ticket)).well();
            let wire = doctor.world.wire().after(seen);
            let registered = wire.of("POST /register").filter(|e| matches!(e.status, Some(200 | 201)));
            let clients: BTreeSet<_> = registered.map(|e| json(&e.answer)["client_id"].to_string()).collect();
            assert_eq!(clients.len(), 1, "{after}");
            doctor.assert_a_journey(&phone, &after);
            run
        });
    });
    assert_eq!(doctor.assert_books(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_killed_at_any_write_of_the_desktops_secrets_is_continued() {
    let doctor = Doctor::new().await;
    let new_phone = || new_phone(&doctor.world).with_passphrase();
    tokio::task::block_in_place(|| {
        let whole = new_phone().run(&registering(&doctor.world.letter()));
        let points = whole.points.iter().enumerate();
        let of_secrets: Vec<_> = points.filter(|(_, point)| point.contains(" secrets")).collect();
        assert!(of_secrets.len() > 30, "{:?}", whole.points);
        for (at, point) in of_secrets {
            let (phone, ticket) = (new_phone(), doctor.world.letter());
            let run = phone.killed_at(at + 1, &registering(&ticket));
            println!("registering {:3}: {point}", at + 1);
            assert_eq!((run.code, run.points.last()), (None, Some(point)));
            phone.run(&registering(&ticket)).well();
            let requests = doctor.submit();
            phone.run(&["sign"]).well();
            doctor.assert_signed(&requests);
        }
    });
    assert_eq!(doctor.assert_books(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_killed_at_any_write_gives_way_to_another_ticket() {
    let doctor = Doctor::new().await;
    tokio::task::block_in_place(|| {
        at_every_point("registering", |number| {
            let phone = new_phone(&doctor.world);
            let run = phone.killed_at(number, &registering(&doctor.world.card()));
            if run.code.is_none() {
                phone.run(&registering(&doctor.world.letter())).well();
                doctor.assert_a_journey(&phone, &format!("killed {:?}", run.points.last()));
            }
            run
        });
    });
    assert_eq!(doctor.assert_books(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_and_delivering_killed_at_any_write_are_finished_with_one_signature_and_one_file_each() {
    let doctor = Doctor::new().await;
    tokio::task::block_in_place(|| {
        let phone = bound_phone(&doctor.world);
        at_every_point("signing", |number| {
            let requests = doctor.submit();
            let run = phone.killed_at(number, &["sign"]);
            phone.run(&["sign"]).well();
            doctor.assert_signed(&requests);
            doctor.assert_a_journey(&phone, &format!("killed {:?}", run.points.last()));
            run
        });
    });
    println!("{} signatures were made a second time: the same values", doctor.assert_books());
}

#[tokio::test(flavor = "multi_thread")]
async fn delivering_later_killed_at_any_write_hands_over_each_file_once() {
    let doctor = Doctor::new().await;
    tokio::task::block_in_place(|| {
        let phone = bound_phone(&doctor.world);
        at_every_point("delivering", |number| {
            let requests = doctor.submit();
            doctor.world.service().faults().next(2, "POST /prescriptions/{id}", Fault::Unheard);
            assert_eq!(phone.run(&["sign"]).well().lines().count(), 2, "not delivered yet");
            let run = phone.killed_at(number, &["sign"]);
            phone.run(&["sign"]).well();
            doctor.assert_signed(&requests);
            doctor.assert_a_journey(&phone, &format!("killed {:?}", run.points.last()));
            run
        });
    });
    assert_eq!(doctor.assert_books(), 0, "what is kept is not signed again");
}

#[tokio::test(flavor = "multi_thread")]
async fn unregistering_killed_at_any_write_ends_with_nothing_left_and_a_phone_that_registers_again() {
    let doctor = Doctor::new().await;
    tokio::task::block_in_place(|| {
        let phone = bound_phone(&doctor.world);
        at_every_point("unregistering", |number| {
            let run = phone.killed_at(number, &["unregister"]);
            let after = format!("killed {:?}", run.points.last());
            phone.run(&["unregister"]).well();
            assert_eq!(phone.secrets(), ["journal-anchor", "state-key"], "{after}");
            assert_eq!(phone.entries(), [""; 0], "{after}");
            phone.run(&registering(&doctor.world.card())).well();
            doctor.assert_a_journey(&phone, &after);
            run
        });
    });
    assert_eq!(doctor.assert_books(), 0);
}

/// Where a run is killed: its request of this number (from 0) was carried out, the answer has not come.
struct Unanswered<'a> {
    world: &'a World,
    number: usize,
}

impl Unanswered<'_> {
    fn kill(&self, phone: &PhoneProcess, step: &[&str]) -> Run {
        let seen = self.world.wire().0.len();
        let faults = self.world.service().faults();
        faults.next(u32::try_from(self.number).unwrap(), "*", Fault::Delay(Duration::ZERO));
        faults.next(1, "*", Fault::Silent);
        let carried_out = || {
            let wire = self.world.wire().after(seen);
            wire.0.get(self.number).is_some_and(|exchange| exchange.status.is_some())
        };
        let mut run = phone.killed_when(step, carried_out);
        faults.clear();
        if run.code.is_none() {
            run.points.push(self.world.wire().after(seen).lines().swap_remove(self.number));
        }
        run
    }
}

/// Kills a step before the answer to its first request, to its second, and so on until it runs to its end; prints them,
/// and sees to it that this one was among them.
fn before_every_answer(
    world: &World,
    step: &str,
    among_them: &str,
    mut run: impl FnMut(&Unanswered<'_>) -> Run,
) {
    let mut killed = Vec::new();
    for number in 0.. {
        let ended = run(&Unanswered { world, number });
        if ended.code.is_some() {
            ended.well();
            println!("{step}: {number} answers");
            assert!(killed.iter().any(|line| line == among_them), "{killed:?}");
            return;
        }
        println!("{step} {:3}: before the answer to {}", number + 1, ended.points[0]);
        killed.extend(ended.points);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_killed_before_any_answer_is_continued_or_undone() {
    let doctor = Doctor::new().await;
    let world = &doctor.world;
    let repeated = tokio::task::block_in_place(|| {
        before_every_answer(world, "registering", "POST /register", |at| {
            let (phone, ticket) = (new_phone(world), world.letter());
            let run = at.kill(&phone, &registering(&ticket));
            phone.run(&registering(&ticket)).well();
            doctor.assert_a_journey(&phone, &format!("registering, answer {}", at.number));
            run
        });
        let phone = bound_phone(world);
        before_every_answer(world, "signing", "POST /csc/v2/signatures/signHash", |at| {
            let requests = doctor.submit();
            let run = at.kill(&phone, &["sign"]);
            phone.run(&["sign"]).well();
            doctor.assert_signed(&requests);
            doctor.assert_a_journey(&phone, &format!("signing, answer {}", at.number));
            run
        });
        let repeated = doctor.assert_books();
        before_every_answer(world, "unregistering", "DELETE /register/{id}", |at| {
            let run = at.kill(&phone, &["unregister"]);
            phone.run(&["unregister"]).well();
            assert_eq!(phone.secrets(), ["journal-anchor", "state-key"], "answer {}", at.number);
            phone.run(&registering(&world.card())).well();
            doctor.assert_a_journey(&phone, &format!("unregistering, answer {}", at.number));
            run
        });
        repeated
    });
    println!("{repeated} signatures, whose answer was lost, were made a second time: the same values");
    assert_eq!(doctor.assert_books(), repeated);
}
