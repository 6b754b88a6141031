//! The fuzzer's bytes as numbers, and as changes of something genuine.

/// Most changes made to one text: after more nothing of it is left that is worth reading.
const MOST_EDITS: usize = 24;
/// Most bytes that a changed text has: what is moved and copied may double it each time.
const MOST_BYTES: usize = 128 * 1024;
/// What begins or ends a part of XML, JSON, CSV and lines.
const MARKS: &[u8] = b"<>\n,\"{}";

/// The fuzzer's bytes, read from the front. Beyond their end stand zeros.
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// All of them.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        let (byte, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *byte
    }

    /// Two bytes, little-endian.
    pub fn number(&mut self) -> usize {
        usize::from(u16::from_le_bytes([self.byte(), self.byte()]))
    }

    /// Up to this many bytes.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// What is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left up to the next zero byte, which is left out.
    pub fn piece(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        let piece = self.take(end);
        self.byte();
        piece
    }
}

/// `genuine` with the changes that `input` says: each begins with what is done (three bits), whether places are those where
/// a part begins or ends (one bit) and how many bytes are brought along (four bits), then where, then how far.
pub fn edited(genuine: &[u8], input: &mut Input) -> Vec<u8> {
    let mut text = genuine.to_vec();
    for _ in 0..MOST_EDITS {
        if input.is_empty() || text.len() > MOST_BYTES {
            break;
        }
        let what = input.byte();
        let at_marks = what & 8 != 0;
        let marks: Vec<usize> = if at_marks { marks(&text) } else { Vec::new() };
        let place = |number: usize| match marks.len() {
            0 => number % (text.len() + 1),
            count => marks[number % count],
        };
        let from = place(input.number());
        let to =
            if at_marks { place(input.number()) } else { (from + usize::from(input.byte())).min(text.len()) };
        let (from, to) = (from.min(to), from.max(to));
        let brought = usize::from(what >> 4);
        match what & 7 {
            0 => drop(text.splice(from..to, input.take(brought).iter().copied())),
            1 => drop(text.splice(from..from, input.take(brought).iter().copied())),
            2 => drop(text.drain(from..to)),
            3 => {
                let copy = text[from..to].to_vec();
                let at = place(input.number());
                drop(text.splice(at..at, copy));
            }
            4 => {
                let there = place(input.number());
                let moved: Vec<u8> = text.drain(from..to).collect();
                let at = there.min(text.len());
                drop(text.splice(at..at, moved));
            }
            5 => {
                let byte = input.byte();
                if let Some(place) = text.get_mut(from) {
                    *place ^= byte;
                }
            }
            6 => {
                let end = (from + brought).min(text.len());
                drop(text.splice(from..end, input.take(brought).iter().copied()));
            }
            _ => text.truncate(to),
        }
    }
    text
}

fn marks(text: &[u8]) -> Vec<usize> {
    let found = text.iter().enumerate().filter(|(_, byte)| MARKS.contains(byte));
    found.map(|(at, _)| at).collect()
}
