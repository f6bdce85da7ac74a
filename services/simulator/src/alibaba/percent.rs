//! Decides how query strings and paths are decoded, and how both Alibaba signatures encode them again.
//!
//! A signature covers the decoded text: one client writes a space as `+` and signs it as `%20`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The same for paths, which keep their slashes.
const PATH: &AsciiSet = &RESERVED.remove(b'/');

/// Decoded names and values, in the order in which they were sent.
pub(super) type Pairs = Vec<(String, String)>;

/// Splits and decodes a query string or a form body; `+` is a space and a name alone has an empty value.
pub(super) fn decode_query(raw: &str) -> Pairs {
    raw.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode_form(name), decode_form(value))
        })
        .collect()
}

/// Decodes a path; a plus sign stays one.
pub(super) fn decode_path(raw: &str) -> String {
    percent_decode_str(raw).decode_utf8_lossy().into_owned()
}

/// Encodes one name or value of a query.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Encodes a path and keeps its slashes.
pub(super) fn encode_path(text: &str) -> String {
    utf8_percent_encode(text, PATH).to_string()
}

/// Joins `pairs`, sorted by name, as `name=value&name=value` with both sides encoded.
pub(super) fn canonical_query(pairs: &[(String, String)]) -> String {
    let mut encoded: Vec<(String, String)> = pairs.iter().map(|(name, value)| (encode(name), encode(value))).collect();
    encoded.sort();
    encoded.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn decode_form(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_in_a_query_is_a_space_and_is_signed_as_percent_20() {
        let pairs = decode_query("OSSPrefix=Ecs+Exp~ort%2A&Empty&Also=");
        assert_eq!(pairs[0].1, "Ecs Exp~ort*");
        assert_eq!(canonical_query(&pairs), "Also=&Empty=&OSSPrefix=Ecs%20Exp~ort%2A");
    }

    #[test]
    fn a_path_keeps_its_plus_and_gets_its_slashes_back() {
        assert_eq!(decode_path("a%2Fb%20c+d"), "a/b c+d");
        assert_eq!(encode_path("a/b c+d"), "a/b%20c%2Bd");
    }
}
