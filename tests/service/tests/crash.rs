//! A service that is killed (SIGKILL) in the middle of its work, as a process of its own.

mod common;

use common::{Phone, doctor, key_arguments, keys, sha256};
use reference_service::{Authority, Clock, TicketSpec};
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// So many that signing takes a noticeable time.
const BATCH: usize = 100;

/// `reference-service serve` on a folder.
struct Process {
    child: Child,
    issuer: String,
}

impl Process {
    fn start(dir: &Path, listen: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_reference-service"))
            .arg("--dir")
            .arg(dir)
            .args(key_arguments())
            .args(["serve", "--listen", listen])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        Self { child, issuer: ready["issuer"].as_str().unwrap().to_owned() }
    }

    /// SIGKILL, and the same service again.
    fn kill_and_restart(&mut self, dir: &Path) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let listen = self.issuer.trim_start_matches("https://").to_owned();
        *self = Self::start(dir, &listen);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the file says of a token: whether it is spent, and how many signatures it made.
fn on_disk(database: &Connection, token: &str) -> (bool, usize) {
    let id = ring::digest::digest(&ring::digest::SHA256, token.as_bytes());
    let spent: Option<Option<i64>> = database
        .query_row("SELECT spent_at FROM tokens WHERE id = ?", [id.as_ref()], |row| row.get(0))
        .optional()
        .unwrap();
    let signatures = "SELECT count(*) FROM ledger WHERE token = ?";
    let made = database.query_row(signatures, [id.as_ref()], |row| row.get(0)).unwrap();
    (spent.expect("a token that was granted is on the disk").is_some(), made)
}

/// Lets go of connections to the process before, and gets a nonce of the one that runs.
async fn reach(phone: &Phone) {
    const DISCOVERY: &str = "/.well-known/oauth-authorization-server";
    for _ in 0..10 {
        if phone.http.get(format!("{}{DISCOVERY}", phone.issuer)).send().await.is_ok() {
            break;
        }
    }
    assert_eq!(phone.get(DISCOVERY).await.status, 200);
}

#[derive(Clone, Copy, Debug)]
enum KilledWhen {
    After(Duration),
    Spent,
    Answered,
}

#[tokio::test]
async fn no_spent_token_comes_back_to_life_and_the_ledger_stays_whole() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let mut process = Process::start(dir, "127.0.0.1:0");
    let office = Authority::open_with(dir, Clock::default(), &keys()).unwrap();
    let credential = office.issue(&doctor()).unwrap();
    let clock = office.clock().clone();
    let connect = async || {
        let clock = clock.clone();
        Phone::at(&process.issuer, office.tls_ca_pem(), Box::new(move || clock.unix())).await
    };
    let mut phone = connect().await;
    let ticket = office.ticket(&credential, TicketSpec::letter()).unwrap();
    let database = Connection::open(dir.join("service.sqlite")).unwrap();

    // Registration: the same again is the same.
    for milliseconds in [0, 3, 10, 30] {
        let registration = phone.registration(&ticket);
        tokio::select! {
            _ = phone.register_raw(&registration) => {}
            () = tokio::time::sleep(Duration::from_millis(milliseconds)) => {}
        }
        process.kill_and_restart(dir);
        reach(&phone).await;
    }
    let answer = phone.register(&phone.registration(&ticket)).await;
    assert!(matches!(answer.status, 200 | 201), "{}", answer.body);
    phone.adopt(&answer);
    let clients: i64 = database.query_row("SELECT count(*) FROM clients", [], |row| row.get(0)).unwrap();
    assert_eq!(clients, 1);

    let hashes: Vec<_> = (0..BATCH).map(|n| sha256(&n.to_be_bytes())).collect();
    let after = [0, 2, 5, 10, 20, 50].map(|time| KilledWhen::After(Duration::from_millis(time)));
    let (mut total, mut lost) = (0, 0);
    for when in after.into_iter().chain([KilledWhen::Spent, KilledWhen::Spent, KilledWhen::Answered]) {
        let token = phone.credential_token(&hashes).await;
        let request = phone.call_request(&phone.sign_hash_call(&token, &hashes)).send();
        let request = tokio::spawn(async move { request.await?.error_for_status()?.text().await });
        match when {
            KilledWhen::After(time) => tokio::time::sleep(time).await,
            KilledWhen::Spent => {
                while !on_disk(&database, &token).0 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
            KilledWhen::Answered => assert_eq!(on_answer(&request.await.unwrap().unwrap()), BATCH),
        }
        process.kill_and_restart(dir);
        reach(&phone).await;

        let (spent, made) = on_disk(&database, &token);
        let again = phone.call(&phone.sign_hash_call(&token, &hashes)).await;
        println!("killed {when:?}: spent {spent}, {made} signatures; again: {}", again.status);
        assert!(made == 0 || (spent && made == BATCH), "all or none, and only of a spent token");
        match when {
            KilledWhen::After(_) => {}
            KilledWhen::Spent => assert!(spent),
            KilledWhen::Answered => assert!(spent && made == BATCH),
        }
        if spent {
            again.expect_refusal("a spent token", 401, "invalid_token", "spent");
            assert_eq!(on_disk(&database, &token), (true, made));
            lost += usize::from(made == 0);
        } else {
            assert_eq!(again.status, 200, "it was never spent: {}", again.body);
        }
        total += on_disk(&database, &token).1;
    }
    println!("{total} signatures, {lost} batches lost with their tokens, none doubled");
    assert_eq!(office.signatures_made(&credential).unwrap(), total as u64);
    let sound: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let doubled = "SELECT count(*) FROM (SELECT 1 FROM ledger GROUP BY token, hash HAVING count(*) > 1)";
    assert_eq!(database.query_row(doubled, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

fn on_answer(body: &str) -> usize {
    let body: Value = serde_json::from_str(body).unwrap();
    body["signatures"].as_array().unwrap().len()
}
