//! Lenient reading of JSON and base64: a member that is `null` or of the wrong type is an absent member.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::{Map, Value};

use super::{error::ServiceError, http::HttpResponse};

/// The members of a JSON object; of anything else, none.
#[derive(Clone, Copy, Default)]
pub(crate) struct Fields<'a>(Option<&'a Map<String, Value>>);

impl<'a> Fields<'a> {
    pub(crate) fn of(value: &'a Value) -> Self {
        Self(value.as_object())
    }

    pub(crate) fn get(self, name: &str) -> Option<&'a Value> {
        self.0?.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_str()
    }

    /// A whole number, also when it is written as a string.
    pub(crate) fn number(self, name: &str) -> Option<u64> {
        self.get(name).and_then(number)
    }

    pub(crate) fn object(self, name: &str) -> Self {
        Self(self.get(name).and_then(Value::as_object))
    }

    /// The elements of an array; of anything else, none.
    pub(crate) fn list(self, name: &str) -> &'a [Value] {
        self.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The strings of an array, or a lone string.
    pub(crate) fn texts(self, name: &str) -> Vec<&'a str> {
        match self.get(name) {
            Some(Value::String(lone)) => vec![lone],
            _ => self.list(name).iter().filter_map(Value::as_str).collect(),
        }
    }
}

/// A whole number, also when it is written as a string.
pub(crate) fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// The JSON object of a successful answer.
pub(crate) fn object(response: &HttpResponse, what: &'static str) -> Result<Value, ServiceError> {
    match serde_json::from_slice(&response.body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(ServiceError::Malformed(what)),
    }
}

/// A successful answer that has nothing to say: an object of JSON, usually `{}`, or no body.
pub(crate) fn object_or_nothing(response: &HttpResponse, what: &'static str) -> Result<(), ServiceError> {
    if response.body.trim_ascii().is_empty() { Ok(()) } else { object(response, what).map(drop) }
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Base64 or base64url, padded or not, with or without line breaks.
pub(crate) fn base64_any(text: &str) -> Option<Vec<u8>> {
    let standard: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        })
        .collect();
    LENIENT.decode(standard).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_and_wrong_types_are_absent_members() {
        let value = json!({"a": null, "b": 5, "c": "7", "d": ["x", 1, null], "e": "y", "f": {"g": "h"}});
        let fields = Fields::of(&value);
        assert_eq!((fields.text("a"), fields.text("b"), fields.text("e")), (None, None, Some("y")));
        assert_eq!((fields.number("b"), fields.number("c"), fields.number("e")), (Some(5), Some(7), None));
        assert_eq!((fields.texts("d"), fields.texts("e")), (vec!["x"], vec!["y"]));
        assert_eq!(fields.object("f").text("g"), Some("h"));
        assert_eq!(fields.object("b").text("g"), None);
    }

    #[test]
    fn every_flavour_of_base64_is_read() {
        let bytes = Some(vec![0xFB, 0xEF, 0xFF, 0x01]);
        for text in ["++//AQ==", "++//AQ", "--__AQ", "--__\r\nAQ=="] {
            assert_eq!(base64_any(text), bytes, "{text}");
        }
        assert_eq!(base64_any("not base64!"), None);
    }
}
