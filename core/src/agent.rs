//! [`Agent`]: the doctor's phone, as one value. It orders the steps of the journey (register, inbox, prepare, approve,
//! decline, unregister) and decides nothing that a module before it has already decided. What goes in is a
//! QR's text, an activation code, the doctor's choices; what comes out is whose certificate it is, what waits, and
//! signed prescriptions. Every step that changes something outside this phone is preceded by a note in sealed state,
//! so that a crash anywhere is continued or undone, never half done.

mod accepting;
mod approving;
mod clock;
mod error;
mod last_inbox;
mod mapping;
mod noting;
mod outbox;
mod record;
mod registering;
mod settings;
mod starting_over;
mod waiting;

use std::{any::Any, collections::HashSet, sync::Arc};

use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;

pub use self::{
    approving::{Approved, Batch, Delivery, Redelivery},
    error::{AgentError, Code, Kind},
    last_inbox::{LastInbox, MAX_REMEMBERED},
    registering::Candidate,
    settings::{EXPIRY_WARNING, Warning},
    waiting::Waiting,
};
use self::{noting::Notes, outbox::Item};
pub use crate::service::Requester;
use crate::{
    certificate::Holder,
    device::{Device, KeyRole, state::State},
    journal::{Digest, Entry, Event, Journal},
    registration::{Binding, ClientInfo},
    service::{BoundService, ClientIdentity, MAX_SKEW, Service, ServiceError},
    trust::{TrustConfiguration, TrustedService},
};

/// What an app gives the agent at start.
#[derive(Clone)]
pub struct Options {
    /// The services this app trusts.
    pub trust: TrustConfiguration,
    /// What the service is told of this app (RFC 7591 `software_id`, `software_version`, `client_name`).
    pub client: ClientInfo,
    /// What this phone provides.
    pub device: Device,
}

/// Where this phone stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "asked for once in a while, never stored in numbers")]
pub enum Status {
    /// No binding: scan a registration QR.
    Unregistered,
    /// Registered at the service, but the doctor has not yet confirmed whose certificate it is: see
    /// [`Agent::candidate`].
    AwaitingConfirmation,
    /// Bound.
    Registered {
        /// Issuer URL of the service.
        issuer: String,
        /// Whose certificate it is.
        holder: Holder,
        /// Signed files that the service has not yet taken, or whose delivery is not yet in the record: see
        /// [`Agent::deliver_pending`].
        undelivered: usize,
    },
}

/// The doctor's phone. One per data folder; a second one is refused while the first lives.
pub struct Agent {
    trust: TrustConfiguration,
    client: ClientInfo,
    device: Device,
    state: Arc<State>,
    notes: Arc<Notes>,
    bound: Mutex<Option<Bound>>,
    /// Documents whose refusal is in the journal already.
    refused: Mutex<HashSet<Digest>>,
    /// Requests that this agent has answered: what an earlier reading of the inbox showed of them is not for another answer.
    /// Held while one is being answered, so that the doctor's acts follow one another.
    answered: Mutex<HashSet<String>>,
    /// Entries of the outbox that the service has taken, or the app, each with what the record does not have yet.
    delivered: Mutex<Vec<(String, Option<Event>)>>,
}

/// The binding in force and the session with its service; the session is made when first needed.
struct Bound {
    binding: Binding,
    session: Option<Session>,
}

/// How long a session with the service, and what was shown in it, may be used (protocol §8.5).
pub const SESSION_LIFETIME: Duration = Duration::minutes(30);

struct Session {
    service: Arc<BoundService>,
    since: OffsetDateTime,
}

impl Session {
    /// Also over when the clock was set back: its age is unknown then. Not so when it went back a little, as the service's
    /// time does from one answer to the next: `Date` has whole seconds, and answers take their time.
    fn is_over(&self) -> bool {
        !(-MAX_SKEW..=SESSION_LIFETIME).contains(&(self.service.now() - self.since))
    }
}

