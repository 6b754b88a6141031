use std::sync::{Arc, Mutex, PoisonError};

use hpki_agent::agent as core;

use crate::{convert::Expose, failure::AgentError, preview::Preview};

/// Prescriptions made ready for one act of approval. Used once, by `Agent.approve`; what is closed unused is not signed.
#[derive(uniffi::Object)]
pub struct Batch(Mutex<Option<core::Batch>>);

#[uniffi::export]
impl Batch {
    /// How many prescriptions one approval will sign.
    pub fn count(&self) -> Result<u64, AgentError> {
        self.read(|batch| batch.len() as u64)
    }

    /// The prescriptions in the order in which they were given: what is shown when the approval is asked for.
    pub fn previews(&self) -> Result<Vec<Preview>, AgentError> {
        self.read(|batch| batch.prescriptions().map(|prescription| prescription.preview().expose()).collect())
    }
}

impl Batch {
    pub(crate) fn new(core: core::Batch) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(core))))
    }

    pub(crate) fn take(&self) -> Result<core::Batch, AgentError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or(AgentError::AlreadyUsed)
    }

    fn read<T>(&self, read: impl FnOnce(&core::Batch) -> T) -> Result<T, AgentError> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(read)
            .ok_or(AgentError::AlreadyUsed)
    }
}
