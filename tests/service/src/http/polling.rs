//! `signatures/signPolling` (CSC v2.2 11.11): the signatures of a `signHash` that was answered with a `responseID`.
//! The credential token is spent by then; the phone asks with its service token, as often as it likes.

use super::call::Call;
use super::refusal::Refusal;
use super::sessions::{self, Kind};
use super::{App, Shared};
use crate::store::Stop;
use crate::store::phones::{self, Client, Deferred};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rusqlite::Transaction;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// How long signatures are kept to be asked for, in seconds.
const DEFERRED_LIFE: i64 = 600;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignPolling {
    #[serde(rename = "requestID")]
    request_id: String,
    #[serde(default, rename = "clientData")]
    _client_data: Option<String>,
}

/// Keeps signatures that were made, and gives the answer that promises them.
pub(super) fn defer(
    app: &App,
    tx: &Transaction<'_>,
    client: &Client,
    signatures: &[String],
    pending: u32,
) -> Result<Json<Value>, Stop> {
    let (id, now) = (app.authority.new_id(), app.now());
    phones::defer_signatures(tx, &id, &client.id, signatures, pending, now + DEFERRED_LIFE)?;
    Ok(Json(json!({ "responseID": id })))
}

pub(super) async fn sign_polling(
    State(app): Shared,
    call: Call,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    app.answer(&Arc::new(call), |app, tx, call| {
        let (client, _) = sessions::caller(app, tx, call, Kind::Service)?;
        let request: SignPolling = call.json_as()?;
        let unknown = || Refusal::invalid_request("Invalid parameter requestID");
        let found = phones::deferred(tx, &request.request_id, &client.id, app.now())?.ok_or_else(unknown)?;
        Ok(match found {
            Deferred::Ready(signatures) => (StatusCode::OK, Json(json!({ "signatures": signatures }))),
            Deferred::Pending => (StatusCode::ACCEPTED, Json(json!({"error": "accepted_request"}))),
        })
    })
    .await
}
