//! Binding a phone: dynamic client registration (RFC 7591) with a ticket, two keys and an activation code; reading
//! and removing the registration (RFC 7592). The same ticket with the same keys is the same registration.

use super::call::Call;
use super::dpop::{self, Place};
use super::refusal::Refusal;
use super::{App, CLOCK_SKEW, Shared, ticket};
use crate::jose::{Jws, PublicKey};
use crate::store::Stop;
use crate::store::phones::{self, Client, Ticket};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusqlite::Transaction;
use serde_json::{Value, json};
use std::sync::Arc;

/// `software_id`, `software_version`, `client_name`.
const MAX_NAME_CHARS: usize = 100;
/// An attestation chain of a phone has up to five certificates.
const MAX_ATTESTATION: usize = 10;

pub(super) async fn register(State(app): Shared, call: Call) -> Result<(StatusCode, Json<Value>), Refusal> {
    app.answer(&Arc::new(call), bind).await
}

fn bind(app: &App, tx: &Transaction<'_>, call: &Call) -> Result<(StatusCode, Json<Value>), Stop> {
    let ticket = ticket::presented(app, tx, call)?;
    let prover = dpop::check(app, tx, call, Place::AuthorizationServer)?;
    let request = call.json()?;
    let (device_key, approval_key) = keys(&request, &prover)?;
    let metadata = metadata(&request)?;
    check_approval_proof(app, &request, &ticket, &device_key, &approval_key)?;

    ticket::check_usable(app, &ticket)?;
    let repeated = match &ticket.client {
        None => None,
        Some(id) => {
            let used = || Refusal::unauthorized("ticket_used", "the ticket has bound other keys");
            let client = phones::client(tx, id)?.ok_or_else(used)?;
            if client.device_key != device_key || client.approval_key != approval_key {
                return Err(used().into());
            }
            Some(client)
        }
    };
    ticket::check_code(app, tx, &ticket, request.get("activation_code"))?;

    let (access_token, registration_token) = app.authority.new_token();
    if let Some(client) = repeated {
        phones::set_registration_token(tx, &client.id, &registration_token)?;
        return Ok((StatusCode::OK, Json(answer(app, &client, &access_token))));
    }
    let mut client = Client {
        id: app.authority.new_id(),
        credential: ticket.credential.clone(),
        device_key,
        approval_key,
        metadata,
        registration_token,
        registered_at: app.now(),
        replaced: false,
    };
    phones::bind(tx, &mut client, &ticket)?;
    Ok((StatusCode::CREATED, Json(answer(app, &client, &access_token))))
}

pub(super) async fn read(State(app): Shared, call: Call) -> Result<Json<Value>, Refusal> {
    app.answer(&Arc::new(call), |app, tx, call| {
        let (client, token) = registered(app, tx, call)?;
        Ok(Json(answer(app, &client, token)))
    })
    .await
}

