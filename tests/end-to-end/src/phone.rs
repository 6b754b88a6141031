//! The agent as an app holds it, on a phone of the test's making.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Deref,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration as StdDuration,
};

use hpki_agent::{
    agent::{Agent, AgentError, Approved, Candidate, Code, Options, Status, Waiting},
    device::{
        Clock, Device, KeyVaultError, Prompt, Secret, SecretStore, SecretStoreError, SystemRandom,
        desktop::{DesktopKeyVault, UserVerification},
    },
    registration::{ActivationCode, ClientInfo},
    trust::TrustConfiguration,
};
use reference_service::IssuedTicket;
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

use crate::NO_WAIT;

/// What an app's end leaves running (a write under way) is over by then.
const SETTLING: StdDuration = StdDuration::from_secs(5);

/// A user who says yes, unless told otherwise for the next times.
#[derive(Default)]
pub struct User {
    next: Mutex<VecDeque<KeyVaultError>>,
    asked: Mutex<Vec<Prompt>>,
}

impl User {
    /// The next verification ends so instead of with a yes.
    pub fn will(&self, fail: KeyVaultError) {
        self.next.lock().unwrap().push_back(fail);
    }

    /// What the user was asked so far.
    pub fn asked(&self) -> Vec<Prompt> {
        self.asked.lock().unwrap().clone()
    }
}

impl UserVerification for User {
    fn verify(&self, prompt: &Prompt) -> Result<(), KeyVaultError> {
        self.asked.lock().unwrap().push(prompt.clone());
        self.next.lock().unwrap().pop_front().map_or(Ok(()), Err)
    }
}

/// The system's time, off by what the test says.
#[derive(Default)]
pub struct PhoneClock(AtomicI64);

impl PhoneClock {
    /// Off by so much from now on; ahead when positive.
    pub fn is_off_by(&self, difference: Duration) {
        self.0.store(difference.whole_seconds(), Ordering::SeqCst);
    }
}

impl Clock for PhoneClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + Duration::seconds(self.0.load(Ordering::SeqCst))
    }
}

/// The phone's secret store and key vault in one: outlives the agent, ends with the phone.
#[derive(Default)]
pub struct Secrets(Mutex<BTreeMap<String, Vec<u8>>>);

impl Secrets {
    /// How many keys the vault holds; a bound phone has two.
    pub fn keys(&self) -> usize {
        self.names().iter().filter(|name| name.starts_with("key-")).count()
    }

    /// Names of everything in it.
    pub fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }

    /// The phone loses what has a name with this in it, as hardware does with its keys.
    pub fn lose(&self, part_of_name: &str) {
        self.0.lock().unwrap().retain(|name, _| !name.contains(part_of_name));
    }
}

impl SecretStore for Secrets {
    fn get(&self, name: &str) -> Result<Option<Secret>, SecretStoreError> {
        Ok(self.0.lock().unwrap().get(name).cloned().map(Secret::new))
    }
    fn set(&self, name: &str, secret: &Secret) -> Result<(), SecretStoreError> {
        self.0.lock().unwrap().insert(name.to_owned(), secret.expose().to_vec());
        Ok(())
    }
    fn delete(&self, name: &str) -> Result<(), SecretStoreError> {
        self.0.lock().unwrap().remove(name);
        Ok(())
    }
}

/// A phone. Used as the [`Agent`] that runs on it.
pub struct Phone {
    agent: Option<Agent>,
    /// Its clock.
    pub clock: Arc<PhoneClock>,
    /// Whoever holds it.
    pub user: Arc<User>,
    /// Its secret store and key vault.
    pub secrets: Arc<Secrets>,
    trust: String,
    folder: TempDir,
}

impl Phone {
    /// A new phone with an app that trusts this.
    ///
    /// # Panics
    /// When the agent does not open.
    pub fn trusting(trust_json: &str) -> Self {
        let mut phone = Self {
            agent: None,
            clock: Arc::default(),
            user: Arc::default(),
            secrets: Arc::default(),
            trust: trust_json.to_owned(),
            folder: tempfile::tempdir().unwrap(),
        };
        phone.agent = Some(phone.open().unwrap());
        phone
    }

