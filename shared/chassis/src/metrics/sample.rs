//! Gauges of what is in the store: operations by kind and state, their age, waiting lists and quotas.
//!
//! The store is asked when somebody looks, at most once in a while, and with a bound on time: however often Prometheus
//! scrapes, and however slow the store is, the one cannot hurt the other.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::{KeyValue, global};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How old an answer of the store may be.
const FRESH: Duration = Duration::from_secs(10);
/// How long the store may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Open operations of one kind and state.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationSample {
    /// Kind.
    pub kind: String,
    /// State, in the words of labels.
    pub state: &'static str,
    /// How many there are.
    pub count: u64,
    /// Age of the oldest; 0 without one.
    pub oldest_seconds: f64,
    /// How many of them are stalled.
    pub stalled: u64,
}

/// One lane.
#[derive(Debug, Clone, PartialEq)]
pub struct LaneSample {
    /// Cloud, account and region.
    pub labels: [KeyValue; 3],
    /// Units used or held today.
    pub used: u64,
    /// Units per day; `None` when nothing is limited.
    pub limit: Option<u64>,
    /// Operations that wait for a unit.
    pub waiting: u64,
}

/// What the gauges show.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// Operations.
    pub operations: Vec<OperationSample>,
    /// Lanes.
    pub lanes: Vec<LaneSample>,
}

/// Asks the store.
#[async_trait]
pub trait Probe: Send + Sync + fmt::Debug {
    /// Returns what is in the store now, with a bounded number of calls; `None` when it does not say.
    async fn sample(&self) -> Option<Sample>;
}

/// Keeps the last answer of the store.
#[derive(Debug)]
pub struct Sampler {
    probe: Arc<dyn Probe>,
    last: Arc<RwLock<Sample>>,
    /// When the store was asked last. One at a time asks.
    asked: Mutex<Option<Instant>>,
}

impl Sampler {
    /// Shows what `probe` says.
    pub fn new(probe: Arc<dyn Probe>) -> Self {
        let last = Arc::<RwLock<Sample>>::default();
        register(&last);
        Self { probe, last, asked: Mutex::new(None) }
    }

    /// Asks the store, unless its last answer is fresh. What it does not answer in time stays as it was.
    pub async fn refresh(&self) {
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|asked| asked.elapsed() < FRESH) {
            return;
        }
        *asked = Some(Instant::now());
        if let Ok(Some(sample)) = tokio::time::timeout(PATIENCE, self.probe.sample()).await {
            *self.last.write().unwrap_or_else(PoisonError::into_inner) = sample;
        }
    }
}

/// A value and its labels.
type Point = (f64, Vec<KeyValue>);

fn register(last: &Arc<RwLock<Sample>>) {
    let gauge = |name: &'static str, words: &'static str, read: fn(&Sample) -> Vec<Point>| {
        let last = Arc::clone(last);
        let unit = if name.ends_with("age") { "s" } else { "" };
        global::meter("sampan")
            .f64_observable_gauge(name)
            .with_description(words)
            .with_unit(unit)
            .with_callback(move |observer| {
                let last = last.read().unwrap_or_else(PoisonError::into_inner);
                read(&last).into_iter().for_each(|(value, labels)| observer.observe(value, &labels));
            })
            .build();
    };
    gauge("sampan.operations", "Operations that have not ended.", |sample| {
        of_operations(sample, |one| float(one.count))
    });
    gauge("sampan.operations.oldest.age", "Age of the oldest operation that has not ended.", |sample| {
        of_operations(sample, |one| one.oldest_seconds)
    });
    gauge("sampan.operations.stalled", "Operations that make no progress.", |sample| {
        of_operations(sample, |one| float(one.stalled))
    });
    gauge("sampan.queue.length", "Operations that wait for a unit of quota.", |sample| {
        of_lanes(sample, |lane| Some(float(lane.waiting)))
    });
    gauge("sampan.quota.used", "Units of today that are used or held.", |sample| {
        of_lanes(sample, |lane| Some(float(lane.used)))
    });
    gauge("sampan.quota.limit", "Units of a day.", |sample| of_lanes(sample, |lane| lane.limit.map(float)));
}

fn of_operations(sample: &Sample, value: impl Fn(&OperationSample) -> f64) -> Vec<Point> {
    let labels =
        |one: &OperationSample| vec![KeyValue::new("kind", one.kind.clone()), KeyValue::new("state", one.state)];
    sample.operations.iter().map(|one| (value(one), labels(one))).collect()
}

fn of_lanes(sample: &Sample, value: impl Fn(&LaneSample) -> Option<f64>) -> Vec<Point> {
    sample.lanes.iter().filter_map(|lane| Some((value(lane)?, lane.labels.to_vec()))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of operations are far below 2^52")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[derive(Debug, Default)]
    struct Slow(AtomicU32);

    #[async_trait]
    impl Probe for Slow {
        async fn sample(&self) -> Option<Sample> {
            if self.0.fetch_add(1, Ordering::SeqCst) > 0 {
                std::future::pending::<()>().await;
            }
            let lane = [("cloud", "tencent"), ("account", "a"), ("region", "r")];
            let labels = lane.map(|(key, value)| KeyValue::new(key, value));
            let lanes = vec![LaneSample { labels, used: 2, limit: Some(5), waiting: 1 }];
            Some(Sample { operations: Vec::new(), lanes })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn however_often_one_looks_the_store_is_asked_once_in_a_while_and_an_old_answer_outlives_a_slow_store() {
        let probe = Arc::new(Slow::default());
        let sampler = Sampler::new(Arc::<Slow>::clone(&probe) as Arc<dyn Probe>);
        for _ in 0..100 {
            sampler.refresh().await;
        }
        assert_eq!(probe.0.load(Ordering::SeqCst), 1);
        tokio::time::advance(FRESH).await;
        let began = Instant::now();
        sampler.refresh().await;
        assert_eq!((probe.0.load(Ordering::SeqCst), began.elapsed()), (2, PATIENCE));
        assert_eq!(sampler.last.read().unwrap().lanes.len(), 1);
    }
}
