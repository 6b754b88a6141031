//! What was seen on the way in the last frame, in its pixels: for an app that draws an outline around the code, and for
//! whoever wants to know why a picture was not read.

use super::geometry::point;
use super::mesh::Mesh;
use super::symbol::Failure;

/// What was seen in the last frame; see [`super::Scanner::findings`].
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// Middles of the likeliest finder patterns of each look, true ones and look-alikes.
    pub finders: Vec<[f32; 2]>,
    /// Symbols with their outlines, in the order in which they were tried.
    pub symbols: Vec<Sighting>,
}

/// Where a symbol was thought to be, and how far its reading got.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sighting {
    /// Its corners, beginning with the one between the two others that have finder patterns, clockwise.
    pub outline: [[f32; 2]; 4],
    /// The version that was tried.
    pub version: u8,
    /// How clearly its timing patterns alternate, in standard deviations of chance.
    pub timing: f32,
    /// The farthest step that was reached.
    pub reached: Step,
}

/// Steps of reading a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Finder patterns and a version were found; the format information is not legible.
    Located,
    /// The format information was read; there are too many errors in the codewords.
    Format,
    /// The codewords were corrected; they are not a text.
    Corrected,
    /// A text was read.
    Read,
}

impl Step {
    pub(super) fn reached_before(failure: Failure) -> Self {
        match failure {
            Failure::Format => Self::Located,
            Failure::Damaged => Self::Format,
            Failure::Content | Failure::Unsupported(_) => Self::Corrected,
        }
    }
}

impl Findings {
    pub(super) fn clear(&mut self) {
        self.finders.clear();
        self.symbols.clear();
    }

    /// Adds a symbol whose mesh is on a picture smaller by `factor`.
    pub(super) fn add(&mut self, mesh: &Mesh, version: u8, factor: f32, timing: f32, reached: Step) {
        let side = mesh.side as f32;
        let outline = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)]
            .map(|(x, y)| mesh.at(point(x, y)) * factor)
            .map(|corner| [corner.x, corner.y]);
        self.symbols.push(Sighting { outline, version, timing, reached });
    }
}
