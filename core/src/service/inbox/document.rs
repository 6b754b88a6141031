//! Where a document is and whether its bytes are the announced ones.

use ring::digest;
use url::Url;

use super::MAX_DOCUMENT;
use crate::service::{
    csc::HashAlgorithm,
    json::{Fields, base64_any},
    metadata::belongs_to,
};

/// Why a request has no document. It can be declined, never signed.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum DocumentFault {
    /// The bytes are not those that the checksum was made of.
    #[error("the document does not match its checksum")]
    Checksum,
    /// The checksum is missing where the document comes separately, unreadable, or weaker than SHA-256.
    #[error("the document has no usable checksum")]
    NoChecksum,
    /// `href` is neither a base64 `data:` URL nor an `https` URL of this service.
    #[error("the document's address is refused")]
    Address,
    /// Larger than [`MAX_DOCUMENT`].
    #[error("the document is too large")]
    TooLarge,
    /// Another signature is asked for than XAdES-B-B over XML, or the document is not public to the signer.
    #[error("a kind of signature is asked for that the agent does not make")]
    Kind,
    /// It could not be fetched this time.
    #[error("the document could not be fetched")]
    NotFetched,
}

/// A document's bytes or where they are.
pub(crate) enum Source {
    Ready(Result<Vec<u8>, DocumentFault>),
    Fetch { url: Url, checksum: Checksum },
}

impl Source {
    /// From one element of `signatureRequests`.
    pub(crate) fn of(request: Fields<'_>, issuer: &Url) -> Self {
        Self::judge(request, issuer).unwrap_or_else(|fault| Self::Ready(Err(fault)))
    }

    fn judge(request: Fields<'_>, issuer: &Url) -> Result<Self, DocumentFault> {
        check_kind(request)?;
        let checksum = Checksum::of(request)?;
        let href = request.text("href").ok_or(DocumentFault::Address)?;
        if let Some(data) = strip_scheme(href, "data:") {
            let bytes = decode_data(data)?;
            return Ok(Self::Ready(match checksum {
                Some(checksum) => checksum.verify(bytes),
                None => Ok(bytes),
            }));
        }
        let url =
            Url::parse(href).ok().filter(|url| belongs_to(url, issuer)).ok_or(DocumentFault::Address)?;
        Ok(Self::Fetch { url, checksum: checksum.ok_or(DocumentFault::NoChecksum)? })
    }
}

/// `signature_format` X and `conformance_level` AdES-B-B (as in `signatures/signDoc`, CSC v2.0 §11.11), where stated; `access` public.
fn check_kind(request: Fields<'_>) -> Result<(), DocumentFault> {
    let stated = |name, allowed: &[&str]| {
        request.text(name).is_none_or(|said| allowed.iter().any(|a| a.eq_ignore_ascii_case(said)))
    };
    let access =
        request.object("access").text("type").is_none_or(|access| access.eq_ignore_ascii_case("public"));
    if access && stated("signature_format", &["X"]) && stated("conformance_level", &["AdES-B-B", "AdES-B"]) {
        Ok(())
    } else {
        Err(DocumentFault::Kind)
    }
}

/// What the announced bytes hash to.
pub(crate) struct Checksum {
    algorithm: HashAlgorithm,
    value: Vec<u8>,
}

impl Checksum {
    fn of(request: Fields<'_>) -> Result<Option<Self>, DocumentFault> {
        if request.get("checksum").is_none() {
            return Ok(None);
        }
        let checksum = request.object("checksum");
        let algorithm = match checksum.text("algorithmOID") {
            Some(oid) => HashAlgorithm::from_oid(oid),
            None => Some(HashAlgorithm::Sha256),
        };
        let value = checksum.text("value").and_then(base64_any);
        match (algorithm, value) {
            (Some(algorithm), Some(value)) => Ok(Some(Self { algorithm, value })),
            _ => Err(DocumentFault::NoChecksum),
        }
    }

    pub(crate) fn verify(&self, bytes: Vec<u8>) -> Result<Vec<u8>, DocumentFault> {
        let algorithm = match self.algorithm {
            HashAlgorithm::Sha256 => &digest::SHA256,
            HashAlgorithm::Sha384 => &digest::SHA384,
            HashAlgorithm::Sha512 => &digest::SHA512,
        };
        let matches = digest::digest(algorithm, &bytes).as_ref() == self.value;
        if matches { Ok(bytes) } else { Err(DocumentFault::Checksum) }
    }
}

/// RFC 2397, base64 only: `[type][;parameter]*;base64,…`. The media type decides nothing.
fn decode_data(data: &str) -> Result<Vec<u8>, DocumentFault> {
    let (kind, content) = data.split_once(',').ok_or(DocumentFault::Address)?;
    let is_base64 = kind.rsplit(';').next().is_some_and(|last| last.trim().eq_ignore_ascii_case("base64"));
    if !is_base64 {
        return Err(DocumentFault::Address);
    }
    if content.len() > MAX_DOCUMENT.div_ceil(3) * 4 {
        return Err(DocumentFault::TooLarge);
    }
    match base64_any(content) {
        Some(bytes) if bytes.len() > MAX_DOCUMENT => Err(DocumentFault::TooLarge),
        Some(bytes) if !bytes.is_empty() => Ok(bytes),
        _ => Err(DocumentFault::Address),
    }
}

fn strip_scheme<'a>(href: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = href.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}
