//! What one caller, one connection and one request may take of the real binary.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod security_support;

use std::time::Duration;

use sampan_proto::export::v1 as export_pb;
use sampan_proto::export::v1::export_service_client::ExportServiceClient;
use sampan_proto::operation::v1 as pb;
use sampan_proto::operation::v1::operation_service_client::OperationServiceClient;
use sampan_tests_e2e::{Refusal, Server, TENCENT, command, request, spec_of};
use security_support::{Site, ran};
use serde_json::json;
use tokio::task::JoinSet;
use tonic::metadata::MetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status, Streaming};

/// Longest wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A secured server with small bounds, and an export that goes on for as long as the test.
struct Bounded {
    server: Server,
    site: Site,
    operation: String,
}

impl Bounded {
    async fn by(bounds: &str) -> Self {
        let site = Site::new("").await;
        site.clouds.pace(Duration::from_secs(3_600)).await;
        let keys = site.path("jwks.json");
        site.configure(&format!("[auth]\njwks_file = \"{}\"\naudience = \"sampan\"\n", keys.display()));
        site.configure(&format!("[server]\n{bounds}\n"));
        let server = site.serve().await;
        let mut bounded = Self { server, site, operation: String::new() };
        let start = bounded.of("ann", request(spec_of(&TENCENT, TENCENT.image("ubuntu"))));
        let started = ExportServiceClient::new(bounded.connection().await).export_image(start).await.unwrap();
        bounded.operation = started.into_inner().operation.unwrap().name;
        bounded
    }

    async fn connection(&self) -> Channel {
        self.attempt().await.expect("connected")
    }

    async fn attempt(&self) -> Result<Channel, tonic::transport::Error> {
        let trust = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(self.site.authority.pem()));
        let endpoint = Endpoint::from_shared(self.server.url().to_owned()).unwrap().tls_config(trust).unwrap();
        endpoint.connect().await
    }

    /// Returns a connection as soon as there is a place for one.
    async fn place(&self) -> Channel {
        let placed = async {
            loop {
                if let Ok(channel) = self.attempt().await
                    && OperationServiceClient::new(channel.clone()).get_operation(self.get("ann")).await.is_ok()
                {
                    break channel;
                }
            }
        };
        tokio::time::timeout(PATIENCE, placed).await.expect("a place")
    }

    /// Returns a request with the token of a caller.
    fn of<T>(&self, subject: &str, message: T) -> Request<T> {
        let token = self.site.issuer.token(subject, "sampan", 600);
        let mut request = Request::new(message);
        let value = MetadataValue::try_from(format!("Bearer {token}")).unwrap();
        request.metadata_mut().insert("authorization", value);
        request
    }

    fn get(&self, subject: &str) -> Request<pb::GetOperationRequest> {
        self.of(subject, pb::GetOperationRequest { name: self.operation.clone() })
    }

    fn preview(&self, subject: &str) -> Request<export_pb::PreviewExportRequest> {
        let spec = Some(spec_of(&TENCENT, TENCENT.image("ubuntu")));
        self.of(subject, export_pb::PreviewExportRequest { spec })
    }

    async fn watch(&self, channel: &Channel, subject: &str) -> Result<Streaming<pb::WatchOperationResponse>, Status> {
        let watch = pb::WatchOperationRequest { name: self.operation.clone(), from_revision: None };
        let answer = OperationServiceClient::new(channel.clone()).watch_operation(self.of(subject, watch)).await;
        answer.map(tonic::Response::into_inner)
    }

    /// Makes the cloud so slow that a preview outlasts the test.
    async fn slow_clouds(&self) {
        let slow = json!({ "action": "DescribeImages", "kind": "slow", "times": 1000, "delay_ms": 30_000 });
        self.site.clouds.post("faults", slow).await;
    }
}

#[tokio::test]
async fn a_caller_at_its_limit_is_refused_with_it_and_another_is_not() {
    let bounded = Bounded::by("max_in_flight_per_caller = 2\nmax_waiting_per_caller = 2").await;
    let channel = bounded.connection().await;
    let first = bounded.watch(&channel, "ann").await.unwrap();
    let _second = bounded.watch(&channel, "ann").await.unwrap();
    let refused = Refusal::of(&bounded.watch(&channel, "ann").await.unwrap_err());
    assert_eq!((refused.code, refused.reason()), (Code::Unavailable, "OVERLOADED"), "{refused:?}");
    assert_eq!((refused.fact("limit"), refused.fact("limit_calls")), ("server.max_waiting_per_caller", "2"));
    assert!(refused.details.retry_info().is_some_and(|info| info.retry_delay.is_some()));
    let mut of_bob = bounded.watch(&channel, "bob").await.expect("bob has places of his own");
    assert!(of_bob.message().await.unwrap().is_some());
    drop(first);
    let again = async { while bounded.watch(&channel, "ann").await.is_err() {} };
    tokio::time::timeout(PATIENCE, again).await.expect("the place is free again");

    bounded.slow_clouds().await;
    let mut at_work = JoinSet::new();
    // Whichever comes third finds no place; the others are still at work then.
    for _ in 0..3 {
        let preview = bounded.preview("ann");
        let mut exports = ExportServiceClient::new(channel.clone());
        at_work.spawn(async move { exports.preview_export(preview).await.map(drop) });
    }
    let first_to_end = tokio::time::timeout(PATIENCE, at_work.join_next()).await.expect("one ends");
    let refused = Refusal::of(&first_to_end.unwrap().unwrap().unwrap_err());
    assert_eq!(refused.reason(), "OVERLOADED", "{refused:?}");
    assert_eq!((refused.fact("limit"), refused.fact("limit_calls")), ("server.max_in_flight_per_caller", "2"));
    OperationServiceClient::new(channel.clone()).get_operation(bounded.get("bob")).await.expect("bob is not disturbed");
    drop(at_work);
    let mut operations = OperationServiceClient::new(channel);
    let again = async { while operations.get_operation(bounded.get("ann")).await.is_err() {} };
    tokio::time::timeout(PATIENCE, again).await.expect("the places are free again");
}

