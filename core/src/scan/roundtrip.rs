//! Properties: any text drawn as a symbol, turned, mirrored, light on dark and seen at a slant, comes back the same; any
//! bytes at all are survived.

use encoding_rs::SHIFT_JIS;
use proptest::prelude::*;
use qrcode::bits::Bits;
use qrcode::{Color, EcLevel, QrCode, Version};

use super::geometry::{Homography, Pair, point};
use super::{Budget, Frame, MIN_SIDE, Outcome, Scanner};

const PAPER: f32 = 225.0;
const INK: f32 = 35.0;

/// Places within a pixel whose mean is its value.
const WITHIN: [f32; 3] = [0.17, 0.5, 0.83];

/// How a symbol lies before the camera.
#[derive(Debug, Clone, Copy)]
struct Pose {
    /// Pixels a module.
    module: f32,
    angle: f32,
    /// What the far side is narrowed to.
    narrowing: f32,
    mirrored: bool,
    /// Light on dark.
    inverted: bool,
}

fn pose() -> impl Strategy<Value = Pose> {
    let turns = 0.0_f32..std::f32::consts::TAU;
    let seldom = || prop::bool::weighted(0.25);
    (3.0_f32..5.0, turns, 0.85_f32..1.0, seldom(), seldom()).prop_map(
        |(module, angle, narrowing, mirrored, inverted)| Pose {
            module,
            angle,
            narrowing,
            mirrored,
            inverted,
        },
    )
}

/// The symbol in a square frame.
fn draw(code: &QrCode, pose: Pose) -> (Vec<u8>, usize) {
    let Pose { module, angle, narrowing, mirrored, inverted } = pose;
    let symbol = code.width() as f32;
    let half = (symbol / 2.0 + 4.0) * module;
    let side = (half * 2.9) as usize;
    let middle = side as f32 / 2.0;
    let (sin, cos) = angle.sin_cos();
    let half = symbol / 2.0 * module;
    let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(|(x, y): (f32, f32)| {
        let x_seen = x * half * if y < 0.0 { narrowing } else { 1.0 };
        let y_seen = y * half;
        let pixel = point(middle + x_seen * cos - y_seen * sin, middle + x_seen * sin + y_seen * cos);
        // From pixels to modules, so that each pixel can ask what it shows.
        let module = point(f32::midpoint(x, 1.0) * symbol, f32::midpoint(y, 1.0) * symbol);
        Pair { module: pixel, pixel: module, weight: 1.0 }
    });
    let map = Homography::fit(&corners, point(middle, middle)).expect("four corners");
    let ink = |x: f32, y: f32| {
        let at = map.at(point(x, y));
        let inside = at.x >= 0.0 && at.y >= 0.0 && at.x < symbol && at.y < symbol;
        let (x, y) = if mirrored { (at.y, at.x) } else { (at.x, at.y) };
        inside && code[(x as usize, y as usize)] == Color::Dark
    };
    let pixel = |index: usize| {
        let (x, y) = ((index % side) as f32, (index / side) as f32);
        let dark =
            WITHIN.iter().flat_map(|dy| WITHIN.map(|dx| ink(x + dx, y + dy))).filter(|&dark| dark).count();
        let value = (PAPER + (INK - PAPER) * dark as f32 / 9.0) as u8;
        if inverted { 255 - value } else { value }
    };
    ((0..side * side).map(pixel).collect(), side)
}

/// A text in this version and level, or the next version that it fits into. What is not ASCII is written as bytes: the encoder's
/// own choice takes bytes of UTF-8 that look like Kanji for Kanji.
fn encode(text: &str, version: i16, level: EcLevel) -> QrCode {
    let fitting = |version| {
        let mut bits = Bits::new(Version::Normal(version));
        if text.is_ascii() {
            bits.push_optimal_data(text.as_bytes()).ok()?;
        } else {
            bits.push_byte_data(text.as_bytes()).ok()?;
        }
        bits.push_terminator(level).ok()?;
        QrCode::with_bits(bits, level).ok()
    };
    (version..=40).find_map(fitting).expect("short texts fit into version 40")
}

fn level() -> impl Strategy<Value = EcLevel> {
    prop_oneof![Just(EcLevel::L), Just(EcLevel::M), Just(EcLevel::Q), Just(EcLevel::H)]
}

/// A part of a text with how it is encoded.
#[derive(Debug, Clone)]
enum Segment {
    Kanji(String),
    /// Bytes after an ECI designator.
    Designated(u32, String),
}

impl Segment {
    fn text(&self) -> &str {
        let (Self::Kanji(text) | Self::Designated(_, text)) = self;
        text
    }

