//! What waited when the inbox was last read: kept sealed in the state, so that a doctor without network sees it. It holds
//! patient data, and is therefore bounded, replaced by every reading, and wiped with the binding.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::{Agent, AgentError, Code, Waiting, outbox::Item};
use crate::{
    device::state::State,
    service::{InboxItem, Requester},
};

/// Bytes of documents that are kept of one reading, the oldest requests first: five hundred prescriptions of ordinary
/// size, five times what one reading holds.
pub const MAX_REMEMBERED: usize = 4 * 1024 * 1024;

/// What waited, in the state.
const ITEMS: &str = "inbox";
/// When it was read, in the state: apart, so that a reading that finds the same writes little.
const READ_AT: &str = "inbox-read-at";

/// The inbox as it was when it was last read. Whatever has changed since is not known.
pub struct LastInbox {
    /// What waited and has been neither answered here nor expired since, oldest first. It can be shown; [`Agent::prepare`]
    /// and [`Agent::decline`] need the network, and the first asks whether it still waits.
    pub waiting: Vec<Waiting>,
    /// When it was read, by the service's clock.
    pub read_at: OffsetDateTime,
    /// Requests that waited then and were not kept: beyond [`MAX_REMEMBERED`], or without a readable document.
    pub left_out: usize,
}

#[derive(Serialize, Deserialize)]
struct Remembered {
    items: Vec<One>,
    left_out: usize,
}

#[derive(Serialize, Deserialize)]
struct One {
    id: String,
    label: String,
    requester: String,
    facility_code: String,
    /// Seconds since 1970.
    received_at: Option<i64>,
    /// Seconds since 1970.
    expires_at: Option<i64>,
    response_uri: String,
    #[serde(with = "super::outbox::bytes")]
    document: Vec<u8>,
}

impl One {
    fn of(item: &InboxItem) -> Option<Self> {
        Some(Self {
            id: item.id.clone(),
            label: item.label.clone(),
            requester: item.requester.name.clone(),
            facility_code: item.requester.facility_code.clone(),
            received_at: item.received_at.map(OffsetDateTime::unix_timestamp),
            expires_at: item.expires_at.map(OffsetDateTime::unix_timestamp),
            response_uri: item.response_uri.clone(),
            document: item.document.as_ref().ok()?.clone(),
        })
    }

    fn into_item(self) -> InboxItem {
        let time = |seconds| OffsetDateTime::from_unix_timestamp(seconds).ok();
        InboxItem {
            id: self.id,
            label: self.label,
            received_at: self.received_at.and_then(time),
            expires_at: self.expires_at.and_then(time),
            requester: Requester { name: self.requester, facility_code: self.facility_code },
            response_uri: self.response_uri,
            document: Ok(self.document),
        }
    }
}

impl Remembered {
    fn of(items: &[InboxItem]) -> Self {
        let mut oldest_first: Vec<_> = items.iter().collect();
        oldest_first.sort_by_key(|item| item.received_at);
        let (mut kept, mut room) = (Vec::new(), MAX_REMEMBERED);
        for one in oldest_first.into_iter().filter_map(One::of) {
            if let Some(left) = room.checked_sub(one.document.len()) {
                room = left;
                kept.push(one);
            }
        }
        Self { left_out: items.len() - kept.len(), items: kept }
    }

    fn read(state: &State) -> Result<Option<Self>, AgentError> {
        let Some(stored) = state.read(ITEMS)? else { return Ok(None) };
        let damaged = |error| AgentError::new(Code::StateDamaged).caused_by(error);
        serde_json::from_slice(&stored).map(Some).map_err(damaged)
    }

    fn write(&self, state: &State) -> Result<(), AgentError> {
        let failed = |error| AgentError::new(Code::StorageFailed).caused_by(error);
        let bytes = Zeroizing::new(serde_json::to_vec(self).map_err(failed)?);
        if state.read(ITEMS)?.is_none_or(|stored| *stored != *bytes) {
            state.write(ITEMS, &bytes)?;
        }
        Ok(())
    }
}

