use super::super::testing::{extension, oid, policies, seq, tlv};
use super::*;
use crate::certificate::{name::Name, tlv::Cursor};

const A: &str = "1.2.3.1";
const B: &str = "1.2.3.2";
const C: &str = "1.2.3.3";
const ANY: &str = "2.5.29.32.0";

/// What one certificate of a path says.
fn certificate(listed: &[&str], more: &[Vec<u8>]) -> Extensions {
    let own = if listed.is_empty() { Vec::new() } else { policies(true, listed) };
    let all = [&[own], more].concat().concat();
    Extensions::parse(Cursor::new(&all).unwrap(), &Name::from_der(&[0x30, 0]).unwrap()).unwrap()
}

fn mapping(pairs: &[(&str, &str)]) -> Vec<u8> {
    let pairs: Vec<_> = pairs.iter().map(|(from, to)| seq(&[oid(from), oid(to)])).collect();
    extension("2.5.29.33", true, &seq(&pairs))
}

fn constraints(explicit: Option<u8>, mapping: Option<u8>) -> Vec<u8> {
    let field = |tag, n: Option<u8>| n.map(|n| tlv(tag, &[n])).unwrap_or_default();
    extension("2.5.29.36", true, &seq(&[field(0x80, explicit), field(0x81, mapping)]))
}

fn inhibit_any(after: u8) -> Vec<u8> {
    extension("2.5.29.54", true, &tlv(2, &[after]))
}

/// The certificates below the root, its child first; the policies are required.
fn explicit(path: &[Extensions], wanted: &[&str]) -> Result<Vec<String>, PolicyFault> {
    run(path, &Extensions::default(), wanted, true)
}

fn run(
    path: &[Extensions],
    root: &Extensions,
    wanted: &[&str],
    explicit: bool,
) -> Result<Vec<String>, PolicyFault> {
    let policies: Vec<_> = wanted.iter().map(|policy| (*policy).to_owned()).collect();
    let wanted = Wanted { policies: &policies, explicit, no_mapping: false, no_any: false };
    walk(path, root, &wanted, None)
}

/// One of the path may be self-issued.
fn walk(
    path: &[Extensions],
    root: &Extensions,
    wanted: &Wanted,
    self_issued: Option<usize>,
) -> Result<Vec<String>, PolicyFault> {
    let mut state = PolicyState::new(path.len(), wanted, root);
    for (at, extensions) in path.iter().enumerate() {
        let (is_last, is_self_issued) = (at + 1 == path.len(), self_issued == Some(at));
        state.assert(extensions, is_last, is_self_issued)?;
        if is_last {
            return state.finish(extensions, wanted);
        }
        state.prepare_next(extensions, is_self_issued)?;
    }
    unreachable!("a path is not empty")
}

const NOTHING_ASKED: Wanted = Wanted { policies: &[], explicit: false, no_mapping: false, no_any: false };

#[test]
fn a_policy_holds_when_every_certificate_asserts_it() {
    let path = [certificate(&[A, B], &[]), certificate(&[A, C], &[])];
    assert_eq!(explicit(&path, &[]).unwrap(), [A]);
    assert_eq!(explicit(&path, &[A, B]).unwrap(), [A]);
    assert_eq!(explicit(&path, &[B]), Err(PolicyFault::None));
    let none = [certificate(&[A], &[]), certificate(&[], &[])];
    assert_eq!(explicit(&none, &[]), Err(PolicyFault::None));
    assert_eq!(run(&none, &Extensions::default(), &[], false).unwrap(), Vec::<String>::new());
}

#[test]
fn a_mapped_policy_is_named_as_the_roots_domain_names_it() {
    let path = [certificate(&[A], &[mapping(&[(A, B)])]), certificate(&[B], &[])];
    assert_eq!(explicit(&path, &[]).unwrap(), [A]);
    assert_eq!(explicit(&path, &[B]), Err(PolicyFault::None));
    let unmapped = [certificate(&[A], &[mapping(&[(A, B)])]), certificate(&[A], &[])];
    assert_eq!(explicit(&unmapped, &[]), Err(PolicyFault::None), "the mapping replaces the policy");
    let both = [certificate(&[A, C], &[mapping(&[(A, B), (C, B)])]), certificate(&[B], &[])];
    assert_eq!(explicit(&both, &[]).unwrap(), [A, C]);
}

