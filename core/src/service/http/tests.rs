//! [`HttpsTransport`] against real TLS on loopback.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PublicKeyData, date_time_ymd,
};
use ring::digest;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Mutex,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::*;
use crate::trust::TlsTrust;

/// A root with one server certificate below it.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self { issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    fn der(&self) -> Vec<u8> {
        self.issuer.der().to_vec()
    }

    fn pin(&self) -> [u8; 32] {
        pin(self.issuer.key())
    }

    fn trusted(&self, spki_pins: Vec<[u8; 32]>) -> TlsTrust {
        TlsTrust { roots: Some(vec![self.der()]), spki_pins }
    }

    fn server(&self, host: &str) -> ServerIdentity {
        self.issue(&CertificateParams::new(vec![host.to_owned()]).unwrap())
    }

    fn issue(&self, params: &CertificateParams) -> ServerIdentity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        ServerIdentity { chain: vec![certificate.der().clone()], key }
    }
}

struct ServerIdentity {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

fn pin(key: &KeyPair) -> [u8; 32] {
    digest::digest(&digest::SHA256, &key.subject_public_key_info()).as_ref().try_into().unwrap()
}

/// What the server does after it has read a request.
#[derive(Clone, Copy)]
enum Behaviour {
    Says(&'static str),
    NeverEnds,
    FallsSilent,
    HangsUp,
}

struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    async fn start(identity: ServerIdentity, behaviour: Behaviour) -> Self {
        let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(identity.chain, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            requests: Arc::default(),
            connections: Arc::default(),
        };
        let (requests, connections) = (server.requests.clone(), server.connections.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (acceptor, requests) = (acceptor.clone(), requests.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, behaviour, &requests).await;
                    }
                });
            }
        });
        server
    }

    fn url(&self) -> Url {
        Url::parse(&format!("https://{}/path?query", self.address)).unwrap()
    }
}

