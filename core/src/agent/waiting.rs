//! A prescription that waits for the doctor, from the inbox or from a file of the app's own.

use time::OffsetDateTime;

use super::{
    Agent, AgentError, Code,
    outbox::{self, Item},
    record,
};
use crate::{
    certificate::Holder,
    journal::Digest,
    prescription::{Prescription, Violation},
    service::{InboxItem, Requester},
};

/// One prescription that waits. It is moved into [`Agent::prepare`] or [`Agent::decline`]: a doctor decides once.
pub struct Waiting {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) requester: Option<Requester>,
    pub(super) received_at: Option<OffsetDateTime>,
    pub(super) expires_at: Option<OffsetDateTime>,
    pub(super) content: Result<Prescription, AgentError>,
    pub(super) prescriber_warning: Option<Violation>,
    /// Where the answer goes; `None` for a file that the app itself brought.
    pub(super) response_uri: Option<String>,
    /// SHA-256 of the bytes that are shown; zeros where there are none.
    pub(super) document: [u8; 32],
    /// From an earlier reading of the inbox: it may wait no longer.
    pub(super) is_remembered: bool,
}

impl Waiting {
    /// The request's identifier at the service, or the label that the app gave.
    pub fn id(&self) -> &str {
        &self.id
    }
    /// The document's label within the request.
    pub fn label(&self) -> &str {
        &self.label
    }
    /// Who asks; `None` for a file of the app's own.
    pub fn requester(&self) -> Option<&Requester> {
        self.requester.as_ref()
    }
    /// When the service received it.
    pub fn received_at(&self) -> Option<OffsetDateTime> {
        self.received_at
    }
    /// Until when it can be answered.
    pub fn expires_at(&self) -> Option<OffsetDateTime> {
        self.expires_at
    }
    /// The prescription to show, or why it cannot be signed (then only [`Agent::decline`] is left).
    ///
    /// # Errors
    /// [`Code::DocumentRefused`] with all violations, [`Code::RequestDamaged`].
    pub fn prescription(&self) -> Result<&Prescription, &AgentError> {
        self.content.as_ref()
    }
    /// Everything to show before the preview: warnings of the document, and a prescriber's name that differs from the
    /// certificate's.
    pub fn warnings(&self) -> Vec<&Violation> {
        let own = self.content.iter().flat_map(Prescription::warnings);
        own.chain(&self.prescriber_warning).collect()
    }
}

impl Agent {
    /// What waits for this doctor, oldest first.
    ///
    /// `wait`: how long the service may hold the answer back until something arrives, 0 to 25 seconds.
    ///
    /// # Errors
    /// [`Code::NotRegistered`], [`Code::PhoneUnbound`] (keys are wiped then), [`Code::Offline`] and the other errors
    /// of the wire. A single damaged or refused document is no error here: it is listed, with its reasons.
    pub async fn inbox(&self, wait: std::time::Duration) -> Result<Vec<Waiting>, AgentError> {
        let (binding, session) = self.session().await?;
        let inbox = self.judge(session.inbox(wait).await).await?;
        self.remember(&inbox.items, session.now()).await?;
        let undelivered = self.with_state(Item::undelivered).await?;
        let mut waiting = Vec::with_capacity(inbox.items.len());
        for item in inbox.items.into_iter().filter(|item| undelivered.iter().all(|u| u.id != item.id)) {
            let one = Waiting::from_inbox(item, binding.holder());
            if let Err(refused) = &one.content {
                self.note_refusal(&one, refused).await?;
            }
            waiting.push(one);
        }
        waiting.sort_by_key(|w| w.received_at);
        Ok(waiting)
    }

    /// Once for each document, however often the inbox is read while the agent lives.
    async fn note_refusal(&self, waiting: &Waiting, refused: &AgentError) -> Result<(), AgentError> {
        let document = Digest::from_sha256(waiting.document);
        let mut noted = self.refused.lock().await;
        if !noted.contains(&document) {
            self.note(vec![record::refused(&waiting.id, document, refused)]).await?;
            noted.insert(document);
        }
        Ok(())
    }

