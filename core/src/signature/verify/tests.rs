use proptest::prelude::*;

use super::super::{
    Covers, Method, Report, Severity, Verdict, canonicalize,
    test_data::{
        AT, CA_CRL, CA_CRL_REVOKED, CSV, DOCTOR, DOCTOR_KEY, PHARMACIST, PHARMACIST_KEY, base64, envelope,
        sign, signed, signed_by, verified, verify_at,
    },
};

mod places;
mod reasons;
mod signed_info;

const XPATH: &str = "http://www.w3.org/TR/1999/REC-xpath-19991116";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

fn sha256(bytes: &[u8]) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().to_vec()
}

/// Fills `[[exc ID]]` and `[[inc ID]]` with the digest of that element and `[[sign ID]]` with a signature over it, in
/// the order in which they stand.
fn completed(template: &str, keys: &[&[u8]]) -> String {
    let (mut file, mut keys) = (template.to_owned(), keys.iter());
    while let Some((before, rest)) = file.split_once("[[") {
        let (command, after) = rest.split_once("]]").unwrap();
        let (what, id) = command.split_once(' ').unwrap();
        let method = if what == "inc" { Method::Inclusive10 } else { Method::Exclusive };
        let canonical = canonicalize(file.as_bytes(), Some(id), method, false, &[]).unwrap();
        let value = if what == "sign" { sign(keys.next().unwrap(), &canonical) } else { sha256(&canonical) };
        file = format!("{before}{}{after}", base64(value));
    }
    file
}

/// A signature in form B over `target`, to be completed. `p` makes its ids unique.
fn form_b(p: &str, target: &str, certificate: &[u8]) -> String {
    let exc = "<ds:Transforms><ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/></ds:Transforms>";
    let sha = "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>";
    let (digest, certificate) = (base64(sha256(certificate)), base64(certificate));
    format!(
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" Id=\"{p}Sign\">\n\
         <ds:SignedInfo Id=\"{p}-si\"><ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>\n\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>\n\
         <ds:Reference URI=\"#{target}\">{exc}{sha}<ds:DigestValue>[[exc {target}]]</ds:DigestValue></ds:Reference>\n\
         <ds:Reference Type=\"http://uri.etsi.org/01903#SignedProperties\" URI=\"#{p}-sp\">{exc}{sha}\
         <ds:DigestValue>[[exc {p}-sp]]</ds:DigestValue></ds:Reference>\n\
         <ds:Reference URI=\"#{p}-ki\">{exc}{sha}<ds:DigestValue>[[exc {p}-ki]]</ds:DigestValue></ds:Reference>\n\
         </ds:SignedInfo><ds:SignatureValue>\n[[sign {p}-si]]\n</ds:SignatureValue>\n\
         <ds:KeyInfo Id=\"{p}-ki\"><ds:X509Data><ds:X509Certificate>\n{certificate}\n</ds:X509Certificate></ds:X509Data>\
         </ds:KeyInfo><ds:Object><xades:QualifyingProperties xmlns:xades=\"http://uri.etsi.org/01903/v1.3.2#\" \
         Target=\"#{p}Sign\"><xades:SignedProperties Id=\"{p}-sp\"><xades:SignedSignatureProperties>\
         <xades:SigningTime>2026-06-02T09:00:00+09:00</xades:SigningTime><xades:SigningCertificateV2><xades:Cert>\
         <xades:CertDigest>{sha}<ds:DigestValue>{digest}</ds:DigestValue></xades:CertDigest>\
         <xades:IssuerSerialV2>AAAA</xades:IssuerSerialV2></xades:Cert></xades:SigningCertificateV2>\
         </xades:SignedSignatureProperties></xades:SignedProperties></xades:QualifyingProperties></ds:Object>\
         </ds:Signature>"
    )
}

fn template_b() -> String {
    let signature = form_b("Prescription", "PrescriptionDocument", DOCTOR);
    envelope(&format!("<PrescriptionSign>{signature}</PrescriptionSign>"))
}

fn signed_b() -> String {
    completed(&template_b(), &[DOCTOR_KEY])
}

