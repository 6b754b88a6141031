//! Secrets in one file under a passphrase, for desktops where no secret service runs.
//!
//! ```text
//! magic 8 | iterations, u32 big-endian | salt 16 | check: a sealed empty message, 28 | sealed secrets
//! ```
//! The key is PBKDF2-HMAC-SHA256 (RFC 8018 §5.2) of the passphrase. The check tells a wrong passphrase from a damaged
//! file. The secrets are `name length u16 | name | secret length u16 | secret`, in ascending order of names.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use ring::pbkdf2;
use zeroize::Zeroizing;

use crate::device::{
    MAX_SECRET, Random, Secret, SecretStore, SecretStoreError, files,
    seal::{KEY_LEN, OVERHEAD, SealingKey},
};

/// Iterations of PBKDF2-HMAC-SHA256 for a new file: what OWASP's password storage guide asks for.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(600_000).unwrap();
/// The most iterations that a file may ask for, so that a hostile one cannot stop the program for minutes.
const MAX_ITERATIONS: u32 = 10_000_000;
/// First bytes of the file: the format and its version.
const MAGIC: &[u8; 8] = b"HPKAPS01";
const SALT_LEN: usize = 16;
/// The most secrets in one file: a few for each of a few bindings.
const MAX_SECRETS: usize = 1000;
/// The longest name of a secret, in bytes.
const MAX_NAME: usize = 200;
/// The largest file that is read, in bytes.
const MAX_FILE: usize = MAX_SECRETS * (MAX_NAME + MAX_SECRET + 4) + 1024;

/// Why the file could not be opened.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum PassphraseError {
    /// The passphrase is empty.
    #[error("the passphrase is empty")]
    Empty,
    /// Not the passphrase that this file was made with.
    #[error("the passphrase is wrong")]
    Wrong,
    /// The passphrase is right, but the file was changed.
    #[error("the secrets file is damaged")]
    Damaged,
    /// The file is no secrets file of this version.
    #[error("not a secrets file of this version")]
    Foreign,
    /// Another process uses the file.
    #[error("another process is using the secrets file")]
    InUse,
    /// The file system failed.
    #[error("the secrets file cannot be used: {0}")]
    Io(io::ErrorKind),
}

impl From<io::Error> for PassphraseError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::FileTooLarge { Self::Foreign } else { Self::Io(error.kind()) }
    }
}

type Secrets = BTreeMap<String, Arc<Secret>>;

/// A secret store in one file, mode 0600, replaced atomically at each change. Everything is read at the start and kept
/// in memory until dropped, then wiped. The file is locked (by `<file>.lock` beside it) while the value lives.
pub struct PassphraseStore {
    path: PathBuf,
    header: Vec<u8>,
    key: SealingKey,
    random: Arc<dyn Random>,
    secrets: Mutex<Secrets>,
    _lock: File,
}

impl PassphraseStore {
    /// Opens the file, or makes it when absent. Takes about half a second: that is what the iterations are for.
    ///
    /// # Errors
    /// [`PassphraseError`].
    pub fn open(path: &Path, passphrase: &Secret, random: Arc<dyn Random>) -> Result<Self, PassphraseError> {
        Self::open_with(path, passphrase, random, ITERATIONS)
    }

    fn open_with(
        path: &Path,
        passphrase: &Secret,
        random: Arc<dyn Random>,
        iterations: NonZeroU32,
    ) -> Result<Self, PassphraseError> {
        if passphrase.expose().is_empty() {
            return Err(PassphraseError::Empty);
        }
        if let Some(folder) = path.parent() {
            files::make_folder(folder)?;
        }
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock = files::lock(lock_path.as_ref())?.ok_or(PassphraseError::InUse)?;
        let (header, key, secrets) = match files::read(path, MAX_FILE)? {
            Some(file) => unlock(&file, passphrase)?,
            None => begin(passphrase, &*random, iterations)?,
        };
        let store =
            Self { path: path.to_owned(), header, key, random, secrets: Mutex::new(secrets), _lock: lock };
        if !path.exists() {
            store.save(&Secrets::new()).map_err(PassphraseError::Io)?;
        }
        Ok(store)
    }

    fn change(&self, change: impl FnOnce(&mut Secrets)) -> Result<(), SecretStoreError> {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = secrets.clone();
        change(&mut changed);
        if changed.len() > MAX_SECRETS {
            return Err(SecretStoreError::Failed("too many secrets".into()));
        }
        self.save(&changed).map_err(|kind| SecretStoreError::Failed(kind.to_string()))?;
        *secrets = changed;
        Ok(())
    }

