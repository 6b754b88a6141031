//! Prescription + certificate → what to sign → signed prescription. Nothing leaves here that was not verified.

#[cfg(test)]
mod tests;

use std::ops::Range;

use ring::digest::{Context, SHA256, digest};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, UtcOffset};

use super::{
    c14n,
    form::Form,
    uri,
    verify::examine,
    xml::{Text, after_start_tag},
};
use crate::{
    certificate::{Certificate, KeyAlgorithm, SignatureAlgorithm, SigningCertificate},
    device::Random,
    prescription::Prescription,
};

const DOCUMENT_END: &[u8] = b"</PrescriptionDocument>";
/// Version of [`Prepared::to_stored`].
const STORED_VERSION: u32 = 1;

/// Why a prescription cannot be prepared.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
pub enum PrepareError {
    /// The certificate's key has no signature algorithm over SHA-256, which is what remote services are asked to sign.
    #[error("the certificate's key cannot sign a SHA-256 digest")]
    KeyNotSupported,
    /// PrescriptionDocument cannot be canonicalised: its envelope is not XML as `Prescription` promises.
    #[error("the prescription's envelope cannot be canonicalised")]
    Envelope,
}

/// Why a signature value did not become a signed prescription.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
pub enum FinishError {
    /// The value does not verify over the SignedInfo with the certificate's key.
    #[error("the signature value does not verify with the certificate's key")]
    ValueRefused,
    /// The assembled file, verified as a stranger would, is not sound; the code is that of the first
    /// [`Reason`](super::Reason).
    #[error("the signed file does not verify: {0}")]
    FileRefused(&'static str),
}

/// Why stored bytes are not a prepared prescription.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
pub enum StoredError {
    /// Not written by [`Prepared::to_stored`] of this version.
    #[error("the stored bytes cannot be read")]
    Unreadable,
    /// The stored prescription is not one that may be signed.
    #[error("the stored prescription is refused")]
    Prescription,
    /// What is stored does not give the same SignedInfo with this certificate.
    #[error("the stored SignedInfo is not that of this prescription and certificate")]
    Changed,
    /// It cannot be prepared.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
}

/// A prescription with everything decided but the signature value.
pub struct Prepared {
    prescription: Prescription,
    certificate: SigningCertificate,
    algorithm: SignatureAlgorithm,
    form: Form,
    signed_info: String,
    digest: [u8; 32],
}

/// Decides what is to be signed: XAdES-BES in form A. `signing_time` is written in UTC and whole seconds; `random` gives
/// the 8 hexadecimal digits of the signature's ids.
///
/// # Errors
/// The certificate's key has no algorithm here; or the envelope cannot be canonicalised.
pub fn prepare(
    prescription: Prescription,
    certificate: &SigningCertificate,
    signing_time: OffsetDateTime,
    random: &dyn Random,
) -> Result<Prepared, PrepareError> {
    let mut tag = [0; 4];
    random.fill(&mut tag);
    let id = format!("id{:08x}", u32::from_be_bytes(tag));
    Prepared::new(prescription, certificate, signing_time, id)
}

impl Prepared {
    fn new(
        prescription: Prescription,
        certificate: &SigningCertificate,
        signing_time: OffsetDateTime,
        id: String,
    ) -> Result<Self, PrepareError> {
        let algorithm = match certificate.certificate().key_algorithm() {
            KeyAlgorithm::Rsa { .. } => SignatureAlgorithm::RsaSha256,
            KeyAlgorithm::P256 => SignatureAlgorithm::EcdsaSha256,
            KeyAlgorithm::P384 | KeyAlgorithm::Unsupported => return Err(PrepareError::KeyNotSupported),
        };
        let signing_time = signing_time.to_offset(UtcOffset::UTC);
        let document_digest = document_digest(prescription.envelope(), prescription.document_element_range());
        let form = Form {
            id,
            signing_time: signing_time.replace_nanosecond(0).unwrap_or(signing_time),
            signature_method: uri::signature_name(algorithm).ok_or(PrepareError::KeyNotSupported)?,
            document_digest: document_digest.ok_or(PrepareError::Envelope)?,
            certificate: certificate.certificate().der().to_vec(),
        };
        let signed_info = form.signed_info();
        let digest = sha256(signed_info.as_bytes());
        Ok(Self { prescription, certificate: certificate.clone(), algorithm, form, signed_info, digest })
    }

    /// What the remote service signs (DTBS/R): SHA-256 of [`Prepared::signed_info`].
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// SignedInfo in exclusive canonical form, UTF-8.
    pub fn signed_info(&self) -> &[u8] {
        self.signed_info.as_bytes()
    }

    /// SigningTime as written: UTC, whole seconds.
    pub fn signing_time(&self) -> OffsetDateTime {
        self.form.signing_time
    }

    /// The prescription.
    pub fn prescription(&self) -> &Prescription {
        &self.prescription
    }

    /// Whether `value` is the signature over this SignedInfo by the certificate's key: RSA PKCS#1 v1.5, or `r || s`
    /// for ECDSA.
    pub fn accepts(&self, value: &[u8]) -> bool {
        self.certificate.certificate().verify_signature(self.algorithm, self.signed_info(), value).is_ok()
    }

