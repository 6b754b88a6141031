//! Reading DER (X.690) one element after another, definite and minimal lengths only. `None` means malformed.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
pub(super) const BOOLEAN: u8 = 0x01;
const NULL: [u8; 2] = [5, 0];

/// `[number]`, constructed.
pub(super) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// One element.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    /// Contents octets.
    pub(super) value: &'a [u8],
    /// The whole element.
    pub(super) raw: &'a [u8],
}

impl<'a> Element<'a> {
    /// The only element in `bytes`.
    pub(super) fn only(bytes: &'a [u8], tag: u8) -> Option<Self> {
        let mut elements = Elements(bytes);
        let element = elements.expect(tag)?;
        elements.finish()?;
        Some(element)
    }

    /// The elements inside.
    pub(super) fn open(self) -> Elements<'a> {
        Elements(self.value)
    }
}

/// Elements that are still to be read.
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

impl<'a> Elements<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn finish(self) -> Option<()> {
        self.is_empty().then_some(())
    }

    /// The next element, of a low tag number.
    pub(super) fn any(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first().filter(|(tag, _)| **tag & 0x1f != 0x1f)?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet));
                if octets.first() == Some(&0) || length < 0x80 {
                    return None;
                }
                (length, rest)
            }
            _ => return None,
        };
        let (value, after) = rest.split_at_checked(length)?;
        let (raw, _) = self.0.split_at_checked(self.0.len() - after.len())?;
        self.0 = after;
        Some(Element { tag, value, raw })
    }

    pub(super) fn expect(&mut self, tag: u8) -> Option<Element<'a>> {
        self.any().filter(|element| element.tag == tag)
    }

    /// The next element if it is of this tag.
    pub(super) fn optional(&mut self, tag: u8) -> Option<Element<'a>> {
        if self.0.first() == Some(&tag) { self.any() } else { None }
    }

    /// All that are left.
    pub(super) fn rest(mut self) -> Option<Vec<Element<'a>>> {
        let mut all = Vec::new();
        while !self.is_empty() {
            all.push(self.any()?);
        }
        Some(all)
    }
}

/// OID of an AlgorithmIdentifier whose parameters are absent or NULL.
pub(super) fn algorithm(identifier: Element<'_>) -> Option<&[u8]> {
    let mut fields = (identifier.tag == SEQUENCE).then(|| identifier.open())?;
    let oid = fields.expect(OBJECT_IDENTIFIER)?;
    (fields.is_empty() || fields.0 == NULL).then_some(oid.value)
}

/// An ECDSA-Sig-Value (RFC 3279 §2.2.3) as `r || s`, `size` octets each.
pub(super) fn fixed_ecdsa(signature: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut numbers = Element::only(signature, SEQUENCE)?.open();
    let mut fixed = Vec::with_capacity(2 * size);
    for number in [numbers.expect(INTEGER)?, numbers.expect(INTEGER)?] {
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
    fn only_minimal_definite_lengths_are_read() {
        let long = [&[4, 0x81, 0x80][..], &[7; 0x80]].concat();
        assert_eq!(Element::only(&long, OCTET_STRING).unwrap().value, [7; 0x80]);
        for malformed in [
            &[][..],
            &[4],
            &[4, 1],
            &[4, 0x80, 0, 0],
            &[4, 0x81, 1, 7],
            &[4, 0x82, 0, 0x80],
            &[4, 0x85, 0, 0, 0, 0, 1, 7],
            &[4, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x1f, 1, 0],
            &[4, 1, 7, 0],
        ] {
            assert!(Element::only(malformed, OCTET_STRING).is_none(), "{malformed:?}");
        }
    }

    #[test]
    fn an_ecdsa_value_is_padded_to_the_size_of_the_key() {
        let value = [0x30, 7, 2, 2, 0, 0x80, 2, 1, 5];
        assert_eq!(fixed_ecdsa(&value, 3).unwrap(), [0, 0, 0x80, 0, 0, 5]);
        assert_eq!(fixed_ecdsa(&value, 0), None);
        assert_eq!(fixed_ecdsa(&value[..8], 3), None);
    }
}
