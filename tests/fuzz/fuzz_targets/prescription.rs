//! Envelopes and CSV: whatever can be signed is shown in full, is signed as it stands, and comes out valid; whatever cannot
//! be has a reason.

#![no_main]

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_STANDARD};
use fuzz::{
    files::{AT, CSV, DOCTOR_P256, FixedRandom, Judge, sign_p256, signing_certificate},
    input::{Input, edited},
};
use hpki_agent::{
    certificate::SigningCertificate,
    prescription::{Lang, Prescription, Preview, Refusal, Violation, inspect, read_csv},
    signature::{Method, Prepared, Verdict, canonicalize, prepare},
};
use libfuzzer_sys::fuzz_target;
use ring::digest::{SHA256, digest};
use serde_json::Value;

static ENVELOPE: LazyLock<Vec<u8>> =
    LazyLock::new(|| Prescription::parse(CSV.as_bytes()).expect("a prescription").into_envelope());
static DOCTOR: LazyLock<SigningCertificate> = LazyLock::new(|| signing_certificate(DOCTOR_P256));
static JUDGE: LazyLock<Judge> = LazyLock::new(Judge::of_prescriptions);

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let file = match input.byte() & 3 {
        0 => edited(CSV.as_bytes(), &mut input),
        1 => edited(&ENVELOPE, &mut input),
        // The envelope as it is, around another CSV
        2 => {
            let csv = edited(CSV.as_bytes(), &mut input);
            let text = String::from_utf8(ENVELOPE.clone()).expect("text");
            text.replace(&BASE64_STANDARD.encode(CSV), &BASE64_STANDARD.encode(csv)).into_bytes()
        }
        _ => input.rest().to_vec(),
    };
    let inspection = inspect(&file);
    if let Some(preview) = &inspection.preview {
        assert!(!preview.to_text(Lang::Ja).is_empty() && !preview.to_text(Lang::En).is_empty());
    }
    match Prescription::parse(&file) {
        Ok(prescription) => {
            assert!(inspection.is_signable());
            signable(&file, prescription);
        }
        Err(refusal) => {
            assert!(!inspection.is_signable());
            if let Refusal::Violations(violations) = refusal {
                assert!(violations.iter().any(Violation::blocks), "a refusal without a reason");
            }
        }
    }
});

fn signable(file: &[u8], prescription: Prescription) {
    let csv = prescription.csv().to_owned();
    assert!(!csv.contains('\r') && csv.starts_with("SJ1"));
    let preview = prescription.preview().clone();
    assert!(prescription.warnings().iter().all(|violation| !violation.blocks()));
    assert!(read_csv(&csv).0 == preview, "the preview is not that of the CSV");
    everything_is_shown(&csv, &preview);

    let envelope = prescription.envelope().to_vec();
    assert!(envelope == file || csv.as_bytes() == file);
    let again = Prescription::parse(&envelope).expect("an envelope of our own");
    assert!(again.csv() == csv && again.envelope() == envelope);

    // What is digested is the document as a verifier finds it.
    let id = "PrescriptionDocument";
    let document = canonicalize(&envelope, Some(id), Method::Inclusive10, false, &[]).expect("canonical");
    let body = document.split(|byte| matches!(byte, b'<' | b'>')).nth(2).expect("a body");
    let body: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    assert_eq!(BASE64_STANDARD.decode(body).as_deref(), Ok(csv.as_bytes()));
    let prepared = prepare(prescription, &DOCTOR, AT, &FixedRandom).expect("prepared");
    let digest = BASE64_STANDARD.encode(digest(&SHA256, &document));
    assert!(str::from_utf8(prepared.signed_info()).expect("text").contains(&digest));

    let stored = prepared.to_stored();
    let kept = Prepared::from_stored(&stored, &DOCTOR).expect("what was stored");
    assert_eq!((kept.signed_info(), kept.to_stored()), (prepared.signed_info(), stored));

    let value = sign_p256(&prepared);
    let signed = prepared.finish(&value).expect("finished");
    let report = JUDGE.verify(signed.bytes());
    assert_eq!(report.verdict, Verdict::Valid, "{report:?}");
    assert_eq!(report.document.as_deref(), Some(csv.as_str()));
    assert!(Prescription::parse(signed.bytes()).is_err(), "signed twice");
}

/// Every field stands somewhere in the preview, by itself or in a line that has no place of its own.
fn everything_is_shown(csv: &str, preview: &Preview) {
    let mut shown = String::new();
    collect(&serde_json::to_value(preview).expect("JSON"), &mut shown);
    let shown = unmarked(&shown);
    for line in csv.split('\n').skip(1) {
        for field in line.split(',').skip(1) {
            assert!(shown.contains(&unmarked(field)), "{field:?} is not shown");
        }
    }
}

/// Without the marks `⟦U+XXXX⟧` behind characters that may pass for others.
fn unmarked(text: &str) -> String {
    let (first, marked) = text.split_once("⟦U+").unwrap_or((text, ""));
    let rest = |part: &str| part.split_once('⟧').map_or_else(|| part.to_owned(), |(_, rest)| rest.to_owned());
    marked.split("⟦U+").map(rest).fold(first.to_owned(), |text, rest| text + &rest)
}

fn collect(value: &Value, texts: &mut String) {
    match value {
        Value::String(text) => {
            texts.push_str(text);
            texts.push('\n');
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(members) => members.values().for_each(|member| collect(member, texts)),
        _ => {}
    }
}
