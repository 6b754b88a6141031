//! The token as its DER says it: everything that can be decided without knowing its authority.

use der::Tag;
use ring::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};
use time::{Date, Duration, Month, OffsetDateTime, Time};

use super::cms;
use crate::certificate::{
    Certificate, KeyAlgorithm, SignatureAlgorithm,
    tlv::{Cursor, Tlv, context, primitive},
};

/// Longest token, bytes. One with a chain of RSA 4096 stays below 16 KiB.
const MAX_TOKEN: usize = 256 * 1024;
/// Most certificates read from one token: more than any path needs.
const MAX_CERTIFICATES: usize = 8;

/// id-signedData, 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
/// id-ct-TSTInfo, 1.2.840.113549.1.9.16.1.4
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4];
/// id-contentType, 1.2.840.113549.1.9.3
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3];
/// id-messageDigest, 1.2.840.113549.1.9.4
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4];
/// id-aa-signingCertificate, 1.2.840.113549.1.9.16.2.12
const SIGNING_CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 12];
/// id-aa-signingCertificateV2, 1.2.840.113549.1.9.16.2.47
const SIGNING_CERTIFICATE_V2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 47];

/// 2.16.840.1.101.3.4.2: SHA-256, SHA-384, SHA-512; SHA-1 and MD5 are left out on purpose.
static DIGESTS: [(&[u8], &Algorithm); 3] = [
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1], &SHA256),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2], &SHA384),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3], &SHA512),
];

/// rsaEncryption, 1.2.840.113549.1.1.1: the digest is the SignerInfo's (RFC 3370 §3.2).
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// RFC 5754 §3; each with the digest that the SignerInfo must name as well.
static SIGNATURES: [(&[u8], SignatureAlgorithm, &Algorithm); 5] = [
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11], SignatureAlgorithm::RsaSha256, &SHA256),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12], SignatureAlgorithm::RsaSha384, &SHA384),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13], SignatureAlgorithm::RsaSha512, &SHA512),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2], SignatureAlgorithm::EcdsaSha256, &SHA256),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3], SignatureAlgorithm::EcdsaSha384, &SHA384),
];

/// Why bytes are not a token that can be judged.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
pub(in crate::signature) enum TokenError {
    /// Not the DER of CMS SignedData with a TSTInfo of version 1, or over 256 KiB.
    #[error("the token is not CMS SignedData with a TSTInfo")]
    Form,
    /// The content is something else.
    #[error("the token's content is not TSTInfo")]
    ContentType,
    /// A digest or signature algorithm that does not count.
    #[error("the token uses an algorithm that is not accepted")]
    Algorithm,
    /// There is none, or more than one (RFC 3161 §2.4.2).
    #[error("the token does not have exactly one signer")]
    Signers,
    /// contentType, messageDigest or signingCertificate is missing, twice there or malformed.
    #[error("the token lacks a signed attribute")]
    Attributes,
}

use TokenError::{Algorithm as NoAlgorithm, Attributes, ContentType, Form, Signers};

/// A token, understood; whose signature it bears is still to be judged.
pub(in crate::signature) struct Token {
    time: OffsetDateTime,
    imprint: Digest,
    /// The TSTInfo has the digest that was signed.
    is_whole: bool,
    certificates: Vec<Certificate>,
    /// Digest of the signer's certificate (ESS), which the signature covers.
    named: Digest,
    signer: SignerId,
    /// The DER of the signed attributes.
    message: Vec<u8>,
    algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
}

/// RFC 5652 §5.3.
enum SignerId {
    /// Name of the issuer (DER) and contents octets of the serial number.
    Issued(Vec<u8>, Vec<u8>),
    /// A key identifier, which tells nothing that the certificate's digest does not.
    Key,
}

struct Digest {
    algorithm: &'static Algorithm,
    value: Vec<u8>,
}

impl Digest {
    fn is_of(&self, bytes: &[u8]) -> bool {
        digest(self.algorithm, bytes).as_ref() == self.value
    }
}

