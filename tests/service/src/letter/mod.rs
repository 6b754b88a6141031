//! What an association mails to a doctor: the registration letter with its QR, and on a sheet of its own the
//! activation code. A [`Letter`] or a [`CodeSheet`] comes in; one A4 page goes out, as PDF and as a PNG of 300 dpi.
//! Refused is what could not be printed whole: a ticket beyond QR version 14-M (the limit of the wire's
//! specification), a character that the font lacks, a name longer than its line.
//! Both files are drawn from one description of the page, so they cannot differ.

mod compose;
mod font;
mod page;
mod pdf;
mod png;
mod symbol;

use font::Font;
use page::Page;
use thiserror::Error;
use time::Date;

/// What stands on a registration letter.
pub struct Letter<'a> {
    /// The doctor's name in kanji, without a title.
    pub doctor_name: &'a str,
    /// The qualification in Japanese, such as 医師.
    pub role_ja: &'a str,
    /// The remote-signing service's name, which is the sender here.
    pub service_name: &'a str,
    /// The text of the QR: the registration ticket's URL.
    pub qr_text: &'a str,
    /// The day on which the letter is issued.
    pub issued: Date,
    /// The last day on which the ticket can be used.
    pub expires: Date,
    /// The letter's number, which the office asks for.
    pub letter_no: &'a str,
}

/// What stands on the sheet with the activation code, which is mailed apart from the letter.
pub struct CodeSheet<'a> {
    /// The doctor's name in kanji, without a title.
    pub doctor_name: &'a str,
    /// The activation code: 8 ASCII digits, printed as two groups of four.
    pub activation_code: &'a str,
    /// The day on which the sheet is issued.
    pub issued: Date,
    /// The number of the letter that the code belongs to.
    pub letter_no: &'a str,
}

/// One A4 page in two forms.
pub struct Rendered {
    /// PDF 1.7; text is text, the QR is drawn as vectors, the font's used glyphs are embedded.
    pub pdf: Vec<u8>,
    /// PNG, RGB, 2480 × 3508 pixels at 300 dpi.
    pub png: Vec<u8>,
}

/// Why a page was not made.
#[derive(Debug, Error)]
pub enum LetterError {
    /// The font has no glyph for a character of a name.
    #[error("the letter's font has no glyph for U+{:04X}", u32::from(*.character))]
    MissingGlyph {
        /// The character.
        character: char,
    },
    /// A text is too long for its place on the page.
    #[error("the {part} does not fit its place on the page")]
    DoesNotFit {
        /// What was to be printed there.
        part: &'static str,
    },
    /// The ticket needs a larger symbol than a letter may carry.
    #[error("a ticket of {bytes} bytes does not fit QR version {}, level M", symbol::MAX_VERSION)]
    TicketTooLong {
        /// Length of the QR's text in UTF-8.
        bytes: usize,
    },
    /// The activation code is not 8 ASCII digits. The code itself is not repeated.
    #[error("the activation code must be 8 digits")]
    ActivationCode,
    /// The font or one of the encoders failed.
    #[error("the page could not be drawn: {0}")]
    Drawing(String),
}

/// Prints a registration letter.
///
/// # Errors
/// A [`LetterError`] when something on it could not be printed whole.
pub fn render(letter: &Letter<'_>) -> Result<Rendered, LetterError> {
    let font = Font::load()?;
    draw(&compose::letter(&font, letter)?)
}

/// Prints the sheet with the activation code.
///
/// # Errors
/// A [`LetterError`] when something on it could not be printed whole, or the code is not 8 digits.
pub fn render_code_sheet(sheet: &CodeSheet<'_>) -> Result<Rendered, LetterError> {
    let font = Font::load()?;
    draw(&compose::code_sheet(&font, sheet)?)
}

fn draw(page: &Page<'_>) -> Result<Rendered, LetterError> {
    Ok(Rendered { pdf: pdf::draw(page)?, png: png::draw(page)? })
}

#[cfg(test)]
mod tests;
