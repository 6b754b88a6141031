//! Any file → verdict. Comes in: a prescription or dispensing file with XAdES signatures of any level, form A or B.
//! Goes out: a [`Report`]. Refused: every file whose signatures do not cover exactly the elements they must, in their
//! prescribed places, with accepted algorithms, by a certificate that may make them (XML Signature 1.1, ETSI EN
//! 319 132-1; items 5.5.3 and 5.7 of the e-prescription specification). Timestamps (RFC 3161) are verified up to
//! their own roots; from a verified one on, certificates are judged as of its time.

mod checks;
mod judge;
mod places;
mod properties;
mod reasons;
mod signed_info;
mod stamps;
#[cfg(test)]
mod tests;

use time::OffsetDateTime;

pub use judge::Trust;
use places::{Ids, Place, elements, is};
use properties::Properties;
use reasons::{
    CERTIFICATE_MISMATCH, CERTIFICATE_UNREADABLE, DOCUMENT_CHANGED, DOCUMENT_UNREADABLE, KEY_INFO_CHANGED,
    PROPERTIES_CHANGED, REFERENCE_ELSEWHERE, REFERENCE_MISSING, SIGNATURE_VALUE, SIGNING_TIME_UNREADABLE,
    STRUCTURE,
};
use signed_info::{Reference, SignedInfo};
use stamps::{Stamped, Stamps};

use super::{
    base64::decode,
    c14n::Room,
    report::{Covers, Level, Reason, Report},
    uri::{DSIG, SIGNED_PROPERTIES_TYPE},
    xml::{Node, Text},
};
use crate::certificate::{Certificate, Crl};

/// Verifies a file at `trust.at` against `trust.roots`, without any network. Never fails: a file that is no
/// prescription at all gets a report that says so.
pub fn verify(file: &[u8], trust: &Trust) -> Report {
    match examine(file) {
        Err(reason) => Report::conclude(Vec::new(), vec![reason], None),
        Ok(File { signatures: mut examined, notes }) => {
            let document = examined.iter_mut().find_map(|signature| signature.document.take());
            let mut then = trust.at;
            let mut signatures = Vec::with_capacity(examined.len());
            for signature in examined {
                let report = judge::judge(signature, trust, then);
                // A timestamp of the outer signature proves that the inner one existed then.
                then = report.proven_at().unwrap_or(then);
                signatures.push(report);
            }
            Report::conclude(signatures, notes, document)
        }
    }
}

/// What cryptography and structure alone say of a file.
pub(super) struct File {
    /// The outermost first.
    pub(super) signatures: Vec<Examined>,
    /// What no signature of the prescription covers.
    notes: Vec<Reason>,
}

/// What cryptography and structure alone say of one signature.
pub(super) struct Examined {
    pub(super) covers: Covers,
    pub(super) level: Level,
    pub(super) signed_at: Option<OffsetDateTime>,
    /// The signing certificate, once it is the one that the signed properties name.
    pub(super) certificate: Option<Certificate>,
    /// Other certificates that the signature carries.
    pub(super) others: Vec<Certificate>,
    /// CRLs that the signature carries.
    pub(super) crls: Vec<Crl>,
    pub(super) stamps: Stamps,
    pub(super) reasons: Vec<Reason>,
    /// The CSV, when the signature is sound and over a prescription.
    pub(super) document: Option<String>,
}

/// Checks everything about a file's signatures but whether their certificates are to be trusted.
pub(super) fn examine(file: &[u8]) -> Result<File, Reason> {
    let text = Text::read(file).map_err(reasons::of_xml)?;
    let document = text.parse().map_err(reasons::of_xml)?;
    let places = places::find(&document)?;
    let ids = Ids::collect(&document, &places)?;
    let signatures = places.iter().map(|place| Examined::of(&ids, place)).collect();
    Ok(File { signatures, notes: places::unsigned(&document, &places) })
}

impl Examined {
    fn of(ids: &Ids, place: &Place) -> Self {
        let mut examined = Self {
            covers: place.covers,
            level: Level::Bes,
            signed_at: None,
            certificate: None,
            others: Vec::new(),
            crls: Vec::new(),
            stamps: Stamps::default(),
            reasons: Vec::new(),
            document: None,
        };
        if let Err(reason) = examined.check(ids, place) {
            examined.reasons.push(reason);
        }
        if examined.reasons.is_empty() && place.covers == Covers::Prescription {
            let csv = place.target.only_text().and_then(decode);
            let csv = csv.as_deref().and_then(|csv| simdutf8::basic::from_utf8(csv).ok());
            if csv.is_none() {
                examined.reasons.push(DOCUMENT_UNREADABLE);
            }
            examined.document = csv.map(str::to_owned);
        }
        if examined.signed_at.is_none() {
            examined.reasons.push(SIGNING_TIME_UNREADABLE);
        }
        examined
    }

