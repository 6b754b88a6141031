//! From a QR's text to a binding that the doctor has confirmed, and back again (protocol §3). The note of a
//! registration that has begun is written before its keys exist, so that a crash leaves neither a key without a note
//! nor a second registration: the same ticket is continued with the same keys, another ticket undoes the first.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::Duration;

use super::{
    Agent, AgentError, Bound, Code, Session, accepting, blocking,
    clock::{is_wrong, unless_jumped},
    last_inbox,
    outbox::Item,
    record,
};
use crate::{
    certificate::Holder,
    device::{KeyAlias, KeyRole, KeyVaultError, NewKey, Secret, state::State},
    registration::{
        self, ActivationCode, Binding, BoundKeys, Registered, RegistrationRefusal, RegistrationRequest,
        Ticket, TicketError, secret_name,
    },
    service::{ClientIdentity, PhoneKeys, Service, ServiceError},
    trust::TrustedService,
};

/// The binding in force, in the state.
const BINDING: &str = "binding";
/// The registration that has begun and is not confirmed, in the state.
const BEGUN: &str = "registration";

/// A registration that has begun.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Begun {
    issuer: String,
    /// `jti` of the ticket.
    ticket: String,
    /// Names the keys in the vault.
    key_binding: String,
    /// What the service answered, once it has; its secret part is in the secret store.
    answer: Option<Answer>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Answer {
    client_id: String,
    registration_client_uri: String,
    credential_id: String,
    replaced: bool,
}

/// A phone that is registered and waits for the doctor to say "this is me". Moved into [`Agent::confirm`] or
/// [`Agent::reject`].
pub struct Candidate {
    binding: Binding,
    service_name_ja: String,
    replaced: bool,
    session: Session,
}

impl Candidate {
    /// Whose certificate it is: shown to the doctor.
    pub fn holder(&self) -> &Holder {
        self.binding.holder()
    }
    /// Display name of the service, Japanese.
    pub fn service_name(&self) -> &str {
        &self.service_name_ja
    }
    /// Whether another phone was bound before, which is now unbound.
    pub fn replaced(&self) -> bool {
        self.replaced
    }
}

impl Agent {
    /// Registers this phone with the text of a registration QR and, where the ticket asks for one, the activation
    /// code. What comes back is to be shown to the doctor, and then confirmed or rejected. Repeating with the same
    /// ticket continues the same registration.
    ///
    /// # Errors
    /// Before any request: [`Code::AlreadyRegistered`], [`Code::NotATicket`], [`Code::UnknownIssuer`],
    /// [`Code::TicketForged`], [`Code::ActivationCodeRequired`]. Then [`Code::TicketExpired`],
    /// [`Code::WrongActivationCode`] with the tries left, [`Code::TicketLocked`], [`Code::TicketUsed`],
    /// [`Code::ClockWrong`], the refusals of the certificate (the phone is unregistered again then), those of the
    /// phone's keys, and the errors of the wire.
    pub async fn register(
        &self,
        qr_text: &str,
        code: Option<ActivationCode>,
    ) -> Result<Candidate, AgentError> {
        if self.bound.lock().await.is_some() {
            return Err(AgentError::new(Code::AlreadyRegistered));
        }
        let ticket = self.ticket(qr_text).await?;
        if ticket.needs_activation_code() && code.is_none() {
            return Err(AgentError::new(Code::ActivationCodeRequired));
        }
        let trusted = self.trusted(ticket.issuer())?;
        let service = self.discover(trusted).await?;
        if service.clock_skew().is_some_and(is_wrong) {
            return Err(AgentError::new(Code::ClockWrong));
        }
        let begun = self.begin(&ticket).await?;
        let [device_key, approval_key] = self.keys(&begun.key_binding, &ticket).await?;
        let body = RegistrationRequest {
            ticket: &ticket,
            service_name: &trusted.display_name_ja,
            binding: &begun.key_binding,
            device_key: &device_key,
            approval_key: &approval_key,
            code: code.as_ref(),
            client: &self.client,
        }
        .body(&*self.device.keys, service.now())
        .await?;
        let keys = PhoneKeys {
            binding: begun.key_binding.clone(),
            device: device_key.public_key,
            approval: approval_key.public_key,
        };
        let answer = service.register(&keys, ticket.jws(), &body).await?;
        match registration::judge(answer.status, &answer.body, &ticket) {
            Ok(registered) => {
                let begun = self.keep_answer(begun, registered).await?;
                self.read_candidate(service, trusted, begun).await
            }
            Err(refusal) => {
                if is_final(&refusal) {
                    self.wipe(&begun.key_binding).await?;
                }
                Err(told(refusal, answer.skew))
            }
        }
    }

