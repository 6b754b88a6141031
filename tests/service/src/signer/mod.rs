//! Custody of RSA keys: who makes them, where they rest, who signs with them.
//!
//! The service holds only a [`KeyHandle`]; what is inside is the signer's own business. The software signer keeps
//! the private key itself in it (PKCS#8), which is good enough for a service that only tests ever trust; with the
//! feature `pkcs11`, keys are made in a PKCS#11 token and never leave it.

#[cfg(feature = "pkcs11")]
mod pkcs11;
mod software;

#[cfg(feature = "pkcs11")]
pub use pkcs11::Token;
pub(crate) use software::SoftwareSigner;

/// What HPKI certificates carry today.
const RSA_BITS: usize = 2048;

/// Where the keys of a folder rest; a folder stays with what it was made with.
#[derive(Clone, Debug, Default)]
pub enum Keys {
    /// In the folder's database.
    #[default]
    Software,
    /// In a PKCS#11 token.
    #[cfg(feature = "pkcs11")]
    Token(Token),
}

impl Keys {
    #[cfg_attr(not(feature = "pkcs11"), allow(clippy::unnecessary_wraps, reason = "a token may be missing"))]
    pub(crate) fn signer(&self) -> Result<Box<dyn Signer>, SignerError> {
        match self {
            Self::Software => Ok(Box::new(SoftwareSigner)),
            #[cfg(feature = "pkcs11")]
            Self::Token(token) => Ok(Box::new(pkcs11::TokenSigner::open(token)?)),
        }
    }
}

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
    /// The folder was made with keys that rest elsewhere.
    #[error("the keys of this folder are not in {0}")]
    Elsewhere(&'static str),
    /// The token refused.
    #[cfg(feature = "pkcs11")]
    #[error("PKCS#11: {0}")]
    Token(#[from] cryptoki::error::Error),
    /// There is no such token, PIN or key.
    #[cfg(feature = "pkcs11")]
    #[error("PKCS#11: {0}")]
    Missing(String),
}

/// Keeps RSA keys and signs with them.
pub(crate) trait Signer: Send + Sync {
    /// Where its keys rest; the folder remembers it.
    fn custody(&self) -> &'static str;

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
