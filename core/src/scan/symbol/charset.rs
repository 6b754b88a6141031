//! Character sets of QR segments, as the Encoding Standard (WHATWG) decodes them: Shift_JIS with its extensions, UTF-8, UTF-16,
//! and those of one byte a character. What comes in are bytes, what goes out is their text; a byte without a character
//! makes all of it none. Sets of Chinese and Korean are not read: they would double what the scanner weighs, and no letter
//! has them.

/// How bytes are text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Charset {
    Utf8,
    Utf16Be,
    Utf16Le,
    ShiftJis,
    /// ASCII, and the characters of the upper half.
    OneByte(&'static [u16; 128]),
}

/// JIS X 0208 with the extensions of NEC and IBM (Windows code page 932): the number of a row (区) and its 94 cells.
static JIS: [Row<94>; 87] = rows(include_str!("jis-x-0208.txt"));

/// The number of a designator (AIM ECI Part 3) and the upper half of its set.
static ONE_BYTE: [Row<128>; 19] = rows(include_str!("one-byte.txt"));

/// A cell without a character.
const NONE: u16 = 0;

/// Rows of the user's own characters (外字) and the first of the private use area that they are.
const OWN_ROWS: std::ops::Range<usize> = 95..115;
const OWN: usize = 0xE000;

#[derive(Clone, Copy)]
struct Row<const CELLS: usize> {
    number: usize,
    cells: [u16; CELLS],
}

impl Charset {
    /// The set that a designator names (AIM ECI Part 3).
    pub(super) fn of_designator(number: usize) -> Option<Self> {
        match number {
            20 => Some(Self::ShiftJis),
            25 => Some(Self::Utf16Be),
            26 | 27 => Some(Self::Utf8),
            33 => Some(Self::Utf16Le),
            // The first edition's name of ISO 8859-1.
            1 => Self::of_designator(3),
            _ => ONE_BYTE.iter().find(|row| row.number == number).map(|row| Self::OneByte(&row.cells)),
        }
    }

    /// The text of these bytes, if they all have one.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(str::to_owned),
            Self::Utf16Be => utf16(bytes, u16::from_be_bytes),
            Self::Utf16Le => utf16(bytes, u16::from_le_bytes),
            Self::ShiftJis => shift_jis(bytes),
            Self::OneByte(upper) => {
                let character = |&byte: &u8| match byte.checked_sub(128) {
                    None => Some(char::from(byte)),
                    Some(index) => character(*upper.get(usize::from(index))?),
                };
                bytes.iter().map(character).collect()
            }
        }
    }
}

fn character(code: u16) -> Option<char> {
    char::from_u32(code.into()).filter(|_| code != NONE)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (units, rest) = bytes.as_chunks();
    let characters = char::decode_utf16(units.iter().map(|&two| unit(two)));
    rest.is_empty().then(|| characters.collect::<Result<_, _>>().ok()).flatten()
}

fn shift_jis(bytes: &[u8]) -> Option<String> {
    let mut text = String::new();
    let mut left = bytes.iter().copied();
    while let Some(first) = left.next() {
        text.push(match first {
            0..=0x80 => char::from(first),
            // Katakana of half width.
            0xA1..=0xDF => character(0xFF61 + u16::from(first - 0xA1))?,
            _ => two_bytes(first, left.next()?)?,
        });
    }
    Some(text)
}

/// Two rows of 94 cells follow each other under one first byte.
fn two_bytes(first: u8, second: u8) -> Option<char> {
    let lead = match first {
        0x81..=0x9F => first - 0x81,
        0xE0..=0xFC => first - 0xC1,
        _ => return None,
    };
    let trail = match second {
        0x40..=0x7E => second - 0x40,
        0x80..=0xFC => second - 0x41,
        _ => return None,
    };
    let at = usize::from(lead) * 2 * 94 + usize::from(trail);
    let (number, cell) = (at / 94 + 1, at % 94);
    if OWN_ROWS.contains(&number) {
        return character(u16::try_from(OWN + (number - OWN_ROWS.start) * 94 + cell).ok()?);
    }
    let row = JIS.binary_search_by_key(&number, |row| row.number).ok()?;
    character(*JIS.get(row)?.cells.get(cell)?)
}

/// Lines of a number, a space and a character for each cell: `.` for none, `=` for the one of the byte's own number.
const fn rows<const ROWS: usize, const CELLS: usize>(text: &str) -> [Row<CELLS>; ROWS] {
    let mut rows = [Row { number: 0, cells: [NONE; CELLS] }; ROWS];
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut row = 0;
    while row < ROWS {
        while bytes[at] != b' ' {
            rows[row].number = rows[row].number * 10 + (bytes[at] - b'0') as usize;
            at += 1;
        }
        at += 1;
        let mut cell = 0;
        while cell < CELLS {
            let (code, length) = match bytes[at] {
                b'.' => (NONE, 1),
                b'=' => (128 + cell as u16, 1),
                0xC0..=0xDF => ((bytes[at] as u16 & 0x1F) << 6 | bytes[at + 1] as u16 & 0x3F, 2),
                _ => {
                    let low = (bytes[at + 1] as u16 & 0x3F) << 6 | bytes[at + 2] as u16 & 0x3F;
                    ((bytes[at] as u16 & 0x0F) << 12 | low, 3)
                }
            };
            rows[row].cells[cell] = code;
            at += length;
            cell += 1;
        }
        at += 1;
        row += 1;
    }
    assert!(at == bytes.len());
    rows
}

#[cfg(test)]
mod tests {
    use encoding_rs::Encoding;

    use super::*;

    fn by_others(label: &str, bytes: &[u8]) -> Option<String> {
        let charset = Encoding::for_label(label.as_bytes()).unwrap();
        charset.decode_without_bom_handling_and_without_replacement(bytes).map(Into::into)
    }

    #[test]
    fn shift_jis_is_read_as_the_encoding_standard_has_it() {
        for both in 0..=u16::MAX {
            let bytes = both.to_be_bytes();
            assert_eq!(Charset::ShiftJis.decode(&bytes), by_others("shift_jis", &bytes), "{bytes:x?}");
            assert_eq!(
                Charset::ShiftJis.decode(&bytes[1..]),
                by_others("shift_jis", &bytes[1..]),
                "{bytes:x?}"
            );
        }
    }

    #[test]
    fn sets_of_one_byte_are_read_as_the_encoding_standard_has_them() {
        let iso = (3..=18).filter(|&part| part != 14).map(|part| (part, format!("iso-8859-{}", part - 2)));
        let windows = [(21, 1250), (22, 1251), (23, 1252), (24, 1256)];
        let windows = windows.map(|(number, page)| (number, format!("windows-{page}")));
        let all: Vec<_> = iso.chain(windows).collect();
        assert_eq!(all.len(), ONE_BYTE.len());
        for (number, label) in all {
            let charset = Charset::of_designator(number).unwrap();
            for byte in 0..=u8::MAX {
                assert_eq!(charset.decode(&[byte]), by_others(&label, &[byte]), "{label} {byte:x}");
            }
        }
    }

    #[test]
    fn utf_16_is_read_in_both_orders_and_whole_or_not_at_all() {
        let text = "処方𠮷";
        let units: Vec<u16> = text.encode_utf16().collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        assert_eq!(Charset::of_designator(25).unwrap().decode(&big).unwrap(), text);
        assert_eq!(Charset::of_designator(33).unwrap().decode(&little).unwrap(), text);
        assert_eq!(Charset::Utf16Be.decode(&big[1..]), None);
        assert_eq!(Charset::Utf16Be.decode(&big[..big.len() - 2]), None);
    }
}
