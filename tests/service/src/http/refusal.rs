//! How the service says no: a status, a code, a sentence; always JSON (RFC 6749 5.2, RFC 7591 3.2.2, CSC 10.1).

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refusal.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    status: StatusCode,
    error: &'static str,
    description: String,
    tries_left: Option<u8>,
    challenge: Option<String>,
}

impl Refusal {
    fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Self { status, error, description: description.into(), tries_left: None, challenge: None }
    }

    /// 400: the request cannot be granted as it stands.
    pub(crate) fn bad_request(error: &'static str, description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, description)
    }

    /// 400 `invalid_request`, CSC's answer to nearly everything; the text tells which (CSC 10.1).
    pub(crate) fn invalid_request(description: impl Into<String>) -> Self {
        Self::bad_request("invalid_request", description)
    }

    /// 401 without a challenge.
    pub(crate) fn unauthorized(error: &'static str, description: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, error, description)
    }

    /// 401 with `WWW-Authenticate: DPoP` (RFC 9449 7.1, 9).
    pub(crate) fn dpop_challenge(error: &'static str, description: impl Into<String>) -> Self {
        let challenge = Some(format!(r#"DPoP error="{error}", algs="ES256""#));
        Self { challenge, ..Self::unauthorized(error, description) }
    }

    /// 403.
    pub(crate) fn forbidden(error: &'static str, description: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, error, description)
    }

    /// 404.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here")
    }

    /// 405.
    pub(crate) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "not with this method")
    }

    /// 409.
    pub(crate) fn conflict(error: &'static str, description: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, error, description)
    }

    /// 413.
    pub(crate) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", "the body is too large")
    }

    /// 500.
    pub(crate) fn server_error() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "the service failed")
    }

    /// Says how many tries remain.
    pub(crate) fn with_tries_left(self, tries: u8) -> Self {
        Self { tries_left: Some(tries), ..self }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = json!({"error": self.error, "error_description": self.description});
        if let Some(tries) = self.tries_left {
            body["tries_left"] = json!(tries);
        }
        let mut response = (self.status, Json(body)).into_response();
        if let Some(challenge) = self.challenge.and_then(|text| HeaderValue::try_from(text).ok()) {
            let name: HeaderName = header::WWW_AUTHENTICATE;
            response.headers_mut().insert(name, challenge);
        }
        response
    }
}
