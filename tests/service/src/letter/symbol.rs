//! The text of a ticket → the dark modules of its QR symbol.

use qrcode::bits::Bits;
use qrcode::{Color, EcLevel, QrCode, Version};

use super::LetterError;

/// The largest version that a ticket may need, at level M: 73 modules a side, 362 bytes.
pub(super) const MAX_VERSION: i16 = 14;

/// The quiet zone on each side, in modules (ISO/IEC 18004, 5.3.8).
pub(super) const QUIET: usize = 4;

/// The smallest symbol of byte mode and level M that holds `text`.
pub(super) fn symbol(text: &str) -> Result<QrCode, LetterError> {
    (1..=MAX_VERSION)
        .find_map(|version| {
            let mut bits = Bits::new(Version::Normal(version));
            bits.push_byte_data(text.as_bytes()).ok()?;
            bits.push_terminator(EcLevel::M).ok()?;
            QrCode::with_bits(bits, EcLevel::M).ok()
        })
        .ok_or(LetterError::TicketTooLong { bytes: text.len() })
}

/// The runs of dark modules, row by row: column, row, length.
pub(super) fn dark_runs(code: &QrCode) -> Vec<(usize, usize, usize)> {
    let colours = code.to_colors();
    let mut runs = Vec::new();
    for (row, modules) in colours.chunks(code.width()).enumerate() {
        let mut column = 0;
        for run in modules.chunk_by(|a, b| a == b) {
            if run[0] == Color::Dark {
                runs.push((column, row, run.len()));
            }
            column += run.len();
        }
    }
    runs
}
