//! The commands that act as the phone: `register`, `status`, `inbox`, `sign`, `decline`, `journal`, `unregister`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use hpki_agent::{
    agent::{Agent, AgentError, Code, Delivery, Status, Waiting},
    certificate::Holder,
    journal,
    prescription::Lang,
    registration::ActivationCode,
    trust::TrustConfiguration,
};
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

use crate::{
    files::told,
    home::{Failure, HomeArgs, ask},
    scan,
};

#[derive(Args)]
pub(crate) struct RegisterArgs {
    /// The registration letter: a photo of it, or the text of its QR.
    letter: String,
    /// Trust configuration of the service, kept for the commands that follow.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// File that holds the activation code [default: asked for].
    #[arg(long, value_name = "FILE")]
    code_file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct StatusArgs {
    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct InboxArgs {
    /// Seconds to wait until something arrives, 0 to 25.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=25))]
    wait: u64,
    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct SignArgs {
    /// Identifiers of waiting requests, or files (envelope or CSV).
    #[arg(required_unless_present = "all")]
    what: Vec<String>,
    /// Everything that waits and can be signed.
    #[arg(long, conflicts_with = "what")]
    all: bool,
    /// Folder for the signed files.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct DeclineArgs {
    /// Identifier of the waiting request.
    id: String,
    /// What to tell the clinic.
    #[arg(long)]
    reason: String,
}

#[derive(Args)]
pub(crate) struct JournalArgs {
    /// Check a record exported earlier instead of this phone's.
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
}

pub(crate) async fn register(home: &HomeArgs, args: RegisterArgs) -> Result<ExitCode, Failure> {
    if let Some(file) = &args.trust {
        install_trust(file, &home.trust_file()?)?;
    }
    let qr_text = match Path::new(&args.letter) {
        photo if photo.is_file() => scan::read_one(photo)?,
        _ => args.letter.clone(),
    };
    let agent = home.open_to_register().await?;
    let candidate = match &args.code_file {
        Some(file) => {
            agent.register(&qr_text, Some(ActivationCode::parse(&std::fs::read_to_string(file)?)?)).await?
        }
        None => match agent.register(&qr_text, None).await {
            Err(error) if error.code() == Code::ActivationCodeRequired => {
                let typed = Zeroizing::new(rpassword::prompt_password(error.text_ja())?);
                agent.register(&qr_text, Some(ActivationCode::parse(&typed)?)).await?
            }
            other => other?,
        },
    };
    show_holder(candidate.holder())?;
    if home.yes || ask("これはあなたの証明書ですか / Is this your certificate?") {
        agent.confirm(candidate).await?;
        out!("登録しました / registered");
        return Ok(ExitCode::SUCCESS);
    }
    agent.reject(candidate).await?;
    out!("登録を取り消しました / registration undone");
    Ok(ExitCode::FAILURE)
}

/// Whose certificate it is.
pub(crate) fn show_holder(holder: &Holder) -> Result<(), Failure> {
    out!("    {} ({})", holder.name_kanji.as_deref().unwrap_or_default(), holder.name_romaji);
    out!("    {}", holder.roles.join(", "));
    out!("    {}", holder.issuer);
    out!("    {} 〜 {}", holder.not_before.format(&Rfc3339)?, holder.not_after.format(&Rfc3339)?);
    Ok(())
}

/// Checked before it is kept, so that a wrong file changes nothing.
fn install_trust(from: &Path, to: &Path) -> Result<(), Failure> {
    let json = std::fs::read(from).map_err(|e| format!("{}: {e}", from.display()))?;
    TrustConfiguration::from_json(&json)?;
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let partial = to.with_extension("partial");
    std::fs::write(&partial, json)?;
    Ok(std::fs::rename(partial, to)?)
}

pub(crate) async fn status(home: &HomeArgs, args: StatusArgs) -> Result<ExitCode, Failure> {
    let (state, text) = match home.open()?.status().await? {
        Status::Unregistered => (json!({"state": "unregistered"}), "未登録 / not registered".to_owned()),
        Status::AwaitingConfirmation => {
            (json!({"state": "awaiting_confirmation"}), "本人確認待ち / waits for confirmation".to_owned())
        }
        Status::Registered { issuer, holder, undelivered } => {
            let name = holder.name_kanji.as_deref().unwrap_or(&holder.name_romaji);
            let text = format!("登録済み / registered: {name}, {issuer}, 未送達 / undelivered {undelivered}");
            (
                json!({"state": "registered", "issuer": issuer, "holder": holder, "undelivered": undelivered}),
                text,
            )
        }
    };
    if args.json {
        out!("{state}");
    } else {
        out!("{text}");
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn inbox(home: &HomeArgs, args: InboxArgs) -> Result<ExitCode, Failure> {
    let agent = home.open()?;
    let waiting = match agent.inbox(Duration::from_secs(args.wait)).await {
        Err(error) if error.code() == Code::Offline => last_inbox(&agent, error).await?,
        read => read?,
    };
    for waiting in waiting {
        if args.json {
            out!("{}", as_json(&waiting));
        } else {
            show(&waiting);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Without network: what waited when the inbox was last read, and when that was.
async fn last_inbox(agent: &Agent, offline: AgentError) -> Result<Vec<Waiting>, Failure> {
    let Some(last) = agent.last_inbox().await? else { return Err(offline.into()) };
    let read_at = last.read_at.format(&Rfc3339)?;
    eprintln!("{}\n{read_at} の受信内容 / offline: as it was then", offline.text_ja());
    if last.left_out > 0 {
        eprintln!("ほか {} 件 / {} more are not kept", last.left_out, last.left_out);
    }
    Ok(last.waiting)
}

fn as_json(waiting: &Waiting) -> serde_json::Value {
    let (preview, refused) = match waiting.prescription() {
        Ok(prescription) => (json!(prescription.preview()), json!(null)),
        Err(error) => (json!(null), json!({"code": error.code().as_str(), "violations": error.violations()})),
    };
    json!({
        "id": waiting.id(), "label": waiting.label(), "requester": waiting.requester().map(|r| &r.name),
        "warnings": waiting.warnings(), "preview": preview, "refused": refused,
    })
}

/// As the doctor would see it: who asks, warnings first, then the prescription.
pub(crate) fn show(waiting: &Waiting) {
    let requester = waiting.requester().map(|r| r.name.as_str()).unwrap_or_default();
    out!("── {} {requester}", waiting.id());
    for warning in waiting.warnings() {
        out!("{}", told(warning));
    }
    match waiting.prescription() {
        Ok(prescription) => out!("{}", prescription.preview().to_text(Lang::Ja)),
        Err(error) => {
            out!("{}", error.text_ja());
            for violation in error.violations() {
                out!("  {}", told(violation));
            }
        }
    }
}

pub(crate) async fn sign(home: &HomeArgs, args: SignArgs) -> Result<ExitCode, Failure> {
    let agent = home.open()?;
    let mut undelivered = false;
    for earlier in agent.deliver_pending().await? {
        undelivered |= tell(&earlier.id, &earlier.delivery);
    }
    let chosen = choose(&agent, &args).await?;
    if chosen.is_empty() {
        out!("署名を待つ処方箋はありません / nothing waits");
        return Ok(ExitCode::SUCCESS);
    }
    for waiting in &chosen {
        show(waiting);
    }
    if let Some(dir) = &args.out {
        std::fs::create_dir_all(dir)?;
    }
    let batch = agent.prepare(chosen).await?;
    for approved in agent.approve(batch).await? {
        undelivered |= tell(&approved.id, &approved.delivery);
        let folder = match (&args.out, &approved.delivery) {
            (Some(dir), _) => dir.clone(),
            (None, Delivery::Returned) => PathBuf::from("."),
            (None, _) => continue,
        };
        let file = folder.join(format!("{}.signed.xml", file_stem(&approved.id)));
        std::fs::write(&file, approved.signed.bytes()).map_err(|e| format!("{}: {e}", file.display()))?;
        out!("  {}", file.display());
    }
    Ok(if undelivered { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What became of a signed file. Returns whether its clinic does without it.
fn tell(id: &str, delivery: &Delivery) -> bool {
    let (what, undelivered) = match delivery {
        Delivery::Delivered => ("送達済み / delivered".to_owned(), false),
        Delivery::Returned => ("署名済み / signed".to_owned(), false),
        Delivery::Pending(error) => (format!("署名済み・未送達 / signed, not delivered: {error}"), true),
        Delivery::Refused(error) => (format!("署名済み・受取拒否 / signed, not taken: {error}"), true),
    };
    out!("{id} {what}");
    undelivered
}

/// An identifier comes from the service: as a file name it keeps letters, digits, `-` and `_` alone.
fn file_stem(id: &str) -> String {
    let name = Path::new(id).file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    name.chars().map(|c| if c.is_alphanumeric() || c == '-' || c == '_' { c } else { '_' }).collect()
}

async fn choose(agent: &Agent, args: &SignArgs) -> Result<Vec<Waiting>, Failure> {
    let (files, ids): (Vec<_>, Vec<_>) = args.what.iter().partition(|w| Path::new(w).is_file());
    let mut chosen = Vec::new();
    if args.all || !ids.is_empty() {
        let mut waiting = agent.inbox(Duration::ZERO).await?;
        if args.all {
            waiting.retain(|w| w.prescription().is_ok());
            return Ok(waiting);
        }
        for id in ids {
            let at =
                waiting.iter().position(|w| w.id() == id).ok_or_else(|| format!("{id}: no such request"))?;
            chosen.push(waiting.swap_remove(at));
        }
    }
    for file in files {
        chosen.push(agent.open_document(&std::fs::read(file)?, file).await?);
    }
    Ok(chosen)
}

pub(crate) async fn decline(home: &HomeArgs, args: DeclineArgs) -> Result<ExitCode, Failure> {
    let agent = home.open()?;
    let waiting = agent.inbox(Duration::ZERO).await?.into_iter().find(|w| w.id() == args.id);
    let waiting = waiting.ok_or_else(|| format!("{}: no such request", args.id))?;
    agent.decline(waiting, &args.reason).await?;
    out!("辞退しました / declined");
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn journal(home: &HomeArgs, args: JournalArgs) -> Result<ExitCode, Failure> {
    if let Some(file) = args.check {
        let summary = journal::verify_export(&std::fs::read(file)?)?;
        out!("改変なし / intact: {summary:?}");
        return Ok(ExitCode::SUCCESS);
    }
    print!("{}", String::from_utf8(home.open()?.export_journal().await?)?);
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn unregister(home: &HomeArgs) -> Result<ExitCode, Failure> {
    home.open()?.unregister().await?;
    out!("登録を解除しました / unregistered");
    Ok(ExitCode::SUCCESS)
}
