//! The record, its anchor and its export, changed: whatever is read is what the phone has written, from the first entry on,
//! and nothing of it that was confirmed is missing.

#![no_main]

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, LazyLock},
};

use fuzz::{
    input::{Input, edited},
    office::NOW,
    phone::{Secrets, empty_folder},
};
use hpki_agent::{
    device::{Secret, SecretStore, SecretStoreError},
    journal::{Code, Digest, Entry, Event, Head, Identifier, Journal, JournalError, verify_export},
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// Name of the journal's file, and of its anchor in the secret store.
const FILE: &str = "journal.jsonl";
const ANCHOR: &str = "journal-anchor";

struct Genuine {
    /// Every value that the anchor has had.
    anchors: Vec<Vec<u8>>,
    /// The file after each append, the empty one first.
    files: Vec<Vec<u8>>,
    heads: Vec<Head>,
    entries: Vec<Entry>,
    export: Vec<u8>,
}

/// Secrets that remember every anchor.
#[derive(Default)]
struct History(Secrets, std::sync::Mutex<Vec<Vec<u8>>>);

impl SecretStore for History {
    fn get(&self, name: &str) -> Result<Option<Secret>, SecretStoreError> {
        self.0.get(name)
    }
    fn set(&self, name: &str, secret: &Secret) -> Result<(), SecretStoreError> {
        self.1.lock().expect("no panic before").push(secret.expose().to_vec());
        self.0.set(name, secret)
    }
    fn delete(&self, name: &str) -> Result<(), SecretStoreError> {
        self.0.delete(name)
    }
}

fn events() -> Vec<Vec<Event>> {
    let digest = |text: &str| Digest::of(text.as_bytes());
    let word = |text: &str| Identifier::try_from(text.to_owned()).expect("an identifier");
    let code = |text: &str| Code::try_from(text.to_owned()).expect("a code");
    vec![
        vec![Event::Registered {
            service: word("https://sign.example"),
            client_id: word("client-1"),
            credential_id: word("credential-1"),
            certificate: digest("certificate"),
            approval_key: word("thumbprint"),
            replaced: false,
        }],
        vec![
            Event::Approved { documents: vec![digest("a"), digest("b")] },
            Event::Signed { request: Some(digest("r")), document: digest("a"), signature: digest("s") },
            Event::Delivered { request: digest("r"), document: digest("a") },
        ],
        vec![Event::Refused {
            request: None,
            document: digest("c"),
            codes: vec![code("crlf"), code("order")],
        }],
        vec![Event::NotSigned { code: code("cancelled"), count: 2 }],
    ]
}

static GENUINE: LazyLock<Genuine> = LazyLock::new(|| {
    let folder = empty_folder();
    let history = Arc::new(History::default());
    let journal = Journal::open(&folder, history.clone()).expect("a journal");
    let (mut files, mut heads) = (vec![Vec::new()], vec![journal.verify().expect("empty").head]);
    for events in events() {
        journal.append_all(NOW, &events).expect("appended");
        files.push(fs::read(folder.join(FILE)).expect("a file"));
        heads.push(journal.verify().expect("sound").head);
    }
    let mut export = Vec::new();
    journal.export(&mut export).expect("exported");
    let entries = journal.entries().expect("sound");
    let anchors = history.1.lock().expect("no panic before").clone();
    assert_eq!(anchors.len(), 1 + 2 * events().len());
    Genuine { anchors, files, heads, entries, export }
});

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    match input.byte() & 3 {
        0 => exported(&edited(&GENUINE.export, &mut input)),
        1 => exported(input.rest()),
        choice => opened(choice == 2, &mut input),
    }
});

/// What was exported shows that its lines hang together. That some were taken off the end, with a closing line made for the
/// rest, only the phone can tell.
fn exported(export: &[u8]) {
    if let Ok(summary) = verify_export(export) {
        let file = GENUINE.files.last().expect("the whole file");
        let lines = usize::try_from(summary.head.length).expect("a length");
        assert_eq!(export.get(..lines), file.get(..lines));
        assert!(summary.head.count <= GENUINE.entries.len() as u64);
    }
}

fn opened(is_anchor_genuine: bool, input: &mut Input) {
    let at = usize::from(input.byte()) % GENUINE.anchors.len();
    let anchor = GENUINE.anchors[at].clone();
    let anchor = if is_anchor_genuine {
        anchor
    } else {
        let length = usize::from(input.byte());
        edited(&anchor, &mut Input::new(input.take(length)))
    };
    let file = edited(&GENUINE.files[usize::from(input.byte()) % GENUINE.files.len()], input);
    let folder = empty_folder();
    fs::write(folder.join(FILE), &file).expect("written");
    let secrets = Arc::new(Secrets::default());
    secrets.replace(BTreeMap::from([(ANCHOR.to_owned(), anchor.clone())]));

    let read = Journal::open(&folder, secrets.clone()).and_then(|journal| journal.entries());
    let genuine_files = GENUINE.files.iter().position(|genuine| *genuine == file);
    match read {
        Ok(entries) => {
            assert_eq!(
                GENUINE.entries.get(..entries.len()),
                Some(entries.as_slice()),
                "entries that nobody wrote"
            );
            let left = fs::read(folder.join(FILE)).expect("a file");
            assert!(file.starts_with(&left), "reading has written into the file");
            if is_anchor_genuine {
                let possible = heads_of(&anchor);
                assert!(
                    possible.contains(&(entries.len() as u64)),
                    "{} entries, {possible:?} anchored",
                    entries.len()
                );
            }
        }
        Err(JournalError::Tampered(found)) => {
            let confirmed = is_anchor_genuine && genuine_files.is_some_and(|file| is_sound(&anchor, file));
            assert!(!confirmed, "a journal as the phone left it is called tampered with: {found}");
            let before = fs::read(folder.join(FILE)).expect("a file");
            let (journal, kept) = Journal::set_aside(&folder, secrets, found, NOW).expect("set aside");
            assert_eq!(fs::read(kept).expect("kept"), before);
            let entries = journal.entries().expect("a new journal");
            assert!(matches!(entries.as_slice(), [Entry { event: Event::SetAside { .. }, .. }]));
        }
        Err(error) => panic!("{error}"),
    }
}

/// How many entries there may be under this anchor.
fn heads_of(anchor: &[u8]) -> Vec<u64> {
    let anchor: Value = serde_json::from_slice(anchor).expect("JSON");
    [&anchor["head"], &anchor["announced"]].iter().filter_map(|head| head["count"].as_u64()).collect()
}

/// Whether a phone that was ended at any moment leaves this anchor beside the file of this many appends.
fn is_sound(anchor: &[u8], file: usize) -> bool {
    heads_of(anchor).contains(&GENUINE.heads[file].count)
}
