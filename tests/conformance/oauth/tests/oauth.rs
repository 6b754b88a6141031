//! What the agent does before any signature, at an authorization server that others wrote.

use std::sync::Arc;

use conformance_oauth::{Line, Phone, Seen, World};
use hpki_agent::{
    agent::{Agent, Code, Options, Status},
    device::Secret,
    registration::{
        Registered, RegistrationRefusal, RegistrationRequest, Ticket, Unregistration, judge,
        judge_unregistration,
    },
    service::{
        BoundService, ClientIdentity, MetadataError, PhoneKeys, Service, ServiceError, http::HttpRequest,
    },
};
use serde_json::Value;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

/// A phone on its way, step by step.
struct Journey {
    phone: Phone,
    line: Arc<Line>,
    service: Service,
    keys: PhoneKeys,
    registered: Registered,
}

impl Journey {
    async fn begin(world: &World) -> Self {
        Self::with(world, Phone::new()).await
    }

    async fn with(world: &World, phone: Phone) -> Self {
        let ticket = world.ticket(Duration::minutes(10)).await;
        let (line, service) = discover(world, &phone).await;
        let (keys, registered) = register(world, &phone, &service, &ticket).await;
        Self { phone, line, service, keys, registered: registered.unwrap() }
    }

    async fn bind(self) -> (BoundService, Arc<Line>, Registered) {
        let identity = identity(&self.registered.client_id, &self.keys);
        (self.service.bind(identity).await.unwrap(), self.line, self.registered)
    }
}

async fn discover(world: &World, phone: &Phone) -> (Arc<Line>, Service) {
    let trusted = world.service();
    let line = Arc::new(Line::to(&trusted));
    let service = Service::discover(&trusted, line.clone(), phone.device()).await.unwrap();
    (line, service)
}

async fn register(
    world: &World,
    phone: &Phone,
    service: &Service,
    qr_text: &str,
) -> (PhoneKeys, Result<Registered, RegistrationRefusal>) {
    let ticket = Ticket::parse(qr_text, &world.trust(), OffsetDateTime::now_utc()).unwrap();
    let (keys, [device_key, approval_key]) = phone.make_keys().await;
    let body = RegistrationRequest {
        ticket: &ticket,
        service_name: "検証用",
        binding: &keys.binding,
        device_key: &device_key,
        approval_key: &approval_key,
        code: None,
        client: &Phone::client(),
    };
    let body = body.body(&*phone.device().keys, service.now()).await.unwrap();
    let (_, jws) = qr_text.split_once('#').unwrap();
    let answer = service.register(&keys, jws, &body).await.unwrap();
    (keys, judge(answer.status, &answer.body, &ticket))
}

fn identity(client_id: &str, keys: &PhoneKeys) -> ClientIdentity {
    ClientIdentity {
        client_id: client_id.to_owned(),
        binding: keys.binding.clone(),
        device_thumbprint: keys.device.thumbprint(),
        approval_thumbprint: keys.approval.thumbprint(),
    }
}

fn exchange(request: &str, status: u16, error: Option<&str>) -> Seen {
    (request.to_owned(), status, error.map(str::to_owned))
}

