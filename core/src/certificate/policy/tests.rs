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
    let mut state = PolicyState::new(path.len(), &wanted, root);
    let (last, authorities) = path.split_last().unwrap();
    for authority in authorities {
        state.assert(authority, false, false)?;
        state.prepare_next(authority, false)?;
    }
    state.assert(last, true, false)?;
    state.finish(last, &wanted)
}

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
