//! Tokens for tests: every field can be made wrong. Keys are P-256 or P-384, made at run time.

use ring::{
    digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, digest},
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
        KeyPair,
    },
};
use time::OffsetDateTime;

use crate::certificate::{
    Certificate,
    testing::{Authority, Template, extension, oid, seq, tlv},
};

pub(in crate::signature) const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";
pub(in crate::signature) const SHA256_OID: &str = "2.16.840.1.101.3.4.2.1";
pub(in crate::signature) const SHA384_OID: &str = "2.16.840.1.101.3.4.2.2";
pub(in crate::signature) const TST_INFO: &str = "1.2.840.113549.1.9.16.1.4";
pub(in crate::signature) const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
pub(in crate::signature) const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
pub(in crate::signature) const SIGNING_CERTIFICATE_V2: &str = "1.2.840.113549.1.9.16.2.47";

/// A curve, and what its keys sign with.
struct Curve {
    signing: &'static EcdsaSigningAlgorithm,
    digest: &'static Algorithm,
    oid: &'static str,
    signature_oid: &'static str,
}

static P256: Curve = Curve {
    signing: &ECDSA_P256_SHA256_ASN1_SIGNING,
    digest: &SHA256,
    oid: "1.2.840.10045.3.1.7",
    signature_oid: "1.2.840.10045.4.3.2",
};
static P384: Curve = Curve {
    signing: &ECDSA_P384_SHA384_ASN1_SIGNING,
    digest: &SHA384,
    oid: "1.3.132.0.34",
    signature_oid: "1.2.840.10045.4.3.3",
};

/// A key made here, and its SubjectPublicKeyInfo.
pub(in crate::signature) struct Key {
    pub(in crate::signature) pkcs8: Vec<u8>,
    pub(in crate::signature) spki: Vec<u8>,
    pair: EcdsaKeyPair,
    curve: &'static Curve,
}

impl Key {
    pub(in crate::signature) fn new() -> Self {
        Self::on(&P256)
    }

    fn on(curve: &'static Curve) -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(curve.signing, &random).unwrap().as_ref().to_vec();
        let pair = EcdsaKeyPair::from_pkcs8(curve.signing, &pkcs8, &random).unwrap();
        let kind = seq(&[oid("1.2.840.10045.2.1"), oid(curve.oid)]);
        let spki = seq(&[kind, tlv(3, &[&[0], pair.public_key().as_ref()].concat())]);
        Self { pkcs8, spki, pair, curve }
    }
}

/// A time-stamp authority and the CA above it.
pub(in crate::signature) struct Tsa {
    pub(in crate::signature) root: Authority,
    key: Key,
    entity: Authority,
    pub(in crate::signature) certificate: Certificate,
}

impl Tsa {
    pub(in crate::signature) fn new() -> Self {
        Self::of(Key::new())
    }

    /// Whose tokens name SHA-384.
    pub(in crate::signature) fn p384() -> Self {
        Self::of(Key::on(&P384))
    }

    fn of(key: Key) -> Self {
        let (root, entity) = (Authority::new("Test TSA Root"), Authority::new("Test TSA"));
        let template = Self::template(&key, Some(extended_key_usage(true, &[TIME_STAMPING])));
        let certificate = entity.certificate(&root, &template);
        Self { root, key, entity, certificate }
    }

    fn template(key: &Key, extended_key_usage: Option<Vec<u8>>) -> Template {
        let usage = extension("2.5.29.15", true, &tlv(3, &[7, 0x80]));
        let template = Template { serial: vec![0x77], spki: Some(key.spki.clone()), ..Template::signer(&[]) };
        let extensions = [Some(usage), extended_key_usage].into_iter().flatten().collect();
        Template { subject: None, extensions, ..template }
    }

    /// The same authority with a certificate of another extended key usage.
    pub(in crate::signature) fn with_usage(mut self, extended_key_usage: Option<Vec<u8>>) -> Self {
        self.certificate =
            self.entity.certificate(&self.root, &Self::template(&self.key, extended_key_usage));
        self
    }

    /// The same authority with a certificate by another CA.
    pub(in crate::signature) fn below(mut self, issuer: &Authority) -> Self {
        let template = Self::template(&self.key, Some(extended_key_usage(true, &[TIME_STAMPING])));
        self.certificate = self.entity.certificate(issuer, &template);
        self
    }

    /// The same authority with a certificate that expires then.
    pub(in crate::signature) fn until(mut self, not_after: OffsetDateTime) -> Self {
        let template = Self::template(&self.key, Some(extended_key_usage(true, &[TIME_STAMPING])));
        self.certificate = self.entity.certificate(&self.root, &Template { not_after, ..template });
        self
    }

    pub(in crate::signature) fn root_certificate(&self) -> Certificate {
        self.root.certificate(&self.root, &Template::ca(1))
    }

    pub(in crate::signature) fn token(&self, template: &TokenTemplate) -> Vec<u8> {
        let content = template.tst_info();
        let mut signer = self.signer_info(template, &content);
        if template.signers == 2 {
            signer = [signer.clone(), signer].concat();
        } else if template.signers == 0 {
            signer.clear();
        }
        let enclosed = if template.encloses_certificate { tlv(0xa0, self.certificate.der()) } else { vec![] };
        let data = seq(&[
            tlv(2, &[3]),
            tlv(0x31, &seq(&[oid(SHA256_OID)])),
            seq(&[oid(template.content_type), tlv(0xa0, &tlv(4, &content))]),
            enclosed,
            tlv(0x31, &signer),
        ]);
        seq(&[oid("1.2.840.113549.1.7.2"), tlv(0xa0, &data)])
    }

