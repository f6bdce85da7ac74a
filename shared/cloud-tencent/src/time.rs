//! Reads the vendor's spellings of an instant.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// Reads RFC 3339 with any offset, as the API and listings write it.
pub(crate) fn rfc3339(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// Reads the date of an HTTP header, such as `Tue, 14 Nov 2023 22:13:20 GMT`.
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_vendor_is_read() {
        let instant = Timestamp::from_second(1_700_000_000).unwrap();
        for text in ["2023-11-14T22:13:20Z", "2023-11-14T22:13:20+00:00", "2023-11-15T06:13:20+08:00"] {
            assert_eq!(rfc3339(text), Some(instant), "{text}");
        }
        assert_eq!(http_date("Tue, 14 Nov 2023 22:13:20 GMT"), Some(instant));
        assert_eq!((rfc3339(""), http_date("yesterday")), (None, None));
    }
}
