//! Reads a server's wish about when to come back.

use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// A wish beyond this is taken for a mistake of the server and cut.
const LONGEST: Duration = Duration::from_secs(3600);

/// Returns the wish in `Retry-After` (seconds, or a date that is compared with the answer's own `Date`), else the
/// one in Alibaba's `x-acs-retry-after` (milliseconds, the unit of the vendor's own clients).
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let standard = text(RETRY_AFTER.as_str()).and_then(|wish| match wish.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let (then, now) = (instant(wish)?, instant(text(DATE.as_str())?)?);
            then.duration_since(now).try_into().ok()
        }
    });
    let vendor = || text("x-acs-retry-after")?.parse().ok().filter(|wish| *wish > 0).map(Duration::from_millis);
    standard.or_else(vendor).map(|wish| wish.min(LONGEST))
}

fn instant(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(pairs: &[(&'static str, &str)]) -> Option<Duration> {
        let headers = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        retry_after(&headers.collect::<HeaderMap>())
    }

    #[test]
    fn seconds_dates_and_the_header_of_alibaba_are_read() {
        assert_eq!(wish(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        assert_eq!(wish(&[("x-acs-retry-after", "1500")]), Some(Duration::from_millis(1500)));
        let dates = [("date", "Tue, 14 Nov 2023 22:13:20 GMT"), ("retry-after", "Tue, 14 Nov 2023 22:13:50 GMT")];
        assert_eq!(wish(&dates), Some(Duration::from_secs(30)));
    }

    #[test]
    fn nonsense_and_dates_in_the_past_are_no_wish() {
        assert_eq!(wish(&[("retry-after", "soon")]), None);
        assert_eq!(wish(&[("retry-after", "-3")]), None);
        let past = [("date", "Tue, 14 Nov 2023 22:13:50 GMT"), ("retry-after", "Tue, 14 Nov 2023 22:13:20 GMT")];
        assert_eq!(wish(&past), None);
        assert_eq!(wish(&[]), None);
    }

    #[test]
    fn a_wish_of_days_is_cut_to_an_hour() {
        assert_eq!(wish(&[("retry-after", "864000")]), Some(LONGEST));
    }
}
