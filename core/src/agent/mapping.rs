//! From the precise errors inside to the one that a doctor is told: one place, so that the same cause always has the
//! same code.

use super::{AgentError, Code};
use crate::{
    certificate::{CertificateError, PathError, ProfileError},
    device::{KeyVaultError, SecretStoreError, state::StateError},
    journal::JournalError,
    prescription::{Refusal, Severity, Violation, visible},
    registration::{ActivationCodeError, BindingError, RegistrationError, RegistrationRefusal, TicketError},
    service::{ActivationError, CredentialRefusal, CscRefusal, ServiceError, http::TransportError},
    signature::{FinishError, PrepareError},
};

/// Characters of the roles that a refusal names: every role of HPKI has fewer than 40.
const MAX_ROLES: usize = 100;

impl From<TicketError> for AgentError {
    fn from(error: TicketError) -> Self {
        let code = match &error {
            TicketError::NotATicket => Code::NotATicket,
            TicketError::UnknownIssuer { .. } => Code::UnknownIssuer,
            TicketError::UnknownKey | TicketError::BadSignature | TicketError::Malformed { .. } => {
                Code::TicketForged
            }
            TicketError::Expired { .. } => Code::TicketExpired,
        };
        Self::new(code).caused_by(error)
    }
}

impl From<ActivationCodeError> for AgentError {
    fn from(error: ActivationCodeError) -> Self {
        Self::new(Code::ActivationCodeMalformed).caused_by(error)
    }
}

impl From<RegistrationError> for AgentError {
    fn from(error: RegistrationError) -> Self {
        match error {
            RegistrationError::CodeNeeded => Self::new(Code::ActivationCodeRequired),
            RegistrationError::Vault(error) => error.into(),
            other => Self::new(Code::KeyVaultFailed).caused_by(other),
        }
    }
}

impl From<RegistrationRefusal> for AgentError {
    fn from(error: RegistrationRefusal) -> Self {
        let code = match &error {
            RegistrationRefusal::ActivationCodeRequired => Code::ActivationCodeRequired,
            RegistrationRefusal::WrongActivationCode { tries_left } => {
                let wrong = Self::new(Code::WrongActivationCode);
                return match tries_left {
                    Some(left) => wrong.tries(*left),
                    None => wrong,
                };
            }
            RegistrationRefusal::TicketLocked => Code::TicketLocked,
            RegistrationRefusal::TicketExpired => Code::TicketExpired,
            RegistrationRefusal::TicketUsed => Code::TicketUsed,
            RegistrationRefusal::TicketUnknown => Code::TicketUnknown,
            RegistrationRefusal::BadAnswer { .. } => Code::ServiceMisbehaved,
            RegistrationRefusal::Other { status: 429 | 500.., .. } => Code::ServiceUnavailable,
            RegistrationRefusal::InvalidClientMetadata { .. }
            | RegistrationRefusal::InvalidApprovalProof
            | RegistrationRefusal::InvalidDpopProof
            | RegistrationRefusal::UseDpopNonce
            | RegistrationRefusal::Other { .. } => Code::ServiceRefused,
        };
        Self::new(code).caused_by(error)
    }
}

impl From<BindingError> for AgentError {
    fn from(error: BindingError) -> Self {
        Self::new(Code::StateDamaged).caused_by(error)
    }
}

impl From<KeyVaultError> for AgentError {
    fn from(error: KeyVaultError) -> Self {
        let code = match &error {
            KeyVaultError::NotFound | KeyVaultError::Invalidated => Code::KeysInvalidated,
            KeyVaultError::Cancelled => Code::UserCancelled,
            KeyVaultError::LockedOut => Code::BiometricsLocked,
            KeyVaultError::Failed(_) => Code::KeyVaultFailed,
        };
        Self::new(code).caused_by(error)
    }
}

impl From<SecretStoreError> for AgentError {
    fn from(error: SecretStoreError) -> Self {
        Self::new(Code::SecretStoreUnavailable).caused_by(error)
    }
}

impl From<StateError> for AgentError {
    fn from(error: StateError) -> Self {
        let code = match &error {
            StateError::InUse => Code::StateBusy,
            StateError::Secrets(_) => Code::SecretStoreUnavailable,
            StateError::KeyLost | StateError::Foreign | StateError::Damaged { .. } => Code::StateDamaged,
            _ => Code::StorageFailed,
        };
        Self::new(code).caused_by(error)
    }
}

impl From<Refusal> for AgentError {
    fn from(refusal: Refusal) -> Self {
        let violations = match &refusal {
            Refusal::Violations(violations) => violations.clone(),
            Refusal::LookAlike(look_alike) => vec![Violation {
                severity: Severity::Error,
                code: look_alike.code(),
                record: None,
                line: None,
                field: None,
                message_ja: look_alike.message_ja(),
                message_en: look_alike.message_en(),
            }],
        };
        Self::new(Code::DocumentRefused).because(violations).caused_by(refusal)
    }
}

