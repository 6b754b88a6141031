use std::{path::PathBuf, sync::Arc, time::Duration};

use hpki_agent::{
    agent as core,
    device::{self, Device, SystemClock, SystemRandom},
    registration,
};

use crate::{
    activation_code::ActivationCode,
    approved::Approved,
    batch::Batch,
    cancellation::{CancellationToken, unless_cancelled},
    candidate::Candidate,
    clock::{Clock, ClockShim},
    convert::Expose,
    delivery::Redelivery,
    failure::AgentError,
    inbox_watch::InboxWatch,
    journal::JournalEntry,
    key_vault::{KeyVault, VaultShim},
    last_inbox::LastInbox,
    progress::{ProgressListener, told_to},
    secret_store::{self, SecretStore, StoreShim},
    status::Status,
    trust::TrustConfiguration,
    waiting::Waiting,
    warning::Warning,
};

/// What the service is told of this app (RFC 7591); shown to the doctor in the service's list of phones.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ClientInfo {
    /// Which software, the same for every installation; at most 100 bytes.
    pub software_id: String,
    /// Its version; at most 100 bytes.
    pub software_version: String,
    /// Its name for people; at most 100 bytes of UTF-8.
    pub client_name: String,
}

/// What the phone and its app provide, as the core knows it.
fn options(
    trust: &TrustConfiguration,
    client: ClientInfo,
    data_dir: String,
    key_vault: Arc<dyn KeyVault>,
    secret_store: Option<Arc<dyn SecretStore>>,
    clock: Option<Arc<dyn Clock>>,
) -> Result<core::Options, core::AgentError> {
    let ClientInfo { software_id, software_version, client_name } = client;
    let secrets: Arc<dyn device::SecretStore> = match secret_store {
        Some(own) => Arc::new(StoreShim(own)),
        None => secret_store::platform()?,
    };
    let clock: Arc<dyn device::Clock> = match clock {
        Some(own) => Arc::new(ClockShim(own)),
        None => Arc::new(SystemClock),
    };
    Ok(core::Options {
        trust: trust.0.clone(),
        client: registration::ClientInfo { software_id, software_version, client_name },
        device: Device {
            keys: Arc::new(VaultShim(key_vault)),
            secrets,
            clock,
            random: Arc::new(SystemRandom),
            data_dir: PathBuf::from(data_dir),
        },
    })
}

/// Files and secret store block. A panic in there is passed on: UniFFI tells it as an internal error.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, core::AgentError> + Send + 'static,
) -> Result<T, AgentError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(died) => match died.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(AgentError::Cancelled),
        },
    }
}

/// The doctor's phone. One per data folder; a second one is refused while the first is open.
///
/// Every step may be cancelled, by dropping its future or by a token. What it had begun is then as after a crash: repeated,
/// the step continues.
#[derive(uniffi::Object)]
pub struct Agent(Arc<core::Agent>);

#[uniffi::export(async_runtime = "tokio")]
impl Agent {
    /// Opens the agent on this phone's state; no network.
    ///
    /// `data_dir` is a private folder of the app, excluded from backups, made when absent. Without `secret_store`, small
    /// secrets go to the platform's own: AndroidKeyStore (after `Keyring.initializeNdkContext`), the data protection keychain,
    /// or the desktop's. Without `clock` it is the phone's.
    ///
    /// Failures: `StateBusy`, `SecretStoreUnavailable`, `StateDamaged`, `StorageFailed`, `JournalTampered`.
    #[uniffi::constructor(default(secret_store = None, clock = None))]
    pub async fn open(
        trust: Arc<TrustConfiguration>,
        client: ClientInfo,
        data_dir: String,
        key_vault: Arc<dyn KeyVault>,
        secret_store: Option<Arc<dyn SecretStore>>,
        clock: Option<Arc<dyn Clock>>,
    ) -> Result<Arc<Self>, AgentError> {
        let opening =
            move || core::Agent::open(options(&trust, client, data_dir, key_vault, secret_store, clock)?);
        Ok(Arc::new(Self(Arc::new(blocking(opening).await?))))
    }

    /// As `open`, except that a registration which cannot be used any more (`StateDamaged`, `JournalTampered`) is given up:
    /// keys and state are erased, and a record that does not hold is kept under another name. To be called when the doctor
    /// registers again. Nothing is given up on a phone that opens; no network.
    ///
    /// Failures: `StateBusy`, `SecretStoreUnavailable`, `StorageFailed`, `KeyVaultFailed`.
    #[uniffi::constructor(default(secret_store = None, clock = None))]
    pub async fn start_over(
        trust: Arc<TrustConfiguration>,
        client: ClientInfo,
        data_dir: String,
        key_vault: Arc<dyn KeyVault>,
        secret_store: Option<Arc<dyn SecretStore>>,
        clock: Option<Arc<dyn Clock>>,
    ) -> Result<Arc<Self>, AgentError> {
        let options =
            blocking(move || options(&trust, client, data_dir, key_vault, secret_store, clock)).await?;
        Ok(Arc::new(Self(Arc::new(core::Agent::start_over(options).await?))))
    }

