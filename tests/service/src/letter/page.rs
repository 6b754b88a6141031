//! A page as a list of marks, and the means to set text on it. Lengths are millimetres from the top left corner of an
//! A4 sheet; sizes of type are millimetres too.

use super::LetterError;
use super::font::{Font, Glyph, width};

pub(super) const WIDTH: f32 = 210.0;
pub(super) const HEIGHT: f32 = 297.0;

/// The resolution of the PNG. The QR is laid on this grid, so that no module has a blurred edge.
pub(super) const DOTS_PER_MM: f32 = 300.0 / 25.4;

/// The height of one typographic point.
pub(super) const POINT: f32 = 25.4 / 72.0;

/// How much a bold stroke grows over a regular one, in ems. The font has one weight, so bold type is the regular
/// outline with a pen drawn along it.
pub(super) const BOLD_PEN: f32 = 0.035;

#[derive(Clone, Copy, PartialEq)]
pub(super) struct Colour(pub(super) u8, pub(super) u8, pub(super) u8);

pub(super) const INK: Colour = Colour(0x1c, 0x1f, 0x24);
pub(super) const SOFT: Colour = Colour(0x5a, 0x62, 0x6e);
pub(super) const NAVY: Colour = Colour(0x1d, 0x3b, 0x66);
pub(super) const TINT: Colour = Colour(0xf0, 0xf3, 0xf8);
pub(super) const RED: Colour = Colour(0xb3, 0x26, 0x1e);
pub(super) const PAPER: Colour = Colour(0xff, 0xff, 0xff);
pub(super) const BLACK: Colour = Colour(0, 0, 0);

/// A line of text: its first glyph's origin, its size and its look.
pub(super) struct Line {
    pub(super) left: f32,
    pub(super) baseline: f32,
    pub(super) size: f32,
    pub(super) colour: Colour,
    pub(super) bold: bool,
    pub(super) glyphs: Vec<Glyph>,
}

/// A filled rectangle.
#[derive(Clone, Copy)]
pub(super) struct Area {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) width: f32,
    pub(super) height: f32,
}

pub(super) enum Mark {
    Line(Line),
    /// Areas of one colour, painted as one shape, so that neighbours show no seam.
    Areas(Vec<Area>, Colour),
}

pub(super) struct Page<'a> {
    pub(super) font: &'a Font,
    pub(super) title: &'static str,
    pub(super) issued: time::Date,
    pub(super) marks: Vec<Mark>,
}

/// How text looks, and where a line stands between the edges of its column.
#[derive(Clone, Copy)]
pub(super) struct Style {
    points: f32,
    colour: Colour,
    bold: bool,
    align: Align,
}

#[derive(Clone, Copy)]
enum Align {
    Left,
    Centre,
    Right,
}

/// Regular type of so many typographic points, from the left edge.
pub(super) const fn style(points: f32, colour: Colour) -> Style {
    Style { points, colour, bold: false, align: Align::Left }
}

impl Style {
    pub(super) const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(super) const fn centred(self) -> Self {
        Self { align: Align::Centre, ..self }
    }

    pub(super) const fn right(self) -> Self {
        Self { align: Align::Right, ..self }
    }
}

/// A column of the page, in which text is set.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pub(super) left: f32,
    pub(super) width: f32,
}

/// Characters that must not begin a line, and those that must not end one (JIS X 4051).
const NEVER_FIRST: &str =
    "、。，．・：；？！」』）】〕〉》ゝゞ々ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ…～〜,.:;?!)]}";
const NEVER_LAST: &str = "「『（【〔〈《([{";

impl Page<'_> {
    /// Sets one line. It shrinks by at most a quarter to fit the column; `part` names it if even that is too long.
    pub(super) fn line(
        &mut self,
        column: Column,
        baseline: f32,
        look: Style,
        part: &'static str,
        text: &str,
    ) -> Result<(), LetterError> {
        let glyphs = self.font.glyphs(text)?;
        let ems = width(&glyphs);
        let wanted = look.points * POINT;
        let size = wanted.min(column.width / ems.max(f32::EPSILON));
        if size < wanted * 0.75 {
            return Err(LetterError::DoesNotFit { part });
        }
        let slack = column.width - ems * size;
        let left = match look.align {
            Align::Left => column.left,
            Align::Centre => column.left + slack / 2.0,
            Align::Right => column.left + slack,
        };
        self.set(left, baseline, size, look, glyphs);
        Ok(())
    }

    /// Sets text in as many lines as it needs from the left edge, `leading` apart, the first on `baseline`; gives
    /// the baseline of the line that would come next.
    pub(super) fn paragraph(
        &mut self,
        column: Column,
        baseline: f32,
        leading: f32,
        look: Style,
        text: &str,
    ) -> Result<f32, LetterError> {
        let size = look.points * POINT;
        let mut next = baseline;
        let mut line: Vec<Glyph> = Vec::new();
        for unit in unbreakable(text) {
            // A space at the end of a line may stand out: it is not seen.
            let seen = width(&self.font.glyphs(unit.trim_end())?);
            if !line.is_empty() && (width(&line) + seen) * size > column.width {
                self.set(column.left, next, size, look, std::mem::take(&mut line));
                next += leading;
            }
            line.extend(self.font.glyphs(unit)?);
        }
        if !line.is_empty() {
            self.set(column.left, next, size, look, line);
            next += leading;
        }
        Ok(next)
    }

    fn set(&mut self, left: f32, baseline: f32, size: f32, look: Style, glyphs: Vec<Glyph>) {
        let Style { colour, bold, .. } = look;
        self.marks.push(Mark::Line(Line { left, baseline, size, colour, bold, glyphs }));
    }

    pub(super) fn area(&mut self, area: Area, colour: Colour) {
        self.marks.push(Mark::Areas(vec![area], colour));
    }

    /// Rules along the inner edge of `area`.
    pub(super) fn frame(&mut self, area: Area, rule: f32, colour: Colour) {
        let Area { left, top, width, height } = area;
        let edges = vec![
            Area { height: rule, ..area },
            Area { top: top + height - rule, height: rule, ..area },
            Area { left, top, width: rule, height },
            Area { left: left + width - rule, width: rule, ..area },
        ];
        self.marks.push(Mark::Areas(edges, colour));
    }
}

/// Cuts text where a line may end: between Japanese characters but for those that must stay together, and after the
/// spaces of other text.
fn unbreakable(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut characters = rest.char_indices();
        let (_, mut previous) = characters.next()?;
        let end = characters
            .find(|&(_, next)| {
                let may_break = next != ' '
                    && !NEVER_FIRST.contains(next)
                    && !NEVER_LAST.contains(previous)
                    && (previous == ' ' || !previous.is_ascii() || !next.is_ascii());
                previous = next;
                may_break
            })
            .map_or(rest.len(), |(at, _)| at);
        let (unit, after) = rest.split_at(end);
        rest = after;
        Some(unit)
    })
}

#[cfg(test)]
mod tests {
    use super::unbreakable;

    #[test]
    fn a_line_never_begins_with_a_closing_mark_nor_ends_with_an_opening_one() {
        let units: Vec<_> = unbreakable("氏名（漢字）を、確かめる。").collect();
        assert_eq!(units, ["氏", "名", "（漢", "字）", "を、", "確", "か", "め", "る。"]);
    }

    #[test]
    fn words_of_latin_letters_stay_whole() {
        let units: Vec<_> = unbreakable("Keep this letter. HPKIの").collect();
        assert_eq!(units, ["Keep ", "this ", "letter. ", "HPKI", "の"]);
    }
}
