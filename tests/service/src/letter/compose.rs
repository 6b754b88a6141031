//! What stands where on the letter and on the code sheet.

use time::{Date, Weekday};

use super::font::Font;
use super::page::{
    Area, BLACK, Column, DOTS_PER_MM, INK, Mark, NAVY, PAPER, Page, RED, SOFT, Style, TINT, WIDTH, style,
};
use super::{CodeSheet, Letter, LetterError, symbol};

const MARGIN: f32 = 20.0;
const BODY: Column = Column { left: MARGIN, width: WIDTH - 2.0 * MARGIN };

const TEXT: Style = style(10.5, INK);
const SMALL: Style = style(9.0, INK);
const ENGLISH: Style = style(8.0, SOFT);

/// The side of the white square that holds the symbol with its quiet zone, and the side wished for the symbol.
const SYMBOL_FIELD: f32 = 62.0;
const SYMBOL_SIDE: f32 = 50.0;

/// Where the part of the page ends in which text of unknown length may flow.
const FOOTER_TOP: f32 = 272.0;

const STEPS: [(&str, &str, &str); 4] = [
    (
        "アプリを準備する",
        "署名アプリを入れ、スマートフォンの画面ロックと生体認証（指紋・顔）を設定します。",
        "Install the app; set up screen lock and biometrics.",
    ),
    (
        "QRコードを読み取る",
        "アプリで「初期登録」を選び、左のQRコードが画面の枠に収まるように合わせます。",
        "Choose “Register” and point the camera at the code.",
    ),
    (
        "アクティベーションコードを入力する",
        "別便でお届けする８桁の数字を入力します。５回誤るとQRコードは使えなくなります。",
        "Enter the 8 digits; five wrong entries lock the code.",
    ),
    (
        "証明書を確認する",
        "表示される氏名・資格・発行者・有効期間を確かめ、ご本人のものであれば登録を完了します。",
        "Check name, role, issuer and validity, then confirm.",
    ),
];

pub(super) fn letter<'a>(font: &'a Font, letter: &Letter<'_>) -> Result<Page<'a>, LetterError> {
    let title = "HPKIセカンド電子証明書 初期登録のご案内";
    let mut page = Page { font, title, issued: letter.issued, marks: Vec::new() };
    let sender = Sender { name: letter.service_name, letter_no: letter.letter_no, issued: letter.issued };
    head(&mut page, letter.doctor_name, Some(letter.role_ja), &sender)?;
    heading(&mut page, title, "Registering your phone for the HPKI second certificate")?;
    page.paragraph(
        BODY,
        80.0,
        6.0,
        TEXT,
        "時下ますますご清祥のこととお慶び申し上げます。HPKIセカンド電子証明書の発行手続きが完了いたしましたので、\
         電子処方箋の電子署名にお使いになるスマートフォンの初期登録をお願いいたします。",
    )?;
    code_panel(&mut page, 96.0, letter.qr_text)?;
    steps(&mut page, 96.0)?;
    terms(&mut page, 184.0, letter.expires)?;
    warning(
        &mut page,
        211.0,
        &[
            "このQRコードは、先生ご本人の電子署名を有効にするためのものです。他の方に見せたり、渡したり、写真や写しを\
             送ったりしないでください。登録を代行する者に預けることもお控えください。",
            "登録が済みましたら、本状は細断して破棄してください。紛失された場合は、直ちに下記へご連絡ください。",
        ],
        "Do not show, copy or pass on this letter. Shred it after registration; report its loss at once.",
    )?;
    contact(&mut page, 252.0, &sender)?;
    foot(&mut page)?;
    Ok(page)
}

pub(super) fn code_sheet<'a>(font: &'a Font, sheet: &CodeSheet<'_>) -> Result<Page<'a>, LetterError> {
    let code = sheet.activation_code;
    if code.len() != 8 || !code.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(LetterError::ActivationCode);
    }
    let (first, second) = code.split_at(4);

    let title = "アクティベーションコードのお知らせ";
    let mut page = Page { font, title, issued: sheet.issued, marks: Vec::new() };
    let sender =
        Sender { name: "HPKIセカンド電子証明書", letter_no: sheet.letter_no, issued: sheet.issued };
    head(&mut page, sheet.doctor_name, None, &sender)?;
    heading(&mut page, title, "Activation code for the registration of your phone")?;
    page.paragraph(
        BODY,
        80.0,
        6.0,
        TEXT,
        "別便の「初期登録のご案内」に記載のQRコードをアプリで読み取ったあと、画面の案内に従って、次の８桁の数字を入力してください。",
    )?;

    let field = Area { left: 45.0, top: 98.0, width: 120.0, height: 46.0 };
    page.area(field, TINT);
    page.frame(field, 0.5, NAVY);
    let column = Column { left: field.left, width: field.width };
    page.line(column, 107.5, style(10.5, NAVY).bold().centred(), "caption", "アクティベーションコード")?;
    let digits = style(44.0, INK).bold().centred();
    page.line(column, 129.0, digits, "activation code", &format!("{first}-{second}"))?;
    page.line(
        column,
        139.0,
        style(9.0, SOFT).centred(),
        "caption",
        "Activation code (enter the digits only)",
    )?;

    let number = format!("対象の案内状：文書番号 {}", sheet.letter_no);
    page.line(BODY, 154.0, TEXT.centred(), "letter number", &number)?;
    warning(
        &mut page,
        166.0,
        &[
            "このコードは「初期登録のご案内」と分けて保管し、他の方に知らせないでください。事務局や医療機関の職員が\
             電話やメールでコードをお尋ねすることはありません。",
            "入力を５回誤ると登録できなくなります。その場合や紛失された場合は、直ちに下記へご連絡ください。",
        ],
        "Keep this sheet apart from the letter. Nobody will ever ask you for the code. Five wrong entries lock it.",
    )?;
    contact(&mut page, 208.0, &sender)?;
    foot(&mut page)?;
    Ok(page)
}

