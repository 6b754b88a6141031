use thiserror::Error;

use super::picture::View;

/// The shortest side of a frame in pixels: a version-1 symbol has 21 modules and 4 of quiet zone on each side
/// (ISO/IEC 18004, 5.3.1 and 5.3.8), and a module needs a pixel.
pub const MIN_SIDE: usize = 29;

/// The largest frame in pixels: 4096 × 3072, which is the largest that camera sensors of the 12-megapixel class give
/// (4032 × 3024 is the usual one). More would only cost memory: a letter's code fills a good part of the frame.
pub const MAX_PIXELS: usize = 4096 * 3072;

/// A grey picture, borrowed from whoever took it: 8-bit luma, 0 = black, rows from the top, `stride` bytes from the
/// start of a row to the start of the next. The Y plane of a YUV 4:2:0 camera frame is this as it stands.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    luma: &'a [u8],
    width: usize,
    height: usize,
    stride: usize,
}

/// Why a frame was refused. Any of these is a mistake of the calling app, not of the doctor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// A side is shorter than [`MIN_SIDE`].
    #[error("the frame is {width} × {height} pixels; each side must have at least {MIN_SIDE}")]
    TooSmall {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
    /// The frame has more than [`MAX_PIXELS`].
    #[error("the frame is {width} × {height} pixels; more than {MAX_PIXELS} in all are refused")]
    TooLarge {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
    /// Rows would overlap.
    #[error("the stride of {stride} bytes is shorter than the row of {width} pixels")]
    StrideBelowWidth {
        /// Bytes from the start of a row to the start of the next.
        stride: usize,
        /// Width in pixels.
        width: usize,
    },
    /// The buffer ends before the last pixel of the last row.
    #[error("the buffer holds {length} bytes, fewer than the frame's sizes tell")]
    BufferTooShort {
        /// Bytes that were given.
        length: usize,
    },
}

impl<'a> Frame<'a> {
    /// Describes `luma` as a frame of `width` × `height` pixels whose rows begin `stride` bytes apart. The last row
    /// may end with its last pixel, as camera buffers do; bytes after it are ignored.
    ///
    /// # Errors
    /// A [`FrameError`] when a side is under [`MIN_SIDE`], the frame over [`MAX_PIXELS`], the stride under the
    /// width, or the buffer shorter than `stride * (height - 1) + width`.
    pub fn new(luma: &'a [u8], width: usize, height: usize, stride: usize) -> Result<Self, FrameError> {
        if width < MIN_SIDE || height < MIN_SIDE {
            return Err(FrameError::TooSmall { width, height });
        }
        if width.checked_mul(height).is_none_or(|pixels| pixels > MAX_PIXELS) {
            return Err(FrameError::TooLarge { width, height });
        }
        if stride < width {
            return Err(FrameError::StrideBelowWidth { stride, width });
        }
        let needed = stride.checked_mul(height - 1).and_then(|rows| rows.checked_add(width));
        if needed.is_none_or(|needed| luma.len() < needed) {
            return Err(FrameError::BufferTooShort { length: luma.len() });
        }
        Ok(Self { luma, width, height, stride })
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The picture as the scanner's passes read it.
    pub(super) fn view(&self) -> View<'a> {
        View { luma: self.luma, width: self.width, height: self.height, stride: self.stride }
    }
}

/// Sizes only: the picture is the doctor's letter.
impl std::fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { width, height, stride, .. } = self;
        f.debug_struct("Frame").field("width", width).field("height", height).field("stride", stride).finish()
    }
}
