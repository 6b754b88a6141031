//! The faults as they are switched on from a shell, at a serving process.

mod common;

use common::{Process, World, doctor, keys, serve};
use reference_service::{Authority, Canned, Clock, ENDPOINTS, Fault};
use reqwest::{Client, Method, Response};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

const INFO: &str = "/csc/v2/info";
const DISCOVERY: &str = "/.well-known/oauth-authorization-server";

/// A serving process, and what a phone's HTTPS makes of it.
struct Spoilt {
    process: Process,
    http: Client,
}

impl Spoilt {
    fn start(dir: &Path, switches: &[&str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let process = Process::start(dir, switches);
        let root = std::fs::read(dir.join("tls-ca.pem")).unwrap();
        let root = reqwest::Certificate::from_pem(&root).unwrap();
        let http = Client::builder().tls_certs_only([root]).retry(reqwest::retry::never());
        Self { process, http: http.build().unwrap() }
    }

    async fn get(&self, path: &str) -> reqwest::Result<Response> {
        self.http.get(format!("{}{path}", self.process.issuer)).send().await
    }

    async fn info(&self) -> reqwest::Result<Response> {
        let request = self.http.post(format!("{}{INFO}", self.process.issuer));
        request.header("content-type", "application/json").body("{}").send().await
    }
}

async fn json_of(answer: Response) -> Value {
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// By the `Date` of an answer: how many seconds the service is ahead.
fn seconds_ahead(answer: &Response) -> i64 {
    let date = answer.headers()["date"].to_str().unwrap();
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let date = time::PrimitiveDateTime::parse(date, format).unwrap().assume_utc();
    (date - time::OffsetDateTime::from(SystemTime::now())).whole_seconds()
}

#[tokio::test]
async fn a_fault_can_be_met_at_every_endpoint_that_is_named() {
    let world = World::new().await;
    let phone = world.phone().await;
    for endpoint in ENDPOINTS {
        world.service.faults().next(1, endpoint, Fault::Instead(Canned::empty(418)));
        let (method, path) = endpoint.split_once(' ').unwrap();
        let url = format!("{}{}", phone.issuer, path.replace("{id}", "1"));
        let method: Method = method.parse().unwrap();
        let answer = phone.http.request(method, url).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), world.service.faults().left()), (418, 0), "{endpoint}");
    }
}

#[tokio::test]
async fn faults_switched_on_from_a_shell_are_met_in_turn() {
    let folder = tempfile::tempdir().unwrap();
    let faults = [
        "POST /csc/v2/info: instead html 502",
        "POST /csc/v2/info: behind text 500 SAD expired",
        "POST /csc/v2/info: delay 300",
        "POST /csc/v2/info: unheard",
        "POST /csc/v2/info: cut 20",
        "POST /csc/v2/info: date 7200",
        "POST /csc/v2/info: nulls",
        "POST /csc/v2/info: slow 200 50",
        "POST /clinic/prescriptions: twice",
        "POST /clinic/prescriptions: again",
        "POST /csc/v2/info: endless",
        "2 GET /.well-known/oauth-authorization-server: instead json 503 {\"error\": \"busy\"}",
    ];
    let switches: Vec<_> = faults.iter().flat_map(|fault| ["--fault", fault]).collect();
    let spoilt = Spoilt::start(folder.path(), &switches);

    let html = spoilt.info().await.unwrap();
    assert_eq!(html.status(), 502);
    assert_eq!(html.headers()["content-type"], "text/html; charset=utf-8");
    let text = spoilt.info().await.unwrap();
    assert_eq!((text.status().as_u16(), text.text().await.unwrap().as_str()), (500, "SAD expired"));
    let started = Instant::now();
    assert_eq!(spoilt.info().await.unwrap().status(), 200);
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert!(spoilt.info().await.is_err(), "unheard");
    let cut = match spoilt.info().await {
        Ok(answer) => answer.text().await.err(),
        Err(error) => Some(error),
    };
    assert!(cut.is_some(), "cut");
    assert!((7190..=7210).contains(&seconds_ahead(&spoilt.info().await.unwrap())));
    let nulls = json_of(spoilt.info().await.unwrap()).await;
    assert!(nulls.as_object().unwrap().values().any(Value::is_null), "{nulls}");
    let started = Instant::now();
    let slow = json_of(spoilt.info().await.unwrap()).await;
    assert!(slow["specs"] == "2.2.0.0" && started.elapsed() >= Duration::from_millis(100));
    let mut endless = spoilt.info().await.unwrap();
    let mut length = 0;
    while length < 1_000_000 {
        length += endless.chunk().await.unwrap().expect("it has no end").len();
    }
    drop(endless);
    for status in [503, 503, 200] {
        assert_eq!(spoilt.get(DISCOVERY).await.unwrap().status().as_u16(), status);
    }
    assert_eq!(json_of(spoilt.info().await.unwrap()).await["specs"], json!("2.2.0.0"));

    let office = Authority::open_with(folder.path(), Clock::default(), &keys()).unwrap();
    let doctor = office.issue(&doctor()).unwrap();
    let database = Connection::open(folder.path().join("service.sqlite")).unwrap();
    let submitted =
        || -> i64 { database.query_row("SELECT count(*) FROM prescriptions", [], |row| row.get(0)).unwrap() };
    let submit = async || {
        let body =
            json!({"doctor": doctor, "requester": {"name": "A", "facility_code": "1"}, "document": "U0ox"});
        let request = spoilt.http.post(format!("{}/clinic/prescriptions", spoilt.process.issuer));
        let request = request.bearer_auth(office.clinic_key()).header("content-type", "application/json");
        json_of(request.body(body.to_string()).send().await.unwrap()).await["id"].clone()
    };
    submit().await;
    assert_eq!(submitted(), 2, "it arrived twice");
    let (first, second) = (submit().await, submit().await);
    assert_eq!((first.is_string(), first == second, submitted()), (true, true, 3), "the answer came again");
    assert_ne!(submit().await, first);
}

#[tokio::test]
async fn clock_certificate_version_and_later_signatures_can_be_switched_from_a_shell() {
    let folder = tempfile::tempdir().unwrap();
    let switches = ["--clock", "-10800", "--csc", "2.0", "--sign-later", "2"];
    let spoilt = Spoilt::start(folder.path(), &switches);
    let info = spoilt.info().await.unwrap();
    assert!((-10810..=-10790).contains(&seconds_ahead(&info)));
    let info = json_of(info).await;
    assert_eq!((&info["specs"], &info["asynchronousOperationMode"]), (&json!("2.0.0.2"), &json!(true)));
    drop(spoilt);
    for (certificate, words) in [("expired", "expired"), ("other-host", "notvalidforname")] {
        let spoilt = Spoilt::start(folder.path(), &["--certificate", certificate]);
        let error = format!("{:?}", spoilt.info().await.expect_err("TLS refuses")).to_lowercase();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn words_that_are_no_fault_end_the_command_before_it_serves() {
    let folder = tempfile::tempdir().unwrap();
    for (switch, words) in [
        ("POST /tokens: twice", "there is no endpoint"),
        ("POST /token: explode", "there is no fault"),
        ("twice", "[TIMES ]ENDPOINT: FAULT"),
    ] {
        let output = serve(folder.path(), &["--fault", switch]).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && told.contains(words), "{told}");
    }
    assert!(!folder.path().join("service.sqlite").exists());
}
