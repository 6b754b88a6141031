//! Signed files, changed, and any other file: whatever is called valid says what the doctor has signed, and whatever is
//! given out as signed was.

#![no_main]

use std::sync::LazyLock;

use fuzz::{
    files::{CSV, DISPENSING, Judge, form_a},
    input::{Input, edited},
};
use hpki_agent::signature::{Severity, Verdict};
use libfuzzer_sys::fuzz_target;

struct Genuine {
    judge: Judge,
    file: Vec<u8>,
    document: String,
    signatures: usize,
}

static GENUINE: LazyLock<[Genuine; 2]> = LazyLock::new(|| {
    [(Judge::of_prescriptions(), form_a()), (Judge::of_dispensing(), DISPENSING.to_vec())].map(
        |(judge, file)| {
            let report = judge.verify(&file);
            assert_eq!(report.verdict, Verdict::Valid, "{report:?}");
            let document = report.document.expect("what was signed");
            Genuine { judge, file, document, signatures: report.signatures.len() }
        },
    )
});

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let choice = input.byte();
    let genuine = &GENUINE[usize::from(choice & 1)];
    let file = if choice & 2 == 0 { edited(&genuine.file, &mut input) } else { input.rest().to_vec() };
    let report = genuine.judge.verify(&file);
    assert!(report.document.as_ref().is_none_or(|document| *document == genuine.document || document == CSV));
    let reasons =
        || report.reasons.iter().chain(report.signatures.iter().flat_map(|signature| &signature.reasons));
    match report.verdict {
        Verdict::Valid => {
            assert_eq!(report.document.as_ref(), Some(&genuine.document));
            assert!(report.signatures.len() <= genuine.signatures);
            assert!(reasons().all(|reason| reason.severity == Severity::Note));
        }
        Verdict::Indeterminate => assert!(!report.signatures.is_empty()),
        Verdict::Invalid => {
            let fails = reasons().any(|reason| reason.severity == Severity::Fails);
            assert!(fails || report.signatures.is_empty());
        }
    }
});
