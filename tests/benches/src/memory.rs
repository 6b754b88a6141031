//! Peak memory of a batch, measured in a process of its own.

use std::{env, fs, hint::black_box, process::Command};

use crate::samples::{AT, Key, certificate, envelope};
use hpki_agent::{
    device::SystemRandom,
    prescription::Prescription,
    signature::{Prepared, prepare},
};

/// Prescriptions in the batch.
pub const BATCH: usize = 100;
/// Says to this very program that it is the child.
const CHILD: &str = "HPKI_AGENT_BENCH_BATCH";

/// Peak resident memory in KiB, before the batch and after it; `None` where the system does not tell (Linux does).
pub fn of_a_batch() -> Option<(u32, u32)> {
    let child = Command::new(env::current_exe().ok()?).env(CHILD, "1").output().ok()?;
    let said = String::from_utf8(child.stdout).ok()?;
    let mut kib = said.split_whitespace().map(str::parse);
    Some((kib.next()?.ok()?, kib.next()?.ok()?))
}

/// Where this process is the child: runs the batch, prints what it took, and says so.
pub fn is_child() -> bool {
    if env::var_os(CHILD).is_none() {
        return false;
    }
    let (documents, certificate, key) = (vec![envelope(8 << 10); BATCH], certificate(), Key::doctor());
    let before = peak();
    let ready: Vec<Prepared> = documents
        .iter()
        .map(|document| Prescription::parse(document).expect("a prescription"))
        .map(|prescription| prepare(prescription, &certificate, AT, &SystemRandom).expect("prepared"))
        .collect();
    let values: Vec<Vec<u8>> = ready.iter().map(|prepared| key.sign(prepared.signed_info())).collect();
    let signed: Vec<_> = ready
        .into_iter()
        .zip(&values)
        .map(|(prepared, value)| prepared.finish(value).expect("signed"))
        .collect();
    let after = peak();
    black_box(signed);
    if let (Some(before), Some(after)) = (before, after) {
        println!("{before} {after}");
    }
    true
}

/// `VmHWM`: the most that was ever resident, KiB; `None` where the system does not tell.
pub fn peak() -> Option<u32> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
