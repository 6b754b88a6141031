//! The Cloud Signature Consortium API v2 (specs 2.0, 2.1, 2.2): `info`, `credentials/list`, `credentials/info`,
//! `signatures/signHash`. Answers come in as JSON, judged values go out. Refused: other versions, credentials that do
//! not meet SCAL2 or sign in explicit mode (TS 119 432 V1.3.1, 5.3.2), signatures that do not match what was asked.

mod algorithm;
mod credentials;
mod refusal;
mod sign;

pub use algorithm::{HashAlgorithm, KeyKind, SignAlgorithm};
pub use credentials::{CredentialInfo, CredentialRefusal};
pub use refusal::CscRefusal;

pub(crate) use credentials::{credential_info_body, judge_credential, judge_list};
pub(crate) use sign::{Signatures, judge_signatures};

use serde_json::Value;

use super::{error::ServiceError, json::Fields, refusal::clean};

/// The methods without which nothing can be signed, CSC v2 §11.
const NEEDED_METHODS: [&str; 2] = ["credentials/info", "signatures/signHash"];

/// A version of the CSC API that the agent speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecsVersion {
    /// 2.0.x
    V2_0,
    /// 2.1.x
    V2_1,
    /// 2.2.x
    V2_2,
}

impl SpecsVersion {
    /// From `specs`, such as `2.0.0.2`; what follows the second number is not judged.
    fn from_specs(specs: &str) -> Option<Self> {
        let mut numbers = specs.trim().trim_start_matches(['v', 'V']).split('.');
        match (numbers.next()?, numbers.next()?) {
            ("2", "0") => Some(Self::V2_0),
            ("2", "1") => Some(Self::V2_1),
            ("2", "2") => Some(Self::V2_2),
            _ => None,
        }
    }
}

/// What the service says of itself (CSC v2 §11.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceInfo {
    /// Version of the API.
    pub specs: SpecsVersion,
    /// Name of the service, in its own words, cleaned; may be empty.
    pub name: String,
    /// Methods that it announces; empty when it announces none.
    pub methods: Vec<String>,
}

impl ServiceInfo {
    /// Whether a method is announced, such as `credentials/list`.
    pub fn offers(&self, method: &str) -> bool {
        self.methods.iter().any(|offered| offered == method)
    }
}

/// Judges the answer to `info`.
pub(crate) fn judge_info(answer: &Value) -> Result<ServiceInfo, ServiceError> {
    let fields = Fields::of(answer);
    let specs = fields.text("specs").ok_or(ServiceError::Malformed("info"))?;
    let specs =
        SpecsVersion::from_specs(specs).ok_or_else(|| ServiceError::UnsupportedSpecs(clean(specs)))?;
    let methods: Vec<_> = fields.texts("methods").into_iter().map(clean).collect();
    let info = ServiceInfo { specs, name: fields.text("name").map(clean).unwrap_or_default(), methods };
    for needed in NEEDED_METHODS {
        if !info.methods.is_empty() && !info.offers(needed) {
            return Err(ServiceError::UnsupportedMethod(needed));
        }
    }
    Ok(info)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_2_0_to_2_2_are_spoken_and_no_other_csc_v2_11_1() {
        let specs = |specs: &str| judge_info(&json!({"specs": specs})).map(|info| info.specs);
        assert_eq!(specs("2.0.0.2"), Ok(SpecsVersion::V2_0));
        assert_eq!(specs("2.1.0.1"), Ok(SpecsVersion::V2_1));
        assert_eq!(specs("2.2"), Ok(SpecsVersion::V2_2));
        for other in ["1.0.4.0", "3.0", "2.20", "2", ""] {
            assert_eq!(specs(other), Err(ServiceError::UnsupportedSpecs(other.into())), "{other}");
        }
        assert_eq!(judge_info(&json!({"specs": null})), Err(ServiceError::Malformed("info")));
    }

    #[test]
    fn a_service_that_does_not_sign_hashes_is_refused() {
        let info = json!({
            "specs": "2.0.0.2", "name": "HPKI Second", "logo": null, "region": "JP", "lang": "ja-JP",
            "authType": ["oauth2code"], "methods": ["credentials/list", "credentials/info"],
            "signAlgorithms": {"algos": ["1.2.840.113549.1.1.11"]},
        });
        assert_eq!(judge_info(&info), Err(ServiceError::UnsupportedMethod("signatures/signHash")));
    }

    #[test]
    fn null_members_of_info_are_absent_members() {
        let info = judge_info(&json!({"specs": "2.2.0.0", "name": null, "methods": null})).unwrap();
        assert_eq!((info.name.as_str(), info.methods.len()), ("", 0));
    }
}
