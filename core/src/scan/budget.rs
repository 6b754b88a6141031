//! How much work one frame may cost. The unit is a step, about one grey value sampled; it is counted and not clocked, so
//! that the same frame gives the same result on every phone.

/// The work that one call may do, in steps of about 5 nanoseconds on a desktop core and 8 on a middling phone's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    steps: u64,
}

impl Budget {
    /// For a camera's preview: fits 30 frames a second on a middling phone.
    pub const FRAME: Self = Self { steps: 2_200_000 };

    /// For one picture that has no successor, up to 12 megapixels: every way of looking at it is tried.
    pub const STILL: Self = Self { steps: 30_000_000 };

    /// Any other amount. At least the first look at a frame is always done, whatever it costs.
    pub const fn of_steps(steps: u64) -> Self {
        Self { steps }
    }

    /// The steps.
    pub const fn steps(self) -> u64 {
        self.steps
    }
}

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

/// Pixels that a pass over a picture handles in the time of one step.
pub(super) const PIXELS_A_STEP: usize = 4;

impl Meter {
    pub(super) fn new(budget: Budget) -> Self {
        Self { left: budget.steps }
    }

    /// Whether so much work can still be done.
    pub(super) fn affords(&self, steps: usize) -> bool {
        self.left >= steps as u64
    }

    /// Counts work that was done.
    pub(super) fn spend(&mut self, steps: usize) {
        self.left = self.left.saturating_sub(steps as u64);
    }
}
