//! Discovery, registration, tokens, credentials.

use super::*;

#[tokio::test]
async fn another_issuers_metadata_stop_discovery_rfc_8414_3_3() {
    let stage = Stage::new();
    let mut document = metadata_document();
    document["issuer"] = json!("https://evil.example");
    stage.says(200, &document);
    assert_eq!(stage.discover().await.err(), Some(MetadataError::Issuer.into()));
    assert_eq!(stage.script.lines().len(), 1);
}

#[tokio::test]
async fn a_portals_page_instead_of_metadata_is_malformed_not_trusted() {
    let stage = Stage::new();
    stage.says_with(200, &[], "<html>Welcome to the hospital's Wi-Fi</html>");
    assert_eq!(stage.discover().await.err(), Some(ServiceError::Malformed("discovery")));
}

#[tokio::test]
async fn an_identity_that_does_not_fit_the_phone_is_noticed_before_anything_is_sent() {
    let stage = Stage::new();
    let identity = ClientIdentity { approval_thumbprint: "other".into(), ..stage.phone.identity() };
    let refused = stage.service().await.bind(identity).await.err();
    assert_eq!(refused, Some(ServiceError::KeyChanged(KeyRole::Approval)));
    let identity = ClientIdentity { client_id: String::new(), ..stage.phone.identity() };
    let refused = stage.service().await.bind(identity).await.err();
    assert_eq!(refused, Some(ActivationError::NoSigner.into()));
    let identity = ClientIdentity { binding: "gone".into(), ..stage.phone.identity() };
    let refused = stage.service().await.bind(identity).await.err();
    assert_eq!(refused, Some(ServiceError::Keys(KeyVaultError::NotFound)));
}

#[tokio::test]
async fn a_registration_carries_ticket_and_proof_and_returns_the_raw_answer_rfc_7591_3() {
    let stage = Stage::new();
    let service = stage.service().await;
    stage.says_with(400, &[("date", TEN_MINUTES_AHEAD)], r#"{"error":"invalid_dpop_proof"}"#);
    let answer = service.register(&stage.phone.keys(), "the.ticket.jws", b"{\"a\":1}").await.unwrap();
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (400, br#"{"error":"invalid_dpop_proof"}"#.as_slice())
    );
    assert_eq!(answer.skew, Some(Duration::minutes(10)));
    let request = stage.script.take().remove(0);
    assert_eq!((request.url.path(), request.body.as_slice()), ("/register", b"{\"a\":1}".as_slice()));
    assert_eq!(request.header("authorization"), Some("Bearer the.ticket.jws"));
    let claims = stage.proof_claims(&request);
    assert_eq!((&claims["htm"], &claims["nonce"]), (&json!("POST"), &json!("n-1")));
    assert_eq!(claims["htu"], "https://sign.example/register");
    assert!(claims.get("ath").is_none());
}

#[tokio::test]
async fn a_new_nonce_costs_one_repetition_and_no_second_rfc_9449_8() {
    let stage = Stage::new();
    let service = stage.service().await;
    let asks_again = json!({"error": "use_dpop_nonce"}).to_string();
    stage.says_with(400, &[("dpop-nonce", "n-2")], &asks_again);
    stage.says_with(400, &[("dpop-nonce", "n-3")], &asks_again);
    let answer = service.register(&stage.phone.keys(), "t", b"{}").await.unwrap();
    assert_eq!(answer.status, 400);
    let nonces: Vec<_> = stage.script.take().iter().map(|r| stage.proof_claims(r)["nonce"].clone()).collect();
    assert_eq!(nonces, ["n-1", "n-2"]);
    // Without a new nonce, repeating would change nothing.
    stage.says_with(400, &[], &asks_again);
    service.register(&stage.phone.keys(), "t", b"{}").await.unwrap();
    assert_eq!(stage.script.lines().len(), 1);
}

#[tokio::test]
async fn a_registration_is_managed_only_at_this_service_rfc_7592_2() {
    let stage = Stage::new();
    let bound = stage.bound().await;
    let token = Secret::new(b"rat".to_vec());
    for uri in
        ["https://evil.example/register/1", "http://sign.example/register/1", "https://sign.example:1/r", "x"]
    {
        let refused = bound.unregister(uri, &token).await.err();
        assert_eq!(refused, Some(ServiceError::ForeignUrl), "{uri}");
    }
    stage.says_with(204, &[], "");
    let answer = bound.unregister("https://sign.example/register/client-1", &token).await.unwrap();
    assert_eq!(answer.status, 204);
    let request = stage.script.take().remove(0);
    assert_eq!((request.method, request.header("authorization")), (Method::Delete, Some("Bearer rat")));
    assert_eq!(stage.proof_claims(&request)["htm"], "DELETE");
}

#[tokio::test]
async fn a_service_token_is_asked_for_as_rfc_6749_4_4_says_and_used_until_it_ends() {
    let stage = Stage::new();
    let bound = stage.bound().await;
    stage.says(200, &service_token("st-1"));
    stage.says(200, &json!({"credentialIDs": ["credential-1"]}));
    stage.says(200, &json!({"credentialIDs": []}));
    assert_eq!(bound.credentials().await.unwrap(), ["credential-1"]);
    assert!(bound.credentials().await.unwrap().is_empty());
    let requests = stage.script.take();
    assert_eq!(requests.len(), 3);
    assert_eq!(field(&requests[0], "grant_type"), "client_credentials");
    assert_eq!(field(&requests[0], "scope"), "service");
    let assertion = field(&requests[0], "client_assertion");
    let (_, claims) = jws_parts(&assertion, &stage.phone.keys().device);
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!("client-1"), &json!(ISSUER)));
    for request in &requests[1..] {
        assert_eq!(request.header("authorization"), Some("DPoP st-1"));
        assert!(stage.proof_claims(request)["ath"].is_string());
    }
}

