//! How well and how fast the scanner reads, beside other readers, in one run. See README.md.

mod empty;
mod readers;
mod sets;
mod sheet;

use std::alloc::System;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use readers::{Reading, read_all};
use sets::{Set, letters, photos, python, vectors};

/// Counts every allocation, so that what the scanner keeps can be told.
#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Measures the scanner.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Every reader on the same pictures: rate, wrong texts, panics, median and 95th percentile of CPU time
    Compare {
        #[command(flatten)]
        pictures: Pictures,
        /// Fail when ours reads fewer than zxing-cpp in a set, or reads a wrong text, or panics
        #[arg(long)]
        check: bool,
    },
    /// Frames without a code: the time that the budget allows, its 99th percentile, and what stays on the heap
    Empty {
        /// How many
        #[arg(long, default_value_t = 200)]
        frames: u64,
    },
    /// A contact sheet of the pictures that were not read
    Sheet {
        /// The PNG to write
        output: PathBuf,
        #[command(flatten)]
        pictures: Pictures,
    },
    /// Scans one picture once, for callgrind
    Once {
        /// PNG or PGM
        picture: PathBuf,
    },
}

/// Which pictures.
#[derive(clap::Args)]
struct Pictures {
    /// Folder with NN.png and NN.txt; the ZXing photos when absent
    #[arg(long)]
    photos: Vec<PathBuf>,
    /// Seeds of drawn letters
    #[arg(long, value_delimiter = ',')]
    seeds: Vec<u64>,
    /// Letters of each of the 17 kinds of damage
    #[arg(long, default_value_t = 6)]
    per_kind: usize,
}

impl Pictures {
    fn sets(&self) -> Result<Vec<Set>, String> {
        let folders =
            if self.photos.is_empty() { vec![vectors().join("qr/zxing")] } else { self.photos.clone() };
        let mut sets = folders.iter().map(|folder| photos(folder)).collect::<Result<Vec<_>, _>>()?;
        if !self.seeds.is_empty() {
            let python = python()?;
            for &seed in &self.seeds {
                sets.push(letters(&python, seed, self.per_kind)?);
            }
        }
        Ok(sets)
    }
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Compare { pictures, check } => compare(&pictures, check),
        Command::Empty { frames } => empty::run(frames),
        Command::Sheet { output, pictures } => pictures.sets().and_then(|sets| sheet::draw(&sets, &output)),
        Command::Once { picture } => sheet::once(&picture),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(pictures: &Pictures, check: bool) -> Result<(), String> {
    let python = python()?;
    for set in pictures.sets()? {
        println!("\n{} ({} pictures)", set.name, set.items.len());
        println!(
            "| reader | read % | wrong | panics | ms median | ms p95 | 1080p ms median | p95 |\n|---|---|---|---|---|---|---|---|"
        );
        let lines = set.items.iter().map(|item| lines_of(&item.path)).collect::<Vec<_>>();
        let all = read_all(&set, &python)?;
        for (name, readings) in &all {
            println!("{}", row(name, &set, readings, &lines));
        }
        if check {
            judge(&set, &all)?;
        }
    }
    Ok(())
}

/// What must hold whatever the machine: times are not judged here, since others may be using it.
fn judge(set: &Set, all: &[(&str, Vec<Reading>)]) -> Result<(), String> {
    let count = |reader: &str, holds: fn(&sets::Item, &Reading) -> bool| {
        let (_, readings) = all.iter().find(|(name, _)| *name == reader)?;
        Some(set.items.iter().zip(readings).filter(|(item, reading)| holds(item, reading)).count())
    };
    let absent = || "a reader is absent".to_owned();
    let ours = count("ours", right).ok_or_else(absent)?;
    let theirs = count("zxing-cpp", right).ok_or_else(absent)?;
    let wrong = count("ours", wrong).ok_or_else(absent)?;
    let panics = count("ours", |_, reading| reading.panicked).ok_or_else(absent)?;
    if ours < theirs || wrong + panics > 0 {
        return Err(format!(
            "{}: ours reads {ours}, zxing-cpp {theirs}; {wrong} wrong texts, {panics} panics",
            set.name
        ));
    }
    println!("ok: {}: reads no fewer than zxing-cpp, no text wrong, no panic", set.name);
    Ok(())
}

fn right(item: &sets::Item, reading: &Reading) -> bool {
    reading.texts.iter().any(|text| normal(text) == normal(&item.expected))
}

fn wrong(item: &sets::Item, reading: &Reading) -> bool {
    !reading.texts.is_empty() && !right(item, reading)
}

/// Rows of a picture, to tell frames of 1080 lines.
fn lines_of(path: &std::path::Path) -> u32 {
    image::image_dimensions(path).map_or(0, |(_, height)| height)
}

fn row(name: &str, set: &Set, readings: &[Reading], lines: &[u32]) -> String {
    let pairs = || set.items.iter().zip(readings);
    let read = pairs().filter(|(item, reading)| right(item, reading)).count();
    let wrong = pairs().filter(|(item, reading)| wrong(item, reading)).count();
    let panics = readings.iter().filter(|reading| reading.panicked).count();
    let all: Vec<f64> = readings.iter().map(|reading| reading.ms).collect();
    let full: Vec<f64> =
        all.iter().zip(lines).filter(|&(_, &lines)| lines == 1080).map(|(&ms, _)| ms).collect();
    let rate = 100.0 * ratio(read, set.items.len());
    let [a, b] = [0.5, 0.95].map(|part| quantile(&all, part));
    let [c, d] = [0.5, 0.95].map(|part| quantile(&full, part));
    format!("| {name} | {rate:.1} | {wrong} | {panics} | {a} | {b} | {c} | {d} |")
}

/// Line ends at the end of a text file are not part of the text.
fn normal(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end_matches('\n').to_owned()
}

fn ratio(part: usize, whole: usize) -> f64 {
    let [part, whole] = [part, whole].map(|count| u32::try_from(count).map_or(f64::NAN, f64::from));
    part / whole
}

/// A quantile, printed in milliseconds; a dash when there is nothing.
fn quantile(values: &[f64], part: f64) -> String {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = sorted.iter().enumerate().find(|(index, _)| ratio(index + 1, sorted.len()) >= part);
    at.map_or("–".to_owned(), |(_, ms)| format!("{ms:.2}"))
}
