use std::{
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use hpki_agent::agent as core;

use crate::{
    convert::{Expose, records},
    failure::{AgentError, AgentFailure},
    preview::Preview,
    violation::Violation,
};

records! {
    /// Who asks for the signature.
    Requester of core::Requester {
        /// Name of the institution.
        name: String,
        /// Code of the institution (医療機関コード).
        facility_code: String,
    }
}

/// What waits: a prescription to show, or something that cannot be signed and can only be declined.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
#[allow(clippy::large_enum_variant, reason = "it is on its way out, never kept")]
pub enum WaitingContent {
    /// A prescription.
    Prescription {
        /// All of it.
        preview: Preview,
    },
    /// It cannot be signed.
    Refused {
        /// Why, with all violations.
        failure: AgentFailure,
    },
}

/// One prescription that waits for the doctor. Used once, by `Agent.prepare` or `Agent.decline`; it can be shown as long as it
/// is kept.
#[derive(uniffi::Object)]
pub struct Waiting {
    id: String,
    label: String,
    requester: Option<Requester>,
    received_at: Option<SystemTime>,
    expires_at: Option<SystemTime>,
    content: WaitingContent,
    warnings: Vec<Violation>,
    inner: Mutex<Option<core::Waiting>>,
}

#[uniffi::export]
impl Waiting {
    /// The request's identifier at the service, or the label that the app gave.
    pub fn id(&self) -> String {
        self.id.clone()
    }

    /// The document's label within the request. It may name the patient.
    pub fn label(&self) -> String {
        self.label.clone()
    }

    /// Who asks; none for a file of the app's own.
    pub fn requester(&self) -> Option<Requester> {
        self.requester.clone()
    }

    /// When the service received it.
    pub fn received_at(&self) -> Option<SystemTime> {
        self.received_at
    }

    /// Until when it can be answered.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }

    /// What to show, derived from the very bytes that would be signed.
    pub fn content(&self) -> WaitingContent {
        self.content.clone()
    }

    /// What to show before the content: warnings of the document, and a prescriber's name that differs from the
    /// certificate's. None of it blocks signing.
    pub fn warnings(&self) -> Vec<Violation> {
        self.warnings.clone()
    }
}

impl Waiting {
    pub(crate) fn new(core: core::Waiting) -> Arc<Self> {
        let content = match core.prescription() {
            Ok(prescription) => WaitingContent::Prescription { preview: prescription.preview().expose() },
            Err(refused) => WaitingContent::Refused { failure: refused.expose() },
        };
        Arc::new(Self {
            id: core.id().to_owned(),
            label: core.label().to_owned(),
            requester: core.requester().map(Expose::expose),
            received_at: core.received_at().expose(),
            expires_at: core.expires_at().expose(),
            content,
            warnings: core.warnings().into_iter().map(Expose::expose).collect(),
            inner: Mutex::new(Some(core)),
        })
    }

    pub(crate) fn take(&self) -> Result<core::Waiting, AgentError> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or(AgentError::AlreadyUsed)
    }

    /// All of them or, where one was used before, none.
    pub(crate) fn take_all(waiting: &[Arc<Self>]) -> Result<Vec<core::Waiting>, AgentError> {
        let mut taken = Vec::with_capacity(waiting.len());
        for one in waiting {
            match one.take() {
                Ok(core) => taken.push(core),
                Err(used) => {
                    for (one, core) in waiting.iter().zip(taken) {
                        *one.inner.lock().unwrap_or_else(PoisonError::into_inner) = Some(core);
                    }
                    return Err(used);
                }
            }
        }
        Ok(taken)
    }
}
