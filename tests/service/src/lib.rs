//! The remote-signing side of the protocol, to develop and test the agent against: an independent and strict
//! implementation that shares no code with it.
//!
//! A folder holds its whole state. [`Authority`] works on the folder (issuing, letters, revocation, the clinic's
//! side); [`ReferenceService`] serves the same folder over HTTPS on loopback, at the same time if wanted.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use reference_service::{HolderSpec, Options, ReferenceService, TicketSpec};
//!
//! let service = ReferenceService::start(Options::new("/tmp/service")).await?;
//! let doctor = HolderSpec::new("手須戸　花子", "HANAKO TESUTO", "Medical Doctor");
//! let credential = service.authority().issue(&doctor)?;
//! let ticket = service.authority().ticket(&credential, TicketSpec::letter())?;
//! println!("{}", ticket.qr_text);
//! service.stop().await;
//! # Ok(())
//! # }
//! ```

mod authority;
mod clock;
mod faults;
mod http;
mod jose;
pub mod letter;
mod pki;
mod server;
mod signer;
mod store;

pub use authority::{
    Authority, AuthorityError, Crl, DEFAULT_ISSUER, HolderSpec, IssuedAhead, IssuedTicket, LetterFiles,
    Member, Route, TicketSpec,
};
pub use clock::Clock;
pub use faults::{
    Canned, CscVersion, Fault, FaultSwitch, FaultSwitchError, Faults, Retouch, Rewrite, Spoilt,
};
pub use http::ENDPOINTS;
pub use http::record::{Exchange, Recorder};
pub use jose::JoseError;
pub use pki::IssuedBy;
pub use pki::tls::{ServedCertificate, TlsError};
pub use server::{Options, ReferenceService, Running, StartError};
#[cfg(feature = "pkcs11")]
pub use signer::Token;
pub use signer::{Keys, SignerError};
pub use store::prescriptions::{Requester, State};

/// Name of the service.
pub(crate) const SERVICE_NAME: &str = "hpki-agent reference service";
/// Its Japanese name.
pub(crate) const SERVICE_NAME_JA: &str = "hpki-agent 試験用署名サービス";
