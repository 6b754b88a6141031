//! The system's own time and randomness.

use ring::rand::SecureRandom as _;
use time::OffsetDateTime;

use super::{Clock, Random};

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// The operating system's random generator, through `ring`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    /// Panics when the operating system has no randomness to give: to go on with predictable bytes would be worse.
    fn fill(&self, buffer: &mut [u8]) {
        assert!(
            ring::rand::SystemRandom::new().fill(buffer).is_ok(),
            "the operating system's random generator failed"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ_and_the_clock_is_utc() {
        let (mut one, mut two) = ([0; 32], [0; 32]);
        SystemRandom.fill(&mut one);
        SystemRandom.fill(&mut two);
        assert_ne!(one, two);
        assert!(SystemClock.now().offset().is_utc());
    }
}
