//! The tables and limits of tokens, row by row and at their edges.

use time::macros::datetime;

use super::{
    super::testing::{TokenTemplate, Tsa},
    *,
};
use crate::certificate::testing::{NOW, oid, seq, tlv};

const SHA_2: [(&str, &Algorithm); 3] = [
    ("2.16.840.1.101.3.4.2.1", &SHA256),
    ("2.16.840.1.101.3.4.2.2", &SHA384),
    ("2.16.840.1.101.3.4.2.3", &SHA512),
];

fn sequence(der: &[u8]) -> Tlv<'_> {
    Tlv::only(der, Tag::Sequence).unwrap()
}

#[test]
fn each_signature_algorithm_goes_with_its_own_digest_alone() {
    use SignatureAlgorithm::{EcdsaSha256, EcdsaSha384, RsaSha256, RsaSha384, RsaSha512};
    for (algorithm, expected) in [
        ("1.2.840.113549.1.1.1", [Some(RsaSha256), Some(RsaSha384), Some(RsaSha512)]),
        ("1.2.840.113549.1.1.11", [Some(RsaSha256), None, None]),
        ("1.2.840.113549.1.1.12", [None, Some(RsaSha384), None]),
        ("1.2.840.113549.1.1.13", [None, None, Some(RsaSha512)]),
        ("1.2.840.10045.4.3.2", [Some(EcdsaSha256), None, None]),
        ("1.2.840.10045.4.3.3", [None, Some(EcdsaSha384), None]),
        ("1.2.840.10045.4.3.4", [None; 3]),
        ("1.2.840.113549.1.1.5", [None; 3]),
        ("1.2.840.113549.1.1.10", [None; 3]),
        ("1.2.840.10045.4.1", [None; 3]),
    ] {
        for parameters in [vec![], tlv(5, &[])] {
            let identifier = seq(&[oid(algorithm), parameters]);
            let found = SHA_2.map(|(_, digest)| known_signature(sequence(&identifier), digest));
            assert_eq!(found, expected, "{algorithm}");
        }
        let identifier = seq(&[oid(algorithm), tlv(5, &[0])]);
        assert_eq!(known_signature(sequence(&identifier), &SHA256), None, "{algorithm}");
    }
}

#[test]
fn each_digest_is_known_by_its_own_name() {
    for (name, algorithm) in SHA_2 {
        assert_eq!(known_digest(sequence(&seq(&[oid(name)]))), Some(algorithm));
    }
    for weak in ["1.3.14.3.2.26", "1.2.840.113549.2.5", "2.16.840.1.101.3.4.2.4"] {
        assert_eq!(known_digest(sequence(&seq(&[oid(weak)]))), None);
    }
}

#[test]
fn only_the_second_edition_of_the_attribute_names_the_digest_of_the_certificate() {
    let list = |algorithm: Option<&str>| {
        let algorithm = algorithm.map(|name| seq(&[oid(name)])).unwrap_or_default();
        seq(&[seq(&[seq(&[algorithm, tlv(4, b"digest")])])])
    };
    let found = |algorithm: Option<&str>, default| {
        let found = first_certificate(sequence(&list(algorithm)), default)?;
        assert_eq!(found.value, b"digest");
        Some(found.algorithm)
    };
    for (name, algorithm) in SHA_2 {
        assert_eq!(found(Some(name), &SHA256), Some(algorithm));
        assert_eq!(found(Some(name), &SHA1_FOR_LEGACY_USE_ONLY), None);
    }
    assert_eq!(found(Some("1.3.14.3.2.26"), &SHA256), None);
    for default in [&SHA256, &SHA1_FOR_LEGACY_USE_ONLY] {
        assert_eq!(found(None, default), Some(default));
    }
}

#[test]
fn a_time_is_fourteen_digits_perhaps_a_fraction_and_a_z() {
    for (text, time) in [
        ("20260701120000Z", datetime!(2026-07-01 12:00 UTC)),
        ("20260701120000.5Z", datetime!(2026-07-01 12:00:00.5 UTC)),
        ("20260701120000.123456789Z", datetime!(2026-07-01 12:00:00.123_456_789 UTC)),
    ] {
        assert_eq!(generalized_time(text.as_bytes()), Some(time));
    }
    for text in [
        "20260701120000",
        "202607011200Z",
        "2026070112000Z",
        "202607011200000Z",
        "20260701120000.Z",
        "20260701120000.1234567890Z",
        "20260701120000.2.5Z",
        "2026070112000+Z",
        "202607011200+1Z",
        "+2260701120000Z",
        "20260701120000.+5Z",
        "20260732120000Z",
        "20261301120000Z",
        "20260701240000Z",
        "20260701120060Z",
    ] {
        assert_eq!(generalized_time(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn a_token_is_read_up_to_the_longest_and_no_longer() {
    let tsa = Tsa::new();
    let of = |padding: usize| {
        let unsigned = Some(tlv(4, &vec![0; padding]));
        tsa.token(&TokenTemplate { unsigned, ..TokenTemplate::of(b"data", NOW) })
    };
    let padded = |length: usize| {
        let mut padding = length / 2;
        // A signature is some bytes shorter or longer each time.
        let mut tokens = std::iter::repeat_with(|| {
            let token = of(padding);
            padding = padding + length - token.len();
            token
        });
        tokens.find(|token| token.len() == length).unwrap()
    };
    assert_eq!(Token::read(&padded(MAX_TOKEN)).map(|token| token.time()), Ok(NOW));
    assert_eq!(Token::read(&padded(MAX_TOKEN + 1)).err(), Some(Form));
}