    /// The registration that waits for the doctor's confirmation, read anew from the service; `None` when there is
    /// none. For an app that was ended between registering and confirming.
    ///
    /// # Errors
    /// As [`Agent::register`] after the service's answer.
    pub async fn candidate(&self) -> Result<Option<Candidate>, AgentError> {
        let Some(begun) = self.with_state(load_begun).await?.filter(|b| b.answer.is_some()) else {
            return Ok(None);
        };
        let trusted = self.trusted(&begun.issuer)?;
        let service = self.discover(trusted).await?;
        self.read_candidate(service, trusted, begun).await.map(Some)
    }

    /// The doctor has said "this is me": the binding is in force from here on.
    ///
    /// # Errors
    /// [`Code::StorageFailed`], [`Code::SecretStoreUnavailable`].
    pub async fn confirm(&self, candidate: Candidate) -> Result<(), AgentError> {
        let Candidate { binding, replaced, session, .. } = candidate;
        let stored = binding.to_json()?;
        self.note_once(record::registered(&binding, replaced)?).await?;
        self.with_state(move |state| {
            state.write(BINDING, &stored)?;
            Ok(state.remove(BEGUN)?)
        })
        .await?;
        *self.bound.lock().await = Some(Bound { binding, session: Some(session) });
        Ok(())
    }

    /// The doctor has said "this is not me": the phone is unregistered and its keys are wiped.
    ///
    /// # Errors
    /// The errors of the wire; then it can be repeated through [`Agent::candidate`].
    pub async fn reject(&self, candidate: Candidate) -> Result<(), AgentError> {
        let Candidate { binding, session, .. } = candidate;
        let key_binding = binding.key_alias(KeyRole::Device).binding;
        let service = session.service.service();
        self.remove_registration(service, binding.registration_client_uri(), &key_binding).await?;
        self.wipe(&key_binding).await
    }

    /// The ticket, verified offline. One that seems to have expired is genuine all the same, so its service may be
    /// asked what time it is: perhaps only the phone's clock is wrong.
    async fn ticket(&self, qr_text: &str) -> Result<Ticket, AgentError> {
        let expired = match Ticket::parse(qr_text, &self.trust, self.device.clock.now()) {
            Err(TicketError::Expired { at }) => at,
            parsed => return Ok(parsed?),
        };
        let ticket = Ticket::parse(qr_text, &self.trust, expired - Duration::SECOND)?;
        let skew = self.discover(self.trusted(ticket.issuer())?).await.ok().and_then(|s| s.clock_skew());
        let code = if skew.is_some_and(is_wrong) { Code::ClockWrong } else { Code::TicketExpired };
        Err(AgentError::new(code).caused_by(TicketError::Expired { at: expired }))
    }

    /// The note of this ticket's registration: the one that was begun, or a new one in place of another ticket's.
    async fn begin(&self, ticket: &Ticket) -> Result<Begun, AgentError> {
        if let Some(begun) = self.with_state(load_begun).await? {
            if begun.issuer == ticket.issuer() && begun.ticket == ticket.jti() {
                return Ok(begun);
            }
            self.wipe(&begun.key_binding).await?;
        }
        let mut name = [0; 16];
        self.device.random.fill(&mut name);
        let begun = Begun {
            issuer: ticket.issuer().to_owned(),
            ticket: ticket.jti().to_owned(),
            key_binding: format!("{:032x}", u128::from_be_bytes(name)),
            answer: None,
        };
        self.save_begun(&begun).await?;
        Ok(begun)
    }

