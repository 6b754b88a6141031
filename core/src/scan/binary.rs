//! Dark and light: a grey picture becomes a bit a pixel, by a threshold of its surroundings.
//!
//! The picture is cut into cells of 8 × 8 pixels, whose darkest and lightest values are widened to a window of cells around
//! each: a pixel is dark when it is nearer to the darkest. A second rule takes the window's mean, by an integral image over
//! cells; it is no good beside a symbol's quiet zone, where the mean is nearly as light as the paper and thin light rings
//! drown in blur, but does not mind a bright spot.

use super::picture::View;

/// Side of a cell in pixels, which is also how many pixels are compared at a time.
const CELL: usize = 8;

/// Cells on each side of the one in the middle. The window of 5 × 5 cells, 40 pixels, spans a finder pattern of up to
/// 5 pixels a module; where modules are larger, the next level of the pyramid has them smaller.
const NEAR: usize = 2;

/// How far under the mean a pixel must be to be dark, in grey levels: without it, empty paper is a storm of noise.
const BIAS: u32 = 2;

/// Windows whose values differ by less, in grey levels, are empty paper.
const LEAST_CONTRAST: f32 = 10.0;

/// So are windows that differ by less than this many times what the quieter cells do, which is the picture's noise: the
/// range of the 1,600 pixels of a window is about 1.4 times that of the 64 of a cell, and one in a thousand windows more
/// than twice.
const NOISE: f32 = 2.2;
const QUIET_SHARE: f32 = 0.3;

/// But a symbol in a shadow differs by this share of what the busiest cells do, and so does a picture all of symbol.
const SHADOW: f32 = 0.2;
const BUSY_SHARE: f32 = 0.995;

/// What makes a pixel dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// It is nearer to the darkest than to the lightest pixel of its window.
    Between,
    /// It is darker than the mean of its window: finds what a bright spot or a dark edge in the window hides.
    Mean,
    /// As `Between`, after the picture was sharpened: blur fills light rings.
    Sharpened,
}

/// A picture of bits, 1 for dark, 64 pixels a word, the leftmost in the lowest bit. Rows end with at least one light bit.
#[derive(Default)]
pub(super) struct Bits {
    words: Vec<u64>,
    per_row: usize,
    pub(super) width: usize,
    pub(super) height: usize,
    sums: Vec<u32>,
    sharp: Vec<u8>,
    low: Vec<u8>,
    high: Vec<u8>,
    ranges: Vec<Range>,
    rows: Vec<Range>,
    thresholds: Vec<u8>,
}

impl Bits {
    /// Words of a row; set bits are dark pixels.
    pub(super) fn row(&self, y: usize) -> &[u64] {
        self.words.get(y * self.per_row..(y + 1) * self.per_row).unwrap_or_default()
    }

    /// Whether the pixel is dark; outside of the picture none is.
    pub(super) fn dark(&self, x: usize, y: usize) -> bool {
        if x >= self.width || y >= self.height {
            return false;
        }
        self.words.get(y * self.per_row + x / 64).is_some_and(|word| word >> (x % 64) & 1 == 1)
    }

    /// Replaces everything by the bits of `view`.
    pub(super) fn fill(&mut self, view: View<'_>, rule: Rule) {
        let mut sharp = std::mem::take(&mut self.sharp);
        let view = if rule == Rule::Sharpened { sharpened(view, &mut sharp) } else { view };
        self.width = view.width;
        self.height = view.height;
        self.per_row = view.width / 64 + 1;
        self.words.resize(self.per_row * view.height, 0);
        let columns = view.width.div_ceil(CELL);
        let rows = view.height.div_ceil(CELL);
        if rule == Rule::Mean {
            self.sum_cells(view, columns, rows);
            self.set_means(columns, rows);
        } else {
            self.measure_cells(view, columns, rows);
            self.set_middles(columns, rows);
        }
        for y in 0..view.height {
            let from = y / CELL * columns;
            let thresholds = self.thresholds.get(from..from + columns).unwrap_or_default();
            let row = self.words.get_mut(y * self.per_row..(y + 1) * self.per_row).unwrap_or_default();
            compare(view.row(y), thresholds, row);
        }
        self.sharp = sharp;
    }

