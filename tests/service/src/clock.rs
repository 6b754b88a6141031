//! The service's time: the system's, shifted as a test wishes.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use time::{Duration, OffsetDateTime};

/// The time that every decision of the service uses. Clones share the shift.
#[derive(Clone, Default)]
pub struct Clock {
    shift_seconds: Arc<AtomicI64>,
}

impl Clock {
    /// Now, in whole seconds, UTC.
    pub fn now(&self) -> OffsetDateTime {
        let shift = Duration::seconds(self.shift_seconds.load(Ordering::SeqCst));
        (OffsetDateTime::now_utc() + shift).replace_nanosecond(0).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// Now, in seconds since 1970.
    pub fn unix(&self) -> i64 {
        self.now().unix_timestamp()
    }

    /// Moves the service's time by `by`, backwards when negative.
    pub fn shift(&self, by: Duration) {
        self.shift_seconds.fetch_add(by.whole_seconds(), Ordering::SeqCst);
    }
}
