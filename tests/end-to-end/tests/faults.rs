//! Whatever the line, a proxy or the service does wrong: the doctor is told what to do, the phone keeps what it had, and
//! the step is done by doing it again.

use std::{
    collections::BTreeSet,
    time::{Duration as StdDuration, Instant},
};

use end_to_end::{NO_WAIT, Phone, World, code, json, refused, sample};
use hpki_agent::{
    agent::{AgentError, Code, Delivery, Kind, Status, Warning},
    journal::verify_export,
};
use reference_service::{Canned, CscVersion, Fault, ServedCertificate, Spoilt, State};
use serde_json::json;

const DISCOVERY: &str = "GET /.well-known/oauth-authorization-server";
const INFO: &str = "POST /csc/v2/info";
const REGISTER: &str = "POST /register";
const UNREGISTER: &str = "DELETE /register/{id}";
const TOKEN: &str = "POST /token";
const CREDENTIAL: &str = "POST /csc/v2/credentials/info";
const INBOX: &str = "GET /prescriptions";
const SIGN: &str = "POST /csc/v2/signatures/signHash";
const POLL: &str = "POST /csc/v2/signatures/signPolling";
const DELIVER: &str = "POST /prescriptions/{id}";

/// What a fault amounts to for the doctor.
#[derive(Clone, Copy, PartialEq)]
enum Means {
    /// The line or the service is out of order: try again.
    Broken,
    /// The answer makes no sense: ask, if it persists.
    Nonsense,
    /// The service says no.
    Refused,
}

impl Means {
    fn code(self, endpoint: &str) -> (Code, Kind) {
        match self {
            Self::Broken => (Code::ServiceUnavailable, Kind::Retry),
            Self::Nonsense => (Code::ServiceMisbehaved, Kind::AskOffice),
            Self::Refused if endpoint == SIGN => (Code::SignatureRefused, Kind::Retry),
            Self::Refused => (Code::ServiceRefused, Kind::AskOffice),
        }
    }
}

/// Faults that an answer of this endpoint can have.
fn faults_of(endpoint: &str) -> Vec<(&'static str, Means, Fault)> {
    let mut faults = vec![
        ("unheard", Means::Broken, Fault::Unheard),
        ("cut at once", Means::Broken, Fault::Cut(0)),
        ("empty 502 behind it", Means::Broken, Fault::Behind(Canned::empty(502))),
        ("HTML 503", Means::Broken, Fault::Instead(Canned::html(503))),
        (
            "message 504 behind it",
            Means::Broken,
            Fault::Behind(Canned::message(504, "Endpoint request timed out")),
        ),
        ("text 429", Means::Broken, Fault::Instead(Canned::text(429, "slow down"))),
        ("HTML 200", Means::Nonsense, Fault::Instead(Canned::html(200))),
        ("HTML 200 behind it", Means::Nonsense, Fault::Behind(Canned::html(200))),
        ("JSON list", Means::Nonsense, Fault::Instead(Canned::json(200, &json!([])))),
        ("text 400", Means::Refused, Fault::Instead(Canned::text(400, "Bad Request"))),
        ("HTML 403", Means::Refused, Fault::Instead(Canned::html(403))),
    ];
    // The answer to a removal is a few bytes, and has no body.
    if endpoint != UNREGISTER {
        faults.push(("endless", Means::Nonsense, Fault::Endless));
        faults.push(("cut in the head", Means::Broken, Fault::Cut(20)));
    }
    // `{}` is the answer to a delivery, and a removal has none.
    if ![DELIVER, UNREGISTER].contains(&endpoint) {
        faults.push(("cut in the body", Means::Broken, Fault::Cut(200)));
        faults.push(("empty JSON", Means::Nonsense, Fault::Instead(Canned::json(200, &json!({})))));
    }
    // What carries no proof may be asked twice, and what is removed is removed.
    if ![DISCOVERY, INFO, UNREGISTER].contains(&endpoint) {
        faults.push(("twice", Means::Refused, Fault::Twice));
    }
    faults
}

/// Every fault of every endpoint, one at a time; gives what the step said, and checks it.
fn assert_told<T>(step: Result<T, AgentError>, endpoint: &str, name: &str, means: Means, world: &World) {
    let Err(error) = step else { panic!("{endpoint}, {name}: nothing was told") };
    assert_eq!((error.code(), error.kind()), means.code(endpoint), "{endpoint}, {name}");
    assert!(!error.text_ja().is_empty() && !error.text_en().is_empty());
    assert_eq!(world.service().faults().left(), 0, "{endpoint}, {name}: was not met");
}

