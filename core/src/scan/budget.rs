//! How much work one frame may cost. The unit is a step, about one grey value sampled; it is counted and not clocked, so
//! that the same frame gives the same result on every phone.

/// The work that one call may do, in steps of about 10 nanoseconds on a shared server core (see
/// `tests/benches/scan/README.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    steps: u64,
}

impl Budget {
    /// For a camera's preview at 30 frames a second: about a third of a frame's 33 ms, so that a phone whose core is half as
    /// fast keeps up.
    pub const FRAME: Self = Self { steps: 1_200_000 };

    /// For one picture that has no successor, up to 12 megapixels: every way of looking at it is tried.
    pub const STILL: Self = Self { steps: 30_000_000 };

    /// For one picture of so many pixels that has no successor, when an answer is wanted about as soon as from a camera:
    /// a frame of 1080 lines has a little less than [`Budget::FRAME`], and a larger picture as much more as it is larger.
    pub const fn of_pixels(pixels: usize) -> Self {
        Self { steps: BASE_STEPS + pixels as u64 * HUNDREDTHS_A_PIXEL / 100 }
    }

    /// Any other amount. At least the first look at a frame is always done, whatever it costs.
    pub const fn of_steps(steps: u64) -> Self {
        Self { steps }
    }

    /// The steps.
    pub const fn steps(self) -> u64 {
        self.steps
    }
}

/// What a symbol costs that is found but hard to read, whatever the picture's size; and what looking for it costs from
/// all sides, in hundredths of a step.
const BASE_STEPS: u64 = 250_000;
const HUNDREDTHS_A_PIXEL: u64 = 45;

/// The default is [`Budget::FRAME`].
impl Default for Budget {
    fn default() -> Self {
        Self::FRAME
    }
}

/// What is left of a budget.
#[derive(Debug)]
pub(super) struct Meter {
    left: u64,
}

/// Pixels that are halved in the time of one step, and pixels that are made dark or light.
pub(super) const HALVED_A_STEP: usize = 80;
pub(super) const JUDGED_A_STEP: usize = 12;

impl Meter {
    pub(super) fn new(budget: Budget) -> Self {
        Self { left: budget.steps }
    }

    /// Whether so much work can still be done.
    pub(super) fn affords(&self, steps: usize) -> bool {
        self.left >= steps as u64
    }

    /// Steps that are left.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Counts work that was done.
    pub(super) fn spend(&mut self, steps: usize) {
        self.left = self.left.saturating_sub(steps as u64);
    }
}