fn error_of(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap();
    body["error"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_providers_own_metadata_are_believed_under_its_own_name_only() {
    let (world, phone) = (World::new().await, Phone::new());
    let (_, service) = discover(&world, &phone).await;
    assert_eq!(service.metadata().registration_endpoint.path(), "/register");
    assert_eq!(service.metadata().token_endpoint.path(), "/token");
    assert_eq!(service.metadata().prescriptions_endpoint.path(), "/prescriptions");

    let mut renamed = world.service();
    renamed.issuer = renamed.issuer.replace("127.0.0.1", "localhost");
    let line = Arc::new(Line::to(&renamed));
    let refused = Service::discover(&renamed, line, phone.device()).await.err();
    assert_eq!(refused, Some(ServiceError::Metadata(MetadataError::Issuer)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_an_initial_access_token_for_one_registration() {
    let (world, phone) = (World::new().await, Phone::new());
    let (line, service) = discover(&world, &phone).await;
    let ticket = world.ticket(Duration::minutes(10)).await;
    let registered = register(&world, &phone, &service, &ticket).await.1.unwrap();
    assert_eq!(registered.credential_id, world.credential);
    let again = register(&world, &Phone::new(), &service, &ticket).await.1;
    assert_eq!(again.unwrap_err(), RegistrationRefusal::TicketUnknown);
    let register = "POST /register";
    let registrations: Vec<_> =
        line.exchanges().into_iter().filter(|(request, ..)| request == register).collect();
    assert_eq!(
        registrations,
        [exchange(register, 201, None), exchange(register, 401, Some("invalid_token"))]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_refuses_an_expired_and_a_forged_ticket() {
    let (world, phone) = (World::new().await, Phone::new());
    let (_, service) = discover(&world, &phone).await;
    let (keys, _) = phone.make_keys().await;
    let thief = Phone::new();
    thief.make_ticket_key().await;
    let expired = world.ticket(-Duration::minutes(1)).await;
    let forged = world.ticket_by(&thief, Duration::minutes(10)).await;
    for qr_text in [expired, forged] {
        // The agent refuses both before there is a request, so they are sent past it.
        assert!(Ticket::parse(&qr_text, &world.trust(), OffsetDateTime::now_utc()).is_err());
        let (_, jws) = qr_text.split_once('#').unwrap();
        let answer = service.register(&keys, jws, b"{}").await.unwrap();
        assert_eq!((answer.status, error_of(&answer.body).as_str()), (401, "invalid_token"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_is_what_was_asked_for_and_obeys_its_own_token_alone() {
    let world = World::new().await;
    let mine = Journey::begin(&world).await;
    let other = Journey::begin(&world).await;
    let Registered { registration_client_uri: uri, registration_access_token: token, .. } = &mine.registered;
    let read = mine.service.read_registration(&mine.keys, uri, token).await.unwrap();
    assert_eq!(read.status, 200);
    let kept: Value = serde_json::from_slice(&read.body).unwrap();
    assert_eq!(kept["client_id"], mine.registered.client_id);
    assert_eq!(kept["token_endpoint_auth_method"], "private_key_jwt");
    assert_eq!(kept["token_endpoint_auth_signing_alg"], "ES256");
    assert_eq!(kept["dpop_bound_access_tokens"], true);
    assert_eq!(kept["scope"], "service");
    assert_eq!(kept["response_types"], serde_json::json!([]));
    let kids: Vec<_> =
        kept["jwks"]["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect();
    assert_eq!(kids, [mine.keys.device.thumbprint(), mine.keys.approval.thumbprint()]);
    assert!(kept.get("approval_proof").is_none() && kept.get("activation_code").is_none());

    for wrong in [&Secret::new(b"guessed".to_vec()), &other.registered.registration_access_token] {
        let refused = mine.service.read_registration(&mine.keys, uri, wrong).await.unwrap();
        assert_eq!((refused.status, error_of(&refused.body).as_str()), (401, "invalid_token"));
        let refused = mine.service.unregister(&mine.keys, uri, wrong).await.unwrap();
        assert_eq!(refused.status, 401);
    }
    assert_eq!(mine.service.read_registration(&mine.keys, uri, token).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_was_removed_gets_no_token_and_learns_that_it_is_unbound() {
    let world = World::new().await;
    let (bound, line, registered) = Journey::begin(&world).await.bind().await;
    assert_eq!(bound.credentials().await.unwrap(), [world.credential.as_str()]);
    let Registered { registration_client_uri: uri, registration_access_token: token, .. } = &registered;
    let removed = bound.unregister(uri, token).await.unwrap();
    assert_eq!(judge_unregistration(removed.status, &removed.body), Ok(Unregistration::Removed));
    let again = bound.unregister(uri, token).await.unwrap();
    assert_eq!(judge_unregistration(again.status, &again.body), Ok(Unregistration::AlreadyGone));
    // The token in hand is refused, and the question for a new one is answered with `invalid_client`.
    line.exchanges();
    assert_eq!(bound.credentials().await.unwrap_err(), ServiceError::Unbound);
    let list = "POST /csc/v2/credentials/list";
    let expected =
        [exchange(list, 401, Some("invalid_token")), exchange("POST /token", 401, Some("invalid_client"))];
    assert_eq!(line.exchanges(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_token_costs_one_repetition_for_the_nonce_and_a_held_token_none() {
    let world = World::new().await;
    let (bound, line, _) = Journey::begin(&world).await.bind().await;
    line.exchanges();
    bound.credentials().await.unwrap();
    bound.credentials().await.unwrap();
    let list = || exchange("POST /csc/v2/credentials/list", 200, None);
    let expected = [
        exchange("POST /token", 400, Some("use_dpop_nonce")),
        exchange("POST /token", 200, None),
        list(),
        list(),
    ];
    assert_eq!(line.exchanges(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_that_is_not_the_providers_costs_one_repetition() {
    let world = World::new().await;
    let journey = Journey::begin(&world).await;
    let (line, service) = (journey.line.clone(), journey.service);
    line.forge_next_nonce("of-another-day");
    service.refresh_nonce().await.unwrap();
    let bound = service.bind(identity(&journey.registered.client_id, &journey.keys)).await.unwrap();
    line.exchanges();
    bound.credentials().await.unwrap();
    let tokens: Vec<_> =
        line.exchanges().into_iter().filter(|(request, ..)| request == "POST /token").collect();
    assert_eq!(
        tokens,
        [exchange("POST /token", 400, Some("use_dpop_nonce")), exchange("POST /token", 200, None)]
    );
}

/// A request for a token that the agent made and the provider never got.
async fn held_back(world: &World, journey: &Journey) -> HttpRequest {
    let trusted = world.service();
    let service = Service::discover(&trusted, journey.line.clone(), journey.phone.device()).await.unwrap();
    let bound = service.bind(identity(&journey.registered.client_id, &journey.keys)).await.unwrap();
    journey.line.hold_back_second("/token"); // the first one fetches the nonce
    assert!(bound.credentials().await.is_err());
    journey.line.latest("/token")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_refuses_what_a_thief_makes_of_the_agents_requests() {
    let world = World::new().await;
    let journey = Journey::begin(&world).await;
    let send = async |request: HttpRequest| {
        let response = journey.line.send_stolen(&request).await.unwrap();
        (response.status, serde_json::from_slice::<Value>(&response.body).unwrap()["error"].clone())
    };
    let proof = |request: &HttpRequest| request.header("dpop").unwrap().to_owned();
    let with_proof = |mut request: HttpRequest, proof: Option<String>| {
        request.headers.retain(|(name, _)| *name != "dpop");
        request.headers.extend(proof.map(|proof| ("dpop", Zeroizing::new(proof))));
        request
    };

    let first = held_back(&world, &journey).await;
    let used = proof(&first);
    assert_eq!(send(first).await, (200, Value::Null), "as it is, it is good");
    let repeated = journey.line.latest("/token");
    assert_eq!(send(repeated).await, (401, "invalid_client".into()), "its client assertion was used");
    let replayed = with_proof(held_back(&world, &journey).await, Some(used));
    assert_eq!(send(replayed).await, (400, "invalid_grant".into()), "its proof was used");
    let elsewhere = proof(&journey.line.latest("/register"));
    let elsewhere = with_proof(held_back(&world, &journey).await, Some(elsewhere));
    assert_eq!(send(elsewhere).await, (400, "invalid_dpop_proof".into()), "its proof is for another URL");
    let bare = with_proof(held_back(&world, &journey).await, None);
    assert_eq!(send(bare).await, (400, "invalid_grant".into()), "it has no proof");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_another_phone_get_no_token() {
    let world = World::new().await;
    let (mine, other) = (Journey::begin(&world).await, Journey::begin(&world).await);
    let impostor = mine.service.bind(identity(&other.registered.client_id, &mine.keys)).await.unwrap();
    assert_eq!(impostor.credentials().await.unwrap_err(), ServiceError::Unbound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_whose_clock_is_wrong_by_hours_registers_and_gets_its_token() {
    for wrong in [Duration::hours(5), -Duration::hours(5)] {
        let (world, phone) = (World::new().await, Phone::new());
        phone.is_off_by(wrong);
        let (bound, ..) = Journey::with(&world, phone).await.bind().await;
        assert_eq!(bound.credentials().await.unwrap(), [world.credential.as_str()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_agent_registers_confirms_looks_and_unregisters() {
    let (world, phone) = (World::new().await, Phone::new());
    let agent =
        Agent::open(Options { trust: world.trust(), client: Phone::client(), device: phone.device() })
            .unwrap();
    let ticket = world.ticket(Duration::minutes(10)).await;
    let candidate = agent.register(&ticket, None).await.unwrap();
    agent.confirm(candidate).await.unwrap();
    assert!(agent.inbox(std::time::Duration::ZERO).await.unwrap().is_empty());
    agent.unregister().await.unwrap();
    assert!(matches!(agent.status().await.unwrap(), Status::Unregistered));
    let refused = agent.register(&ticket, None).await.err().unwrap();
    assert_eq!(refused.code(), Code::TicketUnknown, "{refused}");
    assert_eq!(world.answered("DELETE"), 204);
}
