use std::sync::Arc;

use hpki_agent::{agent, registration};
use zeroize::Zeroizing;

use crate::failure::AgentError;

/// An activation code (アクティベーションコード) as a person types it: eight digits in half or full width, spaces and hyphens of
/// any kind between them. A secret: it does not print, and its memory is wiped when it is closed.
#[derive(uniffi::Object)]
pub struct ActivationCode(Zeroizing<String>);

#[uniffi::export]
impl ActivationCode {
    /// Takes what was typed. A slip is told by `Agent.register` before it asks the service (`ActivationCodeMalformed`): it costs
    /// none of the five tries.
    #[uniffi::constructor]
    pub fn new(typed: String) -> Arc<Self> {
        Arc::new(Self(Zeroizing::new(typed)))
    }

    /// Whether it has the form of a code, for an app's button.
    pub fn is_well_formed(&self) -> bool {
        registration::ActivationCode::parse(&self.0).is_ok()
    }
}

impl ActivationCode {
    /// The core's own, which a registration consumes; a repeat makes another.
    pub(crate) fn to_core(&self) -> Result<registration::ActivationCode, AgentError> {
        Ok(registration::ActivationCode::parse(&self.0).map_err(agent::AgentError::from)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_told_as_a_failure_that_can_be_retried() {
        let code = ActivationCode::new("1234".into());
        assert!(!code.is_well_formed());
        assert!(
            matches!(code.to_core(), Err(AgentError::Retry { failure }) if failure.code == "ActivationCodeMalformed")
        );
        assert!(ActivationCode::new("１２３４－５６７８".into()).is_well_formed());
    }
}
