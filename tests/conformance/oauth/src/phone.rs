//! A phone's keys, secrets and clock.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use hpki_agent::{
    device::{
        Clock, Device, KeyAlias, KeyRole, KeyVaultError, NewKey, Prompt, Secret, SecretStore,
        SecretStoreError, SystemRandom,
        desktop::{DesktopKeyVault, UserVerification},
    },
    registration::ClientInfo,
    service::PhoneKeys,
};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

/// The one binding of a phone that is driven step by step.
const BINDING: &str = "0123456789abcdef0123456789abcdef";

/// A phone whose holder says yes.
pub struct Phone {
    secrets: Arc<Secrets>,
    clock: Arc<PhoneClock>,
    folder: TempDir,
}

impl Phone {
    /// A new one, whose clock is right.
    ///
    /// # Panics
    /// When no folder can be made for it.
    pub fn new() -> Self {
        Self { secrets: Arc::default(), clock: Arc::default(), folder: tempfile::tempdir().unwrap() }
    }

    /// Its clock is off by so much from now on; ahead when positive.
    pub fn is_off_by(&self, difference: Duration) {
        self.clock.0.store(difference.whole_seconds(), Ordering::SeqCst);
    }

    /// What it provides to the agent.
    pub fn device(&self) -> Device {
        Device {
            keys: Arc::new(DesktopKeyVault::new(self.secrets.clone(), Arc::new(Yes))),
            secrets: self.secrets.clone(),
            clock: self.clock.clone(),
            random: Arc::new(SystemRandom),
            data_dir: self.folder.path().join("data"),
        }
    }

    /// The app on it.
    pub fn client() -> ClientInfo {
        ClientInfo {
            software_id: "conformance-oauth".into(),
            software_version: "1".into(),
            client_name: "検証用の端末".into(),
        }
    }

    /// Makes device key and approval key.
    ///
    /// # Panics
    /// When the vault fails.
    pub async fn make_keys(&self) -> (PhoneKeys, [NewKey; 2]) {
        let vault = self.device().keys;
        let mut made = Vec::new();
        for role in [KeyRole::Device, KeyRole::Approval] {
            made.push(vault.create(&KeyAlias { binding: BINDING.into(), role }, [0; 32]).await.unwrap());
        }
        (PhoneKeys::load(&self.device(), BINDING).await.unwrap(), made.try_into().ok().unwrap())
    }
}

impl Default for Phone {
    fn default() -> Self {
        Self::new()
    }
}

struct Yes;

impl UserVerification for Yes {
    fn verify(&self, _: &Prompt) -> Result<(), KeyVaultError> {
        Ok(())
    }
}

#[derive(Default)]
struct PhoneClock(AtomicI64);

impl Clock for PhoneClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + Duration::seconds(self.0.load(Ordering::SeqCst))
    }
}

#[derive(Default)]
struct Secrets(Mutex<BTreeMap<String, Vec<u8>>>);

impl SecretStore for Secrets {
    fn get(&self, name: &str) -> Result<Option<Secret>, SecretStoreError> {
        Ok(self.0.lock().unwrap().get(name).cloned().map(Secret::new))
    }
    fn set(&self, name: &str, secret: &Secret) -> Result<(), SecretStoreError> {
        self.0.lock().unwrap().insert(name.to_owned(), secret.expose().to_vec());
        Ok(())
    }
    fn delete(&self, name: &str) -> Result<(), SecretStoreError> {
        self.0.lock().unwrap().remove(name);
        Ok(())
    }
}