async fn serve(mut stream: TlsStream<TcpStream>, behaviour: Behaviour, requests: &Mutex<Vec<String>>) {
    let mut buffer = vec![0; 4096];
    let mut request = String::new();
    while !request.contains("\r\n\r\n") || (request.starts_with("POST") && !request.ends_with("end")) {
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        if count == 0 {
            return;
        }
        request.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    requests.lock().await.push(request);
    match behaviour {
        Behaviour::Says(answer) => {
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        Behaviour::NeverEnds => {
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            let _ = stream.write_all(head.as_bytes()).await;
            let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
            while stream.write_all(chunk.as_bytes()).await.is_ok() {}
        }
        Behaviour::FallsSilent => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc").await;
            let _ = stream.flush().await;
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        Behaviour::HangsUp => {}
    }
}

fn request(method: Method, url: Url) -> HttpRequest {
    let body = if method == Method::Post { b"begin end".to_vec() } else { vec![] };
    HttpRequest {
        method,
        url,
        headers: vec![("authorization", Zeroizing::new("DPoP secret".into()))],
        body: Zeroizing::new(body),
        timeout: Duration::from_secs(5),
        max_body: 1000,
    }
}

async fn get(trust: &TlsTrust, server: &Server) -> Result<HttpResponse, TransportError> {
    HttpsTransport::new(trust).unwrap().send(request(Method::Get, server.url())).await
}

const HELLO: Behaviour =
    Behaviour::Says("HTTP/1.1 200 OK\r\nDPoP-Nonce: n-1\r\ncontent-length: 5\r\n\r\nhello");

#[tokio::test]
async fn a_request_arrives_whole_and_so_does_the_answer() {
    let authority = Authority::new("root");
    let server = Server::start(authority.server("127.0.0.1"), HELLO).await;
    let transport = HttpsTransport::new(&authority.trusted(vec![])).unwrap();
    let response = transport.send(request(Method::Post, server.url())).await.unwrap();
    assert_eq!((response.status, response.body.as_slice()), (200, b"hello".as_slice()));
    assert_eq!(response.header("dpop-nonce"), Some("n-1"));
    let received = server.requests.lock().await.remove(0);
    assert!(received.starts_with("POST /path?query HTTP/1.1\r\n"), "{received}");
    assert!(received.contains("authorization: DPoP secret\r\n"));
    assert!(received.contains(&format!("user-agent: {}\r\n", client::USER_AGENT)));
    assert!(received.ends_with("\r\n\r\nbegin end"));
}

#[tokio::test]
async fn a_certificate_from_an_untrusted_root_is_refused_before_the_request_is_sent() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let server = Server::start(theirs.server("127.0.0.1"), HELLO).await;
    assert_eq!(get(&ours.trusted(vec![]), &server).await.unwrap_err(), TransportError::TlsUntrusted);
    assert!(server.requests.lock().await.is_empty());
}

#[tokio::test]
async fn the_platforms_roots_do_not_know_a_private_root() {
    let server = Server::start(Authority::new("private").server("127.0.0.1"), HELLO).await;
    // A machine without any root installed cannot set this trust up at all.
    let trust = TlsTrust { roots: None, spki_pins: vec![] };
    let refused = match HttpsTransport::new(&trust) {
        Ok(transport) => transport.send(request(Method::Get, server.url())).await.unwrap_err(),
        Err(error) => error,
    };
    assert!(
        matches!(refused, TransportError::TlsUntrusted | TransportError::TlsConfiguration),
        "{refused:?}"
    );
}

#[tokio::test]
async fn another_hosts_certificate_is_refused_rfc_9525_6() {
    let authority = Authority::new("root");
    let server = Server::start(authority.server("other.example"), HELLO).await;
    assert_eq!(get(&authority.trusted(vec![]), &server).await.unwrap_err(), TransportError::TlsUntrusted);
}

#[tokio::test]
async fn a_certificate_out_of_time_is_named_so_that_the_clock_is_looked_at() {
    let authority = Authority::new("root");
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
    let server = Server::start(authority.issue(&params), HELLO).await;
    assert_eq!(get(&authority.trusted(vec![]), &server).await.unwrap_err(), TransportError::TlsNotValidNow);
}

#[tokio::test]
async fn a_pin_of_the_server_or_of_its_root_is_met() {
    let authority = Authority::new("root");
    let identity = authority.server("127.0.0.1");
    let (leaf, root) = (pin(&identity.key), authority.pin());
    let server = Server::start(identity, HELLO).await;
    for pins in [vec![leaf], vec![root], vec![[0; 32], root]] {
        assert!(get(&authority.trusted(pins), &server).await.is_ok());
    }
}

#[tokio::test]
async fn a_trusted_certificate_without_a_pinned_key_behind_it_is_refused() {
    let authority = Authority::new("root");
    let server = Server::start(authority.server("127.0.0.1"), HELLO).await;
    assert_eq!(get(&authority.trusted(vec![[7; 32]]), &server).await.unwrap_err(), TransportError::TlsPin);
    assert!(server.requests.lock().await.is_empty());
}

#[tokio::test]
async fn sending_a_pinned_certificate_along_does_not_meet_the_pin() {
    let (rogue, pinned) = (Authority::new("rogue"), Authority::new("pinned"));
    let mut identity = rogue.server("127.0.0.1");
    identity.chain.push(CertificateDer::from(pinned.der()));
    let server = Server::start(identity, HELLO).await;
    let both = TlsTrust { roots: Some(vec![rogue.der(), pinned.der()]), spki_pins: vec![pinned.pin()] };
    assert_eq!(get(&both, &server).await.unwrap_err(), TransportError::TlsPin);
}

#[tokio::test]
async fn an_endless_body_is_cut_at_the_limit() {
    let authority = Authority::new("root");
    let server = Server::start(authority.server("127.0.0.1"), Behaviour::NeverEnds).await;
    let refused = get(&authority.trusted(vec![]), &server).await.unwrap_err();
    assert_eq!(refused, TransportError::BodyTooLarge { limit: 1000 });
}

#[tokio::test]
async fn a_body_announced_over_the_limit_is_not_read() {
    let authority = Authority::new("root");
    let says = Behaviour::Says("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n");
    let server = Server::start(authority.server("127.0.0.1"), says).await;
    let refused = get(&authority.trusted(vec![]), &server).await.unwrap_err();
    assert_eq!(refused, TransportError::BodyTooLarge { limit: 1000 });
}

#[tokio::test]
async fn a_slow_body_ends_with_the_requests_time() {
    let authority = Authority::new("root");
    let server = Server::start(authority.server("127.0.0.1"), Behaviour::FallsSilent).await;
    let mut request = request(Method::Get, server.url());
    request.timeout = Duration::from_millis(300);
    let refused = HttpsTransport::new(&authority.trusted(vec![])).unwrap().send(request).await.unwrap_err();
    assert_eq!(refused, TransportError::Timeout);
}

#[tokio::test]
async fn a_connection_that_ends_early_is_an_interruption_and_the_request_is_not_sent_again() {
    let authority = Authority::new("root");
    let short = Behaviour::Says("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
    for behaviour in [short, Behaviour::HangsUp] {
        let server = Server::start(authority.server("127.0.0.1"), behaviour).await;
        let transport = HttpsTransport::new(&authority.trusted(vec![])).unwrap();
        let refused = transport.send(request(Method::Post, server.url())).await.unwrap_err();
        assert_eq!(refused, TransportError::Interrupted);
        assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let authority = Authority::new("root");
    let says = Behaviour::Says("HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n");
    let server = Server::start(authority.server("127.0.0.1"), says).await;
    assert_eq!(get(&authority.trusted(vec![]), &server).await.unwrap().status, 302);
    assert_eq!(server.requests.lock().await.len(), 1);
}

#[tokio::test]
async fn nothing_is_sent_without_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let transport = HttpsTransport::new(&Authority::new("root").trusted(vec![])).unwrap();
    assert_eq!(transport.send(request(Method::Get, url)).await.unwrap_err(), TransportError::NotHttps);
    assert!(tokio::time::timeout(Duration::from_millis(50), listener.accept()).await.is_err());
}

#[tokio::test]
async fn a_peer_that_does_not_speak_tls_is_named_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("https://{}/", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = stream.read(&mut [0; 1024]).await;
    });
    let transport = HttpsTransport::new(&Authority::new("root").trusted(vec![])).unwrap();
    assert_eq!(transport.send(request(Method::Get, url)).await.unwrap_err(), TransportError::TlsHandshake);
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_out_of_reach() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = Url::parse(&format!("https://{address}/")).unwrap();
    let transport = HttpsTransport::new(&Authority::new("root").trusted(vec![])).unwrap();
    assert_eq!(transport.send(request(Method::Get, url)).await.unwrap_err(), TransportError::Unreachable);
}

