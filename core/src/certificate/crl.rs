//! One certificate revocation list (RFC 5280 §5), read once.

use std::sync::Arc;

use der::Tag;
use time::OffsetDateTime;

use super::{
    extension::{entry, full_name},
    key::SignatureAlgorithm,
    name::Name,
    revocation::RevocationReason,
    tlv::{Tlv, context, dotted},
    x509::{Certificate, signed},
};
use crate::trust::pem;

/// Longest CRL, bytes: room for some 200,000 entries, several times the number of HPKI cards.
const MAX_CRL: usize = 8 * 1024 * 1024;

/// 2.5.29.20
const CRL_NUMBER: &[u8] = &[0x55, 0x1d, 20];
/// 2.5.29.21
const REASON_CODE: &[u8] = &[0x55, 0x1d, 21];
/// 2.5.29.27
const DELTA_CRL_INDICATOR: &[u8] = &[0x55, 0x1d, 27];
/// 2.5.29.28
const ISSUING_DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 28];
/// 2.5.29.29
const CERTIFICATE_ISSUER: &[u8] = &[0x55, 0x1d, 29];

/// A complete CRL, parsed; its signature is judged where it is used. Cheap to clone.
#[derive(Clone)]
pub struct Crl(Arc<Fields>);

struct Fields {
    tbs: Vec<u8>,
    signature: Vec<u8>,
    signature_algorithm: Option<SignatureAlgorithm>,
    issuer: Name,
    this_update: OffsetDateTime,
    next_update: OffsetDateTime,
    revoked: Vec<Entry>,
    scope: Scope,
}

/// One revoked certificate.
pub(super) struct Entry {
    pub(super) serial_number: Box<[u8]>,
    pub(super) at: OffsetDateTime,
    pub(super) reason: RevocationReason,
}

/// Which certificates a CRL speaks for: issuingDistributionPoint (§5.2.5), as far as it is supported.
#[derive(Default)]
struct Scope {
    /// GeneralNames (DER each); where there are any, the certificate must point to one of them.
    names: Vec<Vec<u8>>,
    users_only: bool,
    authorities_only: bool,
}

/// Why bytes are not a CRL that can be used.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum CrlError {
    /// Over 8 MiB.
    #[error("the CRL is too long")]
    TooLong,
    /// Neither DER nor PEM with exactly one CRL.
    #[error("neither DER nor PEM with one CRL")]
    Pem,
    /// Not the DER of a CRL.
    #[error("malformed CRL: {0}")]
    Malformed(&'static str),
    /// It does not say when the next one comes, so its freshness cannot be judged (§5.1.2.5).
    #[error("the CRL has no nextUpdate")]
    NoNextUpdate,
    /// Of a kind that HPKI does not use: a delta CRL, an indirect CRL, one for some reasons only or for attribute
    /// certificates.
    #[error("unsupported kind of CRL: {0}")]
    Unsupported(&'static str),
    /// A critical extension, of the CRL or of an entry, that no rule applies, by OID.
    #[error("unknown critical extension {0} in the CRL")]
    UnknownCriticalExtension(String),
}

impl Crl {
    /// Parses exactly one complete CRL, at most 8 MiB.
    ///
    /// # Errors
    /// [`CrlError`].
    pub fn from_der(der: &[u8]) -> Result<Self, CrlError> {
        if der.len() > MAX_CRL {
            return Err(CrlError::TooLong);
        }
        fields(der).map(|fields| Self(Arc::new(fields)))
    }

    /// Parses DER, or PEM with one block `X509 CRL` (RFC 7468 §7).
    ///
    /// # Errors
    /// [`CrlError`].
    pub fn from_pem_or_der(bytes: &[u8]) -> Result<Self, CrlError> {
        if bytes.len() > 2 * MAX_CRL {
            return Err(CrlError::TooLong);
        }
        if pem::is_sequence(bytes) {
            return Self::from_der(bytes);
        }
        Self::from_der(&pem::decode(bytes, "X509 CRL").ok_or(CrlError::Pem)?)
    }

    /// Who issued it, RFC 4514.
    pub fn issuer_name(&self) -> String {
        self.0.issuer.to_string()
    }

    /// When it was issued, UTC.
    pub fn this_update(&self) -> OffsetDateTime {
        self.0.this_update
    }

    /// When the next one is due, UTC; from then on this one is stale.
    pub fn next_update(&self) -> OffsetDateTime {
        self.0.next_update
    }

    pub(super) fn is_signed_by(&self, issuer: &Certificate) -> bool {
        issuer.has_signed(self.0.signature_algorithm, &self.0.tbs, &self.0.signature)
    }

    /// Whether this CRL speaks for `certificate`: issuer, kind, distribution point.
    pub(super) fn covers(&self, certificate: &Certificate) -> bool {
        let Scope { names, users_only, authorities_only } = &self.0.scope;
        let extensions = certificate.extensions();
        let kind_fits = if extensions.is_ca() { !users_only } else { !authorities_only };
        let place_fits = names.is_empty() || names.iter().any(|name| extensions.crl_names.contains(name));
        self.0.issuer.matches(certificate.issuer()) && kind_fits && place_fits
    }

    /// What it says about `certificate`, which it must cover.
    pub(super) fn entry(&self, certificate: &Certificate) -> Option<&Entry> {
        let serial_number = certificate.serial_number_octets();
        self.0.revoked.iter().find(|entry| *entry.serial_number == *serial_number)
    }
}

/// Issuer and time.
impl std::fmt::Debug for Crl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Crl({}, {})", self.0.issuer, self.0.this_update)
    }
}

