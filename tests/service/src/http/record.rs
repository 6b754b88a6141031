//! What reached the service, for tests that show or judge it: every request with its answer, complete, as the service
//! gave it. What a fault keeps from the service is not noted, nor what it makes of the answer.

use super::App;
use super::call::MAX_BODY_BYTES;
use super::refusal::Refusal;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An inbox of many prescriptions.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// One request and its answer. Holds every secret that travelled: for tests alone.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// `GET`, `POST`, `DELETE`.
    pub method: String,
    /// Path and query as asked for.
    pub target: String,
    /// Header fields of the request, names in lower case; values that are not visible ASCII are left out.
    pub headers: Vec<(String, String)>,
    /// Body of the request.
    pub body: Vec<u8>,
    /// Status of the answer; `None` while there is none, and where the phone went away before there was one.
    pub status: Option<u16>,
    /// Body of the answer.
    pub answer: Vec<u8>,
}

/// Takes note of exchanges in the order in which they were asked for. Clones share the notes.
#[derive(Clone, Default)]
pub struct Recorder {
    exchanges: Arc<Mutex<Vec<Exchange>>>,
}

impl Recorder {
    /// All so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.notes().clone()
    }

    fn notes(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the answer is to be noted.
    fn asked(&self, exchange: Exchange) -> usize {
        let mut notes = self.notes();
        notes.push(exchange);
        notes.len() - 1
    }
}

/// Takes note of the exchange where a recorder was given.
pub(super) async fn record(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(recorder) = &app.recorder else { return next.run(request).await };
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else { return Refusal::too_large().into_response() };
    let at = recorder.asked(Exchange {
        method: parts.method.to_string(),
        target: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: visible(&parts.headers),
        body: body.to_vec(),
        status: None,
        answer: Vec::new(),
    });
    let (parts, answer) = next.run(Request::from_parts(parts, Body::from(body))).await.into_parts();
    let answer = to_bytes(answer, MAX_ANSWER_BYTES).await.unwrap_or_default();
    if let Some(exchange) = recorder.notes().get_mut(at) {
        exchange.status = Some(parts.status.as_u16());
        exchange.answer = answer.to_vec();
    }
    Response::from_parts(parts, Body::from(answer))
}

fn visible(headers: &HeaderMap) -> Vec<(String, String)> {
    let fields = headers.iter();
    fields.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned()))).collect()
}
