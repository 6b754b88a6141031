//! The command line as a user has it: the forms and exit codes are a contract.

use std::{process::Command, time::Duration as StdDuration};

use end_to_end::{Shell, World, sample};
use reference_service::{State, TicketSpec};
use serde_json::{Value, json};

/// A shell that is registered as the doctor's phone, from the picture of a letter.
async fn registered(world: &World) -> Shell {
    let shell = Shell::new();
    let letter = world.office().letter(&world.doctor, TicketSpec::letter()).unwrap();
    shell.write("letter.png", &letter.letter.png);
    shell.write("code.txt", format!("{}\n", letter.ticket.activation_code.unwrap()).as_bytes());
    shell.write("trust.json", world.trust().to_string().as_bytes());
    let arguments = ["register", "letter.png", "--trust", "trust.json", "--code-file", "code.txt", "--yes"];
    let told = shell.run(arguments).await.with(0);
    assert!(told.contains(sample::PRESCRIBER) && told.contains("Medical Doctor"), "{told}");
    shell
}

async fn state(shell: &Shell) -> Value {
    let mut lines = shell.run(["status", "--json"]).await.json_with(0);
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

#[tokio::test]
async fn a_letters_picture_and_a_code_file_register_and_unregister() {
    let world = World::new().await;
    let shell = registered(&world).await;
    let status = state(&shell).await;
    assert_eq!(status["state"], "registered");
    assert_eq!(status["issuer"], world.service().issuer());
    assert_eq!(status["holder"]["name_kanji"], sample::PRESCRIBER);
    assert_eq!(status["undelivered"], 0);
    shell.run(["register", "letter.png", "--code-file", "code.txt", "--yes"]).await.with(1);

    shell.run(["unregister"]).await.with(0);
    assert_eq!(state(&shell).await, json!({"state": "unregistered"}));
    shell.run(["inbox"]).await.with(1);
    let again = shell.run(["unregister"]).await;
    assert!(again.err.contains("NotRegistered"), "{}", again.err);
    again.with(1);
    assert_eq!(world.wire().statuses("DELETE /register/{id}"), [Some(204)]);
}

#[tokio::test]
async fn without_a_yes_nothing_is_registered_and_nothing_is_signed() {
    let world = World::new().await;
    let shell = Shell::new();
    shell.write("trust.json", world.trust().to_string().as_bytes());
    let told = shell.run(["register", &world.card().qr_text, "--trust", "trust.json"]).await;
    assert!(told.err.contains("UserCancelled"), "{}", told.err);
    told.with(1);
    assert_eq!(state(&shell).await["state"], "unregistered");
    assert_eq!(world.wire().of("POST /register").count(), 0);

    let shell = registered(&world).await;
    let request = world.submit(&sample::csv(1));
    shell.run(["sign", "--all"]).await.with(1);
    assert_eq!(world.state_of(&request), State::Waiting);
    assert_eq!(world.signatures_made(), 0);
}

#[tokio::test]
async fn what_waits_is_shown_signed_declined_and_recorded() {
    let world = World::new().await;
    let shell = registered(&world).await;
    let [signed, declined, bad] =
        [sample::csv(1), sample::envelope(2), sample::unsignable()].map(|document| world.submit(&document));

    let inbox = shell.run(["inbox", "--json"]).await.json_with(0);
    let ids: Vec<_> = inbox.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [&signed, &declined, &bad]);
    assert_eq!(inbox[0]["preview"]["patient"]["name"], "電処　太郎");
    assert_eq!(inbox[0]["requester"], "検証用クリニック");
    assert_eq!((&inbox[0]["refused"], &inbox[2]["preview"]), (&Value::Null, &Value::Null));
    assert_eq!(inbox[2]["refused"]["code"], "DocumentRefused");
    assert!(shell.run(["inbox"]).await.with(0).contains("ガスターＤ錠２０ｍｇ"));

    shell.run(["decline", &declined, "--reason", "用量を確認してください"]).await.with(0);
    assert!(matches!(world.state_of(&declined), State::Declined { .. }));
    shell.run(["decline", &declined, "--reason", "もう一度"]).await.with(1);
    shell.run(["sign", &bad, "--yes"]).await.with(1);

    let told = shell.run(["sign", "--all", "--yes", "--out", "signed"]).await.with(0);
    assert!(told.contains("電処　太郎") && told.contains(&signed), "shown before it is signed: {told}");
    world.assert_signed(&signed, &sample::csv(1));
    let files = shell.names("signed");
    assert_eq!(files.len(), 1);
    assert_eq!(std::fs::read(shell.path("signed").join(&files[0])).unwrap(), world.collected(&signed));
    assert_eq!(world.state_of(&bad), State::Waiting, "what cannot be signed is left alone");

    let record = shell.run(["journal"]).await.with(0);
    for kind in ["registered", "refused", "declined", "approved", "signed", "delivered"] {
        assert!(record.contains(&format!("\"{kind}\"")), "{kind} in {record}");
    }
    shell.write("record.jsonl", record.as_bytes());
    shell.run(["journal", "--check", "record.jsonl"]).await.with(0);
    shell.write("changed.jsonl", record.replace("\"declined\"", "\"delivered\"").as_bytes());
    shell.run(["journal", "--check", "changed.jsonl"]).await.with(1);
}

