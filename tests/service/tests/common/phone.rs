//! The test phone: it can say everything right, and anything wrong.

use super::Answer;
use super::jose::{Jwt, Key, random_id, sha256_base64url};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use reference_service::{IssuedTicket, Running};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A registration that is still to be sent.
pub(crate) struct Registration {
    pub(crate) ticket: String,
    pub(crate) dpop: Jwt,
    pub(crate) approval_proof: Jwt,
    pub(crate) body: Value,
}

/// A call of the token endpoint that is still to be sent.
pub(crate) struct TokenCall {
    pub(crate) dpop: Jwt,
    pub(crate) assertion: Jwt,
    pub(crate) sad: Option<Jwt>,
    pub(crate) form: Map<String, Value>,
}

/// A call of a resource that is still to be sent.
pub(crate) struct ResourceCall {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: &'static str,
    pub(crate) token: String,
    pub(crate) dpop: Jwt,
    pub(crate) body: Option<Value>,
}

pub(crate) struct Phone {
    pub(crate) http: Client,
    pub(crate) issuer: String,
    pub(crate) device: Arc<Key>,
    pub(crate) approval: Arc<Key>,
    pub(crate) nonce: Mutex<String>,
    pub(crate) now: Box<dyn Fn() -> i64 + Send + Sync>,
    pub(crate) client_id: String,
    pub(crate) credential: String,
    pub(crate) registration_token: String,
}

impl Phone {
    pub(crate) async fn new(service: &Running) -> Self {
        let clock = service.authority().clock().clone();
        let ca = service.authority().tls_ca_pem();
        Self::at(service.issuer(), ca, Box::new(move || clock.unix())).await
    }

    /// At a service of another process, too.
    pub(crate) async fn at(issuer: &str, tls_ca_pem: &str, now: Box<dyn Fn() -> i64 + Send + Sync>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let root = reqwest::Certificate::from_pem(tls_ca_pem.as_bytes()).unwrap();
        let http = Client::builder().tls_certs_only([root]).retry(reqwest::retry::never());
        let phone = Self {
            http: http.build().unwrap(),
            issuer: issuer.to_owned(),
            device: Key::new(),
            approval: Key::new(),
            nonce: Mutex::default(),
            now,
            client_id: String::new(),
            credential: String::new(),
            registration_token: String::new(),
        };
        assert_eq!(phone.get("/.well-known/oauth-authorization-server").await.status, 200);
        phone
    }

    /// Takes over what a registration answered.
    pub(crate) fn adopt(&mut self, answer: &Answer) {
        answer.text("client_id").clone_into(&mut self.client_id);
        answer.text("credential_id").clone_into(&mut self.credential);
        answer.text("registration_access_token").clone_into(&mut self.registration_token);
    }

    pub(crate) fn nonce(&self) -> String {
        self.nonce.lock().unwrap().clone()
    }

    pub(crate) fn proof(&self, method: &str, path: &str, token: Option<&str>) -> Jwt {
        let mut claims = json!({"htm": method, "htu": format!("{}{path}", self.issuer), "iat": (self.now)(),
            "jti": random_id(), "nonce": self.nonce()});
        if let Some(token) = token {
            claims["ath"] = json!(sha256_base64url(token.as_bytes()));
        }
        let header = json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": self.device.jwk()});
        Jwt { header, claims, by: Arc::clone(&self.device) }
    }

