//! One attempt: three finder patterns to a text, in more and more expensive ways, and what stood in the way.

use super::budget::Meter;
use super::findings::{Findings, Step};
use super::geometry::Point;
use super::locate::{Corners, Grey, measure};
use super::mesh::Mesh;
use super::picture::Pyramid;
use super::sample::{Manner, Sampler};
use super::symbol::tables::side;
use super::symbol::{Decoded, Decoder, Failure, Unsupported};
use super::triple::Triple;
use super::{Symbol, WhyNothing};
use crate::scan::Frame;

/// Ways to tell dark modules from light ones, most promising first.
const MANNERS: [Manner; 4] = [
    Manner { reach: 4, sharpening: 0.0 },
    Manner { reach: 4, sharpening: 0.7 },
    Manner { reach: 8, sharpening: 0.0 },
    Manner { reach: 3, sharpening: 1.2 },
];

/// Modules of fewer pixels are sampled on a picture twice as large, where there is one.
const LEAST_MODULE: f32 = 2.6;

/// Timing patterns that alternate less clearly than this, in standard deviations of chance, are not there: no error
/// correction is tried.
const LEAST_TIMING: f32 = 1.5;

/// Timing patterns that alternate so clearly, of 1, are tried before the next triple is looked at; 0 is chance.
const CLEAR: f32 = 0.7;

/// Timing patterns that alternate more clearly than this belong to a symbol, whatever else fails.
const SEEN_TIMING: f32 = 3.3;

/// Bits of evidence that make a text sure: about one in 10⁹ blocks of noise would pass.
const SURE: f32 = 30.0;

/// Bits of evidence under which a text is not believed, however often it is read.
const DOUBTFUL: f32 = 18.0;

/// A light ring less bright than this, from the dark core (0) to the paper around (1), is blurred away.
const BLURRED: f32 = 0.5;

/// A module of fewer pixels of the frame cannot be told from the next one once a lens has been at it.
const SMALL: f32 = 2.0;

/// What measuring a triple costs besides its samples, in steps.
const MEASURING: usize = 200;

/// What a decoding costs at least, and for each module, in steps.
const DECODING: usize = 2_000;
const DECODING_A_MODULE: usize = 4;

/// A text that was read, but not surely enough; a second, different reading confirms it.
#[derive(Debug, Clone)]
struct Pending {
    text: String,
    fingerprint: u64,
}

/// A symbol that was certainly found but not read yet.
#[derive(Clone)]
struct Promising {
    mesh: Mesh,
    version: u8,
    level: usize,
    inverted: bool,
    timing: f32,
}

/// Three finder patterns with a version between them.
#[derive(Clone, Copy)]
struct Candidate {
    corners: Corners,
    version: u8,
    level: usize,
    inverted: bool,
    timing: f32,
}

/// Where triples were tried: the middles of the three finder patterns in pixels of the frame, and a module.
#[derive(Clone, Copy)]
struct Tried {
    middles: [Point; 3],
    module: f32,
    inverted: bool,
}

/// The state of all attempts at one frame, and buffers.
#[derive(Default)]
pub(super) struct Attempts {
    sampler: Sampler,
    decoder: Decoder,
    tried: Vec<Tried>,
    waiting: Vec<Candidate>,
    promising: Vec<Promising>,
    pending: Option<Pending>,
    seen: Option<(f32, WhyNothing)>,
    pub(super) findings: Findings,
}

impl Attempts {
    /// Forgets the last frame, but for a text that still wants to be confirmed.
    pub(super) fn start(&mut self) {
        self.tried.clear();
        self.waiting.clear();
        self.promising.clear();
        self.seen = None;
        self.findings.clear();
    }

    /// Forgets that text, too.
    pub(super) fn start_over(&mut self) {
        self.start();
        self.pending = None;
    }

    /// Why nothing was read.
    pub(super) fn why(&self) -> WhyNothing {
        self.seen.map_or(WhyNothing::NoCode, |(_, why)| why)
    }

    /// Tries to read the symbol of a triple, given in pixels of the frame.
    pub(super) fn read(
        &mut self,
        frame: &Frame<'_>,
        pyramid: &Pyramid,
        triple: &Triple,
        inverted: bool,
        meter: &mut Meter,
    ) -> Option<Symbol> {
        if self.was_tried(triple, inverted) {
            return None;
        }
        let level = (triple.module / LEAST_MODULE).max(1.0).log2() as usize;
        let view = pyramid.view(frame, level);
        let scale = view.width as f32 / frame.width() as f32;
        let level = (1.0 / scale).log2().round() as usize;
        let grey = Grey { view, inverted };
        let mut work = MEASURING;
        let corners = measure(grey, &triple.scaled(1.0 / (1 << level) as f32), &mut work);
        meter.spend(work);
        let corners = corners?;
        let versions = corners.versions(grey);
        meter.spend(versions.len() * corners.side as usize * 2);
        for (version, clearness) in versions.into_iter().flatten() {
            // The shorter a timing pattern, the more often chance makes one.
            let timing = clearness * (2.0 * side(version) as f32 - 24.0).sqrt();
            if timing < LEAST_TIMING {
                continue;
            }
            let candidate = Candidate { corners, version, level, inverted, timing };
            if clearness < CLEAR {
                self.waiting.push(candidate);
            } else if let Some(symbol) = self.attempt(frame, pyramid, &candidate, meter) {
                return Some(symbol);
            }
        }
        None
    }

