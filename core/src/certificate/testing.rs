//! Certificates and CRLs for tests: every field can be made wrong. Keys are P-256, made at run time.

use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use time::{Duration, OffsetDateTime, macros::datetime};

use super::{Certificate, Crl};

/// The time at which tests judge.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-07-01 12:00 UTC);

pub(crate) const SIGNING_POLICY: &str = "1.2.392.100495.1.5.1.1.0.1";
pub(crate) const CA_POLICY: &str = "1.2.392.100495.1.5.1.1.3.1";
const ECDSA_SHA256: &str = "1.2.840.10045.4.3.2";

pub(crate) fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = match value.len() {
        short @ 0..=0x7f => vec![u8::try_from(short).unwrap()],
        medium @ 0x80..=0xff => vec![0x81, u8::try_from(medium).unwrap()],
        long @ 0x100..=0xffff => [&[0x82][..], &u16::try_from(long).unwrap().to_be_bytes()].concat(),
        longer => [&[0x83][..], &u32::try_from(longer).unwrap().to_be_bytes()[1..]].concat(),
    };
    [&[tag][..], &length, value].concat()
}

pub(crate) fn seq(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

pub(crate) fn oid(text: &str) -> Vec<u8> {
    tlv(6, der::asn1::ObjectIdentifier::new(text).unwrap().as_bytes())
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

pub(crate) fn attribute(kind: &str, tag: u8, value: &[u8]) -> Vec<u8> {
    seq(&[oid(kind), tlv(tag, value)])
}

/// One attribute per RDN: type, string tag, value.
pub(crate) fn name(attributes: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let rdns: Vec<_> = attributes.iter().map(|(k, t, v)| tlv(0x31, &attribute(k, *t, v))).collect();
    seq(&rdns)
}

pub(crate) fn ca_name(common_name: &str) -> Vec<u8> {
    name(&[("2.5.4.6", 0x13, b"JP"), ("2.5.4.3", 0x13, common_name.as_bytes())])
}

pub(crate) fn time(at: OffsetDateTime) -> Vec<u8> {
    let (date, clock) = (at.date(), at.time());
    let text = format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        clock.hour(),
        clock.minute(),
        clock.second()
    );
    if (1950..2050).contains(&date.year()) {
        tlv(0x17, &text.as_bytes()[2..])
    } else {
        tlv(0x18, text.as_bytes())
    }
}

pub(crate) fn extension(kind: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { tlv(1, &[0xff]) } else { Vec::new() };
    seq(&[oid(kind), critical, tlv(4, value)])
}

pub(crate) fn key_usage(critical: bool, unused: u8, bits: u8) -> Vec<u8> {
    extension("2.5.29.15", critical, &tlv(3, &[unused, bits]))
}

pub(crate) fn policies(critical: bool, policies: &[&str]) -> Vec<u8> {
    let all: Vec<_> = policies.iter().map(|policy| seq(&[oid(policy)])).collect();
    extension("2.5.29.32", critical, &seq(&all))
}

pub(crate) fn basic_constraints(ca: bool, path_length: Option<u8>) -> Vec<u8> {
    let ca = if ca { tlv(1, &[0xff]) } else { Vec::new() };
    let path_length = path_length.map(|n| tlv(2, &[n])).unwrap_or_default();
    extension("2.5.29.19", true, &seq(&[ca, path_length]))
}

/// The value of subjectDirectoryAttributes.
pub(crate) fn hc_role(roles: &[&str]) -> Vec<u8> {
    let actors: Vec<_> = roles
        .iter()
        .map(|role| {
            let scheme = tlv(0xa0, &oid("1.2.392.100495.1.6.1.1"));
            let text = tlv(0xa2, &tlv(0x0c, role.as_bytes()));
            seq(&[tlv(0xa0, &tlv(0x31, &[scheme, text].concat()))])
        })
        .collect();
    let values = tlv(0x31, &tlv(0x31, &actors.concat()));
    seq(&[seq(&[oid("1.0.17090.0.1"), values])])
}

/// A key and a name that issue.
pub(crate) struct Authority {
    key: EcdsaKeyPair,
    pub(crate) name: Vec<u8>,
}

impl Authority {
    pub(crate) fn new(common_name: &str) -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).unwrap();
        Self { key, name: ca_name(common_name) }
    }

    fn key_identifier(&self) -> Vec<u8> {
        ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, self.key.public_key().as_ref())
            .as_ref()
            .to_vec()
    }

    fn spki(&self) -> Vec<u8> {
        let algorithm = seq(&[oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")]);
        seq(&[algorithm, tlv(3, &[&[0], self.key.public_key().as_ref()].concat())])
    }

    fn sign(&self, tbs: Vec<u8>, algorithm: Vec<u8>) -> Vec<u8> {
        let signature = self.key.sign(&SystemRandom::new(), &tbs).unwrap();
        seq(&[tbs, algorithm, tlv(3, &[&[0], signature.as_ref()].concat())])
    }

    /// A certificate of this key by `issuer`.
    pub(crate) fn certificate(&self, issuer: &Authority, template: &Template) -> Certificate {
        Certificate::from_der(&self.certificate_der(issuer, template)).unwrap()
    }

    pub(crate) fn certificate_der(&self, issuer: &Authority, template: &Template) -> Vec<u8> {
        let algorithm = seq(&[oid(template.algorithm)]);
        let mut extensions = vec![
            extension("2.5.29.14", false, &tlv(4, &self.key_identifier())),
            extension("2.5.29.35", false, &seq(&[tlv(0x80, &issuer.key_identifier())])),
        ];
        extensions.extend(template.extensions.iter().cloned());
        let tbs = seq(&[
            tlv(0xa0, &tlv(2, &[2])),
            tlv(2, &template.serial),
            algorithm.clone(),
            issuer.name.clone(),
            seq(&[time(template.not_before), time(template.not_after)]),
            template.subject.clone().unwrap_or_else(|| self.name.clone()),
            template.spki.clone().unwrap_or_else(|| self.spki()),
            tlv(0xa3, &seq(&extensions)),
        ]);
        issuer.sign(tbs, algorithm)
    }

    /// A CRL by this key: serial numbers, dates, reason codes.
    pub(crate) fn crl(&self, template: &CrlTemplate) -> Crl {
        Crl::from_der(&self.crl_der(template)).unwrap()
    }

    pub(crate) fn crl_der(&self, template: &CrlTemplate) -> Vec<u8> {
        let algorithm = seq(&[oid(ECDSA_SHA256)]);
        let entries: Vec<_> = template
            .revoked
            .iter()
            .map(|(serial, at, reason)| {
                let reason = extension("2.5.29.21", false, &tlv(0x0a, &[*reason]));
                seq(&[tlv(2, serial), time(*at), seq(&[reason])])
            })
            .collect();
        let entries = [entries, template.more_entries.clone()].concat();
        let revoked = if entries.is_empty() { Vec::new() } else { seq(&entries) };
        let mut extensions = template.extensions.clone();
        let kind = oid("2.5.29.20");
        if !extensions.iter().any(|e| e.windows(kind.len()).take(5).any(|w| w == kind)) {
            extensions.push(extension("2.5.29.20", false, &tlv(2, &[1])));
        }
        let tbs = seq(&[
            tlv(2, &[1]),
            algorithm.clone(),
            self.name.clone(),
            time(template.this_update),
            template.next_update.map(time).unwrap_or_default(),
            revoked,
            tlv(0xa0, &seq(&extensions)),
        ]);
        self.sign(tbs, algorithm)
    }
}

/// What a certificate says.
#[derive(Clone)]
pub(crate) struct Template {
    pub(crate) serial: Vec<u8>,
    pub(crate) subject: Option<Vec<u8>>,
    pub(crate) not_before: OffsetDateTime,
    pub(crate) not_after: OffsetDateTime,
    pub(crate) algorithm: &'static str,
    pub(crate) spki: Option<Vec<u8>>,
    pub(crate) extensions: Vec<Vec<u8>>,
}

impl Template {
    fn new(serial: u8, extensions: Vec<Vec<u8>>) -> Self {
        Self {
            serial: vec![serial],
            subject: None,
            not_before: NOW - Duration::days(365),
            not_after: NOW + Duration::days(365),
            algorithm: ECDSA_SHA256,
            spki: None,
            extensions,
        }
    }

    /// A CA as HPKI has them: keyCertSign and cRLSign.
    pub(crate) fn ca(serial: u8) -> Self {
        let usage = key_usage(true, 1, 0x06);
        Self::new(serial, vec![basic_constraints(true, None), usage, policies(true, &[CA_POLICY])])
    }

    /// A signing certificate in the HPKI profile with these roles.
    pub(crate) fn signer(roles: &[&str]) -> Self {
        let kanji = name(&[
            ("2.5.4.6", 0x13, b"JP"),
            ("2.5.4.10", 0x0c, "神楽坂医院".as_bytes()),
            ("2.5.4.3", 0x0c, "神楽坂　三十四".as_bytes()),
        ]);
        let mut extensions = vec![
            key_usage(true, 6, 0x40),
            policies(true, &[SIGNING_POLICY]),
            extension("2.5.29.17", false, &seq(&[tlv(0xa4, &kanji)])),
        ];
        if !roles.is_empty() {
            extensions.push(extension("2.5.29.9", false, &hc_role(roles)));
        }
        let subject = name(&[
            ("2.5.4.6", 0x13, b"JP"),
            ("2.5.4.3", 0x13, b"MITOSHI KAGURAZAKA"),
            ("2.5.4.5", 0x13, b"0123456789"),
        ]);
        Self { subject: Some(subject), ..Self::new(0x5a, extensions) }
    }

    /// The same with another extension in place of the one of this type, or in addition.
    pub(crate) fn with(mut self, kind: &str, replacement: Option<Vec<u8>>) -> Self {
        let kind = oid(kind);
        self.extensions.retain(|extension| !extension.windows(kind.len()).take(5).any(|w| w == kind));
        self.extensions.extend(replacement);
        self
    }
}

/// What a CRL says.
#[derive(Clone)]
pub(crate) struct CrlTemplate {
    pub(crate) this_update: OffsetDateTime,
    pub(crate) next_update: Option<OffsetDateTime>,
    pub(crate) revoked: Vec<(Vec<u8>, OffsetDateTime, u8)>,
    /// Entries in DER, after the others.
    pub(crate) more_entries: Vec<Vec<u8>>,
    /// Besides a cRLNumber, which is 1 unless there is one among these.
    pub(crate) extensions: Vec<Vec<u8>>,
}

impl CrlTemplate {
    /// Fresh at [`NOW`], revoking nothing.
    pub(crate) fn fresh() -> Self {
        Self {
            this_update: NOW - Duration::days(1),
            next_update: Some(NOW + Duration::days(3)),
            revoked: Vec::new(),
            more_entries: Vec::new(),
            extensions: Vec::new(),
        }
    }
}

/// Root, CA and a doctor, as HPKI has them.
pub(crate) struct Chain {
    pub(crate) root: Authority,
    pub(crate) ca: Authority,
    pub(crate) doctor: Authority,
}

impl Chain {
    pub(crate) fn new() -> Self {
        Self {
            root: Authority::new("Test Root"),
            ca: Authority::new("HPKI-01-TestSignCA-forNonRepudiation"),
            doctor: Authority::new("doctor"),
        }
    }
    pub(crate) fn root_certificate(&self) -> Certificate {
        self.root.certificate(&self.root, &Template::ca(1))
    }
    pub(crate) fn ca_certificate(&self) -> Certificate {
        self.ca.certificate(&self.root, &Template::ca(2))
    }
    pub(crate) fn leaf(&self, template: &Template) -> Certificate {
        self.doctor.certificate(&self.ca, template)
    }
}
