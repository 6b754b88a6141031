//! The modules of a symbol, as measured, to its text: format information, mask, codewords, error correction, segments.
//! What comes in is a grid of how dark each module is, so that a doubtful codeword is known to be doubtful. rqrr tells
//! which modules make up the codewords and in what order; error correction is ours, for speed (its own takes
//! milliseconds), for erasures, and because it tells how near its limit it was. ISO/IEC 18004, clauses 7.4 to 7.10.

mod charset;
mod reed_solomon;
mod segments;
pub(super) mod tables;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Why the modules of a symbol do not give a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The format information is not near any that exists.
    Format,
    /// Too many errors to correct.
    Damaged,
    /// Corrected, but no sequence of segments, or not in its character set.
    Content,
    /// A feature of the standard that a registration letter never has.
    Unsupported(Unsupported),
}

/// Features that are recognised and refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsupported {
    /// One text spread over several symbols (ISO/IEC 18004, clause 8).
    StructuredAppend,
    /// Data for GS1 or AIM applications (7.4.8): the text would need an interpretation of its separators.
    Fnc1,
    /// An ECI designator of a character set that is not known here.
    CharacterSet,
}

/// How dark each module of a symbol is: positive for dark, negative for light, and the nearer to 0 the less certain.
#[derive(Debug, Default)]
pub(super) struct Modules {
    pub(super) version: u8,
    pub(super) side: usize,
    pub(super) darkness: Vec<i16>,
}

impl Modules {
    pub(super) fn at(&self, row: usize, column: usize) -> i16 {
        self.darkness.get(row * self.side + column).copied().unwrap_or(0)
    }
}

/// A text, and how sure it is.
#[derive(Debug, Clone)]
pub(super) struct Decoded {
    pub(super) text: String,
    /// Bits of evidence in the weakest block; see [`reed_solomon::correct`].
    pub(super) evidence: f32,
    /// A fingerprint of the codewords before correction: two samplings with different ones are two witnesses.
    pub(super) fingerprint: u64,
}

/// Format information that differs in more bits is not accepted: its code corrects three (7.9.1).
const MOST_FORMAT_ERRORS: u32 = 3;

/// One copy with so few errors is enough. With more, both must agree: half of all words of 15 bits are within three of
/// some format, so that chance alone would cost an error correction every second time.
const SURE_FORMAT_ERRORS: u32 = 1;
const MOST_ERRORS_OF_BOTH: u32 = 6;

/// What format information says.
#[derive(Debug, Clone, Copy)]
struct Format {
    level: u8,
    mask: u8,
    transposed: bool,
}

/// Buffers of decoding, reused.
#[derive(Default)]
pub(super) struct Decoder {
    codewords: Vec<u8>,
    /// The least certain module of each codeword.
    certainty: Vec<i16>,
    block: Vec<u8>,
    doubts: Vec<(i16, usize)>,
    erased: Vec<usize>,
    data: Vec<u8>,
}

impl Decoder {
    /// Decodes a symbol, mirrored or not.
    pub(super) fn decode(&mut self, modules: &Modules) -> Result<Decoded, Failure> {
        let format = read_format(modules).ok_or(Failure::Format)?;
        self.collect(modules, format).ok_or(Failure::Damaged)?;
        let fingerprint = fingerprint(&self.codewords);
        let evidence = self.correct(modules.version, format.level).ok_or(Failure::Damaged)?;
        let content = segments::read(&self.data, modules.version)?;
        // Padding counts for a little: it covers some blocks only.
        let padding = (content.padding_bits as f32).min(MOST_FROM_PADDING);
        Ok(Decoded { text: content.text, evidence: evidence + padding, fingerprint })
    }

    /// Fills `codewords` and `certainty` in the order of the standard (7.7.3). Modules with their mask undone are asked
    /// for by rqrr one by one, so noting each answer gives the certainty of each codeword.
    fn collect(&mut self, modules: &Modules, format: Format) -> Option<()> {
        let asked = RefCell::new(std::mem::take(&mut self.certainty));
        asked.borrow_mut().clear();
        let grid = Asked { modules, format, notes: &asked };
        // rqrr asserts on what it takes for its own mistakes. Nothing that it works on outlives the closure but the notes,
        // which are cleared before they are used again.
        let raw = catch_unwind(AssertUnwindSafe(|| rqrr::Grid::new(grid).get_raw_data().ok()));
        self.certainty = asked.into_inner();
        let (_, raw) = raw.ok()??;
        let codewords = raw.len / 8;
        let unasked = self.certainty.len().checked_sub(raw.len)?;
        self.codewords.clear();
        self.codewords.extend_from_slice(raw.data.get(..codewords)?);
        for index in 0..codewords {
            let from = unasked + index * 8;
            let weakest = self.certainty.get(from..from + 8)?.iter().min().copied()?;
            *self.certainty.get_mut(index)? = weakest;
        }
        self.certainty.truncate(codewords);
        Some(())
    }

