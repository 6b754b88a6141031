//! A page → PNG: outlines filled at 300 dpi.

use png::{BitDepth, ColorType, Encoder, PixelDimensions, Unit};
use tiny_skia::{FillRule, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, Transform};
use ttf_parser::OutlineBuilder;

use super::LetterError;
use super::font::Font;
use super::page::{Area, BOLD_PEN, Colour, DOTS_PER_MM, Line, Mark, Page};

/// A4 at 300 dpi.
const WIDTH: u32 = 2480;
const HEIGHT: u32 = 3508;

/// 300 dpi in the unit of the `pHYs` chunk.
const DOTS_PER_METRE: u32 = 11_811;

pub(super) fn draw(page: &Page<'_>) -> Result<Vec<u8>, LetterError> {
    let mut sheet = Pixmap::new(WIDTH, HEIGHT).ok_or_else(|| LetterError::Drawing("no sheet".into()))?;
    sheet.fill(tiny_skia::Color::WHITE);
    for mark in &page.marks {
        match mark {
            Mark::Line(line) => draw_line(&mut sheet, page.font, line),
            Mark::Areas(areas, colour) => {
                if let Some(path) = path_of(areas) {
                    sheet.fill_path(&path, &paint(*colour), FillRule::Winding, Transform::identity(), None);
                }
            }
        }
    }
    encode(&sheet).map_err(|error| LetterError::Drawing(error.to_string()))
}

fn draw_line(sheet: &mut Pixmap, font: &Font, line: &Line) {
    let em = line.size * DOTS_PER_MM;
    let unit = em / font.units_per_em();
    let pen = Stroke { width: BOLD_PEN * font.units_per_em(), ..Stroke::default() };
    let mut left = line.left * DOTS_PER_MM;
    for glyph in &line.glyphs {
        let mut outline = Outline(PathBuilder::new());
        font.outline(glyph.id, &mut outline);
        // Glyph space has its y axis upwards.
        let place = Transform::from_row(unit, 0.0, 0.0, -unit, left, line.baseline * DOTS_PER_MM);
        if let Some(path) = outline.0.finish() {
            sheet.fill_path(&path, &paint(line.colour), FillRule::Winding, place, None);
            if line.bold {
                sheet.stroke_path(&path, &paint(line.colour), &pen, place, None);
            }
        }
        left += glyph.advance * em;
    }
}

fn path_of(areas: &[Area]) -> Option<Path> {
    let mut path = PathBuilder::new();
    for area in areas {
        let [left, top, width, height] =
            [area.left, area.top, area.width, area.height].map(|length| length * DOTS_PER_MM);
        path.push_rect(Rect::from_xywh(left, top, width, height)?);
    }
    path.finish()
}

fn paint(Colour(red, green, blue): Colour) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(red, green, blue, u8::MAX);
    paint
}

fn encode(sheet: &Pixmap) -> Result<Vec<u8>, png::EncodingError> {
    let rgb: Vec<u8> = sheet.pixels().iter().flat_map(|dot| [dot.red(), dot.green(), dot.blue()]).collect();
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, WIDTH, HEIGHT);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_pixel_dims(Some(PixelDimensions {
        xppu: DOTS_PER_METRE,
        yppu: DOTS_PER_METRE,
        unit: Unit::Meter,
    }));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&rgb)?;
    writer.finish()?;
    Ok(file)
}

/// A glyph's outline as a path, in the font's units.
struct Outline(PathBuilder);

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.0.close();
    }
}
