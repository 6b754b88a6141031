//! Public keys and signatures: which are known, which are strong enough, and `ring` for every verification.

use der::Tag;
use ring::signature::{self as ring_signature, UnparsedPublicKey, VerificationAlgorithm};

use super::tlv::Tlv;

/// rsaEncryption, 1.2.840.113549.1.1.1
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// id-ecPublicKey, 1.2.840.10045.2.1
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
/// secp256r1, 1.2.840.10045.3.1.7
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
/// secp384r1, 1.3.132.0.34
const P384: &[u8] = &[0x2b, 0x81, 4, 0, 0x22];

/// sha256WithRSAEncryption, sha384… and sha512…, 1.2.840.113549.1.1.11 to 13
const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
/// See [`RSA_SHA256`].
const RSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12];
/// See [`RSA_SHA256`].
const RSA_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13];
/// ecdsa-with-SHA256 and SHA384, 1.2.840.10045.4.3.2 and 3
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
/// See [`ECDSA_SHA256`].
const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3];

/// Smallest RSA modulus, bits: what HPKI issues today.
const MIN_RSA_BITS: usize = 2048;
/// Largest RSA modulus, bits: a larger one buys nothing and costs the phone time.
const MAX_RSA_BITS: usize = 4096;
/// Smallest RSA public exponent (FIPS 186-5 §5.4).
const MIN_RSA_EXPONENT: u64 = 65_537;

/// The kind and size of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// RSA (RFC 8017).
    Rsa {
        /// Bits of the modulus.
        bits: usize,
    },
    /// Elliptic curve P-256.
    P256,
    /// Elliptic curve P-384.
    P384,
    /// Any other; verifies nothing.
    Unsupported,
}

/// How a signature is made: the data of this module, so that a new algorithm is a new line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RsaSha256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RsaSha384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RsaSha512,
    /// ECDSA with SHA-256.
    EcdsaSha256,
    /// ECDSA with SHA-384.
    EcdsaSha384,
}

/// A signature that does not verify, or one of a form that this key cannot make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify with the certificate's key")]
pub struct SignatureInvalid;

/// How an ECDSA signature is written.
#[derive(Clone, Copy)]
pub(super) enum EcdsaForm {
    /// `r || s` (XML Signature, JOSE).
    Fixed,
    /// SEQUENCE of `r` and `s` (X.509).
    Asn1,
}

impl SignatureAlgorithm {
    /// From an AlgorithmIdentifier (RFC 4055, RFC 5758): parameters NULL or absent for RSA, absent for ECDSA.
    pub(super) fn from_identifier(identifier: Tlv) -> Option<Self> {
        let (oid, parameters) = oid_and_parameters(identifier)?;
        let algorithm = match oid {
            RSA_SHA256 => Self::RsaSha256,
            RSA_SHA384 => Self::RsaSha384,
            RSA_SHA512 => Self::RsaSha512,
            ECDSA_SHA256 => Self::EcdsaSha256,
            ECDSA_SHA384 => Self::EcdsaSha384,
            _ => return None,
        };
        let is_rsa = matches!(algorithm, Self::RsaSha256 | Self::RsaSha384 | Self::RsaSha512);
        match parameters {
            None => Some(algorithm),
            Some(null) if is_rsa && null.raw == [5, 0] => Some(algorithm),
            Some(_) => None,
        }
    }
}

/// A SubjectPublicKeyInfo, parsed once.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SubjectKey {
    pub(super) algorithm: KeyAlgorithm,
    /// RSAPublicKey or the uncompressed point, as `ring` takes them.
    bytes: Vec<u8>,
    exponent_is_sound: bool,
}