impl Agent {
    /// Opens the agent on this phone's state; no network.
    ///
    /// # Errors
    /// [`Code::StateBusy`] while another agent lives on the same folder, [`Code::SecretStoreUnavailable`],
    /// [`Code::StorageFailed`]; [`Code::StateDamaged`] and [`Code::JournalTampered`], for which there is
    /// [`Agent::start_over`].
    pub fn open(options: Options) -> Result<Self, AgentError> {
        let Options { trust, client, device } = options;
        let state = State::open(&device)?;
        let journal = Journal::open(&device.data_dir, Arc::clone(&device.secrets))?;
        let binding = registering::load_binding(&state)?;
        if binding.is_some() {
            registering::forget_begun(&state)?;
        }
        Ok(Self {
            trust,
            client,
            device,
            state: Arc::new(state),
            notes: Arc::new(Notes::of(journal)),
            bound: Mutex::new(binding.map(|binding| Bound { binding, session: None })),
            refused: Mutex::default(),
            answered: Mutex::default(),
            delivered: Mutex::default(),
        })
    }

    /// Where this phone stands; no network.
    ///
    /// # Errors
    /// [`Code::StateDamaged`], [`Code::StorageFailed`].
    pub async fn status(&self) -> Result<Status, AgentError> {
        if let Some(bound) = self.bound.lock().await.as_ref() {
            return Ok(Status::Registered {
                issuer: bound.binding.issuer().to_owned(),
                holder: bound.binding.holder().clone(),
                undelivered: self.with_state(Item::undelivered).await?.len(),
            });
        }
        let unconfirmed = self.with_state(registering::is_unconfirmed).await?;
        Ok(if unconfirmed { Status::AwaitingConfirmation } else { Status::Unregistered })
    }

    /// The record of what was approved, declined and refused, verified, oldest first.
    ///
    /// # Errors
    /// [`Code::JournalTampered`], [`Code::StorageFailed`].
    pub async fn journal(&self) -> Result<Vec<Entry>, AgentError> {
        self.with_notes(|notes| Ok(notes.journal.entries()?)).await
    }

    /// The same as JSON lines (see [`crate::journal`]).
    ///
    /// # Errors
    /// [`Code::JournalTampered`], [`Code::StorageFailed`].
    pub async fn export_journal(&self) -> Result<Vec<u8>, AgentError> {
        self.with_notes(|notes| {
            let mut out = Vec::new();
            notes.journal.export(&mut out)?;
            Ok(out)
        })
        .await
    }

    /// Removes this phone from the service (RFC 7592 §2.3) and wipes keys, secrets and binding. A phone that the
    /// service no longer knows, or that has lost its keys, is wiped all the same.
    ///
    /// # Errors
    /// [`Code::NotRegistered`], [`Code::Offline`] and the other errors of the wire; nothing is wiped then.
    pub async fn unregister(&self) -> Result<(), AgentError> {
        let (binding, session) = match self.session().await {
            // Wiped already: keys that are gone leave nothing to ask the service with.
            Err(error) if matches!(error.code(), Code::PhoneUnbound | Code::KeysInvalidated) => return Ok(()),
            session => session?,
        };
        let key_binding = binding.key_alias(KeyRole::Device).binding;
        self.settle().await;
        self.remove_registration(session.service(), binding.registration_client_uri(), &key_binding).await?;
        self.note_once(record::unregistered(&binding)?).await?;
        self.wipe(&key_binding).await?;
        *self.bound.lock().await = None;
        Ok(())
    }

    /// The service of this issuer in the app's trust configuration; an update of the app may have dropped it.
    fn trusted(&self, issuer: &str) -> Result<&TrustedService, AgentError> {
        self.trust.service(issuer).ok_or_else(|| AgentError::new(Code::UnknownIssuer))
    }

