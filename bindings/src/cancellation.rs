use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use tokio::sync::watch;

use crate::failure::AgentError;

/// Lets an app stop a step that is under way, from any thread. A Kotlin coroutine that is cancelled stops the step by itself;
/// Swift's `Task.cancel` does not reach Rust, so its wrapper cancels by this.
///
/// A step that was stopped may have happened at the service or not, as after a crash: the same step repeated continues it.
#[derive(uniffi::Object)]
pub struct CancellationToken(watch::Sender<bool>);

#[uniffi::export]
impl CancellationToken {
    /// A token that is not cancelled.
    #[uniffi::constructor]
    pub fn new() -> Arc<Self> {
        Arc::new(Self(watch::Sender::new(false)))
    }

    /// Ends every step that was given this token, at once, with `Cancelled`; steps that begin later end so, too.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }
}

/// `work`, unless `token` is cancelled first.
pub(crate) async fn unless_cancelled<T, E>(
    token: Option<Arc<CancellationToken>>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, AgentError>
where
    AgentError: From<E>,
{
    let Some(token) = token else { return Ok(work.await?) };
    let mut receiver = token.0.subscribe();
    let mut cancelled = pin!(receiver.wait_for(|cancelled| *cancelled));
    let mut work = pin!(work);
    poll_fn(|context| {
        if cancelled.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(AgentError::Cancelled));
        }
        work.as_mut().poll(context).map_err(AgentError::from)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn a_cancelled_token_ends_work_that_never_ends_by_itself() {
        let token = CancellationToken::new();
        let other = Arc::clone(&token);
        std::thread::spawn(move || other.cancel());
        let ended = run(unless_cancelled(Some(token), std::future::pending::<Result<(), AgentError>>()));
        assert!(matches!(ended, Err(AgentError::Cancelled)));
    }

    #[test]
    fn work_that_begins_under_a_cancelled_token_is_not_even_polled() {
        let token = CancellationToken::new();
        token.cancel();
        assert!(token.is_cancelled());
        let ended = run(unless_cancelled(Some(token), async { Err::<(), _>(AgentError::AlreadyUsed) }));
        assert!(matches!(ended, Err(AgentError::Cancelled)));
    }

    #[test]
    fn without_a_cancel_the_answer_is_that_of_the_work() {
        for token in [None, Some(CancellationToken::new())] {
            assert_eq!(run(unless_cancelled(token, async { Ok::<_, AgentError>(7) })).unwrap(), 7);
        }
    }
}
