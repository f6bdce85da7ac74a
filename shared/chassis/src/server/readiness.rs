//! Tells grpc.health.v1 whether the store works: a service without its store is not ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sampan_state::Health;
use tokio::time::Instant;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::metrics::edge as metrics;

/// Name under which health says that the process runs at all. It stays so while only the store is down: a restart
/// would mend nothing.
const LIVENESS: &str = "sampan.liveness";

/// Tells grpc.health.v1 what the store says.
#[derive(Clone)]
pub(super) struct Readiness {
    reporter: HealthReporter,
    names: Vec<&'static str>,
    is_ready: Arc<AtomicBool>,
}

impl Readiness {
    /// Starts not ready.
    pub(super) fn new(reporter: HealthReporter, names: Vec<&'static str>) -> Self {
        Self { reporter, names, is_ready: Arc::default() }
    }

    /// Returns what was told last.
    pub(super) fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::SeqCst)
    }

    /// Asks the store again and again.
    pub(super) async fn follow(self, store: Arc<dyn Health>, every: Duration, timeout: Duration) {
        loop {
            tokio::time::sleep(every).await;
            self.follow_once(store.as_ref(), timeout).await;
        }
    }

    /// Asks the store once and tells what it says.
    pub(super) async fn follow_once(&self, store: &dyn Health, timeout: Duration) {
        let was_ready = self.is_ready();
        let asked = Instant::now();
        let is_ready = match tokio::time::timeout(timeout, store.check()).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(%error, "store does not work");
                false
            }
            Err(_) => {
                tracing::warn!(timeout_ms = timeout.as_millis(), "store does not answer");
                false
            }
        };
        metrics::checked(is_ready, asked.elapsed());
        if is_ready && !was_ready {
            tracing::info!("ready");
        }
        self.report(is_ready).await;
    }

    /// Tells health, of every service and of the whole.
    pub(super) async fn report(&self, is_ready: bool) {
        let status = if is_ready { ServingStatus::Serving } else { ServingStatus::NotServing };
        for name in self.names.iter().chain(&[""]) {
            self.reporter.set_service_status(*name, status).await;
        }
        self.reporter.set_service_status(LIVENESS, ServingStatus::Serving).await;
        self.is_ready.store(is_ready, Ordering::SeqCst);
    }
}
