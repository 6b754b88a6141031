//! Delta CRLs (RFC 5280 §5.2.4).

use super::*;

fn number(oid: &str, number: u8) -> Vec<u8> {
    extension(oid, oid == "2.5.29.27", &tlv(2, &[number]))
}

/// A complete list of this number.
fn complete(own: u8, template: CrlTemplate) -> CrlTemplate {
    CrlTemplate { extensions: vec![number("2.5.29.20", own)], ..template }
}

/// A fresh delta list of this number, from the complete list `base`.
fn delta(own: u8, base: u8, revoked: &[(OffsetDateTime, u8)]) -> CrlTemplate {
    CrlTemplate {
        this_update: NOW - Duration::HOUR,
        revoked: revoked.iter().map(|(at, reason)| (vec![LEAF], *at, *reason)).collect(),
        extensions: vec![number("2.5.29.20", own), number("2.5.29.27", base)],
        ..CrlTemplate::fresh()
    }
}

fn judge(complete: &CrlTemplate, delta: &CrlTemplate) -> Revocation {
    let case = Case::new();
    let crls = [case.chain.ca.crl(delta), case.chain.ca.crl(complete), case.arl()];
    revocation(&case.path, &crls, NOW)
}

const SINCE: OffsetDateTime = time::macros::datetime!(2026-07-01 00:00 UTC);

#[test]
fn a_delta_list_adds_to_the_complete_one() {
    let base = complete(3, CrlTemplate::fresh());
    assert!(matches!(judge(&base, &delta(5, 2, &[(SINCE, 1)])), Revocation::Revoked { .. }));
    assert!(matches!(judge(&base, &delta(5, 3, &[])), Revocation::Good { .. }));
}

#[test]
fn a_delta_list_takes_a_hold_back_and_nothing_else_does() {
    let base = complete(3, revoking(LEAF, SINCE, 6));
    assert!(matches!(judge(&base, &delta(5, 2, &[(SINCE, 8)])), Revocation::Good { .. }));
    assert!(matches!(judge(&base, &delta(5, 2, &[])), Revocation::Revoked { .. }));
}

#[test]
fn of_two_delta_lists_of_one_moment_the_stricter_counts_in_any_order() {
    let judge = |base: &CrlTemplate, deltas: [&[(OffsetDateTime, u8)]; 2]| {
        let case = Case::new();
        let crls: Vec<_> = [&delta(5, 2, deltas[0]), &delta(5, 2, deltas[1]), base]
            .map(|template| case.chain.ca.crl(template))
            .into_iter()
            .chain([case.arl()])
            .collect();
        revocation(&case.path, &crls, NOW)
    };
    let (revokes, takes_back, silent): ([_; 1], [_; 1], [_; 0]) = ([(SINCE, 1)], [(SINCE, 8)], []);
    let empty = complete(3, CrlTemplate::fresh());
    let holding = complete(3, revoking(LEAF, SINCE, 6));
    for (base, stricter, other) in [
        (&empty, &revokes[..], &silent[..]),
        (&empty, &revokes[..], &takes_back[..]),
        (&holding, &silent[..], &takes_back[..]),
    ] {
        for deltas in [[stricter, other], [other, stricter]] {
            assert!(matches!(judge(base, deltas), Revocation::Revoked { .. }));
        }
    }
}

#[test]
fn a_delta_list_of_another_base_scope_or_key_is_passed_over() {
    let base = complete(3, revoking(LEAF, SINCE, 6));
    let take_back = [(SINCE, 8)];
    assert!(matches!(judge(&base, &delta(5, 4, &take_back)), Revocation::Revoked { .. }), "base too new");
    assert!(matches!(judge(&base, &delta(2, 1, &take_back)), Revocation::Revoked { .. }), "delta too old");
    let mut scoped = delta(5, 2, &take_back);
    scoped.extensions.push(extension("2.5.29.28", true, &seq(&[tlv(0x81, &[0xff])])));
    assert!(matches!(judge(&base, &scoped), Revocation::Revoked { .. }), "another scope");
    let mut stale = delta(5, 2, &take_back);
    stale.next_update = Some(NOW - Duration::SECOND);
    assert!(matches!(judge(&base, &stale), Revocation::Revoked { .. }), "stale");

    let case = Case::new();
    let impostor = Authority::new("HPKI-01-TestSignCA-forNonRepudiation");
    let crls = [impostor.crl(&delta(5, 2, &take_back)), case.chain.ca.crl(&base), case.arl()];
    assert!(matches!(revocation(&case.path, &crls, NOW), Revocation::Revoked { .. }), "another key");
}

#[test]
fn a_delta_list_alone_is_no_list() {
    let case = Case::new();
    let crls = [case.chain.ca.crl(&delta(5, 2, &[])), case.arl()];
    assert!(matches!(unknown(revocation(&case.path, &crls, NOW)), RevocationUnknown::Missing { .. }));
}

#[test]
fn a_fresh_delta_list_keeps_its_complete_list_fresh() {
    let ended = Some(NOW - Duration::MINUTE);
    let base = complete(3, CrlTemplate { next_update: ended, ..CrlTemplate::fresh() });
    let Revocation::Good { checked_until } = judge(&base, &delta(5, 3, &[])) else { panic!() };
    assert_eq!(checked_until, NOW + Duration::days(3));
}

#[test]
fn a_number_that_is_negative_or_no_number_is_refused() {
    let ca = Authority::new("CA");
    for value in [&[0x80][..], &[]] {
        let extensions = vec![extension("2.5.29.20", false, &tlv(2, value))];
        let der = ca.crl_der(&CrlTemplate { extensions, ..CrlTemplate::fresh() });
        assert_eq!(Crl::from_der(&der).err(), Some(CrlError::Malformed("cRLNumber")));
    }
}
