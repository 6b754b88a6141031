//! From a flat map to the paper as it lies: alignment patterns (ISO/IEC 18004, 6.3.6) are looked for on the grey picture,
//! and how far each is from where the flat map has it bends the map piecewise between them.

use super::geometry::{Homography, Pair, Point, point};
use super::locate::{Corners, Grey, timing};
use super::symbol::tables::{MOST_ALIGNMENTS, alignments, side};
use super::track::Rulers;

/// Most nodes of a mesh a side: one every four modules of version 40.
const MOST_NODES: usize = 46;

/// Where each module of a symbol is in the picture: a flat map, and displacements in pixels at the nodes of a lattice.
#[derive(Debug, Clone)]
pub(super) struct Mesh {
    pub(super) side: usize,
    map: Homography,
    /// Rows and columns of nodes, in modules.
    lines: Vec<f32>,
    /// Displacement of each node, row by row.
    moved: Vec<Point>,
}

/// How alike an alignment pattern's template and the picture must be: 1 is perfect, data modules come to 0.6 by chance.
const ALIKE: f32 = 0.68;

/// So alike that nothing farther away needs a look.
const CERTAIN: f32 = 0.9;

/// What a module's distance from the expected place costs, of that likeness.
const DISTANCE_COST: f32 = 0.03;

/// How far around its expected place an alignment pattern is looked for, in modules: the lower right one, which the
/// finder patterns tell least about, in a small symbol and for each module of its side more; and the others.
const FIRST_REACH: f32 = 2.0;
const FIRST_REACH_A_MODULE: f32 = 0.05;
const REACH: f32 = 1.75;

/// Weight of the lower right alignment pattern among twelve corners of finder patterns.
const FIRST_WEIGHT: f32 = 12.0;

impl Mesh {
    /// A mesh through all alignment patterns that are found. Adds its work in samples to `work`.
    pub(super) fn find(grey: Grey<'_>, corners: &Corners, version: u8, work: &mut usize) -> Option<Self> {
        let side = side(version);
        let (places, count) = alignments(version);
        let mut map = corners.map(version)?;
        let lines: Vec<f32> = places.iter().take(count).map(|&place| place as f32 + 0.5).collect();
        let Some(&last) = lines.last() else {
            let flat = Self { side, map, lines, moved: Vec::new() };
            let rulers = rulers(grey, corners, &map, side, work);
            return Some(match rulers {
                Some(rulers) => flat.bent(&rulers),
                None => flat,
            });
        };
        let reach = FIRST_REACH + FIRST_REACH_A_MODULE * side as f32;
        let mut rulers = rulers(grey, corners, &map, side, work);
        let bent = |rulers: &Option<Rulers>, place| {
            rulers.as_ref().map_or(Point::default(), |rulers| rulers.at(place))
        };
        let far = point(last, last);
        let first = alignment(grey, &map, far, bent(&rulers, far), reach, work);
        if let Some(pixel) = first {
            let flat = pixel - bent(&rulers, far);
            let pair = Pair { module: far, pixel: flat, weight: FIRST_WEIGHT };
            map = corners.map_with(version, &[pair])?;
            if rulers.is_some() {
                rulers = Rulers::follow(grey, corners, &map, side, work);
            }
        }
        let mut found = [[None; MOST_ALIGNMENTS]; MOST_ALIGNMENTS];
        let at_finders = [
            (0, 0, corners.corner.at(3.0, 3.0)),
            (0, count - 1, corners.right.at(-3.0, 3.0)),
            (count - 1, 0, corners.below.at(3.0, -3.0)),
        ];
        let lasting = [first.map(|pixel| (count - 1, count - 1, pixel))];
        for (row, column, pixel) in at_finders.into_iter().chain(lasting.into_iter().flatten()) {
            let place = point(lines[column], lines[row]);
            found[row][column] = Some(pixel - map.at(place) - bent(&rulers, place));
        }
        for (row, column) in diagonals(count) {
            if found[row][column].is_none() {
                let place = point(lines[column], lines[row]);
                let base = bent(&rulers, place);
                let expected = base + near(&found, count, row, column).unwrap_or_default();
                found[row][column] = alignment(grey, &map, place, expected, REACH, work)
                    .map(|pixel| pixel - map.at(place) - base);
            }
        }
        let moved = filled(&found, count);
        let mesh = Self { side, map, lines, moved };
        Some(match rulers {
            Some(rulers) => mesh.bent(&rulers),
            None => mesh,
        })
    }

