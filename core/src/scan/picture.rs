//! Grey pictures and their halving: the frame itself, borrowed, and smaller copies of it in buffers that live as long
//! as the scanner.

use super::frame::Frame;
use super::geometry::Point;

/// A grey picture that somebody else owns.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) luma: &'a [u8],
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) stride: usize,
}

/// Parts of a pixel between which grey values are interpolated.
const PARTS: i32 = 256;

impl<'a> View<'a> {
    pub(super) fn row(&self, y: usize) -> &'a [u8] {
        let start = y.saturating_mul(self.stride);
        self.luma.get(start..start + self.width).unwrap_or_default()
    }

    /// The grey value at a place between pixels, by bilinear interpolation; the nearest pixel's outside of the picture.
    #[inline]
    pub(super) fn at(&self, place: Point) -> f32 {
        // In 256ths of a pixel: integers are faster than floats here. Casts saturate, and make 0 of what is no number.
        let part = |at: f32, pixels: usize| {
            let most = (pixels as i32 - 1) * PARTS - 1;
            let at = ((at - 0.5) * PARTS as f32) as i32;
            let at = at.clamp(0, most);
            ((at / PARTS) as usize, at % PARTS)
        };
        let ((left, right), (top, down)) = (part(place.x, self.width), part(place.y, self.height));
        let start = top * self.stride + left;
        let (Some(&[a, b]), Some(&[c, d])) = (
            self.luma.get(start..).and_then(<[u8]>::first_chunk::<2>),
            self.luma.get(start + self.stride..).and_then(<[u8]>::first_chunk::<2>),
        ) else {
            return 255.0;
        };
        let [a, b, c, d] = [a, b, c, d].map(i32::from);
        let upper = a * PARTS + (b - a) * right;
        let lower = c * PARTS + (d - c) * right;
        (upper * PARTS + (lower - upper) * down) as f32 * (1.0 / (PARTS * PARTS) as f32)
    }
}

/// How many times a frame is halved at most: 12 megapixels to 3 thousand.
pub(super) const LEVELS: usize = 6;

/// A picture whose side is shorter is not halved again: a version-1 symbol needs 21 modules of more than a pixel.
const MIN_HALVED_SIDE: usize = 64;

/// The frame's halved copies, made when they are first asked for.
#[derive(Default)]
pub(super) struct Pyramid {
    levels: [Halved; LEVELS],
    made: usize,
}

#[derive(Default)]
struct Halved {
    luma: Vec<u8>,
    width: usize,
    height: usize,
}

impl Halved {
    fn view(&self) -> View<'_> {
        View { luma: &self.luma, width: self.width, height: self.height, stride: self.width }
    }
}

impl Pyramid {
    /// Forgets the last frame, but keeps the buffers.
    pub(super) fn start(&mut self) {
        self.made = 0;
    }

    /// Pixels that making every level up to `level` would touch.
    pub(super) fn cost(&self, frame: &Frame<'_>, level: usize) -> usize {
        (self.made..level).map(|from| (frame.width() >> from) * (frame.height() >> from)).sum()
    }

    /// Makes the levels up to `level`.
    pub(super) fn make(&mut self, frame: &Frame<'_>, level: usize) {
        while self.made < level.min(LEVELS) {
            let (done, rest) = self.levels.split_at_mut(self.made);
            let Some(target) = rest.first_mut() else { return };
            let source = done.last().map_or(frame.view(), Halved::view);
            halve(source, target);
            self.made += 1;
        }
    }

    /// The frame halved `level` times; of those that were made, the nearest.
    pub(super) fn view<'a>(&'a self, frame: &Frame<'a>, level: usize) -> View<'a> {
        level
            .min(self.made)
            .checked_sub(1)
            .and_then(|index| self.levels.get(index))
            .map_or(frame.view(), Halved::view)
    }

    /// Levels that a frame of this size has, itself included.
    pub(super) fn levels_of(frame: &Frame<'_>) -> usize {
        let side = frame.width().min(frame.height());
        (0..=LEVELS).take_while(|level| *level == 0 || side >> level >= MIN_HALVED_SIDE).count()
    }
}

/// Each pixel of `target` is the mean of four of `source`; an odd last row or column is left out.
fn halve(source: View<'_>, target: &mut Halved) {
    target.width = source.width / 2;
    target.height = source.height / 2;
    target.luma.resize(target.width * target.height, 0);
    for (y, out) in target.luma.chunks_exact_mut(target.width.max(1)).enumerate() {
        let mut upper = source.row(2 * y).chunks_exact(8);
        let mut lower = source.row(2 * y + 1).chunks_exact(8);
        let mut fours = out.chunks_exact_mut(4);
        for ((out, a), b) in (&mut fours).zip(&mut upper).zip(&mut lower) {
            let [a, b] =
                [a, b].map(|eight| eight.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes)));
            out.copy_from_slice(&means(a, b).to_le_bytes());
        }
        let rest = upper.remainder().chunks_exact(2).zip(lower.remainder().chunks_exact(2));
        for (out, (a, b)) in fours.into_remainder().iter_mut().zip(rest) {
            let sum: u16 = a.iter().chain(b).map(|&value| u16::from(value)).sum();
            *out = ((sum + 2) >> 2) as u8;
        }
    }
}

/// The four means of the four squares in two words of eight pixels, one above the other.
fn means(upper: u64, lower: u64) -> u32 {
    const EVEN: u64 = 0x00FF_00FF_00FF_00FF;
    const ROUNDING: u64 = 0x0002_0002_0002_0002;
    let sums = (upper & EVEN) + (upper >> 8 & EVEN) + (lower & EVEN) + (lower >> 8 & EVEN) + ROUNDING;
    let means = sums >> 2 & EVEN;
    let pairs = (means | means >> 8) & 0x0000_FFFF_0000_FFFF;
    (pairs | pairs >> 16) as u32
}

#[cfg(test)]
mod tests {
    use super::super::geometry::point;
    use super::*;

    #[test]
    fn a_halved_picture_holds_means_and_leaves_the_stride_out() {
        let luma: Vec<u8> =
            (0..64 * 200).map(|i| if i % 64 < 60 { ((i % 64) * 4) as u8 } else { 255 }).collect();
        let frame = Frame::new(&luma, 60, 200, 64).unwrap();
        let mut pyramid = Pyramid::default();
        pyramid.make(&frame, 1);
        let half = pyramid.view(&frame, 1);
        assert_eq!((half.width, half.height), (30, 100));
        assert_eq!(&half.row(99)[..3], &[2, 10, 18]);
        assert_eq!(half.row(0)[29], (58 * 4 + 2) as u8);
    }

    #[test]
    fn grey_between_pixels_is_interpolated_and_outside_is_the_border() {
        let luma: Vec<u8> = (0..29 * 29).map(|i| ((i % 29) * 8) as u8).collect();
        let frame = Frame::new(&luma, 29, 29, 29).unwrap();
        let view = frame.view();
        assert!((view.at(point(3.0, 5.5)) - 20.0).abs() < 0.01);
        assert!(view.at(point(-50.0, 4.0)) < 0.01);
        assert!((view.at(point(500.0, f32::INFINITY)) - 28.0 * 8.0).abs() < 0.1);
        assert!(view.at(point(f32::NAN, 3.0)).is_finite());
    }
}
