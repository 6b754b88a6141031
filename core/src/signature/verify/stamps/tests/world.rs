//! Whole files with timestamps, and all that they are verified with, made here.

use time::{Duration, OffsetDateTime};

use super::super::super::super::{
    Method, Outcome, Report, Severity, Trust, Verdict, canonicalize, prepare,
    test_data::{FixedRandom, base64, envelope, sign, signing_certificate},
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

pub(super) const DAY: Duration = Duration::days(1);
/// Inclusive, which a timestamp has without a CanonicalizationMethod.
pub(super) const INCLUSIVE: Method = Method::Inclusive10;
pub(super) const DOCTOR_SERIAL: u8 = 0x5a;

/// A root, a CA, a doctor who signs at [`NOW`], a time-stamp authority.
pub(super) struct World {
    pub(super) root: Authority,
    pub(super) ca: Authority,
    pub(super) doctor: Vec<u8>,
    pub(super) key: Key,
    pub(super) tsa: Tsa,
}

/// What a file is verified with.
pub(super) struct Given {
    pub(super) at: OffsetDateTime,
    pub(super) ca_crl: CrlTemplate,
    /// Of both roots.
    pub(super) root_crl: CrlTemplate,
}

/// At `at`, with CRLs of that day that revoke nothing.
pub(super) fn given(at: OffsetDateTime) -> Given {
    let fresh =
        CrlTemplate { this_update: at - DAY, next_update: Some(at + 3 * DAY), ..CrlTemplate::fresh() };
    Given { at, ca_crl: fresh.clone(), root_crl: fresh }
}

impl World {
    pub(super) fn new() -> Self {
        Self::with_doctor_until(NOW + 365 * DAY)
    }

    pub(super) fn with_doctor_until(not_after: OffsetDateTime) -> Self {
        Self::with_doctor(Template { not_after, ..Template::signer(&["Medical Doctor"]) })
    }

    pub(super) fn with_doctor_from(not_before: OffsetDateTime) -> Self {
        let not_after = NOW + 365 * DAY;
        Self::with_doctor(Template { not_before, not_after, ..Template::signer(&["Medical Doctor"]) })
    }

    pub(super) fn with_doctor(template: Template) -> Self {
        let (root, ca, key) = (Authority::new("Root"), Authority::new("CA"), Key::new());
        let template = Template { spki: Some(key.spki.clone()), ..template };
        let doctor = Authority::new("doctor").certificate_der(&ca, &template);
        Self { root, ca, doctor, key, tsa: Tsa::new() }
    }

    pub(super) fn root_certificate(&self) -> Certificate {
        self.root.certificate(&self.root, &Template::ca(1))
    }

    pub(super) fn ca_certificate(&self) -> Certificate {
        self.ca.certificate(&self.root, &Template::ca(2))
    }

    pub(super) fn signed(&self) -> String {
        let prescription = Prescription::parse(envelope("").as_bytes()).unwrap();
        let prepared = prepare(prescription, &signing_certificate(&self.doctor), NOW, &FixedRandom).unwrap();
        let value = sign(&self.key.pkcs8, prepared.signed_info());
        String::from_utf8(prepared.finish(&value).unwrap().into_bytes()).unwrap()
    }

    /// With a signature timestamp of that time.
    pub(super) fn stamped(&self, at: OffsetDateTime) -> String {
        let file = self.signed();
        let token = self.tsa.token(&TokenTemplate::of(&value_of(&file), at));
        with_property(&file, &signature_timestamp(&token))
    }

    pub(super) fn verify(&self, file: &str, given: &Given) -> Report {
        self.verify_with(file, given, &[self.tsa.root_certificate()])
    }

    pub(super) fn verify_with(&self, file: &str, given: &Given, timestamp_roots: &[Certificate]) -> Report {
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

pub(super) fn part(name: &str) -> String {
    format!("ida5a5a5a5-{name}")
}

pub(super) fn canonical(file: &str, id: &str, method: Method) -> Vec<u8> {
    canonicalize(file.as_bytes(), Some(id), method, false, &[]).unwrap()
}

/// What a signature timestamp covers.
pub(super) fn value_of(file: &str) -> Vec<u8> {
    canonical(file, &part("SignatureValue"), INCLUSIVE)
}

/// What an archive timestamp covers that comes after the properties of these ids.
pub(super) fn all_of(file: &str, properties: &[&str]) -> Vec<u8> {
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

pub(super) fn signature_timestamp(token: &[u8]) -> String {
    format!(
        "<xa:SignatureTimeStamp Id=\"ts\"><xa:EncapsulatedTimeStamp>{}</xa:EncapsulatedTimeStamp></xa:SignatureTimeStamp>",
        base64(token)
    )
}

pub(super) fn archive_timestamp(token: &[u8], id: &str) -> String {
    format!(
        "<xa141:ArchiveTimeStamp xmlns:xa141=\"http://uri.etsi.org/01903/v1.4.1#\" Id=\"{id}\">\
         <xs:CanonicalizationMethod Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"/>\
         <xa:EncapsulatedTimeStamp>{}</xa:EncapsulatedTimeStamp></xa141:ArchiveTimeStamp>",
        base64(token)
    )
}

pub(super) fn certificate_values(id: &str, certificates: &[&Certificate]) -> String {
    let value = |c: &&Certificate| {
        format!("<xa:EncapsulatedX509Certificate>{}</xa:EncapsulatedX509Certificate>", base64(c.der()))
    };
    let values: String = certificates.iter().map(value).collect();
    format!("<xa:CertificateValues Id=\"{id}\">{values}</xa:CertificateValues>")
}

pub(super) fn revocation_values(crls: &[Vec<u8>]) -> String {
    let value = |crl| format!("<xa:EncapsulatedCRLValue>{}</xa:EncapsulatedCRLValue>", base64(crl));
    let values: String = crls.iter().map(value).collect();
    format!("<xa:RevocationValues Id=\"rv\"><xa:CRLValues>{values}</xa:CRLValues></xa:RevocationValues>")
}

/// With one property more.
pub(super) fn with_property(file: &str, property: &str) -> String {
    let end = "</xa:UnsignedSignatureProperties>";
    if file.contains(end) {
        return file.replace(end, &format!("{property}{end}"));
    }
    let (start, end) =
        ("<xa:UnsignedProperties><xa:UnsignedSignatureProperties>", format!("{end}</xa:UnsignedProperties>"));
    let qualifying = "</xa:QualifyingProperties>";
    file.replace(qualifying, &format!("{start}{property}{end}{qualifying}"))
}

pub(super) fn codes(report: &Report) -> Vec<&'static str> {
    let all = report.reasons.iter().chain(report.signatures.iter().flat_map(|signature| &signature.reasons));
    all.filter(|reason| reason.severity != Severity::Note).map(|reason| reason.code).collect()
}

pub(super) fn answer(report: &Report) -> (Verdict, Vec<&'static str>) {
    (report.verdict, codes(report))
}

#[track_caller]
pub(super) fn result(report: &Report, code: &str) -> Outcome {
    report.signatures[0].checks.iter().find(|check| check.code == code).unwrap().result
}
