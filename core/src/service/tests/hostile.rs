//! Whatever a service answers, the agent does not panic.

use super::*;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// JSON of the shapes that are read here, with anything in any place.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(json!("data:application/xml;base64,PHgvPg==")),
        Just(json!("https://sign.example/x")),
    ];
    let names = prop::sample::select(vec![
        "specs",
        "methods",
        "credentialIDs",
        "key",
        "cert",
        "auth",
        "SCAL",
        "multisign",
        "algo",
        "status",
        "mode",
        "certificates",
        "signatures",
        "requests",
        "signatureRequests",
        "id",
        "href",
        "checksum",
        "value",
        "algorithmOID",
        "responseURI",
        "requester",
        "name",
        "expires_at",
        "access_token",
        "token_type",
        "error",
        "error_description",
        "authorization_details",
        "issuer",
        "token_endpoint",
    ]);
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone(), inner, 0..6)
                .prop_map(|map| map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Value>()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_answer_makes_the_agent_panic(
        status in 100_u16..600,
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            any_json().prop_map(|value| value.to_string().into_bytes()),
        ],
        header in "[ -~]{0,60}",
    ) {
        block_on(async {
            let headers = ["date", "dpop-nonce", "www-authenticate", "retry-after"].map(|name| (name, header.as_str()));
            let said = || {
                let mut said = answer(status, &headers, "");
                said.body = Zeroizing::new(bytes.clone());
                Ok(said)
            };
            let stage = Stage::new();
            stage.script.push(said());
            prop_assert!(stage.discover().await.is_err());
            stage.script.take();
            let bound = stage.warm().await;
            let always = || (0..64).for_each(|_| stage.script.push(said()));
            always();
            let _ = bound.inbox(StdDuration::ZERO).await;
            let _ = bound.credential("credential-1").await;
            stage.script.drain();
            always();
            let _ = bound.credentials().await;
            prop_assert!(bound.activate(Stage::activation(1)).await.is_err());
            stage.script.drain();
            Ok(())
        })?;
    }

    #[test]
    fn no_json_makes_a_judgement_panic(value in any_json()) {
        let issuer = Url::parse(ISSUER).unwrap();
        let _ = metadata::judge(ISSUER, &value);
        let _ = csc::judge_info(&value);
        let _ = csc::judge_list(&value);
        let _ = csc::judge_credential("c", &value);
        let _ = csc::judge_signatures(1, &value);
        let requests = json!({"requests": [value]});
        prop_assert!(inbox::judge(&requests, &issuer).is_ok());
    }
}
