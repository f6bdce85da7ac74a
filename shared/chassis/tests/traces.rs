//! Traces reach a collector, join the caller's, and are not lost at the end. One process-wide set-up, so one test.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use async_trait::async_trait;
use http::{Request, Response};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use sampan_chassis::layers::{EdgeLimits, stack};
use sampan_chassis::telemetry::{Error, Options, init};
use sampan_chassis::{Peers, Services};
use sampan_proto::quota::v1 as pb;
use sampan_proto::quota::v1::quota_service_client::QuotaServiceClient;
use sampan_proto::quota::v1::quota_service_server::{QuotaService, QuotaServiceServer};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::server::TcpIncoming;
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

struct Collector(mpsc::UnboundedSender<ExportTraceServiceRequest>);

#[async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, Status> {
        self.0.send(request.into_inner()).unwrap();
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

/// A peer that is asked by the call that is traced.
struct Quotas;

#[async_trait]
impl QuotaService for Quotas {
    async fn get_quota(
        &self,
        _: tonic::Request<pb::GetQuotaRequest>,
    ) -> Result<tonic::Response<pb::GetQuotaResponse>, Status> {
        Ok(tonic::Response::new(pb::GetQuotaResponse::default()))
    }

    async fn list_quotas(
        &self,
        _: tonic::Request<pb::ListQuotasRequest>,
    ) -> Result<tonic::Response<pb::ListQuotasResponse>, Status> {
        Ok(tonic::Response::new(pb::ListQuotasResponse::default()))
    }
}

fn collector(closing: CancellationToken) -> (String, mpsc::UnboundedReceiver<ExportTraceServiceRequest>, TaskTracker) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("http://{}", incoming.local_addr().unwrap());
    let server = tonic::transport::Server::builder().add_service(TraceServiceServer::new(Collector(sender)));
    let tasks = TaskTracker::new();
    tasks.spawn(server.serve_with_incoming_shutdown(incoming, closing.cancelled_owned()));
    tasks.close();
    (endpoint, receiver, tasks)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_span_of_a_call_joins_the_trace_of_its_caller_and_is_flushed_at_the_end() {
    let closing = CancellationToken::new();
    let (endpoint, mut received, tasks) = collector(closing.clone());
    let options = Options {
        filter: Some("off".to_owned()),
        otlp_endpoint: Some(endpoint),
        service_name: "sampan-export".to_owned(),
        ..Options::default()
    };
    let telemetry = init(&options).unwrap();
    assert!(matches!(init(&Options::default()), Err(Error::SetUpAlready)));

    let peers = Peers::new(Default::default(), BTreeMap::new()).unwrap();
    let services = Services::new().add(QuotaServiceServer::new(Quotas));
    let open = peers.serve_locally(vec!["quota"], &services, &EdgeLimits::default());
    let peer = peers.to("quota");
    let service = ServiceBuilder::new()
        .layer(stack(&EdgeLimits::default(), Arc::default(), CancellationToken::new()))
        .service(service_fn(move |_: Request<Body>| {
            let mut quotas = QuotaServiceClient::new(peer.clone());
            async move {
                quotas.get_quota(pb::GetQuotaRequest::default()).await.unwrap();
                tracing::warn!(error = "GET https://b/k?x-oss-signature=10b595e2&x=1 failed", "bucket broke");
                let _span = tracing::info_span!("look", error = "q-signature=10b595e2").entered();
                Ok::<_, Infallible>(Response::new(Body::empty()))
            }
        }));
    let request = Request::builder()
        .uri("/sampan.export.v1.ExportService/PreviewExport")
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"))
        .header("authorization", "Bearer hunter2")
        .body(Body::empty())
        .unwrap();
    drop(service.oneshot(request).await.unwrap());
    telemetry.flush().await;

    let sent = received.recv().await.unwrap();
    assert!(!format!("{sent:?}").contains("hunter2"));
    let resource = &sent.resource_spans[0];
    let names = resource.resource.as_ref().unwrap().attributes.iter();
    let name = names.filter(|attribute| attribute.key == "service.name").find_map(|one| one.value.clone()?.value);
    assert_eq!(name, Some(Value::StringValue("sampan-export".to_owned())));
    let spans = &resource.scope_spans[0].spans;
    assert_eq!(spans.len(), 3, "our own spans and none of the transport");
    let text = format!("{sent:?}");
    assert!(text.contains("x-oss-signature=***&x=1") && text.contains("q-signature=***"), "{text}");
    assert!(!text.contains("10b595e2"), "{text}");
    let of = |method: &str| spans.iter().find(|span| span.name.ends_with(method)).unwrap();
    let (call, asked) = (of("/PreviewExport"), of("/GetQuota"));
    assert_eq!((hex(&call.trace_id), hex(&call.parent_span_id)), (TRACE.to_owned(), PARENT.to_owned()));
    // Nobody has read the answer, so the call counts as left.
    let code = call.attributes.iter().find(|attribute| attribute.key == "rpc.grpc.status_code").unwrap();
    assert_eq!(code.value.clone().unwrap().value, Some(Value::IntValue(1)));
    // The peer's span is the child of the one that asked it.
    assert_eq!((&asked.trace_id, &asked.parent_span_id), (&call.trace_id, &call.span_id));
    drop(open);

    closing.cancel();
    tasks.wait().await;
}
