//! The binding of this phone to the service: what was pinned when the doctor confirmed (protocol §3 step 6, §8.6).

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    Registered,
    answer::{is_of_origin, is_visible_ascii},
};
use crate::{
    certificate::Holder,
    device::{KeyAlias, KeyRole},
    jose::PublicKey,
};

/// The version of the stored form that this code writes and reads.
const VERSION: u32 = 1;
/// The most certificates of a chain, leaf and root included: HPKI has three.
const MAX_CHAIN: usize = 8;
/// The longest certificate, in bytes: HPKI's have 2 KiB.
const MAX_CERTIFICATE: usize = 16 * 1024;
/// The longest stored binding, in bytes: a full chain in base64 and the rest.
const MAX_JSON: usize = 256 * 1024;
/// The longest identifier, in bytes, as at registration.
const MAX_IDENTIFIER: usize = 256;
/// Characters of an RFC 7638 thumbprint in base64url.
const THUMBPRINT: usize = 43;
/// Hexadecimal digits of [`KeyAlias::binding`].
const KEY_BINDING: usize = 32;

/// Why a binding cannot be made or read.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum BindingError {
    /// The stored form is of a version that this code does not know.
    #[error("the stored binding is of version {0}")]
    Version(u32),
    /// Not the stored form of a binding.
    #[error("the stored binding is malformed")]
    Malformed,
    /// A part is missing, too large, or not what it must be.
    #[error("the binding's {0} is unusable")]
    Part(&'static str),
}

/// The keys of a binding.
pub struct BoundKeys<'a> {
    /// The name under which the vault holds them: [`KeyAlias::binding`].
    pub binding: &'a str,
    /// The device key.
    pub device: &'a PublicKey,
    /// The approval key.
    pub approval: &'a PublicKey,
}

/// This phone, bound to one credential of one service. Any change of what it pins stops the agent and asks for a new
/// registration. It holds no secret; [`secret_name`] says where that is.
#[derive(Clone, PartialEq, Eq)]
pub struct Binding(Pinned);

/// What is stored. It is no [`Binding`] before [`Pinned::check`] has passed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pinned {
    version: u32,
    issuer: String,
    client_id: String,
    credential_id: String,
    registration_client_uri: String,
    keys: String,
    device_key: String,
    approval_key: String,
    #[serde(with = "chain")]
    certificate_chain: Vec<Vec<u8>>,
    holder: Holder,
    #[serde(with = "time::serde::rfc3339")]
    registered_at: OffsetDateTime,
}

impl Binding {
    /// Pins what was registered and what the doctor confirmed: the certificate chain (DER, leaf first) whose leaf has
    /// passed the HPKI profile, and its holder.
    ///
    /// # Errors
    /// [`BindingError::Part`].
    pub fn pin(
        registered: &Registered,
        keys: &BoundKeys<'_>,
        certificate_chain: Vec<Vec<u8>>,
        holder: Holder,
        at: OffsetDateTime,
    ) -> Result<Self, BindingError> {
        let pinned = Pinned {
            version: VERSION,
            issuer: registered.issuer.clone(),
            client_id: registered.client_id.clone(),
            credential_id: registered.credential_id.clone(),
            registration_client_uri: registered.registration_client_uri.clone(),
            keys: keys.binding.to_owned(),
            device_key: keys.device.thumbprint(),
            approval_key: keys.approval.thumbprint(),
            certificate_chain,
            holder,
            registered_at: at,
        };
        pinned.check()?;
        Ok(Self(pinned))
    }

