//! Prescriptions made so that the doctor sees something else than they sign: characters that deceive the eye, lines that
//! are hidden, names that push the rest from the screen.

use std::time::Duration as StdDuration;

use attacks::files::GENUINE;
use end_to_end::{World, refused, sample};
use hpki_agent::agent::Code;
use hpki_agent::prescription::{Lang, Prescription, Preview, Refusal, inspect};
use reference_service::{Fault, HolderSpec, Requester, Rewrite, TicketSpec};
use serde_json::json;

/// The genuine prescription with the drug's name changed.
fn with_drug(name: &str) -> String {
    GENUINE.replace("ミニリンメルトＯＤ錠２５μｇ", name)
}

/// Everything that a doctor is shown of a preview, laid out and as data.
fn shown(preview: &Preview) -> [String; 3] {
    [preview.to_text(Lang::Ja), preview.to_text(Lang::En), serde_json::to_string(preview).unwrap()]
}

fn codes(csv: &str) -> Vec<&'static str> {
    inspect(csv.as_bytes()).violations.iter().map(|violation| violation.code).collect()
}

#[test]
fn a_character_that_changes_the_order_of_others_is_made_visible_and_blocks_signing() {
    for c in [
        '\u{202A}',
        '\u{202B}',
        '\u{202C}',
        '\u{202D}',
        '\u{202E}',
        '\u{2066}',
        '\u{2067}',
        '\u{2068}',
        '\u{2069}',
        '\u{200E}',
        '\u{200F}',
        '\u{61C}',
        '\u{5D0}',
        '\u{627}',
        '\u{FE70}',
        '\u{10800}',
    ] {
        let csv = with_drug(&format!("薬２５{c}０５ｍｇ"));
        assert!(matches!(Prescription::parse(csv.as_bytes()), Err(Refusal::Violations(_))), "{c:?}");
        assert!(codes(&csv).contains(&"invisible_character"));
        for text in shown(&inspect(csv.as_bytes()).preview.unwrap()) {
            assert!(text.contains(&format!("⟦U+{:04X}⟧", u32::from(c))) && !text.contains(c), "{c:?}");
        }
    }
}

#[test]
fn a_character_that_does_not_show_is_made_visible_and_blocks_signing() {
    for c in [
        '\u{200B}',
        '\u{200C}',
        '\u{200D}',
        '\u{2060}',
        '\u{FEFF}',
        '\u{AD}',
        '\u{180E}',
        '\u{3164}',
        '\u{FFA0}',
        '\u{115F}',
        '\u{E0041}',
        '\u{2028}',
        '\u{2029}',
        '\u{85}',
        '\u{B}',
        '\u{1B}',
        '\u{0}',
        '\u{FFFC}',
        '\u{FFFD}',
        '\u{E000}',
        '\u{338}',
        '\u{20E0}',
        '\u{3099}',
    ] {
        let csv = with_drug(&format!("薬{c}２５"));
        assert!(Prescription::parse(csv.as_bytes()).is_err(), "{c:?}");
        for text in shown(&inspect(csv.as_bytes()).preview.unwrap()) {
            assert!(text.contains(&format!("⟦U+{:04X}⟧", u32::from(c))), "{c:?}");
        }
    }
}

#[test]
fn a_character_that_passes_for_another_is_told_apart_and_remarked_on() {
    let honest = "ＡＢＣ錠２５ｍｇ a-1";
    for (honest, deceiving) in [
        ("Ａ", "А"), // Cyrillic
        ("a", "а"),
        ("Ａ", "Α"), // Greek
        ("Ｂ", "𝐁"), // mathematical
        ("５", "𝟓"),
        ("一", "⼀"), // a radical
        ("二", "㇔"),
        ("　", "\u{2003}"), // spaces of other widths
        (" ", "\u{A0}"),
        ("ｍ", "ⅿ\u{2062}"),
        ("C", "Ꮯ"), // Cherokee
        ("o", "օ"), // Armenian
    ]
    .map(|(a, b)| (honest.to_owned() + a, honest.to_owned() + b + "錠"))
    {
        let last = deceiving.chars().rev().nth(1).unwrap();
        let csv = with_drug(&deceiving);
        let inspection = inspect(csv.as_bytes());
        assert!(
            inspection
                .violations
                .iter()
                .any(|v| matches!(v.code, "unfamiliar_character" | "invisible_character")),
            "{deceiving}"
        );
        for text in shown(&inspection.preview.unwrap()) {
            assert!(text.contains(&format!("⟦U+{:04X}⟧", u32::from(last))), "{deceiving}");
            assert!(!text.contains(&format!("{honest} ")), "{deceiving} passes for {honest}");
        }
    }
    // What prescriptions are really written with is left alone.
    let csv = with_drug("【般】α－ＧＩ２．５μｇ「髙﨑」ⅡＥｘ①㎎");
    assert!(
        !codes(&csv).contains(&"unfamiliar_character")
            && !shown(&inspect(csv.as_bytes()).preview.unwrap())[0].contains('⟦')
    );
}