fn fields(der: &[u8]) -> Result<Fields, CrlError> {
    let outer = signed(der).ok_or(CrlError::Malformed("certificateList"))?;
    let mut tbs = outer.tbs.open().ok_or(CrlError::Malformed("tbsCertList"))?;
    let version = tbs.optional(Tag::Integer);
    if version.is_some_and(|v2| v2.value != [1]) {
        return Err(CrlError::Malformed("version"));
    }
    // §5.1.1.2: the algorithm stands twice and must be the same.
    tbs.expect(Tag::Sequence)
        .filter(|inner| inner.raw == outer.algorithm.raw)
        .ok_or(CrlError::Malformed("signature"))?;
    let issuer = tbs.expect(Tag::Sequence).and_then(Name::from_tlv).ok_or(CrlError::Malformed("issuer"))?;
    let this_update = tbs.any().and_then(Tlv::time).ok_or(CrlError::Malformed("thisUpdate"))?;
    let next_update = tbs.optional(Tag::UtcTime).or_else(|| tbs.optional(Tag::GeneralizedTime));
    let next_update = next_update.ok_or(CrlError::NoNextUpdate)?;
    let next_update = next_update.time().ok_or(CrlError::Malformed("nextUpdate"))?;
    let revoked = tbs.optional(Tag::Sequence).map_or_else(|| Ok(Vec::new()), revoked)?;
    let scope = tbs.optional(context(0)).map_or_else(|| Ok(Scope::default()), scope)?;
    tbs.finish().ok_or(CrlError::Malformed("tbsCertList"))?;
    Ok(Fields {
        tbs: outer.tbs.raw.to_vec(),
        signature: outer.signature.to_vec(),
        signature_algorithm: SignatureAlgorithm::from_identifier(outer.algorithm),
        issuer,
        this_update,
        next_update,
        revoked,
        scope,
    })
}

fn revoked(list: Tlv) -> Result<Vec<Entry>, CrlError> {
    let malformed = CrlError::Malformed("revokedCertificates");
    let Some(mut entries) = list.open() else { return Err(malformed) };
    let mut revoked = Vec::new();
    while !entries.is_empty() {
        let mut fields = entries.expect(Tag::Sequence).and_then(Tlv::open).ok_or(malformed.clone())?;
        let serial_number = fields.expect(Tag::Integer).ok_or(malformed.clone())?;
        let at = fields.any().and_then(Tlv::time).ok_or(malformed.clone())?;
        let reason = match fields.optional(Tag::Sequence) {
            Some(extensions) => reason(extensions)?,
            None => RevocationReason::Unspecified,
        };
        fields.finish().ok_or(malformed.clone())?;
        revoked.push(Entry { serial_number: serial_number.value.into(), at, reason });
    }
    Ok(revoked)
}

/// crlEntryExtensions (§5.3): the reason, or unspecified.
fn reason(extensions: Tlv) -> Result<RevocationReason, CrlError> {
    let malformed = CrlError::Malformed("crlEntryExtensions");
    let mut reason = RevocationReason::Unspecified;
    for element in extensions.all(Tag::Sequence).ok_or(malformed.clone())? {
        let (oid, critical, value) = entry(element).ok_or(malformed.clone())?;
        match oid {
            REASON_CODE => {
                reason = Tlv::only(value, Tag::Enumerated)
                    .and_then(|code| RevocationReason::from_code(code.value))
                    .ok_or(CrlError::Malformed("reasonCode"))?;
            }
            CERTIFICATE_ISSUER => return Err(CrlError::Unsupported("indirect CRL")),
            unknown if critical => return Err(CrlError::UnknownCriticalExtension(dotted(unknown))),
            _ => {}
        }
    }
    Ok(reason)
}

/// crlExtensions (§5.2).
fn scope(explicit: Tlv) -> Result<Scope, CrlError> {
    let malformed = CrlError::Malformed("crlExtensions");
    let elements = Tlv::only(explicit.value, Tag::Sequence).and_then(|list| list.all(Tag::Sequence));
    let mut scope = Scope::default();
    for element in elements.ok_or(malformed.clone())? {
        let (oid, critical, value) = entry(element).ok_or(malformed.clone())?;
        match oid {
            ISSUING_DISTRIBUTION_POINT => scope = distribution_point(value)?,
            DELTA_CRL_INDICATOR => return Err(CrlError::Unsupported("delta CRL")),
            CRL_NUMBER => {}
            unknown if critical => return Err(CrlError::UnknownCriticalExtension(dotted(unknown))),
            _ => {}
        }
    }
    Ok(scope)
}

/// IssuingDistributionPoint; every field is tagged, the booleans and flags implicitly.
fn distribution_point(value: &[u8]) -> Result<Scope, CrlError> {
    let malformed = CrlError::Malformed("issuingDistributionPoint");
    let mut scope = Scope::default();
    let fields = Tlv::only(value, Tag::Sequence).and_then(Tlv::open);
    let mut fields = fields.ok_or(malformed.clone())?;
    while !fields.is_empty() {
        let field = fields.any().ok_or(malformed.clone())?;
        let Tag::ContextSpecific { constructed, number } = field.tag else { return Err(malformed) };
        let is_set = field.value != [0];
        match (number.value(), constructed) {
            (0, true) => {
                scope.names = full_name(field).ok_or(malformed.clone())?;
                if scope.names.is_empty() {
                    return Err(CrlError::Unsupported("distribution point relative to the issuer"));
                }
            }
            (1, false) => scope.users_only = is_set,
            (2, false) => scope.authorities_only = is_set,
            (3, false) => return Err(CrlError::Unsupported("only some reasons")),
            (4, false) if is_set => return Err(CrlError::Unsupported("indirect CRL")),
            (5, false) if is_set => return Err(CrlError::Unsupported("attribute certificates only")),
            (4 | 5, false) => {}
            _ => return Err(malformed),
        }
    }
    Ok(scope)
}
