//! Whole files with timestamps, made here; and one by other software, see `fixtures/make.sh`.

use time::{Duration, OffsetDateTime, macros::datetime};

use super::super::super::{
    Level, Method, Outcome, Report, Severity, Trust, Verdict, canonicalize, prepare,
    test_data::{AT, CSV, FixedRandom, base64, envelope, sign, signing_certificate},
    timestamp::testing::{Key, TokenTemplate, Tsa},
    verify,
};
use crate::{
    certificate::{
        Certificate,
        testing::{Authority, CrlTemplate, NOW, Template},
    },
    prescription::Prescription,
};

const DAY: Duration = Duration::days(1);
/// Inclusive, which a timestamp has without a CanonicalizationMethod.
const INCLUSIVE: Method = Method::Inclusive10;
const DOCTOR_SERIAL: u8 = 0x5a;

/// A root, a CA, a doctor who signs at [`NOW`], a time-stamp authority.
struct World {
    root: Authority,
    ca: Authority,
    doctor: Vec<u8>,
    key: Key,
    tsa: Tsa,
}

/// What a file is verified with.
struct Given {
    at: OffsetDateTime,
    ca_crl: CrlTemplate,
    /// Of both roots.
    root_crl: CrlTemplate,
}

/// At `at`, with CRLs of that day that revoke nothing.
fn given(at: OffsetDateTime) -> Given {
    let fresh =
        CrlTemplate { this_update: at - DAY, next_update: Some(at + 3 * DAY), ..CrlTemplate::fresh() };
    Given { at, ca_crl: fresh.clone(), root_crl: fresh }
}

impl World {
    fn new() -> Self {
        Self::with_doctor_until(NOW + 365 * DAY)
    }

    fn with_doctor_until(not_after: OffsetDateTime) -> Self {
        Self::with_doctor(Template { not_after, ..Template::signer(&["Medical Doctor"]) })
    }

    fn with_doctor_from(not_before: OffsetDateTime) -> Self {
        let not_after = NOW + 365 * DAY;
        Self::with_doctor(Template { not_before, not_after, ..Template::signer(&["Medical Doctor"]) })
    }

    fn with_doctor(template: Template) -> Self {
        let (root, ca, key) = (Authority::new("Root"), Authority::new("CA"), Key::new());
        let template = Template { spki: Some(key.spki.clone()), ..template };
        let doctor = Authority::new("doctor").certificate_der(&ca, &template);
        Self { root, ca, doctor, key, tsa: Tsa::new() }
    }

    fn root_certificate(&self) -> Certificate {
        self.root.certificate(&self.root, &Template::ca(1))
    }

    fn ca_certificate(&self) -> Certificate {
        self.ca.certificate(&self.root, &Template::ca(2))
    }

    fn signed(&self) -> String {
        let prescription = Prescription::parse(envelope("").as_bytes()).unwrap();
        let prepared = prepare(prescription, &signing_certificate(&self.doctor), NOW, &FixedRandom).unwrap();
        let value = sign(&self.key.pkcs8, prepared.signed_info());
        String::from_utf8(prepared.finish(&value).unwrap().into_bytes()).unwrap()
    }

    /// With a signature timestamp of that time.
    fn stamped(&self, at: OffsetDateTime) -> String {
        let file = self.signed();
        let token = self.tsa.token(&TokenTemplate::of(&value_of(&file), at));
        with_property(&file, &signature_timestamp(&token))
    }

    fn verify(&self, file: &str, given: &Given) -> Report {
        self.verify_with(file, given, &[self.tsa.root_certificate()])
    }

    fn verify_with(&self, file: &str, given: &Given, timestamp_roots: &[Certificate]) -> Report {
        let trust = Trust {
            roots: &[self.root_certificate()],
            timestamp_roots,
            intermediates: &[self.ca_certificate()],
            crls: &[
                self.root.crl(&given.root_crl),
                self.tsa.root.crl(&given.root_crl),
                self.ca.crl(&given.ca_crl),
            ],
            prescriber_roles: &["Medical Doctor".to_owned()],
            at: given.at,
        };
        verify(file.as_bytes(), &trust)
    }
}

fn part(name: &str) -> String {
    format!("ida5a5a5a5-{name}")
}

fn canonical(file: &str, id: &str, method: Method) -> Vec<u8> {
    canonicalize(file.as_bytes(), Some(id), method, false, &[]).unwrap()
}

/// What a signature timestamp covers.
fn value_of(file: &str) -> Vec<u8> {
    canonical(file, &part("SignatureValue"), INCLUSIVE)
}

