//! Decides how a process serves gRPC: bind, become ready, follow the store, drain, end.
//!
//! Which services run and what they do is decided by the composition. The order of a start is: [`Listener::bind`]
//! before any serious work, so that a taken port is known at once; then [`Server::start`]. The order of a stop is in
//! [`Server::shutdown`].

mod accept;
mod at_work;
pub(crate) mod connection;
mod limits;
mod readiness;
mod room;
pub mod web;

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use sampan_state::Health;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::{Routes, RoutesBuilder};
use tower::Service;

use self::at_work::AtWork;
pub use self::limits::ConnectionLimits;
use self::readiness::Readiness;
use self::web::Web;
use crate::audit::{Named, Refusals};
use crate::auth::Auth;
use crate::layers::{self, Around as _, AroundLayer, EdgeLimits};
use crate::tls::Tls;

/// Most bytes that a request message may have.
pub const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// How long clients have to read the last words of calls that were let go, once no other call is at work.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Failure to serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is open to others and nothing protects it.
    #[error("{address} is open to other machines and has no TLS; listen on a loopback address, or set insecure = true")]
    Unprotected {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The origin of a page is none.
    #[error("`{origin}` is no origin; write it as https://console.example or http://127.0.0.1:3000")]
    Origin {
        /// What was given.
        origin: String,
    },
    /// The reflection service could not read the descriptors.
    #[error("cannot serve reflection")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// A bound socket that nobody serves yet.
#[derive(Debug)]
pub struct Listener {
    socket: tokio::net::TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Binds `address`; port 0 takes a free one. Must be called within a runtime.
    ///
    /// - `insecure`: permits an address that other machines reach, although there is no TLS.
    ///
    /// # Errors
    /// [`Error::Unprotected`] before anything is bound; [`Error::Bind`].
    pub fn bind(address: SocketAddr, insecure: bool) -> Result<Self, Error> {
        if !address.ip().to_canonical().is_loopback() && !insecure {
            return Err(Error::Unprotected { address });
        }
        let bound = || {
            let socket = std::net::TcpListener::bind(address)?;
            socket.set_nonblocking(true)?;
            let socket = tokio::net::TcpListener::from_std(socket)?;
            let address = socket.local_addr()?;
            Ok(Self { socket, address })
        };
        bound().map_err(|source| Error::Bind { address, source })
    }

    /// Returns the address with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Hands out the socket, for other protocols than gRPC.
    pub(crate) fn into_socket(self) -> tokio::net::TcpListener {
        self.socket
    }
}

/// The gRPC services of a process.
#[derive(Debug, Default, Clone)]
pub struct Services {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
}

impl Services {
    /// Starts empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a generated server.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "a service is no summand, and `+` would hide what is done")]
    pub fn add<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + NamedService,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        self.routes.add_service(service);
        self.names.push(S::NAME);
        self
    }

    /// Returns the services behind one door, for calls within the process.
    pub(crate) fn into_routes(self) -> Routes {
        self.routes.routes()
    }

    /// Returns the full names of the services, in the order of their addition.
    pub fn names(&self) -> &[&'static str] {
        &self.names
    }
}

/// How a server behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bounds of calls.
    pub limits: EdgeLimits,
    /// Bounds of connections.
    pub connections: ConnectionLimits,
    /// What callers are asked for.
    pub auth: Arc<Auth>,
    /// How connections are secured; `None` leaves them open.
    pub tls: Option<Arc<Tls>>,
    /// Which browsers are served; `None` serves none.
    pub web: Option<Web>,
    /// Which refused requests are recorded.
    pub refusals: Refusals,
    /// How often the store is asked whether it works.
    pub check_every: Duration,
    /// How long the store may take to answer that.
    pub check_timeout: Duration,
    /// How long a stopping server says that it is not ready before it refuses connections, so that load balancers
    /// notice.
    pub announce_stop: Duration,
    /// How long a stopping server waits for workers and for calls, each.
    pub grace: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: EdgeLimits::default(),
            connections: ConnectionLimits::default(),
            auth: Arc::default(),
            tls: None,
            web: None,
            refusals: Refusals::default(),
            check_every: Duration::from_secs(5),
            check_timeout: Duration::from_secs(2),
            announce_stop: Duration::ZERO,
            grace: Duration::from_secs(20),
        }
    }
}

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Whether the workers handed back what they held in time.
    pub workers: bool,
    /// Whether every call was answered in time.
    pub calls: bool,
}

