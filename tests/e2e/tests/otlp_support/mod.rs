//! A collector that keeps what it is sent, and what tests ask of it.
#![allow(dead_code, unreachable_pub, reason = "shared by test binaries that each use another part")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::stream;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::resource::v1::Resource;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tonic::{Request, Response, Status};

/// How long what was sent may take to arrive: exporters send every few seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// Names and values.
pub type Fields = BTreeMap<String, String>;

/// A span as it arrived.
#[derive(Debug, Clone)]
pub struct Span {
    pub process: String,
    pub name: String,
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub links: Vec<(String, String)>,
    pub fields: Fields,
}

impl Span {
    /// Returns a field, empty when it has none of that name.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// A log record as it arrived.
#[derive(Debug, Clone)]
pub struct Record {
    pub trace: String,
    pub body: String,
    pub fields: Fields,
}

/// What arrived.
#[derive(Debug, Default, Clone)]
pub struct Arrived {
    pub spans: Vec<Span>,
    pub records: Vec<Record>,
    /// Labels of each metric's points, by name.
    pub metrics: BTreeMap<String, BTreeSet<Vec<String>>>,
    /// Everything, as text: to be searched for what must not be there.
    pub text: String,
}

impl Arrived {
    /// Returns the one span with an id.
    pub fn span(&self, id: &str) -> Option<&Span> {
        self.spans.iter().find(|span| span.id == id)
    }

    /// Returns the spans of a name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Span> {
        self.spans.iter().filter(move |span| span.name == name)
    }

    /// Returns a span and those that it is in, outermost last, as far as they arrived.
    pub fn line<'a>(&'a self, span: &'a Span) -> Vec<&'a Span> {
        std::iter::successors(Some(span), |span| self.span(&span.parent)).collect()
    }
}

/// A collector at work. Dropping it ends it.
pub struct Collector {
    url: String,
    kept: Keeper,
    /// Ends with the value.
    _serving: JoinSet<()>,
}

#[derive(Clone, Default)]
struct Keeper(Arc<Mutex<Arrived>>);

impl Collector {
    /// Starts on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let kept = Keeper::default();
        let router = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(kept.clone()))
            .add_service(MetricsServiceServer::new(kept.clone()))
            .add_service(LogsServiceServer::new(kept.clone()));
        let incoming = stream::unfold(listener, |listener| async {
            Some((listener.accept().await.map(|(socket, _)| socket), listener))
        });
        let mut serving = JoinSet::new();
        serving.spawn(async move { router.serve_with_incoming(incoming).await.unwrap() });
        Self { url, kept, _serving: serving }
    }

    /// Returns its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns what has arrived.
    pub fn arrived(&self) -> Arrived {
        self.kept.0.lock().unwrap().clone()
    }

    /// Returns what has arrived as soon as it satisfies `wanted`.
    pub async fn until(&self, what: &str, wanted: impl Fn(&Arrived) -> bool) -> Arrived {
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let arrived = self.arrived();
                if wanted(&arrived) {
                    return arrived;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let waited = waited.await;
        waited.unwrap_or_else(|_| panic!("{what}: {:#?} {:#?}", self.arrived().spans, self.arrived().records))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(is)) => is.to_string(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}

fn fields(attributes: &[KeyValue]) -> Fields {
    let value = |one: &KeyValue| text(one.value.as_ref().and_then(|value| value.value.as_ref()));
    attributes.iter().map(|one| (one.key.clone(), value(one))).collect()
}

fn process(resource: Option<&Resource>) -> String {
    let fields = fields(resource.map_or(&[], |resource| &resource.attributes));
    fields.get("service.name").cloned().unwrap_or_default()
}

fn keys(attributes: &[KeyValue]) -> Vec<String> {
    fields(attributes).into_keys().collect()
}

#[tonic::async_trait]
impl TraceService for Keeper {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut kept = self.0.lock().unwrap();
        kept.text.push_str(&format!("{:?}\n", request.get_ref()));
        for resource in &request.get_ref().resource_spans {
            let process = process(resource.resource.as_ref());
            for span in resource.scope_spans.iter().flat_map(|scope| &scope.spans) {
                kept.spans.push(Span {
                    process: process.clone(),
                    name: span.name.clone(),
                    trace: hex(&span.trace_id),
                    id: hex(&span.span_id),
                    parent: hex(&span.parent_span_id),
                    links: span.links.iter().map(|link| (hex(&link.trace_id), hex(&link.span_id))).collect(),
                    fields: fields(&span.attributes),
                });
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Keeper {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let mut kept = self.0.lock().unwrap();
        kept.text.push_str(&format!("{:?}\n", request.get_ref()));
        let scopes = request.get_ref().resource_logs.iter().flat_map(|resource| &resource.scope_logs);
        for record in scopes.flat_map(|scope| &scope.log_records) {
            kept.records.push(Record {
                trace: hex(&record.trace_id),
                body: text(record.body.as_ref().and_then(|body| body.value.as_ref())),
                fields: fields(&record.attributes),
            });
        }
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Keeper {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let mut kept = self.0.lock().unwrap();
        kept.text.push_str(&format!("{:?}\n", request.get_ref()));
        let scopes = request.get_ref().resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
        for metric in scopes.flat_map(|scope| &scope.metrics) {
            let points: BTreeSet<Vec<String>> = match &metric.data {
                Some(Data::Sum(sum)) => sum.data_points.iter().map(|point| keys(&point.attributes)).collect(),
                Some(Data::Gauge(gauge)) => gauge.data_points.iter().map(|point| keys(&point.attributes)).collect(),
                Some(Data::Histogram(all)) => all.data_points.iter().map(|point| keys(&point.attributes)).collect(),
                other => panic!("{}: {other:?}", metric.name),
            };
            kept.metrics.entry(metric.name.clone()).or_default().extend(points);
        }
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}
