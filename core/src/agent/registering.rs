//! From a QR's text to a binding that the doctor has confirmed, and back again (protocol §3). The note of a
//! registration that has begun is written before its keys exist, so that a crash leaves neither a key without a note
//! nor a second registration: the same ticket is continued with the same keys, another ticket undoes the first.

use serde::{Deserialize, Serialize};

use super::{Agent, AgentError, Bound, Code, blocking, outbox::Item};
use crate::{
    certificate::{Certificate, Holder, SigningCertificate, build_path},
    device::{Device, KeyAlias, KeyRole, KeyVaultError, NewKey, Secret, state::State},
    journal::Event,
    registration::{self, ActivationCode, Binding, Registered, Ticket, secret_name},
    service::{BoundService, ClientIdentity, CredentialInfo, Service},
    trust::TrustedService,
};

/// The binding in force, in the state.
const BINDING: &str = "binding";
/// The registration that has begun and is not confirmed, in the state.
const BEGUN: &str = "registration";

/// A registration that has begun.
#[derive(Clone, Serialize, Deserialize)]
struct Begun {
    issuer: String,
    /// `jti` of the ticket.
    ticket: String,
    /// Names the keys in the vault.
    key_binding: String,
    /// What the service answered, once it has; its secret part is in the secret store.
    registered: Option<BegunRegistered>,
}

#[derive(Clone, Serialize, Deserialize)]
struct BegunRegistered {
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
}

