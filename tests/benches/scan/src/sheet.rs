//! A contact sheet of failures: each picture that was not read, with what was found on it. Small circles are finder
//! patterns, true ones and look-alikes; outlines are symbols, the brighter the farther their reading got.

use std::path::Path;

use hpki_agent::scan::{Findings, Frame, Outcome, Scanner, Step};
use image::{Rgb, RgbImage, imageops};

use crate::readers::budget;
use crate::sets::{Set, load};

/// Longest side of a picture on the sheet, and pictures in a row.
const SIDE: u32 = 420;
const COLUMNS: u32 = 4;

/// Room between pictures.
const GAP: u32 = 8;

/// Outlines drawn of one picture: those tried last got most attention.
const OUTLINES: usize = 6;

/// Draws all failures of the sets into a PNG, and lists them.
pub(crate) fn draw(sets: &[Set], output: &Path) -> Result<(), String> {
    let mut pictures = Vec::new();
    for item in sets.iter().flat_map(|set| &set.items) {
        let (luma, width, height) = load(&item.path)?;
        let frame = Frame::new(&luma, width, height, width).map_err(|error| error.to_string())?;
        let mut scanner = Scanner::new();
        let Outcome::Nothing(why) = scanner.scan_within(&frame, budget(width, height)) else { continue };
        let findings = scanner.findings();
        let farthest = findings.symbols.iter().map(|symbol| symbol.reached).max();
        let symbol =
            farthest.map_or("no symbol located".to_owned(), |step| format!("got as far as {step:?}"));
        println!(
            "{}: {} {why:?}, {} finder patterns, {symbol}",
            pictures.len() + 1,
            item.path.display(),
            findings.finders.len()
        );
        pictures.push(thumbnail(&luma, width, findings));
    }
    let rows = u32::try_from(pictures.len()).unwrap_or(0).div_ceil(COLUMNS).max(1);
    let mut sheet = RgbImage::from_pixel(COLUMNS * (SIDE + GAP), rows * (SIDE + GAP), Rgb([90, 90, 90]));
    for (picture, index) in pictures.iter().zip(0_u32..) {
        let (x, y) = (index % COLUMNS * (SIDE + GAP), index / COLUMNS * (SIDE + GAP));
        imageops::overlay(&mut sheet, picture, x.into(), y.into());
    }
    sheet.save(output).map_err(|error| error.to_string())
}

/// Scans one picture once, within the budget of its size.
pub(crate) fn once(path: &Path) -> Result<(), String> {
    let (luma, width, height) = load(path)?;
    let frame = Frame::new(&luma, width, height, width).map_err(|error| error.to_string())?;
    println!("{:?}", Scanner::new().scan_within(&frame, budget(width, height)));
    Ok(())
}

#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)] // pixels of a thumbnail
fn thumbnail(luma: &[u8], width: usize, findings: &Findings) -> RgbImage {
    let height = luma.len() / width;
    let factor = SIDE as f32 / width.max(height) as f32;
    let [w, h] = [width, height].map(|side| ((side as f32 * factor) as u32).max(1));
    let grey = |x: u32, y: u32| {
        let (x, y) = ((x as f32 / factor) as usize, (y as f32 / factor) as usize);
        luma.get(y.min(height - 1) * width + x.min(width - 1)).copied().unwrap_or(0)
    };
    let mut picture = RgbImage::from_fn(w, h, |x, y| Rgb([grey(x, y); 3]));
    let mut dot = |x: f32, y: f32, colour: [u8; 3]| {
        if x >= 0.0 && y >= 0.0 && (x as u32) < w && (y as u32) < h {
            picture.put_pixel(x as u32, y as u32, Rgb(colour));
        }
    };
    for &[x, y] in &findings.finders {
        for degree in (0..360_u16).step_by(20) {
            let (sin, cos) = f32::from(degree).to_radians().sin_cos();
            dot(x * factor + 3.0 * cos, y * factor + 3.0 * sin, [0, 150, 255]);
        }
    }
    let first = findings.symbols.len().saturating_sub(OUTLINES);
    for symbol in findings.symbols.iter().skip(first) {
        let colour = match symbol.reached {
            Step::Located => [255, 0, 0],
            Step::Format => [255, 170, 0],
            Step::Corrected | Step::Read => [0, 255, 0],
        };
        for (from, to) in symbol.outline.iter().zip(symbol.outline.iter().cycle().skip(1)) {
            for step in 0..=SIDE {
                let part = step as f32 / SIDE as f32;
                let [x, y] = [0, 1].map(|axis| (from[axis] + (to[axis] - from[axis]) * part) * factor);
                dot(x, y, colour);
            }
        }
    }
    picture
}
