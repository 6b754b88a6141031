//! Reading a refusal, whatever its form: `{error, error_description}` (RFC 6749 §5.2, CSC v2), `{message}`,
//! camel-case codes, `WWW-Authenticate` (RFC 6750 §3), plain text, HTML, or nothing at all.

use std::{fmt, time::Duration};

use serde_json::Value;

use super::{http::HttpResponse, json::Fields};

/// Characters of a service's own words that are kept: a sentence or two.
pub const MAX_WORDS: usize = 200;
/// A word of this length in an error text is no word but an echoed token or hash; it is not kept.
pub const MAX_WORD: usize = 40;
/// An error code is short; longer ones are cut.
const MAX_CODE: usize = 64;
/// The longest wait that is believed.
const MAX_RETRY_AFTER: u64 = 24 * 60 * 60;

/// A refusal in the service's own terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// The error code in snake case, such as `invalid_grant`; empty when there is none.
    pub code: String,
    /// The service's words, cleaned: at most [`MAX_WORDS`] characters, no control characters, nothing like a token.
    pub words: String,
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the service refused: status {}", self.status)?;
        for part in [&self.code, &self.words].into_iter().filter(|part| !part.is_empty()) {
            write!(f, ", {part}")?;
        }
        Ok(())
    }
}

impl Refusal {
    /// From any answer that is not a success.
    pub(crate) fn of(response: &HttpResponse) -> Self {
        let json = serde_json::from_slice::<Value>(&response.body).ok();
        let fields = json.as_ref().map(Fields::of).unwrap_or_default();
        let code = fields
            .text("error")
            .or_else(|| fields.text("code"))
            .or_else(|| challenge_error(response.header("www-authenticate")?))
            .map(snake_case)
            .unwrap_or_default();
        let words = ["error_description", "errorDescription", "message", "detail"]
            .into_iter()
            .find_map(|name| fields.text(name))
            .map(error_words)
            .or_else(|| json.is_none().then(|| plain_text(response)))
            .unwrap_or_default();
        Self { status: response.status, code, words }
    }
}

/// Whether the service asks for the proof to be made again with the nonce that it just sent (RFC 9449 §8, §9).
pub(crate) fn wants_new_nonce(response: &HttpResponse) -> bool {
    matches!(response.status, 400 | 401) && Refusal::of(response).code == "use_dpop_nonce"
}

/// `Retry-After` in seconds (RFC 9110 §10.2.3); the form with a date is not read.
pub(crate) fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let seconds: u64 = response.header("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(MAX_RETRY_AFTER)))
}

/// Text of a stranger, fit to be shown or logged: one line, bounded, without control, formatting and bidirectional
/// characters, with everything that looks like a token taken out.
pub(crate) fn clean(text: &str) -> String {
    let visible: String = text
        .chars()
        .take(MAX_WORDS * 4) // enough to fill the limit after cleaning, and bounded
        .map(|c| if c.is_whitespace() || c.is_control() { ' ' } else { c })
        .filter(|c| !is_invisible(*c))
        .collect();
    let words: Vec<_> = visible.split(' ').filter(|word| !word.is_empty()).map(without_tokens).collect();
    words.join(" ").chars().take(MAX_WORDS).collect()
}

/// Characters that change how others are displayed: zero-width, bidirectional controls, byte order mark.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{61C}')
}

/// As [`clean`], without the distinguished names that some services quote: they name the doctor.
fn error_words(text: &str) -> String {
    let parts: Vec<_> = text.split('\'').map(|part| if part.contains('=') { "…" } else { part }).collect();
    clean(&parts.join("'"))
}

/// Japanese is written without spaces: a token may stand inside of what looks like a word.
fn without_tokens(word: &str) -> String {
    let parts = word.as_bytes().chunk_by(|a, b| a.is_ascii() == b.is_ascii());
    let looks_encoded = |part: &[u8]| part.is_ascii() && part.len() > MAX_WORD;
    parts.map(|part| if looks_encoded(part) { "…".into() } else { String::from_utf8_lossy(part) }).collect()
}

