//! Tokens as RFC 3161 wants them, and what nobody should make. See `testing`.

use proptest::prelude::*;
use time::{Duration, macros::datetime};

use super::{
    testing::{
        CONTENT_TYPE, MESSAGE_DIGEST, SHA384_OID, SIGNING_CERTIFICATE_V2, TIME_STAMPING, TokenTemplate, Tsa,
        extended_key_usage,
    },
    *,
};
use crate::certificate::{
    Crl,
    testing::{Authority, CrlTemplate, NOW, Template, extension, seq, tlv},
};

fn good() -> TokenTemplate {
    TokenTemplate::of(b"data", NOW)
}

#[track_caller]
fn refused(template: &TokenTemplate, error: TokenError) {
    assert_eq!(Token::read(&Tsa::new().token(template)).err(), Some(error));
}

fn judged(tsa: &Tsa, template: &TokenTemplate, crls: &[Crl]) -> Result<time::OffsetDateTime, AuthorityError> {
    let roots = [tsa.root_certificate()];
    let known = Knowledge { roots: &roots, certificates: &[], crls, now: NOW + Duration::hours(1) };
    judge(&Token::read(&tsa.token(template)).unwrap(), &known, known.now)
}

fn fresh(tsa: &Tsa) -> [Crl; 1] {
    [tsa.root.crl(&CrlTemplate::fresh())]
}

#[test]
fn a_token_tells_its_time_and_what_it_stands_for() {
    let tsa = Tsa::new();
    for template in [good(), TokenTemplate { names_by_sha1: true, ..good() }] {
        assert_eq!(judged(&tsa, &template, &fresh(&tsa)), Ok(NOW));
        let token = Token::read(&tsa.token(&template)).unwrap();
        let digest = |data: &[u8]| ring::digest::digest(token.imprint_algorithm(), data);
        assert!(token.stands_for(&digest(b"data")) && !token.stands_for(&digest(b"date")));
    }
}

#[test]
fn a_token_by_a_key_of_p384_is_verified_as_strictly() {
    let tsa = Tsa::p384();
    let template = TokenTemplate { digest: SHA384_OID, ..good() };
    assert_eq!(judged(&tsa, &template, &fresh(&tsa)), Ok(NOW));
    let mut changed = tsa.token(&template);
    *changed.last_mut().unwrap() ^= 1;
    let roots = [tsa.root_certificate()];
    let known = Knowledge { roots: &roots, certificates: &[], crls: &fresh(&tsa), now: NOW };
    assert_eq!(judge(&Token::read(&changed).unwrap(), &known, NOW), Err(AuthorityError::Signature));
    assert_eq!(Token::read(&tsa.token(&good())).err(), Some(TokenError::Algorithm), "SHA-256 with it");
}

#[test]
fn a_signer_named_by_its_key_is_still_the_one_of_the_certificates_digest() {
    let (tsa, other) = (Tsa::new(), Tsa::new());
    let by_key = TokenTemplate { by_key: true, ..good() };
    assert_eq!(judged(&tsa, &by_key, &fresh(&tsa)), Ok(NOW));
    let named = TokenTemplate { named: Some(other.certificate.clone()), ..by_key };
    assert_eq!(judged(&tsa, &named, &fresh(&tsa)), Err(AuthorityError::CertificateMissing));
}

#[test]
fn a_token_of_another_shape_is_refused_by_name() {
    refused(&TokenTemplate { version: 2, ..good() }, TokenError::Form);
    refused(&TokenTemplate { content_type: "1.2.840.113549.1.7.1", ..good() }, TokenError::ContentType);
    refused(&TokenTemplate { signers: 2, ..good() }, TokenError::Signers);
    refused(&TokenTemplate { signers: 0, ..good() }, TokenError::Signers);
    for kind in [CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_CERTIFICATE_V2] {
        refused(&TokenTemplate { without_attribute: Some(kind), ..good() }, TokenError::Attributes);
        refused(&TokenTemplate { attribute_twice: Some(kind), ..good() }, TokenError::Attributes);
    }
    let critical = tlv(0xa1, &extension("1.2.3", true, &[]));
    refused(&TokenTemplate { more: critical, ..good() }, TokenError::Form);
    assert_eq!(Token::read(&vec![0x30; 300_000]).err(), Some(TokenError::Form));
}

