//! One process of Sampan: store, engine, runner, services and listener, started and stopped in order.

use std::error::Error as _;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sampan_chassis::audit::{Places, Refusals};
use sampan_chassis::layers::{Deadlines, EdgeLimits, InFlightLimits};
use sampan_chassis::metrics::{Metrics, Scrapes, watch_audit};
use sampan_chassis::operation_service::{OperationApi, Retry};
use sampan_chassis::peer::LocalPeers;
use sampan_chassis::quota_service::{LaneRules as EdgeRules, QuotaApi};
use sampan_chassis::server::web::Web;
use sampan_chassis::server::{self, ConnectionLimits, Listener, Server, Services};
use sampan_chassis::status::Problem;
use sampan_cloud::Accounts;
use sampan_cloud::audit::AuditLog;
use sampan_cloud::stack::Transport;
use sampan_core::limits::Limits;
use sampan_core::quota_day::QuotaRule;
use sampan_core::{Lane, OperationId, Reason, SharedClock};
use sampan_ops::{Engine, Error, Policy, Runner, RunnerOptions, Saga};
use sampan_state::SharedStore;
use sampan_state::operation::Operation;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::roles::{self, Ground, Role};
use super::{
    Guard, bind_scrapes, keep_fresh, open_accounts, open_audit, open_guard, open_peers, open_store, reopen_on_hangup,
    room_for, sampler,
};
use crate::client::Failure;
use crate::config::{Config, ServerConfig};
use crate::exit::Exit;

/// What a system is made of besides its configuration.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The clock of store, signatures and ids.
    pub clock: SharedClock,
    /// What is counted; `None` when nothing is.
    pub metrics: Option<Metrics>,
}

/// A process of Sampan at work.
pub struct System {
    server: Server,
    is_secured: bool,
    roles: Vec<&'static str>,
    stop_runner: CancellationToken,
    tasks: TaskTracker,
    local: LocalPeers,
    audit: Option<Arc<Places>>,
    metrics_address: Option<SocketAddr>,
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("System").field("server", &self.server).finish_non_exhaustive()
    }
}

impl System {
    /// Starts: binds the port, opens the store, then serves and works. Only the chosen roles are made.
    ///
    /// # Errors
    /// [`Failure`] that says which part could not start and what to do.
    pub async fn start(config: &Config, parts: &Parts) -> Result<Self, Failure> {
        let roles = roles::chosen(&config.server.roles)?;
        let guard = open_guard(config, &parts.clock).await?;
        let listener = bind(config, &guard)?;
        let scrapes = bind_scrapes(config)?;
        let limits = Limits::load(&config.limits).map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
        let audit = open_audit(config)?;
        let log = audit.clone().map(|places| places as Arc<dyn AuditLog>);
        let accounts = open_accounts(config, &parts.clock, &Transport::new(), log.clone())?;
        let peers = open_peers(&config.peers)?;
        let store = open_store(&config.store, parts.clock.clone()).await?;
        let (clock, limits) = (parts.clock.clone(), Arc::new(limits));
        let ground = Ground { config, clock, accounts, limits, peers, store: Arc::clone(&store) };
        let engine = engine(&ground, &roles)?;
        let mut services = common_services(&ground, &engine);
        for role in &roles {
            services = role.serve(&ground, &engine, services)?;
        }
        let mut options = server_options(config, &guard)?;
        options.refusals = log.map(|log| Refusals::new(log, parts.clock.clone())).unwrap_or_default();
        let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
        let local = ground.peers.serve_locally(names.clone(), &services, &options.limits);
        let server = Server::start(listener, services, as_health(&store), options)
            .await
            .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
        let stop_runner = CancellationToken::new();
        let tasks = TaskTracker::new();
        let for_gauges = engine.clone();
        let runner = Runner::new(engine, runner_options(config));
        let stop = stop_runner.clone();
        tasks.spawn(async move { runner.run(stop).await });
        tasks.spawn(guard.clone().follow(stop_runner.clone()));
        let metrics_address = scrapes.as_ref().map(Listener::address);
        if let Some(metrics) = parts.metrics.clone() {
            let sampler = sampler(&for_gauges, &parts.clock);
            tasks.spawn(keep_fresh(Arc::clone(&sampler), stop_runner.clone()));
            if let Some(listener) = scrapes {
                tasks.spawn(Scrapes { metrics, sampler }.serve(listener, stop_runner.clone()));
            }
        }
        if let Some(places) = audit.clone() {
            watch_audit(&places);
            tasks.spawn(reopen_on_hangup(places, stop_runner.clone()));
        }
        tasks.close();
        Ok(Self {
            audit,
            metrics_address,
            server,
            is_secured: guard.tls.is_some(),
            roles: names,
            stop_runner,
            tasks,
            local,
        })
    }

