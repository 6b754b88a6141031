//! The remote-signing service over HTTPS (protocol §§2–7): what is asked of it, and how its answers are judged. A
//! [`TrustedService`] and a [`Transport`] come in; [`Service::discover`] gives a [`Service`], with which a phone can
//! only register, and [`Service::bind`] makes of it a [`BoundService`], which lists, activates, signs and delivers.
//! Refused: other issuers and origins, tokens that are not bound to this phone, grants that differ from what was
//! approved, credentials without sole control. Requests are built and answers judged by plain functions; [`http`]
//! alone touches the network (RFC 8414, 7591, 7592, 7523, 9396, 9449; CSC API v2; TS 119 432 Annex A).

pub mod http;

mod activation;
mod bound;
mod csc;
mod dpop;
mod error;
mod exchange;
mod identity;
mod inbox;
mod json;
mod metadata;
mod profile;
mod refusal;
mod tokens;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use time::{Duration, OffsetDateTime};
use url::Url;
use zeroize::Zeroizing;

pub use activation::{
    ActivationError, CredentialToken, DocumentDigest, MAX_HASHES, MAX_LABEL, SAD_LIFETIME,
    SignatureActivation,
};
pub use bound::{BoundService, SIGN_TIMEOUT};
pub use csc::{
    CredentialInfo, CredentialRefusal, CscRefusal, HashAlgorithm, KeyKind, ServiceInfo, SignAlgorithm,
    SpecsVersion,
};
pub use error::ServiceError;
pub use exchange::{MAX_ANSWER, MAX_SKEW, TIMEOUT};
pub use identity::{ClientIdentity, PhoneKeys};
pub use inbox::{
    DocumentFault, Inbox, InboxItem, MAX_DOCUMENT, MAX_INBOX, MAX_REQUESTS, MAX_WAIT, Requester,
};
pub use metadata::{Metadata, MetadataError};
pub use profile::{RarType, ServiceProfile};
pub use refusal::{MAX_WORD, MAX_WORDS, Refusal};

use self::{
    exchange::{Authorization, Call, Exchange, Payload},
    http::{HttpResponse, Method, Transport},
    identity::Client,
    metadata::{belongs_to, below},
};
use crate::{
    device::{Device, Secret},
    trust::TrustedService,
};

/// A service that was discovered and may be used for registering.
pub struct Service {
    exchange: Exchange,
    issuer: Url,
    metadata: Metadata,
    info: ServiceInfo,
    profile: ServiceProfile,
}

/// The answer to a registration request, for [`registration`](crate::registration) to judge.
#[derive(Debug)]
pub struct RegistrationAnswer {
    /// HTTP status.
    pub status: u16,
    /// Body; on success it holds the registration access token.
    pub body: Zeroizing<Vec<u8>>,
    /// Service's time minus phone's, by the `Date` header; a refused proof with more than
    /// [`MAX_SKEW`] here means that the phone's clock is wrong.
    pub skew: Option<Duration>,
}

impl Service {
    /// Reads the metadata (RFC 8414) and `info` (CSC v2 §11.1) of a service that the app trusts: two requests, no
    /// key is used. Both answers also bring the first nonce.
    ///
    /// # Errors
    /// [`ServiceError::Transport`], [`ServiceError::Metadata`], [`ServiceError::UnsupportedSpecs`],
    /// [`ServiceError::UnsupportedMethod`], [`ServiceError::Malformed`], [`ServiceError::Unavailable`].
    pub async fn discover(
        trusted: &TrustedService,
        transport: Arc<dyn Transport>,
        device: Device,
    ) -> Result<Self, ServiceError> {
        let location = metadata::location(&trusted.issuer)?;
        let issuer = Url::parse(&trusted.issuer).map_err(|_| MetadataError::ConfiguredIssuer)?;
        let exchange = Exchange::new(transport, device);
        let response = exchange.call(Call::new(Method::Get, &location)).await?;
        if !response.is_success() {
            return Err(exchange.refused(&response));
        }
        let metadata = metadata::judge(&trusted.issuer, &json::object(&response, "discovery")?)?;
        let info = read_info(&exchange, &metadata).await?;
        let profile = ServiceProfile::derive(&metadata, info.specs);
        Ok(Self { exchange, issuer, metadata, info, profile })
    }

    /// What the service said of itself when it was discovered.
    pub fn info(&self) -> &ServiceInfo {
        &self.info
    }

