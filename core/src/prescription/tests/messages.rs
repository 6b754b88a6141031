//! Messages: where they point to, and what they keep to themselves.

use super::*;

#[test]
fn each_violation_names_its_place_in_both_languages() {
    let is_kept = |line: &&str| !matches!(&line[..2], "21" | "22" | "23" | "27" | "28" | "29" | "30");
    let nobody_pays: String = FULL.lines().filter(is_kept).map(|line| [line, "\n"].concat()).collect();
    for (csv, code, record, line, field, ja, en) in [
        (
            nobody_pays,
            "insurance_unknown",
            None,
            None,
            None,
            "保険・公費のレコードがありません",
            "neither insurance nor public expense is stated",
        ),
        (
            with("12,", "12,1\n"),
            "empty_line",
            None,
            Some(9),
            None,
            "9行目: 空行があります",
            "line 9: an empty line",
        ),
        (
            with("62,", "60,1"),
            "unknown_record",
            Some(60),
            Some(24),
            None,
            "24行目: 仕様の表にないレコードです",
            "line 24: a record that the specification's table does not have",
        ),
        (
            with("1,", ""),
            "record_missing",
            Some(1),
            None,
            None,
            "1 医療機関: 必須のレコードがありません",
            "1 institution: a required record is missing",
        ),
        (
            with("24,", "24,030,080"),
            "rates",
            Some(24),
            Some(14),
            None,
            "14行目 24 負担・給付率: 負担率と給付率の合計が100ではありません",
            "line 14, 24 rates: the patient's and the insurer's rates do not add up to 100",
        ),
        (
            with("22,", "22,061399999999991"),
            "field_too_long",
            Some(22),
            Some(12),
            Some("保険者番号"),
            "12行目 22 保険者番号「保険者番号」: 表の桁数を超えています",
            "line 12, 22 insurer, “insurer number”: longer than the table allows",
        ),
    ] {
        let found = violations_of(&csv);
        let violation = found.iter().find(|violation| violation.code == code).unwrap();
        let place = (violation.record, violation.line, violation.field.map(|name| name.ja));
        assert_eq!(place, (record, line, field), "{code}");
        assert_eq!((violation.message_ja.as_str(), violation.message_en.as_str()), (ja, en));
    }
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
