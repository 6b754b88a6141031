//! [`BoundService`]: the service as a registered phone uses it.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{self, Arc, PoisonError},
    task::Poll,
    time::Duration as StdDuration,
};

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;
use url::Url;

use super::{
    CredentialInfo, CredentialToken, CscRefusal, DocumentFault, Inbox, InboxItem, MAX_DOCUMENT, MAX_INBOX,
    MAX_WAIT, Refusal, RegistrationAnswer, Service, ServiceError, SignatureActivation,
    activation::is_granted,
    csc::{self, Signatures},
    exchange::{Authorization, Call, Payload, Proof, TIMEOUT, is_out_of_order, json_bytes},
    http::{HttpResponse, Method, TransportError},
    identity::Client,
    inbox::{self, Envelope, Source},
    json as answers,
    metadata::{CLIENT_CREDENTIALS, JWT_BEARER, below},
    tokens::{Grant, ServiceToken, judge_grant, token_was_refused},
};
use crate::device::Secret;

/// `signHash` over a full batch, where each signature may cost an HSM half a second.
pub const SIGN_TIMEOUT: StdDuration = StdDuration::from_secs(60);
/// Between two questions for signatures that are made asynchronously: a doctor does not notice half a second.
const POLL_INTERVAL: StdDuration = StdDuration::from_millis(500);
/// After so many, [`SIGN_TIMEOUT`] is over and the doctor is told.
const POLL_TRIES: u32 = 120;
/// The status of an asynchronous request under way (RFC 9110 §15.3.3; CSC v2 `accepted_request`).
const ACCEPTED: u16 = 202;

/// A service at which this phone is registered. Made only by [`Service::bind`].
///
/// Any method may answer [`ServiceError::Unbound`]: the phone was replaced or revoked, and its keys are worthless. Any
/// method but [`BoundService::sign_hashes`] may be repeated after a [`ServiceError::Transport`].
pub struct BoundService {
    service: Service,
    client: Client,
    token: Mutex<Option<Arc<ServiceToken>>>,
    /// For the next delivery.
    proof: sync::Mutex<Option<Proof>>,
}

impl BoundService {
    pub(super) fn new(service: Service, client: Client) -> Self {
        Self { service, client, token: Mutex::default(), proof: sync::Mutex::default() }
    }

    /// The service itself: its metadata, `info`, profile.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// See [`Service::now`].
    pub fn now(&self) -> OffsetDateTime {
        self.service.now()
    }

    /// See [`Service::clock_skew`].
    pub fn clock_skew(&self) -> Option<Duration> {
        self.service.clock_skew()
    }

    /// See [`Service::refresh_nonce`].
    ///
    /// # Errors
    /// As there.
    pub async fn refresh_nonce(&self) -> Result<(), ServiceError> {
        self.service.refresh_nonce().await
    }

    /// Identifiers of this doctor's credentials (CSC v2 §11.4), at most 50.
    ///
    /// # Errors
    /// [`ServiceError::Csc`] and what every method may answer.
    pub async fn credentials(&self) -> Result<Vec<String>, ServiceError> {
        let answer = self.csc("credentials/list", &json!({})).await?;
        csc::judge_list(&answer)
    }

    /// A credential that may sign (CSC v2 §11.5).
    ///
    /// # Errors
    /// [`ServiceError::Credential`] when it may not, [`ServiceError::Csc`] when the service does not show it.
    pub async fn credential(&self, id: &str) -> Result<CredentialInfo, ServiceError> {
        let body = csc::credential_info_body(id);
        let answer = self.csc("credentials/info", &body).await?;
        Ok(csc::judge_credential(id, &answer)?)
    }

