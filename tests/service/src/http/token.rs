//! The token endpoint: client authentication by the device key (RFC 7523 2.2), service tokens, and credential tokens
//! for a SAD (RFC 7523 2.1, RFC 9396). Every token is opaque, bound to the device key and kept only as its hash.

use super::call::Call;
use super::discovery::JWT_BEARER;
use super::dpop::{self, MAX_JTI_BYTES, Place};
use super::refusal::Refusal;
use super::{App, CLOCK_SKEW, Shared, sad};
use crate::jose::Jws;
use crate::store::phones::{self, Client, Token};
use crate::store::{self, Stop};
use axum::Json;
use axum::extract::State;
use rusqlite::Transaction;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const JWT_BEARER_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Seconds.
const SERVICE_TOKEN_LIFE: i64 = 600;
/// Seconds.
const CREDENTIAL_TOKEN_LIFE: i64 = 300;
/// A client assertion may live so long, in seconds.
const ASSERTION_LIFE: i64 = 60;

type Form = BTreeMap<String, String>;

pub(super) async fn grant(State(app): Shared, call: Call) -> Result<Json<Value>, Refusal> {
    app.answer(&Arc::new(call), |app, tx, call| {
        let form = call.form()?;
        let prover = dpop::check(app, tx, call, Place::AuthorizationServer)?;
        let client = authenticate(app, tx, &form)?;
        if prover != client.device_key.thumbprint() {
            return Err(Refusal::bad_request("invalid_dpop_proof", "not this client's device key").into());
        }
        match form.get("grant_type").map(String::as_str) {
            Some("client_credentials") => service_token(app, tx, &client, &form),
            Some(JWT_BEARER) => credential_token(app, tx, &client, &form),
            _ => Err(Refusal::bad_request("unsupported_grant_type", "grant_type is unknown").into()),
        }
    })
    .await
}

/// The client that made the assertion in this form.
fn authenticate(app: &App, tx: &Transaction<'_>, form: &Form) -> Result<Client, Stop> {
    let invalid = |why: &str| Refusal::unauthorized("invalid_client", why);
    if form.get("client_assertion_type").map(String::as_str) != Some(JWT_BEARER_ASSERTION) {
        return Err(invalid("client_assertion_type must be jwt-bearer").into());
    }
    let assertion = form.get("client_assertion").ok_or_else(|| invalid("client_assertion is missing"))?;
    let assertion = Jws::parse(assertion).map_err(|error| invalid(&error.to_string()))?;
    let id = assertion.text("iss").ok_or_else(|| invalid("iss is missing"))?;
    let client = phones::client(tx, id)?.ok_or_else(|| invalid("this client is not registered"))?;
    assertion.verify(&client.device_key).map_err(|error| invalid(&error.to_string()))?;
    if assertion.header("kid") != Some(&client.device_key.thumbprint()) {
        return Err(invalid("kid is not the device key's thumbprint").into());
    }
    if assertion.text("sub") != Some(id) || form.get("client_id").is_some_and(|given| given != id) {
        return Err(invalid("sub and client_id must equal iss").into());
    }
    let audience = assertion.text("aud").unwrap_or_default();
    if audience != app.issuer && audience != app.url("/token") {
        return Err(invalid("aud is neither this issuer nor its token endpoint").into());
    }
    let now = app.now();
    let (Some(issued_at), Some(expires_at)) = (assertion.number("iat"), assertion.number("exp")) else {
        return Err(invalid("iat or exp is missing").into());
    };
    let life = expires_at.saturating_sub(issued_at);
    if now.abs_diff(issued_at) > CLOCK_SKEW.unsigned_abs() || !(1..=ASSERTION_LIFE).contains(&life) {
        return Err(invalid("the assertion is not of now, or lives longer than 60 seconds").into());
    }
    let jti = assertion.text("jti").filter(|jti| !jti.is_empty() && jti.len() <= MAX_JTI_BYTES);
    let jti = jti.ok_or_else(|| invalid("jti is missing or too long"))?;
    if !store::first_use(tx, &format!("assertion {id} {jti}"), issued_at + 2 * CLOCK_SKEW, now)? {
        return Err(invalid("jti was used before").into());
    }
    Ok(client)
}

fn service_token(app: &App, tx: &Transaction<'_>, client: &Client, form: &Form) -> Result<Json<Value>, Stop> {
    if form.get("scope").map(String::as_str) != Some("service") {
        return Err(Refusal::bad_request("invalid_scope", "the only scope is service").into());
    }
    let token = new_token(app, tx, client, None, SERVICE_TOKEN_LIFE)?;
    Ok(Json(json!({
        "access_token": token,
        "token_type": "DPoP",
        "expires_in": SERVICE_TOKEN_LIFE,
        "scope": "service",
    })))
}

fn credential_token(
    app: &App,
    tx: &Transaction<'_>,
    client: &Client,
    form: &Form,
) -> Result<Json<Value>, Stop> {
    let sad = sad::check(app, tx, client, form)?;
    let token = new_token(app, tx, client, Some(sad.hashes), CREDENTIAL_TOKEN_LIFE)?;
    Ok(Json(json!({
        "access_token": token,
        "token_type": "DPoP",
        "expires_in": CREDENTIAL_TOKEN_LIFE,
        "authorization_details": sad.authorization_details,
    })))
}

fn new_token(
    app: &App,
    tx: &Transaction<'_>,
    client: &Client,
    authorized: Option<Vec<String>>,
    life: i64,
) -> Result<String, Stop> {
    let (token, id) = app.authority.new_token();
    let now = app.now();
    let row = Token { id, client: client.id.clone(), authorized, expires_at: now + life };
    phones::insert_token(tx, &row, now)?;
    Ok(token)
}
