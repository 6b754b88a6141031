//! For tests of this module: a phone in memory, answers as literals, and a transport that plays a script.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use time::{OffsetDateTime, macros::datetime};
use zeroize::Zeroizing;

use super::{
    csc::{CredentialInfo, judge_credential},
    http::{HttpRequest, HttpResponse, Transport, TransportError},
    *,
};
use crate::{
    device::{
        Clock, Device, KeyAlias, KeyRole, KeyVault, KeyVaultError, NewKey, Prompt, Random, Secret,
        SecretStore, SecretStoreError,
    },
    jose::PublicKey,
};

/// A phone whose clock stands still.
#[derive(Clone)]
pub(crate) struct Phone(Arc<Inner>);

struct Inner {
    device: EcdsaKeyPair,
    approval: EcdsaKeyPair,
    counter: AtomicU64,
    prompts: Mutex<Vec<Prompt>>,
    /// What the user does at the next prompt.
    refusal: Mutex<Option<KeyVaultError>>,
}

impl Phone {
    pub(crate) fn new() -> Self {
        let random = SystemRandom::new();
        let key = || {
            let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
            EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap()
        };
        Self(Arc::new(Inner {
            device: key(),
            approval: key(),
            counter: AtomicU64::new(0),
            prompts: Mutex::default(),
            refusal: Mutex::default(),
        }))
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.0.now()
    }

    pub(crate) fn device(&self) -> Device {
        let inner = self.0.clone();
        Device {
            keys: inner.clone(),
            secrets: inner.clone(),
            clock: inner.clone(),
            random: inner,
            data_dir: PathBuf::new(),
        }
    }

    pub(crate) fn keys(&self) -> PhoneKeys {
        let public = |role| public_key(self.0.pair(role));
        PhoneKeys {
            binding: BINDING.into(),
            device: public(KeyRole::Device),
            approval: public(KeyRole::Approval),
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client { client_id: "client-1".into(), keys: self.keys() }
    }

    pub(crate) fn identity(&self) -> ClientIdentity {
        let keys = self.keys();
        ClientIdentity {
            client_id: "client-1".into(),
            binding: keys.binding,
            device_thumbprint: keys.device.thumbprint(),
            approval_thumbprint: keys.approval.thumbprint(),
        }
    }

    /// How many proofs, assertions and the like it has begun to make.
    pub(crate) fn ids_made(&self) -> u64 {
        self.0.counter.load(Ordering::Relaxed)
    }

    pub(crate) fn prompts(&self) -> Vec<Prompt> {
        self.0.prompts.lock().unwrap().clone()
    }

    /// The user cancels the next prompt.
    pub(crate) fn cancel_next(&self) {
        *self.0.refusal.lock().unwrap() = Some(KeyVaultError::Cancelled);
    }
}

const BINDING: &str = "000102030405060708090a0b0c0d0e0f";

fn public_key(pair: &EcdsaKeyPair) -> PublicKey {
    PublicKey::from_uncompressed(pair.public_key().as_ref()).unwrap()
}

impl Inner {
    fn pair(&self, role: KeyRole) -> &EcdsaKeyPair {
        match role {
            KeyRole::Device => &self.device,
            KeyRole::Approval => &self.approval,
        }
    }
}

#[async_trait]
impl KeyVault for Inner {
    async fn create(&self, _: &KeyAlias, _: [u8; 32]) -> Result<NewKey, KeyVaultError> {
        Err(KeyVaultError::NotFound)
    }

    async fn public_key(&self, alias: &KeyAlias) -> Result<PublicKey, KeyVaultError> {
        if alias.binding == BINDING {
            Ok(public_key(self.pair(alias.role)))
        } else {
            Err(KeyVaultError::NotFound)
        }
    }