/// A pharmacist's file around a doctor's prescription.
fn dispensing() -> String {
    let prescription = template_b();
    let (_, inner) = prescription.split_once("<Prescription>").unwrap();
    let (inner, _) = inner.rsplit_once("</Prescription>").unwrap();
    let signature = form_b("Dispensing", "Dispensing", PHARMACIST);
    let template = format!(
        "<Document xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" id=\"Document\" \
         xsi:noNamespaceSchemaLocation=\"ED.xsd\"><DispensingManagement id=\"DispensingManagement\"/>\
         <Dispensing id=\"Dispensing\"><ReferencePrescription>{inner}</ReferencePrescription>\
         <DispensingDocument id=\"DispensingDocument\">{}</DispensingDocument></Dispensing>\
         <DispensingSign>{signature}</DispensingSign></Document>",
        base64("CJ1,\n")
    );
    completed(&template, &[DOCTOR_KEY, PHARMACIST_KEY])
}

fn codes(report: &Report) -> Vec<&'static str> {
    let all = report.reasons.iter().chain(report.signatures.iter().flat_map(|signature| &signature.reasons));
    all.filter(|reason| reason.severity != Severity::Note).map(|reason| reason.code).collect()
}

#[track_caller]
fn refused(file: &str, code: &str) {
    let report = verified(file);
    assert_eq!(report.verdict, Verdict::Invalid);
    assert!(codes(&report).contains(&code), "{:?} instead of {code}", codes(&report));
}

/// Changes form B before it is signed: what a doctor's own key has signed must still be refused.
#[track_caller]
fn refused_though_signed(from: &str, to: &str, code: &str) {
    let template = template_b();
    assert!(template.contains(from), "nothing to replace");
    refused(&completed(&template.replacen(from, to, 1), &[DOCTOR_KEY]), code);
}

#[test]
fn both_forms_are_valid_and_say_who_signed_what_when() {
    for file in [signed(), signed_b()] {
        let report = verified(&file);
        assert_eq!((report.verdict, codes(&report)), (Verdict::Valid, vec![]));
        assert_eq!(report.document.as_deref(), Some(CSV));
        assert_eq!(
            serde_json::to_value(&report).unwrap()["signatures"],
            serde_json::json!([{
                "covers": "prescription", "signer": "試験　三十四", "role": "Medical Doctor",
                "signed_at": report.signatures[0].signed_at.unwrap()
                    .format(&time::format_description::well_known::Rfc3339).unwrap(),
                "stamped_at": null, "level": "BES", "reasons": [],
                "checks": report.signatures[0].checks,
            }])
        );
        assert_eq!(report.signatures[0].signed_at, Some(AT));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!((&json["verdict"], &json["level"]), (&"valid".into(), &"BES".into()));
    }
}

#[test]
fn what_the_management_service_adds_outside_the_signature_breaks_nothing() {
    let file = signed()
        .replace("<Version Value=\"EPS1.0\"/>", "<Version Value=\"EPS1.0\"/><PrescriptionId Value=\"u\"/>")
        .replace(
            "<PrescriptionSign>",
            "<AdditionalPrescriptionInformation id=\"AdditionalPrescriptionInformation\"/><PrescriptionSign>",
        );
    assert_eq!(verified(file).verdict, Verdict::Valid);
}

#[test]
fn a_dispensing_file_reports_the_pharmacists_and_the_doctors_signature() {
    let report = verified(dispensing());
    assert_eq!((report.verdict, codes(&report)), (Verdict::Valid, vec![]));
    let found: Vec<_> = report.signatures.iter().map(|s| (s.covers, s.role.as_deref().unwrap())).collect();
    assert_eq!(found, [(Covers::Dispensing, "Pharmacist"), (Covers::Prescription, "Medical Doctor")]);
    assert_eq!(report.document.as_deref(), Some(CSV));

    let changed = dispensing().replace(&base64("CJ1,\n"), &base64("CJ1;\n"));
    assert_eq!(codes(&verified(&changed)), ["document_changed"]);
}

#[test]
fn an_enveloped_dispensing_signature_is_read_too() {
    let beside = dispensing();
    let (head, sign) = beside.split_once("</Dispensing><DispensingSign>").unwrap();
    let sign = sign.replace("</DispensingSign>", "</DispensingSign></Dispensing>");
    refused(&format!("{head}<DispensingSign>{sign}"), "document_changed");

    let (start, signature) =
        (head.to_owned() + "<DispensingSign>", form_b("Dispensing", "Dispensing", PHARMACIST));
    let whole = start.clone() + "</DispensingSign></Dispensing></Document>";
    let digest =
        sha256(&canonicalize(whole.as_bytes(), Some("Dispensing"), Method::Exclusive, false, &[]).unwrap());
    let signature = signature.replacen(
        "<ds:Transforms>",
        &format!("<ds:Transforms><ds:Transform Algorithm=\"{ENVELOPED}\"/>"),
        1,
    );
    let signature = signature.replace("[[exc Dispensing]]", &base64(digest));
    let file =
        completed(&format!("{start}{signature}</DispensingSign></Dispensing></Document>"), &[PHARMACIST_KEY]);
    assert_eq!(codes(&verified(&file)), Vec::<&str>::new());
}

