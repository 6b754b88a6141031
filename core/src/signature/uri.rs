//! The names that XML signatures give to things, each once. What has no row here is refused.

use ring::digest::{Algorithm, SHA256, SHA384, SHA512};

use super::c14n::Method;
use crate::certificate::SignatureAlgorithm;

pub(super) const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(super) const XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";
pub(super) const XADES_141: &str = "http://uri.etsi.org/01903/v1.4.1#";
/// Type of the Reference to SignedProperties (ETSI EN 319 132-1 §4.4.2).
pub(super) const SIGNED_PROPERTIES_TYPE: &str = "http://uri.etsi.org/01903#SignedProperties";
pub(super) const ENVELOPED_SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
pub(super) const EXCLUSIVE_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub(super) const SHA_256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

/// With whether comments are kept.
const CANONICALIZATIONS: [(&str, Method, bool); 6] = [
    ("http://www.w3.org/TR/2001/REC-xml-c14n-20010315", Method::Inclusive10, false),
    ("http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments", Method::Inclusive10, true),
    ("http://www.w3.org/2006/12/xml-c14n11", Method::Inclusive11, false),
    ("http://www.w3.org/2006/12/xml-c14n11#WithComments", Method::Inclusive11, true),
    (EXCLUSIVE_C14N, Method::Exclusive, false),
    ("http://www.w3.org/2001/10/xml-exc-c14n#WithComments", Method::Exclusive, true),
];

/// SHA-1 and MD5 are left out on purpose (RFC 6931 §2.1, ETSI TS 119 312).
static DIGESTS: [(&str, &Algorithm); 3] = [
    (SHA_256, &SHA256),
    ("http://www.w3.org/2001/04/xmldsig-more#sha384", &SHA384),
    ("http://www.w3.org/2001/04/xmlenc#sha512", &SHA512),
];

const SIGNATURES: [(&str, SignatureAlgorithm); 5] = [
    ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", SignatureAlgorithm::RsaSha256),
    ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha384", SignatureAlgorithm::RsaSha384),
    ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", SignatureAlgorithm::RsaSha512),
    ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", SignatureAlgorithm::EcdsaSha256),
    ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", SignatureAlgorithm::EcdsaSha384),
];

/// The canonicalisation of this name, and whether it keeps comments.
pub(super) fn canonicalization(uri: &str) -> Option<(Method, bool)> {
    CANONICALIZATIONS.iter().find(|(name, ..)| *name == uri).map(|(_, method, comments)| (*method, *comments))
}

pub(super) fn digest(uri: &str) -> Option<&'static Algorithm> {
    DIGESTS.iter().find(|(name, _)| *name == uri).map(|(_, algorithm)| *algorithm)
}

pub(super) fn signature(uri: &str) -> Option<SignatureAlgorithm> {
    SIGNATURES.iter().find(|(name, _)| *name == uri).map(|(_, algorithm)| *algorithm)
}

/// The name under which a signature of this algorithm is written.
pub(super) fn signature_name(wanted: SignatureAlgorithm) -> Option<&'static str> {
    SIGNATURES.iter().find(|(_, algorithm)| *algorithm == wanted).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_its_own_meaning() {
        for (name, method, comments) in CANONICALIZATIONS {
            assert_eq!(canonicalization(name), Some((method, comments)));
        }
        for (name, algorithm) in DIGESTS {
            assert_eq!(digest(name), Some(algorithm));
        }
        for (name, algorithm) in SIGNATURES {
            assert_eq!((signature(name), signature_name(algorithm)), (Some(algorithm), Some(name)));
        }
    }

    #[test]
    fn only_listed_algorithms_have_a_meaning() {
        assert_eq!(canonicalization(EXCLUSIVE_C14N), Some((Method::Exclusive, false)));
        assert_eq!(
            canonicalization("http://www.w3.org/2001/10/xml-exc-c14n#WithComments"),
            Some((Method::Exclusive, true))
        );
        assert_eq!(
            canonicalization("http://www.w3.org/2006/12/xml-c14n11#WithComments"),
            Some((Method::Inclusive11, true))
        );
        assert_eq!(canonicalization("http://www.w3.org/2006/12/xml-c14n11#"), None);
        assert_eq!(canonicalization("http://www.w3.org/2006/12/xml-c14n11WithComments"), None);
        assert_eq!(digest("http://www.w3.org/2000/09/xmldsig#sha1"), None);
        assert_eq!(signature("http://www.w3.org/2000/09/xmldsig#hmac-sha1"), None);
        assert_eq!(signature("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"), None);
    }
}
