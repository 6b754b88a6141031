//! QualifyingProperties (ETSI EN 319 132-1, TS 101 903): what the signer claims under the signature, and what was
//! added to it later.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    super::{
        report::{Level, Reason},
        uri::{DSIG, XADES, XADES_141},
        xml::Node,
    },
    places::{elements, is, only},
    reasons::{CERTIFICATE_NOT_NAMED, STRUCTURE},
    signed_info::Digest,
};

/// The properties of one signature.
pub(super) struct Properties<'d, 't> {
    pub(super) signed: Node<'d, 't>,
    /// SigningTime; `None` when missing or unreadable.
    pub(super) signed_at: Option<OffsetDateTime>,
    /// Digest of the signing certificate's DER.
    pub(super) certificate: Digest,
    pub(super) level: Level,
    /// UnsignedSignatureProperties, added after signing.
    pub(super) added: Option<Node<'d, 't>>,
}

impl<'d, 't> Properties<'d, 't> {
    /// The one QualifyingProperties in an Object of this signature, which must name the signature as its Target.
    pub(super) fn read(signature: Node<'d, 't>) -> Result<Self, Reason> {
        let mut found = elements(signature)
            .filter(|child| is(*child, DSIG, "Object"))
            .flat_map(elements)
            .filter(|child| is(*child, XADES, "QualifyingProperties"));
        let (Some(properties), None) = (found.next(), found.next()) else { return Err(STRUCTURE) };
        let target = properties.attribute("Target").and_then(|target| target.strip_prefix('#'));
        if target.is_none() || target != signature.attribute("Id") {
            return Err(STRUCTURE);
        }
        let signed = only(properties, XADES, "SignedProperties").ok_or(STRUCTURE)?;
        let claims = only(signed, XADES, "SignedSignatureProperties").ok_or(STRUCTURE)?;
        let mut times = elements(claims).filter(|claim| is(*claim, XADES, "SigningTime"));
        let signed_at = match (times.next(), times.next()) {
            (None, _) => None,
            // A comment does not break the digest: nobody may use one to take the time out of sight.
            (Some(time), None) => {
                let text = time.only_text().ok_or(STRUCTURE)?;
                OffsetDateTime::parse(text.trim(), &Rfc3339).ok()
            }
            (Some(_), Some(_)) => return Err(STRUCTURE),
        };
        // IssuerSerial adds nothing to a digest of the whole certificate, and is passed over.
        let certificate = only(claims, XADES, "SigningCertificateV2")
            .xor(only(claims, XADES, "SigningCertificate"))
            .and_then(|list| elements(list).next())
            .filter(|cert| is(*cert, XADES, "Cert"))
            .and_then(|cert| only(cert, XADES, "CertDigest"))
            .ok_or(CERTIFICATE_NOT_NAMED)?;
        let added = only(properties, XADES, "UnsignedProperties")
            .and_then(|unsigned| only(unsigned, XADES, "UnsignedSignatureProperties"));
        Ok(Self { signed, signed_at, certificate: Digest::read(certificate)?, level: level(added), added })
    }

    /// Base64 texts of the certificates that were added.
    pub(super) fn certificate_values(&self) -> impl Iterator<Item = Option<&'d str>> + use<'d, 't> {
        let values = self.validation_data().filter(|data| is(*data, XADES, "CertificateValues"));
        let values = values.flat_map(elements).filter(|c| is(*c, XADES, "EncapsulatedX509Certificate"));
        values.map(Node::only_text)
    }

    /// Base64 texts of the CRLs that were added.
    pub(super) fn crl_values(&self) -> impl Iterator<Item = Option<&'d str>> + use<'d, 't> {
        let values = self.validation_data().filter(|data| is(*data, XADES, "RevocationValues"));
        let lists = values.flat_map(elements).filter(|list| is(*list, XADES, "CRLValues"));
        let crls = lists.flat_map(elements).filter(|crl| is(*crl, XADES, "EncapsulatedCRLValue"));
        crls.map(Node::only_text)
    }

    /// The properties that were added, those for the timestamps among them (EN 319 132-1 §5.5.1).
    fn validation_data(&self) -> impl Iterator<Item = Node<'d, 't>> + use<'d, 't> {
        self.added.into_iter().flat_map(elements).flat_map(|property| {
            let is_for_timestamps = is(property, XADES_141, "TimeStampValidationData");
            let inner = is_for_timestamps.then(|| elements(property));
            std::iter::once(property).chain(inner.into_iter().flatten())
        })
    }
}

/// How far the properties that were added extend the signature.
fn level(added: Option<Node>) -> Level {
    let level_of = |property: Node| match (property.namespace(), property.name().local) {
        (XADES | XADES_141, "ArchiveTimeStamp") => Level::A,
        (XADES, "CertificateValues" | "RevocationValues") => Level::Xl,
        (XADES, "SignatureTimeStamp") => Level::T,
        _ => Level::Bes,
    };
    added.into_iter().flat_map(elements).map(level_of).max().unwrap_or(Level::Bes)
}