impl Candidate {
    /// Whose certificate it is: shown to the doctor.
    pub fn holder(&self) -> &Holder {
        &self.binding.holder
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
    /// [`Code::TicketForged`], [`Code::TicketExpired`], [`Code::ActivationCodeRequired`]. Then
    /// [`Code::WrongActivationCode`] with the tries left, [`Code::TicketLocked`], [`Code::TicketUsed`],
    /// [`Code::ClockWrong`], the refusals of the certificate (the phone is unregistered again then), those of the
    /// phone's keys, and the errors of the wire.
    pub async fn register(&self, qr_text: &str, code: Option<ActivationCode>) -> Result<Candidate, AgentError> {
        if self.bound.lock().await.is_some() {
            return Err(AgentError::new(Code::AlreadyRegistered));
        }
        let ticket = Ticket::parse(qr_text, &self.trust, self.device.clock.now())?;
        if ticket.needs_activation_code() && code.is_none() {
            return Err(AgentError::new(Code::ActivationCodeRequired));
        }
        let trusted = self.trusted(ticket.issuer())?;
        let service = self.discover(trusted).await?;
        let begun = self.begin(&ticket).await?;
        let (device_key, approval_key) = self.keys(&begun.key_binding, &ticket).await?;

        let request = registration::request(
            &ticket,
            &*self.device.keys,
            &begun.key_binding,
            &device_key,
            &approval_key,
            code.as_ref(),
            &self.client,
            &trusted.display_name_ja,
            self.device.clock.now(),
        )
        .await?;
        let answer = service.register(&ticket, &begun.key_binding, request).await?;
        let registered = match registration::judge(answer.status, &answer.body, &ticket) {
            Ok(registered) => registered,
            Err(refusal) => {
                if refusal.is_final() {
                    self.undo(&begun).await?;
                }
                return Err(mapping_clock(refusal.into(), answer.clock_is_wrong()));
            }
        };
        let begun = self.keep_registered(begun, registered).await?;
        self.read_candidate(&service, trusted, begun).await
    }

    /// The registration that waits for the doctor's confirmation, read anew from the service; `None` when there is
    /// none. For an app that was ended between registering and confirming.
    ///
    /// # Errors
    /// As [`Agent::register`] after the service's answer.
    pub async fn candidate(&self) -> Result<Option<Candidate>, AgentError> {
        let Some(begun) = self.with_state(load_begun).await?.filter(|b| b.registered.is_some()) else {
            return Ok(None);
        };
        let trusted = self.trusted(&begun.issuer)?;
        let service = self.discover(trusted).await?;
        self.read_candidate(&service, trusted, begun).await.map(Some)
    }

    /// The doctor has said "this is me": the binding is in force from here on.
    ///
    /// # Errors
    /// [`Code::StorageFailed`], [`Code::SecretStoreUnavailable`].
    pub async fn confirm(&self, candidate: Candidate) -> Result<(), AgentError> {
        let binding = candidate.binding;
        let stored = binding.to_json();
        self.with_state(move |state| {
            state.write(BINDING, &stored)?;
            Ok(state.remove(BEGUN)?)
        })
        .await?;
        self.note(Event::registered(&binding)).await?;
        *self.bound.lock().await = Some(Bound { binding, session: None });
        Ok(())
    }

    /// The doctor has said "this is not me": the phone is unregistered and its keys are wiped.
    ///
    /// # Errors
    /// The errors of the wire; then it can be repeated through [`Agent::candidate`].
    pub async fn reject(&self, candidate: Candidate) -> Result<(), AgentError> {
        let service = self.discover(self.trusted(&candidate.binding.issuer)?).await?;
        self.remove_registration(&service, &candidate.binding.registration_client_uri, &candidate.binding.key_binding)
            .await?;
        self.wipe(&candidate.binding.key_binding).await
    }

    /// The note of this ticket's registration: the one that was begun, or a new one in place of another ticket's.
    async fn begin(&self, ticket: &Ticket) -> Result<Begun, AgentError> {
        if let Some(begun) = self.with_state(load_begun).await? {
            if begun.issuer == ticket.issuer() && begun.ticket == ticket.jti() {
                return Ok(begun);
            }
            self.undo(&begun).await?;
        }
        let mut name = [0; 16];
        self.device.random.fill(&mut name);
        let begun = Begun {
            issuer: ticket.issuer().to_owned(),
            ticket: ticket.jti().to_owned(),
            key_binding: name.iter().map(|b| format!("{b:02x}")).collect(),
            registered: None,
        };
        self.save_begun(&begun).await?;
        Ok(begun)
    }

    /// Both keys of a registration: those that exist, or new ones.
    async fn keys(&self, binding: &str, ticket: &Ticket) -> Result<(NewKey, NewKey), AgentError> {
        let challenge = ticket.attestation_challenge();
        let mut keys = Vec::with_capacity(2);
        for role in [KeyRole::Device, KeyRole::Approval] {
            let alias = KeyAlias { binding: binding.to_owned(), role };
            keys.push(match self.device.keys.public_key(&alias).await {
                Ok(public_key) => NewKey { public_key, attestation: Vec::new() },
                Err(KeyVaultError::NotFound) => self.device.keys.create(&alias, challenge).await?,
                Err(error) => return Err(error.into()),
            });
        }
        let approval = keys.pop();
        let device = keys.pop();
        device.zip(approval).ok_or_else(|| AgentError::new(Code::KeyVaultFailed))
    }

    async fn keep_registered(&self, mut begun: Begun, registered: Registered) -> Result<Begun, AgentError> {
        begun.registered = Some(BegunRegistered {
            client_id: registered.client_id,
            registration_client_uri: registered.registration_client_uri,
            credential_id: registered.credential_id,
            replaced: registered.replaced,
        });
        self.set_secret(secret_name(&begun.key_binding), registered.registration_access_token).await?;
        self.save_begun(&begun).await?;
        Ok(begun)
    }
}

impl Agent {
    /// What the service says of the credential, judged: only a certificate that may prescribe makes a candidate. For
    /// any other the phone is unregistered again, so that nothing half bound stays behind.
    async fn read_candidate(
        &self,
        service: &Service,
        trusted: &TrustedService,
        begun: Begun,
    ) -> Result<Candidate, AgentError> {
        let Some(registered) = &begun.registered else { return Err(AgentError::new(Code::StateDamaged)) };
        let identity = self.identity(&registered.client_id, &begun.key_binding).await?;
        let session = service.clone().bind(identity.clone());
        let credential = session.credential(&registered.credential_id).await?;
        let certificate = match accept_certificate(trusted, &credential.chain, self.device.clock.now()) {
            Ok(certificate) => certificate,
            Err(refused) => {
                self.remove_registration(service, &registered.registration_client_uri, &begun.key_binding).await?;
                self.undo(&begun).await?;
                return Err(refused);
            }
        };
        Ok(Candidate {
            binding: Binding::pin(),
            service_name_ja: trusted.display_name_ja.clone(),
            replaced: registered.replaced,
        })
    }

