//! What the service answered: to a registration (RFC 7591 §3.2) and to its removal (RFC 7592 §2.3).

use std::fmt;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::Ticket;
use crate::{device::Secret, jose::parse_json};

/// The longest body that is read, in bytes.
pub const MAX_ANSWER: usize = 64 * 1024;
/// The longest identifier, in bytes; longer ones do not fit the requests that name them.
const MAX_IDENTIFIER: usize = 256;
/// The longest registration access token, in bytes: it must fit the secret store.
const MAX_TOKEN: usize = 1024;
/// The longest address, in bytes.
const MAX_URI: usize = 1024;
/// How much of a service's words is kept, in characters.
const MAX_WORDS: usize = 200;
/// A word longer than this, in characters, is no word of an explanation but a token.
const MAX_WORD: usize = 40;
/// A word of this many digits may be an activation code.
const CODE_LIKE: usize = super::CODE_DIGITS;

/// The phone is registered; its certificate is still to be judged and shown.
pub struct Registered {
    /// The service's issuer, from the ticket.
    pub issuer: String,
    /// RFC 7591 §3.2.1.
    pub client_id: String,
    /// RFC 7592 §3: what removes the registration again.
    pub registration_access_token: Secret,
    /// RFC 7592 §3, of the issuer's origin.
    pub registration_client_uri: String,
    /// The credential to sign with (CSC API v2, `credentialID`).
    pub credential_id: String,
    /// Another phone was bound before, and is no longer.
    pub replaced: bool,
}

/// Without the token, and without the credential, whose name may be the doctor's number.
impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// Why the service did not register the phone, or not remove it.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum RegistrationRefusal {
    /// The activation code is missing: ask for it and send the request again.
    #[error("the service asks for the activation code")]
    ActivationCodeRequired,
    /// The activation code is wrong.
    #[error("the activation code is wrong")]
    WrongActivationCode {
        /// How many tries remain before the ticket is locked, 1 or more; `None` when the service does not tell.
        tries_left: Option<u32>,
    },
    /// Too many wrong codes: only a new ticket helps.
    #[error("the ticket is locked after too many wrong activation codes")]
    TicketLocked,
    /// The ticket has expired by the service's clock.
    #[error("the ticket has expired")]
    TicketExpired,
    /// The ticket was used with other keys.
    #[error("the ticket was used already")]
    TicketUsed,
    /// The service does not know the ticket; at a removal, the registration.
    #[error("the service does not know the ticket")]
    TicketUnknown,
    /// `invalid_client_metadata`: the service does not take what the app says of itself.
    #[error("the service refuses the app's description: {description}")]
    InvalidClientMetadata {
        /// The service's words, bounded and without secrets.
        description: String,
    },
    /// The approval proof is not accepted.
    #[error("the service refuses the approval proof")]
    InvalidApprovalProof,
    /// The DPoP proof is not accepted: often the phone's clock is wrong by more than five minutes, which the answer's
    /// `Date` header tells.
    #[error("the service refuses the proof of the device key")]
    InvalidDpopProof,
    /// RFC 9449 §8: repeat with the nonce that came with the answer.
    #[error("the service asks for its nonce")]
    UseDpopNonce,
    /// The service says success, but part of its answer is missing or unusable.
    #[error("the service's answer is unusable: {what}")]
    BadAnswer {
        /// Which part.
        what: &'static str,
    },
    /// Anything else.
    #[error("the service refused with status {status}: {error} {description}")]
    Other {
        /// HTTP status.
        status: u16,
        /// The error code, as the service spells it; empty when there was none.
        error: String,
        /// The service's words, bounded and without secrets.
        description: String,
    },
}

/// RFC 7591 §3.2.1 with the protocol's own members. Absent and `null` are one.
#[derive(Deserialize)]
struct Answer {
    client_id: Option<String>,
    registration_access_token: Option<String>,
    registration_client_uri: Option<String>,
    credential_id: Option<String>,
    replaced: Option<bool>,
}

/// Judges the answer to a registration: HTTP status and body of at most [`MAX_ANSWER`] bytes.
///
/// # Errors
/// [`RegistrationRefusal`].
pub fn judge(status: u16, body: &[u8], ticket: &Ticket) -> Result<Registered, RegistrationRefusal> {
    if !matches!(status, 200 | 201) {
        return Err(refusal(status, body));
    }
    if body.len() > MAX_ANSWER {
        return Err(bad("length"));
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|_| bad("JSON"))?;
    let token = Secret::new(answer.registration_access_token.unwrap_or_default().into_bytes());
    if !is_visible_ascii(token.expose(), MAX_TOKEN) {
        return Err(bad("registration_access_token"));
    }
    let uri = answer.registration_client_uri.unwrap_or_default();
    if !is_of_origin(&uri, ticket.issuer()) {
        return Err(bad("registration_client_uri"));
    }
    Ok(Registered {
        issuer: ticket.issuer().to_owned(),
        client_id: identifier(answer.client_id, "client_id")?,
        registration_access_token: token,
        registration_client_uri: uri,
        credential_id: identifier(answer.credential_id, "credential_id")?,
        replaced: answer.replaced.unwrap_or(false),
    })
}

/// How a removal ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unregistration {
    /// The service has removed the registration.
    Removed,
    /// The service no longer knew it (RFC 7592 §2.3: its token is revoked).
    AlreadyGone,
}

