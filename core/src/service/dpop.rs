//! Proofs of possession (RFC 9449): each request to the service shows that it comes from this phone.

use ring::digest;
use serde_json::json;
use url::Url;
use zeroize::Zeroizing;

use super::{http::Method, identity::PhoneKeys};
use crate::{
    device::{Device, KeyRole, KeyVaultError},
    jose::{UnsignedJws, base64url},
};

/// Random bits of a `jti`: no two proofs of a phone's life coincide (RFC 9449 §4.2 asks for at least 96).
const JTI_BYTES: usize = 16;

/// A new `jti`.
pub(crate) fn unique_id(device: &Device) -> String {
    let mut bytes = [0; JTI_BYTES];
    device.random.fill(&mut bytes);
    base64url(bytes)
}

/// A proof for one request (§4.2): `htu` is the URL without query and fragment; `ath` stands exactly when an access
/// token goes with the request; `nonce` is the service's latest.
pub(crate) async fn proof(
    device: &Device,
    keys: &PhoneKeys,
    (method, url): (Method, &Url),
    access_token: Option<&str>,
    nonce: Option<&str>,
) -> Result<Zeroizing<String>, KeyVaultError> {
    let mut target = url.clone();
    target.set_query(None);
    target.set_fragment(None);
    let mut claims = json!({
        "jti": unique_id(device),
        "htm": method.as_str(),
        "htu": target.as_str(),
        "iat": device.clock.now().unix_timestamp(),
    });
    if let Some(token) = access_token {
        claims["ath"] = base64url(digest::digest(&digest::SHA256, token.as_bytes())).into();
    }
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    let header = json!({"typ": "dpop+jwt", "jwk": keys.device.to_jwk()});
    let unsigned = UnsignedJws::new(&header, &claims);
    let alias = keys.alias(KeyRole::Device);
    let signature = device.keys.sign(&alias, unsigned.signing_input(), None).await?;
    Ok(unsigned.finish(&signature))
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{Phone, jws_parts},
        *,
    };

    #[tokio::test]
    async fn a_proof_has_exactly_the_members_of_rfc_9449_section_4_2() {
        let phone = Phone::new();
        let url = Url::parse("https://sign.example/prescriptions?wait=25#x").unwrap();
        let (device, keys) = (phone.device(), phone.keys());
        let proof = proof(&device, &keys, (Method::Get, &url), Some("token"), Some("n-1")).await.unwrap();
        let (header, claims) = jws_parts(&proof, &keys.device);
        assert_eq!(header, json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": keys.device.to_jwk()}));
        assert_eq!(claims["htm"], "GET");
        assert_eq!(claims["htu"], "https://sign.example/prescriptions");
        assert_eq!(claims["iat"], phone.now().unix_timestamp());
        // base64url(SHA-256("token")), RFC 9449 §4.2 `ath`
        assert_eq!(claims["ath"], "PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A");
        assert_eq!(claims["nonce"], "n-1");
        assert_eq!(claims["jti"].as_str().unwrap().len(), 22);
        assert_eq!(claims.as_object().unwrap().len(), 6);
    }

    #[tokio::test]
    async fn two_proofs_never_share_a_jti_and_hold_no_ath_without_a_token() {
        let phone = Phone::new();
        let url = Url::parse("https://sign.example/token").unwrap();
        let (device, keys) = (phone.device(), phone.keys());
        let mut seen = Vec::new();
        for _ in 0..2 {
            let proof = proof(&device, &keys, (Method::Post, &url), None, None).await.unwrap();
            let (_, claims) = jws_parts(&proof, &keys.device);
            assert!(claims.get("ath").is_none() && claims.get("nonce").is_none());
            seen.push(claims["jti"].clone());
        }
        assert_ne!(seen[0], seen[1]);
    }
}
