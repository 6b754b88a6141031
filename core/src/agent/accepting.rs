//! Which certificates are accepted, and which answers are a reason to give a registration up.

use time::OffsetDateTime;

use super::{AgentError, Code};
use crate::{
    certificate::{Certificate, SigningCertificate, build_path},
    trust::TrustedService,
};

/// The leaf of a chain (DER, leaf first), if it has the profile of a prescriber's certificate and leads to a root that
/// the app trusts for this service. Revocation is the service's to say here (`cert.status`, judged before).
pub(super) fn accept_certificate(
    trusted: &TrustedService,
    chain: &[Vec<u8>],
    now: OffsetDateTime,
) -> Result<SigningCertificate, AgentError> {
    let parse = |der: &Vec<u8>| Certificate::from_der(der);
    let mut chain = chain.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let roots = trusted.hpki_roots.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    if chain.is_empty() {
        return Err(AgentError::new(Code::CertificateInvalid));
    }
    let leaf = SigningCertificate::check(chain.remove(0), &trusted.prescriber_roles, now)?;
    build_path(leaf.certificate(), &chain, &roots, now)?;
    Ok(leaf)
}

/// Whether it is the credential that is refused, for good. Anything else, such as a proxy's page or a service out of order, is
/// no reason to throw away a registration whose ticket cannot be used twice.
pub(super) fn condemns(refusal: Code) -> bool {
    matches!(
        refusal,
        Code::CertificateNotPrescriber
            | Code::CertificateWithoutRole
            | Code::CertificateForAuthentication
            | Code::CertificateExpired
            | Code::CertificateRevoked
            | Code::CertificateUntrusted
            | Code::CertificateInvalid
            | Code::CredentialDisabled
            | Code::SoleControlMissing
    )
}
