use std::{fs, sync::atomic::Ordering};

use proptest::prelude::*;
use time::macros::datetime;

use super::*;
use crate::device::testing::{Folder, MemorySecrets};

const AT: OffsetDateTime = datetime!(2026-11-22 08:00 UTC);

fn id(text: &str) -> Identifier {
    Identifier::try_from(text.to_owned()).unwrap()
}

fn code(text: &str) -> Code {
    Code::try_from(text.to_owned()).unwrap()
}

/// One of each kind.
pub(super) fn events() -> Vec<Event> {
    let (request, document) = (Digest::of(b"request"), Digest::of(b"document"));
    vec![
        Event::Registered {
            service: id("https://sign.example"),
            client_id: id("c-1"),
            credential_id: id("credential-1"),
            certificate: Digest::of(b"certificate"),
            approval_key: id("oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"),
            replaced: false,
        },
        Event::Approved { documents: vec![document, Digest::of(b"other")] },
        Event::Signed { request: Some(request), document, signature: Digest::of(b"signature") },
        Event::NotSigned { code: code("credential_locked"), count: 1 },
        Event::Delivered { request, document },
        Event::NotDelivered { request, document, code: code("already_answered") },
        Event::Declined { request, document: None },
        Event::Refused { request: None, document, codes: vec![code("record.101.missing")] },
        Event::BindingChanged { code: code("certificate") },
        Event::Unregistered { client_id: id("c-1") },
        Event::Wiped { code: code("invalid_client") },
        Event::SetAside { seq: 7, kind: TamperingKind::HeadDiffers },
    ]
}

/// A phone's folder and secrets, both of which a test may meddle with.
struct Phone {
    folder: Folder,
    secrets: Arc<MemorySecrets>,
}

impl Phone {
    fn new() -> Self {
        Self { folder: Folder::new(), secrets: Arc::default() }
    }
    fn with(events: &[Event]) -> Self {
        let phone = Self::new();
        let journal = phone.open().unwrap();
        for (n, event) in events.iter().enumerate() {
            journal.append(AT + time::Duration::seconds(i64::try_from(n).unwrap()), event).unwrap();
        }
        drop(journal);
        phone
    }
    fn open(&self) -> Result<Journal, JournalError> {
        Journal::open(self.folder.path(), self.secrets.clone())
    }
    fn verify(&self) -> Result<Summary, JournalError> {
        self.open()?.verify()
    }
    fn file(&self) -> PathBuf {
        self.folder.path().join(FILE)
    }
    fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(self.file()).unwrap();
        text.split_inclusive('\n').map(ToOwned::to_owned).collect()
    }
    fn put(&self, lines: &[String]) {
        fs::write(self.file(), lines.concat()).unwrap();
    }
    /// What is found when these lines are there instead.
    fn found(&self, lines: &[String]) -> (u64, TamperingKind) {
        self.put(lines);
        match self.verify() {
            Err(JournalError::Tampered(Tampering { seq, kind })) => (seq, kind),
            other => panic!("{other:?}"),
        }
    }
    fn anchor(&self) -> Vec<u8> {
        self.secrets.secrets.lock().unwrap()[ANCHOR].clone()
    }
    fn set_anchor(&self, anchor: Vec<u8>) {
        self.secrets.secrets.lock().unwrap().insert(ANCHOR.into(), anchor);
    }
}

/// The lines of these events as somebody without the secrets would compute them behind `head`.
fn forged(mut head: Head, events: &[Event]) -> Vec<String> {
    let mut lines = Vec::new();
    for event in events {
        let (bytes, next) = line(&head, AT, event).unwrap();
        lines.push(String::from_utf8(bytes).unwrap());
        head = next;
    }
    lines
}

#[test]
fn every_event_comes_back_as_recorded_and_the_journal_goes_on_after_a_restart() {
    let phone = Phone::with(&events());
    let journal = phone.open().unwrap();
    let entries = journal.entries().unwrap();
    assert_eq!(entries.iter().map(|e| e.event.clone()).collect::<Vec<_>>(), events());
    assert_eq!(entries.iter().map(|e| e.seq).collect::<Vec<_>>(), (1..=12).collect::<Vec<_>>());
    journal.append(AT, &events()[0]).unwrap();
    let summary = journal.verify().unwrap();
    assert_eq!((summary.head.count, summary.first, summary.last), (13, Some(AT), Some(AT)));
    assert_eq!(summary.head.length, fs::metadata(phone.file()).unwrap().len());
}

