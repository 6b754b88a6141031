//! The body of the registration request (RFC 7591 §3.1, protocol §3 step 3).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::{ActivationCode, Ticket};
use crate::{
    device::{KeyAlias, KeyRole, KeyVault, KeyVaultError, NewKey, Prompt},
    jose::{PublicKey, UnsignedJws},
};

/// The longest `software_id`, `software_version` and `client_name`, in bytes.
const MAX_CLIENT_TEXT: usize = 100;
/// The most certificates in an attestation: platforms give three to six.
const MAX_ATTESTATION: usize = 10;
/// The longest certificate of an attestation, in bytes.
const MAX_ATTESTATION_CERTIFICATE: usize = 16 * 1024;
/// Room for everything in the body but the attestation, in bytes, so that the buffer is not moved while it is filled.
const BODY_ROOM: usize = 8 * 1024;

/// Who registers: the app. Shown to the doctor in the service's list of devices; holds nothing of the doctor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientInfo {
    /// Which software, the same for every installation (RFC 7591 §2), at most 100 bytes.
    pub software_id: String,
    /// Its version, at most 100 bytes.
    pub software_version: String,
    /// Its name for people, at most 100 bytes of UTF-8.
    pub client_name: String,
}

/// Why no registration request could be made. Nothing was sent.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum RegistrationError {
    /// The ticket needs an activation code.
    #[error("the ticket needs an activation code")]
    CodeNeeded,
    /// Device key and approval key are one.
    #[error("device key and approval key must differ")]
    SameKey,
    /// The approval key did not sign.
    #[error(transparent)]
    Vault(#[from] KeyVaultError),
    /// The vault's signature does not verify with the key that the vault made.
    #[error("the key vault's signature does not belong to the approval key")]
    WrongSignature,
    /// A text of [`ClientInfo`] is empty or too long, or the attestation too large.
    #[error("{0} is empty or too large")]
    Size(&'static str),
    /// The body cannot be written as JSON.
    #[error("the request cannot be written")]
    Json,
}

/// Everything that a registration request is made of. The same ticket and keys make a repeat of the same registration.
pub struct RegistrationRequest<'a> {
    /// The verified ticket.
    pub ticket: &'a Ticket,
    /// The service's display name in the user's language, for the prompt.
    pub service_name: &'a str,
    /// The binding under which the vault holds both keys: [`KeyAlias::binding`].
    pub binding: &'a str,
    /// The device key.
    pub device_key: &'a NewKey,
    /// The approval key; its attestation goes with the request.
    pub approval_key: &'a NewKey,
    /// What the doctor typed, where the ticket needs it.
    pub code: Option<&'a ActivationCode>,
    /// The app.
    pub client: &'a ClientInfo,
}

/// RFC 7591 §2, in the order in which the protocol names the members.
#[derive(Serialize)]
struct Body<'a> {
    jwks: Value,
    token_endpoint_auth_method: &'static str,
    token_endpoint_auth_signing_alg: &'static str,
    grant_types: [&'static str; 2],
    response_types: [&'static str; 0],
    dpop_bound_access_tokens: bool,
    scope: &'static str,
    software_id: &'a str,
    software_version: &'a str,
    client_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    key_attestation: Vec<String>,
    approval_proof: &'a str,
}

impl RegistrationRequest<'_> {
    /// The JSON body to post. The vault verifies the user and signs the approval proof, issued at `now`.
    ///
    /// # Errors
    /// [`RegistrationError`].
    pub async fn body(
        &self,
        keys: &dyn KeyVault,
        now: OffsetDateTime,
    ) -> Result<Zeroizing<Vec<u8>>, RegistrationError> {
        self.check()?;
        let approval_proof = self.approval_proof(keys, now).await?;
        let body = Body {
            jwks: json!({"keys": [jwk(&self.device_key.public_key), jwk(&self.approval_key.public_key)]}),
            token_endpoint_auth_method: "private_key_jwt",
            token_endpoint_auth_signing_alg: "ES256",
            grant_types: ["client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer"],
            response_types: [],
            dpop_bound_access_tokens: true,
            scope: "service",
            software_id: &self.client.software_id,
            software_version: &self.client.software_version,
            client_name: &self.client.client_name,
            activation_code: self.code.map(ActivationCode::expose),
            key_attestation: self.approval_key.attestation.iter().map(|der| STANDARD.encode(der)).collect(),
            approval_proof: &approval_proof,
        };
        let room = BODY_ROOM + body.key_attestation.iter().map(String::len).sum::<usize>();
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        serde_json::to_writer(&mut *bytes, &body).map_err(|_| RegistrationError::Json)?;
        Ok(bytes)
    }

    fn check(&self) -> Result<(), RegistrationError> {
        if self.ticket.needs_activation_code() && self.code.is_none() {
            return Err(RegistrationError::CodeNeeded);
        }
        if self.device_key.public_key == self.approval_key.public_key {
            return Err(RegistrationError::SameKey);
        }
        for (what, text) in [
            ("software_id", &self.client.software_id),
            ("software_version", &self.client.software_version),
            ("client_name", &self.client.client_name),
        ] {
            if text.is_empty() || text.len() > MAX_CLIENT_TEXT {
                return Err(RegistrationError::Size(what));
            }
        }
        let attestation = &self.approval_key.attestation;
        if attestation.len() > MAX_ATTESTATION
            || attestation.iter().any(|der| der.is_empty() || der.len() > MAX_ATTESTATION_CERTIFICATE)
        {
            return Err(RegistrationError::Size("key_attestation"));
        }
        Ok(())
    }

    /// The user's word, by the approval key, that this device key belongs to the same phone.
    async fn approval_proof(
        &self,
        keys: &dyn KeyVault,
        now: OffsetDateTime,
    ) -> Result<Zeroizing<String>, RegistrationError> {
        let approval = &self.approval_key.public_key;
        let proof = UnsignedJws::new(
            &json!({"typ": "approval-proof+jwt", "kid": approval.thumbprint()}),
            &json!({
                "aud": self.ticket.issuer(),
                "iat": now.unix_timestamp(),
                "ticket": self.ticket.jti(),
                "device": self.device_key.public_key.thumbprint(),
            }),
        );
        let alias = KeyAlias { binding: self.binding.to_owned(), role: KeyRole::Approval };
        let prompt = Prompt::Register { service: self.service_name.to_owned() };
        let signature = keys.sign(&alias, proof.signing_input(), Some(&prompt)).await?;
        approval.verify(proof.signing_input(), &signature).map_err(|_| RegistrationError::WrongSignature)?;
        Ok(proof.finish(&signature))
    }
}

