//! Decides what the parameters of a call are: from a JSON body or from a flattened query, one reader for both.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::error::ApiError;

/// Longest array that a flattened query may build, so that `Ids.4000000000=x` costs nothing.
const MOST_ITEMS: usize = 1000;
/// Deepest nesting of a flattened name; the actions here need three.
const DEEPEST: usize = 8;

/// The parameters of one call.
#[derive(Debug)]
pub(crate) struct Params {
    values: Map<String, Value>,
    /// True when every scalar is text, because it came in a query.
    flattened: bool,
    /// Name of the enclosing list item, for messages.
    place: String,
}

impl Params {
    /// Reads a JSON body; an empty one counts as no parameters.
    ///
    /// # Errors
    /// `InvalidParameter` when it is not a JSON object.
    pub(crate) fn from_json(body: &[u8]) -> Result<Self, ApiError> {
        if body.is_empty() {
            return Ok(Self::of(Map::new(), false));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(values)) => Ok(Self::of(values, false)),
            Ok(_) | Err(_) => Err(ApiError::new("InvalidParameter", "the body is not a JSON object")),
        }
    }

    /// Reads a query in which lists are flattened: `Filters.0.Values.1=x`.
    ///
    /// # Errors
    /// `InvalidParameter` when names contradict each other or an index is out of line.
    pub(crate) fn from_query(query: &str) -> Result<Self, ApiError> {
        let mut root = Value::Object(Map::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (form_decode(name), form_decode(value));
            let steps: Vec<&str> = name.split('.').collect();
            if steps.len() > DEEPEST || !put(&mut root, &steps, &value) {
                return Err(ApiError::new("InvalidParameter", format!("parameter {name:?} is out of line")));
            }
        }
        match root {
            Value::Object(values) => Ok(Self::of(values, true)),
            _ => Ok(Self::of(Map::new(), true)),
        }
    }

    fn of(mut values: Map<String, Value>, flattened: bool) -> Self {
        // A null counts as not given.
        values.retain(|_, value| !value.is_null());
        Self { values, flattened, place: String::new() }
    }

    /// Refuses parameters that the action does not have.
    ///
    /// # Errors
    /// `UnknownParameter` for the first one that is not in `known`.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), ApiError> {
        match self.values.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => {
                Err(ApiError::new("UnknownParameter", format!("parameter {}{name} is not recognized", self.place)))
            }
            None => Ok(()),
        }
    }

    /// Returns a text.
    ///
    /// # Errors
    /// `InvalidParameter` when it is not a text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        match self.values.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.mistyped(name, "a string")),
        }
    }

    /// Returns a text that must be there and not empty.
    ///
    /// # Errors
    /// `MissingParameter`, or those of [`Params::text`].
    pub(crate) fn required_text(&self, name: &str) -> Result<&str, ApiError> {
        match self.text(name)? {
            Some(text) if !text.is_empty() => Ok(text),
            Some(_) | None => Err(ApiError::missing(&format!("{}{name}", self.place))),
        }
    }

    /// Returns a list of texts; `None` when it is not given.
    ///
    /// # Errors
    /// `InvalidParameter` when it is anything else.
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, ApiError> {
        let Some(value) = self.values.get(name) else {
            return Ok(None);
        };
        let items = value.as_array().ok_or_else(|| self.mistyped(name, "a list of strings"))?;
        let text = |item: &Value| item.as_str().map(str::to_owned);
        let texts: Option<Vec<String>> = items.iter().map(text).collect();
        texts.map(Some).ok_or_else(|| self.mistyped(name, "a list of strings"))
    }

    /// Returns a truth value.
    ///
    /// # Errors
    /// `InvalidParameter` when it is anything else.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.values.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if self.flattened => match text.to_ascii_lowercase().as_str() {
                "true" | "1" => Ok(Some(true)),
                "false" | "0" => Ok(Some(false)),
                _ => Err(self.mistyped(name, "a boolean")),
            },
            Some(_) => Err(self.mistyped(name, "a boolean")),
        }
    }

    /// Returns an unsigned number.
    ///
    /// # Errors
    /// `InvalidParameter` when it is anything else, a negative number too.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, ApiError> {
        let wanted = || self.mistyped(name, "an unsigned integer");
        match self.values.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) => number.as_u64().map(Some).ok_or_else(wanted),
            Some(Value::String(text)) if self.flattened => text.parse().map(Some).map_err(|_| wanted()),
            Some(_) => Err(wanted()),
        }
    }

    /// Returns the items of a list of objects; empty when it is not given.
    ///
    /// # Errors
    /// `InvalidParameter` when it is anything else.
    pub(crate) fn objects(&self, name: &str) -> Result<Vec<Self>, ApiError> {
        let Some(value) = self.values.get(name) else {
            return Ok(Vec::new());
        };
        let wanted = || self.mistyped(name, "a list of objects");
        let items = value.as_array().ok_or_else(wanted)?;
        let object = |(index, item): (usize, &Value)| {
            let values = item.as_object().ok_or_else(wanted)?.clone();
            let place = format!("{}{name}.{index}.", self.place);
            Ok(Self { place, ..Self::of(values, self.flattened) })
        };
        items.iter().enumerate().map(object).collect()
    }

    fn mistyped(&self, name: &str, wanted: &str) -> ApiError {
        ApiError::mistyped(&format!("{}{name}", self.place), wanted)
    }
}

