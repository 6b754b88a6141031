//! One X.509 certificate (RFC 5280 §4), read once: every later question is answered from fields, not from bytes.

use std::{
    fmt,
    ops::Range,
    sync::{Arc, OnceLock},
};

use der::Tag;
use ring::digest;
use time::OffsetDateTime;

use super::{
    CertificateError,
    extension::Extensions,
    hex,
    key::{EcdsaForm, KeyAlgorithm, SignatureAlgorithm, SignatureInvalid, SubjectKey, unsigned},
    name::Name,
    tlv::{Cursor, Tlv, context},
};
use crate::trust::pem;

/// Longest certificate, bytes. HPKI's have about 1.5 KiB; RSA 4096 and long texts fit easily.
const MAX_CERTIFICATE: usize = 16 * 1024;
/// Longest serial number, octets (RFC 5280 §4.1.2.2), and one for the sign.
const MAX_SERIAL_NUMBER: usize = 21;

/// Any X.509 certificate, parsed and kept with its exact DER. Cheap to clone.
#[derive(Clone)]
pub struct Certificate(Arc<Fields>);

struct Fields {
    der: Vec<u8>,
    /// Where in `der` the signed part is.
    tbs: Range<usize>,
    /// Where in `der` the signature is.
    signature: Range<usize>,
    signature_algorithm: Option<SignatureAlgorithm>,
    is_version_3: bool,
    serial_number: Vec<u8>,
    issuer: Name,
    subject: Name,
    validity: Validity,
    key: SubjectKey,
    extensions: Extensions,
    is_self_issued: OnceLock<bool>,
}

/// When a certificate is valid, both ends included (RFC 5280 §4.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First second, UTC.
    pub not_before: OffsetDateTime,
    /// Last second, UTC.
    pub not_after: OffsetDateTime,
}

