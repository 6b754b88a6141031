//! Against certificates that OpenSSL made, and against what nobody should make. See `fixtures/make.sh`.

use proptest::prelude::*;
use time::macros::datetime;

use super::{
    testing::{Chain, CrlTemplate, Template, extension, oid, seq, tlv},
    *,
};

const ROOT: &[u8] = include_bytes!("fixtures/root.der");
const AUTHORITY: &[u8] = include_bytes!("fixtures/authority.der");
const DOCTOR: &[u8] = include_bytes!("fixtures/doctor.der");
const ROOT_CRL: &[u8] = include_bytes!("fixtures/root.crl.der");
const AUTHORITY_CRL: &[u8] = include_bytes!("fixtures/authority.crl.der");
const SIGNATURE: &[u8] = include_bytes!("fixtures/doctor.signature");
const AT: time::OffsetDateTime = datetime!(2030-01-01 00:00 UTC);

fn certificate(der: &[u8]) -> Certificate {
    Certificate::from_der(der).unwrap()
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\r\n{}\r\n-----END {label}-----\r\n", lines.join("\r\n"))
}

fn malformed(der: &[u8]) -> &'static str {
    match Certificate::from_der(der) {
        Err(CertificateError::Malformed(part)) => part,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_certificate_by_openssl_is_a_doctors_with_a_path_and_good_lists() {
    let doctor = certificate(DOCTOR);
    let roles = ["Medical Doctor".to_owned()];
    let signing = SigningCertificate::check(doctor.clone(), &roles, AT).unwrap();
    assert_eq!(signing.holder().name_kanji.as_deref(), Some("神楽坂　三十四"));
    assert_eq!(signing.holder().serial_number, "f1e2d3c4b5a69788");
    assert_eq!(
        doctor.issuer_name(),
        "CN=HPKI-01-ExampleSignCA-forNonRepudiation,OU=Example HPKI CA,O=Example,C=JP"
    );
    assert_eq!(doctor.subject_name(), "serialNumber=0123456789,CN=MITOSHI KAGURAZAKA,C=JP");
    assert_eq!(doctor.key_algorithm(), KeyAlgorithm::Rsa { bits: 2048 });

    let path = build_path(&doctor, &[certificate(AUTHORITY)], &[certificate(ROOT)], AT).unwrap();
    assert_eq!(path.certificates().len(), 3);
    let crls = [Crl::from_der(AUTHORITY_CRL).unwrap(), Crl::from_der(ROOT_CRL).unwrap()];
    assert!(matches!(revocation(&path, &crls, AT), Revocation::Good { .. }));
    assert!(matches!(
        revocation(&path, &crls[..1], AT),
        Revocation::Unknown { why: RevocationUnknown::Missing { .. } }
    ));
}

#[test]
fn a_signature_by_openssl_verifies_and_nothing_else_does() {
    let doctor = certificate(DOCTOR);
    assert_eq!(doctor.verify_signature(SignatureAlgorithm::RsaSha256, b"message", SIGNATURE), Ok(()));
    for (algorithm, message, signature) in [
        (SignatureAlgorithm::RsaSha256, &b"massage"[..], SIGNATURE),
        (SignatureAlgorithm::RsaSha512, b"message", SIGNATURE),
        (SignatureAlgorithm::EcdsaSha256, b"message", SIGNATURE),
        (SignatureAlgorithm::RsaSha256, b"message", &SIGNATURE[1..]),
        (SignatureAlgorithm::RsaSha256, b"message", &[]),
    ] {
        assert_eq!(doctor.verify_signature(algorithm, message, signature), Err(SignatureInvalid));
    }
    let other = certificate(AUTHORITY);
    assert!(other.verify_signature(SignatureAlgorithm::RsaSha256, b"message", SIGNATURE).is_err());
}

#[test]
fn pem_and_der_are_the_same_certificate() {
    let text = format!("subject=…\n{}", pem("CERTIFICATE", DOCTOR));
    assert_eq!(Certificate::from_pem_or_der(text.as_bytes()), Ok(certificate(DOCTOR)));
    assert_eq!(Certificate::from_pem_or_der(DOCTOR), Ok(certificate(DOCTOR)));
    let two = pem("CERTIFICATE", DOCTOR) + &pem("CERTIFICATE", ROOT);
    assert_eq!(Certificate::from_pem_or_der(two.as_bytes()), Err(CertificateError::Pem));
    assert_eq!(Certificate::from_pem_or_der(b""), Err(CertificateError::Pem));
    assert!(Crl::from_pem_or_der(pem("X509 CRL", ROOT_CRL).as_bytes()).is_ok());
    assert_eq!(Crl::from_pem_or_der(pem("CERTIFICATE", ROOT).as_bytes()).err(), Some(CrlError::Pem));
}

#[test]
fn what_the_fields_say_is_the_fixtures_own() {
    let doctor = certificate(DOCTOR);
    assert_eq!(doctor.der(), DOCTOR);
    assert_eq!(doctor.sha256()[..], *ring::digest::digest(&ring::digest::SHA256, DOCTOR).as_ref());
    assert_eq!(doctor.serial_number_octets(), [0, 0xf1, 0xe2, 0xd3, 0xc4, 0xb5, 0xa6, 0x97, 0x88]);
    assert_eq!(doctor.issuer_der(), certificate(AUTHORITY).subject().der());
    let lifetime = doctor.validity().not_after - doctor.validity().not_before;
    assert_eq!(lifetime.whole_days(), 9000);
}

#[test]
fn bytes_before_after_and_missing_are_refused() {
    assert_eq!(malformed(&[DOCTOR, &[0]].concat()), "certificate");
    assert_eq!(malformed(&[&[0], DOCTOR].concat()), "certificate");
    for end in 0..DOCTOR.len() {
        assert!(Certificate::from_der(&DOCTOR[..end]).is_err());
    }
    assert_eq!(Certificate::from_der(&vec![0x30; 20_000]), Err(CertificateError::TooLong));
}

#[test]
fn what_x509_forbids_is_refused_by_name() {
    let chain = Chain::new();
    let malformed = |template: &Template| malformed(&chain.doctor.certificate_der(&chain.ca, template));
    let doctor = Template::signer(&["Medical Doctor"]);
    let twice = extension("1.2.3", false, &[]);
    let mut template = doctor.clone();
    template.extensions.extend([twice.clone(), twice]);
    assert_eq!(malformed(&template), "extension that stands twice");
    for length in [0, 22] {
        assert_eq!(malformed(&Template { serial: vec![1; length], ..doctor.clone() }), "serialNumber");
    }
    let longest = Template { serial: vec![1; 21], ..doctor.clone() };
    assert_eq!(chain.leaf(&longest).serial_number(), "01".repeat(21));
    assert_eq!(chain.leaf(&Template { serial: vec![0], ..doctor.clone() }).serial_number(), "00");
    assert_eq!(malformed(&Template { subject: Some(tlv(0x30, &[5, 0])), ..doctor.clone() }), "subject");
    let not_strict = seq(&[oid("1.2.3"), tlv(1, &[1]), tlv(4, &[])]);
    assert_eq!(malformed(&doctor.clone().with("1.2.3", Some(not_strict))), "extension");
    let usage = extension("2.5.29.15", true, &[3, 1, 0]);
    assert_eq!(malformed(&doctor.with("2.5.29.15", Some(usage))), "keyUsage");
}

#[test]
fn a_certificate_whose_two_algorithms_differ_is_refused() {
    let algorithm = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
    let last = DOCTOR.windows(9).rposition(|window| window == algorithm).unwrap();
    let mut changed = DOCTOR.to_vec();
    changed[last + 8] = 12;
    assert_eq!(malformed(&changed), "signature");
}

/// Everything that reads hostile bytes; nothing of it may panic.
fn read_all(der: &[u8]) -> bool {
    let crl = Crl::from_der(der).map(|crl| (crl.issuer_name(), format!("{crl:?}")));
    let certificate = Certificate::from_pem_or_der(der);
    if let Ok(certificate) = &certificate {
        let roots = [self::certificate(ROOT)];
        let _ = build_path(certificate, &[self::certificate(AUTHORITY)], &roots, AT);
        let _ = SigningCertificate::check(certificate.clone(), &[], AT);
        let _ = (certificate.subject_name(), certificate.issuer_name(), format!("{certificate:?}"));
    }
    crl.is_ok() || certificate.is_ok()
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!read_all(&bytes));
    }

    #[test]
    fn changed_certificates_and_lists_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let list = Chain::new().ca.crl_der(&CrlTemplate { revoked: vec![(vec![7], AT, 1)], ..CrlTemplate::fresh() });
        for original in [DOCTOR, AUTHORITY, ROOT_CRL, &list] {
            prop_assert!(read_all(original));
            let mut changed = original.to_vec();
            let at = at.index(changed.len());
            changed[at] = byte;
            let path_is_found = Certificate::from_der(&changed).is_ok_and(|changed| {
                build_path(&changed, &[certificate(AUTHORITY)], &[certificate(ROOT)], AT).is_ok()
            });
            read_all(&changed);
            prop_assert!(!path_is_found || changed == original);
        }
    }
}
