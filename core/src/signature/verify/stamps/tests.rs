//! What timestamps prove of whole files; one is by other software, see `fixtures/make.sh`.

mod archive;
mod world;

use time::{Duration, OffsetDateTime, macros::datetime};

use super::super::super::{
    Level, Method, Outcome, Severity, Trust, Verdict,
    test_data::{AT, CSV},
    timestamp::testing::{TokenTemplate, Tsa},
    verify,
};
use crate::certificate::{
    Certificate,
    testing::{CrlTemplate, NOW},
};

use world::*;

#[test]
fn a_timestamped_file_is_valid_and_every_item_is_answered() {
    let world = World::new();
    let report = world.verify(&world.stamped(NOW), &given(NOW + DAY));
    assert_eq!(answer(&report), (Verdict::Valid, vec![]));
    assert_eq!((report.level, report.signatures[0].stamped_at), (Some(Level::T), Some(NOW)));
    for check in &report.signatures[0].checks {
        let expected =
            if check.code.starts_with("archive") { Outcome::NotApplicable } else { Outcome::Passed };
        assert_eq!(check.result, expected, "{}", check.code);
    }
    let items: Vec<_> = report.signatures[0].checks.iter().map(|check| check.item).collect();
    assert_eq!((items.len(), items.is_sorted()), (28, true));

    let plain = world.verify(&world.signed(), &given(NOW + DAY));
    assert_eq!(result(&plain, "signature_timestamp_token"), Outcome::NotApplicable);
    assert_eq!((plain.verdict, plain.signatures[0].stamped_at), (Verdict::Valid, None));
}

#[test]
fn a_timestamp_of_another_signature_is_refused() {
    let world = World::new();
    let token = world.tsa.token(&TokenTemplate::of(b"another signature value", NOW));
    let report =
        world.verify(&with_property(&world.signed(), &signature_timestamp(&token)), &given(NOW + DAY));
    assert_eq!(answer(&report), (Verdict::Invalid, vec!["timestamp_imprint"]));
    assert_eq!(result(&report, "signature_timestamp_imprint"), Outcome::Failed);
    assert_eq!(result(&report, "signature_token_form"), Outcome::Passed);
    assert_eq!(result(&report, "signature_token_signature"), Outcome::Undetermined);
    assert_eq!(report.signatures[0].stamped_at, None);
}

#[test]
fn a_token_by_an_untrusted_authority_proves_nothing() {
    let world = World::new();
    let file = world.stamped(NOW);
    let untrusted = (Verdict::Indeterminate, vec!["timestamp_path_not_established"]);
    let other = [Tsa::new().root_certificate()];
    assert_eq!(answer(&world.verify_with(&file, &given(NOW + DAY), &other)), untrusted);
    assert_eq!(answer(&world.verify_with(&file, &given(NOW + DAY), &[])), untrusted);
    // HPKI's roots are no roots for time-stamping
    assert_eq!(answer(&world.verify_with(&file, &given(NOW + DAY), &[world.root_certificate()])), untrusted);
    // what the file carries is never trusted
    let carried = with_property(&file, &certificate_values("cv", &[&world.tsa.root_certificate()]));
    assert_eq!(answer(&world.verify_with(&carried, &given(NOW + DAY), &other)), untrusted);
}

#[test]
fn a_token_of_an_authority_for_other_purposes_is_refused() {
    let mut world = World::new();
    world.tsa = world.tsa.with_usage(None);
    let report = world.verify(&world.stamped(NOW), &given(NOW + DAY));
    assert_eq!(answer(&report), (Verdict::Invalid, vec!["timestamp_purpose"]));
    assert_eq!(result(&report, "signature_token_path"), Outcome::Failed);
}

