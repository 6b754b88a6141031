use std::sync::Arc;

use hpki_agent::device;
use zeroize::Zeroizing;

/// A small secret on its way between the agent and an app's own store. It does not print; its memory is wiped.
#[derive(uniffi::Object)]
pub struct Secret(Zeroizing<Vec<u8>>);

#[uniffi::export]
impl Secret {
    /// Takes the bytes, at most 2048. The caller's own copy is the caller's to wipe.
    #[uniffi::constructor]
    pub fn new(bytes: Vec<u8>) -> Arc<Self> {
        Arc::new(Self(Zeroizing::new(bytes)))
    }

    /// The bytes, for the one place that stores them. The copy is the caller's to wipe.
    pub fn expose(&self) -> Vec<u8> {
        self.0.to_vec()
    }
}

/// Why a secret store did not do what was asked. Never holds a secret.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum SecretStoreError {
    /// The store is locked or there is none.
    #[error("the secret store cannot be opened")]
    Unavailable,
    /// Anything else, in the store's words.
    #[error("the secret store failed: {reason}")]
    Failed {
        /// What it said.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for SecretStoreError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { reason: error.reason }
    }
}

/// An app's own place for small secrets, instead of the platform's keychain or keystore. Calls may block: they are made off
/// the threads that run futures.
#[uniffi::export(foreign)]
pub trait SecretStore: Send + Sync {
    /// The secret of this name; none when there is none.
    fn get(&self, name: String) -> Result<Option<Arc<Secret>>, SecretStoreError>;
    /// Stores or replaces.
    fn set(&self, name: String, secret: Arc<Secret>) -> Result<(), SecretStoreError>;
    /// Removes; absent is no error.
    fn delete(&self, name: String) -> Result<(), SecretStoreError>;
}

/// The core's store over an app's.
pub(crate) struct StoreShim(pub(crate) Arc<dyn SecretStore>);

impl device::SecretStore for StoreShim {
    fn get(&self, name: &str) -> Result<Option<device::Secret>, device::SecretStoreError> {
        let secret = self.0.get(name.to_owned())?;
        Ok(secret.map(|secret| device::Secret::new(secret.0.to_vec())))
    }
    fn set(&self, name: &str, secret: &device::Secret) -> Result<(), device::SecretStoreError> {
        Ok(self.0.set(name.to_owned(), Secret::new(secret.expose().to_vec()))?)
    }
    fn delete(&self, name: &str) -> Result<(), device::SecretStoreError> {
        Ok(self.0.delete(name.to_owned())?)
    }
}

impl From<SecretStoreError> for device::SecretStoreError {
    fn from(error: SecretStoreError) -> Self {
        match error {
            SecretStoreError::Unavailable => Self::Unavailable,
            SecretStoreError::Failed { reason } => Self::Failed(reason),
        }
    }
}

/// The platform's own store. May block.
pub(crate) fn platform() -> Result<Arc<dyn device::SecretStore>, device::SecretStoreError> {
    let store = platform_store().ok_or(device::SecretStoreError::Unavailable)?;
    Ok(Arc::new(device::desktop::KeyringStore::new(store)))
}

/// Secret Service, the login keychain, or Windows' credentials.
#[cfg(not(any(target_os = "android", target_os = "ios")))]
fn platform_store() -> Option<Arc<keyring_core::CredentialStore>> {
    keyring::Entry::store_status().as_ref().ok()?;
    keyring_core::get_default_store()
}

/// A file of SharedPreferences under a key of the AndroidKeyStore. The app has called `Keyring.initializeNdkContext`
/// before; where it has not, the crate below panics, which is answered here as a store that cannot be opened.
#[cfg(target_os = "android")]
fn platform_store() -> Option<Arc<keyring_core::CredentialStore>> {
    let name = std::collections::HashMap::from([("name", "hpki-agent")]);
    let store =
        std::panic::catch_unwind(|| android_native_keyring_store::Store::new_with_configuration(&name));
    Some(Arc::new(android::WithoutSearch(store.ok()?.ok()?)))
}

#[cfg(target_os = "android")]
mod android {
    use std::{any::Any, collections::HashMap, sync::Arc};

    use android_native_keyring_store::Store;
    use keyring_core::{Entry, Result, api::CredentialStoreApi};

    /// The store less its search, which nothing here calls: the regular expressions that it is made of would be a fifth of the
    /// whole library.
    pub(super) struct WithoutSearch(pub(super) Arc<Store>);

    impl CredentialStoreApi for WithoutSearch {
        fn vendor(&self) -> String {
            self.0.vendor()
        }
        fn id(&self) -> String {
            self.0.id()
        }
        fn build(&self, service: &str, user: &str, modifiers: Option<&HashMap<&str, &str>>) -> Result<Entry> {
            self.0.build(service, user, modifiers)
        }
        fn as_any(&self) -> &dyn Any {
            self
        }
    }
}

/// The data protection keychain.
#[cfg(target_os = "ios")]
fn platform_store() -> Option<Arc<keyring_core::CredentialStore>> {
    Some(Arc::new(ios::ThisDeviceOnly(apple_native_keyring_store::protected::Store::new().ok()?)))
}

#[cfg(target_os = "ios")]
mod ios {
    use std::{any::Any, collections::HashMap, sync::Arc};

    use apple_native_keyring_store::protected::Store;
    use keyring_core::{Entry, Result, api::CredentialStoreApi};

    /// Every secret readable only while the phone is unlocked, and never restored to another phone.
    pub(super) struct ThisDeviceOnly(pub(super) Arc<Store>);

    impl CredentialStoreApi for ThisDeviceOnly {
        fn vendor(&self) -> String {
            self.0.vendor()
        }
        fn id(&self) -> String {
            self.0.id()
        }
        fn build(&self, service: &str, user: &str, _: Option<&HashMap<&str, &str>>) -> Result<Entry> {
            let policy = HashMap::from([("access-policy", "when-unlocked-this-device-only")]);
            self.0.build(service, user, Some(&policy))
        }
        fn as_any(&self) -> &dyn Any {
            self
        }
    }
}
