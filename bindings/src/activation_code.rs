use std::sync::Arc;

use hpki_agent::registration;
use zeroize::Zeroizing;

use crate::failure::AgentError;

/// An activation code (アクティベーションコード): eight digits that came apart from the letter. A secret: it does not print,
/// and its memory is wiped when it is closed.
#[derive(uniffi::Object)]
pub struct ActivationCode(Zeroizing<String>);

#[uniffi::export]
impl ActivationCode {
    /// Reads what a person types: digits in half or full width, spaces and hyphens of any kind between them. A slip is told
    /// here, on the phone, and costs none of the five tries: `ActivationCodeMalformed`.
    #[uniffi::constructor]
    pub fn parse(typed: String) -> Result<Arc<Self>, AgentError> {
        let typed = Zeroizing::new(typed);
        registration::ActivationCode::parse(&typed).map_err(hpki_agent::agent::AgentError::from)?;
        Ok(Arc::new(Self(typed)))
    }
}

impl ActivationCode {
    /// The core's own, which a registration consumes; a repeat needs another.
    pub(crate) fn to_core(&self) -> Result<registration::ActivationCode, AgentError> {
        Ok(registration::ActivationCode::parse(&self.0).map_err(hpki_agent::agent::AgentError::from)?)
    }
}
