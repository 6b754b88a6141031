//! The platform's own secret store, through `keyring-core`.

use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error};
use zeroize::Zeroizing;

use crate::device::{MAX_SECRET, Secret, SecretStore, SecretStoreError};

/// Under which service name the secrets stand in the platform's store.
const SERVICE: &str = "hpki-agent";
/// How much of a platform's own error text is passed on, in characters.
const MAX_ERROR_TEXT: usize = 200;

/// Secrets in any `keyring-core` store: Secret Service, macOS or iOS keychain, Windows, Android. The process-wide
/// default store of `keyring-core` is neither read nor set.
pub struct KeyringStore(Arc<CredentialStore>);

impl KeyringStore {
    /// Over this store, such as `zbus_secret_service_keyring_store::Store::new()?`.
    pub fn new(store: Arc<CredentialStore>) -> Self {
        Self(store)
    }

    fn entry(&self, name: &str) -> Result<Entry, SecretStoreError> {
        self.0.build(SERVICE, name, None).map_err(told)
    }
}

impl SecretStore for KeyringStore {
    fn get(&self, name: &str) -> Result<Option<Secret>, SecretStoreError> {
        match self.entry(name)?.get_secret() {
            Ok(secret) => Ok(Some(Secret::new(secret))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(told(error)),
        }
    }

    fn set(&self, name: &str, secret: &Secret) -> Result<(), SecretStoreError> {
        if secret.expose().len() > MAX_SECRET {
            return Err(SecretStoreError::Failed("the secret is too long".into()));
        }
        self.entry(name)?.set_secret(secret.expose()).map_err(told)
    }

    fn delete(&self, name: &str) -> Result<(), SecretStoreError> {
        match self.entry(name)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(told(error)),
        }
    }
}

/// The error without the bytes that some variants carry.
fn told(error: Error) -> SecretStoreError {
    let why = match error {
        Error::NoStorageAccess(_) | Error::NoDefaultStore => return SecretStoreError::Unavailable,
        Error::BadEncoding(bytes) | Error::BadDataFormat(bytes, _) => {
            drop(Zeroizing::new(bytes));
            "the stored secret is malformed".into()
        }
        Error::PlatformFailure(error) => {
            error.to_string().chars().filter(|c| !c.is_control()).take(MAX_ERROR_TEXT).collect()
        }
        Error::BadStoreFormat(_) => "the store is malformed".into(),
        Error::TooLong(..) => "the platform's store takes only shorter values".into(),
        Error::Invalid(..) => "the platform's store does not take the value".into(),
        Error::Ambiguous(_) => "several secrets have this name".into(),
        Error::NotSupportedByStore(_) => "the platform's store cannot do this".into(),
        _ => "the platform's store failed".into(),
    };
    SecretStoreError::Failed(why)
}

#[cfg(test)]
mod tests {
    use keyring_core::mock::{Cred, Store};

    use super::*;

    fn stores() -> (KeyringStore, Arc<Store>) {
        let mock = Store::new().unwrap();
        (KeyringStore::new(mock.clone()), mock)
    }

    fn inject(mock: &Store, name: &str, error: Error) {
        use keyring_core::api::CredentialStoreApi as _;
        let entry = mock.build(SERVICE, name, None).unwrap();
        entry.as_any().downcast_ref::<Cred>().unwrap().set_error(error);
    }

    #[test]
    fn binary_secrets_are_kept_replaced_and_removed() {
        let (store, _) = stores();
        assert!(store.get("a").unwrap().is_none());
        store.set("a", &Secret::new(vec![0, 255, 128])).unwrap();
        store.set("b", &Secret::new(vec![1])).unwrap();
        assert_eq!(store.get("a").unwrap().unwrap().expose(), [0, 255, 128]);
        store.set("a", &Secret::new(vec![9])).unwrap();
        assert_eq!(store.get("a").unwrap().unwrap().expose(), [9]);
        store.delete("a").unwrap();
        store.delete("a").unwrap();
        assert!(store.get("a").unwrap().is_none());
        assert_eq!(store.get("b").unwrap().unwrap().expose(), [1]);
        assert!(keyring_core::get_default_store().is_none(), "the process-wide store is left alone");
    }

    #[test]
    fn a_fault_is_told_without_the_secret_and_leaves_the_value() {
        let (store, mock) = stores();
        store.set("a", &Secret::new(b"hunter2".to_vec())).unwrap();
        let failed = |why: &str| Some(SecretStoreError::Failed(why.into()));
        let unavailable = Some(SecretStoreError::Unavailable);

        inject(&mock, "a", Error::NoStorageAccess("locked".into()));
        assert_eq!(store.get("a").err(), unavailable);
        inject(&mock, "a", Error::BadEncoding(b"hunter2".to_vec()));
        assert_eq!(store.get("a").err(), failed("the stored secret is malformed"));
        inject(&mock, "a", Error::BadDataFormat(b"hunter2".to_vec(), "bad padding".into()));
        assert_eq!(store.get("a").err(), failed("the stored secret is malformed"));
        inject(&mock, "a", Error::PlatformFailure(format!("no\nbus{}", "x".repeat(9999)).into()));
        let told = store.set("a", &Secret::new(b"other".to_vec())).err().unwrap().to_string();
        assert!(told.contains("nobus") && told.len() < 300);
        inject(&mock, "a", Error::TooLong("secret".into(), 3));
        assert_eq!(store.delete("a").err(), failed("the platform's store takes only shorter values"));

        assert_eq!(store.get("a").unwrap().unwrap().expose(), b"hunter2");
    }

    #[test]
    fn a_secret_that_some_platform_cannot_hold_is_refused_on_every_platform() {
        let (store, _) = stores();
        store.set("a", &Secret::new(vec![1; MAX_SECRET])).unwrap();
        assert!(store.set("a", &Secret::new(vec![1; MAX_SECRET + 1])).is_err());
        assert_eq!(store.get("a").unwrap().unwrap().expose().len(), MAX_SECRET);
    }
}
