//! Signed prescriptions, and the keys and certificates to make them and others with.

use base64::{Engine, prelude::BASE64_STANDARD};
use hpki_agent::{
    certificate::{Certificate, Crl, SigningCertificate},
    device::SystemRandom,
    prescription::Prescription,
    signature::{self, Method, Report, Severity, Trust, Verdict, canonicalize, prepare, verify},
};
use rsa::{Pkcs1v15Sign, RsaPrivateKey, pkcs8::DecodePrivateKey, sha2::Sha256};
use time::{OffsetDateTime, macros::datetime};

/// When everything is signed and verified.
pub const AT: OffsetDateTime = datetime!(2026-06-02 00:00:00 UTC);

/// Namespace of XML signatures.
pub const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
/// Exclusive canonical XML.
pub const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// SHA-256 as digest method.
pub const SHA_256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
/// RSA with SHA-256 as signature method.
pub const RSA_SHA_256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";

/// A certificate with its key.
#[derive(Clone, Copy)]
pub struct Signer {
    /// DER.
    pub certificate: &'static [u8],
    key: &'static [u8],
}

macro_rules! signer {
    ($name:literal) => {
        Signer {
            certificate: include_bytes!(concat!("../fixtures/", $name, ".der")),
            key: include_bytes!(concat!("../fixtures/", $name, ".pk8")),
        }
    };
}

/// A doctor in order.
pub const DOCTOR: Signer = signer!("doctor");
/// The same with a key of 512 bits.
pub const DOCTOR_512: Signer = signer!("doctor-512");
/// The same with a key of 1024 bits.
pub const DOCTOR_1024: Signer = signer!("doctor-1024");
/// The same whose certificate is signed with MD5.
pub const DOCTOR_MD5: Signer = signer!("doctor-md5");
/// The same whose certificate is signed with SHA-1.
pub const DOCTOR_SHA1: Signer = signer!("doctor-sha1");
/// Of the doctor's name, under a root and a CA of the genuine ones' names.
pub const IMPOSTOR: Signer = signer!("impostor-doctor");
/// The CA and the root above the impostor, DER.
pub const IMPOSTOR_CHAIN: [&[u8]; 2] =
    [include_bytes!("../fixtures/impostor-ca.der"), include_bytes!("../fixtures/impostor-root.der")];

const ROOT: &[u8] = include_bytes!("../fixtures/root.der");
const CA: &[u8] = include_bytes!("../fixtures/ca.der");
const CRLS: [&[u8]; 2] = [include_bytes!("../fixtures/root.crl"), include_bytes!("../fixtures/ca.crl")];

/// What the doctor has signed.
pub const GENUINE: &str = "SJ1\n\
1,1,8000010,99,検証用病院\n\
4,2,01,内科\n\
5,000000000000001,ｼｹﾝ ﾐﾄｼ,試験　三十四\n\
11,000000000000001,電処　有効五二,ﾃﾞﾝｼｮ ﾕｳｺｳｺﾞﾆ\n\
12,2\n\
13,20110101\n\
21,1\n\
22,06132013\n\
23,１２３,４５６,1\n\
51,20260602\n\
101,1,1,,14\n\
111,1,3,1011100000000000,１日１回就寝前　服用,1\n\
201,1,1,1,2,622688101,ミニリンメルトＯＤ錠２５μｇ,2,1,錠\n";

/// What the attacker wants to have been signed.
pub fn forged() -> String {
    GENUINE.replace("ミニリンメルトＯＤ錠２５μｇ,2,", "ＭＳコンチン錠６０ｍｇ,9,")
}

/// Standard Base64.
pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// The element `PrescriptionDocument` over this CSV, with these attributes.
pub fn document(csv: &str, attributes: &str) -> String {
    format!("<PrescriptionDocument{attributes}>{}</PrescriptionDocument>", base64(csv))
}

/// The attribute that makes an element the one that is signed.
pub const ID: &str = " id=\"PrescriptionDocument\"";

/// The envelope of the genuine prescription, `after` standing behind PrescriptionDocument.
pub fn envelope(after: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         id=\"Document\" xsi:noNamespaceSchemaLocation=\"EP.xsd\"><Prescription>\
         <PrescriptionManagement id=\"PrescriptionManagement\"><Version Value=\"EPS1.0\"/></PrescriptionManagement>\
         {}{after}</Prescription></Document>",
        document(GENUINE, ID)
    )
}

