//! Many phones at once: every signature exactly once, in the ledger as at the phone, and what it costs.

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use common::{Phone, World, sha256, verifies};
use reference_service::{IssuedTicket, TicketSpec};
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Barrier;

/// Phones at once; `REFERENCE_SERVICE_CROWD` sets another number.
const CROWD: usize = 200;
/// Prescriptions that each doctor signs with one approval.
const BATCH: usize = 3;

/// What one phone did.
struct Day {
    registering: Duration,
    signing: Duration,
    /// Credential and hash, with the value that came back.
    signed: BTreeMap<(String, String), String>,
}

async fn day(mut phone: Phone, ticket: IssuedTicket, start: Arc<Barrier>) -> Day {
    start.wait().await;
    let began = Instant::now();
    let answer = phone.register(&phone.registration(&ticket)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    phone.adopt(&answer);
    let body = json!({"credentialID": phone.credential, "certificates": "single"});
    let info = phone.ask(Method::POST, "/csc/v2/credentials/info", Some(body)).await;
    let certificate = info.body["cert"]["certificates"][0].as_str().unwrap().to_owned();
    let registering = began.elapsed();

    let messages: Vec<_> = (0..BATCH).map(|n| format!("{n} of {}", phone.credential)).collect();
    let hashes: Vec<_> = messages.iter().map(|message| sha256(message.as_bytes())).collect();
    let began = Instant::now();
    let token = phone.credential_token(&hashes).await;
    let answer = phone.call(&phone.sign_hash_call(&token, &hashes)).await;
    let signing = began.elapsed();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let values: Vec<String> = serde_json::from_value(answer.body["signatures"].clone()).unwrap();
    assert_eq!(values.len(), BATCH);
    for (message, value) in messages.iter().zip(&values) {
        assert!(verifies(&certificate, message.as_bytes(), value), "{message}");
    }
    let places = hashes.into_iter().map(|hash| (phone.credential.clone(), hash));
    Day { registering, signing, signed: places.zip(values).collect() }
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    format!("p50 {:?}, p99 {:?}", at(50), at(99))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_phones_register_and_sign_at_once_and_no_signature_is_lost_or_doubled() {
    let crowd = std::env::var("REFERENCE_SERVICE_CROWD").map_or(CROWD, |text| text.parse().unwrap());
    let world = World::new().await;
    let (service, office) = (&world.service, world.office());
    // One key for all: each message names its doctor, so that a value that went astray would not verify.
    let database = world.add_credentials(crowd);

    let start = Arc::new(Barrier::new(crowd + 1));
    let mut phones = Vec::new();
    for n in 1..=crowd {
        let ticket = office.ticket(&format!("A{n:07}"), TicketSpec::letter()).unwrap();
        let phone = Phone::new(service).await;
        phones.push(tokio::spawn(day(phone, ticket, Arc::clone(&start))));
    }
    start.wait().await;
    let began = Instant::now();
    let mut days = Vec::new();
    for phone in phones {
        days.push(phone.await.unwrap());
    }
    let elapsed = began.elapsed();

    let mut signed = BTreeMap::new();
    for (place, value) in days.iter().flat_map(|day| &day.signed) {
        assert!(signed.insert(place.clone(), value.clone()).is_none(), "{place:?} was signed twice");
    }
    let mut query = database.prepare("SELECT credential, hash, signature FROM ledger").unwrap();
    let rows = query.query_map([], |row| {
        let (hash, value): (Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(2)?);
        Ok(((row.get(0)?, BASE64.encode(hash)), BASE64.encode(value)))
    });
    let rows: Vec<((String, String), String)> = rows.unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(rows.len(), crowd * BATCH, "the ledger has each once");
    assert_eq!(rows.into_iter().collect::<BTreeMap<_, _>>(), signed, "and the value that the phone has");

    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let in_rsa = service.signing_time();
    let share = in_rsa.as_secs_f64() / (elapsed.as_secs_f64() * f64::from(u32::try_from(cores).unwrap()));
    println!("{crowd} phones, {} signatures in {elapsed:?} on {cores} cores", crowd * BATCH);
    println!("registering: {}", percentiles(days.iter().map(|day| day.registering).collect()));
    println!("approving {BATCH}: {}", percentiles(days.iter().map(|day| day.signing).collect()));
    println!("in RSA: {in_rsa:?}, {:.1} % of the cores' time", share * 100.0);
}