    fn signer_info(&self, template: &TokenTemplate, content: &[u8]) -> Vec<u8> {
        let certificate = template.named.as_ref().unwrap_or(&self.certificate);
        let curve = self.key.curve;
        let attribute = |kind: &str, value: &[u8]| seq(&[oid(kind), tlv(0x31, value)]);
        let named = if template.names_by_sha1 {
            let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate.der());
            let id = seq(&[seq(&[seq(&[tlv(4, hash.as_ref())])])]);
            attribute("1.2.840.113549.1.9.16.2.12", &id)
        } else {
            attribute(SIGNING_CERTIFICATE_V2, &seq(&[seq(&[seq(&[tlv(4, &certificate.sha256())])])]))
        };
        let mut attributes = vec![
            (CONTENT_TYPE, attribute(CONTENT_TYPE, &oid(TST_INFO))),
            (MESSAGE_DIGEST, attribute(MESSAGE_DIGEST, &tlv(4, digest(curve.digest, content).as_ref()))),
            (SIGNING_CERTIFICATE_V2, named),
        ];
        attributes.retain(|(kind, _)| Some(*kind) != template.without_attribute);
        let twice = attributes.iter().find(|(kind, _)| Some(*kind) == template.attribute_twice).cloned();
        attributes.extend(twice);
        let attributes = attributes.into_iter().map(|(_, attribute)| attribute).collect::<Vec<_>>().concat();
        let signature = self.key.pair.sign(&SystemRandom::new(), &tlv(0x31, &attributes)).unwrap();
        let (version, id) = if template.by_key {
            (3, tlv(0x80, b"key identifier"))
        } else {
            let (issuer, serial) = (self.certificate.issuer_der(), self.certificate.serial_number_octets());
            (1, seq(&[issuer.to_vec(), tlv(2, serial)]))
        };
        let unsigned = match &template.unsigned {
            Some(token) => tlv(0xa1, &attribute("1.2.840.113549.1.9.16.2.14", token)),
            None => vec![],
        };
        seq(&[
            tlv(2, &[version]),
            id,
            seq(&[oid(template.digest)]),
            tlv(0xa0, &attributes),
            seq(&[oid(curve.signature_oid)]),
            tlv(4, signature.as_ref()),
            unsigned,
        ])
    }
}

pub(in crate::signature) fn extended_key_usage(critical: bool, purposes: &[&str]) -> Vec<u8> {
    let purposes: Vec<_> = purposes.iter().map(|purpose| oid(purpose)).collect();
    extension("2.5.29.37", critical, &seq(&purposes))
}

/// What a token says.
#[derive(Clone)]
pub(in crate::signature) struct TokenTemplate {
    pub(in crate::signature) imprint: Vec<u8>,
    pub(in crate::signature) imprint_algorithm: &'static str,
    pub(in crate::signature) version: u8,
    pub(in crate::signature) time: String,
    /// More fields of the TSTInfo, after genTime.
    pub(in crate::signature) more: Vec<u8>,
    pub(in crate::signature) content_type: &'static str,
    pub(in crate::signature) digest: &'static str,
    pub(in crate::signature) signers: usize,
    pub(in crate::signature) encloses_certificate: bool,
    /// Instead of the authority's own.
    pub(in crate::signature) named: Option<Certificate>,
    pub(in crate::signature) names_by_sha1: bool,
    /// The signer's key is named, not issuer and serial number.
    pub(in crate::signature) by_key: bool,
    pub(in crate::signature) without_attribute: Option<&'static str>,
    pub(in crate::signature) attribute_twice: Option<&'static str>,
    /// A token in an unsigned attribute.
    pub(in crate::signature) unsigned: Option<Vec<u8>>,
}

impl TokenTemplate {
    /// As RFC 3161 and RFC 5816 want it.
    pub(in crate::signature) fn of(data: &[u8], at: OffsetDateTime) -> Self {
        let format = time::macros::format_description!("[year][month][day][hour][minute][second]Z");
        Self {
            imprint: digest(&SHA256, data).as_ref().to_vec(),
            imprint_algorithm: SHA256_OID,
            version: 1,
            time: at.format(format).unwrap(),
            more: Vec::new(),
            content_type: TST_INFO,
            digest: SHA256_OID,
            signers: 1,
            encloses_certificate: true,
            named: None,
            names_by_sha1: false,
            by_key: false,
            without_attribute: None,
            attribute_twice: None,
            unsigned: None,
        }
    }

    fn tst_info(&self) -> Vec<u8> {
        seq(&[
            tlv(2, &[self.version]),
            oid("1.2.3.4.1"),
            seq(&[seq(&[oid(self.imprint_algorithm), tlv(5, &[])]), tlv(4, &self.imprint)]),
            tlv(2, &[9]),
            tlv(0x18, self.time.as_bytes()),
            self.more.clone(),
        ])
    }
}