    async fn sign(
        &self,
        alias: &KeyAlias,
        message: &[u8],
        prompt: Option<&Prompt>,
    ) -> Result<[u8; 64], KeyVaultError> {
        assert_eq!(
            prompt.is_some(),
            alias.role == KeyRole::Approval,
            "the user is verified for approval alone"
        );
        if let Some(prompt) = prompt {
            self.prompts.lock().unwrap().push(prompt.clone());
            if let Some(refusal) = self.refusal.lock().unwrap().take() {
                return Err(refusal);
            }
        }
        let signature = self.pair(alias.role).sign(&SystemRandom::new(), message).unwrap();
        Ok(signature.as_ref().try_into().unwrap())
    }

    async fn delete(&self, _: &KeyAlias) -> Result<(), KeyVaultError> {
        Ok(())
    }
}

impl SecretStore for Inner {
    fn get(&self, _: &str) -> Result<Option<Secret>, SecretStoreError> {
        Ok(None)
    }
    fn set(&self, _: &str, _: &Secret) -> Result<(), SecretStoreError> {
        Ok(())
    }
    fn delete(&self, _: &str) -> Result<(), SecretStoreError> {
        Ok(())
    }
}

impl Clock for Inner {
    fn now(&self) -> OffsetDateTime {
        datetime!(2026-04-01 0:00 UTC)
    }
}

impl Random for Inner {
    fn fill(&self, buffer: &mut [u8]) {
        let count = self.counter.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (byte, value) in buffer.iter_mut().zip(count) {
            *byte = value;
        }
    }
}

/// Header and claims of a JWS that verifies with `key`.
pub(crate) fn jws_parts(jws: &str, key: &PublicKey) -> (Value, Value) {
    let (signed, signature) = jws.rsplit_once('.').unwrap();
    key.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let json = |part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (json(header), json(claims))
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> HttpResponse {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    HttpResponse { status, headers: headers.collect(), body: Zeroizing::new(body.as_bytes().to_vec()) }
}

/// `credentials/info` of a credential that may sign.
pub(crate) fn credential_answer(multisign: usize) -> Value {
    json!({
        "key": {"status": "enabled", "algo": ["1.2.840.113549.1.1.11"], "len": 2048},
        "cert": {"status": "valid", "certificates": ["MAA="]},
        "auth": {"mode": "oauth2code"},
        "SCAL": "2",
        "multisign": multisign,
    })
}

pub(crate) fn credential(multisign: usize) -> CredentialInfo {
    judge_credential("credential-1", &credential_answer(multisign)).unwrap()
}

pub(crate) fn digests(count: u8) -> Vec<DocumentDigest> {
    (1..=count)
        .map(|index| DocumentDigest { hash: vec![index; 32], label: format!("request-{index}") })
        .collect()
}

/// Gives its answers in order, one a request, and keeps the requests.
#[derive(Default)]
pub(crate) struct Script {
    answers: Mutex<VecDeque<Result<HttpResponse, TransportError>>>,
    requests: Mutex<Vec<HttpRequest>>,
}

impl Script {
    pub(crate) fn push(&self, answer: Result<HttpResponse, TransportError>) {
        self.answers.lock().unwrap().push_back(answer);
    }

    /// Forgets what was sent and what was still to be said.
    pub(crate) fn drain(&self) {
        self.answers.lock().unwrap().clear();
        self.requests.lock().unwrap().clear();
    }

    /// The requests since the last look, all answers having been used.
    pub(crate) fn take(&self) -> Vec<HttpRequest> {
        assert!(self.answers.lock().unwrap().is_empty(), "an expected request was not sent");
        std::mem::take(&mut self.requests.lock().unwrap())
    }

    /// As [`Script::take`], as `METHOD path` lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |request: HttpRequest| {
            let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
            format!("{} {}{query}", request.method.as_str(), request.url.path())
        };
        self.take().into_iter().map(line).collect()
    }
}

#[async_trait]
impl Transport for Script {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let answer = self.answers.lock().unwrap().pop_front();
        let answer = answer.unwrap_or_else(|| panic!("unexpected request: {request:?}"));
        self.requests.lock().unwrap().push(request);
        answer
    }
}
