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
    /// Never: an answer that this phone does not know of stands (`AlreadyAnswered`), or the request was withdrawn or has expired
    /// (`RequestGone`). The clinic is not known to have this file, and it is not kept.
    Refused {
        /// Why not.
        failure: AgentFailure,
    },
}

/// One more try to deliver a file that was signed before.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Redelivery {
    /// The request's identifier.
    pub id: String,
    /// What became of the file now.
    pub delivery: Delivery,
}

impl Expose<Delivery> for core::Delivery {
    fn expose(&self) -> Delivery {
        match self {
            Self::Delivered => Delivery::Delivered,
            Self::Returned => Delivery::Returned,
            Self::Pending(error) => Delivery::Pending { failure: error.expose() },
            Self::Refused(error) => Delivery::Refused { failure: error.expose() },
        }
    }
}

impl Expose<Redelivery> for core::Redelivery {
    fn expose(&self) -> Redelivery {
        Redelivery { id: self.id.clone(), delivery: self.delivery.expose() }
    }
}