    fn save(&self, secrets: &Secrets) -> Result<(), io::ErrorKind> {
        let sealed = self
            .key
            .seal(&*self.random, &self.header, &encode(secrets))
            .map_err(|_| io::ErrorKind::InvalidData)?;
        files::write_atomically(&self.path, &[self.header.as_slice(), &sealed].concat())
            .map_err(|error| error.kind())
    }
}

impl SecretStore for PassphraseStore {
    fn get(&self, name: &str) -> Result<Option<Secret>, SecretStoreError> {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(secrets.get(name).map(|secret| Secret::new(secret.expose().to_vec())))
    }

    fn set(&self, name: &str, secret: &Secret) -> Result<(), SecretStoreError> {
        if name.len() > MAX_NAME || secret.expose().len() > MAX_SECRET {
            return Err(SecretStoreError::Failed("the secret is too long".into()));
        }
        let secret = Arc::new(Secret::new(secret.expose().to_vec()));
        self.change(|secrets| drop(secrets.insert(name.to_owned(), secret)))
    }

    fn delete(&self, name: &str) -> Result<(), SecretStoreError> {
        self.change(|secrets| drop(secrets.remove(name)))
    }
}

/// Header, key and no secrets, for a file that does not exist yet.
fn begin(
    passphrase: &Secret,
    random: &dyn Random,
    iterations: NonZeroU32,
) -> Result<(Vec<u8>, SealingKey, Secrets), PassphraseError> {
    let mut salt = [0; SALT_LEN];
    random.fill(&mut salt);
    let key = derive(passphrase, &salt, iterations).ok_or(PassphraseError::Damaged)?;
    let mut header = [MAGIC.as_slice(), &iterations.get().to_be_bytes(), &salt].concat();
    let check = key.seal(random, &header, b"").map_err(|_| PassphraseError::Damaged)?;
    header.extend_from_slice(&check);
    Ok((header, key, Secrets::new()))
}

/// Header, key and secrets of an existing file.
fn unlock(file: &[u8], passphrase: &Secret) -> Result<(Vec<u8>, SealingKey, Secrets), PassphraseError> {
    let rest = file.strip_prefix(MAGIC).ok_or(PassphraseError::Foreign)?;
    let (iterations, rest) = rest.split_first_chunk().ok_or(PassphraseError::Damaged)?;
    let (salt, rest) = rest.split_first_chunk::<SALT_LEN>().ok_or(PassphraseError::Damaged)?;
    let (check, sealed) = rest.split_at_checked(OVERHEAD).ok_or(PassphraseError::Damaged)?;
    let iterations = NonZeroU32::new(u32::from_be_bytes(*iterations))
        .filter(|n| n.get() <= MAX_ITERATIONS)
        .ok_or(PassphraseError::Damaged)?;
    let key = derive(passphrase, salt, iterations).ok_or(PassphraseError::Damaged)?;
    let (header, _) = file.split_at(file.len() - sealed.len());
    let checked = &header.get(..header.len() - OVERHEAD).unwrap_or_default();
    key.open(checked, check).map_err(|_| PassphraseError::Wrong)?;
    let secrets = key.open(header, sealed).map_err(|_| PassphraseError::Damaged)?;
    Ok((header.to_vec(), key, decode(&secrets).ok_or(PassphraseError::Damaged)?))
}

fn derive(passphrase: &Secret, salt: &[u8], iterations: NonZeroU32) -> Option<SealingKey> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, passphrase.expose(), &mut *key);
    SealingKey::new(&*key)
}