    /// Its endpoints.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// How it is written to.
    pub fn profile(&self) -> &ServiceProfile {
        &self.profile
    }

    /// The service's time, by the latest answer with a `Date`; the phone's own before there was one.
    pub fn now(&self) -> OffsetDateTime {
        self.exchange.device.clock.now()
    }

    /// Service's time minus phone's, in whole seconds, by the latest answer with a `Date`.
    pub fn clock_skew(&self) -> Option<Duration> {
        self.exchange.skew()
    }

    /// Asks for `info` again: the cheapest way to a fresh nonce (and to notice that the service is out of reach)
    /// before the doctor is prompted.
    ///
    /// # Errors
    /// As [`Service::discover`].
    pub async fn refresh_nonce(&self) -> Result<(), ServiceError> {
        read_info(&self.exchange, &self.metadata).await.map(|_| ())
    }

    /// Registers this phone's keys (RFC 7591 §3): `body` is the JSON that [`registration`](crate::registration)
    /// built, `ticket` the JWS of the QR. Whatever the service answers is returned.
    ///
    /// # Errors
    /// [`ServiceError::Transport`] and [`ServiceError::Keys`].
    pub async fn register(
        &self,
        keys: &PhoneKeys,
        ticket: &str,
        body: &[u8],
    ) -> Result<RegistrationAnswer, ServiceError> {
        let call = Call {
            payload: Payload::Json(body),
            authorization: Authorization::Bearer(ticket),
            keys: Some(keys),
            ..Call::new(Method::Post, &self.metadata.registration_endpoint)
        };
        self.registration_answer(call).await
    }

    /// Reads a registration (RFC 7592 §2.1) at its `registration_client_uri`.
    ///
    /// # Errors
    /// As [`Service::register`], and [`ServiceError::ForeignUrl`] before anything is sent.
    pub async fn read_registration(
        &self,
        keys: &PhoneKeys,
        uri: &str,
        token: &Secret,
    ) -> Result<RegistrationAnswer, ServiceError> {
        self.manage(Method::Get, keys, uri, token).await
    }

    /// Removes a registration (RFC 7592 §2.3); the service answers 204, or 401 when there is none any more.
    ///
    /// # Errors
    /// As [`Service::read_registration`].
    pub async fn unregister(
        &self,
        keys: &PhoneKeys,
        uri: &str,
        token: &Secret,
    ) -> Result<RegistrationAnswer, ServiceError> {
        self.manage(Method::Delete, keys, uri, token).await
    }

    /// Speaks as a registered client from now on. Nothing is sent.
    ///
    /// # Errors
    /// [`ServiceError::Keys`] when the vault has lost a key, [`ServiceError::KeyChanged`] when it holds another,
    /// [`ActivationError::NoSigner`] for an empty `client_id`.
    pub async fn bind(self, identity: ClientIdentity) -> Result<BoundService, ServiceError> {
        let client = Client::load(&self.exchange.device, identity).await?;
        Ok(BoundService::new(self, client))
    }

    async fn manage(
        &self,
        method: Method,
        keys: &PhoneKeys,
        uri: &str,
        token: &Secret,
    ) -> Result<RegistrationAnswer, ServiceError> {
        let url = self.own_url(uri)?;
        let token = std::str::from_utf8(token.expose())
            .map_err(|_| ServiceError::Malformed("the registration, whose access token is not text"))?;
        let authorization = Authorization::Bearer(token);
        self.registration_answer(Call { authorization, keys: Some(keys), ..Call::new(method, &url) }).await
    }

    async fn registration_answer(&self, call: Call<'_>) -> Result<RegistrationAnswer, ServiceError> {
        let HttpResponse { status, body, .. } = self.exchange.call(call).await?;
        Ok(RegistrationAnswer { status, body, skew: self.exchange.skew() })
    }

    /// A URL that may be given a token.
    fn own_url(&self, text: &str) -> Result<Url, ServiceError> {
        let url = Url::parse(text).ok().filter(|url| belongs_to(url, &self.issuer));
        url.ok_or(ServiceError::ForeignUrl)
    }
}

async fn read_info(exchange: &Exchange, metadata: &Metadata) -> Result<ServiceInfo, ServiceError> {
    let url = below(&metadata.csc_endpoint, "/info");
    let response =
        exchange.call(Call { payload: Payload::Json(b"{}"), ..Call::new(Method::Post, &url) }).await?;
    if !response.is_success() {
        return Err(exchange.refused(&response));
    }
    csc::judge_info(&json::object(&response, "info")?)
}
