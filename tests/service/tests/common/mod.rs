//! A service for one test, and a minimal phone written for these tests alone.

#![allow(dead_code, unused_imports, reason = "each test binary uses its own part")]

mod jose;
mod phone;
mod process;

pub(crate) use jose::{Jwt, Key, random_id, sha256};
pub(crate) use phone::{Phone, Registration, ResourceCall, TokenCall};
pub(crate) use process::{Process, serve};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use der::Decode;
use reference_service::{
    Authority, HolderSpec, IssuedTicket, Keys, Options, ReferenceService, Requester, Running, TicketSpec,
};
use rusqlite::Connection;
use serde_json::Value;
use std::time::Duration;
use tempfile::TempDir;

/// A service of its own for one test, with one doctor.
pub(crate) struct World {
    pub(crate) service: Running,
    pub(crate) credential: String,
    pub(crate) dir: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(&doctor()).await
    }

    pub(crate) async fn with(holder: &HolderSpec) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { keys: keys(), ..Options::new(dir.path()) };
        let service = ReferenceService::start(options).await.unwrap();
        let credential = service.authority().issue(holder).unwrap();
        Self { service, credential, dir }
    }

    pub(crate) fn office(&self) -> &Authority {
        self.service.authority()
    }

    pub(crate) fn letter(&self) -> IssuedTicket {
        self.office().ticket(&self.credential, TicketSpec::letter()).unwrap()
    }

    pub(crate) async fn phone(&self) -> Phone {
        Phone::new(&self.service).await
    }

    /// A phone that is bound by a fresh letter.
    pub(crate) async fn bound_phone(&self) -> Phone {
        let mut phone = self.phone().await;
        let answer = phone.register(&phone.registration(&self.letter())).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        phone.adopt(&answer);
        phone
    }

    /// Adds rows `A0000001`, `A0000002`, … as issuing makes them and of the same size, but all with the key and the
    /// certificate of the first: for what does not depend on their being different.
    pub(crate) fn add_credentials(&self, count: usize) -> Connection {
        let database = Connection::open(self.dir.path().join("service.sqlite")).unwrap();
        database.busy_timeout(Duration::from_secs(60)).unwrap();
        let rows = "WITH RECURSIVE ahead (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM ahead WHERE n < ?)
            INSERT INTO credentials SELECT printf('%032x', n), name_kanji, name_romaji, role, printf('A%07d', n),
                chain, certificate_serial, issued_by_signing_ca, key, key_enabled, scal, multisign, not_before,
                not_after, NULL
            FROM ahead, credentials";
        assert_eq!(database.execute(rows, [count]).unwrap(), count);
        database
    }

    pub(crate) fn submit(&self, document: &[u8]) -> String {
        let requester = Requester { name: "試験医院".into(), facility_code: "1319999999".into() };
        self.office().submit(&self.credential, &requester, document).unwrap()
    }
}

/// Module, label and PIN file of the token in which this run has its keys: `REFERENCE_SERVICE_PKCS11` names them, with
/// colons between.
#[cfg(feature = "pkcs11")]
fn token() -> Option<[String; 3]> {
    let text = std::env::var("REFERENCE_SERVICE_PKCS11").ok()?;
    let parts: Vec<_> = text.split(':').map(str::to_owned).collect();
    Some(parts.try_into().expect("MODULE:LABEL:PIN-FILE"))
}

#[cfg(not(feature = "pkcs11"))]
fn token() -> Option<[String; 3]> {
    None
}

/// Where the keys of this run rest.
pub(crate) fn keys() -> Keys {
    match token() {
        #[cfg(feature = "pkcs11")]
        Some([module, slot_label, pin_file]) => Keys::Token(reference_service::Token {
            module: module.into(),
            slot_label,
            pin_file: pin_file.into(),
        }),
        _ => Keys::Software,
    }
}

/// The same for a command.
pub(crate) fn key_arguments() -> Vec<String> {
    let options = ["--pkcs11-module", "--pkcs11-slot-label", "--pin-file"];
    let values = token().into_iter().flatten();
    options.into_iter().zip(values).flat_map(|(option, value)| [option.to_owned(), value]).collect()
}

pub(crate) fn doctor() -> HolderSpec {
    HolderSpec::new("手須戸 花子", "HANAKO TESUTO", "Medical Doctor")
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) challenge: String,
}

impl Answer {
    pub(crate) fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }

    /// Status, error code, and a part of the description, as a test's row names them.
    #[track_caller]
    pub(crate) fn expect_refusal(&self, row: &str, status: u16, error: &str, part: &str) {
        let found = (self.status, self.text("error"), self.text("error_description").contains(part));
        assert_eq!(found, (status, error, true), "{row}: {}", self.body);
    }
}

/// Whether `signature` is PKCS#1 v1.5 over the message whose hash was signed, by the certificate's key.
pub(crate) fn verifies(certificate: &str, message: &[u8], signature: &str) -> bool {
    let certificate = x509_cert::Certificate::from_der(&BASE64.decode(certificate).unwrap()).unwrap();
    let key = certificate.tbs_certificate.subject_public_key_info.subject_public_key;
    ring::signature::UnparsedPublicKey::new(&ring::signature::RSA_PKCS1_2048_8192_SHA256, key.raw_bytes())
        .verify(message, &BASE64.decode(signature).unwrap())
        .is_ok()
}