impl SubjectKey {
    /// `None` when malformed; a key of another kind is [`KeyAlgorithm::Unsupported`].
    pub(super) fn from_tlv(info: Tlv) -> Option<Self> {
        let mut fields = info.open()?;
        let (oid, parameters) = oid_and_parameters(fields.expect(Tag::Sequence)?)?;
        let bits = fields.expect(Tag::BitString)?;
        fields.finish()?;
        let mut key =
            Self { algorithm: KeyAlgorithm::Unsupported, bytes: Vec::new(), exponent_is_sound: true };
        if oid == RSA_ENCRYPTION {
            key.bytes = bits.bit_string()?.to_vec();
            (key.algorithm, key.exponent_is_sound) = rsa(&key.bytes)?;
        } else if oid == EC_PUBLIC_KEY {
            let named = parameters.and_then(Tlv::oid);
            key.bytes = bits.bit_string()?.to_vec();
            key.algorithm = match (named, key.bytes.first(), key.bytes.len()) {
                (Some(curve), Some(4), 65) if curve == P256 => KeyAlgorithm::P256,
                (Some(curve), Some(4), 97) if curve == P384 => KeyAlgorithm::P384,
                _ => KeyAlgorithm::Unsupported,
            };
        }
        Some(key)
    }

    /// RSA of 2048 to 4096 bits with an odd exponent from 65537, P-256, P-384.
    pub(super) fn is_strong_enough(&self) -> bool {
        match self.algorithm {
            KeyAlgorithm::Rsa { bits } => {
                (MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) && self.exponent_is_sound
            }
            KeyAlgorithm::P256 | KeyAlgorithm::P384 => true,
            KeyAlgorithm::Unsupported => false,
        }
    }

    pub(super) fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        form: EcdsaForm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureInvalid> {
        let algorithm = ring_algorithm(self.algorithm, algorithm, form)
            .filter(|_| self.is_strong_enough())
            .ok_or(SignatureInvalid)?;
        UnparsedPublicKey::new(algorithm, &self.bytes)
            .verify(message, signature)
            .map_err(|_| SignatureInvalid)
    }
}

fn ring_algorithm(
    key: KeyAlgorithm,
    algorithm: SignatureAlgorithm,
    form: EcdsaForm,
) -> Option<&'static dyn VerificationAlgorithm> {
    use SignatureAlgorithm::{EcdsaSha256, EcdsaSha384, RsaSha256, RsaSha384, RsaSha512};
    Some(match (key, algorithm, form) {
        (KeyAlgorithm::Rsa { .. }, RsaSha256, _) => &ring_signature::RSA_PKCS1_2048_8192_SHA256,
        (KeyAlgorithm::Rsa { .. }, RsaSha384, _) => &ring_signature::RSA_PKCS1_2048_8192_SHA384,
        (KeyAlgorithm::Rsa { .. }, RsaSha512, _) => &ring_signature::RSA_PKCS1_2048_8192_SHA512,
        (KeyAlgorithm::P256, EcdsaSha256, EcdsaForm::Fixed) => &ring_signature::ECDSA_P256_SHA256_FIXED,
        (KeyAlgorithm::P384, EcdsaSha384, EcdsaForm::Fixed) => &ring_signature::ECDSA_P384_SHA384_FIXED,
        (KeyAlgorithm::P256, EcdsaSha256, EcdsaForm::Asn1) => &ring_signature::ECDSA_P256_SHA256_ASN1,
        (KeyAlgorithm::P256, EcdsaSha384, EcdsaForm::Asn1) => &ring_signature::ECDSA_P256_SHA384_ASN1,
        (KeyAlgorithm::P384, EcdsaSha256, EcdsaForm::Asn1) => &ring_signature::ECDSA_P384_SHA256_ASN1,
        (KeyAlgorithm::P384, EcdsaSha384, EcdsaForm::Asn1) => &ring_signature::ECDSA_P384_SHA384_ASN1,
        _ => return None,
    })
}

/// RSAPublicKey (RFC 8017 A.1.1): bits of the modulus, and whether the exponent is odd and large enough.
fn rsa(key: &[u8]) -> Option<(KeyAlgorithm, bool)> {
    let mut fields = Tlv::only(key, Tag::Sequence)?.open()?;
    let modulus = unsigned(fields.expect(Tag::Integer)?.value);
    let exponent = unsigned(fields.expect(Tag::Integer)?.value);
    fields.finish()?;
    let bits = (modulus.len() * 8).checked_sub(modulus.first()?.leading_zeros() as usize)?;
    let small = (exponent.len() <= 8).then(|| exponent.iter().fold(0, |n, b| (n << 8) + u64::from(*b)));
    let sound = small.is_some_and(|e| e >= MIN_RSA_EXPONENT && e % 2 == 1);
    Some((KeyAlgorithm::Rsa { bits }, sound))
}

