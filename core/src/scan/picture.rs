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

impl<'a> View<'a> {
    pub(super) fn row(&self, y: usize) -> &'a [u8] {
        let start = y.saturating_mul(self.stride);
        self.luma.get(start..start + self.width).unwrap_or_default()
    }

    /// The grey value at a place between pixels, by bilinear interpolation; the nearest pixel's outside of the picture.
    #[allow(clippy::manual_clamp)]
    pub(super) fn at(&self, place: Point) -> f32 {
        // In this order, what is no number becomes 0.
        let x = (place.x - 0.5).max(0.0).min(self.width as f32 - 1.001);
        let y = (place.y - 0.5).max(0.0).min(self.height as f32 - 1.001);
        let (left, top) = (x as usize, y as usize);
        let (right, down) = (x - left as f32, y - top as f32);
        let start = top * self.stride + left;
        let (Some(&[a, b]), Some(&[c, d])) = (
            self.luma.get(start..).and_then(<[u8]>::first_chunk::<2>),
            self.luma.get(start + self.stride..).and_then(<[u8]>::first_chunk::<2>),
        ) else {
            return 255.0;
        };
        let [a, b, c, d] = [a, b, c, d].map(f32::from);
        let upper = a + (b - a) * right;
        let lower = c + (d - c) * right;
        upper + (lower - upper) * down
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
        let upper = source.row(2 * y).chunks_exact(2);
        let lower = source.row(2 * y + 1).chunks_exact(2);
        for ((out, a), b) in out.iter_mut().zip(upper).zip(lower) {
            let sum: u16 = a.iter().chain(b).map(|&value| u16::from(value)).sum();
            *out = ((sum + 2) >> 2) as u8;
        }
    }
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