impl Token {
    /// From the DER of a ContentInfo.
    pub(in crate::signature) fn read(der: &[u8]) -> Result<Self, TokenError> {
        if der.len() > MAX_TOKEN {
            return Err(Form);
        }
        let data = SignedData::read(der)?;
        let (time, imprint) = tst_info(data.content)?;
        let signer = SignerInfo::read(data.signer)?;
        let content_digest = Digest { algorithm: signer.digest, value: signer.attributes.digest.to_vec() };
        Ok(Self {
            time,
            imprint,
            is_whole: content_digest.is_of(data.content),
            certificates: data.certificates,
            named: signer.attributes.named,
            signer: signer.id,
            message: signer.message,
            algorithm: signer.algorithm,
            signature: signer.signature.to_vec(),
        })
    }

    /// genTime, UTC.
    pub(in crate::signature) fn time(&self) -> OffsetDateTime {
        self.time
    }

    /// With what the token's imprint is made.
    pub(in crate::signature) fn imprint_algorithm(&self) -> &'static Algorithm {
        self.imprint.algorithm
    }

    /// Whether the imprint is this digest.
    pub(in crate::signature) fn stands_for(&self, digest: &ring::digest::Digest) -> bool {
        self.imprint.value == digest.as_ref()
    }

    /// The certificates that the token carries.
    pub(in crate::signature) fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Whether this is the certificate that the signature names, by the digest of its DER.
    pub(super) fn names(&self, certificate: &Certificate) -> bool {
        let fits = matches!(self.signer, SignerId::Key) || self.seems_by(certificate);
        fits && self.named.is_of(certificate.der())
    }

    /// Whether issuer and serial number are those of the signer.
    pub(super) fn seems_by(&self, certificate: &Certificate) -> bool {
        let SignerId::Issued(issuer, serial_number) = &self.signer else { return false };
        issuer == certificate.issuer_der() && serial_number == certificate.serial_number_octets()
    }

    /// Whether the certificate's key has signed the token as it stands.
    pub(super) fn is_signed_by(&self, certificate: &Certificate) -> bool {
        let fixed = match certificate.key_algorithm() {
            KeyAlgorithm::P256 => cms::fixed_ecdsa(&self.signature, 32),
            KeyAlgorithm::P384 => cms::fixed_ecdsa(&self.signature, 48),
            _ => None,
        };
        let signature = fixed.as_deref().unwrap_or(&self.signature);
        self.is_whole && certificate.verify_signature(self.algorithm, &self.message, signature).is_ok()
    }
}

/// RFC 5652 §5.1.
struct SignedData<'a> {
    content: &'a [u8],
    certificates: Vec<Certificate>,
    signer: Tlv<'a>,
}

impl<'a> SignedData<'a> {
    fn read(der: &'a [u8]) -> Result<Self, TokenError> {
        let mut fields = content_info(der).ok_or(Form)?;
        // 3 for content that is not id-data; 4 and 5 where certificates or CRLs of other kinds are enclosed.
        let version = fields.expect(Tag::Integer).ok_or(Form)?;
        if !matches!(version.value, [3..=5]) {
            return Err(Form);
        }
        fields.expect(Tag::Set).ok_or(Form)?;
        let mut content = fields.expect(Tag::Sequence).and_then(Tlv::open).ok_or(Form)?;
        if content.expect(Tag::ObjectIdentifier).ok_or(Form)?.value != TST_INFO {
            return Err(ContentType);
        }
        let octets =
            content.expect(context(0)).and_then(|explicit| Tlv::only(explicit.value, Tag::OctetString));
        let octets = octets.ok_or(Form)?;
        content.finish().ok_or(Form)?;
        let enclosed = fields
            .optional(context(0))
            .map(|set| set.open().and_then(Cursor::rest).ok_or(Form))
            .transpose()?;
        fields.optional(context(1));
        let signers = fields.expect(Tag::Set).and_then(|set| set.open()?.rest()).ok_or(Form)?;
        fields.finish().ok_or(Form)?;
        let [signer] = signers.as_slice() else { return Err(Signers) };
        let enclosed = enclosed.unwrap_or_default().into_iter().take(MAX_CERTIFICATES);
        Ok(Self {
            content: octets.value,
            certificates: enclosed.filter_map(|element| Certificate::from_der(element.raw).ok()).collect(),
            signer: *signer,
        })
    }
}

