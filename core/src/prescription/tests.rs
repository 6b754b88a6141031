//! The promises of this module, on the sample of the operator's test environment and on a prescription that uses every
//! record of the table.

use std::fmt::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use time::macros::datetime;

use super::{table::RECORDS, *};

/// A sample of the operator's test environment.
const SAMPLE: &str = "SJ1
1,1,8000010,99,検証用病院
2,852-8154,長崎県長崎市
4,2,01,内科
5,000000000000001,ｲｼｬｻﾌﾞﾛｳ,医者　三郎
11,000000000000001,電処　有効五二,ﾃﾞﾝｼｮ ﾕｳｺｳｺﾞﾆ
12,2
13,20110101
51,20220907
52,20221231
101,1,1,,14
111,1,3,1011100000000000,１日１回就寝前　服用,1
201,1,1,1,2,622688101,ミニリンメルトＯＤ錠２５μｇ,2,1,錠
";

/// Every record of the table, refill aside (it excludes split dispensing).
const FULL: &str = "SJ1
1,1,1312345,13,みなと内科クリニック
2,105-0001,東京都港区虎ノ門１－２－３
3,03-1234-5678,03-1234-5679,夜間は０３－９８７６－５４３２
4,2,01,内科
5,D00007,ｽｽﾞｷ ﾊﾅｺ,鈴木　花子
11,P000123,山田　太郎,ﾔﾏﾀﾞ ﾀﾛｳ
12,1
13,19500415
14,2
21,1
22,06139999
23,１２３,４５６７,2,01
24,030,070
25,3
27,21134567,1234567
28,54134568,7654321
29,80134569,1111111
30,特殊負担,特殊受給
31,1112
51,20260401
52,20260410
61,第１２３４号,東京都港区芝１－１,03-0000-0000
62,2
63,3,1
81,1,1,一包化してください
81,2,,残薬に注意
82,1,1234567890123456
101,1,1,錠,42
102,1,14,42
111,1,3,1013044400000000,１日３回朝昼夕食後　服用,3
181,1,1,2,一包化する,V14N0001,10A
181,1,2,5,水で服用
201,1,1,1,2,622688101,ミニリンメルトＯＤ錠２５μｇ,2.5,1,錠
211,1,1,0.5
221,1,1,1,0.5,1/2,,2,V01,V02,,,V05
231,1,1,1,0,,1
241,1,1,2/3,3
281,1,1,1,3,後発品変更不可,A1
281,1,1,2,6,剤形及び含量の変更不可
201,1,2,1,7,3399007H1ZZZ,【般】アスピリン腸溶錠１００ｍｇ,1,2,錠
231,1,2,0,1
101,2,2,,10
102,2,4,10
111,2,3,1050110000000000,疼痛時　服用
201,2,1,3,4,1149019F1ZZZ,ロキソプロフェン錠６０ｍｇ,1,1,錠
231,2,1,,,1
281,2,1,1,8,患者希望
301,1,ロキソプロフェン錠６０ｍｇ,腎機能に注意
302,1,ｅＧＦＲ　４５
";

fn violations_of(csv: &str) -> Vec<Violation> {
    read_csv(csv).1
}

fn codes_of(csv: &str) -> Vec<(&'static str, Option<u32>, Severity)> {
    violations_of(csv).iter().map(|v| (v.code, v.line, v.severity)).collect()
}

/// `FULL` with the first line that begins with `prefix` replaced; an empty replacement takes the line out.
fn with(prefix: &str, replacement: &str) -> String {
    let mut done = false;
    FULL.lines()
        .filter_map(|line| {
            if !done && line.starts_with(prefix) {
                done = true;
                return (!replacement.is_empty()).then(|| replacement.to_owned());
            }
            Some(line.to_owned())
        })
        .fold(String::new(), |csv, line| csv + &line + "\n")
}

fn envelope_of(csv: &[u8]) -> String {
    envelope_with(
        "<PrescriptionManagement id=\"PrescriptionManagement\"><Version Value=\"EPS1.0\"/></PrescriptionManagement>",
        &format!(
            "<PrescriptionDocument id=\"PrescriptionDocument\">{}</PrescriptionDocument>",
            STANDARD.encode(csv)
        ),
    )
}

