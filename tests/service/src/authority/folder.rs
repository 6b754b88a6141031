//! The folder of state: made whole at the first opening, in one transaction, and read afterwards.
//!
//! `service.sqlite` holds everything; beside it lie copies for people and tools: `trust.json`, `root.der`, `ca.der`,
//! `tls-ca.pem`, `clinic.key`, `crl/*.crl`.

use super::{Authority, AuthorityError, Inner, random};
use crate::clock::Clock;
use crate::jose::SigningKey;
use crate::pki::{self, IssuedBy, certificate_pem};
use crate::signer::{Keys, Signer, SignerError};
use crate::store::{self, Store, credentials};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use rusqlite::Transaction;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Notify;

/// The issuer before a server was ever started, and where one listens when not told otherwise.
pub const DEFAULT_ISSUER: &str = "https://127.0.0.1:8443";

impl Authority {
    /// Opens the folder, making it and everything in it when it is new (takes a second then: two RSA keys).
    ///
    /// # Errors
    /// [`AuthorityError`] when it cannot be read or made.
    pub fn open(dir: &Path, clock: Clock) -> Result<Self, AuthorityError> {
        Self::open_with(dir, clock, &Keys::Software)
    }

    /// The same where the keys may rest in a token.
    ///
    /// # Errors
    /// [`AuthorityError`], also when the folder was made with keys that rest elsewhere.
    pub fn open_with(dir: &Path, clock: Clock, keys: &Keys) -> Result<Self, AuthorityError> {
        make_private_folder(dir).map_err(|source| AuthorityError::File { file: dir.into(), source })?;
        let store = Store::open(&dir.join("service.sqlite"))?;
        let signer = keys.signer()?;
        let kept = store.write(|tx| {
            if store::setting(tx, "issuer")?.is_none() {
                found(tx, signer.as_ref(), &clock)?;
            }
            let custody = store::setting(tx, "custody")?.unwrap_or_else(|| b"software".into());
            if custody != signer.custody().as_bytes() {
                return Err(SignerError::Elsewhere(signer.custody()).into());
            }
            Kept::read(tx)
        })?;
        let inner = Inner { dir: dir.to_owned(), store, clock, signer, kept, arrivals: Notify::new() };
        let authority = Self { inner: Arc::new(inner) };
        authority.write_copies()?;
        Ok(authority)
    }

    /// The URL under which the service was last started.
    ///
    /// # Errors
    /// [`AuthorityError::Database`].
    pub fn issuer(&self) -> Result<String, AuthorityError> {
        let issuer = self.store().write(|tx| needed(tx, "issuer"))?;
        Ok(String::from_utf8_lossy(&issuer).into_owned())
    }

    pub(crate) fn set_issuer(&self, issuer: &str) -> Result<(), AuthorityError> {
        self.store().write(|tx| store::set_setting(tx, "issuer", issuer.as_bytes()))?;
        self.write_copies()
    }

    /// The trust configuration that an app needs to work with this service.
    ///
    /// # Errors
    /// [`AuthorityError`] when the database fails.
    pub fn trust(&self) -> Result<Value, AuthorityError> {
        let public = self.ticket_key().public_key()?;
        let mut ticket_key = public.to_jwk();
        ticket_key["kid"] = json!(self.ticket_key_id()?);
        ticket_key["use"] = json!("sig");
        ticket_key["alg"] = json!("ES256");
        Ok(json!({"services": [{
            "issuer": self.issuer()?,
            "display_name": {"ja": crate::SERVICE_NAME_JA, "en": crate::SERVICE_NAME},
            "ticket_keys": {"keys": [ticket_key]},
            "tls": {"roots": [self.tls_ca_pem()], "spki_pins": []},
            "hpki_roots": [certificate_pem(self.root_der())],
            "prescriber_roles": ["Medical Doctor", "Dentist"],
        }]}))
    }

    /// Writes the CRLs of now to `crl/` and gives their paths.
    ///
    /// # Errors
    /// [`AuthorityError`].
    pub fn write_crls(&self) -> Result<Vec<PathBuf>, AuthorityError> {
        let folder = self.dir().join("crl");
        std::fs::create_dir_all(&folder)
            .map_err(|source| AuthorityError::File { file: folder.clone(), source })?;
        self.crls()?.into_iter().map(|crl| write_whole(&folder.join(crl.file_name), &crl.der)).collect()
    }

    fn write_copies(&self) -> Result<(), AuthorityError> {
        let trust = format!("{:#}\n", self.trust()?);
        let copies: [(&str, &[u8]); 5] = [
            ("trust.json", trust.as_bytes()),
            ("root.der", self.root_der()),
            ("ca.der", self.ca_der()),
            ("tls-ca.pem", self.tls_ca_pem().as_bytes()),
            ("clinic.key", self.clinic_key().as_bytes()),
        ];
        for (name, content) in copies {
            write_whole(&self.dir().join(name), content)?;
        }
        Ok(())
    }
}

/// What never changes in a folder.
pub(super) struct Kept {
    pub(super) ticket_key: SigningKey,
    pub(super) clinic_key: String,
    pub(super) root_der: Vec<u8>,
    pub(super) ca_der: Vec<u8>,
    pub(super) tls_ca_pem: String,
    pub(super) tls_key_pem: String,
}

impl Kept {
    fn read(tx: &Transaction<'_>) -> Result<Self, AuthorityError> {
        let text = |name| needed(tx, name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(Self {
            ticket_key: SigningKey::from_pkcs8(&needed(tx, "ticket_key")?)?,
            clinic_key: text("clinic_key")?,
            root_der: credentials::authority(tx, "root")?.certificate,
            ca_der: credentials::authority(tx, "sign")?.certificate,
            tls_ca_pem: text("tls_ca")?,
            tls_key_pem: text("tls_ca_key")?,
        })
    }
}

/// Keys lie in it: nobody else may look.
fn make_private_folder(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Writes beside and renames, so that a reader never sees half a file.
fn write_whole(file: &Path, content: &[u8]) -> Result<PathBuf, AuthorityError> {
    let beside = file.with_extension(format!("{}.tmp", std::process::id()));
    std::fs::write(&beside, content)
        .and_then(|()| std::fs::rename(&beside, file))
        .map_err(|source| AuthorityError::File { file: file.to_owned(), source })?;
    Ok(file.to_owned())
}

fn found(tx: &Transaction<'_>, signer: &dyn Signer, clock: &Clock) -> Result<(), AuthorityError> {
    store::set_setting(tx, "custody", signer.custody().as_bytes())?;
    let root = pki::root(signer, "hpki-agent test HPKI Root CA", clock.now())?;
    let sign = pki::intermediate(signer, &root, IssuedBy::SigningCa, clock.now())?;
    credentials::insert_authority(tx, "root", &root)?;
    credentials::insert_authority(tx, "sign", &sign)?;
    let tls = pki::tls::new_ca()?;
    store::set_setting(tx, "tls_ca", tls.certificate_pem.as_bytes())?;
    store::set_setting(tx, "tls_ca_key", tls.key_pem.as_bytes())?;
    store::set_setting(tx, "ticket_key", &SigningKey::generate()?)?;
    store::set_setting(tx, "clinic_key", BASE64URL.encode(random::<32>()).as_bytes())?;
    store::set_setting(tx, "issuer", DEFAULT_ISSUER.as_bytes())?;
    Ok(())
}

fn needed(tx: &Transaction<'_>, name: &str) -> Result<Vec<u8>, AuthorityError> {
    store::setting(tx, name)?.ok_or(AuthorityError::Database(rusqlite::Error::QueryReturnedNoRows))
}