/// The fields of the SignedData in a ContentInfo (RFC 5652 §3).
fn content_info(der: &[u8]) -> Option<Cursor<'_>> {
    let mut fields = Tlv::only(der, Tag::Sequence)?.open()?;
    fields.expect(Tag::ObjectIdentifier).filter(|kind| kind.value == SIGNED_DATA)?;
    let explicit = fields.expect(context(0))?;
    fields.finish()?;
    Tlv::only(explicit.value, Tag::Sequence)?.open()
}

/// Time and imprint of a TSTInfo (RFC 3161 §2.4.2).
fn tst_info(content: &[u8]) -> Result<(OffsetDateTime, Digest), TokenError> {
    let mut fields = Tlv::only(content, Tag::Sequence).and_then(Tlv::open).ok_or(Form)?;
    fields.expect(Tag::Integer).filter(|version| version.value == [1]).ok_or(Form)?;
    fields.expect(Tag::ObjectIdentifier).ok_or(Form)?;
    let mut imprint = fields.expect(Tag::Sequence).and_then(Tlv::open).ok_or(Form)?;
    let algorithm = imprint.any().and_then(known_digest).ok_or(NoAlgorithm)?;
    let value = imprint.expect(Tag::OctetString).ok_or(Form)?.value.to_vec();
    imprint.finish().ok_or(Form)?;
    fields.expect(Tag::Integer).ok_or(Form)?;
    let time =
        fields.expect(Tag::GeneralizedTime).and_then(|time| generalized_time(time.value)).ok_or(Form)?;
    // accuracy, ordering, nonce and the authority's own name say nothing that is relied on.
    for tag in [Tag::Sequence, Tag::Boolean, Tag::Integer, context(0)] {
        fields.optional(tag);
    }
    if let Some(extensions) = fields.optional(context(1)) {
        extensions_are_known(extensions).ok_or(Form)?;
    }
    fields.finish().ok_or(Form)?;
    Ok((time, Digest { algorithm, value }))
}

/// No extension of a TSTInfo is known here, so none may be critical.
fn extensions_are_known(extensions: Tlv<'_>) -> Option<()> {
    extensions.open()?.rest()?.into_iter().try_for_each(|extension| {
        let mut fields = extension.open()?;
        fields.expect(Tag::ObjectIdentifier)?;
        let critical = fields.optional(Tag::Boolean);
        critical.is_none_or(|critical| critical.value == [0]).then_some(())
    })
}

/// RFC 3161 §2.4.2: seconds, an optional fraction, `Z`.
fn generalized_time(text: &[u8]) -> Option<OffsetDateTime> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (seconds, fraction) = text.split_once('.').map_or((text, None), |(s, f)| (s, Some(f)));
    if seconds.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let number = |range: std::ops::Range<usize>| seconds.get(range)?.parse::<u8>().ok();
    let month = Month::try_from(number(4..6)?).ok()?;
    let date = Date::from_calendar_date(seconds.get(..4)?.parse().ok()?, month, number(6..8)?).ok()?;
    let time = Time::from_hms(number(8..10)?, number(10..12)?, number(12..14)?).ok()?;
    let nanoseconds = match fraction {
        None => 0,
        Some(digits) if (1..=9).contains(&digits.len()) => format!("{digits:0<9}").parse().ok()?,
        Some(_) => return None,
    };
    date.with_time(time).assume_utc().checked_add(Duration::nanoseconds(nanoseconds))
}

/// RFC 5652 §5.3.
struct SignerInfo<'a> {
    id: SignerId,
    digest: &'static Algorithm,
    attributes: SignedAttributes<'a>,
    message: Vec<u8>,
    algorithm: SignatureAlgorithm,
    signature: &'a [u8],
}

impl<'a> SignerInfo<'a> {
    fn read(element: Tlv<'a>) -> Result<Self, TokenError> {
        let mut fields = element.open_sequence().ok_or(Form)?;
        fields.expect(Tag::Integer).filter(|version| matches!(version.value, [1 | 3])).ok_or(Form)?;
        let id = signer_id(fields.any().ok_or(Form)?).ok_or(Form)?;
        let digest = fields.any().and_then(known_digest).ok_or(NoAlgorithm)?;
        let attributes = fields.optional(context(0)).ok_or(Attributes)?;
        let algorithm = fields.any().and_then(|a| known_signature(a, digest)).ok_or(NoAlgorithm)?;
        let signature = fields.expect(Tag::OctetString).ok_or(Form)?.value;
        fields.optional(context(1));
        fields.finish().ok_or(Form)?;
        // §5.4: signed with the tag of a SET, not with the one under which it stands here.
        let mut message = attributes.raw.to_vec();
        message.splice(..1, [Tag::Set.octet()]);
        let attributes = SignedAttributes::read(attributes).ok_or(Attributes)?;
        if attributes.content_type != TST_INFO {
            return Err(ContentType);
        }
        Ok(Self { id, digest, attributes, message, algorithm, signature })
    }
}

