//! Prescription + certificate → what to sign; signature value → signed file; any file → verdict.
//!
//! [`prepare`] takes a [`Prescription`](crate::prescription::Prescription) and a certificate and decides the digest that
//! the remote service signs; [`Prepared::finish`] takes the value that comes back and gives a signed file, after
//! verifying the value and then the whole file as a stranger would. [`verify`] takes any file and says whether it is a
//! prescription (or dispensing result) whose signatures hold. Signatures are XAdES-BES (ETSI EN 319 132-1, TS 101 903)
//! over XML Signature 1.1; signatures are written in form A of the e-prescription service, and read in forms A and B up
//! to level A, with timestamps (RFC 3161) verified. Refused are weak algorithms, ambiguous ids, and References to anything but the elements that a signature
//! must cover, in their prescribed places.

mod base64;
pub mod c14n;
mod form;
mod prepared;
mod report;
#[cfg(test)]
mod test_data;
mod timestamp;
mod uri;
mod verify;
pub mod xml;

pub use c14n::{Method, canonicalize};
pub use prepared::{FinishError, PrepareError, Prepared, SignedPrescription, StoredError, prepare};
pub use report::{Check, Covers, Level, Outcome, Reason, Report, Severity, SignatureReport, Verdict};
pub use verify::{Trust, verify};
pub use xml::XmlError;
