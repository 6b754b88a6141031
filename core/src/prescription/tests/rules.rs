//! Each rule, broken once.

use super::*;

use Severity::{Error, Warning};

/// What begins the line to be replaced, the replacement, and the code, line and severity that this gives.
const BROKEN: &[(&str, &str, &str, Option<u32>, Severity)] = &[
    // Lines
    ("SJ1", "SJX", "header", Some(1), Error),
    ("12,", "12,1\n", "empty_line", Some(9), Warning),
    ("12,", "012,1", "record_number", Some(8), Error),
    ("12,", "+12,1", "record_number", Some(8), Error),
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
    ("81,1", "81,1,1,注а意", "unfamiliar_character", Some(26), Warning),
    ("81,1", "81,1,1,注\u{A0}意", "unfamiliar_character", Some(26), Warning),
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
    ("101,1", "102,1,14,42\n101,1,1,錠,42", "order", Some(29), Error),
    ("102,1", "62,2\n102,1,14,42", "order", Some(30), Error),
    ("102,1", "111,1,3,1,食後\n102,1,14,42", "order", Some(31), Error),
    ("201,1,1", "211,1,1,0.5\n201,1,1,1,2,6,薬,1,1,錠", "order", Some(34), Error),
    ("211,", "221,1,1,1\n211,1,1,0.5", "order", Some(36), Error),
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
    ("82,", "82,1,123456789012345a", "reference_number", Some(28), Warning),
    // Where two parts must both hold
    ("2,", "2,105-001,東京都", "not_a_postal_code", Some(3), Warning),
    ("2,", "2,10-50001,東京都", "not_a_postal_code", Some(3), Warning),
    ("2,", "2,10a-0001,東京都", "not_a_postal_code", Some(3), Warning),
    ("2,", "2,105-000a,東京都", "not_a_postal_code", Some(3), Warning),
    ("13,", "13,18671231", "broken_date", Some(9), Error),
    ("13,", "13,1950041", "broken_date", Some(9), Error),
    ("201,1,1", "201,1,1,1,2,6,薬,.5,1,錠", "broken_number", Some(34), Error),
    ("241,", "241,1,1,/2", "broken_number", Some(38), Error),
    ("241,", "241,1,1,0/2", "zero_amount", Some(38), Warning),
    ("63,", "63,3,0", "split_count", Some(25), Error),
    ("102,2", "102,2,4,11", "split_sum", Some(44), Error),
];

/// Replacements that just keep what some rule asks.
const KEPT: &[(&str, &str)] = &[
    ("3,", "3,+81(3)123*4#"),
    ("5,", "5,D-7,ｽ~ﾟ !,鈴木　花子"),
    ("11,", "11,1,一二三四五六七八九十一二三四五六七八九十,ﾔ"),
    ("13,", "13,18680101"),
    ("13,", "13,20260401"),
    ("23,", "23,１２３,,2,01"),
    ("23,", "23,,４５６７,2,01"),
    ("24,", "24,000,100"),
    ("52,", "52,20260401"),
    ("63,", "63,3,3"),
    ("63,", "63,2,1"),
    ("102,1", "102,1,42,42"),
    ("201,1,1", "201,1,1,1,2,622688101,薬,123456.12345,1,錠"),
    ("201,1,1", "201,1,1,1,2,622688101,薬,0.1,1,錠"),
    ("241,", "241,1,1,1/123,3"),
];

#[test]
fn what_just_keeps_a_rule_is_not_reported() {
    for (prefix, replacement) in KEPT {
        let csv = with(prefix, replacement);
        assert_ne!(csv, FULL, "{prefix} is not there");
        assert_eq!(codes_of(&csv), [], "{replacement:?}");
    }
}

