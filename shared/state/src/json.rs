//! Decides how a value is kept that only its owner reads: as its JSON text.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A value as its JSON text: carried, compared and written without being read. Two are equal when their texts are.
///
/// The text of a value is the same in every process, so its types keep the order of their fields for ever, and no map
/// without an order. Clones share the text.
#[derive(Clone)]
pub struct Json(Arc<RawValue>);

impl Json {
    /// Writes a value down.
    ///
    /// # Errors
    /// The type's own `Serialize` fails, or it has a map whose keys are no texts.
    pub fn of(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self(serde_json::value::to_raw_value(value)?.into()))
    }

    /// Reads it as its owner knows it.
    ///
    /// # Errors
    /// The text is no `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.text())
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Json {}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        // A value is always JSON.
        Self(serde_json::value::to_raw_value(&value).unwrap_or_else(|_| RawValue::NULL.to_owned()).into())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_survives_being_kept_and_read() {
        let json = Json::from(json!({ "b": 1, "a": [null, "é\""] }));
        let kept = serde_json::to_string(&json).unwrap();
        assert_eq!(kept, json.text());
        assert_eq!(serde_json::from_str::<Json>(&kept).unwrap(), json);
        assert_eq!(serde_json::from_value::<Json>(json!({ "b": 1, "a": [null, "é\""] })).unwrap(), json);
        assert_eq!(json.read::<Value>().unwrap(), json!({ "b": 1, "a": [null, "é\""] }));
        assert!(json.read::<u32>().is_err());
    }
}
