//! Everything that can go wrong between the phone and the service, precise enough to tell a doctor what to do.

use std::time::Duration as StdDuration;

use time::Duration;

use super::{
    activation::ActivationError,
    csc::{CredentialRefusal, CscRefusal},
    http::TransportError,
    metadata::MetadataError,
    refusal::Refusal,
};
use crate::device::{KeyRole, KeyVaultError};

/// Why the service did not do what was asked. Holds no token, no document, no name of a person.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum ServiceError {
    /// No answer. Everything may be tried again, except signing, which needs a new approval.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The phone's key vault did not sign: the user cancelled, or the key is gone.
    #[error(transparent)]
    Keys(#[from] KeyVaultError),
    /// The vault holds another key than the one that was bound (protocol §8.6): register again.
    #[error("the {0:?} key is not the one that was bound")]
    KeyChanged(KeyRole),
    /// The service's metadata cannot be accepted: nothing was sent but the question for it.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The service speaks a CSC version other than 2.0, 2.1 or 2.2; holds what it announced.
    #[error("the service announces CSC version {0:?}")]
    UnsupportedSpecs(String),
    /// The service does not offer a method that the agent needs.
    #[error("the service does not offer {0}")]
    UnsupportedMethod(&'static str),
    /// An answer was not what its standard says; names the answer, not its content.
    #[error("the service's answer to {0} is not understood")]
    Malformed(&'static str),
    /// The service is out of order or busy (429, 5xx): try later.
    #[error("the service is not available (status {status})")]
    Unavailable {
        /// Status code.
        status: u16,
        /// When the service asks to wait (RFC 9110 §10.2.3), at most a day.
        retry_after: Option<StdDuration>,
    },
    /// The service no longer knows this phone (`invalid_client`, RFC 6749 §5.2): it was replaced or revoked. The keys
    /// are worthless; register again.
    #[error("this phone is no longer bound to the service")]
    Unbound,
    /// A proof was refused and the phone's clock differs from the service's by more than
    /// [`MAX_SKEW`](super::MAX_SKEW). Positive: the phone is behind.
    #[error("the phone's clock is wrong by {by}")]
    ClockWrong {
        /// Service's time minus phone's.
        by: Duration,
    },
    /// Another OAuth or HTTP refusal, in the service's words.
    #[error(transparent)]
    Refused(Refusal),
    /// A refusal of a CSC method.
    #[error(transparent)]
    Csc(#[from] CscRefusal),
    /// The credential exists but may not be used for signing.
    #[error(transparent)]
    Credential(#[from] CredentialRefusal),
    /// What was to be approved cannot be put into signature activation data.
    #[error(transparent)]
    Activation(#[from] ActivationError),
    /// The service gives no nonce (RFC 9449 §8), without which an approval could be replayed.
    #[error("the service gives no nonce")]
    NoNonce,
    /// The token is not bound to the phone's key (`token_type` is not `DPoP`, RFC 9449 §5).
    #[error("the service issued a token that is not bound to this phone")]
    TokenNotBound,
    /// The granted `authorization_details` are not the requested ones (protocol §4): nothing was signed.
    #[error("the service authorised something else than was approved")]
    GrantDiffers,
    /// `signHash` gave another number of signatures than of hashes.
    #[error("{received} signatures came back for {asked} hashes")]
    SignatureCount {
        /// Hashes sent.
        asked: usize,
        /// Signatures received.
        received: usize,
    },
    /// The service signs asynchronously (`responseID`, CSC v2 `signatures/signPolling`) and has not come to an end.
    #[error("the service is still signing")]
    StillPending,
    /// The prescription has been answered before (409).
    #[error("this request has already been answered")]
    AlreadyAnswered,
    /// The prescription is no longer waiting (404, 410): withdrawn or expired.
    #[error("this request is no longer waiting")]
    RequestGone,
    /// A URL that was to be used with a token is not one of this service.
    #[error("a URL does not belong to this service")]
    ForeignUrl,
}
