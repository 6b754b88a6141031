//! Who speaks: the phone's two keys, and the client that the service knows them as.

use super::{activation::ActivationError, error::ServiceError};
use crate::{
    device::{Device, KeyAlias, KeyRole},
    jose::PublicKey,
};

/// The public halves of a binding's keys, and the vault's name for them.
#[derive(Clone)]
pub struct PhoneKeys {
    /// [`KeyAlias::binding`].
    pub binding: String,
    /// Client authentication and DPoP.
    pub device: PublicKey,
    /// Signature activation.
    pub approval: PublicKey,
}

impl PhoneKeys {
    /// Reads both from the vault; nobody is prompted.
    ///
    /// # Errors
    /// [`ServiceError::Keys`] when the vault lacks one.
    pub async fn load(device: &Device, binding: &str) -> Result<Self, ServiceError> {
        let alias = |role| KeyAlias { binding: binding.to_owned(), role };
        Ok(Self {
            binding: binding.to_owned(),
            device: device.keys.public_key(&alias(KeyRole::Device)).await?,
            approval: device.keys.public_key(&alias(KeyRole::Approval)).await?,
        })
    }

    /// The vault's name for one of the keys.
    pub fn alias(&self, role: KeyRole) -> KeyAlias {
        KeyAlias { binding: self.binding.clone(), role }
    }
}

/// What a registration leaves behind (protocol §3), as far as it is needed to speak as that client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientIdentity {
    /// `client_id` (RFC 7591 §3.2.1).
    pub client_id: String,
    /// [`KeyAlias::binding`].
    pub binding: String,
    /// RFC 7638 thumbprint of the device key, base64url.
    pub device_thumbprint: String,
    /// RFC 7638 thumbprint of the approval key, base64url.
    pub approval_thumbprint: String,
}

/// An identity whose keys were found in the vault.
pub(crate) struct Client {
    pub(crate) client_id: String,
    pub(crate) keys: PhoneKeys,
}

impl Client {
    /// Loads the keys and compares them with those that were bound (protocol §8.6).
    pub(crate) async fn load(device: &Device, identity: ClientIdentity) -> Result<Self, ServiceError> {
        if identity.client_id.is_empty() {
            return Err(ActivationError::NoSigner.into());
        }
        let keys = PhoneKeys::load(device, &identity.binding).await?;
        if keys.device.thumbprint() != identity.device_thumbprint {
            return Err(ServiceError::KeyChanged(KeyRole::Device));
        }
        if keys.approval.thumbprint() != identity.approval_thumbprint {
            return Err(ServiceError::KeyChanged(KeyRole::Approval));
        }
        Ok(Self { client_id: identity.client_id, keys })
    }
}
