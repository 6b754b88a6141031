//! NIST PKITS, every test and subtest of its sections 4.1 to 4.16, as `pkits.tsv` lists them: what is put in, what the
//! test description wants, and the reason for which this implementation refuses, so that nothing is refused by
//! accident. All certificates and CRLs of the set lie in one bag: the path is found, not given.

use std::{collections::BTreeSet, fs, path::Path as File};

use conformance_x509::{Tally, vectors};
use hpki_agent::certificate::{
    Certificate, Crl, PathError, PathOptions, Purpose, Revocation, RevocationOptions, build_path_with,
    revocation_with,
};
use time::{OffsetDateTime, macros::datetime};

/// Inside the validity of all that is meant to be valid.
const AT: OffsetDateTime = datetime!(2020-06-01 00:00 UTC);
/// NIST's test policies are this and a number.
const POLICY: &str = "2.16.840.1.101.3.2.1.48.";
const ANY_POLICY: &str = "2.5.29.32.0";
/// Certificate policies, explicit policy, mapping, inhibit mapping, inhibit anyPolicy: where policies come out.
const ABOUT_POLICIES: [&str; 5] = ["4.8.", "4.9.", "4.10.", "4.11.", "4.12."];

struct Case {
    number: String,
    end_entity: String,
    options: PathOptions,
    expected: String,
    policies: Vec<String>,
}

fn cases() -> Vec<Case> {
    include_str!("../pkits.tsv").lines().filter(|line| !line.starts_with('#')).map(case).collect()
}

fn case(line: &str) -> Case {
    let [number, end_entity, wanted, flags, expected, policies] = line.split('\t').collect::<Vec<_>>()[..]
    else {
        panic!("{line}")
    };
    let listed = |text: &str| -> Vec<String> {
        let oid = |word: &str| if word == "any" { ANY_POLICY.to_owned() } else { format!("{POLICY}{word}") };
        text.split(' ').filter(|word| *word != "-").map(oid).collect()
    };
    let is_set = |flag| flags.split(' ').any(|word| word == flag);
    let options = PathOptions {
        initial_policies: listed(wanted),
        explicit_policy: is_set("explicit"),
        inhibit_policy_mapping: is_set("no-mapping"),
        inhibit_any_policy: is_set("no-any"),
        ..PathOptions::new(Purpose::Any, AT)
    };
    Case {
        number: number.to_owned(),
        end_entity: end_entity.to_owned(),
        options,
        expected: expected.to_owned(),
        policies: listed(policies),
    }
}

struct Bag {
    root: Certificate,
    certificates: Vec<Certificate>,
    crls: Vec<Crl>,
}

impl Bag {
    fn all() -> Self {
        let certificates = vectors("x509/pkits/certs");
        let root = read(&certificates.join("TrustAnchorRootCertificate.crt"));
        let ders = |directory: &File| -> Vec<Vec<u8>> {
            let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|f| f.unwrap().path()).collect();
            files.sort();
            files.iter().map(|file| read(file)).collect()
        };
        Self {
            root: Certificate::from_der(&root).unwrap(),
            // Some are damaged, and some lists have critical extensions that nobody knows: they do not count.
            certificates: ders(&certificates)
                .iter()
                .filter_map(|der| Certificate::from_der(der).ok())
                .collect(),
            crls: ders(&vectors("x509/pkits/crls"))
                .iter()
                .filter_map(|der| Crl::from_der(der).ok())
                .collect(),
        }
    }

    /// What comes out, and for which policies.
    fn judge(&self, case: &Case) -> (String, Vec<String>) {
        let file = vectors(&format!("x509/pkits/certs/{}EE.crt", case.end_entity));
        let Ok(leaf) = Certificate::from_der(&read(&file)) else {
            return ("malformed".to_owned(), Vec::new());
        };
        let roots = std::slice::from_ref(&self.root);
        let path = match build_path_with(&leaf, &self.certificates, roots, &case.options) {
            Ok(path) => path,
            Err(PathError::Refused { position, refusal }) => {
                return (format!("path {position} {}", variant(&refusal)), Vec::new());
            }
            Err(other) => return (format!("path {}", variant(&other)), Vec::new()),
        };
        let options = RevocationOptions { at: AT, now: AT, certificates: &self.certificates };
        match revocation_with(&path, &self.crls, &options) {
            Revocation::Good { .. } => ("valid".to_owned(), path.policies().to_vec()),
            Revocation::Revoked { position, .. } => (format!("revoked {position}"), Vec::new()),
            Revocation::Unknown { why } => (format!("revocation {}", variant(&why)), Vec::new()),
        }
    }

    fn reversed(mut self) -> Self {
        self.certificates.reverse();
        self.crls.reverse();
        self
    }
}

fn read(file: &File) -> Vec<u8> {
    fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The name of an enum's variant, without what it carries.
fn variant(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    text.chars().take_while(|c| c.is_alphanumeric()).collect()
}

fn run(bag: &Bag, set: &str) {
    let mut tally = Tally::default();
    for case in cases() {
        let (outcome, policies) = bag.judge(&case);
        let restricted = format!("restricted: {outcome}");
        let is_about_policies = ABOUT_POLICIES.iter().any(|section| case.number.starts_with(section));
        if outcome == case.expected && (policies == case.policies || !is_about_policies) {
            tally.passed();
        } else if restricted == case.expected {
            tally.restricted();
        } else {
            let Case { number, end_entity, expected, .. } = case;
            tally.failed(format!("{number}\t{end_entity}\t{expected}\t{outcome}\t{policies:?}"));
        }
    }
    tally.close(set);
}

#[test]
fn every_pkits_test_comes_out_as_described() {
    run(&Bag::all(), "PKITS");
}

#[test]
fn the_order_of_the_bag_changes_nothing() {
    run(&Bag::all().reversed(), "PKITS in reverse order");
}

#[test]
fn no_end_entity_of_pkits_is_left_out() {
    let table: BTreeSet<_> = cases().into_iter().map(|case| case.end_entity).collect();
    let files = fs::read_dir(vectors("x509/pkits/certs")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let published: BTreeSet<_> =
        names.filter_map(|name| name.strip_suffix("EE.crt").map(str::to_owned)).collect();
    assert_eq!(table, published);
}

#[test]
fn without_crls_nothing_of_pkits_is_valid() {
    let bag = Bag { crls: Vec::new(), ..Bag::all() };
    for case in cases() {
        assert_ne!(bag.judge(&case).0, "valid", "{}", case.number);
    }
}
