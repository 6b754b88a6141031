//! Distinguished names (RFC 5280 §4.1.2.4): kept as DER, compared by §7.1, written by RFC 4514.

use std::{borrow::Cow, sync::OnceLock};

use der::Tag;

use super::tlv::{Cursor, Tlv, dotted};

/// 2.5.4.3
pub(super) const COMMON_NAME: &[u8] = &[0x55, 4, 3];
/// 2.5.4.10
pub(super) const ORGANIZATION: &[u8] = &[0x55, 4, 10];
/// emailAddress, 1.2.840.113549.1.9.1 (PKCS #9)
pub(super) const EMAIL_ADDRESS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];

/// The short name registered for LDAP (RFC 4514 §3, RFC 4519) of an attribute type (contents octets): 2.5.4.…, and
/// 0.9.2342.19200300.100.1.….
fn short_name(oid: &[u8]) -> Option<&'static str> {
    Some(match oid {
        COMMON_NAME => "CN",
        [0x55, 4, 4] => "sn",
        [0x55, 4, 5] => "serialNumber",
        [0x55, 4, 6] => "C",
        [0x55, 4, 7] => "L",
        [0x55, 4, 8] => "ST",
        [0x55, 4, 9] => "STREET",
        ORGANIZATION => "O",
        [0x55, 4, 11] => "OU",
        [0x55, 4, 12] => "title",
        [0x55, 4, 42] => "givenName",
        [0x55, 4, 97] => "organizationIdentifier",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1] => "UID",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25] => "DC",
        _ => return None,
    })
}

/// A name, its structure checked.
#[derive(Clone)]
pub(super) struct Name {
    der: Vec<u8>,
    /// See [`Name::canonical`]; made when it is first asked for, since most names are equal by DER.
    canonical: OnceLock<Vec<u8>>,
}

impl Name {
    pub(super) fn from_tlv(tlv: Tlv) -> Option<Self> {
        check(tlv)?;
        Some(Self { der: tlv.raw.to_vec(), canonical: OnceLock::new() })
    }

    pub(super) fn from_der(der: &[u8]) -> Option<Self> {
        Tlv::only(der, Tag::Sequence).and_then(Self::from_tlv)
    }

    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    /// RFC 4514: the last RDN first.
    pub(super) fn text(&self) -> String {
        // Names are about as long as their DER.
        let mut text = String::with_capacity(self.der.len());
        let rdns: Vec<Tlv> = rdns(&self.der).collect();
        let mut between = "";
        for rdn in rdns.into_iter().rev() {
            for attribute in inside(rdn).filter_map(attribute) {
                text.push_str(between);
                attribute.write_rfc4514(&mut text);
                between = "+";
            }
            between = ",";
        }
        text
    }

    /// No RDN at all.
    pub(super) fn is_empty(&self) -> bool {
        self.canonical().is_empty()
    }

    /// Text of the first attribute of this type.
    pub(super) fn first(&self, oid: &[u8]) -> Option<String> {
        each(&self.der).find(|attribute| attribute.oid == oid)?.text().map(Cow::into_owned)
    }

    /// Texts of all attributes of this type; `None` for one that is no text.
    pub(super) fn texts(&self, oid: &[u8]) -> Vec<Option<String>> {
        let of_type = each(&self.der).filter(|attribute| attribute.oid == oid);
        of_type.map(|attribute| attribute.text().map(Cow::into_owned)).collect()
    }

    /// Equal by DER, or by RFC 5280 §7.1 as far as names in certificates need it: case and runs of spaces do not
    /// count, nor does the string type. Of the preparation of RFC 4518, Unicode normalization is left out.
    pub(super) fn matches(&self, other: &Self) -> bool {
        self.der == other.der
            || self.canonical.get().zip(other.canonical.get()).map_or_else(
                || rdns(&self.der).map(Rdn).eq(rdns(&other.der).map(Rdn)),
                |(own, others)| own == others,
            )
    }

    /// `self` begins with all RDNs of `base`, as [`Name::matches`] compares them.
    pub(super) fn is_within(&self, base: &Self) -> bool {
        self.canonical().starts_with(base.canonical())
    }

    /// RDNs in their order, prepared, one after another, each with its length before it: equal octets are equal
    /// names, and a prefix is a name's beginning.
    pub(super) fn canonical(&self) -> &[u8] {
        self.canonical.get_or_init(|| rdns(&self.der).flat_map(|rdn| Rdn(rdn).canonical()).collect())
    }
}

/// What [`Name::canonical`] has for the RDN with these contents octets.
pub(super) fn canonical_rdn(set: &[u8]) -> Option<Vec<u8>> {
    let mut elements = Cursor::new(set)?;
    let mut rdn = Vec::new();
    while !elements.is_empty() {
        rdn.push(attribute(elements.expect(Tag::Sequence)?)?);
    }
    (!rdn.is_empty()).then(|| canonical(&rdn))
}

/// One RDN of a name that has been checked.
struct Rdn<'a>(Tlv<'a>);

impl<'a> Rdn<'a> {
    fn canonical(&self) -> Vec<u8> {
        canonical(&inside(self.0).filter_map(attribute).collect::<Vec<_>>())
    }

