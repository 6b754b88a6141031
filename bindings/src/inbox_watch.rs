use std::{sync::Arc, time::Duration};

use hpki_agent::agent as core;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};

use crate::{
    cancellation::{CancellationToken, unless_cancelled},
    convert::Expose,
    failure::{AgentError, AgentFailure},
    waiting::Waiting,
};

/// How long the service may hold an answer back: the longest that the protocol has (§6).
const LONG_POLL: Duration = Duration::from_secs(25);
/// Where something waits the service answers at once: then it is asked again after this time.
const PAUSE: Duration = Duration::from_secs(5);
/// The longest time between two tries while the service cannot be reached; it begins with a second and doubles.
const MAX_BACKOFF: Duration = Duration::from_secs(60);

/// Watches the inbox for as long as `next` is called: what a Kotlin `Flow`, a Swift `AsyncStream` and a Python generator are
/// made of. It has no thread and asks nothing between two calls.
#[derive(uniffi::Object)]
pub struct InboxWatch {
    agent: Arc<core::Agent>,
    state: Mutex<State>,
}

/// What `InboxWatch.next` tells.
#[derive(Clone, uniffi::Enum)]
pub enum InboxEvent {
    /// All that waits now, oldest first: the first time, whenever it has changed, and once a failure is over.
    Changed {
        /// May be empty.
        prescriptions: Vec<Arc<Waiting>>,
    },
    /// The service cannot be reached for now; the next call waits a while and tries again.
    Interrupted {
        /// Why; its kind is `Retry`.
        failure: AgentFailure,
        /// After how long it tries again.
        retry_after: Duration,
    },
}

#[derive(Default)]
struct State {
    /// Identifiers of what was told last; none before the first answer and after a failure.
    told: Option<Vec<String>>,
    /// Not to be asked before.
    not_before: Option<Instant>,
    /// Failures in a row.
    failures: u32,
}

#[uniffi::export(async_runtime = "tokio")]
impl InboxWatch {
    /// Returns when there is something to tell. Anything that waiting does not mend ends the watch: it is thrown, here and by
    /// every call after.
    #[uniffi::method(default(cancellation = None))]
    pub async fn next(&self, cancellation: Option<Arc<CancellationToken>>) -> Result<InboxEvent, AgentError> {
        unless_cancelled(cancellation, self.wait_for_news()).await
    }
}

impl InboxWatch {
    pub(crate) fn new(agent: Arc<core::Agent>) -> Arc<Self> {
        Arc::new(Self { agent, state: Mutex::default() })
    }

    async fn wait_for_news(&self) -> Result<InboxEvent, AgentError> {
        let mut state = self.state.lock().await;
        loop {
            if let Some(at) = state.not_before {
                sleep_until(at).await;
            }
            let wait = if state.told.is_some() { LONG_POLL } else { Duration::ZERO };
            match self.agent.inbox(wait).await {
                Ok(waiting) => {
                    let ids = waiting.iter().map(|one| one.id().to_owned()).collect::<Vec<_>>();
                    let is_news = state.told.as_ref() != Some(&ids);
                    let not_before = (!ids.is_empty()).then(|| Instant::now() + PAUSE);
                    *state = State { told: Some(ids), not_before, failures: 0 };
                    if is_news {
                        return Ok(InboxEvent::Changed {
                            prescriptions: waiting.into_iter().map(Waiting::new).collect(),
                        });
                    }
                }
                Err(error) if error.kind() == core::Kind::Retry => {
                    let retry_after = Duration::from_secs(1 << state.failures.min(6)).min(MAX_BACKOFF);
                    let not_before = Some(Instant::now() + retry_after);
                    *state = State { told: None, not_before, failures: state.failures.saturating_add(1) };
                    return Ok(InboxEvent::Interrupted { failure: error.expose(), retry_after });
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
