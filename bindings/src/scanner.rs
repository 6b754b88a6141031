use std::sync::{Arc, Mutex, PoisonError};

use hpki_agent::scan as core;
use zeroize::Zeroizing;

use crate::convert::Expose;

/// Reads QR symbols from camera frames. One scanner serves a camera session: it varies its
/// tries over successive frames, and remembers nothing of their content.
#[derive(uniffi::Object)]
pub struct Scanner(Mutex<core::Scanner>);

/// The content of a symbol. It may be a registration ticket, a secret until it is used, so it does not print.
#[derive(uniffi::Object)]
pub struct QrSymbol {
    text: Zeroizing<String>,
    version: u8,
}

/// What a frame held.
#[derive(Clone, uniffi::Enum)]
pub enum ScanOutcome {
    /// A symbol was read, without an uncorrected error.
    Read {
        /// The symbol.
        symbol: Arc<QrSymbol>,
    },
    /// No symbol was read; try the next frame.
    Nothing {
        /// Why, for a hint to whoever holds the phone.
        why: WhyNothing,
    },
}

/// Why no symbol was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum WhyNothing {
    /// Nothing in the frame looks like a symbol: "point the camera at the code".
    NoCode,
    /// A symbol whose modules have two pixels or fewer: "come closer".
    TooSmall,
    /// A symbol whose modules run into each other: "hold still", or wait for the focus.
    TooBlurred,
    /// A symbol that is damaged, badly lit, or whose content is no text.
    Unreadable,
    /// A symbol that uses a feature which a registration letter never has: another code.
    Unsupported,
}

impl Expose<WhyNothing> for core::WhyNothing {
    fn expose(&self) -> WhyNothing {
        match self {
            Self::NoCode => WhyNothing::NoCode,
            Self::TooSmall => WhyNothing::TooSmall,
            Self::TooBlurred => WhyNothing::TooBlurred,
            Self::Unreadable => WhyNothing::Unreadable,
            Self::Unsupported(_) => WhyNothing::Unsupported,
        }
    }
}

/// A mistake of the app: the sizes do not fit each other or the bounds (29 pixels a side at least, 4096 × 3072 in all at most).
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum FrameError {
    /// The frame cannot be scanned.
    #[error("{reason}")]
    Unusable {
        /// Which size is wrong.
        reason: String,
    },
}

#[uniffi::export]
impl Scanner {
    /// A scanner that has seen nothing yet.
    #[uniffi::constructor]
    pub fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(core::Scanner::new())))
    }

    /// Reads the symbol in a frame. `luma` is the Y plane as the camera gives it, 8 bits a pixel, read where it lies: width and
    /// height in pixels, stride in bytes from row to row. Takes some milliseconds for 1080p, and up to a frame's budget when
    /// there is nothing to read: not for the thread that draws. Returns whatever the picture holds.
    pub fn scan(&self, luma: &[u8], width: u32, height: u32, stride: u32) -> Result<ScanOutcome, FrameError> {
        let [width, height, stride] = [width, height, stride].map(|size| size as usize);
        let frame = core::Frame::new(luma, width, height, stride)
            .map_err(|error| FrameError::Unusable { reason: error.to_string() })?;
        let mut scanner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(match scanner.scan(&frame) {
            core::Outcome::Read(core::Symbol { text, version }) => {
                ScanOutcome::Read { symbol: Arc::new(QrSymbol { text: Zeroizing::new(text), version }) }
            }
            core::Outcome::Nothing(why) => ScanOutcome::Nothing { why: why.expose() },
        })
    }
}

#[uniffi::export]
impl QrSymbol {
    /// The content, as `Agent.register` takes it.
    pub fn text(&self) -> String {
        self.text.to_string()
    }

    /// The symbol's version, 1 to 40: it has 17 + 4 × version modules a side.
    pub fn version(&self) -> u8 {
        self.version
    }
}
