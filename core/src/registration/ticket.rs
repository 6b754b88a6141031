//! The registration ticket in the QR (初期登録用QR): `https://<issuer host>/r#<compact JWS>`.

use std::fmt;

use ring::digest::{SHA256, digest};
use serde_json::Value;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::{
    jose::{ParsedJws, decode_base64url},
    trust::{TrustConfiguration, TrustedService},
};

/// The longest text of a QR symbol (version 40-L, ISO/IEC 18004 table 7): nothing longer was ever scanned.
pub const MAX_QR_TEXT: usize = 2953;
/// Random bytes in a ticket's identifier.
const JTI_LEN: usize = 16;
/// How much of an unknown issuer is repeated in the error, in characters.
const MAX_SHOWN_ISSUER: usize = 100;
/// What stands between the issuer and the JWS.
const PATH: &str = "/r";

/// How the doctor came by the ticket (protocol §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// By mail, the activation code apart.
    Letter,
    /// On the registration site, signed in with the HPKI card.
    Card,
}

/// Why a QR's text is not a ticket to register with. Nothing was sent.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum TicketError {
    /// Some other QR.
    #[error("not a registration ticket")]
    NotATicket,
    /// A ticket for a service that the app does not know: a wrong app, or phishing.
    #[error("the ticket names an unknown service, {issuer}")]
    UnknownIssuer {
        /// The unknown issuer, at most 100 characters, with `?` for every one that is not printable ASCII: left out,
        /// they would make it look like another.
        issuer: String,
    },
    /// The service is known, the key that signed the ticket is not: the app is too old, or the ticket is forged.
    #[error("the ticket is signed by an unknown key")]
    UnknownKey,
    /// The signature does not verify: read wrongly, or forged.
    #[error("the ticket's signature does not verify")]
    BadSignature,
    /// Part of the ticket is not as protocol §2 says.
    #[error("the ticket is malformed: {what}")]
    Malformed {
        /// Which part.
        what: &'static str,
    },
    /// Genuine, but too old by this phone's clock.
    #[error("the ticket expired at {at}")]
    Expired {
        /// When it expired.
        at: OffsetDateTime,
    },
}

/// A genuine ticket of a trusted service, not expired when it was read. It is a bearer credential: it does not print,
/// and is wiped.
pub struct Ticket {
    text: Zeroizing<String>,
    issuer: String,
    jti: String,
    expires: OffsetDateTime,
    route: Route,
    code: bool,
}

impl Ticket {
    /// Reads the text of a QR, at most [`MAX_QR_TEXT`] bytes, and verifies it offline; white space around it is ignored.
    ///
    /// # Errors
    /// [`TicketError`].
    pub fn parse(
        qr_text: &str,
        trust: &TrustConfiguration,
        now: OffsetDateTime,
    ) -> Result<Self, TicketError> {
        Self::parse_for(qr_text, |issuer| trust.service(issuer), now)
    }

