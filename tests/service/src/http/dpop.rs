//! Proof of possession (RFC 9449): each request is signed by the device key for this method, this URL, this minute,
//! with a nonce of this service, and once.

use super::call::Call;
use super::refusal::Refusal;
use super::{App, CLOCK_SKEW};
use crate::jose::{Jws, sha256_base64url};
use crate::store::{self, Stop};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ring::hmac;
use ring::rand::SystemRandom;
use rusqlite::Transaction;

/// A nonce lives ten minutes, in seconds.
const NONCE_LIFE: i64 = 600;
/// Identifiers chosen by the phone are kept in the database until they cannot come back.
pub(super) const MAX_JTI_BYTES: usize = 128;

/// Nonces that need no memory: the time of issue and a MAC over it.
pub(super) struct Nonces(hmac::Key);

impl Nonces {
    pub(super) fn new() -> Self {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        Self(key.expect("the system's random generator works"))
    }

    pub(super) fn issue(&self, now: i64) -> String {
        let time = now.to_be_bytes();
        BASE64URL.encode([&time, hmac::sign(&self.0, &time).as_ref()].concat())
    }

    pub(super) fn is_live(&self, nonce: &str, now: i64) -> bool {
        let Ok(bytes) = BASE64URL.decode(nonce) else { return false };
        let Some((time, mac)) = bytes.split_first_chunk::<8>() else { return false };
        let age = now - i64::from_be_bytes(*time);
        (0..=NONCE_LIFE).contains(&age) && hmac::verify(&self.0, time, mac).is_ok()
    }
}

/// Where the proof is shown: the authorization server answers 400, a resource 401 with a challenge (RFC 9449 8, 9).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'a> {
    AuthorizationServer,
    /// With the access token that the proof must name (`ath`).
    Resource(&'a str),
}

/// Checks the request's proof and gives the thumbprint of the key that made it (RFC 9449 4.3).
pub(super) fn check(app: &App, tx: &Transaction<'_>, call: &Call, place: Place<'_>) -> Result<String, Stop> {
    let refuse = |error: &'static str, why: &str| match place {
        Place::AuthorizationServer => Refusal::bad_request(error, why),
        Place::Resource(_) => Refusal::dpop_challenge(error, why),
    };
    let invalid = |why: &str| refuse("invalid_dpop_proof", why);

    let compact = call.header("dpop").ok_or_else(|| invalid("exactly one DPoP header is needed"))?;
    let proof = Jws::parse(compact).map_err(|error| invalid(&error.to_string()))?;
    if proof.header("typ") != Some("dpop+jwt") {
        return Err(invalid("typ is not dpop+jwt").into());
    }
    let key = proof.header_key().map_err(|error| invalid(&error.to_string()))?;
    proof.verify(&key).map_err(|error| invalid(&error.to_string()))?;
    if proof.text("htm") != Some(call.method.as_str()) {
        return Err(invalid("htm is another method").into());
    }
    if proof.text("htu") != Some(&app.url(&call.path)) {
        return Err(invalid("htu is another URL").into());
    }
    let now = app.now();
    let issued_at = proof.number("iat").ok_or_else(|| invalid("iat is missing"))?;
    if now.abs_diff(issued_at) > CLOCK_SKEW.unsigned_abs() {
        return Err(invalid("iat is more than five minutes from the service's time").into());
    }
    let expected_hash = match place {
        Place::AuthorizationServer => None,
        Place::Resource(token) => Some(sha256_base64url(token.as_bytes())),
    };
    if proof.text("ath") != expected_hash.as_deref() {
        return Err(invalid("ath is not the hash of the access token").into());
    }
    if !proof.text("nonce").is_some_and(|nonce| app.nonces.is_live(nonce, now)) {
        return Err(refuse("use_dpop_nonce", "a live nonce of this service is needed").into());
    }
    let jti = proof.text("jti").filter(|jti| !jti.is_empty() && jti.len() <= MAX_JTI_BYTES);
    let jti = jti.ok_or_else(|| invalid("jti is missing or too long"))?;
    let thumbprint = key.thumbprint();
    if !store::first_use(tx, &format!("dpop {thumbprint} {jti}"), issued_at + 2 * CLOCK_SKEW, now)? {
        return Err(invalid("jti was used before").into());
    }
    Ok(thumbprint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_lives_ten_minutes_and_only_at_the_service_that_gave_it() {
        let (nonces, stranger) = (Nonces::new(), Nonces::new());
        let nonce = nonces.issue(1_000);
        assert!(nonces.is_live(&nonce, 1_000) && nonces.is_live(&nonce, 1_600));
        assert!(!nonces.is_live(&nonce, 1_601) && !nonces.is_live(&nonce, 999));
        assert!(!stranger.is_live(&nonce, 1_000) && !nonces.is_live("", 1_000));
    }
}