/// RSA PKCS#1 v1.5 with SHA-256, by keys of any size.
///
/// # Panics
/// When the key is none.
pub fn sign(signer: Signer, message: &[u8]) -> Vec<u8> {
    let key = RsaPrivateKey::from_pkcs8_der(signer.key).unwrap();
    key.sign(Pkcs1v15Sign::new::<Sha256>(), &sha256(message)).unwrap()
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().to_vec()
}

/// The doctor's file as this project writes it (form A).
///
/// # Panics
/// When it cannot be signed.
pub fn form_a() -> String {
    let roles = ["Medical Doctor".to_owned()];
    let certificate = Certificate::from_der(DOCTOR.certificate).unwrap();
    let certificate = SigningCertificate::check(certificate, &roles, AT).unwrap();
    let prescription = Prescription::parse(envelope("").as_bytes()).unwrap();
    let prepared = prepare(prescription, &certificate, AT, &SystemRandom).unwrap();
    let value = sign(DOCTOR, prepared.signed_info());
    String::from_utf8(prepared.finish(&value).unwrap().into_bytes()).unwrap()
}

/// A signature in form B over the element of id `target`, naming this certificate, to be filled in by [`completed`]. `p`
/// makes its ids its own.
fn signature_over(target: &str, p: &str, signer: Signer) -> String {
    let transforms = format!("<ds:Transforms><ds:Transform Algorithm=\"{EXCLUSIVE}\"/></ds:Transforms>");
    let method = format!("<ds:DigestMethod Algorithm=\"{SHA_256}\"/>");
    let reference = |kind: &str, id: &str| {
        format!(
            "<ds:Reference{kind} URI=\"#{id}\">{transforms}{method}<ds:DigestValue>[[digest {id}]]</ds:DigestValue>\
             </ds:Reference>"
        )
    };
    let (digest, certificate) = (base64(sha256(signer.certificate)), base64(signer.certificate));
    let id = target.replace("Document", "") + "Sign";
    format!(
        "<ds:Signature xmlns:ds=\"{DSIG}\" Id=\"{id}\"><ds:SignedInfo Id=\"{p}si\">\
         <ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/><ds:SignatureMethod Algorithm=\"{RSA_SHA_256}\"/>\
         {}{}{}</ds:SignedInfo><ds:SignatureValue>[[sign {p}si]]</ds:SignatureValue><ds:KeyInfo Id=\"{p}ki\"><ds:X509Data>\
         <ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo><ds:Object>\
         <xades:QualifyingProperties xmlns:xades=\"http://uri.etsi.org/01903/v1.3.2#\" Target=\"#{id}\">\
         <xades:SignedProperties Id=\"{p}sp\"><xades:SignedSignatureProperties><xades:SigningTime>\
         2026-06-02T09:00:00+09:00</xades:SigningTime><xades:SigningCertificateV2><xades:Cert><xades:CertDigest>\
         {method}<ds:DigestValue>{digest}</ds:DigestValue></xades:CertDigest></xades:Cert>\
         </xades:SigningCertificateV2></xades:SignedSignatureProperties></xades:SignedProperties>\
         </xades:QualifyingProperties></ds:Object></ds:Signature>",
        reference("", target),
        reference(" Type=\"http://uri.etsi.org/01903#SignedProperties\"", &format!("{p}sp")),
        reference("", &format!("{p}ki")),
    )
}

/// What remains to be filled in by [`completed`]: form B over the genuine prescription, naming this certificate.
pub fn template_of(signer: Signer) -> String {
    let signature = signature_over("PrescriptionDocument", "", signer);
    envelope(&format!("<PrescriptionSign>{signature}</PrescriptionSign>"))
}

/// The CSV of a dispensing file.
pub const DISPENSED: &str = "CJ1,\n";

