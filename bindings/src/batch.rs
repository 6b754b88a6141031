use std::sync::{Arc, Mutex, PoisonError};

use hpki_agent::agent as core;

use crate::{convert::Expose, failure::AgentError, preview::Preview};

/// Prescriptions made ready for one act of approval. Used once, by `Agent.approve`; what is closed unused is not signed.
#[derive(uniffi::Object)]
pub struct Batch {
    previews: Vec<Preview>,
    inner: Mutex<Option<core::Batch>>,
}

#[uniffi::export]
impl Batch {
    /// How many prescriptions one approval will sign.
    pub fn count(&self) -> u64 {
        self.previews.len() as u64
    }

    /// The prescriptions in the order in which they were given: what is shown when the approval is asked for.
    pub fn previews(&self) -> Vec<Preview> {
        self.previews.clone()
    }
}

impl Batch {
    pub(crate) fn new(core: core::Batch) -> Arc<Self> {
        let previews = core.prescriptions().map(|prescription| prescription.preview().expose()).collect();
        Arc::new(Self { previews, inner: Mutex::new(Some(core)) })
    }

    pub(crate) fn take(&self) -> Result<core::Batch, AgentError> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or(AgentError::AlreadyUsed)
    }
}