#[tokio::test]
async fn without_network_the_inbox_shows_what_it_last_held_and_nothing_is_signed() {
    let mut world = World::new().await;
    let shell = registered(&world).await;
    world.stop().await;
    let never_read = shell.run(["inbox"]).await;
    assert!(never_read.err.contains("Offline"), "{}", never_read.err);
    never_read.with(1);
    world.start().await;
    let request = world.submit(&sample::csv(1));
    let online = shell.run(["inbox", "--json"]).await.json_with(0);
    world.stop().await;
    let offline = shell.run(["inbox", "--json"]).await;
    assert!(offline.err.contains("offline: as it was then"), "{}", offline.err);
    assert_eq!(offline.json_with(0), online);
    shell.run(["sign", "--all", "--yes"]).await.with(1);
    world.start().await;
    assert_eq!(world.state_of(&request), State::Waiting);
    shell.run(["sign", "--all", "--yes"]).await.with(0);
    world.assert_signed(&request, &sample::csv(1));
}

#[tokio::test]
async fn files_of_ones_own_are_signed_beside_waiting_requests() {
    let world = World::new().await;
    let shell = registered(&world).await;
    let request = world.submit(&sample::csv(1));
    shell.write("own.csv", &sample::csv(2));
    shell.write("bad.csv", &sample::unsignable());
    shell.run(["sign", "bad.csv", "--yes"]).await.with(1);
    shell.run(["sign", "no-such-request", "--yes"]).await.with(1);
    shell.run(["sign", "own.csv", &request, "--yes"]).await.with(0);
    world.assert_signed(&request, &sample::csv(1));
    let report = world.judge(&std::fs::read(shell.path("own.signed.xml")).unwrap());
    assert_eq!(json!(report.verdict), "valid");
    assert_eq!(report.document.map(String::into_bytes), Some(sample::csv(2)));
    assert_eq!(world.signatures_made(), 2);
}

#[tokio::test]
async fn inspect_ends_with_0_signable_1_not_2_usage() {
    let shell = Shell::new();
    shell.write("good.csv", &sample::csv(1));
    shell.write("good.xml", &sample::envelope(1));
    shell.write("bad.csv", &sample::unsignable());
    shell.write("other.pdf", b"%PDF-1.7");
    for good in ["good.csv", "good.xml"] {
        let inspection = shell.run(["inspect", good, "--json"]).await.json_with(0);
        assert_eq!(inspection[0]["preview"]["patient"]["name"], "電処　太郎");
        assert!(shell.run(["inspect", good]).await.with(0).contains("電処　太郎"));
    }
    let bad = shell.run(["inspect", "bad.csv", "--json"]).await.json_with(1);
    let violations = bad[0]["violations"].as_array().unwrap();
    assert!(violations.iter().any(|v| v["record"] == 11 && v["severity"] == "error"), "{violations:?}");
    assert!(violations.iter().any(|v| v["record"] == 201 && v["line"].is_number()), "{violations:?}");
    let other = shell.run(["inspect", "other.pdf", "--json"]).await.json_with(1);
    assert!(!other[0]["look_alike"].is_null());
    shell.run(["inspect", "absent.xml"]).await.with(2);
    shell.run(["inspect"]).await.with(2);
    for (file, code) in [("good.xml", 0), ("bad.csv", 1)] {
        assert_eq!(
            shell.run_unread(["inspect", file]).await,
            Some(code),
            "a reader that leaves changes nothing"
        );
    }
}

