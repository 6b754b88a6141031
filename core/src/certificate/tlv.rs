//! Reading one DER element after another (X.690), with the exact bytes of each kept: signatures and names are over
//! bytes, not over a re-encoding. `None` means malformed; the caller knows what.

use der::{Tag, TagNumber};
use time::{Date, Month, OffsetDateTime, Time};

/// One element.
#[derive(Clone, Copy)]
pub(crate) struct Tlv<'a> {
    pub(crate) tag: Tag,
    /// Contents octets.
    pub(crate) value: &'a [u8],
    /// The whole element.
    pub(crate) raw: &'a [u8],
}

impl<'a> Tlv<'a> {
    /// The only element in `bytes`.
    pub(crate) fn only(bytes: &'a [u8], tag: Tag) -> Option<Self> {
        let mut cursor = Cursor::new(bytes)?;
        let tlv = cursor.expect(tag)?;
        cursor.finish()?;
        Some(tlv)
    }

    /// The elements inside.
    pub(crate) fn open(self) -> Option<Cursor<'a>> {
        Cursor::new(self.value)
    }

    /// The elements inside, when this one is a SEQUENCE.
    pub(crate) fn open_sequence(self) -> Option<Cursor<'a>> {
        (self.tag == Tag::Sequence).then(|| self.open())?
    }

    /// The elements inside, all of this tag.
    pub(crate) fn all(self, tag: Tag) -> Option<Vec<Tlv<'a>>> {
        self.each(tag).collect()
    }

    /// The elements inside, which must all be of this tag: `None` stands for what is not, and is the last.
    pub(crate) fn each(self, tag: Tag) -> impl Iterator<Item = Option<Tlv<'a>>> {
        let mut rest = Some(self.open());
        std::iter::from_fn(move || {
            let Some(mut cursor) = rest.take()? else { return Some(None) };
            if cursor.is_empty() {
                return None;
            }
            let item = cursor.expect(tag);
            rest = item.map(|_| Some(cursor));
            Some(item)
        })
    }

    /// Contents octets of a well-formed OBJECT IDENTIFIER (X.690 §8.19).
    pub(crate) fn oid(self) -> Option<&'a [u8]> {
        let ends = self.value.last().is_some_and(|last| last & 0x80 == 0);
        let minimal = self.value.first() != Some(&0x80)
            && !self.value.windows(2).any(|pair| matches!(pair, [0..=0x7f, 0x80]));
        (self.tag == Tag::ObjectIdentifier && ends && minimal).then_some(self.value)
    }

    /// A BIT STRING of whole octets.
    pub(crate) fn bit_string(self) -> Option<&'a [u8]> {
        match self.value {
            [0, bytes @ ..] if self.tag == Tag::BitString => Some(bytes),
            _ => None,
        }
    }

    /// UTCTime or GeneralizedTime in the forms of RFC 5280 §4.1.2.5: seconds, `Z`, no fraction.
    pub(crate) fn time(self) -> Option<OffsetDateTime> {
        let (century_and_year, rest) = match self.tag {
            Tag::UtcTime => {
                let (year, rest) = self.value.split_at_checked(2)?;
                let year = digits(year)?;
                (if year < 50 { 2000 + year } else { 1900 + year }, rest)
            }
            Tag::GeneralizedTime => {
                let (year, rest) = self.value.split_at_checked(4)?;
                (digits(year)?, rest)
            }
            _ => return None,
        };
        let [m1, m2, d1, d2, h1, h2, n1, n2, s1, s2, b'Z'] = *rest else { return None };
        let two = |tens, units| digits(&[tens, units]).and_then(|n| u8::try_from(n).ok());
        let month = Month::try_from(two(m1, m2)?).ok()?;
        let date = Date::from_calendar_date(century_and_year, month, two(d1, d2)?).ok()?;
        let time = Time::from_hms(two(h1, h2)?, two(n1, n2)?, two(s1, s2)?).ok()?;
        Some(date.with_time(time).assume_utc())
    }
}

/// Contents octets of an OBJECT IDENTIFIER as people write it. Arcs of over 128 bits, which nobody has, lose bits.
pub(crate) fn dotted(oid: &[u8]) -> String {
    use std::fmt::Write;
    // Most arcs are of one octet and fewer than three digits.
    let mut text = String::with_capacity(3 * oid.len() + 1);
    let mut arc: u128 = 0;
    for byte in oid {
        arc = (arc << 7) + u128::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            let _ = if text.is_empty() {
                let first = (arc / 40).min(2);
                write!(text, "{first}.{}", arc - first * 40)
            } else {
                write!(text, ".{arc}")
            };
            arc = 0;
        }
    }
    text
}

fn digits(text: &[u8]) -> Option<i32> {
    text.iter().try_fold(0, |n, c| c.is_ascii_digit().then(|| n * 10 + i32::from(c - b'0')))
}

