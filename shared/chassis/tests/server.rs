//! A server on a real socket: limits, health, reflection, drain.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod fake_store;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fake_store::{FakeStore, api, id, running};
use sampan_chassis::server::{Drained, Error, Options};
use sampan_chassis::{Listener, Server, Services};
use sampan_proto::export::v1 as export_pb;
use sampan_proto::export::v1::export_service_client::ExportServiceClient;
use sampan_proto::operation::v1 as pb;
use sampan_proto::operation::v1::operation_service_client::OperationServiceClient;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::{v1, v1alpha};
use tonic_types::StatusExt as _;

const OPERATIONS: &str = "sampan.operation.v1.OperationService";

fn loopback() -> Listener {
    Listener::bind("127.0.0.1:0".parse().unwrap(), false).unwrap()
}

async fn served(store: &Arc<FakeStore>, options: Options) -> (Server, Channel) {
    let services = Services::new().add(api(store).into_server());
    let server = Server::start(loopback(), services, store.clone(), options).await.unwrap();
    let channel = Channel::from_shared(format!("http://{}", server.address())).unwrap().connect().await.unwrap();
    (server, channel)
}

async fn stop(server: Server) {
    assert_eq!(server.shutdown(async {}).await, Drained { workers: true, calls: true });
}

async fn health(channel: &Channel, service: &str) -> ServingStatus {
    let request = HealthCheckRequest { service: service.to_owned() };
    let answer: HealthCheckResponse = HealthClient::new(channel.clone()).check(request).await.unwrap().into_inner();
    answer.status()
}

#[tokio::test]
async fn port_zero_takes_a_free_port_and_tells_it() {
    let first = loopback();
    let second = loopback();
    assert_ne!(first.address().port(), 0);
    assert_ne!(first.address(), second.address());
    let taken = Listener::bind(first.address(), false);
    assert!(matches!(taken, Err(Error::Bind { .. })));
}

#[tokio::test]
async fn an_address_open_to_others_is_refused_unless_told_otherwise() {
    for open in ["0.0.0.0:0", "[::]:0"] {
        let refused = Listener::bind(open.parse().unwrap(), false);
        let message = refused.unwrap_err().to_string();
        assert!(message.contains("insecure = true"), "{message}");
    }
    assert!(Listener::bind("0.0.0.0:0".parse().unwrap(), true).is_ok());
    assert!(Listener::bind("127.0.0.2:0".parse().unwrap(), false).is_ok());
}

#[tokio::test]
async fn a_request_of_five_mebibytes_is_refused_with_its_reason() {
    let store = Arc::new(FakeStore::default());
    let (server, channel) = served(&store, Options::default()).await;
    let mut client = OperationServiceClient::new(channel).max_encoding_message_size(usize::MAX);
    let status = client.get_operation(pb::GetOperationRequest { name: "x".repeat(5 * 1024 * 1024) }).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(status.get_details_error_info().unwrap().reason, "MESSAGE_TOO_LARGE");
    assert!(status.message().contains("4194304"));
    drop(client);
    stop(server).await;
}

#[tokio::test]
async fn a_method_that_is_not_served_is_told_by_name() {
    let store = Arc::new(FakeStore::default());
    let (server, channel) = served(&store, Options::default()).await;
    let mut client = ExportServiceClient::new(channel);
    let status = client.export_image(export_pb::ExportImageRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "METHOD_UNKNOWN");
    assert_eq!(info.metadata["method"], "/sampan.export.v1.ExportService/ExportImage");
    drop(client);
    stop(server).await;
}

