//! What ISO/IEC 18004 fixes for each version: sizes, alignment patterns, error correction blocks, format and version
//! information.

/// Modules a side (5.3.1).
pub(in super::super) fn side(version: u8) -> usize {
    17 + 4 * usize::from(version)
}

/// The largest version.
pub(in super::super) const VERSIONS: u8 = 40;

/// The most rows of alignment patterns, in versions 35 to 40.
pub(in super::super) const MOST_ALIGNMENTS: usize = 7;

/// Rows, and columns, of the middles of alignment patterns (Annex E), and how many there are; none in version 1.
pub(in super::super) fn alignments(version: u8) -> ([usize; MOST_ALIGNMENTS], usize) {
    let mut places = [0; MOST_ALIGNMENTS];
    if version < 2 {
        return (places, 0);
    }
    let version = usize::from(version);
    let count = version / 7 + 2;
    // Annex E spaces them evenly from the far side, in even steps, except in version 32.
    let step = if version == 32 { 26 } else { (version * 4 + count * 2 + 1) / (count * 2 - 2) * 2 };
    for (index, place) in places.iter_mut().take(count).enumerate() {
        *place = if index == 0 { 6 } else { 17 + 4 * version - 7 - (count - 1 - index) * step };
    }
    (places, count)
}

/// The two bits of the error correction level in format information (7.9.1, table 12): M, L, H, Q.
const LEVELS: usize = 4;

/// Error correction codewords of each block (7.5.1, table 9), by level bits and version.
#[rustfmt::skip]
const PARITY: [[u8; 40]; LEVELS] = [
    [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26,
     26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28],
    [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
     28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
    [17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28,
     30, 24, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
    [13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30,
     28, 30, 30, 30, 30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
];

/// Blocks (7.5.1, table 9), by level bits and version.
#[rustfmt::skip]
const BLOCKS: [[u8; 40]; LEVELS] = [
    [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16,
     17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49],
    [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8,
     8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25],
    [1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25,
     25, 34, 30, 32, 35, 37, 40, 42, 45, 48, 51, 54, 57, 60, 63, 66, 70, 74, 77, 81],
    [1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20,
     23, 23, 25, 27, 29, 34, 34, 35, 38, 40, 43, 45, 48, 51, 53, 56, 59, 62, 65, 68],
];

/// Error correction codewords of each block, and how many blocks there are.
pub(super) fn blocks(version: u8, level: u8) -> Option<(usize, usize)> {
    let at = usize::from(version).checked_sub(1)?;
    let of =
        |table: &[[u8; 40]; LEVELS]| table.get(usize::from(level))?.get(at).map(|&count| usize::from(count));
    Some((of(&PARITY)?, of(&BLOCKS)?))
}

/// The 15 bits of format information that carry `data` (7.9.1: level and mask, BCH code, XOR mask).
pub(super) fn format_word(data: u16) -> u16 {
    (data << 10 | remainder(u32::from(data), 10, 0x537) as u16) ^ 0x5412
}

/// The 18 bits of version information (7.10), which versions 7 and up carry.
pub(in super::super) fn version_word(version: u8) -> u32 {
    let version = u32::from(version);
    version << 12 | remainder(version, 12, 0x1F25)
}

/// The remainder of `data` · x^`degree` by a generator polynomial of that degree, over one bit.
fn remainder(data: u32, degree: u32, generator: u32) -> u32 {
    (0..degree).fold(data, |rest, _| (rest << 1) ^ (((rest >> (degree - 1)) & 1) * generator))
}

/// Whether a data mask (7.8.2, table 10) inverts the module.
pub(super) fn masked(mask: u8, row: usize, column: usize) -> bool {
    let (i, j) = (row, column);
    match mask {
        0 => (i + j) % 2 == 0,
        1 => i % 2 == 0,
        2 => j % 3 == 0,
        3 => (i + j) % 3 == 0,
        4 => (i / 2 + j / 3) % 2 == 0,
        5 => i * j % 2 + i * j % 3 == 0,
        6 => (i * j % 2 + i * j % 3) % 2 == 0,
        _ => ((i + j) % 2 + i * j % 3) % 2 == 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn information_words_are_those_of_the_standards_examples() {
        // 7.9.1 example: level M, mask 101. 7.10 example: version 7.
        assert_eq!(format_word(0b00101), 0b100_0000_1100_1110);
        assert_eq!(version_word(7), 0b00_0111_1100_1001_0100);
    }

    #[test]
    fn alignment_patterns_stand_where_annex_e_says() {
        assert_eq!(alignments(1).1, 0);
        assert_eq!(&alignments(2).0[..2], [6, 18]);
        assert_eq!(&alignments(10).0[..3], [6, 28, 50]);
        assert_eq!(&alignments(32).0[..6], [6, 34, 60, 86, 112, 138]);
        assert_eq!(alignments(40).0, [6, 30, 58, 86, 114, 142, 170]);
    }
}
