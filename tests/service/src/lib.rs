//! The remote-signing side of the protocol, to develop and test the agent against: an independent and strict
//! implementation that shares no code with it.
//!
//! A folder holds its whole state. [`Authority`] works on the folder (issuing, letters, revocation, the clinic's
//! side); [`ReferenceService`] serves the same folder over HTTPS on loopback, at the same time if wanted.

mod clock;
pub mod jose;
mod pki;
mod signer;
