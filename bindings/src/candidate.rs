use std::sync::{Arc, Mutex, PoisonError};

use hpki_agent::agent as core;

use crate::{convert::Expose, failure::AgentError, holder::Holder};

/// A phone that is registered and waits for the doctor to say "this is me". Used once, by `Agent.confirm` or `Agent.reject`.
#[derive(uniffi::Object)]
pub struct Candidate {
    holder: Holder,
    service_name: String,
    replaced: bool,
    inner: Mutex<Option<core::Candidate>>,
}

#[uniffi::export]
impl Candidate {
    /// Whose certificate it is: shown to the doctor.
    pub fn holder(&self) -> Holder {
        self.holder.clone()
    }

    /// Display name of the service, Japanese.
    pub fn service_name(&self) -> String {
        self.service_name.clone()
    }

    /// Whether another phone was bound before, which is now unbound.
    pub fn replaced(&self) -> bool {
        self.replaced
    }
}

impl Candidate {
    pub(crate) fn new(core: core::Candidate) -> Arc<Self> {
        Arc::new(Self {
            holder: core.holder().expose(),
            service_name: core.service_name().to_owned(),
            replaced: core.replaced(),
            inner: Mutex::new(Some(core)),
        })
    }

    pub(crate) fn take(&self) -> Result<core::Candidate, AgentError> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or(AgentError::AlreadyUsed)
    }
}
