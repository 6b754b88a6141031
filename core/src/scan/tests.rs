use proptest::prelude::*;
use qrcode::bits::Bits;
use qrcode::{Color, EcLevel, QrCode, Version};

use super::*;

const QUIET: usize = 4;
const WHITE: u8 = 235;
const BLACK: u8 = 24;

/// A picture of its own, so that a test can move and spoil pixels.
struct Picture {
    luma: Vec<u8>,
    width: usize,
    height: usize,
    stride: usize,
}

impl Picture {
    /// Paper with nothing on it; the bytes between rows are black, so that reading them would show.
    fn paper(width: usize, height: usize, stride: usize) -> Self {
        let mut luma = vec![BLACK; stride * height];
        for row in luma.chunks_mut(stride) {
            row[..width].fill(WHITE);
        }
        Self { luma, width, height, stride }
    }

    /// `code` alone, `module` pixels a module, with its quiet zone and `padding` bytes after each row.
    fn of(code: &QrCode, module: usize, padding: usize) -> Self {
        let side = (code.width() + 2 * QUIET) * module;
        let mut picture = Self::paper(side, side, side + padding);
        picture.draw(code, module, QUIET * module, QUIET * module);
        picture
    }

    fn draw(&mut self, code: &QrCode, module: usize, left: usize, top: usize) {
        for y in 0..code.width() * module {
            for x in 0..code.width() * module {
                if code[(x / module, y / module)] == Color::Dark {
                    self.luma[(top + y) * self.stride + left + x] = BLACK;
                }
            }
        }
    }

    fn scan(&self) -> Outcome {
        let frame =
            Frame::new(&self.luma, self.width, self.height, self.stride).expect("a frame within bounds");
        Scanner::new().scan(&frame)
    }
}

fn code(text: &str) -> QrCode {
    QrCode::with_error_correction_level(text, EcLevel::M).expect("a text that fits")
}

fn code_of_bytes(content: &[u8], version: i16) -> QrCode {
    let mut bits = Bits::new(Version::Normal(version));
    bits.push_byte_data(content).expect("content that fits");
    bits.push_terminator(EcLevel::M).expect("content that fits");
    QrCode::with_bits(bits, EcLevel::M).expect("content that fits")
}

fn read_text(text: &str, version: u8) -> Outcome {
    Outcome::Read(Symbol { text: text.to_owned(), version })
}

const TEXT: &str = "https://service.example/r#eyJhbGciOiJFUzI1NiJ9";

#[test]
fn a_symbol_is_read_with_its_version() {
    let version = u8::try_from((code(TEXT).width() - 17) / 4).unwrap();
    assert_eq!(Picture::of(&code(TEXT), 4, 0).scan(), read_text(TEXT, version));
}

#[test]
fn the_largest_symbol_of_a_letter_is_read() {
    let text = "x".repeat(362);
    assert_eq!(Picture::of(&code_of_bytes(text.as_bytes(), 14), 4, 0).scan(), read_text(&text, 14));
}

#[test]
fn bytes_between_the_rows_are_not_part_of_the_picture() {
    let tight = Picture::of(&code(TEXT), 4, 0).scan();
    assert_eq!(Picture::of(&code(TEXT), 4, 61).scan(), tight);
    assert!(matches!(tight, Outcome::Read(_)));
}

#[test]
fn the_last_row_may_end_with_its_last_pixel() {
    let mut picture = Picture::of(&code(TEXT), 4, 61);
    picture.luma.truncate(picture.luma.len() - 61);
    assert!(matches!(picture.scan(), Outcome::Read(_)));
}

#[test]
fn japanese_text_in_utf8_is_read() {
    let text = "処方箋の初期登録";
    assert_eq!(Picture::of(&code_of_bytes(text.as_bytes(), 3), 4, 0).scan(), read_text(text, 3));
}

#[test]
fn content_in_no_character_set_is_unreadable_rather_than_repaired() {
    let neither = [0xff, 0x80, 0xfe, 0x81];
    assert_eq!(
        Picture::of(&code_of_bytes(&neither, 2), 4, 0).scan(),
        Outcome::Nothing(WhyNothing::Unreadable)
    );
}

