//! Decides how ECS writes and reads times.

use jiff::Timestamp;

/// `yyyy-MM-ddTHH:mm:ssZ`, as images and snapshots have it.
pub(super) fn to_seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `yyyy-MM-ddTHH:mmZ`, as tasks have it.
pub(super) fn to_minutes(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%MZ").to_string()
}

/// Reads UTC times with or without seconds.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    text.ends_with('Z').then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_seconds_and_in_utc_only() {
        let at = parse("2024-01-02T03:04Z").expect("a time");
        assert_eq!(to_seconds(at), "2024-01-02T03:04:00Z");
        assert_eq!(parse("2024-01-02T03:04:00Z"), Some(at));
        assert_eq!(to_minutes(at), "2024-01-02T03:04Z");
        assert_eq!(parse("2024-01-02T03:04:00+08:00"), None);
        assert_eq!(parse("yesterday"), None);
    }
}
