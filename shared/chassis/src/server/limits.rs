//! Bounds of connections: their number, and what HTTP/2 itself holds of each before any layer sees a request.

use std::time::Duration;

use tonic::transport::server::Server;

/// HTTP/2 takes so many times the bytes that headers may have, so that what is too much is refused with a reason. What
/// is above that ends its stream with the HTTP status 431, and four times that its connection.
const HEADROOM: usize = 4;
/// Faults of a client that end no more than their streams; what comes after them ends the connection.
const FAULTS: usize = 1_024;

/// Bounds of connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections at once; further ones are closed at once.
    pub at_once: usize,
    /// How long a client may take to say hello: with TLS, and then once more with HTTP/2.
    pub hello: Duration,
    /// Calls at once on one connection; a client that knows HTTP/2 keeps further ones back until one of them has ended.
    pub streams: u32,
    /// Calls that may have been given up by the client before they were looked at; more end the connection.
    pub pending_resets: usize,
    /// How long a connection may be silent before it is asked whether somebody is there.
    pub ping_every: Duration,
    /// How long the answer to that may take; then the connection is closed, and the places of its calls are free.
    pub ping_timeout: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            at_once: 4_096,
            hello: Duration::from_secs(10),
            streams: 1_000,
            pending_resets: 100,
            ping_every: Duration::from_secs(30),
            ping_timeout: Duration::from_secs(20),
        }
    }
}

impl ConnectionLimits {
    /// Returns the builder of a server that holds what HTTP/2 can of them.
    ///
    /// An answer that nobody reads waits with one message at most beside what the client's own window takes, and the
    /// 400 KiB that hyper lets a connection that does not take its bytes owe: revisions behind it are never made.
    pub(super) fn builder(&self, header_bytes: usize) -> Server {
        let header_bytes = u32::try_from(header_bytes.saturating_mul(HEADROOM)).unwrap_or(u32::MAX);
        Server::builder()
            .max_concurrent_streams(self.streams)
            .http2_max_header_list_size(header_bytes)
            .http2_max_pending_accept_reset_streams(Some(self.pending_resets))
            .http2_max_local_error_reset_streams(Some(FAULTS))
            .http2_keepalive_interval(Some(self.ping_every))
            .http2_keepalive_timeout(Some(self.ping_timeout))
    }
}
