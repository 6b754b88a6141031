use super::super::testing::{Authority, Template, extension, name, seq, tlv};
use super::*;

const MAIL: u8 = 0x81;
const DNS: u8 = 0x82;
const SITE: u8 = 0x86;
const ADDRESS: u8 = 0x87;

fn constraints(permitted: &[(u8, &[u8])], excluded: &[(u8, &[u8])]) -> NameConstraints {
    NameConstraints::parse(&encoded(permitted, excluded)).unwrap()
}

fn encoded(permitted: &[(u8, &[u8])], excluded: &[(u8, &[u8])]) -> Vec<u8> {
    let field = |tag, subtrees: &[(u8, &[u8])]| {
        let all: Vec<_> = subtrees.iter().map(|(kind, base)| seq(&[tlv(*kind, base)])).collect();
        if all.is_empty() { Vec::new() } else { tlv(tag, &all.concat()) }
    };
    seq(&[field(0xa0, permitted), field(0xa1, excluded)])
}

fn subject() -> Vec<u8> {
    name(&[("2.5.4.6", 0x13, b"JP"), ("2.5.4.10", 0x0c, b"Clinic"), ("2.5.4.3", 0x0c, b"X")])
}

/// A certificate with this subject and these alternative names.
fn bearer(subject: Vec<u8>, alternatives: &[(u8, &[u8])]) -> Certificate {
    let names: Vec<_> = alternatives.iter().map(|(kind, value)| tlv(*kind, value)).collect();
    let san = (!names.is_empty()).then(|| extension("2.5.29.17", false, &seq(&names)));
    let template = Template { subject: Some(subject), ..Template::signer(&[]).with("2.5.29.17", san) };
    let authority = Authority::new("CA");
    authority.certificate(&authority, &template)
}

fn kept(constraints: &NameConstraints, alternatives: &[(u8, &[u8])]) -> bool {
    are_kept(&[constraints], &bearer(subject(), alternatives)).unwrap()
}

/// Whether `name` lies in the subtree `base`; asked both as permitted and as excluded, which must agree.
fn within(kind: u8, base: &str, name: &str) -> bool {
    let base = [(kind, base.as_bytes())];
    let permitted = kept(&constraints(&base, &[]), &[(kind, name.as_bytes())]);
    let excluded = !kept(&constraints(&[], &base), &[(kind, name.as_bytes())]);
    assert_eq!(permitted, excluded, "{name}");
    permitted
}

/// A name that cannot be compared is refused both where it must lie inside and where it must lie outside.
fn refused_always(kind: u8, base: &str, name: &[u8]) -> bool {
    let base = [(kind, base.as_bytes())];
    !kept(&constraints(&base, &[]), &[(kind, name)]) && !kept(&constraints(&[], &base), &[(kind, name)])
}

#[test]
fn a_directory_name_lies_under_its_leading_rdns_alone() {
    let under = |base: &[(&str, u8, &[u8])]| {
        let base = name(base);
        kept(&constraints(&[(0xa4, base.as_slice())], &[]), &[])
    };
    assert!(under(&[("2.5.4.6", 0x13, b"JP")]));
    assert!(under(&[("2.5.4.6", 0x13, b"jp"), ("2.5.4.10", 0x13, b"CLINIC ")]));
    assert!(under(&[]), "the empty name is above all");
    assert!(!under(&[("2.5.4.10", 0x0c, b"Clinic")]));
    assert!(!under(&[("2.5.4.6", 0x13, b"JP"), ("2.5.4.10", 0x0c, b"Clin")]));
    let four = [
        ("2.5.4.6", 0x13, &b"JP"[..]),
        ("2.5.4.10", 0x0c, b"Clinic"),
        ("2.5.4.3", 0x0c, b"X"),
        ("2.5.4.5", 0x13, b"1"),
    ];
    assert!(!under(&four), "longer than the name");
}

