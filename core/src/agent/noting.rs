//! What is written into the record, and when. An act is refused when its note cannot be written before it; once the
//! service has acted, a note that fails undoes nothing, so it is owed: written before the next one while the agent
//! lives, and found missing by [`Agent::deliver_pending`](super::Agent::deliver_pending) after that.

use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

use super::{
    Agent, AgentError,
    outbox::{Item, Stage},
};
use crate::journal::{Event, Journal, JournalError};

/// The journal, and what is owed to it.
pub(super) struct Notes {
    pub(super) journal: Journal,
    owed: Mutex<Vec<Event>>,
}

impl Notes {
    pub(super) fn of(journal: Journal) -> Self {
        Self { journal, owed: Mutex::default() }
    }

    fn owed(&self) -> MutexGuard<'_, Vec<Event>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, at: OffsetDateTime, events: &[Event]) -> Result<(), JournalError> {
        self.pay(at, &mut self.owed())?;
        self.journal.append_all(at, events)
    }

    fn write_or_owe(&self, at: OffsetDateTime, events: Vec<Event>) -> Result<(), JournalError> {
        let mut owed = self.owed();
        let written = self.pay(at, &mut owed).and_then(|()| self.journal.append_all(at, &events));
        if written.is_err() {
            owed.extend(events);
        }
        written
    }

    /// After an error events may have been written all the same.
    fn pay(&self, at: OffsetDateTime, owed: &mut Vec<Event>) -> Result<(), JournalError> {
        if owed.is_empty() {
            return Ok(());
        }
        let written = self.journal.entries()?;
        let last = written.iter().rev().map(|entry| &entry.event);
        if !last.take(owed.len()).eq(owed.iter().rev()) {
            self.journal.append_all(at, owed)?;
        }
        owed.clear();
        Ok(())
    }
}

impl Agent {
    /// Before an act: without the note there is no act.
    pub(super) async fn note(&self, events: Vec<Event>) -> Result<(), AgentError> {
        let now = self.device.clock.now();
        self.with_notes(move |notes| Ok(notes.write(now, &events)?)).await
    }

    /// After an act that stands: whether the note is written, or owed.
    pub(super) async fn note_or_owe(&self, events: Vec<Event>) -> bool {
        let now = self.device.clock.now();
        self.with_notes(move |notes| Ok(notes.write_or_owe(now, events)?)).await.is_ok()
    }

    /// Whether this is in the record, as far as it can be read.
    pub(super) async fn is_noted(&self, event: Event) -> bool {
        let noted = self.journal().await;
        noted.is_ok_and(|entries| entries.iter().any(|entry| entry.event == event))
    }

    /// Before an act that is done once and may be the repetition of one that did not come to its end.
    pub(super) async fn note_once(&self, event: Event) -> Result<(), AgentError> {
        if self.is_noted(event.clone()).await { Ok(()) } else { self.note(vec![event]).await }
    }

    /// The signed files that the service has not yet taken. The record gets what an app that ended, or a full disk, has kept
    /// from it; a file whose end stands there already is kept no longer.
    pub(super) async fn catch_up(&self) -> Result<Vec<Item>, AgentError> {
        self.settle().await;
        self.note(Vec::new()).await?;
        let mut items = self.with_state(Item::undelivered).await?;
        if items.is_empty() {
            return Ok(items);
        }
        let entries = self.journal().await?;
        let unnoted = items.iter().filter(|item| item.stage(&entries) == Stage::Unnoted);
        self.note(unnoted.filter_map(super::record::signed).collect()).await?;
        let ended = items.extract_if(.., |item| item.stage(&entries) == Stage::Ended);
        self.forget(ended.map(|item| item.entry()).collect()).await?;
        Ok(items)
    }
}