fn encode(secrets: &Secrets) -> Zeroizing<Vec<u8>> {
    let fields = || secrets.iter().flat_map(|(name, secret)| [name.as_bytes(), secret.expose()]);
    // The whole room at once: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(fields().map(|field| 2 + field.len()).sum()));
    for field in fields() {
        bytes.extend_from_slice(&u16::try_from(field.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend_from_slice(field);
    }
    bytes
}

fn decode(mut bytes: &[u8]) -> Option<Secrets> {
    let mut secrets = Secrets::new();
    while !bytes.is_empty() {
        let name = String::from_utf8(field(&mut bytes)?.to_vec()).ok()?;
        let secret = Secret::new(field(&mut bytes)?.to_vec());
        secrets.insert(name, Arc::new(secret));
    }
    Some(secrets)
}

fn field<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (field, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *bytes = rest;
    Some(field)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::device::{SystemRandom, testing::Folder};

    /// Few, so that tests are quick; the file says how many.
    const FEW: NonZeroU32 = NonZeroU32::new(10).unwrap();

    fn open(path: &Path, passphrase: &str) -> Result<PassphraseStore, PassphraseError> {
        let passphrase = Secret::new(passphrase.into());
        PassphraseStore::open_with(path, &passphrase, Arc::new(SystemRandom), FEW)
    }

    #[test]
    fn secrets_outlive_the_process_and_do_not_stand_in_the_clear() {
        let folder = Folder::new();
        let path = folder.path().join("new/secrets");
        let store = open(&path, "correct horse").unwrap();
        assert!(store.get("a").unwrap().is_none());
        store.set("a", &Secret::new(b"\0binary secret".to_vec())).unwrap();
        store.set("b", &Secret::new(vec![])).unwrap();
        store.set("c", &Secret::new(vec![1])).unwrap();
        store.delete("c").unwrap();
        store.delete("c").unwrap();
        drop(store);
        assert!(!fs::read(&path).unwrap().windows(6).any(|w| w == b"secret"));

        let store = open(&path, "correct horse").unwrap();
        assert_eq!(store.get("a").unwrap().unwrap().expose(), b"\0binary secret");
        assert!(store.get("b").unwrap().unwrap().expose().is_empty());
        assert!(store.get("c").unwrap().is_none());
    }

    #[test]
    fn a_wrong_passphrase_is_told_from_a_damaged_file() {
        let folder = Folder::new();
        let path = folder.path().join("secrets");
        open(&path, "right").unwrap().set("a", &Secret::new(vec![7; 40])).unwrap();
        assert_eq!(open(&path, "").err(), Some(PassphraseError::Empty));
        assert_eq!(open(&path, "Right").err(), Some(PassphraseError::Wrong));
        let whole = fs::read(&path).unwrap();
        let header = MAGIC.len() + 4 + SALT_LEN + OVERHEAD;
        for at in header..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(&path, changed).unwrap();
            assert_eq!(open(&path, "right").err(), Some(PassphraseError::Damaged), "changed at {at}");
        }
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let expected =
                if length < MAGIC.len() { PassphraseError::Foreign } else { PassphraseError::Damaged };
            assert_eq!(open(&path, "right").err(), Some(expected), "cut to {length}");
        }
        for iterations in [0, MAX_ITERATIONS + 1, u32::MAX] {
            let mut hostile = whole.clone();
            hostile[8..12].copy_from_slice(&iterations.to_be_bytes());
            fs::write(&path, hostile).unwrap();
            assert_eq!(open(&path, "right").err(), Some(PassphraseError::Damaged));
        }
        fs::write(&path, whole).unwrap();
        assert!(open(&path, "right").is_ok());
    }

    #[test]
    fn one_process_at_a_time_uses_the_file() {
        let folder = Folder::new();
        let path = folder.path().join("secrets");
        let first = open(&path, "p").unwrap();
        assert_eq!(open(&path, "p").err(), Some(PassphraseError::InUse));
        drop(first);
        assert!(open(&path, "p").is_ok());
    }

    #[test]
    fn a_new_file_asks_for_the_named_number_of_iterations() {
        let folder = Folder::new();
        let path = folder.path().join("secrets");
        let passphrase = Secret::new(b"p".to_vec());
        drop(PassphraseStore::open(&path, &passphrase, Arc::new(SystemRandom)).unwrap());
        assert_eq!(fs::read(&path).unwrap()[8..12], ITERATIONS.get().to_be_bytes());
    }

    #[test]
    fn a_failed_write_changes_nothing() {
        let folder = Folder::new();
        let path = folder.path().join("gone/secrets");
        let store = open(&path, "p").unwrap();
        store.set("a", &Secret::new(vec![1])).unwrap();
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
        assert!(store.set("a", &Secret::new(vec![2])).is_err());
        assert_eq!(store.get("a").unwrap().unwrap().expose(), [1]);
        assert!(store.set("a", &Secret::new(vec![0; MAX_SECRET + 1])).is_err());
        assert!(store.set(&"n".repeat(MAX_NAME + 1), &Secret::new(vec![0])).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_readable_by_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = Folder::new();
        let path = folder.path().join("secrets");
        open(&path, "p").unwrap().set("a", &Secret::new(vec![1])).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