    /// Reads what [`Binding::to_json`] wrote.
    ///
    /// # Errors
    /// [`BindingError`].
    pub fn from_json(json: &[u8]) -> Result<Self, BindingError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        if json.len() > MAX_JSON {
            return Err(BindingError::Malformed);
        }
        let Versioned { version } = serde_json::from_slice(json).map_err(|_| BindingError::Malformed)?;
        if version != VERSION {
            return Err(BindingError::Version(version));
        }
        let pinned: Pinned = serde_json::from_slice(json).map_err(|_| BindingError::Malformed)?;
        pinned.check()?;
        Ok(Self(pinned))
    }

    /// The stored form. It names the doctor: keep it sealed.
    ///
    /// # Errors
    /// [`BindingError::Malformed`].
    pub fn to_json(&self) -> Result<Vec<u8>, BindingError> {
        serde_json::to_vec(&self.0).map_err(|_| BindingError::Malformed)
    }

    /// Issuer of the service, as in the trust configuration.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// The phone's identifier at the service (RFC 7591 §3.2.1).
    pub fn client_id(&self) -> &str {
        &self.0.client_id
    }

    /// The credential to sign with (CSC API v2, `credentialID`).
    pub fn credential_id(&self) -> &str {
        &self.0.credential_id
    }

    /// Where the registration is removed (RFC 7592).
    pub fn registration_client_uri(&self) -> &str {
        &self.0.registration_client_uri
    }

    /// The name of one of the two keys in the vault.
    pub fn key_alias(&self, role: KeyRole) -> KeyAlias {
        KeyAlias { binding: self.0.keys.clone(), role }
    }

    /// RFC 7638 thumbprint of one of the two keys, base64url: its `kid`.
    pub fn thumbprint(&self, role: KeyRole) -> &str {
        match role {
            KeyRole::Device => &self.0.device_key,
            KeyRole::Approval => &self.0.approval_key,
        }
    }

    /// Whether the vault still holds the key that was registered.
    pub fn is_key(&self, role: KeyRole, key: &PublicKey) -> bool {
        self.thumbprint(role) == key.thumbprint()
    }

    /// The pinned chain, DER, leaf first.
    pub fn certificate_chain(&self) -> &[Vec<u8>] {
        &self.0.certificate_chain
    }

    /// Whether a chain begins with the pinned certificate, byte for byte. What follows the leaf is judged each time
    /// against the configured roots, and may be sent longer or shorter.
    pub fn same_certificate(&self, chain: &[Vec<u8>]) -> bool {
        chain.first().is_some_and(|leaf| self.0.certificate_chain.first() == Some(leaf))
    }

    /// Whose certificate it is, as confirmed.
    pub fn holder(&self) -> &Holder {
        &self.0.holder
    }

    /// When the phone was bound.
    pub fn registered_at(&self) -> OffsetDateTime {
        self.0.registered_at
    }

    /// Name under which the secret store keeps the registration access token.
    pub fn secret_name(&self) -> String {
        secret_name(&self.0.keys)
    }
}

impl Pinned {
    fn check(&self) -> Result<(), BindingError> {
        let part = |name, holds| if holds { Ok(()) } else { Err(BindingError::Part(name)) };
        let certificate = |der: &Vec<u8>| (1..=MAX_CERTIFICATE).contains(&der.len());
        part("client_id", is_visible_ascii(self.client_id.as_bytes(), MAX_IDENTIFIER))?;
        part("credential_id", is_visible_ascii(self.credential_id.as_bytes(), MAX_IDENTIFIER))?;
        part("registration_client_uri", is_of_origin(&self.registration_client_uri, &self.issuer))?;
        part("keys", is_hexadecimal(&self.keys))?;
        part("device_key", self.device_key.len() == THUMBPRINT)?;
        part("approval_key", self.approval_key.len() == THUMBPRINT && self.approval_key != self.device_key)?;
        part(
            "certificate_chain",
            (1..=MAX_CHAIN).contains(&self.certificate_chain.len())
                && self.certificate_chain.iter().all(certificate),
        )
    }
}

/// Without the doctor's name.
impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding")
            .field("issuer", &self.0.issuer)
            .field("client_id", &self.0.client_id)
            .finish_non_exhaustive()
    }
}

/// Name under which the secret store keeps the registration access token of a binding, named as in [`KeyAlias`].
pub fn secret_name(key_binding: &str) -> String {
    format!("registration-token-{key_binding}")
}

fn is_hexadecimal(text: &str) -> bool {
    text.len() == KEY_BINDING && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// DER certificates as standard base64 (RFC 4648 §4).
mod chain {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(chain: &[Vec<u8>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(chain.iter().map(|der| STANDARD.encode(der)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<u8>>, D::Error> {
        Vec::<String>::deserialize(deserializer)?
            .into_iter()
            .map(|der| STANDARD.decode(der).map_err(|_| D::Error::custom("not base64")))
            .collect()
    }
}

#[cfg(test)]
mod tests;
