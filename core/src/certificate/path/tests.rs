use time::Duration;

use super::super::testing::{
    Authority, Chain, NOW, Template, basic_constraints, ca_name, extension, key_usage, name, oid, policies,
    seq, tlv,
};
use super::*;

mod choice;

fn doctor() -> Template {
    Template::signer(&["Medical Doctor"])
}

fn build(chain: &Chain, intermediates: &[Certificate]) -> Result<Path, PathError> {
    build_path(&chain.leaf(&doctor()), intermediates, &[chain.root_certificate()], NOW)
}

/// The path of a doctor under a CA of this template.
fn under(ca: &Template) -> Result<Path, PathError> {
    let chain = Chain::new();
    build(&chain, &[chain.ca.certificate(&chain.root, ca)])
}

fn refused(position: usize, refusal: PathRefusal) -> PathError {
    PathError::Refused { position, refusal }
}

#[test]
fn a_path_runs_from_the_leaf_to_the_configured_root() {
    let chain = Chain::new();
    let stranger = Chain::new();
    let intermediates = [stranger.ca_certificate(), chain.root_certificate(), chain.ca_certificate()];
    let path = build(&chain, &intermediates).unwrap();
    let serials: Vec<_> = path.certificates().iter().map(Certificate::serial_number).collect();
    assert_eq!(serials, ["5a", "02", "01"]);
}

#[test]
fn a_root_that_is_not_configured_is_refused_as_such() {
    let chain = Chain::new();
    let other = Authority::new("Other Root");
    let other_root = other.certificate(&other, &Template::ca(1));
    let intermediates = [chain.ca_certificate(), chain.root_certificate()];
    let error = build_path(&chain.leaf(&doctor()), &intermediates, &[other_root], NOW).unwrap_err();
    assert_eq!(error, PathError::WrongRoot { root: "CN=Test Root,C=JP".to_owned() });
}

#[test]
fn a_root_of_the_same_name_with_another_key_is_refused_as_such() {
    let (chain, other) = (Chain::new(), Chain::new());
    let intermediates = [chain.ca_certificate()];
    let error =
        build_path(&chain.leaf(&doctor()), &intermediates, &[other.root_certificate()], NOW).unwrap_err();
    assert_eq!(error, PathError::WrongRoot { root: "CN=Test Root,C=JP".to_owned() });
}

#[test]
fn an_incomplete_chain_names_the_missing_issuer() {
    let chain = Chain::new();
    let issuer = "CN=HPKI-01-TestSignCA-forNonRepudiation,C=JP".to_owned();
    assert_eq!(build(&chain, &[]).unwrap_err(), PathError::IssuerMissing { issuer });
}

#[test]
fn among_issuers_of_one_name_the_right_one_is_found() {
    let chain = Chain::new();
    let mut intermediates: Vec<_> = (0..5)
        .map(|_| {
            Authority::new("HPKI-01-TestSignCA-forNonRepudiation").certificate(&chain.root, &Template::ca(2))
        })
        .collect();
    intermediates.push(chain.ca_certificate());
    assert!(build(&chain, &intermediates).is_ok());
}

#[test]
fn every_changed_byte_of_a_certificate_breaks_its_path() {
    let chain = Chain::new();
    let der = chain.doctor.certificate_der(&chain.ca, &doctor());
    let (intermediates, roots) = ([chain.ca_certificate()], [chain.root_certificate()]);
    for at in 0..der.len() {
        let mut changed = der.clone();
        changed[at] ^= 0x01;
        let path = Certificate::from_der(&changed).map(|leaf| build_path(&leaf, &intermediates, &roots, NOW));
        assert!(!matches!(path, Ok(Ok(_))), "byte {at}");
    }
}

#[test]
fn a_changed_leaf_or_ca_is_refused_for_its_signature() {
    let chain = Chain::new();
    let mut leaf = chain.doctor.certificate_der(&chain.ca, &doctor());
    *leaf.last_mut().unwrap() ^= 1;
    let leaf = Certificate::from_der(&leaf).unwrap();
    let roots = [chain.root_certificate()];
    let error = build_path(&leaf, &[chain.ca_certificate()], &roots, NOW).unwrap_err();
    assert_eq!(error, refused(0, PathRefusal::Signature));

    let mut ca = chain.ca.certificate_der(&chain.root, &Template::ca(2));
    *ca.last_mut().unwrap() ^= 1;
    let error = build(&chain, &[Certificate::from_der(&ca).unwrap()]).unwrap_err();
    assert_eq!(error, refused(1, PathRefusal::Signature));
}