    /// A mesh with more nodes, bent by what the rulers tell besides.
    fn bent(&self, rulers: &Rulers) -> Self {
        self.with_nodes(BENT_SPACING, |place| self.bend(place) + rulers.at(place))
    }

    /// The same symbol with a node about every `spacing` modules, moved as told.
    fn with_nodes(&self, spacing: f32, moved: impl Fn(Point) -> Point) -> Self {
        let side = self.side as f32;
        let cells = (side / spacing).round().clamp(2.0, (MOST_NODES - 1) as f32);
        let lines: Vec<f32> = (0..=cells as usize).map(|index| index as f32 * side / cells).collect();
        let moved = lines.iter().flat_map(|&y| lines.iter().map(move |&x| point(x, y))).map(moved).collect();
        Self { side: self.side, map: self.map, lines, moved }
    }

    /// The pixel of a place in modules.
    pub(super) fn at(&self, module: Point) -> Point {
        self.map.at(module) + self.bend(module)
    }

    /// How far the paper is from flat at a place; linear beyond the outermost nodes.
    fn bend(&self, module: Point) -> Point {
        let count = self.lines.len();
        let (column, right) = self.cell(module.x);
        let (row, down) = self.cell(module.y);
        let node =
            |row: usize, column: usize| self.moved.get(row * count + column).copied().unwrap_or_default();
        let upper = node(row, column) * (1.0 - right) + node(row, column + 1) * right;
        let lower = node(row + 1, column) * (1.0 - right) + node(row + 1, column + 1) * right;
        upper * (1.0 - down) + lower * down
    }

    /// The node before a coordinate, and how far it is towards the next.
    fn cell(&self, at: f32) -> (usize, f32) {
        let last = self.lines.len().saturating_sub(2);
        let before = self.lines.iter().skip(1).take(last).take_while(|&&line| line <= at).count();
        match (self.lines.get(before), self.lines.get(before + 1)) {
            (Some(&from), Some(&to)) => (before, (at - from) / (to - from)),
            _ => (0, 0.0),
        }
    }

    /// Calls `each` with row, column and pixel of every module, row by row.
    pub(super) fn each_module(&self, mut each: impl FnMut(Point)) {
        let columns: Vec<(usize, f32)> =
            (0..self.side).map(|column| self.cell(column as f32 + 0.5)).collect();
        let count = self.lines.len();
        let mut across = [Point::default(); MOST_NODES];
        for row in 0..self.side {
            let y = row as f32 + 0.5;
            let (above, down) = self.cell(y);
            for (column, slot) in across.iter_mut().enumerate().take(count) {
                let node = |row: usize| self.moved.get(row * count + column).copied().unwrap_or_default();
                *slot = node(above) * (1.0 - down) + node(above + 1) * down;
            }
            for (column, &(before, right)) in columns.iter().enumerate() {
                let flat = self.map.at(point(column as f32 + 0.5, y));
                let [from, to] = [before, before + 1].map(|at| across.get(at).copied().unwrap_or_default());
                each(flat + from * (1.0 - right) + to * right);
            }
        }
    }

    /// The length of a module in pixels, at the symbol's middle.
    pub(super) fn module(&self) -> f32 {
        let middle = self.side as f32 / 2.0;
        let around = self.map.around(point(middle, middle));
        f32::midpoint(around.u.length(), around.v.length())
    }

