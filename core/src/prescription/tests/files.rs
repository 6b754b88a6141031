//! Files: the envelope, and what merely looks like an e-prescription.

use std::{collections::HashMap, fmt::Write};

use super::*;

#[test]
fn a_bare_csv_is_wrapped_in_exactly_the_envelope_that_clinics_systems_expect() {
    let prescription =
        Prescription::parse(b"SJ1\n").err().map(|_| Prescription::parse(SAMPLE.as_bytes()).unwrap());
    let prescription = prescription.expect("a header alone is refused");
    let expected = envelope_of(SAMPLE.as_bytes());
    assert_eq!(str::from_utf8(prescription.envelope()).unwrap(), expected);
    assert!(!expected.contains('\n') && !expected.contains("PrescriptionId"));
    let document = expected.get(prescription.document_element_range()).unwrap();
    assert!(
        document.starts_with("<PrescriptionDocument id=") && document.ends_with("</PrescriptionDocument>")
    );
    let at = prescription.signature_insertion();
    assert!(at.is_empty() && expected[at.start..].starts_with("</Prescription></Document>"));
    assert_eq!(Prescription::parse(expected.as_bytes()).unwrap().csv(), SAMPLE);
    assert_eq!(prescription.into_envelope(), expected.into_bytes());
}

#[test]
fn an_envelope_is_kept_to_the_byte_and_its_places_are_known() {
    let document = format!(
        "<PrescriptionDocument id=\"PrescriptionDocument\">{}</PrescriptionDocument>",
        STANDARD.encode(FULL)
    );
    let management = "\n <PrescriptionManagement id='PrescriptionManagement'><Version Value=\"EPS1.0\" />\
         <PrescriptionId Value=\"0e0a\"/></PrescriptionManagement>\n";
    let additional = "<AdditionalPrescriptionInformation id=\"AdditionalPrescriptionInformation\"><C>x</C>\
         </AdditionalPrescriptionInformation>";
    for (sign, length) in
        [("", 0), ("<PrescriptionSign/>", 19), ("<PrescriptionSign> </PrescriptionSign>", 38)]
    {
        let xml = envelope_with(management, &format!("{document}{additional}{sign}"));
        let prescription = Prescription::parse(xml.as_bytes()).unwrap();
        assert_eq!(prescription.envelope(), xml.as_bytes());
        assert_eq!(xml[prescription.document_element_range()], document);
        assert_eq!(xml[prescription.signature_insertion()], *sign);
        assert_eq!(prescription.signature_insertion().len(), length);
        let codes: Vec<_> = prescription.warnings().iter().map(|v| v.code).collect();
        assert_eq!(codes, ["not_signed_prescription_id", "not_signed_additional_information"]);
        assert!(!shown(prescription.preview()).contains("0e0a"));
    }
}

