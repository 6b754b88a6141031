//! Where the command line keeps its state, how it opens the agent there, and how it reports what failed.

use std::{
    error::Error,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;
use hpki_agent::{
    agent::{Agent, AgentError, Code, Options},
    device::{
        Device, KeyVaultError, Prompt, Random, Secret, SecretStore, SystemClock, SystemRandom,
        desktop::{DesktopKeyVault, KeyringStore, PassphraseStore, UserVerification},
    },
    registration::ClientInfo,
    trust::TrustConfiguration,
};
use zeroize::Zeroizing;

/// Anything that ends a command: its text is for the person at the shell.
pub(crate) type Failure = Box<dyn Error>;

/// Options of every command that acts as the phone.
#[derive(Args)]
pub(crate) struct HomeArgs {
    /// Folder of the phone's state [default: ~/.local/share/hpki-agent].
    #[arg(long, env = "HPKI_AGENT_HOME", global = true)]
    home: Option<PathBuf>,
    /// Keep secrets in a file under this passphrase instead of the desktop's secret store.
    #[arg(long, env = "HPKI_AGENT_PASSPHRASE_FILE", global = true, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Confirm without asking. For scripts: it stands in for the fingerprint.
    #[arg(long, short = 'y', global = true)]
    pub(crate) yes: bool,
}

impl HomeArgs {
    /// A phone whose state lies in `home`, its secrets in a file under the passphrase in `passphrase_file`, and which
    /// confirms without asking.
    pub(crate) fn unattended(home: PathBuf, passphrase_file: PathBuf) -> Self {
        Self { home: Some(home), passphrase_file: Some(passphrase_file), yes: true }
    }

    fn folder(&self) -> Result<PathBuf, Failure> {
        if let Some(home) = &self.home {
            return Ok(home.clone());
        }
        let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
        let data = data.or_else(|| Some(std::env::home_dir()?.join(".local/share")));
        Ok(data.ok_or("no home folder: give --home DIR")?.join("hpki-agent"))
    }

    /// The trust configuration that `register` installed.
    pub(crate) fn trust_file(&self) -> Result<PathBuf, Failure> {
        Ok(self.folder()?.join("trust.json"))
    }

    pub(crate) fn open(&self) -> Result<Agent, Failure> {
        Ok(Agent::open(self.options()?)?)
    }

    /// For a registration: one that is stored and cannot be used any more is given up, and the user told.
    pub(crate) async fn open_to_register(&self) -> Result<Agent, Failure> {
        match Agent::open(self.options()?) {
            Err(error) if matches!(error.code(), Code::StateDamaged | Code::JournalTampered) => {
                eprintln!("{}", error.text_ja());
                Ok(Agent::start_over(self.options()?).await?)
            }
            opened => Ok(opened?),
        }
    }

    fn options(&self) -> Result<Options, Failure> {
        let file = self.trust_file()?;
        let json = std::fs::read(&file).map_err(|e| {
            format!("{}: {e}; `hpki-agent register --trust FILE` comes first", file.display())
        })?;
        let device = self.device()?;
        let client = ClientInfo {
            software_id: env!("CARGO_PKG_NAME").into(),
            software_version: env!("CARGO_PKG_VERSION").into(),
            client_name: "hpki-agent command line".into(),
        };
        Ok(Options { trust: TrustConfiguration::from_json(&json)?, client, device })
    }

    fn device(&self) -> Result<Device, Failure> {
        let folder = self.folder()?;
        std::fs::create_dir_all(&folder)?;
        let random = Arc::new(SystemRandom);
        let secrets = self.secrets(&folder, random.clone())?;
        let verification = Arc::new(AtTheShell { yes: self.yes });
        Ok(Device {
            keys: Arc::new(DesktopKeyVault::new(Arc::clone(&secrets), verification)),
            secrets,
            clock: Arc::new(SystemClock),
            random,
            data_dir: folder,
        })
    }

    fn secrets(&self, folder: &Path, random: Arc<dyn Random>) -> Result<Arc<dyn SecretStore>, Failure> {
        if let Some(file) = &self.passphrase_file {
            let text = Zeroizing::new(std::fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?);
            let passphrase = Secret::new(text.trim_ascii_end().to_vec());
            return Ok(Arc::new(PassphraseStore::open(&folder.join("secrets"), &passphrase, random)?));
        }
        if keyring::Entry::store_status().is_ok()
            && let Some(store) = keyring_core::get_default_store()
        {
            return Ok(Arc::new(KeyringStore::new(store)));
        }
        Err("no secret store runs on this desktop: give --passphrase-file FILE".into())
    }
}

/// The desktop's stand-in for a fingerprint: a person at the shell says yes.
struct AtTheShell {
    yes: bool,
}

impl UserVerification for AtTheShell {
    fn verify(&self, prompt: &Prompt) -> Result<(), KeyVaultError> {
        let question = match prompt {
            Prompt::Register { service } => {
                format!("この端末を {service} に登録しますか / Register this phone?")
            }
            Prompt::Approve { count } => {
                format!("処方箋 {count} 件に署名しますか / Sign {count} prescription(s)?")
            }
        };
        if self.yes || ask(&question) { Ok(()) } else { Err(KeyVaultError::Cancelled) }
    }
}

/// Asks at the terminal; anything but `yes` is a no, and so is the absence of a terminal.
pub(crate) fn ask(question: &str) -> bool {
    if !std::io::stdin().is_terminal() {
        eprintln!("{question} — no terminal to ask at: no (--yes confirms)");
        return false;
    }
    eprint!("{question} [yes/NO] ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok() && answer.trim() == "yes"
}

/// Exit code of a command, its error told on stderr.
pub(crate) fn report(result: Result<ExitCode, Failure>) -> ExitCode {
    let error = match result {
        Ok(code) => return code,
        Err(error) => error,
    };
    match error.downcast_ref::<AgentError>() {
        Some(error) => {
            eprintln!("{}\n{}", error.text_ja(), error);
            for violation in error.violations() {
                eprintln!("  {}", crate::files::told(violation));
            }
        }
        None => eprintln!("{error}"),
    }
    let mut cause = error.source();
    while let Some(inner) = cause {
        eprintln!("  because: {inner}");
        cause = inner.source();
    }
    ExitCode::FAILURE
}
