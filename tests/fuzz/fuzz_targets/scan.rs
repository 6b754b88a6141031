//! Frames of any size, stride and content: refused or scanned, within every budget, and never a panic that escapes.

#![no_main]

use std::sync::Once;

use hpki_agent::scan::{Budget, Frame, MIN_SIDE, Scanner};
use libfuzzer_sys::fuzz_target;

/// Bytes before the picture: width, height, what the stride is longer, how often each byte is repeated, and a flag.
const HEAD: usize = 7;

/// Sides up to which frames are made; larger ones only make the fuzzer slower.
const MOST_SIDE: usize = 180;

fuzz_target!(|data: &[u8]| {
    // The fuzzer's own hook ends the process at any panic, also at those of dependencies that the scanner contains. What
    // does escape is still caught by the fuzzer, and is a crash.
    static QUIET: Once = Once::new();
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| ())));

    let Some((&[w0, w1, h0, h1, padding, stretch, flags], picture)) = data.split_first_chunk::<HEAD>() else {
        return;
    };
    let [width, height] = [[w0, w1], [h0, h1]].map(|side| usize::from(u16::from_le_bytes(side)) % MOST_SIDE);
    let stride = width + usize::from(padding);

    // The bytes as they are, which seldom suffice: sizes that they do not fill must be refused.
    if let Ok(frame) = Frame::new(picture, width, height, stride) {
        let needed = stride * (height - 1) + width;
        assert!(width >= MIN_SIDE && height >= MIN_SIDE && picture.len() >= needed);
        scan(&frame);
    }

    // The bytes spread over a frame that is large enough: each repeated, in rows of their own, perhaps in two tones only,
    // which makes runs and modules.
    if picture.is_empty() {
        return;
    }
    let (width, height) = (width.max(MIN_SIDE), height.max(MIN_SIDE));
    let stride = width + usize::from(padding);
    let stretch = usize::from(stretch % 8) + 1;
    let across = width.div_ceil(stretch);
    let luma: Vec<u8> = (0..stride * height)
        .map(|index| (index % stride / stretch, index / stride / stretch))
        .map(|(x, y)| picture[(y * across + x) % picture.len()])
        .map(|value| if flags & 1 == 0 { value } else { value / 128 * 255 })
        .collect();
    scan(&Frame::new(&luma, width, height, stride).expect("a frame with every pixel"));
});

/// One scanner sees the frame twice, with nothing to spend and then with as much as its size is given.
fn scan(frame: &Frame<'_>) {
    let mut scanner = Scanner::new();
    for budget in [Budget::of_steps(0), Budget::of_pixels(frame.width() * frame.height())] {
        let _ = scanner.scan_within(frame, budget);
        for symbol in &scanner.findings().symbols {
            assert!((1..=40).contains(&symbol.version));
        }
    }
}
