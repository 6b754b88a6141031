//! The promises of this module, on the sample of the operator's test environment and on a prescription that uses every
//! record of the table.

use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use time::macros::datetime;

use super::{table::RECORDS, *};

mod files;
mod messages;
mod rules;
mod text;

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
        .filter_map(|number| {
            csv.lines().find_map(|line| line.strip_prefix(&format!("{number},"))?.split(',').next())
        })
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