/// A dispensing file around the doctor's prescription, to be filled in by [`completed`].
///
/// # Panics
/// Never.
pub fn dispensing_template() -> String {
    let prescription = template();
    let inner =
        prescription.split_once("<Prescription>").unwrap().1.rsplit_once("</Prescription>").unwrap().0;
    format!(
        "<Document xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" id=\"Document\" \
         xsi:noNamespaceSchemaLocation=\"ED.xsd\"><DispensingManagement id=\"DispensingManagement\"/>\
         <Dispensing id=\"Dispensing\"><ReferencePrescription>{inner}</ReferencePrescription>\
         <DispensingDocument id=\"DispensingDocument\">{}</DispensingDocument></Dispensing>\
         <DispensingSign>{}</DispensingSign></Document>",
        base64(DISPENSED),
        signature_over("Dispensing", "d", DOCTOR),
    )
}

/// The same for the doctor.
pub fn template() -> String {
    template_of(DOCTOR)
}

/// Fills `[[digest ID]]` with the digest of that element and `[[sign ID]]` with a signature over it, in their order.
///
/// # Panics
/// When there is no such element.
pub fn completed_by(template: &str, signer: Signer) -> String {
    let mut file = template.to_owned();
    while let Some((before, rest)) = file.split_once("[[") {
        let (command, after) = rest.split_once("]]").unwrap();
        let (what, id) = command.split_once(' ').unwrap();
        let canonical = canonicalize(file.as_bytes(), Some(id), Method::Exclusive, false, &[]).unwrap();
        let value = if what == "sign" { sign(signer, &canonical) } else { sha256(&canonical) };
        file = format!("{before}{}{after}", base64(value));
    }
    file
}

/// The same by the doctor.
pub fn completed(template: &str) -> String {
    completed_by(template, DOCTOR)
}

/// The doctor's file as others write it (form B).
pub fn form_b() -> String {
    completed(&template())
}

/// What a stranger says of a file, who has the root, the CA's certificate and the revocation lists of the day.
///
/// # Panics
/// When these cannot be read.
pub fn judged(file: impl AsRef<[u8]>) -> Report {
    let certificate = |der: &[u8]| Certificate::from_der(der).unwrap();
    verify(
        file.as_ref(),
        &Trust {
            roots: &[certificate(ROOT)],
            timestamp_roots: &[],
            intermediates: &[certificate(CA)],
            crls: &CRLS.map(|crl| Crl::from_der(crl).unwrap()),
            prescriber_roles: &["Medical Doctor".to_owned(), "Dentist".to_owned()],
            at: AT,
        },
    )
}

/// Codes of everything that speaks against a file.
pub fn codes(report: &Report) -> Vec<&'static str> {
    let all = report.reasons.iter().chain(report.signatures.iter().flat_map(|signature| &signature.reasons));
    all.filter(|reason| reason.severity != signature::Severity::Note).map(|reason| reason.code).collect()
}

/// Codes of what is merely remarked on.
pub fn notes(report: &Report) -> Vec<&'static str> {
    let all = report.reasons.iter().chain(report.signatures.iter().flat_map(|signature| &signature.reasons));
    all.filter(|reason| reason.severity == Severity::Note).map(|reason| reason.code).collect()
}

/// The file is invalid for one of these reasons, and says nothing that the doctor has not signed.
///
/// # Panics
/// When not.
#[track_caller]
pub fn assert_refused(file: impl AsRef<[u8]>, why: &[&str]) {
    let report = judged(&file);
    let codes = codes(&report);
    assert_eq!(report.verdict, Verdict::Invalid, "{}", String::from_utf8_lossy(file.as_ref()));
    assert!(codes.iter().any(|code| why.contains(code)), "{codes:?} instead of {why:?}");
    assert!(report.document.is_none_or(|document| document == GENUINE));
}

/// The file is valid and says what the doctor has signed.
///
/// # Panics
/// When not.
#[track_caller]
pub fn assert_genuine(file: impl AsRef<[u8]>) {
    let report = judged(&file);
    assert_eq!((report.verdict, codes(&report)), (Verdict::Valid, vec![]));
    assert_eq!(report.document.as_deref(), Some(GENUINE));
}

/// Whatever the verdict, the file never passes for saying anything else than the doctor has signed.
///
/// # Panics
/// When it does.
#[track_caller]
pub fn assert_never_forged(file: impl AsRef<[u8]>) {
    let report = judged(&file);
    assert!(report.document.as_deref().is_none_or(|document| document == GENUINE), "{:?}", report.document);
    assert!(report.verdict != Verdict::Valid || report.document.is_some());
}
