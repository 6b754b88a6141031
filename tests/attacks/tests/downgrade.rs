//! Attempts to have the phone make do with less: weaker control over the key, weaker algorithms, no TLS or an old one.

use std::{net::SocketAddr, sync::Arc};

use attacks::{
    files::{DOCTOR, DOCTOR_512, DOCTOR_1024, DOCTOR_MD5, DOCTOR_SHA1, base64},
    tickets::Office,
};
use end_to_end::{NO_WAIT, Phone, World, code, refused, sample};
use hpki_agent::{
    agent::{Code, Kind, Status},
    trust::TrustConfiguration,
};
use reference_service::{Canned, Fault, Rewrite};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Mutex,
};

const CREDENTIAL: &str = "POST /csc/v2/credentials/info";

fn rewritten(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Fault {
    Fault::Rewritten(Rewrite::new(move |_, answer| change(answer)))
}

/// A credential so changed binds no phone, and stops one that is bound.
async fn credential_is_refused(expected: Code, change: impl Fn(&mut Value) + Send + Sync + Clone + 'static) {
    let world = World::new().await;
    let bound = world.bound_phone().await;
    world.submit(&sample::csv(1));
    world.service().faults().next(u32::MAX, CREDENTIAL, rewritten(change));
    let waiting = bound.inbox(NO_WAIT).await.unwrap();
    assert_eq!(code(bound.prepare(waiting).await), expected);
    let phone = world.phone();
    assert_eq!(code(phone.use_ticket(&world.card()).await), expected);
    let status = phone.status().await.unwrap();
    // An answer that makes no sense may make sense tomorrow; until then the phone is bound to nothing.
    let may_wait = expected == Code::ServiceMisbehaved && status == Status::AwaitingConfirmation;
    assert!(may_wait || (status == Status::Unregistered && phone.secrets.keys() == 0), "{status:?}");
    assert_eq!(world.signatures_made(), 0);
}

#[tokio::test]
async fn a_credential_of_scal_1_is_refused_at_registration_and_at_every_batch() {
    for scal in [json!("1"), json!(1), json!("0"), json!("3"), json!(-2), Value::Null, json!([2])] {
        credential_is_refused(Code::SoleControlMissing, move |answer| answer["SCAL"] = scal.clone()).await;
    }
}

#[tokio::test]
async fn a_credential_in_explicit_mode_is_refused_and_no_pin_is_ever_asked_for() {
    for mode in [
        json!("explicit"),
        json!("implicit"),
        json!("oauth2"),
        Value::Null,
        json!(["oauth2code", "explicit"]),
    ] {
        credential_is_refused(Code::SoleControlMissing, move |answer| answer["auth"]["mode"] = mode.clone())
            .await;
    }
    let pin =
        json!({"mode": "explicit", "expression": "PIN", "objects": [{"type": "Password", "id": "PIN"}]});
    credential_is_refused(Code::SoleControlMissing, move |answer| answer["auth"] = pin.clone()).await;
}

#[tokio::test]
async fn a_credential_that_signs_with_sha_1_md5_or_unknown_algorithms_alone_is_refused() {
    for algorithms in [
        json!(["1.2.840.113549.1.1.5"]),
        json!(["1.2.840.113549.1.1.4", "1.2.840.113549.1.1.2"]),
        json!(["1.2.840.10045.4.1", "1.2.840.10040.4.3"]),
        json!(["1.3.101.112", "rsaEncryption"]),
        json!([]),
    ] {
        credential_is_refused(Code::ServiceMisbehaved, move |answer| {
            answer["key"]["algo"] = algorithms.clone();
        })
        .await;
    }
}

#[tokio::test]
async fn a_certificate_with_a_weak_key_or_signature_binds_no_phone_though_the_app_trusts_its_root() {
    let world = World::new().await;
    let mut trust = world.trust();
    trust["services"][0]["hpki_roots"] = json!([base64(include_bytes!("../fixtures/root.der"))]);
    let chain = |leaf: &[u8]| json!([base64(leaf), base64(include_bytes!("../fixtures/ca.der"))]);
    for (signer, expected) in [
        (DOCTOR_512, Some(Code::CertificateInvalid)),
        (DOCTOR_1024, Some(Code::CertificateInvalid)),
        (DOCTOR_SHA1, Some(Code::CertificateInvalid)),
        (DOCTOR_MD5, Some(Code::CertificateInvalid)),
        (DOCTOR, None),
    ] {
        let chain = chain(signer.certificate);
        let phone = Phone::trusting(&trust.to_string());
        let exchanged = rewritten(move |answer| answer["cert"]["certificates"] = chain.clone());
        world.service().faults().next(1, CREDENTIAL, exchanged);
        assert_eq!(phone.use_ticket(&world.card()).await.err().map(|error| error.code()), expected);
    }
}

#[tokio::test]
async fn a_token_that_any_thief_could_use_is_refused() {
    let world = World::new().await;
    let mut phone = world.bound_phone().await;
    for kind in [json!("Bearer"), json!("mac"), Value::Null] {
        let bearer = rewritten(move |answer| answer["token_type"] = kind.clone());
        world.service().faults().next(1, "POST /token", bearer);
        phone.restart().await.unwrap();
        assert_eq!(code(phone.inbox(NO_WAIT).await), Code::ServiceMisbehaved);
    }
    assert_eq!(world.wire().of("GET /prescriptions").count(), 0, "it was not used");
}

#[tokio::test]
async fn a_service_of_another_version_or_with_weaker_authentication_is_refused_before_any_key_is_used() {
    for (endpoint, member, value) in [
        ("POST /csc/v2/info", "specs", json!("1.0.4.0")),
        ("POST /csc/v2/info", "specs", json!("0.1.7.9")),
        (
            "GET /.well-known/oauth-authorization-server",
            "token_endpoint_auth_methods_supported",
            json!(["client_secret_basic", "none"]),
        ),
        (
            "GET /.well-known/oauth-authorization-server",
            "token_endpoint_auth_signing_alg_values_supported",
            json!(["HS256", "none"]),
        ),
        (
            "GET /.well-known/oauth-authorization-server",
            "dpop_signing_alg_values_supported",
            json!(["RS256"]),
        ),
    ] {
        let world = World::new().await;
        world.service().faults().next(1, endpoint, rewritten(move |answer| answer[member] = value.clone()));
        let phone = world.phone();
        assert_eq!(code(phone.use_ticket(&world.card()).await), Code::ServiceMisbehaved, "{member}");
        assert_eq!(phone.secrets.keys(), 0);
        assert!(world.wire().0.iter().all(|exchange| end_to_end::header(exchange, "dpop").is_none()));
    }
}

/// Somebody who listens without TLS and remembers what arrives.
async fn eavesdropper(answer: &'static [u8]) -> (SocketAddr, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let notes = heard.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let read = stream.read(&mut buffer).await.unwrap_or_default();
            notes.lock().await.extend_from_slice(&buffer[..read]);
            let _ = stream.write_all(answer).await;
            while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                notes.lock().await.extend_from_slice(&buffer[..read]);
            }
        }
    });
    (address, heard)
}

