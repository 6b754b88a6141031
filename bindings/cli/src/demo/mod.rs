//! `demo`: the whole journey on loopback. It starts the reference service, has it issue a doctor's certificate and
//! print the letter, and then is the phone: everything it does there goes through the same public API as an app's.
//! Files are made in a folder `.partial` and moved into place at the end, so that what lies in DIR is always one whole
//! run.

mod samples;
mod staging;

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use clap::Args;
use hpki_agent::{
    agent::{Agent, AgentError, Delivery},
    certificate::{Certificate, Crl},
    device::{Random, SystemRandom},
    registration::ActivationCode,
    signature::{self, Trust, Verdict},
};
use reference_service::{HolderSpec, Options, ReferenceService, Requester, Running, State, TicketSpec};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::{
    files,
    home::{Failure, HomeArgs},
    journey, scan,
};
use staging::Staging;

/// As many as the agent takes in one act.
const MAX_COUNT: u64 = hpki_agent::service::MAX_HASHES as u64;

#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Folder for everything that the journey makes.
    #[arg(long)]
    out: PathBuf,
    /// How many prescriptions wait.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=MAX_COUNT))]
    count: u64,
}

/// Prints a step with the time since the one before.
struct Steps(Instant);

impl Steps {
    fn done(&mut self, step: &str) {
        out!("[{:>8.1} ms] {step}", self.0.elapsed().as_secs_f64() * 1e3);
        self.0 = Instant::now();
    }
}

pub(crate) async fn run(args: DemoArgs) -> Result<ExitCode, Failure> {
    let count = usize::try_from(args.count)?;
    let staging = Staging::begin(&args.out)?;
    tokio::select! {
        done = journey(&staging, count) => done?,
        _ = tokio::signal::ctrl_c() => return Err("interrupted: nothing was left behind".into()),
    }
    let files = staging.finish()?;
    out!("{} files in {}", files, args.out.display());
    Ok(ExitCode::SUCCESS)
}

async fn journey(staging: &Staging, count: usize) -> Result<(), Failure> {
    let mut steps = Steps(Instant::now());

    // The association's side: a certificate for the doctor, and the letter.
    let service = ReferenceService::start(Options::new(staging.work("service")?)).await?;
    let office = service.authority();
    steps.done(&format!("reference service at {}", service.issuer()));
    let doctor =
        office.issue(&HolderSpec::new(samples::PRESCRIBER, samples::PRESCRIBER_ROMAJI, "Medical Doctor"))?;
    steps.done("certificate issued to a doctor");
    let letter = office.letter(&doctor, TicketSpec::letter())?;
    let code_sheet = letter.code_sheet.ok_or("the letter has no code sheet")?;
    let code = letter.ticket.activation_code.ok_or("the letter has no activation code")?;
    staging.write("letter.pdf", &letter.letter.pdf)?;
    staging.write("letter.png", &letter.letter.png)?;
    staging.write("activation-code.pdf", &code_sheet.pdf)?;
    staging.write("activation-code.png", &code_sheet.png)?;
    steps.done("letter and activation code printed");

    // The phone's side.
    let phone = open_phone(staging, &service)?;
    steps.done("phone: agent opened");
    let qr_text = scan::read_one(&staging.path("letter.png"))?;
    steps.done("phone: QR read from the picture of the letter");
    let candidate = phone.register(&qr_text, Some(ActivationCode::parse(&code)?)).await?;
    steps.done("phone: registered with the activation code; whose certificate it is:");
    journey::show_holder(candidate.holder())?;
    phone.confirm(candidate).await?;
    steps.done("phone: confirmed by the doctor");

    // The clinic's side: prescriptions arrive; the doctor reads them.
    let clinic = Requester { name: "検証用クリニック".into(), facility_code: "1312345".into() };
    let mut requests = Vec::with_capacity(count);
    for index in 0..count {
        let document = samples::prescription(index, OffsetDateTime::now_utc());
        requests.push(office.submit(&doctor, &clinic, &document)?);
    }
    steps.done(&format!("clinic: {count} prescription(s) submitted"));
    let waiting = phone.inbox(Duration::ZERO).await?;
    steps.done(&format!("phone: {} prescription(s) wait", waiting.len()));
    for one in &waiting {
        journey::show(one);
        let number =
            requests.iter().position(|id| id == one.id()).ok_or("a request that nobody submitted")? + 1;
        staging.write(
            &format!("prescription-{number:03}.xml"),
            one.prescription().map_err(refused)?.envelope(),
        )?;
    }
    steps.done("phone: each shown as the doctor sees it");

    // One act, N signatures.
    let batch = phone.prepare(waiting).await?;
    steps.done("phone: prepared");
    let approved = phone.approve(batch).await?;
    if let Some(pending) = approved.iter().find(|a| !matches!(a.delivery, Delivery::Delivered)) {
        return Err(format!("{} was not delivered", pending.id).into());
    }
    steps.done(&format!("phone: {} approved in one act, signed and delivered", approved.len()));

    // What the clinic collects is what is verified.
    for (index, request) in requests.iter().enumerate() {
        let State::Signed(signed) = office.collect(request)? else {
            return Err(format!("{request}: the clinic has no signed file").into());
        };
        staging.write(&format!("prescription-{:03}.signed.xml", index + 1), &signed)?;
    }
    write_certificates(staging, &service)?;
    steps.done("clinic: signed files collected");
    verify_all(staging, count)?;
    steps.done(&format!("stranger: {count} signed file(s) verified: valid"));
    staging.write("journal.jsonl", &phone.export_journal().await?)?;
    steps.done("phone: journal exported");
    service.stop().await;
    Ok(())
}