#[test]
fn weak_digests_are_refused() {
    for weak in ["1.3.14.3.2.26", "1.2.840.113549.2.5"] {
        refused(&TokenTemplate { imprint_algorithm: weak, ..good() }, TokenError::Algorithm);
        refused(&TokenTemplate { digest: weak, ..good() }, TokenError::Algorithm);
    }
    // SHA-512 in the SignerInfo, SHA-256 in the signature algorithm
    refused(&TokenTemplate { digest: "2.16.840.1.101.3.4.2.3", ..good() }, TokenError::Algorithm);
}

#[test]
fn times_have_seconds_perhaps_a_fraction_and_are_utc() {
    let time = |text: &str| {
        let template = TokenTemplate { time: text.into(), ..good() };
        Token::read(&Tsa::new().token(&template)).map(|token| token.time())
    };
    assert_eq!(time("20260701120000.25Z"), Ok(datetime!(2026-07-01 12:00:00.25 UTC)));
    assert_eq!(time("20260701120000"), Err(TokenError::Form));
}

#[test]
fn accuracy_ordering_nonce_name_and_other_extensions_do_no_harm() {
    let accuracy = seq(&[tlv(2, &[1])]);
    let known = tlv(0xa1, &extension("1.2.3", false, &[]));
    let more = [accuracy, tlv(1, &[0xff]), tlv(2, &[7; 8]), tlv(0xa0, &tlv(0x82, b"tsa")), known].concat();
    let tsa = Tsa::new();
    assert_eq!(judged(&tsa, &TokenTemplate { more, ..good() }, &fresh(&tsa)), Ok(NOW));
}

#[test]
fn an_authority_must_be_for_time_stamping_alone_and_critically() {
    for usage in [
        None,
        Some(extended_key_usage(false, &[TIME_STAMPING])),
        Some(extended_key_usage(true, &[TIME_STAMPING, "1.3.6.1.5.5.7.3.3"])),
        Some(extended_key_usage(true, &["1.3.6.1.5.5.7.3.3"])),
        Some(extended_key_usage(true, &["2.5.29.37.0"])),
    ] {
        let tsa = Tsa::new().with_usage(usage);
        assert_eq!(judged(&tsa, &good(), &fresh(&tsa)), Err(AuthorityError::Purpose));
    }
}

#[test]
fn an_authority_without_a_configured_root_is_not_believed() {
    let (tsa, other) = (Tsa::new(), Tsa::new());
    let (roots, own) = ([other.root_certificate()], [tsa.root_certificate()]);
    let token = Token::read(&tsa.token(&good())).unwrap();
    let known = Knowledge { roots: &roots, certificates: &own, crls: &fresh(&tsa), now: NOW };
    assert_eq!(judge(&token, &known, NOW), Err(AuthorityError::Path));
    assert_eq!(judge(&token, &Knowledge { roots: &[], ..known }, NOW), Err(AuthorityError::Path));
}

#[test]
fn the_certificate_must_be_there_and_be_the_one_that_is_named() {
    let (tsa, other) = (Tsa::new(), Tsa::new());
    let missing = TokenTemplate { encloses_certificate: false, ..good() };
    assert_eq!(judged(&tsa, &missing, &fresh(&tsa)), Err(AuthorityError::CertificateMissing));
    let mismatch = TokenTemplate { named: Some(other.certificate.clone()), ..good() };
    assert_eq!(judged(&tsa, &mismatch, &fresh(&tsa)), Err(AuthorityError::CertificateMismatch));

    let token = Token::read(&tsa.token(&missing)).unwrap();
    let roots = [tsa.root_certificate()];
    let with = |certificate| {
        let known = Knowledge { roots: &roots, certificates: &[certificate], crls: &fresh(&tsa), now: NOW };
        judge(&token, &known, NOW)
    };
    assert_eq!(with(tsa.certificate.clone()), Ok(NOW));
    let of = |issuer: &Authority, serial| {
        let template = Template { serial: vec![serial], ..Template::signer(&[]) };
        Authority::new("another").certificate(issuer, &template)
    };
    let (same, another) = (tsa.certificate.serial_number_octets()[0], Authority::new("another CA"));
    assert_eq!(with(of(&tsa.root, same)), Err(AuthorityError::CertificateMismatch));
    assert_eq!(with(of(&tsa.root, same + 1)), Err(AuthorityError::CertificateMissing));
    assert_eq!(with(of(&another, same)), Err(AuthorityError::CertificateMissing));
}