/// One step as an app does it; a delivery that failed is its error.
async fn sign(phone: &Phone) -> Result<(), AgentError> {
    phone.deliver_pending().await?;
    let waiting = phone.inbox(NO_WAIT).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    let batch = phone.prepare(waiting).await?;
    for approved in phone.approve(batch).await? {
        if let Delivery::Pending(error) | Delivery::Refused(error) = approved.delivery {
            return Err(error);
        }
    }
    Ok(())
}

async fn undelivered(phone: &Phone) -> usize {
    match phone.status().await.unwrap() {
        Status::Registered { undelivered, .. } => undelivered,
        other => panic!("not registered: {other:?}"),
    }
}

async fn assert_record(phone: &Phone) {
    verify_export(&phone.export_journal().await.unwrap()).unwrap();
}

#[tokio::test]
async fn registering_through_any_fault_says_what_to_do_and_the_same_ticket_registers_once() {
    let world = World::new().await;
    for endpoint in [DISCOVERY, INFO, REGISTER, TOKEN, CREDENTIAL] {
        for (name, means, fault) in faults_of(endpoint) {
            let (mut phone, ticket) = (world.phone(), world.letter());
            let seen = world.wire().0.len();
            world.service().faults().next(1, endpoint, fault);
            assert_told(phone.use_ticket(&ticket).await, endpoint, name, means, &world);
            phone.restart().await.unwrap();
            let candidate = match phone.candidate().await.unwrap() {
                Some(candidate) => candidate,
                None => phone.use_ticket(&ticket).await.unwrap(),
            };
            phone.confirm(candidate).await.unwrap();
            let clients: BTreeSet<_> = world
                .wire()
                .after(seen)
                .of(REGISTER)
                .filter_map(|exchange| Some(json(&exchange.answer)["client_id"].as_str()?.to_owned()))
                .collect();
            assert_eq!((clients.len(), phone.secrets.keys()), (1, 2), "{endpoint}, {name}");
            assert_record(&phone).await;
        }
    }
}

#[tokio::test]
async fn signing_through_any_fault_says_what_to_do_and_ends_with_one_signature_and_one_file_each() {
    let world = World::new().await;
    let mut phone = world.bound_phone().await;
    let mut requests = Vec::new();
    for endpoint in [DISCOVERY, INFO, TOKEN, INBOX, CREDENTIAL, SIGN, DELIVER] {
        for (name, means, fault) in faults_of(endpoint) {
            let request = world.submit(&sample::csv(1));
            phone.restart().await.unwrap();
            world.service().faults().next(1, endpoint, fault);
            assert_told(sign(&phone).await, endpoint, name, means, &world);
            assert_eq!(undelivered(&phone).await, usize::from(endpoint == DELIVER), "{endpoint}, {name}");
            sign(&phone).await.unwrap();
            world.assert_signed(&request, &sample::csv(1));
            assert_eq!(undelivered(&phone).await, 0);
            requests.push(request);
        }
    }
    assert_record(&phone).await;
    let again = world.ledger().assert_each_signed_once(&requests);
    println!(
        "{} prescriptions; {again} were signed again, to the same value, as the answer was lost",
        requests.len()
    );
}

#[tokio::test]
async fn unregistering_through_any_fault_loses_nothing_until_the_service_has_said_yes() {
    let world = World::new().await;
    for endpoint in [DISCOVERY, INFO, UNREGISTER] {
        for (name, means, fault) in faults_of(endpoint) {
            let mut phone = world.bound_phone().await;
            phone.restart().await.unwrap();
            world.service().faults().next(1, endpoint, fault);
            assert_told(phone.unregister().await, endpoint, name, means, &world);
            assert_eq!(phone.secrets.keys(), 2, "{endpoint}, {name}");
            phone.unregister().await.unwrap();
            assert_eq!(phone.secrets.names(), ["journal-anchor", "state-key"], "{endpoint}, {name}");
            assert_record(&phone).await;
        }
    }
}

#[tokio::test]
async fn a_token_endpoint_that_fails_an_approval_signs_nothing() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    for (name, means, fault) in faults_of(TOKEN) {
        let batch = phone.prepare(phone.inbox(NO_WAIT).await.unwrap()).await.unwrap();
        world.service().faults().next(1, TOKEN, fault);
        assert_told(phone.approve(batch).await, TOKEN, name, means, &world);
    }
    // The answer to another request: a token that grants something else.
    let batch = phone.prepare(phone.inbox(NO_WAIT).await.unwrap()).await.unwrap();
    let other =
        json!({"access_token": "x", "token_type": "DPoP", "expires_in": 300, "authorization_details": []});
    world.service().faults().next(1, TOKEN, Fault::Behind(Canned::json(200, &other)));
    assert_eq!(code(phone.approve(batch).await), Code::ServiceMisbehaved);
    assert_eq!((world.signatures_made(), world.wire().of(SIGN).count()), (0, 0));
    sign(&phone).await.unwrap();
    world.assert_signed(&request, &sample::csv(1));
}

