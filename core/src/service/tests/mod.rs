//! The façade against scripted answers, in the shapes of protocol §7.

mod ahead;
mod approval;
mod hostile;
mod shapes;
mod standing;
mod waiting;

use std::time::Duration as StdDuration;

use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{
    http::{HttpRequest, TransportError},
    testing::{Phone, Script, answer, digests, jws_parts},
    *,
};
use crate::{
    device::{KeyRole, KeyVaultError, Prompt},
    trust::TlsTrust,
};

const ISSUER: &str = "https://sign.example";
const IN_TIME: &str = "Wed, 01 Apr 2026 00:00:01 GMT";
const TEN_MINUTES_AHEAD: &str = "Wed, 01 Apr 2026 00:10:00 GMT";

fn trusted() -> TrustedService {
    TrustedService {
        issuer: ISSUER.into(),
        display_name_ja: "試験".into(),
        display_name_en: "Test".into(),
        ticket_keys: vec![],
        tls: TlsTrust { roots: None, spki_pins: vec![] },
        hpki_roots: vec![],
        prescriber_roles: vec![],
    }
}

/// A phone, the script, and what is needed to say the next answer in one line.
struct Stage {
    phone: Phone,
    script: Arc<Script>,
}

impl Stage {
    fn new() -> Self {
        Self { phone: Phone::new(), script: Arc::default() }
    }

    fn says(&self, status: u16, body: &Value) -> &Self {
        self.says_with(status, &[("dpop-nonce", "n-2"), ("date", IN_TIME)], &body.to_string())
    }

    fn says_with(&self, status: u16, headers: &[(&str, &str)], body: &str) -> &Self {
        self.script.push(Ok(answer(status, headers, body)));
        self
    }

    fn is_silent(&self, error: TransportError) -> &Self {
        self.script.push(Err(error));
        self
    }

    async fn discover(&self) -> Result<Service, ServiceError> {
        Service::discover(&trusted(), self.script.clone(), self.phone.device()).await
    }

    /// Discovered; nonce `n-1`.
    async fn service(&self) -> Service {
        let headers = [("dpop-nonce", "n-1"), ("date", IN_TIME)];
        self.says_with(200, &headers, &metadata_document().to_string());
        self.says_with(200, &headers, &info("2.0.0.2").to_string());
        let service = self.discover().await.unwrap();
        let lines = self.script.lines();
        assert_eq!(lines, ["GET /.well-known/oauth-authorization-server", "POST /csc/v2/info"]);
        service
    }

    async fn bound(&self) -> BoundService {
        self.service().await.bind(self.phone.identity()).await.unwrap()
    }

    /// Bound, with a service token in hand.
    async fn warm(&self) -> BoundService {
        let bound = self.bound().await;
        self.says(200, &service_token("st-1")).says(200, &json!({"credentialIDs": []}));
        bound.credentials().await.unwrap();
        assert_eq!(self.script.lines(), ["POST /token", "POST /csc/v2/credentials/list"]);
        bound
    }

    /// An act over so many hashes.
    fn activation(count: u8) -> SignatureActivation {
        SignatureActivation::new(&testing::credential(100), HashAlgorithm::Sha256, digests(count)).unwrap()
    }

    fn grants(&self, details: &Value) -> &Self {
        let answer = json!({
            "access_token": "ct-1", "token_type": "DPoP", "expires_in": 300, "authorization_details": details,
        });
        self.says(200, &answer)
    }

    fn proof_claims(&self, request: &HttpRequest) -> Value {
        jws_parts(request.header("dpop").unwrap(), &self.phone.keys().device).1
    }
}

fn metadata_document() -> Value {
    json!({
        "issuer": ISSUER,
        "registration_endpoint": "https://sign.example/register",
        "token_endpoint": "https://sign.example/token",
        "prescriptions_endpoint": "https://sign.example/prescriptions",
        "csc_endpoint": "https://sign.example/csc/v2",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "service_documentation": null,
    })
}

fn info(specs: &str) -> Value {
    json!({"specs": specs, "name": "Second", "methods": ["credentials/list", "credentials/info", "signatures/signHash"]})
}

fn service_token(token: &str) -> Value {
    json!({"access_token": token, "token_type": "DPoP", "expires_in": 600})
}

fn form(request: &HttpRequest) -> Vec<(String, String)> {
    form_urlencoded::parse(&request.body).into_owned().collect()
}

fn field(request: &HttpRequest, name: &str) -> String {
    form(request).into_iter().find(|(n, _)| n == name).unwrap().1
}

fn details_of(activation: &SignatureActivation) -> Value {
    activation.authorization_details(RarType::Csc20)
}
