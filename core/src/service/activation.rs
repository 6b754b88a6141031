//! Signature activation data (SAD): the one statement by which a doctor approves a batch. It binds the signer, the
//! credential and every hash (EN 419 241-1 SCAL2, protocol §8.1); without one of them it cannot be built. The
//! approval key signs it after user verification, and the service turns it into a [`CredentialToken`] that authorises
//! exactly these hashes, once (RFC 7523 §2.1, RFC 9396).

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use url::Url;
use zeroize::Zeroizing;

use super::{
    csc::{CredentialInfo, HashAlgorithm, SignAlgorithm},
    dpop::unique_id,
    identity::Client,
    profile::RarType,
};
use crate::{
    device::{Device, KeyRole, KeyVaultError, Prompt},
    jose::UnsignedJws,
};

/// Seconds that the SAD may be used: the protocol's limit, from which the doctor's own time at the prompt is taken.
pub const SAD_LIFETIME: i64 = 300;
/// Most hashes in one act, whatever the credential allows: no doctor looks through more in one go, and the SAD stays
/// well under a usual server's limit on forms.
pub const MAX_HASHES: usize = 100;
/// Characters of a label: a request id or a file name.
pub const MAX_LABEL: usize = 128;

/// One hash to be approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentDigest {
    /// The DTBS/R (hash of the SignedInfo), raw bytes.
    pub hash: Vec<u8>,
    /// What it belongs to: a request id or a file label, not empty, no patient data.
    pub label: String,
}

/// Why there is nothing that could be approved.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum ActivationError {
    /// The identity has no `client_id`.
    #[error("there is no signer")]
    NoSigner,
    /// No hash.
    #[error("there is nothing to approve")]
    NoHash,
    /// More hashes than the credential's `multisign` or [`MAX_HASHES`] allows in one act.
    #[error("{asked} signatures were asked for, {allowed} are allowed in one act")]
    TooMany {
        /// Hashes given.
        asked: usize,
        /// Hashes allowed.
        allowed: usize,
    },
    /// A hash has not the length of its algorithm.
    #[error("hash {index} has a wrong length")]
    HashLength {
        /// Position, from 0.
        index: usize,
    },
    /// A label is empty, too long, or holds control characters.
    #[error("label {index} cannot be used")]
    Label {
        /// Position, from 0.
        index: usize,
    },
    /// The credential's key does not sign with this hash algorithm.
    #[error("the credential does not sign with {0:?}")]
    Algorithm(HashAlgorithm),
}

/// What one act approves: this credential, these hashes, in this order. It is made inside this crate alone, from
/// prepared prescriptions, so that no app can have any other hash signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureActivation {
    credential_id: String,
    algorithm: SignAlgorithm,
    digests: Vec<DocumentDigest>,
}

impl SignatureActivation {
    /// A batch of 1 to `multisign` hashes for a credential that has been found fit to sign. The signer is the
    /// [`BoundService`](super::BoundService) that activates it, which does not exist without one.
    ///
    /// # Errors
    /// [`ActivationError`].
    pub(crate) fn new(
        credential: &CredentialInfo,
        hash_algorithm: HashAlgorithm,
        digests: Vec<DocumentDigest>,
    ) -> Result<Self, ActivationError> {
        let allowed = credential.multisign().min(MAX_HASHES);
        if digests.is_empty() {
            return Err(ActivationError::NoHash);
        }
        if digests.len() > allowed {
            return Err(ActivationError::TooMany { asked: digests.len(), allowed });
        }
        for (index, digest) in digests.iter().enumerate() {
            if digest.hash.len() != hash_algorithm.len() {
                return Err(ActivationError::HashLength { index });
            }
            if !is_label(&digest.label) {
                return Err(ActivationError::Label { index });
            }
        }
        let algorithm =
            credential.algorithm(hash_algorithm).ok_or(ActivationError::Algorithm(hash_algorithm))?;
        Ok(Self { credential_id: credential.id().to_owned(), algorithm, digests })
    }

    /// Number of signatures that this act approves.
    pub fn count(&self) -> usize {
        self.digests.len()
    }