    /// Corrects all blocks into `data`; the evidence of the weakest.
    fn correct(&mut self, version: u8, level: u8) -> Option<f32> {
        let (parity, blocks) = tables::blocks(version, level)?;
        let total = self.codewords.len();
        let short = total / blocks;
        let long_ones = total % blocks;
        let short_data = short.checked_sub(parity)?;
        self.data.clear();
        let mut weakest = f32::MAX;
        for index in 0..blocks {
            // The last blocks are one codeword longer (7.5.1), which comes after all other data codewords (7.6).
            let is_long = index >= blocks - long_ones;
            let data_at = |at: usize| {
                if at < short_data {
                    at * blocks + index
                } else {
                    short_data * blocks + index - (blocks - long_ones)
                }
            };
            let data = short_data + usize::from(is_long);
            let parity_from = short_data * blocks + long_ones;
            self.block.clear();
            self.doubts.clear();
            let places =
                (0..data).map(data_at).chain((0..parity).map(|at| parity_from + at * blocks + index));
            for (at, place) in places.enumerate() {
                self.block.push(*self.codewords.get(place)?);
                self.doubts.push((*self.certainty.get(place)?, at));
            }
            weakest = weakest.min(self.correct_block(parity)?);
            self.data.extend_from_slice(self.block.get(..data)?);
        }
        Some(weakest)
    }

    /// Corrects `block`, at first trusting every codeword, then fewer and fewer of the doubtful ones.
    fn correct_block(&mut self, parity: usize) -> Option<f32> {
        if let Some(evidence) = reed_solomon::correct(&mut self.block, parity, &[]) {
            return Some(evidence);
        }
        self.doubts.sort_unstable();
        ERASED_EIGHTHS.into_iter().find_map(|eighths| {
            self.erased.clear();
            self.erased.extend(self.doubts.iter().take(parity * eighths / 8).map(|&(_, at)| at));
            reed_solomon::correct(&mut self.block, parity, &self.erased)
        })
    }
}

/// Shares of the parity that are spent on doubtful codewords. More would leave no evidence that the result is right.
const ERASED_EIGHTHS: [usize; 3] = [2, 4, 5];

/// Bits of evidence that regular padding counts for at most.
const MOST_FROM_PADDING: f32 = 8.0;

/// What rqrr asks: its format information, repaired, and then each module of data with its mask undone.
struct Asked<'a> {
    modules: &'a Modules,
    format: Format,
    notes: &'a RefCell<Vec<i16>>,
}

impl rqrr::BitGrid for Asked<'_> {
    fn size(&self) -> usize {
        self.modules.side
    }

    fn bit(&self, row: usize, column: usize) -> bool {
        if let Some(bit) = FIRST_COPY.iter().position(|&(y, x)| (y, x) == (row, column)) {
            let word = tables::format_word(u16::from(self.format.level << 3 | self.format.mask));
            self.notes.borrow_mut().push(i16::MAX);
            return word >> bit & 1 == 1;
        }
        let (y, x) = if self.format.transposed { (column, row) } else { (row, column) };
        let darkness = self.modules.at(y, x);
        self.notes.borrow_mut().push(darkness.saturating_abs());
        (darkness > 0) != tables::masked(self.format.mask, row, column)
    }
}

/// Row and column of each bit of the first copy of format information, the lowest bit first (7.9.1, figure 25).
const FIRST_COPY: [(usize, usize); 15] = [
    (0, 8),
    (1, 8),
    (2, 8),
    (3, 8),
    (4, 8),
    (5, 8),
    (7, 8),
    (8, 8),
    (8, 7),
    (8, 5),
    (8, 4),
    (8, 3),
    (8, 2),
    (8, 1),
    (8, 0),
];

/// The same of the second copy, in a symbol of this side.
fn second_copy(side: usize) -> [(usize, usize); 15] {
    std::array::from_fn(|bit| if bit < 8 { (8, side - 1 - bit) } else { (side - 15 + bit, 8) })
}

/// The format that both copies are nearest to, upright or mirrored; none when neither copy is near it.
fn read_format(modules: &Modules) -> Option<Format> {
    let second = second_copy(modules.side);
    let word = |places: &[(usize, usize); 15], transposed: bool| {
        places.iter().enumerate().fold(0_u16, |word, (bit, &(y, x))| {
            let darkness = if transposed { modules.at(x, y) } else { modules.at(y, x) };
            word | u16::from(darkness > 0) << bit
        })
    };
    let found = [false, true]
        .map(|transposed| (transposed, word(&FIRST_COPY, transposed), word(&second, transposed)));
    let (distance, format) = (0..32_u8)
        .flat_map(|data| found.map(|of| (data, of)))
        .map(|(data, (transposed, first, second))| {
            let expected = tables::format_word(data.into());
            let off = [first, second].map(|word| (word ^ expected).count_ones());
            let nearer = off[0].min(off[1]);
            ((nearer, off[0] + off[1]), Format { level: data >> 3, mask: data & 7, transposed })
        })
        .min_by_key(|&((nearer, sum), _)| (nearer + sum, nearer))?;
    let (nearer, sum) = distance;
    (nearer <= SURE_FORMAT_ERRORS || nearer <= MOST_FORMAT_ERRORS && sum <= MOST_ERRORS_OF_BOTH)
        .then_some(format)
}

/// FNV-1a.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
}

#[cfg(test)]
mod tests;
