//! Where the published vectors lie, and how what became of them is counted.

use std::path::PathBuf;

use hpki_agent::certificate::{Certificate, CertificateError};

/// A file or directory of the published vectors, which lie in `../shared/vectors` beside the repository or where
/// `HPKI_AGENT_VECTORS` says.
///
/// # Panics
/// When it is not there: a set that did not run must not look like one that passed.
pub fn vectors(path: &str) -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/vectors");
    let root = std::env::var_os("HPKI_AGENT_VECTORS").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let found = root.join(path);
    assert!(found.exists(), "missing: {} (HPKI_AGENT_VECTORS names another place)", found.display());
    found
}

/// What became of the cases of one set.
#[derive(Default)]
pub struct Tally {
    passed: usize,
    restricted: usize,
    failures: Vec<String>,
}

impl Tally {
    /// As the vectors want it.
    pub fn passed(&mut self) {
        self.passed += 1;
    }

    /// Good, but refused by a restriction that the README of this package names.
    pub fn restricted(&mut self) {
        self.restricted += 1;
    }

    /// Neither; `what` names the case and what came out.
    pub fn failed(&mut self, what: String) {
        self.failures.push(what);
    }

    /// Prints the set's line.
    ///
    /// # Panics
    /// When a case failed, or none ran.
    pub fn close(self, set: &str) {
        let Self { passed, restricted, failures } = self;
        let (failed, cases) = (failures.len(), passed + restricted + failures.len());
        println!(
            "{set}: {cases} cases, {passed} passed, {restricted} refused by documented restriction, {failed} failed"
        );
        assert!(failures.is_empty(), "{set}:\n{}", failures.join("\n"));
        assert!(passed > 0, "{set}: nothing passed");
    }
}

/// A certificate that holds this SubjectPublicKeyInfo and nothing else of use, so that the key can be asked through
/// the public interface; its own signature is void.
///
/// # Errors
/// As [`Certificate::from_der`]: a malformed key.
pub fn certificate_of(public_key_info: &[u8]) -> Result<Certificate, CertificateError> {
    // sha256WithRSAEncryption
    let algorithm = sequence(&[&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0]]);
    let name = sequence(&[]);
    let validity = sequence(&[&tlv(0x17, b"200101000000Z"), &tlv(0x17, b"400101000000Z")]);
    let version = tlv(0xa0, &tlv(2, &[2]));
    let tbs = sequence(&[&version, &tlv(2, &[1]), &algorithm, &name, &validity, &name, public_key_info]);
    Certificate::from_der(&sequence(&[&tbs, &algorithm, &tlv(3, &[0, 0])]))
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let [.., high, low] = value.len().to_be_bytes();
    let head = match value.len() {
        0..=0x7f => vec![tag, low],
        0x80..=0xff => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head.as_slice(), value].concat()
}
