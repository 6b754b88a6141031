//! `credentials/list` and `credentials/info` (CSC v2 §11.4, §11.5): which credentials there are, and whether one may
//! sign. A [`CredentialInfo`] exists only for a credential that may.

use serde_json::{Value, json};

use super::{HashAlgorithm, SignAlgorithm};
use crate::service::{error::ServiceError, json::Fields, json::base64_any};

/// A doctor has one or two credentials; a longer list is cut.
const MAX_CREDENTIALS: usize = 50;
/// Bytes of a credential's identifier.
const MAX_ID: usize = 256;
/// A path from a leaf to its root; HPKI has three certificates.
const MAX_CHAIN: usize = 8;

/// A credential that is enabled, meets SCAL2, is authorised by OAuth 2.0 and signs with a known algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialInfo {
    id: String,
    chain: Vec<Vec<u8>>,
    multisign: usize,
    algorithms: Vec<SignAlgorithm>,
    certificate_said_valid: bool,
}

impl CredentialInfo {
    /// `credentialID`, not empty.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The certificate chain, DER, leaf first; at least the leaf. Nothing about it has been judged here.
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// Signatures that one authorisation may cover, 1 or more.
    pub fn multisign(&self) -> usize {
        self.multisign
    }

    /// Signature algorithms of the key, 1 or more.
    pub fn algorithms(&self) -> &[SignAlgorithm] {
        &self.algorithms
    }

    /// Whether the service says itself that the certificate is `valid`; `false` when it says nothing.
    pub fn certificate_said_valid(&self) -> bool {
        self.certificate_said_valid
    }

    /// The key's algorithm with this hash.
    pub fn algorithm(&self, hash: HashAlgorithm) -> Option<SignAlgorithm> {
        self.algorithms.iter().copied().find(|algorithm| algorithm.hash == hash)
    }
}

/// Why a credential may not sign.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum CredentialRefusal {
    /// Nobody said which credential.
    #[error("the credential has no identifier")]
    NoIdentifier,
    /// `key.status` is not `enabled`.
    #[error("the signing key is disabled")]
    Disabled,
    /// `cert.status` says so.
    #[error("the certificate is revoked")]
    Revoked,
    /// `cert.status` says so.
    #[error("the certificate is suspended")]
    Suspended,
    /// `cert.status` says so.
    #[error("the certificate is expired")]
    Expired,
    /// `SCAL` is not `2` (absent means 1): the service would sign without the doctor's own activation data.
    #[error("the credential does not give the signer sole control (SCAL2)")]
    NotScal2,
    /// `auth.mode` is not `oauth2code`: a PIN typed into an app does not count as SCAL2 (TS 119 432 V1.3.1, 5.3.2).
    #[error("the credential is authorised in another way than OAuth 2.0")]
    AuthorizationMode,
    /// `multisign` is missing or 0.
    #[error("the credential cannot sign")]
    Multisign,
    /// No algorithm of the key is known.
    #[error("the key's algorithms are not supported")]
    Algorithm,
    /// The answer does not say whether the key is enabled, which CSC v2 §11.5 requires.
    #[error("the service says nothing of the signing key")]
    NoKey,
    /// No certificate came along, or one is not base64.
    #[error("the credential has no readable certificate")]
    NoCertificate,
}

/// The body of `credentials/info`.
pub(crate) fn credential_info_body(id: &str) -> Value {
    json!({"credentialID": id, "certificates": "chain", "certInfo": true, "authInfo": true})
}

/// The identifiers of `credentials/list`.
pub(crate) fn judge_list(answer: &Value) -> Result<Vec<String>, ServiceError> {
    let fields = Fields::of(answer);
    if !fields.get("credentialIDs").is_some_and(Value::is_array) {
        return Err(ServiceError::Malformed("credentials/list"));
    }
    let is_id = |id: &&str| !id.is_empty() && id.len() <= MAX_ID && !id.chars().any(char::is_control);
    let ids = fields.texts("credentialIDs").into_iter().filter(is_id);
    Ok(ids.take(MAX_CREDENTIALS).map(str::to_owned).collect())
}