impl Page<'_> {
    /// A thin rule across the body.
    fn rule(&mut self, top: f32) {
        self.area(Area { left: BODY.left, top, width: BODY.width, height: 0.25 }, SOFT);
    }
}

struct Sender<'a> {
    name: &'a str,
    letter_no: &'a str,
    issued: Date,
}

/// Mark of the specimen, number and date; below them the doctor on the left, the sender on the right.
fn head(
    page: &mut Page<'_>,
    doctor: &str,
    role: Option<&str>,
    sender: &Sender<'_>,
) -> Result<(), LetterError> {
    let tag = Area { left: MARGIN, top: 13.0, width: 44.0, height: 9.0 };
    page.frame(tag, 0.6, RED);
    let column = Column { left: tag.left, width: tag.width };
    page.line(column, 19.2, style(12.0, RED).bold().centred(), "specimen mark", "見本 SPECIMEN")?;

    let number = format!("文書番号 {}", sender.letter_no);
    page.line(Column { left: 110.0, width: 80.0 }, 16.5, SMALL.right(), "letter number", &number)?;
    let issued = format!("発行日 {}", japanese(sender.issued));
    page.line(Column { left: 110.0, width: 80.0 }, 21.5, SMALL.right(), "date", &issued)?;

    let addressee = Column { left: MARGIN, width: 88.0 };
    if let Some(role) = role {
        page.line(addressee, 35.0, style(10.0, SOFT), "role", role)?;
    }
    page.line(addressee, 43.0, style(16.0, INK), "doctor's name", &format!("{doctor} 先生"))?;
    page.area(Area { left: addressee.left, top: 46.0, width: addressee.width, height: 0.25 }, INK);

    let from = Column { left: 120.0, width: 70.0 };
    page.line(from, 38.0, TEXT.right(), "service's name", sender.name)?;
    page.line(from, 44.0, TEXT.right(), "office", "登録事務局")
}

fn heading(page: &mut Page<'_>, title: &str, english: &str) -> Result<(), LetterError> {
    page.line(BODY, 62.0, style(19.0, NAVY).bold().centred(), "title", title)?;
    page.line(BODY, 68.0, style(9.5, SOFT).centred(), "title", english)?;
    page.area(Area { left: MARGIN, top: 71.5, width: BODY.width, height: 0.5 }, NAVY);
    Ok(())
}

fn code_panel(page: &mut Page<'_>, top: f32, text: &str) -> Result<(), LetterError> {
    let panel = Area { left: MARGIN, top, width: 70.0, height: 82.0 };
    page.area(panel, TINT);
    let column = Column { left: panel.left, width: panel.width };
    page.line(column, top + 8.0, style(11.0, NAVY).bold().centred(), "caption", "初期登録用QRコード")?;
    let field = Area { left: panel.left + 4.0, top: top + 12.0, width: SYMBOL_FIELD, height: SYMBOL_FIELD };
    page.area(field, PAPER);
    page.marks.push(Mark::Areas(modules(field, text)?, BLACK));
    page.line(column, top + 79.0, ENGLISH.centred(), "caption", "Registration code")
}

/// The symbol in the middle of `field`, as near to [`SYMBOL_SIDE`] as whole dots of the PNG allow.
#[expect(clippy::cast_precision_loss, reason = "a symbol has at most 73 modules a side")]
fn modules(field: Area, text: &str) -> Result<Vec<Area>, LetterError> {
    let code = symbol::symbol(text)?;
    let side = code.width() as f32;
    let with_quiet_zone = side + 2.0 * symbol::QUIET as f32;
    let wished = (SYMBOL_SIDE / side * DOTS_PER_MM).round();
    let possible = (SYMBOL_FIELD / with_quiet_zone * DOTS_PER_MM).floor();
    let module = wished.min(possible) / DOTS_PER_MM;
    let on_grid = |length: f32| (length * DOTS_PER_MM).round() / DOTS_PER_MM;
    let left = on_grid(field.left + (field.width - side * module) / 2.0);
    let top = on_grid(field.top + (field.height - side * module) / 2.0);
    let area = |(column, row, length): (usize, usize, usize)| Area {
        left: left + column as f32 * module,
        top: top + row as f32 * module,
        width: length as f32 * module,
        height: module,
    };
    Ok(symbol::dark_runs(&code).into_iter().map(area).collect())
}

