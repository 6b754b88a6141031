//! Timestamps among the unsigned properties: which bytes each of them must stand for (ETSI EN 319 132-1 §5.3 and
//! §5.5.2), and from which moment on the signature is proven to have existed.

use time::OffsetDateTime;

use super::{
    super::{
        base64::decode,
        c14n::{Form, Hasher, Room},
        report::Reason,
        timestamp::{Knowledge, Token, judge},
        uri::{DSIG, XADES, XADES_141},
        xml::Node,
    },
    places::{elements, is},
    reasons::{self, TIMESTAMP_ALGORITHM, TIMESTAMP_IMPRINT, TIMESTAMP_STRUCTURE},
    signed_info::{Reference, canonicalization},
};

/// Most timestamps read from one signature: each archive timestamp costs a digest over everything before it. One is added
/// every few years.
const MAX_STAMPS: usize = 16;
/// EncapsulatedTimeStamp holds DER, also when it says so (TS 101 903 §7.1.4).
const DER_ENCODING: &str = "http://uri.etsi.org/01903/v1.2.2#DER";

/// A signature and its properties, as timestamps cover them.
pub(super) struct Stamped<'x, 'd, 't> {
    pub(super) signature: Node<'d, 't>,
    /// With the elements that they bind, in the order of SignedInfo.
    pub(super) references: Vec<(&'x Reference<'d>, Node<'d, 't>)>,
    /// UnsignedSignatureProperties.
    pub(super) added: Node<'d, 't>,
}

/// The timestamps of one signature, each kind in its order.
#[derive(Default)]
pub(in crate::signature) struct Stamps {
    signature: Vec<Stamp>,
    archive: Vec<Stamp>,
}

struct Stamp {
    token: Result<Token, Reason>,
    /// The token's imprint is that of the bytes that it must cover.
    covers: bool,
}

/// What the timestamps are worth.
pub(super) struct Findings {
    /// The earliest proven time.
    pub(super) time: Option<OffsetDateTime>,
    /// About signature timestamps; `None` when there is none.
    pub(super) signature: Option<Vec<Reason>>,
    /// About archive timestamps; `None` when there is none.
    pub(super) archive: Option<Vec<Reason>>,
}

impl Stamps {
    pub(super) fn read(stamped: &Stamped) -> Self {
        let mut stamps = Self::default();
        let properties: Vec<Node> = elements(stamped.added).collect();
        for (at, property) in properties.iter().enumerate() {
            let before = properties.get(..at).unwrap_or_default();
            if is(*property, XADES, "SignatureTimeStamp") {
                let stamp = Stamp::read(*property, |form, sink| stamped.write_value(form, sink));
                stamps.signature.push(stamp);
            } else if [XADES_141, XADES].iter().any(|edition| is(*property, edition, "ArchiveTimeStamp")) {
                let stamp = Stamp::read(*property, |form, sink| {
                    stamped.write_all(before, form, sink);
                });
                stamps.archive.push(stamp);
            }
            if stamps.signature.len() + stamps.archive.len() > MAX_STAMPS {
                stamps.archive.push(Stamp { token: Err(TIMESTAMP_STRUCTURE), covers: false });
                break;
            }
        }
        stamps
    }

    /// From the last to the first: each timestamp must have been good when the next one was made over it, and the last one
    /// `then`.
    pub(super) fn judge(&self, known: &Knowledge, then: OffsetDateTime) -> Findings {
        let (mut time, mut archive, mut signature) = (None, Vec::new(), Vec::new());
        for stamp in self.archive.iter().rev() {
            match stamp.judge(known, time.unwrap_or(then)) {
                Ok(proven) => time = Some(proven),
                Err(reason) => archive.push(reason),
            }
        }
        let then = time.unwrap_or(then);
        for stamp in &self.signature {
            match stamp.judge(known, then) {
                Ok(proven) => time = Some(time.map_or(proven, |earlier| earlier.min(proven))),
                Err(reason) => signature.push(reason),
            }
        }
        let found = |stamps: &[Stamp], reasons| (!stamps.is_empty()).then_some(reasons);
        Findings {
            time,
            signature: found(&self.signature, signature),
            archive: found(&self.archive, archive),
        }
    }
}

impl Stamp {
    /// XAdESTimeStampType with one token and nothing that chooses other data (`Include`, `ReferenceInfo`). `write` gives
    /// the bytes to be covered.
    fn read(property: Node, write: impl Fn(&Form, &mut Hasher)) -> Self {
        let read = || {
            let mut children = elements(property).peekable();
            let form = match children.next_if(|child| is(*child, DSIG, "CanonicalizationMethod")) {
                Some(method) => canonicalization(method, true)
                    .map_err(|_| TIMESTAMP_STRUCTURE)?
                    .ok_or(TIMESTAMP_ALGORITHM)?,
                None => Form::INCLUSIVE,
            };
            let (Some(token), None) = (children.next(), children.next()) else {
                return Err(TIMESTAMP_STRUCTURE);
            };
            let is_der = token.attribute("Encoding").is_none_or(|encoding| encoding == DER_ENCODING);
            if !is(token, XADES, "EncapsulatedTimeStamp") || !is_der {
                return Err(TIMESTAMP_STRUCTURE);
            }
            let der = token.only_text().and_then(decode).ok_or(TIMESTAMP_STRUCTURE)?;
            let token = Token::read(&der).map_err(reasons::of_token)?;
            let mut imprint = Hasher::new(token.imprint_algorithm());
            write(&form, &mut imprint);
            let covers = token.stands_for(&imprint.finish());
            Ok((token, covers))
        };
        match read() {
            Ok((token, covers)) => Self { token: Ok(token), covers },
            Err(reason) => Self { token: Err(reason), covers: false },
        }
    }

    fn judge(&self, known: &Knowledge, then: OffsetDateTime) -> Result<OffsetDateTime, Reason> {
        let token = self.token.as_ref().map_err(|reason| *reason)?;
        if !self.covers {
            return Err(TIMESTAMP_IMPRINT);
        }
        judge(token, known, then).map_err(reasons::of_authority)
    }
}

impl Stamped<'_, '_, '_> {
    /// What a SignatureTimeStamp covers (§5.3).
    fn write_value(&self, form: &Form, sink: &mut Hasher) {
        for value in elements(self.signature).filter(|child| is(*child, DSIG, "SignatureValue")) {
            Room::default().write(value, None, form, sink);
        }
    }

    /// What an ArchiveTimeStamp after the properties `before` covers (§5.5.2.2). That of XAdES 1.3.2 covers the same where
    /// all properties have one parent, as here (TS 101 903 V1.3.2 §7.7.1).
    fn write_all(&self, before: &[Node], form: &Form, sink: &mut Hasher) {
        let mut room = Room::default();
        for (reference, element) in &self.references {
            reference.write(*element, self.signature, form, &mut room, sink);
        }
        let is_object = |child: &Node| is(*child, DSIG, "Object");
        let has_properties = |object: &Node| elements(*object).any(|c| is(c, XADES, "QualifyingProperties"));
        let parts = elements(self.signature).filter(|child| !is_object(child));
        let objects = elements(self.signature).filter(|child| is_object(child) && !has_properties(child));
        for element in parts.chain(before.iter().copied()).chain(objects) {
            room.write(element, None, form, sink);
        }
    }
}

#[cfg(test)]
mod tests;
