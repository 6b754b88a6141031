use qrcode::{Color, EcLevel, QrCode, Version};

use super::*;

const STRONG: i16 = 100;

/// A symbol's modules without an error, all equally certain.
fn modules(code: &QrCode) -> Modules {
    let side = code.width();
    let darkness =
        code.to_colors().iter().map(|&color| if color == Color::Dark { STRONG } else { -STRONG }).collect();
    Modules { version: u8::try_from((side - 17) / 4).unwrap(), side, darkness }
}

fn code(text: &str, version: i16, level: EcLevel) -> QrCode {
    QrCode::with_version(text, Version::Normal(version), level).unwrap()
}

#[test]
fn every_version_and_level_is_decoded() {
    let mut decoder = Decoder::default();
    for version in 1..=40 {
        for level in [EcLevel::L, EcLevel::M, EcLevel::Q, EcLevel::H] {
            let read = decoder.decode(&modules(&code("hpki:42", version, level))).unwrap();
            assert_eq!(read.text, "hpki:42", "{version} {level:?}");
            assert!(read.evidence > 40.0);
        }
    }
}

#[test]
fn a_mirrored_symbol_is_decoded() {
    let upright = modules(&code("mirror, mirror", 5, EcLevel::M));
    let mut mirrored = modules(&code("mirror, mirror", 5, EcLevel::M));
    for row in 0..upright.side {
        for column in 0..upright.side {
            mirrored.darkness[row * upright.side + column] = upright.at(column, row);
        }
    }
    assert_eq!(Decoder::default().decode(&mirrored).unwrap().text, "mirror, mirror");
}

/// Inverts modules right of and below the finder patterns, with the given certainty.
fn spoil(modules: &mut Modules, rows: std::ops::Range<usize>, certainty: i16) {
    for row in rows {
        for column in 9..modules.side - 9 {
            let cell = &mut modules.darkness[row * modules.side + column];
            *cell = -cell.signum() * certainty;
        }
    }
}

#[test]
fn doubtful_modules_are_corrected_twice_as_far_as_certain_ones() {
    let text = "x".repeat(40);
    let decode = |rows, certainty| {
        let mut spoiled = modules(&code(&text, 4, EcLevel::M));
        spoil(&mut spoiled, rows, certainty);
        Decoder::default().decode(&spoiled)
    };
    assert_eq!(decode(9..13, STRONG).unwrap().text, text);
    assert!(decode(9..18, STRONG).is_err());
    let widest = |certainty| (10..24).take_while(|&end| decode(9..end, certainty).is_ok()).count();
    assert!(widest(1) > widest(STRONG), "{} {}", widest(1), widest(STRONG));
}

#[test]
fn evidence_is_small_where_correction_nears_its_limit() {
    let clean = Decoder::default().decode(&modules(&code("1", 1, EcLevel::L))).unwrap();
    let mut spoiled = modules(&code("1", 1, EcLevel::L));
    spoil(&mut spoiled, 11..13, STRONG);
    let near = Decoder::default().decode(&spoiled);
    assert!(near.is_err() || near.is_ok_and(|decoded| decoded.evidence < clean.evidence));
}

#[test]
fn a_grid_of_no_known_format_is_refused() {
    let mut spoiled = modules(&code("format", 2, EcLevel::M));
    for (row, column) in FIRST_COPY.into_iter().chain(second_copy(25)).step_by(2) {
        let cell = &mut spoiled.darkness[row * 25 + column];
        *cell = -*cell;
    }
    assert_eq!(Decoder::default().decode(&spoiled).unwrap_err(), Failure::Format);
}
