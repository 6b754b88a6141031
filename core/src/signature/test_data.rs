//! Certificates, keys and prescriptions for the tests of this module. `fixtures` holds a root, a CA, a doctor's
//! certificate with RSA and one with P-256, a pharmacist's, their keys, and CRLs of 2026-06-01 to 2026-06-05.

use ring::{rand::SystemRandom, signature};
use time::{OffsetDateTime, macros::datetime};

use super::{Report, Trust, prepare, verify};
use crate::{
    certificate::{Certificate, Crl, SigningCertificate},
    device::Random,
    prescription::Prescription,
};

pub(super) const AT: OffsetDateTime = datetime!(2026-06-02 00:00:00 UTC);
pub(super) const DOCTOR: &[u8] = include_bytes!("fixtures/doctor.der");
pub(super) const DOCTOR_P256: &[u8] = include_bytes!("fixtures/doctor-p256.der");
pub(super) const PHARMACIST: &[u8] = include_bytes!("fixtures/pharmacist.der");
pub(super) const DOCTOR_KEY: &[u8] = include_bytes!("fixtures/doctor.pk8");
pub(super) const DOCTOR_P256_KEY: &[u8] = include_bytes!("fixtures/doctor-p256.pk8");
pub(super) const PHARMACIST_KEY: &[u8] = include_bytes!("fixtures/pharmacist.pk8");
pub(super) const CA_CRL: &[u8] = include_bytes!("fixtures/ca.crl");
pub(super) const CA_CRL_REVOKED: &[u8] = include_bytes!("fixtures/ca-revoked.crl");

/// A complete prescription, made up.
pub(super) const CSV: &str = "SJ1\n\
1,1,8000010,99,検証用病院\n\
2,852-8154,長崎県長崎市\n\
3,095-000-0000\n\
4,2,01,内科\n\
5,000000000000001,ｼｹﾝ ﾐﾄｼ,試験　三十四\n\
11,000000000000001,電処　有効五二,ﾃﾞﾝｼｮ ﾕｳｺｳｺﾞﾆ\n\
12,2\n\
13,20110101\n\
21,1\n\
22,06132013\n\
23,１２３,４５６,1\n\
51,20260602\n\
52,20260605\n\
101,1,1,,14\n\
111,1,3,1011100000000000,１日１回就寝前　服用,1\n\
201,1,1,1,2,622688101,ミニリンメルトＯＤ錠２５μｇ,2,1,錠\n";

/// Standard Base64.
pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    use ::base64::{Engine, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(bytes)
}

/// The envelope as a clinic's system makes it, `inside` standing after PrescriptionDocument.
pub(super) fn envelope(inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         id=\"Document\" xsi:noNamespaceSchemaLocation=\"EP.xsd\"><Prescription>\
         <PrescriptionManagement id=\"PrescriptionManagement\"><Version Value=\"EPS1.0\"/></PrescriptionManagement>\
         <PrescriptionDocument id=\"PrescriptionDocument\">{}</PrescriptionDocument>{inside}</Prescription></Document>",
        base64(CSV)
    )
}

pub(super) struct FixedRandom;

impl Random for FixedRandom {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0xa5);
    }
}

/// The certificate, checked in its own role so that tests can sign what must then be refused.
pub(super) fn signing_certificate(der: &[u8]) -> SigningCertificate {
    let roles = ["Medical Doctor".to_owned(), "Pharmacist".to_owned()];
    SigningCertificate::check(Certificate::from_der(der).unwrap(), &roles, AT).unwrap()
}

pub(super) fn sign(key: &[u8], message: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    if let Ok(key) = signature::RsaKeyPair::from_pkcs8(key) {
        let mut value = vec![0; key.public().modulus_len()];
        key.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut value).unwrap();
        return value;
    }
    let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
    let key = signature::EcdsaKeyPair::from_pkcs8(algorithm, key, &random).unwrap();
    key.sign(&random, message).unwrap().as_ref().to_vec()
}

/// A file as this module writes it.
pub(super) fn signed_by(certificate: &[u8], key: &[u8]) -> String {
    let prescription = Prescription::parse(envelope("").as_bytes()).unwrap();
    let prepared = prepare(prescription, &signing_certificate(certificate), AT, &FixedRandom).unwrap();
    let value = sign(key, prepared.signed_info());
    String::from_utf8(prepared.finish(&value).unwrap().into_bytes()).unwrap()
}

pub(super) fn signed() -> String {
    signed_by(DOCTOR, DOCTOR_KEY)
}

/// Verifies at `at` with the root, the CA and the given CRL of the CA.
pub(super) fn verify_at(file: impl AsRef<[u8]>, ca_crl: &[u8], at: OffsetDateTime) -> Report {
    let certificate = |der: &[u8]| Certificate::from_der(der).unwrap();
    let crl = |der: &[u8]| Crl::from_der(der).unwrap();
    let trust = Trust {
        roots: &[certificate(include_bytes!("fixtures/root.der"))],
        timestamp_roots: &[],
        crls: &[crl(include_bytes!("fixtures/root.crl")), crl(ca_crl)],
        intermediates: &[certificate(include_bytes!("fixtures/ca.der"))],
        prescriber_roles: &["Medical Doctor".to_owned(), "Dentist".to_owned()],
        at,
    };
    verify(file.as_ref(), &trust)
}

pub(super) fn verified(file: impl AsRef<[u8]>) -> Report {
    verify_at(file, CA_CRL, AT)
}
