//! A key vault in software.

use std::sync::Arc;

use async_trait::async_trait;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING as ES256, EcdsaKeyPair, KeyPair as _},
};

use crate::{
    device::{
        KeyAlias, KeyRole, KeyVault, KeyVaultError, NewKey, Prompt, Secret, SecretStore, SecretStoreError,
    },
    jose::PublicKey,
};

/// How the user is verified where there are no biometrics: a question at the terminal, a test's fixed answer.
pub trait UserVerification: Send + Sync {
    /// Asks the user; may block.
    ///
    /// # Errors
    /// [`KeyVaultError::Cancelled`], [`KeyVaultError::LockedOut`] or [`KeyVaultError::Failed`].
    fn verify(&self, prompt: &Prompt) -> Result<(), KeyVaultError>;
}

/// P-256 keys as PKCS#8 (RFC 5208) in a secret store. They are in this process's memory while they sign, and nothing but
/// [`UserVerification`] stands before the approval key: fit for development, not for a doctor's signatures. There is
/// no attestation. `ring` draws keys and ECDSA nonces from the operating system itself.
pub struct DesktopKeyVault {
    secrets: Arc<dyn SecretStore>,
    user: Arc<dyn UserVerification>,
}

impl DesktopKeyVault {
    /// A vault over this store, which asks this user.
    pub fn new(secrets: Arc<dyn SecretStore>, user: Arc<dyn UserVerification>) -> Self {
        Self { secrets, user }
    }
}

#[async_trait]
impl KeyVault for DesktopKeyVault {
    async fn create(&self, alias: &KeyAlias, _challenge: [u8; 32]) -> Result<NewKey, KeyVaultError> {
        let (name, secrets) = (name(alias)?, self.secrets.clone());
        off_the_async_threads(move || {
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ES256, &SystemRandom::new())
                .map_err(|_| failed("a key cannot be made"))?;
            let public_key = public_key(&pair(pkcs8.as_ref())?)?;
            secrets.set(&name, &Secret::new(pkcs8.as_ref().to_vec())).map_err(store_failed)?;
            Ok(NewKey { public_key, attestation: Vec::new() })
        })
        .await
    }

    async fn public_key(&self, alias: &KeyAlias) -> Result<PublicKey, KeyVaultError> {
        let (name, secrets) = (name(alias)?, self.secrets.clone());
        off_the_async_threads(move || public_key(&load(&*secrets, &name)?)).await
    }

    async fn sign(
        &self,
        alias: &KeyAlias,
        message: &[u8],
        prompt: Option<&Prompt>,
    ) -> Result<[u8; 64], KeyVaultError> {
        let (name, secrets, user) = (name(alias)?, self.secrets.clone(), self.user.clone());
        let (message, prompt) = match (alias.role, prompt) {
            (KeyRole::Approval, None) => return Err(failed("the approval key signs only with a prompt")),
            (KeyRole::Device, Some(_)) => return Err(failed("the device key signs without a prompt")),
            (_, prompt) => (message.to_vec(), prompt.cloned()),
        };
        off_the_async_threads(move || {
            let key = load(&*secrets, &name)?;
            prompt.map_or(Ok(()), |prompt| user.verify(&prompt))?;
            let signature =
                key.sign(&SystemRandom::new(), &message).map_err(|_| failed("the key cannot sign"))?;
            signature.as_ref().try_into().map_err(|_| failed("a signature has 64 bytes"))
        })
        .await
    }

    async fn delete(&self, alias: &KeyAlias) -> Result<(), KeyVaultError> {
        let (name, secrets) = (name(alias)?, self.secrets.clone());
        off_the_async_threads(move || secrets.delete(&name).map_err(store_failed)).await
    }
}

/// Secret stores and users block: on a runtime, the work goes to its blocking threads.
async fn off_the_async_threads<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyVaultError> + Send + 'static,
) -> Result<T, KeyVaultError> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => runtime.spawn_blocking(work).await.unwrap_or_else(|_| Err(failed("interrupted"))),
        Err(_) => work(),
    }
}

fn name(alias: &KeyAlias) -> Result<String, KeyVaultError> {
    let is_binding =
        alias.binding.len() == 32 && alias.binding.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let role = match alias.role {
        KeyRole::Device => "device",
        KeyRole::Approval => "approval",
    };
    if is_binding { Ok(format!("key-{}-{role}", alias.binding)) } else { Err(failed("not a binding's name")) }
}

fn load(secrets: &dyn SecretStore, name: &str) -> Result<EcdsaKeyPair, KeyVaultError> {
    pair(secrets.get(name).map_err(store_failed)?.ok_or(KeyVaultError::NotFound)?.expose())
}