#[test]
fn kanji_and_shift_jis_are_read_as_text() {
    let shift_jis = [0x8f, 0x88, 0x95, 0xfb, 0xe2, 0xb3];
    assert_eq!(Picture::of(&code_of_bytes(&shift_jis, 2), 4, 0).scan(), read_text("処方箋", 2));
    let mut bits = Bits::new(Version::Normal(2));
    bits.push_kanji_data(&shift_jis).unwrap();
    bits.push_terminator(EcLevel::M).unwrap();
    let kanji = QrCode::with_bits(bits, EcLevel::M).unwrap();
    assert_eq!(Picture::of(&kanji, 4, 0).scan(), read_text("処方箋", 2));
}

#[test]
fn structured_append_and_fnc1_are_refused_by_name() {
    let mut fnc1 = Bits::new(Version::Normal(2));
    fnc1.push_fnc1_first_position().unwrap();
    fnc1.push_numeric_data(b"0104912345123459").unwrap();
    fnc1.push_terminator(EcLevel::M).unwrap();
    let fnc1 = QrCode::with_bits(fnc1, EcLevel::M).unwrap();
    assert_eq!(Picture::of(&fnc1, 4, 0).scan(), Outcome::Nothing(WhyNothing::Unsupported(Unsupported::Fnc1)));
}

#[test]
fn mirrored_and_inverted_symbols_are_read() {
    let upright = Picture::of(&code(TEXT), 4, 0);
    let mut mirrored = Picture::of(&code(TEXT), 4, 0);
    for (row, of) in mirrored.luma.chunks_mut(mirrored.stride).zip(upright.luma.chunks(upright.stride)) {
        row.iter_mut().zip(of.iter().rev()).for_each(|(pixel, &from)| *pixel = from);
    }
    let mut inverted = Picture::of(&code(TEXT), 4, 0);
    inverted.luma.iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
    for picture in [upright, mirrored, inverted] {
        assert!(matches!(picture.scan(), Outcome::Read(Symbol { text, .. }) if text == TEXT));
    }
}

#[test]
fn a_budget_of_nothing_still_has_the_first_look_and_ends_there() {
    let plain = Picture::of(&code(TEXT), 4, 0);
    let mut inverted = Picture::of(&code(TEXT), 4, 0);
    inverted.luma.iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
    let scan = |picture: &Picture, budget| {
        let frame = Frame::new(&picture.luma, picture.width, picture.height, picture.stride).unwrap();
        Scanner::new().scan_within(&frame, budget)
    };
    assert!(matches!(scan(&plain, Budget::FRAME), Outcome::Read(_)));
    assert_eq!(scan(&inverted, Budget::of_steps(0)), Outcome::Nothing(WhyNothing::NoCode));
    assert!(matches!(scan(&inverted, Budget::STILL), Outcome::Read(_)));
}

#[test]
fn findings_tell_where_the_symbol_is() {
    let picture = Picture::of(&code(TEXT), 4, 0);
    let mut scanner = Scanner::new();
    scanner.scan(&Frame::new(&picture.luma, picture.width, picture.height, picture.stride).unwrap());
    let sighting = scanner.findings().symbols.last().copied().unwrap();
    let far = (picture.width - QUIET * 4) as f32;
    for (corner, expected) in
        sighting.outline.into_iter().zip([[16.0, 16.0], [far, 16.0], [far, far], [16.0, far]])
    {
        assert!((corner[0] - expected[0]).hypot(corner[1] - expected[1]) < 1.0, "{sighting:?}");
    }
    assert_eq!(sighting.reached, Step::Read);
}

#[test]
fn an_unreadable_symbol_does_not_hide_a_readable_one() {
    let mut picture = Picture::paper(600, 600, 600);
    picture.draw(&code_of_bytes(&[0xff, 0x80, 0xfe, 0x81], 2), 4, 40, 40);
    picture.draw(&code(TEXT), 4, 320, 320);
    assert!(matches!(picture.scan(), Outcome::Read(Symbol { text, .. }) if text == TEXT));
}

#[test]
fn an_empty_sheet_holds_no_code() {
    assert_eq!(Picture::paper(640, 480, 640).scan(), Outcome::Nothing(WhyNothing::NoCode));
}

