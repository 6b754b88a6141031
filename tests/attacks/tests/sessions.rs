//! What belongs to one session, given to another: tokens, grants, callbacks, addresses. Everything is bound to a phone,
//! a request, or an act of approval, so it opens nothing elsewhere.

use end_to_end::{NO_WAIT, Phone, World, json, refused, sample};
use hpki_agent::agent::{AgentError, Approved, Code, Kind, Status};
use reference_service::{Fault, HolderSpec, Rewrite, State, TicketSpec};
use serde_json::{Value, json};

const SIGN_HASH: &str = "POST /csc/v2/signatures/signHash";

/// Two doctors at one service, each with a phone and a prescription that waits.
struct Two {
    world: World,
    ours: Phone,
    theirs: Phone,
    our_request: String,
    their_request: String,
}

impl Two {
    async fn new() -> Self {
        let world = World::new().await;
        let ours = world.bound_phone().await;
        let office = world.office();
        let other = office.issue(&HolderSpec::new("別人　太郎", "TARO BETSUJIN", "Medical Doctor")).unwrap();
        let theirs = world.phone();
        let ticket = office.ticket(&other, TicketSpec::card()).unwrap();
        theirs.confirm(theirs.use_ticket(&ticket).await.unwrap()).await.unwrap();
        let our_request = world.submit(&sample::csv(1));
        let their_request = office.submit(&other, &end_to_end::clinic(), &sample::csv(2)).unwrap();
        Self { world, ours, theirs, our_request, their_request }
    }

    /// From now on a member of our answers is another value.
    fn instead(&self, endpoint: &str, member: &'static str, value: Value) {
        let rewrite = Rewrite::new(move |_, answer| {
            if answer.get(member).is_some() {
                answer[member] = value.clone();
            }
        });
        self.world.service().faults().next(u32::MAX, endpoint, Fault::Rewritten(rewrite));
    }

    /// The last answer of an endpoint that has this member, and that member.
    fn seen(&self, endpoint: &str, member: &str) -> Value {
        let wire = self.world.wire();
        let values: Vec<_> = wire.of(endpoint).map(|e| json(&e.answer)[member].clone()).collect();
        values.into_iter().rfind(|value| !value.is_null()).expect("it went over the wire")
    }

    #[track_caller]
    fn assert_nothing_is_signed(&self) {
        for request in [&self.our_request, &self.their_request] {
            assert_eq!(self.world.state_of(request), State::Waiting);
        }
    }

    /// With nothing in the way any more, both doctors sign their own.
    async fn assert_both_go_on(&self) {
        self.world.service().faults().clear();
        self.world.service().faults().sign_later(None);
        for (phone, request, number) in
            [(&self.ours, &self.our_request, 1), (&self.theirs, &self.their_request, 2)]
        {
            approve(phone).await.unwrap();
            self.world.assert_signed(request, &sample::csv(number));
        }
    }
}

async fn approve(phone: &Phone) -> Result<Vec<Approved>, AgentError> {
    let batch = phone.prepare(phone.inbox(NO_WAIT).await?).await?;
    phone.approve(batch).await
}

#[tokio::test]
async fn another_phones_service_token_opens_nothing() {
    let mut two = Two::new().await;
    two.theirs.inbox(NO_WAIT).await.unwrap();
    two.ours.restart().await.unwrap();
    let token = two.seen("POST /token", "access_token");
    two.instead("POST /token", "access_token", token);
    let error = refused(two.ours.inbox(NO_WAIT).await);
    assert!(matches!(error.kind(), Kind::AskOffice | Kind::Retry), "{error}");
    assert!(two.world.wire().statuses("GET /prescriptions").contains(&Some(401)));
    two.assert_nothing_is_signed();
    two.assert_both_go_on().await;
}

#[tokio::test]
async fn another_phones_authorisation_signs_nothing() {
    let two = Two::new().await;
    // Theirs is granted and kept from being used.
    let batch = two.theirs.prepare(two.theirs.inbox(NO_WAIT).await.unwrap()).await.unwrap();
    two.world.service().faults().next(1, SIGN_HASH, Fault::Unheard);
    refused(two.theirs.approve(batch).await);
    let token = two.seen("POST /token", "access_token");
    let batch = two.ours.prepare(two.ours.inbox(NO_WAIT).await.unwrap()).await.unwrap();
    two.instead("POST /token", "access_token", token);
    assert_eq!(refused(two.ours.approve(batch).await).code(), Code::SignatureRefused);
    assert_eq!(two.world.signatures_made(), 0);
    two.assert_nothing_is_signed();
    two.assert_both_go_on().await;
}

