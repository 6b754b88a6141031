//! Attacks, and what holds against each of them. The name of a test is the promise that it defends.

mod algorithms;
mod answers;
mod display;
mod downgrade;
mod exchanged;
mod forged_tickets;
mod heads;
mod returned_values;
#[cfg(target_os = "linux")] // the only system that shows a process's memory as a file
mod secrets;
mod sessions;
mod wrapping;