#[test]
fn an_issuer_must_be_a_ca_that_may_sign_certificates() {
    let no_ca = Template::ca(2).with("2.5.29.19", Some(basic_constraints(false, None)));
    assert_eq!(under(&no_ca).unwrap_err(), refused(1, PathRefusal::NotAuthority));
    let absent = Template::ca(2).with("2.5.29.19", None);
    assert_eq!(under(&absent).unwrap_err(), refused(1, PathRefusal::NotAuthority));
    let crl_only = Template::ca(2).with("2.5.29.15", Some(key_usage(true, 1, 0x02)));
    assert_eq!(under(&crl_only).unwrap_err(), refused(1, PathRefusal::KeyUsage));
}

#[test]
fn validity_counts_for_every_certificate() {
    let past = NOW - Duration::SECOND;
    let future = NOW + Duration::SECOND;
    let expired = Template { not_after: past, ..Template::ca(2) };
    assert_eq!(under(&expired).unwrap_err(), refused(1, PathRefusal::Expired(past)));
    let early = Template { not_before: future, ..Template::ca(2) };
    assert_eq!(under(&early).unwrap_err(), refused(1, PathRefusal::NotYetValid(future)));

    let chain = Chain::new();
    let leaf = chain.leaf(&Template { not_after: past, ..doctor() });
    let error = build_path(&leaf, &[chain.ca_certificate()], &[chain.root_certificate()], NOW).unwrap_err();
    assert_eq!(error, refused(0, PathRefusal::Expired(past)));
    let root = chain.root.certificate(&chain.root, &Template { not_after: past, ..Template::ca(1) });
    let error = build_path(&chain.leaf(&doctor()), &[chain.ca_certificate()], &[root], NOW).unwrap_err();
    assert_eq!(error, refused(2, PathRefusal::Expired(past)));
}

#[test]
fn validity_includes_its_first_and_its_last_second() {
    let exactly = |template| Template { not_before: NOW, not_after: NOW, ..template };
    let chain = Chain::new();
    let roots = [chain.root.certificate(&chain.root, &exactly(Template::ca(1)))];
    let ca = [chain.ca.certificate(&chain.root, &exactly(Template::ca(2)))];
    let leaf = chain.leaf(&exactly(doctor()));
    assert!(build_path(&leaf, &ca, &roots, NOW).is_ok());
    assert!(leaf.validity().contains(NOW));
    for outside in [NOW - Duration::SECOND, NOW + Duration::SECOND] {
        assert!(build_path(&leaf, &ca, &roots, outside).is_err());
        assert!(!leaf.validity().contains(outside));
    }
}

#[test]
fn unknown_critical_extensions_are_refused_by_name() {
    let with = |oid| Template::ca(2).with(oid, Some(extension(oid, true, &tlv(0x30, &[]))));
    for unknown in ["1.2.3.4", "2.5.29.37", "2.5.29.46"] {
        let ca = if unknown == "2.5.29.37" {
            Template::ca(2).with(unknown, Some(extension(unknown, true, &seq(&[oid("1.3.6.1.5.5.7.3.8")]))))
        } else {
            with(unknown)
        };
        let expected = PathRefusal::UnknownCriticalExtension(unknown.to_owned());
        assert_eq!(under(&ca).unwrap_err(), refused(1, expected));
    }
}

#[test]
fn the_ca_must_allow_the_policy_of_the_leaf() {
    let with = |policy| Template::ca(2).with("2.5.29.32", policy);
    assert!(under(&with(Some(policies(true, &["2.5.29.32.0"])))).is_ok(), "anyPolicy");
    assert!(under(&with(Some(policies(true, &["1.2.392.100495.1.5.1.1.0.1"])))).is_ok());
    let authentication = with(Some(policies(true, &["1.2.392.100495.1.5.1.2.3.1"])));
    assert_eq!(under(&authentication).unwrap_err(), refused(1, PathRefusal::Policy));
    assert_eq!(under(&with(None)).unwrap_err(), refused(1, PathRefusal::Policy));
}

/// Leaf ← sub ← CA ← root, with these limits on the CA and the root.
fn four(ca_length: Option<u8>, root_length: Option<u8>) -> Result<Path, PathError> {
    let chain = Chain::new();
    let limit =
        |serial, length| Template::ca(serial).with("2.5.29.19", Some(basic_constraints(true, length)));
    let sub = Authority::new("Sub");
    let leaf = chain.doctor.certificate(&sub, &doctor());
    let intermediates = [
        sub.certificate(&chain.ca, &Template::ca(3)),
        chain.ca.certificate(&chain.root, &limit(2, ca_length)),
    ];
    build_path(&leaf, &intermediates, &[chain.root.certificate(&chain.root, &limit(1, root_length))], NOW)
}

