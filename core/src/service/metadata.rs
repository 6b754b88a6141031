//! Discovery (RFC 8414): what the service says of itself at its well-known address, believed only within the origin
//! that the app trusts. Refused: another issuer (§3.3), endpoints of another origin or without TLS, a service that
//! announces methods, algorithms or grants among which ours is missing.

use serde_json::Value;
use url::Url;

use super::{json::Fields, profile::RarType};

/// `signatures/…` and its siblings live here when the metadata does not say otherwise.
const DEFAULT_CSC_PATH: &str = "/csc/v2";
/// Grant of the credential token (RFC 7523 §2.1).
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Grant of the service token (RFC 6749 §4.4).
pub(crate) const CLIENT_CREDENTIALS: &str = "client_credentials";

/// Why the metadata are refused.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum MetadataError {
    /// The trust configuration's issuer is not an `https` URL without query and fragment (RFC 8414 §2).
    #[error("the configured issuer is not an https URL")]
    ConfiguredIssuer,
    /// `issuer` is not the configured one, character by character (RFC 8414 §3.3).
    #[error("the metadata name another issuer")]
    Issuer,
    /// A required member is missing or is not a URL.
    #[error("the metadata lack {0}")]
    Missing(&'static str),
    /// An endpoint that is not `https` on the issuer's host and port.
    #[error("{0} lies outside the issuer's origin")]
    ForeignEndpoint(&'static str),
    /// An announced list lacks what the agent needs.
    #[error("the metadata's {list} lacks {value}")]
    Unsupported {
        /// Name of the member.
        list: &'static str,
        /// What it should hold.
        value: &'static str,
    },
}

/// The endpoints of one service, all `https` and of one origin.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// The issuer, exactly as configured.
    pub issuer: String,
    /// RFC 7591.
    pub registration_endpoint: Url,
    /// RFC 6749 §3.2.
    pub token_endpoint: Url,
    /// The inbox (protocol §6).
    pub prescriptions_endpoint: Url,
    /// Base of the CSC methods, without trailing slash.
    pub csc_endpoint: Url,
    /// RFC 9396 types that the service announces; `None` when it announces none at all.
    pub(crate) rar_types: Option<Vec<RarType>>,
}