/// An INTEGER's octets without the sign octet.
pub(super) fn unsigned(integer: &[u8]) -> &[u8] {
    match integer {
        [0, rest @ ..] if !rest.is_empty() => rest,
        all => all,
    }
}

fn oid_and_parameters(identifier: Tlv<'_>) -> Option<(&[u8], Option<Tlv<'_>>)> {
    let mut fields = identifier.open()?;
    let oid = fields.any()?.oid()?;
    let parameters = if fields.is_empty() { None } else { Some(fields.any()?) };
    fields.finish()?;
    Some((oid, parameters))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{oid, seq, tlv, unhex};
    use super::*;

    /// Key, hash, SubjectPublicKeyInfo and signature over "message", by OpenSSL; see `fixtures/make.sh`.
    const SIGNATURES: &str = include_str!("fixtures/signatures.txt");

    const RSA: &str = "1.2.840.113549.1.1";
    const EC: &str = "1.2.840.10045.2.1";
    const P256: &str = "1.2.840.10045.3.1.7";
    const P384: &str = "1.3.132.0.34";
    const SECP256K1: &str = "1.3.132.0.10";
    const BRAINPOOL_P384: &str = "1.3.36.3.3.2.8.1.1.11";

    fn key(info: &[u8]) -> SubjectKey {
        SubjectKey::from_tlv(Tlv::only(info, Tag::Sequence).unwrap()).unwrap()
    }

    /// `r || s`, each of `size` octets, from the SEQUENCE of both.
    fn fixed(asn1: &[u8], size: usize) -> Vec<u8> {
        let numbers = Tlv::only(asn1, Tag::Sequence).and_then(|both| both.all(Tag::Integer)).unwrap();
        let padded = |n: &[u8]| [&vec![0; size - n.len()], n].concat();
        numbers.iter().flat_map(|n| padded(unsigned(n.value))).collect()
    }

    #[test]
    fn a_key_verifies_signatures_of_its_own_algorithms_and_forms_alone() {
        use SignatureAlgorithm::{EcdsaSha256, EcdsaSha384, RsaSha256, RsaSha384, RsaSha512};
        for line in SIGNATURES.lines() {
            let [kind, hash, info, signature] = *line.split(' ').collect::<Vec<_>>() else {
                panic!("{line}")
            };
            let (key, asn1) = (key(&unhex(info)), unhex(signature));
            let fixed = if kind == "rsa" { asn1.clone() } else { fixed(&asn1, key.bytes.len() / 2) };
            let mut verified = Vec::new();
            for algorithm in [RsaSha256, RsaSha384, RsaSha512, EcdsaSha256, EcdsaSha384] {
                for (form, name, written) in
                    [(EcdsaForm::Fixed, "r || s", &fixed), (EcdsaForm::Asn1, "SEQUENCE", &asn1)]
                {
                    if key.verify(algorithm, form, b"message", written).is_ok() {
                        assert!(key.verify(algorithm, form, b"massage", written).is_err());
                        verified.push((algorithm, name));
                    }
                }
            }
            let expected = match (kind, hash) {
                ("rsa", "sha256") => vec![(RsaSha256, "r || s"), (RsaSha256, "SEQUENCE")],
                ("rsa", "sha384") => vec![(RsaSha384, "r || s"), (RsaSha384, "SEQUENCE")],
                ("rsa", "sha512") => vec![(RsaSha512, "r || s"), (RsaSha512, "SEQUENCE")],
                ("p256", "sha256") => vec![(EcdsaSha256, "r || s"), (EcdsaSha256, "SEQUENCE")],
                ("p256", "sha384") => vec![(EcdsaSha384, "SEQUENCE")],
                ("p384", "sha256") => vec![(EcdsaSha256, "SEQUENCE")],
                ("p384", "sha384") => vec![(EcdsaSha384, "r || s"), (EcdsaSha384, "SEQUENCE")],
                _ => vec![],
            };
            assert_eq!(verified, expected, "{kind} {hash}");
        }
    }

    #[test]
    fn an_algorithm_is_named_by_its_identifier_and_parameters() {
        let read = |kind: &str, parameters: &[u8]| {
            let identifier = seq(&[oid(kind), parameters.to_vec()]);
            SignatureAlgorithm::from_identifier(Tlv::only(&identifier, Tag::Sequence).unwrap())
        };
        let (null, other) = (tlv(5, &[]), tlv(4, &[]));
        for (last, algorithm) in [
            (11, SignatureAlgorithm::RsaSha256),
            (12, SignatureAlgorithm::RsaSha384),
            (13, SignatureAlgorithm::RsaSha512),
        ] {
            let kind = format!("{RSA}.{last}");
            assert_eq!(read(&kind, &[]), Some(algorithm));
            assert_eq!(read(&kind, &null), Some(algorithm));
            assert_eq!(read(&kind, &other), None);
        }
        for (last, algorithm) in [(2, SignatureAlgorithm::EcdsaSha256), (3, SignatureAlgorithm::EcdsaSha384)]
        {
            let kind = format!("1.2.840.10045.4.3.{last}");
            assert_eq!(read(&kind, &[]), Some(algorithm));
            assert_eq!(read(&kind, &null), None);
        }
        for last in [4, 5, 10, 14] {
            assert_eq!(read(&format!("{RSA}.{last}"), &null), None, "MD5, SHA-1, PSS, SHA-224");
        }
    }

    #[test]
    fn a_point_is_of_the_curve_that_is_named_and_uncompressed() {
        let read = |curve: Option<&str>, first: u8, length: usize| {
            let mut point = vec![7; length];
            point[0] = first;
            let algorithm = seq(&[oid(EC), curve.map(oid).unwrap_or_default()]);
            key(&seq(&[algorithm, tlv(3, &[&[0], &point[..]].concat())])).algorithm
        };
        assert_eq!(read(Some(P256), 4, 65), KeyAlgorithm::P256);
        assert_eq!(read(Some(P384), 4, 97), KeyAlgorithm::P384);
        for (curve, first, length) in [
            (Some(SECP256K1), 4, 65),
            (Some(BRAINPOOL_P384), 4, 97),
            (Some(P256), 4, 97),
            (Some(P384), 4, 65),
            (Some(P256), 2, 33),
            (Some(P256), 2, 65),
            (Some(P384), 3, 97),
            (None, 4, 65),
        ] {
            assert_eq!(read(curve, first, length), KeyAlgorithm::Unsupported, "{curve:?} {first} {length}");
        }
    }

    #[test]
    fn an_rsa_key_counts_from_2048_to_4096_bits_with_an_odd_exponent_from_65537() {
        let strong = |modulus: &[u8], exponent: &[u8]| {
            let numbers = seq(&[tlv(2, modulus), tlv(2, exponent)]);
            let algorithm = seq(&[oid(&format!("{RSA}.1")), tlv(5, &[])]);
            let key = key(&seq(&[algorithm, tlv(3, &[&[0], &numbers[..]].concat())]));
            (key.algorithm, key.is_strong_enough())
        };
        for (first, length, bits, counts) in [
            (0x7f, 256, 2047, false),
            (0x80, 256, 2048, true),
            (0xff, 512, 4096, true),
            (1, 513, 4097, false),
        ] {
            let modulus = [&[0, first], &vec![1; length - 1][..]].concat();
            assert_eq!(strong(&modulus, &[1, 0, 1]), (KeyAlgorithm::Rsa { bits }, counts));
        }
        for (exponent, counts) in [
            (&[1, 0, 1][..], true),
            (&[1, 2, 3], true),
            (&[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], true),
            (&[3], false),
            (&[0, 0xff, 0xff], false),
            (&[1, 0, 0], false),
            (&[1, 0, 2], false),
            (&[1, 0, 0, 0, 0, 0, 0, 0, 1], false),
        ] {
            assert_eq!(strong(&[0x81; 256], exponent).1, counts, "{exponent:?}");
        }
    }

    #[test]
    fn the_sign_octet_is_left_out_and_zero_stays() {
        for (integer, octets) in [
            (&[0, 0x80][..], &[0x80][..]),
            (&[0x7f], &[0x7f]),
            (&[0], &[0]),
            (&[0, 0, 1], &[0, 1]),
            (&[], &[]),
        ] {
            assert_eq!(unsigned(integer), octets);
        }
    }
}
