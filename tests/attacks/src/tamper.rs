//! Every field of a service's answer, and every way in which it is spoilt: removed, `null`, of another type, of another
//! value.

use std::collections::BTreeSet;

use reference_service::Rewrite;
use serde_json::{Value, json};

/// What is done to one field.
#[derive(Clone, Debug)]
pub enum Change {
    /// The member or element is not there.
    Removed,
    /// Something else is.
    Instead(Value),
}

/// JSON pointers (RFC 6901) to everything in an answer but the answer itself.
pub fn fields(answer: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(answer, "", &mut found);
    found
}

fn collect(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (escaped(name), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(n, value)| (n.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (name, value) in children {
        let pointer = format!("{at}/{name}");
        collect(value, &pointer, found);
        found.insert(pointer);
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Everything that is tried on a field of this value.
pub fn changes(value: &Value) -> Vec<Change> {
    let mut others = vec![Value::Null];
    others.extend(match value {
        Value::Null => vec![json!(7), json!("x")],
        Value::Bool(is) => vec![json!(!is), json!("maybe"), json!([])],
        Value::Number(number) => {
            let one_more = number.as_i64().map_or(json!(1), |n| json!(n.saturating_add(1)));
            vec![one_more, json!(0), json!(-1), json!(u64::MAX), json!("x")]
        }
        Value::String(text) => texts_instead_of(text),
        Value::Array(items) => {
            let reversed: Vec<_> = items.iter().rev().cloned().collect();
            let doubled = [items.as_slice(), items].concat();
            vec![json!([]), json!(reversed), json!(doubled), json!("x"), json!({"0": items})]
        }
        Value::Object(_) => vec![json!({}), json!([value]), json!("x")],
    });
    others.retain(|other| other != value);
    std::iter::once(Change::Removed).chain(others.into_iter().map(Change::Instead)).collect()
}

fn texts_instead_of(text: &str) -> Vec<Value> {
    let mut others = vec![json!(""), json!(7), json!(format!("{text}\u{202e}x"))];
    let middle = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let mut turned: Vec<char> = text.chars().collect();
    let at = text[..middle].chars().count().min(turned.len().saturating_sub(1));
    if let Some(c) = turned.get_mut(at) {
        *c = if *c == 'A' { 'B' } else { 'A' };
        others.push(json!(turned.into_iter().collect::<String>()));
    }
    if let Some(rest) = text.strip_prefix("https://") {
        others.push(json!(format!("http://{rest}")));
        others.push(json!(format!("https://evil.example/{rest}")));
        others.push(json!(format!("https://user@{rest}")));
        others.push(json!(format!("{text}/../elsewhere")));
    }
    others.push(json!("x".repeat(100_000)));
    others
}

/// Makes the change where the answer has such a field.
pub fn rewrite(pointer: &str, change: Change) -> Rewrite {
    let pointer = pointer.to_owned();
    Rewrite::new(move |_, answer| apply(answer, &pointer, &change))
}

fn apply(answer: &mut Value, pointer: &str, change: &Change) {
    match change {
        Change::Instead(value) => {
            if let Some(field) = answer.pointer_mut(pointer) {
                field.clone_from(value);
            }
        }
        Change::Removed => {
            let Some((parent, name)) = pointer.rsplit_once('/') else { return };
            match answer.pointer_mut(parent) {
                Some(Value::Object(members)) => {
                    members.remove(&name.replace("~1", "/").replace("~0", "~"));
                }
                Some(Value::Array(items)) => {
                    if let Some(at) = name.parse().ok().filter(|at| *at < items.len()) {
                        items.remove(at);
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_and_every_change_changes_it() {
        let answer = json!({"a": {"b": [1, "https://x/"]}, "c/d": null, "e": true});
        let found: Vec<_> = fields(&answer).into_iter().collect();
        assert_eq!(found, ["/a", "/a/b", "/a/b/0", "/a/b/1", "/c~1d", "/e"]);
        for pointer in &found {
            let value = answer.pointer(pointer).unwrap();
            let tried = changes(value);
            assert!(tried.len() >= 3);
            for change in tried {
                let mut changed = answer.clone();
                apply(&mut changed, pointer, &change);
                assert_ne!(changed, answer, "{pointer} {change:?}");
            }
        }
    }
}
