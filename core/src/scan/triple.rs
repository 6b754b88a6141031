//! Which three finder patterns belong to one symbol: those at the corners of something like a right-angled, isosceles
//! triangle, with modules of one size.

use super::finder::Finder;
use super::geometry::Point;

/// Three finder patterns in the roles that they may have: the middle one of a symbol's three, the next one clockwise
/// (right of it in an upright symbol), and the one below.
#[derive(Debug, Clone, Copy)]
pub(super) struct Triple {
    pub(super) corner: Point,
    pub(super) right: Point,
    pub(super) below: Point,
    /// Modules of the three, in pixels on the mean.
    pub(super) module: f32,
    /// How unlike a symbol's corners they are: 0 is perfect.
    pub(super) penalty: f32,
}

/// Finder patterns that take part, best first: the triples of 24 are looked at in a fraction of a millisecond.
pub(super) const CANDIDATES: usize = 24;

/// The most triples of one look that are measured.
const MOST: usize = 16;

/// |cos| of the angle at the corner. A square seen at a tilt of 58° has angles down to 56°, and near the edge of a picture
/// those of one at 50° come to 45°.
const MOST_SLANTED: f32 = 0.75;

/// Longer to shorter side, and larger to smaller module, at such a tilt.
const MOST_UNEQUAL: f32 = 2.6;
const MOST_UNLIKE: f32 = 2.0;

/// Modules between the middles of two finder patterns: 14 in version 1, 170 in version 40. Chords measure a module up to
/// √2 too large.
const NEAREST: f32 = 9.0;
const FARTHEST: f32 = 190.0;

/// Fills `triples` with the likeliest, best first. Returns the work in triples.
pub(super) fn rank(finders: &[Finder], triples: &mut Vec<Triple>) -> usize {
    triples.clear();
    let finders = finders.get(..CANDIDATES).unwrap_or(finders);
    let mut work = 0;
    for (i, a) in finders.iter().enumerate() {
        for (j, b) in finders.iter().enumerate().skip(i + 1) {
            if a.module.max(b.module) > MOST_UNLIKE * a.module.min(b.module) {
                continue;
            }
            for c in finders.iter().skip(j + 1) {
                work += 1;
                triples.extend([[a, b, c], [b, c, a], [c, a, b]].into_iter().filter_map(judge));
            }
        }
    }
    if triples.len() > MOST {
        triples.select_nth_unstable_by(MOST, |a, b| a.penalty.total_cmp(&b.penalty));
        triples.truncate(MOST);
    }
    triples.sort_unstable_by(|a, b| a.penalty.total_cmp(&b.penalty));
    work
}

fn judge([corner, b, c]: [&Finder; 3]) -> Option<Triple> {
    let (to_b, to_c) = (b.centre - corner.centre, c.centre - corner.centre);
    let (long, short) = (to_b.length().max(to_c.length()), to_b.length().min(to_c.length()));
    let modules = [corner, b, c].map(|finder| finder.module);
    let (small, large) = modules.iter().fold((f32::MAX, 0.0_f32), |(s, l), &m| (s.min(m), l.max(m)));
    let module = modules.iter().sum::<f32>() / 3.0;
    let slant = (to_b.dot(to_c) / (long * short)).abs();
    let possible = short > NEAREST * module
        && long < FARTHEST * module
        && long < MOST_UNEQUAL * short
        && large < MOST_UNLIKE * small
        && slant < MOST_SLANTED;
    if !possible {
        return None;
    }
    let (right, below) = if to_b.cross(to_c) > 0.0 { (b, c) } else { (c, b) };
    let deviations: f32 = [corner, b, c].iter().map(|finder| finder.deviation).sum();
    let penalty = slant + (long / short).ln() + 1.5 * (large / small).ln() + 0.15 * deviations;
    Some(Triple { corner: corner.centre, right: right.centre, below: below.centre, module, penalty })
}

impl Triple {
    /// The same in a picture `factor` times as large.
    pub(super) fn scaled(&self, factor: f32) -> Self {
        Self {
            corner: self.corner * factor,
            right: self.right * factor,
            below: self.below * factor,
            module: self.module * factor,
            penalty: self.penalty,
        }
    }
}