    /// Device key and approval key of a registration: those that exist, or new ones.
    async fn keys(&self, binding: &str, ticket: &Ticket) -> Result<[NewKey; 2], AgentError> {
        Ok([
            self.key(binding, KeyRole::Device, ticket).await?,
            self.key(binding, KeyRole::Approval, ticket).await?,
        ])
    }

    async fn key(&self, binding: &str, role: KeyRole, ticket: &Ticket) -> Result<NewKey, AgentError> {
        let alias = KeyAlias { binding: binding.to_owned(), role };
        match self.device.keys.public_key(&alias).await {
            Ok(public_key) => Ok(NewKey { public_key, attestation: Vec::new() }),
            Err(KeyVaultError::NotFound) => {
                Ok(self.device.keys.create(&alias, ticket.attestation_challenge()).await?)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What the service says of the credential, judged: only a certificate that may prescribe makes a candidate. For
    /// any other the phone is unregistered again, so that nothing half bound stays behind. An answer that could not be read
    /// is asked for again, by [`Agent::candidate`] or with the same ticket.
    async fn read_candidate(
        &self,
        service: Service,
        trusted: &TrustedService,
        begun: Begun,
    ) -> Result<Candidate, AgentError> {
        let asked_at = service.now();
        let Some(answer) = begun.answer.clone() else { return Err(AgentError::new(Code::StateDamaged)) };
        let keys = PhoneKeys::load(&self.device, &begun.key_binding).await?;
        let session = service
            .bind(ClientIdentity {
                client_id: answer.client_id.clone(),
                binding: begun.key_binding.clone(),
                device_thumbprint: keys.device.thumbprint(),
                approval_thumbprint: keys.approval.thumbprint(),
            })
            .await?;
        let credential = session.credential(&answer.credential_id).await.map_err(AgentError::from);
        let now = unless_jumped(asked_at, session.now())?;
        let accepted = credential.and_then(|credential| {
            accepting::accept_certificate(trusted, credential.chain(), now)
                .map(|certificate| (certificate, credential.chain().to_vec()))
        });
        let (certificate, chain) = match accepted {
            Ok(accepted) => accepted,
            Err(unread) if !accepting::condemns(unread.code()) => return Err(unread),
            Err(refused) => {
                self.remove_registration(
                    session.service(),
                    &answer.registration_client_uri,
                    &begun.key_binding,
                )
                .await?;
                self.wipe(&begun.key_binding).await?;
                return Err(refused);
            }
        };
        let replaced = answer.replaced;
        let registered = Registered {
            issuer: begun.issuer,
            client_id: answer.client_id,
            registration_access_token: self.secret(secret_name(&begun.key_binding)).await?,
            registration_client_uri: answer.registration_client_uri,
            credential_id: answer.credential_id,
            replaced,
        };
        let bound_keys =
            BoundKeys { binding: &begun.key_binding, device: &keys.device, approval: &keys.approval };
        let binding = Binding::pin(&registered, &bound_keys, chain, certificate.holder().clone(), now)?;
        let session = Session { since: now, service: Arc::new(session) };
        Ok(Candidate { binding, service_name_ja: trusted.display_name_ja.clone(), replaced, session })
    }

    /// RFC 7592 §2.3. A service that no longer knows the phone has nothing to remove: that is no error. Nor is it one
    /// that the phone has lost what it needs to ask, by a wipe that was interrupted or a change of biometrics: it has
    /// nothing left to act with either, and its next registration replaces this one.
    pub(super) async fn remove_registration(
        &self,
        service: &Service,
        uri: &str,
        key_binding: &str,
    ) -> Result<(), AgentError> {
        let keys = match PhoneKeys::load(&self.device, key_binding).await {
            Err(ServiceError::Keys(KeyVaultError::NotFound | KeyVaultError::Invalidated)) => return Ok(()),
            loaded => loaded?,
        };
        let Some(token) = self.find_secret(secret_name(key_binding)).await? else { return Ok(()) };
        let answer = service.unregister(&keys, uri, &token).await?;
        match registration::judge_unregistration(answer.status, &answer.body) {
            Ok(_) => Ok(()),
            Err(refusal) => Err(told(refusal, answer.skew)),
        }
    }

    /// Destroys everything of a binding: keys, secrets, prescriptions in the outbox, and last the notes, so that a
    /// crash on the way is continued.
    pub(super) async fn wipe(&self, key_binding: &str) -> Result<(), AgentError> {
        for role in [KeyRole::Device, KeyRole::Approval] {
            self.device.keys.delete(&KeyAlias { binding: key_binding.to_owned(), role }).await?;
        }
        let secrets = Arc::clone(&self.device.secrets);
        let name = secret_name(key_binding);
        blocking(move || Ok(secrets.delete(&name)?)).await?;
        self.with_state(|state| {
            Item::clear(state)?;
            last_inbox::clear(state)?;
            state.remove(BEGUN)?;
            Ok(state.remove(BINDING)?)
        })
        .await
    }

    async fn keep_answer(&self, mut begun: Begun, registered: Registered) -> Result<Begun, AgentError> {
        let secrets = Arc::clone(&self.device.secrets);
        let name = secret_name(&begun.key_binding);
        let token = registered.registration_access_token;
        blocking(move || Ok(secrets.set(&name, &token)?)).await?;
        begun.answer = Some(Answer {
            client_id: registered.client_id,
            registration_client_uri: registered.registration_client_uri,
            credential_id: registered.credential_id,
            replaced: registered.replaced,
        });
        self.save_begun(&begun).await?;
        Ok(begun)
    }

    async fn secret(&self, name: String) -> Result<Secret, AgentError> {
        self.find_secret(name).await?.ok_or_else(|| AgentError::new(Code::StateDamaged))
    }

    async fn find_secret(&self, name: String) -> Result<Option<Secret>, AgentError> {
        let secrets = Arc::clone(&self.device.secrets);
        blocking(move || Ok(secrets.get(&name)?)).await
    }

    async fn save_begun(&self, begun: &Begun) -> Result<(), AgentError> {
        let stored =
            serde_json::to_vec(begun).map_err(|e| AgentError::new(Code::StorageFailed).caused_by(e))?;
        self.with_state(move |state| Ok(state.write(BEGUN, &stored)?)).await
    }
}

/// What a refusal means: a proof that is refused for its time tells of a clock that has jumped since the service was found.
fn told(refusal: RegistrationRefusal, skew: Option<Duration>) -> AgentError {
    use RegistrationRefusal::{InvalidApprovalProof, InvalidDpopProof};
    if matches!(refusal, InvalidDpopProof | InvalidApprovalProof) && skew.is_some_and(is_wrong) {
        return AgentError::new(Code::ClockWrong).caused_by(refusal);
    }
    refusal.into()
}

/// Whether a ticket can never be used again by this phone, so that the keys made for it are worthless.
fn is_final(refusal: &RegistrationRefusal) -> bool {
    matches!(
        refusal,
        RegistrationRefusal::TicketLocked
            | RegistrationRefusal::TicketExpired
            | RegistrationRefusal::TicketUsed
            | RegistrationRefusal::TicketUnknown
    )
}

fn load_begun(state: &State) -> Result<Option<Begun>, AgentError> {
    let Some(stored) = state.read(BEGUN)? else { return Ok(None) };
    serde_json::from_slice(&stored).map(Some).map_err(|e| AgentError::new(Code::StateDamaged).caused_by(e))
}

pub(super) fn is_unconfirmed(state: &State) -> Result<bool, AgentError> {
    Ok(load_begun(state)?.is_some_and(|begun| begun.answer.is_some()))
}

/// Where a binding is in force no registration waits: the note of its own is what a crash left of [`Agent::confirm`].
pub(super) fn forget_begun(state: &State) -> Result<(), AgentError> {
    Ok(state.remove(BEGUN)?)
}

pub(super) fn load_binding(state: &State) -> Result<Option<Binding>, AgentError> {
    let Some(stored) = state.read(BINDING)? else { return Ok(None) };
    Ok(Some(Binding::from_json(&stored)?))
}

/// The vault's names of the keys of whatever registrations can still be read.
pub(super) fn key_bindings(state: &State) -> Vec<String> {
    let bound = load_binding(state).ok().flatten().map(|b| b.key_alias(KeyRole::Device).binding);
    let begun = load_begun(state).ok().flatten().map(|b| b.key_binding);
    bound.into_iter().chain(begun).collect()
}