    /// The app's private folder.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// All of the app's files.
    ///
    /// # Panics
    /// When they cannot be read.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        files_below(self.folder.path())
    }

    /// Ends the app.
    pub fn end(&mut self) {
        self.agent = None;
    }

    /// Starts the app, on another agent that finds the folder already used when the first still lives.
    ///
    /// # Errors
    /// As [`Agent::open`].
    ///
    /// # Panics
    /// When the trust configuration is none.
    pub fn open(&self) -> Result<Agent, AgentError> {
        let client = ClientInfo {
            software_id: "end-to-end".into(),
            software_version: "1".into(),
            client_name: "検証用の端末".into(),
        };
        let device = Device {
            keys: Arc::new(DesktopKeyVault::new(self.secrets.clone(), self.user.clone())),
            secrets: self.secrets.clone(),
            clock: self.clock.clone(),
            random: Arc::new(SystemRandom),
            data_dir: self.data_dir(),
        };
        Agent::open(Options {
            trust: TrustConfiguration::from_json(self.trust.as_bytes()).unwrap(),
            client,
            device,
        })
    }

    /// Ends the app and starts it again, once the writes that were under way are through.
    ///
    /// # Errors
    /// As [`Agent::open`].
    pub async fn restart(&mut self) -> Result<(), AgentError> {
        self.end();
        let end = std::time::Instant::now() + SETTLING;
        self.agent = Some(loop {
            match self.open() {
                Err(busy) if busy.code() == Code::StateBusy && std::time::Instant::now() < end => {
                    tokio::time::sleep(StdDuration::from_millis(2)).await;
                }
                opened => break opened?,
            }
        });
        Ok(())
    }

    /// Scans the ticket and types its activation code.
    ///
    /// # Errors
    /// As [`Agent::register`].
    pub async fn use_ticket(&self, ticket: &IssuedTicket) -> Result<Candidate, AgentError> {
        let typed = ticket.activation_code.as_deref().map(activation_code);
        self.register(&ticket.qr_text, typed).await
    }

    /// Nothing of a registration is left in the secret store.
    ///
    /// # Panics
    /// When something is.
    #[track_caller]
    pub fn assert_untouched(&self) {
        assert_eq!(self.secrets.keys(), 0, "{:?}", self.secrets.names());
    }

    /// Nothing of a registration is left, now and after a restart.
    ///
    /// # Panics
    /// When something is.
    pub async fn assert_unregistered(&mut self) {
        self.assert_untouched();
        assert_eq!(self.status().await.unwrap(), Status::Unregistered);
        self.restart().await.unwrap();
        assert_eq!(self.status().await.unwrap(), Status::Unregistered);
    }

    /// What waits now.
    ///
    /// # Panics
    /// When the service does not say.
    pub async fn waiting(&self) -> Vec<Waiting> {
        self.inbox(NO_WAIT).await.unwrap()
    }

    /// Everything that waits, approved in one act.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn sign_all(&self) -> Vec<Approved> {
        let batch = self.prepare(self.waiting().await).await.unwrap();
        self.approve(batch).await.unwrap()
    }

    /// Scans the ticket and types this code.
    ///
    /// # Errors
    /// As [`Agent::register`].
    pub async fn use_ticket_with_code(
        &self,
        ticket: &IssuedTicket,
        typed: &str,
    ) -> Result<Candidate, AgentError> {
        self.register(&ticket.qr_text, Some(activation_code(typed))).await
    }
}

impl Deref for Phone {
    type Target = Agent;
    fn deref(&self) -> &Agent {
        self.agent.as_ref().expect("the app has been started")
    }
}

fn activation_code(typed: &str) -> ActivationCode {
    ActivationCode::parse(typed).expect("eight digits")
}

fn files_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_below(&entry.path()));
        } else {
            found.push((entry.path(), std::fs::read(entry.path()).unwrap()));
        }
    }
    found
}
