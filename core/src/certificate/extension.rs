//! The extensions of a certificate (RFC 5280 §4.2): all kept in order, those that rules ask about decoded.

use std::ops::Range;

use der::Tag;

use super::{
    distribution_point::DistributionPoint,
    name::Name,
    name_constraints::NameConstraints,
    policy::{PolicyConstraints, mappings},
    tlv::{Cursor, Tlv, dotted, primitive, small_integer},
};

/// 2.5.29.9
pub(super) const SUBJECT_DIRECTORY_ATTRIBUTES: &[u8] = &[0x55, 0x1d, 9];
/// 2.5.29.14
const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 14];
/// 2.5.29.15
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
/// 2.5.29.17
pub(super) const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 17];
/// 2.5.29.19
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
/// 2.5.29.30
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 30];
/// 2.5.29.31
const CRL_DISTRIBUTION_POINTS: &[u8] = &[0x55, 0x1d, 31];
/// 2.5.29.32
const CERTIFICATE_POLICIES: &[u8] = &[0x55, 0x1d, 32];
/// 2.5.29.33
const POLICY_MAPPINGS: &[u8] = &[0x55, 0x1d, 33];
/// 2.5.29.35
const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 35];

/// 2.5.29.36
const POLICY_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 36];
/// 2.5.29.37
pub(super) const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];
/// 2.5.29.54
const INHIBIT_ANY_POLICY: &[u8] = &[0x55, 0x1d, 54];

/// Extensions whose meaning the rules of this module apply, so that they may be critical.
const APPLIED: [&[u8]; 9] = [
    KEY_USAGE,
    SUBJECT_ALT_NAME,
    BASIC_CONSTRAINTS,
    NAME_CONSTRAINTS,
    CRL_DISTRIBUTION_POINTS,
    CERTIFICATE_POLICIES,
    POLICY_MAPPINGS,
    POLICY_CONSTRAINTS,
    INHIBIT_ANY_POLICY,
];

/// anyPolicy, 2.5.29.32.0 (RFC 5280 §4.2.1.4).
pub(super) const ANY_POLICY: &[u8] = &[0x55, 0x1d, 32, 0];

/// What the extensions of one certificate say.
#[derive(Default)]
pub(super) struct Extensions {
    all: Vec<Extension>,
    /// OIDs and values of all, one after another.
    bytes: Vec<u8>,
    pub(super) basic_constraints: Option<BasicConstraints>,
    pub(super) key_usage: Option<KeyUsage>,
    pub(super) policies: Option<Vec<Vec<u8>>>,
    /// issuerDomainPolicy and subjectDomainPolicy.
    pub(super) policy_mappings: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) policy_constraints: PolicyConstraints,
    pub(super) name_constraints: Option<NameConstraints>,
    /// OIDs of the purposes.
    pub(super) extended_key_usage: Option<Vec<Vec<u8>>>,
    pub(super) subject_key_identifier: Option<Vec<u8>>,
    pub(super) authority_key_identifier: Option<Vec<u8>>,
    pub(super) distribution_points: Vec<DistributionPoint>,
}

/// Where in [`Extensions::bytes`] its OID and its value are.
struct Extension {
    oid: Range<usize>,
    critical: bool,
    value: Range<usize>,
}

/// RFC 5280 §4.2.1.9.
#[derive(Clone, Copy)]
pub(super) struct BasicConstraints {
    pub(super) ca: bool,
    pub(super) path_length: Option<usize>,
}

/// RFC 5280 §4.2.1.3; bit 0 is the highest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyUsage(u16);

impl KeyUsage {
    pub(super) const DIGITAL_SIGNATURE: Self = Self(0x8000);
    pub(super) const NON_REPUDIATION: Self = Self(0x4000);
    pub(super) const KEY_CERT_SIGN: Self = Self(0x0400);
    pub(super) const CRL_SIGN: Self = Self(0x0200);

    pub(super) fn allows(self, usage: Self) -> bool {
        self.0 & usage.0 != 0
    }
}

