//! What was approved and is not yet delivered, sealed in the state, one entry each: the prepared SignedInfo from before
//! the first request until the service has taken the file, so that a repeat after a crash signs the same bytes.

use std::collections::HashSet;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::{AgentError, Code, record};
use crate::{
    device::state::State,
    journal::{Digest, Entry, Event},
};

/// Every entry's name begins so.
const PREFIX: &str = "outbox-";

/// One approved prescription.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Item {
    /// The request's identifier.
    pub(super) id: String,
    /// SHA-256 of the envelope that was shown.
    pub(super) document: [u8; 32],
    /// Where the answer goes; `None` for a file of the app's own.
    pub(super) response_uri: Option<String>,
    /// `Prepared::to_stored`.
    #[serde(with = "bytes")]
    pub(super) prepared: Vec<u8>,
    /// The signed file, once there is one.
    #[serde(with = "bytes")]
    pub(super) signed: Vec<u8>,
    /// SHA-256 of the signature's value, once there is one.
    #[serde(default)]
    pub(super) signature: Option<Digest>,
}

/// How far the record has followed a signed file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It does not say that it was signed.
    Unnoted,
    /// It does not say what became of it.
    Signed,
    /// It does.
    Ended,
}

/// Names the entry of a request by its identifier, that of a file of the app's own by its content: labels may repeat.
pub(super) fn entry(id: &str, document: &[u8; 32], response_uri: Option<&str>) -> String {
    let (kind, name) = match response_uri {
        Some(_) => ("", digest(&SHA256, id.as_bytes())),
        None => ("own-", digest(&SHA256, document)),
    };
    let name = name.as_ref().first_chunk().map_or(0, |chunk| u128::from_be_bytes(*chunk));
    format!("{PREFIX}{kind}{name:032x}")
}

impl Item {
    pub(super) fn entry(&self) -> String {
        entry(&self.id, &self.document, self.response_uri.as_deref())
    }

    pub(super) fn save(&self, state: &State) -> Result<(), AgentError> {
        let bytes =
            serde_json::to_vec(self).map_err(|e| AgentError::new(Code::StorageFailed).caused_by(e))?;
        Ok(state.write(&self.entry(), &bytes)?)
    }

    /// Keeps what is about to be signed.
    ///
    /// # Errors
    /// [`Code::AlreadyAnswered`] when a request among it is signed already, [`Code::BatchStale`] when other bytes of it
    /// may be, or it is there twice: nothing is changed then.
    pub(super) fn claim(state: &State, items: &[Self]) -> Result<(), AgentError> {
        let mut entries = HashSet::new();
        for item in items {
            if !entries.insert(item.entry()) {
                return Err(AgentError::new(Code::BatchStale));
            }
            match Self::read(state, &item.entry())? {
                Some(kept) if !kept.signed.is_empty() && kept.response_uri.is_some() => {
                    return Err(AgentError::new(Code::AlreadyAnswered));
                }
                Some(kept) if kept.prepared != item.prepared => {
                    return Err(AgentError::new(Code::BatchStale));
                }
                _ => {}
            }
        }
        items.iter().try_for_each(|item| item.save(state))
    }

    /// Only what was written behind this very signature is about this file: an earlier one over the same document may have
    /// ended otherwise.
    pub(super) fn stage(&self, record: &[Entry]) -> Stage {
        let signed = record::signed(self);
        let Some(at) = record.iter().rposition(|entry| Some(&entry.event) == signed.as_ref()) else {
            return Stage::Unnoted;
        };
        let own = (record::request(self), Digest::from_sha256(self.document));
        let is_end = |entry: &Entry| match &entry.event {
            Event::Delivered { request, document } | Event::NotDelivered { request, document, .. } => {
                (*request, *document) == own
            }
            _ => false,
        };
        if record.iter().skip(at).any(is_end) { Stage::Ended } else { Stage::Signed }
    }

    /// Signed files that the service has not yet taken.
    pub(super) fn undelivered(state: &State) -> Result<Vec<Self>, AgentError> {
        let mut items = Vec::new();
        for entry in state.list(PREFIX)? {
            items.extend(
                Self::read(state, &entry)?.filter(|i| !i.signed.is_empty() && i.response_uri.is_some()),
            );
        }
        Ok(items)
    }

    /// Removes everything: the phone is no longer bound.
    pub(super) fn clear(state: &State) -> Result<(), AgentError> {
        Ok(state.remove_all(&state.list(PREFIX)?)?)
    }

    pub(super) fn read(state: &State, entry: &str) -> Result<Option<Self>, AgentError> {
        let Some(stored) = state.read(entry)? else { return Ok(None) };
        let item =
            serde_json::from_slice(&stored).map_err(|e| AgentError::new(Code::StateDamaged).caused_by(e))?;
        Ok(Some(item))
    }
}

/// Bytes as standard base64 in JSON.
pub(super) mod bytes {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in crate::agent) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64_STANDARD.encode(bytes))
    }
    pub(in crate::agent) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        BASE64_STANDARD.decode(String::deserialize(from)?).map_err(D::Error::custom)
    }
}
