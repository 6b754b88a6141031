//! The answer to `signatures/signHash` (CSC v2 §11.10). Whether a value is a signature is decided by the module
//! `signature`, with the certificate's key; here it is only counted and decoded.

use serde_json::Value;

use crate::service::{error::ServiceError, json::Fields, json::base64_any};

/// Bytes of one signature value: RSA 8192 at most.
const MAX_SIGNATURE: usize = 1024;
/// Bytes of a `responseID`.
const MAX_RESPONSE_ID: usize = 256;

/// What `signHash` gives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Signatures {
    /// The values, as many as hashes were sent.
    Ready(Vec<Vec<u8>>),
    /// The service signs later: what to ask `signPolling` for.
    Later(String),
}

/// Judges the answer to `signHash` for so many hashes.
pub(crate) fn judge_signatures(asked: usize, answer: &Value) -> Result<Signatures, ServiceError> {
    let malformed = ServiceError::Malformed("signatures/signHash");
    let fields = Fields::of(answer);
    let Some(Value::Array(signatures)) = fields.get("signatures") else {
        let id = fields.text("responseID").filter(|id| (1..=MAX_RESPONSE_ID).contains(&id.len()));
        return id.map(|id| Signatures::Later(id.to_owned())).ok_or(malformed);
    };
    if signatures.len() != asked {
        return Err(ServiceError::SignatureCount { asked, received: signatures.len() });
    }
    let decoded: Option<Vec<_>> = signatures
        .iter()
        .map(|signature| base64_any(signature.as_str()?))
        .map(|value| value.filter(|value| !value.is_empty() && value.len() <= MAX_SIGNATURE))
        .collect();
    decoded.map(Signatures::Ready).ok_or(malformed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn as_many_signatures_as_hashes_come_back_in_any_base64() {
        let answer = json!({"signatures": ["++//AQ==", "--__AQ"], "responseID": null});
        let values = vec![vec![0xFB, 0xEF, 0xFF, 0x01]; 2];
        assert_eq!(judge_signatures(2, &answer), Ok(Signatures::Ready(values)));
        let wrong = ServiceError::SignatureCount { asked: 3, received: 2 };
        assert_eq!(judge_signatures(3, &answer), Err(wrong));
    }

    #[test]
    fn an_asynchronous_answer_says_what_to_ask_for() {
        let later = Ok(Signatures::Later("r-1".into()));
        assert_eq!(judge_signatures(1, &json!({"responseID": "r-1", "signatures": null})), later);
    }

    #[test]
    fn what_is_no_list_of_base64_is_malformed() {
        for answer in [
            json!({}),
            json!({"signatures": null}),
            json!({"responseID": ""}),
            json!({"signatures": "AQ=="}),
            json!({"signatures": [""]}),
            json!({"signatures": [5]}),
            json!({"signatures": ["A".repeat(2000)]}),
        ] {
            let malformed = Err(ServiceError::Malformed("signatures/signHash"));
            assert_eq!(judge_signatures(1, &answer), malformed, "{answer}");
        }
    }
}