#[test]
fn a_tampered_token_and_one_of_two_signers_are_refused() {
    let world = World::new();
    let file = world.signed();
    let template = TokenTemplate::of(&value_of(&file), NOW);
    let answer_to = |token: &[u8]| {
        answer(&world.verify(&with_property(&file, &signature_timestamp(token)), &given(NOW + DAY)))
    };
    let token = world.tsa.token(&template);
    let time = token.windows(5).position(|window| window == b"20260").unwrap();
    let mut tampered = token.clone();
    tampered[time + 3] = b'5';
    assert_eq!(answer_to(&tampered), (Verdict::Invalid, vec!["timestamp_signature"]));
    let two = world.tsa.token(&TokenTemplate { signers: 2, ..template.clone() });
    assert_eq!(answer_to(&two), (Verdict::Invalid, vec!["timestamp_signers"]));
    assert_eq!(answer_to(b"no token"), (Verdict::Invalid, vec!["timestamp_form"]));
    let other = world.tsa.token(&TokenTemplate { content_type: "1.2.840.113549.1.7.1", ..template.clone() });
    assert_eq!(answer_to(&other), (Verdict::Invalid, vec!["timestamp_content_type"]));
    let sha1 = world.tsa.token(&TokenTemplate { imprint_algorithm: "1.3.14.3.2.26", ..template });
    assert_eq!(answer_to(&sha1), (Verdict::Invalid, vec!["timestamp_algorithm"]));
}

#[test]
fn nested_and_unsigned_timestamps_count_for_nothing() {
    let world = World::new();
    let file = world.signed();
    let right = world.tsa.token(&TokenTemplate::of(&value_of(&file), NOW));
    let wrong = TokenTemplate { unsigned: Some(right.clone()), ..TokenTemplate::of(b"other", NOW) };
    let inside_token = with_property(&file, &signature_timestamp(&world.tsa.token(&wrong)));
    assert_eq!(
        answer(&world.verify(&inside_token, &given(NOW))),
        (Verdict::Invalid, vec!["timestamp_imprint"])
    );

    let nested =
        format!("<xa:CertificateValues Id=\"cv\">{}</xa:CertificateValues>", signature_timestamp(&right));
    let inside_property = with_property(&file, &nested);
    let report = world.verify(&inside_property, &given(NOW));
    assert_eq!((report.verdict, report.signatures[0].stamped_at), (Verdict::Valid, None));
    assert_eq!(result(&report, "signature_timestamp_token"), Outcome::NotApplicable);
}

#[test]
fn a_property_that_chooses_its_own_data_is_refused() {
    let world = World::new();
    let file = world.stamped(NOW);
    let start = "<xa:SignatureTimeStamp Id=\"ts\">";
    for inside in [
        "<xa:Include URI=\"#PrescriptionDocument\"/>",
        "<xa:XMLTimeStamp/>",
        "<xa:EncapsulatedTimeStamp>AAAA</xa:EncapsulatedTimeStamp>",
        "<xs:CanonicalizationMethod Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"/>",
    ] {
        let report = world.verify(&file.replace(start, &format!("{start}{inside}")), &given(NOW + DAY));
        let expected = if inside.contains("xpath") { "timestamp_algorithm" } else { "timestamp_structure" };
        assert_eq!(answer(&report), (Verdict::Invalid, vec![expected]), "{inside}");
    }
}

#[test]
fn a_token_is_encapsulated_and_is_der_whether_it_says_so_or_not() {
    let world = World::new();
    let file = world.stamped(NOW);
    let start = "<xa:EncapsulatedTimeStamp";
    let encoded = |name| {
        let encoding = format!("{start} Encoding=\"http://uri.etsi.org/01903/v1.2.2#{name}\"");
        answer(&world.verify(&file.replace(start, &encoding), &given(NOW + DAY)))
    };
    assert_eq!(encoded("DER"), (Verdict::Valid, vec![]));
    let refused = (Verdict::Invalid, vec!["timestamp_structure"]);
    for other in ["BER", "CER", "PER", "XER", ""] {
        assert_eq!(encoded(other), refused, "{other}");
    }
    let other = file.replace("xa:EncapsulatedTimeStamp", "xa:XMLTimeStamp");
    assert_eq!(answer(&world.verify(&other, &given(NOW + DAY))), refused);
}

#[test]
fn a_timestamp_may_name_its_canonicalisation() {
    let world = World::new();
    let file = world.signed();
    let exclusive = canonical(&file, &part("SignatureValue"), Method::Exclusive);
    assert_ne!(exclusive, value_of(&file));
    let stamp = signature_timestamp(&world.tsa.token(&TokenTemplate::of(&exclusive, NOW)));
    let plain = with_property(&file, &stamp);
    assert_eq!(codes(&world.verify(&plain, &given(NOW + DAY))), ["timestamp_imprint"]);
    let named = plain.replace(
        "Id=\"ts\">",
        "Id=\"ts\"><xs:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>",
    );
    assert_eq!(answer(&world.verify(&named, &given(NOW + DAY))), (Verdict::Valid, vec![]));
}

