//! The lines and how each is bound to the one before.

use std::io::{BufRead, Read as _};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Digest, Event, Head, JournalError, Summary};

/// The longest line, in bytes: an approval of about 1900 documents, more than a service signs in one act.
pub const MAX_LINE: usize = 128 * 1024;
/// What stands between the hashed text and the hash.
const HASH: &[u8] = b",\"hash\":\"";
/// What stands behind the hash.
const END: &[u8] = b"\"}\n";
/// Digits of a hash.
const HEX: usize = 64;
/// How much of a line's end names its hash, in bytes.
pub(super) const TAIL: usize = HEX + END.len();

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Number, from 1, without gaps.
    pub seq: u64,
    /// When it was recorded, by the phone's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What happened.
    pub event: Event,
    /// `hash` of the line before; zeros in the first.
    pub previous: Digest,
}

/// The journal is not what the phone has written.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
#[error("the journal was tampered with at entry {seq}: {kind:?}")]
pub struct Tampering {
    /// Number of the first entry that is wrong; of the last one where all were computed anew.
    pub seq: u64,
    /// What is wrong with it.
    pub kind: TamperingKind,
}

/// How a journal differs from what the phone has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TamperingKind {
    /// Not a line of a journal.
    Malformed,
    /// A line does not have the hash that it names: it was edited.
    Altered,
    /// A line does not follow the one before: lines were removed, inserted or reordered.
    Unlinked,
    /// Lines are missing at the end.
    Truncated,
    /// Lines were added at the end that the phone did not write.
    NotAnchored,
    /// A chain that holds together, but not the one that was anchored: it was computed anew.
    HeadDiffers,
    /// The anchor is missing from the secret store, or unreadable.
    AnchorLost,
}

/// The line of an event behind `head`, and the head behind that line; `None` when it is longer than [`MAX_LINE`].
pub(super) fn line(head: &Head, at: OffsetDateTime, event: &Event) -> Option<(Vec<u8>, Head)> {
    let entry = Entry { seq: head.count + 1, at, event: event.clone(), previous: head.hash };
    let text = serde_json::to_vec(&entry).ok()?;
    let hash = Digest::of(&text);
    let open = text.strip_suffix(b"}")?;
    let line = [open, HASH, hash.to_string().as_bytes(), END].concat();
    let length = head.length + line.len() as u64;
    (line.len() <= MAX_LINE).then_some((line, Head { count: head.count + 1, length, hash }))
}

/// The hash that the last line names; `None` when there is no whole line.
pub(super) fn last_hash(tail: &[u8]) -> Option<Digest> {
    let (_, hash) = tail.strip_suffix(END)?.split_last_chunk::<HEX>()?;
    Digest::try_from(String::from_utf8(hash.to_vec()).ok()?).ok()
}

/// Reads lines one after another, each checked against the one before.
pub(super) struct Walk<R> {
    lines: R,
    line: Vec<u8>,
    head: Head,
    first: Option<OffsetDateTime>,
    last: Option<OffsetDateTime>,
}

impl<R: BufRead> Walk<R> {
    pub(super) fn new(lines: R) -> Self {
        Self::after(Head::EMPTY, lines)
    }

    pub(super) fn after(head: Head, lines: R) -> Self {
        Self { lines, line: Vec::new(), head, first: None, last: None }
    }

    /// The next entry with its line; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<(Entry, &[u8])>, JournalError> {
        self.line.clear();
        (&mut self.lines).take(MAX_LINE as u64).read_until(b'\n', &mut self.line)?;
        if self.line.is_empty() {
            return Ok(None);
        }
        let (text, hash) = self.split().ok_or(self.tampering(TamperingKind::Malformed))?;
        if Digest::of(&text) != hash {
            return Err(self.tampering(TamperingKind::Altered).into());
        }
        let entry: Entry =
            serde_json::from_slice(&text).map_err(|_| self.tampering(TamperingKind::Malformed))?;
        if entry.seq != self.head.count + 1 || entry.previous != self.head.hash {
            return Err(self.tampering(TamperingKind::Unlinked).into());
        }
        self.head = Head { count: entry.seq, length: self.head.length + self.line.len() as u64, hash };
        self.first = self.first.or(Some(entry.at));
        self.last = Some(entry.at);
        Ok(Some((entry, &self.line)))
    }

    /// Reads all that is left; where it ends.
    pub(super) fn finish(&mut self) -> Result<Head, JournalError> {
        while self.next()?.is_some() {}
        Ok(self.head)
    }

    /// The text that was hashed, and the hash that the line names.
    fn split(&self) -> Option<(Vec<u8>, Digest)> {
        let hash = last_hash(&self.line)?;
        let open = self.line.get(..self.line.len().checked_sub(TAIL)?)?.strip_suffix(HASH)?;
        Some(([open, b"}"].concat(), hash))
    }

    /// Something is wrong with the entry that would come next.
    pub(super) fn tampering(&self, kind: TamperingKind) -> super::Tampering {
        Tampering { seq: self.head.count + 1, kind }
    }

    pub(super) fn head(&self) -> Head {
        self.head
    }

    pub(super) fn summary(&self) -> Summary {
        Summary { head: self.head, first: self.first, last: self.last }
    }
}
