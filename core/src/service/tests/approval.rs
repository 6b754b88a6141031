//! Activation and signing.

use super::*;

#[tokio::test]
async fn an_approval_costs_two_requests_whatever_its_size() {
    for count in [1, 10, 100] {
        let stage = Stage::new();
        let bound = stage.warm().await;
        let activation = Stage::activation(count);
        let details = details_of(&activation);
        stage.grants(&details);
        stage.says(200, &json!({"signatures": vec!["AQID"; count.into()]}));
        let token = bound.activate(activation).await.unwrap();
        let signatures = bound.sign_hashes(token).await.unwrap();
        assert_eq!(signatures, vec![vec![1, 2, 3]; count.into()]);
        assert_eq!(stage.phone.prompts(), [Prompt::Approve { count: count.into() }]);

        let requests = stage.script.take();
        assert_eq!(requests.len(), 2);
        let [activate, sign] = requests.as_slice() else { unreachable!() };
        assert_eq!(field(activate, "grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
        let repeated: Value = serde_json::from_str(&field(activate, "authorization_details")).unwrap();
        assert_eq!(repeated, details);
        let (_, sad) = jws_parts(&field(activate, "assertion"), &stage.phone.keys().approval);
        assert_eq!((&sad["authorization_details"], &sad["nonce"]), (&details, &json!("n-2")));
        assert_eq!(sign.header("authorization"), Some("DPoP ct-1"));
        let body: Value = serde_json::from_slice(&sign.body).unwrap();
        assert_eq!(body["credentialID"], "credential-1");
        assert_eq!(body["hashAlgorithmOID"], "2.16.840.1.101.3.4.2.1");
        assert_eq!(body["signAlgo"], "1.2.840.113549.1.1.11");
        let hashes: Vec<_> = digests(count).iter().map(|digest| STANDARD.encode(&digest.hash)).collect();
        assert_eq!(body["hashes"], json!(hashes));
    }
}

#[tokio::test]
async fn a_grant_of_anything_else_stops_before_signing_rfc_9396_7() {
    let activation = Stage::activation(2);
    let mut fewer = details_of(&activation);
    fewer[0]["documentDigests"].as_array_mut().unwrap().truncate(1);
    for granted in [Value::Null, json!([]), fewer] {
        let stage = Stage::new();
        let bound = stage.bound().await;
        stage.grants(&granted);
        let refused = bound.activate(Stage::activation(2)).await.err();
        assert_eq!(refused, Some(ServiceError::GrantDiffers));
        assert_eq!(stage.script.lines(), ["POST /token"]);
    }
}

#[tokio::test]
async fn a_cancelled_prompt_sends_nothing() {
    let stage = Stage::new();
    let bound = stage.bound().await;
    stage.phone.cancel_next();
    let refused = bound.activate(Stage::activation(1)).await.err();
    assert_eq!(refused, Some(ServiceError::Keys(KeyVaultError::Cancelled)));
    assert!(stage.script.lines().is_empty());
}

#[tokio::test]
async fn one_prompt_serves_an_activation_that_needs_a_new_nonce() {
    let stage = Stage::new();
    let bound = stage.bound().await;
    let activation = Stage::activation(1);
    stage.says_with(400, &[("dpop-nonce", "n-9")], r#"{"error":"use_dpop_nonce"}"#);
    stage.grants(&details_of(&activation));
    bound.activate(activation).await.unwrap();
    let requests = stage.script.take();
    assert_eq!(field(&requests[0], "assertion"), field(&requests[1], "assertion"));
    assert_ne!(field(&requests[0], "client_assertion"), field(&requests[1], "client_assertion"));
    assert_eq!(stage.proof_claims(&requests[1])["nonce"], "n-9");
    assert_eq!(stage.phone.prompts().len(), 1);
}

#[tokio::test]
async fn without_a_nonce_nothing_is_approved() {
    let stage = Stage::new();
    stage.says_with(200, &[], &metadata_document().to_string());
    stage.says_with(200, &[], &info("2.0.0.2").to_string());
    let bound = stage.discover().await.unwrap().bind(stage.phone.identity()).await.unwrap();
    stage.says_with(200, &[], &info("2.0.0.2").to_string());
    assert_eq!(bound.activate(Stage::activation(1)).await.err(), Some(ServiceError::NoNonce));
    assert!(stage.phone.prompts().is_empty());
}

#[tokio::test]
async fn sign_hash_is_never_sent_twice() {
    let bare = |status, headers: &[(&str, &str)]| answer(status, headers, "");
    for (said, expected) in [
        (
            Ok(bare(401, &[("www-authenticate", "DPoP error=\"invalid_token\"")])),
            CscRefusal::SadInvalid.into(),
        ),
        (
            Ok(answer(400, &[], r#"{"error":"invalid_request","error_description":"SAD expired"}"#)),
            CscRefusal::SadExpired.into(),
        ),
        (
            Ok(answer(401, &[("dpop-nonce", "n-9")], r#"{"error":"use_dpop_nonce"}"#)),
            CscRefusal::Unclassified(Refusal {
                status: 401,
                code: "use_dpop_nonce".into(),
                words: String::new(),
            })
            .into(),
        ),
        (Ok(bare(502, &[])), ServiceError::Unavailable { status: 502, retry_after: None }),
        (
            Ok(answer(200, &[], r#"{"signatures":[]}"#)),
            ServiceError::SignatureCount { asked: 1, received: 0 },
        ),
        (Err(TransportError::Timeout), TransportError::Timeout.into()),
    ] {
        let stage = Stage::new();
        let bound = stage.bound().await;
        let activation = Stage::activation(1);
        stage.grants(&details_of(&activation));
        let token = bound.activate(activation).await.unwrap();
        stage.script.push(said);
        assert_eq!(bound.sign_hashes(token).await, Err(expected));
        assert_eq!(stage.script.lines(), ["POST /token", "POST /csc/v2/signatures/signHash"]);
    }
}

#[tokio::test]
async fn signatures_that_are_made_later_are_polled_for_through_an_interruption() {
    let stage = Stage::new();
    let bound = stage.bound().await;
    let activation = Stage::activation(1);
    stage.grants(&details_of(&activation));
    let token = bound.activate(activation).await.unwrap();
    stage.script.take();
    stage.says_with(200, &[], r#"{"responseID":"r-7"}"#);
    stage.says_with(200, &[], r#"{"access_token":"t","token_type":"DPoP","expires_in":600}"#);
    stage.says_with(202, &[], r#"{"error":"accepted_request"}"#);
    stage.script.push(Err(TransportError::Interrupted));
    stage.says_with(200, &[], r#"{"signatures":["AQID"]}"#);
    assert_eq!(bound.sign_hashes(token).await, Ok(vec![vec![1, 2, 3]]));
    let polling = "POST /csc/v2/signatures/signPolling";
    let expected = ["POST /csc/v2/signatures/signHash", "POST /token", polling, polling, polling];
    let requests = stage.script.take();
    let lines: Vec<_> = requests.iter().map(|r| format!("{} {}", r.method.as_str(), r.url.path())).collect();
    assert_eq!(lines, expected);
    let body: Value = serde_json::from_slice(&requests[2].body).unwrap();
    assert_eq!(body, json!({"requestID": "r-7"}));
}

#[tokio::test]
async fn a_csc_2_2_service_is_written_to_with_its_own_type() {
    let stage = Stage::new();
    stage.says(200, &metadata_document()).says(200, &info("2.2.0.0"));
    let bound = stage.discover().await.unwrap().bind(stage.phone.identity()).await.unwrap();
    let activation = Stage::activation(1);
    stage.grants(&activation.authorization_details(RarType::Csc22));
    bound.activate(activation).await.unwrap();
    let request = stage.script.take().remove(2);
    let details: Value = serde_json::from_str(&field(&request, "authorization_details")).unwrap();
    assert_eq!(details[0]["type"], "https://cloudsignatureconsortium.org/2025/credential");
}