fn plain_text(response: &HttpResponse) -> String {
    let text = String::from_utf8_lossy(&response.body);
    let is_html = text.trim_start().starts_with('<');
    if is_html { String::new() } else { error_words(&text) }
}

/// `error="…"` of `WWW-Authenticate: DPoP error="use_dpop_nonce", …`.
fn challenge_error(challenge: &str) -> Option<&str> {
    let (_, rest) = challenge.split_once("error=")?;
    let rest = rest.strip_prefix('"').unwrap_or(rest);
    rest.split(['"', ',', ' ']).next()
}

/// `invalidRequest` and `InvalidRequest` are seen where `invalid_request` is meant.
fn snake_case(code: &str) -> String {
    let mut snake = String::new();
    for c in code.chars().filter(char::is_ascii_graphic).take(MAX_CODE) {
        if c.is_ascii_uppercase() && !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::{super::testing::answer, *};

    fn refusal(status: u16, headers: &[(&str, &str)], body: &str) -> Refusal {
        Refusal::of(&answer(status, headers, body))
    }

    #[test]
    fn an_oauth_error_is_read_as_rfc_6749_says() {
        let refusal = refusal(
            400,
            &[],
            r#"{"error":"invalid_grant","error_description":"The assertion\r\nis  too old."}"#,
        );
        assert_eq!(refusal.code, "invalid_grant");
        assert_eq!(refusal.words, "The assertion is too old.");
        assert_eq!(
            refusal.to_string(),
            "the service refused: status 400, invalid_grant, The assertion is too old."
        );
    }

    #[test]
    fn forms_seen_in_the_field_are_read_too() {
        assert_eq!(refusal(400, &[], r#"{"error":"invalidRequest","message":null}"#).code, "invalid_request");
        assert_eq!(refusal(400, &[], r#"{"message":"Credential locked"}"#).words, "Credential locked");
        assert_eq!(refusal(403, &[], "Forbidden by policy").words, "Forbidden by policy");
        assert_eq!(refusal(502, &[], ""), Refusal { status: 502, code: String::new(), words: String::new() });
        let html = refusal(500, &[], "<html><body>Doctor X</body></html>");
        assert_eq!(html.words, "");
    }

    #[test]
    fn a_challenge_of_rfc_9449_section_9_asks_for_a_new_nonce() {
        let challenge = ("www-authenticate", r#"DPoP error="use_dpop_nonce", error_description="again""#);
        assert!(wants_new_nonce(&answer(401, &[challenge], "")));
        assert!(wants_new_nonce(&answer(400, &[], r#"{"error":"use_dpop_nonce"}"#)));
        assert!(!wants_new_nonce(&answer(401, &[("www-authenticate", r#"DPoP error="invalid_token""#)], "")));
        assert!(!wants_new_nonce(&answer(200, &[], r#"{"error":"use_dpop_nonce"}"#)));
    }

    #[test]
    fn a_quoted_distinguished_name_is_not_kept() {
        let said =
            refusal(400, &[], r#"{"message":"Certificate 'CN=Taro Kagura,C=JP' of the 'signer' is odd."}"#);
        assert_eq!(said.words, "Certificate '…' of the 'signer' is odd.");
    }

    #[test]
    fn an_echoed_token_is_not_kept() {
        let token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJkb2N0b3IifQ.c2lnbmF0dXJl";
        let words = clean(&format!("Invalid parameter SAD {token} \u{202E}given\u{0}"));
        assert_eq!(words, "Invalid parameter SAD … given");
        assert_eq!(clean(&format!("トークン「{token}」は無効です")), "トークン「…」は無効です");
        assert_eq!(clean(&"あ".repeat(1000)).chars().count(), MAX_WORDS);
    }
}