    /// A mesh with more nodes, each moved to where the modules around it are most clearly dark or light: sampled at their
    /// middles they are, sampled at their edges they are grey. Follows curves and folds between alignment patterns.
    pub(super) fn refined(&self, grey: Grey<'_>, work: &mut usize) -> Self {
        let mut mesh = self.with_nodes(NODE_SPACING, |place| self.bend(place));
        for step in REFINING_STEPS {
            for row in 0..mesh.lines.len() {
                for column in 0..mesh.lines.len() {
                    mesh.settle(grey, row, column, step, work);
                }
            }
        }
        mesh
    }

    /// What `refined` costs at most, in samples.
    pub(super) fn refining(&self) -> usize {
        // Each node is judged five times a pass, by half of the modules around it.
        let nodes = (self.side as f32 / NODE_SPACING + 1.5) as usize;
        let around = (1.6 * NODE_SPACING) as usize + 1;
        nodes * nodes * REFINING_STEPS.len() * 5 * around * around / 2
    }

    /// Moves one node by at most `step` modules each way.
    fn settle(&mut self, grey: Grey<'_>, row: usize, column: usize, step: f32, work: &mut usize) {
        let node = row * self.lines.len() + column;
        let (Some(&x), Some(&y), Some(&start)) =
            (self.lines.get(column), self.lines.get(row), self.moved.get(node))
        else {
            return;
        };
        let around = self.map.around(point(x, y));
        let mut best = (self.clarity(grey, x, y, work) * RELUCTANCE, start);
        for (du, dv) in [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)] {
            let moved = start + (around.u * du + around.v * dv) * step;
            self.put(node, moved);
            let clarity = self.clarity(grey, x, y, work);
            if clarity > best.0 {
                best = (clarity, moved);
            }
        }
        self.put(node, best.1);
    }

    fn put(&mut self, node: usize, moved: Point) {
        if let Some(slot) = self.moved.get_mut(node) {
            *slot = moved;
        }
    }

    /// How much the modules around a node differ from their mean; every second one in each direction, like a chessboard.
    fn clarity(&self, grey: Grey<'_>, x: f32, y: f32, work: &mut usize) -> f32 {
        let range = |at: f32| {
            let from = (at - NODE_SPACING * 0.8).max(0.0) as usize;
            from..((at + NODE_SPACING * 0.8) as usize).min(self.side)
        };
        let (mut count, mut sum, mut squares) = (0.0_f32, 0.0, 0.0);
        for row in range(y) {
            for column in range(x).skip(row % 2).step_by(2) {
                let value = grey.at(self.at(point(column as f32 + 0.5, row as f32 + 0.5)));
                count += 1.0;
                sum += value;
                squares += value * value;
            }
        }
        *work += count as usize;
        squares - sum * sum / count.max(1.0)
    }
}

/// Follows the timing patterns, unless the flat map has them so well that nothing can be learnt from them.
fn rulers(
    grey: Grey<'_>,
    corners: &Corners,
    map: &Homography,
    side: usize,
    work: &mut usize,
) -> Option<Rulers> {
    *work += 2 * side;
    if timing(grey, map, side) > FLAT { None } else { Rulers::follow(grey, corners, map, side, work) }
}

/// Timing patterns that alternate so clearly under a flat map leave nothing to bend.
const FLAT: f32 = 0.95;

/// Modules from a node of a bent mesh to the next.
const BENT_SPACING: f32 = 4.0;

/// Modules from a node of a refined mesh to the next.
const NODE_SPACING: f32 = 6.0;

/// Steps by which nodes are moved, in modules, one pass each.
const REFINING_STEPS: [f32; 6] = [0.4, 0.4, 0.4, 0.25, 0.25, 0.15];

/// A node moves only for a gain of more than this: noise has no preference.
const RELUCTANCE: f32 = 1.02;

