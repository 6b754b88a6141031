//! The clinic's side, for tests: prescriptions go in, signed ones come out. Not part of the phone's protocol.

use super::call::Call;
use super::refusal::Refusal;
use super::{App, Shared};
use crate::store::prescriptions::{Requester, State as Answered};
use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Submission {
    doctor: String,
    requester: Requester,
    document: String,
}

pub(super) async fn submit(State(app): Shared, call: Call) -> Result<Json<Value>, Refusal> {
    app.answer(&Arc::new(call), |app, tx, call| {
        check_key(app, call)?;
        let submission: Submission = call.json_as()?;
        let document = BASE64
            .decode(&submission.document)
            .map_err(|_| Refusal::invalid_request("document is not standard base64"))?;
        let id = app.authority.submit_in(tx, &submission.doctor, &submission.requester, &document)?;
        let id =
            id.ok_or_else(|| Refusal::invalid_request("no such doctor, or a document of no or absurd size"))?;
        Ok(Json(json!({ "id": id })))
    })
    .await
    .inspect(|_| app.authority.arrivals().notify_waiters())
}

pub(super) async fn collect(State(app): Shared, call: Call) -> Result<Json<Value>, Refusal> {
    app.answer(&Arc::new(call), |app, tx, call| {
        check_key(app, call)?;
        let found = crate::store::prescriptions::find(tx, call.id())?.ok_or_else(Refusal::not_found)?;
        let mut body = json!({ "id": found.id });
        match found.state {
            Answered::Waiting => body["state"] = json!("waiting"),
            Answered::Signed(document) => {
                body["state"] = json!("signed");
                body["document_with_signature"] = json!(BASE64.encode(document));
            }
            Answered::Declined { error, description } => {
                body["state"] = json!("declined");
                body["error"] = json!(error);
                if let Some(description) = description {
                    body["error_description"] = json!(description);
                }
            }
        }
        Ok(Json(body))
    })
    .await
}

fn check_key(app: &App, call: &Call) -> Result<(), Refusal> {
    let key = call.authorization("bearer").unwrap_or_default();
    if app.authority.clinic_key_matches(key) {
        return Ok(());
    }
    Err(Refusal::unauthorized("invalid_token", "not the clinic's key"))
}
