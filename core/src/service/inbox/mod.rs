//! The inbox (protocol §6; `signatureRequests` of TS 119 432 Annex A): prescriptions that wait for this doctor. A list
//! comes in, [`InboxItem`]s go out, each with its document or the reason why it has none. A document whose checksum
//! differs is refused alone and does not hold up the others; what a document is, only `prescription` decides.

mod document;

use std::{collections::HashSet, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use url::Url;

use super::{
    error::ServiceError,
    json::Fields,
    metadata::belongs_to,
    refusal::{MAX_WORDS, clean},
};
use crate::prescription::visible;

pub use document::DocumentFault;

pub(crate) use document::Source;

/// Requests taken from one reading; the rest waits for the next.
pub const MAX_REQUESTS: usize = 100;
/// Bytes of one document. A prescription has about 8 KB.
pub const MAX_DOCUMENT: usize = 256 * 1024;
/// Bytes of one reading: every document of a full inbox of ordinary size, in base64, with room.
pub const MAX_INBOX: usize = 8 * 1024 * 1024;
/// The longest that the service holds an empty reading open, in seconds (protocol §6).
pub const MAX_WAIT: u64 = 25;
/// Characters of a request's identifier: with what tells several documents apart it is still a label of the SAD.
const MAX_ID: usize = 120;

/// Who asks for the signature, in the service's words: text that is shown, never a decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requester {
    /// Name of the institution.
    pub name: String,
    /// Code of the institution (医療機関コード).
    pub facility_code: String,
}

/// One document that waits.
#[derive(Clone, PartialEq, Eq)]
pub struct InboxItem {
    /// The request's identifier, 1 to 128 characters, no two alike; a request's `signatureRequests` beyond the first carry `#2`, `#3` ….
    pub id: String,
    /// What the requester calls the document; may be empty. May hold patient data: for the screen only.
    pub label: String,
    /// When it arrived at the service.
    pub received_at: Option<OffsetDateTime>,
    /// Until when it waits; `None` when the service states no time.
    pub expires_at: Option<OffsetDateTime>,
    /// Who asks.
    pub requester: Requester,
    /// Where the answer goes; a URL of this service.
    pub response_uri: String,
    /// The document's exact bytes, or why there are none.
    pub document: Result<Vec<u8>, DocumentFault>,
}

impl fmt::Debug for InboxItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let document = self.document.as_ref().map(Vec::len);
        f.debug_struct("InboxItem").field("id", &self.id).field("document", &document).finish_non_exhaustive()
    }
}

/// One reading of the inbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inbox {
    /// What waits, in the service's order.
    pub items: Vec<InboxItem>,
    /// Requests that cannot even be answered: without identifier or `responseURI`, or with another's identifier.
    pub unreadable: usize,
    /// Whether more waits than [`MAX_REQUESTS`].
    pub more: bool,
}

/// An item whose document may still have to be fetched.
pub(crate) struct Envelope {
    pub(crate) item: InboxItem,
    pub(crate) source: Source,
}

impl Envelope {
    /// The item, with the document that was fetched for it, or why it could not be.
    pub(crate) fn fetched(self, document: Result<Vec<u8>, DocumentFault>) -> InboxItem {
        let document = match self.source {
            Source::Ready(document) => document,
            Source::Fetch { checksum, .. } => document.and_then(|bytes| checksum.verify(bytes)),
        };
        InboxItem { document, ..self.item }
    }
}

/// The requests of one reading.
pub(crate) struct Reading {
    pub(crate) envelopes: Vec<Envelope>,
    pub(crate) unreadable: usize,
    pub(crate) more: bool,
}

/// Reads the answer of the prescriptions endpoint of `issuer`.
pub(crate) fn judge(answer: &Value, issuer: &Url) -> Result<Reading, ServiceError> {
    let fields = Fields::of(answer);
    if !fields.get("requests").is_some_and(Value::is_array) {
        return Err(ServiceError::Malformed("the inbox"));
    }
    let mut reading = Reading { envelopes: Vec::new(), unreadable: 0, more: false };
    let mut seen = HashSet::new();
    for request in fields.list("requests") {
        let request = Fields::of(request);
        let documents = request.list("signatureRequests");
        reading.unreadable += usize::from(documents.is_empty());
        for (index, document) in documents.iter().enumerate() {
            if reading.envelopes.len() == MAX_REQUESTS {
                reading.more = true;
                return Ok(reading);
            }
            match envelope(request, index, Fields::of(document), issuer) {
                Some(envelope) if seen.insert(envelope.item.id.clone()) => reading.envelopes.push(envelope),
                _ => reading.unreadable += 1,
            }
        }
    }
    Ok(reading)
}

fn envelope(request: Fields<'_>, index: usize, document: Fields<'_>, issuer: &Url) -> Option<Envelope> {
    let id = request.text("id").filter(|id| is_id(id))?;
    let response_uri = Url::parse(document.text("responseURI")?).ok()?;
    if !belongs_to(&response_uri, issuer) {
        return None;
    }
    let requester = request.object("requester");
    let shown = |text: Option<&str>| text.map(|text| visible(&clean(text))).unwrap_or_default();
    let item = InboxItem {
        id: if index == 0 { id.to_owned() } else { format!("{id}#{}", index + 1) },
        label: shown(document.text("label")),
        received_at: time(request.text("received_at")),
        expires_at: time(request.text("expires_at")),
        requester: Requester {
            name: shown(requester.text("name")),
            facility_code: shown(requester.text("facility_code")),
        },
        response_uri: response_uri.into(),
        document: Err(DocumentFault::NotFetched),
    };
    Some(Envelope { item, source: Source::of(document, issuer) })
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(|byte| byte.is_ascii_graphic())
}

fn time(text: Option<&str>) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text?, &Rfc3339).ok()
}

/// The body that delivers a signed document.
pub(crate) fn delivery_body(signed: &[u8]) -> Value {
    json!({"documentWithSignature": [STANDARD.encode(signed)]})
}

/// The body that declines (protocol §6); `reason` is cut to [`MAX_WORDS`] characters.
pub(crate) fn refusal_body(reason: &str) -> Value {
    let reason: String = reason.chars().filter(|c| !c.is_control()).take(MAX_WORDS).collect();
    json!({"error": "access_denied", "error_description": reason})
}

#[cfg(test)]
mod tests;
