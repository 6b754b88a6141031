//! The steps of the journey that cost time, each beside the cryptography that it cannot do without.
//!
//! Criterion measures each by itself. Then all take turns in one run, and a closing table divides them by one another and
//! compares the ratios with their goals. Starting the agent and the memory of a batch are printed last.

use std::process::ExitCode;

use benches::{
    libxml2::Libxml2,
    memory,
    paired::{Subject, measure, median_ratio},
    phone,
    samples::{AT, Key, Known, around, certificate, envelope, known, markup},
};
use criterion::Criterion;
use hpki_agent::{
    certificate::SigningCertificate,
    device::SystemRandom,
    prescription::Prescription,
    signature::{Method, Prepared, Report, Trust, Verdict, canonicalize, prepare, verify},
};
use ring::{
    digest::{Digest, SHA256, digest},
    signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
/// Rounds of the closing table.
const ROUNDS: usize = 300;

/// One line of the closing table: a figure, what it is divided by, and the most that the ratio should be.
const TABLE: [(&str, &str, Option<f64>); 14] = [
    ("prepare, 8 KB", "SHA-256, 8 KB", Some(3.5)),
    ("verify, 8 KB, XML part", "RSA-2048 verify", Some(2.1)),
    ("verify, 8 KB, chain of three", "three RSA-2048 verifies", Some(1.35)),
    ("canonicalise + SHA-256, 1 MB", "SHA-256, 1 MB", Some(2.3)),
    ("verify, 8 KB, chain and CRLs", "three RSA-2048 verifies", None),
    ("finish, 8 KB", "RSA-2048 verify", None),
    ("parse with preview, 8 KB", "SHA-256, 8 KB", None),
    ("prepare, 8 KB", "libxml2 canonicalise, 8 KB", None),
    ("verify, 8 KB, XML part", "libxml2 canonicalise, 8 KB", None),
    ("canonicalise, 8 KB", "libxml2 canonicalise, 8 KB", None),
    ("canonicalise + SHA-256, 1 MB", "libxml2 + SHA-256, 1 MB", None),
    ("canonicalise + SHA-256, 1 MB of markup", "libxml2 + SHA-256, 1 MB of markup", None),
    ("canonicalise + SHA-256, 1 MB of markup", "SHA-256, 1 MB", None),
    ("libxml2 + SHA-256, 1 MB", "SHA-256, 1 MB", None),
];

/// Everything that is measured on.
struct Inputs {
    known: Known,
    certificate: SigningCertificate,
    envelope: Vec<u8>,
    /// The envelope, prepared, as it is kept over a crash: it gives the same SignedInfo each time.
    stored: Vec<u8>,
    signed_info: Vec<u8>,
    value: Vec<u8>,
    public_key: UnparsedPublicKey<Vec<u8>>,
    signed: Vec<u8>,
    large: Vec<u8>,
    markup: Vec<u8>,
    libxml2: Option<Libxml2>,
}

impl Inputs {
    fn new() -> Self {
        let (envelope, certificate, key) = (envelope(8 * KIB), certificate(), Key::doctor());
        let prescription = Prescription::parse(&envelope).expect("a prescription");
        let prepared = prepare(prescription, &certificate, AT, &SystemRandom).expect("prepared");
        let (stored, signed_info) = (prepared.to_stored(), prepared.signed_info().to_vec());
        let value = key.sign(&signed_info);
        Self {
            known: known(),
            certificate,
            envelope,
            stored,
            signed_info,
            signed: prepared.finish(&value).expect("a signed file").into_bytes(),
            value,
            public_key: UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public()),
            large: around(&"QUJDREVGR0hJSktM".repeat(MIB / 16)),
            markup: markup(MIB),
            libxml2: Libxml2::load(),
        }
    }

    fn rsa(&self) {
        self.public_key.verify(&self.signed_info, &self.value).expect("the value verifies");
    }

    fn verify(&self, trust: &Trust, verdict: Verdict) -> Report {
        let report = verify(&self.signed, trust);
        assert_eq!(report.verdict, verdict);
        report
    }

    fn subjects(&self) -> Vec<Subject<'_>> {
        let parse = || Prescription::parse(&self.envelope).expect("a prescription");
        let restore = || Prepared::from_stored(&self.stored, &self.certificate).expect("the same");
        let nothing = Trust {
            roots: &[],
            timestamp_roots: &[],
            intermediates: &[],
            crls: &[],
            prescriber_roles: &self.known.prescriber_roles,
            at: AT,
        };
        let chain = Trust { roots: &self.known.roots, intermediates: &self.known.intermediates, ..nothing };
        let all = Trust { crls: &self.known.crls, ..chain };
        let mut subjects = vec![
            Subject::new("SHA-256, 8 KB", || sha256(&self.envelope)),
            Subject::new("RSA-2048 verify", || self.rsa()),
            Subject::new("three RSA-2048 verifies", || (0..3).for_each(|_| self.rsa())),
            Subject::on("prepare, 8 KB", parse, |p| prepare(p, &self.certificate, AT, &SystemRandom)),
            Subject::new("verify, 8 KB, XML part", move || self.verify(&nothing, Verdict::Indeterminate)),
            Subject::new("verify, 8 KB, chain of three", move || self.verify(&chain, Verdict::Indeterminate)),
            Subject::new("verify, 8 KB, chain and CRLs", move || self.verify(&all, Verdict::Valid)),
            Subject::on("finish, 8 KB", restore, |prepared| prepared.finish(&self.value)),
            Subject::new("parse with preview, 8 KB", parse),
            Subject::new("canonicalise, 8 KB", || canonical(&self.envelope)),
            Subject::new("SHA-256, 1 MB", || sha256(&self.large)),
            Subject::new("canonicalise + SHA-256, 1 MB", || sha256(&canonical(&self.large))),
            Subject::new("canonicalise + SHA-256, 1 MB of markup", || sha256(&canonical(&self.markup))),
        ];
        if let Some(libxml2) = &self.libxml2 {
            let canonical = |xml: &[u8]| libxml2.canonicalize(xml).expect("XML");
            subjects.extend([
                Subject::new("libxml2 canonicalise, 8 KB", move || canonical(&self.envelope)),
                Subject::new("libxml2 + SHA-256, 1 MB", move || sha256(&canonical(&self.large))),
                Subject::new("libxml2 + SHA-256, 1 MB of markup", move || sha256(&canonical(&self.markup))),
            ]);
        }
        subjects
    }
}

