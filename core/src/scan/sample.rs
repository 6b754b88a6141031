//! From a mesh to the modules: grey values at the middles of modules, thresholds by the modules around, sharpening where
//! the picture is blurred.

use super::geometry::point;
use super::locate::Grey;
use super::mesh::Mesh;
use super::symbol::Modules;

/// How modules are told apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Manner {
    /// Modules on each side of one that its threshold is made of.
    pub(super) reach: usize,
    /// How much of its difference from the four modules beside it is added to a module.
    pub(super) sharpening: f32,
}

/// Modules of at least this many pixels are sampled at five places each, against noise.
const FIVE_POINTS: f32 = 2.6;

/// Distance of the other four from the middle, in modules.
const OFF_MIDDLE: f32 = 0.22;

/// Steps of darkness to a grey level.
const FINENESS: f32 = 16.0;

/// Buffers of sampling, reused.
#[derive(Default)]
pub(super) struct Sampler {
    values: Vec<f32>,
    sharpened: Vec<f32>,
    sums: Vec<f64>,
    pub(super) modules: Modules,
}

impl Sampler {
    /// Takes the grey values of all modules. Returns the work in samples.
    pub(super) fn take(&mut self, grey: Grey<'_>, mesh: &Mesh, version: u8) -> usize {
        self.modules.version = version;
        self.modules.side = mesh.side;
        self.values.clear();
        let five = mesh.module() >= FIVE_POINTS;
        let half = mesh.side as f32 / 2.0;
        let d = OFF_MIDDLE;
        let around = mesh.at(point(half, half));
        let [u, v] = [point(half + d, half), point(half, half + d)].map(|place| mesh.at(place) - around);
        let values = &mut self.values;
        mesh.each_module(|place| {
            let mut value = grey.at(place);
            if five {
                value = (2.0 * value
                    + grey.at(place + u)
                    + grey.at(place - u)
                    + grey.at(place + v)
                    + grey.at(place - v))
                    / 6.0;
            }
            values.push(value);
        });
        self.values.len() * if five { 5 } else { 1 }
    }

    /// Decides how dark each module is.
    pub(super) fn decide(&mut self, manner: Manner) -> &Modules {
        let side = self.modules.side;
        self.sharpen(manner.sharpening);
        self.integrate();
        self.modules.darkness.clear();
        let across = side + 1;
        for row in 0..side {
            let (top, bottom) = (row.saturating_sub(manner.reach), (row + manner.reach + 1).min(side));
            for column in 0..side {
                let (left, right) =
                    (column.saturating_sub(manner.reach), (column + manner.reach + 1).min(side));
                let sum = |y: usize, x: usize| self.sums.get(y * across + x).copied().unwrap_or(0.0);
                let total = sum(bottom, right) - sum(top, right) - sum(bottom, left) + sum(top, left);
                let mean = total as f32 / ((bottom - top) * (right - left)) as f32;
                let value = self.sharpened.get(row * side + column).copied().unwrap_or(0.0);
                self.modules.darkness.push(((mean - value) * FINENESS) as i16);
            }
        }
        &self.modules
    }

    fn sharpen(&mut self, amount: f32) {
        let side = self.modules.side;
        self.sharpened.clear();
        if amount == 0.0 {
            self.sharpened.extend_from_slice(&self.values);
            return;
        }
        for (index, &value) in self.values.iter().enumerate() {
            let (row, column) = (index / side, index % side);
            let beside = [
                (column > 0).then(|| index - 1),
                (column + 1 < side).then_some(index + 1),
                (row > 0).then(|| index.saturating_sub(side)),
                (row + 1 < side).then_some(index + side),
            ];
            let laplacian: f32 = beside
                .into_iter()
                .flatten()
                .filter_map(|at| self.values.get(at))
                .map(|other| value - other)
                .sum();
            self.sharpened.push(value + amount * laplacian / 4.0);
        }
    }

    /// Sums over all modules left of and above each.
    fn integrate(&mut self) {
        let across = self.modules.side + 1;
        self.sums.clear();
        self.sums.resize(across, 0.0);
        for row in self.sharpened.chunks_exact(self.modules.side.max(1)) {
            let mut left = 0.0;
            self.sums.push(0.0);
            for &value in row {
                left += f64::from(value);
                let above = self.sums.get(self.sums.len() - across).copied().unwrap_or(0.0);
                self.sums.push(left + above);
            }
        }
    }
}