#[tokio::test]
async fn verify_ends_with_0_valid_1_invalid_2_usage_3_not_established() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    let batch = phone.prepare(phone.inbox(StdDuration::ZERO).await.unwrap()).await.unwrap();
    phone.approve(batch).await.unwrap();
    let file = world.collected(&request);

    let shell = Shell::new();
    shell.write("signed.xml", &file);
    shell.write("unsigned.xml", &sample::envelope(1));
    let changed = String::from_utf8(file).unwrap().replacen("SigningTime>2", "SigningTime>1", 1);
    shell.write("changed.xml", changed.as_bytes());
    shell.write("root.der", world.office().root_der());
    shell.write("ca.der", world.office().ca_der());
    for crl in world.office().crls().unwrap() {
        shell.write(crl.file_name, &crl.der);
    }
    let all = ["--root", "root.der", "--ca", "ca.der", "--crl", "root.crl", "--crl", "sign.crl"];
    let verify =
        async |file: &str, with: &[&str]| shell.run(["verify", file, "--json"].iter().chain(with)).await;
    let report = verify("signed.xml", &all).await.json_with(0).remove(0);
    assert_eq!((&report["verdict"], &report["level"]), (&json!("valid"), &json!("BES")));
    let signature = &report["signatures"][0];
    assert_eq!(
        (&signature["covers"], &signature["signer"], &signature["role"]),
        (&json!("prescription"), &json!(sample::PRESCRIBER), &json!("Medical Doctor"))
    );
    assert!(signature["signed_at"].is_string());
    assert_eq!(signature["reasons"], json!([]));
    shell.run(["verify", "signed.xml"].iter().chain(&all)).await.with(0);

    assert_eq!(verify("changed.xml", &all).await.json_with(1)[0]["verdict"], "invalid");
    assert_eq!(verify("unsigned.xml", &all).await.json_with(1)[0]["verdict"], "invalid");
    // Without root, without revocation lists, and when these are out of date
    assert_eq!(verify("signed.xml", &[]).await.json_with(3)[0]["verdict"], "indeterminate");
    verify("signed.xml", &all[..4]).await.with(3);
    let later = [&all[..], &["--at", "2027-06-01T00:00:00Z"]].concat();
    verify("signed.xml", &later).await.with(3);

    verify("absent.xml", &all).await.with(2);
    verify("signed.xml", &["--root", "signed.xml"]).await.with(2);
    verify("signed.xml", &["--at", "yesterday"]).await.with(2);
    shell.run(["verify"]).await.with(2);
}