fn envelope_with(management: &str, rest: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         id=\"Document\" xsi:noNamespaceSchemaLocation=\"EP.xsd\"><Prescription>{management}{rest}</Prescription>\
         </Document>"
    )
}

fn refused_as(bytes: &[u8]) -> &'static str {
    match Prescription::parse(bytes) {
        Err(Refusal::LookAlike(look_alike)) => look_alike.code(),
        Err(Refusal::Violations(violations)) => {
            violations.iter().find(|v| v.blocks()).map_or("none", |v| v.code)
        }
        Ok(_) => "accepted",
    }
}

/// Every string of the preview, with its JSON punctuation.
fn shown(preview: &Preview) -> String {
    serde_json::to_string(preview).unwrap()
}

fn assert_everything_is_shown(csv: &str, preview: &Preview) {
    let (json, ja, en) = (shown(preview), preview.to_text(Lang::Ja), preview.to_text(Lang::En));
    let dates: Vec<(String, String, String)> = [51, 52, 13]
        .iter()
        .filter_map(|number| csv.lines().find_map(|line| line.strip_prefix(&format!("{number},"))))
        .filter_map(|text| {
            let day = check::date(text)?;
            let ja = format!("{}年{}月{}日", day.year(), u8::from(day.month()), day.day());
            Some((text.to_owned(), ja, day.to_string()))
        })
        .collect();
    for value in
        csv.lines().skip(1).flat_map(|line| line.split(',').skip(1)).filter(|value| !value.is_empty())
    {
        let quoted = serde_json::to_string(value).unwrap();
        assert!(json.contains(quoted.trim_matches('"')), "{value:?} is not in the preview");
        let date = dates.iter().find(|(text, ..)| text == value);
        let (in_ja, in_en) = date.map_or((value, value), |(_, ja, en)| (ja.as_str(), en.as_str()));
        assert!(ja.contains(in_ja), "{value:?} is not in the Japanese text");
        assert!(en.contains(in_en), "{value:?} is not in the English text");
    }
}

#[test]
fn the_sample_of_the_test_environment_can_be_signed_and_only_its_oddities_are_remarked_on() {
    let prescription = Prescription::parse(SAMPLE.as_bytes()).unwrap();
    let preview = prescription.preview();
    assert_eq!(preview.prescriber.name, "医者　三郎");
    assert_eq!(preview.use_by.as_ref().unwrap().date.iso.as_deref(), Some("2022-12-31"));
    assert_eq!(preview.rps[0].drugs[0].name, "ミニリンメルトＯＤ錠２５μｇ");
    assert_eq!((preview.rps[0].quantity.as_str(), preview.rps[0].quantity_unit.ja), ("14", "日分"));
    assert!(preview.other.is_empty());
    let remarks: Vec<_> = prescription.warnings().iter().map(|v| (v.code, v.line)).collect();
    assert_eq!(remarks, [("insurance_unknown", None), ("unfamiliar_code", Some(2))]);
}

#[test]
fn a_prescription_with_every_record_has_no_violation_and_all_of_it_is_shown_in_place() {
    assert_eq!(codes_of(FULL), []);
    let prescription = Prescription::parse(FULL.as_bytes()).unwrap();
    assert!(prescription.preview().other.is_empty());
    assert_everything_is_shown(FULL, prescription.preview());
    let refill = with("63,", "64,3").replace("102,1,14,42\n", "").replace("102,2,4,10\n", "");
    assert_eq!(codes_of(&refill), []);
    for record in RECORDS {
        let line = format!("\n{},", record.number);
        assert!(FULL.contains(&line) || refill.contains(&line), "record {} is not tried", record.number);
    }
}