    pub(super) fn parse_for<'t>(
        qr_text: &str,
        trusted: impl FnOnce(&str) -> Option<&'t TrustedService>,
        now: OffsetDateTime,
    ) -> Result<Self, TicketError> {
        let text = qr_text.trim();
        let (issuer, jws) = split(text).ok_or(TicketError::NotATicket)?;
        let service = trusted(issuer).ok_or_else(|| TicketError::UnknownIssuer { issuer: shown(issuer) })?;
        let jws = ParsedJws::parse(jws).map_err(|_| TicketError::Malformed { what: "JWS" })?;
        let kid = jws.key_id().ok_or(TicketError::Malformed { what: "kid" })?;
        let (_, key) = service.ticket_keys.iter().find(|(id, _)| id == kid).ok_or(TicketError::UnknownKey)?;
        let jws = jws.verify(key).map_err(|_| TicketError::BadSignature)?;

        require(jws.header().get("typ").and_then(Value::as_str) == Some("ticket+jwt"), "typ")?;
        let claims = jws.claims();
        require(claims.get("iss").and_then(Value::as_str) == Some(issuer), "iss")?;
        let jti = claims.get("jti").and_then(Value::as_str).unwrap_or_default();
        require(decode_base64url(jti).is_some_and(|bytes| bytes.len() == JTI_LEN), "jti")?;
        let expires = claims
            .get("exp")
            .and_then(Value::as_i64)
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .ok_or(TicketError::Malformed { what: "exp" })?;
        let route = match claims.get("route").and_then(Value::as_str) {
            Some("letter") => Route::Letter,
            Some("card") => Route::Card,
            _ => return Err(TicketError::Malformed { what: "route" }),
        };
        let code =
            claims.get("code").and_then(Value::as_bool).ok_or(TicketError::Malformed { what: "code" })?;
        if now >= expires {
            return Err(TicketError::Expired { at: expires });
        }
        Ok(Self {
            issuer: issuer.to_owned(),
            jti: jti.to_owned(),
            expires,
            route,
            code,
            text: Zeroizing::new(text.to_owned()),
        })
    }

    /// The issuer of the service (RFC 8414), as in the trust configuration.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The ticket's identifier: base64url of 16 bytes.
    pub fn jti(&self) -> &str {
        &self.jti
    }

    /// When it expires, in UTC.
    pub fn expires(&self) -> OffsetDateTime {
        self.expires
    }

    /// How the doctor came by it.
    pub fn route(&self) -> Route {
        self.route
    }

    /// Whether the doctor must type an activation code.
    pub fn needs_activation_code(&self) -> bool {
        self.code
    }

    /// What the platform's key attestation must answer to: SHA-256 of the ticket's compact JWS (protocol §3 step 2).
    pub fn attestation_challenge(&self) -> [u8; 32] {
        let mut challenge = [0; 32];
        challenge.copy_from_slice(digest(&SHA256, self.jws().as_bytes()).as_ref());
        challenge
    }

    /// The initial access token (RFC 7591 §1.2): the compact JWS.
    pub(crate) fn jws(&self) -> &str {
        self.text.split_once('#').map_or("", |(_, jws)| jws)
    }

    /// The text that [`Ticket::parse`] reads: what durable state keeps until the phone is bound.
    pub fn qr_text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("issuer", &self.issuer)
            .field("expires", &self.expires)
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

/// Issuer and JWS.
fn split(text: &str) -> Option<(&str, &str)> {
    if text.len() > MAX_QR_TEXT || !text.starts_with("https://") {
        return None;
    }
    let (address, jws) = text.split_once('#')?;
    let issuer = address.strip_suffix(PATH)?;
    (jws.split('.').count() == 3).then_some((issuer, jws))
}

fn shown(issuer: &str) -> String {
    issuer.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }).take(MAX_SHOWN_ISSUER).collect()
}

