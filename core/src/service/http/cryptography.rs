//! What of TLS is spoken: AES-GCM under ephemeral ECDH on P-256 and P-384, certificates with RSA or ECDSA keys. It is what
//! every implementation must have (RFC 8446 §9.1) and services are told to offer (RFC 9325 §4.2); beyond that, X25519,
//! Ed25519 and ChaCha20 would be code on every phone that no service needs. ring does the work.

use std::sync::Arc;

use ring::rand::SecureRandom as _;
use rustls::{
    Error, SignatureScheme,
    crypto::{
        CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, WebPkiSupportedAlgorithms,
        ring::{cipher_suite as suite, kx_group},
    },
    pki_types::{PrivateKeyDer, SignatureVerificationAlgorithm},
    sign::SigningKey,
};
use webpki::ring as signed;

/// The one provider of all connections.
pub(super) fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            suite::TLS13_AES_256_GCM_SHA384,
            suite::TLS13_AES_128_GCM_SHA256,
            suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        ],
        kx_groups: vec![kx_group::SECP256R1, kx_group::SECP384R1],
        signature_verification_algorithms: WebPkiSupportedAlgorithms { all: ALL, mapping: BY_SCHEME },
        secure_random: &System,
        key_provider: &NoKeys,
    }
}

type Algorithms = &'static [&'static dyn SignatureVerificationAlgorithm];

/// Signatures on certificates.
static ALL: Algorithms = &[
    signed::ECDSA_P256_SHA256,
    signed::ECDSA_P256_SHA384,
    signed::ECDSA_P384_SHA256,
    signed::ECDSA_P384_SHA384,
    signed::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    signed::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    signed::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
    signed::RSA_PKCS1_2048_8192_SHA256,
    signed::RSA_PKCS1_2048_8192_SHA384,
    signed::RSA_PKCS1_2048_8192_SHA512,
    signed::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
    signed::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
    signed::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
];

/// Signatures in handshakes, the most wanted first. In TLS 1.2 a scheme does not say the curve, in TLS 1.3 it is the first.
static BY_SCHEME: &[(SignatureScheme, Algorithms)] = &[
    (SignatureScheme::ECDSA_NISTP384_SHA384, &[signed::ECDSA_P384_SHA384, signed::ECDSA_P256_SHA384]),
    (SignatureScheme::ECDSA_NISTP256_SHA256, &[signed::ECDSA_P256_SHA256, signed::ECDSA_P384_SHA256]),
    (SignatureScheme::RSA_PSS_SHA512, &[signed::RSA_PSS_2048_8192_SHA512_LEGACY_KEY]),
    (SignatureScheme::RSA_PSS_SHA384, &[signed::RSA_PSS_2048_8192_SHA384_LEGACY_KEY]),
    (SignatureScheme::RSA_PSS_SHA256, &[signed::RSA_PSS_2048_8192_SHA256_LEGACY_KEY]),
    (SignatureScheme::RSA_PKCS1_SHA512, &[signed::RSA_PKCS1_2048_8192_SHA512]),
    (SignatureScheme::RSA_PKCS1_SHA384, &[signed::RSA_PKCS1_2048_8192_SHA384]),
    (SignatureScheme::RSA_PKCS1_SHA256, &[signed::RSA_PKCS1_2048_8192_SHA256]),
];

#[derive(Debug)]
struct System;

impl SecureRandom for System {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), GetRandomFailed> {
        ring::rand::SystemRandom::new().fill(buffer).map_err(|_| GetRandomFailed)
    }
}

/// The agent shows no TLS certificate of its own: rustls is given no code that signs.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        Err(Error::General("TLS client certificates are not used".into()))
    }
}
