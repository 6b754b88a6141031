//! From three finder patterns to a symbol's outline: the exact place, size and slant of each finder pattern from its
//! edges on the grey picture, the version that fits between them, and the projective map of a flat symbol.

use super::geometry::{Frame2, Homography, LinearFit, Pair, Point, point};
use super::picture::View;
use super::symbol::tables::{VERSIONS, side, version_word};
use super::triple::Triple;

/// A grey picture with its polarity: dark modules have small values, also where the symbol is light on dark.
#[derive(Clone, Copy)]
pub(super) struct Grey<'a> {
    pub(super) view: View<'a>,
    pub(super) inverted: bool,
}

impl Grey<'_> {
    pub(super) fn at(&self, place: Point) -> f32 {
        let value = self.view.at(place);
        if self.inverted { 255.0 - value } else { value }
    }
}

/// The three finder patterns of a symbol, measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Corners {
    pub(super) corner: Frame2,
    pub(super) right: Frame2,
    pub(super) below: Frame2,
    /// How light the light ring is between the dark core (0) and the paper around (1), on the mean: blur darkens it.
    pub(super) sharpness: f32,
    /// Modules a side by the distances and module sizes, not yet rounded to a version's.
    pub(super) side: f32,
}

/// Rays to each of four sides of a finder pattern, by their distance from its middle in modules. All start in the core.
const RAYS: [f32; 5] = [-1.1, -0.6, 0.0, 0.6, 1.1];

/// Steps of a ray to a module, and steps of a ray: it reaches 5.5 modules.
const STEPS_A_MODULE: f32 = 5.0;
const STEPS: usize = 28;

/// Edges that a ray from the middle crosses, in modules.
const EDGES: [f32; 3] = [1.5, 2.5, 3.5];

/// Where the light ring's brightest step may be, and how far from one extreme the next one may be, in steps.
const RING: std::ops::Range<usize> = 6..15;
const NEXT: usize = 9;

/// Grey levels that ring and core must differ by at least.
const LEAST_CONTRAST: f32 = 3.0;

/// An edge farther than this from where the fit has it, in modules, is something else.
const OUTLIER: f32 = 0.5;

/// Edges that a side pair needs for its fit to mean something, of 30.
const LEAST_EDGES: usize = 12;

/// How much the two estimates of a symbol's side may differ.
const MOST_UNEVEN: f32 = 1.35;

/// Measures the finder patterns of `triple` on the grey picture; none when they are no finder patterns or do not fit
/// together. Adds its work in samples.
pub(super) fn measure(grey: Grey<'_>, triple: &Triple, work: &mut usize) -> Option<Corners> {
    let across = triple.right - triple.corner;
    let down = triple.below - triple.corner;
    let direction = across * (1.0 / across.length());
    // A chord along the rows of pixels is longer than a side of a turned square.
    let module = triple.module * direction.x.abs().max(direction.y.abs());
    let u = direction * module;
    let v = down * (module / down.length());
    let mut sharpness = 0.0;
    let mut fit = |centre| {
        let [u, v] = [paced(grey, centre, u, work)?, paced(grey, centre, v, work)?];
        *work += 2 * 4 * RAYS.len() * STEPS;
        let first = edges(grey, Frame2 { centre, u, v })?;
        let (frame, sharp) = edges(grey, first.0)?;
        sharpness += sharp / 3.0;
        Some(frame)
    };
    let [corner, right, below] = [fit(triple.corner)?, fit(triple.right)?, fit(triple.below)?];
    // Along a line in perspective, the distance of two places is that in modules times the geometric mean of the module
    // at both.
    let wide = (right.centre - corner.centre).length() / (corner.u.length() * right.u.length()).sqrt();
    let high = (below.centre - corner.centre).length() / (corner.v.length() * below.v.length()).sqrt();
    let fits = wide < MOST_UNEVEN * high && high < MOST_UNEVEN * wide;
    fits.then_some(Corners { corner, right, below, sharpness, side: 7.0 + f32::midpoint(wide, high) })
}

