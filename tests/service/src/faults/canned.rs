//! Answers that the service did not think of: what proxies, gateways and other providers say.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

/// An answer, whole.
#[derive(Clone, Debug)]
pub struct Canned {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Canned {
    fn new(status: u16, media_type: Option<&'static str>, body: impl Into<Bytes>) -> Self {
        let content_type = media_type.map(|text| (header::CONTENT_TYPE, HeaderValue::from_static(text)));
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: content_type.into_iter().collect(),
            body: body.into(),
        }
    }

    /// A status without a body, such as a gateway's 502.
    pub fn empty(status: u16) -> Self {
        Self::new(status, None, "")
    }

    /// A page for people, as a proxy or a captive portal gives it.
    pub fn html(status: u16) -> Self {
        let page =
            format!("<!DOCTYPE html><html><head><title>{status}</title></head><body>{status}</body></html>");
        Self::new(status, Some("text/html; charset=utf-8"), page)
    }

    /// Words without a shape.
    pub fn text(status: u16, words: &str) -> Self {
        Self::new(status, Some("text/plain; charset=utf-8"), words.to_owned())
    }

    /// `{"message": words}`, as gateways answer.
    pub fn message(status: u16, words: &str) -> Self {
        Self::json(status, &json!({ "message": words }))
    }

    /// Any JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, Some("application/json"), body.to_string())
    }

    /// The same with one more header; a value that cannot stand in a header is left out.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    pub(super) fn of(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self { status, headers, body }
    }

    pub(super) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