#[tokio::test]
async fn nothing_is_ever_sent_over_plain_http() {
    let (listener, heard) = eavesdropper(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    let plain = format!("http://{listener}");
    let world = World::new().await;

    // Not by the app's own configuration, nor by a QR
    let mut trust = world.trust();
    trust["services"][0]["issuer"] = json!(plain);
    assert!(TrustConfiguration::from_json(trust.to_string().as_bytes()).is_err());
    let ticket = world.card();
    let downgraded = ticket.qr_text.replacen(world.service().issuer(), &plain, 1);
    assert_eq!(code(world.phone().register(&downgraded, None).await), Code::NotATicket);

    // Not by what the service says of itself
    for endpoint in ["registration_endpoint", "token_endpoint", "prescriptions_endpoint", "csc_endpoint"] {
        let address = format!("{plain}/x");
        let changed = rewritten(move |answer| answer[endpoint] = json!(address));
        world.service().faults().next(1, "GET /.well-known/oauth-authorization-server", changed);
        assert_eq!(code(world.phone().use_ticket(&ticket).await), Code::ServiceMisbehaved, "{endpoint}");
    }
    let address = format!("{plain}/register/1");
    let changed = rewritten(move |answer| answer["registration_client_uri"] = json!(address));
    world.service().faults().next(1, "POST /register", changed);
    assert_eq!(code(world.phone().use_ticket(&ticket).await), Code::ServiceMisbehaved);

    // Not by a redirect, at any step
    let phone = world.bound_phone().await;
    world.submit(&sample::csv(1));
    for status in [301, 302, 303, 307, 308] {
        let redirect = Canned::empty(status).with_header("location", &format!("{plain}/stolen"));
        world.service().faults().next(1, "*", Fault::Instead(redirect.clone()));
        let error = refused(phone.inbox(NO_WAIT).await);
        assert!(matches!(error.kind(), Kind::AskOffice | Kind::Retry), "{error}");
        let batch = phone.prepare(phone.inbox(NO_WAIT).await.unwrap()).await.unwrap();
        world.service().faults().next(1, "*", Fault::Instead(redirect));
        assert!(phone.approve(batch).await.is_err());
    }

    // Not by the inbox
    let address = format!("{plain}/document");
    let changed = rewritten(move |answer| {
        for member in ["href", "responseURI"] {
            answer["requests"][0]["signatureRequests"][0][member] = json!(address);
        }
    });
    world.service().faults().next(1, "GET /prescriptions", changed);
    assert!(phone.inbox(NO_WAIT).await.unwrap().iter().all(|one| one.prescription().is_err()));
    assert!(heard.lock().await.is_empty(), "somebody was spoken to without TLS");
    assert_eq!(world.signatures_made(), 0);
}

/// A ServerHello that chooses TLS 1.`minor - 1` with a suite of that time.
fn server_hello(minor: u8) -> Vec<u8> {
    let mut hello = vec![22, 3, minor, 0, 42, 2, 0, 0, 38, 3, minor];
    hello.extend([7; 32]);
    hello.extend([0, 0xC0, 0x13, 0]);
    hello
}

#[tokio::test]
async fn a_service_that_speaks_tls_1_1_or_older_learns_nothing() {
    for minor in [0, 1, 2] {
        let (address, heard) = eavesdropper(server_hello(minor).leak()).await;
        let office = Office::new(&format!("https://{address}"), "k");
        let world = World::new().await;
        let trust = json!({"services": [office.trusted(&world.trust()["services"][0])]});
        let phone = Phone::trusting(&trust.to_string());
        let error = refused(phone.register(&office.ticket(), None).await);
        assert_eq!((error.code(), error.kind()), (Code::ServiceNotTrusted, Kind::Refuse), "SSL 3.{minor}");
        assert_eq!(phone.secrets.keys(), 0);

        let heard = heard.lock().await.clone();
        let first = 5 + usize::from(u16::from_be_bytes([heard[3], heard[4]]));
        let (hello, rest) = heard.split_at(first);
        assert_eq!(hello[0], 22, "a ClientHello");
        let versions = [0x00, 0x2b, 0x00, 0x05, 0x04, 0x03, 0x04, 0x03, 0x03];
        assert!(
            hello.windows(9).any(|window| window == versions),
            "TLS 1.3 and 1.2 are offered, nothing else"
        );
        assert!(rest.is_empty() || rest[0] == 21, "an alert at most, no data");
    }
}