#[test]
fn whatever_an_envelope_should_not_have_is_refused() {
    let good = envelope_of(FULL.as_bytes());
    assert_eq!(refused_as(good.as_bytes()), "accepted");
    assert!(inspect(good.as_bytes()).is_signable());
    for (from, to, code) in [
        ("<Prescription>", "<!-- x --><Prescription>", "xml_unexpected"),
        ("<Prescription>", "<?x y?><Prescription>", "xml_unexpected"),
        ("<Prescription>", "<Prescription x=\"1\">", "xml_unexpected"),
        ("<Prescription>", "text<Prescription>", "xml_unexpected"),
        ("<Prescription>", "<Prescription/><Prescription>", "xml_duplicate"),
        ("<Prescription>", "<Prescription xmlns:a=\"urn:a\">", "xml_namespace"),
        ("<Prescription>", "<Prescription xmlns:xsi=\"urn:a\">", "xml_namespace"),
        (
            "<Prescription>",
            "<Prescription xmlns:a=\"http://www.w3.org/2001/XMLSchema-instance\">",
            "xml_namespace",
        ),
        ("<Document ", "<!-- x --><Document ", "xml_unexpected"),
        ("<Document ", "<?x y?><Document ", "xml_unexpected"),
        ("</Document>", "</Document><!-- x -->", "xml_unexpected"),
        (" id=\"Document\"", " id=\"Document\" x=\"1\"", "xml_unexpected"),
        (" id=\"Document\"", " id=\"Document\" xsi:type=\"a\"", "xml_unexpected"),
        (" id=\"Document\"", " id=\"Document\" noNamespaceSchemaLocation=\"EP.xsd\"", "xml_unexpected"),
        ("<Prescription>", "<Prescription xsi:noNamespaceSchemaLocation=\"EP.xsd\">", "xml_unexpected"),
        (" id=\"PrescriptionDocument\"", " xsi:id=\"PrescriptionDocument\"", "xml_unexpected"),
        ("<Version ", "<Version xmlns=\"urn:x\" ", "xml_unexpected"),
        ("<Version ", "<Version x=\"1\" ", "xml_unexpected"),
        (
            "</Prescription>",
            "<AdditionalPrescriptionInformation xmlns=\"urn:x\"/></Prescription>",
            "xml_unexpected",
        ),
        ("</Prescription>", "<PrescriptionSign><a/></PrescriptionSign></Prescription>", "signed"),
        ("<Prescription>", "<:Prescription>", "xml_broken"),
        ("</Prescription>", "</:Prescription>", "xml_broken"),
        (" id=\"PrescriptionDocument\"", " :id=\"PrescriptionDocument\"", "xml_unexpected"),
        ("<Prescription>", "<Prescription><More/>", "xml_unexpected"),
        ("</Prescription>", "<More id=\"PrescriptionDocument\"/></Prescription>", "xml_duplicate"),
        (
            "</Prescription>",
            "<PrescriptionDocument id=\"x\">U0ox</PrescriptionDocument></Prescription>",
            "xml_duplicate",
        ),
        ("</PrescriptionDocument>", "<a/></PrescriptionDocument>", "xml_unexpected"),
        ("</PrescriptionDocument>", "<![CDATA[]]></PrescriptionDocument>", "xml_unexpected"),
        ("</PrescriptionDocument>", "&#65;</PrescriptionDocument>", "xml_unexpected"),
        ("</PrescriptionDocument>", "<!-- --></PrescriptionDocument>", "xml_unexpected"),
        ("</PrescriptionDocument>", "!</PrescriptionDocument>", "base64"),
        ("id=\"PrescriptionDocument\"", "id=\"&#80;rescriptionDocument\"", "xml_unexpected"),
        ("id=\"PrescriptionDocument\"", "id=\"Other\"", "xml_unexpected"),
        (" id=\"PrescriptionDocument\"", "", "xml_missing"),
        (" id=\"Document\"", "", "xml_missing"),
        ("<Version Value=\"EPS1.0\"/>", "", "xml_missing"),
        ("<Version Value=\"EPS1.0\"/>", "<Version Value=\"EPS1.1\"/>", "wrong_version"),
        ("EP.xsd", "XX.xsd", "xml_unexpected"),
        ("EP.xsd", "ED.xsd", "dispensing"),
        ("</Prescription>", "<PrescriptionSign>x</PrescriptionSign></Prescription>", "signed"),
        ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<!DOCTYPE a [<!ENTITY b \"c\">]>", "xml_dtd"),
        ("encoding=\"UTF-8\"", "encoding=\"Shift_JIS\"", "xml_encoding"),
        ("</Document>", "", "xml_broken"),
        ("<Document ", "<d:Document xmlns:d=\"urn:d\" ", "xml_broken"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from} is not there");
        assert_eq!(refused_as(bad.as_bytes()), code, "{from} → {to}");
    }
    let spaced = good.replacen("</PrescriptionDocument>", "\n</PrescriptionDocument>", 1);
    let codes: Vec<_> =
        Prescription::parse(spaced.as_bytes()).unwrap().warnings().iter().map(|v| v.code).collect();
    assert_eq!(codes, ["base64_space"]);
    let management = "<PrescriptionManagement id=\"PrescriptionManagement\"><Version Value=\"EPS1.0\"/></PrescriptionManagement>";
    let document = "<PrescriptionDocument id=\"PrescriptionDocument\">U0ox</PrescriptionDocument>";
    assert_eq!(refused_as(envelope_with(document, management).as_bytes()), "xml_order");
    assert_eq!(refused_as(envelope_with(management, "").as_bytes()), "xml_missing");
}

#[test]
fn hostile_xml_is_refused_within_its_limits() {
    let deep = format!("{}{}", "<Document>".repeat(5_000), "</Document>".repeat(5_000));
    assert_eq!(refused_as(deep.as_bytes()), "xml_too_complex");
    let wide = format!("<Document>{}</Document>", "<a/>".repeat(30_000));
    assert_eq!(refused_as(wide.as_bytes()), "xml_too_complex");
    let attributes = (0..50_000).fold(String::from("<Document"), |mut xml, n| {
        write!(xml, " a{n}=\"\"").unwrap();
        xml
    });
    assert_eq!(refused_as(format!("{attributes}/>").as_bytes()), "xml_too_complex");
    let good = envelope_of(FULL.as_bytes());
    for (tag_bytes, code) in [(1_024, "accepted"), (1_025, "xml_too_complex")] {
        let spaces = " ".repeat(tag_bytes - "Prescription>".len());
        let long = good.replacen("<Prescription>", &format!("<Prescription{spaces}>"), 1);
        assert_eq!(refused_as(long.as_bytes()), code);
    }
}

