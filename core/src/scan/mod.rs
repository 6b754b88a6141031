//! A camera frame comes in as luma bytes with their stride; the text of the QR symbol in it goes out, or why there is none.
//! Frames outside the bounds of [`Frame::new`] are refused before a pixel is read. Whatever the picture holds,
//! [`Scanner::scan`] returns within a budget of work, and never a text of which the error correction is not sure.
//! What the text means is not decided here: `registration` verifies it as a ticket. Symbols are those of ISO/IEC 18004 (QR
//! Code model 2), of every version, also mirrored and light on dark; structured append and FNC1 are refused by name.
//!
//! The way of a frame: `picture` (halved copies) → `binary` (dark and light) → `finder` → `triple` (three finder patterns
//! that belong together) → `locate` (their exact places, the version) → `mesh` (alignment patterns) → `sample` (modules)
//! → `symbol` (error correction, text). `attempt` goes from a triple to a text; [`Scanner`] decides where to look first.

// Pictures have fewer than 2²⁴ pixels a side and values of 8 bits: every conversion between these numbers is exact or a
// rounding that is meant. x, y, u, v, and a to f for a matrix, are the names that geometry has for its things.
#![allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)]
#![allow(clippy::cast_possible_wrap, clippy::many_single_char_names, clippy::similar_names)]

mod attempt;
mod binary;
mod budget;
mod finder;
mod findings;
mod frame;
mod geometry;
mod locate;
mod mesh;
mod picture;
mod sample;
mod symbol;
mod track;
mod triple;

pub use budget::Budget;
pub use findings::{Findings, Sighting, Step};
pub use frame::{Frame, FrameError, MAX_PIXELS, MIN_SIDE};
pub use symbol::Unsupported;

use attempt::Attempts;
use binary::{Bits, Rule};
use budget::{HALVED_A_STEP, JUDGED_A_STEP, Meter};
use finder::Finder;
use picture::Pyramid;
use triple::Triple;

/// Reads QR symbols from frames. One scanner serves a whole camera session, frame after frame, and keeps its buffers. Of
/// a frame it remembers nothing once [`Scanner::scan`] has returned, but for a text that it was not sure enough of: when a
/// later frame gives the same text from other errors, it is confirmed.
#[derive(Default)]
pub struct Scanner {
    pyramid: Pyramid,
    bits: Bits,
    finders: Vec<Finder>,
    triples: Vec<Triple>,
    attempts: Attempts,
    /// Frames without a text so far: each begins its second looks elsewhere.
    turn: usize,
}

/// Neither pictures nor texts are printed.
impl std::fmt::Debug for Scanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scanner").field("turn", &self.turn).finish_non_exhaustive()
    }
}

/// What a frame held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A symbol was read, without an uncorrected error.
    Read(Symbol),
    /// No symbol was read; with a camera, try the next frame.
    Nothing(WhyNothing),
}

/// A symbol that was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Symbol {
    /// The content: of segments in Kanji mode or with an ECI designator by their character set, of others as UTF-8, or
    /// else Shift_JIS, or else ISO 8859-1, whichever it is without an error.
    pub text: String,
    /// The symbol's version, 1 to 40: it has 17 + 4 × version modules a side (ISO/IEC 18004, 5.3.1).
    pub version: u8,
}

/// The content may be a registration ticket, which is a secret until it is used, so it is not printed.
impl std::fmt::Debug for Symbol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Symbol").field("bytes", &self.text.len()).field("version", &self.version).finish()
    }
}

/// Why no symbol was read. An app can turn this into a hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyNothing {
    /// Nothing in the frame looks like a symbol: "point the camera at the code".
    NoCode,
    /// A symbol whose modules have two pixels or fewer: "come closer".
    TooSmall,
    /// A symbol whose modules run into each other: "hold still", or wait for the focus.
    TooBlurred,
    /// A symbol that is damaged, badly lit, or whose content is no text.
    Unreadable,
    /// A symbol that uses a feature which a registration letter never has.
    Unsupported(Unsupported),
}

/// One way of looking at a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    /// Halvings of the frame that is searched.
    level: usize,
    rule: Rule,
    inverted: bool,
}

/// Pixels of the picture that is searched first, at most: symbols in larger ones have modules enough to be halved.
const FIRST_LOOK_PIXELS: usize = 1_100_000;

impl Scanner {
    /// A scanner that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the symbol in a frame of a camera's preview, within [`Budget::FRAME`]. Of several symbols, the first that
    /// can be decoded counts.
    ///
    /// Always returns, whatever the picture: see [`Outcome`]. Takes milliseconds, so call it off the thread that draws.
    /// Frames without a text are looked at in different orders, so that what one misses the next may find.
    pub fn scan(&mut self, frame: &Frame<'_>) -> Outcome {
        self.scan_within(frame, Budget::FRAME)
    }

