//! Prepare, approve, deliver: one act of the doctor over all digests of a batch, two requests to the service, and
//! nothing that comes back is used before it is verified.

use std::collections::HashSet;

use time::OffsetDateTime;

use super::{
    Agent, AgentError, Code, SESSION_LIFETIME, Waiting,
    accepting::accept_certificate,
    clock::unless_jumped,
    outbox::{self, Item},
    record,
};
use crate::{
    certificate::SigningCertificate,
    journal::{Digest, Event},
    registration::Binding,
    service::{BoundService, CredentialInfo, DocumentDigest, HashAlgorithm, MAX_HASHES, SignatureActivation},
    signature::{Prepared, SignedPrescription, prepare},
};

/// Prescriptions made ready for one act of approval. Moved into [`Agent::approve`]; what is dropped is not signed.
pub struct Batch {
    items: Vec<Ready>,
    credential: CredentialInfo,
    prepared_at: OffsetDateTime,
}

struct Ready {
    id: String,
    label: String,
    /// SHA-256 of the envelope.
    document: [u8; 32],
    response_uri: Option<String>,
    prepared: Prepared,
}

impl Batch {
    /// How many prescriptions one approval will sign.
    pub fn len(&self) -> usize {
        self.items.len()
    }
    /// Never true: an empty batch cannot be prepared.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
    /// The prescriptions, in the order in which they were given: what is shown when the approval is asked for.
    pub fn prescriptions(&self) -> impl Iterator<Item = &crate::prescription::Prescription> {
        self.items.iter().map(|i| i.prepared.prescription())
    }
}

/// One signed prescription.
pub struct Approved {
    /// The request's identifier.
    pub id: String,
    /// The document's label.
    pub label: String,
    /// The signed file, verified.
    pub signed: SignedPrescription,
    /// Whether it reached the requester.
    pub delivery: Delivery,
}

/// What became of a signed file.
#[derive(Debug)]
pub enum Delivery {
    /// The service took it.
    Delivered,
    /// A file of the app's own: the app has it now.
    Returned,
    /// Not yet; it is kept, sealed, for [`Agent::deliver_pending`].
    Pending(AgentError),
    /// Never: an answer that this phone does not know of stands ([`Code::AlreadyAnswered`]), or the request was withdrawn
    /// or has expired ([`Code::RequestGone`]). The clinic is not known to have this file, and it is not kept.
    Refused(AgentError),
}

/// One more try to deliver a file that was signed before.
#[derive(Debug)]
pub struct Redelivery {
    /// The request's identifier.
    pub id: String,
    /// What became of the file now.
    pub delivery: Delivery,
}

impl Agent {
    /// Makes prescriptions ready for approval: the certificate is read anew and must be the one that the doctor
    /// confirmed, valid, and able to sign this many at once; each SignedInfo is built.
    ///
    /// # Errors
    /// [`Code::BatchEmpty`], [`Code::BatchTooLarge`], [`Code::BatchSigningOff`], [`Code::DocumentRefused`] or [`Code::RequestDamaged`] when one of
    /// them cannot be signed, [`Code::RequestGone`] when one of [`Agent::last_inbox`] waits no longer, [`Code::CertificateChanged`], [`Code::CredentialDisabled`], the refusals of the
    /// certificate, and the errors of the wire. Nothing has been signed; what waits is still in the inbox.
    pub async fn prepare(&self, waiting: Vec<Waiting>) -> Result<Batch, AgentError> {
        if waiting.is_empty() {
            return Err(AgentError::new(Code::BatchEmpty));
        }
        if waiting.len() > 1 && !self.batch_signing().await? {
            return Err(AgentError::new(Code::BatchSigningOff));
        }
        let (binding, session) = self.session().await?;
        self.still_wait(&waiting).await?;
        let asked_at = session.now();
        let credential = self.judge(session.credential(binding.credential_id()).await).await?;
        let allowed = credential.multisign().min(MAX_HASHES);
        if waiting.len() > allowed {
            return Err(AgentError::new(Code::BatchTooLarge).detail(allowed));
        }
        let now = unless_jumped(asked_at, session.now())?;
        let certificate = self.pinned_certificate(&binding, &credential, now)?;
        let mut items = Vec::with_capacity(waiting.len());
        for Waiting { id, label, document, content, response_uri, .. } in waiting {
            let prescription = content?;
            let entry = outbox::entry(&id, &document, response_uri.as_deref());
            let kept = self.with_state(move |state| Item::read(state, &entry)).await?;
            let kept = kept.and_then(|item| Prepared::from_stored(&item.prepared, &certificate).ok());
            let prepared = match kept {
                Some(kept) if kept.prescription().envelope() == prescription.envelope() => kept,
                _ => prepare(prescription, &certificate, now, &*self.device.random)?,
            };
            items.push(Ready { id, label, document, response_uri, prepared });
        }
        Ok(Batch { items, credential, prepared_at: now })
    }

