//! Archive timestamps: what they cover, and how long they keep a file valid.

use super::*;

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
