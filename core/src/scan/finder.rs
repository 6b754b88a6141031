//! Finder patterns (ISO/IEC 18004, 6.3.3): any straight line through the middle of one crosses dark, light, dark, light
//! and dark in the ratio 1 : 1 : 3 : 1 : 1, however it is turned.
//!
//! Rows of bits are read as runs. Distances between edges of one polarity (a dark run together with the light run beside
//! it) are what is compared, since blur and a threshold that is off move both edges alike. What looks right in a row is
//! checked vertically, horizontally again through the better middle, and on a diagonal.

use super::binary::Bits;
use super::geometry::{Point, point};

/// A finder pattern that was found, in pixels of the picture that was searched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finder {
    pub(super) centre: Point,
    /// A seventh of its chord, horizontally and vertically on the mean: a module, or up to √2 of one when turned.
    pub(super) module: f32,
    /// How far it is from the ideal: its runs in modules, and the share of rows across its core that did not show it.
    pub(super) deviation: f32,
    across: f32,
    down: f32,
    rows: f32,
}

/// The shortest chord in pixels: no module is smaller than a pixel.
const SHORTEST_CHORD: i32 = 7;

/// The most finder patterns that are kept of a picture: a page of print has fewer look-alikes.
const MOST: usize = 4_000;

/// Of those, the ones found last that a row's runs are compared with: earlier ones are too far above.
const RECENT: usize = 256;

/// Modules that a distance of 2 may be off, and one of 4; besides one pixel, for the grid of pixels.
const SLACK_OF_TWO: f32 = 0.75;
const SLACK_OF_FOUR: f32 = 1.2;

/// A diagonal, which pixels render worst, is allowed this much more.
const DIAGONAL_LENIENCY: f32 = 1.5;

/// What counts as a diagonal that is not found at all, in modules of deviation.
const NO_DIAGONAL: f32 = 2.0;

/// What rows across the core count that do not show the pattern: print has look-alikes in single rows.
const ROWS_WEIGHT: f32 = 1.5;

/// Horizontal to vertical chord at most; a tilt of 58° makes it 1.9.
const MOST_OBLONG: f32 = 2.4;

/// Finds finder patterns in `bits`, looking at every `step`th row; of light modules on dark when `inverted`. Fills
/// `found`; returns how much work it was, in steps. Stops a row after `most` steps, as in pictures that are all noise.
pub(super) fn search(bits: &Bits, step: usize, inverted: bool, most: u64, found: &mut Vec<Finder>) -> usize {
    found.clear();
    let picture = Polarised { bits, inverted };
    let mut work = 0;
    for y in (step / 2..bits.height).step_by(step) {
        work += bits.width / 64 + picture.search_row(y, found) / 2;
        if found.len() >= MOST || work as u64 > most {
            break;
        }
    }
    for finder in found.iter_mut() {
        let expected = 2.0 * finder.down / step as f32;
        finder.deviation += ROWS_WEIGHT * (1.0 - finder.rows / expected).max(0.0);
    }
    found.sort_by(|a, b| a.deviation.total_cmp(&b.deviation));
    work
}

/// Bits of which dark means "of the colour of a symbol's dark modules".
struct Polarised<'a> {
    bits: &'a Bits,
    inverted: bool,
}

