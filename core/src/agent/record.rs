//! What the agent writes into the journal: digests, codes and identifiers, never patient data.

use super::{AgentError, Code, outbox::Item};
use crate::{
    device::KeyRole,
    journal::{self, Digest, Event, Identifier},
    registration::Binding,
};

pub(super) fn registered(binding: &Binding, replaced: bool) -> Result<Event, AgentError> {
    Ok(Event::Registered {
        service: identifier(binding.issuer())?,
        client_id: identifier(binding.client_id())?,
        credential_id: identifier(binding.credential_id())?,
        certificate: Digest::of(binding.certificate_chain().first().map_or(&[], Vec::as_slice)),
        approval_key: identifier(binding.thumbprint(KeyRole::Approval))?,
        replaced,
    })
}

pub(super) fn unregistered(binding: &Binding) -> Result<Event, AgentError> {
    Ok(Event::Unregistered { client_id: identifier(binding.client_id())? })
}

pub(super) fn wiped(why: Code) -> Event {
    Event::Wiped { code: journal::Code::of_name(why.as_str()) }
}

pub(super) fn not_signed(why: Code, count: usize) -> Event {
    Event::NotSigned { code: journal::Code::of_name(why.as_str()), count: count as u64 }
}

/// `None` for what is not signed.
pub(super) fn signed(item: &Item) -> Option<Event> {
    let document = Digest::from_sha256(item.document);
    let request = item.response_uri.as_ref().map(|_| request(item));
    Some(Event::Signed { request, document, signature: item.signature? })
}

pub(super) fn delivered(item: &Item) -> Event {
    Event::Delivered { request: request(item), document: Digest::from_sha256(item.document) }
}

/// Of a signed file or a refusal to sign, for the request of this identifier.
pub(super) fn not_delivered(id: &str, document: Digest, why: Code) -> Event {
    let request = Digest::of(id.as_bytes());
    Event::NotDelivered { request, document, code: journal::Code::of_name(why.as_str()) }
}

pub(super) fn declined(id: &str, document: Option<Digest>) -> Event {
    Event::Declined { request: Digest::of(id.as_bytes()), document }
}

pub(super) fn refused(id: &str, document: Digest, error: &AgentError) -> Event {
    let mut codes: Vec<_> = error.violations().iter().map(|v| journal::Code::of_name(v.code)).collect();
    if codes.is_empty() {
        codes.push(journal::Code::of_name(error.code().as_str()));
    }
    codes.dedup();
    Event::Refused { request: Some(Digest::of(id.as_bytes())), document, codes }
}

/// A request's identifier as the journal knows it.
pub(super) fn request(item: &Item) -> Digest {
    Digest::of(item.id.as_bytes())
}

/// Identifiers were bounded when they arrived; one that the journal cannot take means a damaged state.
fn identifier(text: &str) -> Result<Identifier, AgentError> {
    Identifier::try_from(text.to_owned()).map_err(|e| AgentError::new(Code::StateDamaged).caused_by(e))
}
