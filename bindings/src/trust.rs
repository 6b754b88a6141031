use std::sync::Arc;

use hpki_agent::trust as core;

use crate::convert::{Expose, records};

/// The trust configuration that an app ships: which services exist, who signs their tickets, which roots count.
#[derive(uniffi::Object)]
pub struct TrustConfiguration(pub(crate) core::TrustConfiguration);

records! {
    /// A service that the app trusts.
    TrustedService of core::TrustedService {
        /// Issuer URL.
        issuer: String,
        /// Display name, Japanese.
        display_name_ja: String,
        /// Display name, English.
        display_name_en: String,
        /// hcRole texts that may prescribe, such as `Medical Doctor`.
        prescriber_roles: Vec<String>,
    }
}

/// Why a trust configuration is refused.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum TrustError {
    /// Something in it is wrong.
    #[error("{reason}")]
    Invalid {
        /// The path of the member and what is wrong with it.
        reason: String,
    },
}

#[uniffi::export]
impl TrustConfiguration {
    /// Reads the JSON file, UTF-8, at most 1 MiB. Anything unknown, missing or doubled in it is refused.
    #[uniffi::constructor]
    pub fn from_json(json: Vec<u8>) -> Result<Arc<Self>, TrustError> {
        match core::TrustConfiguration::from_json(&json) {
            Ok(configuration) => Ok(Arc::new(Self(configuration))),
            Err(error) => Err(TrustError::Invalid { reason: error.to_string() }),
        }
    }

    /// Its services, in the order of the file.
    pub fn services(&self) -> Vec<TrustedService> {
        self.0.services().expose()
    }
}