    /// Where this phone stands; no network.
    pub async fn status(&self) -> Result<Status, AgentError> {
        Ok(self.0.status().await?.expose())
    }

    /// Registers this phone with the text of a registration QR and, where its ticket asks for one, the activation code. What
    /// comes back is to be shown to the doctor, then confirmed or rejected. Repeating with the same ticket continues the same
    /// registration.
    ///
    /// Failures: before any request `AlreadyRegistered`, `NotATicket`, `UnknownIssuer`, `TicketForged`,
    /// `ActivationCodeRequired`; then `WrongActivationCode` with the tries left, `TicketExpired`, `TicketLocked`, `TicketUsed`,
    /// `ClockWrong`, the refusals of the certificate, those of the phone's keys, and those of the wire.
    #[uniffi::method(default(activation_code = None, progress = None, cancellation = None))]
    pub async fn register(
        &self,
        qr_text: String,
        activation_code: Option<Arc<ActivationCode>>,
        progress: Option<Arc<dyn ProgressListener>>,
        cancellation: Option<Arc<CancellationToken>>,
    ) -> Result<Arc<Candidate>, AgentError> {
        let code = activation_code.map(|code| code.to_core()).transpose()?;
        let work = Box::pin(told_to(progress, self.0.register(&qr_text, code)));
        Ok(Candidate::new(unless_cancelled(cancellation, work).await?))
    }

    /// The registration that waits for the doctor's confirmation, read anew from the service; none when there is none. For an
    /// app that was ended between registering and confirming.
    #[uniffi::method(default(cancellation = None))]
    pub async fn candidate(
        &self,
        cancellation: Option<Arc<CancellationToken>>,
    ) -> Result<Option<Arc<Candidate>>, AgentError> {
        Ok(unless_cancelled(cancellation, self.0.candidate()).await?.map(Candidate::new))
    }

    /// The doctor has said "this is me": the binding is in force from here on. Uses the candidate up.
    pub async fn confirm(&self, candidate: Arc<Candidate>) -> Result<(), AgentError> {
        Ok(self.0.confirm(candidate.take()?).await?)
    }

    /// The doctor has said "this is not me": the phone is unregistered and its keys are wiped. Uses the candidate up; after a
    /// failure of the wire, `candidate` gives it again.
    pub async fn reject(&self, candidate: Arc<Candidate>) -> Result<(), AgentError> {
        Ok(self.0.reject(candidate.take()?).await?)
    }

    /// What waits for this doctor, oldest first. `wait`: how long the service may hold its answer back until something arrives,
    /// 0 to 25 seconds. A document that is damaged or refused is listed with its reasons.
    ///
    /// Failures: `NotRegistered`, `PhoneUnbound` (the keys are wiped then), and those of the wire.
    #[uniffi::method(default(cancellation = None))]
    pub async fn inbox(
        &self,
        wait: Duration,
        cancellation: Option<Arc<CancellationToken>>,
    ) -> Result<Vec<Arc<Waiting>>, AgentError> {
        let waiting = unless_cancelled(cancellation, self.0.inbox(wait)).await?;
        Ok(waiting.into_iter().map(Waiting::new).collect())
    }

    /// The inbox as it was when it was last read, by `inbox` or a watch; no network. For a phone that is offline: none before
    /// the first reading.
    ///
    /// Failures: `NotRegistered`, `StateDamaged`, `StorageFailed`.
    pub async fn last_inbox(&self) -> Result<Option<LastInbox>, AgentError> {
        Ok(self.0.last_inbox().await?.map(LastInbox::from))
    }

    /// Watches the inbox: see `InboxWatch`.
    pub fn watch_inbox(&self) -> Arc<InboxWatch> {
        InboxWatch::new(Arc::clone(&self.0))
    }

    /// A prescription that the app brings itself: the XML envelope without signature, or the bare `SJ1` CSV.
    ///
    /// Failures: `NotRegistered`, `DocumentRefused` with all violations.
    pub async fn open_document(&self, file: Vec<u8>, label: String) -> Result<Arc<Waiting>, AgentError> {
        Ok(Waiting::new(self.0.open_document(&file, &label).await?))
    }