    /// The doctor's approval of a batch: the user is verified once, and one request turns the signed activation data
    /// into a token for exactly these hashes (protocol §4). The nonce is the latest one, so call
    /// [`BoundService::refresh_nonce`] when the doctor begins to look at the batch.
    ///
    /// # Errors
    /// [`ServiceError::Keys`] when the user was not verified, [`ServiceError::GrantDiffers`] when the service grants
    /// anything else than was asked, [`ServiceError::ClockWrong`], [`ServiceError::NoNonce`].
    pub async fn activate(&self, activation: SignatureActivation) -> Result<CredentialToken, ServiceError> {
        let exchange = &self.service.exchange;
        if exchange.nonce().is_none() {
            self.refresh_nonce().await?;
        }
        let nonce = exchange.nonce().ok_or(ServiceError::NoNonce)?;
        let details = activation.authorization_details(self.service.profile.rar_type);
        let endpoint = &self.service.metadata.token_endpoint;
        let sad = activation.sign(&exchange.device, &self.client, endpoint, &nonce, &details).await?;
        let details_text = details.to_string();
        let fields = [
            ("grant_type", JWT_BEARER),
            ("assertion", sad.as_str()),
            ("authorization_details", details_text.as_str()),
        ];
        let Grant { token, authorization_details, .. } = self.request_token(&fields).await?;
        if authorization_details.is_some_and(|granted| is_granted(&details, &granted)) {
            Ok(CredentialToken { token, activation })
        } else {
            Err(ServiceError::GrantDiffers)
        }
    }

    /// `signatures/signHash` (CSC v2 §11.10) over what the token authorises: as many raw signature values as hashes,
    /// possibly in another order, none of them verified yet. Sent once and never again, whatever happens: the service
    /// may have spent the token.
    ///
    /// # Errors
    /// [`ServiceError::Csc`], [`ServiceError::SignatureCount`], [`ServiceError::StillPending`]; after any of them the
    /// doctor must approve anew.
    pub async fn sign_hashes(&self, token: CredentialToken) -> Result<Vec<Vec<u8>>, ServiceError> {
        let CredentialToken { token, activation } = token;
        let url = below(&self.service.metadata.csc_endpoint, "/signatures/signHash");
        let body = json_bytes(&activation.sign_hash_body());
        let call = Call {
            payload: Payload::Json(&body),
            authorization: Authorization::Dpop(&token),
            keys: Some(&self.client.keys),
            repeat: false,
            timeout: SIGN_TIMEOUT,
            ..Call::new(Method::Post, &url)
        };
        let response = self.service.exchange.call(call).await?;
        if response.is_success() {
            let answer = answers::object(&response, "signatures/signHash")?;
            return match csc::judge_signatures(activation.count(), &answer)? {
                Signatures::Ready(values) => Ok(values),
                Signatures::Later(id) => self.poll_signatures(activation.count(), &id).await,
            };
        }
        Err(match self.refused_csc(&response) {
            ServiceError::Csc(CscRefusal::Unclassified(refusal)) if refusal.code == "invalid_token" => {
                CscRefusal::SadInvalid.into()
            }
            other => other,
        })
    }

    /// `signatures/signPolling` (CSC v2 §11.11) until the signatures of an asynchronous `signHash` are there. It signs
    /// nothing, so that it may be repeated, also after an interruption.
    async fn poll_signatures(&self, asked: usize, id: &str) -> Result<Vec<Vec<u8>>, ServiceError> {
        let url = below(&self.service.metadata.csc_endpoint, "/signatures/signPolling");
        let body = json_bytes(&json!({"requestID": id}));
        for _ in 0..POLL_TRIES {
            tokio::time::sleep(POLL_INTERVAL).await;
            let call = Call { payload: Payload::Json(&body), ..Call::new(Method::Post, &url) };
            let response = match self.resource(call).await {
                Ok(response) if response.status == ACCEPTED || is_out_of_order(response.status) => continue,
                Err(ServiceError::Transport(error)) if error.is_passing() => continue,
                other => other?,
            };
            if !response.is_success() {
                return Err(self.refused_csc(&response));
            }
            let answer = answers::object(&response, "signatures/signPolling")?;
            if let Signatures::Ready(values) = csc::judge_signatures(asked, &answer)? {
                return Ok(values);
            }
        }
        Err(ServiceError::StillPending)
    }

