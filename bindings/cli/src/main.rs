//! `hpki-agent`: the same agent as on the phone, from a shell. For people who integrate it, and for whoever checks this
//! project from outside. It has no secure hardware: its keys lie in the desktop's secret store (see
//! `hpki_agent::device::desktop`), which is enough to develop and test with, not to prescribe with.

#[macro_use]
mod output;
mod demo;
mod files;
mod home;
mod journey;
mod scan;

use std::{alloc::System, process::ExitCode};

use clap::{Parser, Subcommand};
use zeroizing_alloc::ZeroAlloc;

/// Memory that is given back is wiped: what TLS, HTTP and JSON have copied of tokens and prescriptions too.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

/// The phone's side of HPKI second certificates, from a shell.
#[derive(Parser)]
#[command(version, about, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    home: home::HomeArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read the QR in photos: one line (or JSON line) per file.
    Scan(scan::ScanArgs),
    /// Show an e-prescription as the doctor would see it, with everything that is wrong with it.
    Inspect(files::InspectArgs),
    /// Verify a signed prescription or dispensing file as a stranger.
    Verify(files::VerifyArgs),
    /// Register this machine as the doctor's phone.
    Register(journey::RegisterArgs),
    /// Where this phone stands.
    Status(journey::StatusArgs),
    /// What waits for the doctor.
    Inbox(journey::InboxArgs),
    /// Show, approve in one act and sign: requests of the inbox, or files.
    Sign(journey::SignArgs),
    /// Tell the requester that the doctor will not sign.
    Decline(journey::DeclineArgs),
    /// Print the tamper-evident record, or check an exported one.
    Journal(journey::JournalArgs),
    /// Remove this phone from the service and wipe its keys.
    Unregister,
    /// The whole journey on loopback: letter, registration, N prescriptions, one approval, verification.
    Demo(demo::DemoArgs),
}

/// Exit codes beyond the documented ones of `scan`, `inspect` and `verify`: 1 refused or failed, 2 usage.
#[tokio::main]
async fn main() -> ExitCode {
    let Cli { home, command } = Cli::parse();
    match command {
        Command::Scan(args) => scan::run(&args),
        Command::Inspect(args) => files::inspect(&args),
        Command::Verify(args) => files::verify(&args),
        Command::Demo(args) => home::report(demo::run(args).await),
        Command::Register(args) => home::report(journey::register(&home, args).await),
        Command::Status(args) => home::report(journey::status(&home, args).await),
        Command::Inbox(args) => home::report(journey::inbox(&home, args).await),
        Command::Sign(args) => home::report(journey::sign(&home, args).await),
        Command::Decline(args) => home::report(journey::decline(&home, args).await),
        Command::Journal(args) => home::report(journey::journal(&home, args).await),
        Command::Unregister => home::report(journey::unregister(&home).await),
    }
}
