//! The agent's own HTTPS, overheard and disturbed.

use std::{
    mem,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use hpki_agent::{
    service::http::{HttpRequest, HttpResponse, HttpsTransport, Transport, TransportError},
    trust::TrustedService,
};
use serde_json::Value;
use zeroize::Zeroizing;

/// One exchange: method and path, status, and the error code where there is one.
pub type Seen = (String, u16, Option<String>);

/// A [`Transport`] that remembers what was sent.
pub struct Line {
    transport: HttpsTransport,
    sent: Mutex<Vec<HttpRequest>>,
    seen: Mutex<Vec<Seen>>,
    next_nonce: Mutex<Option<&'static str>>,
    held_back: Mutex<Option<(&'static str, u32)>>,
}

impl Line {
    /// To a service that the app trusts.
    ///
    /// # Panics
    /// When its trust cannot be set up.
    pub fn to(service: &TrustedService) -> Self {
        Self {
            transport: HttpsTransport::new(&service.tls).unwrap(),
            sent: Mutex::default(),
            seen: Mutex::default(),
            next_nonce: Mutex::default(),
            held_back: Mutex::default(),
        }
    }

    /// The exchanges since the last look.
    ///
    /// # Panics
    /// Never.
    pub fn exchanges(&self) -> Vec<Seen> {
        mem::take(&mut self.seen.lock().unwrap())
    }

    /// The agent sees this nonce in the next answer, whatever the provider sent.
    ///
    /// # Panics
    /// Never.
    pub fn forge_next_nonce(&self, nonce: &'static str) {
        *self.next_nonce.lock().unwrap() = Some(nonce);
    }

    /// The second request from now to a path that ends so is remembered but not sent: the agent sees a broken connection.
    ///
    /// # Panics
    /// Never.
    pub fn hold_back_second(&self, path: &'static str) {
        *self.held_back.lock().unwrap() = Some((path, 1));
    }

    /// The latest request to a path that ends so.
    ///
    /// # Panics
    /// When there was none.
    pub fn latest(&self, path: &str) -> HttpRequest {
        let sent = self.sent.lock().unwrap();
        copy(sent.iter().rev().find(|request| request.url.path().ends_with(path)).expect("it was sent"))
    }

    /// Sends what a thief has put together, past the agent.
    ///
    /// # Errors
    /// [`TransportError`].
    pub async fn send_stolen(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        self.transport.send(copy(request)).await
    }
}

impl Line {
    fn is_held_back(&self, request: &HttpRequest) -> bool {
        let mut held_back = self.held_back.lock().unwrap_or_else(PoisonError::into_inner);
        match held_back.take() {
            Some((path, to_pass)) if request.url.path().ends_with(path) => {
                *held_back = to_pass.checked_sub(1).map(|to_pass| (path, to_pass));
                to_pass == 0
            }
            other => {
                *held_back = other;
                false
            }
        }
    }
}

#[async_trait]
impl Transport for Line {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(copy(&request));
        if self.is_held_back(&request) {
            return Err(TransportError::Interrupted);
        }
        let asked = format!("{} {}", request.method.as_str(), request.url.path());
        let mut response = self.transport.send(request).await?;
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let seen = (asked, response.status, body["error"].as_str().map(str::to_owned));
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
        if let Some(nonce) = mem::take(&mut *self.next_nonce.lock().unwrap_or_else(PoisonError::into_inner)) {
            response.headers.retain(|(name, _)| name != "dpop-nonce");
            response.headers.push(("dpop-nonce".into(), nonce.into()));
        }
        Ok(response)
    }
}

fn copy(request: &HttpRequest) -> HttpRequest {
    let headers = request.headers.iter();
    HttpRequest {
        method: request.method,
        url: request.url.clone(),
        headers: headers.map(|(name, value)| (*name, Zeroizing::new(value.to_string()))).collect(),
        body: Zeroizing::new(request.body.to_vec()),
        timeout: request.timeout,
        max_body: request.max_body,
    }
}
