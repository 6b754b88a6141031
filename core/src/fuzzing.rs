//! The door that `tests/fuzz` needs, and no app has: it exists only where cargo-fuzz builds, with `--cfg fuzzing`. The
//! answers to an approval can be tried there without signing a prescription first.

use crate::service::{ActivationError, CredentialInfo, DocumentDigest, HashAlgorithm, SignatureActivation};

/// An act over these hashes, as an approved batch makes it.
///
/// # Errors
/// [`ActivationError`].
pub fn activation(
    credential: &CredentialInfo,
    digests: Vec<DocumentDigest>,
) -> Result<SignatureActivation, ActivationError> {
    SignatureActivation::new(credential, HashAlgorithm::Sha256, digests)
}
