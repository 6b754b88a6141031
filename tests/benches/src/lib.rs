//! What the benches measure with: prescriptions of a wanted size, a doctor's key and certificates, signed files,
//! libxml2, and a phone that is bound to the reference service.

pub mod libxml2;
pub mod memory;
pub mod paired;
pub mod phone;
pub mod samples;
