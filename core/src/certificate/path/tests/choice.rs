//! Which of several candidates is taken, and which failure is told.

use super::*;

#[test]
fn the_longest_attempt_is_told_and_of_equal_ones_the_first() {
    let chain = Chain::new();
    let past = NOW - Duration::SECOND;
    let expired = chain.ca.certificate(&chain.root, &Template { not_after: past, ..Template::ca(2) });
    let no_ca = Template::ca(3).with("2.5.29.19", Some(basic_constraints(false, None)));
    let no_ca = chain.ca.certificate(&chain.root, &no_ca);
    let astray = chain.ca.certificate(&Authority::new("Nobody"), &Template::ca(4));
    let told =
        |intermediates: [&Certificate; 2]| build(&chain, &intermediates.map(Clone::clone)).unwrap_err();

    let missing = PathError::IssuerMissing { issuer: "CN=Nobody,C=JP".to_owned() };
    assert_eq!(told([&expired, &astray]), missing);
    assert_eq!(told([&astray, &expired]), missing);
    assert_eq!(told([&expired, &no_ca]), refused(1, PathRefusal::Expired(past)));
    assert_eq!(told([&no_ca, &expired]), refused(1, PathRefusal::NotAuthority));
}

#[test]
fn a_root_is_tried_before_a_cross_certificate_of_its_key() {
    let (chain, other) = (Chain::new(), Authority::new("Other Root"));
    let cross = chain.root.certificate(&other, &Template::ca(7));
    let roots = [other.certificate(&other, &Template::ca(1)), chain.root_certificate()];
    let leaf = chain.leaf(&doctor());
    let path = build_path(&leaf, &[cross.clone(), chain.ca_certificate()], &roots, NOW).unwrap();
    assert_eq!(path.certificates().len(), 3);
    let path = build_path(&leaf, &[cross, chain.ca_certificate()], &roots[..1], NOW).unwrap();
    assert_eq!(path.certificates().len(), 4, "over the cross certificate where it must be");
}

#[test]
fn the_issuer_whose_key_identifier_fits_is_tried_first() {
    let chain = Chain::new();
    let mut intermediates: Vec<_> = (0..MAX_TRIES)
        .map(|_| Authority::new("HPKI-01-TestSignCA-forNonRepudiation"))
        .map(|other| other.certificate(&chain.root, &Template::ca(2)))
        .collect();
    intermediates.push(chain.ca_certificate());
    assert_eq!(build(&chain, &intermediates).unwrap().certificates().len(), 3);
}

#[test]
fn where_a_policy_is_required_the_certificate_without_one_is_named() {
    let chain = Chain::new();
    let mut options = PathOptions::new(Purpose::Any, NOW);
    options.explicit_policy = true;
    let without = chain.ca.certificate(&chain.root, &Template::ca(2).with("2.5.29.32", None));
    let leaf = chain.leaf(&doctor());
    let error = build_path_with(&leaf, &[without], &[chain.root_certificate()], &options).unwrap_err();
    assert_eq!(error, refused(1, PathRefusal::Policy));
}
