//! Frames of 1080 lines without a code: what the budget of a frame bounds. Paper, print, noise and shapes, drawn from a
//! small generator of random numbers so that every run sees the same.

use cpu_time::ThreadTime;
use hpki_agent::scan::{Frame, Outcome, Scanner};

const WIDTH: usize = 1920;
const HEIGHT: usize = 1080;

/// Time of a frame at 30 frames a second, in milliseconds.
const FRAME_TIME: f64 = 1000.0 / 30.0;

/// Prints the distribution of time over frames without a code.
pub(crate) fn run(frames: u64) -> Result<(), String> {
    let mut scanner = Scanner::new();
    let mut times = Vec::new();
    for seed in 0..frames {
        let luma = draw(seed);
        let frame = Frame::new(&luma, WIDTH, HEIGHT, WIDTH).map_err(|error| error.to_string())?;
        let start = ThreadTime::now();
        let outcome = scanner.scan(&frame);
        times.push(start.elapsed().as_secs_f64() * 1e3);
        if matches!(outcome, Outcome::Read(_)) {
            return Err(format!("a text was read from frame {seed}, which holds no code"));
        }
    }
    println!("{frames} frames of {WIDTH} × {HEIGHT} without a code, one scanner, budget of a frame");
    println!("| ms median | ms p95 | ms p99 | ms most | p99 of time over 33.3 ms |\n|---|---|---|---|---|");
    let over: Vec<f64> = times.iter().map(|ms| (ms - FRAME_TIME).max(0.0)).collect();
    let [a, b, c, d] = [0.5, 0.95, 0.99, 1.0].map(|part| crate::quantile(&times, part));
    println!("| {a} | {b} | {c} | {d} | {} |", crate::quantile(&over, 0.99));
    still_heap(&mut scanner, frames)?;
    println!("ok: no text in {frames} frames without a code");
    Ok(())
}

/// Scans the same frames once more: a scanner that has seen them has all the memory that it needs.
fn still_heap(scanner: &mut Scanner, frames: u64) -> Result<(), String> {
    let mut kept = Vec::with_capacity(2);
    for _ in 0..2 {
        for seed in 0..frames {
            let luma = draw(seed);
            let frame = Frame::new(&luma, WIDTH, HEIGHT, WIDTH).map_err(|error| error.to_string())?;
            scanner.start_over();
            scanner.scan(&frame);
        }
        let heap = crate::HEAP.stats();
        kept.push(heap.bytes_allocated - heap.bytes_deallocated);
    }
    println!("bytes on the heap after all frames: {}, and after all of them again: {}", kept[0], kept[1]);
    if kept[1] > kept[0] { Err("the scanner's memory grows".to_owned()) } else { Ok(()) }
}

/// Xorshift, 64 bits.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit.max(1)
    }
}

fn draw(seed: u64) -> Vec<u8> {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let paper = 60 + random.below(180);
    let mut luma = vec![u8::try_from(paper).unwrap_or(u8::MAX); WIDTH * HEIGHT];
    match seed % 4 {
        0 => (),
        1 => print(&mut luma, &mut random),
        2 => {
            for _ in 0..400 {
                let (w, h) = (2 + random.below(200), 2 + random.below(200));
                fill(&mut luma, [random.below(WIDTH), random.below(HEIGHT), w, h], random.below(255));
            }
        }
        _ => luma.iter_mut().for_each(|pixel| *pixel = u8::try_from(random.below(256)).unwrap_or(0)),
    }
    let grain = random.below(24) + 1;
    for pixel in &mut luma {
        *pixel = pixel.saturating_add(u8::try_from(random.below(grain)).unwrap_or(0));
    }
    luma
}

/// Lines of strokes, about as dense as letters, with squares in squares among them to look at.
fn print(luma: &mut [u8], random: &mut Random) {
    let size = 6 + random.below(20);
    for y in (size..HEIGHT).step_by(size * 2) {
        let mut x = size;
        while x < WIDTH {
            let (w, h) = (1 + random.below(size / 3), 1 + random.below(size));
            fill(luma, [x, y + random.below(size / 2), w, h], 20);
            if random.below(60) == 0 {
                for (ring, value) in [(0, 20), (1, 220), (2, 20)] {
                    let inset = ring * size / 7;
                    fill(luma, [x + inset, y + inset, size - 2 * inset, size - 2 * inset], value);
                }
                x += size;
            }
            x += w + 1 + random.below(size / 2);
        }
    }
}

fn fill(luma: &mut [u8], [x, y, w, h]: [usize; 4], value: usize) {
    for row in luma.chunks_exact_mut(WIDTH).skip(y).take(h) {
        row.iter_mut().skip(x).take(w).for_each(|pixel| *pixel = u8::try_from(value).unwrap_or(u8::MAX));
    }
}