#[tokio::test]
async fn a_server_has_so_many_connections_and_takes_a_further_one_when_one_has_ended() {
    let bounded = Bounded::by("max_connections = 2").await;
    let first = bounded.place().await;
    let _second = bounded.place().await;
    assert!(bounded.attempt().await.is_err(), "a third connection to a server of two");
    drop(first);
    bounded.place().await;
}

#[tokio::test]
async fn a_connection_has_so_many_calls_and_a_request_so_many_bytes() {
    let bounded = Bounded::by("max_streams_per_connection = 2\nmax_header_bytes = 4096").await;
    let full = bounded.connection().await;
    let mut operations = OperationServiceClient::new(full.clone());
    operations.get_operation(bounded.get("ann")).await.unwrap();

    let mut large = bounded.get("ann");
    large.metadata_mut().insert("x-note", "n".repeat(6_000).parse().unwrap());
    let refused = Refusal::of(&operations.get_operation(large).await.unwrap_err());
    assert_eq!((refused.code, refused.reason()), (Code::ResourceExhausted, "HEADERS_TOO_LARGE"), "{refused:?}");
    assert_eq!((refused.fact("limit"), refused.fact("limit_bytes")), ("server.max_header_bytes", "4096"));
    let message = pb::GetOperationRequest { name: "x".repeat(5 * 1024 * 1024) };
    let mut sending = OperationServiceClient::new(full.clone()).max_encoding_message_size(usize::MAX);
    let refused = Refusal::of(&sending.get_operation(bounded.of("ann", message)).await.unwrap_err());
    assert_eq!(refused.reason(), "MESSAGE_TOO_LARGE", "{refused:?}");

    let first = bounded.watch(&full, "ann").await.unwrap();
    let _second = bounded.watch(&full, "ann").await.unwrap();
    let read = bounded.get("ann");
    let mut kept_back = JoinSet::new();
    kept_back.spawn(async move { operations.get_operation(read).await.map(drop) });
    let other = bounded.connection().await;
    for _ in 0..20 {
        OperationServiceClient::new(other.clone()).get_operation(bounded.get("ann")).await.unwrap();
    }
    assert!(kept_back.try_join_next().is_none(), "a third call on a connection of two");
    drop(first);
    let answer = tokio::time::timeout(PATIENCE, kept_back.join_next()).await.expect("the place is free again");
    answer.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_call_without_a_deadline_has_the_default_and_one_with_any_has_the_maximum() {
    let bounds = "default_deadline_seconds = 2\nmax_deadline_seconds = 3\nmax_waiting_seconds = 2";
    let bounded = Bounded::by(bounds).await;
    let channel = bounded.connection().await;
    bounded.slow_clouds().await;
    for (asked, had) in [(None, "2000 ms"), (Some(50), "3000 ms")] {
        let mut preview = bounded.preview("ann");
        if let Some(asked) = asked {
            preview.set_timeout(Duration::from_secs(asked));
        }
        let status = ExportServiceClient::new(channel.clone()).preview_export(preview).await.unwrap_err();
        let refused = Refusal::of(&status);
        assert_eq!(
            (refused.code, refused.reason()),
            (Code::DeadlineExceeded, "REQUEST_DEADLINE_PASSED"),
            "{refused:?}"
        );
        assert!(refused.message.contains(had), "{asked:?}: {}", refused.message);
    }
    // A wait that runs out is an answer, long before the ten minutes that it could last.
    let wait = bounded.of("ann", pb::WaitOperationRequest { name: bounded.operation.clone(), timeout: None });
    let mut operations = OperationServiceClient::new(channel);
    let waited = tokio::time::timeout(PATIENCE, operations.wait_operation(wait))
        .await
        .expect("the wait ends")
        .unwrap()
        .into_inner();
    assert!(!waited.operation.unwrap().done);
}

#[tokio::test]
async fn bounds_are_shown_and_those_that_let_nothing_through_refuse_the_start() {
    let show = |variable: &str, value: &str| {
        let mut command = command();
        command.args(["serve", "--print-config"]).env(variable, value);
        ran(command.output().unwrap())
    };
    let shown = show("SAMPAN_SERVER__MAX_WAITING_PER_CALLER", "77");
    assert!(shown.exit == 0 && shown.text.contains("max_waiting_per_caller = 77"), "{}", shown.text);
    let refused = show("SAMPAN_SERVER__MAX_STREAMS_PER_CONNECTION", "0");
    assert_ne!(refused.exit, 0);
    assert!(refused.text.contains("server.max_streams_per_connection is 0; set it to"), "{}", refused.text);
}