#[test]
fn each_changed_part_is_named() {
    let file = signed();
    let changed = base64(CSV.replace("２５μｇ", "５０μｇ"));
    refused(&file.replace(&base64(CSV), &changed), "document_changed");
    refused(&file.replace("2026-06-02T00", "2026-06-03T00"), "properties_changed");
    refused(&file.replace("<xs:X509Data>", "<xs:X509Data> "), "key_info_changed");
    refused(&file.replace(&base64(DOCTOR), &base64(PHARMACIST)), "certificate_mismatch");
    refused(&file.replace(&base64(DOCTOR), "AAAA"), "certificate_unreadable");
    refused(&file.replace("-Reference1-Detached", "-Reference1-Detache_"), "signature_value_wrong");
    assert_eq!(verified(file.replace(&base64(CSV), &changed)).document, None);
}

#[test]
fn no_byte_of_document_or_signature_can_change_unnoticed() {
    let file = signed();
    let start = file.find("<PrescriptionDocument").unwrap();
    let end = file.find("</PrescriptionSign>").unwrap();
    let unsigned = ["-SignatureValue", "-QualifyingProperties"].map(|suffix| {
        let id = format!(" Id=\"ida5a5a5a5{suffix}\"");
        let start = file.find(&id).unwrap();
        start..start + id.len()
    });
    for at in (start..end).step_by(5).filter(|at| !unsigned.iter().any(|range| range.contains(at))) {
        let mut bytes = file.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(verified(&bytes).verdict, Verdict::Invalid, "byte {at}");
    }
}

#[test]
fn a_signed_document_moved_elsewhere_is_not_taken_for_the_prescription() {
    let file = signed();
    let (before, rest) = file.split_once("<PrescriptionDocument ").unwrap();
    let (body, after) = rest.split_once("</PrescriptionDocument>").unwrap();
    let genuine = format!("<PrescriptionDocument {body}</PrescriptionDocument>");
    let forged = |attribute: &str| {
        format!("<PrescriptionDocument{attribute}>{}</PrescriptionDocument>", base64("SJ1\nforged\n"))
    };
    let elsewhere =
        format!("<AdditionalPrescriptionInformation>{genuine}</AdditionalPrescriptionInformation>");
    refused(&format!("{before}{elsewhere}{after}"), "not_a_prescription");
    refused(&format!("{before}{}{elsewhere}{after}", forged("")), "document_not_plain");
    refused(&format!("{before}{}{elsewhere}{after}", forged(" id=\"x\"")), "document_not_plain");
    refused(
        &format!("{before}{}{elsewhere}{after}", forged(" id=\"PrescriptionDocument\"")),
        "second_document",
    );
    refused(&format!("{before}{}{genuine}{after}", forged(" id=\"x\"")), "not_a_prescription");
    let object = format!("<xs:Object>{genuine}</xs:Object></xs:Signature>");
    let forged = forged(" id=\"PrescriptionDocument\"");
    refused(&format!("{before}{forged}{after}").replace("</xs:Signature>", &object), "second_document");
    let renamed =
        genuine.replace("PrescriptionDocument ", "Copy ").replace("</PrescriptionDocument", "</Copy");
    refused(&format!("{before}{forged}{renamed}{after}"), "duplicate_id");
    refused(&format!("{before}{forged}{}{after}", renamed.replace(" id=", " Id=")), "duplicate_id");
}

