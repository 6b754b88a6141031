use time::Duration;

use super::super::{
    CrlError, build_path,
    testing::{
        Authority, Chain, CrlTemplate, NOW, Template, basic_constraints, extension, key_usage, oid, seq,
        time, tlv,
    },
};
use super::*;

mod delta;
mod signers;

/// Serial numbers in [`Template`].
const LEAF: u8 = 0x5a;
const CA: u8 = 2;

struct Case {
    chain: Chain,
    path: Path,
}

impl Case {
    fn new() -> Self {
        Self::with_leaf(&Template::signer(&["Medical Doctor"]))
    }
    fn with_leaf(leaf: &Template) -> Self {
        let chain = Chain::new();
        let path = build_path(&chain.leaf(leaf), &[chain.ca_certificate()], &[chain.root_certificate()], NOW);
        Self { path: path.unwrap(), chain }
    }
    fn arl(&self) -> Crl {
        self.chain.root.crl(&CrlTemplate::fresh())
    }
    /// The root's list is fresh and empty; the CA's as given.
    fn judge(&self, template: &CrlTemplate) -> Revocation {
        revocation(&self.path, &[self.chain.ca.crl(template), self.arl()], NOW)
    }
}

fn revoking(serial: u8, at: OffsetDateTime, reason: u8) -> CrlTemplate {
    CrlTemplate { revoked: vec![(vec![7], NOW, 0), (vec![serial], at, reason)], ..CrlTemplate::fresh() }
}