#[tokio::test]
async fn scan_ends_with_0_all_read_1_not_all_2_usage() {
    let world = World::new().await;
    let letter = world.office().letter(&world.doctor, TicketSpec::letter()).unwrap();
    let sheet = letter.code_sheet.unwrap();
    let shell = Shell::new();
    shell.write("letter.png", &letter.letter.png);
    shell.write("sheet.png", &sheet.png);
    shell.write("text.png", b"no picture");

    let line = shell.run(["scan", "--json", "letter.png"]).await.json_with(0).remove(0);
    assert_eq!((&line["file"], &line["text"]), (&json!("letter.png"), &json!(letter.ticket.qr_text)));
    assert!(line["ms"].as_f64().unwrap() > 0.0 && line["version"].as_u64().unwrap() <= 14, "{line}");
    let lines = shell.run(["scan", "sheet.png", "./letter.png", "text.png", "--json"]).await.json_with(1);
    let files: Vec<_> = lines.iter().map(|line| line["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["sheet.png", "./letter.png", "text.png"]);
    let read: Vec<_> = lines.iter().map(|line| line["text"].is_string()).collect();
    assert_eq!(read, [false, true, false]);
    shell.run(["scan"]).await.with(2);
}

// The demo

/// What one run leaves.
fn files_of_a_demo(count: usize) -> Vec<String> {
    let fixed = [
        ".demo-files",
        "activation-code.pdf",
        "activation-code.png",
        "ca.der",
        "journal.jsonl",
        "letter.pdf",
        "letter.png",
        "root.crl",
        "root.der",
        "sign.crl",
        "trust.json",
    ];
    let prescriptions = (1..=count)
        .flat_map(|number| ["", ".signed"].map(|kind| format!("prescription-{number:03}{kind}.xml")));
    let mut names: Vec<_> = fixed.map(str::to_owned).into_iter().chain(prescriptions).collect();
    names.sort();
    names
}

/// Everything in the folder is of one run: each signed file is valid under the root that lies beside it.
async fn assert_whole(shell: &Shell, count: usize) {
    assert_eq!(shell.names("out"), files_of_a_demo(count));
    for number in 1..=count {
        let file = format!("out/prescription-{number:03}.signed.xml");
        let with = [
            "--root",
            "out/root.der",
            "--ca",
            "out/ca.der",
            "--crl",
            "out/root.crl",
            "--crl",
            "out/sign.crl",
        ];
        shell.run(["verify", &file].iter().chain(&with)).await.with(0);
        shell.run(["inspect", &format!("out/prescription-{number:03}.xml")]).await.with(0);
    }
    shell.run(["journal", "--check", "out/journal.jsonl"]).await.with(0);
    shell.run(["scan", "out/letter.png"]).await.with(0);
}

async fn demo(shell: &Shell, count: usize) -> String {
    shell.run(["demo", "--out", "out", "--count", &count.to_string()]).await.with(0)
}

#[tokio::test]
async fn the_demo_run_twice_into_one_folder_leaves_the_files_of_the_second() {
    let shell = Shell::new();
    let told = demo(&shell, 3).await;
    assert!(told.matches(" ms]").count() >= 10, "each step with its time: {told}");
    assert_whole(&shell, 3).await;
    let letter = std::fs::read(shell.path("out/letter.png")).unwrap();
    shell.write("out/notes.txt", b"of somebody else");
    demo(&shell, 1).await;
    assert_eq!(std::fs::read(shell.path("out/notes.txt")).unwrap(), b"of somebody else");
    std::fs::remove_file(shell.path("out/notes.txt")).unwrap();
    assert_whole(&shell, 1).await;
    assert_ne!(std::fs::read(shell.path("out/letter.png")).unwrap(), letter);
}

#[tokio::test]
async fn the_demo_killed_anywhere_leaves_the_run_before_and_the_next_run_clears_up() {
    let shell = Shell::new();
    demo(&shell, 2).await;
    for reached in ["service", "files/letter.png", "files/prescription-001.xml"] {
        let partial = shell.path("out/.partial");
        let mut child = shell.start(["demo", "--out", "out", "--count", "60"]);
        while !partial.join(reached).exists() {
            assert!(child.try_wait().unwrap().is_none(), "ended before {reached}");
            tokio::time::sleep(StdDuration::from_millis(2)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(partial.exists());
        let mut left = shell.names("out");
        left.retain(|name| name != ".partial");
        assert_eq!(left, files_of_a_demo(2), "killed at {reached}");
    }
    demo(&shell, 1).await;
    assert_whole(&shell, 1).await;
}

#[cfg(unix)]
#[tokio::test]
async fn the_demo_interrupted_at_the_keyboard_clears_up_itself() {
    let shell = Shell::new();
    let mut child = shell.start(["demo", "--out", "out", "--count", "60"]);
    while !shell.path("out/.partial/files/letter.png").exists() {
        assert!(child.try_wait().unwrap().is_none());
        tokio::time::sleep(StdDuration::from_millis(2)).await;
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let ended = tokio::task::spawn_blocking(move || child.wait()).await.unwrap().unwrap();
    assert!(!ended.success());
    assert_eq!(shell.names("out"), [""; 0]);
}

#[tokio::test]
async fn a_demo_of_no_or_too_many_prescriptions_is_a_matter_of_usage() {
    let shell = Shell::new();
    for count in ["0", "100000", "x"] {
        shell.run(["demo", "--out", "out", "--count", count]).await.with(2);
    }
    shell.run(["demo"]).await.with(2);
    assert!(!shell.path("out").exists());
}