#[test]
fn references_bind_to_exactly_what_a_signature_must_cover() {
    let reference = "<ds:Reference URI=\"#PrescriptionDocument\">";
    let kind = " Type=\"http://uri.etsi.org/01903#SignedProperties\"";
    let copy = template_b().replace("URI=\"#PrescriptionDocument\"", "URI=\"#copy\"");
    let copy = copy.replace("[[exc PrescriptionDocument]]", "[[exc copy]]");
    let object = "<ds:Object Id=\"copy\">x</ds:Object></ds:Signature>";
    refused(&completed(&copy.replace("</ds:Signature>", object), &[DOCTOR_KEY]), "reference_elsewhere");
    refused_though_signed(kind, "", "reference_elsewhere");
    refused_though_signed(kind, " Type=\"http://uri.etsi.org/01903#Other\"", "reference_elsewhere");
    let typed = format!("<ds:Reference{kind} URI=\"#PrescriptionDocument\">");
    refused_though_signed(reference, &typed, "reference_elsewhere");
    refused_though_signed("URI=\"#PrescriptionDocument\"", "URI=\"\"", "signature_structure");
    refused_though_signed("URI=\"#PrescriptionDocument\"", "URI=\"http://x/\"", "signature_structure");
    refused_though_signed("URI=\"#PrescriptionDocument\"", "URI=\"#xpointer(/)\"", "reference_elsewhere");
    refused_though_signed("URI=\"#PrescriptionDocument\"", "URI=\"#Document\"", "reference_elsewhere");

    let template = template_b();
    let cut = |from: &str, to: &str| {
        let (before, rest) = template.split_once(from).unwrap();
        let (reference, after) = rest.split_once(to).unwrap();
        (format!("{from}{reference}{to}"), format!("{before}{after}"))
    };
    let (_, without) = cut("<ds:Reference Type", "</ds:Reference>");
    refused(&completed(&without, &[DOCTOR_KEY]), "reference_missing");
    let (twice, without) = cut(reference, "</ds:Reference>");
    refused(&completed(&without, &[DOCTOR_KEY]), "reference_missing");
    let doubled = template.replace("</ds:SignedInfo>", &format!("{twice}</ds:SignedInfo>"));
    refused(&completed(&doubled, &[DOCTOR_KEY]), "reference_elsewhere");
    let (_, without) = cut("<ds:Reference URI=\"#Prescription-ki\"", "</ds:Reference>");
    assert_eq!(verified(completed(&without, &[DOCTOR_KEY])).verdict, Verdict::Valid);
}

#[test]
fn structure_that_would_let_readers_differ_is_refused() {
    let file = signed();
    refused(&file.replace("id=\"PrescriptionManagement\"", "ID=\"PrescriptionSign\""), "duplicate_id");
    refused(
        &file.replace("\"PrescriptionDocument\">", "\"PrescriptionDocument\"><!-- -->"),
        "document_not_plain",
    );
    refused(
        &file.replace("\"PrescriptionDocument\">", "\"PrescriptionDocument\"><?p?>"),
        "document_not_plain",
    );
    refused(
        &file.replace("\"PrescriptionDocument\">", "\"PrescriptionDocument\"><b/>"),
        "document_not_plain",
    );
    let (_, sign) = file.split_once("<PrescriptionSign>").unwrap();
    let (signature, _) = sign.split_once("</PrescriptionSign>").unwrap();
    let second = signature.replace("ida5a5a5a5", "id00000000").replace("\"PrescriptionSign\"", "\"s\"");
    refused(&file.replace("</PrescriptionSign>", &format!("{second}</PrescriptionSign>")), "not_signed");
    refused(&file.replace("</Prescription>", &format!("{second}</Prescription>")), "signature_elsewhere");
    refused(&file.replace("Target=\"#PrescriptionSign\"", "Target=\"#other\""), "signature_structure");
    refused(&file.replace("</Document>", "<Prescription/></Document>"), "not_a_prescription");
    refused(&envelope(""), "not_signed");
    refused(&envelope("<PrescriptionSign/>"), "not_signed");
    refused("<Document xmlns='u'><Prescription/></Document>", "not_a_prescription");
    refused("", "not_xml");
    refused("%PDF-1.7", "not_xml");
    refused(&format!("<!DOCTYPE Document>{}", signed().split_once("?>").unwrap().1), "not_xml");
    refused(&"<Document>".repeat(1000), "over_limits");
}

