//! Times that may be divided by each other: all subjects take turns in short rounds, so that whatever else the machine
//! does falls on each of them alike.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// How long one subject runs in one round.
const TURN: Duration = Duration::from_micros(1500);

/// One thing that is measured, once a call.
pub struct Subject<'a> {
    name: &'static str,
    run: Box<dyn FnMut() -> Duration + 'a>,
    /// Best of each round, in µs.
    rounds: Vec<f64>,
}

impl<'a> Subject<'a> {
    /// What takes nothing in.
    pub fn new<T>(name: &'static str, mut run: impl FnMut() -> T + 'a) -> Self {
        Self::on(name, || (), move |()| run())
    }

    /// What consumes something made for it. Neither that nor dropping the result is measured.
    pub fn on<I, T>(
        name: &'static str,
        mut make: impl FnMut() -> I + 'a,
        mut run: impl FnMut(I) -> T + 'a,
    ) -> Self {
        let run = Box::new(move || {
            let input = make();
            let start = Instant::now();
            let result = black_box(run(black_box(input)));
            let taken = start.elapsed();
            drop(result);
            taken
        });
        Self { name, run, rounds: Vec::new() }
    }

    /// As given.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The best of all rounds, µs: the time with the least of everything else in it.
    pub fn best(&self) -> f64 {
        self.rounds.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// Calls it `n` times; gives the time of all calls together.
    pub fn run(&mut self, n: u64) -> Duration {
        (0..n).map(|_| (self.run)()).sum()
    }

    fn turn(&mut self) {
        let start = Instant::now();
        let mut best = Duration::MAX;
        while best == Duration::MAX || start.elapsed() < TURN {
            best = best.min((self.run)());
        }
        self.rounds.push(best.as_secs_f64() * 1e6);
    }
}

/// Lets the subjects take turns, `rounds` times.
pub fn measure(subjects: &mut [Subject], rounds: usize) {
    for _ in 0..rounds {
        subjects.iter_mut().for_each(Subject::turn);
    }
}

/// The median over the rounds of `a` divided by `b` in the same round.
pub fn median_ratio(a: &Subject, b: &Subject) -> f64 {
    let mut ratios: Vec<f64> = a.rounds.iter().zip(&b.rounds).map(|(a, b)| a / b).collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
}
