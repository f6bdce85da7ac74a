//! Decides how OSS writes and reads times.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

static PRINTER: DateTimePrinter = DateTimePrinter::new();

/// `Tue, 02 Jan 2024 03:04:05 GMT`, as headers have it.
pub(super) fn to_http(at: Timestamp) -> String {
    PRINTER.timestamp_to_rfc9110_string(&at).unwrap_or_default()
}

/// `2024-01-02T03:04:05.000Z`, as documents have it.
pub(super) fn to_iso(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// Reads the time of a header.
pub(super) fn parse_http(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

/// Reads `yyyyMMddTHHmmssZ`.
pub(super) fn parse_basic(text: &str) -> Option<Timestamp> {
    let has_shape = text.len() == "yyyyMMddTHHmmssZ".len() && text.ends_with('Z');
    has_shape.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_name_the_same_moment() {
        let at = parse_basic("20240102T030405Z").expect("a time");
        assert_eq!(to_http(at), "Tue, 02 Jan 2024 03:04:05 GMT");
        assert_eq!(parse_http("Tue, 02 Jan 2024 03:04:05 GMT"), Some(at));
        assert_eq!(to_iso(at), "2024-01-02T03:04:05.000Z");
        assert_eq!(parse_basic("2024-01-02T03:04:05Z"), None);
        assert_eq!(parse_http("now"), None);
    }
}