#[test]
fn the_path_length_is_kept() {
    assert!(four(Some(1), Some(2)).is_ok());
    assert_eq!(four(Some(0), None).unwrap_err(), refused(2, PathRefusal::PathLength));
    assert_eq!(four(None, Some(1)).unwrap_err(), refused(3, PathRefusal::PathLength));
}

#[test]
fn loops_end() {
    let (a, b) = (Authority::new("A"), Authority::new("B"));
    let doctor_key = Authority::new("doctor");
    let leaf = doctor_key.certificate(&a, &doctor());
    let intermediates = [a.certificate(&b, &Template::ca(2)), b.certificate(&a, &Template::ca(3))];
    let error = build_path(&leaf, &intermediates, &[], NOW).unwrap_err();
    assert_eq!(error, refused(3, PathRefusal::Loop));
}

#[test]
fn many_issuers_of_one_name_do_not_buy_unlimited_work() {
    let a = Authority::new("A");
    let leaf = Authority::new("doctor").certificate(&a, &doctor());
    let mutual: Vec<_> = (0..100).map(|n| a.certificate(&a, &Template::ca(n))).collect();
    assert_eq!(build_path(&leaf, &mutual, &[], NOW).unwrap_err(), PathError::TooComplex);
}

#[test]
fn a_path_of_nine_is_too_long() {
    let authorities: Vec<_> = (0..8).map(|n| Authority::new(&format!("CA {n}"))).collect();
    let mut certificates: Vec<_> =
        authorities.windows(2).map(|pair| pair[1].certificate(&pair[0], &Template::ca(9))).collect();
    certificates.push(Authority::new("doctor").certificate(authorities.last().unwrap(), &doctor()));
    let leaf = certificates.pop().unwrap();
    let roots = [authorities[0].certificate(&authorities[0], &Template::ca(1))];
    assert_eq!(build_path(&leaf, &certificates, &roots, NOW).unwrap_err(), PathError::TooComplex);
    let shorter = certificates.last().unwrap();
    assert_eq!(build_path(shorter, &certificates, &roots, NOW).unwrap().certificates().len(), 8);
}

#[test]
fn names_chain_whatever_their_case_and_spaces() {
    let mut chain = Chain::new();
    let ca = chain.ca_certificate();
    chain.ca.name = ca_name("hpki-01-TESTSIGNCA-forNonRepudiation ");
    assert!(build(&chain, &[ca]).is_ok());
}

#[test]
fn a_weak_signature_is_refused_as_such() {
    let sha1 = Template { algorithm: "1.2.840.10045.4.1", ..Template::ca(2) };
    assert_eq!(under(&sha1).unwrap_err(), refused(1, PathRefusal::WeakSignature));
}

#[test]
fn a_leaf_that_signs_itself_has_no_path_even_among_the_roots() {
    let own = Authority::new("A");
    let own = own.certificate(&own, &Template { subject: None, ..doctor() });
    let wrong_root = PathError::WrongRoot { root: "CN=A,C=JP".to_owned() };
    assert_eq!(build_path(&own, &[], &[], NOW).unwrap_err(), wrong_root);
    assert_eq!(build_path(&own, &[], std::slice::from_ref(&own), NOW).unwrap_err(), wrong_root);
}

#[test]
fn a_path_leads_over_a_key_rollover() {
    let chain = Chain::new();
    let new = Authority::new("HPKI-01-TestSignCA-forNonRepudiation");
    let link = new.certificate(&chain.ca, &Template::ca(3));
    let leaf = chain.doctor.certificate(&new, &doctor());
    let no_more = Template::ca(2).with("2.5.29.19", Some(basic_constraints(true, Some(0))));
    let old = chain.ca.certificate(&chain.root, &no_more);
    let path = build_path(&leaf, &[old, link], &[chain.root_certificate()], NOW).unwrap();
    assert_eq!(path.certificates().len(), 4, "the link is self-issued and not counted by the path length");
}

#[test]
fn one_key_of_one_name_stands_once_in_a_path() {
    let chain = Chain::new();
    let twice = [chain.ca.certificate(&chain.ca, &Template::ca(3)), chain.ca_certificate()];
    assert_eq!(build(&chain, &twice).unwrap().certificates().len(), 3);
    let only = [
        chain.ca.certificate(&chain.ca, &Template::ca(3)),
        chain.ca.certificate(&chain.ca, &Template::ca(4)),
    ];
    assert_eq!(build(&chain, &only).unwrap_err(), refused(2, PathRefusal::Loop));
}