/// The public key as RFC 7517 §4 has it, with the members that the protocol asks for.
fn jwk(key: &PublicKey) -> Value {
    let mut jwk = key.to_jwk();
    if let Value::Object(members) = &mut jwk {
        members.extend([
            ("kid".to_owned(), key.thumbprint().into()),
            ("use".to_owned(), "sig".into()),
            ("alg".to_owned(), "ES256".into()),
        ]);
    }
    jwk
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::testing::{ISSUER, Office, now};
    use super::*;
    use crate::{
        device::{
            desktop::DesktopKeyVault,
            testing::{MemorySecrets, User},
        },
        jose::ParsedJws,
    };

    const BINDING: &str = "0123456789abcdef0123456789abcdef";

    struct Phone {
        user: Arc<User>,
        vault: DesktopKeyVault,
        device_key: NewKey,
        approval_key: NewKey,
        client: ClientInfo,
    }

    impl Phone {
        async fn of(user: Arc<User>) -> Self {
            let vault = DesktopKeyVault::new(Arc::new(MemorySecrets::default()), user.clone());
            let alias = |role| KeyAlias { binding: BINDING.into(), role };
            let device_key = vault.create(&alias(KeyRole::Device), [0; 32]).await.unwrap();
            let mut approval_key = vault.create(&alias(KeyRole::Approval), [0; 32]).await.unwrap();
            approval_key.attestation = vec![vec![0x30, 1], vec![0x30, 2]];
            let client = ClientInfo {
                software_id: "hpki-agent".into(),
                software_version: "0.1.0".into(),
                client_name: "山田医院の電話".into(),
            };
            Self { user, vault, device_key, approval_key, client }
        }

        async fn request(
            &self,
            ticket: &Ticket,
            code: Option<&str>,
        ) -> Result<Zeroizing<Vec<u8>>, RegistrationError> {
            let code = code.map(|code| ActivationCode::parse(code).unwrap());
            let request = RegistrationRequest {
                ticket,
                service_name: "試験サービス",
                binding: BINDING,
                device_key: &self.device_key,
                approval_key: &self.approval_key,
                code: code.as_ref(),
                client: &self.client,
            };
            request.body(&self.vault, now()).await
        }
    }

    fn ticket(instead: &Value) -> Ticket {
        let office = Office::new();
        office.read(&office.ticket(instead)).unwrap()
    }

    #[tokio::test]
    async fn the_body_is_what_rfc_7591_and_the_protocol_name() {
        let phone = Phone::of(User::who_answers(Ok(()))).await;
        let body = phone.request(&ticket(&json!({})), Some("1234-5678")).await.unwrap();
        assert!(body.len() < BODY_ROOM);
        let mut body: Value = serde_json::from_slice(&body).unwrap();

        let proof = body["approval_proof"].take();
        let proof = ParsedJws::parse(proof.as_str().unwrap()).unwrap();
        let approval = &phone.approval_key.public_key;
        assert_eq!(proof.key_id(), Some(approval.thumbprint().as_str()));
        let proof = proof.verify(approval).unwrap();
        assert_eq!(proof.header()["typ"], "approval-proof+jwt");
        let device = phone.device_key.public_key.thumbprint();
        let expected = json!({"aud": ISSUER, "iat": 1_795_334_400, "ticket": "AAECAwQFBgcICQoLDA0ODw", "device": device});
        assert_eq!(proof.claims(), &expected);
        assert_eq!(*phone.user.asked.lock().unwrap(), [Prompt::Register { service: "試験サービス".into() }]);

        let keys = body["jwks"]["keys"].take();
        for (jwk, key) in [(&keys[0], &phone.device_key), (&keys[1], &phone.approval_key)] {
            assert!(PublicKey::from_jwk(jwk).unwrap() == key.public_key);
            assert_eq!(jwk["kid"], key.public_key.thumbprint());
            assert_eq!((&jwk["use"], &jwk["alg"]), (&json!("sig"), &json!("ES256")));
        }
        assert_eq!(keys.as_array().unwrap().len(), 2);
        let expected = json!({
            "jwks": {"keys": null},
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "grant_types": ["client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer"],
            "response_types": [],
            "dpop_bound_access_tokens": true,
            "scope": "service",
            "software_id": "hpki-agent",
            "software_version": "0.1.0",
            "client_name": "山田医院の電話",
            "activation_code": "12345678",
            "key_attestation": ["MAE=", "MAI="],
            "approval_proof": null,
        });
        assert_eq!(body, expected);
    }

    #[tokio::test]
    async fn a_card_needs_no_code_and_a_letter_is_not_sent_without_one() {
        let mut phone = Phone::of(User::who_answers(Ok(()))).await;
        phone.approval_key.attestation.clear();
        let card = ticket(&json!({"route": "card", "code": false}));
        let body: Value = serde_json::from_slice(&phone.request(&card, None).await.unwrap()).unwrap();
        assert!(body.get("activation_code").is_none() && body.get("key_attestation").is_none());
        let refused = phone.request(&ticket(&json!({})), None).await;
        assert_eq!(refused.err(), Some(RegistrationError::CodeNeeded));
        assert_eq!(phone.user.asked.lock().unwrap().len(), 1, "the user was not asked in vain");
    }

    #[tokio::test]
    async fn no_request_is_made_when_the_user_refuses() {
        let phone = Phone::of(User::who_answers(Err(KeyVaultError::Cancelled))).await;
        let refused = phone.request(&ticket(&json!({})), Some("12345678")).await;
        assert_eq!(refused.err(), Some(RegistrationError::Vault(KeyVaultError::Cancelled)));
    }

    #[tokio::test]
    async fn a_vault_that_signs_with_another_key_and_equal_keys_are_found() {
        let mut phone = Phone::of(User::who_answers(Ok(()))).await;
        let other = Phone::of(User::who_answers(Ok(()))).await;
        phone.approval_key = other.approval_key;
        let refused = phone.request(&ticket(&json!({})), Some("12345678")).await;
        assert_eq!(refused.err(), Some(RegistrationError::WrongSignature));
        phone.approval_key.public_key = phone.device_key.public_key.clone();
        let refused = phone.request(&ticket(&json!({})), Some("12345678")).await;
        assert_eq!(refused.err(), Some(RegistrationError::SameKey));
    }

    #[tokio::test]
    async fn sizes_are_bounded() {
        let card = ticket(&json!({"code": false}));
        let mut phone = Phone::of(User::who_answers(Ok(()))).await;
        phone.approval_key.attestation = vec![vec![0; 5]; MAX_ATTESTATION + 1];
        let too_large = Some(RegistrationError::Size("key_attestation"));
        assert_eq!(phone.request(&card, None).await.err(), too_large);
        phone.approval_key.attestation = vec![vec![0; MAX_ATTESTATION_CERTIFICATE + 1]];
        assert_eq!(phone.request(&card, None).await.err(), too_large);
        phone.approval_key.attestation = vec![vec![]];
        assert_eq!(phone.request(&card, None).await.err(), too_large);
        phone.approval_key.attestation = vec![vec![0; 16 * 1024]; 10];
        let longest = ClientInfo {
            software_id: "x".repeat(100),
            software_version: "x".repeat(100),
            client_name: "x".repeat(100),
        };
        phone.client = longest.clone();
        assert!(phone.request(&card, None).await.is_ok());
        for unfit in [String::new(), "x".repeat(101)] {
            for (name, client) in [
                ("software_id", ClientInfo { software_id: unfit.clone(), ..longest.clone() }),
                ("software_version", ClientInfo { software_version: unfit.clone(), ..longest.clone() }),
                ("client_name", ClientInfo { client_name: unfit.clone(), ..longest.clone() }),
            ] {
                phone.client = client;
                assert_eq!(phone.request(&card, None).await.err(), Some(RegistrationError::Size(name)));
            }
        }
    }

    /// Where it moved, it would leave a copy of the activation code behind that nobody wipes.
    #[tokio::test]
    async fn the_body_does_not_move_while_it_is_written() {
        let mut phone = Phone::of(User::who_answers(Ok(()))).await;
        for (certificates, in_base64) in [(0, 0), (10, 10 * 21_848)] {
            phone.approval_key.attestation = vec![vec![0; 16 * 1024]; certificates];
            let body = phone.request(&ticket(&json!({})), Some("12345678")).await.unwrap();
            assert_eq!(body.capacity(), BODY_ROOM + in_base64);
        }
    }
}
