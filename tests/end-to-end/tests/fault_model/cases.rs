//! Which cases are run, and chance that can be repeated.

use std::{fmt::Display, ops::Range};

/// What is run when nobody says otherwise.
const SEED: u64 = 1;

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// `HPKI_AGENT_FAULT_SEED`.
pub(crate) fn seed() -> u64 {
    variable("HPKI_AGENT_FAULT_SEED").map_or(SEED, |text| text.parse().expect("a seed is a number"))
}

/// `HPKI_AGENT_FAULT_CASES`: how many of `all`, from the first; some of them as `7..9`; or `all`.
pub(crate) fn cases(usual: usize, all: usize) -> Range<usize> {
    let number =
        |text: &str| text.parse::<usize>().expect("cases are a number, two with .. between them, or `all`");
    let asked = match variable("HPKI_AGENT_FAULT_CASES").as_deref() {
        None => 0..usual,
        Some("all") => 0..all,
        Some(text) => match text.split_once("..") {
            Some((from, to)) => number(from)..number(to),
            None => 0..number(text),
        },
    };
    asked.start.min(all)..asked.end.min(all)
}

/// Says how a case is repeated, when the test ends in it.
pub(crate) struct Case<D: Display> {
    /// Its number.
    pub(crate) number: usize,
    /// What happens in it.
    pub(crate) what: D,
}

impl<D: Display> Drop for Case<D> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (number, end, what, seed) = (self.number, self.number + 1, &self.what, seed());
            eprintln!(
                "case {number}, {what}; again: HPKI_AGENT_FAULT_SEED={seed} HPKI_AGENT_FAULT_CASES={number}..{end} \
                 cargo test -p end-to-end --test fault_model"
            );
        }
    }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
pub(crate) struct Chance(u64);

impl Chance {
    /// Of this case under the seed.
    pub(crate) fn of(case: usize) -> Self {
        Self(seed() ^ (case as u64).wrapping_mul(0xD1B5_4A32_D192_ED03))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Less than this.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// All numbers below `count`, each once, so that the first ones lie far apart and the next between them.
pub(crate) fn spread(count: usize) -> impl Iterator<Item = usize> {
    let bits = count.next_power_of_two().trailing_zeros();
    let reversed = move |n: usize| if bits == 0 { 0 } else { n.reverse_bits() >> (usize::BITS - bits) };
    (0..1 << bits).map(reversed).filter(move |n| *n < count)
}

#[test]
fn every_place_comes_once_and_the_first_ones_lie_far_apart() {
    for count in [1, 2, 3, 7, 64, 1000] {
        let mut all: Vec<_> = spread(count).collect();
        assert!(count == 1 || all[1] >= count / 2, "{all:?}");
        all.sort_unstable();
        assert_eq!(all, (0..count).collect::<Vec<_>>());
    }
}
