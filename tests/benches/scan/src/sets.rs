//! Sets of pictures whose texts are known: photos that others took, and letters drawn as if badly photographed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hpki_agent::scan::MAX_PIXELS;
use image::{DynamicImage, ImageReader};
use serde_json::Value;

/// A picture and what it says.
pub(crate) struct Item {
    pub(crate) path: PathBuf,
    pub(crate) expected: String,
    /// Where the symbol is, where that is known.
    pub(crate) outline: Option<Outline>,
}

/// Corners of a symbol in pixels: upper left, upper right, lower right, lower left.
pub(crate) type Outline = [[f32; 2]; 4];

/// Pictures of one origin.
pub(crate) struct Set {
    pub(crate) name: String,
    pub(crate) items: Vec<Item>,
}

/// Where vectors lie: `HPKI_AGENT_VECTORS`, or else the folder beside the project's.
pub(crate) fn vectors() -> PathBuf {
    std::env::var_os("HPKI_AGENT_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/vectors"),
        PathBuf::from,
    )
}

/// Where everything that a run makes is put.
pub(crate) fn workshop() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target"), PathBuf::from);
    target.join("scan-bench")
}

/// The text of a photo whose text file is mistaken. Of `qrcode-2/13.png`, the file has "photograph"; the symbol, version
/// 6-Q with mask 7, has "photography": its modules, sampled at their middles and drawn anew, are read so by zxing-cpp and
/// by zbar, and differ from a fresh symbol of that text in 116 of 1,681 places, of the file's text in 526.
fn corrected(path: &Path) -> Option<&'static str> {
    path.ends_with("qrcode-2/13.png")
        .then_some("The 2005 USGS aerial photography of the Washington Monument is censored.")
}

/// All `NN.png` below a folder that have their text in `NN.txt` beside them.
pub(crate) fn photos(folder: &Path) -> Result<Set, String> {
    let mut items = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "png" || end == "pgm") {
                let Ok(text) = fs::read(path.with_extension("txt")) else { continue };
                // Texts that are not UTF-8 are ISO 8859-1 in these sets.
                let expected = String::from_utf8(text)
                    .unwrap_or_else(|other| other.into_bytes().into_iter().map(char::from).collect());
                let expected = corrected(&path).map_or(expected, str::to_owned);
                items.push(Item { path, expected, outline: None });
            }
        }
    }
    if items.is_empty() {
        return Err(format!("{}: no pictures with texts beside them", folder.display()));
    }
    items.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Set {
        name: folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        items,
    })
}

/// Letters of one seed, drawn if they have not been.
pub(crate) fn letters(python: &Path, seed: u64, per_kind: usize) -> Result<Set, String> {
    let name = format!("seed-{seed}-{per_kind}");
    let folder = workshop().join(&name);
    let manifest = workshop().join(format!("{name}.jsonl"));
    let drawn = workshop().join(format!("{name}.done"));
    if !drawn.exists() {
        eprintln!("drawing seed {seed} …");
        let status = Command::new(python)
            .arg(vectors().join("qr/gen.py"))
            .args([seed.to_string(), per_kind.to_string(), format!("{}/", folder.display())])
            .status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(format!("letters of seed {seed} could not be drawn"));
        }
        fs::write(&drawn, "").map_err(|error| error.to_string())?;
    }
    let manifest =
        fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
    let item = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        let path = Path::new(line["path"].as_str()?).file_name().map(|name| folder.join(name))?;
        let outline = serde_json::from_value(line["par"]["corners"].clone()).ok();
        Some(Item { path, expected: line["expect"].as_str()?.to_owned(), outline })
    };
    Ok(Set { name, items: manifest.lines().filter_map(item).collect() })
}

/// The Python that has the other readers, with its packages installed below the target folder.
pub(crate) fn python() -> Result<PathBuf, String> {
    let home = workshop().join("venv");
    let python = home.join("bin/python");
    let ready = home.join("ready");
    if !ready.exists() {
        eprintln!("installing zxing-cpp, zbar's binding and what draws letters …");
        let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("requirements.txt");
        let made = Command::new("python3").args(["-m", "venv"]).arg(&home).status();
        let filled =
            Command::new(&python).args(["-m", "pip", "install", "-q", "-r"]).arg(requirements).status();
        if ![made, filled].into_iter().all(|status| status.is_ok_and(|status| status.success())) {
            return Err("Python or its packages could not be installed".to_owned());
        }
        fs::write(&ready, "").map_err(|error| error.to_string())?;
    }
    Ok(python)
}

/// A picture's luma as a camera gives it, with width and height; transparent parts lie on white paper.
pub(crate) fn load(path: &Path) -> Result<(Vec<u8>, usize, usize), String> {
    let picture = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|error| error.to_string())?
        .decode()
        .map_err(|error| error.to_string())?;
    let [width, height] = [picture.width(), picture.height()].map(|side| side as usize);
    if width * height > MAX_PIXELS {
        return Err(format!("{} is too large", path.display()));
    }
    Ok((luma(picture), width, height))
}

fn luma(picture: DynamicImage) -> Vec<u8> {
    if !picture.color().has_alpha() {
        return picture.into_luma8().into_raw();
    }
    let grey = picture.into_luma_alpha8();
    let over_paper = |[value, alpha]: [u8; 2]| {
        let [value, alpha] = [value, alpha].map(u32::from);
        u8::try_from((value * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
    };
    grey.pixels().map(|pixel| over_paper(pixel.0)).collect()
}
