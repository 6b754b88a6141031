//! The HPKI profile of a prescriber's signing certificate.

use der::Tag;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    extension::{KeyUsage, SUBJECT_ALT_NAME, SUBJECT_DIRECTORY_ATTRIBUTES},
    key::KeyAlgorithm,
    name::{COMMON_NAME, Name, ORGANIZATION},
    role,
    tlv::{Tlv, context},
    x509::Certificate,
};

/// The arc of all HPKI policies for signing, 1.2.392.100495.1.5.1.1: `.0.1` stands in end-entity certificates, `.3.1` in MEDIS' CA. The whole
/// arc is accepted, since its tail is a version of the policy.
pub(super) const SIGNING_POLICIES: &[u8] = &[0x2a, 0x83, 0x08, 0x86, 0x91, 0x0f, 1, 5, 1, 1];
/// The arc of all HPKI policies for authentication (card login), 1.2.392.100495.1.5.1.2.
pub(super) const AUTHENTICATION_POLICIES: &[u8] = &[0x2a, 0x83, 0x08, 0x86, 0x91, 0x0f, 1, 5, 1, 2];

/// A role that signs dispensing files, never prescriptions.
const PHARMACIST: &str = "Pharmacist";

/// A certificate that has passed the HPKI signing profile for a prescriber. Path and revocation are separate
/// questions: [`super::build_path`], [`super::revocation`].
#[derive(Clone)]
pub struct SigningCertificate {
    certificate: Certificate,
    holder: Holder,
}

/// Whose certificate it is, as the doctor is shown it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Name in kanji, from subjectAltName's directoryName; family and given name separated by U+3000.
    pub name_kanji: Option<String>,
    /// Name in romaji, from the subject's CN.
    pub name_romaji: String,
    /// hcRole texts.
    pub roles: Vec<String>,
    /// Organisation, where present: that of subjectAltName, else the subject's.
    pub organization: Option<String>,
    /// The issuing CA's name, RFC 4514.
    pub issuer: String,
    /// Serial number, lower-case hexadecimal.
    pub serial_number: String,
    /// Start of validity.
    #[serde(with = "time::serde::rfc3339")]
    pub not_before: OffsetDateTime,
    /// End of validity.
    #[serde(with = "time::serde::rfc3339")]
    pub not_after: OffsetDateTime,
}

/// Why a certificate cannot sign prescriptions. The first reason found, in the order of the variants' checks.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum ProfileError {
    /// For card login: an authentication policy, or digitalSignature without nonRepudiation.
    #[error("a certificate for authentication, not for signing")]
    AuthenticationCertificate,
    /// A certification authority's own certificate.
    #[error("a certification authority's certificate, not a person's")]
    CertificationAuthority,
    /// keyUsage is absent, not critical, or anything but nonRepudiation alone.
    #[error("keyUsage is not critical with nonRepudiation alone")]
    KeyUsage,
    /// certificatePolicies is absent, not critical, or names no HPKI signing policy.
    #[error("no critical HPKI signing policy")]
    Policy,
    /// A critical extension that no rule applies.
    #[error("unknown critical extension {0}")]
    UnknownCriticalExtension(String),
    /// Signed with SHA-1 or by an unknown algorithm.
    #[error("the certificate is signed by an algorithm that does not count")]
    WeakSignature,
    /// Not RSA of 2048 to 4096 bits with a sound exponent, P-256 or P-384.
    #[error("the key is too weak or of another kind: {0:?}")]
    KeyTooWeak(KeyAlgorithm),
    /// Not version 3 (which alone has extensions).
    #[error("not an X.509 version 3 certificate")]
    Version,
    /// The subject has no readable CN.
    #[error("malformed or missing name of the holder")]
    MalformedName,
    /// subjectAltName cannot be read.
    #[error("malformed subjectAltName")]
    MalformedAlternativeName,
    /// hcRole cannot be read, or its coding scheme is not HPKI's.
    #[error("malformed hcRole")]
    MalformedRole,
    /// Validity has not begun.
    #[error("not valid before {not_before}")]
    NotYetValid {
        /// First second, UTC.
        not_before: OffsetDateTime,
    },
    /// Validity is over.
    #[error("expired at {not_after}")]
    Expired {
        /// Last second, UTC.
        not_after: OffsetDateTime,
    },
    /// There is no hcRole at all.
    #[error("the certificate states no health-care role")]
    NoRole,
    /// A pharmacist, who may sign dispensing files but never prescriptions.
    #[error("the holder is a pharmacist")]
    Pharmacist {
        /// hcRole texts.
        roles: Vec<String>,
    },
    /// Some other role that may not prescribe.
    #[error("the holder's role may not prescribe: {roles:?}")]
    NotPrescriber {
        /// hcRole texts.
        roles: Vec<String>,
    },
}

