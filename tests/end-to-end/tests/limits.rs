//! Prescriptions and batches as large as they may be, from the clinic to the clinic; and one more.

use end_to_end::{NO_WAIT, Phone, World, refused, sample, take};
use hpki_agent::{
    agent::{Code, Delivery, MAX_REMEMBERED, Status},
    prescription::{MAX_CSV_BYTES, MAX_DOCUMENT_BYTES},
    service::{MAX_DOCUMENT, MAX_HASHES, MAX_REQUESTS},
    signature::Verdict,
};
use reference_service::HolderSpec;

/// Lines of a prescription, fields of a line behind its number, characters of a field: as `core/src/prescription` has them.
const MAX_LINES: usize = 2_000;
const MAX_FIELDS: usize = 32;
const MAX_FIELD_CHARS: usize = 1_000;
/// Nodes, levels of elements and bytes of a start tag of an envelope, likewise.
const MAX_NODES: usize = 20_000;
const MAX_DEPTH: usize = 64;
const MAX_TAG_BYTES: usize = 1_024;

/// A prescription with remarks on its drug behind it, so many lines and bytes in all.
fn csv(lines: usize, bytes: usize) -> Vec<u8> {
    let mut csv = String::from_utf8(sample::csv(1)).unwrap();
    let more = lines - csv.lines().count();
    let heads: Vec<_> = (0..more).map(|_| "281,1,1,1,3,".to_owned()).collect();
    let mut room = bytes - csv.len() - heads.iter().map(|head| head.len() + 2).sum::<usize>();
    for (number, head) in heads.iter().enumerate() {
        let here = room / (more - number);
        room -= here;
        csv.push_str(head);
        // Full-width characters have three bytes.
        csv.push_str(&"注".repeat(here / 3));
        csv.push_str(&"x".repeat(here % 3));
        csv.push_str(",\n");
    }
    assert_eq!((csv.len(), csv.lines().count()), (bytes, lines));
    csv.into_bytes()
}

/// An envelope with this in it that nobody signs.
fn envelope_with(additional: &str) -> Vec<u8> {
    let envelope = String::from_utf8(sample::envelope(1)).unwrap();
    let additional = format!(
        "<AdditionalPrescriptionInformation>{additional}</AdditionalPrescriptionInformation></Prescription>"
    );
    envelope.replace("</Prescription>", &additional).into_bytes()
}

/// An envelope of so many bytes: white space between its elements says nothing.
fn envelope_of(bytes: usize) -> Vec<u8> {
    let envelope = String::from_utf8(sample::envelope(1)).unwrap();
    let space = " ".repeat(bytes - envelope.len());
    envelope.replace("</Prescription>", &format!("{space}</Prescription>")).into_bytes()
}

/// A file of the app's own is signed, and a stranger finds it valid.
async fn assert_signed(world: &World, phone: &Phone, file: &[u8], what: &str) {
    let waiting = phone.open_document(file, what).await;
    let waiting = waiting.unwrap_or_else(|error| panic!("{what}: {error} {:?}", error.violations()));
    let approved = phone.approve(phone.prepare(vec![waiting]).await.unwrap()).await.unwrap();
    assert!(matches!(approved[0].delivery, Delivery::Returned), "{what}");
    assert_eq!(world.judge(approved[0].signed.bytes()).verdict, Verdict::Valid, "{what}");
}

async fn assert_refused(phone: &Phone, file: &[u8], what: &str, as_what: &str) {
    let error = refused(phone.open_document(file, what).await);
    assert_eq!(error.code(), Code::DocumentRefused, "{what}");
    let codes: Vec<_> = error.violations().iter().map(|violation| violation.code).collect();
    assert!(codes.contains(&as_what), "{what}: {codes:?}");
}

#[tokio::test]
async fn a_prescription_at_any_limit_of_its_size_is_signed_and_one_beyond_it_is_refused() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let line = |field: &str, commas: usize| {
        let text = String::from_utf8(sample::csv(1)).unwrap();
        format!("{text}281,1,1,1,3,{field}{}\n", ",".repeat(commas)).into_bytes()
    };
    // The line has five fields before the commas.
    for (what, largest, beyond, as_what) in [
        ("bytes", csv(1_900, MAX_CSV_BYTES), csv(1_900, MAX_CSV_BYTES + 1), "too_large"),
        ("lines", csv(MAX_LINES, 100_000), csv(MAX_LINES + 1, 100_000), "too_many_lines"),
        (
            "characters",
            line(&"注".repeat(MAX_FIELD_CHARS), 1),
            line(&"注".repeat(MAX_FIELD_CHARS + 1), 1),
            "field_absurd",
        ),
        ("fields", line("注", MAX_FIELDS - 5), line("注", MAX_FIELDS - 4), "too_many_fields"),
        (
            "bytes of the envelope",
            envelope_of(MAX_DOCUMENT_BYTES),
            envelope_of(MAX_DOCUMENT_BYTES + 1),
            "too_large",
        ),
    ] {
        assert_signed(&world, &phone, &largest, what).await;
        assert_refused(&phone, &beyond, what, as_what).await;
    }
}