/// Module lengths that a direction is tried with, as parts of the chord's: a tilt shortens one direction.
const PACES: [f32; 4] = [1.0, 0.7, 0.5, 1.35];

/// How far the three edges of a ray may be from their places, in modules, all together; and so near that no other length
/// needs a try.
const UNPACED: f32 = 1.3;
const PACED: f32 = 0.35;

/// `along` with the length of a module in that direction, by the ray whose edges are nearest to where they should be.
fn paced(grey: Grey<'_>, centre: Point, along: Point, work: &mut usize) -> Option<Point> {
    let mut best: Option<(f32, Point)> = None;
    for pace in PACES {
        let module = along * pace;
        *work += 2 * STEPS;
        let (mut length, mut rays, mut off) = (0.0, 0.0, 0.0);
        for way in [module, module * -1.0] {
            let Some((found, _)) = crossed(grey, centre, way) else { continue };
            // A middle that is off lengthens one ray and shortens the other; differences of edges do not mind.
            let unit = (found[2] - found[0]) / 2.0;
            off += ((found[1] - found[0]) / unit - 1.0).abs() + (found[0] / unit - 1.5).abs();
            length += found.iter().sum::<f32>() / EDGES.iter().sum::<f32>();
            rays += 1.0;
        }
        if rays == 0.0 {
            continue;
        }
        let off = off / rays + 0.2 * (2.0 - rays);
        if best.is_none_or(|(least, _)| off < least) {
            best = Some((off, module * (length / rays)));
        }
        if off < PACED {
            break;
        }
    }
    best.filter(|(off, _)| *off < UNPACED).map(|(_, module)| module)
}

/// Fits a frame to the edges of a finder pattern that is about where `guess` has it.
fn edges(grey: Grey<'_>, guess: Frame2) -> Option<(Frame2, f32)> {
    let mut crossings = [(Point::default(), 0_usize, 0.0_f32); 4 * RAYS.len() * EDGES.len()];
    let mut count = 0;
    let mut sharpness = 0.0;
    let mut rays = 0.0_f32;
    for (axis, sign) in [(0, 1.0), (0, -1.0), (1, 1.0), (1, -1.0)] {
        let (along, beside) = if axis == 0 { (guess.u, guess.v) } else { (guess.v, guess.u) };
        let along = along * sign;
        for offset in RAYS {
            let start = guess.centre + beside * offset;
            let Some((found, sharp)) = crossed(grey, start, along) else { continue };
            sharpness += sharp;
            rays += 1.0;
            for (distance, edge) in found.into_iter().zip(EDGES) {
                *crossings.get_mut(count)? = (start + along * distance - guess.centre, axis, sign * edge);
                count += 1;
            }
        }
    }
    let crossings = crossings.get(..count)?;
    let solve = |axis, trusted: &dyn Fn(Point, f32) -> bool| {
        let mut fit = LinearFit::default();
        let mut used = 0;
        for &(place, _, edge) in
            crossings.iter().filter(|(place, of, edge)| *of == axis && trusted(*place, *edge))
        {
            fit.add(place, edge);
            used += 1;
        }
        if used < LEAST_EDGES { None } else { fit.solve() }
    };
    let robust = |axis| {
        let first = solve(axis, &|_, _| true)?;
        let [a, b, c] = first;
        solve(axis, &|place: Point, edge| (a * place.x + b * place.y + c - edge).abs() < OUTLIER)
            .or(Some(first))
    };
    let [a, b, c] = robust(0)?;
    let [d, e, f] = robust(1)?;
    let determinant = a * e - b * d;
    // A module of thousands of pixels, or of none.
    if determinant.abs() < 1e-6 {
        return None;
    }
    let u = point(e, -d) * (1.0 / determinant);
    let v = point(-b, a) * (1.0 / determinant);
    let frame = Frame2 { centre: guess.centre - u * c - v * f, u, v };
    let sane = [u, v].iter().all(|side| (0.5..200.0).contains(&side.length()))
        && (frame.centre - guess.centre).length() < 2.0 * (u.length() + v.length());
    sane.then_some((frame, sharpness / rays))
}

