//! The agent on a desktop with a real secret store, and with none, a locked one, and one that was lost.

use std::time::{Duration, Instant};

use end_to_end::{World, sample};
use hpki_agent::device::MAX_SECRET;
use reference_service::{State, TicketSpec};
use secret_store::Desktop;

const PROBE: &str = env!("CARGO_BIN_EXE_secret-store-probe");
/// No user sits at these desktops: whoever waits for one waits for ever. A busy machine takes seconds for a command.
const AT_ONCE: Duration = Duration::from_secs(120);

/// The desktop's user registers it with a letter.
fn register(desktop: &Desktop, world: &World) -> (Option<i32>, String, String) {
    let letter = world.office().letter(&world.doctor, TicketSpec::letter()).unwrap();
    std::fs::write(desktop.path("letter.png"), &letter.letter.png).unwrap();
    std::fs::write(desktop.path("code.txt"), letter.ticket.activation_code.unwrap()).unwrap();
    std::fs::write(desktop.path("trust.json"), world.trust().to_string()).unwrap();
    desktop.run(&["register", "letter.png", "--trust", "trust.json", "--code-file", "code.txt", "--yes"])
}

#[track_caller]
fn assert_registered(desktop: &Desktop) {
    let (code, out, err) = desktop.run(&["status", "--json"]);
    assert!(code == Some(0) && out.contains("\"registered\""), "{out}{err}");
}

/// The command fails with this word, says nothing else on standard output, and does not wait for a user.
#[track_caller]
fn assert_refused(desktop: &Desktop, arguments: &[&str], word: &str) {
    let started = Instant::now();
    let (code, out, err) = desktop.run(arguments);
    assert!(code == Some(1) && err.contains(word) && out.is_empty(), "{arguments:?}: {code:?} {out}{err}");
    assert!(started.elapsed() < AT_ONCE, "{arguments:?} took {:?}", started.elapsed());
}

/// One prescription is signed, delivered, and valid before a stranger.
#[track_caller]
fn assert_signs(desktop: &Desktop, world: &World) {
    let before = world.signatures_made();
    let request = world.submit(&sample::csv(1));
    let (code, out, err) = desktop.run(&["sign", "--all", "--yes"]);
    assert_eq!(code, Some(0), "{out}{err}");
    world.assert_signed(&request, &sample::csv(1));
    assert_eq!(world.signatures_made(), before + 1);
}

