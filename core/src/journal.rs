//! A record on the phone of what was approved, declined and refused (protocol §8.8), without patient data.
//!
//! Events come in, and are appended as lines of a file, each bound to the one before by SHA-256. The head of the chain
//! is anchored in the secret store, so that editing, removing, inserting, reordering and cutting off lines is all
//! found, even by somebody who can compute the hashes anew. What an [`Event`] can hold is limited by type to digests,
//! codes and identifiers: there is no room for a name or for free text.
//!
//! A line is a JSON object whose last member is `hash`: the SHA-256, in lower-case hexadecimal, of the same line with
//! `,"hash":"…"` taken out. `previous` is the `hash` of the line before, or 64 zeros.
//!
//! Before lines are appended their end is announced in the anchor, afterwards it is confirmed. A process that dies
//! in between leaves either all the announced lines, which count, or less, which are dropped: nobody was told that they
//! were written. Lines that were never announced are tampering.

mod chain;
mod event;
mod export;

use std::{
    fs::{File, OpenOptions},
    io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::device::{Secret, SecretStore, SecretStoreError, files};

pub use chain::{Entry, MAX_LINE, Tampering, TamperingKind};
pub use event::{Code, Digest, Event, Identifier, NotAllowed};
pub use export::verify_export;

use chain::{Walk, line};

/// Name of the file in the journal's folder.
const FILE: &str = "journal.jsonl";
/// Name of the lock file beside it.
const LOCK: &str = "journal.lock";
/// Name of the anchor in the secret store.
const ANCHOR: &str = "journal-anchor";
/// Version of the anchor's form.
const VERSION: u32 = 1;

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum JournalError {
    /// Another process has it open.
    #[error("another process is using the journal")]
    InUse,
    /// The file system failed.
    #[error("the journal cannot be used: {0}")]
    Io(io::ErrorKind),
    /// The secret store failed.
    #[error(transparent)]
    Secrets(#[from] SecretStoreError),
    /// The journal was changed by somebody else. [`Journal::set_aside`] keeps it as evidence and begins anew.
    #[error(transparent)]
    Tampered(#[from] Tampering),
    /// An event that makes a line longer than [`MAX_LINE`].
    #[error("the event is too long for the journal")]
    TooLong,
}

impl From<io::Error> for JournalError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind())
    }
}

/// Where a chain ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Number of entries.
    pub count: u64,
    /// Length of the file up to there, in bytes.
    pub length: u64,
    /// `hash` of the last entry; zeros when there is none.
    pub hash: Digest,
}

impl Head {
    const EMPTY: Self = Self { count: 0, length: 0, hash: Digest::ZERO };
}

/// What a verified journal amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Where it ends.
    pub head: Head,
    /// Time of the first entry.
    pub first: Option<OffsetDateTime>,
    /// Time of the last entry.
    pub last: Option<OffsetDateTime>,
}

/// What the secret store holds: the confirmed end of the journal, and the one announced by an append under way.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Anchor {
    version: u32,
    head: Head,
    announced: Option<Head>,
}

/// The journal of one phone. The folder is locked while the value lives; all calls block.
pub struct Journal {
    path: PathBuf,
    secrets: Arc<dyn SecretStore>,
    anchor: Mutex<Anchor>,
    _lock: File,
}

impl Journal {
    /// Opens the journal in this folder, both made when absent, and settles what an interrupted append has left. Only
    /// the end is compared with the anchor, so that opening takes the same time however long the journal is;
    /// [`Journal::verify`] reads it all.
    ///
    /// # Errors
    /// [`JournalError`]; [`JournalError::Tampered`] when the file does not end as anchored.
    pub fn open(folder: &Path, secrets: Arc<dyn SecretStore>) -> Result<Self, JournalError> {
        let (path, lock) = claim(folder)?;
        let anchor = match stored_anchor(&*secrets)? {
            Some(anchor) => anchor,
            None if length_of(&path)? == 0 => {
                let anchor = Anchor { version: VERSION, head: Head::EMPTY, announced: None };
                store_anchor(&*secrets, &anchor)?;
                anchor
            }
            None => return Err(Tampering { seq: 1, kind: TamperingKind::AnchorLost }.into()),
        };
        let journal = Self { path, secrets, anchor: Mutex::new(anchor), _lock: lock };
        journal.settle(&mut journal.anchor.lock().unwrap_or_else(PoisonError::into_inner))?;
        Ok(journal)
    }