    /// The attribute, where there is but one.
    fn only(&self) -> Option<Attribute<'a>> {
        let mut attributes = inside(self.0).filter_map(attribute);
        attributes.next().filter(|_| attributes.next().is_none())
    }
}

/// As [`Name::canonical`] has it, which is made only where the answer is not plain.
impl PartialEq for Rdn<'_> {
    fn eq(&self, other: &Self) -> bool {
        if self.0.raw == other.0.raw {
            return true;
        }
        if let (Some(a), Some(b)) = (self.only(), other.only()) {
            if a.oid != b.oid {
                return false;
            }
            if let (Some(a), Some(b)) = (a.text(), b.text())
                && a.is_ascii()
                && b.is_ascii()
            {
                return same_words(&a, &b);
            }
        }
        self.canonical() == other.canonical()
    }
}

/// The same words whatever their case; both texts are ASCII.
fn same_words(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.split_whitespace(), b.split_whitespace());
    loop {
        match (a.next(), b.next()) {
            (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// The attributes in a fixed order.
fn canonical(rdn: &[Attribute]) -> Vec<u8> {
    let mut prepared: Vec<_> =
        rdn.iter().map(|a| [with_length(a.oid), with_length(&a.prepared())].concat()).collect();
    prepared.sort();
    with_length(&prepared.concat())
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    [&bytes.len().to_be_bytes(), bytes].concat()
}

struct Attribute<'a> {
    oid: &'a [u8],
    value: Tlv<'a>,
}

impl<'a> Attribute<'a> {
    fn text(&self) -> Option<Cow<'a, str>> {
        directory_text(self.value)
    }

    /// The value for comparison; what is no text stands for itself, behind an octet that no text begins with.
    fn prepared(&self) -> Vec<u8> {
        match self.text() {
            Some(text) => {
                let words: Vec<_> = text.split_whitespace().map(str::to_lowercase).collect();
                words.join(" ").into_bytes()
            }
            None => [&[0xff], self.value.raw].concat(),
        }
    }

    fn write_rfc4514(&self, text: &mut String) {
        if let (Some(short), Some(value)) = (short_name(self.oid), self.text()) {
            text.push_str(short);
            text.push('=');
            text.push_str(&escape(&value));
        } else {
            text.push_str(&dotted(self.oid));
            text.push_str("=#");
            text.push_str(&super::hex(self.value.raw));
        }
    }
}

/// RFC 4514 §2.4.
fn escape(text: &str) -> Cow<'_, str> {
    let is_special =
        |byte| matches!(byte, b'\0' | b' ' | b'#' | b'"' | b'+' | b',' | b';' | b'<' | b'>' | b'\\');
    if !text.bytes().any(is_special) {
        return Cow::Borrowed(text);
    }
    let last = text.chars().count().saturating_sub(1);
    let mut escaped = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        match c {
            '\0' => escaped.push_str("\\00"),
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => escaped.extend(['\\', c]),
            ' ' if at == 0 || at == last => escaped.extend(['\\', c]),
            '#' if at == 0 => escaped.extend(['\\', c]),
            _ => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// `None` when the structure is not that of a name.
fn check(name: Tlv) -> Option<()> {
    let mut rdns = (name.tag == Tag::Sequence).then_some(name)?.open()?;
    while !rdns.is_empty() {
        let mut attributes = rdns.expect(Tag::Set)?.open()?;
        while !attributes.is_empty() {
            attribute(attributes.expect(Tag::Sequence)?)?;
        }
    }
    Some(())
}

/// The RDNs of a name that has been checked.
fn rdns(name: &[u8]) -> impl Iterator<Item = Tlv<'_>> {
    elements(Tlv::only(name, Tag::Sequence))
}

/// The attributes of all RDNs of a name that has been checked.
fn each(name: &[u8]) -> impl Iterator<Item = Attribute<'_>> {
    rdns(name).flat_map(inside).filter_map(attribute)
}

fn inside(tlv: Tlv<'_>) -> impl Iterator<Item = Tlv<'_>> {
    elements(Some(tlv))
}

/// The elements inside, as far as they are well-formed.
fn elements(tlv: Option<Tlv<'_>>) -> impl Iterator<Item = Tlv<'_>> {
    let mut cursor = tlv.and_then(Tlv::open);
    std::iter::from_fn(move || cursor.as_mut()?.any())
}

fn attribute(tlv: Tlv<'_>) -> Option<Attribute<'_>> {
    let mut fields = tlv.open()?;
    let oid = fields.any()?.oid()?;
    let value = fields.any()?;
    fields.finish()?;
    Some(Attribute { oid, value })
}

/// The string types that names and hcRole use. TeletexString has no certain character set and is not read.
pub(super) fn directory_text(value: Tlv<'_>) -> Option<Cow<'_, str>> {
    match value.tag {
        Tag::Utf8String => str::from_utf8(value.value).ok().map(Cow::Borrowed),
        Tag::PrintableString | Tag::Ia5String | Tag::NumericString if value.value.is_ascii() => {
            str::from_utf8(value.value).ok().map(Cow::Borrowed)
        }
        Tag::BmpString => {
            let (pairs, []) = value.value.as_chunks() else { return None };
            let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
            String::from_utf16(&units.collect::<Vec<_>>()).ok().map(Cow::Owned)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
