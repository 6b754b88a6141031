//! The test PKI in the HPKI profile: a root, a signing CA, end-entity certificates with hcRole, and their CRLs.
//!
//! Names and keys go in, DER comes out. Every name says that it belongs to a test, so that nothing issued here can
//! be taken for a certificate of a real doctor. The profile is that of published HPKI certificates (RFC 5280,
//! ISO 17090 for hcRole).

mod der;
mod extension;
pub(crate) mod tls;

use crate::signer::{KeyHandle, Signer, SignerError};
use ring::rand::{SecureRandom, SystemRandom};
use time::{Duration, OffsetDateTime, UtcOffset};

/// Organisation in every name; cannot be mistaken for production.
pub(crate) const ORGANISATION: &str = "hpki-agent test";
/// Where CRLs would be; `.invalid` never resolves (RFC 2606).
const CRL_BASE: &str = "http://hpki-agent-test.invalid/";
/// Where the practice statement would be.
const CPS_URI: &str = "http://hpki-agent-test.invalid/cps";
/// Policy of signing certificates.
const SIGNING_POLICY: &str = "1.2.392.100495.1.5.1.1.0.1";
/// Policy of the signing CA.
const SIGNING_CA_POLICY: &str = "1.2.392.100495.1.5.1.1.3.1";
/// Policy of the authentication CA, whose certificates must never sign.
const AUTHENTICATION_POLICY: &str = "1.2.392.100495.1.5.1.2.3.1";
/// CA certificates of the field live about as long.
const CA_YEARS: i64 = 20;
/// A CRL of the field lives about four days.
const CRL_LIFE: Duration = Duration::days(4);

/// Which CA a certificate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssuedBy {
    /// The signing CA: what a doctor signs with.
    SigningCa,
    /// The authentication CA: card login, never signing.
    AuthenticationCa,
    /// A signing CA under a root that nobody configured.
    ForeignRoot,
}

/// What an end-entity certificate says.
pub(crate) struct Subject<'a> {
    /// Romaji, given name first.
    pub(crate) name_romaji: &'a str,
    /// Kanji, with a full-width space.
    pub(crate) name_kanji: &'a str,
    pub(crate) organisation: &'a str,
    pub(crate) serial_number: &'a str,
    pub(crate) role: Option<&'a str>,
    pub(crate) not_before: OffsetDateTime,
    pub(crate) not_after: OffsetDateTime,
}

/// A certification authority, with what it needs to issue.
pub(crate) struct Ca {
    pub(crate) certificate: Vec<u8>,
    /// DER Name of the subject.
    pub(crate) name: Vec<u8>,
    /// DER Name of whoever issued its certificate.
    pub(crate) issuer: Vec<u8>,
    pub(crate) serial: Vec<u8>,
    pub(crate) key_id: Vec<u8>,
    pub(crate) key: KeyHandle,
    /// File name of its CRL.
    pub(crate) crl_file: &'static str,
}

/// An issued end-entity certificate.
pub(crate) struct Issued {
    pub(crate) certificate: Vec<u8>,
    pub(crate) serial: Vec<u8>,
}

/// The last second of the JST day of `at`: when HPKI certificates end.
pub(crate) fn end_of_jst_day(at: OffsetDateTime) -> OffsetDateTime {
    const JST: UtcOffset = time::macros::offset!(+9);
    at.to_offset(JST).replace_time(time::macros::time!(23:59:59)).to_offset(UtcOffset::UTC)
}

/// A self-signed root. `label` tells the configured root from a foreign one.
pub(crate) fn root(signer: &dyn Signer, label: &str, now: OffsetDateTime) -> Result<Ca, SignerError> {
    let name = extension::name(&[
        (extension::COUNTRY, "JP"),
        (extension::ORGANISATION, ORGANISATION),
        (extension::ORGANISATIONAL_UNIT, label),
    ]);
    let (key, serial) = (signer.generate()?, random_serial()?);
    let key_id = extension::key_id(&key.public_key);
    let certificate = Template {
        serial: &serial,
        issuer: &name,
        subject: &name,
        not_before: now - Duration::days(1),
        not_after: now + Duration::days(365 * CA_YEARS),
        public_key: &key.public_key,
        extensions: &[
            extension::ca_constraints(),
            extension::key_usage(extension::CERTIFICATE_AND_CRL_SIGN),
            extension::subject_key_identifier(&key_id),
        ],
    }
    .sign(signer, &key.handle)?;
    Ok(Ca { certificate, issuer: name.clone(), name, serial, key_id, key: key.handle, crl_file: "root.crl" })
}

/// A CA below `root`, for signing or for authentication.
pub(crate) fn intermediate(
    signer: &dyn Signer,
    root: &Ca,
    issued_by: IssuedBy,
    now: OffsetDateTime,
) -> Result<Ca, SignerError> {
    let (purpose, policy) = match issued_by {
        IssuedBy::SigningCa | IssuedBy::ForeignRoot => ("forNonRepudiation", SIGNING_CA_POLICY),
        IssuedBy::AuthenticationCa => ("forAuthentication-forIndividual", AUTHENTICATION_POLICY),
    };
    let name = extension::name(&[
        (extension::COUNTRY, "JP"),
        (extension::ORGANISATION, ORGANISATION),
        (extension::ORGANISATIONAL_UNIT, "hpki-agent test CA"),
        (extension::COMMON_NAME, &format!("HPKI-01-TEST-{purpose}")),
    ]);
    let (key, serial) = (signer.generate()?, random_serial()?);
    let key_id = extension::key_id(&key.public_key);
    let certificate = Template {
        serial: &serial,
        issuer: &root.name,
        subject: &name,
        not_before: now - Duration::days(1),
        not_after: now + Duration::days(365 * CA_YEARS),
        public_key: &key.public_key,
        extensions: &[
            extension::ca_constraints(),
            extension::key_usage(extension::CERTIFICATE_AND_CRL_SIGN),
            extension::policy(policy, CPS_URI),
            extension::crl_distribution_point(&format!("{CRL_BASE}{}", root.crl_file)),
            extension::authority_key_identifier(root),
            extension::subject_key_identifier(&key_id),
        ],
    }
    .sign(signer, &root.key)?;
    let issuer = root.name.clone();
    Ok(Ca { certificate, name, issuer, serial, key_id, key: key.handle, crl_file: "sign.crl" })
}

