//! Prescriptions of people who do not exist, the certificates of the core's own signature tests, and files signed with
//! them.

use std::fmt::Write as _;

use base64::{Engine, prelude::BASE64_STANDARD};
use hpki_agent::certificate::{Certificate, Crl, SigningCertificate};
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use time::{OffsetDateTime, macros::datetime};

/// Certificates and CRLs are valid then.
pub const AT: OffsetDateTime = datetime!(2026-06-02 00:00 UTC);
const ROOT: &[u8] = include_bytes!("../../../core/src/signature/fixtures/root.der");
const CA: &[u8] = include_bytes!("../../../core/src/signature/fixtures/ca.der");
const DOCTOR: &[u8] = include_bytes!("../../../core/src/signature/fixtures/doctor.der");
const DOCTOR_KEY: &[u8] = include_bytes!("../../../core/src/signature/fixtures/doctor.pk8");
const ROOT_CRL: &[u8] = include_bytes!("../../../core/src/signature/fixtures/root.crl");
const CA_CRL: &[u8] = include_bytes!("../../../core/src/signature/fixtures/ca.crl");

/// The header records of a prescription.
const HEADER: &str = "SJ1\n\
    1,1,1312345,13,検証用クリニック\n\
    2,100-0001,東京都千代田区千代田一丁目\n\
    3,03-0000-0000,,\n\
    4,2,01,内科\n\
    5,,ｼｹﾝ ﾐﾄｼ,試験　三十四\n\
    11,00000001,電処　太郎,ﾃﾞﾝｼｮ ﾀﾛｳ\n\
    12,1\n\
    13,19700401\n\
    21,1\n\
    22,06123456\n\
    23,１２３,４５６７,1,01\n\
    51,20260602\n\
    52,20260605\n";

/// A CSV of at least `bytes` bytes and at most one RP more.
fn csv(bytes: usize) -> String {
    let mut csv = HEADER.to_owned();
    for rp in 1.. {
        if csv.len() >= bytes {
            break;
        }
        let _ = write!(
            csv,
            "101,{rp},1,,28\n\
             111,{rp},3,1013044400000000,１日２回朝夕食後　服用,2\n\
             201,{rp},1,1,2,610406079,ガスターＤ錠２０ｍｇ,2,1,錠\n\
             281,{rp},1,1,3,先発医薬品を希望,\n"
        );
    }
    csv
}

/// An unsigned envelope of about `bytes` bytes, as clinics' systems make it.
pub fn envelope(bytes: usize) -> Vec<u8> {
    const FRAME: usize = 400;
    let csv = csv(bytes.saturating_sub(FRAME) / 4 * 3);
    around(&BASE64_STANDARD.encode(csv))
}

/// The envelope around any body.
pub fn around(body: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" id=\"Document\" \
         xsi:noNamespaceSchemaLocation=\"EP.xsd\"><Prescription><PrescriptionManagement \
         id=\"PrescriptionManagement\"><Version Value=\"EPS1.0\"/></PrescriptionManagement><PrescriptionDocument \
         id=\"PrescriptionDocument\">{body}</PrescriptionDocument></Prescription></Document>"
    )
    .into_bytes()
}

/// XML of about `bytes` bytes that is markup throughout: what canonicalisation costs at worst.
pub fn markup(bytes: usize) -> Vec<u8> {
    let row = "<row code=\"610406079\" name=\"ガスターＤ錠２０ｍｇ\"><unit>錠</unit><amount>2</amount></row>";
    format!("<list xmlns=\"urn:example\">{}</list>", row.repeat(bytes / row.len())).into_bytes()
}

/// The doctor's certificate, checked.
pub fn certificate() -> SigningCertificate {
    let roles = ["Medical Doctor".to_owned()];
    let certificate = Certificate::from_der(DOCTOR).expect("a certificate");
    SigningCertificate::check(certificate, &roles, AT).expect("a doctor's certificate")
}

/// What a verifier knows.
pub struct Known {
    /// The root alone.
    pub roots: Vec<Certificate>,
    /// The CA between root and doctor.
    pub intermediates: Vec<Certificate>,
    /// CRLs of both.
    pub crls: Vec<Crl>,
    /// Who may prescribe.
    pub prescriber_roles: Vec<String>,
}

/// The whole chain, and CRLs.
pub fn known() -> Known {
    let certificate = |der| Certificate::from_der(der).expect("a certificate");
    Known {
        roots: vec![certificate(ROOT)],
        intermediates: vec![certificate(CA)],
        crls: [ROOT_CRL, CA_CRL].map(|der| Crl::from_der(der).expect("a CRL")).into(),
        prescriber_roles: vec!["Medical Doctor".to_owned()],
    }
}

/// The doctor's key, as the remote service would hold it.
pub struct Key(RsaKeyPair);

impl Key {
    /// The key of [`certificate`], RSA 2048.
    pub fn doctor() -> Self {
        Self(RsaKeyPair::from_pkcs8(DOCTOR_KEY).expect("a key"))
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut value = vec![0; self.0.public().modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &ring::rand::SystemRandom::new(), message, &mut value)
            .expect("a signature");
        value
    }

    /// RSAPublicKey, DER.
    pub fn public(&self) -> Vec<u8> {
        self.0.public().as_ref().to_vec()
    }
}
