//! The reference service from a shell. Every command works on one folder; `serve` may run beside the others.

use clap::{Parser, Subcommand, ValueEnum};
use reference_service::{
    Authority, Clock, CscVersion, FaultSwitch, HolderSpec, Keys, Member, Options, ReferenceService,
    Requester, Running, ServedCertificate, State, TicketSpec,
};
use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Parser)]
#[command(about = "A remote-signing service for tests; its certificates sign nothing real")]
struct Arguments {
    /// Folder of the service's state; made when it is new
    #[arg(long)]
    dir: PathBuf,
    #[cfg(feature = "pkcs11")]
    #[command(flatten)]
    token: TokenArguments,
    #[command(subcommand)]
    command: Command,
}

/// Signing keys in a PKCS#11 token; the same options for every command on the folder.
#[cfg(feature = "pkcs11")]
#[derive(clap::Args)]
struct TokenArguments {
    /// The module, such as /usr/lib/softhsm/libsofthsm2.so
    #[arg(long, requires = "pkcs11_slot_label", requires = "pin_file")]
    pkcs11_module: Option<PathBuf>,
    /// Label of the token
    #[arg(long, requires = "pkcs11_module")]
    pkcs11_slot_label: Option<String>,
    /// File with the user's PIN
    #[arg(long, requires = "pkcs11_module")]
    pin_file: Option<PathBuf>,
}

impl Arguments {
    #[cfg(feature = "pkcs11")]
    fn keys(&self) -> Keys {
        let token = &self.token;
        match (&token.pkcs11_module, &token.pkcs11_slot_label, &token.pin_file) {
            (Some(module), Some(label), Some(pin_file)) => Keys::Token(reference_service::Token {
                module: module.clone(),
                slot_label: label.clone(),
                pin_file: pin_file.clone(),
            }),
            _ => Keys::Software,
        }
    }

    #[cfg(not(feature = "pkcs11"))]
    #[allow(clippy::unused_self)]
    fn keys(&self) -> Keys {
        Keys::Software
    }
}

#[derive(Subcommand)]
enum Command {
    /// Make the folder: root, signing CA, keys, trust.json
    Init,
    /// Serve the folder over HTTPS; prints one JSON line when ready
    Serve {
        /// Address and port; port 0 takes any free one
        #[arg(long, default_value = "127.0.0.1:8443")]
        listen: SocketAddr,
        /// URL that phones use, when it is not https://ADDRESS:PORT
        #[arg(long)]
        issuer: Option<String>,
        #[command(flatten)]
        wrong: Wrong,
    },
    /// Make a key and a certificate and print the credential's id; or many ahead, by --count or --roster
    Issue {
        /// Family name first
        #[arg(long, required_unless_present_any = ["count", "roster"], conflicts_with_all = ["count", "roster"])]
        name_kanji: Option<String>,
        /// Given name first
        #[arg(long, required_unless_present_any = ["count", "roster"], conflicts_with_all = ["count", "roster"])]
        name_romaji: Option<String>,
        /// hcRole, such as "Medical Doctor", "Dentist", "Pharmacist"
        #[arg(long, required_unless_present_any = ["count", "roster"], conflicts_with_all = ["count", "roster"])]
        role: Option<String>,
        /// How many days the certificate is valid: five years when not given
        #[arg(long, conflicts_with_all = ["count", "roster"], value_parser = clap::value_parser!(u16).range(1..))]
        valid_days: Option<u16>,
        /// So many members who have not applied: the first of the roster, or made-up ones A0000001, A0000002, …
        #[arg(long)]
        count: Option<usize>,
        /// CSV with the columns number,name_kanji,name_romaji,role
        #[arg(long)]
        roster: Option<PathBuf>,
    },
    /// Issue a registration ticket and draw its letter, and the sheet with its code
    Letter {
        /// Credential id, or the member's number
        #[arg(long)]
        credential: String,
        /// Folder for letter.pdf, letter.png, code.pdf, code.png
        #[arg(long)]
        out: PathBuf,
        /// How the ticket travels
        #[arg(long, value_enum, default_value_t = TicketRoute::Letter)]
        route: TicketRoute,
        /// How many days it can be used: 30 by letter, 10 minutes by card when not given
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..=365))]
        valid_days: Option<u16>,
        /// Print the text of the QR, too, and on a second line the activation code, where there is one
        #[arg(long)]
        print: bool,
    },
    /// Revoke a credential's certificate
    Revoke {
        /// Credential id
        #[arg(long)]
        credential: String,
    },
    /// Write the CRLs of now to DIR/crl
    Crl,
    /// Ask a doctor to sign prescriptions; prints an id for each file
    Submit {
        /// Credential id, or the serial number in the holder's name
        #[arg(long)]
        doctor: String,
        /// XML envelopes or bare CSVs
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print what became of a prescription: the signed document goes to standard output
    Collect {
        /// As printed by submit
        id: String,
    },
}

