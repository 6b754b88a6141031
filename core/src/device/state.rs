//! What the agent must remember over a crash: named entries, each a file of its own, sealed under a key that lives in
//! the secret store, and written whole or not at all. An entry that is damaged, renamed, or from another installation
//! is an error that names it, never silently dropped. That the folder was put back to an older state is not seen here.
//! Source: protocol §3 ("killed anywhere, the next start resumes"), §8.4 (nothing readable in backups).

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use zeroize::Zeroizing;

use super::{
    Device, Random, Secret, SecretStore, SecretStoreError, files,
    seal::{KEY_LEN, OVERHEAD, SealingKey},
};

/// The longest entry, in bytes: a batch of a hundred prescriptions of the largest practical size, in base64.
pub const MAX_ENTRY: usize = 16 * 1024 * 1024;
/// The longest name of an entry, in bytes: fits every file system with its suffix.
pub const MAX_NAME: usize = 100;
/// The most entries that are listed: a phone holds a few dozen.
pub const MAX_ENTRIES: usize = 10_000;

/// Name of the sealing key in the secret store.
const KEY_NAME: &str = "state-key";
/// Folder of the entries, inside the data folder.
const FOLDER: &str = "state";
/// Lock file, inside the data folder.
const LOCK: &str = "state.lock";
/// First bytes of every entry: the format and its version.
const MAGIC: &[u8; 8] = b"HPKAST01";
/// What the name of an entry's file ends with.
const SUFFIX: &str = ".sealed";

/// Why durable state could not be opened, read or written. Names of entries are the agent's own words, not data.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum StateError {
    /// Another agent runs on the same folder.
    #[error("another agent is using this data folder")]
    InUse,
    /// The file system failed.
    #[error("the data folder cannot be used: {0}")]
    Io(io::ErrorKind),
    /// The secret store failed.
    #[error(transparent)]
    Secrets(#[from] SecretStoreError),
    /// Entries exist but the secret store has no key, or no usable one, for them: the app's data was restored from a
    /// backup or the secret store was reset. [`State::erase`] is the way out; the phone must register again.
    #[error("the key of the stored state is missing from the secret store")]
    KeyLost,
    /// The entry was changed, renamed, cut, or written by another installation.
    #[error("the stored entry {name:?} is damaged or not of this installation")]
    Damaged {
        /// Name of the entry.
        name: String,
    },
    /// A file that is no entry lies among the entries.
    #[error("a foreign file lies in the state folder")]
    Foreign,
    /// A name outside `[a-z0-9._-]`, empty, beginning with a dot, or longer than [`MAX_NAME`].
    #[error("not a name of an entry")]
    BadName,
    /// More than [`MAX_ENTRY`] bytes.
    #[error("the entry {name:?} is too large")]
    TooLarge {
        /// Name of the entry.
        name: String,
    },
    /// More than [`MAX_ENTRIES`] entries.
    #[error("too many stored entries")]
    TooMany,
    /// The value could not be sealed.
    #[error("the entry cannot be sealed")]
    Seal,
}

impl From<io::Error> for StateError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind())
    }
}

/// Durable state of one agent. The folder is locked while the value lives.
pub struct State {
    folder: PathBuf,
    key: SealingKey,
    random: Arc<dyn Random>,
    /// Held while an entry is written, so that one temporary file has one writer.
    writing: Mutex<()>,
    _lock: File,
}

impl State {
    /// Opens the state in the device's data folder; folder and key are made at first use. Blocks.
    ///
    /// # Errors
    /// [`StateError::InUse`], [`StateError::KeyLost`], [`StateError::Io`], [`StateError::Secrets`].
    pub fn open(device: &Device) -> Result<Self, StateError> {
        let (folder, lock) = claim(&device.data_dir)?;
        let unfinished = |name: &String| name.ends_with(files::TEMPORARY);
        let leftovers = files_in(&folder)?.into_iter().filter(unfinished).map(|name| folder.join(name));
        files::remove_all(&leftovers.collect::<Vec<_>>())?;
        let key = match device.secrets.get(KEY_NAME)? {
            Some(key) => SealingKey::new(key.expose()).ok_or(StateError::KeyLost)?,
            None if files_in(&folder)?.is_empty() => make_key(device)?,
            None => return Err(StateError::KeyLost),
        };
        Ok(Self { folder, key, random: device.random.clone(), writing: Mutex::new(()), _lock: lock })
    }

