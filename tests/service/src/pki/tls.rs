//! The TLS side: a CA of its own (apart from the HPKI one) and a server certificate for the issuer's host.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, crypto::ring};
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate could not be made.
    #[error("TLS certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// rustls refused the configuration.
    #[error("TLS: {0}")]
    Configuration(#[from] rustls::Error),
}

/// What a server shows to phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServedCertificate {
    /// As it should be.
    Good,
    /// It ended yesterday.
    Expired,
    /// For a host that is not this one.
    OtherHost,
}

/// A TLS CA: its certificate (PEM) for clients to trust, and its key (PEM) to keep.
pub(crate) struct TlsCa {
    pub(crate) certificate_pem: String,
    pub(crate) key_pem: String,
}

/// Makes the CA.
pub(crate) fn new_ca() -> Result<TlsCa, TlsError> {
    let key = KeyPair::generate()?;
    let certificate = ca_parameters()?.self_signed(&key)?;
    Ok(TlsCa { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() })
}

/// A server configuration with a fresh certificate for `host` and loopback, HTTP/2 and HTTP/1.1.
pub(crate) fn server_config(
    ca_key_pem: &str,
    host: &str,
    served: ServedCertificate,
) -> Result<ServerConfig, TlsError> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    if !names.iter().any(|name| name == host) {
        names.push(host.to_owned());
    }
    if served == ServedCertificate::OtherHost {
        names = vec!["hpki-agent-test.invalid".to_owned()];
    }
    let mut parameters = CertificateParams::new(names)?;
    parameters.distinguished_name = common_name("hpki-agent test service");
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Phones refuse server certificates that live longer than 398 days.
    let (from, days) = if served == ServedCertificate::Expired { (-30, 29) } else { (-1, 366) };
    parameters.not_before = OffsetDateTime::now_utc() + Duration::days(from);
    parameters.not_after = parameters.not_before + Duration::days(days);
    parameters.use_authority_key_identifier_extension = true;

    let issuer = Issuer::new(ca_parameters()?, KeyPair::from_pem(ca_key_pem)?);
    let key = KeyPair::generate()?;
    let certificate = parameters.signed_by(&key, &issuer)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn ca_parameters() -> Result<CertificateParams, TlsError> {
    let mut parameters = CertificateParams::new(Vec::<String>::new())?;
    parameters.distinguished_name = common_name("hpki-agent test TLS CA");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters.not_before = OffsetDateTime::now_utc() - Duration::DAY;
    parameters.not_after = OffsetDateTime::now_utc() + Duration::days(3650);
    Ok(parameters)
}

fn common_name(text: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, text);
    name
}
