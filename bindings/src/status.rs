use hpki_agent::agent as core;

use crate::{convert::Expose, holder::Holder};

/// Where this phone stands.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
#[allow(clippy::large_enum_variant, reason = "it is on its way out, never kept")]
pub enum Status {
    /// Not registered: scan a registration QR.
    Unregistered,
    /// Registered at the service, but the doctor has not yet confirmed whose certificate it is: see `Agent.candidate`.
    AwaitingConfirmation,
    /// Bound.
    Registered {
        /// Issuer URL of the service.
        issuer: String,
        /// Whose certificate it is.
        holder: Holder,
        /// Signed files that the service has not yet taken: see `Agent.deliver_pending`.
        undelivered: u64,
    },
}

impl Expose<Status> for core::Status {
    fn expose(&self) -> Status {
        match self {
            Self::Unregistered => Status::Unregistered,
            Self::AwaitingConfirmation => Status::AwaitingConfirmation,
            Self::Registered { issuer, holder, undelivered } => Status::Registered {
                issuer: issuer.clone(),
                holder: holder.expose(),
                undelivered: *undelivered as u64,
            },
        }
    }
}