#[test]
fn a_token_outside_the_validity_of_its_authority_or_from_the_future_proves_nothing() {
    let tsa = Tsa::new();
    let at = |time| judged(&tsa, &TokenTemplate::of(b"data", time), &fresh(&tsa));
    assert_eq!(at(NOW - Duration::days(366)), Err(AuthorityError::OutsideValidity));
    assert_eq!(at(NOW + Duration::days(366)), Err(AuthorityError::OutsideValidity));
    assert_eq!(at(NOW + Duration::hours(2)), Err(AuthorityError::Order));
}

#[test]
fn a_revoked_authority_keeps_only_what_it_made_before_and_only_for_harmless_reasons() {
    let tsa = Tsa::new();
    let after = |reason, minutes| {
        let revoked = vec![(vec![0x77], NOW + Duration::minutes(minutes), reason)];
        judged(&tsa, &good(), &[tsa.root.crl(&CrlTemplate { revoked, ..CrlTemplate::fresh() })])
    };
    for harmless in [3, 4, 5] {
        assert_eq!(after(harmless, 1), Ok(NOW));
        assert_eq!(after(harmless, 0), Err(AuthorityError::Revoked));
        assert_eq!(after(harmless, -1), Err(AuthorityError::Revoked));
    }
    for harmful in [0, 1, 2, 6, 9] {
        assert_eq!(after(harmful, 1), Err(AuthorityError::Revoked));
    }
    assert_eq!(judged(&tsa, &good(), &[]), Err(AuthorityError::RevocationOpen));
}

#[test]
fn after_a_harmless_revocation_the_authorities_above_must_still_stand() {
    let ca = Authority::new("Test TSA CA");
    let tsa = Tsa::new().below(&ca);
    let (roots, certificates) = ([tsa.root_certificate()], [ca.certificate(&tsa.root, &Template::ca(2))]);
    let now = NOW + Duration::hours(1);
    let revoking = |serial| vec![(vec![serial], NOW + Duration::minutes(1), 4)];
    let judged = |root_crl: &[CrlTemplate]| {
        let ca_crl = ca.crl(&CrlTemplate { revoked: revoking(0x77), ..CrlTemplate::fresh() });
        let mut crls = vec![ca_crl];
        crls.extend(root_crl.iter().map(|template| tsa.root.crl(template)));
        let known = Knowledge { roots: &roots, certificates: &certificates, crls: &crls, now };
        judge(&Token::read(&tsa.token(&good())).unwrap(), &known, now)
    };
    assert_eq!(judged(&[CrlTemplate::fresh()]), Ok(NOW));
    let revoked = CrlTemplate { revoked: revoking(2), ..CrlTemplate::fresh() };
    assert_eq!(judged(&[revoked]), Err(AuthorityError::Revoked));
    assert_eq!(judged(&[]), Err(AuthorityError::RevocationOpen));
}

#[test]
fn no_byte_of_content_or_signer_can_change_unnoticed() {
    let tsa = Tsa::new();
    let der = tsa.token(&good());
    let roots = [tsa.root_certificate()];
    let known = Knowledge { roots: &roots, certificates: &[], crls: &fresh(&tsa), now: NOW };
    // before the content, only the outer shell and the list of digest algorithms, which announces what comes
    let start = der.windows(4).position(|window| window == b"\x02\x01\x01\x06").unwrap();
    for at in start..der.len() {
        let mut changed = der.clone();
        changed[at] ^= 1;
        let verdict = Token::read(&changed).map(|token| judge(&token, &known, NOW));
        assert!(!matches!(verdict, Ok(Ok(_))), "byte {at}");
    }
    for end in 0..der.len() {
        assert!(Token::read(&der[..end]).is_err());
    }
    assert_eq!(Token::read(&[&der[..], &[0]].concat()).err(), Some(TokenError::Form));
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
    ) {
        prop_assert!(Token::read(&bytes).is_err());
        let mut changed = TOKEN.get_or_init(|| Tsa::new().token(&good())).clone();
        let at = at.index(changed.len());
        changed.splice(at..at, bytes);
        let _ = Token::read(&changed);
    }
}

static TOKEN: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
