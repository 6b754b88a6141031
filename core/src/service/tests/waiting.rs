//! Inbox and answers.

use super::*;

#[tokio::test]
async fn a_poll_waits_no_longer_than_the_protocol_allows_and_longer_than_the_service() {
    let stage = Stage::new();
    let bound = stage.warm().await;
    stage.says(200, &json!({"requests": []}));
    assert_eq!(bound.inbox(StdDuration::from_secs(3600)).await.unwrap(), Inbox::default());
    let request = stage.script.take().remove(0);
    assert_eq!(request.url.as_str(), "https://sign.example/prescriptions?wait=25");
    assert!(request.timeout > StdDuration::from_secs(25));
    assert_eq!(stage.proof_claims(&request)["htu"], "https://sign.example/prescriptions");
}

#[tokio::test]
async fn a_document_elsewhere_on_the_service_is_fetched_with_the_token_and_checked() {
    let stage = Stage::new();
    let bound = stage.warm().await;
    let request = |id: &str| {
        json!({"id": id, "signatureRequests": [{
            "href": format!("https://sign.example/documents/{id}"),
            "checksum": {"value": "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", "algorithmOID": "2.16.840.1.101.3.4.2.1"},
            "responseURI": format!("https://sign.example/prescriptions/{id}"),
        }]})
    };
    stage.says(200, &json!({"requests": [request("a"), request("b"), request("c"), request("d")]}));
    stage.says_with(200, &[], "abc").says_with(200, &[], "abd").says_with(404, &[], "");
    stage.is_silent(TransportError::BodyTooLarge { limit: MAX_DOCUMENT });
    let inbox = bound.inbox(StdDuration::ZERO).await.unwrap();
    let documents: Vec<_> = inbox.items.iter().map(|item| item.document.clone()).collect();
    let expected = [
        Ok(b"abc".to_vec()),
        Err(DocumentFault::Checksum),
        Err(DocumentFault::NotFetched),
        Err(DocumentFault::TooLarge),
    ];
    assert_eq!(documents, expected);
    let requests = stage.script.take();
    assert_eq!(requests[1].header("authorization"), Some("DPoP st-1"));
    assert_eq!(requests[1].max_body, MAX_DOCUMENT);
}

#[tokio::test]
async fn a_second_delivery_and_one_too_late_are_told_apart() {
    let stage = Stage::new();
    let bound = stage.warm().await;
    let uri = "https://sign.example/prescriptions/p-1";
    stage.says(200, &json!({})).says(409, &json!({"error": "already_answered"})).says(404, &json!({}));
    stage.says(409, &json!({"error": "expired"}));
    assert_eq!(bound.deliver(uri, b"<x/>", None).await, Ok(()));
    assert_eq!(bound.deliver(uri, b"<x/>", None).await, Err(ServiceError::AlreadyAnswered));
    assert_eq!(bound.decline(uri, "その患者は診ていない\u{0}").await, Err(ServiceError::RequestGone));
    assert_eq!(bound.deliver(uri, b"<x/>", None).await, Err(ServiceError::RequestGone));
    assert_eq!(bound.deliver("https://evil.example/p", b"<x/>", None).await, Err(ServiceError::ForeignUrl));
    let requests = stage.script.take();
    assert_eq!(requests[0].body.as_slice(), br#"{"documentWithSignature":["PHgvPg=="]}"#);
    let declined: Value = serde_json::from_slice(&requests[2].body).unwrap();
    assert_eq!(declined, json!({"error": "access_denied", "error_description": "その患者は診ていない"}));
}

#[tokio::test]
async fn a_page_with_status_200_does_not_say_that_a_delivery_arrived() {
    let stage = Stage::new();
    let bound = stage.warm().await;
    let uri = "https://sign.example/prescriptions/1";
    for page in ["<html>Welcome</html>", "[]", "OK"] {
        stage.says_with(200, &[], page);
        let unclear = Err(ServiceError::Malformed("the answer to a request"));
        assert_eq!(bound.deliver(uri, b"<x/>", None).await, unclear, "{page}");
    }
    for answer in ["", " ", "{}", r#"{"id":"1"}"#] {
        stage.says_with(200, &[], answer);
        assert_eq!(bound.deliver(uri, b"<x/>", None).await, Ok(()), "{answer}");
    }
}

#[tokio::test]
async fn no_secret_appears_in_what_prints() {
    let stage = Stage::new();
    let bound = stage.warm().await;
    stage.says(200, &json!({"credentialIDs": []}));
    bound.credentials().await.unwrap();
    let request = stage.script.take().remove(0);
    assert_eq!(format!("{request:?}"), "POST /csc/v2/credentials/list (2 bytes)");
    let token = answer(200, &[], &service_token("st-1").to_string());
    assert!(!format!("{token:?}").contains("st-1"));
}
