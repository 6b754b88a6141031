//! Name constraints (RFC 5280 §4.2.1.10): which names a CA's certificates may bear. Directory names, mail addresses,
//! host names, URIs and IP addresses are compared; a name of a kind, or under a constraint of a form, that is not
//! compared is refused.

use der::Tag;

use super::{
    extension::SUBJECT_ALT_NAME,
    general_name::{DIRECTORY_NAME, DNS_NAME, GeneralName, IP_ADDRESS, RFC822_NAME, URI},
    name::{EMAIL_ADDRESS, Name},
    tlv::{Tlv, context},
    x509::Certificate,
};

/// Most subtrees of one certificate, and most names of one: the comparisons are their product.
pub(super) const MAX_NAMES: usize = 256;

/// What one certificate demands of those below it.
pub(super) struct NameConstraints {
    permitted: Vec<Subtree>,
    excluded: Vec<Subtree>,
}

struct Subtree {
    /// Tag number of the GeneralName.
    kind: u8,
    base: Base,
}

enum Base {
    Mail(String),
    Host(String),
    Directory(Name),
    Uri(String),
    Address(Vec<u8>),
    /// Another kind, or a depth, which the profile forbids (minimum 0, no maximum).
    Unsupported,
}

/// A name that stands in a certificate.
enum Bearer<'a> {
    General(GeneralName<'a>),
    Subject(&'a Name),
    /// emailAddress in the subject; `None` where it is no text.
    SubjectMail(Option<String>),
}

impl NameConstraints {
    /// Fields `permittedSubtrees [0]` and `excludedSubtrees [1]`, at least one of them.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let mut fields = Tlv::only(value, Tag::Sequence)?.open()?;
        let permitted = fields.optional(context(0));
        let excluded = fields.optional(context(1));
        fields.finish()?;
        if permitted.is_none() && excluded.is_none() {
            return None;
        }
        let subtrees = |field: Option<Tlv>| field.map_or(Some(Vec::new()), subtrees);
        Some(Self { permitted: subtrees(permitted)?, excluded: subtrees(excluded)? })
    }

    fn len(&self) -> usize {
        self.permitted.len() + self.excluded.len()
    }

    /// Every name is inside a permitted subtree, where there are any of its kind, and outside all excluded ones.
    fn allow(&self, name: &Bearer) -> bool {
        let of_kind = |subtree: &&Subtree| subtree.kind == name.kind();
        let mut permitted = self.permitted.iter().filter(of_kind).peekable();
        // What cannot be compared is neither inside nor outside.
        let is_permitted =
            permitted.peek().is_none() || permitted.any(|s| name.is_within(&s.base) == Some(true));
        is_permitted && self.excluded.iter().filter(of_kind).all(|s| name.is_within(&s.base) == Some(false))
    }
}

/// Whether `certificate` keeps all of `constraints`. `None` means that there is too much to compare.
pub(super) fn are_kept(constraints: &[&NameConstraints], certificate: &Certificate) -> Option<bool> {
    if constraints.is_empty() {
        return Some(true);
    }
    let Some(names) = names(certificate) else { return Some(false) };
    if names.len() > MAX_NAMES || constraints.iter().any(|c| c.len() > MAX_NAMES) {
        return None;
    }
    Some(constraints.iter().all(|constraints| names.iter().all(|name| constraints.allow(name))))
}

/// The subject, its mail addresses and subjectAltName (§6.1.3 (b)). Mail addresses in the subject count even beside
/// an alternative name, which is stricter than the standard.
fn names(certificate: &Certificate) -> Option<Vec<Bearer<'_>>> {
    let subject = certificate.subject();
    let mut names = Vec::new();
    if !subject.is_empty() {
        names.push(Bearer::Subject(subject));
    }
    names.extend(subject.texts(EMAIL_ADDRESS).into_iter().map(Bearer::SubjectMail));
    if let Some(value) = certificate.extensions().value(SUBJECT_ALT_NAME) {
        let alternatives = GeneralName::all(Tlv::only(value, Tag::Sequence)?.value)?;
        names.extend(alternatives.into_iter().map(Bearer::General));
    }
    Some(names)
}

