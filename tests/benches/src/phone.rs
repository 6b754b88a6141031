//! A phone that is bound to the reference service, to be opened again and again.

use std::{
    collections::HashMap,
    error::Error,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use hpki_agent::{
    agent::{Agent, Options, Status},
    device::{
        Device, KeyVaultError, Prompt, Secret, SecretStore, SecretStoreError, SystemClock, SystemRandom,
        desktop::{DesktopKeyVault, PassphraseStore, UserVerification},
    },
    registration::ClientInfo,
    trust::TrustConfiguration,
};
use reference_service::{HolderSpec, Options as ServiceOptions, ReferenceService, TicketSpec};

type Failure = Box<dyn Error>;

/// How often the agent is opened.
pub const OPENS: usize = 101;

/// What a cold start takes.
pub struct ColdStart {
    /// The fastest of [`OPENS`], from the bytes of the trust configuration to the agent's answer that it is registered.
    pub best: Duration,
    /// The median of [`OPENS`].
    pub median: Duration,
    /// Opening the desktop's file of secrets, which derives its key slowly on purpose; a phone has no such file.
    pub passphrase: Duration,
}

/// Binds a phone, drops its agent, and measures opening it anew, without network.
///
/// # Errors
/// Whatever keeps the journey from its end.
pub async fn cold_start() -> Result<ColdStart, Failure> {
    let folder = tempfile::tempdir()?;
    let device = device(&folder.path().join("phone"));
    let trust = bind(&folder.path().join("service"), &device).await?;
    let mut taken = Vec::with_capacity(OPENS);
    for _ in 0..OPENS {
        let device = device.clone();
        let start = Instant::now();
        let agent = open(&trust, device)?;
        let status = agent.status().await?;
        taken.push(start.elapsed());
        if !matches!(status, Status::Registered { .. }) {
            return Err("the binding was not found again".into());
        }
    }
    taken.sort_unstable();

    let passphrase = Secret::new(b"a passphrase for a bench".to_vec());
    let start = Instant::now();
    PassphraseStore::open(&folder.path().join("secrets"), &passphrase, Arc::new(SystemRandom))?;
    Ok(ColdStart { best: taken[0], median: taken[OPENS / 2], passphrase: start.elapsed() })
}

/// Registers at a reference service that is gone afterwards; gives the trust configuration.
async fn bind(folder: &Path, device: &Device) -> Result<String, Failure> {
    let service = ReferenceService::start(ServiceOptions::new(folder)).await?;
    let office = service.authority();
    let doctor = office.issue(&HolderSpec::new("検証　花子", "HANAKO KENSHO", "Medical Doctor"))?;
    let ticket = office.ticket(&doctor, TicketSpec::card())?;
    let trust = service.trust_json()?;
    let agent = open(&trust, device.clone())?;
    let candidate = agent.register(&ticket.qr_text, None).await?;
    agent.confirm(candidate).await?;
    service.stop().await;
    Ok(trust)
}

fn open(trust: &str, device: Device) -> Result<Agent, Failure> {
    let client = ClientInfo {
        software_id: env!("CARGO_PKG_NAME").into(),
        software_version: env!("CARGO_PKG_VERSION").into(),
        client_name: "hpki-agent benches".into(),
    };
    Ok(Agent::open(Options { trust: TrustConfiguration::from_json(trust.as_bytes())?, client, device })?)
}

fn device(folder: &Path) -> Device {
    let secrets: Arc<dyn SecretStore> = Arc::new(InMemory::default());
    Device {
        keys: Arc::new(DesktopKeyVault::new(Arc::clone(&secrets), Arc::new(Willing))),
        secrets,
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        data_dir: folder.to_owned(),
    }
}

/// Stands in for a phone's own secret store, which answers at once.
#[derive(Default)]
struct InMemory(Mutex<HashMap<String, Vec<u8>>>);

impl SecretStore for InMemory {
    fn get(&self, name: &str) -> Result<Option<Secret>, SecretStoreError> {
        let secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(secrets.get(name).cloned().map(Secret::new))
    }

    fn set(&self, name: &str, secret: &Secret) -> Result<(), SecretStoreError> {
        let mut secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.insert(name.to_owned(), secret.expose().to_vec());
        Ok(())
    }

    fn delete(&self, name: &str) -> Result<(), SecretStoreError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(())
    }
}

/// Confirms whatever is asked.
struct Willing;

impl UserVerification for Willing {
    fn verify(&self, _: &Prompt) -> Result<(), KeyVaultError> {
        Ok(())
    }
}