#[tokio::test]
async fn whoever_asks_cannot_dress_up_their_name() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    world.submit(&sample::csv(1));
    for (sent, expected) in [
        ("検証用\u{202E}クリニック", "検証用クリニック".to_owned()),
        ("検証用\nクリニック\u{200B}", "検証用 クリニック".to_owned()),
        ("Клиник", "К⟦U+041A⟧л⟦U+043B⟧и⟦U+0438⟧н⟦U+043D⟧и⟦U+0438⟧к⟦U+043A⟧".to_owned()),
        ("אב病院", "⟦U+05D0⟧⟦U+05D1⟧病院".to_owned()),
        (&"病院".repeat(5_000), "病院".repeat(100)),
    ] {
        let name = sent.to_owned();
        let changed = Rewrite::new(move |_, answer| {
            answer["requests"][0]["requester"]["name"] = json!(name);
            answer["requests"][0]["signatureRequests"][0]["label"] = json!(name);
        });
        world.service().faults().next(1, "GET /prescriptions", Fault::Rewritten(changed));
        let waiting = phone.inbox(StdDuration::ZERO).await.unwrap();
        assert_eq!(waiting[0].requester().unwrap().name, expected);
        assert_eq!(waiting[0].label(), expected);
    }
    let long = Requester { name: "検".repeat(10_000), facility_code: "1".repeat(10_000) };
    world.office().submit(&world.doctor, &long, &sample::csv(2)).unwrap();
    for one in phone.inbox(StdDuration::ZERO).await.unwrap() {
        let requester = one.requester().unwrap();
        assert!(requester.name.chars().count() <= 200 && requester.facility_code.len() <= 200);
    }
}

#[tokio::test]
async fn a_certificate_cannot_dress_up_its_role_in_the_words_that_refuse_it() {
    let world = World::new().await;
    for role in ["Medical\u{202E}Doctor".to_owned(), "Меdical Doctor".to_owned(), "Clerk".repeat(1_000)] {
        let holder = HolderSpec { role: Some(role.clone()), ..World::a_doctor() };
        let credential = world.office().issue(&holder).unwrap();
        let ticket = world.office().ticket(&credential, TicketSpec::card()).unwrap();
        let error = refused(world.phone().use_ticket(&ticket).await);
        assert_eq!(error.code(), Code::CertificateNotPrescriber);
        for text in [error.text_ja(), error.text_en(), error.to_string()] {
            assert!(text.chars().count() < 300 && !text.contains('\u{202E}'), "{text}");
            assert!(role.starts_with("Clerk") || text.contains("⟦U+"), "{text}");
        }
    }
}

#[test]
fn a_name_longer_than_a_screen_is_refused_and_one_longer_than_the_table_is_remarked_on() {
    for (length, blocks) in [(41, false), (1_000, false), (1_001, true), (100_000, true)] {
        for (line, csv) in [
            ("drug", with_drug(&"薬".repeat(length))),
            ("patient", GENUINE.replace("電処　有効五二", &"名".repeat(length))),
            ("prescriber", GENUINE.replace("試験　三十四", &"名".repeat(length))),
            ("institution", GENUINE.replace("検証用病院", &"院".repeat(length.max(61)))),
            ("usage", GENUINE.replace("１日１回就寝前　服用", &"用".repeat(length.max(51)))),
            ("a record that nobody knows", format!("{GENUINE}99,{}\n", "謎".repeat(length))),
        ] {
            assert_eq!(Prescription::parse(csv.as_bytes()).is_err(), blocks, "{line} of {length}");
            assert!(
                codes(&csv)
                    .iter()
                    .any(|code| matches!(*code, "field_too_long" | "field_absurd" | "unknown_record")),
                "{line} of {length}"
            );
        }
    }
    let spaces = with_drug(&format!("薬{}中止", "\u{3000}".repeat(2_000)));
    assert!(Prescription::parse(spaces.as_bytes()).is_err());
}

