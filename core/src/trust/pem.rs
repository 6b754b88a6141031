//! PEM as people paste it (RFC 7468, lax form): one block, text around it ignored.

use crate::jose;

/// The one block of this label, such as `CERTIFICATE`; `None` when there is none, more than one, or no base64 in it.
pub(crate) fn decode(text: &[u8], label: &str) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, after) = rest.split_once(&format!("-----END {label}-----"))?;
    if after.contains("-----BEGIN") {
        return None;
    }
    jose::decode_base64_lenient(body)
}

/// Exactly one DER SEQUENCE and nothing after it, which every certificate and CRL is.
pub(crate) fn is_sequence(der: &[u8]) -> bool {
    use der::{Decode, Tag, Tagged, asn1::AnyRef};
    AnyRef::from_der(der).is_ok_and(|any| any.tag() == Tag::Sequence && !any.value().is_empty())
}