#[tokio::test]
async fn an_envelope_at_any_limit_of_its_structure_is_signed_and_one_beyond_it_is_refused() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    // The document itself, six nodes of a bare envelope, and the element that holds these.
    let wide = |nodes: usize| envelope_with(&"<x/>".repeat(nodes - 8));
    // Document, Prescription and that element are levels too; the document itself is one.
    let deep =
        |levels: usize| envelope_with(&format!("{}{}", "<x>".repeat(levels - 3), "</x>".repeat(levels - 3)));
    let tagged =
        |bytes: usize| envelope_with(&format!("<x y=\"{}\"/>", "z".repeat(bytes - "x y=\"\"/>".len())));
    for (what, largest, beyond) in [
        ("nodes", wide(MAX_NODES), wide(MAX_NODES + 1)),
        ("levels", deep(MAX_DEPTH - 1), deep(MAX_DEPTH)),
        ("tag", tagged(MAX_TAG_BYTES), tagged(MAX_TAG_BYTES + 1)),
    ] {
        assert_signed(&world, &phone, &largest, what).await;
        assert_refused(&phone, &beyond, what, "xml_too_complex").await;
    }
}

#[tokio::test]
async fn a_document_as_large_as_the_inbox_takes_is_delivered_and_a_larger_one_holds_up_no_other() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let largest = [csv(1_500, MAX_DOCUMENT), envelope_of(MAX_DOCUMENT)];
    let requests = largest.each_ref().map(|file| world.submit(file));
    let beyond =
        [csv(1_500, MAX_DOCUMENT + 1), envelope_of(MAX_DOCUMENT + 1)].map(|file| world.submit(&file));
    let mut waiting = phone.inbox(NO_WAIT).await.unwrap();
    for request in &beyond {
        let damaged = take(&mut waiting, request);
        assert_eq!(damaged.prescription().err().map(|error| error.code()), Some(Code::RequestDamaged));
        phone.decline(damaged, "大きすぎます").await.unwrap();
    }
    phone.approve(phone.prepare(waiting).await.unwrap()).await.unwrap();
    world.assert_signed(&requests[0], &largest[0]);
    world.assert_signed(&requests[1], &sample::csv(1));
}

#[tokio::test]
async fn an_inbox_of_more_bytes_than_one_reading_is_signed_reading_by_reading() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let file = csv(1_500, MAX_DOCUMENT);
    let requests: Vec<_> = (0..20).map(|_| world.submit(&file)).collect();
    let mut readings = Vec::new();
    loop {
        let waiting = phone.inbox(NO_WAIT).await.unwrap();
        if waiting.is_empty() {
            break;
        }
        let kept = phone.last_inbox().await.unwrap().unwrap();
        assert_eq!(kept.waiting.len() + kept.left_out, waiting.len());
        assert!(kept.waiting.len() * MAX_DOCUMENT <= MAX_REMEMBERED);
        readings.push(waiting.len());
        phone.approve(phone.prepare(waiting).await.unwrap()).await.unwrap();
    }
    assert!(readings.len() > 1, "{readings:?}");
    assert_eq!(world.ledger().assert_each_signed_once(&requests), 0);
}

#[tokio::test]
async fn a_batch_as_large_as_the_credential_allows_is_signed_and_one_more_is_refused() {
    let mut world = World::new().await;
    for (multisign, allowed) in [(3, 3), (200, MAX_HASHES)] {
        world.doctor = world.office().issue(&HolderSpec { multisign, ..World::a_doctor() }).unwrap();
        let phone = world.bound_phone().await;
        let requests: Vec<_> = (0..=allowed).map(|number| world.submit(&sample::csv(number))).collect();
        let mut waiting = phone.inbox(NO_WAIT).await.unwrap();
        assert_eq!(waiting.len(), (allowed + 1).min(MAX_REQUESTS));
        waiting.truncate(allowed);
        waiting.push(phone.open_document(&sample::csv(0), "one more").await.unwrap());
        let error = refused(phone.prepare(waiting).await);
        assert_eq!(error.code(), Code::BatchTooLarge);
        assert!(error.text_ja().contains(&format!("{allowed}件")), "{}", error.text_ja());

        let mut waiting = phone.inbox(NO_WAIT).await.unwrap();
        waiting.truncate(allowed);
        let seen = world.wire().0.len();
        let approved = phone.approve(phone.prepare(waiting).await.unwrap()).await.unwrap();
        assert!(approved.iter().all(|one| matches!(one.delivery, Delivery::Delivered)));
        let asked = world.wire().after(seen);
        assert_eq!(asked.of("POST /csc/v2/signatures/signHash").count(), 1);
        assert!(matches!(phone.status().await.unwrap(), Status::Registered { undelivered: 0, .. }));

        // The last one waits for the next reading.
        phone.sign_all().await;
        for (number, request) in requests.iter().enumerate() {
            world.assert_signed(request, &sample::csv(number));
        }
    }
}