#[tokio::test]
async fn signatures_in_another_order_are_used_and_wrong_foreign_missing_or_surplus_ones_are_thrown_away() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let requests = [world.submit(&sample::csv(1)), world.submit(&sample::envelope(2))];
    for (spoilt, expected) in [
        (Spoilt::Wrong, Code::SignatureWrong),
        (Spoilt::Foreign, Code::SignatureWrong),
        (Spoilt::Missing, Code::ServiceMisbehaved),
        (Spoilt::Surplus, Code::ServiceMisbehaved),
    ] {
        world.service().faults().next(1, SIGN, Fault::Signatures(spoilt));
        let error = refused(sign(&phone).await);
        assert_eq!((error.code(), error.kind()), (expected, Kind::AskOffice), "{spoilt:?}");
        assert_eq!(undelivered(&phone).await, 0, "{spoilt:?}");
        assert!(requests.iter().all(|request| world.state_of(request) == State::Waiting), "{spoilt:?}");
    }
    world.service().faults().next(1, SIGN, Fault::Signatures(Spoilt::Reversed));
    sign(&phone).await.unwrap();
    world.assert_signed(&requests[0], &sample::csv(1));
    world.assert_signed(&requests[1], &sample::csv(2));
    assert_eq!(world.ledger().assert_each_signed_once(&requests), 8, "the same bytes each time");

    // The answer to the batch before
    let batch = [world.submit(&sample::csv(3)), world.submit(&sample::csv(4))];
    world.service().faults().next(1, SIGN, Fault::Again);
    sign(&phone).await.unwrap();
    world.submit(&sample::csv(5));
    world.submit(&sample::csv(6));
    assert_eq!(code(sign(&phone).await), Code::SignatureWrong);
    sign(&phone).await.unwrap();
    world.assert_signed(&batch[0], &sample::csv(3));
    assert_record(&phone).await;
}

#[tokio::test]
async fn an_old_reading_of_the_inbox_signs_nothing_twice() {
    let world = World::new().await;
    let mut phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    for restarted in [false, true] {
        world.service().faults().next(1, INBOX, Fault::Again);
        sign(&phone).await.unwrap();
        if restarted {
            phone.restart().await.unwrap();
        }
        // A cache gives the list of before once more.
        let _ = sign(&phone).await;
        assert_eq!(undelivered(&phone).await, 0);
        world.assert_signed(&request, &sample::csv(1));
        world.submit(&sample::csv(2));
    }
    assert_record(&phone).await;
}

#[tokio::test]
async fn slow_lines_absent_members_and_every_version_of_csc_change_nothing() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let faults = world.service().faults();
    let sign_one = async |what: &str| {
        let request = world.submit(&sample::csv(1));
        sign(&phone).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        world.assert_signed(&request, &sample::csv(1));
        assert_eq!(undelivered(&phone).await, 0, "{what}");
    };
    faults.next(20, "*", Fault::Delay(StdDuration::from_millis(100)));
    sign_one("delayed").await;
    faults.clear();
    faults.next(20, "*", Fault::Slow { piece: 700, pause: StdDuration::from_millis(5) });
    sign_one("slow").await;
    faults.clear();
    faults.next(20, "*", Fault::Nulls);
    sign_one("nulls").await;
    faults.clear();
    for later in [None, Some(0), Some(2)] {
        faults.sign_later(later);
        sign_one("later").await;
    }
    // The signatures wait to be asked for, whatever happens to a question.
    faults.sign_later(Some(1));
    for fault in
        [Fault::Unheard, Fault::Cut(0), Fault::Instead(Canned::html(502)), Fault::Instead(Canned::empty(429))]
    {
        faults.next(1, POLL, fault);
        sign_one("asked again").await;
    }
    faults.sign_later(None);
    for version in [CscVersion::V2_0, CscVersion::V2_1, CscVersion::V2_2] {
        faults.speak(version);
        let phone = world.bound_phone().await;
        for later in [None, Some(1)] {
            faults.sign_later(later);
            let request = world.submit(&sample::csv(1));
            sign(&phone).await.unwrap();
            world.assert_signed(&request, &sample::csv(1));
        }
        faults.sign_later(None);
    }
}