#[test]
fn the_structured_preview_names_what_a_doctor_looks_for() {
    let (preview, _) = read_csv(FULL);
    assert_eq!(preview.institution.prefecture.as_ref().unwrap().ja, "東京都");
    assert_eq!(preview.patient.sex.as_ref().unwrap().en, "male");
    assert_eq!(preview.insurance.public_expenses.len(), 4);
    assert_eq!(preview.split, Some(Split { parts: "3".into(), part: "1".into() }));
    assert_eq!(preview.remarks.len(), 2);
    let [first, second] = preview.rps.as_slice() else { panic!("two RPs") };
    assert_eq!((first.drugs.len(), first.supplements.len()), (2, 2));
    let drug = &first.drugs[0];
    assert!(drug.no_generic && drug.no_other_form && drug.no_other_strength && !drug.brand_at_patients_wish);
    assert_eq!(drug.uneven.as_ref().unwrap().doses, ["1", "0.5", "1/2", "", "2"]);
    assert_eq!(drug.single_dose.as_ref().unwrap().amount, "2/3");
    assert_eq!(first.drugs[1].potency.as_ref().unwrap().ja, "力価単位");
    assert_eq!((second.quantity.as_str(), second.quantity_unit.en), ("10", "times"));
    assert!(second.drugs[0].brand_at_patients_wish);
}