pub(super) async fn remove(State(app): Shared, call: Call) -> Result<StatusCode, Refusal> {
    app.answer(&Arc::new(call), |app, tx, call| {
        let (client, _) = registered(app, tx, call)?;
        phones::unbind(tx, &client.id, app.now())?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// The client whose registration access token and device key this request shows.
fn registered<'a>(app: &App, tx: &Transaction<'_>, call: &'a Call) -> Result<(Client, &'a str), Stop> {
    let unknown =
        || Refusal::unauthorized("invalid_token", "not the registration access token of this client");
    let token = call.authorization("bearer").ok_or_else(unknown)?;
    let client = phones::client(tx, call.id())?.ok_or_else(unknown)?;
    if client.registration_token != app.authority.token_id(token) {
        return Err(unknown().into());
    }
    let prover = dpop::check(app, tx, call, Place::AuthorizationServer)?;
    if prover != client.device_key.thumbprint() {
        return Err(Refusal::bad_request("invalid_dpop_proof", "not this client's device key").into());
    }
    Ok((client, token))
}

/// Client information (RFC 7591 3.2.1, RFC 7592 3).
fn answer(app: &App, client: &Client, registration_token: &str) -> Value {
    let mut body = client.metadata.clone();
    body["client_id"] = json!(client.id);
    body["client_id_issued_at"] = json!(client.registered_at);
    body["registration_access_token"] = json!(registration_token);
    body["registration_client_uri"] = json!(app.url(&format!("/register/{}", client.id)));
    body["credential_id"] = json!(client.credential);
    body["replaced"] = json!(client.replaced);
    body
}

fn invalid(why: impl Into<String>) -> Refusal {
    Refusal::bad_request("invalid_client_metadata", why)
}

/// The device key, which made the DPoP proof, and the approval key: two distinct P-256 keys under their thumbprints.
fn keys(request: &Value, prover: &str) -> Result<(PublicKey, PublicKey), Refusal> {
    let Some([first, second]) = request["jwks"]["keys"].as_array().map(Vec::as_slice) else {
        return Err(invalid("jwks must hold two keys"));
    };
    let read = |jwk: &Value| {
        let key = PublicKey::from_jwk(jwk).map_err(|error| invalid(error.to_string()))?;
        if jwk["kid"] != json!(key.thumbprint()) || jwk["use"] != "sig" || jwk["alg"] != "ES256" {
            return Err(invalid("a key needs kid = its thumbprint, use = sig, alg = ES256"));
        }
        Ok(key)
    };
    let (first, second) = (read(first)?, read(second)?);
    if first == second {
        return Err(invalid("device key and approval key are the same"));
    }
    match (first.thumbprint() == prover, second.thumbprint() == prover) {
        (true, false) => Ok((first, second)),
        (false, true) => Ok((second, first)),
        _ => Err(Refusal::bad_request("invalid_dpop_proof", "the proof is not by one of the two keys")),
    }
}

/// What is registered and echoed; secrets and proofs are left out.
fn metadata(request: &Value) -> Result<Value, Refusal> {
    let fixed = json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "grant_types": ["client_credentials", super::discovery::JWT_BEARER],
        "response_types": [],
        "dpop_bound_access_tokens": true,
        "scope": "service",
    });
    for (name, expected) in fixed.as_object().into_iter().flatten() {
        if request.get(name) != Some(expected) {
            return Err(invalid(format!("{name} must be {expected}")));
        }
    }
    let mut metadata = fixed;
    for name in ["software_id", "software_version", "client_name"] {
        let text =
            request[name].as_str().filter(|text| !text.is_empty() && text.chars().count() <= MAX_NAME_CHARS);
        metadata[name] = json!(text.ok_or_else(|| invalid(format!("{name} is missing, empty or too long")))?);
    }
    if let Some(chain) = request.get("key_attestation") {
        let certificates = chain.as_array().filter(|chain| chain.len() <= MAX_ATTESTATION);
        let readable =
            |certificate: &Value| certificate.as_str().is_some_and(|text| BASE64.decode(text).is_ok());
        if !certificates.is_some_and(|chain| chain.iter().all(readable)) {
            return Err(invalid("key_attestation is not a list of base64 certificates"));
        }
    }
    metadata["jwks"] = request["jwks"].clone();
    Ok(metadata)
}

/// The approval key signs for this issuer, this ticket and this device key, now.
fn check_approval_proof(
    app: &App,
    request: &Value,
    ticket: &Ticket,
    device_key: &PublicKey,
    approval_key: &PublicKey,
) -> Result<(), Refusal> {
    let invalid = |why: &str| Refusal::bad_request("invalid_approval_proof", why);
    let compact = request["approval_proof"].as_str().ok_or_else(|| invalid("approval_proof is missing"))?;
    let proof = Jws::parse(compact).map_err(|error| invalid(&error.to_string()))?;
    proof.verify(approval_key).map_err(|error| invalid(&error.to_string()))?;
    if proof.header("typ") != Some("approval-proof+jwt") {
        return Err(invalid("typ is not approval-proof+jwt"));
    }
    if proof.header("kid") != Some(&approval_key.thumbprint()) {
        return Err(invalid("kid is not the approval key's thumbprint"));
    }
    if proof.text("aud") != Some(&app.issuer) {
        return Err(invalid("aud is not this issuer"));
    }
    if proof.text("ticket") != Some(&ticket.jti) {
        return Err(invalid("ticket is another ticket"));
    }
    if proof.text("device") != Some(&device_key.thumbprint()) {
        return Err(invalid("device is not the device key's thumbprint"));
    }
    match proof.number("iat") {
        Some(at) if app.now().abs_diff(at) <= CLOCK_SKEW.unsigned_abs() => Ok(()),
        _ => Err(invalid("iat is missing or more than five minutes from the service's time")),
    }
}