impl Polarised<'_> {
    fn dark(&self, x: i32, y: i32) -> bool {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return false };
        x < self.bits.width && y < self.bits.height && self.bits.dark(x, y) != self.inverted
    }

    fn search_row(&self, y: usize, found: &mut Vec<Finder>) -> usize {
        let row = self.bits.row(y);
        let flip = if self.inverted { u64::MAX } else { 0 };
        let last = row.len().saturating_sub(1);
        let tail = (1_u64 << (self.bits.width % 64)) - 1;
        let mut edges = [i32::MIN / 2; 6];
        let mut before = 0;
        let mut work = 0;
        for (index, &pixels) in row.iter().enumerate() {
            let pixels = (pixels ^ flip) & if index == last { tail } else { u64::MAX };
            let mut changes = pixels ^ (pixels << 1 | before);
            before = pixels >> 63;
            while changes != 0 {
                let bit = changes.trailing_zeros();
                changes &= changes - 1;
                let [_, b, c, d, e, f] = edges;
                edges = [b, c, d, e, f, (index * 64) as i32 + bit as i32];
                work += 1;
                let now_light = pixels >> bit & 1 == 0;
                if now_light && looks_right(&edges) {
                    work += self.examine(&edges, y as i32, found);
                }
            }
        }
        work
    }

    /// Checks what looked right in a row, and adds it or counts it to what is known already.
    fn examine(&self, edges: &[i32; 6], y: i32, found: &mut Vec<Finder>) -> usize {
        let x = i32::midpoint(edges[2], edges[3]);
        let here = point(x as f32, y as f32);
        let recent = found.len().saturating_sub(RECENT);
        let known = found.iter_mut().skip(recent).rev().find(|finder| {
            let off = here - finder.centre;
            off.x.abs() < finder.across * 1.5 && off.y.abs() < finder.down * 1.7
        });
        if let Some(finder) = known {
            finder.rows += 1.0;
            return 1;
        }
        if found.len() >= MOST {
            return 1;
        }
        let chord = edges[5] - edges[0];
        found.extend(self.verified(x, y, chord));
        4 * chord.unsigned_abs() as usize + found.len().min(RECENT) / 8
    }

    fn verified(&self, x: i32, y: i32, chord: i32) -> Option<Finder> {
        let longest = chord * 3;
        let vertical = self.cross((x, y), (0, 1), longest)?;
        let (centre_y, down, off_down) = measure(&vertical, 1.0)?;
        let middle_y = y + centre_y.round() as i32;
        let horizontal = self.cross((x, middle_y), (1, 0), longest)?;
        let (centre_x, across, off_across) = measure(&horizontal, 1.0)?;
        if across.max(down) > MOST_OBLONG * across.min(down) {
            return None;
        }
        let middle = (x + centre_x.round() as i32, middle_y);
        let diagonals = [(1, 1), (1, -1)].map(|way| {
            let edges = self.cross(middle, way, longest)?;
            measure(&edges, DIAGONAL_LENIENCY).map(|(_, _, off)| off)
        });
        diagonals.iter().flatten().next()?;
        let diagonal: f32 = diagonals.iter().map(|off| off.unwrap_or(NO_DIAGONAL)).sum();
        Some(Finder {
            centre: point(x as f32 + centre_x + 0.5, y as f32 + centre_y + 0.5),
            module: (across * down).sqrt(),
            deviation: off_across + off_down + 0.4 * diagonal,
            across,
            down,
            rows: 1.0,
        })
    }

    /// The six edges on a line through a dark middle, relative to the middle, in steps.
    fn cross(&self, (x, y): (i32, i32), (dx, dy): (i32, i32), longest: i32) -> Option<[i32; 6]> {
        let mut edges = [0; 6];
        for (sign, slots) in [(-1, [2, 1, 0]), (1, [3, 4, 5])] {
            let mut at = 0;
            let mut dark = true;
            for slot in slots {
                while self.dark(x + sign * at * dx, y + sign * at * dy) == dark {
                    at += 1;
                    if at > longest {
                        return None;
                    }
                }
                dark = !dark;
                // Edges lie between pixels: before the first pixel of a run to the right, after the last to the left.
                edges[slot] = if sign > 0 { at } else { 1 - at };
            }
        }
        Some(edges)
    }
}

/// A first, cheap look at the runs of a row.
fn looks_right(edges: &[i32; 6]) -> bool {
    let [a, b, c, d, e, f] = *edges;
    let (middle, left, right) = (d - c, c - b, e - d);
    let chord = f - a;
    chord >= SHORTEST_CHORD
        && middle > left
        && middle > right
        && middle >= b - a
        && middle >= f - e
        && 5 * middle > chord
        && 7 * middle < 5 * chord
        && measure(edges, 1.0).is_some()
}

/// Where the middle is, how large a module, and how far the runs are from the ideal in modules; none when too far.
fn measure(edges: &[i32; 6], leniency: f32) -> Option<(f32, f32, f32)> {
    let [a, b, c, d, e, f] = edges.map(|edge| edge as f32);
    let module = (f - a) / 7.0;
    let twos = [c - a, f - d].map(|found| (found - 2.0 * module).abs());
    let fours = [d - b, e - c].map(|found| (found - 4.0 * module).abs());
    let right = twos.iter().all(|&off| off < leniency * (SLACK_OF_TWO * module + 0.7))
        && fours.iter().all(|&off| off < leniency * (SLACK_OF_FOUR * module + 0.7))
        && d - c > 1.2 * module;
    let off = twos.iter().chain(&fours).sum::<f32>() / module;
    // The middle of the whole and of the core, which agree in a square seen without perspective.
    let centre = (a + b + c + d + e + f) / 6.0 - 0.5;
    right.then_some((centre, module, off))
}

#[cfg(test)]
mod tests {
    use super::super::binary::Rule;
    use super::super::picture::View;
    use super::*;

    /// A sheet with a finder pattern turned by `angle`, its middle at (60, 50).
    fn sheet(module: f32, angle: f32, inverted: bool) -> Vec<u8> {
        let (sin, cos) = angle.sin_cos();
        (0..120 * 100)
            .map(|i| ((i % 120) as f32 + 0.5 - 60.0, (i / 120) as f32 + 0.5 - 50.0))
            .map(|(x, y)| ((x * cos + y * sin) / module, (y * cos - x * sin) / module))
            .map(|(u, v)| u.abs().max(v.abs()))
            .map(|ring| ring < 1.5 || (2.5..3.5).contains(&ring))
            .map(|dark| if dark == inverted { 200 } else { 40 })
            .collect()
    }

    #[test]
    fn a_finder_pattern_is_found_however_it_is_turned() {
        for (module, angle, inverted) in
            [(2.0, 0.0, false), (3.0, 0.4, false), (4.0, 0.785, true), (2.5, 1.2, true), (5.0, 0.1, false)]
        {
            let luma = sheet(module, angle, inverted);
            let mut bits = Bits::default();
            bits.fill(View { luma: &luma, width: 120, height: 100, stride: 120 }, Rule::Between);
            let mut found = Vec::new();
            search(&bits, 1, inverted, u64::MAX, &mut found);
            let near = found.iter().any(|finder| (finder.centre - point(60.0, 50.0)).length() < 0.8);
            assert!(near, "{module} {angle} {found:?}");
        }
    }
}
