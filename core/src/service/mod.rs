//! The remote-signing service over HTTPS (protocol §§2–7).

pub mod http;
