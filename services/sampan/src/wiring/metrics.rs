//! Makes what is counted visible: the listener of Prometheus, and the gauges of what is in the store.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sampan_chassis::metrics::{self, LaneSample, Metrics, OperationSample, Probe, Sample, Sampler};
use sampan_chassis::server::Listener;
use sampan_core::{Lane, SharedClock};
use sampan_ops::Engine;
use sampan_ops::metrics::{lane as lane_labels, state_word};
use sampan_state::ListQuery;
use sampan_state::operation::{Operation, State};
use tokio_util::sync::CancellationToken;

use super::system::unbound;
use crate::client::Failure;
use crate::config::Config;
use crate::exit::Exit;
use crate::serve;

/// Operations of a page, and pages at most: what is beyond is not counted.
const PAGE: u32 = 200;
const PAGES: usize = 5;
/// Lanes whose quota is shown.
const LANES: usize = 64;
/// How often the store is asked for a collector, which nobody scrapes.
const LOOK_EVERY: Duration = Duration::from_secs(15);
const OPEN: [State; 3] = [State::WaitingForQuota, State::Running, State::Cancelling];

/// Sets metrics up for the process.
///
/// # Errors
/// [`Failure`] when the collector's address cannot be used.
pub fn open_metrics(config: &Config) -> Result<Option<Metrics>, Failure> {
    let options = metrics::Options {
        scraped: config.metrics.listen.is_some(),
        otlp_endpoint: config.telemetry.otlp_endpoint.clone(),
        service_name: serve::service_name(config),
    };
    let opened = metrics::init(&options).map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    if opened.is_some() {
        sampan_cloud::stack::metrics::begin();
        sampan_ops::metrics::begin();
    }
    Ok(opened)
}

/// Binds the listener for scrapes; `None` when none is configured.
///
/// # Errors
/// [`Failure`] when the address is none, is taken, or is open to others without leave.
pub fn bind_scrapes(config: &Config) -> Result<Option<Listener>, Failure> {
    let Some(listen) = &config.metrics.listen else { return Ok(None) };
    let address: SocketAddr = listen.parse().map_err(|_| {
        Failure::new(Exit::Usage, format!("`{listen}` is no address to listen on"))
            .advice("use the form 127.0.0.1:9464 for metrics.listen")
    })?;
    let bound = Listener::bind(address, config.metrics.insecure);
    bound
        .map(Some)
        .map_err(|error| unbound(&error, "choose another address with metrics.listen, or set metrics.insecure"))
}

/// Returns the gauges of the store.
pub fn sampler(engine: &Engine, clock: &SharedClock) -> Arc<Sampler> {
    let (engine, clock) = (engine.clone(), clock.clone());
    Arc::new(Sampler::new(Arc::new(StoreProbe { engine, clock, lanes: Mutex::default() })))
}

/// Keeps the gauges fresh until `stop`, for what is sent and not scraped.
pub async fn keep_fresh(sampler: Arc<Sampler>, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
        sampler.refresh().await;
    }
}

#[derive(Debug)]
struct StoreProbe {
    engine: Engine,
    clock: SharedClock,
    /// Lanes that had an open operation at some time: their quota is shown on.
    lanes: Mutex<BTreeSet<Lane>>,
}

#[async_trait]
impl Probe for StoreProbe {
    async fn sample(&self) -> Option<Sample> {
        let operations = self.open_operations().await?;
        let lanes: Vec<Lane> = {
            let mut known = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
            for operation in &operations {
                if known.len() < LANES {
                    known.insert(operation.lane.clone());
                }
            }
            known.iter().cloned().collect()
        };
        let pictures = self.engine.quotas(&lanes).await.ok()?;
        let lanes = pictures.iter().map(|picture| LaneSample {
            labels: lane_labels(&picture.lane),
            used: u64::from(picture.committed.saturating_add(picture.reserved).saturating_add(picture.spent_elsewhere)),
            limit: picture.limit.map(u64::from),
            waiting: u64::from(picture.waiting_count),
        });
        Some(Sample { lanes: lanes.collect(), operations: self.counted(&operations) })
    }
}

impl StoreProbe {
    async fn open_operations(&self) -> Option<Vec<Operation>> {
        let mut found = Vec::new();
        let mut before = None;
        for _ in 0..PAGES {
            let query = ListQuery { states: OPEN.to_vec(), page_size: PAGE, before, ..ListQuery::default() };
            let page = self.engine.list(&query).await.ok()?;
            before = page.operations.last().map(|operation| operation.id);
            found.extend(page.operations);
            if !page.more {
                break;
            }
        }
        Some(found)
    }

    /// Every kind and open state has its number, 0 too: an alert cannot tell "none" from "not told".
    fn counted(&self, operations: &[Operation]) -> Vec<OperationSample> {
        let now = self.clock.now();
        let mut counts: BTreeMap<(String, &str), OperationSample> = BTreeMap::new();
        let kinds = self.engine.kinds();
        let all = kinds.into_iter().chain(operations.iter().map(|operation| operation.kind.clone()));
        for (kind, state) in all.flat_map(|kind| OPEN.map(|state| (kind.clone(), state_word(state)))) {
            let none = OperationSample { kind: kind.clone(), state, count: 0, oldest_seconds: 0.0, stalled: 0 };
            counts.entry((kind, state)).or_insert(none);
        }
        for operation in operations {
            if let Some(one) = counts.get_mut(&(operation.kind.clone(), state_word(operation.state))) {
                one.count += 1;
                one.stalled += u64::from(operation.stalled_since.is_some());
                one.oldest_seconds = one.oldest_seconds.max(age(operation.created, now));
            }
        }
        counts.into_values().collect()
    }
}

fn age(created: Timestamp, now: Timestamp) -> f64 {
    now.duration_since(created).max(SignedDuration::ZERO).as_secs_f64()
}
