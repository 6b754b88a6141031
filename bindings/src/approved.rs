use std::sync::Arc;

use hpki_agent::agent as core;

use crate::{convert::Expose, delivery::Delivery};

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
        self.core.delivery.expose()
    }
}

impl Approved {
    pub(crate) fn new(core: core::Approved) -> Arc<Self> {
        Arc::new(Self { core })
    }
}
