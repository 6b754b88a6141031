//! SignedInfo (XML Signature 1.1 §4.4): read strictly, every algorithm looked up in the list of those accepted.

use super::{
    super::{
        base64::decode,
        c14n::{Form, Hasher, Method, Room},
        report::Reason,
        uri::{self, DSIG, ENVELOPED_SIGNATURE, EXCLUSIVE_C14N},
        xml::Node,
    },
    places::{elements, is, only},
    reasons::{ALGORITHM, DIGEST_METHOD, SIGNATURE_METHOD, STRUCTURE, TRANSFORM},
};
use crate::certificate::SignatureAlgorithm;

/// SignedInfo, understood.
pub(super) struct SignedInfo<'d> {
    pub(super) form: Form<'d>,
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) references: Vec<Reference<'d>>,
}

/// One Reference.
pub(super) struct Reference<'d> {
    /// The id that its URI names.
    pub(super) id: &'d str,
    pub(super) kind: Option<&'d str>,
    enveloped: bool,
    /// The canonicalisation among the transforms.
    form: Option<Form<'d>>,
    digest: Digest,
}

/// A digest algorithm and value.
pub(super) struct Digest {
    algorithm: &'static ring::digest::Algorithm,
    value: Vec<u8>,
}

/// More references than any signature here has; each of them costs a digest.
const MAX_REFERENCES: usize = 8;
/// Document, KeyInfo, SignedProperties.
const USUAL_REFERENCES: usize = 3;

impl<'d> SignedInfo<'d> {
    pub(super) fn read(signed_info: Node<'d, '_>) -> Result<Self, Reason> {
        let mut children = elements(signed_info);
        let mut next = |name| children.next().filter(|child| is(*child, DSIG, name)).ok_or(STRUCTURE);
        let form = canonicalization(next("CanonicalizationMethod")?, true)?.ok_or(ALGORITHM)?;
        let method = next("SignatureMethod")?;
        if elements(method).next().is_some() {
            return Err(SIGNATURE_METHOD);
        }
        let algorithm = method.attribute("Algorithm").and_then(uri::signature).ok_or(SIGNATURE_METHOD)?;
        let mut references = Vec::with_capacity(USUAL_REFERENCES);
        for reference in children {
            if references.len() == MAX_REFERENCES || !is(reference, DSIG, "Reference") {
                return Err(STRUCTURE);
            }
            references.push(Reference::read(reference)?);
        }
        Ok(Self { form, algorithm, references })
    }
}

impl<'d> Reference<'d> {
    fn read(reference: Node<'d, '_>) -> Result<Self, Reason> {
        let id = reference.attribute("URI").and_then(|uri| uri.strip_prefix('#')).ok_or(STRUCTURE)?;
        let (mut transforms, mut method, mut value) = (None, None, None);
        for child in elements(reference) {
            let part = match child.name().local {
                "Transforms" => &mut transforms,
                "DigestMethod" => &mut method,
                "DigestValue" => &mut value,
                _ => return Err(STRUCTURE),
            };
            if child.namespace() != DSIG || part.replace(child).is_some() {
                return Err(STRUCTURE);
            }
        }
        let digest = Digest::of(method.ok_or(STRUCTURE)?, value.ok_or(STRUCTURE)?)?;
        let mut parts = Self { id, kind: reference.attribute("Type"), enveloped: false, form: None, digest };
        let Some(transforms) = transforms else { return Ok(parts) };
        let mut transforms = elements(transforms).peekable();
        let is_enveloped = |node: &Node| node.attribute("Algorithm") == Some(ENVELOPED_SIGNATURE);
        if let Some(enveloped) = transforms.next_if(is_enveloped) {
            if !is(enveloped, DSIG, "Transform") || elements(enveloped).next().is_some() {
                return Err(TRANSFORM);
            }
            parts.enveloped = true;
        }
        if let Some(transform) = transforms.next() {
            if !is(transform, DSIG, "Transform") {
                return Err(TRANSFORM);
            }
            parts.form = Some(canonicalization(transform, false)?.ok_or(TRANSFORM)?);
        }
        if transforms.next().is_some() { Err(TRANSFORM) } else { Ok(parts) }
    }

    /// Whether the element, as it stands in the document, has this Reference's digest. `signature` is the Signature
    /// that the Reference belongs to.
    pub(super) fn matches<'t>(
        &self,
        element: Node<'d, 't>,
        signature: Node<'d, 't>,
        room: &mut Room<'d>,
    ) -> bool {
        if self.enveloped && !signature.ancestors().any(|ancestor| ancestor == element) {
            return false;
        }
        let mut hasher = Hasher::new(self.digest.algorithm);
        self.write(element, signature, &Form::INCLUSIVE, room, &mut hasher);
        self.digest.is(&hasher.finish())
    }

    /// What the transforms make of the element; `form` is used where they leave it without a canonical form.
    pub(super) fn write<'t>(
        &self,
        element: Node<'d, 't>,
        signature: Node<'d, 't>,
        form: &Form,
        room: &mut Room<'d>,
        sink: &mut Hasher,
    ) {
        let without = self.enveloped.then(|| signature.id());
        room.write(element, without, self.form.as_ref().unwrap_or(form), sink);
    }
}

impl Digest {
    /// Of DigestMethod and DigestValue below `parent`.
    pub(super) fn read(parent: Node) -> Result<Self, Reason> {
        let method = only(parent, DSIG, "DigestMethod").ok_or(STRUCTURE)?;
        let value = only(parent, DSIG, "DigestValue").ok_or(STRUCTURE)?;
        Self::of(method, value)
    }

    fn of(method: Node, value: Node) -> Result<Self, Reason> {
        let algorithm = method.attribute("Algorithm").and_then(uri::digest).ok_or(DIGEST_METHOD)?;
        let value = value.only_text().and_then(decode).ok_or(STRUCTURE)?;
        Ok(Self { algorithm, value })
    }

    pub(super) fn is_of(&self, bytes: &[u8]) -> bool {
        self.is(&ring::digest::digest(self.algorithm, bytes))
    }

    fn is(&self, digest: &ring::digest::Digest) -> bool {
        digest.as_ref() == self.value
    }
}

/// `None` when the algorithm is no accepted canonicalisation. A same-document Reference never sees comments, whatever
/// its transform is called (XML Signature 1.1 §4.4.3.3).
pub(super) fn canonicalization<'d>(
    node: Node<'d, '_>,
    keeps_comments: bool,
) -> Result<Option<Form<'d>>, Reason> {
    let Some((method, with_comments)) = node.attribute("Algorithm").and_then(uri::canonicalization) else {
        return Ok(None);
    };
    let mut children = elements(node);
    let inclusive_prefixes = match children.next() {
        None => Vec::new(),
        Some(list) if method == Method::Exclusive && is(list, EXCLUSIVE_C14N, "InclusiveNamespaces") => {
            list.attribute("PrefixList").unwrap_or_default().split_ascii_whitespace().collect()
        }
        Some(_) => return Err(STRUCTURE),
    };
    if children.next().is_some() {
        return Err(STRUCTURE);
    }
    Ok(Some(Form { method, with_comments: with_comments && keeps_comments, inclusive_prefixes }))
}
