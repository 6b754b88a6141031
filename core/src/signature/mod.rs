//! Prescription and certificate → what to sign; signature value → signed file; any file → verdict.
pub mod c14n;
mod xml;
pub use c14n::{Method, canonicalize};
pub use xml::XmlError;