#[test]
fn only_listed_algorithms_and_transforms_are_followed() {
    let rsa = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    refused_though_signed(rsa, "http://www.w3.org/2000/09/xmldsig#rsa-sha1", "signature_method_refused");
    refused_though_signed(rsa, "http://www.w3.org/2000/09/xmldsig#hmac-sha1", "signature_method_refused");
    refused_though_signed(
        rsa,
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        "signature_method_refused",
    );
    refused_though_signed(
        rsa,
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        "signature_value_wrong",
    );
    let length = format!("{rsa}\"><ds:HMACOutputLength>1</ds:HMACOutputLength></ds:SignatureMethod>");
    refused_though_signed(&format!("{rsa}\"/>"), &length, "signature_method_refused");
    let sha1 = "http://www.w3.org/2000/09/xmldsig#sha1";
    refused_though_signed("http://www.w3.org/2001/04/xmlenc#sha256", sha1, "digest_method_refused");
    let method = "CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"";
    refused_though_signed(
        method,
        &format!("CanonicalizationMethod Algorithm=\"{XPATH}\""),
        "algorithm_refused",
    );
    let transform = "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>";
    for other in
        [XPATH, "http://www.w3.org/TR/1999/REC-xslt-19991116", "http://www.w3.org/2000/09/xmldsig#base64"]
    {
        let other = format!("<ds:Transform Algorithm=\"{other}\"/>");
        refused_though_signed(transform, &other, "transform_refused");
        refused_though_signed(transform, &format!("{transform}{other}"), "transform_refused");
    }
    let enveloped = format!("<ds:Transform Algorithm=\"{ENVELOPED}\"/>");
    refused_though_signed(transform, &format!("{enveloped}{transform}"), "document_changed");
    refused_though_signed(transform, &format!("{transform}{enveloped}"), "transform_refused");
    refused_though_signed(transform, &format!("{transform}{transform}"), "transform_refused");
}

#[test]
fn a_pharmacist_cannot_sign_a_prescription() {
    let report = verified(signed_by(PHARMACIST, PHARMACIST_KEY));
    assert_eq!((report.verdict, codes(&report)), (Verdict::Invalid, vec!["role_not_prescriber"]));
    assert_eq!(report.signatures[0].role.as_deref(), Some("Pharmacist"));
}

#[test]
fn a_revoked_certificate_makes_a_file_invalid_and_missing_facts_leave_it_open() {
    let file = signed();
    let revoked = verify_at(&file, CA_CRL_REVOKED, AT);
    assert_eq!((revoked.verdict, codes(&revoked)), (Verdict::Invalid, vec!["certificate_revoked"]));

    let later = verify_at(&file, CA_CRL, time::macros::datetime!(2031-01-01 0:00 UTC));
    assert_eq!(later.verdict, Verdict::Indeterminate);
    assert!(codes(&later).contains(&"certificate_out_of_validity"));

    let none = super::Trust {
        roots: &[],
        timestamp_roots: &[],
        crls: &[],
        intermediates: &[],
        prescriber_roles: &["Medical Doctor".into()],
        at: AT,
    };
    let open = super::verify(file.as_bytes(), &none);
    assert_eq!((open.verdict, codes(&open)), (Verdict::Indeterminate, vec!["path_not_established"]));
    assert_eq!(open.document.as_deref(), Some(CSV));
}

#[test]
fn a_signing_time_outside_the_certificates_validity_is_refused() {
    let template = template_b().replace("2026-06-02T09:00:00+09:00", "2024-06-02T09:00:00+09:00");
    refused(&completed(&template, &[DOCTOR_KEY]), "signed_outside_validity");
    let template = template_b().replace("2026-06-02T09:00:00+09:00", "yesterday");
    let report = verified(completed(&template, &[DOCTOR_KEY]));
    assert_eq!((report.verdict, report.signatures[0].signed_at), (Verdict::Valid, None));
}

#[test]
fn a_body_that_is_not_text_is_refused_though_signed() {
    let template = template_b().replace(&base64(CSV), &base64([0x82, 0xa0]));
    refused(&completed(&template, &[DOCTOR_KEY]), "document_unreadable");
}

#[test]
fn a_truncated_file_is_invalid() {
    let file = signed();
    for end in (0..file.len()).step_by(97) {
        assert_eq!(verified(&file.as_bytes()[..end]).verdict, Verdict::Invalid);
    }
}

proptest! {
    #[test]
    fn any_bytes_get_a_verdict(
        bytes in proptest::collection::vec(any::<u8>(), 0..64),
        at in 0_usize..5000,
        cut in 0_usize..40,
    ) {
        prop_assert_eq!(verified(&bytes).verdict, Verdict::Invalid);
        let file = SIGNED.get_or_init(signed_b);
        let at = at.min(file.len());
        let mut changed = file.as_bytes()[..at].to_vec();
        changed.extend(&bytes);
        changed.extend(&file.as_bytes()[(at + cut).min(file.len())..]);
        let report = verified(&changed);
        prop_assert!(report.verdict == Verdict::Invalid || report.document.as_deref() == Some(CSV));
    }
}

static SIGNED: std::sync::OnceLock<String> = std::sync::OnceLock::new();
