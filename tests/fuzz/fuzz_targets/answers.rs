//! A service that answers something else than an honest one, at any point of the journey: the phone speaks to nobody else,
//! sends no token twice to `signHash`, hands out nothing that it has not asked for, and repeats no secret in an error.

#![no_main]

use std::{
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use fuzz::{
    files::{CSV, DOCTOR},
    input::{Input, edited},
    office::{ISSUER, NOW, claims, header, signed, trust},
    phone::{Hardware, KEYS, Secrets, device, public_key, runtime},
};
use hpki_agent::{
    device::{KeyRole, Secret},
    fuzzing::activation,
    registration::{self, RegistrationRefusal, Ticket},
    service::{
        BoundService, ClientIdentity, DocumentDigest, MAX_DOCUMENT, MAX_HASHES, MAX_INBOX, MAX_REQUESTS,
        MAX_WORD, MAX_WORDS, PhoneKeys, Refusal, Service, ServiceError,
        http::{HttpRequest, HttpResponse, Method, Transport, TransportError},
    },
    trust::TrustConfiguration,
};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use url::Url;
use zeroize::Zeroizing;

/// What an honest service gives, and nobody may repeat.
const TOKEN: &str = "c2VydmljZS10b2tlbi10aGF0LW5vYm9keS1tYXktcmVwZWF0LWluLWFuLWVycm9y";
const REGISTRATION_TOKEN: &str = "cmVnaXN0cmF0aW9uLXRva2VuLXRoYXQtbm9ib2R5LW1heS1yZXBlYXQtaW4tYW4tZXJyb3I";
/// Most requests of one journey: a hundred documents that lie elsewhere, and a minute of asking twice a second for signatures,
/// each with a new token and a new nonce.
const MOST_REQUESTS: usize = 2_000;
const STATUSES: [u16; 16] = [200, 200, 200, 201, 202, 204, 302, 400, 400, 401, 403, 404, 409, 410, 429, 503];

static TRUST: LazyLock<TrustConfiguration> = LazyLock::new(trust);
static TICKET: LazyLock<String> =
    LazyLock::new(|| signed(ISSUER, header().to_string().as_bytes(), claims().to_string().as_bytes()));
static RUNTIME: LazyLock<Runtime> = LazyLock::new(runtime);

/// The service, and what it has been asked.
struct Wire {
    input: Mutex<Vec<u8>>,
    asked: Mutex<Asked>,
}

#[derive(Default)]
struct Asked {
    requests: usize,
    sign_hash: usize,
    /// `authorization_details` as asked for and as granted.
    details: Option<Value>,
    granted: Option<Value>,
}

fuzz_target!(|data: &[u8]| {
    let wire = Arc::new(Wire { input: Mutex::new(data.to_vec()), asked: Mutex::default() });
    if let Err(error) = RUNTIME.block_on(journey(&wire)) {
        assert_silent(&error);
    }
});

async fn journey(wire: &Arc<Wire>) -> Result<(), ServiceError> {
    let hardware = Arc::<Hardware>::default();
    let device = device(Arc::<Secrets>::default(), hardware.clone(), std::path::PathBuf::new());
    let trusted = TRUST.service(ISSUER).expect("the service");
    let service = Service::discover(trusted, wire.clone(), device).await?;
    let metadata = service.metadata();
    for url in [
        &metadata.registration_endpoint,
        &metadata.token_endpoint,
        &metadata.prescriptions_endpoint,
        &metadata.csc_endpoint,
    ] {
        assert!(url.as_str().starts_with("https://sign.example/"), "{url}");
    }

    register(&service).await?;
    let thumbprint = |role| public_key(role).thumbprint();
    let bound = service
        .bind(ClientIdentity {
            client_id: "client-1".into(),
            binding: KEYS.into(),
            device_thumbprint: thumbprint(KeyRole::Device),
            approval_thumbprint: thumbprint(KeyRole::Approval),
        })
        .await?;
    tried(
        bound.credentials().await.map(|ids| assert!(ids.len() <= 50 && ids.iter().all(|id| !id.is_empty()))),
    );
    answer(&bound).await?;
    sign(&bound, wire, &hardware).await?;
    let uri = format!("{ISSUER}/register/client-1");
    let token = Secret::new(REGISTRATION_TOKEN.into());
    tried(bound.read_registration(&uri, &token).await.map(drop));
    let answer = bound.unregister(&uri, &token).await?;
    if let Err(refusal) = registration::judge_unregistration(answer.status, &answer.body) {
        assert_bounded(&refusal);
    }
    Ok(())
}

async fn register(service: &Service) -> Result<(), ServiceError> {
    let keys = PhoneKeys {
        binding: KEYS.into(),
        device: public_key(KeyRole::Device),
        approval: public_key(KeyRole::Approval),
    };
    let ticket = Ticket::parse(&TICKET, &TRUST, NOW).expect("a ticket");
    let (_, jws) = TICKET.split_once('#').expect("a ticket");
    let answer = service.register(&keys, jws, b"{}").await?;
    match registration::judge(answer.status, &answer.body, &ticket) {
        Ok(registered) => {
            let uri = Url::parse(&registered.registration_client_uri).expect("an address");
            assert!(uri.as_str().starts_with("https://sign.example/"), "{uri}");
            assert!(
                !registered.client_id.is_empty()
                    && registered.client_id.bytes().all(|byte| byte.is_ascii_graphic())
            );
            assert!(!registered.credential_id.is_empty() && registered.issuer == ISSUER);
            assert!(!format!("{registered:?}").contains(REGISTRATION_TOKEN));
        }
        Err(refusal) => assert_bounded(&refusal),
    }
    Ok(())
}

/// Reads the inbox and answers the first request of it.
async fn answer(bound: &BoundService) -> Result<(), ServiceError> {
    let inbox = match bound.inbox(Duration::from_secs(1)).await {
        Ok(inbox) => inbox,
        Err(error) => {
            assert_silent(&error);
            return Ok(());
        }
    };
    assert!(inbox.items.len() <= MAX_REQUESTS);
    for (index, item) in inbox.items.iter().enumerate() {
        assert!(inbox.items[..index].iter().all(|other| other.id != item.id), "two requests of one name");
        assert!((1..=128).contains(&item.id.len()) && item.id.bytes().all(|byte| byte.is_ascii_graphic()));
        assert!(item.response_uri.starts_with("https://sign.example/"), "{}", item.response_uri);
        for text in [&item.label, &item.requester.name, &item.requester.facility_code] {
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
        assert!(item.document.as_ref().map_or(0, Vec::len) <= MAX_DOCUMENT);
    }
    if let Some(item) = inbox.items.first() {
        tried(bound.decline(&item.response_uri, "no\nreason").await);
        tried(bound.deliver(&item.response_uri, b"<signed/>", Some(&item.response_uri)).await);
    }
    Ok(())
}

/// Approves two hashes and has them signed.
async fn sign(bound: &BoundService, wire: &Wire, hardware: &Hardware) -> Result<(), ServiceError> {
    let credential = match bound.credential("credential-1").await {
        Ok(credential) => credential,
        Err(error) => {
            assert_silent(&error);
            return Ok(());
        }
    };
    assert!(
        credential.multisign() > 0 && !credential.chain().is_empty() && !credential.algorithms().is_empty()
    );
    let digest = |index: u8| DocumentDigest { hash: vec![index; 32], label: format!("r-{index}") };
    let digests: Vec<_> =
        [1, 2].map(digest).into_iter().take(credential.multisign().min(MAX_HASHES)).collect();
    let count = digests.len();
    let Ok(activation) = activation(&credential, digests) else { return Ok(()) };
    let token = match bound.activate(activation).await {
        Ok(token) => token,
        Err(error) => {
            assert_silent(&error);
            return Ok(());
        }
    };
    assert_eq!(token.count(), count);
    assert!(!hardware.prompts.lock().expect("no panic before").is_empty(), "nobody was asked");
    {
        let asked = wire.asked();
        let without_type = |details: &Option<Value>| {
            let mut details = details.clone().expect("details");
            details.as_array_mut().expect("a list").iter_mut().for_each(|one| one["type"] = Value::Null);
            details
        };
        assert_eq!(without_type(&asked.granted), without_type(&asked.details), "another thing was granted");
        assert_eq!(asked.sign_hash, 0);
    }
    match bound.sign_hashes(token).await {
        Ok(values) => {
            assert!(values.len() == count && values.iter().all(|value| (1..=1024).contains(&value.len())))
        }
        Err(error) => assert_silent(&error),
    }
    assert_eq!(wire.asked().sign_hash, 1, "a token was used more than once");
    Ok(())
}

fn tried(result: Result<(), ServiceError>) {
    if let Err(error) = result {
        assert_silent(&error);
    }
}

/// An error tells no secret, and no more of the service's words than a person reads.
fn assert_silent(error: &ServiceError) {
    let told = format!("{error} {error:?}");
    let secrets = [TOKEN, REGISTRATION_TOKEN, TICKET.as_str()];
    assert!(secrets.iter().all(|secret| !told.contains(secret)), "{told}");
    if let ServiceError::Refused(Refusal { code, words, .. }) = error {
        assert!(words.chars().count() <= MAX_WORDS && !words.chars().any(char::is_control), "{words:?}");
        assert!(
            words.split(|c: char| c == ' ' || !c.is_ascii()).all(|word| word.len() <= MAX_WORD),
            "{words:?}"
        );
        assert!(code.len() <= 2 * 64 && code.bytes().all(|byte| byte.is_ascii_graphic()), "{code:?}");
    }
}

fn assert_bounded(refusal: &RegistrationRefusal) {
    let told = format!("{refusal} {refusal:?}");
    assert!(!told.contains(TICKET.as_str()) && !told.contains(REGISTRATION_TOKEN), "{told}");
    assert!(refusal.to_string().chars().count() <= 2 * MAX_WORDS + 100, "{refusal}");
    assert!(!refusal.to_string().chars().any(char::is_control), "{refusal:?}");
}

impl Wire {
    fn asked(&self) -> std::sync::MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The honest answer with what the fuzzer makes of it.
    fn changed(&self, request: &HttpRequest, body: Value) -> Result<HttpResponse, TransportError> {
        let mut left = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let all = std::mem::take(&mut *left);
        let mut input = Input::new(&all);
        let (what, status) = (input.byte(), input.byte());
        let length = usize::from(input.byte()) * 4;
        let (honest, part) =
            (body.to_string().into_bytes(), if what & 7 == 0 { &[] } else { input.take(length) });
        let body = match what & 7 {
            0..=2 => edited(&honest, &mut Input::new(part)),
            3 => part.to_vec(),
            4 => [b"<html><body>".as_slice(), part].concat(),
            5 => {
                [format!("{{\"error\":\"invalid_request\",\"error_description\":\"{TOKEN} ").as_bytes(), part]
                    .concat()
            }
            6 if status & 1 == 0 => return Err(TransportError::Timeout),
            _ => honest,
        };
        let mut headers = vec![("dpop-nonce".to_owned(), "nonce-1".to_owned())];
        if what & 8 != 0 {
            for name in ["date", "dpop-nonce", "retry-after", "www-authenticate"] {
                let value = input.piece();
                if !value.is_empty() && value.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
                    headers.insert(0, (name.to_owned(), String::from_utf8_lossy(value).into_owned()));
                }
            }
        }
        *left = input.rest().to_vec();
        if body.len() > request.max_body {
            return Err(TransportError::BodyTooLarge { limit: request.max_body });
        }
        let status = if what == 0 { 200 } else { STATUSES[usize::from(status >> 1) % STATUSES.len()] };
        Ok(HttpResponse { status, headers, body: Zeroizing::new(body) })
    }
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let url = request.url.as_str();
        assert!(url.starts_with("https://sign.example/"), "a request to {url}");
        assert!(request.max_body <= MAX_INBOX);
        for (name, value) in &request.headers {
            assert!(value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '), "{name}");
        }
        if let Some(proof) = request.header("dpop") {
            let claims =
                BASE64_URL_SAFE_NO_PAD.decode(proof.split('.').nth(1).expect("claims")).expect("base64url");
            let claims: Value = serde_json::from_slice(&claims).expect("JSON");
            assert_eq!(claims["htm"], request.method.as_str());
            assert_eq!(claims["htu"], url.split(['?', '#']).next().expect("a part"));
            let is_token = request.header("authorization").is_some_and(|value| value.starts_with("DPoP "));
            assert_eq!(claims["ath"].is_string(), is_token);
        } else {
            assert!(request.header("authorization").is_none(), "a token without a proof");
        }
        {
            let mut asked = self.asked();
            asked.requests += 1;
            assert!(asked.requests <= MOST_REQUESTS, "a journey without end");
            asked.sign_hash += usize::from(url.ends_with("/signatures/signHash"));
        }
        let body = self.honest(&request);
        let response = self.changed(&request, body)?;
        if let Ok(answer) = serde_json::from_slice::<Value>(&response.body) {
            self.asked().granted = answer.get("authorization_details").cloned();
        }
        Ok(response)
    }
}

impl Wire {
    /// What an honest service answers.
    fn honest(&self, request: &HttpRequest) -> Value {
        let sent = serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
        let path = request.url.path();
        match path.rsplit('/').next().unwrap_or_default() {
            "oauth-authorization-server" => json!({
                "issuer": ISSUER,
                "registration_endpoint": format!("{ISSUER}/register"),
                "token_endpoint": format!("{ISSUER}/token"),
                "prescriptions_endpoint": format!("{ISSUER}/prescriptions"),
                "csc_endpoint": format!("{ISSUER}/csc/v2"),
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                "dpop_signing_alg_values_supported": ["ES256"],
                "authorization_details_types_supported": ["credential"],
            }),
            "info" if path.ends_with("credentials/info") => json!({
                "key": {"status": "enabled", "algo": ["1.2.840.113549.1.1.11"], "len": 2048},
                "cert": {"status": "valid", "certificates": [BASE64_STANDARD.encode(DOCTOR)]},
                "auth": {"mode": "oauth2code"}, "SCAL": "2", "multisign": 10,
            }),
            "info" => json!({
                "specs": "2.0.0.2", "name": "Second",
                "methods": ["credentials/list", "credentials/info", "signatures/signHash"],
            }),
            "register" => json!({
                "client_id": "client-1", "client_id_issued_at": NOW.unix_timestamp(),
                "registration_access_token": REGISTRATION_TOKEN, "credential_id": "credential-1", "replaced": false,
                "registration_client_uri": format!("{ISSUER}/register/client-1"),
            }),
            "token" => self.token(&request.body),
            "list" => json!({"credentialIDs": ["credential-1"]}),
            "signHash" | "signPolling" => {
                let count = sent["hashes"].as_array().map_or(2, Vec::len);
                json!({"signatures": vec![BASE64_STANDARD.encode([1; 256]); count]})
            }
            "prescriptions" if request.method == Method::Get => self.inbox(),
            _ => json!({}),
        }
    }

    fn inbox(&self) -> Value {
        let checksum = ring::digest::digest(&ring::digest::SHA256, CSV.as_bytes());
        let request = |id: &str, href: String| {
            json!({
                "id": id, "received_at": "2026-06-02T00:00:00Z", "expires_at": "2026-06-03T00:00:00Z",
                "requester": {"name": "検証用病院", "facility_code": "8000010"},
                "signatureRequests": [{
                    "label": "処方箋", "access": {"type": "public"}, "href": href, "signature_format": "X",
                    "checksum": {"value": BASE64_STANDARD.encode(checksum), "algorithmOID": "2.16.840.1.101.3.4.2.1"},
                    "conformance_level": "AdES-B-B", "responseURI": format!("{ISSUER}/prescriptions/{id}"),
                }],
            })
        };
        let data = format!("data:text/csv;base64,{}", BASE64_STANDARD.encode(CSV));
        json!({"requests": [request("r-1", data), request("r-2", format!("{ISSUER}/documents/r-2"))]})
    }

    fn token(&self, form: &[u8]) -> Value {
        let mut answer = json!({"access_token": TOKEN, "token_type": "DPoP", "expires_in": 600});
        if let Some(details) = field(form, "authorization_details") {
            let details: Value = serde_json::from_str(&details).expect("JSON");
            self.asked().details = Some(details.clone());
            answer["authorization_details"] = details;
        }
        answer
    }
}

/// A field of a form.
fn field(form: &[u8], name: &str) -> Option<String> {
    let form = str::from_utf8(form).ok()?;
    let value = form.split('&').find_map(|field| field.strip_prefix(&format!("{name}=")))?;
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}
