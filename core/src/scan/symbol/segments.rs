//! Corrected data codewords to text (ISO/IEC 18004, 7.4): segments in numeric, alphanumeric, byte and Kanji mode, and the
//! character sets that ECI designators name. Structured append and FNC1 are refused by name.

use super::{Failure, Unsupported, charset::Charset};

/// Most bits read at once.
const MOST_BITS: usize = 24;

/// Codewords that fill what the text leaves (7.4.10).
const PADDING: [u8; 2] = [0xEC, 0x11];

/// What data codewords say.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) text: String,
    /// Bits after the text that are as the standard wants them: evidence that nothing was miscorrected.
    pub(super) padding_bits: usize,
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn left(&self) -> usize {
        self.bytes.len() * 8 - self.at
    }

    fn take(&mut self, count: usize) -> Result<usize, Failure> {
        if count > MOST_BITS || count > self.left() {
            return Err(Failure::Content);
        }
        let mut value = 0;
        for at in self.at..self.at + count {
            let byte = self.bytes.get(at / 8).copied().unwrap_or(0);
            value = value << 1 | usize::from(byte >> (7 - at % 8) & 1);
        }
        self.at += count;
        Ok(value)
    }
}

/// Reads all segments of a symbol of this version.
pub(super) fn read(codewords: &[u8], version: u8) -> Result<Content, Failure> {
    let mut bits = Bits { bytes: codewords, at: 0 };
    let mut text = String::new();
    // Bytes are collected until the character set changes, since segments may split a character.
    let mut bytes = Vec::new();
    let mut charset = None;
    while bits.left() >= 4 {
        match bits.take(4)? {
            0b0000 => break,
            0b0001 => numeric(&mut bits, version, &mut bytes)?,
            0b0010 => alphanumeric(&mut bits, version, &mut bytes)?,
            0b0100 => {
                let count = bits.take(if version < 10 { 8 } else { 16 })?;
                for _ in 0..count {
                    bytes.push(bits.take(8)? as u8);
                }
            }
            0b1000 => {
                decode(&mut bytes, charset, &mut text)?;
                kanji(&mut bits, version, &mut bytes)?;
                decode(&mut bytes, Some(Charset::ShiftJis), &mut text)?;
            }
            0b0111 => {
                decode(&mut bytes, charset, &mut text)?;
                charset = Some(eci(&mut bits)?);
            }
            0b0011 => return Err(Failure::Unsupported(Unsupported::StructuredAppend)),
            0b0101 | 0b1001 => return Err(Failure::Unsupported(Unsupported::Fnc1)),
            _ => return Err(Failure::Content),
        }
    }
    decode(&mut bytes, charset, &mut text)?;
    let padding = codewords.get(bits.at.div_ceil(8)..).unwrap_or_default();
    let regular = padding.iter().enumerate().all(|(index, &byte)| byte == PADDING[index % 2]);
    Ok(Content { text, padding_bits: if regular { padding.len() * 8 } else { 0 } })
}

/// Bits of a character count (table 3): for versions up to 9, up to 26, and above.
fn count_bits(version: u8, [small, middle, large]: [usize; 3]) -> usize {
    match version {
        ..=9 => small,
        10..=26 => middle,
        _ => large,
    }
}

fn numeric(bits: &mut Bits<'_>, version: u8, out: &mut Vec<u8>) -> Result<(), Failure> {
    let mut left = bits.take(count_bits(version, [10, 12, 14]))?;
    while left > 0 {
        let digits = left.min(3);
        let mut value = bits.take([0, 4, 7, 10][digits])?;
        let mut group = [0; 3];
        for digit in group.iter_mut().take(digits).rev() {
            *digit = b'0' + (value % 10) as u8;
            value /= 10;
        }
        if value > 0 {
            return Err(Failure::Content);
        }
        out.extend(group.iter().take(digits));
        left -= digits;
    }
    Ok(())
}

fn alphanumeric(bits: &mut Bits<'_>, version: u8, out: &mut Vec<u8>) -> Result<(), Failure> {
    const CHARACTERS: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
    let mut left = bits.take(count_bits(version, [9, 11, 13]))?;
    while left > 0 {
        let characters = left.min(2);
        let value = bits.take([0, 6, 11][characters])?;
        let (first, second) = if characters == 2 { (value / 45, Some(value % 45)) } else { (value, None) };
        for index in [Some(first), second].into_iter().flatten() {
            out.push(CHARACTERS.get(index).copied().ok_or(Failure::Content)?);
        }
        left -= characters;
    }
    Ok(())
}

/// Shift_JIS, two bytes packed into 13 bits (7.4.6).
fn kanji(bits: &mut Bits<'_>, version: u8, out: &mut Vec<u8>) -> Result<(), Failure> {
    for _ in 0..bits.take(count_bits(version, [8, 10, 12]))? {
        let packed = bits.take(13)?;
        let both = ((packed / 0xC0) << 8) | (packed % 0xC0);
        let code = both + if both < 0x1F00 { 0x8140 } else { 0xC140 };
        out.extend([(code >> 8) as u8, code as u8]);
    }
    Ok(())
}

/// The character set of an ECI designator (7.4.2.2).
fn eci(bits: &mut Bits<'_>) -> Result<Charset, Failure> {
    let first = bits.take(8)?;
    let number = match first {
        0..0x80 => first,
        0x80..0xC0 => (first & 0x3F) << 8 | bits.take(8)?,
        0xC0..0xE0 => (first & 0x1F) << 16 | bits.take(16)?,
        _ => return Err(Failure::Content),
    };
    Charset::of_designator(number).ok_or(Failure::Unsupported(Unsupported::CharacterSet))
}

