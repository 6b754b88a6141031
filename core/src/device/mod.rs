//! What a phone must provide, as traits: hardware keys with user verification, a store for small secrets, time and
//! randomness. The app implements [`KeyVault`] and gives everything to the agent as one [`Device`]. On top of it,
//! [`state`] keeps what the agent must remember over a crash, sealed and written atomically; whatever was not written
//! by this installation is refused, never dropped. The desktop's own implementation, for the command line and tests,
//! is in [`desktop`]. Sources: protocol §3 (two keys), §6 (crash anywhere), §8 (what the phone owes the signer).

pub mod desktop;
pub(crate) mod files;
mod seal;
pub mod state;
mod system;
#[cfg(test)]
pub(crate) mod testing;

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::jose::PublicKey;

pub use state::{State, StateError};
pub use system::{SystemClock, SystemRandom};

/// Which of the two keys of a binding (protocol §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyRole {
    /// Client authentication and DPoP; no user presence.
    Device,
    /// Signature activation; user verification for each single use, invalidated when biometrics are enrolled anew.
    Approval,
}

/// The name of a key in the vault: unique per binding, so that a new registration never overwrites the keys of the
/// one in force.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyAlias {
    /// 32 lower-case hexadecimal digits, drawn when a registration begins.
    pub binding: String,
    /// Which key.
    pub role: KeyRole,
}

/// A key that the vault has just made.
pub struct NewKey {
    /// Its public half.
    pub public_key: PublicKey,
    /// The platform's attestation: DER certificates, leaf first; empty where the platform has none.
    pub attestation: Vec<Vec<u8>>,
}

/// What the user is told while being verified. Shown by the platform's own prompt; never holds patient data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// The phone is being registered at the service of this display name.
    Register {
        /// Display name of the service.
        service: String,
    },
    /// This many prescriptions are being approved in one act.
    Approve {
        /// Number of prescriptions, 1 or more.
        count: usize,
    },
}

/// Why the vault did not sign.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum KeyVaultError {
    /// There is no such key.
    #[error("the key does not exist")]
    NotFound,
    /// The platform has destroyed the key: biometrics were enrolled anew or the screen lock was removed.
    #[error("the key was invalidated by a change of biometrics or screen lock")]
    Invalidated,
    /// The user cancelled.
    #[error("the user cancelled")]
    Cancelled,
    /// Too many failed attempts; the platform has locked biometrics for a while.
    #[error("biometrics are locked out")]
    LockedOut,
    /// Anything else, in the platform's words.
    #[error("the key vault failed: {0}")]
    Failed(String),
}

/// Two P-256 keys in secure hardware, which the app implements (Android Keystore, Secure Enclave). Keys never leave it.
#[async_trait]
pub trait KeyVault: Send + Sync {
    /// Makes a key, replacing one of the same alias. `attestation_challenge` is SHA-256 of the ticket.
    async fn create(
        &self,
        alias: &KeyAlias,
        attestation_challenge: [u8; 32],
    ) -> Result<NewKey, KeyVaultError>;
    /// The public half of an existing key.
    async fn public_key(&self, alias: &KeyAlias) -> Result<PublicKey, KeyVaultError>;
    /// ECDSA P-256 with SHA-256 over `message`; returns `r || s`, 64 bytes (RFC 7518 §3.4). For [`KeyRole::Approval`]
    /// the user is verified first, every time, and `prompt` is given; for [`KeyRole::Device`] it is `None`.
    async fn sign(
        &self,
        alias: &KeyAlias,
        message: &[u8],
        prompt: Option<&Prompt>,
    ) -> Result<[u8; 64], KeyVaultError>;
    /// Destroys a key; one that does not exist is no error.
    async fn delete(&self, alias: &KeyAlias) -> Result<(), KeyVaultError>;
}

/// Bytes that do not print, do not clone, and are wiped.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
    /// For the one place that needs them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
    /// The same as text, such as a token; `None` when it is not UTF-8.
    pub fn expose_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a small secret could not be kept or read.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum SecretStoreError {
    /// The store is locked or no store runs.
    #[error("the secret store cannot be opened")]
    Unavailable,
    /// Anything else; never holds the secret.
    #[error("the secret store failed: {0}")]
    Failed(String),
}

/// The longest secret that a [`SecretStore`] must take, in bytes: the smallest of the platforms' limits (Windows, 2560)
/// less what a store's own encoding adds.
pub const MAX_SECRET: usize = 2048;

/// A place for small secrets (up to [`MAX_SECRET`] bytes each). Calls may block; the agent keeps them off the async threads.
pub trait SecretStore: Send + Sync {
    /// The secret; `None` when there is none of this name.
    ///
    /// # Errors
    /// [`SecretStoreError`].
    fn get(&self, name: &str) -> Result<Option<Secret>, SecretStoreError>;
    /// Stores or replaces.
    ///
    /// # Errors
    /// [`SecretStoreError`], also for a secret longer than the store takes.
    fn set(&self, name: &str, secret: &Secret) -> Result<(), SecretStoreError>;
    /// Removes; absent is no error.
    ///
    /// # Errors
    /// [`SecretStoreError`].
    fn delete(&self, name: &str) -> Result<(), SecretStoreError>;
}

/// Time, given from outside so that deciding code can be tested and replayed.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> OffsetDateTime;
}

/// Randomness, given from outside for the same reason.
pub trait Random: Send + Sync {
    /// Fills with bytes from a cryptographically secure generator.
    fn fill(&self, buffer: &mut [u8]);
}

/// Everything that a phone provides.
#[derive(Clone)]
pub struct Device {
    /// Hardware keys.
    pub keys: Arc<dyn KeyVault>,
    /// Small secrets.
    pub secrets: Arc<dyn SecretStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// A private folder of the app, excluded from backups; made when absent.
    pub data_dir: PathBuf,
}