/// Nodes in order of their distance from the symbol's corner, so that each has neighbours that are known.
fn diagonals(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..2 * count).flat_map(move |sum| {
        (0..count)
            .filter_map(move |row| sum.checked_sub(row).filter(|&column| column < count).map(|c| (row, c)))
    })
}

type Found = [[Option<Point>; MOST_ALIGNMENTS]; MOST_ALIGNMENTS];

/// The mean displacement of the nodes beside one; of nodes farther away when none is known.
fn near(found: &Found, count: usize, row: usize, column: usize) -> Option<Point> {
    (1..count).find_map(|reach| {
        let (mut sum, mut known) = (Point::default(), 0.0);
        for (y, line) in found.iter().enumerate().take(count) {
            for (x, node) in line.iter().enumerate().take(count) {
                if let Some(moved) = node.filter(|_| y.abs_diff(row).max(x.abs_diff(column)) <= reach) {
                    sum = sum + moved;
                    known += 1.0;
                }
            }
        }
        (known > 0.0).then(|| sum * (1.0 / known))
    })
}

/// All nodes, with those that were not found between their neighbours.
fn filled(found: &Found, count: usize) -> Vec<Point> {
    (0..count * count)
        .map(|index| (index / count, index % count))
        .map(|(row, column)| {
            found[row][column].or_else(|| near(found, count, row, column)).unwrap_or_default()
        })
        .collect()
}

/// Looks for an alignment pattern around where the map and the expected displacement have it; its middle.
fn alignment(
    grey: Grey<'_>,
    map: &Homography,
    module: Point,
    expected: Point,
    reach: f32,
    work: &mut usize,
) -> Option<Point> {
    /// First steps, then finer ones around the best place, in modules.
    const COARSE: f32 = 0.5;
    const FINE: [f32; 2] = [0.25, 0.125];
    let mut around = map.around(module);
    around.centre = around.centre + expected;
    let steps = (reach / COARSE) as i32;
    let mut best = (f32::MIN, 0.0, 0.0);
    let mut consider = |best: &mut (f32, f32, f32), u: f32, v: f32| {
        *work += 25;
        let score =
            likeness(grey, around.at(u, v), around.u, around.v) - DISTANCE_COST * (u * u + v * v).sqrt();
        if score > best.0 {
            *best = (score, u, v);
        }
    };
    for ring in 0..=steps {
        for down in -ring..=ring {
            // Whole rows at the top and at the bottom of a ring, and its two sides between.
            let stride = if down.abs() == ring { 1 } else { 2 * ring };
            for across in (-ring..=ring).step_by(stride.max(1) as usize) {
                consider(&mut best, across as f32 * COARSE, down as f32 * COARSE);
            }
        }
        if best.0 > CERTAIN {
            break;
        }
    }
    for step in FINE {
        let (_, u, v) = best;
        for (du, dv) in [(-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)] {
            consider(&mut best, u + du as f32 * step, v + dv as f32 * step);
        }
    }
    (best.0 > ALIKE).then(|| around.at(best.1, best.2))
}

/// How alike the picture is to an alignment pattern with its middle here: correlation over its 25 modules.
fn likeness(grey: Grey<'_>, middle: Point, u: Point, v: Point) -> f32 {
    const LIGHT: f32 = 8.0;
    const ALL: f32 = 25.0;
    let (mut light, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for row in -2_i8..=2 {
        for column in -2_i8..=2 {
            let value = grey.at(middle + u * f32::from(column) + v * f32::from(row));
            if row.abs().max(column.abs()) == 1 {
                light += value;
            }
            sum += value;
            squares += value * value;
        }
    }
    let variance = squares - sum * sum / ALL;
    let template = LIGHT - LIGHT * LIGHT / ALL;
    (light - sum * LIGHT / ALL) / (variance * template).sqrt().max(1.0)
}
