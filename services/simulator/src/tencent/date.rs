//! Decides how an instant is written in a header.

use axum::http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// Writes an instant as HTTP does: `Tue, 14 Nov 2023 22:13:20 GMT`.
pub(super) fn http_date(at: Timestamp) -> String {
    // Fails for years that HTTP cannot write, which no clock here reaches.
    rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap_or_default()
}

/// Reads an instant of a header; `None` when it is written in another way.
pub(super) fn read_http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// Sets `Date` to the clock that signatures are judged by, which a demo may have moved; else hyper would put the
/// machine's time there.
pub(super) fn stamp(headers: &mut HeaderMap, now: Timestamp) {
    if let Ok(date) = HeaderValue::from_str(&http_date(now)) {
        headers.insert(header::DATE, date);
    }
}

#[cfg(test)]
mod tests {
    use super::{http_date, read_http_date};

    #[test]
    fn a_date_is_written_as_http_does_and_read_back() {
        let at = "2023-11-14T22:13:20Z".parse().expect("a time");
        assert_eq!(http_date(at), "Tue, 14 Nov 2023 22:13:20 GMT");
        assert_eq!(read_http_date("Tue, 14 Nov 2023 22:13:20 GMT"), Some(at));
        assert_eq!(read_http_date("2023-11-14T22:13:20Z"), None);
    }
}
