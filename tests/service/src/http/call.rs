//! One request, taken in whole and bounded, so that a handler can be a plain function over it.

use super::refusal::Refusal;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::Value;
use std::collections::BTreeMap;

/// A prescription of 1 MB in base64, twice; every other body is far smaller.
pub(crate) const MAX_BODY_BYTES: usize = 3 * 1024 * 1024;

/// A request.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    query: String,
    headers: HeaderMap,
    body: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Call {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let (method, uri, headers) =
            (request.method().clone(), request.uri().clone(), request.headers().clone());
        let body = Bytes::from_request(request, state).await.map_err(|rejection| {
            match rejection.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => Refusal::too_large(),
                _ => Refusal::invalid_request("the body broke off"),
            }
        })?;
        Ok(Self {
            method,
            path: uri.path().to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
            headers,
            body,
        })
    }
}

impl Call {
    /// The last segment of the path: an id.
    pub(crate) fn id(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// A header that stands exactly once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(first)
    }

    /// What follows the scheme in `Authorization`; schemes are case-insensitive (RFC 9110 11.1).
    pub(crate) fn authorization(&self, scheme: &str) -> Option<&str> {
        let (found, credentials) = self.header("authorization")?.split_once(' ')?;
        found.eq_ignore_ascii_case(scheme).then_some(credentials.trim())
    }

    fn content_type_is(&self, expected: &str) -> bool {
        let found = self.header(header::CONTENT_TYPE.as_str()).unwrap_or_default();
        found.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(expected)
    }

    /// The JSON body.
    pub(crate) fn json(&self) -> Result<Value, Refusal> {
        if !self.content_type_is("application/json") {
            return Err(Refusal::invalid_request("Content-Type is not application/json"));
        }
        serde_json::from_slice(&self.body).map_err(|_| Refusal::invalid_request("the body is not JSON"))
    }

    /// The JSON body in a shape; surplus members are refused where the shape denies them.
    pub(crate) fn json_as<T: serde::de::DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_value(self.json()?)
            .map_err(|error| Refusal::invalid_request(format!("the body has another shape: {error}")))
    }

    /// The form in the body; no parameter twice (RFC 6749 3.2).
    pub(crate) fn form(&self) -> Result<BTreeMap<String, String>, Refusal> {
        if !self.content_type_is("application/x-www-form-urlencoded") {
            return Err(Refusal::invalid_request("Content-Type is not application/x-www-form-urlencoded"));
        }
        parameters(&self.body)
    }

    /// The query's parameters; none twice.
    pub(crate) fn query(&self) -> Result<BTreeMap<String, String>, Refusal> {
        parameters(self.query.as_bytes())
    }
}

fn parameters(encoded: &[u8]) -> Result<BTreeMap<String, String>, Refusal> {
    let mut found = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(encoded) {
        if found.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(Refusal::invalid_request("a parameter stands twice"));
        }
    }
    Ok(found)
}
