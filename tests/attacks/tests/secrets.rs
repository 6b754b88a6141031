//! Secrets, searched for where they must not be left: in the log at its most talkative, in `Debug` output, in files, in
//! the memory of the process and in that of the core file that it leaves, after success, after failure, after a crash.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Write},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use attacks::{files::base64, memory::Needles};
use end_to_end::{World, form, json, sample};
use reference_service::{Fault, IssuedTicket, State};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What must be in memory while it is being signed and delivered.
const AT_WORK: [&str; 2] = ["the patient", "the prescription"];
/// How a program that gives itself up ends.
const SIGABRT: i32 = 6;
const SIGN_HASH: &str = "POST /csc/v2/signatures/signHash";

/// A phone that runs as a process of its own.
struct Process {
    child: Child,
    answers: BufReader<ChildStdout>,
    folder: TempDir,
}

impl Process {
    fn start(world: &World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["keychain", "phone"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("trust.json"), world.trust().to_string()).unwrap();
        // A core file is written where the process runs, however large it becomes.
        let mut child = Command::new("sh")
            .args(["-c", "ulimit -c unlimited; exec \"$0\" \"$1\"", env!("CARGO_BIN_EXE_phone_process")])
            .arg(folder.path())
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers, folder }
    }

    /// Gives a command without waiting for its end.
    fn tell(&mut self, command: &Value) {
        let line = format!("{command}\n");
        self.child.stdin.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    }

    /// The end of a command.
    fn outcome(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    fn run(&mut self, command: &Value) -> String {
        self.tell(command);
        self.outcome()
    }

    fn register(&mut self, ticket: &IssuedTicket) -> String {
        self.run(&json!({"do": "register", "qr": ticket.qr_text, "code": ticket.activation_code}))
    }

    /// The app crashes; gives what of these the system then writes down of its memory. Where core files go elsewhere than beside the
    /// process (to a program, as on many desktops), its memory is read as the core file would be written: the process stands still,
    /// and every writable part of it is read.
    fn crash<'a>(&mut self, needles: &'a Needles) -> BTreeSet<&'a str> {
        let process = self.child.id().to_string();
        let signal =
            |name: &str| assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
        let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
        let is_here = !pattern.starts_with('|') && !pattern.contains('/');
        let mut found = BTreeSet::new();
        if !is_here {
            println!("core files go to {}: the memory is read instead", pattern.trim());
            signal("-STOP");
            found.extend(needles.found_in_process(self.child.id()));
            signal("-CONT");
        }
        signal("-ABRT");
        let status = self.child.wait().unwrap();
        assert_eq!((status.signal(), status.core_dumped() || !is_here), (Some(SIGABRT), true), "{status}");
        if is_here {
            let core = self.cores().pop().expect("a core file beside the process");
            println!("a core file of {} bytes", core.metadata().unwrap().len());
            found.extend(needles.found_in_core(&core));
            std::fs::remove_file(core).unwrap();
        }
        found
    }

    fn cores(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("core")).collect()
    }

    /// The private keys of the desktop's vault, which a phone has in its hardware: the first OCTET STRING of 32 bytes (RFC 5915).
    fn private_keys(&self) -> Vec<Vec<u8>> {
        let keychain = files_below(&self.folder.path().join("keychain"));
        let is_key = |path: &Path| path.file_name().unwrap().to_string_lossy().starts_with("key-");
        let scalar = |key: &[u8]| {
            let at = key.windows(2).position(|pair| pair == [4, 32]).expect("a P-256 key") + 2;
            key[at..at + 32].to_vec()
        };
        keychain.iter().filter(|(path, _)| is_key(path)).map(|(_, key)| scalar(key)).collect()
    }

    /// What the app has written, its log included.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files_below(&self.folder.path().join("phone"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn files_below(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_below(&entry.path()));
        } else {
            found.insert(entry.path(), std::fs::read(entry.path()).unwrap());
        }
    }
    found
}

/// Everything that let the phone act as the doctor so far, and what it knew of patients, but the token of the session
/// that still runs.
fn secrets(world: &World, ticket: &IssuedTicket) -> Needles {
    let mut needles = Needles::default();
    needles.add("the activation code", ticket.activation_code.as_ref().unwrap());
    needles.add("the ticket", &ticket.qr_text.split_once('#').unwrap().1[..60]);
    let wire = world.wire();
    for exchange in wire.of("POST /token") {
        let asked = form(exchange);
        // A JWS is told by its signature: headers repeat.
        let signature = |jws: &str| jws.rsplit_once('.').unwrap().1.to_owned();
        needles.add("a client assertion", signature(&asked["client_assertion"]));
        if let Some(assertion) = asked.get("assertion") {
            needles.add("the signature activation data", signature(assertion));
            if exchange.status == Some(200) {
                let granted = json(&exchange.answer);
                needles.add("a credential token", granted["access_token"].as_str().unwrap());
            }
        }
    }
    for exchange in wire.of("POST /register").filter(|exchange| exchange.status == Some(201)) {
        let token = json(&exchange.answer)["registration_access_token"].clone();
        needles.add("the registration token", token.as_str().unwrap());
    }
    for word in sample::PATIENT_WORDS.iter().filter(|word| word.len() >= 8) {
        needles.add(&format!("the patient's {word}"), word);
    }
    needles.add("the prescription in base64", &base64(sample::csv(1))[..40]);
    needles
}

