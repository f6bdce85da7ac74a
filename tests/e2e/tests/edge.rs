//! What probes, explorers and browsers get of the real binary.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use futures::stream;
use sampan_tests_e2e::{Ground, Redis, Server, ServerFolder, Setup};
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::{v1, v1alpha};

const HOME: &str = "https://console.example";
const ESTIMATES: &str = "sampan.billing.v1.BillingEstimatorService";
/// Longest time until a store that is gone is noticed, with room.
const A_WHILE: Duration = Duration::from_secs(60);

async fn health(channel: &Channel, service: &str) -> Result<ServingStatus, Code> {
    let request = HealthCheckRequest { service: service.to_owned() };
    let answer = HealthClient::new(channel.clone()).check(request).await;
    answer.map(|answer| answer.into_inner().status()).map_err(|status| status.code())
}

async fn listed(channel: &Channel) -> BTreeSet<String> {
    use v1::server_reflection_request::MessageRequest;
    use v1::server_reflection_response::MessageResponse;
    let message_request = Some(MessageRequest::ListServices(String::new()));
    let request = v1::ServerReflectionRequest { host: String::new(), message_request };
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(channel.clone());
    let mut answers = client.server_reflection_info(stream::iter([request])).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    list.service.into_iter().map(|service| service.name).collect()
}

async fn listed_alpha(channel: &Channel) -> BTreeSet<String> {
    use v1alpha::server_reflection_request::MessageRequest;
    use v1alpha::server_reflection_response::MessageResponse;
    let message_request = Some(MessageRequest::ListServices(String::new()));
    let request = v1alpha::ServerReflectionRequest { host: String::new(), message_request };
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(channel.clone());
    let mut answers = client.server_reflection_info(stream::iter([request])).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    list.service.into_iter().map(|service| service.name).collect()
}

#[tokio::test]
async fn every_service_that_reflection_lists_has_a_health_that_follows_redis() {
    let Some(redis) = Redis::start().await else { return };
    let ground = Ground::new(&Setup::default()).await;
    for (role, own) in [("export", "sampan.export.v1.ExportService"), ("billing", ESTIMATES)] {
        let server = Server::start_role(role, &ground.process(role, &redis.store(), &[]), "127.0.0.1:0").await;
        let channel = server.api().channel;
        let services = listed(&channel).await;
        assert_eq!(listed_alpha(&channel).await, services);
        let ours: Vec<_> = services.iter().filter(|name| name.starts_with("sampan.")).collect();
        assert_eq!(ours, [own, "sampan.operation.v1.OperationService", "sampan.quota.v1.QuotaService"]);
        for service in &ours {
            assert_eq!(health(&channel, service).await, Ok(ServingStatus::Serving), "{service}");
        }
        assert_eq!(health(&channel, "sampan.share.v1.ShareService").await, Err(Code::NotFound), "a role of others");
        assert!(server.stop().await.success());
    }

    let server = Server::start(&ground.process("all", &redis.store(), &[])).await;
    let channel = server.api().channel;
    assert_eq!(health(&channel, "").await, Ok(ServingStatus::Serving));
    let request = HealthCheckRequest { service: ESTIMATES.to_owned() };
    let mut told = HealthClient::new(channel.clone()).watch(request).await.unwrap().into_inner();
    drop(redis);
    let gone = async {
        while told.message().await.unwrap().expect("the watch goes on").status() != ServingStatus::NotServing {}
    };
    tokio::time::timeout(A_WHILE, gone).await.expect("not ready without its store");
    for service in listed(&channel).await.iter().filter(|name| name.starts_with("sampan.")) {
        assert_eq!(health(&channel, service).await, Ok(ServingStatus::NotServing), "{service}");
    }
    assert_eq!(health(&channel, "sampan.liveness").await, Ok(ServingStatus::Serving), "a restart mends no store");
}

fn with_web(ground: &Ground, name: &str, section: &str) -> ServerFolder {
    let files = ground.process(name, "memory", &[]);
    let text = fs::read_to_string(&files.config).unwrap();
    fs::write(&files.config, format!("{text}\n[web]\n{section}\n")).unwrap();
    files
}

#[expect(clippy::disallowed_methods, reason = "a browser is no client of a cloud")]
fn browser() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().http1_only().build().unwrap()
}

#[tokio::test]
async fn a_page_asks_for_prices_over_http_1_when_that_is_configured_and_only_then() {
    let ground = Ground::new(&Setup::default()).await;
    let files = with_web(&ground, "web", &format!("grpc_web = true\norigins = [\"{HOME}\"]"));
    let server = Server::start(&files).await;
    let url = format!("{}/{ESTIMATES}/ListPrices", server.url());
    let call = |url: String, origin: &str| {
        let request = browser().post(url).header("origin", origin).header("content-type", "application/grpc-web+proto");
        // A message without fields.
        request.body(vec![0_u8; 5]).send()
    };
    let answer = call(url.clone(), HOME).await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], HOME);
    let body = answer.bytes().await.unwrap();
    assert!(body.windows(13).any(|part| part == b"grpc-status:0"), "{} bytes", body.len());
    let foreign = call(url, "https://evil.example").await.unwrap();
    assert!(foreign.headers().get("access-control-allow-origin").is_none(), "{foreign:?}");
    assert!(server.stop().await.success());

    let server = Server::start(&ground.process("plain", "memory", &[])).await;
    let refused = call(format!("{}/{ESTIMATES}/ListPrices", server.url()), HOME).await;
    assert!(refused.is_err(), "{refused:?}");
    assert!(server.stop().await.success());
}

#[tokio::test]
async fn what_is_no_origin_refuses_the_start() {
    let ground = Ground::new(&Setup::default()).await;
    let files = with_web(&ground, "wrong", "grpc_web = true\norigins = [\"*\"]");
    let (status, told) = Server::try_start(&files).await.unwrap_err();
    assert!(!status.success() && told.contains("`*` is no origin") && told.contains("web.origins"), "{told}");
}