#[tokio::test]
async fn a_name_without_an_address_is_named_so_rfc_6761_6_4() {
    let url = Url::parse("https://nowhere.invalid/").unwrap();
    let transport = HttpsTransport::new(&Authority::new("root").trusted(vec![])).unwrap();
    assert_eq!(transport.send(request(Method::Get, url)).await.unwrap_err(), TransportError::Dns);
}

#[tokio::test]
async fn a_header_that_http_cannot_carry_is_refused_not_sent_rfc_9110_5_5() {
    let authority = Authority::new("root");
    let server = Server::start(authority.server("127.0.0.1"), HELLO).await;
    let transport = HttpsTransport::new(&authority.trusted(vec![])).unwrap();
    for (name, value) in [("authorization", "DPoP a\r\nx: y"), ("bad name", "x")] {
        let mut request = request(Method::Get, server.url());
        request.headers = vec![(name, Zeroizing::new(value.into()))];
        assert_eq!(transport.send(request).await.unwrap_err(), TransportError::Protocol);
    }
    assert!(server.requests.lock().await.is_empty());
}

#[test]
fn roots_that_cannot_be_used_are_refused_at_once() {
    for roots in [vec![], vec![b"not a certificate".to_vec()]] {
        let trust = TlsTrust { roots: Some(roots), spki_pins: vec![] };
        assert_eq!(HttpsTransport::new(&trust).err(), Some(TransportError::TlsConfiguration));
    }
}

#[test]
fn neither_request_nor_answer_prints_what_it_carries() {
    let url = Url::parse("https://sign.example/a?code=1").unwrap();
    assert_eq!(format!("{:?}", request(Method::Post, url)), "POST /a (9 bytes)");
    let body = Zeroizing::new(b"secret".to_vec());
    let response = HttpResponse { status: 200, headers: vec![("a".into(), "b".into())], body };
    assert_eq!(format!("{response:?}"), "200 (6 bytes)");
}
