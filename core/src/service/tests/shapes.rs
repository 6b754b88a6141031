//! Whole conversations in the shapes of CSC 2.0, 2.1 and 2.2 as protocol §7 lists them: `fixtures/` has one file for each
//! version, and the refusals of `signHash` that the standard and the field know.

use super::*;

/// The answer of a credential token to this activation, with details of the type that the version writes.
fn grant(shape: &Value, activation: &SignatureActivation) -> Value {
    let rar_type = RarType::from_id(shape["rar_type"].as_str().unwrap()).unwrap();
    let mut grant = shape["grant"].clone();
    grant["authorization_details"] = activation.authorization_details(rar_type);
    grant
}

async fn sign_in_the_shape_of(shape: &Value) {
    let stage = Stage::new();
    stage.says(200, &metadata_document()).says(200, &shape["info"]);
    let service = stage.discover().await.unwrap();
    assert_eq!(format!("{:?}", service.info().specs), shape["specs"].as_str().unwrap());
    assert_eq!(service.profile().rar_type.id(), shape["rar_type"]);
    let bound = service.bind(stage.phone.identity()).await.unwrap();
    stage.says(200, &service_token("st")).says(200, &shape["credential"]);
    let credential = bound.credential("credential-1").await.unwrap();
    assert_eq!((credential.multisign(), credential.chain().len()), (100, 2));
    assert_eq!(credential.algorithm(HashAlgorithm::Sha256).unwrap().oid(), "1.2.840.113549.1.1.11");

    let activation = SignatureActivation::new(&credential, HashAlgorithm::Sha256, digests(2)).unwrap();
    stage.says(200, &grant(shape, &activation));
    let token = bound.activate(activation).await.unwrap();
    let asked = stage.script.take().pop().unwrap();
    let details: Value = serde_json::from_str(&field(&asked, "authorization_details")).unwrap();
    assert_eq!(details[0]["type"], shape["rar_type"]);

    stage.says(200, &shape["sign_hash"]);
    let polling = shape["sign_polling"].as_array().map(Vec::as_slice).unwrap_or_default();
    for answer in polling {
        stage.says(answer[0].as_u64().unwrap().try_into().unwrap(), &answer[1]);
    }
    let values = bound.sign_hashes(token).await.unwrap();
    assert_eq!(values, [vec![0xFB, 0xEF, 0xFF, 0x01], vec![1, 2, 3]]);
    let mut expected = vec!["POST /csc/v2/signatures/signHash"];
    expected.extend(vec!["POST /csc/v2/signatures/signPolling"; polling.len()]);
    assert_eq!(stage.script.lines(), expected);
}

#[tokio::test]
async fn csc_2_0_2_1_and_2_2_are_spoken_to_the_end_at_once_or_later() {
    let [csc_2_0, csc_2_1, csc_2_2] = [
        include_str!("fixtures/csc-2.0.json"),
        include_str!("fixtures/csc-2.1.json"),
        include_str!("fixtures/csc-2.2.json"),
    ]
    .map(|shape| serde_json::from_str(shape).unwrap());
    tokio::join!(
        sign_in_the_shape_of(&csc_2_0),
        sign_in_the_shape_of(&csc_2_1),
        sign_in_the_shape_of(&csc_2_2)
    );
}

#[tokio::test]
async fn every_refusal_of_sign_hash_is_told_apart_names_nobody_and_is_not_tried_again() {
    let refusals: Vec<(u16, std::collections::BTreeMap<String, String>, String, String)> =
        serde_json::from_str(include_str!("fixtures/refusals.json")).unwrap();
    for (status, headers, body, expected) in refusals {
        let stage = Stage::new();
        let bound = stage.bound().await;
        let activation = Stage::activation(1);
        stage.grants(&details_of(&activation));
        let token = bound.activate(activation).await.unwrap();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        stage.says_with(status, &headers, &body);
        let told = format!("{:?}", bound.sign_hashes(token).await.unwrap_err());
        assert!(told.starts_with(&expected), "{body}: {told}");
        assert!(!told.contains("HANAKO"), "{told}");
        assert_eq!(stage.script.lines(), ["POST /token", "POST /csc/v2/signatures/signHash"]);
    }
}
