//! The readers that are compared, and what each made of a picture.

use std::collections::HashMap;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cpu_time::ThreadTime;
use hpki_agent::scan::{Budget, Frame, Outcome, Scanner};
use rxing::{BarcodeFormat, DecodeHints};
use serde_json::Value;

use crate::sets::{Set, load};

/// What one reader made of one picture.
#[derive(Default, Clone)]
pub(crate) struct Reading {
    /// All texts that it found.
    pub(crate) texts: Vec<String>,
    /// CPU time of the thread in milliseconds.
    pub(crate) ms: f64,
    pub(crate) panicked: bool,
}

/// Every reader's reading of every picture of a set, by reader.
pub(crate) fn read_all(set: &Set, python: &Path) -> Result<Vec<(&'static str, Vec<Reading>)>, String> {
    let mut scanner = Scanner::new();
    let mut ours = Vec::new();
    let mut frame = Vec::new();
    let mut whole = Vec::new();
    let mut with_rqrr = Vec::new();
    let mut with_rxing = Vec::new();
    for item in &set.items {
        let (luma, width, height) = load(&item.path)?;
        let picture = Frame::new(&luma, width, height, width).map_err(|error| error.to_string())?;
        scanner.start_over();
        ours.push(timed(|| texts(scanner.scan_within(&picture, Budget::of_pixels(width * height)))));
        scanner.start_over();
        frame.push(timed(|| texts(scanner.scan(&picture))));
        scanner.start_over();
        whole.push(timed(|| texts(scanner.scan_within(&picture, Budget::STILL))));
        with_rqrr.push(timed(|| rqrr(&luma, width, height)));
        with_rxing.push(timed(|| rxing(&luma, width, height)));
    }
    let mut all = vec![
        ("ours", ours),
        ("ours, a frame's budget", frame),
        ("ours, without a bound", whole),
        ("rqrr", with_rqrr),
        ("rxing", with_rxing),
    ];
    let mut others = others(set, python)?;
    for name in ["zbar", "zxing-cpp"] {
        if let Some(mut readings) = others.remove(name) {
            let readings =
                set.items.iter().map(|item| readings.remove(&item.path).unwrap_or_default()).collect();
            all.push((name, readings));
        }
    }
    Ok(all)
}

fn timed(read: impl FnOnce() -> Vec<String>) -> Reading {
    let start = ThreadTime::now();
    let texts = catch_unwind(AssertUnwindSafe(read));
    let ms = start.elapsed().as_secs_f64() * 1e3;
    Reading { panicked: texts.is_err(), texts: texts.unwrap_or_default(), ms }
}

fn texts(outcome: Outcome) -> Vec<String> {
    match outcome {
        Outcome::Read(symbol) => vec![symbol.text],
        Outcome::Nothing(_) => Vec::new(),
    }
}

fn rqrr(luma: &[u8], width: usize, height: usize) -> Vec<String> {
    let at = |x: usize, y: usize| luma.get(y * width + x).copied().unwrap_or(u8::MAX);
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, at);
    picture.detect_grids().iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| text).collect()
}

fn rxing(luma: &[u8], width: usize, height: usize) -> Vec<String> {
    let mut hints = DecodeHints { TryHarder: Some(true), AlsoInverted: Some(true), ..DecodeHints::default() };
    let [width, height] = [width, height].map(|side| u32::try_from(side).unwrap_or(0));
    let format = Some(BarcodeFormat::QR_CODE);
    rxing::helpers::detect_in_luma_slice_with_hints(luma, width, height, format, &mut hints)
        .map(|found| vec![found.getText().to_owned()])
        .unwrap_or_default()
}

type ByReader = HashMap<String, HashMap<PathBuf, Reading>>;

/// Readings of the readers that are not Rust, by reader and picture.
fn others(set: &Set, python: &Path) -> Result<ByReader, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("others.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut input = child.stdin.take().ok_or("no standard input")?;
    let paths: String = set.items.iter().map(|item| item.path.display().to_string() + "\n").collect();
    // Written aside, so that neither side waits for the other.
    let writer = std::thread::spawn(move || input.write_all(paths.as_bytes()));
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let _ = writer.join();
    if !output.status.success() {
        return Err("the other readers failed".to_owned());
    }
    let mut all = ByReader::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let line: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let texts = line["texts"].as_array().into_iter().flatten().filter_map(text).collect();
        let reading = Reading { texts, ms: line["ms"].as_f64().unwrap_or(0.0), panicked: false };
        let (Some(reader), Some(path)) = (text(&line["reader"]), text(&line["path"])) else { continue };
        all.entry(reader).or_default().insert(PathBuf::from(path), reading);
    }
    Ok(all)
}