    /// Puts a journal that was tampered with aside, under a name with the time in it, and opens a new one whose first
    /// entry says so. Returns also the path of the old file.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn set_aside(
        folder: &Path,
        secrets: Arc<dyn SecretStore>,
        found: Tampering,
        at: OffsetDateTime,
    ) -> Result<(Self, PathBuf), JournalError> {
        let (path, lock) = claim(folder)?;
        let kept = folder.join(format!("journal-tampered-{}.jsonl", at.unix_timestamp_nanos()));
        if path.exists() {
            std::fs::rename(&path, &kept)?;
            files::sync_folder_of(&path)?;
        }
        secrets.delete(ANCHOR)?;
        drop(lock);
        let journal = Self::open(folder, secrets)?;
        journal.append(at, &Event::SetAside { seq: found.seq, kind: found.kind })?;
        Ok((journal, kept))
    }

    /// Appends one event; it is on the disk and anchored when this returns.
    ///
    /// # Errors
    /// [`JournalError`]. After an error the event may have been written or not, as after a crash.
    pub fn append(&self, at: OffsetDateTime, event: &Event) -> Result<(), JournalError> {
        self.append_all(at, std::slice::from_ref(event))
    }

    /// Appends events that belong together at the price of one: all of them are written or none is.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn append_all(&self, at: OffsetDateTime, events: &[Event]) -> Result<(), JournalError> {
        let mut anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        self.settle(&mut anchor)?;
        let mut end = anchor.head;
        let mut lines = Vec::new();
        for event in events {
            let (line, next) = line(&end, at, event).ok_or(JournalError::TooLong)?;
            lines.extend_from_slice(&line);
            end = next;
        }
        if lines.is_empty() {
            return Ok(());
        }
        let head = anchor.head;
        self.move_anchor(&mut anchor, head, Some(end))?;
        let mut file = files::private().append(true).create(true).open(&self.path)?;
        file.write_all(&lines)?;
        file.sync_all()?;
        if head.count == 0 {
            files::sync_folder_of(&self.path)?;
        }
        self.move_anchor(&mut anchor, end, None)
    }

    /// Reads the whole journal and compares it with the anchor.
    ///
    /// # Errors
    /// [`JournalError::Tampered`] with the first place that is wrong.
    pub fn verify(&self) -> Result<Summary, JournalError> {
        self.walk(|_, _| Ok(()))
    }

    /// All entries, oldest first, verified as by [`Journal::verify`].
    ///
    /// # Errors
    /// As [`Journal::verify`].
    pub fn entries(&self) -> Result<Vec<Entry>, JournalError> {
        let mut entries = Vec::new();
        self.walk(|entry, _| {
            entries.push(entry);
            Ok(())
        })?;
        Ok(entries)
    }

    /// Writes all lines and a closing one that names the head, verified as by [`Journal::verify`]; [`verify_export`]
    /// checks the result without this phone. Nothing that was written counts when this fails.
    ///
    /// # Errors
    /// As [`Journal::verify`], and [`JournalError::Io`] of the writer.
    pub fn export(&self, out: &mut impl Write) -> Result<Summary, JournalError> {
        let summary = self.walk(|_, line| out.write_all(line))?;
        out.write_all(&export::closing_line(&summary.head))?;
        out.flush()?;
        Ok(summary)
    }

    fn walk(&self, mut each: impl FnMut(Entry, &[u8]) -> io::Result<()>) -> Result<Summary, JournalError> {
        let mut anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        self.settle(&mut anchor)?;
        let mut walk = Walk::new(BufReader::new(read(&self.path)?));
        while let Some((entry, line)) = walk.next()? {
            each(entry, line)?;
        }
        if walk.head() != anchor.head {
            return Err(self.diagnose(&anchor.head));
        }
        Ok(walk.summary())
    }

    /// Makes file and anchor agree after an append that was interrupted or failed, then checks that they do.
    fn settle(&self, anchor: &mut Anchor) -> Result<(), JournalError> {
        let (length, head) = (length_of(&self.path)?, anchor.head);
        if let Some(announced) = anchor.announced
            && (head.length..=announced.length).contains(&length)
        {
            if length == announced.length && self.continues(&head, &announced)? {
                read(&self.path)?.sync_all()?; // whoever wrote them may have died before this
                self.move_anchor(anchor, announced, None)?;
            } else {
                self.cut(head.length)?;
                self.move_anchor(anchor, head, None)?;
            }
        }
        let head = anchor.head;
        let agree = length_of(&self.path)? == head.length && self.ends_with(&head)?;
        if agree { Ok(()) } else { Err(self.diagnose(&head)) }
    }

    /// What is wrong with a file that is not as anchored, and where.
    fn diagnose(&self, anchored: &Head) -> JournalError {
        match read(&self.path).map(|file| Walk::new(BufReader::new(file)).finish()) {
            Ok(Ok(head)) if head.count < anchored.count => {
                Tampering { seq: head.count + 1, kind: TamperingKind::Truncated }.into()
            }
            Ok(Ok(head)) if head.count > anchored.count => {
                Tampering { seq: anchored.count + 1, kind: TamperingKind::NotAnchored }.into()
            }
            Ok(Ok(_)) => Tampering { seq: anchored.count, kind: TamperingKind::HeadDiffers }.into(),
            Ok(Err(error)) | Err(error) => error,
        }
    }

    /// Removes the rest of an append that did not come to its end.
    fn cut(&self, length: u64) -> Result<(), JournalError> {
        if length_of(&self.path)? > length {
            let file = OpenOptions::new().write(true).open(&self.path)?;
            file.set_len(length)?;
            file.sync_all()?;
        }
        Ok(())
    }

    /// Whether the lines behind `head` lead to `announced`.
    fn continues(&self, head: &Head, announced: &Head) -> Result<bool, JournalError> {
        let mut file = read(&self.path)?;
        file.seek(SeekFrom::Start(head.length))?;
        match Walk::after(*head, BufReader::new(file)).finish() {
            Ok(end) => Ok(end == *announced),
            Err(JournalError::Tampered(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the last line names the anchored hash.
    fn ends_with(&self, head: &Head) -> Result<bool, JournalError> {
        if head.count == 0 {
            return Ok(true);
        }
        let mut file = read(&self.path)?;
        file.seek(SeekFrom::Start(head.length.saturating_sub(chain::TAIL as u64)))?;
        let mut tail = Vec::new();
        file.take(chain::TAIL as u64).read_to_end(&mut tail)?;
        Ok(chain::last_hash(&tail) == Some(head.hash))
    }

    fn move_anchor(
        &self,
        anchor: &mut Anchor,
        head: Head,
        announced: Option<Head>,
    ) -> Result<(), JournalError> {
        let moved = Anchor { version: VERSION, head, announced };
        store_anchor(&*self.secrets, &moved)?;
        *anchor = moved;
        Ok(())
    }
}

fn claim(folder: &Path) -> Result<(PathBuf, File), JournalError> {
    files::make_folder(folder)?;
    let lock = files::lock(&folder.join(LOCK))?.ok_or(JournalError::InUse)?;
    Ok((folder.join(FILE), lock))
}

fn length_of(path: &Path) -> Result<u64, JournalError> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// The file, made when absent. Windows flushes only what is open for writing.
fn read(path: &Path) -> Result<File, JournalError> {
    Ok(files::private().read(true).append(true).create(true).open(path)?)
}

fn stored_anchor(secrets: &dyn SecretStore) -> Result<Option<Anchor>, JournalError> {
    let Some(secret) = secrets.get(ANCHOR)? else { return Ok(None) };
    serde_json::from_slice(secret.expose())
        .ok()
        .filter(|anchor: &Anchor| anchor.version == VERSION)
        .map(Some)
        .ok_or_else(|| Tampering { seq: 1, kind: TamperingKind::AnchorLost }.into())
}

fn store_anchor(secrets: &dyn SecretStore, anchor: &Anchor) -> Result<(), JournalError> {
    let json = serde_json::to_vec(anchor).map_err(|_| JournalError::Io(io::ErrorKind::InvalidData))?;
    Ok(secrets.set(ANCHOR, &Secret::new(json))?)
}

#[cfg(test)]
mod tests;