    async fn identity(&self, client_id: &str, key_binding: &str) -> Result<ClientIdentity, AgentError> {
        Ok(ClientIdentity { client_id: client_id.to_owned(), key_binding: key_binding.to_owned() })
    }

    /// RFC 7592 §2.3. A service that no longer knows the phone has nothing to remove: that is no error.
    pub(super) async fn remove_registration(
        &self,
        service: &Service,
        uri: &str,
        key_binding: &str,
    ) -> Result<(), AgentError> {
        let name = secret_name(key_binding);
        let secrets = std::sync::Arc::clone(&self.device.secrets);
        let Some(token) = blocking(move || Ok(secrets.get(&name)?)).await? else { return Ok(()) };
        let answer = service.unregister(uri, key_binding, &token).await?;
        Ok(registration::judge_unregistration(answer.status, &answer.body)?)
    }

    /// Undoes a registration that was not confirmed.
    async fn undo(&self, begun: &Begun) -> Result<(), AgentError> {
        self.wipe(&begun.key_binding).await
    }

    /// Destroys everything of a binding: keys, secrets, prescriptions in the outbox, and last the notes, so that a
    /// crash on the way is continued.
    pub(super) async fn wipe(&self, key_binding: &str) -> Result<(), AgentError> {
        for role in [KeyRole::Device, KeyRole::Approval] {
            self.device.keys.delete(&KeyAlias { binding: key_binding.to_owned(), role }).await?;
        }
        let name = secret_name(key_binding);
        let secrets = std::sync::Arc::clone(&self.device.secrets);
        blocking(move || Ok(secrets.delete(&name)?)).await?;
        self.with_state(|state| {
            Item::clear(state)?;
            state.remove(BEGUN)?;
            Ok(state.remove(BINDING)?)
        })
        .await
    }

    async fn set_secret(&self, name: String, secret: Secret) -> Result<(), AgentError> {
        let secrets = std::sync::Arc::clone(&self.device.secrets);
        blocking(move || Ok(secrets.set(&name, &secret)?)).await
    }

    async fn save_begun(&self, begun: &Begun) -> Result<(), AgentError> {
        let stored = serde_json::to_vec(begun).map_err(|e| AgentError::new(Code::StorageFailed).caused_by(e))?;
        self.with_state(move |state| Ok(state.write(BEGUN, &stored)?)).await
    }
}

fn load_begun(state: &State) -> Result<Option<Begun>, AgentError> {
    let Some(stored) = state.read(BEGUN)? else { return Ok(None) };
    serde_json::from_slice(&stored).map(Some).map_err(|e| AgentError::new(Code::StateDamaged).caused_by(e))
}

pub(super) fn is_unconfirmed(state: &State) -> Result<bool, AgentError> {
    Ok(load_begun(state)?.is_some_and(|begun| begun.registered.is_some()))
}

pub(super) fn load_binding(state: &State) -> Result<Option<Binding>, AgentError> {
    let Some(stored) = state.read(BINDING)? else { return Ok(None) };
    Binding::from_json(&stored).map(Some).map_err(|e| AgentError::new(Code::StateDamaged).caused_by(e))
}

/// The leaf of a chain (DER, leaf first), if it has the profile of a prescriber's certificate and leads to a root that
/// the app trusts for this service. Revocation is the service's to say here (`cert.status`, judged before).
pub(super) fn accept_certificate(
    trusted: &TrustedService,
    chain: &[Vec<u8>],
    now: time::OffsetDateTime,
) -> Result<SigningCertificate, AgentError> {
    let parse = |der: &Vec<u8>| Certificate::from_der(der);
    let mut chain = chain.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let roots = trusted.hpki_roots.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    if chain.is_empty() {
        return Err(AgentError::new(Code::CertificateInvalid));
    }
    let leaf = chain.remove(0);
    build_path(&leaf, &chain, &roots, now)?;
    Ok(SigningCertificate::check(leaf, &trusted.prescriber_roles, now)?)
}
