//! One journey (register, approve three, decline one, deliver what was left, unregister) through whatever can go wrong
//! around it. After each fault the app starts anew and the journey is finished without one: then each request was signed once
//! and declined once, each clinic has one file, the record tells each event once, and the doctor was told what to do.
//!
//! Cases are numbered; which of them are run, and what chance decides in them, is said by two variables and printed:
//! `HPKI_AGENT_FAULT_SEED=1 HPKI_AGENT_FAULT_CASES=0..200 cargo test -p end-to-end --test fault_model -- --nocapture`.

mod cases;
mod clock;
mod disk;
mod journey;
mod network;
mod reboot;
mod secrets;