/// A position among sibling elements.
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

/// More than any certificate, CRL or file here has, and three length octets say it.
const MAX_CONTENTS: usize = 0xff_ffff;

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        (bytes.len() <= MAX_CONTENTS).then_some(Self { rest: bytes })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes follow.
    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn finish(self) -> Option<()> {
        self.is_empty().then_some(())
    }

    /// A length must be written in as few octets as it can (X.690 §10.1); tags are those of one octet.
    pub(crate) fn any(&mut self) -> Option<Tlv<'a>> {
        let (tag, length, header) = match *self.rest {
            [tag, length @ 0..=0x7f, ..] => (tag, [0, 0, 0, length], 2),
            [tag, 0x81, length @ 0x80..=0xff, ..] => (tag, [0, 0, 0, length], 3),
            [tag, 0x82, high @ 1..=0xff, low, ..] => (tag, [0, 0, high, low], 4),
            [tag, 0x83, high @ 1..=0xff, middle, low, ..] => (tag, [0, high, middle, low], 5),
            _ => return None,
        };
        let tag = tag_of(tag)?;
        let (raw, rest) = self.rest.split_at_checked(header + u32::from_be_bytes(length) as usize)?;
        self.rest = rest;
        Some(Tlv { tag, value: raw.get(header..)?, raw })
    }

    pub(crate) fn expect(&mut self, tag: Tag) -> Option<Tlv<'a>> {
        self.any().filter(|tlv| tlv.tag == tag)
    }

    /// All elements that are left.
    pub(crate) fn rest(mut self) -> Option<Vec<Tlv<'a>>> {
        let mut all = Vec::new();
        while !self.is_empty() {
            all.push(self.any()?);
        }
        Some(all)
    }

    /// The next element if it is of this tag. One that is malformed stays where it is, for what is read next, or
    /// [`Cursor::finish`], to stumble over.
    pub(crate) fn optional(&mut self, tag: Tag) -> Option<Tlv<'a>> {
        let mut ahead = Self { rest: self.rest };
        let tlv = ahead.expect(tag)?;
        *self = ahead;
        Some(tlv)
    }
}

/// The usual ones without asking.
fn tag_of(octet: u8) -> Option<Tag> {
    match octet {
        0x02 => Some(Tag::Integer),
        0x03 => Some(Tag::BitString),
        0x04 => Some(Tag::OctetString),
        0x06 => Some(Tag::ObjectIdentifier),
        0x0c => Some(Tag::Utf8String),
        0x13 => Some(Tag::PrintableString),
        0x30 => Some(Tag::Sequence),
        0x31 => Some(Tag::Set),
        _ => Tag::try_from(octet).ok(),
    }
}

/// A small INTEGER that is not negative, such as a count of certificates; [`usize::MAX`] for a longer one.
pub(crate) fn small_integer(integer: &[u8]) -> Option<usize> {
    match integer {
        [n @ 0..=0x7f] => Some(usize::from(*n)),
        [0..=0x7f, _, ..] => Some(usize::MAX),
        _ => None,
    }
}

/// `[number]`, primitive: an implicitly tagged string, number or flag.
pub(crate) fn primitive(number: u8) -> Tag {
    Tag::ContextSpecific { constructed: false, number: TagNumber::new(number) }
}

