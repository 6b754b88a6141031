//! The way out when what the phone has stored no longer holds: the secret store was emptied or put back to an older
//! state, the app's data came from a backup of another phone, a file was changed.

use std::sync::Arc;

use super::{Agent, AgentError, Code, Options, blocking, registering::key_bindings};
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
        let (as_it_is, device) = (options.clone(), options.device.clone());
        match blocking(move || Self::open(as_it_is)).await {
            Err(error) if matches!(error.code(), Code::StateDamaged | Code::JournalTampered) => {}
            opened => return opened,
        }
        let known = blocking(move || Ok(known(&device))).await?;
        for binding in &known {
            for role in [KeyRole::Device, KeyRole::Approval] {
                options.device.keys.delete(&KeyAlias { binding: binding.clone(), role }).await?;
            }
        }
        blocking(move || {
            give_up(&options.device, &known)?;
            Self::open(options)
        })
        .await
    }
}

/// The vault's names of the keys that can still be named. The others nobody can use either.
fn known(device: &Device) -> Vec<String> {
    State::open(device).map(|state| key_bindings(&state)).unwrap_or_default()
}

fn give_up(device: &Device, known: &[String]) -> Result<(), AgentError> {
    for binding in known {
        device.secrets.delete(&secret_name(binding))?;
    }
    State::erase(&device.data_dir, &*device.secrets)?;
    match Journal::open(&device.data_dir, Arc::clone(&device.secrets)) {
        Err(JournalError::Tampered(found)) => {
            let now = device.clock.now();
            Journal::set_aside(&device.data_dir, Arc::clone(&device.secrets), found, now)?;
        }
        opened => drop(opened?),
    }
    Ok(())
}
