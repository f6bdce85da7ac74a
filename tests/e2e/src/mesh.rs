//! The four roles in several processes each, behind a proxy that is told which of them are ready: as an orchestrator
//! runs them, with its probes, its signals and its order of a restart.

use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::api::Api;
use crate::ground::Ground;
use crate::proxy::Proxy;
use crate::redis::Redis;
use crate::server::Server;
use crate::world::Setup;

/// The roles, those that are asked before those that ask.
pub const ROLES: [&str; 4] = ["billing", "share", "copy", "export"];
/// Processes of each role.
pub const REPLICAS: usize = 3;
/// Places of each role: one is left for the replica that is to follow another.
const PLACES: usize = REPLICAS + 1;
/// Time between two probes, and of one.
const PROBE: Duration = Duration::from_millis(100);
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// Everything that runs.
#[derive(Debug)]
pub struct Mesh {
    // The replicas go first: they must not see the others vanish.
    replicas: Mutex<BTreeMap<(&'static str, usize), Replica>>,
    proxy: Arc<Proxy>,
    redis: Redis,
    /// The clouds, and the files.
    pub ground: Ground,
}

/// One process, and what looks after it.
#[derive(Debug)]
struct Replica {
    server: Option<Server>,
    /// Ends with the value.
    _probe: JoinSet<()>,
}

impl Mesh {
    /// Starts everything, with [`REPLICAS`] processes of each role; `None` when there is no Redis or no proxy.
    ///
    /// - `quiet`: as in [`Proxy::start`].
    pub async fn start(setup: &Setup, quiet: Option<Duration>) -> Option<Self> {
        let redis = Redis::start().await?;
        let proxy = Arc::new(Proxy::start(&ROLES, PLACES, quiet).await?);
        let mesh = Self { replicas: Mutex::default(), proxy, redis, ground: Ground::new(setup).await };
        let places = ROLES.iter().flat_map(|role| (0..REPLICAS).map(move |place| (*role, place)));
        join_all(places.map(|(role, place)| mesh.bring(role, place))).await;
        Some(mesh)
    }

    /// Returns the URL of the proxy.
    pub fn url(&self) -> String {
        self.proxy.url()
    }

    /// Returns fresh clients behind the proxy.
    pub fn api(&self) -> Api {
        Api::at(&self.url())
    }

    /// Restarts every replica of a role, one after the other: the next one is there and ready before the last one is
    /// left out and told to stop. Returns how those ended.
    pub async fn roll(&self, role: &'static str) -> Vec<ExitStatus> {
        let mut ended = Vec::new();
        for place in 0..REPLICAS {
            // The place that is free moves along.
            let free = (place + REPLICAS) % PLACES;
            self.bring(role, free).await;
            let mut leaving = self.replicas.lock().await.remove(&(role, place)).expect("a replica");
            let server = leaving.server.take().expect("it runs");
            drop(leaving);
            self.proxy.leave_out(role, place).await;
            ended.push(server.stop().await);
        }
        ended
    }

    /// Kills a replica at once (SIGKILL). Nobody tells the proxy but the probe.
    pub async fn kill(&self, role: &'static str, place: usize) {
        let mut replicas = self.replicas.lock().await;
        replicas.get_mut(&(role, place)).and_then(|replica| replica.server.take()).expect("it runs").kill();
    }

    /// Starts a replica in a place and returns when the proxy uses it.
    async fn bring(&self, role: &'static str, place: usize) {
        let url = [self.url()];
        let peers = ROLES.map(|peer| (peer, &url[..]));
        let files = self.ground.process(&format!("{role}-{place}"), &self.redis.store(), &peers);
        let server = Server::start_role(role, &files, "127.0.0.1:0").await;
        let address = server.url().to_owned();
        let mut health = HealthClient::new(Endpoint::from_shared(address.clone()).expect("a URL").connect_lazy());
        assert!(is_ready(&mut health).await, "{role}-{place} is not ready");
        self.proxy.admit(role, place, &address).await;
        let mut probe = JoinSet::new();
        let proxy = Arc::clone(&self.proxy);
        probe.spawn(async move {
            let mut beat = interval(PROBE);
            beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut was_ready = true;
            loop {
                beat.tick().await;
                let is_ready = is_ready(&mut health).await;
                match (was_ready, is_ready) {
                    (true, false) => proxy.leave_out(role, place).await,
                    (false, true) => proxy.admit(role, place, &address).await,
                    (true, true) | (false, false) => {}
                }
                was_ready = is_ready;
            }
        });
        self.replicas.lock().await.insert((role, place), Replica { server: Some(server), _probe: probe });
    }
}

async fn is_ready(health: &mut HealthClient<tonic::transport::Channel>) -> bool {
    let asked = timeout(PROBE_TIMEOUT, health.check(HealthCheckRequest::default())).await;
    asked.is_ok_and(|answer| answer.is_ok_and(|answer| answer.get_ref().status() == ServingStatus::Serving))
}