/// `[number]`, constructed.
pub(crate) fn context(number: u8) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber::new(number) }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn contents(head: &[u8], length: usize) -> Option<usize> {
        let der = [head, &vec![7; length]].concat();
        Tlv::only(&der, Tag::OctetString).map(|tlv| tlv.value.len())
    }

    #[test]
    fn every_tag_is_the_one_that_the_library_reads() {
        for octet in 0..=u8::MAX {
            assert_eq!(tag_of(octet), Tag::try_from(octet).ok(), "{octet:02x}");
        }
    }

    #[test]
    fn elements_are_read_as_far_as_all_are_well_formed_and_of_the_tag_asked_for() {
        let numbers = [0x30, 6, 2, 1, 5, 2, 1, 6];
        let list = Tlv::only(&numbers, Tag::Sequence).unwrap();
        let values = |elements: Option<Vec<Tlv>>| {
            elements.map(|all| all.iter().flat_map(|tlv| tlv.value.to_vec()).collect::<Vec<_>>())
        };
        assert_eq!(values(list.all(Tag::Integer)), Some(vec![5, 6]));
        assert_eq!(values(list.all(Tag::Boolean)), None);
        assert_eq!(values(list.open_sequence().and_then(Cursor::rest)), Some(vec![5, 6]));
        let set = Tlv { tag: Tag::Set, ..list };
        assert!(set.open_sequence().is_none() && set.open().is_some());
        assert_eq!(values(Cursor::new(&numbers[2..7]).and_then(Cursor::rest)), None, "the last is cut short");
        assert_eq!(values(Cursor::new(&[]).and_then(Cursor::rest)), Some(vec![]));
    }

    #[test]
    fn every_length_is_read_in_its_shortest_form_alone() {
        for (head, length) in [
            (&[4, 0][..], 0),
            (&[4, 0x7f], 0x7f),
            (&[4, 0x81, 0x80], 0x80),
            (&[4, 0x82, 1, 0], 0x100),
            (&[4, 0x83, 1, 0, 0], 0x1_0000),
        ] {
            assert_eq!(contents(head, length), Some(length));
            assert_eq!(contents(head, length + 1), None, "something follows");
            assert!(length == 0 || contents(head, length - 1).is_none(), "cut short");
        }
        for (head, length) in [
            (&[4, 0x81, 0x7f][..], 0x7f),
            (&[4, 0x82, 0, 0x80], 0x80),
            (&[4, 0x83, 0, 1, 0], 0x100),
            (&[4, 0x80], 0),
            (&[4, 0x84, 0, 0, 0, 1], 1),
            (&[0x1f, 4, 0], 0),
            (&[4], 0),
        ] {
            assert_eq!(contents(head, length), None);
        }
    }

    #[test]
    fn contents_beyond_three_length_octets_are_not_opened() {
        let most = vec![0; MAX_CONTENTS];
        assert_eq!(Cursor::new(&most).map(|cursor| cursor.remaining()), Some(MAX_CONTENTS));
        assert!(Cursor::new(&[most, vec![0]].concat()).is_none());
    }

    fn read(tag: Tag, value: &[u8]) -> Tlv<'_> {
        Tlv { tag, value, raw: &[] }
    }

    #[test]
    fn a_time_is_read_in_the_forms_of_rfc_5280_alone() {
        let (short, long) = (Tag::UtcTime, Tag::GeneralizedTime);
        for (tag, text, time) in [
            (short, "491231235958Z", datetime!(2049-12-31 23:59:58 UTC)),
            (short, "500102030405Z", datetime!(1950-01-02 03:04:05 UTC)),
            (long, "20500102030405Z", datetime!(2050-01-02 03:04:05 UTC)),
        ] {
            assert_eq!(read(tag, text.as_bytes()).time(), Some(time));
        }
        for (tag, text) in [
            (short, "491231235958"),
            (short, "4912312359Z"),
            (short, "491231235958+0900"),
            (short, "491331235958Z"),
            (short, "490230000000Z"),
            (short, "491231240000Z"),
            (short, "49123123595:Z"),
            (short, "4/1231235958Z"),
            (short, "4"),
            (short, "20491231235958Z"),
            (long, "491231235958Z"),
            (long, "20491231235958.5Z"),
            (long, "204"),
            (Tag::Utf8String, "491231235958Z"),
        ] {
            assert_eq!(read(tag, text.as_bytes()).time(), None, "{text}");
        }
    }

    #[test]
    fn an_identifier_is_read_when_each_arc_is_whole_and_shortest() {
        for (octets, text) in [
            (&[0x27][..], "0.39"),
            (&[0x28], "1.0"),
            (&[0x4f, 0x7f], "1.39.127"),
            (&[0x50], "2.0"),
            (&[0x78, 0x81, 0x80, 0], "2.40.16384"),
            (&[0x88, 0x37, 3], "2.999.3"),
        ] {
            assert_eq!(read(Tag::ObjectIdentifier, octets).oid(), Some(octets));
            assert_eq!(dotted(octets), text);
        }
        for malformed in [&[][..], &[0x2a, 0x81], &[0x80, 1], &[0x2a, 0x80, 1], &[0x2a, 0x7f, 0x80, 1]] {
            assert_eq!(read(Tag::ObjectIdentifier, malformed).oid(), None);
        }
        assert_eq!(read(Tag::OctetString, &[0x2a]).oid(), None);
        assert_eq!(dotted(&[]), "");
    }

    #[test]
    fn a_bit_string_of_whole_octets_and_a_number_that_is_not_negative_are_read() {
        assert_eq!(read(Tag::BitString, &[0, 5]).bit_string(), Some(&[5][..]));
        assert_eq!(read(Tag::BitString, &[1, 4]).bit_string(), None);
        assert_eq!(read(Tag::OctetString, &[0, 5]).bit_string(), None);
        for (octets, number) in [
            (&[0][..], Some(0)),
            (&[0x7f], Some(0x7f)),
            (&[0, 0x80], Some(usize::MAX)),
            (&[0x7f, 0xff, 0xff], Some(usize::MAX)),
            (&[0x80], None),
            (&[0xff, 0x7f], None),
            (&[], None),
        ] {
            assert_eq!(small_integer(octets), number);
        }
    }
}
