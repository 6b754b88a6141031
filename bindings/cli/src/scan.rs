//! `hpki-agent scan IMAGE… [--json]`: what the agent reads from pictures of a letter, for people who integrate and
//! for those who measure its reading power.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use cpu_time::ThreadTime;
use hpki_agent::scan::{Budget, Frame, Outcome, Scanner, Symbol, Unsupported, WhyNothing};
use image::{ImageReader, Limits};
use serde_json::json;

/// The longest side of a file's picture in pixels. The agent refuses frames far smaller than a square of this; the
/// bound keeps a hostile file from claiming gigabytes before that.
const MAX_SIDE: u32 = 16_384;

/// Memory that decoding one file may take: a frame of the agent's largest size in RGB, with 16 bits a channel, twice.
const MAX_MEMORY: u64 = 160 << 20;

/// Read the QR code in pictures.
#[derive(Debug, Args)]
pub(crate) struct ScanArgs {
    /// PNG, JPEG or PGM files; told apart by content, not by name
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,

    /// Print one JSON object a line: file, text (null when not read), ms (CPU time of the reading alone), version
    #[arg(long)]
    json: bool,
}

/// Scans every file; 0 when all were read, else 1.
pub(crate) fn run(args: &ScanArgs) -> ExitCode {
    match scan_all(args, &mut io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes a line for each file, as soon as it is known; tells whether all were read.
fn scan_all(args: &ScanArgs, out: &mut impl Write) -> io::Result<bool> {
    let mut scanner = Scanner::new();
    let mut all_read = true;
    for file in &args.images {
        let reading = read(&mut scanner, file);
        all_read &= matches!(reading, Ok(Reading { outcome: Outcome::Read(_), .. }));
        if let Err(error) = &reading {
            eprintln!("{}: {error}", file.display());
        }
        let line = if args.json { json_line(file, &reading) } else { human_line(file, &reading) };
        writeln!(out, "{line}")?;
    }
    Ok(all_read)
}

/// What the scanner made of a file's picture.
struct Reading {
    outcome: Outcome,
    /// CPU time of this thread in the scanner.
    took: Duration,
}

fn read(scanner: &mut Scanner, file: &Path) -> Result<Reading, String> {
    let (luma, width, height) = load(file)?;
    let frame = Frame::new(&luma, width, height, width).map_err(|error| error.to_string())?;
    let start = ThreadTime::try_now().map_err(|error| error.to_string())?;
    scanner.start_over();
    let outcome = scanner.scan_within(&frame, Budget::of_pixels(width * height));
    let took = start.try_elapsed().map_err(|error| error.to_string())?;
    Ok(Reading { outcome, took })
}

/// The text of the QR in one picture.
pub(crate) fn read_one(file: &Path) -> Result<String, String> {
    match read(&mut Scanner::new(), file)?.outcome {
        Outcome::Read(Symbol { text, .. }) => Ok(text),
        Outcome::Nothing(why) => Err(format!("{}: {}", file.display(), explain(why))),
    }
}

/// The luma of a file's picture, as a camera would give it, with width and height in pixels.
fn load(file: &Path) -> Result<(Vec<u8>, usize, usize), String> {
    let mut reader = ImageReader::open(file)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|error| error.to_string())?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    let picture = reader.decode().map_err(|error| error.to_string())?;
    let [width, height] = [picture.width(), picture.height()].map(|side| side as usize);
    if !picture.color().has_color() && !picture.color().has_alpha() {
        return Ok((picture.into_luma8().into_raw(), width, height));
    }
    let pixels = picture.into_rgba8();
    Ok((pixels.pixels().map(|pixel| luma(pixel.0)).collect(), width, height))
}

/// Luma by the weights of ITU-R BT.601, in thousandths; what is transparent lies on white paper.
fn luma([red, green, blue, alpha]: [u8; 4]) -> u8 {
    let [red, green, blue, alpha] = [red, green, blue, alpha].map(u32::from);
    let opaque = (299 * red + 587 * green + 114 * blue + 500) / 1000;
    let over_paper = (opaque * alpha + 255 * (255 - alpha) + 127) / 255;
    u8::try_from(over_paper).unwrap_or(u8::MAX)
}

fn json_line(file: &Path, reading: &Result<Reading, String>) -> String {
    let file = file.to_string_lossy();
    let line = match reading {
        Ok(Reading { outcome: Outcome::Read(Symbol { text, version }), took }) => {
            json!({ "file": file, "text": text, "ms": milliseconds(*took), "version": version })
        }
        Ok(Reading { outcome: Outcome::Nothing(_), took }) => {
            json!({ "file": file, "text": null, "ms": milliseconds(*took), "version": null })
        }
        Err(error) => json!({ "file": file, "text": null, "ms": null, "version": null, "error": error }),
    };
    line.to_string()
}

fn human_line(file: &Path, reading: &Result<Reading, String>) -> String {
    let file = file.display();
    match reading {
        Ok(Reading { outcome: Outcome::Read(Symbol { text, version }), took }) => {
            format!("{file}: version {version}, {:.1} ms: {text}", milliseconds(*took))
        }
        Ok(Reading { outcome: Outcome::Nothing(why), took }) => {
            format!("{file}: {}, {:.1} ms", explain(*why), milliseconds(*took))
        }
        Err(_) => format!("{file}: not a picture that can be scanned"),
    }
}

fn explain(why: WhyNothing) -> &'static str {
    match why {
        WhyNothing::NoCode => "no code found",
        WhyNothing::TooSmall => "a code was found, but it is too small: come closer",
        WhyNothing::TooBlurred => "a code was found, but it is blurred: hold still",
        WhyNothing::Unreadable => "a code was found but could not be read",
        WhyNothing::Unsupported(Unsupported::StructuredAppend) => {
            "a code was found that is one part of several"
        }
        WhyNothing::Unsupported(Unsupported::Fnc1) => {
            "a code was found whose text is in GS1 or AIM form (FNC1)"
        }
        WhyNothing::Unsupported(Unsupported::CharacterSet) => "a code was found in an unknown character set",
    }
}

