//! The phone's side of HPKI second certificates (HPKIセカンド電子証明書): scan the registration QR, bind this phone
//! to the remote-signing service, show each e-prescription that waits, and sign e-prescriptions. Nothing else.
//!
//! The modules stand in the order in which data flows; each knows those before it and none after.

pub mod jose;

pub mod device;
pub mod trust;

pub mod scan;

pub mod certificate;
pub mod prescription;
pub mod signature;

pub mod registration;
pub mod service;

pub mod journal;

pub mod agent;

#[cfg(fuzzing)]
pub mod fuzzing;
