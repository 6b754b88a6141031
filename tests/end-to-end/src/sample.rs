//! Prescriptions of people who do not exist.

use base64::{Engine, prelude::BASE64_STANDARD};
use time::{Duration, OffsetDateTime, macros::format_description, macros::offset};

/// The prescriber, as in the doctor's certificate.
pub const PRESCRIBER: &str = "検証　花子";
/// The same in romaji.
pub const PRESCRIBER_ROMAJI: &str = "HANAKO KENSHO";
/// Whatever of the samples tells something of a patient: must never be kept in the clear, nor in the journal at all.
pub const PATIENT_WORDS: [&str; 7] =
    ["電処", "太郎", "ﾃﾞﾝｼｮ", "19570401", "06123456", "ガスター", "610406079"];

/// The bare CSV of the `number`th prescription, issued today.
pub fn csv(number: usize) -> Vec<u8> {
    let today = OffsetDateTime::now_utc().to_offset(offset!(+9));
    let day = |date: OffsetDateTime| {
        date.format(format_description!("[year][month][day]")).expect("a day can be written")
    };
    format!(
        "SJ1\n1,1,1312345,13,検証用クリニック\n2,100-0001,東京都千代田区千代田一丁目\n3,03-0000-0000,,\n4,2,01,内科\n\
         5,,ｹﾝｼｮｳ ﾊﾅｺ,{PRESCRIBER}\n11,{number:08},電処　太郎,ﾃﾞﾝｼｮ ﾀﾛｳ\n12,1\n13,19570401\n21,1\n22,06123456\n\
         23,１２３,４５６７,1,01\n51,{}\n52,{}\n101,1,1,,28\n111,1,3,1013044400000000,１日２回朝夕食後　服用,2\n\
         201,1,1,1,2,610406079,ガスターＤ錠２０ｍｇ,2,1,錠\n281,1,1,1,3,先発医薬品を希望,\n",
        day(today),
        day(today + Duration::days(3)),
    )
    .into_bytes()
}

/// The same prescription in the envelope.
pub fn envelope(number: usize) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         id=\"Document\" xsi:noNamespaceSchemaLocation=\"EP.xsd\"><Prescription><PrescriptionManagement \
         id=\"PrescriptionManagement\"><Version Value=\"EPS1.0\"/></PrescriptionManagement><PrescriptionDocument \
         id=\"PrescriptionDocument\">{}</PrescriptionDocument></Prescription></Document>",
        BASE64_STANDARD.encode(csv(number))
    )
    .into_bytes()
}

/// One that must not be signed: without patient, and the first drug has no amount.
pub fn unsignable() -> Vec<u8> {
    let whole = String::from_utf8(csv(1)).expect("samples are UTF-8");
    let lines = whole.lines().filter(|line| !line.starts_with("11,"));
    lines.map(|line| line.replace("ｍｇ,2,1,錠", "ｍｇ,,1,錠") + "\n").collect::<String>().into_bytes()
}