/// Where the metadata of `issuer` are found (RFC 8414 §3.1): the well-known part stands between host and path.
pub(crate) fn location(issuer: &str) -> Result<Url, MetadataError> {
    let mut url = Url::parse(issuer).map_err(|_| MetadataError::ConfiguredIssuer)?;
    if url.scheme() != "https" || url.query().is_some() || url.fragment().is_some() || has_user(&url) {
        return Err(MetadataError::ConfiguredIssuer);
    }
    let path = format!("/.well-known/oauth-authorization-server{}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

/// Whether a URL may be given a token of this issuer: `https`, same host and port, no user information.
pub(crate) fn belongs_to(url: &Url, issuer: &Url) -> bool {
    url.scheme() == "https" && url.origin() == issuer.origin() && !has_user(url)
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Judges the metadata document of `issuer`.
pub(crate) fn judge(issuer: &str, document: &Value) -> Result<Metadata, MetadataError> {
    let fields = Fields::of(document);
    if fields.text("issuer") != Some(issuer) {
        return Err(MetadataError::Issuer);
    }
    let origin = Url::parse(issuer).map_err(|_| MetadataError::ConfiguredIssuer)?;
    let endpoint = |name| match fields.text(name).map(Url::parse) {
        Some(Ok(url)) if belongs_to(&url, &origin) && url.fragment().is_none() => Ok(url),
        Some(Ok(_)) => Err(MetadataError::ForeignEndpoint(name)),
        _ => Err(MetadataError::Missing(name)),
    };
    for (list, value) in [
        ("token_endpoint_auth_methods_supported", "private_key_jwt"),
        ("token_endpoint_auth_signing_alg_values_supported", "ES256"),
        ("dpop_signing_alg_values_supported", "ES256"),
        ("grant_types_supported", CLIENT_CREDENTIALS),
        ("grant_types_supported", JWT_BEARER),
    ] {
        if fields.get(list).is_some() && !fields.texts(list).contains(&value) {
            return Err(MetadataError::Unsupported { list, value });
        }
    }
    Ok(Metadata {
        issuer: issuer.to_owned(),
        registration_endpoint: endpoint("registration_endpoint")?,
        token_endpoint: endpoint("token_endpoint")?,
        prescriptions_endpoint: endpoint("prescriptions_endpoint")?,
        csc_endpoint: match fields.get("csc_endpoint") {
            Some(_) => endpoint("csc_endpoint")?,
            None => below(&origin, DEFAULT_CSC_PATH),
        },
        rar_types: rar_types(fields)?,
    })
}

fn rar_types(fields: Fields<'_>) -> Result<Option<Vec<RarType>>, MetadataError> {
    let list = "authorization_details_types_supported";
    if fields.get(list).is_none() {
        return Ok(None);
    }
    let known: Vec<_> = fields.texts(list).into_iter().filter_map(RarType::from_id).collect();
    if known.is_empty() {
        return Err(MetadataError::Unsupported { list, value: RarType::Csc20.id() });
    }
    Ok(Some(known))
}

/// `base` with `path` (which begins with a slash) added to its own.
pub(crate) fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUER: &str = "https://sign.example:8443";

    fn document() -> Value {
        json!({
            "issuer": ISSUER,
            "registration_endpoint": "https://sign.example:8443/register",
            "token_endpoint": "https://sign.example:8443/token",
            "prescriptions_endpoint": "https://sign.example:8443/prescriptions",
        })
    }

    fn with(name: &str, value: Value) -> Result<Metadata, MetadataError> {
        let mut document = document();
        document[name] = value;
        judge(ISSUER, &document)
    }

    #[test]
    fn the_well_known_part_stands_between_host_and_path_rfc_8414_3_1() {
        let at = |issuer| location(issuer).map(String::from);
        assert_eq!(at(ISSUER).unwrap(), format!("{ISSUER}/.well-known/oauth-authorization-server"));
        assert_eq!(
            at("https://a.example/b").unwrap(),
            "https://a.example/.well-known/oauth-authorization-server/b"
        );
        for bad in ["http://a.example", "https://a.example?x", "https://u@a.example", "a.example"] {
            assert_eq!(at(bad), Err(MetadataError::ConfiguredIssuer), "{bad}");
        }
    }

    #[test]
    fn csc_methods_live_below_the_issuer_unless_announced() {
        assert_eq!(judge(ISSUER, &document()).unwrap().csc_endpoint.path(), "/csc/v2");
        let announced = with("csc_endpoint", json!("https://sign.example:8443/api/csc/v2/")).unwrap();
        assert_eq!(below(&announced.csc_endpoint, "/info").path(), "/api/csc/v2/info");
    }

    #[test]
    fn another_issuer_is_refused_rfc_8414_3_3() {
        for issuer in ["https://sign.example:8443/", "https://SIGN.example:8443", "https://evil.example"] {
            assert_eq!(with("issuer", json!(issuer)).unwrap_err(), MetadataError::Issuer);
        }
    }

    #[test]
    fn endpoints_outside_the_issuers_origin_are_refused() {
        for url in [
            "https://evil.example/token",
            "http://sign.example:8443/token",
            "https://sign.example/token",
            "https://u:p@sign.example:8443/token",
            "https://sign.example:8443/token#x",
        ] {
            let refused = with("token_endpoint", json!(url)).unwrap_err();
            assert_eq!(refused, MetadataError::ForeignEndpoint("token_endpoint"), "{url}");
        }
        let refused = with("prescriptions_endpoint", Value::Null).unwrap_err();
        assert_eq!(refused, MetadataError::Missing("prescriptions_endpoint"));
    }

    #[test]
    fn lists_count_only_when_announced() {
        assert!(with("grant_types_supported", Value::Null).is_ok());
        assert!(with("grant_types_supported", json!([CLIENT_CREDENTIALS, JWT_BEARER, "x"])).is_ok());
        let refused = with("grant_types_supported", json!([CLIENT_CREDENTIALS])).unwrap_err();
        assert_eq!(refused, MetadataError::Unsupported { list: "grant_types_supported", value: JWT_BEARER });
        assert!(with("token_endpoint_auth_methods_supported", json!(["client_secret_basic"])).is_err());
        assert!(with("dpop_signing_alg_values_supported", json!(["EdDSA"])).is_err());
        assert!(with("authorization_details_types_supported", json!(["payment"])).is_err());
    }
}