#[test]
fn secrets_are_kept_replaced_and_deleted_and_outlive_the_keyrings_process() {
    let mut desktop = Desktop::logged_in(PROBE);
    let get = |desktop: &Desktop, name| {
        let output = desktop.probe(&["get", name], b"");
        output.status.success().then_some(output.stdout)
    };
    let long = vec![0xA5; MAX_SECRET];
    for (name, secret) in [("a", &[0, 255, 128][..]), ("b", &long), ("a", b"replaced")] {
        assert!(desktop.probe(&["set", name], secret).status.success());
        assert_eq!(get(&desktop, name).as_deref(), Some(secret));
    }
    assert_eq!(desktop.probe(&["set", "c"], &vec![1; MAX_SECRET + 1]).status.code(), Some(1));
    desktop.log_out();
    desktop.log_in();
    assert_eq!(get(&desktop, "a").as_deref(), Some(&b"replaced"[..]));
    assert_eq!(get(&desktop, "b"), Some(long));
    for _ in 0..2 {
        assert!(desktop.probe(&["delete", "a"], b"").status.success(), "absent is no error");
        assert_eq!(desktop.probe(&["get", "a"], b"").status.code(), Some(3));
    }
    assert!(get(&desktop, "b").is_some());
    for file in std::fs::read_dir(desktop.keyrings()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(8).any(|window| window == [0xA5; 8]), "the keyring's file is sealed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binding_outlives_the_program_and_the_keyrings_process() {
    let world = World::new().await;
    let mut desktop = Desktop::logged_in(PROBE);
    let (code, out, err) = register(&desktop, &world);
    assert!(code == Some(0) && out.contains(sample::PRESCRIBER), "{out}{err}");
    assert_registered(&desktop);
    assert_signs(&desktop, &world);
    desktop.log_out();
    desktop.log_in();
    assert_registered(&desktop);
    assert_signs(&desktop, &world);
    assert_eq!(world.wire().of("POST /register").count(), 1);

    assert_eq!(desktop.run(&["unregister"]).0, Some(0));
    assert!(desktop.run(&["status", "--json"]).1.contains("\"unregistered\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_secret_store_the_user_is_pointed_to_the_passphrase_file_and_nothing_is_begun() {
    let world = World::new().await;
    for desktop in [Desktop::bare(PROBE), Desktop::with_bus(PROBE)] {
        let probed = desktop.probe(&["get", "a"], b"");
        assert_eq!(probed.stdout, b"the secret store cannot be opened");
        let (code, out, err) = register(&desktop, &world);
        assert!(code == Some(1) && err.contains("--passphrase-file") && out.is_empty(), "{out}{err}");
        assert!(!desktop.path("phone/state").exists());
        assert_eq!(world.wire().of("POST /register").count(), 0);
    }
    let desktop = Desktop::bare(PROBE);
    std::fs::write(desktop.path("passphrase"), "correct horse battery staple\n").unwrap();
    let letter = world.office().ticket(&world.doctor, TicketSpec::card()).unwrap();
    std::fs::write(desktop.path("trust.json"), world.trust().to_string()).unwrap();
    let passphrase = ["--passphrase-file", "passphrase", "--yes"];
    let arguments = ["register", &letter.qr_text, "--trust", "trust.json"];
    let (code, out, err) = desktop.run(&[&arguments[..], &passphrase].concat());
    assert_eq!(code, Some(0), "{out}{err}");
    let (code, out, err) = desktop.run(&[&["status", "--json"][..], &passphrase].concat());
    assert!(code == Some(0) && out.contains("\"registered\""), "{out}{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_that_stops_under_way_loses_nothing() {
    let world = World::new().await;
    let mut desktop = Desktop::logged_in(PROBE);
    assert_eq!(register(&desktop, &world).0, Some(0));
    let request = world.submit(&sample::csv(1));
    desktop.log_out();
    assert_refused(&desktop, &["status"], "no secret store runs");
    assert_refused(&desktop, &["sign", "--all", "--yes"], "no secret store runs");
    assert_eq!((world.state_of(&request), world.signatures_made()), (State::Waiting, 0));
    desktop.log_in();
    assert_registered(&desktop);
    assert_eq!(desktop.run(&["sign", &request, "--yes"]).0, Some(0));
    world.assert_signed(&request, &sample::csv(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_keyring_is_named_so_and_works_again_once_it_is_opened() {
    let world = World::new().await;
    let desktop = Desktop::logged_in(PROBE);
    assert_eq!(register(&desktop, &world).0, Some(0));
    let request = world.submit(&sample::csv(1));
    desktop.lock();
    for step in [["get", "state-key"], ["set", "state-key"], ["set", "another"], ["delete", "state-key"]] {
        let started = Instant::now();
        let probed = desktop.probe(&step, b"x");
        assert_eq!(probed.stdout, b"the secret store cannot be opened", "{step:?}: {probed:?}");
        assert!(probed.status.code() == Some(1) && started.elapsed() < AT_ONCE);
    }
    assert!(!desktop.unlock_with("wrong"));
    assert_refused(&desktop, &["status"], "SecretStoreUnavailable");
    assert_refused(&desktop, &["inbox"], "SecretStoreUnavailable");
    assert_refused(&desktop, &["sign", "--all", "--yes"], "SecretStoreUnavailable");
    assert_refused(&desktop, &["unregister"], "SecretStoreUnavailable");
    let (code, _, err) = register(&desktop, &world);
    assert!(code == Some(1) && err.contains("SecretStoreUnavailable"), "{err}");
    assert_eq!((world.state_of(&request), world.signatures_made()), (State::Waiting, 0));

    desktop.unlock();
    assert_registered(&desktop);
    assert_eq!(desktop.run(&["sign", &request, "--yes"]).0, Some(0));
    world.assert_signed(&request, &sample::csv(1));
    assert_eq!(world.signatures_made(), 1);
    assert_eq!(world.wire().of("POST /register").count(), 1);
    assert_eq!(desktop.run(&["journal"]).0, Some(0), "the record holds");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_loses_the_keyring_is_told_to_register_again_and_then_can() {
    let world = World::new().await;
    let mut desktop = Desktop::logged_in(PROBE);
    assert_eq!(register(&desktop, &world).0, Some(0));
    assert_signs(&desktop, &world);
    let request = world.submit(&sample::csv(1));
    desktop.log_out();
    std::fs::remove_dir_all(desktop.keyrings()).unwrap();
    desktop.log_in();
    for command in [&["status"][..], &["inbox"], &["sign", "--all", "--yes"], &["unregister"], &["journal"]] {
        assert_refused(&desktop, command, "もう一度登録してください");
        assert_refused(&desktop, command, "StateDamaged");
    }
    assert_eq!((world.state_of(&request), world.signatures_made()), (State::Waiting, 1));
    register_again(&desktop, &world, &request);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyring_put_back_to_an_older_state_is_noticed_and_not_signed_with() {
    let world = World::new().await;
    let mut desktop = Desktop::logged_in(PROBE);
    std::fs::write(desktop.path("trust.json"), world.trust().to_string()).unwrap();
    let card = world.card();
    let without_yes = ["register", &card.qr_text, "--trust", "trust.json"];
    assert_eq!(desktop.run(&without_yes).0, Some(1), "the user does not confirm");
    desktop.log_out();
    let old = desktop.path("backup");
    copy(&desktop.keyrings(), &old);
    desktop.log_in();
    assert_eq!(register(&desktop, &world).0, Some(0));
    assert_signs(&desktop, &world);
    let request = world.submit(&sample::csv(1));
    desktop.log_out();
    std::fs::remove_dir_all(desktop.keyrings()).unwrap();
    copy(&old, &desktop.keyrings());
    desktop.log_in();
    for command in [&["status"][..], &["inbox"], &["sign", "--all", "--yes"], &["journal"]] {
        assert_refused(&desktop, command, "JournalTampered");
    }
    assert_eq!((world.state_of(&request), world.signatures_made()), (State::Waiting, 1));
    register_again(&desktop, &world, &request);
}

/// With a new letter: one phone is bound, and the record says that an older one was set aside.
#[track_caller]
fn register_again(desktop: &Desktop, world: &World, waiting: &str) {
    let (code, out, err) = register(desktop, world);
    assert_eq!(code, Some(0), "{out}{err}");
    assert_registered(desktop);
    assert_eq!(desktop.run(&["sign", waiting, "--yes"]).0, Some(0));
    world.assert_signed(waiting, &sample::csv(1));
    assert_eq!(world.signatures_made(), 2);
    let (code, record, err) = desktop.run(&["journal"]);
    assert_eq!(code, Some(0), "{err}");
    let kinds =
        ["\"set_aside\"", "\"registered\"", "\"signed\"", "\"delivered\""].map(|kind| record.find(kind));
    assert!(kinds.iter().all(Option::is_some) && kinds.is_sorted(), "{record}");
    let kept = std::fs::read_dir(desktop.path("phone")).unwrap().map(|entry| entry.unwrap().file_name());
    let kept = kept.filter(|name| name.to_string_lossy().starts_with("journal-tampered-")).count();
    assert_eq!(kept, 1, "the old record is kept");
    assert_eq!(desktop.run(&["unregister"]).0, Some(0));
    assert!(
        std::fs::read_dir(desktop.path("phone/state")).unwrap().count() <= 1,
        "nothing half stays behind"
    );
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