    /// What waits for this doctor. With an empty inbox the service may hold the answer back for `wait`, at most
    /// [`MAX_WAIT`] seconds. Documents that come as a URL of this service are fetched.
    ///
    /// # Errors
    /// [`ServiceError::Malformed`] when the whole list is unreadable; a fault of one request stands in its item.
    pub async fn inbox(&self, wait: StdDuration) -> Result<Inbox, ServiceError> {
        let wait = wait.as_secs().min(MAX_WAIT);
        let mut url = self.service.metadata.prescriptions_endpoint.clone();
        url.query_pairs_mut().append_pair("wait", &wait.to_string());
        let call = Call {
            timeout: TIMEOUT + StdDuration::from_secs(wait),
            max_body: MAX_INBOX,
            ..Call::new(Method::Get, &url)
        };
        let response = self.resource(call).await?;
        if !response.is_success() {
            return Err(self.service.exchange.refused(&response));
        }
        let reading = inbox::judge(&answers::object(&response, "the inbox")?, &self.service.issuer)?;
        let mut items = Vec::with_capacity(reading.envelopes.len());
        for envelope in reading.envelopes {
            items.push(self.complete(envelope).await?);
        }
        Ok(Inbox { items, unreadable: reading.unreadable, more: reading.more })
    }

    /// Hands over a signed prescription (protocol §6). The service takes the first and refuses a second. `next` is where the
    /// one after it will go: meanwhile, the device key makes the proof for it.
    ///
    /// # Errors
    /// [`ServiceError::AlreadyAnswered`], [`ServiceError::RequestGone`], [`ServiceError::ForeignUrl`].
    pub async fn deliver(
        &self,
        response_uri: &str,
        signed: &[u8],
        next: Option<&str>,
    ) -> Result<(), ServiceError> {
        let proof = self.ahead().take();
        let ahead = async {
            let url = self.service.own_url(next?).ok()?;
            let token = self.token.try_lock().ok()?.clone()?;
            self.service.exchange.prove_ahead(&self.client.keys, &url, &token.token).await
        };
        let body = inbox::delivery_body(signed);
        // A proof that takes longer than the answer is waited for: what follows needs one.
        let (mut answer, mut ahead) = (pin!(self.answer(response_uri, &body, proof.as_ref())), pin!(ahead));
        let (mut answered, mut proved) = (Poll::Pending, false);
        poll_fn(|context| {
            if answered.is_pending() {
                answered = answer.as_mut().poll(context);
            }
            if !proved && let Poll::Ready(proof) = ahead.as_mut().poll(context) {
                *self.ahead() = proof;
                proved = true;
            }
            if proved { std::mem::replace(&mut answered, Poll::Pending) } else { Poll::Pending }
        })
        .await
    }

    /// Tells the requester that the doctor declines, and why (at most 200 characters).
    ///
    /// # Errors
    /// As [`BoundService::deliver`].
    pub async fn decline(&self, response_uri: &str, reason: &str) -> Result<(), ServiceError> {
        self.answer(response_uri, &inbox::refusal_body(reason), None).await
    }

    /// See [`Service::read_registration`].
    ///
    /// # Errors
    /// As there.
    pub async fn read_registration(
        &self,
        uri: &str,
        token: &Secret,
    ) -> Result<RegistrationAnswer, ServiceError> {
        self.service.read_registration(&self.client.keys, uri, token).await
    }

    /// See [`Service::unregister`].
    ///
    /// # Errors
    /// As there.
    pub async fn unregister(&self, uri: &str, token: &Secret) -> Result<RegistrationAnswer, ServiceError> {
        self.service.unregister(&self.client.keys, uri, token).await
    }

    fn ahead(&self) -> sync::MutexGuard<'_, Option<Proof>> {
        self.proof.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(
        &self,
        response_uri: &str,
        body: &Value,
        proof: Option<&Proof>,
    ) -> Result<(), ServiceError> {
        let url = self.service.own_url(response_uri)?;
        let body = json_bytes(body);
        let call = Call { payload: Payload::Json(&body), proof, ..Call::new(Method::Post, &url) };
        let response = self.resource(call).await?;
        match response.status {
            // A proxy's page with status 200 does not say that the service has it.
            _ if response.is_success() => answers::object_or_nothing(&response, "the answer to a request"),
            404 | 410 => Err(ServiceError::RequestGone),
            409 if Refusal::of(&response).code == "expired" => Err(ServiceError::RequestGone),
            409 => Err(ServiceError::AlreadyAnswered),
            _ => Err(self.service.exchange.refused(&response)),
        }
    }