    pub(crate) fn registration(&self, ticket: &IssuedTicket) -> Registration {
        let ticket_jws = ticket.qr_text.split_once("/r#").unwrap().1.to_owned();
        let claims = BASE64URL.decode(ticket_jws.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let mut body = json!({
            "jwks": {"keys": [self.device.registered(), self.approval.registered()]},
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "grant_types": ["client_credentials", JWT_BEARER],
            "response_types": [],
            "dpop_bound_access_tokens": true,
            "scope": "service",
            "software_id": "test-phone",
            "software_version": "1",
            "client_name": "試験の電話",
        });
        if let Some(code) = &ticket.activation_code {
            body["activation_code"] = json!(code);
        }
        let proof = json!({"aud": self.issuer, "iat": (self.now)(), "ticket": claims["jti"],
            "device": self.device.thumbprint()});
        let header = json!({"alg": "ES256", "typ": "approval-proof+jwt", "kid": self.approval.thumbprint()});
        Registration {
            ticket: ticket_jws,
            dpop: self.proof("POST", "/register", None),
            approval_proof: Jwt { header, claims: proof, by: Arc::clone(&self.approval) },
            body,
        }
    }

    pub(crate) async fn register(&self, registration: &Registration) -> Answer {
        self.answer(self.register_raw(registration).await.unwrap()).await
    }

    /// What comes back, if anything.
    pub(crate) async fn register_raw(&self, registration: &Registration) -> reqwest::Result<Response> {
        let mut body = registration.body.clone();
        body["approval_proof"] = json!(registration.approval_proof.compact());
        let request = self
            .http
            .post(format!("{}/register", self.issuer))
            .header("authorization", format!("Bearer {}", registration.ticket))
            .header("dpop", registration.dpop.compact())
            .header("content-type", "application/json")
            .body(body.to_string());
        request.send().await
    }

    /// RFC 7592: reads or removes this phone's registration.
    pub(crate) async fn registration_client(&self, method: Method, token: &str, by: &Arc<Key>) -> Answer {
        let path = format!("/register/{}", self.client_id);
        let mut proof = self.proof(method.as_str(), &path, None);
        proof.by = Arc::clone(by);
        proof.header["jwk"] = by.jwk();
        let request = self
            .http
            .request(method, format!("{}{path}", self.issuer))
            .header("authorization", format!("Bearer {token}"))
            .header("dpop", proof.compact());
        self.answer(request.send().await.unwrap()).await
    }

    fn token_call(&self, sad: Option<Jwt>) -> TokenCall {
        let now = (self.now)();
        let claims = json!({"iss": self.client_id, "sub": self.client_id, "aud": self.issuer,
            "jti": random_id(), "iat": now, "exp": now + 60});
        let header = json!({"alg": "ES256", "kid": self.device.thumbprint()});
        let mut form = Map::new();
        form.insert(
            "client_assertion_type".into(),
            json!("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        );
        match &sad {
            None => {
                form.insert("grant_type".into(), json!("client_credentials"));
                form.insert("scope".into(), json!("service"));
            }
            Some(_) => {
                form.insert("grant_type".into(), json!(JWT_BEARER));
            }
        }
        let assertion = Jwt { header, claims, by: Arc::clone(&self.device) };
        TokenCall { dpop: self.proof("POST", "/token", None), assertion, sad, form }
    }

    pub(crate) fn service_token_call(&self) -> TokenCall {
        self.token_call(None)
    }

    pub(crate) fn credential_token_call(&self, hashes: &[String]) -> TokenCall {
        let digests: Vec<_> = hashes.iter().map(|hash| json!({"hash": hash, "label": "request"})).collect();
        let now = (self.now)();
        let claims = json!({"iss": self.client_id, "sub": self.credential, "aud": format!("{}/token", self.issuer),
            "jti": random_id(), "iat": now, "exp": now + 300, "nonce": self.nonce(), "purpose": "e-prescription",
            "authorization_details": [{"type": "https://cloudsignatureconsortium.org/2025/credential",
                "credentialID": self.credential, "numSignatures": hashes.len(),
                "hashAlgorithmOID": "2.16.840.1.101.3.4.2.1", "hashType": "dtbsr", "documentDigests": digests}]});
        let header = json!({"alg": "ES256", "typ": "sad+jwt", "kid": self.approval.thumbprint()});
        self.token_call(Some(Jwt { header, claims, by: Arc::clone(&self.approval) }))
    }

    /// The form gets the assertions, and `authorization_details` as in the SAD, unless it has its own.
    pub(crate) async fn token(&self, call: &TokenCall) -> Answer {
        self.answer(self.token_request(call).send().await.unwrap()).await
    }

    pub(crate) fn token_request(&self, call: &TokenCall) -> RequestBuilder {
        let mut form = call.form.clone();
        let mut fill = |name: &str, value: String| {
            form.entry(name).or_insert_with(|| json!(value));
        };
        fill("client_assertion", call.assertion.compact());
        if let Some(sad) = &call.sad {
            fill("assertion", sad.compact());
            fill("authorization_details", sad.claims["authorization_details"].to_string());
        }
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in &form {
            body.append_pair(name, value.as_str().unwrap());
        }
        self.http
            .post(format!("{}/token", self.issuer))
            .header("dpop", call.dpop.compact())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.finish())
    }

    pub(crate) async fn service_token(&self) -> String {
        let answer = self.token(&self.service_token_call()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.text("access_token").to_owned()
    }

    pub(crate) async fn credential_token(&self, hashes: &[String]) -> String {
        let answer = self.token(&self.credential_token_call(hashes)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.text("access_token").to_owned()
    }

    pub(crate) fn resource(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> ResourceCall {
        let dpop = self.proof(method.as_str(), path, Some(token));
        ResourceCall { method, path: path.to_owned(), query: "", token: token.to_owned(), dpop, body }
    }

    pub(crate) fn sign_hash_call(&self, token: &str, hashes: &[String]) -> ResourceCall {
        let body = json!({"credentialID": self.credential, "hashes": hashes,
            "hashAlgorithmOID": "2.16.840.1.101.3.4.2.1", "signAlgo": "1.2.840.113549.1.1.11"});
        self.resource(Method::POST, "/csc/v2/signatures/signHash", token, Some(body))
    }

    pub(crate) async fn call(&self, call: &ResourceCall) -> Answer {
        self.answer(self.call_request(call).send().await.unwrap()).await
    }

    pub(crate) fn call_request(&self, call: &ResourceCall) -> RequestBuilder {
        let mut request = self
            .http
            .request(call.method.clone(), format!("{}{}{}", self.issuer, call.path, call.query))
            .header("authorization", format!("DPoP {}", call.token))
            .header("dpop", call.dpop.compact());
        if let Some(body) = &call.body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        request
    }

    /// A call of a resource with a service token.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let token = self.service_token().await;
        self.call(&self.resource(method, path, &token, body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let response = self.http.get(format!("{}{path}", self.issuer)).send().await.unwrap();
        self.answer(response).await
    }

    /// The clinic's side.
    pub(crate) async fn clinic(&self, method: Method, path: &str, key: &str, body: Option<Value>) -> Answer {
        let request = self
            .http
            .request(method, format!("{}{path}", self.issuer))
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json")
            .body(body.unwrap_or_default().to_string());
        self.answer(request.send().await.unwrap()).await
    }

    async fn answer(&self, response: Response) -> Answer {
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let (nonce, challenge) = (header("dpop-nonce"), header("www-authenticate"));
        assert!(!nonce.is_empty() && !header("date").is_empty(), "every response has a nonce and a date");
        *self.nonce.lock().unwrap() = nonce;
        let status = response.status().as_u16();
        let body = response.text().await.unwrap();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() };
        Answer { status, body, challenge }
    }
}
