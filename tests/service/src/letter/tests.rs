use time::macros::date;
use ttf_parser::GlyphId;

use super::*;

/// Shorter than any ticket, and the longest that version 14-M holds.
const SHORTEST: &str = "https://a.jp/r#e";
const LONGEST: usize = 362;

fn letter(qr_text: &str) -> Letter<'_> {
    Letter {
        doctor_name: "髙﨑 祐一郎",
        role_ja: "医師",
        service_name: "参照リモート署名サービス",
        qr_text,
        issued: date!(2026 - 11 - 22),
        expires: date!(2026 - 12 - 31),
        letter_no: "R-2026-000123",
    }
}

fn sheet(activation_code: &str) -> CodeSheet<'_> {
    CodeSheet {
        doctor_name: "髙﨑 祐一郎",
        activation_code,
        issued: date!(2026 - 11 - 22),
        letter_no: "R-2026-000123",
    }
}

/// A text of the alphabet of tickets, so many bytes long.
fn ticket(bytes: usize) -> String {
    let mut text = String::from("https://127.0.0.1:8443/r#");
    text.extend(
        "eyJhbGciOiJFUzI1NiIsInR5cCI6InRpY2tldCtqd3QifQ.Zx9_-".chars().cycle().take(bytes - text.len()),
    );
    text
}

fn read(png: &[u8]) -> Vec<(usize, String)> {
    let picture = image::load_from_memory(png).unwrap().into_luma8();
    let size = |side: u32| usize::try_from(side).unwrap();
    let mut prepared =
        rqrr::PreparedImage::prepare_from_greyscale(size(picture.width()), size(picture.height()), |x, y| {
            picture.get_pixel(u32::try_from(x).unwrap(), u32::try_from(y).unwrap()).0[0]
        });
    let symbols = prepared.detect_grids();
    symbols.iter().map(|symbol| symbol.decode().unwrap()).map(|(meta, text)| (meta.version.0, text)).collect()
}

#[test]
fn the_code_on_a_printed_letter_reads_as_the_ticket() {
    for text in [SHORTEST.to_owned(), ticket(180), ticket(LONGEST)] {
        let symbols = read(&render(&letter(&text)).unwrap().png);
        assert_eq!(symbols.len(), 1);
        assert_eq!(symbols[0].1, text);
        assert!(symbols[0].0 <= 14);
    }
}

#[test]
fn the_picture_is_an_a4_sheet_at_300_dpi() {
    let png = render(&letter(SHORTEST)).unwrap().png;
    let reader = ::png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
    let dots = reader.info().pixel_dims.unwrap();
    assert_eq!((reader.info().width, reader.info().height), (2480, 3508));
    assert_eq!((dots.xppu, dots.yppu, dots.unit), (11_811, 11_811, ::png::Unit::Meter));
}

#[test]
fn the_symbol_has_its_quiet_zone() {
    let text = ticket(LONGEST);
    let png = render(&letter(&text)).unwrap().png;
    let picture = image::load_from_memory(&png).unwrap().into_luma8();
    // The symbol's field: 62 mm of white from (24, 108) mm; black begins and ends inside it.
    let dots = |mm: u32| mm * 300 * 10 / 254;
    let dark = |x: u32, y: u32| picture.get_pixel(x, y).0[0] < 128;
    let columns: Vec<u32> =
        (dots(24)..dots(86)).filter(|&x| (dots(108)..dots(170)).any(|y| dark(x, y))).collect();
    let (first, last) = (columns[0], columns[columns.len() - 1]);
    let module = (last + 1 - first) / 73;
    assert_eq!(last + 1 - first, 73 * module, "every module is a whole number of dots");
    assert!(first - dots(24) >= 4 * module && dots(86) - last > 4 * module);
    assert!((dots(48)..=dots(51)).contains(&(73 * module)));
}