    /// A prescription that the app brings itself: the envelope without signature, or the bare `SJ1` CSV.
    ///
    /// # Errors
    /// [`Code::NotRegistered`], [`Code::DocumentRefused`] with all violations.
    pub async fn open_document(&self, bytes: &[u8], label: &str) -> Result<Waiting, AgentError> {
        let guard = self.bound.lock().await;
        let bound = guard.as_ref().ok_or_else(|| AgentError::new(Code::NotRegistered))?;
        let prescription = Prescription::parse(bytes).map_err(AgentError::from)?;
        Ok(Waiting {
            id: label.to_owned(),
            label: label.to_owned(),
            requester: None,
            received_at: None,
            expires_at: None,
            prescriber_warning: prescription.check_prescriber(bound.binding.holder()),
            document: sha256(prescription.envelope()),
            content: Ok(prescription),
            response_uri: None,
            is_remembered: false,
        })
    }

    /// Tells the requester that the doctor will not sign (protocol §6, `access_denied`). `reason` is the doctor's own
    /// words to the clinic; its first 200 characters are sent, never kept. The record has it before it is sent.
    ///
    /// # Errors
    /// [`Code::AlreadyAnswered`], [`Code::RequestGone`], [`Code::PhoneUnbound`], and the errors of the wire.
    /// [`Code::StorageFailed`], [`Code::JournalTampered`]: it could not be recorded, and nothing was sent.
    pub async fn decline(&self, waiting: Waiting, reason: &str) -> Result<(), AgentError> {
        let mut answered = self.answered.lock().await;
        let (_, session) = self.session().await?;
        let entry = outbox::entry(&waiting.id, &waiting.document, waiting.response_uri.as_deref());
        if waiting.response_uri.is_some() {
            let at = entry.clone();
            let kept = self.with_state(move |state| Item::read(state, &at)).await?;
            if kept.is_some_and(|item| !item.signed.is_empty()) {
                return Err(AgentError::new(Code::AlreadyAnswered));
            }
        }
        let document = Digest::from_sha256(waiting.document);
        let shown = waiting.content.is_ok().then_some(document);
        self.note_once(record::declined(&waiting.id, shown)).await?;
        let Some(uri) = &waiting.response_uri else { return self.forget(vec![entry]).await };
        if let Err(error) = self.judge(session.decline(uri, reason).await).await {
            if matches!(error.code(), Code::AlreadyAnswered | Code::RequestGone) {
                self.note_or_owe(vec![record::not_delivered(&waiting.id, document, error.code())]).await;
            }
            return Err(error);
        }
        // The clinic has been told: what fails on this phone from here on changes nothing of it.
        answered.insert(waiting.id);
        let _ = self.forget_answered(&answered).await;
        let _ = self.forget(vec![entry]).await;
        Ok(())
    }
}

impl Waiting {
    fn from_inbox(item: InboxItem, holder: &Holder) -> Self {
        let (received, content) = match item.document {
            Ok(bytes) => (sha256(&bytes), Prescription::parse(&bytes).map_err(AgentError::from)),
            Err(damaged) => ([0; 32], Err(AgentError::new(Code::RequestDamaged).caused_by(damaged))),
        };
        Self {
            prescriber_warning: content.as_ref().ok().and_then(|p| p.check_prescriber(holder)),
            document: content.as_ref().map_or(received, |p| sha256(p.envelope())),
            id: item.id,
            label: item.label,
            requester: Some(item.requester),
            received_at: item.received_at,
            expires_at: item.expires_at,
            content,
            response_uri: Some(item.response_uri),
            is_remembered: false,
        }
    }

    pub(super) fn remembered(item: InboxItem, holder: &Holder) -> Self {
        Self { is_remembered: true, ..Self::from_inbox(item, holder) }
    }

    /// What was asked for: the request and the document.
    pub(super) fn identity(&self) -> (String, [u8; 32]) {
        (self.id.clone(), self.document)
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    *Digest::of(bytes).as_bytes()
}