/// What an archive timestamp covers that comes after the properties of these ids.
fn all_of(file: &str, properties: &[&str]) -> Vec<u8> {
    let exclusive = |name: &str| canonical(file, &part(name), Method::Exclusive);
    let mut all = canonical(file, "PrescriptionDocument", INCLUSIVE);
    all.extend([exclusive("KeyInfo"), exclusive("SignedProperties")].concat());
    for name in ["SignedInfo", "SignatureValue", "KeyInfo"] {
        all.extend(canonical(file, &part(name), INCLUSIVE));
    }
    for id in properties {
        all.extend(canonical(file, id, INCLUSIVE));
    }
    all
}

fn signature_timestamp(token: &[u8]) -> String {
    format!(
        "<xa:SignatureTimeStamp Id=\"ts\"><xa:EncapsulatedTimeStamp>{}</xa:EncapsulatedTimeStamp></xa:SignatureTimeStamp>",
        base64(token)
    )
}

fn archive_timestamp(token: &[u8], id: &str) -> String {
    format!(
        "<xa141:ArchiveTimeStamp xmlns:xa141=\"http://uri.etsi.org/01903/v1.4.1#\" Id=\"{id}\">\
         <xs:CanonicalizationMethod Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"/>\
         <xa:EncapsulatedTimeStamp>{}</xa:EncapsulatedTimeStamp></xa141:ArchiveTimeStamp>",
        base64(token)
    )
}

fn certificate_values(id: &str, certificates: &[&Certificate]) -> String {
    let value = |c: &&Certificate| {
        format!("<xa:EncapsulatedX509Certificate>{}</xa:EncapsulatedX509Certificate>", base64(c.der()))
    };
    let values: String = certificates.iter().map(value).collect();
    format!("<xa:CertificateValues Id=\"{id}\">{values}</xa:CertificateValues>")
}

fn revocation_values(crls: &[Vec<u8>]) -> String {
    let value = |crl| format!("<xa:EncapsulatedCRLValue>{}</xa:EncapsulatedCRLValue>", base64(crl));
    let values: String = crls.iter().map(value).collect();
    format!("<xa:RevocationValues Id=\"rv\"><xa:CRLValues>{values}</xa:CRLValues></xa:RevocationValues>")
}

/// With one property more.
fn with_property(file: &str, property: &str) -> String {
    let end = "</xa:UnsignedSignatureProperties>";
    if file.contains(end) {
        return file.replace(end, &format!("{property}{end}"));
    }
    let (start, end) =
        ("<xa:UnsignedProperties><xa:UnsignedSignatureProperties>", format!("{end}</xa:UnsignedProperties>"));
    let qualifying = "</xa:QualifyingProperties>";
    file.replace(qualifying, &format!("{start}{property}{end}{qualifying}"))
}

fn codes(report: &Report) -> Vec<&'static str> {
    let all = report.reasons.iter().chain(report.signatures.iter().flat_map(|signature| &signature.reasons));
    all.filter(|reason| reason.severity != Severity::Note).map(|reason| reason.code).collect()
}

fn answer(report: &Report) -> (Verdict, Vec<&'static str>) {
    (report.verdict, codes(report))
}

#[track_caller]
fn result(report: &Report, code: &str) -> Outcome {
    report.signatures[0].checks.iter().find(|check| check.code == code).unwrap().result
}

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

/// Level A: an archive timestamp of `at` over `properties` of a file of level T.
fn archived(file: &str, properties: &[&str], at: OffsetDateTime, tsa: &Tsa) -> String {
    let token = tsa.token(&TokenTemplate::of(&all_of(file, properties), at));
    with_property(file, &archive_timestamp(&token, "at"))
}

#[test]
fn an_archive_timestamp_keeps_a_file_valid_after_its_first_authority_has_expired() {
    let mut world = World::new();
    world.tsa = world.tsa.until(NOW + 10 * DAY);
    let file = world.stamped(NOW);
    let later = given(NOW + 30 * DAY);
    assert_eq!(
        answer(&world.verify(&file, &later)),
        (Verdict::Indeterminate, vec!["timestamp_path_not_established"])
    );

    let then = [world.tsa.root.crl_der(&CrlTemplate::fresh())];
    let file = with_property(&file, &revocation_values(&then));
    let second = Tsa::new();
    let file = archived(&file, &["ts", "rv"], NOW + 2 * DAY, &second);
    let trust_both = [world.tsa.root_certificate(), second.root_certificate()];
    let with_lists = |file: &str, given: &Given| {
        let trust = Trust {
            roots: &[world.root_certificate()],
            timestamp_roots: &trust_both,
            intermediates: &[world.ca_certificate()],
            crls: &[
                second.root.crl(&given.root_crl),
                world.root.crl(&given.root_crl),
                world.ca.crl(&given.ca_crl),
            ],
            prescriber_roles: &["Medical Doctor".to_owned()],
            at: given.at,
        };
        verify(file.as_bytes(), &trust)
    };
    let report = with_lists(&file, &later);
    assert_eq!((answer(&report), report.level), ((Verdict::Valid, vec![]), Some(Level::A)));
    assert_eq!(report.signatures[0].stamped_at, Some(NOW));
    assert_eq!(result(&report, "archive_timestamp"), Outcome::Passed);
}

