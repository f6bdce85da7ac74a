//! Reads fields whose JSON type the vendor does not keep: a number may come as a text, a flag as either.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A scalar of any JSON type, as text; absent, null and structured values are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
        }))
    }
}

impl Scalar {
    /// Returns the text without surrounding blanks.
    pub(crate) fn text(&self) -> &str {
        self.0.trim()
    }

    /// Returns the text, or `None` when it is empty.
    pub(crate) fn non_empty(&self) -> Option<&str> {
        Some(self.text()).filter(|text| !text.is_empty())
    }

    /// Returns a whole number of 0 or more; a fraction is cut.
    pub(crate) fn number(&self) -> Option<u64> {
        let whole = self.text().split('.').next().unwrap_or_default();
        whole.parse().ok()
    }

    /// Returns a flag, whatever its case.
    pub(crate) fn flag(&self) -> Option<bool> {
        match self.text().to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// Returns a percentage such as `45%`, `45.5%` or `45`, cut to a whole number of at most 100.
    pub(crate) fn percent(&self) -> Option<u8> {
        let bare = self.text().strip_suffix('%').unwrap_or(self.text());
        if !bare.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return None;
        }
        let whole: u64 = bare.split('.').next().unwrap_or_default().parse().ok()?;
        u8::try_from(whole.min(100)).ok()
    }

    /// Returns an instant, which the vendor writes with or without seconds.
    pub(crate) fn instant(&self) -> Option<Instant> {
        if let Some(minute) = self.text().strip_suffix('Z').filter(|bare| bare.matches(':').count() == 1) {
            let at = format!("{minute}:00Z").parse().ok()?;
            return Some(Instant { at, to_the_minute: true });
        }
        Some(Instant { at: self.text().parse().ok()?, to_the_minute: false })
    }
}

/// A time that the vendor told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant {
    /// The beginning of what it can mean.
    pub(crate) at: Timestamp,
    /// Whether any second of that minute can be meant.
    to_the_minute: bool,
}

impl Instant {
    /// Returns whether it can be at or after `since`, which may be finer than what the vendor tells.
    pub(crate) fn can_follow(&self, since: Timestamp) -> bool {
        // A full minute can also be one that the vendor cut to that form.
        let second = since.as_second();
        let unit = if self.to_the_minute || self.at.as_second() % 60 == 0 { 60 } else { 1 };
        self.at.as_second() >= second - second.rem_euclid(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(json: &str) -> Scalar {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_size_reads_as_text_and_as_number() {
        assert_eq!(scalar("40").number(), Some(40));
        assert_eq!(scalar("\"40\"").number(), Some(40));
        assert_eq!(scalar("\"\"").number(), None);
        assert_eq!(scalar("null").number(), None);
        assert_eq!(scalar("-1").number(), None);
    }

    #[test]
    fn a_flag_reads_as_bool_and_as_text_of_any_case() {
        for (json, flag) in [("true", Some(true)), ("\"False\"", Some(false)), ("\"\"", None), ("1", None)] {
            assert_eq!(scalar(json).flag(), flag, "{json}");
        }
    }

    #[test]
    fn progress_reads_with_and_without_its_sign() {
        let cases =
            [("\"100%\"", Some(100)), ("\"45.7%\"", Some(45)), ("12", Some(12)), ("\"\"", None), ("\"soon\"", None)];
        for (json, percent) in cases {
            assert_eq!(scalar(json).percent(), percent, "{json}");
        }
        assert_eq!(scalar("\"400%\"").percent(), Some(100));
    }

    #[test]
    fn a_time_without_seconds_can_mean_any_second_of_its_minute() {
        let since: Timestamp = "2026-11-21T12:33:37.5Z".parse().unwrap();
        for (text, follows) in [
            ("2026-11-21T12:33Z", true),
            ("2026-11-21T12:33:00Z", true),
            ("2026-11-21T12:33:37Z", true),
            ("2026-11-21T12:33:36Z", false),
            ("2026-11-21T12:32Z", false),
            ("2026-11-21T12:34Z", true),
        ] {
            let instant = scalar(&format!("\"{text}\"")).instant().unwrap();
            assert_eq!(instant.can_follow(since), follows, "{text}");
        }
        assert_eq!(scalar("\"\"").instant(), None);
    }
}
