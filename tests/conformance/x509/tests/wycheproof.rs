//! Wycheproof: signatures through `Certificate::verify_signature` and `Certificate::verify_der_signature`, the key being
//! put into a certificate. What Wycheproof calls acceptable may be refused, never must be.

use std::fs;

use conformance_x509::{Tally, certificate_of, vectors};
use hpki_agent::certificate::{Certificate, SignatureAlgorithm, SignatureAlgorithm::*};
use serde_json::Value;

/// All that can be asked for.
const ALGORITHMS: [SignatureAlgorithm; 5] = [RsaSha256, RsaSha384, RsaSha512, EcdsaSha256, EcdsaSha384];

/// How signatures are written.
#[derive(Clone, Copy)]
enum Form {
    /// RSA, or ECDSA as `r || s`.
    Plain,
    /// ECDSA in DER.
    Der,
}

struct Vector {
    id: u64,
    result: String,
    flags: Vec<String>,
    message: Vec<u8>,
    signature: Vec<u8>,
    certificate: Certificate,
}

impl Vector {
    fn verifies(&self, algorithm: SignatureAlgorithm, form: Form) -> bool {
        let Self { certificate, message, signature, .. } = self;
        match form {
            Form::Plain => certificate.verify_signature(algorithm, message, signature).is_ok(),
            Form::Der => certificate.verify_der_signature(algorithm, message, signature).is_ok(),
        }
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|f| f == flag)
    }
}

fn load(name: &str) -> Vec<Vector> {
    let file = vectors(&format!("x509/wycheproof/testvectors_v1/{name}.json"));
    let set: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let groups = set["testGroups"].as_array().unwrap();
    let vectors: Vec<_> = groups.iter().flat_map(group).collect();
    assert_eq!(vectors.len() as u64, set["numberOfTests"].as_u64().unwrap(), "{name}");
    vectors
}

fn group(group: &Value) -> Vec<Vector> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let certificate = certificate_of(&unhex(&text(&group["publicKeyDer"]))).unwrap();
    let vector = |test: &Value| Vector {
        id: test["tcId"].as_u64().unwrap(),
        result: text(&test["result"]),
        flags: test["flags"].as_array().unwrap().iter().map(text).collect(),
        message: unhex(&text(&test["msg"])),
        signature: unhex(&text(&test["sig"])),
        certificate: certificate.clone(),
    };
    group["tests"].as_array().unwrap().iter().map(vector).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// One set of a scheme that is supported.
fn run(name: &str, algorithm: SignatureAlgorithm, form: Form) {
    let mut tally = Tally::default();
    for vector in load(name) {
        // RSA keys with a public exponent below 65537 verify nothing.
        let is_restricted = vector.has("SmallPublicKey");
        match (vector.result.as_str(), vector.verifies(algorithm, form)) {
            ("valid", true) | ("invalid" | "acceptable", false) => tally.passed(),
            ("valid", false) if is_restricted => tally.restricted(),
            (wanted, verifies) => tally.failed(format!("{}: {wanted}, verifies: {verifies}", vector.id)),
        }
        let others = ALGORITHMS.into_iter().filter(|other| *other != algorithm && vector.result == "valid");
        for other in others.filter(|other| vector.verifies(*other, form)) {
            tally.failed(format!("{}: verifies as {other:?}, too", vector.id));
        }
    }
    tally.close(&format!("Wycheproof {name}"));
}

/// A set of a scheme that is not supported: nothing of it may verify as anything.
fn run_unsupported(name: &str) {
    let mut tally = Tally::default();
    for vector in load(name) {
        let verifies = ALGORITHMS.into_iter().any(|algorithm| {
            [Form::Plain, Form::Der].into_iter().any(|form| vector.verifies(algorithm, form))
        });
        match (vector.result.as_str(), verifies) {
            // A sound RSASSA-PKCS1-v1_5 signature, which is wrong only where RSASSA-PSS is asked for: nobody can.
            ("invalid", true) if vector.has("WrongPrimitive") => tally.restricted(),
            ("invalid", false) => tally.passed(),
            ("valid", false) => tally.restricted(),
            (wanted, _) => tally.failed(format!("{}: {wanted}, verifies: {verifies}", vector.id)),
        }
    }
    tally.close(&format!("Wycheproof {name}"));
}

#[test]
fn rsa_pkcs1_signatures_verify_only_when_they_are_sound() {
    run("rsa_signature_2048_sha256_test", RsaSha256, Form::Plain);
    run("rsa_signature_2048_sha384_test", RsaSha384, Form::Plain);
    run("rsa_signature_2048_sha512_test", RsaSha512, Form::Plain);
    run("rsa_signature_3072_sha256_test", RsaSha256, Form::Plain);
    run("rsa_signature_4096_sha256_test", RsaSha256, Form::Plain);
}

#[test]
fn ecdsa_signatures_verify_only_when_they_are_sound() {
    run("ecdsa_secp256r1_sha256_p1363_test", EcdsaSha256, Form::Plain);
    run("ecdsa_secp256r1_sha256_test", EcdsaSha256, Form::Der);
    run("ecdsa_secp384r1_sha384_test", EcdsaSha384, Form::Der);
}

#[test]
fn signatures_of_other_schemes_verify_as_nothing() {
    run_unsupported("rsa_pss_2048_sha256_mgf1_32_test");
    run_unsupported("ed25519_test");
}
