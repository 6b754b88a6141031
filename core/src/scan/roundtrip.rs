//! Properties: any text drawn as a symbol, turned and seen at a slant, comes back the same; any bytes at all are survived.

use proptest::prelude::*;
use qrcode::{Color, EcLevel, QrCode, Version};

use super::geometry::{Homography, Pair, point};
use super::{Budget, Frame, MIN_SIDE, Outcome, Scanner};

const PAPER: f32 = 225.0;
const INK: f32 = 35.0;

/// Places within a pixel whose mean is its value.
const WITHIN: [f32; 3] = [0.17, 0.5, 0.83];

/// The symbol in a square frame, turned by `angle` and with its far side narrowed to `narrowing`.
fn draw(code: &QrCode, module: f32, angle: f32, narrowing: f32) -> (Vec<u8>, usize) {
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
        inside && code[(at.x as usize, at.y as usize)] == Color::Dark
    };
    let pixel = |index: usize| {
        let (x, y) = ((index % side) as f32, (index / side) as f32);
        let dark =
            WITHIN.iter().flat_map(|dy| WITHIN.map(|dx| ink(x + dx, y + dy))).filter(|&dark| dark).count();
        (PAPER + (INK - PAPER) * dark as f32 / 9.0) as u8
    };
    ((0..side * side).map(pixel).collect(), side)
}

/// A text that fits into version and level, or the next version that it fits into.
fn encode(text: &str, version: i16, level: EcLevel) -> QrCode {
    (version..=40)
        .find_map(|version| QrCode::with_version(text, Version::Normal(version), level).ok())
        .expect("short texts fit into version 40")
}

fn level() -> impl Strategy<Value = EcLevel> {
    prop_oneof![Just(EcLevel::L), Just(EcLevel::M), Just(EcLevel::Q), Just(EcLevel::H)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_text_comes_back_the_same(
        text in prop_oneof!["[0-9]{1,60}", "[A-Z0-9 $%*+./:-]{1,60}", "[ -~]{1,60}", "[\\PC]{1,24}"],
        version in prop_oneof![3 => 1_i16..=14, 1 => 15_i16..=40],
        level in level(),
        module in 3.0_f32..5.0,
        angle in 0.0_f32..std::f32::consts::TAU,
        narrowing in 0.85_f32..1.0,
    ) {
        let code = encode(&text, version, level);
        let (luma, side) = draw(&code, module, angle, narrowing);
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