    /// Tries what was put off because it did not look like a symbol at once, best first, until no more than `reserve`
    /// steps are left.
    pub(super) fn read_waiting(
        &mut self,
        frame: &Frame<'_>,
        pyramid: &Pyramid,
        meter: &mut Meter,
        reserve: u64,
    ) -> Option<Symbol> {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_unstable_by(|a, b| b.timing.total_cmp(&a.timing));
        let read = waiting.iter().find_map(|candidate| {
            if meter.left() <= reserve { None } else { self.attempt(frame, pyramid, candidate, meter) }
        });
        waiting.clear();
        self.waiting = waiting;
        read
    }

    fn attempt(
        &mut self,
        frame: &Frame<'_>,
        pyramid: &Pyramid,
        candidate: &Candidate,
        meter: &mut Meter,
    ) -> Option<Symbol> {
        let &Candidate { corners, version, level, inverted, timing } = candidate;
        let grey = Grey { view: pyramid.view(frame, level), inverted };
        let mut work = 0;
        let mesh = Mesh::find(grey, &corners, version, &mut work);
        meter.spend(work);
        let mesh = mesh?;
        self.note(&corners, &mesh, level, timing, None);
        let result = self.decode(grey, &mesh, version, meter);
        let reached = result.as_ref().map_or_else(|&failure| Step::reached_before(failure), |_| Step::Read);
        self.findings.add(&mesh, version, (1 << level) as f32, timing, reached);
        match result {
            Ok(symbol) => return Some(symbol),
            Err(Failure::Unsupported(what)) => self.note(&corners, &mesh, level, timing, Some(what)),
            Err(Failure::Format) => (),
            Err(_) => self.promising.push(Promising { mesh, version, level, inverted, timing }),
        }
        None
    }

    /// Looks again, more carefully, at the most promising symbol that was found but not read.
    pub(super) fn refine(
        &mut self,
        frame: &Frame<'_>,
        pyramid: &Pyramid,
        meter: &mut Meter,
    ) -> Option<Symbol> {
        let best = self.promising.iter().enumerate().max_by(|a, b| a.1.timing.total_cmp(&b.1.timing))?.0;
        let found = self.promising.swap_remove(best);
        self.promising.clear();
        if found.timing < SEEN_TIMING || !meter.affords(found.mesh.refining()) {
            return None;
        }
        let grey = Grey { view: pyramid.view(frame, found.level), inverted: found.inverted };
        let mut work = 0;
        let mesh = found.mesh.refined(grey, &mut work);
        meter.spend(work);
        let result = self.decode(grey, &mesh, found.version, meter);
        let reached = result.as_ref().map_or_else(|&failure| Step::reached_before(failure), |_| Step::Read);
        self.findings.add(&mesh, found.version, (1 << found.level) as f32, found.timing, reached);
        result.ok()
    }

    fn decode(
        &mut self,
        grey: Grey<'_>,
        mesh: &Mesh,
        version: u8,
        meter: &mut Meter,
    ) -> Result<Symbol, Failure> {
        meter.spend(self.sampler.take(grey, mesh, version));
        let mut failure = Failure::Damaged;
        for manner in MANNERS {
            let cost = DECODING + DECODING_A_MODULE * mesh.side * mesh.side;
            if !meter.affords(cost) {
                break;
            }
            let modules = self.sampler.decide(manner);
            meter.spend(cost);
            match self.decoder.decode(modules) {
                Ok(decoded) => {
                    if let Some(text) = self.believe(decoded) {
                        return Ok(Symbol { text, version });
                    }
                }
                Err(Failure::Unsupported(what)) => return Err(Failure::Unsupported(what)),
                Err(other) => failure = other,
            }
        }
        Err(failure)
    }

    /// A text is believed when there is evidence enough, or when two different readings agree.
    fn believe(&mut self, decoded: Decoded) -> Option<String> {
        let Decoded { text, evidence, fingerprint } = decoded;
        let confirmed = evidence >= DOUBTFUL
            && self.pending.as_ref().is_some_and(|last| last.text == text && last.fingerprint != fingerprint);
        if evidence >= SURE || confirmed {
            self.pending = None;
            return Some(text);
        }
        if evidence >= DOUBTFUL {
            self.pending = Some(Pending { text, fingerprint });
        }
        None
    }

    /// Remembers the most symbol-like thing that was seen, and what is wrong with it.
    fn note(&mut self, corners: &Corners, mesh: &Mesh, level: usize, timing: f32, what: Option<Unsupported>) {
        if timing < SEEN_TIMING || (what.is_none() && self.seen.is_some_and(|(best, _)| best >= timing)) {
            return;
        }
        let why = match what {
            Some(what) => WhyNothing::Unsupported(what),
            None if mesh.module() * (1 << level) as f32 <= SMALL => WhyNothing::TooSmall,
            None if corners.sharpness < BLURRED => WhyNothing::TooBlurred,
            None => WhyNothing::Unreadable,
        };
        self.seen = Some((if what.is_some() { f32::MAX } else { timing }, why));
    }

    /// Whether this triple, or one so near that measuring it ends at the same edges, was tried; notes it.
    fn was_tried(&mut self, triple: &Triple, inverted: bool) -> bool {
        let middles = [triple.corner, triple.right, triple.below];
        let same = |other: &Tried| {
            other.inverted == inverted
                && other.module < 1.4 * triple.module
                && triple.module < 1.4 * other.module
                && other.middles.iter().zip(middles).all(|(&a, b)| (a - b).length() < 0.8 * triple.module)
        };
        let known = self.tried.iter().any(same);
        if !known {
            self.tried.push(Tried { middles, module: triple.module, inverted });
        }
        known
    }
}