#[test]
fn an_alternative_directory_name_counts_like_the_subject() {
    let jp = name(&[("2.5.4.6", 0x13, b"JP")]);
    let us = name(&[("2.5.4.6", 0x13, b"US")]);
    let permitted = constraints(&[(0xa4, &jp)], &[]);
    assert!(kept(&permitted, &[(0xa4, &subject())]));
    assert!(!kept(&permitted, &[(0xa4, &us)]));
    assert!(!kept(&constraints(&[], &[(0xa4, &us)]), &[(0xa4, &us)]));
}

#[test]
fn hosts_lie_within_their_domain_by_labels() {
    assert!(within(DNS, "example.jp", "example.jp") && within(DNS, "example.jp", "a.B.Example.JP"));
    assert!(!within(DNS, "example.jp", "badexample.jp") && !within(DNS, "a.example.jp", "example.jp"));
    assert!(within(DNS, "", "anything.jp") && within(DNS, "example.jp", "a.example.jp."));
    assert!(refused_always(DNS, "example.jp", b"a..example.jp") && refused_always(DNS, "example.jp", b""));
    assert!(refused_always(DNS, "example.jp", b"evil.com\0.example.jp"));
}

#[test]
fn mail_addresses_lie_within_a_mailbox_a_host_or_a_domain() {
    assert!(within(MAIL, "x@example.jp", "x@EXAMPLE.jp") && !within(MAIL, "x@example.jp", "X@example.jp"));
    assert!(within(MAIL, "example.jp", "x@example.jp") && !within(MAIL, "example.jp", "x@a.example.jp"));
    assert!(within(MAIL, ".example.jp", "x@a.example.jp") && !within(MAIL, ".example.jp", "x@example.jp"));
    for no_mailbox in [&b"example.jp"[..], b"@example.jp"] {
        assert!(refused_always(MAIL, "example.jp", no_mailbox));
    }
    assert!(within(MAIL, "example.jp", "\"a@evil\"@example.jp"));
}

#[test]
fn mail_addresses_in_the_subject_count() {
    let subject = name(&[("2.5.4.6", 0x13, b"JP"), ("1.2.840.113549.1.9.1", 0x16, b"x@evil.jp")]);
    let permitted = constraints(&[(MAIL, b"example.jp")], &[]);
    assert_eq!(are_kept(&[&permitted], &bearer(subject.clone(), &[])), Some(false));
    assert_eq!(are_kept(&[&permitted], &bearer(subject.clone(), &[(MAIL, b"x@example.jp")])), Some(false));
    assert!(kept(&permitted, &[]));
    let permitted = constraints(&[(MAIL, b"evil.jp")], &[]);
    assert_eq!(are_kept(&[&permitted], &bearer(subject.clone(), &[])), Some(true));
    assert_eq!(are_kept(&[&constraints(&[], &[(MAIL, b"evil.jp")])], &bearer(subject, &[])), Some(false));
    let no_text = name(&[("1.2.840.113549.1.9.1", 0x16, "医@evil.jp".as_bytes())]);
    assert_eq!(are_kept(&[&permitted], &bearer(no_text, &[])), Some(false));
}

#[test]
fn an_empty_subject_is_no_name() {
    let permitted = constraints(&[(0xa4, &name(&[("2.5.4.6", 0x13, b"JP")]))], &[]);
    assert_eq!(are_kept(&[&permitted], &bearer(seq(&[]), &[(DNS, b"a.jp")])), Some(true));
    let us = name(&[("2.5.4.6", 0x13, b"US")]);
    assert_eq!(are_kept(&[&permitted], &bearer(us, &[(DNS, b"a.jp")])), Some(false));
}

#[test]
fn uris_lie_within_by_their_host() {
    assert!(
        within(SITE, "example.jp", "https://example.jp/x")
            && within(SITE, "example.jp", "ldap://u@Example.jp:1?x")
    );
    assert!(
        !within(SITE, "example.jp", "https://a.example.jp")
            && within(SITE, ".example.jp", "https://a.example.jp")
    );
    assert!(!within(SITE, "example.jp", "https://example.jp@evil.jp/"));
    for uri in
        ["urn:x", "https://192.0.2.1/", "https://[::1]/", "https:///x", "https://example.jp\\@evil.jp/"]
    {
        assert!(refused_always(SITE, "example.jp", uri.as_bytes()), "{uri}");
    }
}

