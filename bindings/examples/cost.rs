//! The Rust side of `CostTest.kt`: the same calls without a boundary, run in turns with those in Kotlin.
//!
//!   cost scan LUMA WIDTH HEIGHT              one frame, again and again
//!   cost approve TRUST FOLDER QR-TEXT CODE   registers; then approves all that waits, again and again
//!
//! Each line that comes in is one turn, and says what a signature of the key vault takes at least, in nanoseconds; each line that
//! goes out is what its call took, in nanoseconds: of the thread's own time for a frame, which is computed on it, and of everybody's
//! for an approval.

use std::{
    error::Error,
    io::{self, BufRead, Write},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use hpki_agent::{
    agent::{Agent, Delivery, Options},
    device::{
        Device, KeyAlias, KeyVault, KeyVaultError, NewKey, Prompt, SystemClock, SystemRandom,
        desktop::{DesktopKeyVault, KeyringStore, UserVerification},
    },
    jose::PublicKey,
    registration::{ActivationCode, ClientInfo},
    scan::{Frame, Scanner},
    trust::TrustConfiguration,
};
use hpki_agent_bindings as _; // for its allocator: the work on both sides of the boundary is the same
use rustix::time::{ClockId, clock_gettime};

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["scan", luma, width, height] => scan(&std::fs::read(luma)?, width.parse()?, height.parse()?),
        ["approve", trust, folder, qr_text, code] => {
            // As behind the boundary: the network has a thread of its own.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let handle = runtime.handle().clone();
            std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
            handle.block_on(approve(trust, folder, qr_text, code))
        }
        _ => Err("cost scan LUMA WIDTH HEIGHT | cost approve TRUST FOLDER QR-TEXT CODE".into()),
    }
}

fn scan(luma: &[u8], width: usize, height: usize) -> Result<(), Failure> {
    let mut scanner = Scanner::new();
    for turn in io::stdin().lock().lines() {
        turn?;
        let began = own_time();
        let frame = Frame::new(luma, width, height, width)?;
        std::hint::black_box(scanner.scan(&frame));
        tell(own_time().saturating_sub(began))?;
    }
    Ok(())
}

async fn approve(trust: &str, folder: &str, qr_text: &str, code: &str) -> Result<(), Failure> {
    let signature = Arc::new(AtomicU64::new(0));
    let agent = open(trust, folder, signature.clone())?;
    agent.confirm(agent.register(qr_text, Some(ActivationCode::parse(code)?)).await?).await?;
    tell(Duration::ZERO)?;
    for turn in io::stdin().lock().lines() {
        signature.store(turn?.parse()?, Ordering::Relaxed);
        let batch = agent.prepare(agent.inbox(Duration::ZERO).await?).await?;
        let began = Instant::now();
        let approved = agent.approve(batch).await?;
        let took = began.elapsed();
        if !approved.iter().all(|one| matches!(one.delivery, Delivery::Delivered)) {
            return Err("not everything was delivered".into());
        }
        tell(took)?;
    }
    Ok(())
}

/// What this thread has computed so far.
fn own_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn tell(took: Duration) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", took.as_nanos())?;
    out.flush()
}

/// An agent with keys and secrets in memory, as the Kotlin side has them, and signatures that take as long as there.
fn open(trust: &str, folder: &str, signature: Arc<AtomicU64>) -> Result<Agent, Failure> {
    let secrets = Arc::new(KeyringStore::new(keyring_core::mock::Store::new()?));
    Ok(Agent::open(Options {
        trust: TrustConfiguration::from_json(&std::fs::read(trust)?)?,
        client: ClientInfo {
            software_id: "jp.hpki.agent.cost".into(),
            software_version: "1".into(),
            client_name: "cost".into(),
        },
        device: Device {
            keys: Arc::new(Unhurried {
                vault: DesktopKeyVault::new(secrets.clone(), Arc::new(AlwaysThere)),
                signature,
            }),
            secrets,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            data_dir: PathBuf::from(folder),
        },
    })?)
}

/// On a phone its hardware signs, whoever asks for it; here ring does so on this side and Java, more slowly, on the other.
struct Unhurried {
    vault: DesktopKeyVault,
    /// What a signature takes at least, in nanoseconds of computing.
    signature: Arc<AtomicU64>,
}

#[async_trait]
impl KeyVault for Unhurried {
    async fn create(&self, alias: &KeyAlias, challenge: [u8; 32]) -> Result<NewKey, KeyVaultError> {
        self.vault.create(alias, challenge).await
    }

    async fn public_key(&self, alias: &KeyAlias) -> Result<PublicKey, KeyVaultError> {
        self.vault.public_key(alias).await
    }

    async fn sign(
        &self,
        alias: &KeyAlias,
        message: &[u8],
        prompt: Option<&Prompt>,
    ) -> Result<[u8; 64], KeyVaultError> {
        let began = Instant::now();
        let signature = self.vault.sign(alias, message, prompt).await;
        let least = Duration::from_nanos(self.signature.load(Ordering::Relaxed));
        while began.elapsed() < least {
            std::hint::spin_loop();
        }
        signature
    }

    async fn delete(&self, alias: &KeyAlias) -> Result<(), KeyVaultError> {
        self.vault.delete(alias).await
    }
}

struct AlwaysThere;

impl UserVerification for AlwaysThere {
    fn verify(&self, _: &Prompt) -> Result<(), KeyVaultError> {
        Ok(())
    }
}