fn unknown(answer: Revocation) -> RevocationUnknown {
    match answer {
        Revocation::Unknown { why } => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_path_with_fresh_lists_is_good_until_the_first_of_them_ends() {
    let case = Case::new();
    let soon = NOW + Duration::hours(1);
    let answer = case.judge(&CrlTemplate { next_update: Some(soon), ..CrlTemplate::fresh() });
    assert_eq!(answer, Revocation::Good { checked_until: soon });
}

#[test]
fn a_revoked_doctor_is_revoked_from_the_date_on() {
    let case = Case::new();
    let since = NOW - Duration::hours(2);
    let crls = [case.chain.ca.crl(&revoking(LEAF, since, 1)), case.arl()];
    let revoked = Revocation::Revoked {
        at: since,
        reason: RevocationReason::KeyCompromise,
        serial: "5a".to_owned(),
        position: 0,
    };
    assert_eq!(revocation(&case.path, &crls, NOW), revoked);
    assert_eq!(revocation(&case.path, &crls, since), revoked);
    let before = revocation(&case.path, &crls, since - Duration::SECOND);
    assert!(matches!(before, Revocation::Good { .. }));
}

#[test]
fn a_revoked_ca_revokes_the_path_even_where_the_doctors_list_is_missing() {
    let case = Case::new();
    let arl = case.chain.root.crl(&revoking(CA, NOW - Duration::hours(1), 2));
    let answer = revocation(&case.path, &[arl], NOW);
    let expected = (RevocationReason::AuthorityCompromise, 1);
    assert!(
        matches!(answer, Revocation::Revoked { reason, position, .. } if (reason, position) == expected),
        "{answer:?}"
    );
}

#[test]
fn of_two_lists_of_one_moment_the_one_that_revokes_wins_in_any_order() {
    let case = Case::new();
    let [silent, revoking] =
        [CrlTemplate::fresh(), revoking(LEAF, NOW - Duration::hours(2), 1)].map(|t| case.chain.ca.crl(&t));
    assert_eq!(silent.this_update(), revoking.this_update());
    for [first, second] in [[&silent, &revoking], [&revoking, &silent]] {
        let answer = revocation(&case.path, &[first.clone(), second.clone(), case.arl()], NOW);
        assert!(matches!(answer, Revocation::Revoked { position: 0, .. }), "{answer:?}");
    }
    let impostor = Authority::new("HPKI-01-TestSignCA-forNonRepudiation");
    let forged = impostor.crl(&CrlTemplate { revoked: vec![(vec![LEAF], NOW, 1)], ..CrlTemplate::fresh() });
    let answer = revocation(&case.path, &[forged, silent, case.arl()], NOW);
    assert!(matches!(answer, Revocation::Good { .. }), "one by another key changes nothing: {answer:?}");
}

#[test]
fn remove_from_crl_revokes_nothing() {
    let answer = Case::new().judge(&revoking(LEAF, NOW - Duration::hours(1), 8));
    assert!(matches!(answer, Revocation::Good { .. }), "{answer:?}");
}

#[test]
fn a_missing_list_is_unknown_and_named() {
    let case = Case::new();
    let why = unknown(revocation(&case.path, &[case.arl()], NOW));
    let issuer = "CN=HPKI-01-TestSignCA-forNonRepudiation,C=JP".to_owned();
    assert_eq!(why, RevocationUnknown::Missing { issuer });
    let why = unknown(revocation(&case.path, &[case.chain.ca.crl(&CrlTemplate::fresh())], NOW));
    assert_eq!(why, RevocationUnknown::Missing { issuer: "CN=Test Root,C=JP".to_owned() });
}

#[test]
fn a_stale_list_is_unknown_but_still_revokes() {
    let case = Case::new();
    let ended = NOW - Duration::SECOND;
    let stale = CrlTemplate { next_update: Some(ended), ..CrlTemplate::fresh() };
    let why = unknown(case.judge(&stale));
    assert!(matches!(why, RevocationUnknown::Stale { next_update, .. } if next_update == ended));

    let stale = CrlTemplate { next_update: Some(ended), ..revoking(LEAF, ended, 0) };
    assert!(matches!(case.judge(&stale), Revocation::Revoked { .. }));
}

#[test]
fn a_list_from_the_future_is_unknown() {
    let later = NOW + Duration::SECOND;
    let why = unknown(Case::new().judge(&CrlTemplate { this_update: later, ..CrlTemplate::fresh() }));
    assert!(matches!(why, RevocationUnknown::NotYetValid { this_update, .. } if this_update == later));
}

#[test]
fn of_several_lists_the_newest_speaks() {
    let case = Case::new();
    let old =
        CrlTemplate { this_update: NOW - Duration::days(9), next_update: Some(NOW), ..CrlTemplate::fresh() };
    let newer = revoking(LEAF, NOW - Duration::days(1), 4);
    let crls = [case.chain.ca.crl(&newer), case.chain.ca.crl(&old), case.arl()];
    assert!(matches!(revocation(&case.path, &crls, NOW), Revocation::Revoked { .. }));
}

#[test]
fn a_list_by_another_key_of_the_same_name_is_unknown() {
    let case = Case::new();
    let impostor = Authority::new("HPKI-01-TestSignCA-forNonRepudiation");
    let crls = [impostor.crl(&revoking(LEAF, NOW, 0)), case.arl()];
    let why = unknown(revocation(&case.path, &crls, NOW));
    assert!(matches!(why, RevocationUnknown::Signature { .. }), "{why:?}");
}

#[test]
fn a_changed_list_is_unknown() {
    let case = Case::new();
    let good = case.chain.ca.crl_der(&revoking(LEAF, NOW - Duration::HOUR, 1));
    let at = good.windows(3).position(|w| w == [2, 1, LEAF]).unwrap() + 2;
    let mut changed = good.clone();
    changed[at] ^= 1;
    let crls = [Crl::from_der(&changed).unwrap(), case.arl()];
    assert!(matches!(unknown(revocation(&case.path, &crls, NOW)), RevocationUnknown::Signature { .. }));
}

#[test]
fn a_ca_that_may_not_sign_lists_is_unknown() {
    let chain = Chain::new();
    let ca = chain
        .ca
        .certificate(&chain.root, &Template::ca(CA).with("2.5.29.15", Some(key_usage(true, 2, 0x04))));
    let leaf = chain.leaf(&Template::signer(&[]));
    let path = build_path(&leaf, &[ca], &[chain.root_certificate()], NOW).unwrap();
    let crls = [chain.ca.crl(&CrlTemplate::fresh()), chain.root.crl(&CrlTemplate::fresh())];
    assert!(matches!(unknown(revocation(&path, &crls, NOW)), RevocationUnknown::KeyUsage { .. }));
}

/// A full name with one URI, as distributionPoint `[0]`.
fn point(uri: &str) -> Vec<u8> {
    tlv(0xa0, &tlv(0xa0, &tlv(0x86, uri.as_bytes())))
}

fn with_idp(fields: &[Vec<u8>]) -> CrlTemplate {
    CrlTemplate { extensions: vec![extension("2.5.29.28", true, &seq(fields))], ..CrlTemplate::fresh() }
}

#[test]
fn a_list_speaks_only_for_its_distribution_point_and_kind() {
    let points = extension("2.5.29.31", false, &seq(&[seq(&[point("http://a")])]));
    let case = Case::with_leaf(&Template::signer(&[]).with("2.5.29.31", Some(points)));
    let good = |fields: &[Vec<u8>]| matches!(case.judge(&with_idp(fields)), Revocation::Good { .. });
    assert!(good(&[point("http://a")]));
    assert!(!good(&[point("http://b")]));
    assert!(good(&[tlv(0x81, &[0xff])]), "user certificates only");
    assert!(!good(&[tlv(0x82, &[0xff])]), "CA certificates only");
}

#[test]
fn lists_that_cannot_be_judged_are_refused_by_name() {
    let ca = Authority::new("CA");
    let refused = |template: &CrlTemplate| Crl::from_der(&ca.crl_der(template)).unwrap_err();
    let with = |e| CrlTemplate { extensions: vec![e], ..CrlTemplate::fresh() };
    let strange = with(extension("1.2.3.4", true, &tlv(2, &[1])));
    assert_eq!(refused(&strange), CrlError::UnknownCriticalExtension("1.2.3.4".to_owned()));
    assert_eq!(refused(&CrlTemplate { next_update: None, ..CrlTemplate::fresh() }), CrlError::NoNextUpdate);
    assert_eq!(refused(&revoking(1, NOW, 7)), CrlError::Malformed("reasonCode"));
    assert_eq!(Crl::from_pem_or_der(&oid("1.2.3")).unwrap_err(), CrlError::Pem);
}

/// Only the reasons of these bits, the first of which is keyCompromise.
fn some_reasons(bits: u8) -> CrlTemplate {
    with_idp(&[tlv(0x83, &[0, bits >> 1, bits << 7])])
}

#[test]
fn lists_for_some_reasons_count_together_when_they_leave_none_open() {
    let case = Case::new();
    let judge = |lists: &[CrlTemplate]| {
        let mut crls: Vec<_> = lists.iter().map(|list| case.chain.ca.crl(list)).collect();
        crls.push(case.arl());
        revocation(&case.path, &crls, NOW)
    };
    let (compromise, others) = (some_reasons(0b1100_0000), some_reasons(0b0011_1111));
    assert!(matches!(judge(&[compromise.clone(), others.clone()]), Revocation::Good { .. }));
    let why = unknown(judge(std::slice::from_ref(&compromise)));
    assert!(matches!(why, RevocationUnknown::SomeReasons { .. }), "{why:?}");
    let revoking = CrlTemplate { revoked: vec![(vec![LEAF], NOW, 4)], ..others };
    assert!(matches!(judge(&[compromise, revoking]), Revocation::Revoked { .. }));
}

#[test]
fn a_point_for_some_reasons_leaves_the_others_open() {
    let reasons = tlv(0x81, &[1, 0x60]);
    let points = extension("2.5.29.31", false, &seq(&[seq(&[point("http://a"), reasons])]));
    let case = Case::with_leaf(&Template::signer(&[]).with("2.5.29.31", Some(points)));
    let why = unknown(case.judge(&with_idp(&[point("http://a")])));
    assert!(matches!(why, RevocationUnknown::SomeReasons { .. }), "{why:?}");
}

#[test]
fn a_list_for_attribute_certificates_speaks_for_no_certificate() {
    let why = unknown(Case::new().judge(&with_idp(&[tlv(0x85, &[0xff])])));
    assert!(matches!(why, RevocationUnknown::Missing { .. }), "{why:?}");
}

#[test]
fn a_point_relative_to_the_issuer_is_the_same_as_its_full_name() {
    let ca = Chain::new().ca;
    let rdn = oid("2.5.4.3");
    let relative = tlv(0xa1, &seq(&[rdn.clone(), tlv(0x13, b"CRL1")]));
    let rdns = [&tlv_contents(&ca.name)[..], &tlv(0x31, &seq(&[rdn, tlv(0x0c, b"crl1")]))].concat();
    let full = tlv(0xa0, &tlv(0xa0, &tlv(0xa4, &tlv(0x30, &rdns))));
    let points = extension("2.5.29.31", false, &seq(&[seq(&[tlv(0xa0, &relative)])]));
    let case = Case::with_leaf(&Template::signer(&[]).with("2.5.29.31", Some(points)));
    assert!(matches!(case.judge(&with_idp(&[full])), Revocation::Good { .. }));
    let other = tlv(0xa0, &tlv(0xa1, &seq(&[oid("2.5.4.3"), tlv(0x13, b"CRL2")])));
    assert!(matches!(unknown(case.judge(&with_idp(&[other]))), RevocationUnknown::Missing { .. }));
}

fn tlv_contents(element: &[u8]) -> Vec<u8> {
    element[2..].to_vec()
}

#[test]
fn of_entries_that_contradict_each_other_the_one_that_revokes_counts() {
    let mut template = revoking(LEAF, NOW, 8);
    template.revoked.push((vec![LEAF], NOW - Duration::HOUR, 1));
    assert!(matches!(Case::new().judge(&template), Revocation::Revoked { .. }));
}

#[test]
fn a_list_since_the_time_in_question_counts_until_the_certificate_has_expired() {
    let (at, now) = (NOW - Duration::days(9), NOW);
    let judge = |not_after| {
        let case = Case::with_leaf(&Template { not_after, ..Template::signer(&[]) });
        let crls = [case.chain.ca.crl(&CrlTemplate::fresh()), case.arl()];
        assert!(matches!(unknown(revocation(&case.path, &crls, at)), RevocationUnknown::NotYetValid { .. }));
        revocation_with(&case.path, &crls, &RevocationOptions { at, now, certificates: &[] })
    };
    assert!(matches!(judge(NOW + Duration::DAY), Revocation::Good { .. }));
    // The list was issued a day before NOW; a certificate that expired at NOW was still spoken for.
    assert!(matches!(judge(NOW), Revocation::Good { .. }));
    let answer = {
        let case = Case::with_leaf(&Template { not_after: NOW, ..Template::signer(&[]) });
        let later = CrlTemplate { this_update: NOW + Duration::SECOND, ..CrlTemplate::fresh() };
        let crls = [case.chain.ca.crl(&later), case.arl()];
        let options = RevocationOptions { at, now: NOW + Duration::DAY, certificates: &[] };
        revocation_with(&case.path, &crls, &options)
    };
    assert!(matches!(unknown(answer), RevocationUnknown::NotYetValid { .. }));
}

#[test]
fn sixty_four_signatures_are_tried_and_none_of_a_key_in_the_path_twice() {
    let case = Case::new();
    let impostor = Authority::new("HPKI-01-TestSignCA-forNonRepudiation");
    let forged = vec![impostor.crl(&CrlTemplate::fresh()); 65];
    let own = [case.chain.ca.crl(&CrlTemplate::fresh()), case.arl()];
    let options = RevocationOptions { at: NOW, now: NOW, certificates: case.path.certificates() };
    let judge = |forged: &[Crl], own: &[Crl]| revocation_with(&case.path, &[forged, own].concat(), &options);
    assert!(matches!(judge(&forged[..62], &own), Revocation::Good { .. }));
    assert_eq!(unknown(judge(&forged[..63], &own)), RevocationUnknown::TooComplex);
    assert!(matches!(unknown(judge(&forged[..64], &[])), RevocationUnknown::Signature { .. }));
    assert_eq!(unknown(judge(&forged, &[])), RevocationUnknown::TooComplex);
}

#[test]
fn each_reason_has_its_code() {
    use RevocationReason::*;
    let reasons = [
        Some(Unspecified),
        Some(KeyCompromise),
        Some(AuthorityCompromise),
        Some(AffiliationChanged),
        Some(Superseded),
        Some(CessationOfOperation),
        Some(CertificateHold),
        None,
        Some(RemoveFromCrl),
        Some(PrivilegeWithdrawn),
        Some(AttributeAuthorityCompromise),
        None,
    ];
    for (code, reason) in (0..).zip(reasons) {
        assert_eq!(RevocationReason::from_code(&[code]), reason);
    }
    assert_eq!((RevocationReason::from_code(&[]), RevocationReason::from_code(&[0, 1])), (None, None));
}

#[test]
fn a_list_that_ends_before_it_begins_is_stale_at_its_beginning() {
    let ended = NOW - Duration::SECOND;
    let template = CrlTemplate { this_update: NOW, next_update: Some(ended), ..CrlTemplate::fresh() };
    let why = unknown(Case::new().judge(&template));
    assert!(matches!(why, RevocationUnknown::Stale { next_update, .. } if next_update == ended), "{why:?}");
}
