//! The agent as an app holds it, on a phone of the test's making.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Deref,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicI64, AtomicUsize, Ordering},
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
pub struct PhoneClock {
    ahead: AtomicI64,
    readings: AtomicUsize,
    jump: Mutex<Option<(usize, Duration)>>,
}

impl PhoneClock {
    /// Off by so much from now on; ahead when positive.
    pub fn is_off_by(&self, difference: Duration) {
        *self.jump.lock().unwrap() = None;
        self.ahead.store(difference.whole_seconds(), Ordering::SeqCst);
    }

    /// Off by so much from the reading of this number on, counted as by [`PhoneClock::readings`].
    pub fn will_be_off_by(&self, difference: Duration, from: usize) {
        *self.jump.lock().unwrap() = Some((from, difference));
    }

    /// How often it was read.
    pub fn readings(&self) -> usize {
        self.readings.load(Ordering::SeqCst)
    }
}

impl Clock for PhoneClock {
    fn now(&self) -> OffsetDateTime {
        let reading = self.readings.fetch_add(1, Ordering::SeqCst);
        let mut jump = self.jump.lock().unwrap();
        if let Some((_, difference)) = jump.take_if(|(from, _)| *from <= reading) {
            self.ahead.store(difference.whole_seconds(), Ordering::SeqCst);
        }
        OffsetDateTime::now_utc() + Duration::seconds(self.ahead.load(Ordering::SeqCst))
    }
}

/// Which part of a phone's secret store: the keys are in hardware on most phones, and do not travel with a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Small secrets alone.
    Secrets,
    /// Those and the keys.
    All,
}

/// What a secret store held at some time.
#[derive(Clone, Default)]
pub struct SecretsBackup(BTreeMap<String, Vec<u8>>);

/// The phone's secret store and key vault in one: outlives the agent, ends with the phone.
#[derive(Default)]
pub struct Secrets {
    held: Mutex<BTreeMap<String, Vec<u8>>>,
    accesses: AtomicUsize,
    /// From this access on it is locked.
    locked_from: Mutex<Option<usize>>,
}

impl Secrets {
    /// How many keys the vault holds; a bound phone has two.
    pub fn keys(&self) -> usize {
        self.names().iter().filter(|name| is_key(name)).count()
    }

    /// Names of everything in it.
    pub fn names(&self) -> Vec<String> {
        self.held.lock().unwrap().keys().cloned().collect()
    }

    /// The phone loses what has a name with this in it, as hardware does with its keys.
    pub fn lose(&self, part_of_name: &str) {
        self.held.lock().unwrap().retain(|name, _| !name.contains(part_of_name));
    }

    /// How often it was asked for something.
    pub fn accesses(&self) -> usize {
        self.accesses.load(Ordering::SeqCst)
    }

    /// It does not open from the access of this number on, counted as by [`Secrets::accesses`].
    pub fn lock_from(&self, access: usize) {
        *self.locked_from.lock().unwrap() = Some(access);
    }

    /// It opens again; whether it had refused anything.
    pub fn unlock(&self) -> bool {
        self.locked_from.lock().unwrap().take().is_some_and(|from| from < self.accesses())
    }

    /// What it holds.
    pub fn backup(&self) -> SecretsBackup {
        SecretsBackup(self.held.lock().unwrap().clone())
    }

    /// Puts this part of it back to what it held then; to nothing where that was nothing.
    pub fn restore(&self, backup: &SecretsBackup, part: Part) {
        let mut held = self.held.lock().unwrap();
        let belongs = |name: &str| part == Part::All || !is_key(name);
        held.retain(|name, _| !belongs(name));
        held.extend(
            backup.0.iter().filter(|(name, _)| belongs(name)).map(|(name, is)| (name.clone(), is.clone())),
        );
    }

    fn opened(&self) -> Result<MutexGuard<'_, BTreeMap<String, Vec<u8>>>, SecretStoreError> {
        let access = self.accesses.fetch_add(1, Ordering::SeqCst);
        match *self.locked_from.lock().unwrap() {
            Some(from) if from <= access => Err(SecretStoreError::Unavailable),
            _ => Ok(self.held.lock().unwrap()),
        }
    }
}

impl SecretStore for Secrets {
    fn get(&self, name: &str) -> Result<Option<Secret>, SecretStoreError> {
        Ok(self.opened()?.get(name).cloned().map(Secret::new))
    }
    fn set(&self, name: &str, secret: &Secret) -> Result<(), SecretStoreError> {
        self.opened()?.insert(name.to_owned(), secret.expose().to_vec());
        Ok(())
    }
    fn delete(&self, name: &str) -> Result<(), SecretStoreError> {
        self.opened()?.remove(name);
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
        Agent::open(self.options())
    }

    fn options(&self) -> Options {
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
        Options { trust: TrustConfiguration::from_json(self.trust.as_bytes()).unwrap(), client, device }
    }

    /// Ends the app and starts it again as one whose doctor was told to register anew.
    ///
    /// # Errors
    /// As [`Agent::start_over`].
    pub async fn start_over(&mut self) -> Result<(), AgentError> {
        self.end();
        self.agent = Some(Agent::start_over(self.options()).await?);
        Ok(())
    }

    /// What the app's folder holds.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn backup(&self) -> Vec<(PathBuf, Vec<u8>)> {
        self.files()
    }

    /// Ends the app and puts its folder back to what it held then.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn restore(&mut self, files: &[(PathBuf, Vec<u8>)]) {
        self.end();
        std::fs::remove_dir_all(self.data_dir()).unwrap();
        for (path, bytes) in files {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
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

fn is_key(name: &str) -> bool {
    name.starts_with("key-")
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