    /// Verifies the value (as [`Prepared::accepts`] does), puts the signature in its place, and verifies the whole file
    /// again as a stranger would.
    ///
    /// # Errors
    /// The value does not verify; or the file does not: its envelope makes it ambiguous, or no reader could read its
    /// SigningTime.
    pub fn finish(self, value: &[u8]) -> Result<SignedPrescription, FinishError> {
        if !self.accepts(value) {
            return Err(FinishError::ValueRefused);
        }
        let bytes = self.assemble(value).ok_or(FinishError::FileRefused("insertion"))?;
        let examined = examine(&bytes).map_err(|reason| FinishError::FileRefused(reason.code))?;
        let [signature] = examined.signatures.as_slice() else {
            return Err(FinishError::FileRefused("signatures"));
        };
        if let Some(reason) = signature.reasons.first() {
            return Err(FinishError::FileRefused(reason.code));
        }
        let claimed = (signature.certificate.as_ref().map(Certificate::der), signature.signed_at);
        if claimed != (Some(self.certificate.certificate().der()), Some(self.signing_time())) {
            return Err(FinishError::FileRefused("properties"));
        }
        Ok(SignedPrescription { bytes })
    }

    fn assemble(&self, value: &[u8]) -> Option<Vec<u8>> {
        let envelope = self.prescription.envelope();
        let place = self.prescription.signature_insertion();
        let before = envelope.get(..place.start)?;
        Some([before, self.form.prescription_sign(value).as_bytes(), envelope.get(place.end..)?].concat())
    }

    /// Bytes from which [`Prepared::from_stored`] makes the same SignedInfo again. They hold the prescription: keep them
    /// where patient data may be kept.
    pub fn to_stored(&self) -> Vec<u8> {
        let head = StoredHead {
            version: STORED_VERSION,
            id: self.form.id.clone(),
            signing_time: self.form.signing_time.unix_timestamp(),
            digest: self.digest,
        };
        let mut stored = serde_json::to_vec(&head).unwrap_or_default();
        stored.push(b'\n');
        stored.extend_from_slice(self.prescription.envelope());
        stored
    }

    /// Resumes after a crash. The prescription is parsed and everything derived anew; the SignedInfo must come out the
    /// same to the byte.
    ///
    /// # Errors
    /// The bytes are not stored ones, or give another SignedInfo with this certificate.
    pub fn from_stored(bytes: &[u8], certificate: &SigningCertificate) -> Result<Self, StoredError> {
        let at = bytes.iter().position(|byte| *byte == b'\n').ok_or(StoredError::Unreadable)?;
        let (head, envelope) = bytes.split_at(at);
        let head: StoredHead = serde_json::from_slice(head).map_err(|_| StoredError::Unreadable)?;
        let time =
            OffsetDateTime::from_unix_timestamp(head.signing_time).map_err(|_| StoredError::Unreadable)?;
        if head.version != STORED_VERSION || !is_form_id(&head.id) {
            return Err(StoredError::Unreadable);
        }
        let envelope = envelope.get(1..).ok_or(StoredError::Unreadable)?;
        let prescription = Prescription::parse(envelope).map_err(|_| StoredError::Prescription)?;
        if prescription.envelope() != envelope {
            return Err(StoredError::Prescription);
        }
        let prepared = Self::new(prescription, certificate, time, head.id)?;
        if prepared.digest == head.digest { Ok(prepared) } else { Err(StoredError::Changed) }
    }
}

/// The first line of the stored form; the envelope follows.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredHead {
    version: u32,
    id: String,
    signing_time: i64,
    /// Of the SignedInfo, and through it of everything signed.
    digest: [u8; 32],
}

fn is_form_id(id: &str) -> bool {
    id.strip_prefix("id").is_some_and(|hex| hex.len() == 8 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// SHA-256 of PrescriptionDocument in inclusive canonical form, as it stands in its envelope: with every namespace and
/// `xml:` attribute that the elements above it give it.
///
/// The body is one long text that canonicalises to itself; only the envelope without it goes through the parser.
fn document_digest(envelope: &[u8], element: Range<usize>) -> Option<[u8; 32]> {
    let body = plain_body(envelope.get(element.clone())?);
    let (start, end) = body.map_or((element.start, element.start), |body| {
        (element.start + body.start, element.start + body.end)
    });
    let skeleton = [envelope.get(..start)?, envelope.get(end..)?].concat();

    let text = Text::read(&skeleton).ok()?;
    let document = text.parse().ok()?;
    let apex = document.descendants().find(|node| node.name().local == "PrescriptionDocument")?;
    let mut canonical = Vec::new();
    c14n::Room::default().write(apex, None, &c14n::Form::INCLUSIVE, &mut canonical);
    let before_end = canonical.strip_suffix(DOCUMENT_END)?;

    let mut context = Context::new(&SHA256);
    context.update(before_end);
    context.update(envelope.get(start..end)?);
    context.update(DOCUMENT_END);
    context.finish().as_ref().try_into().ok()
}

/// The content of an element of plain text, in which nothing is escaped, normalised or markup.
fn plain_body(element: &[u8]) -> Option<Range<usize>> {
    let element = std::str::from_utf8(element).ok()?;
    let rest = after_start_tag(element)?;
    let start = element.len() - rest.len();
    let body = rest.strip_suffix("</PrescriptionDocument>")?;
    let special = |byte| matches!(byte, b'<' | b'>' | b'&' | b'\r');
    let is_plain = !body.bytes().fold(false, |found, byte| found | special(byte));
    is_plain.then(|| start..start + body.len())
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut value = [0; 32];
    value.copy_from_slice(digest(&SHA256, bytes).as_ref());
    value
}

/// A prescription with its doctor's signature, verified.
pub struct SignedPrescription {
    bytes: Vec<u8>,
}

impl SignedPrescription {
    /// The file, UTF-8 XML.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file, taken over.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
