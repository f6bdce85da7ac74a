//! Decides which bytes both Alibaba signatures leave bare in a percent-encoded text.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but `A-Z a-z 0-9 - _ . ~`.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// As [`VALUE`], with the slashes of an object key kept.
const PATH: &AsciiSet = &VALUE.remove(b'/');

/// Encodes a name or value of a query.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, VALUE).to_string()
}

/// Encodes an object key, slashes kept.
pub(crate) fn encode_path(text: &str) -> String {
    utf8_percent_encode(text, PATH).to_string()
}

/// Decodes a percent-encoded text; bytes that are no UTF-8 become the replacement character.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Splits the query of a request into decoded names and values; a name without `=` has an empty value.
pub(crate) fn decode_query(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Joins names and values into a query, in the given order, `name=` for an empty value.
pub(crate) fn encode_query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let encoded: Vec<_> =
        pairs.into_iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    encoded.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_reads_back_whatever_its_bytes() {
        let query = encode_query([("Name", "a*b~c 中+/"), ("Empty", "")]);
        assert_eq!(query, "Name=a%2Ab~c%20%E4%B8%AD%2B%2F&Empty=");
        assert_eq!(decode_query(&query), [("Name".into(), "a*b~c 中+/".into()), ("Empty".into(), String::new())]);
    }

    #[test]
    fn the_slashes_of_a_key_stay() {
        assert_eq!(encode_path("dir/a b.raw"), "dir/a%20b.raw");
    }
}
