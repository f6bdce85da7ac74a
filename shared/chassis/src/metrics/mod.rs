//! Numbers about the process, for Prometheus and for a collector: one set of instruments for both.
//!
//! | part | decides | file |
//! |---|---|---|
//! | edge | what is counted of calls, of the store's health and of audit records | `edge.rs` |
//! | sample | how often the store is asked what the gauges show | `sample.rs` |
//! | scrape | the listener of Prometheus | `scrape.rs` |
//!
//! Labels are methods, kinds, states, lanes and actions: never operations, callers or what a caller can choose.

pub(crate) mod edge;
pub mod sample;
pub mod scrape;

use std::time::Duration;

use opentelemetry::global;
use opentelemetry_otlp::{ExporterBuildError, MetricExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use prometheus::{Encoder as _, Registry, TextEncoder};

use crate::telemetry::flush;

pub use edge::watch_audit;
pub use sample::{LaneSample, OperationSample, Probe, Sample, Sampler};
pub use scrape::Scrapes;

/// How often numbers are sent to a collector.
const SEND_EVERY: Duration = Duration::from_secs(15);

/// Where numbers go.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether they can be scraped.
    pub scraped: bool,
    /// Collector that they are sent to, such as `http://127.0.0.1:4317`.
    pub otlp_endpoint: Option<String>,
    /// Name of the process.
    pub service_name: String,
}

/// Failure to set metrics up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The exporter cannot be made of the endpoint.
    #[error("cannot send metrics to {endpoint}")]
    Exporter {
        /// The endpoint.
        endpoint: String,
        /// What the exporter says.
        #[source]
        source: ExporterBuildError,
    },
    /// The registry refuses the exporter.
    #[error("cannot offer metrics: {0}")]
    Registry(String),
}

/// Metrics at work. Clones share everything.
#[derive(Debug, Clone)]
pub struct Metrics {
    provider: SdkMeterProvider,
    registry: Registry,
}

/// Sets metrics up for the whole process; `None` when they go nowhere, and then nothing is counted. Must be called
/// within a runtime, and before anything is counted.
///
/// # Errors
/// [`Error`].
pub fn init(options: &Options) -> Result<Option<Metrics>, Error> {
    if !options.scraped && options.otlp_endpoint.is_none() {
        return Ok(None);
    }
    let registry = Registry::new();
    let resource = Resource::builder().with_service_name(options.service_name.clone()).build();
    let mut builder = SdkMeterProvider::builder().with_resource(resource);
    if options.scraped {
        let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone()).scope_info_enabled(false);
        builder = builder.with_reader(exporter.build().map_err(|error| Error::Registry(error.to_string()))?);
    }
    if let Some(endpoint) = &options.otlp_endpoint {
        let exporter = MetricExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .with_timeout(Duration::from_secs(5))
            .build()
            .map_err(|source| Error::Exporter { endpoint: endpoint.clone(), source })?;
        builder = builder.with_reader(PeriodicReader::builder(exporter).with_interval(SEND_EVERY).build());
    }
    let provider = builder.build();
    global::set_meter_provider(provider.clone());
    edge::begin();
    Ok(Some(Metrics { provider, registry }))
}

impl Metrics {
    /// Returns every number in the text format of Prometheus.
    ///
    /// # Errors
    /// What the encoder says.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Sends what is still in memory and stops; waits at most five seconds.
    pub async fn flush(self) {
        if !flush::sent(move || self.provider.shutdown_with_timeout(flush::PATIENCE)).await {
            tracing::warn!("the last metrics were lost");
        }
    }
}
