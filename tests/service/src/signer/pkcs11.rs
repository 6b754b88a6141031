//! Keys in a PKCS#11 token (v2.40): made inside, sensitive, never extractable. The handle that the service keeps is the
//! key's `CKA_ID`; public keys are read once and not stored in the token.

use super::{KeyHandle, NewKey, RSA_BITS, Signer, SignerError};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use ring::rand::{SecureRandom, SystemRandom};
use rsa::pkcs8::EncodePublicKey;
use rsa::{BigUint, RsaPublicKey};
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// DER of DigestInfo for SHA-256, up to the digest (RFC 8017 9.2, note 1).
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];
/// 65537.
const PUBLIC_EXPONENT: [u8; 3] = [1, 0, 1];

/// A token and how to open it.
#[derive(Clone, Debug)]
pub struct Token {
    /// The shared library that speaks to it.
    pub module: PathBuf,
    /// Its label.
    pub slot_label: String,
    /// A file with the user's PIN; white space around it is ignored.
    pub pin_file: PathBuf,
}

/// Signs with the keys of one token. Sessions are taken by one thread at a time, and kept.
pub(crate) struct TokenSigner {
    context: Pkcs11,
    slot: Slot,
    pin_file: PathBuf,
    idle: Mutex<Vec<Session>>,
    /// Object handles by `CKA_ID`: a search goes through every object of the token.
    found: Mutex<HashMap<Vec<u8>, ObjectHandle>>,
    /// Its being open keeps the user logged in; never used.
    _login: Mutex<Session>,
}

impl TokenSigner {
    pub(super) fn open(token: &Token) -> Result<Self, SignerError> {
        let missing = |what: &str| SignerError::Missing(what.to_owned());
        let _turn = turn(&token.pin_file)?;
        let context = library(&token.module)?;
        let slots = context.get_slots_with_initialized_token()?;
        let is_wanted =
            |slot: &Slot| context.get_token_info(*slot).is_ok_and(|info| info.label() == token.slot_label);
        let slot = slots.into_iter().find(is_wanted).ok_or_else(|| missing("no token has this label"))?;
        let pin =
            std::fs::read_to_string(&token.pin_file).map_err(|_| missing("the PIN file cannot be read"))?;
        let login = context.open_rw_session(slot)?;
        match login.login(UserType::User, Some(&AuthPin::from(pin.trim()))) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Self {
            context,
            slot,
            pin_file: token.pin_file.clone(),
            idle: Mutex::default(),
            found: Mutex::default(),
            _login: Mutex::new(login),
        })
    }

    fn with_session<T>(
        &self,
        work: impl FnOnce(&Session) -> Result<T, SignerError>,
    ) -> Result<T, SignerError> {
        let idle = locked(&self.idle).pop();
        let session = idle.map_or_else(|| self.context.open_rw_session(self.slot), Ok)?;
        let value = work(&session)?;
        locked(&self.idle).push(session);
        Ok(value)
    }

    fn find(&self, session: &Session, id: &[u8]) -> Result<ObjectHandle, SignerError> {
        if let Some(found) = locked(&self.found).get(id) {
            return Ok(*found);
        }
        let _turn = turn(&self.pin_file)?;
        let template = [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Id(id.to_vec())];
        let found = session.find_objects(&template)?.first().copied();
        let found = found.ok_or_else(|| SignerError::Missing("the key is not in the token".to_owned()))?;
        locked(&self.found).insert(id.to_vec(), found);
        Ok(found)
    }
}

impl Signer for TokenSigner {
    fn custody(&self) -> &'static str {
        "pkcs11"
    }

    fn generate(&self) -> Result<NewKey, SignerError> {
        let mut id = vec![0; 16];
        SystemRandom::new().fill(&mut id).map_err(|_| SignerError::Encoding("no randomness".to_owned()))?;
        let public = [
            Attribute::Token(false),
            Attribute::ModulusBits(u64::try_from(RSA_BITS).unwrap_or(u64::MAX).into()),
            Attribute::PublicExponent(PUBLIC_EXPONENT.to_vec()),
            Attribute::Verify(true),
        ];
        let private = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
            Attribute::Id(id.clone()),
        ];
        let _turn = turn(&self.pin_file)?;
        let public_key = self.with_session(|session| {
            // Making a key, SoftHSM2 takes what others made since it last looked for seen: look first.
            session.find_objects(&[Attribute::Id(id.clone())])?;
            let (public, _) = session.generate_key_pair(&Mechanism::RsaPkcsKeyPairGen, &public, &private)?;
            let attributes = session.get_attributes(public, &[AttributeType::Modulus])?;
            session.destroy_object(public)?;
            let [Attribute::Modulus(modulus)] = attributes.as_slice() else {
                return Err(SignerError::Encoding("the token gave no modulus".to_owned()));
            };
            let exponent = BigUint::from_bytes_be(&PUBLIC_EXPONENT);
            let key = RsaPublicKey::new(BigUint::from_bytes_be(modulus), exponent)?;
            key.to_public_key_der().map_err(|error| SignerError::Encoding(error.to_string()))
        })?;
        Ok(NewKey { handle: KeyHandle(id), public_key: public_key.into_vec() })
    }

    fn sign_digests(&self, key: &KeyHandle, digests: &[[u8; 32]]) -> Result<Vec<Vec<u8>>, SignerError> {
        self.with_session(|session| {
            let object = self.find(session, &key.0)?;
            let sign = |digest: &[u8; 32]| {
                session.sign(&Mechanism::RsaPkcs, object, &[&DIGEST_INFO[..], digest].concat())
            };
            Ok(digests.iter().map(sign).collect::<Result<_, _>>()?)
        })
    }
}

