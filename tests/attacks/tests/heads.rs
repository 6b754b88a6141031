//! Answers whose head is not what it should be (status, every header field, framing), and refusals whose body is not. As with
//! the fields of the answers: the phone refuses with an error that says so, or what it does is not touched by it; it stays
//! bound; and with nothing in the way any more, what waits is signed, as the same bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use attacks::tamper::{Change, changes, fields};
use end_to_end::{NO_WAIT, Phone, World, sample};
use hpki_agent::agent::{AgentError, Code, Delivery, Status};
use reference_service::{Canned, Fault, Retouch};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

const REGISTERING: [&str; 5] = [
    "GET /.well-known/oauth-authorization-server",
    "POST /csc/v2/info",
    "POST /register",
    "POST /token",
    "POST /csc/v2/credentials/info",
];
const SIGNING: [&str; 5] = [
    "GET /prescriptions",
    "POST /csc/v2/credentials/info",
    "POST /token",
    "POST /csc/v2/signatures/signHash",
    "POST /prescriptions/{id}",
];

/// What a phone may say of such answers. Of the doctor's phone only that its clock is wrong: no one can tell whose is.
const OF_THE_ANSWER: [Code; 13] = [
    Code::ServiceMisbehaved,
    Code::ServiceRefused,
    Code::ServiceUnavailable,
    Code::Offline,
    Code::ClockWrong,
    Code::CertificateExpired,
    Code::SignatureRefused,
    Code::CredentialDisabled,
    Code::AlreadyAnswered,
    Code::RequestGone,
    Code::TicketExpired,
    Code::TicketUnknown,
    Code::ActivationCodeRequired,
];

#[track_caller]
fn assert_of_the_answer(error: &AgentError, what: &str) {
    assert!(OF_THE_ANSWER.contains(&error.code()), "{what}: {error} {:?}", std::error::Error::source(error));
    for said in [error.text_ja(), error.text_en(), format!("{error:?}")] {
        assert!(!said.contains("evil") && !said.contains(SECRET_WORD), "{what}: {said}");
    }
}

/// An answer that takes so long was waited for in vain.
const SLOW: std::time::Duration = std::time::Duration::from_secs(20);
/// Stands in what a service says, and must not reach the doctor's eyes.
const SECRET_WORD: &str = "lorem-ipsum";

/// A head's lines: the status line, then the header fields.
type Lines = Vec<String>;

/// What is done to a head.
struct Spoilt {
    name: String,
    change: Box<dyn Fn(&mut Lines) + Send + Sync>,
}

fn spoilt(name: impl Into<String>, change: impl Fn(&mut Lines) + Send + Sync + 'static) -> Spoilt {
    Spoilt { name: name.into(), change: Box::new(change) }
}

fn name_of(line: &str) -> &str {
    line.split(':').next().unwrap_or_default()
}

/// Without the field of this name, and with this line in its place.
fn with_field(name: &'static str, value: String) -> Spoilt {
    let shown: String = value.chars().take(40).collect();
    spoilt(format!("{name}: {shown:?}"), move |lines| {
        lines.retain(|line| !name_of(line).eq_ignore_ascii_case(name));
        lines.push(format!("{name}: {value}"));
    })
}

fn with_status(status: &'static str) -> Spoilt {
    spoilt(status, move |lines| status.clone_into(&mut lines[0]))
}

/// Every status that means something to HTTP, and some that mean nothing.
const STATUS_LINES: [&str; 24] = [
    "HTTP/1.1 201 Created",
    "HTTP/1.1 202 Accepted",
    "HTTP/1.1 204 No Content",
    "HTTP/1.1 206 Partial Content",
    "HTTP/1.1 301 Moved Permanently\r\nlocation: https://evil.example/",
    "HTTP/1.1 302 Found\r\nlocation: /elsewhere",
    "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1/",
    "HTTP/1.1 308 Permanent Redirect\r\nlocation: https://evil.example/",
    "HTTP/1.1 304 Not Modified",
    "HTTP/1.1 400 Bad Request",
    "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: DPoP error=\"use_dpop_nonce\"",
    "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: DPoP error=\"invalid_token\"",
    "HTTP/1.1 403 Forbidden",
    "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic",
    "HTTP/1.1 418 I'm a teapot",
    "HTTP/1.1 429 Too Many Requests\r\nretry-after: 99999999999999999999",
    "HTTP/1.1 500 Internal Server Error",
    "HTTP/1.1 503 Service Unavailable\r\nretry-after: -1",
    "HTTP/1.1 599",
    "HTTP/1.1 999 ",
    "HTTP/1.0 200 OK",
    "HTTP/2.0 200 OK",
    "HTTP/1.1 2OO OK",
    "ICY 200 OK",
];