    /// One act: the doctor is verified by the phone, the service is asked twice (token, signHash), every signature is
    /// verified, every file assembled and verified again, then delivered.
    ///
    /// # Errors
    /// [`Code::SessionEnded`], [`Code::UserCancelled`], [`Code::KeysInvalidated`], [`Code::BiometricsLocked`]: nothing was
    /// signed. [`Code::AlreadyAnswered`], [`Code::BatchStale`]: nor was it when a request of the batch has been answered since,
    /// or another approval of it has begun, from an earlier reading of the inbox.
    /// [`Code::SignatureRefused`], [`Code::SignatureWrong`] and the errors of the wire: nothing is handed out; a repeat
    /// needs a new approval and signs the same bytes. So it is with [`Code::StorageFailed`], except that files that could be
    /// kept are delivered by [`Agent::deliver_pending`]. A failed delivery is no error, nor is a phone that cannot write
    /// down that it succeeded: see [`Delivery`].
    pub async fn approve(&self, batch: Batch) -> Result<Vec<Approved>, AgentError> {
        let mut answered = self.answered.lock().await;
        let (_, session) = self.session().await?;
        let Batch { items, credential, prepared_at } = batch;
        if session.now() - prepared_at > SESSION_LIFETIME {
            return Err(AgentError::new(Code::SessionEnded));
        }
        let count = items.len();
        let activation = SignatureActivation::new(&credential, HashAlgorithm::Sha256, digests(&items))?;
        if items.iter().any(|i| i.response_uri.is_some() && answered.contains(&i.id)) {
            return Err(AgentError::new(Code::AlreadyAnswered));
        }
        let unsigned: Vec<_> = items.iter().map(Ready::unsigned).collect();
        self.with_state(move |state| Item::claim(state, &unsigned)).await?;
        let token = self.judge(session.activate(activation).await).await?;
        let documents = items.iter().map(|i| Digest::from_sha256(i.document)).collect();
        self.note(vec![Event::Approved { documents }]).await?;

        let values = self.judge(session.sign_hashes(token).await).await;
        let done = match values.and_then(|values| assemble(items, values)) {
            Ok(done) => done,
            Err(error) => {
                self.note_or_owe(vec![record::not_signed(error.code(), count)]).await;
                return Err(error);
            }
        };
        if let (kept, Err(error)) = self.keep(done.iter().map(|done| done.item.clone()).collect()).await? {
            self.note_or_owe(vec![record::not_signed(error.code(), count - kept)]).await;
            return Err(error);
        }
        // What is kept stands, whether or not it can be written down now.
        self.note_or_owe(done.iter().filter_map(|done| record::signed(&done.item)).collect()).await;

        let mut approved = Vec::with_capacity(count);
        let mut done = done.into_iter().peekable();
        while let Some(Done { item, label, file }) = done.next() {
            let next = done.peek().map(|next| &next.item);
            let delivery = self.deliver(&session, &item, next, Attempt::First, &mut answered).await;
            approved.push(Approved { id: item.id, label, signed: file, delivery });
        }
        self.settle().await;
        let _ = self.forget_answered(&answered).await;
        Ok(approved)
    }

    /// Hands signed files to the service that it has not yet taken. For an app's start and for the return of the network.
    /// Returns what became of each; one that is [`Delivery::Pending`] still waits for the next time. Whatever the record
    /// lacks of earlier acts is written first.
    ///
    /// # Errors
    /// [`Code::NotRegistered`], [`Code::PhoneUnbound`], [`Code::StorageFailed`], [`Code::JournalTampered`].
    pub async fn deliver_pending(&self) -> Result<Vec<Redelivery>, AgentError> {
        let mut answered = self.answered.lock().await;
        let items = self.catch_up().await?;
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let (_, session) = self.session().await?;
        let mut tried = Vec::with_capacity(items.len());
        let mut items = items.into_iter().peekable();
        while let Some(item) = items.next() {
            match self.deliver(&session, &item, items.peek(), Attempt::Repeated, &mut answered).await {
                Delivery::Pending(error) if error.code() == Code::PhoneUnbound => return Err(error),
                delivery => tried.push(Redelivery { id: item.id, delivery }),
            }
        }
        self.settle().await;
        let _ = self.forget_answered(&answered).await;
        Ok(tried)
    }

    /// The credential's certificate, if it is still the one that the doctor confirmed and may be used now.
    fn pinned_certificate(
        &self,
        binding: &Binding,
        credential: &CredentialInfo,
        now: OffsetDateTime,
    ) -> Result<SigningCertificate, AgentError> {
        if !binding.same_certificate(credential.chain()) {
            return Err(AgentError::new(Code::CertificateChanged));
        }
        accept_certificate(self.trusted(binding.issuer())?, credential.chain(), now)
    }

