//! The signature activation data: the assertion by which a doctor authorises exactly these hashes with exactly this
//! credential (EN 419 241-1, SCAL2). Everything that it binds is compared; what is missing or surplus is refused.

use super::discovery::{SHA256, details_type};
use super::dpop::MAX_JTI_BYTES;
use super::refusal::Refusal;
use super::{App, CLOCK_SKEW};
use crate::jose::Jws;
use crate::store::credentials::{self, Credential};
use crate::store::phones::Client;
use crate::store::{self, Stop};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusqlite::Transaction;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A SAD may live so long, in seconds.
const SAD_LIFE: i64 = 300;
/// A label is a request's id or a file's name.
const MAX_LABEL_CHARS: usize = 128;

/// What a SAD authorises.
pub(super) struct Sad {
    /// Standard base64, in the SAD's order.
    pub(super) hashes: Vec<String>,
    /// To be granted as they were asked for.
    pub(super) authorization_details: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Detail {
    r#type: String,
    #[serde(rename = "credentialID")]
    credential_id: String,
    num_signatures: usize,
    #[serde(rename = "hashAlgorithmOID")]
    hash_algorithm_oid: String,
    hash_type: String,
    document_digests: Vec<DocumentDigest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentDigest {
    hash: String,
    label: String,
}

fn refused(why: &str) -> Refusal {
    Refusal::bad_request("invalid_grant", format!("Invalid parameter SAD: {why}"))
}

fn wrong_details(why: &str) -> Refusal {
    Refusal::bad_request("invalid_authorization_details", why)
}

/// Judges the `assertion` of this form, made for `client`.
pub(super) fn check(
    app: &App,
    tx: &Transaction<'_>,
    client: &Client,
    form: &BTreeMap<String, String>,
) -> Result<Sad, Stop> {
    let assertion = form.get("assertion").ok_or_else(|| refused("it is missing"))?;
    let sad = Jws::parse(assertion).map_err(|error| refused(&error.to_string()))?;
    sad.verify(&client.approval_key).map_err(|error| refused(&error.to_string()))?;
    check_claims(app, client, &sad)?;

    let granted = sad.claim("authorization_details").ok_or_else(|| wrong_details("the SAD has none"))?;
    let asked = form.get("authorization_details").and_then(|text| serde_json::from_str::<Value>(text).ok());
    if asked.as_ref() != Some(granted) {
        return Err(wrong_details("the request's differ from the SAD's").into());
    }
    let credential = credentials::find(tx, &client.credential)?.ok_or_else(Refusal::server_error)?;
    check_credential(&credential, app.now())?;
    let hashes = check_details(granted, &credential, details_type(app.faults.version()))?;

    let jti = sad.text("jti").filter(|jti| !jti.is_empty() && jti.len() <= MAX_JTI_BYTES);
    let jti = jti.ok_or_else(|| refused("jti is missing or too long"))?;
    let now = app.now();
    if !store::first_use(tx, &format!("sad {} {jti}", client.id), now + SAD_LIFE + CLOCK_SKEW, now)? {
        return Err(refused("jti was used before").into());
    }
    Ok(Sad { hashes, authorization_details: granted.clone() })
}

fn check_claims(app: &App, client: &Client, sad: &Jws) -> Result<(), Refusal> {
    if sad.header("typ") != Some("sad+jwt") {
        return Err(refused("typ is not sad+jwt"));
    }
    if sad.header("kid") != Some(&client.approval_key.thumbprint()) {
        return Err(refused("kid is not the approval key's thumbprint"));
    }
    if sad.text("iss") != Some(&client.id) {
        return Err(refused("iss is not this client"));
    }
    if sad.text("sub") != Some(&client.credential) {
        return Err(refused("sub is not this client's credential"));
    }
    if sad.text("aud") != Some(&app.url("/token")) {
        return Err(refused("aud is not the token endpoint"));
    }
    if sad.text("purpose") != Some("e-prescription") {
        return Err(refused("purpose is not e-prescription"));
    }
    let now = app.now();
    if !sad.text("nonce").is_some_and(|nonce| app.nonces.is_live(nonce, now)) {
        return Err(refused("nonce is not a live nonce of this service"));
    }
    let (Some(issued_at), Some(expires_at)) = (sad.number("iat"), sad.number("exp")) else {
        return Err(refused("iat or exp is missing"));
    };
    if now >= expires_at {
        return Err(Refusal::bad_request("invalid_grant", "SAD expired"));
    }
    if now.abs_diff(issued_at) > CLOCK_SKEW.unsigned_abs() {
        return Err(refused("iat is more than five minutes from the service's time"));
    }
    if expires_at.saturating_sub(issued_at) > SAD_LIFE {
        return Err(refused("it lives longer than five minutes"));
    }
    Ok(())
}

/// A disabled key and an expired certificate sign nothing (CSC 11.9, error texts).
pub(super) fn check_credential(credential: &Credential, now: i64) -> Result<(), Refusal> {
    if !credential.key_enabled || credential.revoked_at.is_some() {
        return Err(Refusal::invalid_request("The credential identified by credentialID is disabled"));
    }
    if now > credential.not_after || now < credential.not_before {
        let holder = &credential.holder_serial;
        return Err(Refusal::invalid_request(format!("Signing certificate '{holder}' is expired.")));
    }
    Ok(())
}

fn check_details(
    details: &Value,
    credential: &Credential,
    details_type: &str,
) -> Result<Vec<String>, Refusal> {
    let shape = |error: serde_json::Error| wrong_details(&format!("not one credential detail: {error}"));
    let [detail]: [Detail; 1] = serde_json::from_value(details.clone()).map_err(shape)?;
    if detail.r#type != details_type {
        return Err(wrong_details("type is not one of this service's"));
    }
    if detail.credential_id != credential.id {
        return Err(wrong_details("credentialID is not this client's"));
    }
    if detail.hash_algorithm_oid != SHA256 || detail.hash_type != "dtbsr" {
        return Err(wrong_details("only dtbsr hashes with SHA-256 are authorised"));
    }
    if detail.document_digests.is_empty() {
        return Err(Refusal::invalid_request("Empty hash array"));
    }
    if detail.num_signatures != detail.document_digests.len() {
        return Err(wrong_details("numSignatures is not the number of digests"));
    }
    if detail.num_signatures > credential.multisign as usize {
        return Err(Refusal::invalid_request("Numbers of signatures is too high"));
    }
    detail
        .document_digests
        .into_iter()
        .map(|digest| {
            read_hash(&digest.hash)?;
            if digest.label.is_empty() || digest.label.chars().count() > MAX_LABEL_CHARS {
                return Err(wrong_details("a label is empty or too long"));
            }
            Ok(digest.hash)
        })
        .collect()
}

/// A SHA-256 value in standard base64 (CSC 11.9).
pub(super) fn read_hash(text: &str) -> Result<[u8; 32], Refusal> {
    let bytes =
        BASE64.decode(text).map_err(|_| Refusal::invalid_request("Invalid Base64 hash string parameter"))?;
    bytes.try_into().map_err(|_| Refusal::invalid_request("Invalid digest value length"))
}
