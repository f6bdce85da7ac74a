//! Decides when two requests are the same: by the SHA-256 of their canonical JSON.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What most requests have.
const TYPICAL_BYTES: usize = 1024;

/// Returns the SHA-256 of `value` with the keys of every object in order and no blanks, in lower-case hex.
pub(crate) fn digest(value: &Value) -> String {
    let mut text = Vec::with_capacity(TYPICAL_BYTES);
    write(value, &mut text);
    hex::encode(Sha256::digest(&text))
}

fn write(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => put(value, text),
        Value::Array(items) => {
            text.push(b'[');
            for (index, item) in items.iter().enumerate() {
                text.extend_from_slice(if index == 0 { b"" } else { b"," });
                write(item, text);
            }
            text.push(b']');
        }
        Value::Object(fields) => {
            // The map of serde_json keeps the order of insertion when some dependency asks it to.
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by_key(|(key, _)| key.as_str());
            text.push(b'{');
            for (index, (key, field)) in sorted.into_iter().enumerate() {
                text.extend_from_slice(if index == 0 { b"" } else { b"," });
                put(key, text);
                text.push(b':');
                write(field, text);
            }
            text.push(b'}');
        }
    }
}

fn put(leaf: &(impl Serialize + ?Sized), text: &mut Vec<u8>) {
    // Memory takes whatever is written, and a text, a number, true, false and null are always JSON.
    let _ = serde_json::to_writer(text, leaf);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_keys_changes_nothing_and_every_value_counts() {
        let one: Value = serde_json::from_str(r#"{"a": [1, {"y": null, "x": "\""}], "b": true}"#).unwrap();
        let other: Value = serde_json::from_str(r#"{"b":true,"a":[1,{"x":"\"","y":null}]}"#).unwrap();
        assert_eq!(digest(&one), digest(&other));
        assert_ne!(digest(&one), digest(&json!({"a": [1, {"y": null, "x": "\""}], "b": false})));
        assert_ne!(digest(&json!(["a", "b"])), digest(&json!(["a,b"])));
    }

    #[test]
    fn the_digest_is_the_sha_256_of_the_compact_text() {
        // printf '{"a":1}' | sha256sum
        let known = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
        assert_eq!(digest(&json!({"a": 1})), known);
    }
}
