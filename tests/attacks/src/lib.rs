//! What the attacks are made with: [`files`] signs prescriptions with a doctor's key that the attacker may use or not,
//! and verifies as a stranger; [`tamper`] finds every field of a service's answer and spoils it; [`tickets`] signs registration
//! tickets; [`memory`] looks into
//! a process. The tests say in their names what holds against whoever tries; `tests/run attacks` lists them.

pub mod files;
#[cfg(target_os = "linux")]
pub mod memory;
pub mod tamper;
pub mod tickets;