#[tokio::test]
async fn readiness_follows_the_store() {
    let store = Arc::new(FakeStore::default());
    store.fail(true);
    let options = Options { check_every: Duration::from_millis(5), ..Options::default() };
    let (server, channel) = served(&store, options).await;
    assert!(!server.is_ready());
    assert_eq!(health(&channel, OPERATIONS).await, ServingStatus::NotServing);
    assert_eq!(health(&channel, "").await, ServingStatus::NotServing);
    // A restart mends no store, so the liveness says that all is well.
    assert_eq!(health(&channel, "sampan.liveness").await, ServingStatus::Serving);

    store.fail(false);
    becomes(&channel, ServingStatus::Serving).await;
    assert!(server.is_ready());
    store.fail(true);
    becomes(&channel, ServingStatus::NotServing).await;
    drop(channel);
    stop(server).await;
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_not_ready() {
    let store = Arc::new(FakeStore::default());
    store.hangs.store(true, Ordering::SeqCst);
    let options = Options { check_timeout: Duration::from_millis(5), ..Options::default() };
    let (server, channel) = served(&store, options).await;
    assert_eq!(health(&channel, OPERATIONS).await, ServingStatus::NotServing);
    drop(channel);
    stop(server).await;
}

/// Follows the health stream until it says `wanted`; the stream pushes every change.
async fn becomes(channel: &Channel, wanted: ServingStatus) {
    let request = HealthCheckRequest { service: OPERATIONS.to_owned() };
    let mut stream = HealthClient::new(channel.clone()).watch(request).await.unwrap().into_inner();
    let reached = async { while stream.message().await.unwrap().expect("open").status() != wanted {} };
    tokio::time::timeout(Duration::from_secs(10), reached).await.expect("the status changes");
}

#[tokio::test]
async fn a_service_that_is_not_served_has_no_health() {
    let store = Arc::new(FakeStore::default());
    let (server, channel) = served(&store, Options::default()).await;
    let request = HealthCheckRequest { service: "sampan.export.v1.ExportService".to_owned() };
    let status = HealthClient::new(channel.clone()).check(request).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    drop(channel);
    stop(server).await;
}

#[tokio::test]
async fn reflection_lists_what_is_served_in_both_versions() {
    let store = Arc::new(FakeStore::default());
    let (server, channel) = served(&store, Options::default()).await;
    let request = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut stream = ServerReflectionClient::new(channel.clone())
        .server_reflection_info(tokio_stream::iter([request]))
        .await
        .unwrap()
        .into_inner();
    let answer = stream.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    assert!(names.contains(&OPERATIONS) && names.contains(&"grpc.health.v1.Health"), "{names:?}");
    assert!(!names.contains(&"sampan.export.v1.ExportService"), "{names:?}");

    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(
            OPERATIONS.to_owned(),
        )),
    };
    let mut stream = v1alpha::server_reflection_client::ServerReflectionClient::new(channel.clone())
        .server_reflection_info(tokio_stream::iter([request]))
        .await
        .unwrap()
        .into_inner();
    let answer = stream.message().await.unwrap().unwrap().message_response.unwrap();
    assert!(matches!(answer, v1alpha::server_reflection_response::MessageResponse::FileDescriptorResponse(_)));
    drop((channel, stream));
    stop(server).await;
}

#[tokio::test]
async fn a_stop_says_not_ready_then_waits_for_the_workers_then_lets_go_of_watchers() {
    let store = Arc::new(FakeStore::holding([running(id(0))]));
    let (server, channel) = served(&store, Options::default()).await;
    let mut client = OperationServiceClient::new(channel.clone());
    let listed = client.list_operations(pb::ListOperationsRequest::default()).await.unwrap().into_inner();
    let name = listed.operations[0].name.clone();
    let watch = pb::WatchOperationRequest { name, from_revision: None };
    let mut watched = client.watch_operation(watch).await.unwrap().into_inner();
    assert!(watched.message().await.unwrap().is_some());

    let asked = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&asked);
    let probe = channel.clone();
    let drained = server
        .shutdown(async move {
            // While the workers hand back, callers are still answered, and health says to go elsewhere.
            assert_eq!(health(&probe, OPERATIONS).await, ServingStatus::NotServing);
            seen.store(true, Ordering::SeqCst);
        })
        .await;
    assert!(asked.load(Ordering::SeqCst));
    assert_eq!(drained, Drained { workers: true, calls: true });
    let status = watched.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.get_details_error_info().unwrap().reason, "SHUTTING_DOWN");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_workers_for_ever() {
    let store = Arc::new(FakeStore::default());
    let options = Options { grace: Duration::from_millis(20), ..Options::default() };
    let (server, channel) = served(&store, options).await;
    drop(channel);
    let drained = server.shutdown(std::future::pending()).await;
    assert!(!drained.workers);
}

#[tokio::test]
async fn a_stopped_server_accepts_no_connection() {
    let store = Arc::new(FakeStore::default());
    let (server, channel) = served(&store, Options::default()).await;
    let address = server.address();
    drop(channel);
    stop(server).await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