    /// Stops at the first thing that leaves nothing further to be checked; what can be checked independently is
    /// listed together.
    fn check(&mut self, ids: &Ids, place: &Place) -> Result<(), Reason> {
        let signature = place.signature;
        let parts = Parts::of(signature)?;
        let properties = Properties::read(signature)?;
        self.level = properties.level;
        self.signed_at = properties.signed_at;
        let signed_info = SignedInfo::read(parts.signed_info)?;

        let (mut named, mut others) = (None, Vec::new());
        for certificate in read_certificates(key_info_certificates(parts.key_info)) {
            if properties.certificate.is_of(certificate.der()) {
                named.get_or_insert(certificate);
            } else {
                others.push(certificate);
            }
        }
        let Some(certificate) = named else {
            return Err(if others.is_empty() { CERTIFICATE_UNREADABLE } else { CERTIFICATE_MISMATCH });
        };
        self.others = others;
        self.others.extend(read_certificates(properties.certificate_values()));

        let expected = [
            (place.target, None, DOCUMENT_CHANGED),
            (properties.signed, Some(SIGNED_PROPERTIES_TYPE), PROPERTIES_CHANGED),
            (parts.key_info, None, KEY_INFO_CHANGED),
        ];
        let mut bound = [false; 3];
        let mut room = Room::default();
        for reference in &signed_info.references {
            let at = expected.iter().position(|(element, kind, _)| binds(reference, ids, *element, *kind));
            let (Some((element, _, changed)), Some(bound)) =
                (at.and_then(|at| expected.get(at)), at.and_then(|at| bound.get_mut(at)))
            else {
                return Err(REFERENCE_ELSEWHERE);
            };
            if std::mem::replace(bound, true) {
                return Err(REFERENCE_ELSEWHERE);
            }
            if !reference.matches(*element, signature, &mut room) {
                self.reasons.push(*changed);
            }
        }
        if !matches!(bound, [true, true, _]) {
            return Err(REFERENCE_MISSING);
        }

        let mut message = Vec::with_capacity(USUAL_SIGNED_INFO);
        room.write(parts.signed_info, None, &signed_info.form, &mut message);
        if certificate.verify_signature(signed_info.algorithm, &message, &parts.value).is_err() {
            self.reasons.push(SIGNATURE_VALUE);
        }
        self.certificate = Some(certificate);
        if let Some(added) = properties.added {
            self.crls = read_crls(properties.crl_values());
            let element = |reference: &Reference| {
                let bound = expected.iter().find(|(element, kind, _)| binds(reference, ids, *element, *kind));
                bound.map(|(element, ..)| *element)
            };
            let references = signed_info.references.iter().filter_map(|r| Some((r, element(r)?))).collect();
            self.stamps = Stamps::read(&Stamped { signature, references, added });
        }
        Ok(())
    }
}

/// Room for the canonical SignedInfo of three References, bytes.
const USUAL_SIGNED_INFO: usize = 2048;

/// Whether the Reference names this very element, as what it is. Other Types than SignedProperties' say nothing.
fn binds(reference: &Reference, ids: &Ids, element: Node, kind: Option<&str>) -> bool {
    let is_properties = reference.kind == Some(SIGNED_PROPERTIES_TYPE);
    ids.get(reference.id) == Some(element.id()) && is_properties == kind.is_some()
}

/// The children of a Signature (XML Signature 1.1 §4.2), in their order.
struct Parts<'d, 't> {
    signed_info: Node<'d, 't>,
    value: Vec<u8>,
    key_info: Node<'d, 't>,
}

impl<'d, 't> Parts<'d, 't> {
    fn of(signature: Node<'d, 't>) -> Result<Self, Reason> {
        let mut children = elements(signature);
        let mut next = |name| children.next().filter(|child| is(*child, DSIG, name)).ok_or(STRUCTURE);
        let signed_info = next("SignedInfo")?;
        let value = next("SignatureValue")?.only_text().and_then(decode).ok_or(STRUCTURE)?;
        let key_info = next("KeyInfo")?;
        if !children.all(|child| is(child, DSIG, "Object")) {
            return Err(STRUCTURE);
        }
        Ok(Self { signed_info, value, key_info })
    }
}

/// Base64 texts of the certificates in KeyInfo.
fn key_info_certificates<'d, 't: 'd>(key_info: Node<'d, 't>) -> impl Iterator<Item = Option<&'d str>> {
    let data = elements(key_info).filter(|child| is(*child, DSIG, "X509Data")).flat_map(elements);
    data.filter(|child| is(*child, DSIG, "X509Certificate")).map(Node::only_text)
}

/// Those that are readable, of the first few: each costs parsing and a digest.
fn read_certificates<'d>(texts: impl Iterator<Item = Option<&'d str>>) -> impl Iterator<Item = Certificate> {
    /// Two paths, each with its root, and some to spare.
    const MAX_CERTIFICATES: usize = 16;
    let read = |text: Option<&str>| Certificate::from_vec(decode(text?)?).ok();
    texts.take(MAX_CERTIFICATES).filter_map(read)
}

fn read_crls<'d>(texts: impl Iterator<Item = Option<&'d str>>) -> Vec<Crl> {
    /// One for each CA of two paths, and some to spare.
    const MAX_CRLS: usize = 16;
    let read = |text: Option<&str>| Crl::from_der(&decode(text?)?).ok();
    texts.take(MAX_CRLS).filter_map(read).collect()
}
