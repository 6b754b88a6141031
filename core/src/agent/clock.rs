//! What a wrong clock would spoil: the doctor is asked to set it right, and nothing is judged by it.

use time::{Duration, OffsetDateTime};

use super::{AgentError, Code};
use crate::service::MAX_SKEW;

/// Whether the phone's clock is to be set right.
pub(super) fn is_wrong(skew: Duration) -> bool {
    skew.abs() > MAX_SKEW
}

/// The time after a request, by which certificates are judged: no clock that has jumped since before it condemns one.
pub(super) fn unless_jumped(
    asked_at: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<OffsetDateTime, AgentError> {
    if is_wrong(now - asked_at) { Err(AgentError::new(Code::ClockWrong)) } else { Ok(now) }
}