#[test]
fn each_day_stands_in_its_own_era() {
    for (day, shown) in [
        ("20190501", "2019年5月1日（令和元年）"),
        ("20190430", "2019年4月30日（平成31年）"),
        ("19890108", "1989年1月8日（平成元年）"),
        ("19890107", "1989年1月7日（昭和64年）"),
        ("19261225", "1926年12月25日（昭和元年）"),
        ("19261224", "1926年12月24日（大正15年）"),
        ("19120730", "1912年7月30日（大正元年）"),
        ("19120729", "1912年7月29日（明治45年）"),
        ("18680101", "1868年1月1日（明治元年）"),
    ] {
        let prescription = Prescription::parse(with("13,", &format!("13,{day}")).as_bytes()).unwrap();
        assert!(prescription.preview().to_text(Lang::Ja).contains(shown), "{day}");
    }
}

/// The codes that a prescription gives with this insurance kind, and with or without records 22, 23 and 27 to 30.
fn insured(kind: &str, insurer: bool, holder: bool, public: bool) -> Vec<&'static str> {
    let keeps = |line: &&str| match line.split(',').next().unwrap_or_default() {
        "21" | "24" | "25" | "31" | "231" => false,
        "22" => insurer,
        "23" => holder,
        "27" | "28" | "29" | "30" => public,
        _ => true,
    };
    let csv: String = FULL.lines().filter(keeps).map(|line| [line, "\n"].concat()).collect();
    let kind = if kind.is_empty() { String::new() } else { format!("21,{kind}\n") };
    let csv = csv.replace("14,2\n", &format!("14,2\n{kind}"));
    violations_of(&csv).iter().map(|violation| violation.code).collect()
}

#[test]
fn who_bears_the_cost_is_known() {
    for (kind, insurer, holder, public, codes) in [
        ("1", true, true, true, &[][..]),
        ("1", true, false, true, &[]),
        ("1", false, true, true, &["record_missing"]),
        ("1", true, false, false, &["record_missing"]),
        ("1", false, false, false, &["record_missing", "record_missing"]),
        ("", true, false, true, &[]),
        ("", false, false, true, &[]),
        ("", false, true, true, &["record_missing"]),
        ("", true, false, false, &["record_missing"]),
        ("", false, false, false, &["insurance_unknown"]),
        ("2", true, true, false, &[]),
        ("2", true, false, true, &["record_missing"]),
        ("4", false, false, false, &[]),
        ("5", false, false, true, &[]),
    ] {
        assert_eq!(insured(kind, insurer, holder, public), codes, "{kind:?} {insurer} {holder} {public}");
    }
}

