//! How a service's TLS certificate is judged: a path to a configured (or the platform's) root, the host's name, and,
//! where the trust configuration pins keys, one of those keys on the path.

use std::{fmt, sync::Arc};

use ring::digest;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};

use super::{TransportError, cryptography};
use crate::trust::TlsTrust;

/// A client configuration of its own: TLS 1.2 and 1.3 (all that rustls knows), nothing from the process.
pub(super) fn client_config(trust: &TlsTrust) -> Result<ClientConfig, TransportError> {
    let verifier = Arc::new(Verifier::new(trust)?);
    let mut config = ClientConfig::builder_with_provider(verifier.provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|_| TransportError::TlsConfiguration)?
        .dangerous() // rustls' name for any verifier but its own; ours asks theirs first
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// What rustls reports, in the terms of a doctor's remedy.
pub(super) fn classify(error: &Error) -> TransportError {
    use CertificateError as C;
    match error {
        Error::InvalidCertificate(C::Other(other)) if other.0.is::<PinMismatch>() => TransportError::TlsPin,
        Error::InvalidCertificate(
            C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. },
        ) => TransportError::TlsNotValidNow,
        Error::InvalidCertificate(_) => TransportError::TlsUntrusted,
        _ => TransportError::TlsHandshake,
    }
}

#[derive(Debug, thiserror::Error)]
#[error("no pinned key stands behind the certificate")]
struct PinMismatch;

/// The path check, by webpki or by the platform, then the pins.
struct Verifier {
    provider: Arc<CryptoProvider>,
    anchors: Anchors,
    roots: Vec<CertificateDer<'static>>,
    pins: Vec<[u8; 32]>,
}

enum Anchors {
    Configured(RootCertStore),
    Platform(Arc<dyn ServerCertVerifier>),
}

impl Verifier {
    fn new(trust: &TlsTrust) -> Result<Self, TransportError> {
        let provider = Arc::new(cryptography::provider());
        let roots: Vec<_> = trust.roots.iter().flatten().cloned().map(CertificateDer::from).collect();
        let anchors = match &trust.roots {
            Some(_) => store(&roots).map(Anchors::Configured),
            None => platform(&provider).map(Anchors::Platform),
        };
        let anchors = anchors.ok_or(TransportError::TlsConfiguration)?;
        Ok(Self { provider, anchors, roots, pins: trust.spki_pins.clone() })
    }

    /// A path from the server to one of these roots, and its name: what rustls' own verifier checks where it is given no
    /// revocation lists, without its reader of them.
    fn check_path(
        &self,
        roots: &RootCertStore,
        server: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let server = ParsedCertificate::try_from(server)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&server, roots, intermediates, now, algorithms)?;
        verify_server_name(&server, name)
    }

    /// The pinned certificate is the server's own, or the server's chains to it by a second path check in which only
    /// pinned certificates are anchors. Merely sending a pinned certificate along proves nothing.
    fn check_pins(
        &self,
        server: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        if self.pins.is_empty() || self.is_pinned(server) {
            return Ok(());
        }
        let pinned: Vec<_> = self
            .roots
            .iter()
            .chain(intermediates)
            .filter(|certificate| self.is_pinned(certificate))
            .map(|certificate| certificate.clone().into_owned())
            .collect();
        let mismatch =
            || Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(PinMismatch))));
        let anchors = store(&pinned).ok_or_else(mismatch)?;
        self.check_path(&anchors, server, intermediates, name, now).map_err(|_| mismatch())
    }

    fn is_pinned(&self, certificate: &CertificateDer<'_>) -> bool {
        let Ok(parsed) = ParsedCertificate::try_from(certificate) else { return false };
        let hash = digest::digest(&digest::SHA256, &parsed.subject_public_key_info());
        self.pins.iter().any(|pin| pin == hash.as_ref())
    }
}

/// Exactly these anchors; `None` when there are none or one cannot be read.
fn store(anchors: &[CertificateDer<'static>]) -> Option<RootCertStore> {
    let mut store = RootCertStore::empty();
    for anchor in anchors {
        store.add(anchor.clone()).ok()?;
    }
    (!store.is_empty()).then_some(store)
}

#[cfg(not(target_os = "android"))]
fn platform(provider: &Arc<CryptoProvider>) -> Option<Arc<dyn ServerCertVerifier>> {
    Some(Arc::new(rustls_platform_verifier::Verifier::new(provider.clone()).ok()?))
}

/// Android's roots can be asked in Java alone: the trust configuration names the service's roots there, and is refused
/// without ([`crate::trust`]).
#[cfg(target_os = "android")]
fn platform(_: &Arc<CryptoProvider>) -> Option<Arc<dyn ServerCertVerifier>> {
    None
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.anchors {
            Anchors::Configured(roots) => {
                self.check_path(roots, end_entity, intermediates, server_name, now)?;
            }
            Anchors::Platform(verifier) => {
                verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
            }
        }
        self.check_pins(end_entity, intermediates, server_name, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({} roots, {} pins)", self.roots.len(), self.pins.len())
    }
}
