use std::{future::Future, sync::Arc};

use crate::failure::CallbackError;

/// How far a registration or an approval has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ProgressStep {
    /// The service is being asked.
    Started,
    /// The platform's own prompt asks for the doctor's biometrics.
    AwaitingUser,
    /// The doctor was verified; the service registers or signs.
    UserVerified,
}

/// Told how far a registration or an approval has come. Called on whichever thread the step runs.
#[uniffi::export(foreign)]
pub trait ProgressListener: Send + Sync {
    /// A step has begun. What it throws is ignored.
    fn on_progress(&self, step: ProgressStep) -> Result<(), CallbackError>;
}

tokio::task_local! {
    /// Who is told of the step that this future is.
    static LISTENER: Option<Arc<dyn ProgressListener>>;
}

/// Runs `work` with this listener told of it.
pub(crate) async fn told_to<T>(
    listener: Option<Arc<dyn ProgressListener>>,
    work: impl Future<Output = T>,
) -> T {
    LISTENER
        .scope(listener, async {
            tell(ProgressStep::Started);
            work.await
        })
        .await
}

/// Tells the listener of the running step, if there is one.
pub(crate) fn tell(step: ProgressStep) {
    let listener = LISTENER.try_with(Clone::clone).ok().flatten();
    if let Some(listener) = listener
        && let Err(error) = listener.on_progress(step)
    {
        tracing::warn!(%error, "the app's progress listener failed");
    }
}
