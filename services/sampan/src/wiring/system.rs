//! One process of Sampan: store, engine, runner, services and listener, started and stopped in order.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sampan_billing_service::{Billing, PriceBook, Service as BillingService};
use sampan_chassis::operation_service::{OperationApi, Retry};
use sampan_chassis::quota_service::{LaneRules as EdgeRules, QuotaApi};
use sampan_chassis::server::{self, Listener, MAX_MESSAGE_BYTES, Server, Services};
use sampan_chassis::status::Problem;
use sampan_cloud::Accounts;
use sampan_cloud::stack::Transport;
use sampan_core::limits::Limits;
use sampan_core::quota_day::QuotaRule;
use sampan_core::{Lane, OperationId, Reason, SharedClock};
use sampan_export_service::{ExportSaga, Service as ExportService};
use sampan_ops::{Engine, LaneRules, Policy, Runner, RunnerOptions, Saga};
use sampan_proto::export::v1::export_service_server::ExportServiceServer;
use sampan_state::SharedStore;
use sampan_state::operation::Operation;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{open_accounts, open_store};
use crate::client::Failure;
use crate::config::Config;
use crate::exit::Exit;

/// What a system is made of besides its configuration.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The clock of store, signatures and ids.
    pub clock: SharedClock,
}

/// A process of Sampan at work.
pub struct System {
    server: Server,
    stop_runner: CancellationToken,
    tasks: TaskTracker,
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("System").field("server", &self.server).finish_non_exhaustive()
    }
}

/// The roles that this version has.
const ROLES: [&str; 2] = ["export", "billing"];

impl System {
    /// Starts: binds the port, opens the store, then serves and works.
    ///
    /// # Errors
    /// [`Failure`] that says which part could not start and what to do.
    pub async fn start(config: &Config, parts: &Parts) -> Result<Self, Failure> {
        check_roles(&config.server.roles)?;
        let listener = bind(config)?;
        let limits = Limits::load(&config.limits).map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
        let limits = Arc::new(limits);
        let transport = Transport::new();
        let accounts = open_accounts(config, &parts.clock, &transport)?;
        let store = open_store(&config.store, parts.clock.clone()).await?;
        let engine = engine(config, parts, &store, &accounts, &limits);
        let stop_runner = CancellationToken::new();
        let tasks = TaskTracker::new();
        let runner = Runner::new(engine.clone(), runner_options(config));
        let stop = stop_runner.clone();
        tasks.spawn(async move { runner.run(stop).await });
        tasks.close();
        let services = services(parts, &store, &engine, &accounts, &limits).add(billing(parts)?.into_server());
        let server = Server::start(listener, services, as_health(&store), server_options(config))
            .await
            .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
        Ok(Self { server, stop_runner, tasks })
    }

    /// Returns the address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Stops in order: not ready, no new claims, leases handed back, calls drained.
    pub async fn shutdown(self) {
        let Self { server, stop_runner, tasks } = self;
        stop_runner.cancel();
        server.shutdown(async move { tasks.wait().await }).await;
    }
}

fn check_roles(roles: &[String]) -> Result<(), Failure> {
    let unknown = roles.iter().find(|role| !ROLES.contains(&role.as_str()));
    unknown.map_or(Ok(()), |role| {
        let known = ROLES.join(", ");
        Err(Failure::new(Exit::Usage, format!("`{role}` is no role"))
            .advice(format!("the roles of this version: {known}")))
    })
}

fn bind(config: &Config) -> Result<Listener, Failure> {
    let address: SocketAddr = config.server.listen.parse().map_err(|_| {
        Failure::new(Exit::Usage, format!("`{}` is no address to listen on", config.server.listen))
            .advice("use the form 127.0.0.1:7500")
    })?;
    Listener::bind(address, config.server.insecure).map_err(|error| Failure::new(Exit::Unavailable, error.to_string()))
}

fn engine(config: &Config, parts: &Parts, store: &SharedStore, accounts: &Accounts, limits: &Arc<Limits>) -> Engine {
    let rules = LaneRules::new(Arc::clone(limits)).with_utc_offset_minutes(config.operations.quota_day_offset_minutes);
    let export: Arc<dyn Saga> = Arc::new(ExportSaga::new(accounts.clone(), Arc::clone(limits)));
    Engine::new(Arc::clone(store), parts.clock.clone(), rules, vec![export])
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

fn server_options(config: &Config) -> server::Options {
    let mut options =
        server::Options { grace: Duration::from_secs(config.server.grace_seconds), ..server::Options::default() };
    options.limits.in_flight.short = config.server.max_in_flight;
    options
}

fn services(
    parts: &Parts,
    store: &SharedStore,
    engine: &Engine,
    accounts: &Accounts,
    limits: &Arc<Limits>,
) -> Services {
    let export = ExportService::new(engine.clone(), accounts.clone(), Arc::clone(limits), parts.clock.clone());
    let retry = EngineRetry { engine: engine.clone(), clock: parts.clock.clone() };
    let rules = AccountRules { engine: engine.clone(), accounts: accounts.clone() };
    Services::new()
        .add(ExportServiceServer::new(export).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .add(OperationApi::new(Arc::clone(store), parts.clock.clone(), Arc::new(retry)).into_server())
        .add(QuotaApi::new(Arc::clone(store), parts.clock.clone(), Arc::new(rules)).into_server())
}

fn billing(parts: &Parts) -> Result<BillingService, Failure> {
    let book = PriceBook::built_in().map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    Ok(BillingService::new(Billing::new(Arc::new(book), parts.clock.clone())))
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
        self.engine.retry(id).await.map_err(|error| Problem::from_engine(error, self.clock.now()))
    }
}

/// Knows the rule of every lane of a configured account.
#[derive(Debug)]
struct AccountRules {
    engine: Engine,
    accounts: Accounts,
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
            Some(_) => Ok(self.engine.rule(lane)),
        }
    }
}

/// The store as the readiness check sees it.
fn as_health(store: &SharedStore) -> Arc<dyn sampan_state::Health> {
    store.clone()
}
