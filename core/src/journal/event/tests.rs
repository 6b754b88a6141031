use super::*;
use crate::journal::tests::events;

#[test]
fn nothing_but_codes_identifiers_and_digests_can_be_recorded() {
    for text in ["", "山田太郎", "a b", "Free text.", "a\n", &"a".repeat(65)] {
        assert_eq!(Code::try_from(text.to_owned()).err(), Some(NotAllowed), "{text:?}");
    }
    for text in ["", "山田太郎", "a b", "a\n", &"a".repeat(257)] {
        assert_eq!(Identifier::try_from(text.to_owned()).err(), Some(NotAllowed), "{text:?}");
    }
    for text in ["", &"0".repeat(63), &"A".repeat(64), &"é".repeat(32), &"+1".repeat(32)] {
        assert!(Digest::try_from(text.to_owned()).is_err(), "{text:?}");
    }
    assert_eq!(Digest::try_from(Digest::of(b"x").to_string()), Ok(Digest::of(b"x")));
}

fn is_read(text: &str) -> bool {
    serde_json::from_str::<Event>(text).is_ok()
}

fn is_read_with(members: &Map<String, Value>, name: &str, value: impl Into<Value>) -> bool {
    let mut members = members.clone();
    members.insert(name.to_owned(), value.into());
    is_read(&Value::Object(members).to_string())
}

fn written() -> Vec<Map<String, Value>> {
    events().iter().map(|e| serde_json::to_value(e).unwrap().as_object().unwrap().clone()).collect()
}

/// A new kind of event has no name here and does not compile: it belongs into [`events`] and the reader, too.
fn name(event: &Event) -> &'static str {
    match event {
        Event::Registered { .. } => "registered",
        Event::Approved { .. } => "approved",
        Event::NotSigned { .. } => "not_signed",
        Event::Signed { .. } => "signed",
        Event::Delivered { .. } => "delivered",
        Event::NotDelivered { .. } => "not_delivered",
        Event::Declined { .. } => "declined",
        Event::Refused { .. } => "refused",
        Event::BindingChanged { .. } => "binding_changed",
        Event::Unregistered { .. } => "unregistered",
        Event::Wiped { .. } => "wiped",
        Event::SetAside { .. } => "set_aside",
    }
}

#[test]
fn every_kind_of_event_is_read_as_it_is_written_under_its_name() {
    for (event, written) in events().iter().zip(written()) {
        assert_eq!(written["type"], name(event));
        assert_eq!(serde_json::from_value::<Event>(Value::Object(written)).unwrap(), *event);
    }
}

#[test]
fn an_event_is_read_with_all_of_its_members_and_no_other() {
    let known: Map<String, Value> = written().into_iter().flatten().collect();
    for event in written() {
        let text = Value::Object(event.clone()).to_string();
        assert!(is_read(&text), "{text}");
        for (name, value) in &event {
            let mut fewer = event.clone();
            fewer.remove(name);
            assert!(!is_read(&Value::Object(fewer).to_string()), "{text} without {name}");
            let twice = text.replacen('{', &format!("{{\"{name}\":{value},"), 1);
            assert!(!is_read(&twice), "{twice}");
        }
        for (name, value) in known.iter().filter(|(name, _)| !event.contains_key(*name)) {
            assert!(!is_read_with(&event, name, value.clone()), "{text} with {name}");
            assert!(!is_read_with(&event, name, Value::Null), "{text} with no {name}");
        }
        assert!(!is_read_with(&event, "reason", "free text"), "{text} with an unknown member");
        assert!(!is_read_with(&event, "type", "opened"), "{text} of an unknown kind");
    }
    for text in ["null", "[]", "{}", r#"["wiped","invalid_client"]"#, r#"{"type":null}"#, r#""wiped""#] {
        assert!(!is_read(text), "{text}");
    }
}

#[test]
fn an_event_is_read_with_values_of_their_form_alone() {
    for event in written() {
        for name in event.keys() {
            let may_be_missing = matches!(
                (event["type"].as_str().unwrap(), name.as_str()),
                ("signed" | "refused", "request") | ("declined", "document")
            );
            assert_eq!(is_read_with(&event, name, Value::Null), may_be_missing, "{name} of {event:?}");
            for value in [
                Value::from("山田太郎"),
                (-1).into(),
                0.5.into(),
                vec![Value::Null].into(),
                Map::new().into(),
            ] {
                assert!(!is_read_with(&event, name, value.clone()), "{name} of {event:?} as {value}");
            }
        }
    }
}
