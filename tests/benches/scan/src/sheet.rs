//! A contact sheet of failures: each picture that was not read, whole and around its symbol, with what was found on it.
//! Small blue circles are finder patterns, true ones and look-alikes; outlines are symbols, red where only located,
//! orange where the format was read, green where more was; violet is where a letter's symbol truly is.

use std::path::Path;

use hpki_agent::scan::{Budget, Findings, Frame, Outcome, Scanner, Step};
use image::{Rgb, RgbImage, imageops};

use crate::sets::{Item, Outline, Set, load};

/// Sides of a tile. Two, the whole picture and the part around the symbol, make an entry; entries in a row.
const SIDE: u32 = 400;
const COLUMNS: u32 = 3;

/// Room between tiles, and between entries.
const GAP: u32 = 4;
const MARGIN: u32 = 16;

/// Outlines drawn of one picture: those whose timing patterns are clearest.
const OUTLINES: usize = 4;

/// What is shown around a symbol, in parts of its size.
const AROUND: f32 = 0.2;

const FOUND: Rgb<u8> = Rgb([0, 150, 255]);
const TRUE: Rgb<u8> = Rgb([220, 60, 255]);
const LABEL: Rgb<u8> = Rgb([255, 255, 0]);

/// Draws all failures of the sets into a PNG, and lists them.
pub(crate) fn draw(sets: &[Set], output: &Path) -> Result<(), String> {
    let mut entries = Vec::new();
    let mut scanner = Scanner::new();
    let items: Vec<&Item> = sets.iter().flat_map(|set| &set.items).collect();
    for item in &items {
        let (luma, width, height) = load(&item.path)?;
        let frame = Frame::new(&luma, width, height, width).map_err(|error| error.to_string())?;
        scanner.start_over();
        let Outcome::Nothing(why) = scanner.scan_within(&frame, Budget::of_pixels(width * height)) else {
            continue;
        };
        let findings = scanner.findings();
        println!("{}: {} {why:?}: {}", entries.len() + 1, item.path.display(), missing(item, findings));
        entries.push(entry(entries.len() + 1, &Picture { luma: &luma, width, height }, item, findings));
    }
    println!("{} of {} not read", entries.len(), items.len());
    let rows = u32::try_from(entries.len()).unwrap_or(0).div_ceil(COLUMNS).max(1);
    let (across, down) = (2 * SIDE + GAP + MARGIN, SIDE + MARGIN);
    let mut sheet = RgbImage::from_pixel(COLUMNS * across, rows * down, Rgb([70, 70, 70]));
    for (entry, index) in entries.iter().zip(0_u32..) {
        let (x, y) = (index % COLUMNS * across, index / COLUMNS * down);
        imageops::overlay(&mut sheet, entry, x.into(), y.into());
    }
    sheet.save(output).map_err(|error| error.to_string())
}

/// Scans one picture once, within the budget of its size.
pub(crate) fn once(path: &Path) -> Result<(), String> {
    let (luma, width, height) = load(path)?;
    let frame = Frame::new(&luma, width, height, width).map_err(|error| error.to_string())?;
    println!("{:?}", Scanner::new().scan_within(&frame, Budget::of_pixels(width * height)));
    Ok(())
}

/// What stands between the findings and a text.
fn missing(item: &Item, findings: &Findings) -> String {
    let farthest = findings.symbols.iter().map(|symbol| symbol.reached).max();
    let step = match farthest {
        None => "no symbol was located",
        Some(Step::Located) => "the format information is not legible",
        Some(Step::Format) => "there are too many errors in the codewords",
        Some(Step::Corrected | Step::Read) => "the codewords are no text",
    };
    let Some(outline) = &item.outline else { return step.to_owned() };
    let seen = finder_patterns(outline)
        .iter()
        .filter(|[x, y, near]| findings.finders.iter().any(|[a, b]| (a - x).hypot(b - y) < *near))
        .count();
    format!("{seen} of its 3 finder patterns were found; {step}")
}

/// About where a symbol's finder patterns have their middles, and how far off one may be, by its corners.
fn finder_patterns(outline: &Outline) -> [[f32; 3]; 3] {
    // A finder pattern's middle is about a twelfth of a side of a letter's symbol from both of its sides.
    const INSET: f32 = 1.0 / 12.0;
    let at = |u: f32, v: f32| {
        let [upper, lower] = [(0, 1), (3, 2)].map(|(left, right)| {
            [0, 1].map(|axis| outline[left][axis] + (outline[right][axis] - outline[left][axis]) * u)
        });
        [0, 1].map(|axis| upper[axis] + (lower[axis] - upper[axis]) * v)
    };
    let near = (outline[0][0] - outline[1][0]).hypot(outline[0][1] - outline[1][1]) * INSET;
    [(INSET, INSET), (1.0 - INSET, INSET), (INSET, 1.0 - INSET)].map(|(u, v)| {
        let [x, y] = at(u, v);
        [x, y, near]
    })
}

struct Picture<'a> {
    luma: &'a [u8],
    width: usize,
    height: usize,
}

