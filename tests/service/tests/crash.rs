//! A service that is killed (SIGKILL) in the middle of its work, as a process of its own.

mod common;

use common::{Phone, Process, Registration, doctor, keys, sha256};
use reference_service::{Authority, Clock, Requester, TicketSpec};
use reqwest::Method;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};
use std::time::Duration;

/// So many that signing takes a noticeable time.
const BATCH: usize = 100;

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

#[tokio::test]
async fn what_was_used_or_answered_stays_so_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let mut process = Process::start(dir, &[]);
    let office = Authority::open_with(dir, Clock::default(), &keys()).unwrap();
    let credential = office.issue(&doctor()).unwrap();
    let clock = office.clock().clone();
    let connect = async || {
        let clock = clock.clone();
        Phone::at(&process.issuer, office.tls_ca_pem(), Box::new(move || clock.unix())).await
    };
    let (mut phone, stranger) = (connect().await, connect().await);
    let (guessed, used) = (
        office.ticket(&credential, TicketSpec::letter()).unwrap(),
        office.ticket(&credential, TicketSpec::letter()).unwrap(),
    );
    let wrong_code = |phone: &Phone| {
        let mut registration: Registration = phone.registration(&guessed);
        registration.body["activation_code"] = json!("x0000000");
        registration
    };
    for left in [4, 3] {
        assert_eq!(stranger.register(&wrong_code(&stranger)).await.body["tries_left"], left);
    }
    let answer = phone.register(&phone.registration(&used)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    phone.adopt(&answer);
    let hashes = [sha256(b"one")];
    let granted = phone.credential_token_call(&hashes);
    assert_eq!(phone.token(&granted).await.status, 200);
    let requester = Requester { name: "A".into(), facility_code: "1".into() };
    let request = office.submit(&credential, &requester, b"SJ1\n").unwrap();
    let path = format!("/prescriptions/{request}");
    let decline = || phone.ask(Method::POST, &path, Some(json!({"error": "access_denied"})));
    assert_eq!(decline().await.status, 200);

    process.kill_and_restart(dir);
    reach(&phone).await;
    reach(&stranger).await;
    assert_eq!(
        stranger.register(&wrong_code(&stranger)).await.body["tries_left"],
        2,
        "counted from the disk"
    );
    let stolen = stranger.register(&stranger.registration(&used)).await;
    stolen.expect_refusal("the ticket", 401, "ticket_used", "other keys");
    let mut again = phone.credential_token_call(&hashes);
    again.sad = granted.sad;
    phone.token(&again).await.expect_refusal("the SAD", 400, "invalid_grant", "");
    let mut again = phone.credential_token_call(&hashes);
    again.assertion = granted.assertion;
    phone.token(&again).await.expect_refusal("the assertion", 401, "invalid_client", "used before");
    let mut again = phone.credential_token_call(&hashes);
    again.dpop = granted.dpop;
    let refused = phone.token(&again).await;
    assert!(refused.status == 400 && refused.text("error").contains("dpop"), "the proof: {}", refused.body);
    decline().await.expect_refusal("the answer", 409, "already_answered", "first answer");
    assert_eq!(office.signatures_made(&credential).unwrap(), 0);
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
    let mut process = Process::start(dir, &[]);
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