/// Distances in modules at which a ray from the core leaves it, leaves the light ring and leaves the pattern; with how
/// light the ring is between core and paper.
fn crossed(grey: Grey<'_>, start: Point, module: Point) -> Option<([f32; 3], f32)> {
    let step = module * (1.0 / STEPS_A_MODULE);
    let profile: [f32; STEPS] = std::array::from_fn(|index| grey.at(start + step * index as f32));
    let core = profile.iter().take(4).sum::<f32>() / 4.0;
    let ring = extreme(&profile, RING, |a, b| a > b)?;
    let rim = extreme(&profile, ring + 1..ring + NEXT, |a, b| a < b)?;
    let paper = extreme(&profile, rim + 1..rim + NEXT, |a, b| a > b)?;
    let [light, dark, white] = [*profile.get(ring)?, *profile.get(rim)?, *profile.get(paper)?];
    if light - core < LEAST_CONTRAST || light - dark < LEAST_CONTRAST || white - dark < LEAST_CONTRAST {
        return None;
    }
    let out = [
        crossing(&profile, 0..ring, f32::midpoint(core, light))?,
        crossing(&profile, ring..rim, f32::midpoint(light, dark))?,
        crossing(&profile, rim..paper, f32::midpoint(dark, white))?,
    ];
    Some((out.map(|at| at / STEPS_A_MODULE), (light - core) / (white - core).max(LEAST_CONTRAST)))
}

/// The first step in a range that no other surpasses.
fn extreme(
    profile: &[f32; STEPS],
    range: std::ops::Range<usize>,
    better: fn(f32, f32) -> bool,
) -> Option<usize> {
    let start = range.start;
    let steps = profile.get(range.start..range.end.min(STEPS))?;
    let mut best = steps.first().map(|&value| (0, value))?;
    for (index, &value) in steps.iter().enumerate() {
        if better(value, best.1) {
            best = (index, value);
        }
    }
    Some(start + best.0)
}

/// Where the profile crosses a level for the first time, between steps.
fn crossing(profile: &[f32; STEPS], range: std::ops::Range<usize>, level: f32) -> Option<f32> {
    let start = range.start;
    let steps = profile.get(range.start..=range.end)?;
    let at = steps
        .windows(2)
        .position(|pair| (pair[0] - level) * (pair[1] - level) <= 0.0 && (pair[0] - pair[1]).abs() > 0.0)?;
    let (before, after) = (*steps.get(at)?, *steps.get(at + 1)?);
    Some((start + at) as f32 + (level - before) / (after - before))
}

/// Versions that are tried for one symbol.
pub(super) const VERSION_TRIES: usize = 3;

/// The first version that has version information, bits in which it may differ from what is read (7.10: its code corrects
/// three), and bits in which nearly all that is no version information differs, of 18.
const FIRST_THAT_TELLS: u8 = 7;
const MOST_VERSION_ERRORS: u32 = 3;
const CHANCE_ERRORS: u32 = 5;

impl Corners {
    /// The map of a flat symbol of this version, by the corners of its finder patterns.
    pub(super) fn map(&self, version: u8) -> Option<Homography> {
        self.map_with(version, &[])
    }

