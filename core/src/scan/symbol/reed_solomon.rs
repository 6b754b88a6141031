//! Error correction (ISO/IEC 18004, 7.5.2): a Reed-Solomon code over GF(256) with the generator roots α⁰, α¹, …
//! Errors at unknown places and erasures, which are bytes known to be doubtful, are corrected together; how sure the
//! result is comes out as well, because a block near the limit of correction can be "corrected" to something else.

/// Most error correction codewords of a block (table 9).
pub(super) const MOST_PARITY: usize = 30;

/// x⁸ + x⁴ + x³ + x² + 1, the field's polynomial without its highest term.
const FIELD: u16 = 0x11D;

/// Powers of α, twice around so that two logarithms need no reduction, and logarithms.
static TABLES: ([u8; 512], [u8; 256]) = tables();

const fn tables() -> ([u8; 512], [u8; 256]) {
    let (mut powers, mut logs) = ([0; 512], [0; 256]);
    let mut value: u16 = 1;
    let mut exponent = 0;
    while exponent < 255 {
        powers[exponent] = value as u8;
        powers[exponent + 255] = value as u8;
        logs[value as usize] = exponent as u8;
        value <<= 1;
        if value > 255 {
            value ^= FIELD;
        }
        exponent += 1;
    }
    powers[510] = 1;
    (powers, logs)
}

/// α to a power below 512.
fn power(exponent: usize) -> u8 {
    TABLES.0[exponent & 511]
}

fn log(value: u8) -> usize {
    usize::from(TABLES.1[usize::from(value)])
}

fn multiply(a: u8, b: u8) -> u8 {
    if a == 0 || b == 0 { 0 } else { power(log(a) + log(b)) }
}

/// `a` / `b`; `b` is not 0.
fn divide(a: u8, b: u8) -> u8 {
    if a == 0 { 0 } else { power(log(a) + 255 - log(b)) }
}

/// A polynomial of degree up to that of a block's parity, lowest term first.
type Polynomial = [u8; MOST_PARITY + 1];

fn evaluate(polynomial: &Polynomial, x: u8) -> u8 {
    polynomial.iter().rev().fold(0, |sum, &term| multiply(sum, x) ^ term)
}

fn syndromes(block: &[u8], parity: usize) -> ([u8; MOST_PARITY], bool) {
    let mut found = [0; MOST_PARITY];
    for (index, syndrome) in found.iter_mut().enumerate().take(parity) {
        *syndrome = block.iter().fold(0, |sum, &byte| {
            // Horner with a fixed factor, whose logarithm is the index.
            byte ^ if sum == 0 { 0 } else { power(log(sum) + index) }
        });
    }
    (found, found.iter().all(|&syndrome| syndrome == 0))
}

/// Corrects `block`, of which the last `parity` bytes are error correction codewords and the bytes at `erased` are
/// doubtful. Returns how many bits of evidence there are that the result is right, which is negative logarithm of the
/// chance that random bytes would have been "corrected" as well; none, and the block unchanged, when it cannot be.
pub(super) fn correct(block: &mut [u8], parity: usize, erased: &[usize]) -> Option<f32> {
    if parity > MOST_PARITY || erased.len() > parity || block.len() > 255 {
        return None;
    }
    let (syndromes_found, clean) = syndromes(block, parity);
    if clean {
        return Some(evidence(block.len(), parity, erased.len(), 0));
    }
    let locator = locate(&syndromes_found, parity, block.len(), erased)?;
    let degree = locator.iter().rposition(|&term| term != 0)?;
    let errors = degree.checked_sub(erased.len())?;
    if 2 * errors + erased.len() > parity {
        return None;
    }
    let evaluator = evaluator(&syndromes_found, parity, &locator);
    let mut roots = 0;
    let mut corrected = [(0_usize, 0_u8); MOST_PARITY];
    for place in 0..block.len() {
        let exponent = block.len() - 1 - place;
        let inverse = power(255 - exponent);
        if evaluate(&locator, inverse) != 0 {
            continue;
        }
        let slope = slope(&locator, inverse);
        if slope == 0 {
            return None;
        }
        *corrected.get_mut(roots)? =
            (place, multiply(power(exponent), divide(evaluate(&evaluator, inverse), slope)));
        roots += 1;
    }
    if roots != degree {
        return None;
    }
    let corrected = corrected.get(..roots)?;
    apply(block, corrected);
    if !syndromes(block, parity).1 {
        apply(block, corrected);
        return None;
    }
    Some(evidence(block.len(), parity, erased.len(), errors))
}

fn apply(block: &mut [u8], errors: &[(usize, u8)]) {
    for &(place, error) in errors {
        if let Some(byte) = block.get_mut(place) {
            *byte ^= error;
        }
    }
}