#[test]
fn a_symbol_that_is_half_destroyed_is_unreadable() {
    let drawn = code(TEXT);
    let mut picture = Picture::of(&drawn, 4, 0);
    // Everything right of and below the finder patterns, which stay so that the symbol is still found.
    let (from, to) = ((QUIET + 9) * 4, (QUIET + drawn.width() - 8) * 4);
    for y in from..to {
        for x in from..to {
            picture.luma[y * picture.stride + x] = if (x / 4 + y / 4) % 2 == 0 { BLACK } else { WHITE };
        }
    }
    assert_eq!(picture.scan(), Outcome::Nothing(WhyNothing::Unreadable));
}

#[test]
fn a_frame_of_twelve_megapixels_is_read() {
    let mut picture = Picture::paper(4032, 3024, 4096);
    picture.draw(&code(TEXT), 20, 1500, 1000);
    assert!(matches!(picture.scan(), Outcome::Read(Symbol { text, .. }) if text == TEXT));
}

#[test]
fn a_scanner_reads_frame_after_frame() {
    let mut scanner = Scanner::new();
    for text in ["https://service.example/r#1", "https://service.example/r#2"] {
        let picture = Picture::of(&code(text), 3, 0);
        let frame = Frame::new(&picture.luma, picture.width, picture.height, picture.stride).unwrap();
        assert!(matches!(scanner.scan(&frame), Outcome::Read(symbol) if symbol.text == text));
    }
}

#[test]
fn frames_without_room_for_a_symbol_are_refused() {
    for (width, height) in [(0, 0), (0, 1), (1, 0), (1, 4096), (4096, 1), (28, 29), (29, 28)] {
        assert_eq!(
            Frame::new(&[WHITE; 4096], width, height, width.max(1)).unwrap_err(),
            FrameError::TooSmall { width, height }
        );
    }
    assert!(Frame::new(&[WHITE; 29 * 29], 29, 29, 29).is_ok());
}

#[test]
fn frames_beyond_the_class_of_twelve_megapixels_are_refused() {
    for (width, height) in [(4096, 3073), (usize::MAX, usize::MAX), (usize::MAX, 29), (1 << 33, 1 << 33)] {
        assert_eq!(
            Frame::new(&[], width, height, width).unwrap_err(),
            FrameError::TooLarge { width, height }
        );
    }
}

#[test]
fn a_stride_below_the_width_is_refused() {
    assert_eq!(
        Frame::new(&[WHITE; 10_000], 100, 100, 99).unwrap_err(),
        FrameError::StrideBelowWidth { stride: 99, width: 100 }
    );
}

#[test]
fn a_buffer_shorter_than_its_sizes_is_refused_whatever_the_stride() {
    let buffer = [WHITE; 110 * 99 + 100];
    assert!(Frame::new(&buffer, 100, 100, 110).is_ok());
    for (length, stride) in [(buffer.len() - 1, 110), (buffer.len(), 111), (buffer.len(), usize::MAX)] {
        assert_eq!(
            Frame::new(&buffer[..length], 100, 100, stride).unwrap_err(),
            FrameError::BufferTooShort { length }
        );
    }
}

#[test]
fn neither_the_content_nor_the_picture_is_printed() {
    let symbol = Symbol { text: "secret".into(), version: 1 };
    let luma = [113_u8; 29 * 29];
    let printed = format!("{symbol:?} {:?}", Frame::new(&luma, 29, 29, 29).unwrap());
    assert!(!printed.contains("secret") && !printed.contains("113"), "{printed}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn noise_never_reads_as_a_symbol(
        (width, height, padding, luma) in (29_usize..96, 29_usize..96, 0_usize..8).prop_flat_map(|(w, h, p)| {
            (Just(w), Just(h), Just(p), prop::collection::vec(any::<u8>(), (w + p) * h))
        })
    ) {
        let frame = Frame::new(&luma, width, height, width + padding).unwrap();
        prop_assert!(matches!(Scanner::new().scan(&frame), Outcome::Nothing(_)));
    }

    #[test]
    fn a_frame_is_accepted_exactly_when_every_pixel_is_there(
        width in 0_usize..200, height in 0_usize..200, stride in 0_usize..220, length in 0_usize..50_000
    ) {
        let luma = vec![WHITE; length];
        let whole = width >= MIN_SIDE && height >= MIN_SIDE && stride >= width
            && length >= stride * (height - 1) + width;
        prop_assert_eq!(Frame::new(&luma, width, height, stride).is_ok(), whole);
    }
}
