//! What CMS writes otherwise than a verifier of certificates wants it. `None` means malformed.

use der::Tag;

use crate::certificate::tlv::Tlv;

/// OID of an AlgorithmIdentifier whose parameters are absent or NULL.
pub(super) fn algorithm(identifier: Tlv<'_>) -> Option<&[u8]> {
    let mut fields = identifier.open_sequence()?;
    let oid = fields.expect(Tag::ObjectIdentifier)?;
    let parameters = fields.optional(Tag::Null);
    fields.finish()?;
    parameters.is_none_or(|null| null.value.is_empty()).then_some(oid.value)
}

/// An ECDSA-Sig-Value (RFC 3279 §2.2.3) as `r || s`, `size` octets each.
pub(super) fn fixed_ecdsa(signature: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut numbers = Tlv::only(signature, Tag::Sequence)?.open()?;
    let mut fixed = Vec::with_capacity(2 * size);
    for number in [numbers.expect(Tag::Integer)?, numbers.expect(Tag::Integer)?] {
        let digits = number.value.strip_prefix(&[0]).unwrap_or(number.value);
        fixed.resize(fixed.len() + size.checked_sub(digits.len())?, 0);
        fixed.extend_from_slice(digits);
    }
    numbers.finish()?;
    Some(fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ecdsa_value_is_padded_to_the_size_of_the_key() {
        let value = [0x30, 7, 2, 2, 0, 0x80, 2, 1, 5];
        assert_eq!(fixed_ecdsa(&value, 3).unwrap(), [0, 0, 0x80, 0, 0, 5]);
        assert_eq!(fixed_ecdsa(&value, 0), None);
        assert_eq!(fixed_ecdsa(&value[..8], 3), None);
    }
}
