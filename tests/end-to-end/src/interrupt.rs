//! An app that is ended in the middle of a step.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

/// Runs a step and drops it where it waits for the `awaits`th time (from 0), as the system does with an app that it
/// ends; `None` then. What a step does between two waits cannot be interrupted in this way.
pub async fn interrupted_at<F: Future>(awaits: usize, step: F) -> Option<F::Output> {
    let mut step = pin!(step);
    let mut waited = 0;
    poll_fn(|context| match step.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if waited == awaits => Poll::Ready(None),
        Poll::Pending => {
            waited += 1;
            Poll::Pending
        }
    })
    .await
}