    /// Fills `sums`: entry (x, y) is the sum of the means of all cells left of x and above y.
    fn sum_cells(&mut self, view: View<'_>, columns: usize, rows: usize) {
        let across = columns + 1;
        self.sums.clear();
        self.sums.resize(across * (rows + 1), 0);
        for cell_y in 0..rows {
            let top = (cell_y * CELL).min(view.height - CELL);
            let (above, here) = self.sums.split_at_mut((cell_y + 1) * across);
            let above = above.get(cell_y * across..).unwrap_or_default();
            for y in top..top + CELL {
                let row = view.row(y);
                let whole = row.chunks_exact(CELL).chain(std::iter::once(last_cell(row)));
                for (cell, pixels) in here.iter_mut().skip(1).take(columns).zip(whole) {
                    *cell += pixels.iter().map(|&value| u32::from(value)).sum::<u32>();
                }
            }
            let mut left = 0;
            for (cell, &up) in here.iter_mut().zip(above).skip(1).take(columns) {
                left += *cell / (CELL * CELL) as u32;
                *cell = left + up;
            }
        }
    }

    fn set_means(&mut self, columns: usize, rows: usize) {
        let across = columns + 1;
        self.thresholds.clear();
        for y in 0..rows {
            let (top, bottom) = (y.saturating_sub(NEAR), (y + NEAR + 1).min(rows));
            let upper = self.sums.get(top * across..(top + 1) * across).unwrap_or_default();
            let lower = self.sums.get(bottom * across..(bottom + 1) * across).unwrap_or_default();
            for x in 0..columns {
                let (left, right) = (x.saturating_sub(NEAR), (x + NEAR + 1).min(columns));
                let [a, b] = [left, right].map(|at| upper.get(at).copied().unwrap_or_default());
                let [c, d] = [left, right].map(|at| lower.get(at).copied().unwrap_or_default());
                let cells = ((right - left) * (bottom - top)) as u32;
                self.thresholds.push(((d + a - b - c) / cells).saturating_sub(BIAS) as u8);
            }
        }
    }

    /// Fills `ranges` with the darkest and the lightest pixel of each cell.
    fn measure_cells(&mut self, view: View<'_>, columns: usize, rows: usize) {
        self.ranges.clear();
        for cell_y in 0..rows {
            // A last cell that is not whole looks at the pixels of the last whole one, which it overlaps.
            let top = (cell_y * CELL).min(view.height - CELL);
            // Whole rows first: many pixels at a time.
            self.low.clear();
            self.low.extend_from_slice(view.row(top));
            self.high.clear();
            self.high.extend_from_slice(view.row(top));
            for y in top + 1..top + CELL {
                let row = view.row(y);
                self.low.iter_mut().zip(row).for_each(|(low, &value)| *low = (*low).min(value));
                self.high.iter_mut().zip(row).for_each(|(high, &value)| *high = (*high).max(value));
            }
            let lows = self.low.chunks_exact(CELL).chain(std::iter::once(last_cell(&self.low)));
            let highs = self.high.chunks_exact(CELL).chain(std::iter::once(last_cell(&self.high)));
            self.ranges.extend(lows.zip(highs).take(columns).map(|(low, high)| Range {
                darkest: of_eight(low, u8::min),
                lightest: of_eight(high, u8::max),
            }));
        }
    }

    fn set_middles(&mut self, columns: usize, rows: usize) {
        // Ranges of windows: first along rows, then along columns.
        self.rows.clear();
        for cells in self.ranges.chunks_exact(columns) {
            self.rows.extend((0..columns).map(|x| {
                let window = cells.get(x.saturating_sub(NEAR)..(x + NEAR + 1).min(columns));
                window.unwrap_or_default().iter().fold(Range::EMPTY, |all, &cell| all.with(cell))
            }));
        }
        let least = least_contrast(&self.ranges);
        self.thresholds.clear();
        for y in 0..rows {
            for x in 0..columns {
                let window = y.saturating_sub(NEAR)..(y + NEAR + 1).min(rows);
                let range = window
                    .filter_map(|y| self.rows.get(y * columns + x))
                    .fold(Range::EMPTY, |all, &cell| all.with(cell));
                self.thresholds.push(range.threshold(least));
            }
        }
    }
}

