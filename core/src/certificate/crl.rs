//! One certificate revocation list (RFC 5280 §5), read once.

use std::sync::Arc;

use der::Tag;
use time::OffsetDateTime;

use super::{
    distribution_point::{Reasons, Scope},
    extension::entry,
    general_name::GeneralName,
    key::{SignatureAlgorithm, unsigned},
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

/// A CRL, complete or delta, parsed; its signature is judged where it is used. Cheap to clone.
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
    /// Those that certificateIssuer names in an indirect CRL (§5.3.3).
    entry_issuers: Vec<Name>,
    extensions: CrlExtensions,
}

/// One revoked certificate.
pub(super) struct Entry {
    serial_number: Box<[u8]>,
    /// Whose certificate: a place in the list of entry issuers; none is the CRL's own issuer.
    issuer: Option<usize>,
    pub(super) at: OffsetDateTime,
    pub(super) reason: RevocationReason,
}

/// What the extensions of a CRL say (§5.2).
struct CrlExtensions {
    scope: Scope,
    /// The value from which `scope` was read: a delta CRL must have the same (§5.2.4).
    distribution_point: Option<Vec<u8>>,
    /// Big-endian, no sign octet.
    number: Option<Vec<u8>>,
    /// BaseCRLNumber; only a delta CRL has one.
    base_number: Option<Vec<u8>>,
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
    /// Of a kind that is not supported: an entry of another issuer in a CRL that does not say it is indirect.
    #[error("unsupported kind of CRL: {0}")]
    Unsupported(&'static str),
    /// A critical extension, of the CRL or of an entry, that no rule applies, by OID.
    #[error("unknown critical extension {0} in the CRL")]
    UnknownCriticalExtension(String),
}

impl Crl {
    /// Parses exactly one CRL, complete or delta, at most 8 MiB.
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
        self.0.issuer.text()
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

    pub(super) fn issuer(&self) -> &Name {
        &self.0.issuer
    }

    /// A delta CRL: only what has changed since another (§5.2.4).
    pub(super) fn is_delta(&self) -> bool {
        self.0.extensions.base_number.is_some()
    }

    /// A delta CRL that continues `base`: same issuer, same scope, its base not after `base` (§6.3.3 (c)).
    pub(super) fn continues(&self, base: &Crl) -> bool {
        let (delta, complete) = (&self.0.extensions, &base.0.extensions);
        let numbers = (delta.base_number.as_deref(), complete.number.as_deref(), delta.number.as_deref());
        let (Some(from), Some(at), Some(to)) = numbers else { return false };
        let order = |number: &[u8]| (number.len(), number.to_vec());
        order(from) <= order(at)
            && order(at) <= order(to)
            && delta.distribution_point == complete.distribution_point
            && self.0.issuer.matches(&base.0.issuer)
    }

    /// For which reasons this CRL speaks about `certificate`: issuer, kind, distribution point.
    pub(super) fn covers(&self, certificate: &Certificate) -> Reasons {
        let extensions = certificate.extensions();
        let points = &extensions.distribution_points;
        self.0.extensions.scope.covers(&self.0.issuer, certificate.issuer(), points, extensions.is_ca())
    }

    /// What it says about `certificate`, which it must cover. Of several entries the earliest that revokes counts.
    pub(super) fn entry(&self, certificate: &Certificate) -> Option<&Entry> {
        let serial_number = certificate.serial_number_octets();
        let issuer = |entry: &Entry| match entry.issuer {
            Some(at) => self.0.entry_issuers.get(at),
            None => Some(&self.0.issuer),
        };
        let entries = self.0.revoked.iter().filter(|entry| {
            *entry.serial_number == *serial_number
                && issuer(entry).is_some_and(|name| name.matches(certificate.issuer()))
        });
        entries.min_by_key(|entry| (entry.reason == RevocationReason::RemoveFromCrl, entry.at))
    }
}

/// Issuer and time.
impl std::fmt::Debug for Crl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Crl({}, {})", self.0.issuer.text(), self.0.this_update)
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
    let revoked = tbs.optional(Tag::Sequence);
    let extensions = extensions(tbs.optional(context(0)), &issuer)?;
    tbs.finish().ok_or(CrlError::Malformed("tbsCertList"))?;
    let mut entry_issuers = Vec::new();
    let is_indirect = extensions.scope.is_indirect;
    let revoked = match revoked {
        Some(list) => entries(list, is_indirect, &mut entry_issuers)?,
        None => Vec::new(),
    };
    Ok(Fields {
        tbs: outer.tbs.raw.to_vec(),
        signature: outer.signature.to_vec(),
        signature_algorithm: SignatureAlgorithm::from_identifier(outer.algorithm),
        issuer,
        this_update,
        next_update,
        revoked,
        entry_issuers,
        extensions,
    })
}