impl Certificate {
    /// Parses exactly one certificate, at most 16 KiB. Keys and extensions that are not known do no harm here; they
    /// are judged where they count.
    ///
    /// # Errors
    /// [`CertificateError::TooLong`], or [`CertificateError::Malformed`] naming the part.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX_CERTIFICATE {
            return Err(CertificateError::TooLong);
        }
        Self::from_vec(der.to_vec())
    }

    /// [`Certificate::from_der`] without a copy.
    pub(crate) fn from_vec(der: Vec<u8>) -> Result<Self, CertificateError> {
        if der.len() > MAX_CERTIFICATE {
            return Err(CertificateError::TooLong);
        }
        let fields = fields(&der)?;
        Ok(Self(Arc::new(Fields { der, ..fields })))
    }

    /// Parses DER, or PEM with one block `CERTIFICATE` (RFC 7468).
    ///
    /// # Errors
    /// As [`Certificate::from_der`], and [`CertificateError::Pem`].
    pub fn from_pem_or_der(bytes: &[u8]) -> Result<Self, CertificateError> {
        if bytes.len() > 2 * MAX_CERTIFICATE {
            return Err(CertificateError::TooLong);
        }
        if pem::is_sequence(bytes) {
            return Self::from_der(bytes);
        }
        Self::from_der(&pem::decode(bytes, "CERTIFICATE").ok_or(CertificateError::Pem)?)
    }

    /// The exact DER.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// SHA-256 of the DER.
    pub fn sha256(&self) -> [u8; 32] {
        let digest = digest::digest(&digest::SHA256, &self.0.der);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        bytes
    }

    /// The subject, RFC 4514.
    pub fn subject_name(&self) -> String {
        self.0.subject.text()
    }

    /// The issuer, RFC 4514.
    pub fn issuer_name(&self) -> String {
        self.0.issuer.text()
    }

    /// The serial number, lower-case hexadecimal, two digits an octet, without the sign octet.
    pub fn serial_number(&self) -> String {
        hex(unsigned(&self.0.serial_number))
    }

    /// The contents octets of the serial number's INTEGER, big-endian, as XAdES `IssuerSerialV2` repeats them.
    pub fn serial_number_octets(&self) -> &[u8] {
        &self.0.serial_number
    }

    /// The issuer's Name in DER, as XAdES `IssuerSerialV2` repeats it.
    pub fn issuer_der(&self) -> &[u8] {
        self.0.issuer.der()
    }

    /// When it is valid.
    pub fn validity(&self) -> Validity {
        self.0.validity
    }

    /// The kind and size of its key.
    pub fn key_algorithm(&self) -> KeyAlgorithm {
        self.0.key.algorithm
    }

    /// Verifies a signature that this certificate's key has made over `message`, ECDSA being `r || s` (XML
    /// Signature, RFC 4050 §3.3; JOSE, RFC 7518 §3.4). A key that is too weak verifies nothing.
    ///
    /// # Errors
    /// [`SignatureInvalid`], also when the algorithm does not fit the key.
    pub fn verify_signature(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureInvalid> {
        self.0.key.verify(algorithm, EcdsaForm::Fixed, message, signature)
    }

    /// The same for a signature as X.509 and CMS write it: ECDSA being the DER of Ecdsa-Sig-Value (RFC 3279 §2.2.3).
    ///
    /// # Errors
    /// [`SignatureInvalid`], also when the algorithm does not fit the key.
    pub fn verify_der_signature(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureInvalid> {
        self.0.key.verify(algorithm, EcdsaForm::Asn1, message, signature)
    }

    pub(super) fn is_signed_by(&self, issuer: &Certificate) -> bool {
        let part = |range: &Range<usize>| self.0.der.get(range.clone()).unwrap_or_default();
        issuer.has_signed(self.0.signature_algorithm, part(&self.0.tbs), part(&self.0.signature))
    }

    /// Whether its key has made this X.509 signature.
    pub(super) fn has_signed(
        &self,
        algorithm: Option<SignatureAlgorithm>,
        tbs: &[u8],
        signature: &[u8],
    ) -> bool {
        algorithm.is_some_and(|algorithm| self.verify_der_signature(algorithm, tbs, signature).is_ok())
    }

    /// The signature algorithm, where it is one that counts (SHA-256 or longer).
    pub(super) fn signature_algorithm(&self) -> Option<SignatureAlgorithm> {
        self.0.signature_algorithm
    }

    pub(super) fn is_version_3(&self) -> bool {
        self.0.is_version_3
    }

    pub(super) fn issuer(&self) -> &Name {
        &self.0.issuer
    }

    pub(super) fn subject(&self) -> &Name {
        &self.0.subject
    }

    pub(super) fn key(&self) -> &SubjectKey {
        &self.0.key
    }

    pub(super) fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// The same name with the same key: nothing is gained by passing it twice.
    pub(super) fn is_same_entity(&self, other: &Certificate) -> bool {
        self.0.key == other.0.key && self.0.subject.matches(&other.0.subject)
    }

    /// Subject and issuer are one name (RFC 5280 §3.2 "self-issued").
    pub(super) fn is_self_issued(&self) -> bool {
        *self.0.is_self_issued.get_or_init(|| self.0.issuer.matches(&self.0.subject))
    }
}

/// By DER.
impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

/// Issuer and serial number only: the subject is a person.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, {})", self.issuer_name(), self.serial_number())
    }
}

impl Validity {
    /// Whether `at` lies inside.
    pub fn contains(&self, at: OffsetDateTime) -> bool {
        self.not_before <= at && at <= self.not_after
    }
}

