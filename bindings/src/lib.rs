//! The agent for Kotlin, Swift and Python. What comes in are calls over UniFFI's boundary, what goes out are the core's
//! answers as records, enums and objects: this layer wraps and decides nothing. Secrets are objects, never records;
//! every value that the core moves is an object that can be used once. Traits that an app implements are turned into the
//! core's own by a shim beside each.
//!
//! One file holds one exposed type with what belongs to it. Doc comments here are the KDoc and the Swift documentation.
//! Exported futures are polled by the caller and may be dropped anywhere: the core repeats or undoes what was begun.

#![deny(missing_docs)]
#![allow(
    clippy::missing_errors_doc,
    clippy::needless_pass_by_value,
    reason = "docs are read in Kotlin and Swift, where a heading `# Errors` means nothing; UniFFI passes by value"
)]

use std::alloc::System;

use zeroizing_alloc::ZeroAlloc;

/// Memory that this library gives back is wiped: what TLS, HTTP and JSON have copied of tokens and prescriptions too.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

uniffi::setup_scaffolding!();

mod activation_code;
mod agent;
mod approved;
mod batch;
mod cancellation;
mod candidate;
mod clock;
mod convert;
mod delivery;
mod failure;
mod holder;
mod inbox_watch;
mod inspection;
mod journal;
mod key_vault;
mod last_inbox;
mod log_sink;
mod preview;
mod progress;
mod scanner;
mod secret_store;
mod status;
mod trust;
mod verification;
mod violation;
mod waiting;
mod warning;

pub use activation_code::ActivationCode;
pub use agent::{Agent, ClientInfo};
pub use approved::Approved;
pub use batch::Batch;
pub use cancellation::CancellationToken;
pub use candidate::Candidate;
pub use clock::Clock;
pub use delivery::{Delivery, Redelivery};
pub use failure::{AgentError, AgentFailure, CallbackError, FailureKind, all_failure_codes};
pub use holder::Holder;
pub use inbox_watch::{InboxEvent, InboxWatch};
pub use inspection::{Inspection, LookAlike, inspect};
pub use journal::{
    JournalEntry, JournalError, JournalEvent, JournalSummary, TamperingKind, verify_journal_export,
};
pub use key_vault::{KeyAlias, KeyRole, KeyVault, KeyVaultError, NewKey, Prompt};
pub use last_inbox::LastInbox;
pub use log_sink::{LogLevel, LogRecord, LogSink, set_log_sink};
pub use preview::*;
pub use progress::{ProgressListener, ProgressStep};
pub use scanner::{FrameError, QrSymbol, ScanOutcome, Scanner, WhyNothing};
pub use secret_store::{Secret, SecretStore, SecretStoreError};
pub use status::Status;
pub use trust::{TrustConfiguration, TrustError, TrustedService};
pub use verification::{
    MaterialError, SignatureLevel, SignatureReport, Verdict, VerificationCheck, VerificationMaterial,
    VerificationOutcome, VerificationReason, VerificationReport, VerificationSeverity, WhatIsSigned,
    verify_file,
};
pub use violation::{FieldName, Violation, ViolationSeverity};
pub use waiting::{Requester, Waiting, WaitingContent};
pub use warning::Warning;

/// Version of this library. The first call from a foreign language loads it: see an app's warm-up.
#[uniffi::export]
pub fn library_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
