//! Prepare, approve, deliver: one act of the doctor over all digests of a batch, two requests to the service, and
//! nothing that comes back is used before it is verified.

use super::{Agent, AgentError, Code, Waiting, outbox::Item, registering::accept_certificate};
use crate::{
    certificate::SigningCertificate,
    journal::Event,
    registration::Binding,
    service::{BoundService, CredentialInfo, SignatureActivation},
    signature::{Prepared, SignedPrescription, prepare},
};

/// Prescriptions made ready for one act of approval. Moved into [`Agent::approve`]; what is dropped is not signed.
pub struct Batch {
    items: Vec<Ready>,
    credential: CredentialInfo,
}

struct Ready {
    id: String,
    label: String,
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
}

impl Agent {
    /// Makes prescriptions ready for approval: the certificate is read anew and must be the one that the doctor
    /// confirmed, valid, and able to sign this many at once; each SignedInfo is built.
    ///
    /// # Errors
    /// [`Code::BatchEmpty`], [`Code::BatchTooLarge`], [`Code::DocumentRefused`] or [`Code::RequestDamaged`] when one of
    /// them cannot be signed, [`Code::CertificateChanged`], [`Code::CredentialDisabled`], the refusals of the
    /// certificate, and the errors of the wire. Nothing has been signed; what waits is still in the inbox.
    pub async fn prepare(&self, waiting: Vec<Waiting>) -> Result<Batch, AgentError> {
        if waiting.is_empty() {
            return Err(AgentError::new(Code::BatchEmpty));
        }
        let (binding, session) = self.session().await?;
        let credential = self.judge(session.credential(&binding.credential_id).await).await?;
        if waiting.len() > credential.multisign {
            return Err(AgentError::new(Code::BatchTooLarge).detail(credential.multisign));
        }
        let certificate = self.pinned_certificate(&binding, &credential)?;
        let mut items = Vec::with_capacity(waiting.len());
        for Waiting { id, label, content, response_uri, .. } in waiting {
            let prescription = content?;
            let kept = self.kept(&id, &label).await?;
            let kept = kept.and_then(|item| Prepared::from_stored(&item.prepared, &certificate).ok());
            let prepared = match kept {
                Some(kept) if kept.prescription().envelope() == prescription.envelope() => kept,
                _ => prepare(prescription, &certificate, self.device.clock.now(), &*self.device.random)?,
            };
            items.push(Ready { id, label, response_uri, prepared });
        }
        Ok(Batch { items, credential })
    }

    /// One act: the doctor is verified by the phone, the service is asked twice (token, signHash), every signature is
    /// verified, every file assembled and verified again, then delivered.
    ///
    /// # Errors
    /// [`Code::UserCancelled`], [`Code::KeysInvalidated`], [`Code::BiometricsLocked`]: nothing was signed.
    /// [`Code::SignatureRefused`], [`Code::SignatureWrong`] and the errors of the wire: nothing is handed out; a repeat
    /// needs a new approval and signs the same bytes. A failed delivery is no error: see [`Delivery::Pending`].
    pub async fn approve(&self, batch: Batch) -> Result<Vec<Approved>, AgentError> {
        let (binding, session) = self.session().await?;
        let Batch { items, credential } = batch;
        let count = items.len();
        self.keep(items.iter().map(Ready::unsigned).collect()).await?;

        let documents = items.iter().map(|i| (i.label.clone(), *i.prepared.digest())).collect();
        let activation = SignatureActivation::new(&binding.credential_id, documents)?;
        let token = self.judge(session.activate(&activation).await).await?;
        self.note(Event::Approved { count }).await?;
        let values = self.judge(session.sign_hashes(token, &activation, &credential).await).await?;

        let signed = assemble(items, values)?;
        self.keep(signed.iter().map(|done| done.item.clone()).collect()).await?;
        let mut approved = Vec::with_capacity(count);
        for Done { item, file } in signed {
            self.note(Event::signed(&item.id, file.bytes())).await?;
            let delivery = self.deliver(&session, &item).await?;
            approved.push(Approved { id: item.id, label: item.label, signed: file, delivery });
        }
        Ok(approved)
    }