impl Extensions {
    /// From the elements of `Extensions` of a certificate by `issuer`. The error is the name of what is malformed.
    pub(super) fn parse(mut elements: Cursor, issuer: &Name) -> Result<Self, &'static str> {
        /// Room for the extensions of an HPKI certificate.
        const USUAL: usize = 12;
        let mut extensions = Self::default();
        extensions.all.reserve(if elements.is_empty() { 0 } else { USUAL });
        extensions.bytes.reserve(elements.remaining());
        while !elements.is_empty() {
            let element = elements.expect(Tag::Sequence).ok_or("extensions")?;
            let (oid, critical, value) = entry(element).ok_or("extension")?;
            if extensions.find(oid).is_some() {
                return Err("extension that stands twice");
            }
            extensions.read(oid, value, issuer)?;
            extensions.keep(oid, critical, value);
        }
        Ok(extensions)
    }

    fn keep(&mut self, oid: &[u8], critical: bool, value: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(oid);
        let middle = self.bytes.len();
        self.bytes.extend_from_slice(value);
        self.all.push(Extension { oid: start..middle, critical, value: middle..self.bytes.len() });
    }

    fn find(&self, oid: &[u8]) -> Option<&Extension> {
        // Most differ in the last octet alone, so that is compared first.
        let is_named = |own: &[u8]| own.last() == oid.last() && own == oid;
        self.all.iter().find(|extension| is_named(self.oid(extension)))
    }

    fn oid(&self, extension: &Extension) -> &[u8] {
        self.bytes.get(extension.oid.clone()).unwrap_or_default()
    }

    fn read(&mut self, oid: &[u8], value: &[u8], issuer: &Name) -> Result<(), &'static str> {
        match oid {
            KEY_USAGE => self.key_usage = Some(key_usage(value).ok_or("keyUsage")?),
            BASIC_CONSTRAINTS => {
                self.basic_constraints = Some(basic_constraints(value).ok_or("basicConstraints")?);
            }
            NAME_CONSTRAINTS => {
                self.name_constraints = Some(NameConstraints::parse(value).ok_or("nameConstraints")?);
            }
            CERTIFICATE_POLICIES => self.policies = Some(policies(value).ok_or("certificatePolicies")?),
            POLICY_MAPPINGS => self.policy_mappings = mappings(value).ok_or("policyMappings")?,
            POLICY_CONSTRAINTS => self.policy_constraints.parse(value).ok_or("policyConstraints")?,
            INHIBIT_ANY_POLICY => self.policy_constraints.parse_any(value).ok_or("inhibitAnyPolicy")?,
            EXTENDED_KEY_USAGE => self.extended_key_usage = Some(purposes(value).ok_or("extKeyUsage")?),
            SUBJECT_KEY_IDENTIFIER => {
                let id = Tlv::only(value, Tag::OctetString).ok_or("subjectKeyIdentifier")?;
                self.subject_key_identifier = Some(id.value.to_vec());
            }
            AUTHORITY_KEY_IDENTIFIER => self.authority_key_identifier = authority_key(value),
            CRL_DISTRIBUTION_POINTS => {
                self.distribution_points =
                    DistributionPoint::all(value, issuer).ok_or("cRLDistributionPoints")?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Contents of the extension's OCTET STRING.
    pub(super) fn value(&self, oid: &[u8]) -> Option<&[u8]> {
        self.find(oid).and_then(|extension| self.bytes.get(extension.value.clone()))
    }

    pub(super) fn key_usage_is_critical(&self) -> bool {
        self.is_critical(KEY_USAGE)
    }

    pub(super) fn policies_are_critical(&self) -> bool {
        self.is_critical(CERTIFICATE_POLICIES)
    }

    fn is_critical(&self, oid: &[u8]) -> bool {
        self.find(oid).is_some_and(|extension| extension.critical)
    }

    pub(super) fn extended_key_usage_is_critical(&self) -> bool {
        self.is_critical(EXTENDED_KEY_USAGE)
    }

    /// OID of the first critical extension that no rule here applies; such a certificate must be refused (§4.2).
    pub(super) fn unknown_critical(&self) -> Option<String> {
        self.unknown_critical_besides(&[])
    }

    /// The same where the caller applies one more.
    pub(super) fn unknown_critical_besides(&self, applied: &[u8]) -> Option<String> {
        let is_applied = |oid: &[u8]| APPLIED.contains(&oid) || oid == applied;
        let mut critical =
            self.all.iter().filter(|extension| extension.critical).map(|extension| self.oid(extension));
        critical.find(|oid| !is_applied(oid)).map(dotted)
    }

    /// basicConstraints says that this is a CA.
    pub(super) fn is_ca(&self) -> bool {
        self.basic_constraints.is_some_and(|constraints| constraints.ca)
    }

    pub(super) fn allows(&self, usage: KeyUsage) -> bool {
        self.key_usage.is_some_and(|allowed| allowed.allows(usage))
    }
}

/// Extension ::= SEQUENCE { extnID, critical DEFAULT FALSE, extnValue OCTET STRING }.
pub(super) fn entry(element: Tlv<'_>) -> Option<(&[u8], bool, &[u8])> {
    let mut fields = element.open()?;
    let oid = fields.any()?.oid()?;
    let critical = boolean(&mut fields)?;
    let value = fields.expect(Tag::OctetString)?;
    fields.finish()?;
    Some((oid, critical, value.value))
}

fn boolean(fields: &mut Cursor) -> Option<bool> {
    match fields.optional(Tag::Boolean).map(|b| b.value) {
        None | Some([0]) => Some(false),
        Some([0xff]) => Some(true),
        Some(_) => None,
    }
}

fn key_usage(value: &[u8]) -> Option<KeyUsage> {
    match Tlv::only(value, Tag::BitString)?.value {
        [0..=7, high] => Some(KeyUsage(u16::from_be_bytes([*high, 0]))),
        [0..=7, high, low] => Some(KeyUsage(u16::from_be_bytes([*high, *low]))),
        _ => None,
    }
}

fn basic_constraints(value: &[u8]) -> Option<BasicConstraints> {
    let mut fields = Tlv::only(value, Tag::Sequence)?.open()?;
    let ca = boolean(&mut fields)?;
    let path_length = match fields.optional(Tag::Integer) {
        Some(n) => Some(small_integer(n.value)?),
        None => None,
    };
    fields.finish()?;
    Some(BasicConstraints { ca, path_length })
}

fn policies(value: &[u8]) -> Option<Vec<Vec<u8>>> {
    let policies = Tlv::only(value, Tag::Sequence)?.each(Tag::Sequence);
    policies.map(|policy| policy?.open()?.any()?.oid().map(<[u8]>::to_vec)).collect()
}

/// keyIdentifier `[0]`, which comes first where it is present. Only a hint, so what cannot be read does no harm.
fn authority_key(value: &[u8]) -> Option<Vec<u8>> {
    let first = Tlv::only(value, Tag::Sequence)?.open()?.any()?;
    (first.tag == primitive(0)).then(|| first.value.to_vec())
}

fn purposes(value: &[u8]) -> Option<Vec<Vec<u8>>> {
    let purposes = Tlv::only(value, Tag::Sequence)?.each(Tag::ObjectIdentifier);
    purposes.map(|purpose| purpose?.oid().map(<[u8]>::to_vec)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{extension, tlv};
    use super::*;

    #[test]
    fn extensions_are_told_apart_by_their_whole_identifiers() {
        let all = [extension("1.2.37", true, &tlv(4, &[])), extension("2.5.29.14", false, &tlv(4, &[1]))];
        let bytes = [all.concat(), extension("1.2.3.14", false, &tlv(5, &[]))].concat();
        let issuer = Name::from_der(&[0x30, 0]).unwrap();
        let extensions = Extensions::parse(Cursor::new(&bytes).unwrap(), &issuer).unwrap();
        assert_eq!(extensions.value(SUBJECT_KEY_IDENTIFIER), Some(&[4, 1, 1][..]));
        assert_eq!(extensions.value(&[0x2a, 3, 14]), Some(&[5, 0][..]));
        assert_eq!(extensions.value(EXTENDED_KEY_USAGE), None);
        assert!(!extensions.extended_key_usage_is_critical());
        assert_eq!(extensions.unknown_critical().as_deref(), Some("1.2.37"));
    }

    #[test]
    fn key_usage_is_read_in_one_octet_or_two() {
        let read = |bits: &[u8]| key_usage(&tlv(3, bits)).map(|usage| usage.0);
        assert_eq!(read(&[6, 0x40]), Some(KeyUsage::NON_REPUDIATION.0));
        assert_eq!(read(&[1, 0x06]), Some(KeyUsage::KEY_CERT_SIGN.0 | KeyUsage::CRL_SIGN.0));
        // With decipherOnly, bit 8.
        assert_eq!(read(&[7, 0x40, 0x80]), Some(0x4080));
        for malformed in [&[][..], &[0], &[8, 0x40], &[8, 0x40, 0x80], &[0, 0, 0, 0]] {
            assert_eq!(read(malformed), None);
        }
    }
}
