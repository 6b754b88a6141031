//! (skeleton)
#[allow(missing_docs)]
pub mod letter;