impl Bearer<'_> {
    fn kind(&self) -> u8 {
        match self {
            Self::General(name) => name.kind,
            Self::Subject(_) => DIRECTORY_NAME,
            Self::SubjectMail(_) => RFC822_NAME,
        }
    }

    /// `None` when that cannot be said.
    fn is_within(&self, base: &Base) -> Option<bool> {
        match (self, base) {
            (Self::Subject(name), Base::Directory(base)) => Some(name.is_within(base)),
            (Self::SubjectMail(mail), Base::Mail(base)) => is_mail_within(mail.as_deref()?, base),
            (Self::General(name), Base::Directory(base)) => Some(name.directory()?.is_within(base)),
            (Self::General(name), Base::Mail(base)) => is_mail_within(name.text()?, base),
            (Self::General(name), Base::Host(base)) => Some(is_host_within(host(name.text()?)?, base)),
            (Self::General(name), Base::Uri(base)) => {
                Some(is_host_or_below(host_of_uri(name.text()?)?, base))
            }
            (Self::General(name), Base::Address(base)) => is_address_within(name.value, base),
            _ => None,
        }
    }
}

fn subtrees(field: Tlv) -> Option<Vec<Subtree>> {
    let mut elements = field.open()?;
    let mut subtrees = Vec::new();
    while !elements.is_empty() {
        let mut fields = elements.expect(Tag::Sequence)?.open()?;
        let name = GeneralName::from_tlv(fields.any()?)?;
        // minimum and maximum: present means other than the default in DER.
        let base = if fields.is_empty() { base(&name)? } else { Base::Unsupported };
        subtrees.push(Subtree { kind: name.kind, base });
    }
    (!subtrees.is_empty()).then_some(subtrees)
}

fn base(name: &GeneralName) -> Option<Base> {
    Some(match name.kind {
        DIRECTORY_NAME => Base::Directory(name.directory()?),
        RFC822_NAME => Base::Mail(name.text()?.to_owned()),
        DNS_NAME => Base::Host(name.text()?.to_owned()),
        URI => Base::Uri(name.text()?.to_owned()),
        IP_ADDRESS if matches!(name.value.len(), 8 | 32) => Base::Address(name.value.to_vec()),
        IP_ADDRESS => return None,
        _ => Base::Unsupported,
    })
}

/// A host name or one mailbox; `.domain` for the mailboxes of all hosts below it.
fn is_mail_within(mail: &str, base: &str) -> Option<bool> {
    let (local, mail_host) = mail.rsplit_once('@').filter(|(local, _)| !local.is_empty())?;
    let mail_host = host(mail_host)?;
    Some(match base.rsplit_once('@') {
        Some((base_local, base_host)) => local == base_local && mail_host.eq_ignore_ascii_case(base_host),
        None => is_host_or_below(mail_host, base),
    })
}

/// `.domain` for all hosts below it, else that host alone: of mail addresses and URIs.
fn is_host_or_below(host: &str, base: &str) -> bool {
    if base.starts_with('.') { is_below(host, base) } else { host.eq_ignore_ascii_case(base) }
}

/// That host and all below it: of dNSNames. An empty base is every host.
fn is_host_within(host: &str, base: &str) -> bool {
    base.is_empty() || host.eq_ignore_ascii_case(base) || is_below(host, base)
}

/// `host`, of whose labels none is empty, has at least one more than `base`.
fn is_below(host: &str, base: &str) -> bool {
    let base = base.strip_prefix('.').unwrap_or(base);
    let cut = host.len().checked_sub(base.len() + 1);
    let split = cut.and_then(|cut| host.split_at_checked(cut));
    split.and_then(|(_, end)| end.strip_prefix('.')).is_some_and(|end| end.eq_ignore_ascii_case(base))
}

/// A name of labels, without the dot of the DNS root, so that one host is not written in two ways.
fn host(text: &str) -> Option<&str> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'*'))
    };
    text.split('.').all(is_label).then_some(text)
}

/// The host of the authority (RFC 3986 §3.2); an IP address is none that a constraint can speak of.
fn host_of_uri(uri: &str) -> Option<&str> {
    // Some readers of URIs take a backslash for a slash.
    let (_, rest) = uri.split_once("://").filter(|_| !uri.contains(['\\', ' ']))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let name = host(place.split_once(':').map_or(place, |(name, _)| name))?;
    let last = name.rsplit('.').next()?;
    (!last.bytes().all(|c| c.is_ascii_digit())).then_some(name)
}

/// The base is an address and a mask of the same length.
fn is_address_within(address: &[u8], base: &[u8]) -> Option<bool> {
    let (network, mask) = base.split_at_checked(base.len() / 2)?;
    let pairs = network.iter().zip(mask);
    matches!(address.len(), 4 | 16).then(|| {
        address.len() == network.len() && address.iter().zip(pairs).all(|(a, (n, m))| a & m == n & m)
    })
}

#[cfg(test)]
mod tests;