#[test]
fn an_expired_signer_is_valid_only_with_a_timestamp_from_before() {
    let world = World::with_doctor_until(NOW + 10 * DAY);
    let later = Given { ca_crl: CrlTemplate::fresh(), ..given(NOW + 30 * DAY) };
    let without = world.verify(&world.signed(), &later);
    assert_eq!(without.verdict, Verdict::Indeterminate);
    assert!(codes(&without).contains(&"certificate_out_of_validity"));

    assert_eq!(answer(&world.verify(&world.stamped(NOW), &later)), (Verdict::Valid, vec![]));

    let too_late = world.verify(&world.stamped(NOW + 20 * DAY), &later);
    assert_eq!(too_late.verdict, Verdict::Indeterminate);
    assert!(codes(&too_late).contains(&"certificate_out_of_validity"));
}

#[test]
fn a_timestamp_from_before_the_certificate_was_valid_fails_the_signature() {
    let world = World::with_doctor_from(AT);
    let report = world.verify(&world.stamped(AT), &given(NOW + DAY));
    assert_eq!(answer(&report), (Verdict::Valid, vec![]));
    let report = world.verify(&world.stamped(AT - Duration::SECOND), &given(NOW + DAY));
    assert_eq!(report.verdict, Verdict::Invalid);
    assert!(codes(&report).contains(&"signed_outside_validity"), "{:?}", codes(&report));
}

#[test]
fn a_list_from_after_the_signers_expiry_no_longer_tells() {
    let world = World::with_doctor_until(NOW + 10 * DAY);
    let report = world.verify(&world.stamped(NOW), &given(NOW + 30 * DAY));
    assert_eq!(answer(&report), (Verdict::Indeterminate, vec!["revocation_data_stale"]));
    assert_eq!(result(&report, "revocation_data_fresh"), Outcome::Undetermined);
}

#[test]
fn a_revocation_counts_from_its_date_on() {
    let world = World::new();
    let revoked_at = |at| {
        let given = given(NOW + 5 * DAY);
        let ca_crl = CrlTemplate { revoked: vec![(vec![DOCTOR_SERIAL], at, 1)], ..given.ca_crl };
        Given { ca_crl, ..given }
    };
    let file = world.stamped(NOW);
    let before = world.verify(&file, &revoked_at(NOW - Duration::minutes(1)));
    assert_eq!(answer(&before), (Verdict::Invalid, vec!["certificate_revoked"]));
    assert_eq!(result(&before, "certificate_not_revoked"), Outcome::Failed);
    assert_eq!(
        answer(&world.verify(&file, &revoked_at(NOW + Duration::minutes(1)))),
        (Verdict::Valid, vec![])
    );
    // without a timestamp nothing proves that it was signed before
    let plain = world.verify(&world.signed(), &revoked_at(NOW + Duration::minutes(1)));
    assert_eq!(answer(&plain), (Verdict::Invalid, vec!["certificate_revoked"]));
}

#[test]
fn carried_certificates_and_lists_are_used_but_never_trusted() {
    let world = World::new();
    let lists = [&world.root, &world.ca].map(|authority| authority.crl_der(&CrlTemplate::fresh()));
    let file = with_property(
        &with_property(&world.stamped(NOW), &certificate_values("cv", &[&world.ca_certificate()])),
        &revocation_values(&lists),
    );
    let verified = |root: Certificate| {
        let trust = Trust {
            roots: &[root],
            timestamp_roots: &[world.tsa.root_certificate()],
            intermediates: &[],
            crls: &[world.tsa.root.crl(&given(NOW + 9 * DAY).root_crl)],
            prescriber_roles: &["Medical Doctor".to_owned()],
            at: NOW + 9 * DAY,
        };
        verify(file.as_bytes(), &trust)
    };
    let report = verified(world.root_certificate());
    assert_eq!((answer(&report), report.level), ((Verdict::Valid, vec![]), Some(Level::Xl)));
    let other = verified(World::new().root_certificate());
    assert_eq!(other.verdict, Verdict::Indeterminate);

    let forged = [World::new().ca.crl_der(&CrlTemplate::fresh())];
    let file = with_property(&world.stamped(NOW), &revocation_values(&forged));
    let stale = Given { ca_crl: given(NOW - 30 * DAY).ca_crl, ..given(NOW + DAY) };
    assert_eq!(world.verify(&file, &stale).verdict, Verdict::Indeterminate);
}

