//! What the tests of this crate use as a phone.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use super::{
    Device, KeyVaultError, Prompt, Secret, SecretStore, SecretStoreError, SystemClock, SystemRandom,
    desktop::{DesktopKeyVault, UserVerification},
};

/// Secrets in memory; it can be told to fail.
#[derive(Default)]
pub(crate) struct MemorySecrets {
    pub(crate) secrets: Mutex<BTreeMap<String, Vec<u8>>>,
    pub(crate) fails: AtomicBool,
}

impl MemorySecrets {
    pub(crate) fn failing() -> Self {
        Self { fails: AtomicBool::new(true), ..Self::default() }
    }

    fn check(&self) -> Result<(), SecretStoreError> {
        if self.fails.load(Ordering::SeqCst) { Err(SecretStoreError::Unavailable) } else { Ok(()) }
    }
}

impl SecretStore for MemorySecrets {
    fn get(&self, name: &str) -> Result<Option<Secret>, SecretStoreError> {
        self.check()?;
        Ok(self.secrets.lock().unwrap().get(name).cloned().map(Secret::new))
    }
    fn set(&self, name: &str, secret: &Secret) -> Result<(), SecretStoreError> {
        self.check()?;
        self.secrets.lock().unwrap().insert(name.into(), secret.expose().to_vec());
        Ok(())
    }
    fn delete(&self, name: &str) -> Result<(), SecretStoreError> {
        self.check()?;
        self.secrets.lock().unwrap().remove(name);
        Ok(())
    }
}

/// A user who gives this answer, and remembers what was asked.
pub(crate) struct User {
    pub(crate) answer: Result<(), KeyVaultError>,
    pub(crate) asked: Mutex<Vec<Prompt>>,
}

impl User {
    pub(crate) fn who_answers(answer: Result<(), KeyVaultError>) -> Arc<Self> {
        Arc::new(Self { answer, asked: Mutex::default() })
    }
}

impl UserVerification for User {
    fn verify(&self, prompt: &Prompt) -> Result<(), KeyVaultError> {
        self.asked.lock().unwrap().push(prompt.clone());
        self.answer.clone()
    }
}

/// A folder that is removed at the end of the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let path = std::env::temp_dir().join(format!("hpki-agent-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A phone with secrets in memory, a willing user and a folder of its own.
pub(crate) fn device() -> (Device, Folder) {
    let folder = Folder::new();
    let secrets = Arc::new(MemorySecrets::default());
    let device = Device {
        keys: Arc::new(DesktopKeyVault::new(secrets.clone(), User::who_answers(Ok(())))),
        secrets,
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        data_dir: folder.path().join("data"),
    };
    (device, folder)
}
