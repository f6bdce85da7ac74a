//! How services use services: generated tonic clients over a [`PeerTransport`].
//!
//! A transport leads to one role. Where that role runs in the same process, calls go straight to its routes, through
//! the same layers as calls from outside and without a socket; otherwise they go to the configured addresses. The
//! service that calls cannot tell:
//!
//! ```
//! # fn example(peers: &sampan_chassis::peer::Peers) {
//! use sampan_proto::billing::v1::billing_estimator_service_client::BillingEstimatorServiceClient;
//! let billing = BillingEstimatorServiceClient::new(peers.to("billing"));
//! # drop(billing);
//! # }
//! ```
//!
//! Deadline, trace and request id of the call in hand are passed on by [`context`]; which peer answers and what is
//! tried again is decided by [`remote`]; whose addresses there are by [`addresses`].

mod addresses;
mod context;
mod remote;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::{Request, Response};
use sampan_core::Reason;
use sampan_core::retry::RetryPolicy;
use tokio::time::timeout_at;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::ClientTlsConfig;
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, Service, ServiceExt as _};

use self::remote::Remote;
use crate::auth::Auth;
use crate::layers::{self, EdgeLimits};
use crate::server::Services;
use crate::status::{Problem, TRANSIENT_RETRY};

/// How peers are called.
#[derive(Debug, Clone)]
pub struct Options {
    /// Time of a call that is made on nobody's behalf, or whose caller has more; a shorter deadline is passed on.
    pub timeout: Duration,
    /// The same for calls that wait for an operation.
    pub waiting_timeout: Duration,
    /// Attempts of a call that may be repeated, and the pauses between them.
    pub retry: RetryPolicy,
    /// How long the addresses of a name are good for.
    pub resolve_every: Duration,
    /// How long one address may take to accept a connection.
    pub connect_timeout: Duration,
    /// Trust and identity for `https` addresses; `None` means the system's roots and no identity.
    pub tls: Option<ClientTlsConfig>,
    /// File with a bearer token that remote peers are shown; read for each call, because tokens are short-lived.
    pub token_file: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        let retry = RetryPolicy {
            first_delay: Duration::from_millis(50),
            max_delay: Duration::from_secs(1),
            max_attempts: 4,
            ..RetryPolicy::default()
        };
        Self {
            timeout: Duration::from_secs(10),
            waiting_timeout: Duration::from_secs(11 * 60),
            retry,
            resolve_every: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(2),
            tls: None,
            token_file: None,
        }
    }
}

/// An address that no peer can be reached at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no address.
    #[error("`{url}` is no address of the peer `{peer}`; use the form http://HOST:PORT")]
    Address {
        /// Whose address.
        peer: &'static str,
        /// The text.
        url: String,
    },
    /// The trust or the identity for a TLS address cannot be used.
    #[error("the TLS settings for {url} cannot be used")]
    Tls {
        /// The address.
        url: String,
        /// What is wrong with them.
        #[source]
        source: tonic::transport::Error,
    },
}

/// Finds the peers of a process. Clones share everything.
#[derive(Debug, Clone)]
pub struct Peers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: Options,
    remote: BTreeMap<&'static str, Remote>,
    local: OnceLock<Weak<Local>>,
}

/// The routes of this process.
struct Local {
    roles: Vec<&'static str>,
    routes: BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>,
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").field("roles", &self.roles).finish_non_exhaustive()
    }
}

/// Keeps the routes of a process open to its own services; they are closed when this is dropped.
#[derive(Debug)]
#[must_use = "without it, no peer is in this process"]
pub struct LocalPeers(#[expect(dead_code, reason = "held, never read")] Arc<Local>);

impl Peers {
    /// Takes the addresses of peers in other processes: one or several URLs for each role. Nothing is connected and no
    /// name looked up before the first call, so a peer may start later, or go and come back.
    ///
    /// # Errors
    /// [`Error`] for the first address that cannot be one.
    pub fn new(options: Options, addresses: BTreeMap<&'static str, Vec<String>>) -> Result<Self, Error> {
        let mut remote = BTreeMap::new();
        for (peer, urls) in addresses.into_iter().filter(|(_, urls)| !urls.is_empty()) {
            remote.insert(peer, Remote::new(peer, &urls, &options)?);
        }
        Ok(Self(Arc::new(Inner { options, remote, local: OnceLock::new() })))
    }

    /// Opens the services of this process to each other: calls to one of `roles` stay in it from now on, whatever
    /// addresses there are. Works once.
    ///
    /// The services hold transports, and the routes hold the services; so the routes live as long as what is
    /// returned, and not longer.
    pub fn serve_locally(&self, roles: Vec<&'static str>, services: &Services, limits: &EdgeLimits) -> LocalPeers {
        let layered = layers::stack(limits, Arc::new(Auth::local()), CancellationToken::new())
            .layer(services.clone().into_routes());
        let local = Arc::new(Local { roles, routes: BoxCloneSyncService::new(layered) });
        let _ = self.0.local.set(Arc::downgrade(&local));
        LocalPeers(local)
    }

    /// Returns the way to a role, which need not exist yet.
    pub fn to(&self, peer: &'static str) -> PeerTransport {
        PeerTransport { peer, peers: self.clone() }
    }
}

/// The way to one role, in this process or in others: what a generated client is made over. Cheap to clone.
///
/// It is always ready and never fails: where no peer answers, the response is a status with the reason
/// `PEER_UNAVAILABLE`.
#[derive(Debug, Clone)]
pub struct PeerTransport {
    peer: &'static str,
    peers: Peers,
}

impl PeerTransport {
    /// Returns the role that it leads to.
    pub fn peer(&self) -> &'static str {
        self.peer
    }

    async fn send(self, mut request: Request<Body>) -> Response<Body> {
        let options = &self.peers.0.options;
        let allowed = context::pass_on(&mut request, options);
        match timeout_at(allowed.deadline, self.route(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(problem)) => Status::from(problem).into_http(),
            Err(_) => {
                let words = format!("{} did not answer within {} ms", self.peer, allowed.time.as_millis());
                Status::from(Problem::new(Reason::RequestDeadlinePassed, words).with("peer", self.peer)).into_http()
            }
        }
    }

    async fn route(&self, request: Request<Body>) -> Result<Response<Body>, Problem> {
        let inner = &self.peers.0;
        if let Some(local) = inner.local.get() {
            match local.upgrade() {
                Some(local) if local.roles.contains(&self.peer) => {
                    let routes = local.routes.clone();
                    drop(local);
                    return match routes.oneshot(request).await {
                        Ok(response) => Ok(response),
                        Err(never) => match never {},
                    };
                }
                Some(_) => {}
                None => return Err(Problem::new(Reason::ShuttingDown, "the server is stopping")),
            }
        }
        match inner.remote.get(self.peer) {
            Some(remote) => remote.send(request).await,
            None => Err(unavailable(self.peer, "it does not run in this process, and no address is configured")),
        }
    }
}

impl Service<Request<Body>> for PeerTransport {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(this.send(request).await) })
    }
}

fn unavailable(peer: &'static str, why: impl fmt::Display) -> Problem {
    Problem::new(Reason::PeerUnavailable, format!("{peer} cannot be reached: {why}"))
        .with("peer", peer)
        .retry_after(TRANSIENT_RETRY)
}
