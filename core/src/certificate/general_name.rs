//! GeneralName (RFC 5280 §4.2.1.6): the names that alternative names, name constraints and CRLs' places are made of.

use der::Tag;

use super::{
    name::{Name, canonical_rdn},
    tlv::{Cursor, Tlv},
};

/// The kinds by their tag numbers.
pub(super) const RFC822_NAME: u8 = 1;
/// See [`RFC822_NAME`].
pub(super) const DNS_NAME: u8 = 2;
/// See [`RFC822_NAME`].
pub(super) const DIRECTORY_NAME: u8 = 4;
/// See [`RFC822_NAME`].
pub(super) const URI: u8 = 6;
/// See [`RFC822_NAME`].
pub(super) const IP_ADDRESS: u8 = 7;

/// One name, its kind known, not yet its meaning.
pub(super) struct GeneralName<'a> {
    /// The tag number.
    pub(super) kind: u8,
    /// Contents octets.
    pub(super) value: &'a [u8],
    raw: &'a [u8],
}

impl<'a> GeneralName<'a> {
    pub(super) fn from_tlv(tlv: Tlv<'a>) -> Option<Self> {
        let Tag::ContextSpecific { constructed, number } = tlv.tag else { return None };
        let kind = number.value();
        let is_constructed = matches!(kind, 0 | 3..=5);
        (kind <= 8 && constructed == is_constructed).then_some(Self { kind, value: tlv.value, raw: tlv.raw })
    }

    /// All of GeneralNames, given its contents octets.
    pub(super) fn all(contents: &'a [u8]) -> Option<Vec<Self>> {
        let mut names = Cursor::new(contents)?;
        let mut all = Vec::new();
        while !names.is_empty() {
            all.push(Self::from_tlv(names.any()?)?);
        }
        Some(all)
    }

    /// An IA5String.
    pub(super) fn text(&self) -> Option<&'a str> {
        std::str::from_utf8(self.value).ok().filter(|text| text.is_ascii())
    }

    /// A directoryName, which is tagged explicitly.
    pub(super) fn directory(&self) -> Option<Name> {
        (self.kind == DIRECTORY_NAME).then(|| Name::from_der(self.value)).flatten()
    }

    fn key(&self) -> Option<NameKey> {
        match self.kind {
            DIRECTORY_NAME => self.directory().map(|name| NameKey::directory(&name)),
            _ => Some(NameKey(self.raw.to_vec())),
        }
    }
}

/// A name for comparison: directory names by §7.1, all others by DER.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct NameKey(Vec<u8>);

impl NameKey {
    /// Behind an octet that no GeneralName begins with.
    pub(super) fn directory(name: &Name) -> Self {
        Self([&[0], name.canonical()].concat())
    }

    /// The names of a DistributionPointName (§4.2.1.13), of which one kind is relative to the CRL issuer's name.
    pub(super) fn of_distribution_point(point: Tlv, issuer: &Name) -> Option<Vec<Self>> {
        let mut choice = point.open()?;
        let name = choice.any()?;
        choice.finish()?;
        match name.tag {
            tag if tag == super::tlv::context(0) => {
                let mut names = Cursor::new(name.value)?;
                let mut keys = Vec::with_capacity(1);
                while !names.is_empty() {
                    keys.push(GeneralName::from_tlv(names.any()?)?.key()?);
                }
                Some(keys)
            }
            tag if tag == super::tlv::context(1) => {
                let Self(base) = Self::directory(issuer);
                Some(vec![Self([base, canonical_rdn(name.value)?].concat())])
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        testing::{attribute, ca_name, tlv},
        tlv::context,
    };
    use super::*;

    #[test]
    fn a_general_name_is_of_one_of_nine_kinds_each_written_in_its_own_way() {
        let known: Vec<_> =
            (0..=u8::MAX).filter(|tag| GeneralName::all(&tlv(*tag, &[0x30, 0])).is_some()).collect();
        assert_eq!(known, [0x81, 0x82, 0x86, 0x87, 0x88, 0xa0, 0xa3, 0xa4, 0xa5]);
    }

    #[test]
    fn a_distribution_point_is_named_in_full_or_after_the_issuer_and_in_no_other_way() {
        let issuer = Name::from_der(&ca_name("CA")).unwrap();
        let names = |tag, value: &[u8]| {
            let point = tlv(0xa0, &tlv(tag, value));
            NameKey::of_distribution_point(Tlv::only(&point, context(0)).unwrap(), &issuer).map(|n| n.len())
        };
        let full = [tlv(0x86, b"http://a"), tlv(0xa4, &ca_name("CRL"))].concat();
        assert_eq!(names(0xa0, &full), Some(2));
        let relative = attribute("2.5.4.3", 0x13, b"CRL");
        assert_eq!(names(0xa1, &relative), Some(1));
        for tag in [0x30, 0x31, 0x80, 0x81, 0xa2, 0xa3] {
            assert_eq!((names(tag, &full), names(tag, &relative)), (None, None), "{tag:02x}");
        }
        assert_eq!((names(0xa0, &relative), names(0xa1, &full), names(0xa1, &[])), (None, None, None));
    }
}