/// The last pixels of a row, a cell's worth.
fn last_cell(row: &[u8]) -> &[u8] {
    row.get(row.len().saturating_sub(CELL)..).unwrap_or_default()
}

/// The least or the most of a cell's width of values, by halves.
#[inline]
fn of_eight(values: &[u8], choose: fn(u8, u8) -> u8) -> u8 {
    let &[a, b, c, d, e, f, g, h] = values.first_chunk::<CELL>().unwrap_or(&[0; CELL]);
    choose(choose(choose(a, b), choose(c, d)), choose(choose(e, f), choose(g, h)))
}

/// The values in a part of a picture.
#[derive(Debug, Clone, Copy)]
struct Range {
    darkest: u8,
    lightest: u8,
}

impl Range {
    const EMPTY: Self = Self { darkest: u8::MAX, lightest: 0 };

    fn with(self, other: Self) -> Self {
        Self { darkest: self.darkest.min(other.darkest), lightest: self.lightest.max(other.lightest) }
    }

    /// Half way; where there is nothing to tell apart, so low that nothing is dark.
    fn threshold(self, least: u8) -> u8 {
        if self.width() < least {
            return self.darkest;
        }
        u8::midpoint(self.darkest, self.lightest)
    }

    fn width(self) -> u8 {
        self.lightest.saturating_sub(self.darkest)
    }
}

/// What a window must differ by, in grey levels, to have ink in it, judged by all cells of the picture.
fn least_contrast(cells: &[Range]) -> u8 {
    let mut counts = [0_usize; 256];
    for cell in cells {
        counts[usize::from(cell.width())] += 1;
    }
    let quantile = |share: f32| {
        let mut left = (cells.len() as f32 * share) as usize;
        counts.iter().position(|&count| {
            let here = left < count;
            left = left.saturating_sub(count);
            here
        })
    };
    let [quiet, busy] = [QUIET_SHARE, BUSY_SHARE].map(|share| quantile(share).unwrap_or(0) as f32);
    (NOISE * quiet).min(SHADOW * busy).max(LEAST_CONTRAST) as u8
}

/// Pixels on each side of one whose mean it is set off from.
const SHARPENING_REACH: usize = 3;

/// How much of that difference is added to the pixel.
const SHARPENING: i32 = 2;

/// The picture with every pixel's difference from its surroundings enlarged, in `buffer`.
fn sharpened<'a>(view: View<'_>, buffer: &'a mut Vec<u8>) -> View<'a> {
    const SPAN: usize = 2 * SHARPENING_REACH + 1;
    const AREA: i32 = (SPAN * SPAN) as i32;
    buffer.clear();
    let mut columns = vec![0_i32; view.width];
    let clamped = |y: isize| view.row(y.clamp(0, view.height as isize - 1) as usize);
    for y in 0..SPAN as isize - 1 {
        columns
            .iter_mut()
            .zip(clamped(y - SHARPENING_REACH as isize))
            .for_each(|(sum, &v)| *sum += i32::from(v));
    }
    for y in 0..view.height as isize {
        let entering = clamped(y + SHARPENING_REACH as isize);
        columns.iter_mut().zip(entering).for_each(|(sum, &v)| *sum += i32::from(v));
        let row = clamped(y);
        let margin = row.get(..SHARPENING_REACH).unwrap_or_default();
        buffer.extend_from_slice(margin);
        let mut sum: i32 = columns.iter().take(SPAN - 1).sum();
        let leaving = columns.iter();
        let middles = row.iter().skip(SHARPENING_REACH);
        for ((&new, &old), &value) in columns.iter().skip(SPAN - 1).zip(leaving).zip(middles) {
            sum += new;
            let value = i32::from(value);
            buffer.push((value + SHARPENING * (value * AREA - sum) / AREA).clamp(0, 255) as u8);
            sum -= old;
        }
        let margin = row.get(view.width - SHARPENING_REACH..).unwrap_or_default();
        buffer.extend_from_slice(margin);
        let leaving = clamped(y - SHARPENING_REACH as isize);
        columns.iter_mut().zip(leaving).for_each(|(sum, &v)| *sum -= i32::from(v));
    }
    View { luma: buffer, width: view.width, height: view.height, stride: view.width }
}

