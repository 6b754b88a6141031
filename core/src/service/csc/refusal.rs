//! Refusals of CSC methods. Nearly all of them are 400 `invalid_request` told apart by text alone (CSC v2 §11.10 and
//! what services really send), so words are matched, in any case and order, and what matches nothing is kept.

use crate::service::refusal::Refusal;

/// Why a CSC method was refused.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum CscRefusal {
    /// The authorisation ended before it was used: approve again.
    #[error("the authorisation has expired")]
    SadExpired,
    /// The authorisation is unknown, spent or for something else: approve again.
    #[error("the authorisation was not accepted")]
    SadInvalid,
    /// A hash is not among those approved.
    #[error("a hash is not covered by the authorisation")]
    HashNotAuthorized,
    /// The list of hashes was empty.
    #[error("the service received no hash")]
    NoHash,
    /// A hash is not base64, or not of its algorithm's length.
    #[error("the service could not read a hash")]
    HashUnreadable,
    /// More signatures than the credential or the authorisation allows.
    #[error("more signatures than allowed")]
    TooManySignatures,
    /// Too many failed authorisations: the office must unlock it.
    #[error("the credential is locked")]
    CredentialLocked,
    /// The credential is disabled.
    #[error("the credential is disabled")]
    CredentialDisabled,
    /// The service does not know the credential.
    #[error("the credential is unknown")]
    CredentialUnknown,
    /// The signing certificate is expired.
    #[error("the signing certificate is expired")]
    CertificateExpired,
    /// The signing certificate is revoked or suspended.
    #[error("the signing certificate is revoked")]
    CertificateRevoked,
    /// The service does not sign with this algorithm.
    #[error("the signature algorithm is not accepted")]
    Algorithm,
    /// Anything else, in the service's own words.
    #[error(transparent)]
    Unclassified(Refusal),
}

impl CscRefusal {
    pub(crate) fn of(refusal: Refusal) -> Self {
        let words = without_quoted(&refusal.words).to_lowercase();
        let said = |all: &[&str]| all.iter().all(|word| words.contains(word));
        if said(&["certificate", "expired"]) {
            Self::CertificateExpired
        } else if said(&["certificate", "revoked"]) || said(&["certificate", "suspended"]) {
            Self::CertificateRevoked
        } else if said(&["hash", "not authorized"]) || said(&["hash", "not authorised"]) {
            Self::HashNotAuthorized
        } else if said(&["sad", "expired"]) {
            Self::SadExpired
        } else if said(&["parameter sad"]) || said(&["invalid sad"]) || said(&["sad", "already"]) {
            Self::SadInvalid
        } else if said(&["empty hash"]) || said(&["missing", "hashes"]) {
            Self::NoHash
        } else if said(&["base64", "hash"]) || said(&["digest", "length"]) || said(&["hash", "length"]) {
            Self::HashUnreadable
        } else if said(&["signatures", "too high"]) || said(&["too many signatures"]) {
            Self::TooManySignatures
        } else if said(&["credential", "locked"]) {
            Self::CredentialLocked
        } else if said(&["credential", "disabled"]) {
            Self::CredentialDisabled
        } else if said(&["parameter credentialid"]) || said(&["credential", "not found"]) {
            Self::CredentialUnknown
        } else if said(&["parameter signalgo"]) || said(&["parameter hashalgorithmoid"]) {
            Self::Algorithm
        } else {
            Self::Unclassified(refusal)
        }
    }
}

/// Texts quote the certificate's subject, whose words must not decide.
fn without_quoted(words: &str) -> String {
    words.split('\'').step_by(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(words: &str) -> CscRefusal {
        CscRefusal::of(Refusal { status: 400, code: "invalid_request".into(), words: words.into() })
    }

    #[test]
    fn the_texts_of_csc_v2_are_told_apart() {
        for (words, expected) in [
            ("SAD expired", CscRefusal::SadExpired),
            ("Invalid parameter SAD", CscRefusal::SadInvalid),
            ("Missing (or invalid type) string parameter SAD", CscRefusal::SadInvalid),
            ("Hash is not authorized by the SAD.", CscRefusal::HashNotAuthorized),
            ("Empty hash array", CscRefusal::NoHash),
            ("Missing (or invalid type) array parameter hashes", CscRefusal::NoHash),
            ("Invalid Base64 hash string parameter", CscRefusal::HashUnreadable),
            ("Invalid digest value length", CscRefusal::HashUnreadable),
            ("Numbers of signatures is too high", CscRefusal::TooManySignatures),
            ("Credential locked", CscRefusal::CredentialLocked),
            ("The credential identified by credentialID is disabled", CscRefusal::CredentialDisabled),
            ("Invalid parameter credentialID", CscRefusal::CredentialUnknown),
            ("Signing certificate 'CN=Taro Kagura,C=JP' is expired.", CscRefusal::CertificateExpired),
            ("Invalid parameter signAlgo", CscRefusal::Algorithm),
        ] {
            assert_eq!(refusal(words), expected, "{words}");
            assert_eq!(refusal(&words.to_uppercase()), expected, "{words}");
        }
    }

    #[test]
    fn a_quoted_name_decides_nothing() {
        assert_eq!(refusal("Credential 'SAD expired' locked"), CscRefusal::CredentialLocked);
    }

    #[test]
    fn unknown_words_are_kept_as_they_were() {
        let words = "The HSM is out of order";
        let CscRefusal::Unclassified(kept) = refusal(words) else { panic!("classified") };
        assert_eq!((kept.status, kept.words.as_str()), (400, words));
    }
}
