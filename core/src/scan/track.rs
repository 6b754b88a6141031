//! Timing patterns (ISO/IEC 18004, 6.3.5) as rulers: the alternating modules between two finder patterns are followed one
//! by one, which tells how a folded or curved paper departs from flat along its left and its upper side. A fold runs from
//! side to side, so what is learnt at one side is a good guess for the whole row or column.

use super::geometry::{Homography, Point, point};
use super::locate::{Corners, Grey};

/// Displacements from the flat map along both timing patterns, in pixels, one for each module of a side.
#[derive(Debug, Clone)]
pub(super) struct Rulers {
    columns: Vec<Point>,
    rows: Vec<Point>,
}

/// A ruler that ends farther from the other finder pattern than this, in modules, has lost count.
const LOST: f32 = 0.8;

/// Where a module is looked for, in modules from where the last one points to.
const OFFSETS: [f32; 5] = [-0.3, -0.15, 0.0, 0.15, 0.3];

/// What a module's distance from the expected place costs, of the contrast to the modules beside it.
const DISTANCE_COST: f32 = 0.4;

/// How much of the newest step goes into the expected one.
const ADAPTION: f32 = 0.25;

/// Departures of fewer modules are as well left to alignment patterns.
const NOTABLE: f32 = 0.4;

impl Rulers {
    /// Follows both timing patterns; none when neither can be followed to its end, or the paper is flat as far as they
    /// can tell. Adds its work in samples.
    pub(super) fn follow(
        grey: Grey<'_>,
        corners: &Corners,
        map: &Homography,
        side: usize,
        work: &mut usize,
    ) -> Option<Self> {
        // From the first timing module beside the corner's finder pattern, over side − 16 of them, to beyond the last.
        let modules = side - 16;
        *work += 2 * modules * OFFSETS.len() * OFFSETS.len() * 3;
        let start = corners.corner;
        let right = walk(grey, start.at(5.0, 3.0), start.u, start.v, corners.right.at(-5.0, 3.0), modules);
        let down = walk(grey, start.at(3.0, 5.0), start.v, start.u, corners.below.at(3.0, -5.0), modules);
        let columns = right.map(|path| departures(&path, side, |at| map.at(point(at, 6.5))));
        let rows = down.map(|path| departures(&path, side, |at| map.at(point(6.5, at))));
        let module = start.u.length().min(start.v.length());
        let notable =
            [&columns, &rows].into_iter().flatten().flatten().any(|off| off.length() > NOTABLE * module);
        notable.then(|| Self { columns: columns.unwrap_or_default(), rows: rows.unwrap_or_default() })
    }

    /// The displacement to expect at a place in modules.
    pub(super) fn at(&self, module: Point) -> Point {
        along(&self.columns, module.x) + along(&self.rows, module.y)
    }
}

fn along(departures: &[Point], at: f32) -> Point {
    let last = departures.len().saturating_sub(1);
    departures.get((at.max(0.0) as usize).min(last)).copied().unwrap_or_default()
}

/// Places of timing modules, the first at `start`; none when the walk does not end at `end`.
fn walk(
    grey: Grey<'_>,
    start: Point,
    step: Point,
    beside: Point,
    end: Point,
    modules: usize,
) -> Option<Vec<Point>> {
    let mut path = vec![start];
    let mut step = step;
    let mut at = start;
    for index in 1..modules {
        // The first timing module is dark, as those at even places.
        let sign = if index % 2 == 0 { -1.0 } else { 1.0 };
        let expected = at + step;
        let mut best = (f32::MIN, expected);
        for forth in OFFSETS {
            for aside in OFFSETS {
                let place = expected + step * forth + beside * aside;
                let between = f32::midpoint(grey.at(place - step), grey.at(place + step));
                let contrast = sign * (grey.at(place) - between);
                let score = contrast * (1.0 - DISTANCE_COST * (forth * forth + aside * aside).sqrt());
                if score > best.0 {
                    best = (score, place);
                }
            }
        }
        step = step * (1.0 - ADAPTION) + (best.1 - at) * ADAPTION;
        at = best.1;
        path.push(at);
    }
    ((at - end).length() < LOST * step.length()).then_some(path)
}

/// How far each place of a path is from where the flat map has it, for each module of the side: the path begins at
/// module 8, and before and after it the departure stays what it was.
fn departures(path: &[Point], side: usize, flat: impl Fn(f32) -> Point) -> Vec<Point> {
    let off: Vec<Point> =
        path.iter().enumerate().map(|(index, &place)| place - flat(index as f32 + 8.5)).collect();
    // A mean of three takes the grid of offsets out.
    let smooth = |index: usize| {
        let window = off.get(index.saturating_sub(1)..(index + 2).min(off.len())).unwrap_or_default();
        window.iter().fold(Point::default(), |sum, &each| sum + each) * (1.0 / window.len().max(1) as f32)
    };
    let last = off.len().saturating_sub(1);
    (0..side).map(|module| smooth(module.saturating_sub(8).min(last))).collect()
}