#[test]
fn mappings_that_multiply_cost_no_more_than_their_number() {
    let names: Vec<_> = (0..8).map(|n| format!("1.2.3.{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let pairs: Vec<_> = names.iter().flat_map(|from| names.iter().map(move |to| (*from, *to))).collect();
    let path: Vec<_> = (0..7).map(|_| certificate(&names, &[mapping(&pairs)])).collect();
    assert_eq!(explicit(&path, &[]).unwrap(), names);
}

#[test]
fn any_policy_cannot_be_mapped() {
    for pair in [(ANY, A), (A, ANY)] {
        let path = [certificate(&[ANY, A], &[mapping(&[pair])]), certificate(&[A], &[])];
        assert_eq!(run(&path, &Extensions::default(), &[], false), Err(PolicyFault::MapsAnyPolicy));
    }
}

#[test]
fn inhibited_mapping_and_any_policy_end_what_they_would_carry_on() {
    let mapped = |mapping_after| {
        let first = certificate(&[A], &[constraints(Some(0), Some(mapping_after))]);
        let path = [first, certificate(&[A], &[mapping(&[(A, B)])]), certificate(&[B], &[])];
        run(&path, &Extensions::default(), &[], false)
    };
    assert_eq!(mapped(0), Err(PolicyFault::None));
    assert_eq!(mapped(1).unwrap(), [A]);
    let any = |after| {
        let first = certificate(&[A], &[constraints(Some(0), None), inhibit_any(after)]);
        run(&[first, certificate(&[ANY], &[]), certificate(&[A], &[])], &Extensions::default(), &[], false)
    };
    assert_eq!(any(0), Err(PolicyFault::None));
    assert_eq!(any(1).unwrap(), [A]);
}

#[test]
fn what_the_root_requires_counts() {
    let root = certificate(&[], &[constraints(Some(0), None)]);
    let path = [certificate(&[A], &[]), certificate(&[B], &[])];
    assert_eq!(run(&path, &root, &[], false), Err(PolicyFault::None));
    assert!(run(&path, &Extensions::default(), &[], false).is_ok());
}

#[test]
fn too_many_policies_or_mappings_are_refused() {
    let names: Vec<_> = (0..=MAX_POLICIES).map(|n| format!("1.2.3.{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    assert_eq!(explicit(&[certificate(&names, &[])], &[]), Err(PolicyFault::TooMany));
    let pairs: Vec<_> = names.iter().map(|name| (*name, A)).collect();
    assert_eq!(explicit(&[certificate(&[A], &[mapping(&pairs)])], &[]), Err(PolicyFault::TooMany));
    assert!(explicit(&[certificate(&names[1..], &[])], &[]).is_ok());
}

#[test]
fn a_policy_under_any_policy_is_mapped_and_one_that_does_not_hold_is_not() {
    let any = [certificate(&[ANY], &[mapping(&[(A, B)])]), certificate(&[B, C], &[])];
    assert_eq!(explicit(&any, &[]).unwrap(), [A, C]);
    let other = [certificate(&[A], &[mapping(&[(C, B)])]), certificate(&[B], &[])];
    assert_eq!(explicit(&other, &[]), Err(PolicyFault::None));
}

#[test]
fn limits_count_the_certificates_that_are_not_self_issued() {
    let root = Extensions::default();
    let mapping_after = |count, self_issued| {
        let path = [
            certificate(&[A], &[constraints(Some(0), Some(count))]),
            certificate(&[A], &[]),
            certificate(&[A], &[mapping(&[(A, B)])]),
            certificate(&[B], &[]),
        ];
        walk(&path, &root, &NOTHING_ASKED, self_issued)
    };
    assert_eq!(mapping_after(1, None), Err(PolicyFault::None));
    assert_eq!(mapping_after(1, Some(1)).unwrap(), [A]);
    assert_eq!(mapping_after(2, None).unwrap(), [A]);

    let explicit_after = |count, self_issued| {
        let path = [
            certificate(&[A], &[constraints(Some(count), None)]),
            certificate(&[A], &[]),
            certificate(&[A], &[]),
            certificate(&[], &[]),
        ];
        walk(&path, &root, &NOTHING_ASKED, self_issued)
    };
    assert_eq!(explicit_after(3, None), Err(PolicyFault::None), "the last certificate counts, too");
    assert_eq!(explicit_after(3, Some(1)).unwrap(), Vec::<String>::new());
    assert_eq!(explicit_after(4, None).unwrap(), Vec::<String>::new());
}

#[test]
fn inhibited_any_policy_still_counts_in_a_self_issued_authority() {
    let root = Extensions::default();
    let first = || certificate(&[A], &[constraints(Some(0), None), inhibit_any(0)]);
    let path = [first(), certificate(&[ANY], &[]), certificate(&[A], &[])];
    assert_eq!(walk(&path, &root, &NOTHING_ASKED, Some(1)).unwrap(), [A]);
    assert_eq!(walk(&path, &root, &NOTHING_ASKED, None), Err(PolicyFault::None));
    let path = [first(), certificate(&[ANY], &[])];
    assert_eq!(walk(&path, &root, &NOTHING_ASKED, Some(1)), Err(PolicyFault::None), "no authority");
}

#[test]
fn the_last_certificate_may_require_a_policy_of_its_path() {
    let path = |last| [certificate(&[], &[]), certificate(&[A], &[constraints(Some(last), None)])];
    assert_eq!(run(&path(0), &Extensions::default(), &[], false), Err(PolicyFault::None));
    assert_eq!(run(&path(1), &Extensions::default(), &[], false).unwrap(), Vec::<String>::new());
}

#[test]
fn a_policy_that_is_required_and_missing_is_noticed_at_once() {
    let (wanted, root) = (Wanted { explicit: true, ..NOTHING_ASKED }, Extensions::default());
    let mut state = PolicyState::new(2, &wanted, &root);
    assert_eq!(state.assert(&certificate(&[], &[]), false, false), Err(PolicyFault::None));
}