/// Judges `credentials/info` of credential `id`.
pub(crate) fn judge_credential(id: &str, answer: &Value) -> Result<CredentialInfo, CredentialRefusal> {
    if id.is_empty() {
        return Err(CredentialRefusal::NoIdentifier);
    }
    let fields = Fields::of(answer);
    let (key, cert, auth) = (fields.object("key"), fields.object("cert"), fields.object("auth"));
    let cert_status = cert.text("status").map(str::to_ascii_lowercase);
    match cert_status.as_deref() {
        None | Some("valid") => {}
        Some("revoked") => return Err(CredentialRefusal::Revoked),
        Some("suspended") => return Err(CredentialRefusal::Suspended),
        Some("expired") => return Err(CredentialRefusal::Expired),
        Some(_) => return Err(CredentialRefusal::Disabled),
    }
    let key_status = key.text("status").ok_or(CredentialRefusal::NoKey)?;
    if !key_status.eq_ignore_ascii_case("enabled") {
        return Err(CredentialRefusal::Disabled);
    }
    if fields.number("SCAL") != Some(2) {
        return Err(CredentialRefusal::NotScal2);
    }
    if auth.text("mode") != Some("oauth2code") {
        return Err(CredentialRefusal::AuthorizationMode);
    }
    let multisign = fields.number("multisign").and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    if multisign == 0 {
        return Err(CredentialRefusal::Multisign);
    }
    let algorithms: Vec<_> = key.texts("algo").into_iter().flat_map(SignAlgorithm::announced_by).collect();
    if algorithms.is_empty() {
        return Err(CredentialRefusal::Algorithm);
    }
    let chain: Option<Vec<_>> =
        cert.texts("certificates").into_iter().take(MAX_CHAIN).map(base64_any).collect();
    let chain = chain.filter(|chain| !chain.is_empty()).ok_or(CredentialRefusal::NoCertificate)?;
    Ok(CredentialInfo {
        id: id.to_owned(),
        chain,
        multisign,
        algorithms,
        certificate_said_valid: cert_status.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shape of CSC v2 §11.5, with what real services add.
    fn answer() -> Value {
        json!({
            "description": null,
            "signatureQualifier": null,
            "key": {"status": "enabled", "algo": ["1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11"], "len": 2048},
            "cert": {
                "status": "valid",
                "certificates": ["MIIB", "MIIC"],
                "issuerDN": "CN=HPKI-01-TestSignCA-forNonRepudiation,C=JP",
                "serialNumber": "5AAC41CD8FA22B953640",
                "validFrom": "20250401000000Z",
                "validTo": "20300401145959Z"
            },
            "auth": {"mode": "oauth2code", "expression": null, "objects": null},
            "SCAL": "2",
            "multisign": 100,
            "lang": "ja-JP"
        })
    }

    fn judged(change: impl FnOnce(&mut Value)) -> Result<CredentialInfo, CredentialRefusal> {
        let mut answer = answer();
        change(&mut answer);
        judge_credential("credential-1", &answer)
    }

    #[test]
    fn a_credential_that_may_sign_is_described_csc_v2_11_5() {
        let info = judged(|_| {}).unwrap();
        assert_eq!((info.id(), info.chain().len(), info.multisign()), ("credential-1", 2, 100));
        assert!(info.certificate_said_valid());
        assert_eq!(info.algorithm(HashAlgorithm::Sha256).unwrap().oid(), "1.2.840.113549.1.1.11");
    }

    #[test]
    fn a_credential_without_an_identifier_cannot_be_activated() {
        assert_eq!(judge_credential("", &answer()), Err(CredentialRefusal::NoIdentifier));
    }

    #[test]
    fn scal_other_than_2_is_refused_and_absent_means_1() {
        assert_eq!(judged(|a| a["SCAL"] = json!("1")), Err(CredentialRefusal::NotScal2));
        assert_eq!(judged(|a| a["SCAL"] = Value::Null), Err(CredentialRefusal::NotScal2));
        assert!(judged(|a| a["SCAL"] = json!(2)).is_ok());
    }

    #[test]
    fn explicit_mode_is_refused_ts_119_432_5_3_2() {
        assert_eq!(
            judged(|a| a["auth"]["mode"] = json!("explicit")),
            Err(CredentialRefusal::AuthorizationMode)
        );
        assert_eq!(judged(|a| a["auth"] = Value::Null), Err(CredentialRefusal::AuthorizationMode));
    }

    #[test]
    fn a_key_or_certificate_that_is_not_in_force_is_refused_by_name() {
        assert_eq!(judged(|a| a["key"]["status"] = json!("disabled")), Err(CredentialRefusal::Disabled));
        assert_eq!(judged(|a| a["key"]["status"] = Value::Null), Err(CredentialRefusal::NoKey));
        assert_eq!(judged(|a| a["cert"]["status"] = json!("revoked")), Err(CredentialRefusal::Revoked));
        assert_eq!(judged(|a| a["cert"]["status"] = json!("suspended")), Err(CredentialRefusal::Suspended));
        assert_eq!(judged(|a| a["cert"]["status"] = json!("expired")), Err(CredentialRefusal::Expired));
        assert!(!judged(|a| a["cert"]["status"] = Value::Null).unwrap().certificate_said_valid());
    }

    #[test]
    fn a_credential_without_signatures_algorithms_or_certificates_is_refused() {
        assert_eq!(judged(|a| a["multisign"] = json!(0)), Err(CredentialRefusal::Multisign));
        assert_eq!(judged(|a| a["multisign"] = Value::Null), Err(CredentialRefusal::Multisign));
        assert_eq!(judged(|a| a["key"]["algo"] = json!(["1.3.101.112"])), Err(CredentialRefusal::Algorithm));
        assert_eq!(judged(|a| a["cert"]["certificates"] = json!([])), Err(CredentialRefusal::NoCertificate));
        assert_eq!(
            judged(|a| a["cert"]["certificates"] = json!(["!"])),
            Err(CredentialRefusal::NoCertificate)
        );
    }

    #[test]
    fn a_list_holds_only_usable_identifiers_csc_v2_11_4() {
        let list = json!({"credentialIDs": ["a", "", null, 5, "b\n", "c"], "onlyValid": null});
        assert_eq!(judge_list(&list).unwrap(), ["a", "c"]);
        assert_eq!(judge_list(&json!({})), Err(ServiceError::Malformed("credentials/list")));
        let many = json!({"credentialIDs": vec!["x"; 1000]});
        assert_eq!(judge_list(&many).unwrap().len(), MAX_CREDENTIALS);
    }
}
