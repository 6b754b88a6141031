//! A phone in memory: keys, secrets, a clock that stands still, and a folder that is emptied for each run.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use hpki_agent::{
    agent::Options,
    device::{
        Clock, Device, KeyAlias, KeyRole, KeyVault, KeyVaultError, NewKey, Prompt, Random, Secret,
        SecretStore, SecretStoreError,
    },
    jose::PublicKey,
    registration::ClientInfo,
};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use time::OffsetDateTime;

use super::office;

/// Names the keys in the vault.
pub const KEYS: &str = "000102030405060708090a0b0c0d0e0f";

/// The folder of this process, in `TMPDIR`: one in memory, since no disk is fast enough.
pub fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("hpki-agent-fuzz-{}", std::process::id()))
}

/// The folder, empty.
pub fn empty_folder() -> PathBuf {
    let folder = folder();
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Secrets in memory.
#[derive(Default)]
pub struct Secrets(Mutex<BTreeMap<String, Vec<u8>>>);

impl Secrets {
    /// All of them.
    pub fn all(&self) -> BTreeMap<String, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// These and no others.
    pub fn replace(&self, secrets: BTreeMap<String, Vec<u8>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = secrets;
    }
}

impl SecretStore for Secrets {
    fn get(&self, name: &str) -> Result<Option<Secret>, SecretStoreError> {
        Ok(self.all().remove(name).map(Secret::new))
    }
    fn set(&self, name: &str, secret: &Secret) -> Result<(), SecretStoreError> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), secret.expose().to_vec());
        Ok(())
    }
    fn delete(&self, name: &str) -> Result<(), SecretStoreError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(())
    }
}

/// Keys, a clock, and random bytes that never come twice.
#[derive(Default)]
pub struct Hardware {
    counter: AtomicU64,
    /// What the user was shown.
    pub prompts: Mutex<Vec<Prompt>>,
}

static PAIRS: LazyLock<[EcdsaKeyPair; 2]> = LazyLock::new(|| {
    [(); 2].map(|()| {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).expect("a key")
    })
});

fn pair(role: KeyRole) -> &'static EcdsaKeyPair {
    match role {
        KeyRole::Device => &PAIRS[0],
        KeyRole::Approval => &PAIRS[1],
    }
}

/// The public half of one of the phone's keys.
pub fn public_key(role: KeyRole) -> PublicKey {
    PublicKey::from_uncompressed(pair(role).public_key().as_ref()).expect("a point")
}

#[async_trait]
impl KeyVault for Hardware {
    async fn create(&self, alias: &KeyAlias, _: [u8; 32]) -> Result<NewKey, KeyVaultError> {
        Ok(NewKey { public_key: public_key(alias.role), attestation: Vec::new() })
    }
    async fn public_key(&self, alias: &KeyAlias) -> Result<PublicKey, KeyVaultError> {
        Ok(public_key(alias.role))
    }
    async fn sign(
        &self,
        alias: &KeyAlias,
        message: &[u8],
        prompt: Option<&Prompt>,
    ) -> Result<[u8; 64], KeyVaultError> {
        assert_eq!(prompt.is_some(), alias.role == KeyRole::Approval, "the user is asked for approval alone");
        self.prompts.lock().unwrap_or_else(PoisonError::into_inner).extend(prompt.cloned());
        let signature = pair(alias.role).sign(&SystemRandom::new(), message).expect("signed");
        Ok(signature.as_ref().try_into().expect("64 bytes"))
    }
    async fn delete(&self, _: &KeyAlias) -> Result<(), KeyVaultError> {
        Ok(())
    }
}

impl Clock for Hardware {
    fn now(&self) -> OffsetDateTime {
        office::NOW
    }
}

impl Random for Hardware {
    fn fill(&self, buffer: &mut [u8]) {
        let count = self.counter.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        buffer.iter_mut().zip(count.iter().cycle()).for_each(|(byte, value)| *byte = *value);
    }
}

/// A phone with these secrets and this folder.
pub fn device(secrets: Arc<Secrets>, hardware: Arc<Hardware>, data_dir: PathBuf) -> Device {
    Device { keys: hardware.clone(), secrets, clock: hardware.clone(), random: hardware, data_dir }
}

/// What an app gives the agent.
pub fn options(device: Device) -> Options {
    let client =
        ClientInfo { software_id: "fuzz".into(), software_version: "1".into(), client_name: "fuzz".into() };
    Options { trust: office::trust(), client, device }
}

/// A runtime on which waiting takes no time.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}