    /// The same within another amount of work, for example [`Budget::STILL`] for a photo.
    pub fn scan_within(&mut self, frame: &Frame<'_>, budget: Budget) -> Outcome {
        self.pyramid.start();
        self.attempts.start();
        let mut meter = Meter::new(budget);
        let mut last = None;
        for (index, look) in looks(frame, self.turn).into_iter().enumerate() {
            if index > 0 && !meter.affords(cost(frame, look)) {
                continue;
            }
            if let Some(symbol) = self.look(frame, look, &mut last, &mut meter) {
                self.turn = 0;
                return Outcome::Read(symbol);
            }
        }
        self.turn += 1;
        Outcome::Nothing(self.attempts.why())
    }

    /// Forgets the frames so far, but keeps the buffers: for a picture that has nothing to do with the one before.
    pub fn start_over(&mut self) {
        self.turn = 0;
        self.attempts.start_over();
    }

    /// What was seen in the last frame that was scanned.
    pub fn findings(&self) -> &Findings {
        &self.attempts.findings
    }

    fn look(
        &mut self,
        frame: &Frame<'_>,
        look: Look,
        last: &mut Option<(usize, Rule)>,
        meter: &mut Meter,
    ) -> Option<Symbol> {
        meter.spend(self.pyramid.cost(frame, look.level) / HALVED_A_STEP);
        self.pyramid.make(frame, look.level);
        let view = self.pyramid.view(frame, look.level);
        if *last != Some((look.level, look.rule)) {
            meter.spend(view.width * view.height / JUDGED_A_STEP);
            self.bits.fill(view, look.rule);
            *last = Some((look.level, look.rule));
        }
        // Modules are larger on a finer picture than on one that was searched before, so fewer rows show all symbols.
        let rows = 1 + first_level(frame).saturating_sub(look.level);
        meter.spend(finder::search(&self.bits, rows, look.inverted, meter.left(), &mut self.finders));
        meter.spend(triple::rank(&self.finders, &mut self.triples));
        let factor = (1_usize << look.level) as f32;
        let likely = self.finders.iter().take(triple::CANDIDATES);
        let middles = likely.map(|finder| finder.centre * factor).map(|middle| [middle.x, middle.y]);
        self.attempts.findings.finders.extend(middles);
        // What is left is shared: a look that finds print instead of a symbol leaves half of it to the others.
        let reserve = meter.left() / 2;
        for index in 0..self.triples.len() {
            let triple = self.triples.get(index)?.scaled(factor);
            let read = self.attempts.read(frame, &self.pyramid, &triple, look.inverted, meter);
            if read.is_some() || !meter.affords(1) {
                return read;
            }
            if meter.left() < reserve {
                break;
            }
        }
        let attempts = &mut self.attempts;
        attempts
            .read_waiting(frame, &self.pyramid, meter, reserve)
            .or_else(|| attempts.refine(frame, &self.pyramid, meter))
    }
}

/// Halvings of the picture that is searched first.
fn first_level(frame: &Frame<'_>) -> usize {
    let pixels = frame.width() * frame.height();
    let levels = Pyramid::levels_of(frame);
    (0..levels).find(|level| pixels >> (2 * level) <= FIRST_LOOK_PIXELS).unwrap_or(levels - 1)
}

/// What a look costs at most before a triple is found, in steps.
fn cost(frame: &Frame<'_>, look: Look) -> usize {
    (frame.width() >> look.level) * (frame.height() >> look.level) / JUDGED_A_STEP * 2
}

/// All looks at a frame. The first is always the same; the order of the others depends on the turn.
fn looks(frame: &Frame<'_>, turn: usize) -> Vec<Look> {
    let levels = Pyramid::levels_of(frame);
    let first = first_level(frame);
    let look = |level, rule, inverted| Look { level, rule, inverted };
    let mut all = vec![look(first, Rule::Between, false)];
    let coarser = || first + 1..levels;
    let finer = first.checked_sub(1);
    // Measured on photos: the other polarity, which costs little, and finer pictures find most of what the first look
    // does not.
    let mut later = Vec::new();
    later.push(look(first, Rule::Between, true));
    later.extend(
        (0..first).rev().flat_map(|level| [false, true].map(|inverted| look(level, Rule::Between, inverted))),
    );
    later.extend(coarser().take(1).map(|level| look(level, Rule::Between, false)));
    later.push(look(first, Rule::Sharpened, false));
    later.push(look(first, Rule::Mean, false));
    later.extend(coarser().skip(1).map(|level| look(level, Rule::Between, false)));
    later.extend(coarser().take(1).map(|level| look(level, Rule::Sharpened, false)));
    later.extend(coarser().map(|level| look(level, Rule::Between, true)));
    later.extend(finer.map(|level| look(level, Rule::Sharpened, false)));
    let by = turn % later.len();
    later.rotate_left(by);
    all.extend(later);
    all
}

#[cfg(test)]
mod roundtrip;
#[cfg(test)]
mod tests;