#[test]
fn more_timestamps_than_anyone_makes_are_refused() {
    let world = World::new();
    let file = world.signed();
    let token = world.tsa.token(&TokenTemplate::of(&value_of(&file), NOW));
    let stamp = signature_timestamp(&token).replace(" Id=\"ts\"", "");
    let most = with_property(&file, &stamp.repeat(super::MAX_STAMPS));
    assert_eq!(answer(&world.verify(&most, &given(NOW + DAY))), (Verdict::Valid, vec![]));
    let more = with_property(&file, &stamp.repeat(super::MAX_STAMPS + 1));
    let refused = (Verdict::Invalid, vec!["timestamp_structure"]);
    assert_eq!(answer(&world.verify(&more, &given(NOW + DAY))), refused);
}

#[test]
fn what_no_signature_covers_is_reported_and_is_not_the_doctors_word() {
    let world = World::new();
    let notes = |file: &str| -> Vec<_> {
        let report = world.verify(file, &given(NOW + DAY));
        assert_eq!((report.verdict, report.document.as_deref()), (Verdict::Valid, Some(CSV)));
        report.reasons.iter().map(|reason| (reason.severity, reason.code)).collect()
    };
    let file = world.signed();
    let note = |code| (Severity::Note, code);
    assert_eq!(notes(&file), [note("management_unsigned")]);
    let more = "<AdditionalPrescriptionInformation id=\"AdditionalPrescriptionInformation\"/><Advice/>";
    let more = file.replace("<PrescriptionSign>", &format!("{more}<PrescriptionSign>"));
    let expected = ["management_unsigned", "additional_information_unsigned", "other_element_unsigned"];
    assert_eq!(notes(&more), expected.map(note));
}

#[test]
fn a_signing_time_after_the_timestamp_is_noted() {
    let world = World::new();
    let late = &["signing_time_after_timestamp"][..];
    for (minutes, seconds, noted) in [(10, 0, late), (5, 1, late), (5, 0, &[]), (0, 0, &[]), (-10, 0, &[])] {
        let stamped_at = NOW - Duration::minutes(minutes) - Duration::seconds(seconds);
        let report = world.verify(&world.stamped(stamped_at), &given(NOW + DAY));
        let found: Vec<_> = report.signatures[0].reasons.iter().map(|reason| reason.code).collect();
        assert_eq!((report.verdict, &found[..]), (Verdict::Valid, noted), "{minutes}:{seconds}");
    }
}

/// Made by lxml and OpenSSL: a pharmacist's file of level A around a prescription of level XL, each with its data.
#[test]
fn a_dispensing_file_by_other_software_is_valid_with_both_its_signatures() {
    let certificate = |der: &[u8]| Certificate::from_der(der).unwrap();
    let file = include_bytes!("../../fixtures/dispensing-a.xml");
    let roots = [certificate(include_bytes!("../../fixtures/dispensing-a-root.der"))];
    let timestamp_roots = [certificate(include_bytes!("../../fixtures/dispensing-a-tsa-root.der"))];
    let trust = Trust {
        roots: &roots,
        timestamp_roots: &timestamp_roots,
        crls: &[],
        intermediates: &[],
        prescriber_roles: &["Medical Doctor".to_owned()],
        at: datetime!(2026-11-23 00:00 UTC),
    };
    let report = verify(file, &trust);
    assert_eq!(answer(&report), (Verdict::Valid, vec![]));
    let levels: Vec<_> = report.signatures.iter().map(|signature| signature.level).collect();
    assert_eq!(levels, [Level::A, Level::Xl]);
    assert!(report.signatures.iter().all(|signature| signature.stamped_at.is_some()));
    let without = verify(file, &Trust { timestamp_roots: &[], ..trust });
    assert_eq!(without.verdict, Verdict::Indeterminate);

    let text = std::str::from_utf8(file).unwrap();
    let changed = text.replacen("<xa:EncapsulatedCRLValue>", "<xa:EncapsulatedCRLValue> ", 1);
    assert_eq!(codes(&verify(changed.as_bytes(), &trust)), ["document_changed", "timestamp_imprint"]);
}