    /// Hands signed files to the service that it has not yet taken. For an app's start and for the return of the network.
    /// Returns how many are still undelivered.
    ///
    /// # Errors
    /// [`Code::NotRegistered`], [`Code::PhoneUnbound`], [`Code::StorageFailed`].
    pub async fn deliver_pending(&self) -> Result<usize, AgentError> {
        let items = self.with_state(Item::undelivered).await?;
        if items.is_empty() {
            return Ok(0);
        }
        let (_, session) = self.session().await?;
        let mut left = 0;
        for item in items {
            match self.deliver(&session, &item).await? {
                Delivery::Pending(error) if error.code() == Code::PhoneUnbound => return Err(error),
                Delivery::Pending(_) => left += 1,
                Delivery::Delivered | Delivery::Returned => {}
            }
        }
        Ok(left)
    }

    /// The credential's certificate, if it is still the one that the doctor confirmed and may be used now.
    fn pinned_certificate(
        &self,
        binding: &Binding,
        credential: &CredentialInfo,
    ) -> Result<SigningCertificate, AgentError> {
        if !binding.same_certificate(&credential.chain) {
            return Err(AgentError::new(Code::CertificateChanged));
        }
        accept_certificate(self.trusted(&binding.issuer)?, &credential.chain, self.device.clock.now())
    }

    async fn kept(&self, id: &str, label: &str) -> Result<Option<Item>, AgentError> {
        let (id, label) = (id.to_owned(), label.to_owned());
        self.with_state(move |state| Item::find(state, &id, &label)).await
    }

    async fn keep(&self, items: Vec<Item>) -> Result<(), AgentError> {
        self.with_state(move |state| items.iter().try_for_each(|item| item.save(state))).await
    }

    async fn deliver(&self, session: &BoundService, item: &Item) -> Result<Delivery, AgentError> {
        let delivery = match &item.response_uri {
            None => Delivery::Returned,
            Some(uri) => match self.judge(session.deliver(uri, &item.signed).await).await {
                Ok(()) => {
                    self.note(Event::delivered(&item.id)).await?;
                    Delivery::Delivered
                }
                // An earlier delivery of this very file arrived although its answer did not.
                Err(error) if error.code() == Code::AlreadyAnswered => Delivery::Delivered,
                Err(error) => return Ok(Delivery::Pending(error)),
            },
        };
        let item = item.clone();
        self.with_state(move |state| Item::remove(state, &item.id, &item.label)).await?;
        Ok(delivery)
    }
}

/// Finds for each prepared prescription the value that its key made over it (some services answer in another order),
/// and assembles the files. One value that fits none, or one document without a value, and nothing is handed out.
fn assemble(items: Vec<Ready>, mut values: Vec<Vec<u8>>) -> Result<Vec<Done>, AgentError> {
    if values.len() != items.len() {
        return Err(AgentError::new(Code::SignatureWrong));
    }
    let mut done = Vec::with_capacity(items.len());
    for Ready { id, label, response_uri, prepared } in items {
        // In the usual order the first of those left fits, so this is one verification each.
        let at = values.iter().position(|value| prepared.accepts(value));
        let value = values.remove(at.ok_or_else(|| AgentError::new(Code::SignatureWrong))?);
        let stored = prepared.to_stored();
        let file = prepared.finish(&value)?;
        done.push(Done { item: Item { id, label, response_uri, prepared: stored, signed: file.bytes().to_vec() }, file });
    }
    Ok(done)
}

/// A signed file and what is kept of it until delivery.
struct Done {
    item: Item,
    file: SignedPrescription,
}

impl Ready {
    fn unsigned(&self) -> Item {
        Item {
            id: self.id.clone(),
            label: self.label.clone(),
            response_uri: self.response_uri.clone(),
            prepared: self.prepared.to_stored(),
            signed: Vec::new(),
        }
    }
}