#[test]
fn a_file_is_read_up_to_its_limit_and_no_further() {
    let look_alike = |bytes: &[u8]| inspect(bytes).look_alike;
    assert_eq!(look_alike(&vec![b'a'; 1024 * 1024]), Some(LookAlike::Unknown));
    assert_eq!(look_alike(&vec![b'a'; 1024 * 1024 + 1]), Some(LookAlike::TooLarge));
    let csv = |length: usize| format!("{FULL}{}", "x".repeat(length - FULL.len()));
    for (length, expected) in [(512 * 1024, None), (512 * 1024 + 1, Some(LookAlike::TooLarge))] {
        assert_eq!(look_alike(csv(length).as_bytes()), expected, "{length}");
        assert_eq!(look_alike(envelope_of(csv(length).as_bytes()).as_bytes()), expected, "{length}");
    }
}

#[test]
fn neither_csv_nor_xml_is_taken_for_a_hash_for_its_length() {
    for length in [32, 48, 64] {
        for (start, end) in [("SJ1\n1,", "\n"), ("<Document>", "\n</Document>")] {
            let text = format!("{start}{}{end}", "x".repeat(length - start.len() - end.len()));
            assert_eq!(inspect(text.as_bytes()).look_alike, None, "{text}");
        }
    }
}

#[test]
fn every_look_alike_is_refused_by_its_name_in_both_languages() {
    let signed = envelope_of(FULL.as_bytes()).replacen(
        "</Prescription>",
        "<PrescriptionSign><xs:Signature xmlns:xs=\"http://www.w3.org/2000/09/xmldsig#\" Id=\"PrescriptionSign\"/>\
         </PrescriptionSign></Prescription>",
        1,
    );
    let shift_jis = b"SJ1\n1,1,8000010,13,\x8c\x9f\x8f\xd8\x97\x70\x95\x61\x89\x40\n".to_vec();
    let hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "empty"),
        (b" \r\n\t".to_vec(), "empty"),
        (vec![b'a'; MAX_DOCUMENT_BYTES + 1], "too_large"),
        (format!("SJ1\n{}", "81,1,,a\n".repeat(90_000)).into_bytes(), "too_large"),
        (b"<Document xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:noNamespaceSchemaLocation=\"ED.xsd\"/>".to_vec(), "dispensing"),
        (b"<Document id=\"Document\"><Dispensing id=\"Dispensing\"/></Document>".to_vec(), "dispensing"),
        (b"CJ1\n1,1\n".to_vec(), "dispensing_csv"),
        (envelope_of(b"CJ1\n1,1\n").into_bytes(), "dispensing_csv"),
        (signed.into_bytes(), "signed"),
        (b"JAHIS9\r\n1,1,8000010,13,\x8c\x9f\r\n\x1a".to_vec(), "paper_qr"),
        (b"JAHIS10\r\n".to_vec(), "paper_qr"),
        (b"JAHIS11\r\n".to_vec(), "paper_qr"),
        (b"<ClinicalDocument xmlns=\"urn:hl7-org:v3\"/>".to_vec(), "cda"),
        (b"<Bundle xmlns=\"http://hl7.org/fhir\"/>".to_vec(), "fhir"),
        (b"{\"resourceType\":\"Bundle\"}".to_vec(), "fhir"),
        (b"MSH|^~\\&|".to_vec(), "hl7"),
        (b"<PRPA xmlns=\"urn:hl7-org:v3\"/>".to_vec(), "hl7"),
        (b"<Mml/>".to_vec(), "hl7"),
        (b"%PDF-1.7\n".to_vec(), "pdf"),
        (b"<x xmlns=\"http://www.medxml.net/MML\"/>".to_vec(), "hl7"),
        (b"PK\x03\x04rest".to_vec(), "zip"),
        (b"PK\x05\x06rest".to_vec(), "zip"),
        (b"\x30\x82\x10\x00\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02".to_vec(), "pkcs7"),
        (b"-----BEGIN PKCS7-----\n".to_vec(), "pkcs7"),
        (b"-----BEGIN CMS-----\n".to_vec(), "pkcs7"),
        (b"x\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07".to_vec(), "shift_jis"),
        (b"09:00 Dear colleague".to_vec(), "unknown"),
        (vec![0x9f; 32], "hash"),
        (vec![0x01; 64], "hash"),
        (hex.as_bytes().to_vec(), "hash"),
        (format!("{hex}\n").into_bytes(), "hash"),
        (STANDARD.encode([7u8; 32]).into_bytes(), "hash"),
        (STANDARD.encode([7u8; 30]).into_bytes(), "unknown"),
        (hex.as_bytes()[..62].to_vec(), "unknown"),
        (vec![b'z'; 96], "unknown"),
        (vec![b'.'; 44], "unknown"),
        (vec![b'.'; 32], "unknown"),
        (vec![0x01; 31], "unknown"),
        (FULL.replace('\n', "\r\n").into_bytes(), "crlf"),
        (envelope_of(FULL.replace('\n', "\r\n").as_bytes()).into_bytes(), "crlf"),
        (format!("\u{FEFF}{FULL}").into_bytes(), "bom"),
        (format!("\u{FEFF}{}", envelope_of(FULL.as_bytes())).into_bytes(), "bom"),
        (envelope_of(format!("\u{FEFF}{FULL}").as_bytes()).into_bytes(), "bom"),
        (shift_jis.clone(), "shift_jis"),
        (envelope_of(&shift_jis).into_bytes(), "shift_jis"),
        (b"SJ1\n5,D7,\xBD\xBD\xB7\n".to_vec(), "shift_jis"),
        (b"SJ1\n1,\xFF\xFE\n".to_vec(), "not_utf8"),
        (FULL.replacen("SJ1", "SJ2", 1).into_bytes(), "wrong_version"),
        (b"<html/>".to_vec(), "unknown"),
        (b"<Document xmlns=\"urn:x\"/>".to_vec(), "unknown"),
        (b"{\"type\":\"Bundle\"}".to_vec(), "unknown"),
        (b"the \"resourceType\" of a Bundle".to_vec(), "unknown"),
        (b"Dear colleague".to_vec(), "unknown"),
    ];
    let mut messages = HashMap::new();
    for (bytes, code) in cases {
        assert_eq!(refused_as(&bytes), code);
        let inspection = inspect(&bytes);
        assert!(!inspection.is_signable());
        let look_alike = inspection.look_alike.expect("a look-alike");
        let (ja, en) = (look_alike.message_ja(), look_alike.message_en());
        assert!(!ja.is_ascii() && en.is_ascii() && !en.is_empty(), "{code}");
        assert_eq!(look_alike.to_string(), en);
        let expected = serde_json::json!({"code": code, "message_ja": ja, "message_en": en});
        assert_eq!(serde_json::to_value(look_alike).unwrap(), expected);
        for message in [ja, en] {
            assert_eq!(*messages.entry(message).or_insert(code), code, "one message for two kinds of file");
        }
    }
    assert_eq!(messages.len(), 2 * 19, "every kind of file was tried");
    let crlf = LookAlike::Crlf { line: 5 };
    assert!(crlf.message_ja().starts_with("5行目: 改行がCRLFです。"), "{crlf}");
    assert!(crlf.message_en().starts_with("line 5: lines end in CRLF;"), "{crlf}");
}

