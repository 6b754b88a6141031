//! Algorithms by their object identifiers, as `credentials/info` announces and `signHash` names them.

/// A hash function of at least 256 bits (protocol §8.7; RFC 5754 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    /// Its `hashAlgorithmOID`.
    pub fn oid(self) -> &'static str {
        match self {
            Self::Sha256 => "2.16.840.1.101.3.4.2.1",
            Self::Sha384 => "2.16.840.1.101.3.4.2.2",
            Self::Sha512 => "2.16.840.1.101.3.4.2.3",
        }
    }

    /// From its object identifier.
    pub fn from_oid(oid: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.oid() == oid)
    }

    /// Bytes of a hash value.
    #[allow(clippy::len_without_is_empty)] // a size, not a container
    pub fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];
}

/// The kind of a signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA, used with PKCS#1 v1.5.
    Rsa,
    /// ECDSA on a NIST curve.
    Ecdsa,
}

/// A signature algorithm: key kind with hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignAlgorithm {
    /// Key kind.
    pub key: KeyKind,
    /// Hash function.
    pub hash: HashAlgorithm,
}

impl SignAlgorithm {
    /// Its `signAlgo` (RFC 8017 appendix C; RFC 5758 §3.2).
    pub fn oid(self) -> &'static str {
        match (self.key, self.hash) {
            (KeyKind::Rsa, HashAlgorithm::Sha256) => "1.2.840.113549.1.1.11",
            (KeyKind::Rsa, HashAlgorithm::Sha384) => "1.2.840.113549.1.1.12",
            (KeyKind::Rsa, HashAlgorithm::Sha512) => "1.2.840.113549.1.1.13",
            (KeyKind::Ecdsa, HashAlgorithm::Sha256) => "1.2.840.10045.4.3.2",
            (KeyKind::Ecdsa, HashAlgorithm::Sha384) => "1.2.840.10045.4.3.3",
            (KeyKind::Ecdsa, HashAlgorithm::Sha512) => "1.2.840.10045.4.3.4",
        }
    }

    /// The algorithms that one identifier of `key.algo` stands for: one, or, for a bare key algorithm
    /// (rsaEncryption, id-ecPublicKey), that key with each hash. Unknown identifiers stand for none.
    pub(super) fn announced_by(oid: &str) -> Vec<Self> {
        let every_hash = |key| HashAlgorithm::ALL.map(|hash| Self { key, hash });
        match oid {
            "1.2.840.113549.1.1.1" => every_hash(KeyKind::Rsa).to_vec(),
            "1.2.840.10045.2.1" => every_hash(KeyKind::Ecdsa).to_vec(),
            _ => [KeyKind::Rsa, KeyKind::Ecdsa]
                .into_iter()
                .flat_map(every_hash)
                .filter(|algorithm| algorithm.oid() == oid)
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_stand_for_one_algorithm_or_a_key_with_each_hash() {
        let rsa_sha256 = SignAlgorithm { key: KeyKind::Rsa, hash: HashAlgorithm::Sha256 };
        assert_eq!(SignAlgorithm::announced_by("1.2.840.113549.1.1.11"), [rsa_sha256]);
        assert_eq!(SignAlgorithm::announced_by("1.2.840.113549.1.1.1").len(), 3);
        assert_eq!(SignAlgorithm::announced_by("1.2.840.10045.2.1").len(), 3);
        // SHA-1 with RSA, RSASSA-PSS, Ed25519: not spoken
        for other in ["1.2.840.113549.1.1.5", "1.2.840.113549.1.1.10", "1.3.101.112"] {
            assert_eq!(SignAlgorithm::announced_by(other), []);
        }
    }

    #[test]
    fn sha_1_is_no_hash_algorithm() {
        assert_eq!(HashAlgorithm::from_oid("1.3.14.3.2.26"), None);
        assert_eq!(HashAlgorithm::from_oid("2.16.840.1.101.3.4.2.1"), Some(HashAlgorithm::Sha256));
    }
}