fn read_time(stored: &[u8]) -> Option<OffsetDateTime> {
    let seconds = i64::from_be_bytes(*stored.first_chunk()?);
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

/// Forgets what waited: the phone is no longer bound.
pub(super) fn clear(state: &State) -> Result<(), AgentError> {
    state.remove(ITEMS)?;
    Ok(state.remove(READ_AT)?)
}

impl Agent {
    /// The inbox as it was when [`Agent::inbox`] last read it; no network. For a phone that is offline: `None` before the
    /// first reading.
    ///
    /// # Errors
    /// [`Code::NotRegistered`], [`Code::StateDamaged`], [`Code::StorageFailed`].
    pub async fn last_inbox(&self) -> Result<Option<LastInbox>, AgentError> {
        let holder = match self.bound.lock().await.as_ref() {
            Some(bound) => bound.binding.holder().clone(),
            None => return Err(AgentError::new(Code::NotRegistered)),
        };
        let stored = self.with_state(|state| {
            let read_at = state.read(READ_AT)?.and_then(|stored| read_time(&stored));
            Ok((Remembered::read(state)?, read_at, Item::undelivered(state)?))
        });
        let (Some(Remembered { items, left_out }), Some(read_at), undelivered) = stored.await? else {
            return Ok(None);
        };
        let now = self.device.clock.now();
        let is_open = |item: &InboxItem| {
            item.expires_at.is_none_or(|end| end > now)
                && undelivered.iter().all(|signed| signed.id != item.id)
        };
        let items = items.into_iter().map(One::into_item).filter(is_open);
        let waiting = items.map(|item| Waiting::remembered(item, &holder)).collect();
        Ok(Some(LastInbox { waiting, read_at, left_out }))
    }

    /// Keeps what a reading at this time has found.
    pub(super) async fn remember(
        &self,
        items: &[InboxItem],
        read_at: OffsetDateTime,
    ) -> Result<(), AgentError> {
        let found = Remembered::of(items);
        self.with_state(move |state| {
            found.write(state)?;
            Ok(state.write(READ_AT, &read_at.unix_timestamp().to_be_bytes())?)
        })
        .await
    }

    /// These requests wait no longer. Where that cannot be written the next reading finds it, and nothing remembered is
    /// signed before one.
    pub(super) async fn forget_answered(&self, answered: &HashSet<String>) -> Result<(), AgentError> {
        let answered = answered.clone();
        self.with_state(move |state| {
            let Some(mut remembered) = Remembered::read(state)? else { return Ok(()) };
            remembered.items.retain(|one| !answered.contains(&one.id));
            remembered.write(state)
        })
        .await
    }

    /// Of what was remembered from an earlier reading, each must still wait as it was, before it is made ready to sign.
    ///
    /// # Errors
    /// [`Code::RequestGone`], and the errors of the wire.
    pub(super) async fn still_wait(&self, chosen: &[Waiting]) -> Result<(), AgentError> {
        if chosen.iter().all(|one| !one.is_remembered) {
            return Ok(());
        }
        let now: HashSet<_> =
            self.inbox(std::time::Duration::ZERO).await?.iter().map(Waiting::identity).collect();
        let gone = chosen.iter().any(|one| one.is_remembered && !now.contains(&one.identity()));
        if gone { Err(AgentError::new(Code::RequestGone)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::DocumentFault;

    fn item(id: &str, received: i64, document: Result<Vec<u8>, DocumentFault>) -> InboxItem {
        InboxItem {
            id: id.into(),
            label: "label".into(),
            received_at: OffsetDateTime::from_unix_timestamp(received).ok(),
            expires_at: None,
            requester: Requester { name: "clinic".into(), facility_code: "1".into() },
            response_uri: "https://sign.example/p/1".into(),
            document,
        }
    }

    #[test]
    fn of_a_reading_the_oldest_requests_are_kept_as_far_as_there_is_room() {
        let large = vec![7; MAX_REMEMBERED / 2];
        let found = [
            item("new", 3, Ok(large.clone())),
            item("old", 1, Ok(large.clone())),
            item("damaged", 0, Err(DocumentFault::Checksum)),
            item("middle", 2, Ok(large)),
        ];
        let remembered = Remembered::of(&found);
        let ids: Vec<_> = remembered.items.iter().map(|one| one.id.as_str()).collect();
        assert_eq!((ids, remembered.left_out), (vec!["old", "middle"], 2));
        let again = remembered.items.into_iter().next().map(One::into_item);
        assert!(again.as_ref() == Some(&found[1]));
    }
}