/// revokedCertificates. In an indirect CRL an entry without certificateIssuer has that of the entry before (§5.3.3).
fn entries(list: Tlv, is_indirect: bool, issuers: &mut Vec<Name>) -> Result<Vec<Entry>, CrlError> {
    let malformed = || CrlError::Malformed("revokedCertificates");
    let mut elements = list.open().ok_or_else(malformed)?;
    let mut entries = Vec::new();
    while !elements.is_empty() {
        let mut fields = elements.expect(Tag::Sequence).and_then(Tlv::open).ok_or_else(malformed)?;
        let serial_number = fields.expect(Tag::Integer).ok_or_else(malformed)?;
        let at = fields.any().and_then(Tlv::time).ok_or_else(malformed)?;
        let about = fields.optional(Tag::Sequence).map_or_else(|| Ok(About::default()), about)?;
        fields.finish().ok_or_else(malformed)?;
        if let Some(issuer) = about.issuer {
            if !is_indirect {
                return Err(CrlError::Unsupported("entry of another issuer"));
            }
            issuers.push(issuer);
        }
        let serial_number = serial_number.value.into();
        entries.push(Entry { serial_number, issuer: issuers.len().checked_sub(1), at, reason: about.reason });
    }
    Ok(entries)
}

/// What the extensions of an entry say.
struct About {
    reason: RevocationReason,
    issuer: Option<Name>,
}

impl Default for About {
    fn default() -> Self {
        Self { reason: RevocationReason::Unspecified, issuer: None }
    }
}

/// crlEntryExtensions (§5.3).
fn about(extensions: Tlv) -> Result<About, CrlError> {
    let malformed = || CrlError::Malformed("crlEntryExtensions");
    let mut about = About::default();
    for element in extensions.all(Tag::Sequence).ok_or_else(malformed)? {
        let (oid, critical, value) = entry(element).ok_or_else(malformed)?;
        match oid {
            REASON_CODE => {
                about.reason = Tlv::only(value, Tag::Enumerated)
                    .and_then(|code| RevocationReason::from_code(code.value))
                    .ok_or(CrlError::Malformed("reasonCode"))?;
            }
            CERTIFICATE_ISSUER => {
                let names = Tlv::only(value, Tag::Sequence).and_then(|names| GeneralName::all(names.value));
                let name = names.iter().flatten().find_map(GeneralName::directory);
                about.issuer = Some(name.ok_or(CrlError::Malformed("certificateIssuer"))?);
            }
            unknown if critical => return Err(CrlError::UnknownCriticalExtension(dotted(unknown))),
            _ => {}
        }
    }
    Ok(about)
}

/// crlExtensions (§5.2).
fn extensions(explicit: Option<Tlv>, issuer: &Name) -> Result<CrlExtensions, CrlError> {
    let malformed = || CrlError::Malformed("crlExtensions");
    let mut extensions =
        CrlExtensions { scope: Scope::whole(), distribution_point: None, number: None, base_number: None };
    let Some(explicit) = explicit else { return Ok(extensions) };
    let elements = Tlv::only(explicit.value, Tag::Sequence).and_then(|list| list.all(Tag::Sequence));
    let mut seen: Vec<&[u8]> = Vec::new();
    for element in elements.ok_or_else(malformed)? {
        let (oid, critical, value) = entry(element).ok_or_else(malformed)?;
        if seen.contains(&oid) {
            return Err(malformed());
        }
        seen.push(oid);
        match oid {
            ISSUING_DISTRIBUTION_POINT => {
                let scope = Scope::parse(value, issuer);
                extensions.scope = scope.ok_or(CrlError::Malformed("issuingDistributionPoint"))?;
                extensions.distribution_point = Some(value.to_vec());
            }
            DELTA_CRL_INDICATOR => extensions.base_number = Some(number(value)?),
            CRL_NUMBER => extensions.number = Some(number(value)?),
            unknown if critical => return Err(CrlError::UnknownCriticalExtension(dotted(unknown))),
            _ => {}
        }
    }
    Ok(extensions)
}

/// A CRL number, which is not negative.
fn number(value: &[u8]) -> Result<Vec<u8>, CrlError> {
    Tlv::only(value, Tag::Integer)
        .map(|number| number.value)
        .filter(|number| number.first().is_some_and(|first| *first < 0x80))
        .map(|number| unsigned(number).to_vec())
        .ok_or(CrlError::Malformed("cRLNumber"))
}

#[cfg(test)]
mod tests;