/// A server at work.
pub struct Server {
    address: SocketAddr,
    options: Options,
    readiness: Readiness,
    closing: CancellationToken,
    at_work: AtWork,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
    following: JoinHandle<()>,
    tasks: TaskTracker,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .field("ready", &self.is_ready())
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Serves `services` with health and reflection; returns after the store was asked for the first time.
    ///
    /// A store that does not work is no error: the server answers, and says that it is not ready until it does.
    ///
    /// # Errors
    /// [`Error::Reflection`].
    pub async fn start(
        listener: Listener,
        services: Services,
        store: Arc<dyn Health>,
        options: Options,
    ) -> Result<Self, Error> {
        let closing = CancellationToken::new();
        let (reporter, health) = tonic_health::server::health_reporter();
        let readiness = Readiness::new(reporter, services.names.clone());
        readiness.follow_once(store.as_ref(), options.check_timeout).await;
        let routes = with_reflection(services, health)?;
        let concerns = layers::concerns(&options.limits, Arc::clone(&options.auth), closing.clone());
        let at_work = AtWork::default();
        let edge = at_work.clone().then(options.refusals.clone()).then(concerns).then(Named);
        let bounded = options.connections.builder(options.limits.header_bytes);
        let router = bounded
            .accept_http1(options.web.is_some())
            .layer(web::cors(options.web.as_ref()))
            .layer(web::grpc_web(options.web.as_ref()))
            .layer(AroundLayer::new(edge))
            .add_routes(routes);
        let closed = closing.clone().cancelled_owned();
        let tasks = TaskTracker::new();
        let (tls, limits) = (options.tls.clone(), &options.connections);
        let incoming = accept::accept(listener.socket, tls, limits, closing.clone(), &tasks);
        let serving = tasks.spawn(router.serve_with_incoming_shutdown(incoming, closed));
        let following = tasks.spawn(readiness.clone().follow(store, options.check_every, options.check_timeout));
        Ok(Self { address: listener.address, options, readiness, closing, at_work, serving, following, tasks })
    }

    /// Returns the address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns whether it says that it is ready.
    pub fn is_ready(&self) -> bool {
        self.readiness.is_ready()
    }

    /// Stops in this order: not ready, workers stop claiming, waiting calls are let go and calls at work end.
    ///
    /// - `stop_claiming`: ends when the workers have handed back their leases.
    /// - What is not done within the grace is left behind: operations go on elsewhere when their leases run out.
    /// - A client that does not read that it was let go is not waited for when nothing else is left.
    ///
    /// Telemetry is flushed by the caller afterwards, so that the last lines are in it.
    pub async fn shutdown(self, stop_claiming: impl Future<Output = ()>) -> Drained {
        self.following.abort();
        // An aborted task may be in the middle of a report; it must not say "ready" after us.
        let _ = self.following.await;
        self.readiness.report(false).await;
        if !self.options.announce_stop.is_zero() {
            tokio::time::sleep(self.options.announce_stop).await;
        }
        let workers = tokio::time::timeout(self.options.grace, stop_claiming).await.is_ok();
        self.closing.cancel();
        let mut serving = self.serving;
        let only_silence_is_left = async {
            self.at_work.none_left().await;
            tokio::time::sleep(LAST_WORDS).await;
        };
        let calls = tokio::select! {
            ended = tokio::time::timeout(self.options.grace, &mut serving) => ended.is_ok(),
            () = only_silence_is_left => false,
        };
        serving.abort();
        self.tasks.close();
        self.tasks.wait().await;
        Drained { workers, calls }
    }
}

fn with_reflection(services: Services, health: impl HealthService) -> Result<Routes, Error> {
    let Services { mut routes, names } = services;
    let builder = || {
        let base = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(sampan_proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
        // Only what is served here is listed, whatever the descriptors hold.
        names.iter().chain(&["grpc.health.v1.Health"]).fold(base, |builder, name| builder.with_service_name(*name))
    };
    routes.add_service(builder().build_v1()?);
    routes.add_service(builder().build_v1alpha()?);
    routes.add_service(health);
    Ok(routes.routes())
}

trait HealthService:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send + 'static>
    + NamedService
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> HealthService for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send + 'static>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static
{
}
