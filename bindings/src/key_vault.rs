use std::sync::Arc;

use async_trait::async_trait;
use der::{Decode as _, Reader as _, SliceReader, asn1::UintRef};
use hpki_agent::{device, jose::PublicKey};

use crate::{
    convert::choices,
    progress::{ProgressStep, tell},
};

choices! {
    /// Which of the two keys of a binding.
    KeyRole of device::KeyRole {
        /// Speaks for the phone: used at every request, without the user.
        Device,
        /// Speaks for the doctor: the user is verified for each single use, and the key is invalidated when biometrics are
        /// enrolled anew.
        Approval,
    }
}

/// The name of a key in the vault. Binding and role together are unique.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct KeyAlias {
    /// 32 lower-case hexadecimal digits, drawn when a registration begins.
    pub binding: String,
    /// Which key.
    pub role: KeyRole,
}

/// A key that the vault has just made.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct NewKey {
    /// Its public half: the X9.63 uncompressed point (65 bytes) or a DER SubjectPublicKeyInfo (91 bytes).
    pub public_key: Vec<u8>,
    /// The platform's attestation: DER certificates, leaf first; empty where the platform has none.
    pub attestation: Vec<Vec<u8>>,
}

/// What the user is told while being verified. Holds no patient data.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Prompt {
    /// The phone is being registered.
    Register {
        /// Display name of the service, Japanese.
        service: String,
    },
    /// This many prescriptions are being approved in one act.
    Approve {
        /// 1 or more.
        count: u32,
    },
}

/// Why the vault did not do what was asked. Whatever else an app's vault throws counts as `Failed`.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum KeyVaultError {
    /// There is no such key.
    #[error("the key does not exist")]
    NotFound,
    /// The platform has destroyed the key: biometrics were enrolled anew or the screen lock was removed.
    #[error("the key was invalidated")]
    Invalidated,
    /// The user cancelled.
    #[error("the user cancelled")]
    Cancelled,
    /// Too many failed attempts; biometrics are locked for a while.
    #[error("biometrics are locked out")]
    LockedOut,
    /// Anything else, in the platform's words.
    #[error("the key vault failed: {reason}")]
    Failed {
        /// What it said.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for KeyVaultError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { reason: error.reason }
    }
}

/// Two P-256 keys in the phone's secure hardware, which the app implements: Android Keystore, Secure Enclave. Keys never
/// leave it.
#[uniffi::export(foreign)]
#[async_trait]
pub trait KeyVault: Send + Sync {
    /// Makes a key, replacing one of the same alias. The challenge, SHA-256 of the ticket (32 bytes), goes into the
    /// platform's attestation where it has one.
    async fn create(&self, alias: KeyAlias, attestation_challenge: Vec<u8>) -> Result<NewKey, KeyVaultError>;
    /// The public half of an existing key, in a form of `NewKey.public_key`.
    async fn public_key(&self, alias: KeyAlias) -> Result<Vec<u8>, KeyVaultError>;
    /// ECDSA P-256 with SHA-256 over the message: the DER ECDSA-Sig-Value (RFC 3279 §2.2.3), as the platforms give it. For
    /// the approval key the user is verified first, every time, and the prompt is given; for the device key there is none.
    async fn sign(
        &self,
        alias: KeyAlias,
        message: Vec<u8>,
        prompt: Option<Prompt>,
    ) -> Result<Vec<u8>, KeyVaultError>;
    /// Destroys a key; one that does not exist is no error.
    async fn delete(&self, alias: KeyAlias) -> Result<(), KeyVaultError>;
}

/// The core's vault over an app's.
pub(crate) struct VaultShim(pub(crate) Arc<dyn KeyVault>);

#[async_trait]
impl device::KeyVault for VaultShim {
    async fn create(
        &self,
        alias: &device::KeyAlias,
        attestation_challenge: [u8; 32],
    ) -> Result<device::NewKey, device::KeyVaultError> {
        let NewKey { public_key, attestation } =
            self.0.create(alias.into(), attestation_challenge.to_vec()).await?;
        Ok(device::NewKey { public_key: read_public_key(&public_key)?, attestation })
    }

    async fn public_key(&self, alias: &device::KeyAlias) -> Result<PublicKey, device::KeyVaultError> {
        read_public_key(&self.0.public_key(alias.into()).await?)
    }

    async fn sign(
        &self,
        alias: &device::KeyAlias,
        message: &[u8],
        prompt: Option<&device::Prompt>,
    ) -> Result<[u8; 64], device::KeyVaultError> {
        if prompt.is_some() {
            tell(ProgressStep::AwaitingUser);
        }
        let signature = self.0.sign(alias.into(), message.to_vec(), prompt.map(Into::into)).await?;
        if prompt.is_some() {
            tell(ProgressStep::UserVerified);
        }
        fixed_length(&signature).ok_or_else(|| failed("a signature that is no ECDSA-Sig-Value of P-256"))
    }