#[tokio::test]
async fn asynchronous_signatures_that_are_wrong_or_never_asked_for_are_made_again_over_the_same_bytes() {
    let world = World::new().await;
    let mut phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    let faults = world.service().faults();
    faults.sign_later(Some(1));
    faults.next(1, POLL, Fault::Behind(Canned::text(400, "Invalid requestID")));
    assert_eq!(code(sign(&phone).await), Code::SignatureRefused);
    faults.next(2, POLL, Fault::Signatures(Spoilt::Wrong));
    assert_eq!(code(sign(&phone).await), Code::SignatureWrong);
    phone.restart().await.unwrap();
    sign(&phone).await.unwrap();
    world.assert_signed(&request, &sample::csv(1));
    assert_eq!(world.ledger().assert_each_signed_once([&request]), 2);
}

#[tokio::test]
async fn a_service_whose_clock_is_wrong_is_followed_and_the_doctor_is_warned() {
    let world = World::new().await;
    let mut phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    world.office().clock().shift(time::Duration::hours(3));
    phone.restart().await.unwrap();
    sign(&phone).await.unwrap();
    let signed_at = world.judge(&world.collected(&request)).signatures[0].signed_at.unwrap();
    assert!((signed_at - world.office().clock().now()).abs() < time::Duration::minutes(2), "{signed_at}");
    assert!(matches!(phone.warnings().await[..], [Warning::ClockWrong { minutes: 178..=181 }]));
    assert_eq!(code(world.phone().use_ticket(&world.letter()).await), Code::ClockWrong);

    // One `Date` alone is wrong: what is proven with that time is refused, and the next answer sets it right.
    let request = world.submit(&sample::csv(1));
    world.service().faults().next(1, INBOX, Fault::Date(3600));
    let _ = sign(&phone).await;
    sign(&phone).await.unwrap();
    assert!(matches!(world.state_of(&request), State::Signed(_)));
    // A few seconds back and forth are what a second's resolution and a slow answer make: the session stays.
    let before = world.wire().of(DISCOVERY).count();
    for seconds in [-4, 3, -2] {
        world.service().faults().next(1, INBOX, Fault::Date(seconds));
        phone.inbox(NO_WAIT).await.unwrap();
    }
    phone.inbox(NO_WAIT).await.unwrap();
    assert_eq!(world.wire().of(DISCOVERY).count(), before);
}

#[tokio::test]
async fn an_expired_or_foreign_tls_certificate_stops_every_step_before_anything_is_sent() {
    let world = World::new().await;
    let mut phone = world.bound_phone().await;
    let request = world.submit(&sample::csv(1));
    for certificate in [ServedCertificate::Expired, ServedCertificate::OtherHost] {
        world.service().present(certificate).unwrap();
        phone.restart().await.unwrap();
        let (new, ticket) = (world.phone(), world.letter());
        let seen = world.wire().0.len();
        for told in [
            phone.inbox(NO_WAIT).await.map(drop),
            sign(&phone).await,
            phone.unregister().await,
            new.use_ticket(&ticket).await.map(drop),
        ] {
            let error = refused(told);
            assert_eq!((error.code(), error.kind()), (Code::ServiceNotTrusted, Kind::Refuse));
        }
        assert_eq!(world.wire().after(seen).lines(), [""; 0]);
        assert_eq!((phone.secrets.keys(), new.secrets.keys()), (2, 0));
        world.service().present(ServedCertificate::Good).unwrap();
        new.use_ticket(&ticket).await.unwrap();
        phone = world.bound_phone().await;
    }
    sign(&phone).await.unwrap();
    world.assert_signed(&request, &sample::csv(1));
}

#[tokio::test]
async fn a_service_that_falls_silent_is_given_up_and_nothing_is_lost() {
    let world = World::new().await;
    let (phone, ticket) = (world.phone(), world.letter());
    let began = Instant::now();
    world.service().faults().next(1, REGISTER, Fault::Silent);
    let error = refused(phone.use_ticket(&ticket).await);
    assert_eq!((error.code(), error.kind()), (Code::ServiceUnavailable, Kind::Retry));
    let waited = began.elapsed();
    assert!(waited >= StdDuration::from_secs(29) && waited < StdDuration::from_secs(60), "{waited:?}");
    phone.confirm(phone.use_ticket(&ticket).await.unwrap()).await.unwrap();
    let clients = world.wire();
    let clients: BTreeSet<_> =
        clients.of(REGISTER).map(|e| json(&e.answer)["client_id"].to_string()).collect();
    assert_eq!(clients.len(), 1);
}
