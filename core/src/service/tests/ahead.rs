//! Proofs that are made while the delivery before theirs is under way.

use async_trait::async_trait;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::{
    super::http::{HttpResponse, Transport},
    *,
};

const A: &str = "https://sign.example/prescriptions/a";
const B: &str = "https://sign.example/prescriptions/b";

/// The proofs of the requests since the last look, with the count in their `jti`: in which order they were made.
fn proofs(stage: &Stage) -> Vec<(u64, Value)> {
    let count = |claims: &Value| {
        let jti = BASE64_URL_SAFE_NO_PAD.decode(claims["jti"].as_str().unwrap()).unwrap();
        u64::from_be_bytes(jti[..8].try_into().unwrap())
    };
    let claims = stage.script.take().into_iter().map(|request| stage.proof_claims(&request));
    claims.map(|claims| (count(&claims), claims)).collect()
}

/// A service that answers a delivery when the phone has begun another proof.
struct Waits(Arc<Script>, Phone);

#[async_trait]
impl Transport for Waits {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let made = self.1.ids_made();
        while request.url.as_str() == A && self.1.ids_made() == made {
            tokio::task::yield_now().await;
        }
        self.0.send(request).await
    }
}

#[tokio::test]
async fn the_proof_of_the_next_delivery_is_made_while_one_is_under_way() {
    let stage = Stage::new();
    stage.says(200, &metadata_document()).says(200, &info("2.0.0.2")).says(200, &service_token("st-1"));
    stage.says(200, &json!({"credentialIDs": []})).says(200, &json!({}));
    let transport = Arc::new(Waits(stage.script.clone(), stage.phone.clone()));
    let service = Service::discover(&trusted(), transport, stage.phone.device()).await.unwrap();
    let bound = service.bind(stage.phone.identity()).await.unwrap();
    bound.credentials().await.unwrap();
    let delivered = bound.deliver(A, b"<x/>", Some(B));
    assert_eq!(tokio::time::timeout(StdDuration::from_secs(10), delivered).await, Ok(Ok(())));
}

#[tokio::test]
async fn the_proof_of_the_next_delivery_is_made_before_it() {
    let stage = Stage::new();
    let bound = stage.warm().await;
    stage.says(200, &json!({})).says(200, &json!({"credentialIDs": []})).says(200, &json!({}));
    bound.deliver(A, b"<x/>", Some(B)).await.unwrap();
    bound.credentials().await.unwrap();
    bound.deliver(B, b"<x/>", None).await.unwrap();
    let [(first, a), (between, _), (ahead, b)] = &proofs(&stage)[..] else { panic!("three requests") };
    assert!(first < ahead && ahead < between);
    assert_eq!((&a["htu"], &b["htu"]), (&json!(A), &json!(B)));
    assert_eq!((&b["htm"], &b["nonce"], &b["ath"]), (&json!("POST"), &json!("n-2"), &a["ath"]));
}

#[tokio::test]
async fn a_proof_made_ahead_serves_its_own_request_alone_and_once() {
    let stage = Stage::new();
    let bound = stage.warm().await;
    stage.says(200, &json!({})).says(200, &json!({})).says(200, &json!({})).says(200, &json!({}));
    bound.deliver(A, b"<x/>", Some(B)).await.unwrap();
    bound.deliver(A, b"<x/>", Some(B)).await.unwrap();
    bound.deliver(B, b"<x/>", None).await.unwrap();
    bound.deliver(B, b"<x/>", None).await.unwrap();
    let proofs = proofs(&stage);
    let targets: Vec<_> = proofs.iter().map(|(_, claims)| claims["htu"].as_str().unwrap()).collect();
    assert_eq!(targets, [A, A, B, B]);
    // Made for B during the first, dropped by the second, made for B again during that.
    assert_eq!(proofs.iter().map(|(count, _)| count - proofs[0].0).collect::<Vec<_>>(), [0, 2, 3, 4]);
}

#[tokio::test]
async fn a_proof_that_was_left_behind_is_not_sent_minutes_later() {
    let stage = Stage::new();
    let bound = stage.warm().await;
    let later = [("dpop-nonce", "n-2"), ("date", "Wed, 01 Apr 2026 00:02:00 GMT")];
    stage.says(200, &json!({})).says_with(200, &later, r#"{"credentialIDs": []}"#).says(200, &json!({}));
    bound.deliver(A, b"<x/>", Some(B)).await.unwrap();
    bound.credentials().await.unwrap();
    bound.deliver(B, b"<x/>", None).await.unwrap();
    let [(_, first), (between, _), (anew, last)] = &proofs(&stage)[..] else { panic!("three requests") };
    assert!(between < anew && last["iat"].as_i64().unwrap() - first["iat"].as_i64().unwrap() > 100);
}

#[tokio::test]
async fn with_a_new_nonce_or_token_a_proof_is_made_anew() {
    let stage = Stage::new();
    let bound = stage.warm().await;
    stage.says(200, &json!({})).says_with(200, &[("dpop-nonce", "n-3")], r#"{"credentialIDs": []}"#);
    stage.says_with(200, &[("dpop-nonce", "n-3")], "{}");
    bound.deliver(A, b"<x/>", Some(B)).await.unwrap();
    bound.credentials().await.unwrap();
    bound.deliver(B, b"<x/>", Some(A)).await.unwrap();
    assert_eq!(proofs(&stage)[2].1["nonce"], "n-3");

    // Made ahead for the token that is then refused.
    let refused = json!({"error": "invalid_token"}).to_string();
    stage.says_with(401, &[], &refused).says_with(200, &[], &service_token("st-2").to_string());
    stage.says_with(200, &[], "{}");
    bound.deliver(A, b"<x/>", None).await.unwrap();
    let [(ahead, old), _, (anew, new)] = &proofs(&stage)[..] else { panic!("delivery, token, delivery") };
    assert!(ahead < anew && old["ath"] != new["ath"]);
}

#[tokio::test]
async fn a_service_that_asks_for_a_new_nonce_is_not_sent_the_same_proof_again() {
    let stage = Stage::new();
    let bound = stage.warm().await;
    let asks_again = json!({"error": "use_dpop_nonce"}).to_string();
    stage.says(200, &json!({})).says_with(401, &[("dpop-nonce", "n-3")], &asks_again).says(200, &json!({}));
    bound.deliver(A, b"<x/>", Some(B)).await.unwrap();
    bound.deliver(B, b"<x/>", None).await.unwrap();
    let nonces: Vec<_> = proofs(&stage).into_iter().map(|(_, claims)| claims["nonce"].clone()).collect();
    assert_eq!(nonces, ["n-2", "n-2", "n-3"]);
}

#[tokio::test]
async fn where_nonces_last_one_answer_none_is_made_ahead() {
    let stage = Stage::new();
    let bound = stage.warm().await;
    for nonce in ["n-3", "n-4", "n-5"] {
        stage.says_with(200, &[("dpop-nonce", nonce)], "{}");
    }
    for _ in 0..3 {
        bound.deliver(A, b"<x/>", Some(A)).await.unwrap();
    }
    let proofs = proofs(&stage);
    let made: Vec<_> = proofs.iter().map(|(count, claims)| (count - proofs[0].0, &claims["nonce"])).collect();
    assert_eq!(made, [(0, &json!("n-2")), (1, &json!("n-3")), (2, &json!("n-4"))]);
}