fn require(holds: bool, what: &'static str) -> Result<(), TicketError> {
    if holds { Ok(()) } else { Err(TicketError::Malformed { what }) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::testing::{ISSUER, Office, now};
    use super::*;

    fn error(office: &Office, text: &str) -> TicketError {
        office.read(text).err().unwrap()
    }

    #[test]
    fn a_genuine_ticket_tells_where_it_leads_and_whether_a_code_is_needed() {
        let office = Office::new();
        let text = office.ticket(&json!({}));
        let ticket = office.read(&format!("  {text}\r\n")).unwrap();
        assert_eq!(ticket.issuer(), ISSUER);
        assert_eq!(ticket.jti(), "AAECAwQFBgcICQoLDA0ODw");
        assert_eq!(ticket.expires(), now() + time::Duration::hours(1));
        assert_eq!(ticket.route(), Route::Letter);
        assert!(ticket.needs_activation_code());
        assert_eq!(ticket.qr_text(), text);
        assert_eq!(text, format!("{ISSUER}/r#{}", ticket.jws()));
        assert_eq!(ticket.attestation_challenge(), digest(&SHA256, ticket.jws().as_bytes()).as_ref());
        let card = office.read(&office.ticket(&json!({"route": "card", "code": false}))).unwrap();
        assert_eq!(card.route(), Route::Card);
        assert!(!card.needs_activation_code());
    }

    #[test]
    fn a_ticket_from_an_unknown_issuer_is_refused_before_its_content_is_read() {
        let office = Office::new();
        let text = office.ticket(&json!({}));
        for issuer in [
            "https://evil.example",
            "https://SIGN.example",
            "https://sign.example:444",
            "https://sign.example.evil.example",
            "https://sign.example@evil.example",
            "https://sign.example/",
            "https://evil.example/https://sign.example",
        ] {
            let told = error(&office, &text.replace(ISSUER, issuer));
            assert_eq!(told, TicketError::UnknownIssuer { issuer: issuer.into() });
        }
        let TicketError::UnknownIssuer { issuer } =
            error(&office, &format!("https://\u{202e}evil{}\n/r#a.b.c", "x".repeat(500)))
        else {
            panic!("an unknown issuer");
        };
        assert!(issuer.len() == MAX_SHOWN_ISSUER && issuer.bytes().all(|b| b.is_ascii_graphic()));
    }

    #[test]
    fn an_unknown_issuer_is_never_told_as_the_known_one() {
        let office = Office::new();
        let text = office.ticket(&json!({}));
        for slipped_in in ['\u{202e}', '\u{200b}', ' ', '\n', 'ｓ', '\0'] {
            let issuer = ISSUER.replace("sign", &format!("sign{slipped_in}"));
            let told = error(&office, &text.replace(ISSUER, &issuer));
            assert_eq!(told, TicketError::UnknownIssuer { issuer: ISSUER.replace("sign", "sign?") });
        }
    }

    #[test]
    fn another_qr_is_not_a_ticket() {
        let office = Office::new();
        for text in [
            "",
            "https://sign.example",
            "https://sign.example/r",
            "https://sign.example/r#",
            "https://sign.example/r#a.b",
            "https://sign.example/x#a.b.c",
            "http://sign.example/r#a.b.c",
            "JAHIS8",
            &"x".repeat(10_000),
        ] {
            assert_eq!(error(&office, text), TicketError::NotATicket, "{text}");
        }
    }

    #[test]
    fn no_text_is_a_ticket_that_no_symbol_can_hold() {
        let office = Office::new();
        let longest = format!("{ISSUER}/r#a.b.{}", "c".repeat(MAX_QR_TEXT - ISSUER.len() - 7));
        assert_eq!(longest.len(), MAX_QR_TEXT);
        assert_eq!(error(&office, &longest), TicketError::Malformed { what: "JWS" });
        assert_eq!(error(&office, &(longest + "c")), TicketError::NotATicket);
    }

    #[test]
    fn a_forged_ticket_is_refused_and_an_unknown_key_is_told_from_a_bad_signature() {
        let office = Office::new();
        let forger = Office::new();
        assert_eq!(error(&office, &forger.ticket(&json!({}))), TicketError::BadSignature);
        assert_eq!(error(&office, &office.signed_as("other", &json!({}))), TicketError::UnknownKey);
        let genuine = office.ticket(&json!({}));
        let start = genuine.find('#').unwrap() + 1;
        for at in start..genuine.len() {
            let mut changed = genuine.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(office.read(&changed).is_err(), "changed at {at}");
        }
    }

    #[test]
    fn an_expired_ticket_tells_since_when() {
        let office = Office::new();
        for before in [0, 1, 1_000_000] {
            let at = now() - time::Duration::seconds(before);
            let told = error(&office, &office.ticket(&json!({"exp": at.unix_timestamp()})));
            assert_eq!(told, TicketError::Expired { at });
        }
    }

    #[test]
    fn each_malformed_claim_is_named() {
        let office = Office::new();
        for (claim, value) in [
            ("iss", json!("https://other.example")),
            ("jti", json!("AAECAwQFBgcICQoLDA0O")),
            ("jti", json!("AAECAwQFBgcICQoLDA0ODw==")),
            ("jti", json!(5)),
            ("exp", json!("tomorrow")),
            ("exp", json!(1e30)),
            ("exp", json!(i64::MAX)),
            ("route", json!("fax")),
            ("code", json!("yes")),
            ("code", json!(null)),
        ] {
            let told = error(&office, &office.ticket(&json!({claim: value})));
            assert_eq!(told, TicketError::Malformed { what: claim });
        }
        assert_eq!(error(&office, &office.of_type("jwt")), TicketError::Malformed { what: "typ" });
        let none = format!("{ISSUER}/r#eyJhbGciOiJub25lIn0.e30.");
        assert_eq!(error(&office, &none), TicketError::Malformed { what: "JWS" });
    }

    #[test]
    fn a_ticket_does_not_print_its_credential() {
        let office = Office::new();
        let ticket = office.read(&office.ticket(&json!({}))).unwrap();
        let printed = format!("{ticket:?}");
        assert!(printed.contains(ISSUER) && !printed.contains(ticket.jws()) && !printed.contains("AAEC"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_pass(text in "(https://sign.example/r#)?[A-Za-z0-9_.#-]{0,300}|.{0,300}") {
            prop_assert!(Office::new().read(&text).is_err());
        }
    }
}