/// Puts `text` at the end of the path `steps` below `at`; false when something else is there.
///
/// A step of digits makes a list, any other step an object. Indexes may come in any order, but a list must have no
/// holes beyond [`MOST_ITEMS`].
fn put(at: &mut Value, steps: &[&str], text: &str) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        if !at.is_null() {
            return false;
        }
        *at = Value::String(text.to_owned());
        return true;
    };
    if let Ok(index) = step.parse::<usize>() {
        if at.is_null() {
            *at = Value::Array(Vec::new());
        }
        let Value::Array(items) = at else { return false };
        if index >= MOST_ITEMS {
            return false;
        }
        while items.len() <= index {
            items.push(Value::Null);
        }
        return items.get_mut(index).is_some_and(|item| put(item, rest, text));
    }
    if at.is_null() {
        *at = Value::Object(Map::new());
    }
    let Value::Object(fields) = at else { return false };
    !step.is_empty() && put(fields.entry(*step).or_insert(Value::Null), rest, text)
}

fn form_decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::Params;

    fn code<T: std::fmt::Debug>(result: Result<T, super::ApiError>) -> String {
        result.expect_err("refused").code.into_owned()
    }

    #[test]
    fn a_flattened_query_reads_like_the_body_it_stands_for() {
        let query =
            "Filters.0.Name=image-type&Filters.0.Values.0=PRIVATE_IMAGE&Filters.0.Values.1=a%20b&Limit=5&DryRun=True";
        let params = Params::from_query(query).expect("in line");
        let filters = params.objects("Filters").expect("objects");
        assert_eq!(filters.len(), 1);
        assert_eq!(filters[0].required_text("Name").expect("text"), "image-type");
        assert_eq!(filters[0].texts("Values").expect("texts").expect("given"), ["PRIVATE_IMAGE", "a b"]);
        assert_eq!(params.number("Limit").expect("number"), Some(5));
        assert_eq!(params.flag("DryRun").expect("flag"), Some(true));
    }

    #[test]
    fn a_body_with_texts_for_numbers_is_refused() {
        let params =
            Params::from_json(br#"{"Limit":"5","DryRun":"true","ImageIds":"img-1","BucketName":7}"#).expect("JSON");
        assert_eq!(code(params.number("Limit")), "InvalidParameter");
        assert_eq!(code(params.flag("DryRun")), "InvalidParameter");
        assert_eq!(code(params.texts("ImageIds")), "InvalidParameter");
        assert_eq!(code(params.text("BucketName")), "InvalidParameter");
    }

    #[test]
    fn a_negative_number_is_refused() {
        let params = Params::from_json(br#"{"Offset":-1}"#).expect("JSON");
        assert_eq!(code(params.number("Offset")), "InvalidParameter");
    }

    #[test]
    fn an_undefined_parameter_is_named() {
        let params = Params::from_json(br#"{"Bucket":"b"}"#).expect("JSON");
        let refused = params.only(&["BucketName"]).expect_err("unknown");
        assert_eq!(refused.code, "UnknownParameter");
        assert!(refused.message.contains("Bucket"));
    }

    #[test]
    fn a_null_and_an_empty_text_count_as_missing() {
        let params = Params::from_json(br#"{"BucketName":null,"RoleName":""}"#).expect("JSON");
        params.only(&["RoleName"]).expect("a null is not there");
        assert_eq!(code(params.required_text("BucketName")), "MissingParameter");
        assert_eq!(code(params.required_text("RoleName")), "MissingParameter");
    }

    #[test]
    fn names_that_contradict_each_other_are_refused() {
        for query in ["A=1&A.0=2", "A.0=1&A.b=2", "A=1&A=2", "Ids.4000000000=x", "A..b=1"] {
            assert_eq!(code(Params::from_query(query)), "InvalidParameter", "{query}");
        }
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        for body in ["[]", "{", "7", "\u{0}"] {
            assert_eq!(code(Params::from_json(body.as_bytes())), "InvalidParameter", "{body}");
        }
    }
}