/// Two tiles: the whole picture, and the part around its symbol, or around what looked most like one.
fn entry(number: usize, picture: &Picture<'_>, item: &Item, findings: &Findings) -> RgbImage {
    let mut clearest: Vec<_> = findings.symbols.iter().collect();
    clearest.sort_by(|a, b| b.timing.total_cmp(&a.timing));
    clearest.truncate(OUTLINES);
    let centre_of = item.outline.or_else(|| clearest.first().map(|symbol| symbol.outline));
    #[allow(clippy::cast_precision_loss)] // pixels
    let whole = [0.0, 0.0, picture.width as f32, picture.height as f32];
    let mut tiles = RgbImage::from_pixel(2 * SIDE + GAP, SIDE, Rgb([70, 70, 70]));
    for (index, region) in [Some(whole), centre_of.map(|outline| around(&outline))].into_iter().enumerate() {
        let Some(region) = region else { continue };
        let mut tile = Tile::of(picture, region);
        for symbol in &clearest {
            tile.outline(&symbol.outline, colour(symbol.reached));
        }
        if let Some(outline) = &item.outline {
            tile.outline(outline, TRUE);
        }
        findings.finders.iter().for_each(|&[x, y]| tile.circle(x, y));
        if index == 0 {
            tile.number(number);
        }
        imageops::overlay(&mut tiles, &tile.image, i64::from(SIDE + GAP) * i64::from(index != 0), 0);
    }
    tiles
}

fn colour(reached: Step) -> Rgb<u8> {
    match reached {
        Step::Located => Rgb([255, 0, 0]),
        Step::Format => Rgb([255, 170, 0]),
        Step::Corrected | Step::Read => Rgb([0, 255, 0]),
    }
}

/// Left, top, width and height of an outline with some room.
fn around(outline: &Outline) -> [f32; 4] {
    let [(left, right), (top, bottom)] = [0, 1].map(|axis| {
        outline
            .iter()
            .fold((f32::MAX, f32::MIN), |(low, high), corner| (low.min(corner[axis]), high.max(corner[axis])))
    });
    let room = AROUND * (right - left).max(bottom - top);
    [left - room, top - room, right - left + 2.0 * room, bottom - top + 2.0 * room]
}

/// A part of a picture, scaled to a tile.
struct Tile {
    image: RgbImage,
    left: f32,
    top: f32,
    factor: f32,
}

#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)] // pixels of a tile
impl Tile {
    fn of(picture: &Picture<'_>, [left, top, width, height]: [f32; 4]) -> Self {
        let factor = SIDE as f32 / width.max(height).max(1.0);
        let [w, h] = [width, height].map(|side| ((side * factor) as u32).clamp(1, SIDE));
        let grey = |x: u32, y: u32| {
            let [x, y] =
                [(x, left), (y, top)].map(|(at, from)| ((at as f32 + 0.5) / factor + from).max(0.0) as usize);
            let inside = x < picture.width && y < picture.height;
            picture.luma.get(y * picture.width + x).copied().filter(|_| inside).unwrap_or(0)
        };
        Self { image: RgbImage::from_fn(w, h, |x, y| Rgb([grey(x, y); 3])), left, top, factor }
    }

    fn dot(&mut self, x: f32, y: f32, colour: Rgb<u8>) {
        if x >= 0.0 && y >= 0.0 && (x as u32) < self.image.width() && (y as u32) < self.image.height() {
            self.image.put_pixel(x as u32, y as u32, colour);
        }
    }

    fn circle(&mut self, x: f32, y: f32) {
        for degree in (0..360_u16).step_by(20) {
            let (sin, cos) = f32::from(degree).to_radians().sin_cos();
            self.dot(
                (x - self.left) * self.factor + 4.0 * cos,
                (y - self.top) * self.factor + 4.0 * sin,
                FOUND,
            );
        }
    }

    fn outline(&mut self, outline: &Outline, colour: Rgb<u8>) {
        for (from, to) in outline.iter().zip(outline.iter().cycle().skip(1)) {
            for step in 0..=2 * SIDE {
                let part = step as f32 / (2 * SIDE) as f32;
                let [x, y] = [0, 1].map(|axis| from[axis] + (to[axis] - from[axis]) * part);
                self.dot((x - self.left) * self.factor, (y - self.top) * self.factor, colour);
            }
        }
    }

    /// The entry's number in the list, in the upper left corner.
    fn number(&mut self, number: usize) {
        /// Three columns by five rows each, the upper left in the highest of 15 bits.
        const DIGITS: [u16; 10] = [
            0b111_101_101_101_111,
            0b010_110_010_010_111,
            0b111_001_111_100_111,
            0b111_001_111_001_111,
            0b101_101_111_001_001,
            0b111_100_111_001_111,
            0b111_100_111_101_111,
            0b111_001_010_010_010,
            0b111_101_111_101_111,
            0b111_101_111_001_111,
        ];
        /// Pixels of a digit's pixel.
        const SCALE: u16 = 4;
        for (place, digit) in (0_u16..).zip(number.to_string().bytes()) {
            let shape = DIGITS[usize::from(digit - b'0')];
            for (x, y) in (0..5 * SCALE).flat_map(|y| (0..3 * SCALE).map(move |x| (x, y))) {
                if shape >> (14 - (y / SCALE * 3 + x / SCALE)) & 1 == 1 {
                    self.dot(f32::from(6 + place * 4 * SCALE + x), f32::from(6 + y), LABEL);
                }
            }
        }
    }
}
