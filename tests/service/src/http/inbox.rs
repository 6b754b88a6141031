//! What waits for the doctor, and the doctor's answer (`signatureRequests` of TS 119 432 Annex A). A request is
//! answered once; a signed document is taken only when it holds a signature made for this phone over that body.

use super::call::Call;
use super::discovery::{SHA256, SHA256_WITH_RSA};
use super::refusal::Refusal;
use super::sessions::{self, Kind};
use super::{App, Shared};
use crate::store::Stop;
use crate::store::phones::{self, Client};
use crate::store::prescriptions::{self, Prescription, State as Answered};
use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusqlite::Transaction;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

/// Seconds.
const MAX_WAIT: u64 = 25;
/// A command beside the server cannot wake it: the database is looked at this often while somebody waits.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// The most that one answer lists.
const MAX_LISTED: usize = 100;
/// The documents of one answer together, in bytes; what is beyond is listed when those before are answered.
const MAX_LISTED_BYTES: usize = 4 * 1024 * 1024;
/// The doctor's words, in bytes.
const MAX_DESCRIPTION_BYTES: usize = 2000;

pub(super) async fn waiting(State(app): Shared, call: Call) -> Result<Json<Value>, Refusal> {
    let call = Arc::new(call);
    let client =
        app.answer(&call, |app, tx, call| Ok(sessions::caller(app, tx, call, Kind::Service)?.0)).await?;
    let deadline = Instant::now() + wait(&call)?;
    loop {
        let arrival = app.authority.arrivals().notified();
        let id = client.id.clone();
        let found = app.answer(&call, move |app, tx, _| list(app, tx, &id)).await?;
        if !found.is_empty() || Instant::now() >= deadline {
            return Ok(Json(json!({ "requests": found })));
        }
        let next_look = deadline.min(Instant::now() + LOOK_AGAIN);
        tokio::select! {
            () = arrival => {}
            () = tokio::time::sleep_until(next_look) => {}
        }
    }
}

fn wait(call: &Call) -> Result<Duration, Refusal> {
    let query = call.query()?;
    let Some(text) = query.get("wait") else { return Ok(Duration::ZERO) };
    match text.parse() {
        Ok(seconds) if seconds <= MAX_WAIT => Ok(Duration::from_secs(seconds)),
        _ => Err(Refusal::invalid_request("wait is 0 to 25 seconds")),
    }
}

/// The phone may have been unbound while it waited.
fn list(app: &App, tx: &Transaction<'_>, client: &str) -> Result<Vec<Value>, Stop> {
    let unbound = || Refusal::dpop_challenge("invalid_token", "the phone is no longer bound");
    let client = phones::client(tx, client)?.ok_or_else(unbound)?;
    let waiting = prescriptions::waiting(tx, &client.credential, app.now(), MAX_LISTED)?;
    let fits = waiting.iter().scan(0, |total, prescription| {
        *total += prescription.document.len();
        (*total <= MAX_LISTED_BYTES).then_some(prescription)
    });
    Ok(fits.map(|prescription| describe(app, prescription)).collect())
}

fn describe(app: &App, prescription: &Prescription) -> Value {
    let (document, id) = (&prescription.document, &prescription.id);
    let media_type = if is_csv(document) { "text/csv" } else { "application/xml" };
    json!({
        "id": id,
        "received_at": rfc3339(prescription.received_at),
        "expires_at": rfc3339(prescription.expires_at),
        "requester": prescription.requester,
        "signatureRequests": [{
            "label": id,
            "access": {"type": "public"},
            "href": format!("data:{media_type};base64,{}", BASE64.encode(document)),
            "checksum": {
                "value": BASE64.encode(ring::digest::digest(&ring::digest::SHA256, document)),
                "algorithmOID": SHA256,
            },
            "signature_format": "X",
            "conformance_level": "AdES-B-B",
            "signAlgo": SHA256_WITH_RSA,
            "responseURI": app.url(&format!("/prescriptions/{id}")),
        }],
    })
}

fn rfc3339(seconds: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(&Rfc3339).unwrap_or_default()
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Response {
    Signed(SignedResponse),
    Declined(DeclinedResponse),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SignedResponse {
    document_with_signature: [String; 1],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclinedResponse {
    error: String,
    error_description: Option<String>,
}

pub(super) async fn respond(State(app): Shared, call: Call) -> Result<Json<Value>, Refusal> {
    app.answer(&Arc::new(call), |app, tx, call| {
        let (client, _) = sessions::caller(app, tx, call, Kind::Service)?;
        let prescription = prescriptions::find(tx, call.id())?
            .filter(|prescription| prescription.credential == client.credential)
            .ok_or_else(Refusal::not_found)?;
        let response: Response = call.json_as()?;
        if prescription.state != Answered::Waiting {
            return Err(Refusal::conflict("already_answered", "the first answer stands").into());
        }
        if app.now() >= prescription.expires_at {
            return Err(Refusal::conflict("expired", "the request has expired").into());
        }
        match response {
            Response::Signed(SignedResponse { document_with_signature: [document] }) => {
                deliver(tx, &client, &prescription, &document)?;
            }
            Response::Declined(DeclinedResponse { error, error_description }) => {
                let words = error_description.as_deref();
                if error != "access_denied" || words.is_some_and(|words| words.len() > MAX_DESCRIPTION_BYTES)
                {
                    return Err(Refusal::invalid_request("not a decline").into());
                }
                prescriptions::decline(tx, &prescription.id, &error, words)?;
            }
        }
        Ok(Json(json!({})))
    })
    .await
}

fn deliver(tx: &Transaction<'_>, client: &Client, asked: &Prescription, document: &str) -> Result<(), Stop> {
    let unusable = |why: &str| Refusal::invalid_request(format!("documentWithSignature: {why}"));
    let bytes = BASE64.decode(document).map_err(|_| unusable("not base64"))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| unusable("not UTF-8"))?;
    if asked_body(&asked.document).is_none_or(|body| body_of(text) != Some(body)) {
        return Err(unusable("not the prescription that was asked for").into());
    }
    let signature = element(text, "SignatureValue").and_then(|value| BASE64.decode(value).ok());
    let signature = signature.ok_or_else(|| unusable("no readable SignatureValue"))?;
    if !phones::signature_is_known(tx, &client.id, &signature)? {
        return Err(unusable("the signature was not made here for this phone").into());
    }
    if !prescriptions::sign(tx, &asked.id, &bytes, &signature)? {
        return Err(Refusal::conflict("already_answered", "this signature was delivered before").into());
    }
    Ok(())
}

fn is_csv(document: &[u8]) -> bool {
    document.starts_with(b"SJ1")
}

/// The base64 body of the prescription that was submitted, be it the envelope or the bare CSV.
fn asked_body(document: &[u8]) -> Option<String> {
    if is_csv(document) {
        return Some(BASE64.encode(document));
    }
    body_of(std::str::from_utf8(document).ok()?)
}

fn body_of(text: &str) -> Option<String> {
    element(text, "PrescriptionDocument")
}

/// The text, without white space, of the first element of this name. A look, not a parser: whether the signature is
/// right is for the agent and for verifiers.
fn element(text: &str, name: &str) -> Option<String> {
    text.match_indices(name).find_map(|(at, _)| {
        let rest = &text[at + name.len()..];
        let is_tag = text[..at].ends_with(['<', ':']) && rest.starts_with(['>', ' ', '\t', '\r', '\n']);
        let (_, content) = rest.split_once('>').filter(|_| is_tag)?;
        let (content, _) = content.split_once('<')?;
        Some(content.split_ascii_whitespace().collect())
    })
}
