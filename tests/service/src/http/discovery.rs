//! What anybody may read: authorization server metadata (RFC 8414), CSC `info` (CSC v2.2 11.1), CRLs.

use super::call::Call;
use super::refusal::Refusal;
use super::{App, Shared};
use crate::faults::CscVersion;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use std::sync::Arc;

/// RFC 7523 2.1: the grant that a SAD is.
pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The `type` of authorization details in CSC v2.0 and v2.1.
const DETAILS_TYPE_2_0: &str = "credential";
/// The `type` of authorization details in CSC v2.2.
const DETAILS_TYPE_2_2: &str = "https://cloudsignatureconsortium.org/2025/credential";
/// sha256WithRSAEncryption, the one signature algorithm.
pub(super) const SHA256_WITH_RSA: &str = "1.2.840.113549.1.1.11";
/// SHA-256, the one hash algorithm.
pub(super) const SHA256: &str = "2.16.840.1.101.3.4.2.1";

/// The one `type` of authorization details that is spoken.
pub(super) fn details_type(version: CscVersion) -> &'static str {
    match version {
        CscVersion::V2_0 | CscVersion::V2_1 => DETAILS_TYPE_2_0,
        CscVersion::V2_2 => DETAILS_TYPE_2_2,
    }
}

pub(super) async fn metadata(State(app): Shared) -> Json<Value> {
    Json(json!({
        "issuer": app.issuer,
        "registration_endpoint": app.url("/register"),
        "token_endpoint": app.url("/token"),
        "prescriptions_endpoint": app.url("/prescriptions"),
        "csc_endpoint": app.url("/csc/v2"),
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
        "grant_types_supported": ["client_credentials", JWT_BEARER],
        "response_types_supported": [],
        "scopes_supported": ["service"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "authorization_details_types_supported": [details_type(app.faults.version())],
    }))
}

pub(super) async fn info(State(app): Shared, call: Call) -> Result<Json<Value>, Refusal> {
    call.json()?;
    let later = app.faults.signing_later().is_some();
    let mut methods =
        vec!["info", "credentials/list", "credentials/info", "signatures/signHash", "signatures/signPolling"];
    methods.truncate(if later { 5 } else { 4 });
    let mut body = json!({
        "name": crate::SERVICE_NAME,
        "logo": app.url("/logo.svg"),
        "region": "JP",
        "lang": "ja",
        "description": "A reference service for tests; its certificates sign nothing real",
        "authType": ["oauth2client"],
        "asynchronousOperationMode": later,
        "methods": methods,
        "signAlgorithms": {"algos": [SHA256_WITH_RSA]},
        "signature_formats": {"formats": ["X"], "envelope_properties": [["Detached"]]},
        "conformance_levels": ["AdES-B-B"],
    });
    let of_version = match app.faults.version() {
        CscVersion::V2_0 => json!({"specs": "2.0.0.2", "oauth2": app.issuer}),
        CscVersion::V2_1 => json!({"specs": "2.1.0.1", "oauth2Issuer": app.issuer}),
        CscVersion::V2_2 => json!({
            "specs": "2.2.0.0",
            "oauth2Servers": [{"issuer": app.issuer, "supportsRar": true}],
            "supportsRar": true,
            "supportedHashTypes": ["dtbsr"],
        }),
    };
    for (name, value) in of_version.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    Ok(Json(body))
}

/// A square: CSC wants a logo.
pub(super) async fn logo() -> impl IntoResponse {
    let square = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path fill="#246" d="M0 0h8v8H0z"/></svg>"##;
    ([(header::CONTENT_TYPE, "image/svg+xml")], square)
}

pub(super) async fn crl(State(app): Shared, call: Call) -> Result<impl IntoResponse, Refusal> {
    let asked: Arc<App> = Arc::clone(&app);
    let files = app
        .blocking(move || {
            asked.authority.crls().map_err(|error| {
                tracing::error!(%error, "no CRL");
                Refusal::server_error()
            })
        })
        .await?;
    let found = files.into_iter().find(|crl| crl.file_name == call.id()).ok_or_else(Refusal::not_found)?;
    Ok(([(header::CONTENT_TYPE, "application/pkix-crl")], found.der))
}