/// Fields that an answer has, and fields that would mean something if they were believed.
fn fields_of_heads() -> Vec<Spoilt> {
    let date = |days: i64| {
        let at = OffsetDateTime::now_utc() + Duration::days(days);
        let format = time::macros::format_description!(
            "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
        );
        at.format(format).unwrap()
    };
    let long = "x".repeat(20_000);
    let mut all = vec![
        with_field("content-type", "text/html; charset=utf-16".into()),
        with_field("content-type", String::new()),
        with_field("content-encoding", "gzip".into()),
        with_field("content-length", "0".into()),
        with_field("content-length", "1".into()),
        with_field("content-length", "-1".into()),
        with_field("content-length", "18446744073709551616".into()),
        with_field("content-length", "1099511627776".into()),
        with_field("transfer-encoding", "chunked".into()),
        with_field("transfer-encoding", "gzip, identity".into()),
        with_field("dpop-nonce", String::new()),
        with_field("dpop-nonce", "with space and \"quotes\"".into()),
        with_field("dpop-nonce", long.clone()),
        with_field("dpop-nonce", "a-nonce-that-nobody-issued".into()),
        with_field("date", date(3653)),
        with_field("date", date(-3653)),
        with_field("date", "Fri, 31 Dec 9999 23:59:59 GMT".into()),
        with_field("date", "soon".into()),
        with_field("retry-after", "soon".into()),
        with_field("location", "https://evil.example/".into()),
        with_field("refresh", "0; url=https://evil.example/".into()),
        with_field("set-cookie", "evil=1; Domain=example".into()),
        with_field("www-authenticate", "DPoP error=\"use_dpop_nonce\"".into()),
        with_field("connection", "upgrade\r\nupgrade: h2c".into()),
        with_field("cache-control", "public, max-age=31536000".into()),
        with_field("x-long", long),
        with_field("x-odd", "\u{7f}\u{1}\u{202e}".into()),
        with_field("no colon\r\n here", "x".into()),
        spoilt("an early hint", |lines| {
            lines.insert(0, "HTTP/1.1 103 Early Hints\r\nlink: <https://evil.example/>\r\n".into());
        }),
        spoilt("two lengths", |lines| lines.push("content-length: 1".into())),
        spoilt("a thousand fields", |lines| lines.extend((0..1000).map(|n| format!("x-{n}: x")))),
    ];
    for name in ["content-type", "content-length", "dpop-nonce", "date", "cache-control"] {
        all.push(spoilt(format!("no {name}"), move |lines| lines.retain(|line| name_of(line) != name)));
        all.push(spoilt(format!("{name} twice"), move |lines| {
            let line = lines.iter().find(|line| name_of(line) == name).cloned();
            lines.extend(line);
        }));
    }
    all.extend(STATUS_LINES.map(with_status));
    all
}

fn retouch(spoilt: Spoilt) -> (String, Fault) {
    let Spoilt { name, change } = spoilt;
    let head = Retouch::new(move |head| {
        let mut lines: Lines = head.split_terminator("\r\n").map(str::to_owned).collect();
        change(&mut lines);
        lines.join("\r\n") + "\r\n"
    });
    (name, Fault::Head(head))
}

