//! Prescriptions of people who do not exist, as a clinic's system would send them: bare CSV (the service's clinics often
//! hold nothing else) and, every third, the envelope.

use base64::{Engine, prelude::BASE64_STANDARD};
use time::{Duration, OffsetDateTime, UtcOffset, macros::format_description};

/// The prescriber's name, as the demo's certificate carries it.
pub(super) const PRESCRIBER: &str = "検証　花子";
/// The same in romaji.
pub(super) const PRESCRIBER_ROMAJI: &str = "HANAKO KENSHO";

const FAMILY: [(&str, &str); 6] =
    [("電処", "ﾃﾞﾝｼｮ"), ("見本", "ﾐﾎﾝ"), ("試験", "ｼｹﾝ"), ("仮名", "ｶﾒｲ"), ("例示", "ﾚｲｼﾞ"), ("模擬", "ﾓｷﾞ")];
const GIVEN: [(&str, &str, u8); 5] =
    [("太郎", "ﾀﾛｳ", 1), ("花子", "ﾊﾅｺ", 2), ("一郎", "ｲﾁﾛｳ", 1), ("さくら", "ｻｸﾗ", 2), ("三四", "ｻﾝｼ", 1)];

/// What is prescribed: everything below the header records, `{}` standing for nothing.
const CARE: [&str; 4] = [
    // Long-term care with generics not allowed for one drug
    "101,1,1,,28\n\
     111,1,3,1013044400000000,１日２回朝夕食後　服用,2\n\
     201,1,1,1,2,610406079,ガスターＤ錠２０ｍｇ,2,1,錠\n\
     281,1,1,1,3,先発医薬品を希望,\n\
     101,2,1,,28\n\
     111,2,3,1011100000000000,１日１回就寝前　服用,1\n\
     181,2,1,2,一包化,,\n\
     201,2,1,1,2,622688101,ミニリンメルトＯＤ錠２５μｇ,2,1,錠\n",
    // Acute: when needed, and an ointment
    "81,1,,アスピリン喘息の既往なし\n\
     101,1,2,,5\n\
     111,1,3,1050110020000000,疼痛時　１回１錠　服用,\n\
     201,1,1,1,2,620098801,ロキソニン錠６０ｍｇ,1,1,錠\n\
     101,2,3,,1\n\
     111,2,3,2B74000000000000,１日４回　塗布,4\n\
     181,2,1,6,右前腕,,\n\
     201,2,1,1,2,662640414,ヒルドイドソフト軟膏０．３％,50,1,ｇ\n",
    // Refill: three times in all
    "64,3\n\
     101,1,1,,30\n\
     111,1,3,1011000090000000,１日１回朝食後　服用,1\n\
     201,1,1,1,2,610453114,ノルバスクＯＤ錠５ｍｇ,1,1,錠\n",
    // By common name, uneven dose
    "101,1,1,,14\n\
     111,1,3,1013044400000000,１日３回朝昼夕食後　服用,3\n\
     201,1,1,1,7,1124009F2ZZZ,【般】ブロチゾラム錠０．２５ｍｇ,4,1,錠\n\
     221,1,1,1,,1,,2,\n",
];

/// The `index`th prescription, issued on the day of `now` in Japan.
pub(super) fn prescription(index: usize, now: OffsetDateTime) -> Vec<u8> {
    let day =
        |date: OffsetDateTime| date.format(format_description!("[year][month][day]")).unwrap_or_default();
    let jst = now.to_offset(UtcOffset::from_hms(9, 0, 0).unwrap_or(UtcOffset::UTC));
    let (family, family_kana) = FAMILY[index % FAMILY.len()];
    let (given, given_kana, sex) = GIVEN[index / FAMILY.len() % GIVEN.len()];
    let care = CARE[index % CARE.len()];
    let birth = 1935 + (index * 7) % 80;
    let (refill, rest) = match care.strip_prefix("64,3\n") {
        Some(rest) => ("64,3\n", rest),
        None => ("", care),
    };
    let (remark, rest) = match rest.split_once('\n') {
        Some((first, rest)) if first.starts_with("81,") => (format!("{first}\n"), rest),
        _ => (String::new(), rest),
    };
    let csv = format!(
        "SJ1\n1,1,1312345,13,検証用クリニック\n2,100-0001,東京都千代田区千代田一丁目\n3,03-0000-0000,,\n4,2,01,内科\n\
         5,,ｹﾝｼｮｳ ﾊﾅｺ,{PRESCRIBER}\n11,{:08},{family}　{given},{family_kana} {given_kana}\n12,{sex}\n13,{birth}0401\n\
         21,1\n22,06123456\n23,１２３,４５６７,1,01\n51,{}\n52,{}\n{refill}{remark}{rest}",
        index + 1,
        day(jst),
        day(jst + Duration::days(3)),
    );
    if index % 3 == 2 { envelope(&csv) } else { csv.into_bytes() }
}

fn envelope(csv: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         id=\"Document\" xsi:noNamespaceSchemaLocation=\"EP.xsd\"><Prescription><PrescriptionManagement \
         id=\"PrescriptionManagement\"><Version Value=\"EPS1.0\"/></PrescriptionManagement><PrescriptionDocument \
         id=\"PrescriptionDocument\">{}</PrescriptionDocument></Prescription></Document>",
        BASE64_STANDARD.encode(csv)
    )
    .into_bytes()
}