/// Milliseconds, to the microsecond.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use std::fs;

    use image::{DynamicImage, GrayImage, ImageFormat, Luma};
    use qrcode::{Color, QrCode};
    use serde_json::Value;

    use super::*;

    const TEXT: &str = "https://service.example/r#e";

    fn picture() -> DynamicImage {
        let code = QrCode::new(TEXT).unwrap();
        let side = u32::try_from(code.width() + 8).unwrap() * 4;
        GrayImage::from_fn(side, side, |x, y| {
            let [column, row] = [x, y].map(|at| (at as usize / 4).wrapping_sub(4));
            let dark = column < code.width() && row < code.width() && code[(column, row)] == Color::Dark;
            Luma([if dark { 0 } else { 255 }])
        })
        .into()
    }

    /// A folder that goes when the test ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("hpki-agent-scan-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn picture(&self, name: &str, picture: &DynamicImage, format: ImageFormat) -> PathBuf {
            let path = self.0.join(name);
            picture.save_with_format(&path, format).unwrap();
            path
        }

        fn bytes(&self, name: &str, bytes: &[u8]) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, bytes).unwrap();
            path
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn scan(images: &[&PathBuf]) -> (bool, Vec<Value>) {
        let args = ScanArgs { images: images.iter().map(|&path| path.clone()).collect(), json: true };
        let mut out = Vec::new();
        let all_read = scan_all(&args, &mut out).unwrap();
        let lines = std::str::from_utf8(&out).unwrap().lines();
        (all_read, lines.map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    #[test]
    fn every_format_is_read_by_its_content_whatever_its_name() {
        let folder = Folder::new("formats");
        let grey = picture();
        let colour = DynamicImage::from(grey.to_rgb8());
        let transparent = DynamicImage::from(grey.to_rgba8());
        let files = [
            folder.picture("grey", &grey, ImageFormat::Png),
            folder.picture("deep.jpg", &DynamicImage::from(grey.to_luma16()), ImageFormat::Png),
            folder.picture("colour.png", &colour, ImageFormat::Jpeg),
            folder.picture("transparent.dat", &transparent, ImageFormat::Png),
            folder.picture("grey.pgm", &grey, ImageFormat::Pnm),
        ];
        let (all_read, lines) = scan(&files.each_ref());
        assert!(all_read);
        for (file, line) in files.iter().zip(&lines) {
            assert_eq!(line["file"], file.to_str().unwrap());
            assert_eq!(line["text"], TEXT, "{line}");
            assert_eq!(line["version"], 3);
            assert!(line["ms"].as_f64().unwrap() > 0.0);
        }
    }

    #[test]
    fn a_picture_without_a_code_has_a_null_text_and_the_rest_are_read_all_the_same() {
        let folder = Folder::new("empty");
        let paper = DynamicImage::from(GrayImage::from_pixel(200, 200, Luma([230])));
        let paper = folder.picture("paper.png", &paper, ImageFormat::Png);
        let code = folder.picture("code.png", &picture(), ImageFormat::Png);
        let (all_read, lines) = scan(&[&paper, &code]);
        assert!(!all_read);
        assert_eq!((&lines[0]["text"], &lines[0]["version"]), (&Value::Null, &Value::Null));
        assert!(lines[0]["ms"].is_number() && lines[0].get("error").is_none());
        assert_eq!(lines[1]["text"], TEXT);
    }

    #[test]
    fn a_file_that_cannot_be_a_frame_has_a_null_text_and_an_error() {
        let folder = Folder::new("errors");
        let tiny = DynamicImage::from(GrayImage::from_pixel(1, 200, Luma([230])));
        let files = [
            folder.0.join("absent.png"),
            folder.bytes("text.png", b"no picture"),
            folder.bytes("cut.png", b"\x89PNG\r\n\x1a\n"),
            folder.bytes("vast.pgm", b"P5 60000 60000 255\n"),
            folder.picture("tiny.png", &tiny, ImageFormat::Png),
        ];
        let (all_read, lines) = scan(&files.each_ref());
        assert!(!all_read);
        assert_eq!(lines.len(), files.len());
        for line in lines {
            assert_eq!((&line["text"], &line["ms"]), (&Value::Null, &Value::Null), "{line}");
            assert!(!line["error"].as_str().unwrap().is_empty());
        }
    }

    #[test]
    fn colours_are_weighed_as_bt_601_says_and_transparency_is_paper() {
        assert_eq!(luma([255, 255, 255, 255]), 255);
        assert_eq!(luma([0, 0, 0, 255]), 0);
        assert_eq!([luma([255, 0, 0, 255]), luma([0, 255, 0, 255]), luma([0, 0, 255, 255])], [76, 150, 29]);
        assert_eq!(luma([0, 0, 0, 0]), 255);
    }
}
