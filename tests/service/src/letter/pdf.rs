//! A page → PDF 1.7 (ISO 32000-1): text as text in an embedded subset of the font, areas as paths.

use std::collections::BTreeMap;

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, TextRenderingMode, UnicodeCmap};
use pdf_writer::{Content, Date, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use subsetter::GlyphRemapper;
use ttf_parser::GlyphId;

use super::LetterError;
use super::font::Font;
use super::page::{Area, BOLD_PEN, Colour, HEIGHT, Line, Mark, POINT, Page, WIDTH};

const CATALOGUE: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const PAGE: Ref = Ref::new(3);
const CONTENT: Ref = Ref::new(4);
const FONT: Ref = Ref::new(5);
const CID_FONT: Ref = Ref::new(6);
const DESCRIPTOR: Ref = Ref::new(7);
const FONT_FILE: Ref = Ref::new(8);
const TO_UNICODE: Ref = Ref::new(9);
const INFO: Ref = Ref::new(10);

/// The font's name among the page's resources.
const RESOURCE: Name<'_> = Name(b"F");

/// Six capitals before the name mark a subset (ISO 32000-1, 9.6.4).
const FONT_NAME: Name<'_> = Name(b"LETTER+ReferenceLetterGothic");

/// Glyph identifiers of the subset are the CIDs; no character collection of Adobe's is meant.
const IDENTITY: SystemInfo<'_> =
    SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// The glyphs that the page uses, numbered anew.
struct Used {
    remapper: GlyphRemapper,
    characters: BTreeMap<u16, char>,
}

pub(super) fn draw(page: &Page<'_>) -> Result<Vec<u8>, LetterError> {
    let mut used = Used { remapper: GlyphRemapper::new(), characters: BTreeMap::new() };
    let content = content(page, &mut used);

    let mut pdf = Pdf::new();
    let mut catalogue = pdf.catalog(CATALOGUE);
    catalogue.pages(PAGES).lang(TextStr("ja-JP"));
    catalogue.viewer_preferences().display_doc_title(true);
    catalogue.finish();
    pdf.pages(PAGES).kids([PAGE]).count(1);
    let mut sheet = pdf.page(PAGE);
    sheet.parent(PAGES).contents(CONTENT).media_box(Rect::new(0.0, 0.0, WIDTH / POINT, HEIGHT / POINT));
    sheet.resources().fonts().pair(RESOURCE, FONT);
    sheet.finish();
    pdf.stream(CONTENT, &content);
    embed(&mut pdf, page.font, &used)?;

    let mut date = Date::new(u16::try_from(page.issued.year()).unwrap_or_default());
    date = date.month(page.issued.month().into()).day(page.issued.day());
    pdf.document_info(INFO).title(TextStr(page.title)).creation_date(date);
    Ok(pdf.finish())
}

fn content(page: &Page<'_>, used: &mut Used) -> Vec<u8> {
    let mut content = Content::new();
    for mark in &page.marks {
        match mark {
            Mark::Line(line) => show(&mut content, line, used),
            Mark::Areas(areas, colour) => {
                let [red, green, blue] = rgb(*colour);
                content.set_fill_rgb(red, green, blue);
                for Area { left, top, width, height } in areas {
                    let bottom = (HEIGHT - top - height) / POINT;
                    content.rect(left / POINT, bottom, width / POINT, height / POINT);
                }
                content.fill_nonzero();
            }
        }
    }
    content.finish().into_vec()
}

fn show(content: &mut Content, line: &Line, used: &mut Used) {
    let size = line.size / POINT;
    let [red, green, blue] = rgb(line.colour);
    content.save_state().set_fill_rgb(red, green, blue).begin_text().set_font(RESOURCE, size);
    if line.bold {
        content.set_text_rendering_mode(TextRenderingMode::FillStroke);
        content.set_line_width(BOLD_PEN * size).set_stroke_rgb(red, green, blue);
    }
    let mut encoded = Vec::with_capacity(2 * line.glyphs.len());
    for glyph in &line.glyphs {
        let cid = used.remapper.remap(glyph.id.0);
        used.characters.entry(cid).or_insert(glyph.character);
        encoded.extend(cid.to_be_bytes());
    }
    content.next_line(line.left / POINT, (HEIGHT - line.baseline) / POINT).show(Str(&encoded));
    content.end_text().restore_state();
}

fn rgb(Colour(red, green, blue): Colour) -> [f32; 3] {
    [red, green, blue].map(|part| f32::from(part) / 255.0)
}

/// A composite font (ISO 32000-1, 9.7): Identity-H over the glyphs of the subset, and the way back to Unicode, so
/// that text can be searched, copied and read aloud.
fn embed(pdf: &mut Pdf, font: &Font, used: &Used) -> Result<(), LetterError> {
    let subset = subsetter::subset(Font::data(), 0, &used.remapper)
        .map_err(|error| LetterError::Drawing(error.to_string()))?;
    // PDF measures glyphs in thousandths of an em.
    let widths = used.remapper.remapped_gids().map(|id| font.advance(GlyphId(id)) * 1000.0);
    let scale = 1000.0 / font.units_per_em();
    let bounds = font.face.global_bounding_box();
    let [left, bottom, right, top] =
        [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max].map(|units| f32::from(units) * scale);

    pdf.type0_font(FONT)
        .base_font(FONT_NAME)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(CID_FONT)
        .to_unicode(TO_UNICODE);
    let mut cid_font = pdf.cid_font(CID_FONT);
    cid_font
        .subtype(CidFontType::Type2)
        .base_font(FONT_NAME)
        .system_info(IDENTITY)
        .font_descriptor(DESCRIPTOR);
    cid_font.cid_to_gid_map_predefined(Name(b"Identity"));
    cid_font.widths().consecutive(0, widths);
    cid_font.finish();
    pdf.font_descriptor(DESCRIPTOR)
        .name(FONT_NAME)
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(left, bottom, right, top))
        .italic_angle(0.0)
        .ascent(f32::from(font.face.ascender()) * scale)
        .descent(f32::from(font.face.descender()) * scale)
        .cap_height(f32::from(font.face.capital_height().unwrap_or_default()) * scale)
        // Only a hint for substitutes, which an embedded font never needs.
        .stem_v(80.0)
        .font_file2(FONT_FILE);
    let length = i32::try_from(subset.len()).map_err(|error| LetterError::Drawing(error.to_string()))?;
    pdf.stream(FONT_FILE, &subset).pair(Name(b"Length1"), length);

    let mut cmap = UnicodeCmap::new(Name(b"Letter"), IDENTITY);
    for (&cid, &character) in &used.characters {
        cmap.pair(cid, character);
    }
    pdf.stream(TO_UNICODE, &cmap.finish());
    Ok(())
}
