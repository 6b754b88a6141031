use std::{sync::Arc, time::SystemTime};

use hpki_agent::agent as core;

use crate::{convert::Expose, waiting::Waiting};

/// The inbox as it was when it was last read. Whatever has changed since is not known.
#[derive(Clone, uniffi::Record)]
pub struct LastInbox {
    /// What waited and has been neither answered here nor expired since, oldest first. It can be shown; `Agent.prepare` and
    /// `Agent.decline` need the network, and the first asks whether it still waits.
    pub waiting: Vec<Arc<Waiting>>,
    /// When it was read, by the service's clock.
    pub read_at: SystemTime,
    /// Requests that waited then and were not kept: beyond 4 MiB of documents, or without a readable document.
    pub left_out: u64,
}

impl From<core::LastInbox> for LastInbox {
    fn from(core: core::LastInbox) -> Self {
        Self {
            waiting: core.waiting.into_iter().map(Waiting::new).collect(),
            read_at: core.read_at.expose(),
            left_out: core.left_out as u64,
        }
    }
}