#[test]
fn shift_jis_is_told_from_other_bytes_at_every_edge() {
    for (bytes, code) in [
        (&b"\xA1"[..], "shift_jis"),
        (b"\xDF", "shift_jis"),
        (b"\x81\x40", "shift_jis"),
        (b"\x9F\x7E", "shift_jis"),
        (b"\xE0\x80", "shift_jis"),
        (b"\xFC\xFC", "shift_jis"),
        (b"\x80", "not_utf8"),
        (b"\xA0", "not_utf8"),
        (b"\xFD", "not_utf8"),
        (b"\x81\x3F", "not_utf8"),
        (b"\x81\x7F", "not_utf8"),
        (b"\x81\xFD", "not_utf8"),
        (b"\x81", "not_utf8"),
    ] {
        assert_eq!(refused_as(&[b"SJ1\n1,", bytes].concat()), code, "{bytes:x?}");
    }
}

#[test]
fn what_can_be_read_of_a_refused_file_is_still_shown() {
    let signed = envelope_of(FULL.as_bytes()).replacen(
        "</Prescription>",
        "<PrescriptionSign>x</PrescriptionSign></Prescription>",
        1,
    );
    let crlf = FULL.replacen("内科\n", "内科\r\n", 1);
    for bytes in [signed.as_bytes(), crlf.as_bytes(), with("12,", "").as_bytes()] {
        let inspection = inspect(bytes);
        assert!(!inspection.is_signable());
        assert_eq!(inspection.preview.unwrap().patient.name, "山田　太郎");
    }
    let inspection = inspect(crlf.as_bytes());
    assert_eq!(inspection.look_alike, Some(LookAlike::Crlf { line: 5 }));
    assert!(inspection.violations.iter().any(|v| v.code == "crlf" && v.line == Some(5)));
}