impl From<ServiceError> for AgentError {
    fn from(error: ServiceError) -> Self {
        let code = match error {
            ServiceError::Transport(error) => return error.into(),
            ServiceError::Keys(error) => return error.into(),
            ServiceError::Csc(error) => return error.into(),
            // A token endpoint may say in CSC's words why it does not authorise a signature.
            ServiceError::Refused(refusal) => match CscRefusal::of(refusal) {
                CscRefusal::Unclassified(refusal) => {
                    return Self::new(Code::ServiceRefused).caused_by(ServiceError::Refused(refusal));
                }
                known => return known.into(),
            },
            ServiceError::Credential(error) => return error.into(),
            ServiceError::Activation(error) => return error.into(),
            ServiceError::KeyChanged(_) => Code::KeysInvalidated,
            ServiceError::Unavailable { .. } | ServiceError::StillPending => Code::ServiceUnavailable,
            ServiceError::Unbound => Code::PhoneUnbound,
            ServiceError::ClockWrong { .. } => Code::ClockWrong,
            ServiceError::AlreadyAnswered => Code::AlreadyAnswered,
            ServiceError::RequestGone => Code::RequestGone,
            ServiceError::Metadata(_)
            | ServiceError::UnsupportedSpecs(_)
            | ServiceError::UnsupportedMethod(_)
            | ServiceError::Malformed(_)
            | ServiceError::NoNonce
            | ServiceError::TokenNotBound
            | ServiceError::GrantDiffers
            | ServiceError::SignatureCount { .. }
            | ServiceError::ForeignUrl => Code::ServiceMisbehaved,
        };
        Self::new(code).caused_by(error)
    }
}

impl From<TransportError> for AgentError {
    fn from(error: TransportError) -> Self {
        let code = match &error {
            TransportError::Unreachable | TransportError::Dns => Code::Offline,
            TransportError::Timeout | TransportError::Interrupted => Code::ServiceUnavailable,
            TransportError::TlsUntrusted
            | TransportError::TlsNotValidNow
            | TransportError::TlsPin
            | TransportError::TlsHandshake
            | TransportError::TlsConfiguration
            | TransportError::NotHttps => Code::ServiceNotTrusted,
            TransportError::BodyTooLarge { .. } | TransportError::Protocol => Code::ServiceMisbehaved,
        };
        Self::new(code).caused_by(error)
    }
}

impl From<CscRefusal> for AgentError {
    fn from(error: CscRefusal) -> Self {
        let code = match &error {
            CscRefusal::CredentialLocked | CscRefusal::CredentialDisabled | CscRefusal::CredentialUnknown => {
                Code::CredentialDisabled
            }
            CscRefusal::CertificateExpired => Code::CertificateExpired,
            CscRefusal::CertificateRevoked => Code::CertificateRevoked,
            CscRefusal::SadExpired
            | CscRefusal::SadInvalid
            | CscRefusal::HashNotAuthorized
            | CscRefusal::NoHash
            | CscRefusal::HashUnreadable
            | CscRefusal::TooManySignatures
            | CscRefusal::Algorithm
            | CscRefusal::Unclassified(_) => Code::SignatureRefused,
        };
        Self::new(code).caused_by(error)
    }
}

impl From<CredentialRefusal> for AgentError {
    fn from(error: CredentialRefusal) -> Self {
        let code = match &error {
            CredentialRefusal::Revoked => Code::CertificateRevoked,
            CredentialRefusal::Expired => Code::CertificateExpired,
            CredentialRefusal::NotScal2 | CredentialRefusal::AuthorizationMode => Code::SoleControlMissing,
            CredentialRefusal::Disabled | CredentialRefusal::Suspended | CredentialRefusal::Multisign => {
                Code::CredentialDisabled
            }
            CredentialRefusal::Algorithm
            | CredentialRefusal::NoKey
            | CredentialRefusal::NoCertificate
            | CredentialRefusal::NoIdentifier => Code::ServiceMisbehaved,
        };
        Self::new(code).caused_by(error)
    }
}

impl From<ActivationError> for AgentError {
    fn from(error: ActivationError) -> Self {
        match &error {
            ActivationError::NoHash => Self::new(Code::BatchEmpty),
            ActivationError::TooMany { allowed, .. } => Self::new(Code::BatchTooLarge).detail(allowed),
            ActivationError::NoSigner
            | ActivationError::HashLength { .. }
            | ActivationError::Label { .. }
            | ActivationError::Algorithm(_) => Self::new(Code::ServiceMisbehaved).caused_by(error),
        }
    }
}

impl From<CertificateError> for AgentError {
    fn from(error: CertificateError) -> Self {
        Self::new(Code::CertificateInvalid).caused_by(error)
    }
}

impl From<ProfileError> for AgentError {
    fn from(error: ProfileError) -> Self {
        let code = match &error {
            ProfileError::AuthenticationCertificate => Code::CertificateForAuthentication,
            ProfileError::NotYetValid { .. } | ProfileError::Expired { .. } => Code::CertificateExpired,
            ProfileError::NoRole => Code::CertificateWithoutRole,
            ProfileError::Pharmacist { roles } | ProfileError::NotPrescriber { roles } => {
                // The path is judged later, so these are still a stranger's words.
                let roles: String = roles.join(", ").chars().take(MAX_ROLES).collect();
                return Self::new(Code::CertificateNotPrescriber).detail(visible(&roles)).caused_by(error);
            }
            _ => Code::CertificateInvalid,
        };
        Self::new(code).caused_by(error)
    }
}

impl From<PathError> for AgentError {
    fn from(error: PathError) -> Self {
        Self::new(Code::CertificateUntrusted).caused_by(error)
    }
}

impl From<PrepareError> for AgentError {
    fn from(error: PrepareError) -> Self {
        Self::new(Code::DocumentRefused).caused_by(error)
    }
}

impl From<FinishError> for AgentError {
    fn from(error: FinishError) -> Self {
        Self::new(Code::SignatureWrong).caused_by(error)
    }
}

impl From<JournalError> for AgentError {
    fn from(error: JournalError) -> Self {
        let code = match &error {
            JournalError::InUse => Code::StateBusy,
            JournalError::Tampered(_) => Code::JournalTampered,
            JournalError::Secrets(_) => Code::SecretStoreUnavailable,
            _ => Code::StorageFailed,
        };
        Self::new(code).caused_by(error)
    }
}