/// All but the DER itself.
fn fields(der: &[u8]) -> Result<Fields, CertificateError> {
    let outer = signed(der).ok_or(CertificateError::Malformed("certificate"))?;
    let mut tbs = outer.tbs.open().ok_or(CertificateError::Malformed("tbsCertificate"))?;
    let version = version(&mut tbs).ok_or(CertificateError::Malformed("version"))?;
    let serial_number = tbs
        .expect(Tag::Integer)
        .filter(|serial| (1..=MAX_SERIAL_NUMBER).contains(&serial.value.len()))
        .ok_or(CertificateError::Malformed("serialNumber"))?;
    // RFC 5280 §4.1.1.2: the algorithm stands twice and must be the same.
    tbs.expect(Tag::Sequence)
        .filter(|inner| inner.raw == outer.algorithm.raw)
        .ok_or(CertificateError::Malformed("signature"))?;
    let issuer = name(&mut tbs).ok_or(CertificateError::Malformed("issuer"))?;
    let validity = validity(&mut tbs).ok_or(CertificateError::Malformed("validity"))?;
    let subject = name(&mut tbs).ok_or(CertificateError::Malformed("subject"))?;
    let key = tbs
        .expect(Tag::Sequence)
        .and_then(SubjectKey::from_tlv)
        .ok_or(CertificateError::Malformed("subjectPublicKeyInfo"))?;
    let extensions = tail(tbs, version).ok_or(CertificateError::Malformed("extensions"))?;
    let extensions = Extensions::parse(extensions, &issuer).map_err(CertificateError::Malformed)?;
    // The signed part begins the contents, the signature ends them.
    let contents = Tlv::only(der, Tag::Sequence).ok_or(CertificateError::Malformed("certificate"))?.value;
    let start = der.len() - contents.len();
    Ok(Fields {
        der: Vec::new(),
        tbs: start..start + outer.tbs.raw.len(),
        signature: der.len() - outer.signature.len()..der.len(),
        signature_algorithm: SignatureAlgorithm::from_identifier(outer.algorithm),
        is_version_3: version == 2,
        serial_number: serial_number.value.to_vec(),
        issuer,
        subject,
        validity,
        key,
        extensions,
        is_self_issued: OnceLock::new(),
    })
}

/// What certificates and CRLs have in common: SEQUENCE of the signed part, the algorithm, the signature.
pub(super) struct Signed<'a> {
    pub(super) tbs: Tlv<'a>,
    pub(super) algorithm: Tlv<'a>,
    pub(super) signature: &'a [u8],
}

pub(super) fn signed(der: &[u8]) -> Option<Signed<'_>> {
    let mut fields = Tlv::only(der, Tag::Sequence)?.open()?;
    let tbs = fields.expect(Tag::Sequence)?;
    let algorithm = fields.expect(Tag::Sequence)?;
    let signature = fields.expect(Tag::BitString)?.bit_string()?;
    fields.finish()?;
    Some(Signed { tbs, algorithm, signature })
}

/// `[0] EXPLICIT INTEGER`: absent is 0 (v1), 2 is v3.
fn version(tbs: &mut Cursor) -> Option<u8> {
    let Some(explicit) = tbs.optional(context(0)) else { return Some(0) };
    match Tlv::only(explicit.value, Tag::Integer)?.value {
        [version @ 0..=2] => Some(*version),
        _ => None,
    }
}

fn name(tbs: &mut Cursor) -> Option<Name> {
    tbs.expect(Tag::Sequence).and_then(Name::from_tlv)
}

fn validity(tbs: &mut Cursor) -> Option<Validity> {
    let mut fields = tbs.expect(Tag::Sequence)?.open()?;
    let validity = Validity { not_before: fields.any()?.time()?, not_after: fields.any()?.time()? };
    fields.finish()?;
    Some(validity)
}

/// Unique identifiers `[1]`, `[2]` (v2, v3; of no use, skipped) and the extensions `[3]` (v3).
fn tail(mut tbs: Cursor<'_>, version: u8) -> Option<Cursor<'_>> {
    let mut extensions = Cursor::new(&[])?;
    let mut last = 0;
    while !tbs.is_empty() {
        let field = tbs.any()?;
        let number = match field.tag {
            Tag::ContextSpecific { constructed: false, number } if number.value() < 3 => number.value(),
            tag if tag == context(3) && version == 2 => 3,
            _ => return None,
        };
        if number <= last || version == 0 {
            return None;
        }
        last = number;
        if number == 3 {
            extensions = Tlv::only(field.value, Tag::Sequence)?.open()?;
        }
    }
    Some(extensions)
}

#[cfg(test)]
mod tests;