#[tokio::test]
async fn an_authorisation_of_an_earlier_act_is_not_taken_for_this_one() {
    let two = Two::new().await;
    approve(&two.ours).await.unwrap();
    let (grants, made) = (two.world.wire(), two.world.signatures_made());
    let all = grants.of("POST /token").map(|e| json(&e.answer));
    let old = all.filter(|answer| !answer["authorization_details"].is_null()).last().unwrap();
    let second = two.world.submit(&sample::csv(3));
    for whole in [true, false] {
        let old = old.clone();
        let replayed = Rewrite::new(move |_, answer| {
            if answer.get("authorization_details").is_some() {
                if whole {
                    answer.clone_from(&old);
                } else {
                    answer["access_token"] = old["access_token"].clone();
                }
            }
        });
        two.world.service().faults().next(u32::MAX, "POST /token", Fault::Rewritten(replayed));
        let code = refused(approve(&two.ours).await).code();
        assert_eq!(code, if whole { Code::ServiceMisbehaved } else { Code::SignatureRefused });
        two.world.service().faults().clear();
        assert_eq!(two.world.signatures_made(), made);
        assert_eq!(two.world.state_of(&second), State::Waiting);
    }
    approve(&two.ours).await.unwrap();
    two.world.assert_signed(&second, &sample::csv(3));
}

#[tokio::test]
async fn the_callback_of_another_session_brings_nothing() {
    let two = Two::new().await;
    two.world.service().faults().sign_later(Some(1));
    approve(&two.theirs).await.unwrap();
    let id = two.seen(SIGN_HASH, "responseID");
    two.instead(SIGN_HASH, "responseID", id);
    let error = refused(approve(&two.ours).await);
    assert!(matches!(error.kind(), Kind::AskOffice | Kind::Retry), "{error}");
    assert_eq!(two.world.state_of(&two.our_request), State::Waiting);
    two.world.service().faults().clear();
    two.world.service().faults().sign_later(None);
    approve(&two.ours).await.unwrap();
    two.world.assert_signed(&two.our_request, &sample::csv(1));
    two.world.assert_signed(&two.their_request, &sample::csv(2));
}

#[tokio::test]
async fn the_signatures_of_another_session_are_thrown_away() {
    let two = Two::new().await;
    approve(&two.theirs).await.unwrap();
    let values = two.seen(SIGN_HASH, "signatures");
    two.instead(SIGN_HASH, "signatures", values);
    assert_eq!(refused(approve(&two.ours).await).code(), Code::SignatureWrong);
    assert_eq!(two.world.state_of(&two.our_request), State::Waiting);
}

#[tokio::test]
async fn answers_that_are_sent_to_each_others_addresses_reach_nobody_as_their_own() {
    let world = World::new().await;
    let phone = world.bound_phone().await;
    let requests = [world.submit(&sample::csv(1)), world.submit(&sample::csv(2))];
    let swapped = Rewrite::new(|_, answer| {
        let uri = |at: usize| format!("/requests/{at}/signatureRequests/0/responseURI");
        let (first, second) = (answer.pointer(&uri(0)).cloned(), answer.pointer(&uri(1)).cloned());
        if let (Some(first), Some(second)) = (first, second) {
            *answer.pointer_mut(&uri(0)).unwrap() = second;
            *answer.pointer_mut(&uri(1)).unwrap() = first;
        }
    });
    world.service().faults().next(1, "GET /prescriptions", Fault::Rewritten(swapped));
    for approved in approve(&phone).await.unwrap() {
        let number = requests.iter().position(|request| *request == approved.id).unwrap() + 1;
        let report = world.judge(approved.signed.bytes());
        assert_eq!(report.document.map(String::into_bytes), Some(sample::csv(number)), "as it was shown");
    }
    for request in &requests {
        assert_eq!(world.state_of(request), State::Waiting, "a clinic takes only its own prescription");
    }
}

#[tokio::test]
async fn another_phones_registration_cannot_be_removed_in_ones_own_place() {
    let world = World::new().await;
    let ours = world.bound_phone().await;
    let office = world.office();
    let other = office.issue(&HolderSpec::new("別人　太郎", "TARO BETSUJIN", "Medical Doctor")).unwrap();
    let registered = json(&world.wire().of("POST /register").next().unwrap().answer);
    let address = registered["registration_client_uri"].clone();
    let redirected = Rewrite::new(move |_, answer| answer["registration_client_uri"] = address.clone());
    world.service().faults().next(1, "POST /register", Fault::Rewritten(redirected));
    let theirs = world.phone();
    let ticket = office.ticket(&other, TicketSpec::card()).unwrap();
    theirs.confirm(theirs.use_ticket(&ticket).await.unwrap()).await.unwrap();
    let _ = theirs.unregister().await;
    assert!(matches!(ours.status().await.unwrap(), Status::Registered { .. }));
    assert!(ours.inbox(NO_WAIT).await.is_ok(), "ours is still bound");
}

#[tokio::test]
async fn another_doctors_credential_is_shown_as_theirs_and_never_as_ones_own() {
    let world = World::new().await;
    let office = world.office();
    let other = office.issue(&HolderSpec::new("別人　太郎", "TARO BETSUJIN", "Medical Doctor")).unwrap();
    let swapped = Rewrite::new(move |_, answer| answer["credential_id"] = json!(other));
    world.service().faults().next(1, "POST /register", Fault::Rewritten(swapped));
    let phone = world.phone();
    match phone.use_ticket(&world.card()).await {
        // The service does not show a credential to another's phone.
        Err(error) => assert!(matches!(error.kind(), Kind::AskOffice | Kind::Refuse), "{error}"),
        Ok(candidate) => assert_eq!(candidate.holder().name_kanji.as_deref(), Some("別人　太郎")),
    }
    assert!(!matches!(phone.status().await.unwrap(), Status::Registered { .. }));
}
