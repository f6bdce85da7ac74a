//! The listener, the roles, and the bounds of what callers may take. What each bound is for is told in README.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::Error;

/// Address that a server listens on when nothing else is said.
const DEFAULT_LISTEN: &str = "127.0.0.1:7500";

/// Listener, roles and bounds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Address; port 0 picks a free one.
    pub listen: String,
    /// Roles to run; empty means all.
    pub roles: Vec<String>,
    /// Permits a listener that others can reach without TLS.
    pub insecure: bool,
    /// Requests in flight before further ones are refused.
    pub max_in_flight: usize,
    /// Requests that wait for or watch an operation before further ones are refused.
    pub max_waiting: usize,
    /// The same as `max_in_flight` for each caller that is known.
    pub max_in_flight_per_caller: usize,
    /// The same as `max_waiting` for each caller that is known.
    pub max_waiting_per_caller: usize,
    /// Seconds that a request has whose caller names no deadline.
    pub default_deadline_seconds: u64,
    /// Seconds that any request has at most that does not wait for an operation.
    pub max_deadline_seconds: u64,
    /// Seconds that a request has at most that waits for an operation.
    pub max_waiting_seconds: u64,
    /// Connections at once; further ones are closed at once.
    pub max_connections: usize,
    /// Requests at once on one connection; clients keep further ones back.
    pub max_streams_per_connection: u32,
    /// Bytes of the headers of one request, each counted with 32 bytes more, as HTTP/2 does.
    pub max_header_bytes: usize,
    /// Requests that a client may have given up before they were looked at; more end the connection.
    pub max_pending_resets: usize,
    /// Seconds of silence after which a connection is asked whether somebody is there.
    pub keepalive_seconds: u64,
    /// Seconds that the answer may take before the connection is closed.
    pub keepalive_timeout_seconds: u64,
    /// Seconds that a stop waits for requests and steps.
    pub grace_seconds: u64,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: DEFAULT_LISTEN.to_owned(),
            roles: Vec::new(),
            insecure: false,
            max_in_flight: 1_024,
            max_waiting: 10_000,
            max_in_flight_per_caller: 256,
            max_waiting_per_caller: 2_500,
            default_deadline_seconds: 30,
            max_deadline_seconds: 120,
            max_waiting_seconds: 660,
            max_connections: 4_096,
            max_streams_per_connection: 1_000,
            max_header_bytes: 16 * 1024,
            max_pending_resets: 100,
            keepalive_seconds: 30,
            keepalive_timeout_seconds: 20,
            grace_seconds: 20,
        }
    }
}

const CALLS: RangeInclusive<u64> = 1..=1_000_000;
const STREAMS: RangeInclusive<u64> = 1..=100_000;
// A token of a common issuer alone has up to 4 KiB; and every connection may hold four times the bound.
const HEADER_BYTES: RangeInclusive<u64> = 2_048..=1_048_576;
const RESETS: RangeInclusive<u64> = 1..=10_000;
const DEADLINE_SECONDS: RangeInclusive<u64> = 1..=3_600;
const WAITING_SECONDS: RangeInclusive<u64> = 1..=86_400;

impl ServerConfig {
    /// Refuses bounds that would let nothing through, or everything.
    ///
    /// # Errors
    /// [`Error::Value`] that names the key, what it may be, and what to do.
    pub(super) fn check(&self) -> Result<(), Error> {
        let count = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        let bounds = [
            ("max_in_flight", count(self.max_in_flight), CALLS),
            ("max_waiting", count(self.max_waiting), CALLS),
            ("max_in_flight_per_caller", count(self.max_in_flight_per_caller), CALLS),
            ("max_waiting_per_caller", count(self.max_waiting_per_caller), CALLS),
            ("default_deadline_seconds", self.default_deadline_seconds, DEADLINE_SECONDS),
            ("max_deadline_seconds", self.max_deadline_seconds, DEADLINE_SECONDS),
            ("max_waiting_seconds", self.max_waiting_seconds, WAITING_SECONDS),
            ("max_connections", count(self.max_connections), CALLS),
            ("max_streams_per_connection", u64::from(self.max_streams_per_connection), STREAMS),
            ("max_header_bytes", count(self.max_header_bytes), HEADER_BYTES),
            ("max_pending_resets", count(self.max_pending_resets), RESETS),
            ("keepalive_seconds", self.keepalive_seconds, DEADLINE_SECONDS),
            ("keepalive_timeout_seconds", self.keepalive_timeout_seconds, DEADLINE_SECONDS),
        ];
        for (key, value, range) in bounds {
            if !range.contains(&value) {
                return Err(Error::Value(format!(
                    "server.{key} is {value}; set it to a number from {} to {}, or leave it out for the default",
                    range.start(),
                    range.end()
                )));
            }
        }
        if self.default_deadline_seconds > self.max_deadline_seconds {
            return Err(Error::Value(format!(
                "server.default_deadline_seconds is {}, above server.max_deadline_seconds, which is {}; lower the first \
                 or raise the second",
                self.default_deadline_seconds, self.max_deadline_seconds
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn read(text: &str) -> Result<Config, String> {
        Config::parse(Some(("sampan.toml", text)), std::iter::empty()).map_err(|error| error.to_string())
    }

    #[test]
    fn bounds_that_let_nothing_or_everything_through_are_refused_by_name() {
        for (key, value) in [
            ("max_in_flight", 0),
            ("max_waiting", 0),
            ("max_in_flight_per_caller", 0),
            ("max_waiting_per_caller", 2_000_000),
            ("default_deadline_seconds", 0),
            ("max_deadline_seconds", 100_000),
            ("max_waiting_seconds", 0),
            ("max_connections", 0),
            ("max_streams_per_connection", 0),
            ("max_header_bytes", 100),
            ("max_pending_resets", 0),
            ("keepalive_seconds", 0),
            ("keepalive_timeout_seconds", 0),
        ] {
            let error = read(&format!("[server]\n{key} = {value}\n")).expect_err(key);
            assert!(error.contains(&format!("server.{key} is {value}")) && error.contains("set it to"), "{error}");
        }
        let error = read("[server]\ndefault_deadline_seconds = 60\nmax_deadline_seconds = 30\n").expect_err("crossed");
        assert!(error.contains("lower the first"), "{error}");
        assert!(read("[server]\nmax_streams_per_connection = -1\n").is_err());
    }

    #[test]
    fn a_bound_of_the_environment_is_read_shown_and_checked() {
        let variable = |value: &str| [("SAMPAN_SERVER__MAX_HEADER_BYTES".into(), value.into())].into_iter();
        let config = Config::parse(None, variable("4096")).expect("fits");
        assert_eq!(config.server.max_header_bytes, 4_096);
        assert!(config.redacted().expect("TOML").contains("max_header_bytes = 4096"));
        let error = Config::parse(None, variable("1")).expect_err("refused").to_string();
        assert!(error.contains("server.max_header_bytes is 1"), "{error}");
    }
}
