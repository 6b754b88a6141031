use time::Duration;

use super::super::{
    Certificate, Validity,
    testing::{
        Chain, NOW, Template, basic_constraints, extension, key_usage, name, oid, policies, seq, tlv, unhex,
    },
    tlv::Cursor,
};
use super::*;

const KEY_USAGE: &str = "2.5.29.15";
const POLICIES: &str = "2.5.29.32";

fn roles() -> Vec<String> {
    vec!["Medical Doctor".to_owned(), "Dentist".to_owned()]
}

fn doctor() -> Template {
    Template::signer(&["Medical Doctor"])
}

fn check(template: &Template) -> Result<SigningCertificate, ProfileError> {
    SigningCertificate::check(Chain::new().leaf(template), &roles(), NOW)
}

fn refusal(template: &Template) -> ProfileError {
    check(template).unwrap_err()
}

#[test]
fn a_doctors_certificate_passes_and_shows_its_holder() {
    let certificate = check(&doctor()).unwrap();
    let holder = certificate.holder();
    assert_eq!(holder.name_kanji.as_deref(), Some("神楽坂　三十四"));
    assert_eq!(holder.name_romaji, "MITOSHI KAGURAZAKA");
    assert_eq!(holder.roles, ["Medical Doctor"]);
    assert_eq!(holder.organization.as_deref(), Some("神楽坂医院"));
    assert_eq!(holder.issuer, "CN=HPKI-01-TestSignCA-forNonRepudiation,C=JP");
    assert_eq!(holder.serial_number, "5a");
    assert_eq!(holder.not_after, NOW + Duration::days(365));
}

#[test]
fn a_dentist_and_a_doctor_who_is_also_a_director_pass() {
    assert!(check(&Template::signer(&["Dentist"])).is_ok());
    assert!(check(&Template::signer(&["Director of Hospital", "Medical Doctor"])).is_ok());
}

#[test]
fn pharmacists_others_and_holders_without_role_are_each_refused() {
    let pharmacist = vec!["Pharmacist".to_owned()];
    assert_eq!(refusal(&Template::signer(&["Pharmacist"])), ProfileError::Pharmacist { roles: pharmacist });
    let nurse = vec!["Nurse".to_owned()];
    assert_eq!(refusal(&Template::signer(&["Nurse"])), ProfileError::NotPrescriber { roles: nurse });
    assert_eq!(refusal(&Template::signer(&[])), ProfileError::NoRole);
    assert!(matches!(refusal(&Template::signer(&["medical doctor"])), ProfileError::NotPrescriber { .. }));
}

#[test]
fn an_authentication_certificate_is_refused_by_policy_and_by_key_usage() {
    let by_policy = doctor().with(POLICIES, Some(policies(true, &["1.2.392.100495.1.5.1.2.0.1"])));
    assert_eq!(refusal(&by_policy), ProfileError::AuthenticationCertificate);
    let by_usage = doctor().with(KEY_USAGE, Some(key_usage(true, 7, 0x80)));
    assert_eq!(refusal(&by_usage), ProfileError::AuthenticationCertificate);
}

#[test]
fn key_usage_is_critical_and_nonrepudiation_alone() {
    for usage in [
        None,
        Some(key_usage(false, 6, 0x40)),
        Some(key_usage(true, 6, 0xc0)),
        Some(key_usage(true, 5, 0x60)),
    ] {
        assert_eq!(refusal(&doctor().with(KEY_USAGE, usage)), ProfileError::KeyUsage);
    }
}

#[test]
fn the_policy_is_critical_and_of_the_signing_arc() {
    let signing = "1.2.392.100495.1.5.1.1.0.1";
    for wrong in [
        None,
        Some(policies(false, &[signing])),
        Some(policies(true, &["1.2.392.100495.1.5.1.10.1"])),
        Some(policies(true, &["2.5.29.32.0"])),
    ] {
        assert_eq!(refusal(&doctor().with(POLICIES, wrong)), ProfileError::Policy);
    }
    assert!(check(&doctor().with(POLICIES, Some(policies(true, &["1.2.3", signing])))).is_ok());
}

#[test]
fn a_ca_certificate_does_not_sign_prescriptions() {
    let ca = doctor().with("2.5.29.19", Some(basic_constraints(true, None)));
    assert_eq!(refusal(&ca), ProfileError::CertificationAuthority);
    assert_eq!(
        SigningCertificate::check(Chain::new().ca_certificate(), &roles(), NOW).unwrap_err(),
        ProfileError::CertificationAuthority
    );
}

#[test]
fn unknown_extensions_are_refused_when_critical_and_passed_over_when_not() {
    let unknown = |critical| doctor().with("1.2.3.4", Some(extension("1.2.3.4", critical, &[5, 0])));
    assert!(check(&unknown(false)).is_ok());
    assert_eq!(refusal(&unknown(true)), ProfileError::UnknownCriticalExtension("1.2.3.4".to_owned()));
}

#[test]
fn validity_includes_both_ends_and_nothing_more() {
    let leaf = Chain::new().leaf(&doctor());
    let Validity { not_before, not_after } = leaf.validity();
    let at = |at| SigningCertificate::check(leaf.clone(), &roles(), at);
    assert!(at(not_before).is_ok() && at(not_after).is_ok());
    assert_eq!(at(not_before - Duration::SECOND).unwrap_err(), ProfileError::NotYetValid { not_before });
    assert_eq!(at(not_after + Duration::SECOND).unwrap_err(), ProfileError::Expired { not_after });
}