#[tokio::test]
async fn a_refused_service_token_is_replaced_once_rfc_6750_3_1() {
    let stage = Stage::new();
    let bound = stage.warm().await;
    let refused = json!({"error": "invalid_token"});
    stage.says(401, &refused).says(200, &service_token("st-2")).says(401, &refused);
    let error = bound.credentials().await.unwrap_err();
    assert!(matches!(error, ServiceError::Refused(_)), "{error:?}");
    let lines = stage.script.lines();
    assert_eq!(lines, ["POST /csc/v2/credentials/list", "POST /token", "POST /csc/v2/credentials/list"]);
}

#[tokio::test]
async fn a_phone_that_was_replaced_learns_it_as_invalid_client() {
    let stage = Stage::new();
    let bound = stage.warm().await;
    stage.says(401, &json!({"error": "invalid_token"})).says(401, &json!({"error": "invalid_client"}));
    assert_eq!(bound.credentials().await, Err(ServiceError::Unbound));
}

#[tokio::test]
async fn a_wrong_clock_is_told_from_a_phone_that_was_replaced() {
    let stage = Stage::new();
    let bound = stage.bound().await;
    for code in ["invalid_client", "invalid_dpop_proof"] {
        let body = json!({"error": code}).to_string();
        stage.says_with(401, &[("date", TEN_MINUTES_AHEAD)], &body);
        let error = bound.credentials().await.unwrap_err();
        assert_eq!(error, ServiceError::ClockWrong { by: Duration::minutes(10) });
        assert_eq!(bound.clock_skew(), Some(Duration::minutes(10)));
    }
    stage.says_with(401, &[("date", IN_TIME)], r#"{"error":"invalid_dpop_proof"}"#);
    assert!(matches!(bound.credentials().await, Err(ServiceError::Refused(_))));
}

#[tokio::test]
async fn a_service_out_of_order_is_named_so_whatever_it_sends() {
    let stage = Stage::new();
    let bound = stage.warm().await;
    stage.says_with(502, &[], "");
    let unavailable = |status, retry_after| Err(ServiceError::Unavailable { status, retry_after });
    assert_eq!(bound.credentials().await, unavailable(502, None));
    stage.says_with(503, &[("retry-after", "120")], "<html>maintenance</html>");
    assert_eq!(bound.credentials().await, unavailable(503, Some(StdDuration::from_secs(120))));
}

#[tokio::test]
async fn a_credential_is_asked_for_with_chain_and_authorisation_csc_v2_11_5() {
    let stage = Stage::new();
    let bound = stage.warm().await;
    stage.says(200, &testing::credential_answer(5));
    assert_eq!(bound.credential("credential-1").await.unwrap().multisign(), 5);
    let asked: Value = serde_json::from_slice(&stage.script.take()[0].body).unwrap();
    let expected =
        json!({"credentialID": "credential-1", "certificates": "chain", "certInfo": true, "authInfo": true});
    assert_eq!(asked, expected);
    let locked = json!({"error": "invalid_request", "error_description": "Credential locked"});
    stage.says(400, &locked);
    assert_eq!(bound.credential("credential-1").await, Err(CscRefusal::CredentialLocked.into()));
}