    /// The RFC 9396 `authorization_details` of CSC v2.
    pub(crate) fn authorization_details(&self, rar_type: RarType) -> Value {
        let digests = self.digests.iter();
        json!([{
            "type": rar_type.id(),
            "credentialID": self.credential_id,
            "numSignatures": self.count(),
            "hashAlgorithmOID": self.algorithm.hash.oid(),
            "hashType": "dtbsr",
            "documentDigests": digests
                .map(|digest| json!({"hash": STANDARD.encode(&digest.hash), "label": digest.label}))
                .collect::<Vec<_>>(),
        }])
    }

    /// The body of `signatures/signHash` (CSC v2 §11.10): the same credential and hashes, in the same order.
    pub(crate) fn sign_hash_body(&self) -> Value {
        json!({
            "credentialID": self.credential_id,
            "hashes": self.digests.iter().map(|digest| STANDARD.encode(&digest.hash)).collect::<Vec<_>>(),
            "hashAlgorithmOID": self.algorithm.hash.oid(),
            "signAlgo": self.algorithm.oid(),
        })
    }

    /// The SAD itself (protocol §4), signed by the approval key: the user is verified now, for this many signatures.
    pub(crate) async fn sign(
        &self,
        device: &Device,
        client: &Client,
        token_endpoint: &Url,
        nonce: &str,
        details: &Value,
    ) -> Result<Zeroizing<String>, KeyVaultError> {
        let now = device.clock.now().unix_timestamp();
        let header = json!({"typ": "sad+jwt", "kid": client.keys.approval.thumbprint()});
        let claims = json!({
            "iss": client.client_id,
            "sub": self.credential_id,
            "aud": token_endpoint.as_str(),
            "jti": unique_id(device),
            "iat": now,
            "exp": now + SAD_LIFETIME,
            "nonce": nonce,
            "purpose": "e-prescription",
            "authorization_details": details,
        });
        let unsigned = UnsignedJws::new(&header, &claims);
        let alias = client.keys.alias(KeyRole::Approval);
        let prompt = Prompt::Approve { count: self.count() };
        let signature = device.keys.sign(&alias, unsigned.signing_input(), Some(&prompt)).await?;
        Ok(unsigned.finish(&signature))
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.chars().count() <= MAX_LABEL && !label.chars().any(char::is_control)
}

/// Whether exactly the requested details were granted (protocol §4): the same objects in the same order, members in
/// any order, nothing more and nothing less. The two identifiers of the type mean the same.
pub(crate) fn is_granted(requested: &Value, granted: &Value) -> bool {
    with_known_type(requested) == with_known_type(granted)
}

fn with_known_type(details: &Value) -> Value {
    let mut details = details.clone();
    for detail in details.as_array_mut().into_iter().flatten() {
        let known = detail.get("type").and_then(Value::as_str).and_then(RarType::from_id);
        if let (Some(_), Some(kind)) = (known, detail.get_mut("type")) {
            *kind = RarType::Csc20.id().into();
        }
    }
    details
}

/// The authorisation of one batch, good for one `signHash`. It cannot be copied, printed or stored; using it consumes
/// it, and its token is wiped.
pub struct CredentialToken {
    pub(crate) token: Zeroizing<String>,
    pub(crate) activation: SignatureActivation,
}

impl CredentialToken {
    /// Number of signatures that it authorises.
    pub fn count(&self) -> usize {
        self.activation.count()
    }
}

impl fmt::Debug for CredentialToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CredentialToken(for {} signatures)", self.count())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::testing::{Phone, credential, digests, jws_parts},
        *,
    };

    const SHA256: HashAlgorithm = HashAlgorithm::Sha256;

    #[test]
    fn an_activation_without_a_hash_or_with_too_many_cannot_be_built() {
        let credential = credential(3);
        let new = |digests| SignatureActivation::new(&credential, SHA256, digests);
        assert_eq!(new(vec![]), Err(ActivationError::NoHash));
        assert_eq!(new(digests(4)), Err(ActivationError::TooMany { asked: 4, allowed: 3 }));
        assert_eq!(new(digests(3)).unwrap().count(), 3);
    }

    #[test]
    fn a_hash_of_another_length_or_without_a_label_cannot_be_activated() {
        let credential = credential(3);
        let with = |hash: usize, label: &str| {
            let digest = DocumentDigest { hash: vec![7; hash], label: label.into() };
            SignatureActivation::new(&credential, SHA256, vec![digest])
        };
        assert_eq!(with(20, "a"), Err(ActivationError::HashLength { index: 0 }));
        assert_eq!(with(0, "a"), Err(ActivationError::HashLength { index: 0 }));
        assert_eq!(with(32, ""), Err(ActivationError::Label { index: 0 }));
        assert_eq!(with(32, "a\nb"), Err(ActivationError::Label { index: 0 }));
        assert!(with(32, "request-1").is_ok());
    }

    #[tokio::test]
    async fn the_sad_binds_signer_credential_and_every_hash_en_419_241_1_scal2() {
        let phone = Phone::new();
        let client = phone.client();
        let activation = SignatureActivation::new(&credential(5), SHA256, digests(2)).unwrap();
        let details = activation.authorization_details(RarType::Csc20);
        let endpoint = Url::parse("https://sign.example/token").unwrap();
        let sad = activation.sign(&phone.device(), &client, &endpoint, "n-1", &details).await.unwrap();
        let (header, claims) = jws_parts(&sad, &client.keys.approval);
        assert_eq!((&header["typ"], &header["alg"]), (&json!("sad+jwt"), &json!("ES256")));
        assert_eq!(header["kid"], client.keys.approval.thumbprint());
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("client-1"), &json!("credential-1")));
        assert_eq!((&claims["aud"], &claims["nonce"]), (&json!("https://sign.example/token"), &json!("n-1")));
        assert_eq!(claims["purpose"], "e-prescription");
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
        let detail = &claims["authorization_details"][0];
        assert_eq!((&detail["type"], &detail["hashType"]), (&json!("credential"), &json!("dtbsr")));
        assert_eq!((&detail["numSignatures"], &detail["credentialID"]), (&json!(2), &json!("credential-1")));
        assert_eq!(detail["hashAlgorithmOID"], "2.16.840.1.101.3.4.2.1");
        for (index, digest) in digests(2).iter().enumerate() {
            let bound = &detail["documentDigests"][index];
            assert_eq!(bound, &json!({"hash": STANDARD.encode(&digest.hash), "label": digest.label}));
        }
        assert_eq!(phone.prompts(), [Prompt::Approve { count: 2 }]);
    }

    #[test]
    fn only_what_was_requested_counts_as_granted_rfc_9396_7() {
        let activation = SignatureActivation::new(&credential(5), SHA256, digests(2)).unwrap();
        let requested = activation.authorization_details(RarType::Csc20);
        assert!(is_granted(&requested, &requested));
        assert!(is_granted(&requested, &activation.authorization_details(RarType::Csc22)));
        let other = |change: fn(&mut Value)| {
            let mut granted = requested.clone();
            change(&mut granted);
            granted
        };
        for granted in [
            json!([]),
            Value::Null,
            json!([requested[0], requested[0]]),
            other(|d| d[0]["numSignatures"] = json!(3)),
            other(|d| d[0]["type"] = json!("payment")),
            other(|d| d[0]["credentialID"] = json!("credential-2")),
            other(|d| d[0]["extra"] = json!(true)),
            other(|d| d[0]["documentDigests"][1]["hash"] = json!("AAAA")),
            other(|d| d[0]["documentDigests"].as_array_mut().unwrap().truncate(1)),
            other(|d| d[0]["documentDigests"].as_array_mut().unwrap().swap(0, 1)),
        ] {
            assert!(!is_granted(&requested, &granted), "{granted}");
        }
    }

    #[test]
    fn a_credential_token_does_not_print() {
        let activation = SignatureActivation::new(&credential(5), SHA256, digests(1)).unwrap();
        let token = CredentialToken { token: Zeroizing::new("hidden".into()), activation };
        assert_eq!(format!("{token:?}"), "CredentialToken(for 1 signatures)");
    }
}