    fn push(&self, bits: &mut Bits) {
        match self {
            Self::Kanji(text) => bits.push_kanji_data(&SHIFT_JIS.encode(text).0).expect("room"),
            Self::Designated(number, text) => {
                let charset = match number {
                    7 => "iso-8859-5",
                    20 => "shift_jis",
                    _ => "utf-8",
                };
                let charset = encoding_rs::Encoding::for_label(charset.as_bytes()).expect("a character set");
                bits.push_eci_designator(*number).expect("room");
                bits.push_byte_data(&charset.encode(text).0).expect("room");
            }
        }
    }
}

/// A character of Kanji mode (7.4.6): two bytes in one of two ranges.
fn kanji() -> impl Strategy<Value = String> {
    let code = prop_oneof![0x8140_u16..=0x9FFC, 0xE040_u16..=0xEAA4];
    let character = code.prop_filter_map("no character", |code| {
        let text =
            SHIFT_JIS.decode_without_bom_handling_and_without_replacement(&code.to_be_bytes())?.into_owned();
        // Some characters have two codes.
        (SHIFT_JIS.encode(&text).0.as_ref() == code.to_be_bytes()).then_some(text)
    });
    prop::collection::vec(character, 1..12).prop_map(|characters| characters.concat())
}

fn segment() -> impl Strategy<Value = Segment> {
    prop_oneof![
        kanji().prop_map(Segment::Kanji),
        kanji().prop_map(|text| Segment::Designated(20, text)),
        "[А-яЁё]{1,20}".prop_map(|text| Segment::Designated(7, text)),
        "\\PC{1,12}".prop_map(|text| Segment::Designated(26, text)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn kanji_and_designated_character_sets_come_back_the_same(
        segments in prop::collection::vec(segment(), 1..4), version in 7_i16..=12, pose in pose()
    ) {
        let mut bits = Bits::new(Version::Normal(version));
        for segment in &segments {
            segment.push(&mut bits);
        }
        bits.push_terminator(EcLevel::L).expect("room");
        let (luma, side) = draw(&QrCode::with_bits(bits, EcLevel::L).expect("room"), pose);
        let frame = Frame::new(&luma, side, side, side).unwrap();
        let text: String = segments.iter().map(Segment::text).collect();
        match Scanner::new().scan_within(&frame, Budget::STILL) {
            Outcome::Read(symbol) => prop_assert_eq!(symbol.text, text),
            Outcome::Nothing(why) => prop_assert!(false, "{:?}", why),
        }
    }
}

#[test]
fn every_version_comes_back_the_same() {
    let pose = Pose { module: 3.0, angle: 0.3, narrowing: 0.95, mirrored: false, inverted: false };
    for version in 1..=40_u8 {
        let code = encode("1234567890", version.into(), EcLevel::H);
        let (luma, side) = draw(&code, pose);
        let frame = Frame::new(&luma, side, side, side).unwrap();
        let outcome = Scanner::new().scan_within(&frame, Budget::STILL);
        assert!(
            matches!(&outcome, Outcome::Read(symbol)
            if symbol.text == "1234567890" && symbol.version == version),
            "{version} {outcome:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_text_comes_back_the_same(
        text in prop_oneof!["[0-9]{1,60}", "[A-Z0-9 $%*+./:-]{1,60}", "[ -~]{1,60}", "[\\PC]{1,24}"],
        version in prop_oneof![3 => 1_i16..=14, 1 => 15_i16..=40],
        level in level(),
        pose in pose(),
    ) {
        let code = encode(&text, version, level);
        let (luma, side) = draw(&code, pose);
        let frame = Frame::new(&luma, side, side, side).unwrap();
        match Scanner::new().scan_within(&frame, Budget::STILL) {
            Outcome::Read(symbol) => {
                prop_assert_eq!(symbol.text, text);
                prop_assert_eq!(17 + 4 * usize::from(symbol.version), code.width());
            }
            Outcome::Nothing(why) => prop_assert!(false, "{:?}", why),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_frame_is_survived(
        (width, height, padding) in (MIN_SIDE..160, MIN_SIDE..160, 0_usize..9),
        bytes in prop::collection::vec(any::<u8>(), 1..400),
        stretch in 1_usize..7,
        two_tone in any::<bool>(),
    ) {
        let stride = width + padding;
        // Repeated and stretched bytes make stripes and blocks, which look more like modules than noise does.
        let luma: Vec<u8> = (0..stride * height)
            .map(|index| bytes[(index / stretch + index / stride / stretch * 7) % bytes.len()])
            .map(|value| if two_tone { value / 128 * 255 } else { value })
            .collect();
        let frame = Frame::new(&luma, width, height, stride).unwrap();
        let mut scanner = Scanner::new();
        for budget in [Budget::of_steps(0), Budget::FRAME, Budget::STILL] {
            prop_assert!(matches!(scanner.scan_within(&frame, budget), Outcome::Nothing(_)));
        }
    }
}