    async fn discover(&self, trusted: &TrustedService) -> Result<Service, AgentError> {
        let transport = crate::service::http::HttpsTransport::new(&trusted.tls)?;
        Ok(Service::discover(trusted, Arc::new(transport), self.device.clone()).await?)
    }

    /// The binding and its session, made when first needed.
    async fn session(&self) -> Result<(Binding, Arc<BoundService>), AgentError> {
        let mut guard = self.bound.lock().await;
        let bound = guard.as_mut().ok_or_else(|| AgentError::new(Code::NotRegistered))?;
        let binding = bound.binding.clone();
        if let Some(session) = bound.session.as_ref().filter(|session| !session.is_over()) {
            return Ok((binding, Arc::clone(&session.service)));
        }
        let service = self.discover(self.trusted(binding.issuer())?).await?;
        let service = service.bind(identity(&binding)).await.map(Arc::new);
        bound.session = service.as_ref().ok().map(|s| Session { service: Arc::clone(s), since: s.now() });
        drop(guard);
        Ok((binding, self.judge(service).await?))
    }

    /// A phone that the service no longer knows (replaced or revoked, protocol §3), or whose keys the platform has
    /// destroyed, can never speak for the doctor again: it wipes what is left of the binding and says so.
    async fn judge<T>(&self, answer: Result<T, ServiceError>) -> Result<T, AgentError> {
        let error: AgentError = match answer {
            Ok(value) => return Ok(value),
            Err(error) => error.into(),
        };
        if matches!(error.code(), Code::PhoneUnbound | Code::KeysInvalidated) {
            let mut bound = self.bound.lock().await;
            if let Some(Bound { binding, .. }) = bound.take() {
                self.settle().await;
                // What was signed and not delivered goes with the keys: the request still waits, for the next phone.
                let lost = self.with_state(Item::undelivered).await?;
                let not_delivered =
                    |i: &Item| record::not_delivered(&i.id, Digest::from_sha256(i.document), error.code());
                let mut events: Vec<_> = lost.iter().map(not_delivered).collect();
                // The doctor may have unbound the phone, in an act that did not come to its end.
                let ended = record::unregistered(&binding)?;
                if !self.is_noted(ended).await {
                    events.push(record::wiped(error.code()));
                }
                // Nothing is to keep the keys from being destroyed, not even a full disk.
                self.note_or_owe(events).await;
                self.wipe(&binding.key_alias(KeyRole::Device).binding).await?;
            }
        }
        Err(error)
    }

    /// The journal's file and the secret store block; they are kept off the async threads.
    async fn with_notes<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Notes) -> Result<T, AgentError> + Send + 'static,
    ) -> Result<T, AgentError> {
        let notes = Arc::clone(&self.notes);
        blocking(move || work(&notes)).await
    }

    async fn with_state<T: Send + 'static>(
        &self,
        work: impl FnOnce(&State) -> Result<T, AgentError> + Send + 'static,
    ) -> Result<T, AgentError> {
        let state = Arc::clone(&self.state);
        blocking(move || work(&state)).await
    }
}

/// All work is one kind of task: each further kind would bring the pool's code once more into the app.
type Work = Box<dyn FnOnce() -> Box<dyn Any + Send> + Send>;

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AgentError> + Send + 'static,
) -> Result<T, AgentError> {
    let work: Work = Box::new(move || Box::new(work()));
    let failed = || AgentError::new(Code::StorageFailed);
    let done = tokio::task::spawn_blocking(work).await.map_err(|died| failed().caused_by(died))?;
    done.downcast().map_or_else(|_| Err(failed()), |result| *result)
}

/// As whom this phone speaks.
fn identity(binding: &Binding) -> ClientIdentity {
    ClientIdentity {
        client_id: binding.client_id().to_owned(),
        binding: binding.key_alias(KeyRole::Device).binding,
        device_thumbprint: binding.thumbprint(KeyRole::Device).to_owned(),
        approval_thumbprint: binding.thumbprint(KeyRole::Approval).to_owned(),
    }
}