    /// Returns the address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Returns the address that Prometheus scrapes.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Returns the URL that clients use.
    pub fn url(&self) -> String {
        let scheme = if self.is_secured { "https" } else { "http" };
        format!("{scheme}://{}", self.address())
    }

    /// Returns the roles that it has.
    pub fn roles(&self) -> &[&'static str] {
        &self.roles
    }

    /// Stops as [`System::drain`] does, and returns when every record is kept.
    pub async fn shutdown(self) {
        if let Some(records) = self.drain().await {
            records.flush().await;
        }
    }

    /// Stops in order: not ready, no new claims, leases handed back, calls drained. Returns the places of the audit
    /// records, which may still hold some to be flushed.
    pub async fn drain(self) -> Option<Arc<Places>> {
        let Self { server, is_secured: _, roles: _, stop_runner, tasks, local, audit, metrics_address: _ } = self;
        stop_runner.cancel();
        server.shutdown(async move { tasks.wait().await }).await;
        // Last, because steps and calls that came to their end may have asked a peer.
        drop(local);
        audit
    }
}

fn bind(config: &Config, guard: &Guard) -> Result<Listener, Failure> {
    let address: SocketAddr = config.server.listen.parse().map_err(|_| {
        Failure::new(Exit::Usage, format!("`{}` is no address to listen on", config.server.listen))
            .advice("use the form 127.0.0.1:7500")
    })?;
    Listener::bind(address, config.server.insecure || guard.tls.is_some())
        .map_err(|error| unbound(&error, "choose another address with --listen; port 0 takes a free one"))
}

/// Says why nothing can listen.
pub(super) fn unbound(error: &server::Error, advice: &str) -> Failure {
    let cause = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
    Failure::new(Exit::Unavailable, format!("{error}{cause}")).advice(advice)
}

fn engine(ground: &Ground<'_>, roles: &[&dyn Role]) -> Result<Engine, Failure> {
    let mut sagas: Vec<Arc<dyn Saga>> = Vec::new();
    for role in roles {
        sagas.extend(role.sagas(ground)?);
    }
    Ok(Engine::new(Arc::clone(&ground.store), ground.clock.clone(), ground.lane_rules(), sagas))
}

fn runner_options(config: &Config) -> RunnerOptions {
    let lease = Duration::from_secs(config.operations.lease_seconds.max(1));
    RunnerOptions {
        concurrency: config.operations.concurrency,
        work_ttl: lease,
        lane_ttl: lease,
        policy: Policy::at_scale(config.operations.poll_scale),
        grace: Duration::from_secs(config.server.grace_seconds),
        ..RunnerOptions::default()
    }
}

fn server_options(config: &Config, guard: &Guard) -> Result<server::Options, Failure> {
    let web = config.web.grpc_web.then(|| Web::new(&config.web.origins)).transpose();
    let web = web.map_err(|error| Failure::new(Exit::Usage, error.to_string()).advice("correct web.origins"))?;
    Ok(server::Options {
        grace: Duration::from_secs(config.server.grace_seconds),
        auth: Arc::clone(&guard.auth),
        tls: guard.tls.clone(),
        web,
        limits: edge_limits(&config.server),
        connections: connection_limits(&config.server),
        ..server::Options::default()
    })
}