impl SigningCertificate {
    /// Judges the profile at the time `at`: usage and policy first, then form, then validity, then role.
    /// `prescriber_roles` are hcRole texts compared exactly; one of the holder's must be among them.
    ///
    /// # Errors
    /// [`ProfileError`].
    pub fn check(
        certificate: Certificate,
        prescriber_roles: &[String],
        at: OffsetDateTime,
    ) -> Result<Self, ProfileError> {
        check_purpose(&certificate)?;
        check_strength(&certificate)?;
        let holder = holder(&certificate)?;
        if at < holder.not_before {
            return Err(ProfileError::NotYetValid { not_before: holder.not_before });
        }
        if at > holder.not_after {
            return Err(ProfileError::Expired { not_after: holder.not_after });
        }
        check_role(&holder.roles, prescriber_roles)?;
        Ok(Self { certificate, holder })
    }

    /// The certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Who holds it.
    pub fn holder(&self) -> &Holder {
        &self.holder
    }
}

/// Issuer and serial number only.
impl std::fmt::Debug for SigningCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SigningCertificate").field(&self.certificate).finish()
    }
}

/// Reads who holds a certificate, without judging it: roles are empty where there is no hcRole.
///
/// # Errors
/// [`ProfileError::MalformedName`], [`ProfileError::MalformedAlternativeName`], [`ProfileError::MalformedRole`].
pub fn holder(certificate: &Certificate) -> Result<Holder, ProfileError> {
    let Person { alternative, name_romaji, roles } = Person::read(certificate)?;
    let alternative_text = |oid: &[u8]| alternative.as_ref().and_then(|name| name.first(oid));
    let validity = certificate.validity();
    Ok(Holder {
        name_kanji: alternative_text(COMMON_NAME),
        name_romaji,
        roles,
        organization: alternative_text(ORGANIZATION).or_else(|| certificate.subject().first(ORGANIZATION)),
        issuer: certificate.issuer_name(),
        serial_number: certificate.serial_number(),
        not_before: validity.not_before,
        not_after: validity.not_after,
    })
}

/// The name in kanji, else in romaji, and the roles of a certificate's holder.
///
/// # Errors
/// As [`holder`].
pub(crate) fn name_and_roles(certificate: &Certificate) -> Result<(String, Vec<String>), ProfileError> {
    let Person { alternative, name_romaji, roles } = Person::read(certificate)?;
    let name_kanji = alternative.and_then(|name| name.first(COMMON_NAME));
    Ok((name_kanji.unwrap_or(name_romaji), roles))
}

/// What a certificate's extensions and subject say about a person.
struct Person {
    /// The first directoryName in subjectAltName.
    alternative: Option<Name>,
    name_romaji: String,
    roles: Vec<String>,
}