/// Sets a bit for each pixel under the threshold of its cell.
fn compare(pixels: &[u8], thresholds: &[u8], words: &mut [u64]) {
    let mut chunks = pixels.chunks_exact(64);
    let mut cells = thresholds.chunks_exact(64 / CELL);
    let mut words = words.iter_mut();
    for ((chunk, cells), word) in (&mut chunks).zip(&mut cells).zip(&mut words) {
        *word = 0;
        for (index, (eight, &threshold)) in chunk.chunks_exact(CELL).zip(cells).enumerate() {
            let eight = eight.first_chunk::<CELL>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
            *word |= below(eight, threshold) << (index * CELL);
        }
    }
    if let Some(word) = words.next() {
        let thresholds = thresholds.get(pixels.len() / 64 * (64 / CELL)..).unwrap_or_default();
        *word = 0;
        for (index, &value) in chunks.remainder().iter().enumerate() {
            let threshold = thresholds.get(index / CELL).copied().unwrap_or(0);
            *word |= u64::from(value < threshold) << index;
        }
    }
}

/// Bit i is set when byte i of `eight` is under `threshold`: eight comparisons in one word.
fn below(eight: u64, threshold: u8) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    /// Multiplying moves the lowest bit of byte i to bit 56 + i.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let limit = ONES * u64::from(threshold);
    let low_differs = (eight | HIGH) - (limit & !HIGH);
    let under = ((!eight & limit) | (!(eight ^ limit) & !low_differs)) & HIGH;
    (under >> 7).wrapping_mul(GATHER) >> 56
}

#[cfg(test)]
mod tests {
    use super::super::frame::Frame;
    use super::*;

    #[test]
    fn eight_comparisons_in_a_word_agree_with_one_by_one() {
        let bytes = [0, 1, 127, 128, 129, 200, 254, 255];
        for threshold in 0..=255 {
            let expected = (0..8).fold(0, |bits, i| bits | u64::from(bytes[i] < threshold) << i);
            assert_eq!(below(u64::from_le_bytes(bytes), threshold), expected, "{threshold}");
        }
    }

    #[test]
    fn ink_is_dark_in_the_sun_and_in_the_shade() {
        let (width, height) = (331, 77);
        let paper = |x: usize| if x < 165 { 230 } else { 70 };
        let ink = |x: usize, y: usize| (x / 6 + y / 6).is_multiple_of(2);
        let luma: Vec<u8> = (0..width * height)
            .map(|i| (i % width, i / width))
            .map(|(x, y)| if ink(x, y) { paper(x) / 3 } else { paper(x) })
            .collect();
        let mut bits = Bits::default();
        bits.fill(Frame::new(&luma, width, height, width).unwrap().view(), Rule::Between);
        let wrong = (0..width * height)
            .map(|i| (i % width, i / width))
            .filter(|&(x, y)| !(130..200).contains(&x) && bits.dark(x, y) != ink(x, y))
            .count();
        assert_eq!(wrong, 0);
        assert!(!bits.dark(width, 0) && !bits.dark(0, height));
    }

    #[test]
    fn empty_paper_has_no_dark_pixel() {
        let luma = vec![180; 100 * 90];
        let mut bits = Bits::default();
        bits.fill(Frame::new(&luma, 100, 90, 100).unwrap().view(), Rule::Mean);
        assert!((0..90).flat_map(|y| bits.row(y).to_vec()).all(|word| word == 0));
    }
}
