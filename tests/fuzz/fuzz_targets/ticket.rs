//! Tickets of any header and any claims, signed by the office: taken if and only if each part is as protocol §2 says, which is
//! judged here once more, in other words.

#![no_main]

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use fuzz::{
    input::{Input, edited},
    office::{ISSUER, KID, NOW, claims, header, signed, trust},
};
use hpki_agent::{
    registration::{MAX_QR_TEXT, Route, Ticket, TicketError},
    trust::TrustConfiguration,
};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

static TRUST: LazyLock<TrustConfiguration> = LazyLock::new(trust);

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let choice = input.byte();
    let part = |genuine: Value, is_edited: bool, bytes: &[u8]| {
        let genuine = genuine.to_string().into_bytes();
        if is_edited { edited(&genuine, &mut Input::new(bytes)) } else { bytes.to_vec() }
    };
    let length = usize::from(input.byte());
    let first = input.take(length);
    let header = if choice & 1 == 0 {
        header().to_string().into_bytes()
    } else {
        part(header(), choice & 2 != 0, first)
    };
    let claims = part(claims(), choice & 4 != 0, input.rest());

    let text = signed(ISSUER, &header, &claims);
    let expected = expected(&header, &claims).filter(|_| text.len() <= MAX_QR_TEXT);
    match (Ticket::parse(&text, &TRUST, NOW), expected) {
        (Ok(ticket), Some((jti, expires, route, code))) => {
            assert_eq!((ticket.jti(), ticket.issuer()), (jti.as_str(), ISSUER));
            assert_eq!(ticket.expires().unix_timestamp(), expires);
            assert_eq!((ticket.route(), ticket.needs_activation_code()), (route, code));
            assert_eq!(ticket.qr_text(), text);
        }
        (Err(error), None) => assert!(
            !matches!(error, TicketError::BadSignature | TicketError::UnknownIssuer { .. }),
            "the signature is right: {error}"
        ),
        (ours, theirs) => panic!("{ours:?} instead of {theirs:?}"),
    }
});

/// What the ticket says, when it is one.
fn expected(header: &[u8], claims: &[u8]) -> Option<(String, i64, Route, bool)> {
    let (header, claims) = (object(header)?, object(claims)?);
    let says = |name: &str, value: &str| header.get(name).and_then(Value::as_str) == Some(value);
    let refused =
        ["crit", "b64", "jwk", "jku", "x5c", "x5u", "zip"].iter().any(|name| header.get(name).is_some());
    if refused || !says("alg", "ES256") || !says("kid", KID) || !says("typ", "ticket+jwt") {
        return None;
    }
    let jti = claims.get("jti")?.as_str()?;
    let issued = claims.get("iss")?.as_str()? == ISSUER;
    if !issued || BASE64_URL_SAFE_NO_PAD.decode(jti).ok()?.len() != 16 {
        return None;
    }
    let expires = claims.get("exp")?.as_i64()?;
    let route = match claims.get("route")?.as_str()? {
        "letter" => Route::Letter,
        "card" => Route::Card,
        _ => return None,
    };
    let code = claims.get("code")?.as_bool()?;
    // The calendar ends with the year 9999.
    (NOW.unix_timestamp() < expires && expires < 253_402_300_800)
        .then(|| (jti.to_owned(), expires, route, code))
}

/// JSON in which no name stands twice: then it has as many names as colons outside of strings.
fn object(json: &[u8]) -> Option<Value> {
    let value: Value = serde_json::from_slice(json).ok().filter(Value::is_object)?;
    (names_written(json) == names_kept(&value)).then_some(value)
}

fn names_written(json: &[u8]) -> usize {
    let (mut count, mut in_text, mut escaped) = (0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b':' if !in_text => count += 1,
            _ => {}
        }
    }
    count
}

fn names_kept(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.len() + members.values().map(names_kept).sum::<usize>(),
        Value::Array(items) => items.iter().map(names_kept).sum(),
        _ => 0,
    }
}