#[test]
fn each_rule_broken_once_is_reported_with_its_line_and_severity() {
    for (prefix, replacement, code, line, severity) in BROKEN {
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
        let blocked = found.iter().any(|(.., severity)| *severity == Severity::Error);
        assert_eq!(Prescription::parse(csv.as_bytes()).is_err(), blocked, "{replacement:?}");
        assert_eq!(inspect(csv.as_bytes()).is_signable(), !blocked, "{replacement:?}");
        if *severity == Severity::Warning {
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
    for (lines, reported) in [(2_000, None), (2_001, Some(2_001)), (2_100, Some(2_001))] {
        let csv = format!("{FULL}{}", "302,1,値\n".repeat(lines - FULL.lines().count()));
        let mut found = codes_of(&csv);
        found.retain(|(code, ..)| *code == "too_many_lines");
        let expected: Vec<_> =
            reported.map(|line| ("too_many_lines", Some(line), Error)).into_iter().collect();
        assert_eq!(found, expected, "{lines}");
    }
    for (fields, are_too_many) in [(32, false), (33, true), (40, true)] {
        let found = codes_of(&with("62,", &format!("62{}", ",2".repeat(fields))));
        assert_eq!(found.contains(&("too_many_fields", Some(24), Error)), are_too_many, "{fields}");
        assert!(found.contains(&("surplus_field", Some(24), Warning)));
    }
    let value = with("62,", &format!("60,{}", "あ".repeat(1_001)));
    assert!(codes_of(&value).contains(&("field_absurd", Some(24), Severity::Error)));
    for line in ["60,", "62,2,,"] {
        for (length, is_absurd) in [(1_000, false), (1_001, true)] {
            let value = with("62,", &format!("{line}{}", "あ".repeat(length)));
            assert_eq!(
                codes_of(&value).iter().any(|(code, ..)| *code == "field_absurd"),
                is_absurd,
                "{line}"
            );
        }
    }
    let value = with("81,1", &format!("81,1,1,{}", "あ".repeat(1_000)));
    assert_eq!(codes_of(&value), [("field_too_long", Some(26), Severity::Warning)]);
    let value = with("81,1", &format!("81,1,1,{}", "あ".repeat(1_001)));
    assert!(codes_of(&value).contains(&("field_absurd", Some(26), Severity::Error)));
}

#[test]
fn no_line_stands_twice_unnoticed() {
    for (second, line) in (2..).zip(FULL.lines()).skip(1) {
        let (code, severity) = match line.split(',').next().unwrap() {
            "81" | "181" | "281" | "301" | "302" => ("serial_order", Warning),
            "101" => ("rp_order", Error),
            "201" => ("drug_order", Error),
            _ => ("record_repeated", Error),
        };
        let found = codes_of(&with(line, &format!("{line}\n{line}")));
        assert!(found.contains(&(code, Some(second), severity)), "{line} twice gives {found:?}");
    }
}

/// The codes of all that is reported, whatever the line.
fn all_codes(csv: &str) -> Vec<&'static str> {
    violations_of(csv).iter().map(|violation| violation.code).collect()
}

#[test]
fn a_value_is_judged_by_its_form_or_by_its_length_and_reported_once() {
    for (prefix, replacement, code) in [
        ("1,", "1,1,13123456,13,名", "wrong_digits"),
        ("1,", "1,1,1312345,131,名", "unfamiliar_code"),
        ("12,", "12,11", "unknown_code"),
        ("13,", "13,195004150", "broken_date"),
        ("22,", "22,061399999999991", "field_too_long"),
        ("201,1,1", "201,1,1,1,2,622688101,薬,1234567.123456,1,錠", "field_too_long"),
        ("241,", "241,1,1,1234567/1234567,3", "field_too_long"),
        ("81,1", "81,1,1,注\u{7}\u{7}意\u{7}", "control_character"),
    ] {
        assert_eq!(all_codes(&with(prefix, replacement)), [code], "{replacement:?}");
    }
    assert_eq!(codes_of(&FULL.replace('\n', "\r\n")), [("crlf", Some(1), Error)]);
}

#[test]
fn only_what_is_taken_for_days_or_times_needs_a_quantity() {
    let in_days_or_times = ["quantity_missing", "split_quantity_partly"];
    for (form, missing) in [
        ("1", &in_days_or_times[..]),
        ("2", &in_days_or_times),
        ("3", &[]),
        ("4", &[]),
        ("5", &[]),
        ("6", &[]),
        ("9", &[]),
    ] {
        let csv = with("101,2", &format!("101,2,{form}")).replace("102,2,4,10\n", "");
        assert_eq!(all_codes(&csv), missing, "form {form}");
    }
}

#[test]
fn a_split_and_its_quantities_are_missed_once() {
    let no_quantity = with("102,1", "").replace("102,2,4,10\n", "");
    assert_eq!(codes_of(&no_quantity), [("split_quantity_missing", None, Error)]);
    let one_quantity_alone = with("63,", "").replace("102,2,4,10\n", "");
    assert_eq!(codes_of(&one_quantity_alone), [("split_missing", Some(29), Error)]);
}

#[test]
fn what_the_pharmacist_must_not_change_is_told_by_the_kind_of_supplement() {
    for (kind, forbidden) in [
        ("1", [false, false, false, false]),
        ("2", [false, false, false, false]),
        ("3", [true, false, false, false]),
        ("4", [false, true, false, false]),
        ("5", [false, false, true, false]),
        ("6", [false, true, true, false]),
        ("7", [false, false, false, false]),
        ("8", [false, false, false, true]),
    ] {
        let (preview, _) = read_csv(&with("281,2", &format!("281,2,1,1,{kind},注")));
        let drug = &preview.rps[1].drugs[0];
        let told = [drug.no_generic, drug.no_other_form, drug.no_other_strength, drug.brand_at_patients_wish];
        assert_eq!(told, forbidden, "kind {kind}");
    }
}
