//! What the agent writes into the journal: digests and codes, never patient data.

use super::{AgentError, Code, outbox::Item};
use crate::{
    device::KeyRole,
    journal::{self, Digest, Event, Identifier},
    prescription::Violation,
    registration::Binding,
};

/// An error's code, in the journal's alphabet: `PhoneUnbound` is recorded as `phone_unbound`.
pub(super) fn code(code: Code) -> journal::Code {
    word(code.as_str())
}

fn word(name: &str) -> journal::Code {
    let mut word = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(c.to_ascii_lowercase());
    }
    journal::Code::try_from(word).unwrap_or_else(|_| journal::Code::unnamed())
}
