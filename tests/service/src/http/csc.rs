//! `credentials/list` and `credentials/info` (CSC v2.2 11.4, 11.5): a phone sees the one credential it is bound to.

use super::call::Call;
use super::discovery::SHA256_WITH_RSA;
use super::refusal::Refusal;
use super::sessions::{self, Kind};
use super::{App, Shared};
use crate::store::Stop;
use crate::store::credentials::{self, Credential};
use axum::Json;
use axum::extract::State;
use rusqlite::Transaction;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use time::OffsetDateTime;

#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Certificates {
    None,
    #[default]
    Single,
    Chain,
}

/// What of a credential is asked for.
#[allow(clippy::struct_excessive_bools, reason = "CSC 11.4 and 11.5 ask with booleans")]
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    #[serde(rename = "credentialID")]
    credential_id: Option<String>,
    #[serde(default)]
    credential_info: bool,
    #[serde(default)]
    certificates: Certificates,
    #[serde(default)]
    cert_info: bool,
    #[serde(default)]
    auth_info: bool,
    #[serde(default)]
    only_valid: bool,
}

pub(super) async fn list(State(app): Shared, call: Call) -> Result<Json<Value>, Refusal> {
    app.answer(&Arc::new(call), |app, tx, call| {
        let credential = callers_credential(app, tx, call)?;
        let wanted: Wanted = call.json_as()?;
        let shown = !wanted.only_valid || credential.certificate_status(app.now()) == "valid";
        let credentials: Vec<_> = Some(&credential).filter(|_| shown).into_iter().collect();
        let ids: Vec<_> = credentials.iter().map(|credential| &credential.id).collect();
        let mut body = json!({ "credentialIDs": ids });
        if wanted.credential_info {
            let infos = credentials.iter().map(|credential| {
                let mut info = describe(credential, &wanted, app.now());
                info["credentialID"] = json!(credential.id);
                info
            });
            body["credentialInfos"] = infos.collect();
        }
        Ok(Json(body))
    })
    .await
}

pub(super) async fn info(State(app): Shared, call: Call) -> Result<Json<Value>, Refusal> {
    app.answer(&Arc::new(call), |app, tx, call| {
        let credential = callers_credential(app, tx, call)?;
        let wanted: Wanted = call.json_as()?;
        if wanted.credential_id.as_deref() != Some(&credential.id) {
            return Err(Refusal::invalid_request("Invalid parameter credentialID").into());
        }
        Ok(Json(describe(&credential, &wanted, app.now())))
    })
    .await
}

fn callers_credential(app: &App, tx: &Transaction<'_>, call: &Call) -> Result<Credential, Stop> {
    let (client, _) = sessions::caller(app, tx, call, Kind::Service)?;
    Ok(credentials::find(tx, &client.credential)?.ok_or_else(Refusal::server_error)?)
}

fn describe(credential: &Credential, wanted: &Wanted, now: i64) -> Value {
    let enabled = credential.key_enabled && credential.revoked_at.is_none();
    let mut certificate = json!({"status": credential.certificate_status(now)});
    match wanted.certificates {
        Certificates::None => {}
        Certificates::Single => certificate["certificates"] = json!(credential.chain[..1]),
        Certificates::Chain => certificate["certificates"] = json!(credential.chain),
    }
    if wanted.cert_info {
        let serial = credential.certificate_serial.iter().map(|byte| format!("{byte:02X}"));
        certificate["serialNumber"] = json!(serial.collect::<String>());
        certificate["subjectDN"] =
            json!(format!("serialNumber={},CN={},C=JP", credential.holder_serial, credential.name_romaji));
        certificate["validFrom"] = json!(generalized_time(credential.not_before));
        certificate["validTo"] = json!(generalized_time(credential.not_after));
    }
    let mut body = json!({
        "description": credential.name_kanji,
        "key": {
            "status": if enabled { "enabled" } else { "disabled" },
            "algo": [SHA256_WITH_RSA],
            "len": 2048,
        },
        "cert": certificate,
        "SCAL": credential.scal,
        "multisign": credential.multisign,
    });
    if wanted.auth_info {
        body["auth"] = json!({"mode": "oauth2code"});
    }
    body
}

/// `YYYYMMDDHHMMSSZ` (CSC 11.5).
fn generalized_time(seconds: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let format = time::macros::format_description!("[year][month][day][hour][minute][second]Z");
    at.format(format).unwrap_or_default()
}