impl Person {
    fn read(certificate: &Certificate) -> Result<Self, ProfileError> {
        let extensions = certificate.extensions();
        let alternative = match extensions.value(SUBJECT_ALT_NAME) {
            Some(value) => first_directory_name(value)?,
            None => None,
        };
        let roles = match extensions.value(SUBJECT_DIRECTORY_ATTRIBUTES) {
            Some(value) => role::roles(value).ok_or(ProfileError::MalformedRole)?,
            None => Vec::new(),
        };
        let name_romaji = certificate.subject().first(COMMON_NAME).ok_or(ProfileError::MalformedName)?;
        Ok(Self { alternative, name_romaji, roles })
    }
}

/// The profile and role of a certificate whose holder's `roles` have been read. Validity is left to the caller: it judges
/// more than one moment.
pub(crate) fn check_signer(
    certificate: &Certificate,
    roles: &[String],
    prescriber_roles: &[String],
) -> Result<(), ProfileError> {
    check_purpose(certificate)?;
    check_strength(certificate)?;
    check_role(roles, prescriber_roles)
}

/// Whether `policy` lies under `arc`: contents octets of an OID are a prefix exactly when its arcs are.
pub(super) fn is_under(policy: &[u8], arc: &[u8]) -> bool {
    policy.starts_with(arc)
}

fn check_purpose(certificate: &Certificate) -> Result<(), ProfileError> {
    if !certificate.is_version_3() {
        return Err(ProfileError::Version);
    }
    let extensions = certificate.extensions();
    let policies = extensions.policies.as_deref().unwrap_or_default();
    let has_policy_under = |arc| policies.iter().any(|policy| is_under(policy, arc));
    let logs_in =
        extensions.allows(KeyUsage::DIGITAL_SIGNATURE) && !extensions.allows(KeyUsage::NON_REPUDIATION);
    if has_policy_under(AUTHENTICATION_POLICIES) || (logs_in && !extensions.is_ca()) {
        return Err(ProfileError::AuthenticationCertificate);
    }
    if extensions.is_ca() {
        return Err(ProfileError::CertificationAuthority);
    }
    if extensions.key_usage != Some(KeyUsage::NON_REPUDIATION) || !extensions.key_usage_is_critical() {
        return Err(ProfileError::KeyUsage);
    }
    if !has_policy_under(SIGNING_POLICIES) || !extensions.policies_are_critical() {
        return Err(ProfileError::Policy);
    }
    match extensions.unknown_critical() {
        Some(oid) => Err(ProfileError::UnknownCriticalExtension(oid)),
        None => Ok(()),
    }
}

fn check_strength(certificate: &Certificate) -> Result<(), ProfileError> {
    if certificate.signature_algorithm().is_none() {
        return Err(ProfileError::WeakSignature);
    }
    if !certificate.key().is_strong_enough() {
        return Err(ProfileError::KeyTooWeak(certificate.key_algorithm()));
    }
    Ok(())
}

fn check_role(roles: &[String], prescribers: &[String]) -> Result<(), ProfileError> {
    if roles.iter().any(|role| prescribers.contains(role)) {
        return Ok(());
    }
    let roles = roles.to_vec();
    Err(match roles.as_slice() {
        [] => ProfileError::NoRole,
        held if held.iter().any(|role| role == PHARMACIST) => ProfileError::Pharmacist { roles },
        _ => ProfileError::NotPrescriber { roles },
    })
}

/// The first directoryName `[4]` among GeneralNames, all of which must be readable.
fn first_directory_name(general_names: &[u8]) -> Result<Option<Name>, ProfileError> {
    let malformed = || ProfileError::MalformedAlternativeName;
    let names = Tlv::only(general_names, Tag::Sequence).and_then(Tlv::open);
    let mut names = names.ok_or_else(malformed)?;
    let mut first = None;
    while !names.is_empty() {
        let general_name = names.any().ok_or_else(malformed)?;
        if general_name.tag == context(4) {
            let name = Name::from_der(general_name.value).ok_or_else(malformed)?;
            first = first.or(Some(name));
        }
    }
    Ok(first)
}

#[cfg(test)]
mod tests;