    async fn delete(&self, alias: &device::KeyAlias) -> Result<(), device::KeyVaultError> {
        Ok(self.0.delete(alias.into()).await?)
    }
}

/// What comes before the point in the SubjectPublicKeyInfo of a P-256 key (RFC 5480 §2).
const SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86,
    0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

fn read_public_key(encoded: &[u8]) -> Result<PublicKey, device::KeyVaultError> {
    let point = encoded.strip_prefix(&SPKI_PREFIX).unwrap_or(encoded);
    PublicKey::from_uncompressed(point).map_err(|_| failed("a public key that is not of P-256"))
}

/// `r || s` of a DER ECDSA-Sig-Value: what JWS wants (RFC 7518 §3.4).
fn fixed_length(signature: &[u8]) -> Option<[u8; 64]> {
    let mut reader = SliceReader::new(signature).ok()?;
    let integers = reader.sequence(|inside| Ok([UintRef::decode(inside)?, UintRef::decode(inside)?])).ok()?;
    reader.finish(()).ok()?;
    let mut fixed = [0; 64];
    for (half, integer) in fixed.chunks_exact_mut(32).zip(integers) {
        let bytes = integer.as_bytes();
        let start = half.len().checked_sub(bytes.len())?;
        half.get_mut(start..)?.copy_from_slice(bytes);
    }
    Some(fixed)
}

fn failed(why: &str) -> device::KeyVaultError {
    device::KeyVaultError::Failed(why.to_owned())
}

impl From<&device::KeyAlias> for KeyAlias {
    fn from(alias: &device::KeyAlias) -> Self {
        Self { binding: alias.binding.clone(), role: crate::convert::Expose::expose(&alias.role) }
    }
}

impl From<&device::Prompt> for Prompt {
    fn from(prompt: &device::Prompt) -> Self {
        match prompt {
            device::Prompt::Register { service } => Self::Register { service: service.clone() },
            device::Prompt::Approve { count } => {
                Self::Approve { count: u32::try_from(*count).unwrap_or(u32::MAX) }
            }
        }
    }
}

impl From<KeyVaultError> for device::KeyVaultError {
    fn from(error: KeyVaultError) -> Self {
        match error {
            KeyVaultError::NotFound => Self::NotFound,
            KeyVaultError::Invalidated => Self::Invalidated,
            KeyVaultError::Cancelled => Self::Cancelled,
            KeyVaultError::LockedOut => Self::LockedOut,
            KeyVaultError::Failed { reason } => Self::Failed(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_sign_padded_integers_become_two_halves() {
        let fixed = fixed_length(&[0x30, 0x07, 0x02, 0x02, 0x00, 0x80, 0x02, 0x01, 0x07]).unwrap();
        assert_eq!((fixed[31], fixed[63]), (0x80, 0x07));
        assert_eq!(fixed.iter().filter(|b| **b != 0).count(), 2);
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        let long = [&[0x30, 0x26, 0x02, 0x21][..], &[1; 33], &[0x02, 0x01, 0x07]].concat();
        for wrong in
            [&[][..], &[0; 64], &[0x30, 0x00], &[0x30, 0x06, 0x02, 0x01, 0x07, 0x02, 0x01, 0x07, 0x00], &long]
        {
            assert_eq!(fixed_length(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_key_is_read_as_point_and_as_subject_public_key_info() {
        // The generator of P-256 (SEC 2, 2.4.2) is a point on it.
        let x = [
            0x6B, 0x17, 0xD1, 0xF2, 0xE1, 0x2C, 0x42, 0x47, 0xF8, 0xBC, 0xE6, 0xE5, 0x63, 0xA4, 0x40, 0xF2,
            0x77, 0x03, 0x7D, 0x81, 0x2D, 0xEB, 0x33, 0xA0, 0xF4, 0xA1, 0x39, 0x45, 0xD8, 0x98, 0xC2, 0x96,
        ];
        let y = [
            0x4F, 0xE3, 0x42, 0xE2, 0xFE, 0x1A, 0x7F, 0x9B, 0x8E, 0xE7, 0xEB, 0x4A, 0x7C, 0x0F, 0x9E, 0x16,
            0x2B, 0xCE, 0x33, 0x57, 0x6B, 0x31, 0x5E, 0xCE, 0xCB, 0xB6, 0x40, 0x68, 0x37, 0xBF, 0x51, 0xF5,
        ];
        let point = [&[4][..], &x, &y].concat();
        let read = read_public_key(&point).unwrap();
        assert!(read_public_key(&[&SPKI_PREFIX[..], &point].concat()).unwrap() == read);
        assert!(read_public_key(&point[1..]).is_err());
        assert!(read_public_key(&[]).is_err());
    }
}