#[test]
fn another_path_is_tried_when_the_first_does_not_allow_the_names() {
    let chain = Chain::new();
    let subtree = |country: &[u8]| seq(&[tlv(0xa4, &name(&[("2.5.4.6", 0x13, country)]))]);
    let constrained = |country| {
        let value = seq(&[tlv(0xa0, &subtree(country))]);
        let template = Template::ca(2).with("2.5.29.30", Some(extension("2.5.29.30", true, &value)));
        chain.ca.certificate(&chain.root, &template)
    };
    assert!(build(&chain, &[constrained(b"JP")]).is_ok());
    assert_eq!(build(&chain, &[constrained(b"US")]).unwrap_err(), refused(0, PathRefusal::NameConstraints));
    let (closed, open) = (constrained(b"US"), constrained(b"JP"));
    for intermediates in [[closed.clone(), open.clone()], [open.clone(), closed]] {
        assert_eq!(build(&chain, &intermediates).unwrap().certificates()[1], open);
    }
}

#[test]
fn the_names_that_the_root_permits_count() {
    let chain = Chain::new();
    let subtree = seq(&[tlv(0xa4, &name(&[("2.5.4.6", 0x13, b"US")]))]);
    let value = extension("2.5.29.30", true, &seq(&[tlv(0xa0, &subtree)]));
    let root = chain.root.certificate(&chain.root, &Template::ca(1).with("2.5.29.30", Some(value)));
    let error = build_path(&chain.leaf(&doctor()), &[chain.ca_certificate()], &[root], NOW).unwrap_err();
    assert_eq!(error, refused(1, PathRefusal::NameConstraints));
}

#[test]
fn a_policy_that_is_asked_for_must_run_through_the_path() {
    let chain = Chain::new();
    let policy = "1.2.392.100495.1.5.1.1.0.1";
    let ask = |ca: &Template| {
        let mut options = PathOptions::new(Purpose::Hpki, NOW);
        options.initial_policies = vec![policy.to_owned()];
        options.explicit_policy = true;
        let ca = [chain.ca.certificate(&chain.root, ca)];
        build_path_with(&chain.leaf(&doctor()), &ca, &[chain.root_certificate()], &options)
    };
    let same = Template::ca(2).with("2.5.29.32", Some(policies(true, &[policy])));
    assert_eq!(ask(&same).unwrap().policies(), [policy]);
    assert_eq!(
        ask(&Template::ca(2)).unwrap_err(),
        refused(0, PathRefusal::Policy),
        "HPKI's CAs have another"
    );
}

/// Extended key usage.
fn usage(critical: bool, purposes: &[&str]) -> Option<Vec<u8>> {
    let oids: Vec<_> = purposes.iter().map(|purpose| oid(purpose)).collect();
    (!oids.is_empty()).then(|| extension("2.5.29.37", critical, &seq(&oids)))
}

#[test]
fn a_time_stamp_authority_is_for_time_stamping_alone() {
    let chain = Chain::new();
    let (stamping, signing, any) = ("1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.4", "2.5.29.37.0");
    let build = |purpose, of_ca, of_leaf| {
        let leaf = chain.leaf(&Template::signer(&[]).with("2.5.29.32", None).with("2.5.29.37", of_leaf));
        let ca = [chain.ca.certificate(&chain.root, &Template::ca(2).with("2.5.29.37", of_ca))];
        build_path_with(&leaf, &ca, &[chain.root_certificate()], &PathOptions::new(purpose, NOW))
    };
    let sound = || usage(true, &[stamping]);
    for of_ca in [None, usage(false, &[stamping, signing]), usage(true, &[any])] {
        assert!(build(Purpose::TimeStamping, of_ca, sound()).is_ok());
    }
    for wrong in [None, usage(false, &[stamping]), usage(true, &[signing]), usage(true, &[stamping, signing])]
    {
        let error = build(Purpose::TimeStamping, None, wrong).unwrap_err();
        assert_eq!(error, refused(0, PathRefusal::ExtendedKeyUsage));
    }
    let error = build(Purpose::TimeStamping, usage(true, &[signing]), sound()).unwrap_err();
    assert_eq!(error, refused(1, PathRefusal::ExtendedKeyUsage));
    let unknown = PathRefusal::UnknownCriticalExtension("2.5.29.37".to_owned());
    assert_eq!(build(Purpose::Hpki, None, sound()).unwrap_err(), refused(0, unknown));
}
