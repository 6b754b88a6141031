use serde_json::{Value, json};
use time::macros::datetime;

use super::*;

/// SHA-256 of `abc`, FIPS 180-4's own example.
const ABC: &str = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";

/// One request as protocol §6 shows it.
fn request() -> Value {
    json!({
        "id": "p-1",
        "received_at": "2026-04-01T09:00:00+09:00",
        "expires_at": "2026-04-05T00:00:00Z",
        "requester": {"name": "試験クリニック", "facility_code": "1311234567"},
        "signatureRequests": [{
            "label": "処方箋",
            "access": {"type": "public"},
            "href": "data:application/xml;base64,YWJj",
            "checksum": {"value": ABC, "algorithmOID": "2.16.840.1.101.3.4.2.1"},
            "signature_format": "X",
            "conformance_level": "AdES-B-B",
            "signAlgo": "1.2.840.113549.1.1.11",
            "responseURI": "https://sign.example/prescriptions/p-1"
        }]
    })
}

fn judged(requests: &[Value]) -> Inbox {
    let issuer = Url::parse("https://sign.example").unwrap();
    let reading = judge(&json!({"requests": requests}), &issuer).unwrap();
    let items = reading.envelopes.into_iter().map(|e| e.fetched(Err(DocumentFault::NotFetched))).collect();
    Inbox { items, unreadable: reading.unreadable, more: reading.more }
}

/// The request with `signatureRequests[0]` changed.
fn with(name: &str, value: Value) -> Value {
    let mut request = request();
    request["signatureRequests"][0][name] = value;
    request
}

fn document(name: &str, value: Value) -> Result<Vec<u8>, DocumentFault> {
    judged(&[with(name, value)]).items.remove(0).document
}

#[test]
fn a_request_is_read_as_ts_119_432_annex_a_and_the_protocol_write_it() {
    let item = judged(&[request()]).items.remove(0);
    assert_eq!((item.id.as_str(), item.label.as_str()), ("p-1", "処方箋"));
    assert_eq!(item.received_at, Some(datetime!(2026-04-01 0:00 UTC)));
    assert_eq!(item.expires_at, Some(datetime!(2026-04-05 0:00 UTC)));
    assert_eq!(item.requester.name, "試験クリニック");
    assert_eq!(item.requester.facility_code, "1311234567");
    assert_eq!(item.response_uri, "https://sign.example/prescriptions/p-1");
    assert_eq!(item.document, Ok(b"abc".to_vec()));
}

#[test]
fn a_checksum_that_does_not_match_stops_that_request_only() {
    let mut other = with("href", json!("data:application/xml;base64,YWJk"));
    other["id"] = json!("p-2");
    let documents: Vec<_> = judged(&[other, request()]).items.into_iter().map(|item| item.document).collect();
    assert_eq!(documents, [Err(DocumentFault::Checksum), Ok(b"abc".to_vec())]);
}

#[test]
fn a_checksum_must_be_sha_256_or_more_and_stand_where_the_document_is_apart() {
    let sha1 = json!({"value": "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", "algorithmOID": "1.3.14.3.2.26"});
    assert_eq!(document("checksum", sha1), Err(DocumentFault::NoChecksum));
    assert_eq!(document("checksum", json!({"value": null})), Err(DocumentFault::NoChecksum));
    assert_eq!(
        document("checksum", json!({"value": "", "algorithmOID": null})),
        Err(DocumentFault::Checksum)
    );
    assert_eq!(document("checksum", Value::Null), Ok(b"abc".to_vec()));
    let mut apart = with("href", json!("https://sign.example/documents/1"));
    apart["signatureRequests"][0]["checksum"] = Value::Null;
    assert_eq!(judged(&[apart]).items[0].document, Err(DocumentFault::NoChecksum));
}