/// Judges the answer to the removal of a registration: HTTP status and body of at most [`MAX_ANSWER`] bytes.
///
/// # Errors
/// [`RegistrationRefusal`].
pub fn judge_unregistration(status: u16, body: &[u8]) -> Result<Unregistration, RegistrationRefusal> {
    match (status, refusal(status, body)) {
        (204, _) => Ok(Unregistration::Removed),
        (200, _) if is_object_or_nothing(body) => Ok(Unregistration::Removed),
        // A proxy's page does not say that the service has removed anything.
        (200, _) => Err(bad("JSON")),
        (401, RegistrationRefusal::TicketUnknown) | (404 | 410, _) => Ok(Unregistration::AlreadyGone),
        (_, refusal) => Err(refusal),
    }
}

fn is_object_or_nothing(body: &[u8]) -> bool {
    body.trim_ascii().is_empty() || matches!(serde_json::from_slice(body), Ok(Value::Object(_)))
}

fn refusal(status: u16, body: &[u8]) -> RegistrationRefusal {
    let words = Words::of(body);
    match snake_case(&words.error).as_str() {
        "activation_code_required" => RegistrationRefusal::ActivationCodeRequired,
        "invalid_activation_code" if words.tries_left == Some(0) => RegistrationRefusal::TicketLocked,
        "invalid_activation_code" => {
            RegistrationRefusal::WrongActivationCode { tries_left: words.tries_left }
        }
        "ticket_locked" => RegistrationRefusal::TicketLocked,
        "ticket_expired" => RegistrationRefusal::TicketExpired,
        "ticket_used" => RegistrationRefusal::TicketUsed,
        "invalid_token" => RegistrationRefusal::TicketUnknown,
        "invalid_client_metadata" => {
            RegistrationRefusal::InvalidClientMetadata { description: words.description }
        }
        "invalid_approval_proof" => RegistrationRefusal::InvalidApprovalProof,
        "invalid_dpop_proof" => RegistrationRefusal::InvalidDpopProof,
        "use_dpop_nonce" => RegistrationRefusal::UseDpopNonce,
        _ => RegistrationRefusal::Other { status, error: words.error, description: words.description },
    }
}

/// What an error body says, whatever its form: OAuth's JSON, another JSON, text, HTML, nothing.
#[derive(Default)]
struct Words {
    error: String,
    description: String,
    tries_left: Option<u32>,
}

impl Words {
    fn of(body: &[u8]) -> Self {
        let body = body.get(..MAX_ANSWER).unwrap_or(body);
        let Ok(json) = parse_json(body) else {
            return Self { description: told(&String::from_utf8_lossy(body)), ..Self::default() };
        };
        let text = |name: &str| json.get(name).and_then(Value::as_str);
        let description = text("error_description").or_else(|| text("message")).unwrap_or_default();
        Self {
            error: told(text("error").unwrap_or_default()),
            description: told(description),
            tries_left: json.get("tries_left").and_then(Value::as_u64).and_then(|n| n.try_into().ok()),
        }
    }
}

/// The service's words without mark-up, control characters and whatever may be a secret that it repeats.
fn told(text: &str) -> String {
    let mut in_tag = false;
    let plain: String = text
        .chars()
        .map(|c| {
            in_tag = c == '<' || (in_tag && c != '>');
            if in_tag || c == '>' || is_unprintable(c) { ' ' } else { c }
        })
        .collect();
    let words: Vec<&str> =
        plain.split_whitespace().map(|word| if is_secret(word) { "…" } else { word }).collect();
    words.join(" ").chars().take(MAX_WORDS).collect()
}

fn is_secret(word: &str) -> bool {
    word.chars().count() > MAX_WORD || word.chars().filter(char::is_ascii_digit).count() >= CODE_LIKE
}

/// Control characters, and those that change the direction of what follows.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// `invalidToken` as `invalid_token`: both spellings are seen.
fn snake_case(code: &str) -> String {
    let mut snake = String::with_capacity(code.len() + 4);
    for c in code.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

fn identifier(value: Option<String>, what: &'static str) -> Result<String, RegistrationRefusal> {
    value.filter(|value| is_visible_ascii(value.as_bytes(), MAX_IDENTIFIER)).ok_or_else(|| bad(what))
}

/// RFC 6749 appendix A: VSCHAR without the space, at least one.
pub(super) fn is_visible_ascii(text: &[u8], limit: usize) -> bool {
    (1..=limit).contains(&text.len()) && text.iter().all(u8::is_ascii_graphic)
}

/// Whether the address is `https`, of the issuer's origin (RFC 6454 §4), and holds no user and no fragment.
pub(super) fn is_of_origin(uri: &str, issuer: &str) -> bool {
    if !is_visible_ascii(uri.as_bytes(), MAX_URI) {
        return false;
    }
    let (Ok(uri), Ok(issuer)) = (Url::parse(uri), Url::parse(issuer)) else { return false };
    uri.scheme() == "https"
        && uri.origin() == issuer.origin()
        && uri.username().is_empty()
        && uri.password().is_none()
        && uri.fragment().is_none()
}

fn bad(what: &'static str) -> RegistrationRefusal {
    RegistrationRefusal::BadAnswer { what }
}

#[cfg(test)]
mod tests;