#[test]
fn an_archive_timestamp_must_cover_everything_before_it() {
    let world = World::new();
    let file = with_property(&world.stamped(NOW), &certificate_values("cv", &[&world.ca_certificate()]));
    let soon = NOW + Duration::hours(1);
    let verdict = |file: &str| answer(&world.verify(file, &given(NOW + DAY)));
    let good = archived(&file, &["ts", "cv"], soon, &world.tsa);
    assert_eq!(verdict(&good), (Verdict::Valid, vec![]));

    let refused = (Verdict::Invalid, vec!["timestamp_imprint"]);
    for fewer in [&["ts"][..], &["cv"], &[], &["cv", "ts"]] {
        assert_eq!(verdict(&archived(&file, fewer, soon, &world.tsa)), refused, "{fewer:?}");
    }
    let inserted = good
        .replace("<xa141:ArchiveTimeStamp", &format!("{}<xa141:ArchiveTimeStamp", revocation_values(&[])));
    assert_eq!(verdict(&inserted), refused);
    assert_eq!(verdict(&with_property(&good, &revocation_values(&[]))), (Verdict::Valid, vec![]));
    let report = world.verify(&inserted, &given(NOW + DAY));
    assert_eq!(result(&report, "archive_timestamp"), Outcome::Failed);
    assert_eq!(result(&report, "signature_timestamp_token"), Outcome::Passed);
}

#[test]
fn an_archive_timestamp_covers_other_objects_of_the_signature_last() {
    let world = World::new();
    let object = "<xs:Object Id=\"o\">x</xs:Object></xs:Signature>";
    let file = world.stamped(NOW).replace("</xs:Signature>", object);
    let verdict = |covered: &[&str]| {
        let file = archived(&file, covered, NOW + Duration::hours(1), &world.tsa);
        answer(&world.verify(&file, &given(NOW + DAY)))
    };
    assert_eq!(verdict(&["ts", "o"]), (Verdict::Valid, vec![]));
    for other in [&["ts"][..], &["o", "ts"]] {
        assert_eq!(verdict(other), (Verdict::Invalid, vec!["timestamp_imprint"]), "{other:?}");
    }
}

#[test]
fn an_archive_timestamp_before_what_it_covers_proves_nothing() {
    let world = World::new();
    let early = archived(&world.stamped(NOW), &["ts"], NOW - Duration::hours(1), &world.tsa);
    let report = world.verify(&early, &given(NOW + DAY));
    assert_eq!(answer(&report), (Verdict::Indeterminate, vec!["timestamp_order"]));
}

#[test]
fn an_archive_timestamp_of_xades_1_3_2_is_verified_like_those_of_1_4_1() {
    let world = World::new();
    let file = with_property(&world.stamped(NOW), &certificate_values("cv", &[&world.ca_certificate()]));
    let soon = NOW + Duration::hours(1);
    let old = |properties: &[&str]| {
        let token = world.tsa.token(&TokenTemplate::of(&all_of(&file, properties), soon));
        let stamp = archive_timestamp(&token, "at");
        let stamp = stamp.replace("xa141:ArchiveTimeStamp", "xa:ArchiveTimeStamp");
        with_property(&file, &stamp.replace(" xmlns:xa141=\"http://uri.etsi.org/01903/v1.4.1#\"", ""))
    };
    let good = old(&["ts", "cv"]);
    let report = world.verify(&good, &given(NOW + DAY));
    assert_eq!((answer(&report), report.level), ((Verdict::Valid, vec![]), Some(Level::A)));
    assert_eq!(result(&report, "archive_timestamp"), Outcome::Passed);
    // A new one over it, as is added when the first authority's certificate nears its end
    let token =
        world.tsa.token(&TokenTemplate::of(&all_of(&good, &["ts", "cv", "at"]), NOW + Duration::hours(2)));
    let renewed = with_property(&good, &archive_timestamp(&token, "at2"));
    assert_eq!(answer(&world.verify(&renewed, &given(NOW + DAY))), (Verdict::Valid, vec![]));

    for fewer in [&["ts"][..], &["cv"], &["cv", "ts"]] {
        let report = world.verify(&old(fewer), &given(NOW + DAY));
        assert_eq!(answer(&report), (Verdict::Invalid, vec!["timestamp_imprint"]), "{fewer:?}");
    }
    let empty = with_property(&world.stamped(NOW), "<xa:ArchiveTimeStamp Id=\"old\"/>");
    let report = world.verify(&empty, &given(NOW + DAY));
    assert_eq!(answer(&report), (Verdict::Invalid, vec!["timestamp_structure"]));
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