    /// The same, with other places known besides.
    pub(super) fn map_with(&self, version: u8, others: &[Pair]) -> Option<Homography> {
        let side = side(version) as f32;
        let middles = [(self.corner, 3.5, 3.5), (self.right, side - 3.5, 3.5), (self.below, 3.5, side - 3.5)];
        let half = 3.5;
        let mut pairs =
            [Pair { module: Point::default(), pixel: Point::default(), weight: 1.0 }; 12 + MOST_OTHERS];
        let corners = middles.iter().flat_map(|&(frame, x, y)| {
            [(-half, -half), (half, -half), (-half, half), (half, half)].map(|(u, v)| Pair {
                module: point(x + u, y + v),
                pixel: frame.at(u, v),
                weight: 1.0,
            })
        });
        let mut count = 0;
        for (slot, pair) in pairs.iter_mut().zip(corners.chain(others.iter().copied())) {
            *slot = pair;
            count += 1;
        }
        Homography::fit(pairs.get(..count)?, point(side / 2.0, side / 2.0))
    }

    /// Versions by how well they explain the picture, best first, with how well: version information read beside the
    /// finder patterns, and the timing pattern between them.
    pub(super) fn versions(&self, grey: Grey<'_>) -> [Option<(u8, f32)>; VERSION_TRIES] {
        let about = (self.side - 17.0) / 4.0;
        // The larger the symbol, the more versions lie within the uncertainty of its side.
        let reach = 0.8 + 0.05 * about;
        let told = [self.version_beside(grey, false), self.version_beside(grey, true)];
        let mut best = [None; VERSION_TRIES];
        for version in 1..=VERSIONS {
            let off = (f32::from(version) - about).abs();
            let errors = told.map(|word| (version_word(version) ^ word).count_ones());
            let tells = version >= FIRST_THAT_TELLS;
            let named = if tells {
                errors.iter().filter(|&&errors| errors <= MOST_VERSION_ERRORS).count()
            } else {
                0
            };
            let denied = tells && errors.iter().all(|&errors| errors > CHANCE_ERRORS);
            if denied || off > reach && (named == 0 || off > 3.0 * reach) {
                continue;
            }
            let Some(map) = self.map(version) else { continue };
            let score = timing(grey, &map, side(version)) + 0.4 * named as f32 - 0.15 * off / reach;
            let mut candidate = Some((version, score));
            for slot in &mut best {
                if candidate.is_some_and(|(_, score)| slot.is_none_or(|(_, other)| score > other)) {
                    std::mem::swap(slot, &mut candidate);
                }
            }
        }
        best
    }

    /// The version information beside the right-hand finder pattern, or above the lower one (7.10, figures 27 and 28).
    fn version_beside(&self, grey: Grey<'_>, lower: bool) -> u32 {
        let mut values = [0.0; 18];
        for (bit, value) in values.iter_mut().enumerate() {
            // Three modules next to the light border, six along the finder pattern.
            let (near, along) = (-7.0 + (bit % 3) as f32, -3.0 + (bit / 3) as f32);
            *value = grey.at(if lower { self.below.at(along, near) } else { self.right.at(near, along) });
        }
        let mean = values.iter().sum::<f32>() / 18.0;
        values.iter().enumerate().fold(0, |word, (bit, &value)| word | u32::from(value < mean) << bit)
    }
}

/// Places known besides the finder patterns' corners, at most.
const MOST_OTHERS: usize = 4;

/// How well the timing patterns (6.3.5) alternate where the map has them: 1 is perfect, 0 is chance.
pub(super) fn timing(grey: Grey<'_>, map: &Homography, side: usize) -> f32 {
    let (mut signed, mut total) = (0.0, f32::EPSILON);
    for down in [false, true] {
        let mut before = None;
        for index in 6..side - 6 {
            let along = index as f32 + 0.5;
            let value = grey.at(map.at(if down { point(6.5, along) } else { point(along, 6.5) }));
            if let Some(before) = before {
                // Even modules are dark: the value rises towards odd ones.
                let rise: f32 = value - before;
                signed += if index % 2 == 1 { rise } else { -rise };
                total += rise.abs();
            }
            before = Some(value);
        }
    }
    signed / total
}
