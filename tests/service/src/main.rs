//! The reference service from a shell. Every command works on one folder; `serve` may run beside the others.

use clap::{Parser, Subcommand, ValueEnum};
use reference_service::{
    Authority, Clock, HolderSpec, Options, ReferenceService, Requester, State, TicketSpec,
};
use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(about = "A remote-signing service for tests; its certificates sign nothing real")]
struct Arguments {
    /// Folder of the service's state; made when it is new
    #[arg(long)]
    dir: PathBuf,
    #[command(subcommand)]
    command: Command,
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
    },
    /// Make a key and a certificate; prints the credential's id
    Issue {
        /// Family name first
        #[arg(long)]
        name_kanji: String,
        /// Given name first
        #[arg(long)]
        name_romaji: String,
        /// hcRole, such as "Medical Doctor", "Dentist", "Pharmacist"
        #[arg(long)]
        role: String,
    },
    /// Issue a registration ticket and draw its letter, and the sheet with its code
    Letter {
        /// Credential id
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

#[derive(Clone, Copy, ValueEnum)]
enum TicketRoute {
    Letter,
    Card,
}

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
    let dir = arguments.dir;
    match arguments.command {
        Command::Serve { listen, issuer } => serve(dir, listen, issuer).await?,
        command => return office(&Authority::open(&dir, Clock::default())?, command),
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(dir: PathBuf, listen: SocketAddr, issuer: Option<String>) -> Result<(), Box<dyn Error>> {
    let trust = dir.join("trust.json");
    let running = ReferenceService::start(Options { listen, issuer, ..Options::new(dir) }).await?;
    println!("{}", serde_json::json!({"issuer": running.issuer(), "trust": trust}));
    tokio::signal::ctrl_c().await?;
    running.stop().await;
    Ok(())
}

fn office(authority: &Authority, command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Serve { .. } => {}
        Command::Init => println!("{}", authority.dir().join("trust.json").display()),
        Command::Issue { name_kanji, name_romaji, role } => {
            println!("{}", authority.issue(&HolderSpec::new(&name_kanji, &name_romaji, &role))?);
        }
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