#[track_caller]
fn assert_not_in_files(needles: &Needles, phone: &Process, when: &str) {
    let files = phone.files();
    assert!(files.len() >= 4, "log, state, journal: {:?}", files.keys());
    assert!(files.iter().any(|(path, log)| path.ends_with("log") && log.len() > 1_000), "it has logged");
    let mut keys = Needles::default();
    phone.private_keys().iter().for_each(|key| keys.add("a private key", key));
    for (path, bytes) in files {
        let found: BTreeSet<_> = needles.found_in(&bytes).union(&keys.found_in(&bytes)).copied().collect();
        assert_eq!(found, BTreeSet::new(), "{when}, in {}", path.display());
    }
}

/// A connection that is not used is closed after ten seconds, and its buffers are wiped with it.
const IDLE: Duration = Duration::from_secs(30);

async fn assert_not_in_memory(needles: &Needles, phone: &Process, when: &str) {
    let end = Instant::now() + IDLE;
    loop {
        let found = needles.found_in_process(phone.child.id());
        if found.is_empty() {
            return;
        }
        assert!(Instant::now() < end, "{when}, in memory: {found:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_success_no_secret_is_left_in_memory_core_log_or_files() {
    let world = World::new().await;
    let (mut phone, ticket) = (Process::start(&world), world.letter());
    assert_eq!(phone.register(&ticket), "done");
    let needles = secrets(&world, &ticket);
    assert_not_in_files(&needles, &phone, "registered");
    assert_not_in_memory(&needles, &phone, "registered").await;
    let request = world.submit(&sample::csv(1));
    assert_eq!(phone.run(&json!({"do": "sign"})), "done");
    world.assert_signed(&request, &sample::csv(1));
    let needles = secrets(&world, &ticket);
    assert!(needles.count() >= 10, "{}", needles.count());
    assert_not_in_files(&needles, &phone, "signed");
    assert_not_in_memory(&needles, &phone, "signed").await;
    assert_eq!(phone.run(&json!({"do": "unregister"})), "done");
    assert_not_in_files(&needles, &phone, "unregistered");
    assert_not_in_memory(&needles, &phone, "unregistered").await;
    assert_eq!(phone.crash(&needles), BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_failure_no_secret_is_left_in_memory_core_log_or_files() {
    let world = World::new().await;
    let (mut phone, ticket) = (Process::start(&world), world.letter());
    let wrong = json!({"do": "register", "qr": ticket.qr_text, "code": "31415926"});
    assert_eq!(phone.run(&wrong), "WrongActivationCode");
    let mut needles = Needles::default();
    needles.add("a wrong activation code", "31415926");
    let in_log = phone.files().into_iter().find(|(path, _)| path.ends_with("log")).unwrap().1;
    assert_eq!(needles.found_in(&in_log), BTreeSet::new());
    assert_eq!(phone.register(&ticket), "done");

    let request = world.submit(&sample::csv(1));
    for fault in [
        Fault::Signatures(reference_service::Spoilt::Wrong),
        Fault::Unheard,
        Fault::Cut(100),
        Fault::Instead(reference_service::Canned::html(502)),
    ] {
        world.service().faults().next(1, SIGN_HASH, fault);
        assert_ne!(phone.run(&json!({"do": "sign"})), "done");
        let needles = secrets(&world, &ticket);
        assert_not_in_files(&needles, &phone, "failed");
        assert_not_in_memory(&needles, &phone, "failed").await;
    }
    assert_eq!(world.state_of(&request), State::Waiting);
    assert_eq!(phone.crash(&secrets(&world, &ticket)), BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_in_the_middle_of_signing_no_secret_is_left_in_log_or_files_nor_a_spent_one_in_the_core()
 {
    for endpoint in ["POST /token", SIGN_HASH, "POST /prescriptions/{id}"] {
        let world = World::new().await;
        let (mut phone, ticket) = (Process::start(&world), world.letter());
        assert_eq!(phone.register(&ticket), "done");
        world.submit(&sample::csv(1));
        let seen = || world.service().requests_seen().get(endpoint).copied().unwrap_or_default();
        let before = seen();
        world.service().faults().next(u32::MAX, endpoint, Fault::Delay(Duration::from_secs(600)));
        phone.tell(&json!({"do": "sign"}));
        while seen() == before {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // In the middle of it, nothing is in memory that has done its work.
        let mut spent = Needles::default();
        spent.add("the activation code", ticket.activation_code.as_ref().unwrap());
        spent.add("the ticket", &ticket.qr_text.split_once('#').unwrap().1[..60]);
        assert_not_in_memory(&spent, &phone, endpoint).await;
        // That the core is looked into where it counts, the patient shows: what is being signed is in it.
        spent.add(AT_WORK[0], sample::PATIENT_WORDS[2]);
        spent.add(AT_WORK[1], &base64(sample::csv(1))[..40]);
        let found = phone.crash(&spent);
        assert!(!found.is_empty() && found.is_subset(&AT_WORK.into()), "{endpoint}: {found:?}");
        assert_not_in_files(&secrets(&world, &ticket), &phone, endpoint);
    }
}