/// A doctor's (or somebody else's) certificate over `public_key` (DER SubjectPublicKeyInfo).
pub(crate) fn end_entity(
    signer: &dyn Signer,
    ca: &Ca,
    issued_by: IssuedBy,
    subject: &Subject<'_>,
    public_key: &[u8],
) -> Result<Issued, SignerError> {
    let name = extension::name(&[
        (extension::COUNTRY, "JP"),
        (extension::ORGANISATION, subject.organisation),
        (extension::COMMON_NAME, subject.name_romaji),
        (extension::SERIAL_NUMBER, subject.serial_number),
    ]);
    let kanji = extension::name(&[
        (extension::ORGANISATION, subject.organisation),
        (extension::COMMON_NAME, subject.name_kanji),
        (extension::SERIAL_NUMBER, subject.serial_number),
    ]);
    let (usage, policy) = match issued_by {
        IssuedBy::SigningCa | IssuedBy::ForeignRoot => (extension::NON_REPUDIATION, SIGNING_POLICY),
        IssuedBy::AuthenticationCa => (extension::DIGITAL_SIGNATURE, AUTHENTICATION_POLICY),
    };
    let mut extensions = vec![
        extension::key_usage(usage),
        extension::policy(policy, CPS_URI),
        extension::subject_alternative_name(&kanji),
        extension::crl_distribution_point(&format!("{CRL_BASE}{}", ca.crl_file)),
        extension::authority_key_identifier(ca),
        extension::subject_key_identifier(&extension::key_id(public_key)),
    ];
    extensions.extend(subject.role.map(extension::healthcare_role));
    let serial = random_serial()?;
    let certificate = Template {
        serial: &serial,
        issuer: &ca.name,
        subject: &name,
        not_before: subject.not_before,
        not_after: subject.not_after,
        public_key,
        extensions: &extensions,
    }
    .sign(signer, &ca.key)?;
    Ok(Issued { certificate, serial })
}

/// The CRL of `ca` as of `now` (RFC 5280 5): version 2 with its number, each entry a serial and when it was revoked.
pub(crate) fn crl(
    signer: &dyn Signer,
    ca: &Ca,
    revoked: &[(Vec<u8>, OffsetDateTime)],
    now: OffsetDateTime,
) -> Result<Vec<u8>, SignerError> {
    let mut parts = vec![
        der::integer(&[1]),
        extension::sha256_with_rsa(),
        ca.name.clone(),
        der::utc_time(now),
        der::utc_time(now + CRL_LIFE),
    ];
    if !revoked.is_empty() {
        let entries: Vec<_> = revoked
            .iter()
            .map(|(serial, at)| der::sequence(&[der::integer(serial), der::utc_time(*at)]))
            .collect();
        parts.push(der::sequence(&entries));
    }
    let number = now.unix_timestamp().to_be_bytes();
    let extensions = [extension::authority_key_identifier(ca), extension::crl_number(&number)];
    parts.push(der::of(der::context(0), &[der::sequence(&extensions)]));
    signed(signer, &ca.key, der::sequence(&parts))
}

/// PEM (RFC 7468) of one certificate.
pub(crate) fn certificate_pem(der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

struct Template<'a> {
    serial: &'a [u8],
    issuer: &'a [u8],
    subject: &'a [u8],
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
    public_key: &'a [u8],
    extensions: &'a [Vec<u8>],
}

impl Template<'_> {
    fn sign(&self, signer: &dyn Signer, key: &KeyHandle) -> Result<Vec<u8>, SignerError> {
        let to_be_signed = der::sequence(&[
            der::of(der::context(0), &[der::integer(&[2])]),
            der::integer(self.serial),
            extension::sha256_with_rsa(),
            self.issuer.to_vec(),
            der::sequence(&[der::utc_time(self.not_before), der::utc_time(self.not_after)]),
            self.subject.to_vec(),
            self.public_key.to_vec(),
            der::of(der::context(3), &[der::sequence(self.extensions)]),
        ]);
        signed(signer, key, to_be_signed)
    }
}

fn signed(signer: &dyn Signer, key: &KeyHandle, to_be_signed: Vec<u8>) -> Result<Vec<u8>, SignerError> {
    let mut digest = [0; 32];
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, &to_be_signed).as_ref());
    let signature = signer.sign_digests(key, &[digest])?.concat();
    Ok(der::sequence(&[to_be_signed, extension::sha256_with_rsa(), der::bit_string(&signature)]))
}

/// 16 bytes, positive, never starting with zero.
fn random_serial() -> Result<Vec<u8>, SignerError> {
    let mut serial = vec![0; 16];
    SystemRandom::new().fill(&mut serial).map_err(|_| SignerError::Encoding("no randomness".to_owned()))?;
    serial[0] = (serial[0] & 0x3f) | 0x40;
    Ok(serial)
}

#[cfg(test)]
mod tests;
