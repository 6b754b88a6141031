//! The layer that lets a request meet its fault, between the counting of requests and the service.

use super::line::Line;
use super::{Canned, Fault, Planned, Rewrite};
use crate::http::refusal::Refusal;
use crate::http::{App, MAX_BODY_BYTES, Shared, endpoint, http_date};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header, request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use std::convert::Infallible;
use std::time::Duration;

/// Bytes of one piece of a body without end.
const ENDLESS_PIECE: usize = 16 * 1024;

/// Middleware: what is planned for this request happens to it.
pub(crate) async fn inject(State(app): Shared, request: Request, next: Next) -> Response {
    let endpoint = endpoint(&request);
    match app.faults.take(&endpoint) {
        None => next.run(request).await,
        Some(Planned::Kept(answer)) => answer.into_response(),
        Some(Planned::Fault(fault)) => meet(&app, &endpoint, fault, request, next).await,
    }
}

async fn meet(app: &App, endpoint: &str, fault: Fault, request: Request, next: Next) -> Response {
    match fault {
        Fault::Delay(time) => {
            tokio::time::sleep(time).await;
            next.run(request).await
        }
        Fault::Unheard => {
            cut(&request, 0);
            Canned::empty(503).into_response()
        }
        Fault::Cut(bytes) => {
            let line = request.extensions().get::<Line>().cloned();
            let response = next.run(request).await;
            if let Some(line) = line {
                line.cut_after(bytes);
            }
            response
        }
        Fault::Head(retouch) => {
            let line = request.extensions().get::<Line>().cloned();
            let response = next.run(request).await;
            if let Some(line) = line {
                line.retouch(retouch);
            }
            response
        }
        Fault::Silent => {
            next.run(request).await;
            std::future::pending().await
        }
        Fault::Twice => twice(request, next).await,
        Fault::Again => {
            let answer = whole(next.run(request).await).await;
            app.faults.keep(endpoint, answer.clone());
            answer.into_response()
        }
        Fault::Instead(answer) => answer.into_response(),
        Fault::Behind(answer) => {
            next.run(request).await;
            answer.into_response()
        }
        Fault::Slow { piece, pause } => slowly(next.run(request).await, piece, pause).await,
        Fault::Endless => endlessly(next.run(request).await),
        Fault::Date(seconds) => dated(app, next.run(request).await, seconds),
        Fault::Nulls => rewritten(&Rewrite::nulls(), request, next).await,
        Fault::Signatures(spoilt) => rewritten(&Rewrite::signatures(spoilt), request, next).await,
        Fault::Rewritten(rewrite) => rewritten(&rewrite, request, next).await,
    }
}

fn cut(request: &Request, bytes: u64) {
    if let Some(line) = request.extensions().get::<Line>() {
        line.cut_after(bytes);
    }
}

async fn twice(request: Request, next: Next) -> Response {
    let (parts, body) = match taken(request).await {
        Ok(taken) => taken,
        Err(refusal) => return refusal.into_response(),
    };
    next.clone().run(Request::from_parts(parts.clone(), Body::from(body.clone()))).await;
    next.run(Request::from_parts(parts, Body::from(body))).await
}

async fn rewritten(rewrite: &Rewrite, request: Request, next: Next) -> Response {
    let (parts, body) = match taken(request).await {
        Ok(taken) => taken,
        Err(refusal) => return refusal.into_response(),
    };
    let asked = serde_json::from_slice(&body).unwrap_or_default();
    let (mut head, answer) = next.run(Request::from_parts(parts, Body::from(body))).await.into_parts();
    let answer = to_bytes(answer, usize::MAX).await.unwrap_or_default();
    let Ok(mut json) = serde_json::from_slice(&answer) else {
        return Response::from_parts(head, Body::from(answer));
    };
    let rewrite = rewrite.clone();
    let work = move || {
        rewrite.apply(&asked, &mut json);
        json.to_string()
    };
    let text = tokio::task::spawn_blocking(work).await.unwrap_or_default();
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(text))
}

async fn taken(request: Request) -> Result<(request::Parts, Bytes), Refusal> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| Refusal::too_large())?;
    Ok((parts, body))
}

async fn whole(response: Response) -> Canned {
    let (head, body) = response.into_parts();
    Canned::of(head.status, head.headers, to_bytes(body, usize::MAX).await.unwrap_or_default())
}

async fn slowly(response: Response, piece: usize, pause: Duration) -> Response {
    let (mut head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let pieces = stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let piece = rest.split_to(piece.clamp(1, rest.len()));
        Some((Ok::<_, Infallible>(piece), rest))
    });
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from_stream(pieces))
}

fn endlessly(response: Response) -> Response {
    let (mut head, _) = response.into_parts();
    let piece = Bytes::from(vec![b' '; ENDLESS_PIECE]);
    head.headers.remove(header::CONTENT_LENGTH);
    let pieces = stream::repeat_with(move || Ok::<_, Infallible>(piece.clone()));
    Response::from_parts(head, Body::from_stream(pieces))
}

fn dated(app: &App, mut response: Response, seconds: i64) -> Response {
    let at = app.authority.clock().now() + time::Duration::seconds(seconds);
    if let Ok(date) = HeaderValue::try_from(http_date(at)) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}
