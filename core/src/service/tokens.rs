//! Who the phone is (RFC 7523 client assertion) and the short-lived service token that it gets for it (RFC 6749
//! §4.4). The token lives in memory only, is renewed before it ends, and is wiped.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use super::{
    dpop::unique_id, error::ServiceError, http::HttpResponse, identity::Client, json::number,
    refusal::Refusal,
};
use crate::{
    device::{Device, KeyRole, KeyVaultError},
    jose::UnsignedJws,
};

/// RFC 7523 §2.2.
pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// A client assertion is used at once; a minute covers a slow network.
const ASSERTION_LIFETIME: i64 = 60;
/// A service token is renewed this long before its end, so that it does not end under way.
const RENEW_BEFORE: Duration = Duration::seconds(30);
/// The longest that a service token is kept, whatever the service says: a session ends after half an hour
/// (protocol §8.5).
const MAX_TOKEN_LIFETIME: Duration = Duration::minutes(30);
/// Access tokens are a few hundred bytes, JWTs a few thousand.
const MAX_TOKEN: usize = 8 * 1024;

/// A `private_key_jwt` (RFC 7523 §3) by the device key, new for each request.
pub(crate) async fn client_assertion(
    device: &Device,
    client: &Client,
    audience: &str,
) -> Result<Zeroizing<String>, KeyVaultError> {
    let now = device.clock.now().unix_timestamp();
    let header = json!({"typ": "JWT", "kid": client.keys.device.thumbprint()});
    let claims = json!({
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": audience,
        "jti": unique_id(device),
        "iat": now,
        "exp": now + ASSERTION_LIFETIME,
    });
    let unsigned = UnsignedJws::new(&header, &claims);
    let signature =
        device.keys.sign(&client.keys.alias(KeyRole::Device), unsigned.signing_input(), None).await?;
    Ok(unsigned.finish(&signature))
}

/// The answer of a token endpoint (RFC 6749 §5.1, RFC 9396 §7).
pub(crate) struct Grant {
    pub(crate) token: Zeroizing<String>,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) authorization_details: Option<Value>,
}

/// Reads a successful answer.
pub(crate) fn judge_grant(response: &HttpResponse) -> Result<Grant, ServiceError> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        access_token: Cow<'a, str>,
        token_type: Option<Value>,
        expires_in: Option<Value>,
        authorization_details: Option<Value>,
    }
    let malformed = ServiceError::Malformed("the token request");
    let Ok(answer) = serde_json::from_slice::<Answer<'_>>(&response.body) else { return Err(malformed) };
    let token = Zeroizing::new(answer.access_token.into_owned());
    // RFC 6750 §2.1 `b64token`, so that it fits a header whatever the service sent
    if token.is_empty() || token.len() > MAX_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(malformed);
    }
    let kind = answer.token_type.as_ref().and_then(Value::as_str).unwrap_or_default();
    if !kind.eq_ignore_ascii_case("DPoP") {
        return Err(ServiceError::TokenNotBound);
    }
    let seconds = answer.expires_in.as_ref().and_then(number);
    Ok(Grant {
        token,
        lifetime: seconds.map(|seconds| Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX))),
        authorization_details: answer.authorization_details.filter(|details| !details.is_null()),
    })
}

/// A token for everything but signing.
pub(crate) struct ServiceToken {
    pub(crate) token: Zeroizing<String>,
    renew_at: OffsetDateTime,
}

impl ServiceToken {
    /// From an answer received at `now`. Without `expires_in` it serves one use.
    pub(crate) fn new(grant: Grant, now: OffsetDateTime) -> Self {
        let lifetime = grant.lifetime.unwrap_or_default().min(MAX_TOKEN_LIFETIME);
        // Saturating: a service may say that it is the last second of the year 9999
        Self { token: grant.token, renew_at: now.saturating_add(lifetime - RENEW_BEFORE) }
    }

    pub(crate) fn is_fresh(&self, now: OffsetDateTime) -> bool {
        now < self.renew_at
    }
}

/// Whether a resource refuses the token itself (RFC 6750 §3.1), so that a new one may help.
pub(crate) fn token_was_refused(response: &HttpResponse) -> bool {
    response.status == 401 && matches!(Refusal::of(response).code.as_str(), "invalid_token" | "")
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::{
        super::testing::{Phone, answer, jws_parts},
        *,
    };

    #[tokio::test]
    async fn a_client_assertion_names_the_client_twice_and_lives_a_minute_rfc_7523_3() {
        let phone = Phone::new();
        let client = phone.client();
        let assertion = client_assertion(&phone.device(), &client, "https://sign.example").await.unwrap();
        let (header, claims) = jws_parts(&assertion, &client.keys.device);
        assert_eq!(header["kid"], client.keys.device.thumbprint());
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("client-1"), &json!("client-1")));
        assert_eq!(claims["aud"], "https://sign.example");
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 60);
        assert_eq!(claims["jti"].as_str().unwrap().len(), 22);
    }

    #[test]
    fn a_bearer_token_is_refused_rfc_9449_section_5() {
        for body in [r#"{"access_token":"t","token_type":"Bearer"}"#, r#"{"access_token":"t"}"#] {
            assert_eq!(judge_grant(&answer(200, &[], body)).err(), Some(ServiceError::TokenNotBound));
        }
        assert!(judge_grant(&answer(200, &[], r#"{"access_token":"t","token_type":"dpop"}"#)).is_ok());
    }

    #[test]
    fn a_token_that_would_not_fit_a_header_is_refused() {
        for token in ["", "a b", "a\\r\\nx: y", "あ"] {
            let body = format!(r#"{{"access_token":"{token}","token_type":"DPoP"}}"#);
            let refused = judge_grant(&answer(200, &[], &body)).err();
            assert_eq!(refused, Some(ServiceError::Malformed("the token request")), "{token}");
        }
    }

    #[test]
    fn a_service_token_is_renewed_before_its_end_and_never_kept_over_half_an_hour() {
        let now = datetime!(2026-04-01 0:00 UTC);
        let token = |expires: &str| {
            let body = format!(r#"{{"access_token":"t","token_type":"DPoP","expires_in":{expires}}}"#);
            ServiceToken::new(judge_grant(&answer(200, &[], &body)).unwrap(), now)
        };
        assert!(token("600").is_fresh(now + Duration::seconds(569)));
        assert!(!token("600").is_fresh(now + Duration::seconds(570)));
        assert!(token("\"600\"").is_fresh(now));
        assert!(!token("null").is_fresh(now));
        assert!(!token("18446744073709551615").is_fresh(now + Duration::minutes(30)));
    }

    #[test]
    fn a_token_that_is_issued_at_the_end_of_the_calendar_ends_with_it() {
        let end = datetime!(9999-12-31 23:59:59 UTC);
        let body = r#"{"access_token":"t","token_type":"DPoP","expires_in":600}"#;
        let token = ServiceToken::new(judge_grant(&answer(200, &[], body)).unwrap(), end);
        assert!(token.is_fresh(end) && !token.is_fresh(end.saturating_add(Duration::minutes(1))));
    }
}
