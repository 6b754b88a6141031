use std::error::Error as _;

use hpki_agent::agent as core;

use crate::{
    convert::{Expose, choices},
    violation::Violation,
};

choices! {
    /// What the user can do about a failure.
    FailureKind of core::Kind {
        /// Try again, now or a little later; nothing is lost.
        Retry,
        /// Set something right on this phone first (clock, biometrics, screen lock), then try again.
        FixPhone,
        /// Ask the association's office, or whoever runs the service.
        AskOffice,
        /// Register this phone again, with a new letter or with the card.
        RegisterAgain,
        /// Refused for good: this document or this QR is not to be used.
        Refuse,
    }
}

/// Why a step failed, in words for the doctor and in a code for programs. Holds no patient data and no secret, so it may be
/// shown, logged and reported.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct AgentFailure {
    /// Stable between versions, such as `WrongActivationCode`; `all_failure_codes` lists them.
    pub code: String,
    /// What the user can do.
    pub kind: FailureKind,
    /// What to tell the doctor, in Japanese.
    pub text_ja: String,
    /// What to tell the doctor, in English.
    pub text_en: String,
    /// Activation codes that may still be tried, with `WrongActivationCode`.
    pub tries_left: Option<u32>,
    /// All reasons why a document was refused, with `DocumentRefused`.
    pub violations: Vec<Violation>,
}

/// The one error of the agent, sorted by what the user can do.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum AgentError {
    /// Try again, now or a little later; nothing is lost.
    #[error("{}", .failure.code)]
    Retry {
        /// Why.
        failure: AgentFailure,
    },
    /// Set something right on this phone first, then try again.
    #[error("{}", .failure.code)]
    FixPhone {
        /// Why.
        failure: AgentFailure,
    },
    /// Ask the association's office.
    #[error("{}", .failure.code)]
    AskOffice {
        /// Why.
        failure: AgentFailure,
    },
    /// Register this phone again.
    #[error("{}", .failure.code)]
    RegisterAgain {
        /// Why.
        failure: AgentFailure,
    },
    /// Refused for good.
    #[error("{}", .failure.code)]
    Refused {
        /// Why.
        failure: AgentFailure,
    },
    /// The app cancelled by its `CancellationToken`.
    #[error("cancelled")]
    Cancelled,
    /// A mistake of the app: a candidate, a waiting prescription or a batch can be used once, and this one was.
    #[error("already used")]
    AlreadyUsed,
}

/// An app's own listener, clock or log sink threw. The agent goes on without its answer.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum CallbackError {
    /// In the words of whoever threw.
    #[error("{reason}")]
    Failed {
        /// What it said.
        reason: String,
    },
}

/// Every code that a failure can have, for a documentation page or a test of an app's own texts.
#[uniffi::export]
pub fn all_failure_codes() -> Vec<String> {
    core::Code::ALL.iter().map(|code| code.as_str().to_owned()).collect()
}

impl Expose<AgentFailure> for core::AgentError {
    fn expose(&self) -> AgentFailure {
        AgentFailure {
            code: self.code().as_str().to_owned(),
            kind: self.kind().expose(),
            text_ja: self.text_ja(),
            text_en: self.text_en(),
            tries_left: self.tries_left(),
            violations: self.violations().expose(),
        }
    }
}

impl From<core::AgentError> for AgentError {
    /// The precise causes do not cross: they go to the log.
    fn from(error: core::AgentError) -> Self {
        let mut cause = error.source();
        while let Some(inner) = cause {
            tracing::debug!(code = error.code().as_str(), cause = %inner);
            cause = inner.source();
        }
        error.expose().into()
    }
}

impl From<AgentFailure> for AgentError {
    fn from(failure: AgentFailure) -> Self {
        match failure.kind {
            FailureKind::Retry => Self::Retry { failure },
            FailureKind::FixPhone => Self::FixPhone { failure },
            FailureKind::AskOffice => Self::AskOffice { failure },
            FailureKind::RegisterAgain => Self::RegisterAgain { failure },
            FailureKind::Refuse => Self::Refused { failure },
        }
    }
}

impl From<uniffi::UnexpectedUniFFICallbackError> for CallbackError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { reason: error.reason }
    }
}
