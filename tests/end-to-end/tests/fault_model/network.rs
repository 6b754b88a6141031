//! The line: every byte of it, in both directions.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use end_to_end::{Fault, Flow, Line, Place, World};
use hpki_agent::agent::{AgentError, Code, Kind};

use crate::{
    cases::{Case, Chance, cases, seed, spread},
    journey::{Journey, STEPS, Step, assert_told, cause},
};

/// Cases in CI: each request and each answer in so many places.
const PLACES: usize = 5;
/// The machine's cores are two.
const LANES: usize = 2;
/// A service's books, and what it has seen, are kept in memory: after so many journeys another takes its place.
const JOURNEYS_OF_ONE_SERVICE: usize = 100;
/// The longest delay, in milliseconds.
const DELAY: u64 = 400;

/// One fault at one byte.
struct At {
    place: Place,
    fault: Fault,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {:?}", self.fault, self.place)
    }
}

/// All places, so that the first ones are one of each flow, the next ones one more of each, and so on.
fn places(flows: &[Flow]) -> Vec<Place> {
    let mut numbered: Vec<_> = flows
        .iter()
        .flat_map(|flow| {
            let at = |offset| Place { offset: flow.start.offset + offset, ..flow.start };
            spread(flow.length).map(at).enumerate()
        })
        .collect();
    numbered.sort_by_key(|(round, _)| *round);
    numbered.into_iter().map(|(_, place)| place).collect()
}

/// Faults take turns, so that each flow meets each, in an order that is the seed's.
fn fault(case: usize, flows: usize) -> Fault {
    let mut chance = Chance::of(case);
    let delay = Fault::Delayed(Duration::from_millis(chance.below(DELAY)));
    let all =
        [Fault::Closed, Fault::Doubled, Fault::Reset, Fault::Swapped, delay, Fault::Closed, Fault::Replayed];
    let turn = case / flows + case % flows + usize::try_from(seed() % 1_000).unwrap();
    all[turn % all.len()]
}

/// What the doctor may be told: that the line is out of order and to try again; where bytes were changed on it, that nobody
/// can say who answered.
#[track_caller]
fn assert_of_the_line(error: &AgentError, at: &At) {
    assert_told(error);
    let is_passing =
        matches!(error.code(), Code::ServiceUnavailable | Code::Offline) && error.kind() == Kind::Retry;
    let is_foreign = error.code() == Code::ServiceNotTrusted;
    let expected = match at.fault {
        Fault::Closed | Fault::Reset => is_passing,
        Fault::Doubled | Fault::Swapped => is_passing || is_foreign,
        Fault::Delayed(_) | Fault::Replayed => false,
    };
    assert!(expected, "{at}: {error} {:?}", cause(error));
}

/// A service that is reached over a line.
struct Reached {
    line: Arc<Line>,
    world: World,
    journeys: usize,
    requests: Vec<String>,
}

impl Reached {
    async fn new() -> Self {
        let line = Line::new().await;
        Self { world: World::behind(Arc::clone(&line)).await, line, journeys: 0, requests: Vec::new() }
    }

    /// One journey, and what the first refusal of it was.
    async fn journey(&mut self, at: Option<&At>) -> Option<(Step, AgentError)> {
        let mut journey = Journey::new(&self.world);
        self.line.arm(at.map(|at| (at.place, at.fault)));
        let refused = journey.go_on(STEPS[0]).await.err();
        self.line_is_whole_again(at);
        journey.finish(refused.as_ref().map_or(Step::Unregister, |(step, _)| *step)).await;
        journey.assert_over().await;
        self.journeys += 1;
        self.requests.extend(journey.to_sign);
        refused
    }

    fn line_is_whole_again(&self, at: Option<&At>) {
        if at.is_some_and(|_| !self.line.is_met()) {
            self.line.arm(None);
        }
    }

    /// The books of the service: gives how many signatures were made again, their answer having been lost.
    fn assert_books(&self) -> usize {
        for (request, hashes) in self.world.wire().hashes_by_request() {
            assert_eq!(hashes.len(), 1, "{request} was to be signed as different bytes");
        }
        self.world.ledger().assert_each_signed_once(&self.requests)
    }
}

/// What came of the cases.
#[derive(Default)]
struct Told {
    by_fault: BTreeMap<String, BTreeMap<String, usize>>,
    missed: usize,
    again: usize,
}

async fn lane(places: &[Place], flows: usize, next: &AtomicUsize, end: usize, told: &Mutex<Told>) {
    let mut reached = Reached::new().await;
    loop {
        let number = next.fetch_add(1, Ordering::SeqCst);
        if number >= end || reached.journeys == JOURNEYS_OF_ONE_SERVICE {
            let again = reached.assert_books();
            told.lock().unwrap().again += again;
            if number >= end {
                return;
            }
            reached = Reached::new().await;
        }
        let at = At { place: places[number], fault: fault(number, flows) };
        let _case = Case { number, what: &at };
        let refused = reached.journey(Some(&at)).await;
        if let Some((_, error)) = &refused {
            assert_of_the_line(error, &at);
        }
        let mut told = told.lock().unwrap();
        told.missed += usize::from(!reached.line.is_met());
        let fault = format!("{:?}", at.fault);
        let fault = fault.split('(').next().unwrap().to_owned();
        let outcome =
            refused.map_or("nothing".into(), |(step, error)| format!("{step:?} {:?}", error.code()));
        *told.by_fault.entry(fault).or_default().entry(outcome).or_default() += 1;
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn every_byte_range_of_the_traffic_cut_delayed_doubled_or_reordered_leaves_the_journey_whole() {
    let began = Instant::now();
    let flows = runtime().block_on(async {
        let mut reached = Reached::new().await;
        let refused = reached.journey(None).await;
        assert!(refused.is_none(), "{refused:?}");
        assert_eq!(reached.assert_books(), 0);
        reached.line.flows()
    });
    let once = began.elapsed();
    let places = places(&flows);
    let asked = cases(PLACES * flows.len(), places.len());
    println!(
        "a journey is {} bytes in {} flows; seed {}, cases {asked:?} of {}; {once:?} each",
        places.len(),
        flows.len(),
        seed(),
        places.len()
    );
    let (next, told) = (AtomicUsize::new(asked.start), Mutex::default());
    std::thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| runtime().block_on(lane(&places, flows.len(), &next, asked.end, &told)));
        }
    });
    let Told { by_fault, missed, again } = told.into_inner().unwrap();
    for (fault, outcomes) in &by_fault {
        println!("{fault}: {outcomes:?}");
    }
    println!(
        "{missed} places were not reached; {again} signatures, whose answer was lost, were made again: the same values"
    );
    println!("{:?}", began.elapsed());
    assert!(missed * 10 <= asked.len(), "{missed} of {} cases met no fault", asked.len());
}