/// SubjectPublicKeyInfo of an RSA key with this modulus length and exponent.
fn rsa_spki(bytes: usize, exponent: &[u8]) -> Vec<u8> {
    let modulus = [&[0][..], &vec![0xc1; bytes]].concat();
    let key = seq(&[tlv(2, &modulus), tlv(2, exponent)]);
    let algorithm = seq(&[oid("1.2.840.113549.1.1.1"), tlv(5, &[])]);
    seq(&[algorithm, tlv(3, &[&[0][..], &key].concat())])
}

#[test]
fn weak_and_unknown_keys_are_refused() {
    let with = |spki| Template { spki: Some(spki), ..doctor() };
    for bytes in [256, 384, 512] {
        assert!(check(&with(rsa_spki(bytes, &[1, 0, 1]))).is_ok());
    }
    let bits = |bits| ProfileError::KeyTooWeak(KeyAlgorithm::Rsa { bits });
    assert_eq!(refusal(&with(rsa_spki(255, &[1, 0, 1]))), bits(2040));
    assert_eq!(refusal(&with(rsa_spki(513, &[1, 0, 1]))), bits(4104));
    assert_eq!(refusal(&with(rsa_spki(256, &[3]))), bits(2048));
    assert_eq!(refusal(&with(rsa_spki(256, &[1, 0, 2]))), bits(2048));
    let ed25519 = seq(&[seq(&[oid("1.3.101.112")]), tlv(3, &[0; 33])]);
    assert_eq!(refusal(&with(ed25519)), ProfileError::KeyTooWeak(KeyAlgorithm::Unsupported));
}

#[test]
fn a_certificate_signed_with_sha1_is_refused() {
    let sha1 = Template { algorithm: "1.2.840.10045.4.1", ..doctor() };
    assert_eq!(refusal(&sha1), ProfileError::WeakSignature);
}

#[test]
fn malformed_names_and_roles_are_each_refused() {
    let no_name = Template { subject: Some(name(&[("2.5.4.6", 0x13, b"JP")])), ..doctor() };
    assert_eq!(refusal(&no_name), ProfileError::MalformedName);
    let role = doctor().with("2.5.29.9", Some(extension("2.5.29.9", false, &[0x30, 1, 0])));
    assert_eq!(refusal(&role), ProfileError::MalformedRole);
    let alternative = doctor().with("2.5.29.17", Some(extension("2.5.29.17", false, &unhex("3002a400"))));
    assert_eq!(refusal(&alternative), ProfileError::MalformedAlternativeName);
}

#[test]
fn a_holder_is_read_without_judgement() {
    let pharmacist: Certificate = Chain::new().leaf(&Template::signer(&["Pharmacist"]));
    assert_eq!(holder(&pharmacist).unwrap().roles, ["Pharmacist"]);
    let ca = holder(&Chain::new().ca_certificate()).unwrap();
    assert_eq!((ca.roles.len(), ca.name_kanji), (0, None));
}

#[test]
fn a_signer_is_named_in_kanji_where_the_certificate_has_that_and_judged_without_a_time() {
    let leaf = Chain::new().leaf(&doctor());
    let (name, held) = name_and_roles(&leaf).unwrap();
    assert_eq!((name.as_str(), &held[..]), ("神楽坂　三十四", &["Medical Doctor".to_owned()][..]));
    let romaji = Chain::new().leaf(&Template::signer(&[]).with("2.5.29.17", None));
    assert_eq!(name_and_roles(&romaji).unwrap(), ("MITOSHI KAGURAZAKA".to_owned(), vec![]));

    assert_eq!(check_signer(&leaf, &held, &roles()), Ok(()));
    let pharmacist = vec!["Pharmacist".to_owned()];
    let refused = check_signer(&leaf, &pharmacist, &roles());
    assert_eq!(refused, Err(ProfileError::Pharmacist { roles: pharmacist }));
    let judge = |template: &Template| check_signer(&Chain::new().leaf(template), &held, &roles());
    assert_eq!(judge(&doctor().with(POLICIES, None)), Err(ProfileError::Policy));
    let sha1 = Template { algorithm: "1.2.840.10045.4.1", ..doctor() };
    assert_eq!(judge(&sha1), Err(ProfileError::WeakSignature));
}

#[test]
fn a_certificate_of_version_1_is_refused_as_such() {
    let chain = Chain::new();
    let der = chain.doctor.certificate_der(&chain.ca, &doctor());
    let parts = |element: &[u8]| -> Vec<Vec<u8>> {
        let elements = Tlv::only(element, Tag::Sequence).and_then(Tlv::open).and_then(Cursor::rest).unwrap();
        elements.iter().map(|element| element.raw.to_vec()).collect()
    };
    let [tbs, algorithm, signature] = <[_; 3]>::try_from(parts(&der)).unwrap();
    let fields = parts(&tbs);
    let [_version, first @ .., _extensions] = &fields[..] else { panic!() };
    let old = Certificate::from_der(&seq(&[seq(first), algorithm, signature])).unwrap();
    assert_eq!(SigningCertificate::check(old, &roles(), NOW).unwrap_err(), ProfileError::Version);
}

#[test]
fn what_is_printed_for_debugging_does_not_name_the_holder() {
    let printed = format!("{:?}", check(&doctor()).unwrap());
    assert!(!printed.contains("KAGURAZAKA") && !printed.contains("神楽坂"), "{printed}");
}