/// Appends the bytes as text, without replacing anything, and empties them.
fn decode(bytes: &mut Vec<u8>, charset: Option<Charset>, text: &mut String) -> Result<(), Failure> {
    let decoded = match charset {
        Some(charset) => charset.decode(bytes),
        None => [Charset::Utf8, Charset::ShiftJis]
            .into_iter()
            .find_map(|charset| charset.decode(bytes))
            .or_else(|| latin1(bytes)),
    };
    text.push_str(&decoded.ok_or(Failure::Content)?);
    bytes.clear();
    Ok(())
}

/// Bytes without a designator are ISO 8859-1 by the standard, Shift_JIS by its Japanese twin JIS X 0510, and UTF-8 in
/// practice; tried from the most to the least telling. Here, control characters speak against the last.
fn latin1(bytes: &[u8]) -> Option<String> {
    bytes
        .iter()
        .all(|byte| !(0x7F..0xA0).contains(byte))
        .then(|| bytes.iter().map(|&byte| char::from(byte)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes values of given widths, then pads as an encoder does.
    fn codewords(parts: &[(usize, usize)], total: usize) -> Vec<u8> {
        let mut bits: Vec<u8> = parts
            .iter()
            .flat_map(|&(value, width)| (0..width).rev().map(move |bit| (value >> bit & 1) as u8))
            .collect();
        bits.resize(bits.len() + 4, 0);
        bits.resize(bits.len().next_multiple_of(8), 0);
        let mut bytes: Vec<u8> =
            bits.chunks(8).map(|byte| byte.iter().fold(0, |value, bit| value << 1 | bit)).collect();
        bytes.extend(PADDING.iter().cycle().take(total - bytes.len()));
        bytes
    }

    fn text(parts: &[(usize, usize)]) -> Result<String, Failure> {
        read(&codewords(parts, 40), 1).map(|content| content.text)
    }

    fn in_bytes(bytes: &[u8]) -> Vec<(usize, usize)> {
        [(0b0100, 4), (bytes.len(), 8)]
            .into_iter()
            .chain(bytes.iter().map(|&byte| (byte.into(), 8)))
            .collect()
    }

    #[test]
    fn numbers_and_capitals_are_read() {
        assert_eq!(text(&[(1, 4), (8, 10), (12, 10), (345, 10), (67, 7)]).unwrap(), "01234567");
        assert_eq!(text(&[(2, 4), (5, 9), (462, 11), (1849, 11), (2, 6)]).unwrap(), "AC-42".to_owned());
    }

    #[test]
    fn kanji_are_text_and_not_bytes() {
        // 7.4.6: 点 is 0x935F, packed 0x0D9F; 茗 is 0xE4AA, packed 0x1AAA.
        assert_eq!(text(&[(8, 4), (2, 8), (0x0D9F, 13), (0x1AAA, 13)]).unwrap(), "点茗");
    }

    #[test]
    fn a_designator_decides_the_character_set() {
        let with = |eci: usize, bytes: &[u8]| text(&[vec![(7, 4), (eci, 8)], in_bytes(bytes)].concat());
        assert_eq!(with(7, &[0xB0, 0xB1]).unwrap(), "АБ");
        assert_eq!(with(20, &[0x8F, 0x88]).unwrap(), "処");
        assert_eq!(with(26, "処方".as_bytes()).unwrap(), "処方");
        assert!(matches!(with(26, &[0x8F, 0x88]), Err(Failure::Content)));
        // 28 is Big5, 99 nothing.
        for eci in [28, 99] {
            let refused = with(eci, b"a");
            assert!(matches!(refused, Err(Failure::Unsupported(Unsupported::CharacterSet))));
        }
    }

    #[test]
    fn without_a_designator_bytes_are_what_they_can_be() {
        assert_eq!(text(&in_bytes("処方".as_bytes())).unwrap(), "処方");
        assert_eq!(text(&in_bytes(&[0x8F, 0x88, 0x95, 0xFB])).unwrap(), "処方");
        assert_eq!(text(&in_bytes(b"caf\xE9 ol\xE9")).unwrap(), "café olé");
        assert!(text(&in_bytes(&[0xFF, 0x80, 0xFF])).is_err());
    }

    #[test]
    fn structured_append_and_fnc1_are_refused_by_name() {
        for (mode, name) in
            [(3, Unsupported::StructuredAppend), (5, Unsupported::Fnc1), (9, Unsupported::Fnc1)]
        {
            assert!(matches!(text(&[(mode, 4), (0, 16)]), Err(Failure::Unsupported(found)) if found == name));
        }
    }

    #[test]
    fn text_that_ends_early_or_cannot_be_is_refused() {
        assert!(read(&[0b0100_1111, 0xF0, 0x41], 1).is_err());
        assert!(text(&[(1, 4), (3, 10), (1000, 10)]).is_err());
        assert!(text(&[(2, 4), (1, 9), (45, 6)]).is_err());
    }

    #[test]
    fn regular_padding_is_evidence() {
        let mut bytes = codewords(&in_bytes(b"abc"), 20);
        assert_eq!(read(&bytes, 1).unwrap().padding_bits, 15 * 8);
        bytes[10] ^= 1;
        assert_eq!(read(&bytes, 1).unwrap().padding_bits, 0);
    }
}
