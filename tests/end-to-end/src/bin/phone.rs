//! A phone that can be killed: each run is one start of the app, does one step, and ends. Folder first, then the step:
//! `register QR [CODE]`, `sign`, `decline`, `unregister`, `journal`. Whatever an earlier run left is continued first, as an
//! app does it. Ends with 0, or with 1 and the code of the error on stderr.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use hpki_agent::{
    agent::{Agent, AgentError, Delivery, Options, Status},
    device::{
        Device, KeyVaultError, Prompt, Secret, SecretStore, SecretStoreError, SystemClock, SystemRandom,
        desktop::{DesktopKeyVault, PassphraseStore, UserVerification},
    },
    registration::{ActivationCode, ClientInfo},
    trust::TrustConfiguration,
};

/// Each secret in a file of its own, replaced atomically: what a platform's store does, without its cost.
struct Folder(PathBuf);

impl Folder {
    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let whole = self.0.join(name);
        let partial = whole.with_extension("partial");
        let mut file = fs::File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(partial, whole)?;
        fs::File::open(&self.0)?.sync_all()
    }
}

fn or_absent<T>(done: io::Result<T>) -> Result<Option<T>, SecretStoreError> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(SecretStoreError::Failed(error.to_string())),
    }
}

impl SecretStore for Folder {
    fn get(&self, name: &str) -> Result<Option<Secret>, SecretStoreError> {
        Ok(or_absent(fs::read(self.0.join(name)))?.map(Secret::new))
    }
    fn set(&self, name: &str, secret: &Secret) -> Result<(), SecretStoreError> {
        self.replace(name, secret.expose()).map_err(|error| SecretStoreError::Failed(error.to_string()))
    }
    fn delete(&self, name: &str) -> Result<(), SecretStoreError> {
        or_absent(fs::remove_file(self.0.join(name))).map(drop)
    }
}

/// Says yes. Where a file `hold` lies beside the folder, never, but `asked` is made.
struct User(PathBuf);

impl UserVerification for User {
    fn verify(&self, _: &Prompt) -> Result<(), KeyVaultError> {
        if self.0.with_extension("hold").exists() {
            fs::write(self.0.with_extension("asked"), "").expect("a file can be made");
            std::thread::sleep(Duration::MAX);
        }
        Ok(())
    }
}

/// The desktop's own store where there is a passphrase for it.
fn secrets(place: &Path, passphrase: &Path) -> Arc<dyn SecretStore> {
    if let Ok(passphrase) = fs::read(passphrase) {
        let store = PassphraseStore::open(place, &Secret::new(passphrase), Arc::new(SystemRandom));
        return Arc::new(store.expect("the passphrase is right"));
    }
    Arc::new(Folder(place.to_owned()))
}

fn open(folder: &Path) -> Result<Agent, AgentError> {
    let secrets = secrets(&folder.join("secrets"), &folder.with_extension("passphrase"));
    let trust = fs::read(folder.with_extension("trust")).expect("there is a trust configuration");
    Agent::open(Options {
        trust: TrustConfiguration::from_json(&trust).expect("it can be read"),
        client: ClientInfo {
            software_id: "end-to-end".into(),
            software_version: "1".into(),
            client_name: "検証用の端末".into(),
        },
        device: Device {
            keys: Arc::new(DesktopKeyVault::new(Arc::clone(&secrets), Arc::new(User(folder.to_owned())))),
            secrets,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            data_dir: folder.join("data"),
        },
    })
}

async fn register(agent: &Agent, qr_text: &str, code: Option<&str>) -> Result<(), AgentError> {
    let candidate = match agent.status().await? {
        Status::Registered { .. } => return Ok(()),
        Status::AwaitingConfirmation => agent.candidate().await?,
        Status::Unregistered => None,
    };
    let candidate = match candidate {
        Some(candidate) => candidate,
        None => agent.register(qr_text, code.map(ActivationCode::parse).transpose()?).await?,
    };
    agent.confirm(candidate).await
}

/// Everything that waits, and the identifiers of what is not delivered.
async fn sign(agent: &Agent) -> Result<(), AgentError> {
    agent.deliver_pending().await?;
    let waiting = agent.inbox(Duration::ZERO).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    let batch = agent.prepare(waiting).await?;
    for approved in agent.approve(batch).await? {
        if !matches!(approved.delivery, Delivery::Delivered) {
            println!("{}", approved.id);
        }
    }
    Ok(())
}

/// Everything that waits.
async fn decline(agent: &Agent) -> Result<(), AgentError> {
    for waiting in agent.inbox(Duration::ZERO).await? {
        agent.decline(waiting, "用量を確認してください").await?;
    }
    Ok(())
}

async fn unregister(agent: &Agent) -> Result<(), AgentError> {
    match agent.status().await? {
        Status::Registered { .. } => agent.unregister().await,
        Status::AwaitingConfirmation | Status::Unregistered => Ok(()),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let step = async {
        let [folder, step @ ..] = arguments.as_slice() else { panic!("a folder and a step") };
        let agent = open(Path::new(folder))?;
        match step {
            ["register", qr_text] => register(&agent, qr_text, None).await,
            ["register", qr_text, code] => register(&agent, qr_text, Some(code)).await,
            ["sign"] => sign(&agent).await,
            ["decline"] => decline(&agent).await,
            ["unregister"] => unregister(&agent).await,
            ["journal"] => {
                let export = agent.export_journal().await?;
                print!("{}", String::from_utf8(export).expect("JSON lines"));
                Ok(())
            }
            other => panic!("no such step: {other:?}"),
        }
    };
    match step.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
