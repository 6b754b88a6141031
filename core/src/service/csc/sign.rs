//! The answer to `signatures/signHash` (CSC v2 §11.10). Whether a value is a signature is decided by the module
//! `signature`, with the certificate's key; here it is only counted and decoded.

use serde_json::Value;

use crate::service::{error::ServiceError, json::Fields, json::base64_any};

/// Bytes of one signature value: RSA 8192 at most.
const MAX_SIGNATURE: usize = 1024;

/// The signature values, as many as hashes were sent.
pub(crate) fn judge_signatures(asked: usize, answer: &Value) -> Result<Vec<Vec<u8>>, ServiceError> {
    let malformed = ServiceError::Malformed("signatures/signHash");
    let fields = Fields::of(answer);
    let Some(Value::Array(signatures)) = fields.get("signatures") else {
        let asynchronous = fields.text("responseID").is_some();
        return Err(if asynchronous { ServiceError::Asynchronous } else { malformed });
    };
    if signatures.len() != asked {
        return Err(ServiceError::SignatureCount { asked, received: signatures.len() });
    }
    let decoded: Option<Vec<_>> = signatures
        .iter()
        .map(|signature| base64_any(signature.as_str()?))
        .map(|value| value.filter(|value| !value.is_empty() && value.len() <= MAX_SIGNATURE))
        .collect();
    decoded.ok_or(malformed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn as_many_signatures_as_hashes_come_back_in_any_base64() {
        let answer = json!({"signatures": ["++//AQ==", "--__AQ"], "responseID": null});
        assert_eq!(judge_signatures(2, &answer).unwrap(), vec![vec![0xFB, 0xEF, 0xFF, 0x01]; 2]);
        let wrong = ServiceError::SignatureCount { asked: 3, received: 2 };
        assert_eq!(judge_signatures(3, &answer), Err(wrong));
    }

    #[test]
    fn an_asynchronous_answer_is_named_as_such() {
        assert_eq!(judge_signatures(1, &json!({"responseID": "r-1"})), Err(ServiceError::Asynchronous));
    }

    #[test]
    fn what_is_no_list_of_base64_is_malformed() {
        for answer in [
            json!({}),
            json!({"signatures": null}),
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