    /// How many could be kept, the first ones, and what befell the next.
    async fn keep(&self, items: Vec<Item>) -> Result<(usize, Result<(), AgentError>), AgentError> {
        self.with_state(move |state| {
            let mut kept = 0;
            let all = items.iter().try_for_each(|item| item.save(state).map(|()| kept += 1));
            Ok((kept, all))
        })
        .await
    }

    /// Hands over one file, before the `next`. That the service has it is written down by [`Self::settle`], for many at
    /// once: until then the file is kept, and asked for again after a crash.
    async fn deliver(
        &self,
        session: &BoundService,
        item: &Item,
        next: Option<&Item>,
        attempt: Attempt,
        answered: &mut HashSet<String>,
    ) -> Delivery {
        let Some(uri) = &item.response_uri else {
            self.delivered.lock().await.push((item.entry(), None));
            return Delivery::Returned;
        };
        let next = next.and_then(|next| next.response_uri.as_deref());
        let delivery = match self.judge(session.deliver(uri, &item.signed, next).await).await {
            Ok(()) => Delivery::Delivered,
            Err(error) => match (error.code(), attempt) {
                // An earlier attempt arrived although its answer did not.
                (Code::AlreadyAnswered, Attempt::Repeated) => Delivery::Delivered,
                (Code::AlreadyAnswered | Code::RequestGone, _) => Delivery::Refused(error),
                _ => return Delivery::Pending(error),
            },
        };
        answered.insert(item.id.clone());
        if let Delivery::Refused(error) = &delivery {
            // Not kept until it is written down: later another's answer would not be told from one's own.
            let document = Digest::from_sha256(item.document);
            self.note_or_owe(vec![record::not_delivered(&item.id, document, error.code())]).await;
            let _ = self.forget(vec![item.entry()]).await;
        } else {
            self.delivered.lock().await.push((item.entry(), Some(record::delivered(item))));
        }
        delivery
    }

    /// Writes down, in one note, what was delivered, and keeps those files no longer. The service has spoken: what fails on this
    /// phone from here on changes nothing of it. A delivery that could not be written down is kept to be asked for again, and
    /// what cannot be removed now is found by the next [`Self::deliver_pending`].
    pub(super) async fn settle(&self) {
        let mut delivered = self.delivered.lock().await;
        let (entries, events): (Vec<_>, Vec<_>) = std::mem::take(&mut *delivered).into_iter().unzip();
        if self.note_or_owe(events.into_iter().flatten().collect()).await {
            let _ = self.forget(entries).await;
        }
    }

    /// Nothing of these entries is kept any longer.
    pub(super) async fn forget(&self, entries: Vec<String>) -> Result<(), AgentError> {
        self.with_state(move |state| Ok(state.remove_all(&entries)?)).await
    }
}

/// Whether a file was offered to the service before.
#[derive(Clone, Copy)]
enum Attempt {
    First,
    Repeated,
}

/// What the doctor's one act covers, in the order shown. The service sees the request's identifier, not the label,
/// which may hold a patient's name.
fn digests(items: &[Ready]) -> Vec<DocumentDigest> {
    let digest = |i: &Ready| DocumentDigest { hash: i.prepared.digest().to_vec(), label: i.id.clone() };
    items.iter().map(digest).collect()
}

/// Finds for each prepared prescription the value that its key made over it (some services answer in another order),
/// and assembles the files. One value that fits none, or one document without a value, and nothing is handed out.
fn assemble(items: Vec<Ready>, mut values: Vec<Vec<u8>>) -> Result<Vec<Done>, AgentError> {
    if values.len() != items.len() {
        return Err(AgentError::new(Code::SignatureWrong));
    }
    let mut done = Vec::with_capacity(items.len());
    for Ready { id, label, document, response_uri, prepared } in items {
        // In the usual order the first of those left fits, so this is one verification each.
        let at = values.iter().position(|value| prepared.accepts(value));
        let value = values.remove(at.ok_or_else(|| AgentError::new(Code::SignatureWrong))?);
        let stored = prepared.to_stored();
        let file = prepared.finish(&value)?;
        let (signed, signature) = (file.bytes().to_vec(), Some(Digest::of(&value)));
        let item = Item { id, document, response_uri, prepared: stored, signed, signature };
        done.push(Done { item, label, file });
    }
    Ok(done)
}

/// A signed file and what is kept of it until delivery.
struct Done {
    item: Item,
    label: String,
    file: SignedPrescription,
}

impl Ready {
    fn unsigned(&self) -> Item {
        Item {
            id: self.id.clone(),
            document: self.document,
            response_uri: self.response_uri.clone(),
            prepared: self.prepared.to_stored(),
            signed: Vec::new(),
            signature: None,
        }
    }
}
