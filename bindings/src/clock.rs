use std::{sync::Arc, time::SystemTime};

use hpki_agent::device;
use time::OffsetDateTime;

use crate::{convert, failure::CallbackError};

/// An app's own time, such as one that tests set. Without it the agent reads the phone's clock.
#[uniffi::export(foreign)]
pub trait Clock: Send + Sync {
    /// Now. Where it throws, the phone's clock is read.
    fn now(&self) -> Result<SystemTime, CallbackError>;
}

/// The core's clock over an app's.
pub(crate) struct ClockShim(pub(crate) Arc<dyn Clock>);

impl device::Clock for ClockShim {
    fn now(&self) -> OffsetDateTime {
        let given = self.0.now().ok().and_then(convert::time);
        given.unwrap_or_else(|| device::Clock::now(&device::SystemClock))
    }
}