/// The polynomial whose roots are the inverses of the places of erasures and errors (Berlekamp and Massey, begun with
/// the erasures).
fn locate(
    syndromes: &[u8; MOST_PARITY],
    parity: usize,
    length: usize,
    erased: &[usize],
) -> Option<Polynomial> {
    let mut locator: Polynomial = [0; MOST_PARITY + 1];
    locator[0] = 1;
    for &place in erased {
        let x = power(length.checked_sub(1 + place)?);
        for at in (1..=MOST_PARITY).rev() {
            locator[at] ^= multiply(locator[at - 1], x);
        }
    }
    let mut shadow = locator;
    let mut degree = erased.len();
    for step in erased.len()..parity {
        let discrepancy = (0..=step.min(MOST_PARITY))
            .fold(0, |sum, at| sum ^ multiply(locator[at], syndromes.get(step - at).copied().unwrap_or(0)));
        shadow.rotate_right(1);
        shadow[0] = 0;
        if discrepancy == 0 {
            continue;
        }
        let previous = locator;
        for (term, &other) in locator.iter_mut().zip(&shadow) {
            *term ^= multiply(discrepancy, other);
        }
        if 2 * degree <= step + erased.len() {
            degree = step + 1 + erased.len() - degree;
            shadow = previous.map(|term| divide(term, discrepancy));
        }
    }
    Some(locator)
}

/// Syndromes times locator, of degree below the parity: gives the errors' values.
fn evaluator(syndromes: &[u8; MOST_PARITY], parity: usize, locator: &Polynomial) -> Polynomial {
    let mut product: Polynomial = [0; MOST_PARITY + 1];
    for (index, term) in product.iter_mut().enumerate().take(parity) {
        *term = syndromes
            .iter()
            .take(index + 1)
            .zip(locator.iter().take(index + 1).rev())
            .fold(0, |sum, (&s, &l)| sum ^ multiply(s, l));
    }
    product
}

/// The formal derivative, in which even powers vanish.
fn slope(polynomial: &Polynomial, x: u8) -> u8 {
    let square = multiply(x, x);
    polynomial.iter().skip(1).step_by(2).rev().fold(0, |sum, &term| multiply(sum, square) ^ term)
}

/// Of all words that `length − erasures` bytes can make, those within `errors` of a codeword are about one in 2 to the
/// power of this.
fn evidence(length: usize, parity: usize, erasures: usize, errors: usize) -> f32 {
    let free = length.saturating_sub(erasures) as f32;
    let choices: f32 = (0..errors).map(|k| ((free - k as f32) / (k + 1) as f32).log2()).sum();
    8.0 * (parity as f32 - erasures as f32 - errors as f32) - choices
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Appends `parity` bytes by division with the generator polynomial.
    fn encode(data: &[u8], parity: usize) -> Vec<u8> {
        let mut generator = vec![1_u8];
        for exponent in 0..parity {
            let mut next = generator.clone();
            next.push(0);
            for (at, &term) in generator.iter().enumerate() {
                next[at + 1] ^= multiply(term, power(exponent));
            }
            generator = next;
        }
        let mut rest = [data, &vec![0; parity]].concat();
        for at in 0..data.len() {
            let lead = rest[at];
            for (cell, &term) in rest[at..].iter_mut().zip(&generator) {
                *cell ^= multiply(lead, term);
            }
        }
        [data, &rest[data.len()..]].concat()
    }

    proptest! {
        #[test]
        fn what_is_within_the_limit_is_corrected(
            data in prop::collection::vec(any::<u8>(), 10..100),
            parity in 7_usize..=30,
            spoiled in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 0..30),
            erasures in 0_usize..30,
        ) {
            let truth = encode(&data, parity);
            let mut block = truth.clone();
            let mut places = std::collections::BTreeMap::new();
            for (place, error) in spoiled {
                places.insert(place.index(block.len()), error);
            }
            let erased: Vec<usize> = places.keys().copied().take(erasures.min(parity)).collect();
            let budget = (parity - erased.len()) / 2;
            for (&place, error) in places.iter().take(erased.len() + budget) {
                block[place] ^= error;
            }
            prop_assert!(correct(&mut block, parity, &erased).is_some());
            prop_assert_eq!(block, truth);
        }

        #[test]
        fn what_is_beyond_the_limit_is_refused_unchanged_or_becomes_a_codeword(
            mut block in prop::collection::vec(any::<u8>(), 31..255), parity in 7_usize..=30
        ) {
            let before = block.clone();
            match correct(&mut block, parity, &[]) {
                None => prop_assert_eq!(block, before),
                Some(_) => prop_assert!(syndromes(&block, parity).1),
            }
        }
    }

    #[test]
    fn evidence_falls_with_every_error_and_erasure() {
        assert!(evidence(44, 16, 0, 0) > evidence(44, 16, 0, 4));
        assert!(evidence(44, 16, 0, 8) > evidence(44, 16, 8, 4));
        assert!(evidence(44, 16, 16, 0) < 1.0);
    }
}
