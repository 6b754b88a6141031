//! The Rust side of `CostTest.kt`: the same calls without a boundary, run in turns with those in Kotlin.
//!
//!   cost scan LUMA WIDTH HEIGHT              one frame, again and again
//!   cost approve TRUST FOLDER QR-TEXT CODE   registers; then approves all that waits, again and again
//!
//! Each line that comes in is one turn; each line that goes out is what its call took, in nanoseconds: of the thread's own time for
//! a frame, which is computed on it, and of everybody's for an approval.

use std::{
    error::Error,
    io::{self, BufRead, Write},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use hpki_agent::{
    agent::{Agent, Delivery, Options},
    device::{
        Device, KeyVaultError, Prompt, SystemClock, SystemRandom,
        desktop::{DesktopKeyVault, KeyringStore, UserVerification},
    },
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
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(approve(trust, folder, qr_text, code))
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
    let agent = open(trust, folder)?;
    agent.confirm(agent.register(qr_text, Some(ActivationCode::parse(code)?)).await?).await?;
    tell(Duration::ZERO)?;
    for turn in io::stdin().lock().lines() {
        turn?;
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

/// An agent with keys and secrets in memory, as the Kotlin side has them.
fn open(trust: &str, folder: &str) -> Result<Agent, Failure> {
    let secrets = Arc::new(KeyringStore::new(keyring_core::mock::Store::new()?));
    Ok(Agent::open(Options {
        trust: TrustConfiguration::from_json(&std::fs::read(trust)?)?,
        client: ClientInfo {
            software_id: "jp.hpki.agent.cost".into(),
            software_version: "1".into(),
            client_name: "cost".into(),
        },
        device: Device {
            keys: Arc::new(DesktopKeyVault::new(secrets.clone(), Arc::new(AlwaysThere))),
            secrets,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            data_dir: PathBuf::from(folder),
        },
    })?)
}

struct AlwaysThere;

impl UserVerification for AlwaysThere {
    fn verify(&self, _: &Prompt) -> Result<(), KeyVaultError> {
        Ok(())
    }
}
