//! A camera frame comes in as luma bytes with their stride; the text of the QR symbol in it goes out.
//! Frames outside the bounds of [`Frame::new`] are refused before a pixel is read, and whatever the picture holds,
//! [`Scanner::scan`] returns: the third-party decoder may fail, but not take the app with it.
//! What the text means is not decided here: `registration` verifies it as a ticket.
//! Symbols are those of ISO/IEC 18004 (QR Code model 2) whose content is UTF-8.

mod frame;

pub use frame::{Frame, FrameError, MAX_PIXELS, MIN_SIDE};

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Reads QR symbols from frames. One scanner serves a whole camera session, frame after frame; it remembers nothing
/// of a frame once [`Scanner::scan`] has returned.
#[derive(Debug, Default)]
pub struct Scanner {}

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
    /// The content, which was valid UTF-8.
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

/// Why no symbol was read. An app can turn this into a hint: "point the camera at the code", "hold still".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyNothing {
    /// Nothing in the frame looks like a symbol.
    NoCode,
    /// Something looks like a symbol, but its content could not be recovered or is not UTF-8.
    Unreadable,
    /// The decoder broke off on this frame; what it holds is unknown.
    DecoderFailed,
}

impl Scanner {
    /// A scanner that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the symbol in `frame`. Of several, the first that can be decoded counts, in the order in which they are
    /// found (by rows of the frame, from the top).
    ///
    /// Always returns, whatever the picture: see [`Outcome`]. Takes tens of milliseconds for a 1080p frame, so call
    /// it off the thread that draws.
    pub fn scan(&mut self, frame: &Frame<'_>) -> Outcome {
        // rqrr asserts on the geometry of distorted finder patterns (its issue 54), so a photograph can make it
        // panic. All that it works on is made inside the closure and dropped by the unwinding, and the frame is only
        // read: nothing half-changed can be seen afterwards, which is what `AssertUnwindSafe` states. The process's
        // panic hook still prints rqrr's message: it belongs to the app, a library must not replace it, and the
        // message holds a source position but nothing of the picture.
        catch_unwind(AssertUnwindSafe(|| read(frame))).unwrap_or(Outcome::Nothing(WhyNothing::DecoderFailed))
    }
}

fn read(frame: &Frame<'_>) -> Outcome {
    let mut picture =
        rqrr::PreparedImage::prepare_from_greyscale(frame.width(), frame.height(), |x, y| frame.luma(x, y));
    let found = picture.detect_grids();
    if found.is_empty() {
        return Outcome::Nothing(WhyNothing::NoCode);
    }
    found
        .iter()
        .find_map(|grid| {
            let (meta, text) = grid.decode().ok()?;
            Some(Symbol { text, version: u8::try_from(meta.version.0).ok()? })
        })
        .map_or(Outcome::Nothing(WhyNothing::Unreadable), Outcome::Read)
}

#[cfg(test)]
mod tests;
