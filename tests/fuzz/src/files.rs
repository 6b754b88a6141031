//! Signed files that are genuine, and what a stranger finds in a file. Certificates, keys and CRLs are those of the core's own
//! tests; the dispensing file of level A was made by other software.

use std::sync::LazyLock;

use hpki_agent::{
    certificate::{Certificate, Crl, SigningCertificate},
    device::Random,
    prescription::Prescription,
    signature::{self, Prepared, Report, Trust, prepare},
};
use ring::{rand::SystemRandom, signature as keys};
use time::{OffsetDateTime, macros::datetime};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../core/src/signature/fixtures/", $name))
    };
}

/// When everything is signed and verified.
pub const AT: OffsetDateTime = datetime!(2026-06-02 00:00:00 UTC);
/// When the dispensing file is verified.
pub const LATER: OffsetDateTime = datetime!(2026-11-23 00:00:00 UTC);

/// A doctor's certificate with an RSA key.
pub const DOCTOR: &[u8] = fixture!("doctor.der");
/// The same doctor's with a P-256 key.
pub const DOCTOR_P256: &[u8] = fixture!("doctor-p256.der");
/// A pharmacist's.
pub const PHARMACIST: &[u8] = fixture!("pharmacist.der");
/// The CA of all three.
pub const CA: &[u8] = fixture!("ca.der");
/// The root above.
pub const ROOT: &[u8] = fixture!("root.der");
/// The CA's revocation list, without the doctor.
pub const CA_CRL: &[u8] = fixture!("ca.crl");
/// The CA's revocation list, with the doctor.
pub const CA_CRL_REVOKED: &[u8] = fixture!("ca-revoked.crl");
/// The root's revocation list.
pub const ROOT_CRL: &[u8] = fixture!("root.crl");
/// A pharmacist's file of level A around a prescription of level XL.
pub const DISPENSING: &[u8] = fixture!("dispensing-a.xml");

/// A prescription that can be signed.
pub const CSV: &str = "SJ1\n1,1,8000010,99,検証用病院\n2,852-8154,長崎県長崎市\n4,2,01,内科\n\
    5,000000000000001,ｼｹﾝ ﾐﾄｼ,試験　三十四\n11,000000000000001,電処　有効五二,ﾃﾞﾝｼｮ ﾕｳｺｳｺﾞﾆ\n12,2\n13,20110101\n21,1\n\
    22,06132013\n23,１２３,４５６,1\n51,20260602\n52,20260605\n81,1,1,一包化してください\n101,1,1,,14\n\
    111,1,3,1011100000000000,１日１回就寝前　服用,1\n181,1,1,2,一包化する\n\
    201,1,1,1,2,622688101,ミニリンメルトＯＤ錠２５μｇ,2,1,錠\n281,1,1,1,3,後発品変更不可\n";

/// Roles that may prescribe.
pub fn prescriber_roles() -> [String; 2] {
    ["Medical Doctor".to_owned(), "Dentist".to_owned()]
}

/// Bytes that are the same in every run.
pub struct FixedRandom;

impl Random for FixedRandom {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0xa5);
    }
}

/// One of the doctor's certificates, which may sign.
pub fn signing_certificate(der: &[u8]) -> SigningCertificate {
    let certificate = Certificate::from_der(der).expect("a certificate");
    SigningCertificate::check(certificate, &prescriber_roles(), AT).expect("a doctor's")
}

/// What the doctor's RSA key signs, and so what a genuine file is made of.
pub fn form_a() -> Vec<u8> {
    let prescription = Prescription::parse(CSV.as_bytes()).expect("a prescription");
    let prepared = prepare(prescription, &signing_certificate(DOCTOR), AT, &FixedRandom).expect("prepared");
    let key = keys::RsaKeyPair::from_pkcs8(fixture!("doctor.pk8")).expect("a key");
    let mut value = vec![0; key.public().modulus_len()];
    key.sign(&keys::RSA_PKCS1_SHA256, &SystemRandom::new(), prepared.signed_info(), &mut value)
        .expect("signed");
    prepared.finish(&value).expect("finished").into_bytes()
}

/// The value that the doctor's P-256 key gives.
pub fn sign_p256(prepared: &Prepared) -> Vec<u8> {
    static KEY: LazyLock<keys::EcdsaKeyPair> = LazyLock::new(|| {
        let algorithm = &keys::ECDSA_P256_SHA256_FIXED_SIGNING;
        keys::EcdsaKeyPair::from_pkcs8(algorithm, fixture!("doctor-p256.pk8"), &SystemRandom::new())
            .expect("a key")
    });
    KEY.sign(&SystemRandom::new(), prepared.signed_info()).expect("signed").as_ref().to_vec()
}

/// Roots, lists and everything else that the genuine files are judged by.
pub struct Judge {
    roots: Vec<Certificate>,
    timestamp_roots: Vec<Certificate>,
    crls: Vec<Crl>,
    intermediates: Vec<Certificate>,
    roles: [String; 2],
    at: OffsetDateTime,
}

impl Judge {
    /// Of prescriptions that the doctors of this module sign.
    pub fn of_prescriptions() -> Self {
        let certificate = |der: &[u8]| Certificate::from_der(der).expect("a certificate");
        let crl = |der: &[u8]| Crl::from_der(der).expect("a CRL");
        Self {
            roots: vec![certificate(ROOT)],
            timestamp_roots: Vec::new(),
            crls: vec![crl(ROOT_CRL), crl(CA_CRL)],
            intermediates: vec![certificate(CA)],
            roles: prescriber_roles(),
            at: AT,
        }
    }

    /// Of the dispensing file.
    pub fn of_dispensing() -> Self {
        let certificate = |der: &[u8]| Certificate::from_der(der).expect("a certificate");
        Self {
            roots: vec![certificate(fixture!("dispensing-a-root.der"))],
            timestamp_roots: vec![certificate(fixture!("dispensing-a-tsa-root.der"))],
            crls: Vec::new(),
            intermediates: Vec::new(),
            roles: prescriber_roles(),
            at: LATER,
        }
    }

    /// What a stranger finds.
    pub fn verify(&self, file: &[u8]) -> Report {
        let trust = Trust {
            roots: &self.roots,
            timestamp_roots: &self.timestamp_roots,
            crls: &self.crls,
            intermediates: &self.intermediates,
            prescriber_roles: &self.roles,
            at: self.at,
        };
        signature::verify(file, &trust)
    }
}