    /// The entry of this name; `None` when there is none.
    ///
    /// # Errors
    /// [`StateError::Damaged`], [`StateError::TooLarge`], [`StateError::BadName`], [`StateError::Io`].
    pub fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StateError> {
        let path = self.path(name)?;
        let bytes = match files::read(&path, MAGIC.len() + OVERHEAD + MAX_ENTRY) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                return Err(StateError::TooLarge { name: name.to_owned() });
            }
            Err(error) => return Err(error.into()),
        };
        bytes
            .strip_prefix(MAGIC)
            .and_then(|sealed| self.key.open(&context(name), sealed).ok())
            .map(Some)
            .ok_or_else(|| StateError::Damaged { name: name.to_owned() })
    }

    /// Writes or replaces an entry; after a crash at any moment there is the old one or the new one. It is on the
    /// disk when this returns. Blocks.
    ///
    /// # Errors
    /// [`StateError::TooLarge`], [`StateError::BadName`], [`StateError::Io`].
    pub fn write(&self, name: &str, value: &[u8]) -> Result<(), StateError> {
        let path = self.path(name)?;
        if value.len() > MAX_ENTRY {
            return Err(StateError::TooLarge { name: name.to_owned() });
        }
        let sealed = self.key.seal(&*self.random, &context(name), value).map_err(|_| StateError::Seal)?;
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(files::write_atomically(&path, &[MAGIC.as_slice(), &sealed].concat())?)
    }

    /// Removes an entry, also a damaged one; absent is no error.
    ///
    /// # Errors
    /// [`StateError::BadName`], [`StateError::Io`].
    pub fn remove(&self, name: &str) -> Result<(), StateError> {
        self.remove_all(&[name])
    }

    /// Removes entries at the price of one; after a crash some of them may be left.
    ///
    /// # Errors
    /// As [`State::remove`]; those before the one that failed are removed.
    pub fn remove_all(&self, names: &[impl AsRef<str>]) -> Result<(), StateError> {
        let paths = names.iter().map(|name| self.path(name.as_ref())).collect::<Result<Vec<_>, _>>()?;
        Ok(files::remove_all(&paths)?)
    }

    /// The names of all entries that begin with `prefix`, in ascending order. They are not opened.
    ///
    /// # Errors
    /// [`StateError::Foreign`], [`StateError::TooMany`], [`StateError::Io`].
    pub fn list(&self, prefix: &str) -> Result<Vec<String>, StateError> {
        let mut names = Vec::new();
        for file in files_in(&self.folder)?.into_iter().filter(|file| !file.ends_with(files::TEMPORARY)) {
            let name = file.strip_suffix(SUFFIX).filter(|name| is_name(name)).ok_or(StateError::Foreign)?;
            if name.starts_with(prefix) {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Destroys the key and removes every entry, damaged and foreign ones too, of a state that is not open.
    ///
    /// # Errors
    /// [`StateError::InUse`], [`StateError::Io`], [`StateError::Secrets`].
    pub fn erase(data_dir: &Path, secrets: &dyn SecretStore) -> Result<(), StateError> {
        let (folder, _lock) = claim(data_dir)?;
        secrets.delete(KEY_NAME)?;
        let paths: Vec<_> = files_in(&folder)?.into_iter().map(|file| folder.join(file)).collect();
        Ok(files::remove_all(&paths)?)
    }

    fn path(&self, name: &str) -> Result<PathBuf, StateError> {
        if is_name(name) { Ok(self.folder.join(format!("{name}{SUFFIX}"))) } else { Err(StateError::BadName) }
    }
}

fn claim(data_dir: &Path) -> Result<(PathBuf, File), StateError> {
    let folder = data_dir.join(FOLDER);
    files::make_folder(&folder)?;
    let lock = files::lock(&data_dir.join(LOCK))?.ok_or(StateError::InUse)?;
    Ok((folder, lock))
}

fn make_key(device: &Device) -> Result<SealingKey, StateError> {
    let mut bytes = Zeroizing::new(vec![0; KEY_LEN]);
    device.random.fill(&mut bytes);
    let key = SealingKey::new(&bytes).ok_or(StateError::Seal)?;
    device.secrets.set(KEY_NAME, &Secret::new(std::mem::take(&mut *bytes)))?;
    Ok(key)
}

/// Names of the files in the folder, without those that the system hides there for itself.
fn files_in(folder: &Path) -> Result<Vec<String>, StateError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().into_string().map_err(|_| StateError::Foreign)?;
        if names.len() == MAX_ENTRIES {
            return Err(StateError::TooMany);
        }
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    Ok(names)
}

fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
}

/// What the sealing binds: format and name, so that an entry under another name does not open.
fn context(name: &str) -> Vec<u8> {
    [MAGIC.as_slice(), name.as_bytes()].concat()
}

#[cfg(test)]
mod tests;