fn edge_limits(server: &ServerConfig) -> EdgeLimits {
    EdgeLimits {
        deadlines: Deadlines {
            default: Duration::from_secs(server.default_deadline_seconds),
            maximum: Duration::from_secs(server.max_deadline_seconds),
            waiting: Duration::from_secs(server.max_waiting_seconds),
        },
        in_flight: InFlightLimits { short: server.max_in_flight, waiting: server.max_waiting },
        per_caller: InFlightLimits { short: server.max_in_flight_per_caller, waiting: server.max_waiting_per_caller },
        header_bytes: server.max_header_bytes,
    }
}

fn connection_limits(server: &ServerConfig) -> ConnectionLimits {
    ConnectionLimits {
        at_once: room_for(server.max_connections),
        streams: server.max_streams_per_connection,
        pending_resets: server.max_pending_resets,
        ping_every: Duration::from_secs(server.keepalive_seconds),
        ping_timeout: Duration::from_secs(server.keepalive_timeout_seconds),
        ..ConnectionLimits::default()
    }
}

/// The services of every role: operations and quotas are those of the store, whoever works on them.
fn common_services(ground: &Ground<'_>, engine: &Engine) -> Services {
    let store = &ground.store;
    let clock = || ground.clock.clone();
    let retry = EngineRetry { engine: engine.clone(), clock: clock() };
    let rules =
        AccountRules { engine: engine.clone(), accounts: ground.accounts.clone(), limits: Arc::clone(&ground.limits) };
    Services::new()
        .add(OperationApi::new(Arc::clone(store), clock(), Arc::new(retry)).into_server())
        .add(QuotaApi::new(Arc::clone(store), clock(), Arc::new(rules)).into_server())
}

/// Retries through the engine.
#[derive(Debug)]
struct EngineRetry {
    engine: Engine,
    clock: SharedClock,
}

#[async_trait]
impl Retry for EngineRetry {
    async fn retry(&self, id: OperationId, _caller: &str) -> Result<Operation, Problem> {
        self.engine.retry(id).await.map_err(|error| match error {
            // Any process can tell of the operation; only one that has its role can begin it again.
            Error::UnknownKind(kind) => Problem::new(
                Reason::OperationNotRetryable,
                format!("{} is of kind {kind}, which this process does not work on", id.name()),
            )
            .with("operation", id.name())
            .with("role", kind),
            error => Problem::from_engine(error, self.clock.now()),
        })
    }
}

/// Knows the rule of every lane of a configured account.
#[derive(Debug)]
struct AccountRules {
    engine: Engine,
    accounts: Accounts,
    limits: Arc<Limits>,
}

impl EdgeRules for AccountRules {
    fn rule(&self, lane: &Lane) -> Result<QuotaRule, Problem> {
        match self.accounts.get(&lane.account) {
            None => Err(Problem::field(
                Reason::AccountUnknown,
                "account",
                format!("no account `{}` is configured", lane.account),
            )),
            Some(account) if account.cloud != lane.cloud => Err(Problem::field(
                Reason::AccountOfOtherCloud,
                "account",
                format!("account `{}` belongs to {}", lane.account, account.cloud),
            )),
            Some(_) => match self.limits.cloud_of_region(lane.region.as_str()).filter(|cloud| *cloud != lane.cloud) {
                Some(other) => Err(Problem::field(
                    Reason::RegionOfOtherCloud,
                    "region",
                    format!("{} is a region of {other}", lane.region),
                )),
                None => Ok(self.engine.rule(lane)),
            },
        }
    }
}

/// The store as the readiness check sees it.
fn as_health(store: &SharedStore) -> Arc<dyn sampan_state::Health> {
    store.clone()
}