/// A turn at the token, until it is dropped. `SoftHSM2` keeps an object in a file, which another process finds half
/// written; so whoever opens the token, makes a key or looks for one waits until nobody else does, by a lock on the PIN
/// file, which all of them have.
fn turn(pin_file: &Path) -> Result<File, SignerError> {
    let file = File::open(pin_file).and_then(|file| file.lock().map(|()| file));
    file.map_err(|error| SignerError::Missing(format!("the PIN file cannot be read: {error}")))
}

/// A module is initialised once in a process (PKCS#11 5.4) and stays loaded.
fn library(module: &Path) -> Result<Pkcs11, SignerError> {
    static LOADED: OnceLock<Mutex<HashMap<PathBuf, Pkcs11>>> = OnceLock::new();
    let mut loaded = locked(LOADED.get_or_init(Mutex::default));
    if let Some(context) = loaded.get(module) {
        return Ok(context.clone());
    }
    let context = Pkcs11::new(module)?;
    context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))?;
    loaded.insert(module.to_owned(), context.clone());
    Ok(context)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `MODULE:LABEL:PIN-FILE` of a token for tests; there is no test without one.
    fn token() -> Option<Token> {
        let text = std::env::var("REFERENCE_SERVICE_PKCS11").ok()?;
        let [module, label, pin_file] = text.split(':').collect::<Vec<_>>().try_into().ok()?;
        Some(Token { module: module.into(), slot_label: label.to_owned(), pin_file: pin_file.into() })
    }

    #[test]
    fn a_key_is_made_in_the_token_signs_there_and_cannot_leave_it() {
        let Some(token) = token() else {
            eprintln!("skipped: REFERENCE_SERVICE_PKCS11 names no token");
            return;
        };
        let signer = TokenSigner::open(&token).unwrap();
        let key = signer.generate().unwrap();
        let message = b"message";
        let mut digest = [0; 32];
        digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, message).as_ref());
        let fresh = TokenSigner::open(&token).unwrap();
        let signature = fresh.sign_digests(&key.handle, &[digest]).unwrap().remove(0);
        let spki_header = key.public_key.len() - 270;
        let public = ring::signature::UnparsedPublicKey::new(
            &ring::signature::RSA_PKCS1_2048_8192_SHA256,
            &key.public_key[spki_header..],
        );
        assert!(public.verify(message, &signature).is_ok());

        let session = signer.context.open_rw_session(signer.slot).unwrap();
        let object = signer.find(&session, &key.handle.0).unwrap();
        let asked = [AttributeType::Sensitive, AttributeType::Extractable, AttributeType::NeverExtractable];
        let found = session.get_attributes(object, &asked).unwrap();
        let expected =
            [Attribute::Sensitive(true), Attribute::Extractable(false), Attribute::NeverExtractable(true)];
        assert_eq!(found, expected);
        let secret = session.get_attributes(object, &[AttributeType::PrivateExponent, AttributeType::Prime1]);
        assert!(secret.is_err() || secret.unwrap().is_empty(), "the secret part stays in the token");
        assert!(fresh.sign_digests(&KeyHandle(vec![0; 16]), &[digest]).is_err(), "an unknown key");
        session.destroy_object(object).unwrap();
    }

    #[test]
    fn a_folder_stays_with_the_custody_that_it_was_made_with() {
        use crate::authority::{Authority, AuthorityError};
        let Some(token) = token() else { return };
        let (software, hardware) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let keys = super::super::Keys::Token(token);
        Authority::open(software.path(), crate::Clock::default()).unwrap();
        Authority::open_with(hardware.path(), crate::Clock::default(), &keys).unwrap();
        let elsewhere = |opened: Result<Authority, AuthorityError>| {
            matches!(opened, Err(AuthorityError::Signer(SignerError::Elsewhere(_))))
        };
        assert!(elsewhere(Authority::open_with(software.path(), crate::Clock::default(), &keys)));
        assert!(elsewhere(Authority::open(hardware.path(), crate::Clock::default())));
    }

    #[test]
    fn a_wrong_label_or_pin_opens_nothing() {
        let Some(token) = token() else { return };
        let unlabelled = Token { slot_label: "another".into(), ..token.clone() };
        assert!(matches!(TokenSigner::open(&unlabelled), Err(SignerError::Missing(_))));
        let no_pin = Token { pin_file: "/nonexistent".into(), ..token };
        assert!(matches!(TokenSigner::open(&no_pin), Err(SignerError::Missing(_))));
    }
}
