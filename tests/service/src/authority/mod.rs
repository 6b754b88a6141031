//! The office behind the service: issues credentials, tickets and letters, revokes, publishes CRLs, and carries
//! prescriptions between clinics and doctors. It works on the folder that holds the service's state, whether or not a
//! server runs on it.

mod folder;
mod issue;
mod roster;

use crate::clock::Clock;
use crate::jose::SigningKey;
use crate::letter;
use crate::pki;
use crate::signer::{Signer, SignerError};
use crate::store::prescriptions::{self, Prescription, Requester, State};
use crate::store::{Store, credentials, phones};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64URL};
use ring::rand::{SecureRandom, SystemRandom};
use rusqlite::Transaction;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use time::Duration;
use tokio::sync::Notify;

pub use folder::DEFAULT_ISSUER;
pub use issue::{HolderSpec, IssuedTicket, LetterFiles, Route, TicketSpec};
pub use roster::{IssuedAhead, Member};

/// A prescription file of the field is some kilobytes.
const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;
/// A prescription can be used for four days (保険医療機関及び保険医療養担当規則 第20条).
const PRESCRIPTION_LIFE: Duration = Duration::days(4);

/// Why the office could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The database failed.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// A file of the folder could not be read or written.
    #[error("{file}: {source}")]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key could not be made or used.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A ticket could not be signed.
    #[error(transparent)]
    Ticket(#[from] crate::jose::JoseError),
    /// The TLS side could not be set up.
    #[error(transparent)]
    Tls(#[from] pki::tls::TlsError),
    /// The letter could not be drawn.
    #[error("letter: {0}")]
    Letter(#[from] letter::LetterError),
    /// No such credential or prescription, or the credential was revoked before.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// A document of no or absurd size.
    #[error("a document has 1 to {MAX_DOCUMENT_BYTES} bytes")]
    DocumentSize,
    /// A name that a certificate cannot carry.
    #[error("{0} is not a name that fits a certificate")]
    Name(&'static str),
    /// A roster that cannot be issued from.
    #[error("line {line} of the roster: {why}")]
    Roster {
        /// From one.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl AuthorityError {
    /// Whether something of the kind is there already (here: a credential for this holder's serial number).
    fn is_duplicate(&self) -> bool {
        let code = rusqlite::ErrorCode::ConstraintViolation;
        matches!(self, Self::Database(error) if error.sqlite_error_code() == Some(code))
    }
}

/// A CRL.
#[derive(Debug, Clone)]
pub struct Crl {
    /// `root.crl` or `sign.crl`, as in the distribution points.
    pub file_name: &'static str,
    /// DER.
    pub der: Vec<u8>,
}

/// The office. Clones work on the same state.
#[derive(Clone)]
pub struct Authority {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    store: Store,
    clock: Clock,
    signer: Box<dyn Signer>,
    kept: folder::Kept,
    arrivals: Notify,
}

impl Authority {
    /// Revokes a credential's certificate, and disables its key.
    ///
    /// # Errors
    /// [`AuthorityError::Unknown`] when there is no such credential or it was revoked before.
    pub fn revoke(&self, credential: &str) -> Result<(), AuthorityError> {
        let now = self.clock().unix();
        if self.store().write(|tx| credentials::revoke(tx, credential, now))? {
            return Ok(());
        }
        Err(AuthorityError::Unknown("credential"))
    }

    /// Unbinds the phone of a credential, which was lost or stolen. The certificate stays, for the next phone.
    ///
    /// # Errors
    /// [`AuthorityError::Unknown`] when no phone is bound.
    pub fn unbind(&self, credential: &str) -> Result<(), AuthorityError> {
        let now = self.clock().unix();
        let ended = self.store().write(|tx| phones::unbind_phone_of(tx, credential, now))?;
        if ended { Ok(()) } else { Err(AuthorityError::Unknown("phone")) }
    }

    /// A credential's certificates, DER, leaf first.
    ///
    /// # Errors
    /// [`AuthorityError::Unknown`] when there is no such credential.
    pub fn certificates(&self, credential: &str) -> Result<Vec<Vec<u8>>, AuthorityError> {
        let found = self.store().write(|tx| credentials::find(tx, credential))?;
        let chain = found.ok_or(AuthorityError::Unknown("credential"))?.chain;
        Ok(chain.iter().filter_map(|certificate| STANDARD.decode(certificate).ok()).collect())
    }

    /// The CRLs of the root and of the signing CA as of now, valid for four days.
    ///
    /// # Errors
    /// [`AuthorityError`] when the database or the signer fails.
    pub fn crls(&self) -> Result<Vec<Crl>, AuthorityError> {
        let (root, sign, revoked) = self.store().write(|tx| {
            let authorities = (credentials::authority(tx, "root")?, credentials::authority(tx, "sign")?);
            Ok::<_, AuthorityError>((authorities.0, authorities.1, credentials::revoked(tx)?))
        })?;
        let now = self.clock().now();
        [(root, Vec::new()), (sign, revoked)]
            .into_iter()
            .map(|(ca, revoked)| {
                Ok(Crl { file_name: ca.crl_file, der: pki::crl(self.signer(), &ca, &revoked, now)? })
            })
            .collect()
    }

    /// A clinic asks a doctor (credential id or holder's serial number) to sign `document`: the XML envelope or the
    /// bare CSV. Gives the request's id.
    ///
    /// # Errors
    /// [`AuthorityError::Unknown`], [`AuthorityError::DocumentSize`].
    pub fn submit(
        &self,
        doctor: &str,
        requester: &Requester,
        document: &[u8],
    ) -> Result<String, AuthorityError> {
        if document.is_empty() || document.len() > MAX_DOCUMENT_BYTES {
            return Err(AuthorityError::DocumentSize);
        }
        let id = self.store().write(|tx| self.submit_in(tx, doctor, requester, document))?;
        self.arrivals().notify_waiters();
        id.ok_or(AuthorityError::Unknown("doctor"))
    }

    /// `None` for an unknown doctor and for a document of no or absurd size.
    pub(crate) fn submit_in(
        &self,
        tx: &Transaction<'_>,
        doctor: &str,
        requester: &Requester,
        document: &[u8],
    ) -> rusqlite::Result<Option<String>> {
        let Some(credential) = credentials::find(tx, doctor)? else { return Ok(None) };
        if document.is_empty() || document.len() > MAX_DOCUMENT_BYTES {
            return Ok(None);
        }
        let now = self.clock().unix();
        let prescription = Prescription {
            id: self.new_id(),
            credential: credential.id,
            requester: requester.clone(),
            document: document.to_vec(),
            received_at: now,
            expires_at: now + PRESCRIPTION_LIFE.whole_seconds(),
            state: State::Waiting,
        };
        prescriptions::insert(tx, &prescription)?;
        Ok(Some(prescription.id))
    }

    /// What became of a submitted prescription.
    ///
    /// # Errors
    /// [`AuthorityError::Unknown`].
    pub fn collect(&self, id: &str) -> Result<State, AuthorityError> {
        let found = self.store().write(|tx| prescriptions::find(tx, id))?;
        found.map(|prescription| prescription.state).ok_or(AuthorityError::Unknown("prescription"))
    }

    /// How many signatures the service has ever made with this credential.
    ///
    /// # Errors
    /// [`AuthorityError::Database`].
    pub fn signatures_made(&self, credential: &str) -> Result<u64, AuthorityError> {
        Ok(self.store().write(|tx| {
            tx.query_row("SELECT count(*) FROM ledger WHERE credential = ?", [credential], |row| row.get(0))
        })?)
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// The clock of every decision; tests shift it.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The root certificate, DER.
    pub fn root_der(&self) -> &[u8] {
        &self.inner.kept.root_der
    }

    /// The signing CA's certificate, DER.
    pub fn ca_der(&self) -> &[u8] {
        &self.inner.kept.ca_der
    }

    /// The TLS CA's certificate, PEM.
    pub fn tls_ca_pem(&self) -> &str {
        &self.inner.kept.tls_ca_pem
    }

    /// The key that clinics show as a bearer token.
    pub fn clinic_key(&self) -> &str {
        &self.inner.kept.clinic_key
    }

    pub(crate) fn tls_key_pem(&self) -> &str {
        &self.inner.kept.tls_key_pem
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(crate) fn signer(&self) -> &dyn Signer {
        self.inner.signer.as_ref()
    }

    pub(crate) fn ticket_key(&self) -> &SigningKey {
        &self.inner.kept.ticket_key
    }

    pub(crate) fn arrivals(&self) -> &Notify {
        &self.inner.arrivals
    }

    pub(crate) fn clinic_key_matches(&self, key: &str) -> bool {
        self.token_id(key) == self.token_id(self.clinic_key())
    }

    /// An opaque token of 256 random bits, and what is kept of it.
    pub(crate) fn new_token(&self) -> (String, Vec<u8>) {
        let token = BASE64URL.encode(random::<32>());
        let id = self.token_id(&token);
        (token, id)
    }

    /// What is kept of a token: its SHA-256.
    #[allow(clippy::unused_self)]
    pub(crate) fn token_id(&self, token: &str) -> Vec<u8> {
        ring::digest::digest(&ring::digest::SHA256, token.as_bytes()).as_ref().to_vec()
    }

    /// An identifier of 128 random bits, in hexadecimal: a command line takes it for no option.
    #[allow(clippy::unused_self)]
    pub(crate) fn new_id(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(random()))
    }
}

/// Random bytes.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the system's random generator works");
    bytes
}