#[test]
fn an_empty_journal_is_sound() {
    let summary = Phone::new().verify().unwrap();
    assert_eq!(summary, Summary { head: Head::EMPTY, first: None, last: None });
}

#[test]
fn the_hash_of_a_line_is_that_of_the_line_without_it() {
    let phone = Phone::with(&events()[..1]);
    let line = phone.lines().remove(0);
    let (text, hash) = line.rsplit_once(",\"hash\":\"").unwrap();
    assert_eq!(hash, format!("{}\"}}\n", Digest::of(format!("{text}}}").as_bytes())));
    assert!(line.starts_with(r#"{"seq":1,"at":"2026-11-22T08:00:00Z","event":{"type":"registered","#));
    assert!(text.ends_with(&format!(r#","previous":"{}""#, "0".repeat(64))));
}

#[test]
fn an_edited_line_is_found() {
    let phone = Phone::with(&events());
    let genuine = phone.lines();
    for (n, line) in genuine.iter().enumerate() {
        let mut lines = genuine.clone();
        lines[n] = line.replacen("T08:00", "T09:00", 1);
        assert_eq!(phone.found(&lines), (n as u64 + 1, TamperingKind::Altered));
        lines[n] = line.replacen("2026-11-22", "2026-1-22", 1);
        assert_eq!(phone.found(&lines), (n as u64 + 1, TamperingKind::Altered));
        lines[n] = line.replace(",\"hash\"", ",\"hush\"");
        assert_eq!(phone.found(&lines), (n as u64 + 1, TamperingKind::Malformed));
    }
}

#[test]
fn a_removed_inserted_repeated_or_moved_line_is_found() {
    let phone = Phone::with(&events()[..5]);
    let genuine = phone.lines();
    for n in 0..4 {
        let mut lines = genuine.clone();
        lines.remove(n);
        assert_eq!(phone.found(&lines), (n as u64 + 1, TamperingKind::Unlinked));
        let mut lines = genuine.clone();
        lines.insert(n, genuine[n].clone());
        assert_eq!(phone.found(&lines), (n as u64 + 2, TamperingKind::Unlinked));
        let mut lines = genuine.clone();
        lines.swap(n, n + 1);
        assert_eq!(phone.found(&lines), (n as u64 + 1, TamperingKind::Unlinked));
        let mut lines = genuine.clone();
        lines.insert(n, "\n".into());
        assert_eq!(phone.found(&lines), (n as u64 + 1, TamperingKind::Malformed));
    }
    phone.put(&genuine);
    assert_eq!(phone.verify().unwrap().head.count, 5);
}

#[test]
fn missing_lines_at_the_end_are_found() {
    let phone = Phone::with(&events()[..5]);
    let genuine = phone.lines();
    for n in 0..5 {
        assert_eq!(phone.found(&genuine[..n]), (n as u64 + 1, TamperingKind::Truncated));
    }
    fs::remove_file(phone.file()).unwrap();
    let missing = Tampering { seq: 1, kind: TamperingKind::Truncated };
    assert_eq!(phone.verify().err(), Some(missing.into()));
}

#[test]
fn a_confirmed_last_line_that_is_cut_anywhere_is_found() {
    let phone = Phone::with(&events()[..3]);
    let whole = fs::read(phone.file()).unwrap();
    let last = whole.len() - phone.lines()[2].len();
    for length in last + 1..whole.len() {
        fs::write(phone.file(), &whole[..length]).unwrap();
        let cut = Tampering { seq: 3, kind: TamperingKind::Malformed };
        assert_eq!(phone.verify().err(), Some(cut.into()), "cut to {length}");
    }
}

#[test]
fn lines_computed_anew_are_found_by_the_anchor() {
    let phone = Phone::with(&events()[..4]);
    let head = phone.verify().unwrap().head;
    let mut lines = phone.lines();
    lines.extend(forged(head, &events()[..1]));
    assert_eq!(phone.found(&lines), (5, TamperingKind::NotAnchored));
    assert_eq!(phone.found(&forged(Head::EMPTY, &events()[4..8])), (4, TamperingKind::HeadDiffers));
    assert_eq!(phone.found(&forged(Head::EMPTY, &events()[4..7])), (4, TamperingKind::Truncated));
    assert_eq!(phone.found(&forged(Head::EMPTY, &events()[..6])), (5, TamperingKind::NotAnchored));
}

#[test]
fn a_lost_or_unreadable_anchor_is_found() {
    let phone = Phone::with(&events()[..2]);
    let lost = Tampering { seq: 1, kind: TamperingKind::AnchorLost };
    for anchor in [&b""[..], b"{}", &[0xff; 9]] {
        phone.set_anchor(anchor.to_vec());
        assert_eq!(phone.verify().err(), Some(lost.into()));
    }
    phone.secrets.secrets.lock().unwrap().clear();
    assert_eq!(phone.verify().err(), Some(lost.into()));
}

/// What a process that died while appending the third entry has left: the anchor announces it, and `length` bytes of
/// it are there.
fn died(phone: &Phone, length: usize) {
    let journal = phone.open().unwrap();
    let before = journal.verify().unwrap().head;
    let (line, after) = line(&before, AT, &events()[2]).unwrap();
    let mut anchor = journal.anchor.lock().unwrap();
    journal.move_anchor(&mut anchor, before, Some(after)).unwrap();
    let mut bytes = fs::read(phone.file()).unwrap();
    bytes.extend_from_slice(&line[..length]);
    fs::write(phone.file(), bytes).unwrap();
}

#[test]
fn a_process_killed_at_any_byte_of_an_append_leaves_a_sound_journal_with_or_without_the_entry() {
    let phone = Phone::with(&events()[..2]);
    let before = fs::read(phone.file()).unwrap().len();
    let (entry, _) = line(&phone.verify().unwrap().head, AT, &events()[2]).unwrap();
    died(&phone, entry.len());
    let (whole, anchor) = (fs::read(phone.file()).unwrap(), phone.anchor());
    for length in before..=whole.len() {
        fs::write(phone.file(), &whole[..length]).unwrap();
        phone.set_anchor(anchor.clone());
        let journal = phone.open().unwrap();
        let count = if length == whole.len() { 3 } else { 2 };
        assert_eq!(journal.verify().unwrap().head.count, count, "killed at {length}");
        journal.append(AT, &events()[3]).unwrap();
        assert_eq!(journal.entries().unwrap().last().unwrap().event, events()[3]);
    }
}

#[test]
fn an_append_under_way_does_not_let_a_forged_line_in() {
    let phone = Phone::with(&events()[..2]);
    let head = phone.verify().unwrap().head;
    died(&phone, 0);
    let genuine = phone.lines();
    let mut forgery = events()[2].clone();
    if let Event::Signed { document, .. } = &mut forgery {
        *document = Digest::of(b"forged");
    }
    phone.put(&[genuine.clone(), forged(head, &[forgery])].concat());
    assert_eq!(phone.verify().unwrap().head, head, "it has the length, but not the hash, that was announced");
    assert_eq!(phone.lines(), genuine);

    died(&phone, 0);
    let longer = [genuine.clone(), forged(head, &[events()[2].clone(), events()[3].clone()])].concat();
    assert_eq!(phone.found(&longer), (3, TamperingKind::NotAnchored));

    phone.put(&genuine);
    died(&phone, 0);
    assert_eq!(phone.found(&genuine[..1]), (2, TamperingKind::Truncated));
}

#[test]
fn a_failing_secret_store_fails_the_append_and_the_next_one_settles_it() {
    let phone = Phone::with(&events()[..2]);
    let journal = phone.open().unwrap();
    phone.secrets.fails.store(true, Ordering::SeqCst);
    let failed = journal.append(AT, &events()[2]).err();
    assert_eq!(failed, Some(JournalError::Secrets(SecretStoreError::Unavailable)));
    phone.secrets.fails.store(false, Ordering::SeqCst);
    journal.append(AT, &events()[3]).unwrap();
    assert_eq!(journal.verify().unwrap().head.count, 3);
}

#[test]
fn events_appended_together_are_written_together_or_not_at_all() {
    let phone = Phone::with(&events()[..1]);
    let journal = phone.open().unwrap();
    journal.append_all(AT, &events()[1..4]).unwrap();
    journal.append_all(AT, &[]).unwrap();
    let (all, anchored) = (fs::read(phone.file()).unwrap(), journal.verify().unwrap().head);
    drop(journal);
    let first = phone.lines()[0].len();
    let begun = {
        let (_, head) = line(&Head::EMPTY, AT, &events()[0]).unwrap();
        serde_json::to_vec(&Anchor { version: VERSION, head, announced: Some(anchored) }).unwrap()
    };
    for length in (first..=all.len()).step_by(7).chain([all.len()]) {
        phone.set_anchor(begun.clone());
        fs::write(phone.file(), &all[..length]).unwrap();
        let count = if length == all.len() { 4 } else { 1 };
        assert_eq!(phone.verify().unwrap().head.count, count, "killed after {length}");
    }
}

#[test]
fn one_process_at_a_time_has_the_journal() {
    let phone = Phone::new();
    let _open = phone.open().unwrap();
    assert_eq!(phone.open().err(), Some(JournalError::InUse));
}

#[test]
fn a_journal_that_was_tampered_with_is_kept_and_the_new_one_says_so() {
    let phone = Phone::with(&events()[..3]);
    let evidence = phone.lines()[..1].to_vec();
    phone.put(&evidence);
    let Some(JournalError::Tampered(found)) = phone.open().err() else { panic!("it is found") };
    let (journal, kept) = Journal::set_aside(phone.folder.path(), phone.secrets.clone(), found, AT).unwrap();
    assert_eq!(fs::read_to_string(kept).unwrap(), evidence.concat());
    let entries = journal.entries().unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].event, Event::SetAside { seq: 2, kind: TamperingKind::Truncated });
}

#[test]
fn an_export_is_checked_without_the_phone() {
    let phone = Phone::with(&events());
    let mut export = Vec::new();
    let summary = phone.open().unwrap().export(&mut export).unwrap();
    assert_eq!(verify_export(&export), Ok(summary));
    let text = String::from_utf8(export).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    assert_eq!(lines.len(), 13);
    for n in 0..13 {
        let mut fewer = lines.clone();
        fewer.remove(n);
        assert!(verify_export(fewer.concat().as_bytes()).is_err(), "without line {n}");
        let cut = lines[..n].concat();
        let truncated = Tampering { seq: n as u64, kind: TamperingKind::Truncated };
        assert_eq!(verify_export(cut.as_bytes()).err().filter(|_| n > 0), Some(truncated).filter(|_| n > 0));
    }
    let shorter = [&lines[..11], &lines[12..]].concat().concat();
    let told = verify_export(shorter.as_bytes()).err();
    assert_eq!(told, Some(Tampering { seq: 12, kind: TamperingKind::Truncated }));
    let other = text.replace("\"closing\":{\"count\":12", "\"closing\":{\"count\":11");
    assert_eq!(verify_export(other.as_bytes()).err().unwrap().kind, TamperingKind::HeadDiffers);

    let empty = {
        let mut export = Vec::new();
        Phone::new().open().unwrap().export(&mut export).unwrap();
        export
    };
    assert_eq!(verify_export(&empty).unwrap().head.count, 0);
}

#[test]
fn a_line_is_bounded_and_one_that_is_too_long_changes_nothing() {
    let phone = Phone::with(&events()[..1]);
    let journal = phone.open().unwrap();
    let approved = |n| Event::Approved { documents: vec![Digest::of(b"x"); n] };
    journal.append(AT, &approved(1900)).unwrap();
    assert_eq!(journal.append(AT, &approved(2000)).err(), Some(JournalError::TooLong));
    assert_eq!(journal.verify().unwrap().head.count, 2);
}

#[test]
fn any_changed_byte_is_found() {
    let phone = Phone::with(&events()[..4]);
    let genuine = fs::read(phone.file()).unwrap();
    proptest!(|(at in any::<prop::sample::Index>(), to in any::<u8>())| {
        let mut bytes = genuine.clone();
        let at = at.index(bytes.len());
        bytes[at] = to;
        fs::write(phone.file(), &bytes).unwrap();
        prop_assert_eq!(phone.verify().is_err(), bytes != genuine);
    });
}

proptest! {
    #[test]
    fn no_export_makes_the_check_panic(export in any::<Vec<u8>>()) {
        prop_assert!(verify_export(&export).is_err());
    }
}