fn sha256(bytes: &[u8]) -> Digest {
    digest(&SHA256, bytes)
}

fn canonical(xml: &[u8]) -> Vec<u8> {
    canonicalize(xml, None, Method::Inclusive10, false, &[]).expect("XML")
}

fn print_table(subjects: &[Subject]) {
    let find = |name: &str| subjects.iter().find(|subject| subject.name() == name);
    println!(
        "\n{:<40} {:>9}   {:<33} {:>9} {:>7} {:>8} {:>6}",
        "figure", "best µs", "against", "best µs", "ratio", "(median)", "goal"
    );
    for (name, against, goal) in TABLE {
        let (Some(figure), Some(against)) = (find(name), find(against)) else { continue };
        let ratio = figure.best() / against.best();
        let (goal, met) = match goal {
            Some(goal) => (format!("{goal:.2}"), if ratio <= goal { "met" } else { "NOT MET" }),
            None => (String::new(), ""),
        };
        println!(
            "{name:<40} {:>9.1}   {:<33} {:>9.1} {ratio:>7.2} {:>8} {goal:>6} {met}",
            figure.best(),
            against.name(),
            against.best(),
            format!("({:.2})", median_ratio(figure, against)),
        );
    }
}

async fn print_start_and_memory() {
    match phone::cold_start().await {
        Ok(start) => println!(
            "cold start, open to ready: {:.2} ms (median of {}), best {:.2} ms; besides, on a desktop, the passphrase's \
             key: {:.0} ms",
            start.median.as_secs_f64() * 1e3,
            phone::OPENS,
            start.best.as_secs_f64() * 1e3,
            start.passphrase.as_secs_f64() * 1e3,
        ),
        Err(error) => println!("cold start: not measured: {error}"),
    }
    match memory::of_a_batch() {
        Some((before, after)) => println!(
            "peak memory of {} prescriptions of 8 KB, prepared and finished: {:.1} MiB, of which {:.1} MiB before them",
            memory::BATCH,
            mib(after),
            mib(before),
        ),
        None => println!("peak memory: not measured (no /proc/self/status)"),
    }
}

fn mib(kib: u32) -> f64 {
    f64::from(kib) / 1024.0
}

fn main() -> ExitCode {
    if memory::is_child() {
        return ExitCode::SUCCESS;
    }
    let mut criterion = Criterion::default().configure_from_args();
    let inputs = Inputs::new();
    if inputs.libxml2.is_none() {
        println!("libxml2 is not installed (Debian: libxml2): its lines are left out");
    }
    let mut subjects = inputs.subjects();
    for subject in &mut subjects {
        criterion.bench_function(subject.name(), |bencher| bencher.iter_custom(|n| subject.run(n)));
    }
    criterion.final_summary();

    measure(&mut subjects, ROUNDS);
    print_table(&subjects);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(print_start_and_memory());
    ExitCode::SUCCESS
}