/// Refusals as services write them, each field of them spoilt, and bodies that are none.
fn refusals() -> Vec<(String, Fault)> {
    let mut all = Vec::new();
    let whole = json!({
        "error": "invalid_request",
        "error_description": format!("{SECRET_WORD} <b>evil</b>"),
        "error_uri": "https://evil.example/",
        "tries_left": 4,
    });
    let statuses = [400, 401, 403, 409, 429, 500, 503];
    let mut refusal = |name: String, body: &Value| {
        let status = statuses[all.len() % statuses.len()];
        all.push((format!("{status} {name}"), Fault::Instead(Canned::json(status, body))));
    };
    refusal("as it is".into(), &whole);
    for pointer in fields(&whole) {
        for change in changes(&whole[&pointer[1..]]) {
            let mut body = whole.clone();
            let name = match change {
                Change::Removed => format!("{pointer} removed"),
                Change::Instead(ref value) => format!("{pointer} {:.40}", value.to_string()),
            };
            match change {
                Change::Removed => drop(body.as_object_mut().unwrap().remove(&pointer[1..])),
                Change::Instead(value) => body[&pointer[1..]] = value,
            }
            refusal(name, &body);
        }
    }
    for error in
        ["server_error", "access_denied", "use_dpop_nonce", "invalid_token", "invalid_grant", "expired"]
    {
        refusal(error.into(), &json!({"error": error, "error_description": SECRET_WORD}));
    }
    for words in ["SAD expired", "Credential locked", "Signing certificate 'CN=evil' is expired."] {
        refusal(words.into(), &json!({"error": "invalid_request", "error_description": words}));
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (name, text) in [
        ("cut", "{\"error\": \"inv"),
        ("deep", &deep),
        ("a list", "[{\"error\":\"invalid_request\"}]"),
        ("script", "<script>evil()</script>"),
        ("nothing", ""),
    ] {
        all.push((format!("400 {name}"), Fault::Instead(Canned::text(400, text))));
    }
    all
}

/// Reads, approves and signs all that waits.
async fn sign(phone: &Phone) -> Result<(), AgentError> {
    phone.deliver_pending().await?;
    let waiting = phone.inbox(NO_WAIT).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    for approved in phone.approve(phone.prepare(waiting).await?).await? {
        if let Delivery::Pending(error) | Delivery::Refused(error) = approved.delivery {
            return Err(error);
        }
    }
    Ok(())
}

fn each(
    endpoints: &[&'static str],
    faults: impl Fn() -> Vec<(String, Fault)>,
) -> Vec<(&'static str, String, Fault)> {
    let of = |endpoint: &&'static str| {
        let endpoint = *endpoint;
        faults().into_iter().map(move |(name, fault)| (endpoint, name, fault))
    };
    endpoints.iter().flat_map(of).collect()
}

async fn through_signing(faults: impl Fn() -> Vec<(String, Fault)>) {
    let world = World::new().await;
    let mut phone = world.bound_phone().await;
    let (mut told, mut given_up) = (BTreeMap::<_, usize>::new(), BTreeSet::new());
    let mut requests = Vec::new();
    for (endpoint, name, fault) in each(&SIGNING, faults) {
        let what = format!("{endpoint}, {name}");
        let request = world.submit(&sample::csv(1));
        world.service().faults().next(1, endpoint, fault);
        let began = Instant::now();
        let error = sign(&phone).await.err();
        if began.elapsed() > SLOW {
            println!("{what}: {:?}", began.elapsed());
        }
        world.service().faults().clear();
        if let Some(error) = &error {
            assert_of_the_answer(error, &what);
        }
        // A file of which the service says that it comes too late is not kept. What then still waits is approved anew.
        let is_given_up = error
            .as_ref()
            .is_some_and(|error| matches!(error.code(), Code::AlreadyAnswered | Code::RequestGone));
        *told.entry(error.map_or("nothing", |error| error.code().as_str())).or_default() += 1;
        for _ in 0..2 {
            if sign(&phone).await.is_ok() {
                break;
            }
            phone.restart().await.unwrap();
        }
        let status = phone.status().await.unwrap();
        assert!(matches!(status, Status::Registered { undelivered: 0, .. }), "{what}: {status:?}");
        if is_given_up {
            phone.restart().await.unwrap();
            sign(&phone).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            given_up.insert(request.clone());
        }
        world.assert_signed(&request, &sample::csv(1));
        requests.push(request);
    }
    let hashes = world.wire().hashes_by_request();
    for request in requests.iter().filter(|request| !given_up.contains(*request)) {
        assert_eq!(hashes[request].len(), 1, "different bytes were to be signed");
    }
    let given_up = given_up.len();
    println!("{told:?}; {given_up} files were given up, as the service said so");
    assert!(told.len() > 4 && requests.len() > 100, "{told:?}");
}

async fn through_registering(faults: impl Fn() -> Vec<(String, Fault)>) {
    let world = World::new().await;
    let mut told = BTreeMap::<_, usize>::new();
    for (endpoint, name, fault) in each(&REGISTERING, faults) {
        let what = format!("{endpoint}, {name}");
        let (mut phone, ticket) = (world.phone(), world.card());
        world.service().faults().next(1, endpoint, fault);
        let candidate = phone.use_ticket(&ticket).await;
        world.service().faults().clear();
        let outcome = candidate.as_ref().err().map_or("nothing", |error| error.code().as_str());
        *told.entry(outcome).or_default() += 1;
        let candidate = match candidate {
            Ok(candidate) => candidate,
            Err(error) => {
                assert_of_the_answer(&error, &what);
                phone.restart().await.unwrap();
                let begun = phone.candidate().await.unwrap_or_else(|error| panic!("{what}: {error}"));
                match begun {
                    Some(candidate) => candidate,
                    None => phone.use_ticket(&ticket).await.unwrap_or_else(|error| panic!("{what}: {error}")),
                }
            }
        };
        assert_eq!(candidate.holder().name_kanji.as_deref(), Some(sample::PRESCRIBER), "{what}");
        phone.confirm(candidate).await.unwrap();
    }
    println!("{told:?}");
    assert!(told.len() > 3, "{told:?}");
}

fn heads() -> Vec<(String, Fault)> {
    fields_of_heads().into_iter().map(retouch).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_status_or_header_of_an_answer_makes_a_phone_sign_what_was_not_shown_or_lose_what_it_has() {
    through_signing(heads).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_status_or_header_of_an_answer_leads_a_registration_astray() {
    through_registering(heads).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_field_of_a_refusal_makes_a_phone_sign_what_was_not_shown_or_lose_what_it_has() {
    through_signing(refusals).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_field_of_a_refusal_leads_a_registration_astray() {
    through_registering(refusals).await;
}