    async fn complete(&self, envelope: Envelope) -> Result<InboxItem, ServiceError> {
        let Source::Fetch { url, .. } = &envelope.source else {
            return Ok(envelope.fetched(Err(DocumentFault::NotFetched)));
        };
        let call = Call { max_body: MAX_DOCUMENT, ..Call::new(Method::Get, url) };
        let document = match self.resource(call).await {
            Ok(response) if response.is_success() => Ok(response.body.to_vec()),
            Err(ServiceError::Transport(TransportError::BodyTooLarge { .. })) => Err(DocumentFault::TooLarge),
            Ok(_) | Err(ServiceError::Transport(_)) => Err(DocumentFault::NotFetched),
            Err(error) => return Err(error),
        };
        Ok(envelope.fetched(document))
    }

    /// A CSC method under the service token.
    async fn csc(&self, name: &'static str, body: &Value) -> Result<Value, ServiceError> {
        let url = below(&self.service.metadata.csc_endpoint, &format!("/{name}"));
        let body = json_bytes(body);
        let response =
            self.resource(Call { payload: Payload::Json(&body), ..Call::new(Method::Post, &url) }).await?;
        if response.is_success() {
            return answers::object(&response, name);
        }
        Err(match self.refused_csc(&response) {
            ServiceError::Csc(CscRefusal::Unclassified(refusal)) => ServiceError::Refused(refusal),
            other => other,
        })
    }

    fn refused_csc(&self, response: &HttpResponse) -> ServiceError {
        match self.service.exchange.refused(response) {
            ServiceError::Refused(refusal) => CscRefusal::of(refusal).into(),
            other => other,
        }
    }

    /// A call under the service token; when the token itself is refused, once more with a new one (RFC 6750 §3.1).
    async fn resource(&self, call: Call<'_>) -> Result<HttpResponse, ServiceError> {
        let token = self.service_token(None).await?;
        let response = self.call_with(call, &token).await?;
        if !token_was_refused(&response) {
            return Ok(response);
        }
        let token = self.service_token(Some(&token)).await?;
        self.call_with(Call { proof: None, ..call }, &token).await
    }

    async fn call_with(&self, call: Call<'_>, token: &ServiceToken) -> Result<HttpResponse, ServiceError> {
        let authorization = Authorization::Dpop(&token.token);
        self.service.exchange.call(Call { authorization, keys: Some(&self.client.keys), ..call }).await
    }

    /// The token in hand, or a new one where there is none, it ends soon, or it is the `refused` one.
    async fn service_token(
        &self,
        refused: Option<&Arc<ServiceToken>>,
    ) -> Result<Arc<ServiceToken>, ServiceError> {
        let mut held = self.token.lock().await;
        let now = self.service.exchange.device.clock.now();
        if let Some(token) = held.as_ref() {
            let is_refused = refused.is_some_and(|refused| Arc::ptr_eq(refused, token));
            if !is_refused && token.is_fresh(now) {
                return Ok(token.clone());
            }
        }
        *held = None;
        let grant = self.request_token(&[("grant_type", CLIENT_CREDENTIALS), ("scope", "service")]).await?;
        Ok(held.insert(Arc::new(ServiceToken::new(grant, now))).clone())
    }

    async fn request_token(&self, fields: &[(&str, &str)]) -> Result<Grant, ServiceError> {
        let url: &Url = &self.service.metadata.token_endpoint;
        let audience = self.service.profile.assertion_audience.as_str();
        let call = Call {
            payload: Payload::Form { fields, client: &self.client, audience },
            keys: Some(&self.client.keys),
            ..Call::new(Method::Post, url)
        };
        let response = self.service.exchange.call(call).await?;
        if response.is_success() {
            judge_grant(&response)
        } else {
            Err(self.service.exchange.refused(&response))
        }
    }
}
