//! Where things are in the file: the signatures in their prescribed places, and what each of them must cover. Found by
//! walking down from the root, never by id, so that nothing moved elsewhere is taken for the real thing.

use super::{
    super::{
        report::{Covers, Reason},
        uri::DSIG,
        xml::{Document, Node, NodeId, ids},
    },
    reasons::{
        ADDITIONAL_UNSIGNED, DOCUMENT_NOT_PLAIN, DUPLICATE_ID, MANAGEMENT_UNSIGNED, NOT_A_PRESCRIPTION,
        NOT_SIGNED, OTHER_UNSIGNED, SECOND_DOCUMENT, SIGNATURE_ELSEWHERE,
    },
};

/// A signature in its place, and the element that it must cover.
pub(super) struct Place<'d, 't> {
    pub(super) covers: Covers,
    pub(super) target: Node<'d, 't>,
    pub(super) signature: Node<'d, 't>,
}

/// The signatures of a file, the outermost first.
pub(super) fn find<'d, 't>(document: &'d Document<'t>) -> Result<Vec<Place<'d, 't>>, Reason> {
    let root = only(document.root(), "", "Document").ok_or(NOT_A_PRESCRIPTION)?;
    let mut places = Vec::new();
    let mut bodies =
        elements(root).filter(|node| is(*node, "", "Prescription") || is(*node, "", "Dispensing"));
    let prescription = match (bodies.next(), bodies.next()) {
        (Some(prescription), None) if is(prescription, "", "Prescription") => prescription,
        (Some(dispensing), None) => {
            places.push(dispensing_place(root, dispensing)?);
            let reference = only(dispensing, "", "ReferencePrescription").ok_or(NOT_A_PRESCRIPTION)?;
            only(reference, "", "Prescription").unwrap_or(reference)
        }
        _ => return Err(NOT_A_PRESCRIPTION),
    };
    places.push(prescription_place(prescription)?);
    Ok(places)
}

fn prescription_place<'d, 't>(prescription: Node<'d, 't>) -> Result<Place<'d, 't>, Reason> {
    let target = only(prescription, "", "PrescriptionDocument").ok_or(NOT_A_PRESCRIPTION)?;
    let holder = only(prescription, "", "PrescriptionSign").ok_or(NOT_SIGNED)?;
    if target.attribute("id") != Some("PrescriptionDocument") || target.only_text().is_none() {
        return Err(DOCUMENT_NOT_PLAIN);
    }
    Ok(Place { covers: Covers::Prescription, target, signature: only_signature(holder)? })
}

/// `DispensingSign` stands beside `Dispensing`, or in it, with an enveloped signature.
fn dispensing_place<'d, 't>(root: Node<'d, 't>, target: Node<'d, 't>) -> Result<Place<'d, 't>, Reason> {
    let mut holders =
        [root, target].into_iter().flat_map(elements).filter(|node| is(*node, "", "DispensingSign"));
    let (Some(holder), None) = (holders.next(), holders.next()) else { return Err(NOT_SIGNED) };
    if target.attribute("id") != Some("Dispensing") {
        return Err(DOCUMENT_NOT_PLAIN);
    }
    Ok(Place { covers: Covers::Dispensing, target, signature: only_signature(holder)? })
}

/// Notes on what stands beside the signed elements: the management service may add it, and nobody vouches for it. What
/// a dispensing file holds of its prescription is covered by the pharmacist's signature, but never by the doctor's.
pub(super) fn unsigned(document: &Document, places: &[Place]) -> Vec<Reason> {
    let mut notes = Vec::new();
    let parents = places.iter().filter_map(|place| place.target.parent());
    for element in elements(document.root()).chain(parents).flat_map(elements) {
        let holds_signed =
            places.iter().any(|p| p.signature.ancestors().chain(p.target.ancestors()).any(|a| a == element));
        let note = match element.name().local {
            _ if holds_signed => continue,
            "PrescriptionManagement" | "DispensingManagement" => MANAGEMENT_UNSIGNED,
            "AdditionalPrescriptionInformation" | "AdditionalDispensedInformation" => ADDITIONAL_UNSIGNED,
            _ => OTHER_UNSIGNED,
        };
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

fn only_signature<'d, 't>(holder: Node<'d, 't>) -> Result<Node<'d, 't>, Reason> {
    let signature = only(holder, DSIG, "Signature").ok_or(NOT_SIGNED)?;
    if elements(holder).count() == 1 { Ok(signature) } else { Err(SIGNATURE_ELSEWHERE) }
}

/// Every id of the file with its element, after checking that each is unique, that there is one PrescriptionDocument
/// and that no signature stands outside `places`.
pub(super) struct Ids<'d>(Vec<(&'d str, NodeId)>);

impl<'d> Ids<'d> {
    pub(super) fn collect(document: &'d Document, places: &[Place]) -> Result<Self, Reason> {
        /// Room for the ids of a signed prescription.
        const USUAL: usize = 16;
        let mut found = Vec::with_capacity(USUAL);
        let mut prescriptions = 0;
        for node in document.descendants().filter(Node::is_element) {
            found.extend(ids(node).map(|id| (id, node.id())));
            let name = node.name().local;
            prescriptions += usize::from(name == "PrescriptionDocument");
            if name == "DispensingDocument" && !is_in_its_place(node, places) {
                return Err(SECOND_DOCUMENT);
            }
            let is_signature = name == "Signature" && node.namespace() == DSIG;
            if is_signature && !places.iter().any(|place| place.signature.id() == node.id()) {
                return Err(SIGNATURE_ELSEWHERE);
            }
        }
        if prescriptions != 1 {
            return Err(SECOND_DOCUMENT);
        }
        found.sort_unstable_by_key(|(id, _)| *id);
        if found.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
            return Err(DUPLICATE_ID);
        }
        Ok(Self(found))
    }

    pub(super) fn get(&self, id: &str) -> Option<NodeId> {
        let at = self.0.binary_search_by_key(&id, |(id, _)| id).ok()?;
        self.0.get(at).map(|(_, node)| *node)
    }
}

/// Whether a DispensingDocument is the one child of this name of a signed Dispensing.
fn is_in_its_place(node: Node, places: &[Place]) -> bool {
    let dispensing = places.iter().find(|place| place.covers == Covers::Dispensing);
    dispensing.and_then(|place| only(place.target, "", "DispensingDocument")) == Some(node)
}

/// The children that are elements.
pub(super) fn elements<'d, 't: 'd>(node: Node<'d, 't>) -> impl Iterator<Item = Node<'d, 't>> {
    node.children().filter(Node::is_element)
}

/// The child element of this name, when there is exactly one.
#[inline]
pub(super) fn only<'d, 't>(node: Node<'d, 't>, namespace: &str, name: &str) -> Option<Node<'d, 't>> {
    let mut named = elements(node).filter(|child| is(*child, namespace, name));
    named.next().filter(|_| named.next().is_none())
}

/// Whether the element has this name. Inlined, comparisons with constants need no call.
#[inline]
pub(super) fn is(element: Node, namespace: &str, name: &str) -> bool {
    element.name().local == name && element.namespace() == namespace
}
