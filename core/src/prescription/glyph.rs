//! Characters because of which what is displayed could differ from what is signed: those that do not show, that change how
//! others show, and those that look like others. Japanese prescriptions are written with the characters of JIS X 0213
//! and, in names, Latin letters with their accents; whatever is not known to be one of these is made visible.

use std::fmt::Write;

use super::violation::{self as rule, Rule};

/// What is dangerous about a character.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hazard {
    Control,
    Invisible,
    Gaiji,
    Combining,
    Variant,
    Unfamiliar,
}

impl Hazard {
    pub(super) const ALL: [(Hazard, &'static Rule); 6] = [
        (Hazard::Control, &rule::CONTROL),
        (Hazard::Invisible, &rule::INVISIBLE),
        (Hazard::Gaiji, &rule::GAIJI),
        (Hazard::Combining, &rule::COMBINING),
        (Hazard::Variant, &rule::VARIANT),
        (Hazard::Unfamiliar, &rule::UNFAMILIAR),
    ];
}

pub(super) fn hazard(c: char) -> Option<Hazard> {
    // What nearly every character is: ASCII, CJK, full-width forms and half-width kana
    if matches!(c, ' '..='~' | '\u{3000}'..='\u{3029}' | '\u{3030}'..='\u{3098}' | '\u{309B}'..='\u{30FF}')
        || matches!(c, '\u{3400}'..='\u{9FFF}' | '\u{FF01}'..='\u{FF9F}')
    {
        return None;
    }
    match u32::from(c) {
        0..=0x1F | 0x7F..=0x9F => Some(Hazard::Control),
        // Default-ignorable code points, fillers, line separators, bidi controls, specials
        0xAD | 0x61C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F | 0x2028..=0x202E
        | 0x2060..=0x206F | 0x2800 | 0x3164 | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFF | 0x1_BCA0..=0x1_BCA3
        | 0x1_D173..=0x1_D17A | 0xE_0000..=0xE_00FF | 0xE_01F0..=0xE_0FFF
        // Right-to-left letters change the order in which their neighbours are displayed
        | 0x590..=0x8FF | 0xFB1D..=0xFDFF | 0xFE70..=0xFEFE | 0x1_0800..=0x1_0FFF | 0x1_E800..=0x1_EFFF => {
            Some(Hazard::Invisible)
        }
        0xE000..=0xF8FF | 0xF_0000.. => Some(Hazard::Gaiji),
        0x300..=0x36F | 0x483..=0x489 | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0x302A..=0x302F
        | 0x3099 | 0x309A | 0xFE20..=0xFE2F => Some(Hazard::Combining),
        0xFE00..=0xFE0F | 0xE_0100..=0xE_01EF => Some(Hazard::Variant),
        _ if is_familiar(c) => None,
        _ => Some(Hazard::Unfamiliar),
    }
}

/// Whether it belongs to what Japanese prescriptions are written with and is not drawn like another of them.
fn is_familiar(c: char) -> bool {
    match c {
        // Greek letters that are drawn as Latin ones
        'Α' | 'Β' | 'Ε' | 'Ζ' | 'Η' | 'Ι' | 'Κ' | 'Μ' | 'Ν' | 'Ο' | 'Ρ' | 'Τ' | 'Υ' | 'Χ' | 'ο' | 'ν' => false,
        // Latin with accents, Greek, punctuation but the spaces of other widths, sub- and superscripts, currencies
        '\u{A1}'..='\u{24F}'
        | '\u{391}'..='\u{3C9}'
        | '\u{1E00}'..='\u{1EFF}'
        | '\u{2010}'..='\u{2027}'
        | '\u{2030}'..='\u{205E}'
        | '\u{2070}'..='\u{20BF}'
        // Units and numbers as one character, arrows, mathematics, technical, enclosed, drawn, dingbats
        | '\u{2100}'..='\u{23FF}'
        | '\u{2460}'..='\u{27BF}'
        // Kana for Ainu, enclosed and squared
        | '\u{31F0}'..='\u{33FF}'
        // Variants of kanji that names are written with
        | '\u{FA0E}'..='\u{FA6D}'
        | '\u{FFE0}'..='\u{FFE6}'
        | '\u{20000}'..='\u{3FFFF}' => true,
        _ => false,
    }
}

/// Text as it may be displayed: characters that would not show, or would change how others show, stand as `⟦U+XXXX⟧`,
/// and behind those that may pass for others stands the same. A prescription of familiar characters has none.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        let hazard = hazard(c);
        if matches!(hazard, None | Some(Hazard::Variant | Hazard::Unfamiliar)) {
            out.push(c);
        }
        if !matches!(hazard, None | Some(Hazard::Variant)) {
            let _ = write!(out, "⟦U+{:04X}⟧", u32::from(c)); // writing to a String cannot fail
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_prescriptions_are_written_with_stays_as_it_is() {
        for text in [
            "ミニリンメルトＯＤ錠２５μｇ（【般】α－β２）",
            "ｼｹﾝ ﾐﾄｼ 葛󠄀城 髙﨑 神 𠮷野 é Ł Nguyễn",
            "㎎ ㏄ ℃ Ⅱ ① ㈱ → ≧ １０²－³ ・「」〜 ー 々 ㋐ ■ ☆ ※ † …",
        ] {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn what_may_pass_for_something_else_is_marked_and_what_does_not_show_is_shown() {
        for (text, shown) in [
            ("а", "а⟦U+0430⟧"),
            ("Α", "Α⟦U+0391⟧"),
            ("⼀", "⼀⟦U+2F00⟧"),
            ("㇐", "㇐⟦U+31D0⟧"),
            ("𝟓", "𝟓⟦U+1D7D3⟧"),
            ("\u{A0}", "\u{A0}⟦U+00A0⟧"),
            ("\u{2003}", "\u{2003}⟦U+2003⟧"),
            ("\u{202E}", "⟦U+202E⟧"),
            ("\u{200B}", "⟦U+200B⟧"),
            ("\u{5D0}", "⟦U+05D0⟧"),
            ("か\u{3099}", "か⟦U+3099⟧"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }
}
