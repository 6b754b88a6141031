//! Time-stamp tokens, in the place of a genuine file's: a changed token proves no other time than the authority has said, and
//! a file whose archive timestamp covers it is not valid any more.

#![no_main]

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_STANDARD};
use fuzz::{
    files::{DISPENSING, Judge},
    input::{Input, edited},
};
use hpki_agent::signature::{Report, Verdict};
use libfuzzer_sys::fuzz_target;
use time::OffsetDateTime;

const START: &str = "<xa:EncapsulatedTimeStamp>";

struct Genuine {
    judge: Judge,
    file: &'static str,
    /// Where the tokens lie in the file, in its order: of the prescription, of the dispensing, of its archive.
    tokens: Vec<(usize, usize, Vec<u8>)>,
    times: Vec<Option<OffsetDateTime>>,
}

fn times(report: &Report) -> Vec<Option<OffsetDateTime>> {
    report.signatures.iter().map(|signature| signature.stamped_at).collect()
}

static GENUINE: LazyLock<Genuine> = LazyLock::new(|| {
    let judge = Judge::of_dispensing();
    let file = str::from_utf8(DISPENSING).expect("text");
    let tokens: Vec<_> = file
        .match_indices(START)
        .map(|(at, _)| {
            let start = at + START.len();
            let end = start + file[start..].find('<').expect("an end tag");
            let text: String = file[start..end].split_ascii_whitespace().collect();
            (start, end, BASE64_STANDARD.decode(text).expect("base64"))
        })
        .collect();
    assert_eq!(tokens.len(), 3);
    let times = times(&judge.verify(DISPENSING));
    assert!(times.len() == 2 && times.iter().all(Option::is_some));
    Genuine { judge, file, tokens, times }
});

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let choice = usize::from(input.byte());
    let (start, end, genuine) = &GENUINE.tokens[choice % 3];
    let token = if choice & 128 == 0 { edited(genuine, &mut input) } else { input.rest().to_vec() };
    let (before, after) = (&GENUINE.file[..*start], &GENUINE.file[*end..]);
    let as_it_was = &GENUINE.file[*start..*end];
    let text = if token == *genuine { as_it_was.to_owned() } else { BASE64_STANDARD.encode(&token) };
    let report = GENUINE.judge.verify([before, &text, after].concat().as_bytes());
    assert!(token != *genuine || report.verdict == Verdict::Valid);
    for (found, genuine) in times(&report).iter().zip(&GENUINE.times) {
        assert!(found.is_none() || found == genuine, "{found:?} was proven instead of {genuine:?}");
    }
    if report.verdict == Verdict::Valid {
        // Nothing covers the archive timestamp, of which parts are not signed; it covers the others.
        assert!(choice % 3 == 2 || token == *genuine);
        assert_eq!(times(&report), GENUINE.times);
    }
});
