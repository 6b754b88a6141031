//! `signatures/signHash` (CSC v2.2 11.9): signs exactly the hashes that the SAD authorised, once. The token is spent,
//! on the disk, before anything is looked at: whatever happens then, it never signs again.

use super::call::Call;
use super::discovery::{SHA256, SHA256_WITH_RSA};
use super::refusal::Refusal;
use super::sad::{check_credential, read_hash};
use super::sessions::{self, Kind};
use super::{App, Shared, polling};
use crate::signer::KeyHandle;
use crate::store::Stop;
use crate::store::credentials;
use crate::store::phones::{self, Client, Token};
use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rusqlite::Transaction;
use serde::Deserialize;
use serde_json::{Value, json};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Where signing happens: as many at a time as there are cores, so that a crowd waits in order.
pub(super) struct Bench {
    places: Semaphore,
    nanoseconds: AtomicU64,
}

impl Bench {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self { places: Semaphore::new(cores), nanoseconds: AtomicU64::new(0) }
    }

    pub(super) fn time(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }

    fn timed<T>(&self, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let value = work();
        let took = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(took, Ordering::Relaxed);
        value
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SignHash {
    #[serde(rename = "credentialID")]
    credential_id: String,
    hashes: Vec<String>,
    #[serde(rename = "hashAlgorithmOID")]
    hash_algorithm_oid: String,
    sign_algo: String,
    #[serde(default)]
    operation_mode: Option<String>,
    #[serde(default, rename = "clientData")]
    _client_data: Option<String>,
}

struct Order {
    client: Client,
    token: Token,
    key: KeyHandle,
    hashes: Vec<[u8; 32]>,
}

pub(super) async fn sign_hash(State(app): Shared, call: Call) -> Result<Json<Value>, Refusal> {
    let call = Arc::new(call);
    let order = app.answer(&call, spend).await?;

    let place = app.bench.places.acquire().await.map_err(|_| Refusal::server_error())?;
    let signing = Arc::clone(&app);
    let (order, signatures) = app
        .blocking(move || {
            let signatures =
                signing.bench.timed(|| signing.authority.signer().sign_digests(&order.key, &order.hashes));
            signatures.map(|values| (order, values)).map_err(|error| {
                tracing::error!(%error, "the signer failed");
                Refusal::server_error()
            })
        })
        .await?;
    drop(place);

    let encoded: Vec<_> = signatures.iter().map(|value| BASE64.encode(value)).collect();
    let made: Vec<_> = order.hashes.into_iter().zip(signatures).collect();
    app.answer(&call, move |app, tx, _| {
        phones::record_signatures(tx, &order.client, &order.token.id, &made, app.now())?;
        match app.faults.signing_later() {
            None => Ok(Json(json!({ "signatures": encoded }))),
            Some(pending) => polling::defer(app, tx, &order.client, &encoded, pending),
        }
    })
    .await
}

fn spend(app: &App, tx: &Transaction<'_>, call: &Call) -> Result<Order, Stop> {
    let (client, token) = sessions::caller(app, tx, call, Kind::Credential)?;
    phones::spend(tx, &token.id, app.now())?;

    let request: SignHash = call.json_as()?;
    if request.credential_id != client.credential {
        return Err(Refusal::invalid_request("Invalid parameter credentialID").into());
    }
    let asynchronous = app.faults.signing_later().is_some();
    if request.operation_mode.is_some_and(|mode| mode != "S" && !(asynchronous && mode == "A")) {
        return Err(Refusal::invalid_request("Invalid parameter operationMode").into());
    }
    if request.hash_algorithm_oid != SHA256 {
        return Err(Refusal::invalid_request("Invalid parameter hashAlgorithmOID").into());
    }
    if request.sign_algo != SHA256_WITH_RSA {
        return Err(Refusal::invalid_request("Invalid parameter signAlgo").into());
    }
    if request.hashes.is_empty() {
        return Err(Refusal::invalid_request("Empty hash array").into());
    }
    let credential = credentials::find(tx, &client.credential)?.ok_or_else(Refusal::server_error)?;
    if request.hashes.len() > credential.multisign as usize {
        return Err(Refusal::invalid_request("Numbers of signatures is too high").into());
    }
    let hashes = request.hashes.iter().map(|hash| read_hash(hash)).collect::<Result<Vec<_>, _>>()?;
    if !same_set(&request.hashes, token.authorized.as_deref().unwrap_or_default()) {
        return Err(Refusal::invalid_request("Hash is not authorized by the SAD.").into());
    }
    check_credential(&credential, app.now())?;
    Ok(Order { client, token, key: credential.key, hashes })
}

/// The same hashes, each as often; the order is free.
fn same_set(asked: &[String], authorized: &[String]) -> bool {
    let sorted = |hashes: &[String]| {
        let mut sorted = hashes.to_vec();
        sorted.sort_unstable();
        sorted
    };
    sorted(asked) == sorted(authorized)
}