#[test]
fn a_ticket_beyond_version_14_is_refused() {
    let text = ticket(LONGEST + 1);
    assert!(matches!(render(&letter(&text)), Err(LetterError::TicketTooLong { bytes: 363 })));
}

#[test]
fn a_character_without_a_glyph_is_refused_by_its_code_point() {
    let refused = render(&Letter { doctor_name: "𠮷田 太郎", ..letter(SHORTEST) }).err().unwrap();
    assert_eq!(refused.to_string(), "the letter's font has no glyph for U+20BB7");
    let refused = render(&Letter { service_name: "改行\nする", ..letter(SHORTEST) }).err().unwrap();
    assert!(matches!(refused, LetterError::MissingGlyph { character: '\n' }));
}

#[test]
fn names_of_the_register_can_be_printed() {
    let font = Font::load().unwrap();
    for doctor_name in ["髙橋 﨑", "渡邊 德藏", "齋藤 瀨里奈", "濵田 淸", "神谷　ｱｲｳ", "Ａｌｉｃｅ Smith"]
    {
        let page = compose::letter(&font, &Letter { doctor_name, ..letter(SHORTEST) });
        assert!(page.is_ok(), "{doctor_name}");
    }
}

#[test]
fn a_name_too_long_for_its_line_is_refused_rather_than_cut() {
    let doctor_name = "寿".repeat(40);
    let refused = render(&Letter { doctor_name: &doctor_name, ..letter(SHORTEST) });
    assert!(matches!(refused, Err(LetterError::DoesNotFit { part: "doctor's name" })));
}

#[test]
fn the_code_sheet_is_printed_without_any_symbol() {
    let rendered = render_code_sheet(&sheet("01234567")).unwrap();
    assert!(read(&rendered.png).is_empty());
    assert!(rendered.pdf.starts_with(b"%PDF-1.7"));
}

#[test]
fn an_activation_code_is_eight_digits_and_never_repeated_in_an_error() {
    for code in ["", "1234567", "123456789", "1234567a", "１２３４５６７８", "1234-567"] {
        let refused = render_code_sheet(&sheet(code)).err().unwrap();
        assert!(matches!(refused, LetterError::ActivationCode));
        assert!(code.is_empty() || !format!("{refused} {refused:?}").contains(code));
    }
}

/// The bytes of the stream object `number`, found by its own dictionary.
fn stream(pdf: &[u8], number: &str) -> Vec<u8> {
    let from = find(pdf, format!("\n{number} 0 obj").as_bytes()).unwrap();
    let object = &pdf[from..];
    let data = find(object, b"stream\n").unwrap() + b"stream\n".len();
    let dictionary = String::from_utf8_lossy(&object[..data]);
    let length =
        dictionary.split("/Length ").nth(1).unwrap().split(|c: char| !c.is_ascii_digit()).next().unwrap();
    object[data..][..length.parse().unwrap()].to_vec()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[test]
fn the_pdf_embeds_the_glyphs_that_it_shows_and_their_characters() {
    let pdf = render(&letter(SHORTEST)).unwrap().pdf;
    for entry in ["/Subtype /CIDFontType2", "/Encoding /Identity-H", "/FontFile2 8 0 R", "/ToUnicode 9 0 R"] {
        assert!(find(&pdf, entry.as_bytes()).is_some(), "{entry}");
    }
    let embedded = stream(&pdf, "8");
    let embedded = ttf_parser::Face::parse(&embedded, 0).unwrap();
    let characters = String::from_utf8(stream(&pdf, "9")).unwrap();
    for character in "髙﨑先生初期登録のご案内".chars() {
        let unicode = format!("> <{:04X}>", u32::from(character));
        let line = characters.lines().find(|line| line.ends_with(&unicode)).unwrap();
        let cid = u16::from_str_radix(&line[1..5], 16).unwrap();
        assert!(embedded.glyph_bounding_box(GlyphId(cid)).is_some(), "{character} has an outline");
    }
    assert!(pdf.len() < 300_000, "only what is used is embedded");
}
