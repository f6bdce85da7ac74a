//! Translates instants and durations.

use std::time::Duration;

use jiff::Timestamp;

/// Returns the message of an instant.
pub fn timestamp(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() }.normalized()
}

/// Returns the message of a duration; one beyond the range of the message becomes the longest of it.
pub fn duration(length: Duration) -> prost_types::Duration {
    let seconds = i64::try_from(length.as_secs()).unwrap_or(i64::MAX);
    prost_types::Duration { seconds, nanos: i32::try_from(length.subsec_nanos()).unwrap_or_default() }
}

trait Normalized {
    fn normalized(self) -> Self;
}

impl Normalized for prost_types::Timestamp {
    // Before 1970 jiff counts nanoseconds down, the message counts them up.
    fn normalized(mut self) -> Self {
        self.normalize();
        self
    }
}
