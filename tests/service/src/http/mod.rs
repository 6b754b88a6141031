//! The service's HTTPS side. A request comes in whole ([`call`]), is judged by a plain function inside one database
//! transaction, and is answered in JSON; everything else is a [`refusal::Refusal`]. The wire is that of the
//! protocol's sections 2 to 7: RFC 8414, 7591, 7592, 7523, 9396, 9449 and CSC API v2.

mod call;
mod clinic;
mod csc;
mod discovery;
mod dpop;
mod inbox;
mod polling;
pub(crate) mod record;
pub(crate) mod refusal;
mod registration;
mod sad;
mod sessions;
mod signing;
mod ticket;
mod token;

use crate::authority::Authority;
use crate::faults::{self, Faults};
use crate::store::Stop;
use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use call::Call;
pub(crate) use call::MAX_BODY_BYTES;
use dpop::Nonces;
use record::Recorder;
use refusal::Refusal;
use rusqlite::Transaction;
use signing::Bench;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A phone's clock may be this far off, in seconds, in either direction.
const CLOCK_SKEW: i64 = 300;

/// What every handler works with.
pub(crate) struct App {
    pub(crate) authority: Authority,
    pub(crate) faults: Faults,
    issuer: String,
    nonces: Nonces,
    bench: Bench,
    requests_seen: Mutex<BTreeMap<String, u64>>,
    recorder: Option<Recorder>,
}

pub(crate) type Shared = State<Arc<App>>;

impl App {
    pub(crate) fn new(authority: Authority, issuer: String, recorder: Option<Recorder>) -> Self {
        Self {
            authority,
            faults: Faults::default(),
            issuer,
            nonces: Nonces::new(),
            bench: Bench::new(),
            requests_seen: Mutex::default(),
            recorder,
        }
    }

    /// How often each `METHOD /path` was asked for; ids in paths stand as `{id}`.
    pub(crate) fn requests_seen(&self) -> BTreeMap<String, u64> {
        self.requests_seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How long keys were at work for `signHash` since the start, all together.
    pub(crate) fn signing_time(&self) -> Duration {
        self.bench.time()
    }

    fn now(&self) -> i64 {
        self.authority.clock().unix()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// Runs `work` over the request in one transaction, away from the async threads.
    async fn answer<T: Send + 'static>(
        self: &Arc<Self>,
        call: &Arc<Call>,
        work: impl FnOnce(&App, &Transaction<'_>, &Call) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (app, call) = (Arc::clone(self), Arc::clone(call));
        self.blocking(move || app.authority.store().answer(|tx| work(&app, tx, &call))).await
    }

    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a request failed");
            Err(Refusal::server_error())
        })
    }
}

/// The endpoints, as [`requests_seen`](crate::Running::requests_seen) and faults name them.
pub const ENDPOINTS: [&str; 16] = [
    "GET /.well-known/oauth-authorization-server",
    "POST /register",
    "GET /register/{id}",
    "DELETE /register/{id}",
    "POST /token",
    "POST /csc/v2/info",
    "POST /csc/v2/credentials/list",
    "POST /csc/v2/credentials/info",
    "POST /csc/v2/signatures/signHash",
    "POST /csc/v2/signatures/signPolling",
    "GET /prescriptions",
    "POST /prescriptions/{id}",
    "POST /clinic/prescriptions",
    "GET /clinic/prescriptions/{id}",
    "GET /logo.svg",
    "GET /crl/{id}",
];

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/.well-known/oauth-authorization-server", get(discovery::metadata))
        .route("/register", post(registration::register))
        .route("/register/{id}", get(registration::read).delete(registration::remove))
        .route("/token", post(token::grant))
        .route("/csc/v2/info", post(discovery::info))
        .route("/csc/v2/credentials/list", post(csc::list))
        .route("/csc/v2/credentials/info", post(csc::info))
        .route("/csc/v2/signatures/signHash", post(signing::sign_hash))
        .route("/csc/v2/signatures/signPolling", post(polling::sign_polling))
        .route("/prescriptions", get(inbox::waiting))
        .route("/prescriptions/{id}", post(inbox::respond))
        .route("/clinic/prescriptions", post(clinic::submit))
        .route("/clinic/prescriptions/{id}", get(clinic::collect))
        .route("/logo.svg", get(discovery::logo))
        .route("/crl/{id}", get(discovery::crl))
        .fallback(|| async { Refusal::not_found() })
        .method_not_allowed_fallback(|| async { Refusal::method_not_allowed() })
        .layer(DefaultBodyLimit::max(call::MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), stamp))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), record::record))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), faults::inject))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), count))
        .with_state(app)
}

/// `METHOD /path`, ids standing as `{id}`.
pub(crate) fn endpoint(request: &Request) -> String {
    let path = request.extensions().get::<MatchedPath>().map_or("(unknown)", MatchedPath::as_str);
    format!("{} {path}", request.method())
}

/// Counts the request, whatever happens to it.
async fn count(State(app): Shared, request: Request, next: Next) -> Response {
    let seen = endpoint(&request);
    *app.requests_seen.lock().unwrap_or_else(PoisonError::into_inner).entry(seen).or_default() += 1;
    next.run(request).await
}

/// Gives every response the service's time and a fresh nonce.
async fn stamp(State(app): Shared, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Ok(nonce) = HeaderValue::try_from(app.nonces.issue(app.now())) {
        headers.insert("dpop-nonce", nonce);
    }
    if let Ok(date) = HeaderValue::try_from(http_date(app.authority.clock().now())) {
        headers.insert(header::DATE, date);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// IMF-fixdate (RFC 9110 5.6.7).
pub(crate) fn http_date(at: time::OffsetDateTime) -> String {
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    at.format(format).unwrap_or_default()
}
