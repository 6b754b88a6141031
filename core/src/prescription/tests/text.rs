//! The preview as text, to the character: what a doctor reads before they sign.

use super::*;

/// The text of [`FULL`] in both languages.
const WHOLE: [(Lang, &str); 2] =
    [(Lang::Ja, include_str!("full.ja.txt")), (Lang::En, include_str!("full.en.txt"))];

#[test]
fn every_record_stands_in_the_text_where_a_doctor_looks_for_it() {
    for (lang, whole) in WHOLE {
        let (preview, _) = read_csv(FULL);
        assert_eq!(preview.to_text(lang), whole);
    }
}

/// `FULL` with the changes that the split record excludes or hides, in both languages.
fn text(prefix: &str, replacement: &str, lang: Lang) -> String {
    let (preview, _) = read_csv(&with(prefix, replacement));
    preview.to_text(lang)
}

#[test]
fn what_is_computed_unknown_or_out_of_place_is_said_so() {
    for (prefix, replacement, japanese, english) in [
        (
            "52,",
            "",
            "2026年4月4日（令和8年）（交付日を含め4日以内）\n",
            "2026-04-04 (4 days including the day of issue)\n",
        ),
        ("63,", "64,3", "  リフィル        総使用回数 3回\n", "  Refill          uses: 3\n"),
        ("14,", "14,9", "不明なコード[9]\n", "unknown code [9]\n"),
        ("13,", "13,19501399", "  生年月日        19501399\n", "  Born            19501399\n"),
        ("62,", "62,2,,x", "\n  [24] 62,2,,x\n", "\n  [24] 62,2,,x\n"),
    ] {
        for (lang, part) in [(Lang::Ja, japanese), (Lang::En, english)] {
            let text = text(prefix, replacement, lang);
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }
    for (lang, heading) in [(Lang::Ja, "薬局への提供情報"), (Lang::En, "INFORMATION FOR THE PHARMACY")]
    {
        for absent in ["301,", "302,"] {
            assert!(text(absent, "", lang).contains(heading), "without {absent}");
        }
        let (preview, _) = read_csv("SJ1\n");
        assert_eq!(preview.to_text(lang).lines().count(), 4, "{}", preview.to_text(lang));
    }
}
