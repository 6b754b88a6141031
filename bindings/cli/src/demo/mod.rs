//! `demo`: the whole journey on loopback. It starts the reference service, has it issue a doctor's certificate and
//! print the letter, and then is the phone: everything it does there goes through the same public API as an app's.
//! Files are made in a folder `.partial` and moved into place at the end, so that what lies in DIR is always one whole
//! run.

mod samples;
mod staging;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Args;
use hpki_agent::{
    agent::{Agent, Delivery},
    certificate::{Certificate, Crl},
    registration::ActivationCode,
    signature::{self, Trust, Verdict},
};
use reference_service::{HolderSpec, Options, ReferenceService, Requester, TicketSpec};
use time::OffsetDateTime;

use crate::{
    home::{Failure, HomeArgs},
    journey, scan,
};
use staging::Staging;

/// More would be refused by the service's `multisign`.
const MAX_COUNT: u64 = 100;

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
        println!("[{:>8.1} ms] {step}", self.0.elapsed().as_secs_f64() * 1e3);
        self.0 = Instant::now();
    }
}

pub(crate) async fn run(args: DemoArgs) -> Result<ExitCode, Failure> {
    let staging = Staging::begin(&args.out)?;
    tokio::select! {
        done = journey(&staging, args.count) => done?,
        _ = tokio::signal::ctrl_c() => return Err("interrupted: nothing was left behind".into()),
    }
    let files = staging.finish()?;
    println!("{} files in {}", files, args.out.display());
    Ok(ExitCode::SUCCESS)
}

async fn journey(staging: &Staging, count: u64) -> Result<(), Failure> {
    let count = usize::try_from(count)?;
    let mut steps = Steps(Instant::now());

    // The association's side: a certificate for the doctor, and the letter.
    let service = ReferenceService::start(Options::loopback(staging.work("service")?)).await?;
    let admin = service.admin();
    steps.done(&format!("reference service at {}", service.issuer()));
    let doctor = admin.issue(&HolderSpec::doctor(samples::PRESCRIBER, "Hanako Kensho"))?;
    write_certificates(staging, &service, &doctor)?;
    steps.done("certificate issued");
    let letter = admin.letter(&doctor, &TicketSpec::letter())?;
    staging.write("letter.pdf", &letter.letter.pdf)?;
    staging.write("letter.png", &letter.letter.png)?;
    staging.write("activation-code.pdf", &letter.code_sheet.pdf)?;
    staging.write("activation-code.png", &letter.code_sheet.png)?;
    steps.done("letter and activation code printed");

    // The phone's side.
    let agent = open_phone(staging, &service)?;
    steps.done("agent opened");
    let qr_text = scan::read_one(&staging.path("letter.png"))?;
    steps.done("QR read from the picture of the letter");
    let code = ActivationCode::parse(&letter.activation_code)?;
    let candidate = agent.register(&qr_text, Some(code)).await?;
    let holder = candidate.holder().clone();
    steps.done("registered");
    println!(
        "    {}  {}  {}",
        holder.name_kanji.as_deref().unwrap_or(&holder.name_romaji),
        holder.roles.join(", "),
        holder.issuer
    );
    agent.confirm(candidate).await?;
    steps.done("confirmed: this is the doctor's certificate");

    // The clinic's side: prescriptions arrive; the doctor reads them.
    let mut requests = Vec::with_capacity(count);
    for index in 0..count {
        let document = samples::prescription(index, OffsetDateTime::now_utc());
        requests.push(admin.submit(&doctor, &Requester::new("検証用クリニック", "1311312345"), &document)?);
    }
    steps.done(&format!("{count} prescription(s) submitted by the clinic"));
    let waiting = agent.inbox(Duration::ZERO).await?;
    steps.done(&format!("{} prescription(s) in the inbox", waiting.len()));
    for one in &waiting {
        journey::show(one);
        let number = number_of(&requests, one.id())?;
        staging.write(&format!("prescription-{number:03}.xml"), one.prescription()?.envelope())?;
    }
    steps.done("shown");

    // One act, N signatures.
    let batch = agent.prepare(waiting).await?;
    steps.done("prepared");
    let approved = agent.approve(batch).await?;
    steps.done(&format!("{} approved in one act, signed and delivered", approved.len()));
    for one in &approved {
        if let Delivery::Pending(error) = &one.delivery {
            return Err(format!("{}: not delivered: {error}", one.id).into());
        }
    }

    // What the clinic collects is what is verified, as a stranger would.
    for (index, request) in requests.iter().enumerate() {
        let signed = admin.collect(request)?.signed().ok_or("the clinic has no signed file")?;
        staging.write(&format!("prescription-{:03}.signed.xml", index + 1), &signed)?;
        verify(&service, &signed)?;
    }
    steps.done(&format!("{count} signed file(s) verified: valid"));
    staging.write("journal.jsonl", &agent.export_journal().await?)?;
    steps.done("journal exported");
    drop(agent);
    service.stop().await;
    Ok(())
}
