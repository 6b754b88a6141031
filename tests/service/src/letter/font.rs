//! The font of the letter: which glyph a character has, how wide it is, what it looks like.

use ttf_parser::{Face, GlyphId, OutlineBuilder};

use super::LetterError;

/// A TrueType subset with a licence of its own; `assets/README.md` tells where it comes from.
static DATA: &[u8] = include_bytes!("../../assets/letter.ttf");

pub(super) struct Font {
    pub(super) face: Face<'static>,
}

/// A character as it is printed.
#[derive(Clone, Copy)]
pub(super) struct Glyph {
    pub(super) character: char,
    pub(super) id: GlyphId,
    /// To the next glyph, in ems.
    pub(super) advance: f32,
}

impl Font {
    pub(super) fn load() -> Result<Self, LetterError> {
        let face = Face::parse(DATA, 0).map_err(|error| LetterError::Drawing(error.to_string()))?;
        Ok(Self { face })
    }

    pub(super) fn data() -> &'static [u8] {
        DATA
    }

    pub(super) fn units_per_em(&self) -> f32 {
        f32::from(self.face.units_per_em())
    }

    /// The glyphs of one line. A character without a glyph is an error: a box in a name would be a wrong name.
    pub(super) fn glyphs(&self, text: &str) -> Result<Vec<Glyph>, LetterError> {
        text.chars()
            .map(|character| {
                let id = self.face.glyph_index(character).filter(|id| id.0 != 0);
                let id = id.ok_or(LetterError::MissingGlyph { character })?;
                Ok(Glyph { character, id, advance: self.advance(id) })
            })
            .collect()
    }

    /// The advance of a glyph in ems.
    pub(super) fn advance(&self, id: GlyphId) -> f32 {
        f32::from(self.face.glyph_hor_advance(id).unwrap_or(0)) / self.units_per_em()
    }

    pub(super) fn outline(&self, id: GlyphId, builder: &mut dyn OutlineBuilder) {
        self.face.outline_glyph(id, builder);
    }
}

/// The width of a line in ems.
pub(super) fn width(glyphs: &[Glyph]) -> f32 {
    glyphs.iter().map(|glyph| glyph.advance).sum()
}
