//! Decides where logs and traces go and what they look like.
//!
//! Logs go to standard error, one event a line; standard output belongs to the commands. Traces go to an OTLP
//! endpoint when one is configured. Every line and every span passes [`redact`] on its way out. A collector that is
//! slow or away costs spans, never time: what waits for it is bounded, and what does not fit is dropped.

mod correlate;
mod export;
pub mod fields;
pub(crate) mod flush;
pub mod redact;
mod spans;

use std::io::IsTerminal as _;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry};

use correlate::Correlated;
use export::Redacted;
use redact::Redacting;
use spans::SpanFields;

/// What log lines look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people, in colour on a terminal.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// How telemetry is set up.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which events to keep: levels, and levels of targets, such as `sampan_ops=debug,info`; `None` takes `RUST_LOG`, and
    /// `info` without it.
    pub filter: Option<String>,
    /// What log lines look like.
    pub format: LogFormat,
    /// Where traces go, such as `http://127.0.0.1:4317`; `None` sends none.
    pub otlp_endpoint: Option<String>,
    /// Name of the process in traces, such as `sampan-export`; empty means `sampan`.
    pub service_name: String,
}

/// Failure to set telemetry up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The filter cannot be read.
    #[error("`{filter}` is no log filter")]
    Filter {
        /// The filter.
        filter: String,
        /// What the reader says.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// The exporter cannot be made of the endpoint.
    #[error("cannot send traces to {endpoint}")]
    Exporter {
        /// The endpoint.
        endpoint: String,
        /// What the exporter says.
        #[source]
        source: opentelemetry_otlp::ExporterBuildError,
    },
    /// Something else has set up telemetry in this process.
    #[error("telemetry is set up already")]
    SetUpAlready,
}

/// Telemetry at work; to be flushed at the end of the process.
#[derive(Debug)]
#[must_use = "without a flush the last traces are lost"]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

/// Sets up logs and traces for the whole process. Must be called within a runtime when there is an endpoint.
///
/// # Errors
/// [`Error::Filter`], [`Error::Exporter`], and [`Error::SetUpAlready`] at a second call.
pub fn init(options: &Options) -> Result<Telemetry, Error> {
    let filter = filter(options.filter.as_deref())?;
    let traces = options.otlp_endpoint.as_deref().map(|endpoint| provider(endpoint, options)).transpose()?;
    let spans = traces
        .as_ref()
        .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("sampan")).with_filter(traced()));
    let is_terminal = std::io::stderr().is_terminal();
    Registry::default()
        .with(spans)
        .with(lines(options.format, is_terminal, std::io::stderr).with_filter(filter))
        .try_init()
        .map_err(|_| Error::SetUpAlready)?;
    Ok(Telemetry { traces })
}

impl Telemetry {
    /// Sends what is still in memory and stops; waits at most five seconds.
    pub async fn flush(self) {
        let Some(provider) = self.traces else { return };
        if !flush::sent(move || provider.shutdown_with_timeout(flush::PATIENCE)).await {
            tracing::warn!("the last traces were lost");
        }
    }
}

fn filter(given: Option<&str>) -> Result<Targets, Error> {
    let words = given.map_or_else(|| std::env::var("RUST_LOG").unwrap_or_default(), str::to_owned);
    let words = if words.trim().is_empty() { "info".to_owned() } else { words };
    words.parse().map_err(|source| Error::Filter { filter: words, source })
}

/// Returns the layer that writes lines; public so that tests see what a process would write.
pub fn lines<S, W>(format: LogFormat, is_terminal: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let is_json = match format {
        LogFormat::Auto => !is_terminal,
        LogFormat::Pretty => false,
        LogFormat::Json => true,
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(Redacting::new(writer)).with_ansi(is_terminal && !is_json);
    if is_json {
        layer.json().flatten_event(true).fmt_fields(SpanFields).map_event_format(Correlated).boxed()
    } else {
        layer.boxed()
    }
}

/// Returns what becomes a trace: our own spans. The exporter speaks gRPC itself, and spans of its transport would
/// beget further ones.
fn traced() -> Targets {
    let quiet = ["h2", "hyper", "hyper_util", "tonic", "tower", "reqwest", "rustls", "opentelemetry"];
    let ours = Targets::new().with_default(LevelFilter::INFO);
    quiet.into_iter().fold(ours, |targets, target| targets.with_target(target, LevelFilter::OFF))
}

fn provider(endpoint: &str, options: &Options) -> Result<SdkTracerProvider, Error> {
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(Duration::from_secs(5))
        .build()
        .map_err(|source| Error::Exporter { endpoint: endpoint.to_owned(), source })?;
    let name = if options.service_name.is_empty() { "sampan" } else { &options.service_name };
    let resource = Resource::builder().with_service_name(name.to_owned()).build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(Redacted(exporter)).with_resource(resource).build())
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn spans_of_the_transport_are_no_traces() {
        let traced = traced();
        assert!(traced.would_enable("sampan_ops::drive", &Level::INFO));
        for transport in ["h2::client", "hyper_util::client", "tonic::transport", "opentelemetry_sdk"] {
            assert!(!traced.would_enable(transport, &Level::ERROR), "{transport}");
        }
    }
}