#[test]
fn a_document_is_never_fetched_from_elsewhere() {
    for href in [
        "https://evil.example/d",
        "http://sign.example/d",
        "https://sign.example:444/d",
        "https://u@sign.example/d",
        "file:///etc/passwd",
        "data:application/xml,<x/>",
        "data:application/xml;base64",
        "data:;base64,",
        "data:;base64,!!",
        "",
    ] {
        assert_eq!(document("href", json!(href)), Err(DocumentFault::Address), "{href}");
    }
    assert_eq!(document("href", json!("https://sign.example/d")), Err(DocumentFault::NotFetched));
    assert_eq!(document("href", json!("DATA:text/csv;charset=utf-8;base64,YWJj")), Ok(b"abc".to_vec()));
}

#[test]
fn a_document_over_the_limit_is_not_decoded() {
    let href = format!("data:;base64,{}", "AAAA".repeat(MAX_DOCUMENT / 3 + 1));
    assert_eq!(document("href", json!(href)), Err(DocumentFault::TooLarge));
}

#[test]
fn signatures_of_another_kind_are_not_made() {
    assert_eq!(document("signature_format", json!("P")), Err(DocumentFault::Kind));
    assert_eq!(document("conformance_level", json!("AdES-B-LTA")), Err(DocumentFault::Kind));
    assert_eq!(document("access", json!({"type": "OTP"})), Err(DocumentFault::Kind));
    assert_eq!(document("conformance_level", json!("Ades-B-B")), Ok(b"abc".to_vec()));
    assert_eq!(document("signature_format", Value::Null), Ok(b"abc".to_vec()));
}

#[test]
fn a_request_that_cannot_be_answered_here_is_counted_not_shown() {
    let foreign = with("responseURI", json!("https://evil.example/p-1"));
    let silent = with("responseURI", Value::Null);
    let mut nameless = request();
    nameless["id"] = json!("p 1\n");
    let mut empty = request();
    empty["signatureRequests"] = json!([]);
    let inbox = judged(&[foreign, silent, nameless, empty, json!(7), request()]);
    assert_eq!((inbox.items.len(), inbox.unreadable), (1, 5));
}

#[test]
fn one_reading_holds_a_bounded_number_of_requests() {
    let many = |count: usize| -> Vec<Value> {
        let numbered = |number| {
            let mut request = request();
            request["id"] = json!(format!("p-{number}"));
            request
        };
        (0..count).map(numbered).collect()
    };
    let inbox = judged(&many(MAX_REQUESTS + 1));
    assert_eq!((inbox.items.len(), inbox.more), (MAX_REQUESTS, true));
    assert!(!judged(&many(MAX_REQUESTS)).more);
}

#[test]
fn a_request_with_anothers_identifier_is_not_taken_for_it() {
    let inbox = judged(&[request(), request()]);
    assert_eq!((inbox.items.len(), inbox.unreadable), (1, 1));
}

#[test]
fn several_documents_of_one_request_have_identifiers_of_their_own() {
    let mut request = request();
    let second = request["signatureRequests"][0].clone();
    request["signatureRequests"].as_array_mut().unwrap().push(second);
    let ids: Vec<_> = judged(&[request]).items.into_iter().map(|item| item.id).collect();
    assert_eq!(ids, ["p-1", "p-1#2"]);
}

#[test]
fn a_requesters_name_cannot_turn_the_text_around() {
    let mut request = request();
    request["requester"]["name"] = json!("A\u{202E}B\nC");
    request["requester"]["facility_code"] = Value::Null;
    let requester = judged(&[request]).items.remove(0).requester;
    assert_eq!((requester.name.as_str(), requester.facility_code.as_str()), ("AB C", ""));
}

#[test]
fn an_item_prints_no_document_and_no_label() {
    let printed = format!("{:?}", judged(&[request()]).items[0]);
    assert_eq!(printed, r#"InboxItem { id: "p-1", document: Ok(3), .. }"#);
}

#[test]
fn what_is_no_list_is_malformed() {
    let issuer = Url::parse("https://sign.example").unwrap();
    for answer in [json!({}), json!({"requests": null}), json!({"requests": "x"})] {
        assert_eq!(judge(&answer, &issuer).err(), Some(ServiceError::Malformed("the inbox")));
    }
}
