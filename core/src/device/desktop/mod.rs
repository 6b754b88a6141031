//! The desktop's implementation of what a phone provides, for the command line, for tests and for whoever builds an
//! app: P-256 keys by `ring`, kept in a [`SecretStore`](super::SecretStore), which is the platform's own
//! ([`KeyringStore`]) or one file under a passphrase ([`PassphraseStore`]). **A desktop has no hardware that guards a
//! key**: user verification is a callback, and whoever controls the user's account controls the keys. It must not be
//! what a doctor signs with (protocol §3 step 2, §8.2).

mod keyring;
mod passphrase;
mod vault;

pub use keyring::KeyringStore;
pub use passphrase::{PassphraseError, PassphraseStore};
pub use vault::{DesktopKeyVault, UserVerification};
