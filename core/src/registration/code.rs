//! The activation code (アクティベーションコード) that comes apart from the letter.

use zeroize::Zeroizing;

/// A code has this many decimal digits; it is printed in two groups of four.
pub const CODE_DIGITS: usize = 8;

/// What a person typed is not an activation code. Told on the phone, so that a slip costs none of the five tries.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
pub enum ActivationCodeError {
    /// A character that is neither digit nor separator.
    #[error("an activation code consists of digits")]
    NotADigit,
    /// Too few or too many digits.
    #[error("an activation code has {CODE_DIGITS} digits, not {digits}")]
    Length {
        /// How many digits were typed.
        digits: usize,
    },
}

/// An activation code: [`CODE_DIGITS`] ASCII digits, which do not print and are wiped.
pub struct ActivationCode(Zeroizing<String>);

impl ActivationCode {
    /// Reads what a person types: digits in half or full width, spaces and hyphens of any kind between them.
    ///
    /// # Errors
    /// [`ActivationCodeError`].
    pub fn parse(typed: &str) -> Result<Self, ActivationCodeError> {
        let mut code = Zeroizing::new(String::with_capacity(CODE_DIGITS));
        let mut digits = 0;
        for c in typed.chars().filter(|c| !is_separator(*c)) {
            let digit = match c {
                '0'..='9' => c,
                '０'..='９' => full_width_to_ascii(c),
                _ => return Err(ActivationCodeError::NotADigit),
            };
            digits += 1;
            if digits <= CODE_DIGITS {
                code.push(digit);
            }
        }
        if digits == CODE_DIGITS { Ok(Self(code)) } else { Err(ActivationCodeError::Length { digits }) }
    }

    /// The digits, for the request.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

fn full_width_to_ascii(c: char) -> char {
    char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')).unwrap_or(c)
}

/// Any white space, and every stroke that a Japanese keyboard gives for a hyphen.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '\u{AD}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '－' | 'ー' | 'ｰ' | '─')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_read_however_a_japanese_keyboard_types_it() {
        for typed in [
            "12345678",
            "1234-5678",
            "１２３４５６７８",
            "１２３４－５６７８",
            "１２３４ー５６７８",
            " 1234 5678\n",
            "１２３４　５６７８",
            "12 34–56—78",
        ] {
            assert_eq!(ActivationCode::parse(typed).unwrap().expose(), "12345678", "{typed:?}");
        }
    }

    #[test]
    fn a_slip_is_told_without_the_digits() {
        let error = |typed| ActivationCode::parse(typed).err().unwrap();
        assert_eq!(error(""), ActivationCodeError::Length { digits: 0 });
        assert_eq!(error("1234567"), ActivationCodeError::Length { digits: 7 });
        assert_eq!(error("1234-56789"), ActivationCodeError::Length { digits: 9 });
        assert_eq!(error("1234567O"), ActivationCodeError::NotADigit);
        assert_eq!(error("①2345678"), ActivationCodeError::NotADigit);
        assert_eq!(error(&"1".repeat(1_000_000)), ActivationCodeError::Length { digits: 1_000_000 });
    }

    proptest! {
        #[test]
        fn a_code_is_eight_ascii_digits_whatever_is_typed(typed in "[0-9０-９ ー-]{0,20}|.{0,40}") {
            if let Ok(code) = ActivationCode::parse(&typed) {
                prop_assert_eq!(code.expose().len(), CODE_DIGITS);
                prop_assert!(code.expose().bytes().all(|b| b.is_ascii_digit()));
            }
        }
    }
}