fn steps(page: &mut Page<'_>, top: f32) -> Result<(), LetterError> {
    let column = Column { left: 106.0, width: 84.0 };
    let mut from = top;
    for (number, (what, how, english)) in (1..).zip(STEPS) {
        let badge = Area { left: 96.0, top: from, width: 7.0, height: 7.0 };
        page.area(badge, NAVY);
        let in_badge = Column { left: badge.left, width: badge.width };
        page.line(in_badge, from + 5.1, style(12.0, PAPER).bold().centred(), "step", &number.to_string())?;
        page.line(column, from + 4.8, style(11.0, NAVY).bold(), "step", what)?;
        let next = page.paragraph(column, from + 10.0, 4.6, SMALL, how)?;
        page.line(column, next - 0.3, ENGLISH, "step", english)?;
        from += 21.6;
    }
    Ok(())
}

/// Until when, and where the activation code is.
fn terms(page: &mut Page<'_>, top: f32, expires: Date) -> Result<(), LetterError> {
    let until = format!("{}まで", japanese(expires));
    let until_english = format!("Valid until {expires}");
    let rows = [
        ("登録期限", until.as_str(), until_english.as_str()),
        ("アクティベーションコード", "別便（親展）でお届けします。", "The activation code comes separately."),
    ];
    let label = Column { left: MARGIN + 3.0, width: 48.0 };
    let value = Column { left: MARGIN + 56.0, width: 112.0 };
    page.area(Area { left: MARGIN, top, width: 53.0, height: 22.0 }, TINT);
    let mut from = top;
    for (name, text, english) in rows {
        page.rule(from);
        page.line(label, from + 7.1, style(10.0, NAVY).bold(), "term", name)?;
        page.line(value, from + 7.1, style(11.0, INK).bold(), "term", text)?;
        page.line(value, from + 7.1, ENGLISH.right(), "term", english)?;
        from += 11.0;
    }
    page.rule(from);
    Ok(())
}

fn warning(page: &mut Page<'_>, top: f32, items: &[&str], english: &str) -> Result<(), LetterError> {
    let column = Column { left: MARGIN + 5.0, width: BODY.width - 10.0 };
    page.line(column, top + 7.0, style(11.0, RED).bold(), "warning", "ご注意")?;
    let mut next = top + 13.0;
    for item in items {
        page.line(column, next, SMALL, "warning", "・")?;
        let text = Column { left: column.left + 3.5, width: column.width - 3.5 };
        next = page.paragraph(text, next, 4.8, SMALL, item)?;
    }
    page.line(column, next + 0.4, ENGLISH, "warning", english)?;
    page.frame(Area { left: MARGIN, top, width: BODY.width, height: next + 4.0 - top }, 0.4, RED);
    Ok(())
}

fn contact(page: &mut Page<'_>, top: f32, sender: &Sender<'_>) -> Result<(), LetterError> {
    page.line(BODY, top, style(10.0, NAVY).bold(), "contact", "お問い合わせ")?;
    let office = format!("{} 登録事務局", sender.name);
    let mut next = page.paragraph(BODY, top + 6.0, 5.0, SMALL, &office)?;
    next = page.paragraph(
        BODY,
        next,
        5.0,
        SMALL,
        "電話 00-0000-0000（平日 9:00〜17:00）　お問い合わせの際は、右上の文書番号をお知らせください。",
    )?;
    if next > FOOTER_TOP {
        return Err(LetterError::DoesNotFit { part: "contact" });
    }
    Ok(())
}

fn foot(page: &mut Page<'_>) -> Result<(), LetterError> {
    page.rule(FOOTER_TOP);
    let lines = [
        (
            RED,
            "この書面は、開発・試験用の参照サービスが作成した見本です。実在の医師会・認証局・医療機関が発行したものではありません。",
        ),
        (
            SOFT,
            "Specimen made by a reference service for development and tests; not issued by any real association or authority.",
        ),
        (SOFT, "QRコードは株式会社デンソーウェーブの登録商標です。"),
    ];
    let mut baseline = FOOTER_TOP + 5.0;
    for (colour, text) in lines {
        page.line(BODY, baseline, style(7.5, colour), "footer", text)?;
        baseline += 4.0;
    }
    Ok(())
}

/// 2026年4月1日（水）
fn japanese(date: Date) -> String {
    let weekday = match date.weekday() {
        Weekday::Monday => '月',
        Weekday::Tuesday => '火',
        Weekday::Wednesday => '水',
        Weekday::Thursday => '木',
        Weekday::Friday => '金',
        Weekday::Saturday => '土',
        Weekday::Sunday => '日',
    };
    format!("{}年{}月{}日（{weekday}）", date.year(), u8::from(date.month()), date.day())
}