fn signer_id(id: Tlv<'_>) -> Option<SignerId> {
    // subjectKeyIdentifier
    if id.tag == primitive(0) {
        return Some(SignerId::Key);
    }
    let mut fields = id.open_sequence()?;
    let (issuer, serial_number) = (fields.expect(Tag::Sequence)?, fields.expect(Tag::Integer)?);
    fields.finish()?;
    Some(SignerId::Issued(issuer.raw.to_vec(), serial_number.value.to_vec()))
}

/// What the signature covers, each exactly once.
struct SignedAttributes<'a> {
    content_type: &'a [u8],
    digest: &'a [u8],
    named: Digest,
}

impl<'a> SignedAttributes<'a> {
    fn read(set: Tlv<'a>) -> Option<Self> {
        let mut all = Vec::new();
        for attribute in set.open()?.rest()? {
            let mut fields = attribute.open_sequence()?;
            let kind = fields.expect(Tag::ObjectIdentifier)?.value;
            let values = fields.expect(Tag::Set)?.open()?.rest()?;
            fields.finish()?;
            all.push((kind, values));
        }
        let value = |kind: &[u8]| {
            let mut found = all.iter().filter(|(found, _)| *found == kind);
            let (Some((_, values)), None) = (found.next(), found.next()) else { return None };
            let [value] = values.as_slice() else { return None };
            Some(*value)
        };
        let tagged = |kind: &[u8], tag| value(kind).filter(|value| value.tag == tag);
        let named = match tagged(SIGNING_CERTIFICATE_V2, Tag::Sequence) {
            Some(list) => first_certificate(list, &SHA256)?,
            // RFC 3161 tokens before RFC 5816 can name it by SHA-1 only. That is enough to tell apart the authority's
            // certificates: whichever it is must also verify the signature and have its own path.
            None => {
                first_certificate(tagged(SIGNING_CERTIFICATE, Tag::Sequence)?, &SHA1_FOR_LEGACY_USE_ONLY)?
            }
        };
        Some(Self {
            content_type: tagged(CONTENT_TYPE, Tag::ObjectIdentifier)?.value,
            digest: tagged(MESSAGE_DIGEST, Tag::OctetString)?.value,
            named,
        })
    }
}

/// The first ESSCertID or ESSCertIDv2, the signer's (RFC 5035 §5.4), of which only the latter may name an algorithm.
fn first_certificate(list: Tlv<'_>, default: &'static Algorithm) -> Option<Digest> {
    let certificates = list.open()?.expect(Tag::Sequence)?;
    let mut id = certificates.open()?.expect(Tag::Sequence)?.open()?;
    let algorithm = match id.optional(Tag::Sequence) {
        Some(identifier) if default == &SHA256 => known_digest(identifier)?,
        Some(_) => return None,
        None => default,
    };
    Some(Digest { algorithm, value: id.expect(Tag::OctetString)?.value.to_vec() })
}

fn known_digest(identifier: Tlv<'_>) -> Option<&'static Algorithm> {
    let oid = cms::algorithm(identifier)?;
    DIGESTS.iter().find(|(known, _)| *known == oid).map(|(_, algorithm)| *algorithm)
}

fn known_signature(identifier: Tlv<'_>, digest: &'static Algorithm) -> Option<SignatureAlgorithm> {
    let oid = cms::algorithm(identifier)?;
    let fits = |(known, _, with): &&(&[u8], SignatureAlgorithm, &Algorithm)| match oid {
        RSA_ENCRYPTION => known.starts_with(&RSA_ENCRYPTION[..8]) && *with == digest,
        _ => *known == oid && *with == digest,
    };
    SIGNATURES.iter().find(fits).map(|(_, algorithm, _)| *algorithm)
}

#[cfg(test)]
mod tests;