#[test]
fn addresses_lie_within_their_network() {
    let network = [192, 0, 2, 0, 255, 255, 255, 0];
    let permitted = constraints(&[(ADDRESS, &network)], &[]);
    assert!(kept(&permitted, &[(ADDRESS, &[192, 0, 2, 9])]));
    assert!(!kept(&permitted, &[(ADDRESS, &[192, 0, 3, 9])]));
    assert!(!kept(&permitted, &[(ADDRESS, &[0; 16])]) && !kept(&permitted, &[(ADDRESS, &[192, 0, 2])]));
    let [mut network, mut inside, mut outside] = [[0; 32], [0; 32], [0; 32]];
    network[..17].copy_from_slice(&[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff]);
    inside[..2].copy_from_slice(&[0x20, 9]);
    outside[..2].copy_from_slice(&[0x21, 1]);
    let permitted = constraints(&[(ADDRESS, &network)], &[]);
    assert!(kept(&permitted, &[(ADDRESS, &inside[..16])]) && !kept(&permitted, &[(ADDRESS, &outside[..16])]));
    assert!(!kept(&permitted, &[(ADDRESS, &[0x20, 1, 0x0d, 0xb8])]));
    for length in [0, 4, 7, 9, 16, 31, 33] {
        assert!(NameConstraints::parse(&encoded(&[(ADDRESS, &[1; 33][..length])], &[])).is_none());
    }
}

#[test]
fn kinds_and_depths_that_are_not_compared_are_refused_where_they_occur() {
    // registeredID
    let kind = constraints(&[], &[(0x88, &[0x2a])]);
    assert!(kept(&kind, &[]) && !kept(&kind, &[(0x88, &[0x2b])]));
    let deep = seq(&[tlv(0xa0, &seq(&[tlv(DNS, b"example.jp"), tlv(0x80, &[1])]))]);
    let deep = NameConstraints::parse(&deep).unwrap();
    assert!(kept(&deep, &[]) && !kept(&deep, &[(DNS, b"example.jp")]));
}

#[test]
fn every_authority_is_heard_and_other_kinds_are_free() {
    let (wide, narrow) = (constraints(&[(DNS, b"jp")], &[]), constraints(&[(DNS, b"a.jp")], &[]));
    let both = |name: &[u8]| are_kept(&[&wide, &narrow], &bearer(subject(), &[(DNS, name)])).unwrap();
    assert!(both(b"x.a.jp") && !both(b"b.jp"));
    assert!(kept(&narrow, &[(MAIL, b"x@elsewhere.com")]));
}

#[test]
fn more_comparisons_than_are_sensible_are_refused() {
    let many: Vec<(u8, &[u8])> = (0..=MAX_NAMES).map(|_| (DNS, &b"a.jp"[..])).collect();
    let one = bearer(subject(), &[(DNS, b"a.jp")]);
    assert_eq!(are_kept(&[&constraints(&many, &[])], &one), None);
    assert_eq!(are_kept(&[&constraints(&many[1..], &[])], &one), Some(true));
    let half = &many[..MAX_NAMES / 2];
    assert_eq!(are_kept(&[&constraints(half, &many[..=half.len()])], &one), None, "together");
    let few = constraints(&many[..1], &[]);
    // Besides the subject.
    assert_eq!(are_kept(&[&few], &bearer(subject(), &many[2..])), Some(true));
    assert_eq!(are_kept(&[&few], &bearer(subject(), &many[1..])), None);
}

#[test]
fn an_empty_constraint_or_a_malformed_one_is_no_certificate() {
    for der in
        [seq(&[]), seq(&[tlv(0xa0, &[])]), seq(&[tlv(0xa2, &[])]), encoded(&[(DNS, "医".as_bytes())], &[])]
    {
        assert!(NameConstraints::parse(&der).is_none());
    }
}
