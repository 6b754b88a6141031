//! The provider in its process, and the office that issues tickets for it.

use std::{
    env,
    ffi::OsString,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        mpsc::{self, Receiver},
    },
    thread,
    time::Duration as StdDuration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use hpki_agent::{
    device::{KeyAlias, KeyRole, NewKey},
    jose::{UnsignedJws, base64url},
    trust::{TrustConfiguration, TrustedService},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reference_service::{Authority, Clock, HolderSpec};
use serde_json::{Value, json};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

use crate::Phone;

/// Names the folder with `provider.mjs` and its installed packages.
const PROVIDER: &str = "HPKI_AGENT_OIDC_PROVIDER";
/// Names a Node.js of at least version 22.
const NODE: &str = "HPKI_AGENT_NODE";

/// How long a line of the provider's log may be under way.
const UNDER_WAY: StdDuration = StdDuration::from_secs(10);

/// A provider at work, and its office.
pub struct World {
    process: Child,
    log: Receiver<Value>,
    issuer: String,
    trust: String,
    /// The credential behind the provider.
    pub credential: String,
    office: Phone,
    _folder: TempDir,
}

impl World {
    /// Starts one, which nobody has asked for anything.
    ///
    /// # Panics
    /// When it does not start: `tests/run oauth` installs what it needs.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (tls, root_pem) = tls();
        let office = Phone::new();
        let ticket_key = office.make_ticket_key().await.public_key.to_jwk();
        let certificates = tokio::task::spawn_blocking(certificates).await.unwrap();
        let config = folder.path().join("config.json");
        let text = json!({
            "tls": tls,
            "ticketKey": ticket_key,
            "credentialID": certificates.credential,
            "certificates": certificates.chain.iter().map(|der| STANDARD.encode(der)).collect::<Vec<_>>(),
        });
        std::fs::write(&config, text.to_string()).unwrap();

        let mut process = Command::new(setting(NODE))
            .arg(std::path::Path::new(&setting(PROVIDER)).join("provider.mjs"))
            .arg(&config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = lines.next().expect("the provider says where it is").unwrap();
        let first: Value = serde_json::from_str(&first).unwrap();
        let issuer = first["issuer"].as_str().unwrap().to_owned();
        let (sender, log) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                println!("provider: {line}");
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });

        let mut ticket_key = ticket_key;
        ticket_key["kid"] = json!("office");
        let trust = json!({"services": [{
            "issuer": issuer,
            "display_name": {"ja": "検証用", "en": "test"},
            "ticket_keys": {"keys": [ticket_key]},
            "tls": {"roots": [root_pem]},
            "hpki_roots": [STANDARD.encode(&certificates.root)],
            "prescriber_roles": ["Medical Doctor"],
        }]});
        let credential = certificates.credential.clone();
        Self { process, log, issuer, trust: trust.to_string(), credential, office, _folder: folder }
    }

    /// The trust configuration of an app for this provider.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn trust(&self) -> TrustConfiguration {
        TrustConfiguration::from_json(self.trust.as_bytes()).unwrap()
    }

    /// The provider in it.
    ///
    /// # Panics
    /// When it is not there.
    pub fn service(&self) -> TrustedService {
        self.trust().service(&self.issuer).unwrap().clone()
    }

    /// Text of the QR of a new ticket, which needs no code and lives so long.
    pub async fn ticket(&self, lifetime: Duration) -> String {
        self.ticket_by(&self.office, lifetime).await
    }

    /// As [`World::ticket`], signed by whoever has made a ticket key.
    ///
    /// # Panics
    /// When the key does not sign.
    pub async fn ticket_by(&self, office: &Phone, lifetime: Duration) -> String {
        let jti = base64url(KeyPair::generate().unwrap().public_key_raw().get(1..17).unwrap());
        let expires = (OffsetDateTime::now_utc() + lifetime).unix_timestamp();
        let claims = json!({"iss": self.issuer, "jti": jti, "exp": expires, "route": "card", "code": false});
        let ticket = UnsignedJws::new(&json!({"typ": "ticket+jwt", "kid": "office"}), &claims);
        let signature =
            office.device().keys.sign(&ticket_alias(), ticket.signing_input(), None).await.unwrap();
        format!("{}/r#{}", self.issuer, ticket.finish(&signature).as_str())
    }

    /// The status with which the provider answered the next request of this method that it takes note of.
    ///
    /// # Panics
    /// When there is none.
    pub fn answered(&self, method: &str) -> u64 {
        loop {
            let line = self.log.recv_timeout(UNDER_WAY).expect("the provider answers such a request");
            if line["method"] == method {
                return line["status"].as_u64().unwrap();
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

impl Phone {
    /// A key that signs tickets; genuine ones when the phone is the office's.
    ///
    /// # Panics
    /// When the vault fails.
    pub async fn make_ticket_key(&self) -> NewKey {
        self.device().keys.create(&ticket_alias(), [0; 32]).await.unwrap()
    }
}

fn ticket_alias() -> KeyAlias {
    KeyAlias { binding: "f".repeat(32), role: KeyRole::Device }
}

/// A doctor's certificate, as a genuine service would hold it.
struct Certificates {
    credential: String,
    chain: Vec<Vec<u8>>,
    root: Vec<u8>,
}

/// Making RSA keys takes a second, so it is done once.
fn certificates() -> &'static Certificates {
    static CERTIFICATES: OnceLock<Certificates> = OnceLock::new();
    CERTIFICATES.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::open(folder.path(), Clock::default()).unwrap();
        let holder = HolderSpec::new("検証　太郎", "TARO KENSHO", "Medical Doctor");
        let credential = authority.issue(&holder).unwrap();
        let chain = authority.certificates(&credential).unwrap();
        Certificates { credential, chain, root: authority.root_der().to_vec() }
    })
}

/// Key and certificate for loopback, and the root above it, all PEM.
fn tls() -> (Value, String) {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &root).unwrap();
    (json!({"key": key.serialize_pem(), "cert": certificate.pem()}), root.pem())
}

fn setting(name: &str) -> OsString {
    env::var_os(name).unwrap_or_else(|| panic!("{name} is not set: run `tests/run oauth`"))
}