    /// Makes prescriptions ready for approval: the certificate is read anew and must be the one that the doctor confirmed. Uses
    /// them up, also when it fails: what waits is still in the inbox.
    ///
    /// Failures: `BatchEmpty`, `BatchTooLarge`, `BatchSigningOff`, `DocumentRefused`, `RequestDamaged`, `CertificateChanged`,
    /// `CredentialDisabled`, the refusals of the certificate, and those of the wire. Nothing was signed then.
    #[uniffi::method(default(cancellation = None))]
    pub async fn prepare(
        &self,
        waiting: Vec<Arc<Waiting>>,
        cancellation: Option<Arc<CancellationToken>>,
    ) -> Result<Arc<Batch>, AgentError> {
        let waiting = Waiting::take_all(&waiting)?;
        Ok(Batch::new(unless_cancelled(cancellation, self.0.prepare(waiting)).await?))
    }

    /// One act: the doctor is verified by the phone, the service is asked twice, every signature is verified, every file
    /// assembled and verified again, then delivered. Uses the batch up.
    ///
    /// Failures: `SessionEnded`, `UserCancelled`, `KeysInvalidated`, `BiometricsLocked` (nothing was signed), `SignatureRefused`,
    /// `SignatureWrong`, and those of the wire: nothing is handed out; a repeat needs a new approval and signs the same bytes.
    /// A failed delivery is no failure: see `Approved.delivery`.
    #[uniffi::method(default(progress = None, cancellation = None))]
    pub async fn approve(
        &self,
        batch: Arc<Batch>,
        progress: Option<Arc<dyn ProgressListener>>,
        cancellation: Option<Arc<CancellationToken>>,
    ) -> Result<Vec<Arc<Approved>>, AgentError> {
        let work = Box::pin(told_to(progress, self.0.approve(batch.take()?)));
        let approved = unless_cancelled(cancellation, work).await?;
        Ok(approved.into_iter().map(Approved::new).collect())
    }

    /// Tells the requester that the doctor will not sign. `reason` is the doctor's own words to the clinic; its first
    /// 200 characters are sent, never kept. Uses the waiting prescription up.
    ///
    /// Failures: `AlreadyAnswered`, `RequestGone`, `PhoneUnbound`, and those of the wire.
    #[uniffi::method(default(cancellation = None))]
    pub async fn decline(
        &self,
        waiting: Arc<Waiting>,
        reason: String,
        cancellation: Option<Arc<CancellationToken>>,
    ) -> Result<(), AgentError> {
        unless_cancelled(cancellation, self.0.decline(waiting.take()?, &reason)).await
    }

    /// Hands signed files to the service that it has not yet taken; for an app's start and for the return of the network.
    /// Returns what became of each; one that is `Pending` still waits for the next time.
    #[uniffi::method(default(cancellation = None))]
    pub async fn deliver_pending(
        &self,
        cancellation: Option<Arc<CancellationToken>>,
    ) -> Result<Vec<Redelivery>, AgentError> {
        Ok(unless_cancelled(cancellation, self.0.deliver_pending()).await?.expose())
    }

    /// Removes this phone from the service and wipes keys, secrets and binding.
    ///
    /// Failures: `NotRegistered`, and those of the wire; nothing is wiped then.
    #[uniffi::method(default(cancellation = None))]
    pub async fn unregister(&self, cancellation: Option<Arc<CancellationToken>>) -> Result<(), AgentError> {
        unless_cancelled(cancellation, self.0.unregister()).await
    }

    /// The record of what was approved, declined and refused, verified, oldest first. Failures: `JournalTampered`.
    pub async fn journal(&self) -> Result<Vec<JournalEntry>, AgentError> {
        Ok(self.0.journal().await?.expose())
    }

    /// The same as a file, JSON lines, for `verify_journal_export`. Failures: `JournalTampered`.
    pub async fn export_journal(&self) -> Result<Vec<u8>, AgentError> {
        Ok(self.0.export_journal().await?)
    }

    /// What the doctor should know while everything still works: a certificate that ends soon, a clock that is wrong. No network.
    pub async fn warnings(&self) -> Vec<Warning> {
        self.0.warnings().await.expose()
    }

    /// Whether several prescriptions may be approved in one act. On unless the doctor switched it off.
    pub async fn batch_signing(&self) -> Result<bool, AgentError> {
        Ok(self.0.batch_signing().await?)
    }

    /// Switches batch signing on or off, for this phone and for good.
    pub async fn set_batch_signing(&self, on: bool) -> Result<(), AgentError> {
        Ok(self.0.set_batch_signing(on).await?)
    }
}