/// A phone of its own, its secrets in a file under a passphrase drawn for this run.
fn open_phone(staging: &Staging, service: &Running) -> Result<Agent, Failure> {
    let folder = staging.work("phone")?;
    let mut passphrase = Zeroizing::new([0; 32]);
    SystemRandom.fill(&mut *passphrase);
    let passphrase_file = staging.work("")?.join("passphrase");
    std::fs::write(&passphrase_file, BASE64_STANDARD.encode(*passphrase))?;
    let home = HomeArgs::unattended(folder, passphrase_file);
    std::fs::write(home.trust_file()?, service.trust_json()?)?;
    staging.write("trust.json", service.trust_json()?.as_bytes())?;
    home.open()
}

fn write_certificates(staging: &Staging, service: &Running) -> Result<(), Failure> {
    let office = service.authority();
    staging.write("root.der", office.root_der())?;
    staging.write("ca.der", office.ca_der())?;
    for crl in office.crls()? {
        staging.write(crl.file_name, &crl.der)?;
    }
    Ok(())
}

/// As a stranger: nothing but the files and the root.
fn verify_all(staging: &Staging, count: usize) -> Result<(), Failure> {
    let read = |name: &str| std::fs::read(staging.path(name));
    let roots = [Certificate::from_der(&read("root.der")?)?];
    let intermediates = [Certificate::from_der(&read("ca.der")?)?];
    let crls = [Crl::from_der(&read("root.crl")?)?, Crl::from_der(&read("sign.crl")?)?];
    let prescriber_roles = files::prescriber_roles();
    let at = OffsetDateTime::now_utc();
    let trust = Trust {
        roots: &roots,
        timestamp_roots: &[],
        intermediates: &intermediates,
        crls: &crls,
        prescriber_roles: &prescriber_roles,
        at,
    };
    for number in 1..=count {
        let name = format!("prescription-{number:03}.signed.xml");
        let report = signature::verify(&read(&name)?, &trust);
        if report.verdict != Verdict::Valid {
            return Err(format!("{name}: {}", serde_json::to_string(&report)?).into());
        }
    }
    Ok(())
}

fn refused(error: &AgentError) -> Failure {
    format!("a sample was refused: {error} {:?}", error.violations()).into()
}