/// A line of a drug that is not to be seen.
const HIDDEN: &str = "201,1,2,1,2,621519901,ＭＳコンチン錠６０ｍｇ,9,1,錠";

#[test]
fn a_drug_stands_in_the_preview_or_the_prescription_is_refused_wherever_its_line_is_put() {
    let lines: Vec<&str> = GENUINE.lines().collect();
    let (mut signable, mut refused) = (0, 0);
    for disguise in [
        HIDDEN.to_owned(),
        HIDDEN.replace("201,1,2", "201,1,1"),
        HIDDEN.replace("201,1,2", "201,2,1"),
        HIDDEN.replace("201,1,2", "201,01,02"),
        HIDDEN.replace("201,1,2", "201,１,２"),
        HIDDEN.replace("201,", "0201,"),
        HIDDEN.replace("201,", "２０１,"),
        HIDDEN.replace("201,", " 201,"),
        HIDDEN.replace("201,", "201 ,"),
        HIDDEN.replace("201,", "202,"),
        HIDDEN.replace("201,", "999,"),
        HIDDEN.replace("201,1,2,1,2,621519901,", "301,1,"),
        HIDDEN.replace("201,1,2,1,2,621519901,", "81,1,,"),
        format!("101,2,1,,14\n111,2,3,1011100000000000,頓用,1\n{}", HIDDEN.replace("201,1,2", "201,2,1")),
        format!("\u{B}{HIDDEN}"),
        format!("{HIDDEN}\r"),
        format!("12,2\r{HIDDEN}"),
        format!("302,1,x\u{2028}{HIDDEN}"),
        format!("{},{HIDDEN}", ",".repeat(20)),
        format!("201,1,1,1,2,622688101,薬,2,1,錠,{HIDDEN}"),
    ] {
        for at in 1..=lines.len() {
            let mut all = lines.clone();
            all.insert(at, &disguise);
            let csv = all.join("\n") + "\n";
            let inspection = inspect(csv.as_bytes());
            // Shown even where it is refused, so that the doctor sees why.
            for text in shown(&inspection.preview.unwrap()) {
                assert!(text.contains("ＭＳコンチン錠６０ｍｇ"), "{disguise} at {at}");
            }
            match Prescription::parse(csv.as_bytes()) {
                Ok(prescription) => {
                    signable += 1;
                    assert!(prescription.preview().to_text(Lang::Ja).contains("ＭＳコンチン錠６０ｍｇ"));
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(signable > 10 && refused > 200, "{signable} signable, {refused} refused");
}

#[test]
fn a_drug_beyond_what_is_read_of_a_file_makes_the_file_refused() {
    let filler = "81,1,,あ\n".repeat(3_000);
    let many = GENUINE.replacen("101,", &format!("{filler}101,"), 1);
    assert!(Prescription::parse(many.as_bytes()).is_err());
    let wide = format!("{GENUINE}201{},{HIDDEN}\n", ",".repeat(5_000));
    assert!(Prescription::parse(wide.as_bytes()).is_err());
    let after_the_end = format!("{GENUINE}\u{1A}{HIDDEN}\n");
    assert!(Prescription::parse(after_the_end.as_bytes()).is_err());
    for head in ["SJ1\n", "SJ1,\n", "SJ1 \n"] {
        let second = format!("{GENUINE}{head}{}", GENUINE.split_once('\n').unwrap().1);
        assert!(Prescription::parse(second.as_bytes()).is_err(), "two prescriptions in one file");
    }
}

#[test]
fn an_amount_that_can_be_read_in_two_ways_is_refused() {
    for amount in [
        "２",
        "2 ",
        "1e3",
        "1,5",
        "+2",
        "-2",
        "2.",
        ".5",
        "2.5.1",
        "2/3",
        "0x2",
        "٢",
        "2\u{2044}3",
        "½",
        "²",
        "1_000",
        "∞",
    ] {
        let csv = GENUINE.replace(",2,1,錠", &format!(",{amount},1,錠"));
        assert!(Prescription::parse(csv.as_bytes()).is_err(), "{amount}");
    }
}
