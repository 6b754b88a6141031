use std::sync::Arc;

use hpki_agent::agent as core;

use crate::{convert::Expose, failure::AgentFailure};

/// What became of a signed file.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum Delivery {
    /// The service took it.
    Delivered,
    /// A file of the app's own: the app has it now.
    Returned,
    /// Not yet: it is kept, sealed, for `Agent.deliver_pending`.
    Pending {
        /// Why not.
        failure: AgentFailure,
    },
}

/// One signed prescription.
#[derive(uniffi::Object)]
pub struct Approved {
    core: core::Approved,
}

#[uniffi::export]
impl Approved {
    /// The request's identifier.
    pub fn id(&self) -> String {
        self.core.id.clone()
    }

    /// The document's label. It may name the patient.
    pub fn label(&self) -> String {
        self.core.label.clone()
    }

    /// The signed file: XML, verified as a stranger would.
    pub fn signed_file(&self) -> Vec<u8> {
        self.core.signed.bytes().to_vec()
    }

    /// Whether it reached the requester.
    pub fn delivery(&self) -> Delivery {
        match &self.core.delivery {
            core::Delivery::Delivered => Delivery::Delivered,
            core::Delivery::Returned => Delivery::Returned,
            core::Delivery::Pending(error) => Delivery::Pending { failure: error.expose() },
        }
    }
}

impl Approved {
    pub(crate) fn new(core: core::Approved) -> Arc<Self> {
        Arc::new(Self { core })
    }
}
