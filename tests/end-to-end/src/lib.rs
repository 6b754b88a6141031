//! What the journeys are told with: a [`World`] has a remote-signing service on loopback and a doctor with a
//! credential there; a [`Phone`] is the agent as an app holds it, with a user who answers as told and a clock that can
//! be wrong; [`sample`] has prescriptions of people who do not exist. The tests, one file for each step of the journey,
//! use nothing of the agent but its public API.

mod interrupt;
mod ledger;
mod line;
mod phone;
mod process;
pub mod sample;
mod shell;
mod wire;
mod world;

use std::{path::PathBuf, time::Duration};

use hpki_agent::agent::{AgentError, Code};

pub use interrupt::interrupted_at;
pub use ledger::Ledger;
pub use line::{Direction, Fault, Flow, Line, Place};
pub use phone::{Part, Phone, PhoneClock, Secrets, SecretsBackup, User};
pub use process::{PhoneProcess, Run};
pub use shell::{Ended, Shell};
pub use wire::{Wire, form, header, json};
pub use world::{World, clinic, take};

/// For an inbox that is read as it stands.
pub const NO_WAIT: Duration = Duration::ZERO;

/// The error of a step that must be refused.
///
/// # Panics
/// When it was not.
#[track_caller]
pub fn refused<T>(step: Result<T, AgentError>) -> AgentError {
    match step {
        Ok(_) => panic!("was not refused"),
        Err(error) => error,
    }
}

/// The code of a step that must be refused.
///
/// # Panics
/// When it was not.
#[track_caller]
pub fn code<T>(step: Result<T, AgentError>) -> Code {
    refused(step).code()
}

/// Where this build puts its files.
///
/// # Panics
/// When the test does not lie in a target folder.
pub fn target_dir() -> PathBuf {
    if let Some(folder) = std::env::var_os("CARGO_TARGET_DIR") {
        return folder.into();
    }
    let test = std::env::current_exe().expect("a test has a path");
    // target/debug/deps/test
    test.ancestors().nth(3).expect("a test lies in a target folder").to_owned()
}
