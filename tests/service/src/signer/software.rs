//! Keys without hardware.

use super::{KeyHandle, NewKey, RSA_BITS, Signer, SignerError};
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use rsa::rand_core::OsRng;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};

/// Keys in memory and in the database, without hardware.
pub(crate) struct SoftwareSigner;

impl Signer for SoftwareSigner {
    fn custody(&self) -> &'static str {
        "software"
    }

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
