//! A phone as a process of its own, whose memory, log and files can be looked into. It reads one command a line, JSON,
//! and answers each with a line: what came of it. What a platform keeps for an app, keys and small secrets, lies in files of
//! the folder `keychain`, and is in this process only while it is used.

use std::{
    alloc::System,
    fs::File,
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use hpki_agent::{
    agent::{Agent, AgentError, Options},
    device::{
        Device, KeyVaultError, Prompt, Secret, SecretStore, SecretStoreError, SystemClock, SystemRandom,
        desktop::{DesktopKeyVault, UserVerification},
    },
    registration::{ActivationCode, ClientInfo},
    trust::TrustConfiguration,
};
use serde_json::Value;
use tracing_subscriber::filter::LevelFilter;
use zeroizing_alloc::ZeroAlloc;

/// As the library for phones and the command line have it: what TLS, HTTP and JSON leave in memory that they give back is
/// wiped too.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// Whoever holds the phone says yes.
struct Yes;

impl UserVerification for Yes {
    fn verify(&self, _: &Prompt) -> Result<(), KeyVaultError> {
        Ok(())
    }
}

/// The platform's store.
struct Keychain(PathBuf);

impl SecretStore for Keychain {
    fn get(&self, name: &str) -> Result<Option<Secret>, SecretStoreError> {
        Ok(std::fs::read(self.0.join(name)).ok().map(Secret::new))
    }
    fn set(&self, name: &str, secret: &Secret) -> Result<(), SecretStoreError> {
        let written = std::fs::write(self.0.join(name), secret.expose());
        written.map_err(|error| SecretStoreError::Failed(error.to_string()))
    }
    fn delete(&self, name: &str) -> Result<(), SecretStoreError> {
        let _ = std::fs::remove_file(self.0.join(name)); // absent is no error
        Ok(())
    }
}

#[tokio::main]
async fn main() {
    let folder = std::env::args().nth(1).expect("a folder");
    let folder = Path::new(&folder);
    let log = File::create(folder.join("phone/log")).expect("a log");
    // Everything that anybody in this process has to say
    tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_ansi(false).with_writer(log).init();
    let agent = open(folder);
    // Read without a buffer, which would keep what passes through it.
    let mut commands = File::open("/dev/stdin").expect("commands");
    while let Some(command) = line(&mut commands) {
        let outcome = run(&agent, &command).await.map_err(|error| {
            tracing::error!(?error, source = ?std::error::Error::source(&error), "{error}");
            error.code().as_str()
        });
        drop(command);
        println!("{}", outcome.err().unwrap_or("done"));
        std::io::stdout().flush().expect("somebody listens");
    }
}

fn open(folder: &Path) -> Agent {
    let keychain = Arc::new(Keychain(folder.join("keychain")));
    let trust = std::fs::read(folder.join("trust.json")).expect("a trust configuration");
    let client = ClientInfo {
        software_id: "attacks".into(),
        software_version: "1".into(),
        client_name: "検証用の端末".into(),
    };
    let device = Device {
        keys: Arc::new(DesktopKeyVault::new(keychain.clone(), Arc::new(Yes))),
        secrets: keychain,
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        data_dir: folder.join("phone/data"),
    };
    let trust = TrustConfiguration::from_json(&trust).expect("a sound one");
    Agent::open(Options { trust, client, device }).expect("an agent")
}

fn line(from: &mut File) -> Option<Value> {
    let mut line = Vec::with_capacity(4096);
    let mut byte = [0];
    while from.read(&mut byte).ok()? == 1 {
        if byte == *b"\n" {
            return serde_json::from_slice(&line).ok();
        }
        line.push(byte[0]);
    }
    None
}

async fn run(agent: &Agent, command: &Value) -> Result<(), AgentError> {
    let text = |name: &str| command[name].as_str().unwrap_or_default();
    match text("do") {
        "register" => {
            let code = ActivationCode::parse(text("code")).ok();
            tracing::info!(has_code = code.is_some(), "registering");
            let candidate = agent.register(text("qr"), code).await?;
            tracing::info!(holder = ?candidate.holder(), "registered");
            agent.confirm(candidate).await
        }
        "sign" => {
            let waiting = agent.inbox(Duration::ZERO).await?;
            for one in &waiting {
                tracing::info!(prescription = ?one.prescription(), requester = ?one.requester(), "waiting");
            }
            let batch = agent.prepare(waiting).await?;
            for approved in agent.approve(batch).await? {
                tracing::info!(id = approved.id, delivery = ?approved.delivery, "approved");
            }
            Ok(())
        }
        "unregister" => agent.unregister().await,
        other => panic!("{other} is no command"),
    }
}
