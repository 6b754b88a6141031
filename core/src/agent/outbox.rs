//! What was approved and is not yet delivered, sealed in the state, one entry each: the prepared SignedInfo from before
//! the first request until the service has taken the file, so that a repeat after a crash signs the same bytes.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::{AgentError, Code};
use crate::device::state::State;

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
}

impl Item {
    fn entry(id: &str) -> String {
        let name = digest(&SHA256, id.as_bytes());
        let name = name.as_ref().first_chunk().map_or(0, |chunk| u128::from_be_bytes(*chunk));
        format!("{PREFIX}{name:032x}")
    }

    pub(super) fn save(&self, state: &State) -> Result<(), AgentError> {
        let bytes =
            serde_json::to_vec(self).map_err(|e| AgentError::new(Code::StorageFailed).caused_by(e))?;
        Ok(state.write(&Self::entry(&self.id), &bytes)?)
    }

    pub(super) fn find(state: &State, id: &str) -> Result<Option<Self>, AgentError> {
        Self::read(state, &Self::entry(id))
    }

    pub(super) fn remove(state: &State, id: &str) -> Result<(), AgentError> {
        Ok(state.remove(&Self::entry(id))?)
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
        state.list(PREFIX)?.iter().try_for_each(|entry| Ok(state.remove(entry)?))
    }

    fn read(state: &State, entry: &str) -> Result<Option<Self>, AgentError> {
        let Some(stored) = state.read(entry)? else { return Ok(None) };
        let item =
            serde_json::from_slice(&stored).map_err(|e| AgentError::new(Code::StateDamaged).caused_by(e))?;
        Ok(Some(item))
    }
}

/// Bytes as standard base64 in JSON.
mod bytes {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64_STANDARD.encode(bytes))
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        BASE64_STANDARD.decode(String::deserialize(from)?).map_err(D::Error::custom)
    }
}