/// What goes wrong on purpose.
#[derive(clap::Args)]
struct Wrong {
    /// `[TIMES ]ENDPOINT: FAULT [ARGUMENTS]`, any number of these; see the README
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<FaultSwitch>,
    /// The service's time is off by so many seconds, its tokens and the Date of its answers with it
    #[arg(long, value_name = "SECONDS", default_value_t = 0, allow_hyphen_values = true)]
    clock: i64,
    /// The TLS certificate that phones see
    #[arg(long, value_enum, default_value_t = Certificate::Good)]
    certificate: Certificate,
    /// Version of the CSC API
    #[arg(long, value_enum, default_value_t = Csc::V2_2)]
    csc: Csc,
    /// signHash gives a responseID; signPolling answers so often 202 before it gives the signatures
    #[arg(long, value_name = "TIMES")]
    sign_later: Option<u32>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Certificate {
    Good,
    Expired,
    OtherHost,
}

#[derive(Clone, Copy, ValueEnum)]
enum Csc {
    #[value(name = "2.0")]
    V2_0,
    #[value(name = "2.1")]
    V2_1,
    #[value(name = "2.2")]
    V2_2,
}

impl Wrong {
    fn apply(&self, service: &Running) -> Result<(), Box<dyn Error>> {
        let faults = service.faults();
        self.faults.iter().for_each(|fault| fault.plan(faults));
        service.authority().clock().shift(time::Duration::seconds(self.clock));
        service.present(match self.certificate {
            Certificate::Good => ServedCertificate::Good,
            Certificate::Expired => ServedCertificate::Expired,
            Certificate::OtherHost => ServedCertificate::OtherHost,
        })?;
        faults.speak(match self.csc {
            Csc::V2_0 => CscVersion::V2_0,
            Csc::V2_1 => CscVersion::V2_1,
            Csc::V2_2 => CscVersion::V2_2,
        });
        faults.sign_later(self.sign_later);
        Ok(())
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum TicketRoute {
    Letter,
    Card,
}

/// Between two lines of progress.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// `collect`: not answered yet.
const STILL_WAITING: u8 = 3;
/// `collect`: declined.
const DECLINED: u8 = 4;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("reference-service: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let keys = arguments.keys();
    let dir = arguments.dir;
    match arguments.command {
        Command::Serve { listen, issuer, wrong } => serve(dir, keys, listen, issuer, &wrong).await?,
        command => return office(&Authority::open_with(&dir, Clock::default(), &keys)?, command),
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(
    dir: PathBuf,
    keys: Keys,
    listen: SocketAddr,
    issuer: Option<String>,
    wrong: &Wrong,
) -> Result<(), Box<dyn Error>> {
    let trust = dir.join("trust.json");
    let running = ReferenceService::start(Options { listen, issuer, keys, ..Options::new(dir) }).await?;
    wrong.apply(&running)?;
    println!("{}", serde_json::json!({"issuer": running.issuer(), "trust": trust}));
    tokio::signal::ctrl_c().await?;
    running.stop().await;
    Ok(())
}

fn office(authority: &Authority, command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Serve { .. } => {}
        Command::Init => println!("{}", authority.dir().join("trust.json").display()),
        Command::Issue {
            name_kanji: Some(kanji),
            name_romaji: Some(romaji),
            role: Some(role),
            valid_days,
            ..
        } => {
            let mut holder = HolderSpec::new(&kanji, &romaji, &role);
            let now = authority.clock().now();
            holder.validity = valid_days
                .map(|days| (now - time::Duration::MINUTE, now + time::Duration::days(days.into())));
            println!("{}", authority.issue(&holder)?);
        }
        Command::Issue { count, roster, .. } => issue_ahead(authority, count, roster.as_deref())?,
        Command::Letter { credential, out, route, valid_days, print } => {
            let mut spec = match route {
                TicketRoute::Letter => TicketSpec::letter(),
                TicketRoute::Card => TicketSpec::card(),
            };
            if let Some(days) = valid_days {
                spec.valid_for = time::Duration::days(days.into());
            }
            letter(authority, &credential, spec, &out, print)?;
        }
        Command::Revoke { credential } => authority.revoke(&credential)?,
        Command::Crl => {
            for file in authority.write_crls()? {
                println!("{}", file.display());
            }
        }
        Command::Submit { doctor, files } => {
            let requester = Requester {
                name: "試験クリニック".to_owned(),
                facility_code: "1319999999".to_owned(),
            };
            for file in files {
                let document =
                    std::fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
                println!("{}", authority.submit(&doctor, &requester, &document)?);
            }
        }
        Command::Collect { id } => return collect(&authority.collect(&id)?),
    }
    Ok(ExitCode::SUCCESS)
}

fn issue_ahead(
    authority: &Authority,
    count: Option<usize>,
    roster: Option<&Path>,
) -> Result<(), Box<dyn Error>> {
    let mut members = match roster {
        Some(file) => {
            let text =
                std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            Member::read_roster(&text)?
        }
        None => Member::made_up(count.unwrap_or_default()),
    };
    members.truncate(count.unwrap_or(usize::MAX));
    let (started, told) = (Instant::now(), Mutex::new(Instant::now()));
    let summary = authority.issue_ahead(&members, |done, of| {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.elapsed() < TELL_EVERY && done < of {
            return;
        }
        *told = Instant::now();
        let left = started.elapsed().as_millis() * (of - done) as u128 / done as u128 / 1000;
        eprintln!("{done} of {of}, {left} seconds to go");
    })?;
    println!("{} issued, {} were there", summary.issued, summary.present);
    Ok(())
}

fn letter(
    authority: &Authority,
    credential: &str,
    spec: TicketSpec,
    out: &Path,
    print: bool,
) -> Result<(), Box<dyn Error>> {
    let files = authority.letter(credential, spec)?;
    std::fs::create_dir_all(out)?;
    std::fs::write(out.join("letter.pdf"), &files.letter.pdf)?;
    std::fs::write(out.join("letter.png"), &files.letter.png)?;
    if let Some(sheet) = &files.code_sheet {
        std::fs::write(out.join("code.pdf"), &sheet.pdf)?;
        std::fs::write(out.join("code.png"), &sheet.png)?;
    }
    if print {
        println!("{}", files.ticket.qr_text);
        if let Some(code) = &files.ticket.activation_code {
            println!("{code}");
        }
    }
    Ok(())
}

fn collect(state: &State) -> Result<ExitCode, Box<dyn Error>> {
    use std::io::Write;
    match state {
        State::Signed(document) => {
            std::io::stdout().write_all(document)?;
            Ok(ExitCode::SUCCESS)
        }
        State::Waiting => {
            eprintln!("waiting");
            Ok(ExitCode::from(STILL_WAITING))
        }
        State::Declined { error, description } => {
            eprintln!("declined: {error} {}", description.as_deref().unwrap_or_default());
            Ok(ExitCode::from(DECLINED))
        }
    }
}