#[test]
fn the_text_reads_like_a_prescription_on_paper() {
    let (preview, _) = read_csv(FULL);
    let text = preview.to_text(Lang::Ja);
    for part in [
        "交付年月日      2026年4月1日（令和8年）",
        "2026年4月10日",
        "3回に分割のうち1回目",
        "1950年4月15日（昭和25年）",
        "Rp 1",
        "内服[1]  錠  42日分",
        "今回 14日分／総数量 42日分",
        "(1) ミニリンメルトＯＤ錠２５μｇ  2.5錠  薬価単位[1]",
        "★後発品への変更不可",
        "１日３回朝昼夕食後　服用",
        "10回分",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let text = preview.to_text(Lang::En);
    assert!(text.contains("internal [1]  錠  42 days") && text.contains("part 1 of 3"), "{text}");
}

#[test]
fn a_blank_or_absent_use_by_date_is_three_days_after_the_issue() {
    for csv in [with("52,", "52,"), with("52,", "")].map(|csv| csv.replace("51,20260401", "51,20260228")) {
        let (preview, violations) = read_csv(&csv);
        let use_by = preview.use_by.unwrap();
        assert_eq!((use_by.date.iso.as_deref(), use_by.computed), (Some("2026-03-03"), true));
        assert!(violations.is_empty());
    }
}

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
    for (from, to, code) in [
        ("<Prescription>", "<!-- x --><Prescription>", "xml_unexpected"),
        ("<Prescription>", "<?x y?><Prescription>", "xml_unexpected"),
        ("<Prescription>", "<Prescription x=\"1\">", "xml_unexpected"),
        ("<Prescription>", "text<Prescription>", "xml_unexpected"),
        ("<Prescription>", "<Prescription/><Prescription>", "xml_duplicate"),
        ("<Prescription>", "<Prescription xmlns:a=\"urn:a\">", "xml_namespace"),
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
        (b"PK\x03\x04rest".to_vec(), "zip"),
        (b"\x30\x82\x10\x00\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02".to_vec(), "pkcs7"),
        (b"-----BEGIN PKCS7-----\n".to_vec(), "pkcs7"),
        (vec![0x9f; 32], "hash"),
        (vec![0x01; 64], "hash"),
        (hex.as_bytes().to_vec(), "hash"),
        (format!("{hex}\n").into_bytes(), "hash"),
        (STANDARD.encode([7u8; 32]).into_bytes(), "hash"),
        (FULL.replace('\n', "\r\n").into_bytes(), "crlf"),
        (envelope_of(FULL.replace('\n', "\r\n").as_bytes()).into_bytes(), "crlf"),
        (format!("\u{FEFF}{FULL}").into_bytes(), "bom"),
        (format!("\u{FEFF}{}", envelope_of(FULL.as_bytes())).into_bytes(), "bom"),
        (envelope_of(format!("\u{FEFF}{FULL}").as_bytes()).into_bytes(), "bom"),
        (shift_jis.clone(), "shift_jis"),
        (envelope_of(&shift_jis).into_bytes(), "shift_jis"),
        (b"SJ1\n1,\xFF\xFE\n".to_vec(), "not_utf8"),
        (FULL.replacen("SJ1", "SJ2", 1).into_bytes(), "wrong_version"),
        (b"<html/>".to_vec(), "unknown"),
        (b"Dear colleague".to_vec(), "unknown"),
    ];
    for (bytes, code) in cases {
        assert_eq!(refused_as(&bytes), code);
        let inspection = inspect(&bytes);
        assert!(!inspection.is_signable());
        let look_alike = inspection.look_alike.expect("a look-alike");
        assert!(!look_alike.message_ja().is_ascii() && look_alike.message_en().is_ascii(), "{code}");
        assert_eq!(serde_json::to_value(look_alike).unwrap()["code"], code);
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

#[test]
fn each_rule_broken_once_is_reported_with_its_line_and_severity() {
    use Severity::{Error, Warning};
    let cases: &[(&str, &str, &str, Option<u32>, Severity)] = &[
        // Lines
        ("SJ1", "SJX", "header", Some(1), Error),
        ("12,", "12,1\n", "empty_line", Some(9), Warning),
        ("12,", "012,1", "record_number", Some(8), Error),
        ("62,", "60,1", "unknown_record", Some(24), Warning),
        ("62,", "62,2,,x", "surplus_field", Some(24), Warning),
        ("62,", "62,2,,", "", None, Warning),
        ("81,1", "81,1,1,\u{7}", "control_character", Some(26), Error),
        ("81,1", "81,1,1,注\t意", "control_character", Some(26), Error),
        ("81,1", "81,1,1,注\u{202E}意", "invisible_character", Some(26), Error),
        ("81,1", "81,1,1,注\u{200B}意", "invisible_character", Some(26), Error),
        ("81,1", "81,1,1,注\u{5D0}意", "invisible_character", Some(26), Error),
        ("81,1", "81,1,1,注\u{E000}意", "gaiji", Some(26), Error),
        ("81,1", "81,1,1,注\u{336}意", "combining_character", Some(26), Error),
        ("11,", "11,1,葛\u{E0100}　城,ｶ", "variant_character", Some(7), Warning),
        // Fields
        ("1,", "1,1,1312345,13", "field_missing", Some(2), Error),
        ("1,", "1,1,131234,13,名", "wrong_digits", Some(2), Error),
        ("1,", "1,2,1312345,13,名", "unknown_code", Some(2), Error),
        ("2,", "2,,", "one_of_missing", Some(3), Error),
        ("2,", "2,1050001,東京都", "not_a_postal_code", Some(3), Warning),
        ("3,", "3,０３", "not_a_phone_number", Some(4), Warning),
        ("4,", "4,9,01,内科", "unfamiliar_code", Some(5), Warning),
        ("5,", "5,D 7,ｽ,鈴木　花子", "not_alphanumeric", Some(6), Warning),
        ("5,", "5,D7,スズキ,鈴木　花子", "not_kana", Some(6), Warning),
        ("5,", "5,D7,ｽ,鈴木花子A", "not_full_width", Some(6), Warning),
        ("5,", "5,D7,ｽ, ", "field_missing", Some(6), Error),
        ("11,", "11,1,　山田,ﾔ", "edge_space", Some(7), Warning),
        ("11,", "11,1,一二三四五六七八九十一二三四五六七八九十一,ﾔ", "field_too_long", Some(7), Warning),
        ("13,", "13,19500431", "broken_date", Some(9), Error),
        ("13,", "13,S250415", "broken_date", Some(9), Error),
        ("12,", "12,3", "unknown_code", Some(8), Error),
        ("23,", "23,１,２,2,x", "not_digits", Some(13), Error),
        ("201,1,1", "201,1,1,1,2,6,薬,２,1,錠", "broken_number", Some(34), Error),
        ("201,1,1", "201,1,1,1,2,6,薬,1e3,1,錠", "broken_number", Some(34), Error),
        ("201,1,1", "201,1,1,1,2,6,薬,2/3,1,錠", "broken_number", Some(34), Error),
        ("201,1,1", "201,1,1,1,2,6,薬,0.0,1,錠", "zero_amount", Some(34), Warning),
        ("201,1,1", "201,1,1,1,9,6,薬,1,1,錠", "unknown_code", Some(34), Error),
        ("201,1,1", "201,1,1,1,2,6,薬,1234567,1,錠", "field_too_long", Some(34), Warning),
        ("201,1,1", "201,1,1,1,2,6,薬,0.123456,1,錠", "field_too_long", Some(34), Warning),
        ("201,1,1", "201,1,1,1,2,6,薬,1.,1,錠", "broken_number", Some(34), Error),
        ("201,1,1", "201,1,1,1,2,6,薬,1.2.3,1,錠", "broken_number", Some(34), Error),
        ("241,", "241,1,1,2/0", "broken_number", Some(38), Error),
        ("241,", "241,1,1,1.5/2", "broken_number", Some(38), Error),
        ("82,", "82,2,1234567890123456", "unfamiliar_code", Some(28), Warning),
        // Structure
        ("1,", "", "record_missing", None, Error),
        ("5,", "", "record_missing", None, Error),
        ("11,", "", "record_missing", None, Error),
        ("12,", "", "record_missing", None, Error),
        ("13,", "", "record_missing", None, Error),
        ("51,", "", "record_missing", None, Error),
        ("22,", "", "record_missing", None, Error),
        ("12,", "12,1\n12,2", "record_repeated", Some(9), Error),
        ("12,", "13,19500415\n12,1", "order", Some(9), Error),
        ("101,2", "101,1,2,,10", "rp_order", Some(43), Error),
        ("111,1", "111,2,3,1013044400000000,食後", "rp_mismatch", Some(31), Error),
        ("111,1", "", "rp_without_usage", Some(29), Error),
        ("111,1", "111,1,3,1,食後\n111,1,3,1,食前", "record_repeated", Some(32), Error),
        ("201,2", "", "rp_without_drug", Some(43), Error),
        ("201,1,2", "201,1,1,1,2,6,薬,1,1,錠", "drug_order", Some(41), Error),
        ("211,", "211,1,9,1", "drug_mismatch", Some(35), Error),
        ("211,", "201,1,2,1,2,6,薬,1,1,錠\n111,1,3,1,食後", "order", Some(36), Error),
        ("81,2", "81,1,,再び", "serial_order", Some(27), Warning),
        ("181,1,2", "181,1,1,5,再び", "serial_order", Some(33), Warning),
        ("281,1,1,2", "281,1,1,1,,再び", "serial_order", Some(40), Warning),
        ("101,1", "301,1,,早い\n101,1,1,錠,42", "closing_record_early", Some(29), Warning),
        // Between records
        ("23,", "23,,,1", "insured_without_number", Some(13), Warning),
        ("24,", "24,030,080", "rates", Some(14), Warning),
        ("13,", "13,20260402", "born_after_issue", Some(9), Error),
        ("52,", "52,20260331", "expires_before_issue", Some(22), Error),
        ("63,", "63,3,4", "split_count", Some(25), Error),
        ("63,", "63,1,1", "split_count", Some(25), Error),
        ("63,", "63,3,1\n64,2", "refill_and_split", Some(26), Error),
        ("63,", "", "split_missing", Some(29), Error),
        ("63,", "64,4", "refill_count", Some(25), Error),
        ("102,1", "102,1,14,41", "split_sum", Some(30), Error),
        ("102,1", "102,1,43,42", "split_sum", Some(30), Error),
        ("102,1", "", "split_quantity_partly", Some(29), Warning),
        ("101,1", "101,1,1,錠", "quantity_missing", Some(29), Error),
        ("231,1,2", "", "burden_partly", Some(41), Error),
        ("82,", "82,1,123", "reference_number", Some(28), Warning),
    ];
    for (prefix, replacement, code, line, severity) in cases {
        let csv = with(prefix, replacement);
        assert_ne!(csv, FULL, "{prefix} is not there");
        let found = codes_of(&csv);
        if code.is_empty() {
            assert_eq!(found, [], "{replacement:?}");
            continue;
        }
        assert!(
            found.contains(&(code, *line, *severity)),
            "{replacement:?} gives {found:?} instead of {code}"
        );
        let blocked = found.iter().any(|(.., severity)| *severity == Error);
        assert_eq!(Prescription::parse(csv.as_bytes()).is_err(), blocked, "{replacement:?}");
        if *severity == Warning {
            assert!(!blocked, "{replacement:?} is blocked: {found:?}");
        }
        for pair in violations_of(&csv).windows(2) {
            assert!(pair[0].line <= pair[1].line);
        }
    }
}

#[test]
fn those_who_are_not_insured_need_no_insurer() {
    for (kind, number, insured, code) in [
        ("21,6", "", "", ""),
        ("21,3", "", "", ""),
        ("21,1", "", "", ""),
        ("21,2", "", "", "record_missing"),
        ("21,7", "22,39131234", "", "record_missing"),
        ("", "", "23,１,２,1", "record_missing"),
    ] {
        let csv = with("21,", kind);
        let csv = csv
            .replace("22,06139999\n", &if number.is_empty() { String::new() } else { format!("{number}\n") });
        let csv = csv.replace(
            "23,１２３,４５６７,2,01\n",
            &if insured.is_empty() { String::new() } else { format!("{insured}\n") },
        );
        let found: Vec<_> = violations_of(&csv).iter().map(|v| v.code).collect();
        assert_eq!(found.first().copied().unwrap_or_default(), code, "{kind} {number} {insured}");
    }
}

#[test]
fn limits_of_lines_fields_and_values_are_held() {
    let lines = format!("{FULL}{}", "302,1,値\n".repeat(2_100));
    assert!(codes_of(&lines).iter().any(|(code, ..)| *code == "too_many_lines"));
    let fields = with("62,", &format!("62,2{}", ",x".repeat(40)));
    assert!(codes_of(&fields).contains(&("too_many_fields", Some(24), Severity::Error)));
    let value = with("62,", &format!("60,{}", "あ".repeat(1_001)));
    assert!(codes_of(&value).contains(&("field_absurd", Some(24), Severity::Error)));
    let value = with("81,1", &format!("81,1,1,{}", "あ".repeat(1_001)));
    assert!(codes_of(&value).contains(&("field_absurd", Some(26), Severity::Error)));
}

#[test]
fn what_has_no_place_in_the_preview_stands_verbatim_among_the_other_lines() {
    for (prefix, line) in [
        ("62,", "60,第１号,東京都,03-1"),
        ("62,", "62,2,,surplus"),
        ("12,", "12,1\n12,2"),
        ("111,2", "111,7,3,1050110000000000,疼痛時"),
        ("241,", "241,01,1,2/3,3"),
    ] {
        let csv = with(prefix, line);
        let (preview, _) = read_csv(&csv);
        assert!(preview.other.iter().any(|other| line.ends_with(&other.text)), "{line}");
        assert_everything_is_shown(&csv, &preview);
    }
}

#[test]
fn what_would_not_show_is_made_visible_in_the_preview_of_a_refused_file() {
    let (preview, _) = read_csv(&with("81,1", "81,1,1,注\u{202E}意\u{1b}[2J"));
    assert_eq!(preview.remarks[0].text, "注⟦U+202E⟧意⟦U+001B⟧[2J");
    assert!(!preview.to_text(Lang::Ja).contains(['\u{202E}', '\u{1b}']));
}

#[test]
fn messages_name_the_place_in_both_languages_and_never_repeat_the_value() {
    let found = violations_of(&with("13,", "13,1950SECRET"));
    let violation = found.iter().find(|v| v.code == "broken_date").unwrap();
    assert_eq!((violation.record, violation.line), (Some(13), Some(9)));
    assert_eq!(violation.field.unwrap().ja, "生年月日");
    assert!(violation.message_ja.starts_with("9行目 13 患者生年月日「生年月日」"));
    assert!(violation.message_en.starts_with("line 9, 13 patient's date of birth"));
    let everything = serde_json::to_string(&found).unwrap();
    assert!(everything.contains("\"severity\":\"error\"") && !everything.contains("SECRET"));
    let refusal = Prescription::parse(with("13,", "13,1950SECRET").as_bytes()).unwrap_err();
    assert!(!format!("{refusal}{refusal:?}").contains("SECRET"));
    assert!(!format!("{:?}", Prescription::parse(FULL.as_bytes()).unwrap()).contains("山田"));
}

#[test]
fn a_prescriber_who_is_not_the_certificates_holder_is_remarked_on() {
    let prescription = Prescription::parse(FULL.as_bytes()).unwrap();
    let mut holder = Holder {
        name_kanji: Some("鈴木 花子".into()),
        name_romaji: "SUZUKI Hanako".into(),
        roles: vec!["Medical Doctor".into()],
        organization: None,
        issuer: "CN=HPKI".into(),
        serial_number: "01".into(),
        not_before: datetime!(2026-01-01 0:00 UTC),
        not_after: datetime!(2031-01-01 0:00 UTC),
    };
    assert_eq!(prescription.check_prescriber(&holder), None);
    holder.name_kanji = Some("佐藤　花子".into());
    let warning = prescription.check_prescriber(&holder).unwrap();
    assert_eq!((warning.code, warning.line, warning.blocks()), ("prescriber_differs", Some(6), false));
    holder.name_kanji = None;
    assert_eq!(prescription.check_prescriber(&holder).unwrap().code, "prescriber_unchecked");
}

#[test]
fn the_table_is_in_order_and_its_codes_fit_their_fields() {
    assert!(RECORDS.windows(2).all(|pair| pair[0].number < pair[1].number));
    for record in RECORDS {
        assert!(record.fields.len() < 32 && !record.name.ja.is_empty() && record.name.en.is_ascii());
        for field in record.fields {
            assert!(!field.name.ja.is_empty() && field.name.en.is_ascii());
            if let table::Class::Code(list) | table::Class::OpenCode(list) = field.class {
                assert!(list.iter().all(|code| code.code.len() <= field.max && code.name.en.is_ascii()));
            }
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = inspect(&bytes);
        let _ = inspect(&[b"SJ1\n".as_slice(), &bytes].concat());
        let _ = inspect(envelope_of(&bytes).as_bytes());
    }

    #[test]
    fn arbitrary_csv_shows_every_value_and_never_panics(
        lines in prop::collection::vec("(1|2|3|4|5|1[1-4]|2[1-9]|3[01]|5[12]|6[0-4]|8[12]|101|102|111|181|2[0-48]1|30[12]|999)(,[0-9a-zあ／]{0,3}){0,13}", 0..40)
    ) {
        let csv = format!("SJ1\n{}\n", lines.join("\n"));
        let (preview, _) = read_csv(&csv);
        let json = shown(&preview);
        for value in lines.iter().flat_map(|line| line.split(',').skip(1)).filter(|value| !value.is_empty()) {
            prop_assert!(json.contains(value), "{value:?} of {csv:?} is hidden");
        }
        let _ = (preview.to_text(Lang::Ja), preview.to_text(Lang::En));
    }

    #[test]
    fn a_changed_prescription_is_refused_or_shows_the_change(
        at in 0usize..FULL.len(), with in "[0-9,\n/あ錠A]{0,3}", drop in 0usize..3
    ) {
        let start = (0..=at).rev().find(|at| FULL.is_char_boundary(*at)).unwrap_or(0);
        let end = (start + drop..=FULL.len()).find(|at| FULL.is_char_boundary(*at)).unwrap_or(FULL.len());
        let changed = [&FULL[..start], &with, &FULL[end..]].concat();
        if let Ok(prescription) = Prescription::parse(changed.as_bytes()) {
            assert_everything_is_shown(&changed, prescription.preview());
            let values = |csv: &str| -> Vec<Vec<String>> {
                csv.lines().map(|line| line.trim_end_matches(',').split(',').map(str::to_owned).collect()).collect()
            };
            let (before, _) = read_csv(FULL);
            let filled = |csv: &str| values(csv).into_iter().filter(|line| line != &[""]).collect::<Vec<_>>();
            if filled(&changed) != filled(FULL) {
                prop_assert_ne!(shown(prescription.preview()), shown(&before));
            }
        }
    }

    #[test]
    fn a_changed_envelope_never_panics_and_never_shows_another_document(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = envelope_of(FULL.as_bytes()).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(prescription) = Prescription::parse(&bytes) {
            prop_assert_eq!(prescription.envelope(), bytes.as_slice());
            let element = str::from_utf8(&bytes[prescription.document_element_range()]).unwrap();
            let base64 = element.split_once('>').unwrap().1.rsplit_once("</").unwrap().0;
            let spaceless: String = base64.split_ascii_whitespace().collect();
            prop_assert_eq!(STANDARD.decode(spaceless).unwrap(), prescription.csv().as_bytes());
        }
    }
}
