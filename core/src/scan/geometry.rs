//! Points, and the two maps that the scanner needs: an affine one for the small surroundings of a finder pattern and a
//! projective one for a whole flat symbol.

use std::ops::{Add, Mul, Sub};

/// A place or a displacement; pixels of some picture, or modules of a symbol. The centre of the top left pixel is
/// (0.5, 0.5).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Point {
    pub(super) x: f32,
    pub(super) y: f32,
}

pub(super) fn point(x: f32, y: f32) -> Point {
    Point { x, y }
}

impl Add for Point {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        point(self.x + other.x, self.y + other.y)
    }
}

impl Sub for Point {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        point(self.x - other.x, self.y - other.y)
    }
}

impl Mul<f32> for Point {
    type Output = Self;
    fn mul(self, factor: f32) -> Self {
        point(self.x * factor, self.y * factor)
    }
}

impl Point {
    pub(super) fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y
    }

    /// Positive when `other` lies clockwise of this one on the screen, where y grows downwards.
    pub(super) fn cross(self, other: Self) -> f32 {
        self.x * other.y - self.y * other.x
    }

    pub(super) fn length(self) -> f32 {
        self.dot(self).sqrt()
    }
}

/// The map near a finder pattern: where its centre is, and how far a module reaches along each side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame2 {
    pub(super) centre: Point,
    pub(super) u: Point,
    pub(super) v: Point,
}

impl Frame2 {
    /// The pixel at `u`, `v` modules from the centre.
    pub(super) fn at(&self, u: f32, v: f32) -> Point {
        self.centre + self.u * u + self.v * v
    }
}

/// One place known in both planes, and how much it counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub(super) module: Point,
    pub(super) pixel: Point,
    pub(super) weight: f32,
}

/// A projective map from modules to pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Homography {
    /// Middle of the symbol in modules: the map is kept relative to it, where its denominator is 1.
    origin: Point,
    rows: [[f32; 3]; 3],
}

/// Unknowns of a projective map.
const UNKNOWNS: usize = 8;

impl Homography {
    /// The map of least squared error over `pairs`, for a symbol with its middle at `origin`; none when the places do not
    /// determine one, for example when they lie on a line.
    pub(super) fn fit(pairs: &[Pair], origin: Point) -> Option<Self> {
        let mut normal = [[0.0_f64; UNKNOWNS + 1]; UNKNOWNS];
        for pair in pairs {
            let [u, v] = [pair.module.x - origin.x, pair.module.y - origin.y].map(f64::from);
            let [x, y] = [pair.pixel.x, pair.pixel.y].map(f64::from);
            let weight = f64::from(pair.weight);
            accumulate(&mut normal, &[u, v, 1.0, 0.0, 0.0, 0.0, -u * x, -v * x, x], weight);
            accumulate(&mut normal, &[0.0, 0.0, 0.0, u, v, 1.0, -u * y, -v * y, y], weight);
        }
        let h = solve(normal)?.map(|value| value as f32);
        let rows = [[h[0], h[1], h[2]], [h[3], h[4], h[5]], [h[6], h[7], 1.0]];
        rows.iter().flatten().all(|value| value.is_finite()).then_some(Self { origin, rows })
    }

    /// The pixel of a place in modules; far away, but never without a number, when it lies behind the camera.
    pub(super) fn at(&self, module: Point) -> Point {
        let p = module - self.origin;
        let [x, y, w] = self.rows.map(|row| row[0] * p.x + row[1] * p.y + row[2]);
        let w = w.max(NEARLY_HORIZON);
        point(x / w, y / w)
    }

    /// How the map looks around a place: the vectors of one module to the right and one down.
    pub(super) fn around(&self, module: Point) -> Frame2 {
        let half = 0.5;
        let [left, right] = [-half, half].map(|d| self.at(module + point(d, 0.0)));
        let [up, down] = [-half, half].map(|d| self.at(module + point(0.0, d)));
        Frame2 { centre: self.at(module), u: right - left, v: down - up }
    }
}

/// Denominators below this are behind the camera, or so far away that a symbol has no pixels there.
const NEARLY_HORIZON: f32 = 0.05;

fn accumulate<const N: usize, const M: usize>(normal: &mut [[f64; M]; N], equation: &[f64; M], weight: f64) {
    for (row, &left) in normal.iter_mut().zip(equation) {
        for (cell, &right) in row.iter_mut().zip(equation) {
            *cell += weight * left * right;
        }
    }
}

/// Solves the N equations whose right-hand sides stand in the last column; none when they are singular.
fn solve<const N: usize, const M: usize>(mut system: [[f64; M]; N]) -> Option<[f64; N]> {
    /// Pivots of normal equations in pixels and modules are far above this unless two unknowns cannot be told apart.
    const SINGULAR: f64 = 1e-9;
    for column in 0..N {
        let pivot =
            (column..N).max_by(|&a, &b| system[a][column].abs().total_cmp(&system[b][column].abs()))?;
        system.swap(column, pivot);
        let lead = system[column];
        if lead[column].abs() < SINGULAR {
            return None;
        }
        for (index, row) in system.iter_mut().enumerate() {
            if index != column {
                let factor = row[column] / lead[column];
                row.iter_mut().zip(&lead).for_each(|(cell, &value)| *cell -= factor * value);
            }
        }
    }
    Some(std::array::from_fn(|index| system[index][N] / system[index][index]))
}

/// Fits `a·x + b·y + c` to values at places, by least squares.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LinearFit {
    normal: [[f64; 4]; 3],
}

impl LinearFit {
    pub(super) fn add(&mut self, place: Point, value: f32) {
        accumulate(&mut self.normal, &[f64::from(place.x), f64::from(place.y), 1.0, f64::from(value)], 1.0);
    }

    /// `[a, b, c]`.
    pub(super) fn solve(&self) -> Option<[f32; 3]> {
        let found = solve(self.normal)?.map(|value| value as f32);
        found.iter().all(|value| value.is_finite()).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_recovered_from_places_that_it_maps() {
        let truth = Homography {
            origin: point(20.0, 20.0),
            rows: [[3.0, 0.5, 400.0], [-0.4, 2.8, 300.0], [0.004, -0.003, 1.0]],
        };
        let pairs: Vec<_> = [(0.0, 0.0), (40.0, 0.0), (0.0, 40.0), (34.0, 34.0), (7.0, 7.0), (33.0, 7.0)]
            .into_iter()
            .map(|(x, y)| Pair { module: point(x, y), pixel: truth.at(point(x, y)), weight: 1.0 })
            .collect();
        let found = Homography::fit(&pairs, truth.origin).unwrap();
        for (x, y) in [(13.0, 31.0), (40.0, 40.0), (25.5, 3.5)] {
            assert!((found.at(point(x, y)) - truth.at(point(x, y))).length() < 0.01);
        }
    }

    #[test]
    fn places_on_a_line_determine_nothing() {
        let pairs = [0.0, 1.0, 2.0, 3.0, 4.0].map(|at| Pair {
            module: point(at, at),
            pixel: point(2.0 * at, 3.0 * at),
            weight: 1.0,
        });
        assert!(Homography::fit(&pairs, point(2.0, 2.0)).is_none());
    }
}
