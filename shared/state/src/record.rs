//! Decides how the bytes of a record are read, and how instants are kept in microseconds: the same in every backend.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::error::Error;
use crate::operation::{Operation, RECORD_VERSION};

/// Parses the bytes of a record.
pub(crate) fn parse(key: &str, bytes: &[u8]) -> Result<Operation, Error> {
    match serde_json::from_slice::<Operation>(bytes) {
        Ok(operation) if operation.version <= RECORD_VERSION => Ok(operation),
        Ok(operation) => Err(too_new(key, operation.version)),
        Err(problem) => Err(why_unreadable(key, bytes, &problem)),
    }
}

/// Version of a record whose other fields cannot be read.
#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

fn why_unreadable(key: &str, bytes: &[u8], problem: &serde_json::Error) -> Error {
    match serde_json::from_slice::<VersionOnly>(bytes) {
        Ok(VersionOnly { version }) if version > RECORD_VERSION => too_new(key, version),
        Ok(_) | Err(_) => Error::Corrupt { key: key.to_owned(), message: problem.to_string() },
    }
}

/// Returns the refusal of a record that a newer program wrote.
pub(crate) fn too_new(key: &str, found: u32) -> Error {
    Error::TooNew { key: key.to_owned(), found, known: RECORD_VERSION }
}

/// Returns the microsecond at or after `at`: what is due then is never due too early.
pub(crate) fn micros_up(at: Timestamp) -> i64 {
    let micros = at.as_microsecond();
    let is_exact = Timestamp::from_microsecond(micros).is_ok_and(|exact| exact >= at);
    if is_exact { micros } else { micros.saturating_add(1) }
}

/// Returns the instant of a microsecond.
pub(crate) fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// Returns the instant `ttl` after `now`, or the last one there is.
pub(crate) fn after(now: Timestamp, ttl: Duration) -> Timestamp {
    let ttl = SignedDuration::try_from(ttl).unwrap_or(SignedDuration::MAX);
    now.checked_add(ttl).map_or(Timestamp::MAX, |at| instant(micros_up(at)))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::conformance::record;

    #[test]
    fn a_record_of_a_program_that_kept_no_trace_is_read_and_without_a_trace_none_is_written() {
        let now: Timestamp = "2026-11-21T04:00:00Z".parse().unwrap();
        let lane = sampan_core::Lane {
            cloud: sampan_core::Cloud::Tencent,
            account: "prod".parse().unwrap(),
            region: "ap-guangzhou".parse().unwrap(),
        };
        let kept = record(sampan_core::OperationId::generate(now), &lane, now);
        assert!(kept.trace_parent.is_some());
        let mut older = serde_json::to_value(&kept).unwrap();
        older.as_object_mut().unwrap().remove("trace_parent");
        let read = parse("k", &serde_json::to_vec(&older).unwrap()).unwrap();
        assert_eq!(read, Operation { trace_parent: None, ..kept });
        assert_eq!(serde_json::from_slice::<Value>(&serde_json::to_vec(&read).unwrap()).unwrap(), older);
    }
}
