//! Custody of RSA keys: who makes them, where they rest, who signs with them.
//!
//! The service holds only a [`KeyHandle`]; what is inside is the signer's own business. The software signer keeps
//! the private key itself in it (PKCS#8), which is good enough for a service that only tests ever trust.

use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use rsa::rand_core::OsRng;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};

/// What HPKI certificates carry today.
const RSA_BITS: usize = 2048;

/// What a signer needs to find one of its keys again; opaque to everybody else.
#[derive(Clone)]
pub(crate) struct KeyHandle(pub(crate) Vec<u8>);

/// A key that a signer made.
pub(crate) struct NewKey {
    /// How the signer finds it again.
    pub(crate) handle: KeyHandle,
    /// DER SubjectPublicKeyInfo.
    pub(crate) public_key: Vec<u8>,
}

/// Why a signer did not sign.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The random generator or the arithmetic refused.
    #[error("RSA: {0}")]
    Rsa(#[from] rsa::Error),
    /// The key cannot be written or read back.
    #[error("key encoding: {0}")]
    Encoding(String),
}

/// Keeps RSA keys and signs with them.
pub(crate) trait Signer: Send + Sync {
    /// Makes an RSA-2048 key. Takes tenths of a second: not for an async thread.
    ///
    /// # Errors
    /// [`SignerError`] when no key could be made.
    fn generate(&self) -> Result<NewKey, SignerError>;

    /// PKCS#1 v1.5 signatures (RFC 8017 8.2) over SHA-256 digests, in the order of `digests`.
    ///
    /// # Errors
    /// [`SignerError`] when the key is not this signer's or the arithmetic fails; then nothing is signed.
    fn sign_digests(&self, key: &KeyHandle, digests: &[[u8; 32]]) -> Result<Vec<Vec<u8>>, SignerError>;
}

/// Keys in memory and in the database, without hardware.
pub(crate) struct SoftwareSigner;

impl Signer for SoftwareSigner {
    fn generate(&self) -> Result<NewKey, SignerError> {
        let key = RsaPrivateKey::new(&mut OsRng, RSA_BITS)?;
        let handle = key.to_pkcs8_der().map_err(|error| SignerError::Encoding(error.to_string()))?;
        let public_key = key
            .to_public_key()
            .to_public_key_der()
            .map_err(|error| SignerError::Encoding(error.to_string()))?;
        Ok(NewKey { handle: KeyHandle(handle.as_bytes().to_vec()), public_key: public_key.into_vec() })
    }

    fn sign_digests(&self, key: &KeyHandle, digests: &[[u8; 32]]) -> Result<Vec<Vec<u8>>, SignerError> {
        let key = RsaPrivateKey::from_pkcs8_der(&key.0)
            .map_err(|error| SignerError::Encoding(error.to_string()))?;
        digests
            .iter()
            .map(|digest| {
                let padding = Pkcs1v15Sign::new::<rsa::sha2::Sha256>();
                Ok(key.sign_with_rng(&mut OsRng, padding, digest)?)
            })
            .collect()
    }
}