fn pair(pkcs8: &[u8]) -> Result<EcdsaKeyPair, KeyVaultError> {
    EcdsaKeyPair::from_pkcs8(&ES256, pkcs8, &SystemRandom::new())
        .map_err(|_| failed("the stored key is damaged"))
}

fn public_key(key: &EcdsaKeyPair) -> Result<PublicKey, KeyVaultError> {
    PublicKey::from_uncompressed(key.public_key().as_ref()).map_err(|_| failed("the stored key is damaged"))
}

#[allow(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn store_failed(error: SecretStoreError) -> KeyVaultError {
    failed(&error.to_string())
}

fn failed(why: &str) -> KeyVaultError {
    KeyVaultError::Failed(why.to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::device::testing::{MemorySecrets, User};

    fn alias(role: KeyRole) -> KeyAlias {
        KeyAlias { binding: "0123456789abcdef0123456789abcdef".into(), role }
    }

    fn vault(user: &Arc<User>) -> (DesktopKeyVault, Arc<MemorySecrets>) {
        let secrets = Arc::new(MemorySecrets::default());
        (DesktopKeyVault::new(secrets.clone(), user.clone()), secrets)
    }

    const APPROVE: Prompt = Prompt::Approve { count: 2 };

    #[tokio::test]
    async fn a_key_signs_verifiably_until_it_is_deleted() {
        let (vault, _) = vault(&User::who_answers(Ok(())));
        let device = alias(KeyRole::Device);
        let key = vault.create(&device, [0; 32]).await.unwrap();
        assert!(key.attestation.is_empty());
        assert!(vault.public_key(&device).await.unwrap() == key.public_key);
        let signature = vault.sign(&device, b"message", None).await.unwrap();
        key.public_key.verify(b"message", &signature).unwrap();

        let replaced = vault.create(&device, [0; 32]).await.unwrap();
        assert!(replaced.public_key != key.public_key);
        vault.delete(&device).await.unwrap();
        vault.delete(&device).await.unwrap();
        assert_eq!(vault.public_key(&device).await.err(), Some(KeyVaultError::NotFound));
        assert_eq!(vault.sign(&device, b"message", None).await.err(), Some(KeyVaultError::NotFound));
    }

    #[tokio::test]
    async fn the_approval_key_asks_the_user_for_each_signature() {
        let user = User::who_answers(Ok(()));
        let (vault, _) = vault(&user);
        let key = vault.create(&alias(KeyRole::Approval), [0; 32]).await.unwrap();
        for _ in 0..2 {
            let signature = vault.sign(&alias(KeyRole::Approval), b"sad", Some(&APPROVE)).await.unwrap();
            key.public_key.verify(b"sad", &signature).unwrap();
        }
        assert_eq!(*user.asked.lock().unwrap(), [APPROVE, APPROVE]);
        assert!(vault.sign(&alias(KeyRole::Approval), b"sad", None).await.is_err());
        vault.create(&alias(KeyRole::Device), [0; 32]).await.unwrap();
        assert!(vault.sign(&alias(KeyRole::Device), b"proof", Some(&APPROVE)).await.is_err());
        assert_eq!(user.asked.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_user_who_refuses_gets_no_signature() {
        for refusal in [KeyVaultError::Cancelled, KeyVaultError::LockedOut] {
            let (vault, _) = vault(&User::who_answers(Err(refusal.clone())));
            vault.create(&alias(KeyRole::Approval), [0; 32]).await.unwrap();
            let answer = vault.sign(&alias(KeyRole::Approval), b"sad", Some(&APPROVE)).await;
            assert_eq!(answer.err(), Some(refusal));
        }
    }

    #[tokio::test]
    async fn a_damaged_key_a_failing_store_and_a_foreign_alias_are_told() {
        let (vault, secrets) = vault(&User::who_answers(Ok(())));
        let foreign = KeyAlias { binding: "../x".into(), role: KeyRole::Device };
        assert!(vault.create(&foreign, [0; 32]).await.is_err());
        secrets.set(&name(&alias(KeyRole::Device)).unwrap(), &Secret::new(vec![1, 2, 3])).unwrap();
        assert_eq!(
            vault.public_key(&alias(KeyRole::Device)).await.err(),
            Some(failed("the stored key is damaged"))
        );
        secrets.fails.store(true, Ordering::SeqCst);
        assert_eq!(
            vault.create(&alias(KeyRole::Device), [0; 32]).await.err(),
            Some(failed("the secret store cannot be opened"))
        );
    }
}
