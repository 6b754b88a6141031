//! Certificates issued before anybody applied: interrupted and taken up again, then a letter at once, and no slower
//! signing for being many.

mod common;

use common::{Phone, World, key_arguments, sha256};
use rusqlite::Connection;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Credentials among which one signs; `REFERENCE_SERVICE_AHEAD` sets another number.
const AHEAD: usize = 10_000;
/// Signatures of which the median is taken.
const RUNS: usize = 31;

fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reference-service"));
    command.arg("--dir").arg(dir).args(key_arguments()).args(arguments);
    command
}

fn numbers(dir: &Path) -> Vec<String> {
    let database = Connection::open(dir.join("service.sqlite")).unwrap();
    let mut query = database.prepare("SELECT holder_serial FROM credentials ORDER BY 1").unwrap();
    let rows = query.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn issuing_ahead_goes_on_after_a_kill_without_a_duplicate_and_a_letter_leaves_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let roster = dir.join("roster.csv");
    let header = "number,name_kanji,name_romaji,role".to_owned();
    let rows = (1..=6).map(|n| format!("M{n},手須戸 花子,HANAKO TESUTO,Medical Doctor"));
    let lines: Vec<_> = std::iter::once(header).chain(rows).collect();
    std::fs::write(&roster, lines.join("\n")).unwrap();
    let issue = ["issue", "--roster", roster.to_str().unwrap()];

    let mut child = command(dir, &issue).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !dir.join("trust.json").exists() || numbers(dir).is_empty() {
        assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none(), "nothing was issued");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = numbers(dir);
    assert!((1..6).contains(&before.len()), "killed on the way: {before:?}");

    let (first, second) = (command(dir, &issue).output(), command(dir, &issue).output());
    let text = |output: std::io::Result<std::process::Output>| {
        let output = output.unwrap();
        assert!(output.status.success(), "{output:?}");
        let last = BufReader::new(output.stderr.as_slice()).lines().last().transpose().unwrap();
        (String::from_utf8(output.stdout).unwrap(), last.unwrap_or_default())
    };
    let missing = 6 - before.len();
    let (summary, progress) = text(first);
    assert_eq!(summary, format!("{missing} issued, {} were there\n", before.len()));
    assert_eq!(progress, format!("{missing} of {missing}, 0 seconds to go"));
    assert_eq!(text(second).0, "0 issued, 6 were there\n");
    assert_eq!(numbers(dir), ["M1", "M2", "M3", "M4", "M5", "M6"]);

    let started = Instant::now();
    let out = dir.join("letter");
    let letter = ["letter", "--credential", "M4", "--out", out.to_str().unwrap(), "--print"];
    let printed = command(dir, &letter).output().unwrap();
    assert!(printed.stdout.starts_with(b"https://127.0.0.1:8443/r#"), "{printed:?}");
    println!("a letter for a member issued ahead: {:?}", started.elapsed());

    let wrong = command(dir, &["issue", "--count", "1", "--role", "Dentist"]).output().unwrap();
    assert!(!wrong.status.success(), "either one holder or many");
}

/// The time of a SAD and its `signHash`.
async fn sign_once(phone: &Phone) -> Duration {
    let hashes = [sha256(b"one")];
    let started = Instant::now();
    let token = phone.credential_token(&hashes).await;
    assert_eq!(phone.call(&phone.sign_hash_call(&token, &hashes)).await.status, 200);
    started.elapsed()
}

/// Two services take turns, so that whatever else the machine does slows both.
#[tokio::test]
async fn ten_thousand_credentials_issued_ahead_do_not_slow_a_single_signing() {
    let ahead = std::env::var("REFERENCE_SERVICE_AHEAD").map_or(AHEAD, |text| text.parse().unwrap());
    let (few, many) = (World::new().await, World::new().await);
    let (one, another) = (few.bound_phone().await, many.bound_phone().await);
    let database = many.add_credentials(ahead);
    let plan = "EXPLAIN QUERY PLAN SELECT * FROM credentials WHERE id = ?1 OR holder_serial = ?1";
    let mut plan = database.prepare(plan).unwrap();
    let steps: Vec<String> =
        plan.query_map([""], |row| row.get("detail")).unwrap().map(Result::unwrap).collect();
    assert!(steps.iter().all(|step| !step.starts_with("SCAN")), "{steps:?}");

    let (mut alone, mut among) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        alone.push(sign_once(&one).await);
        among.push(sign_once(&another).await);
    }
    alone.sort_unstable();
    among.sort_unstable();
    let (alone, among) = (alone[RUNS / 2], among[RUNS / 2]);
    println!("one signing, median of {RUNS}: {alone:?} alone, {among:?} among {ahead} credentials");
}
