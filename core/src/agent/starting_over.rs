//! The way out when what the phone has stored no longer holds: the secret store was emptied or put back to an older
//! state, the app's data came from a backup of another phone, a file was changed.

use std::sync::Arc;

use super::{Agent, AgentError, Code, Options, registering::key_bindings};
use crate::{
    device::{Device, KeyAlias, KeyRole, state::State},
    journal::{Journal, JournalError},
    registration::secret_name,
};

impl Agent {
    /// As [`Agent::open`], except that a registration which cannot be used any more ([`Code::StateDamaged`],
    /// [`Code::JournalTampered`]) is given up: keys that can still be named are destroyed, the state is erased, and a
    /// record that does not hold is kept under another name beside a new one whose first entry says so. Nothing is given
    /// up on a phone that opens. To be called when the doctor registers again: that registration replaces the lost one
    /// at the service. No network.
    ///
    /// # Errors
    /// [`Code::StateBusy`], [`Code::SecretStoreUnavailable`], [`Code::StorageFailed`], [`Code::KeyVaultFailed`]. It may be
    /// repeated.
    pub async fn start_over(options: Options) -> Result<Self, AgentError> {
        match Self::open(options.clone()) {
            Err(error) if matches!(error.code(), Code::StateDamaged | Code::JournalTampered) => {}
            opened => return opened,
        }
        let device = &options.device;
        destroy_keys(device).await?;
        State::erase(&device.data_dir, &*device.secrets)?;
        match Journal::open(&device.data_dir, Arc::clone(&device.secrets)) {
            Err(JournalError::Tampered(found)) => {
                let now = device.clock.now();
                Journal::set_aside(&device.data_dir, Arc::clone(&device.secrets), found, now)?;
            }
            other => drop(other?),
        }
        Self::open(options)
    }
}

/// Of the registrations that can be read; those of the others cannot be named, and nobody can use them either.
async fn destroy_keys(device: &Device) -> Result<(), AgentError> {
    let known = State::open(device).map(|state| key_bindings(&state)).unwrap_or_default();
    for binding in known {
        for role in [KeyRole::Device, KeyRole::Approval] {
            device.keys.delete(&KeyAlias { binding: binding.clone(), role }).await?;
        }
        device.secrets.delete(&secret_name(&binding))?;
    }
    Ok(())
}
