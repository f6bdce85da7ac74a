//! Services call services: in one process and over the network, with the same answers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderMap;
use sampan_chassis::layers::authenticate::ON_BEHALF_OF;
use sampan_chassis::layers::{AroundLayer, Deadlines, EdgeLimits, deadline, request_id, trace};
use sampan_chassis::peer::{LocalPeers, Options};
use sampan_chassis::{Peers, Problem, Services};
use sampan_cloud::audit::CallContext;
use sampan_core::Reason;
use sampan_core::retry::RetryPolicy;
use sampan_proto::quota::v1 as pb;
use sampan_proto::quota::v1::quota_service_client::QuotaServiceClient;
use sampan_proto::quota::v1::quota_service_server::{QuotaService, QuotaServiceServer};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt as _;
use tower::{Layer as _, ServiceExt as _, service_fn};

/// A peer that answers with its name, and refuses the first calls.
#[derive(Debug, Clone, Default)]
struct Peer {
    name: String,
    refusals: Arc<Mutex<u32>>,
    seen: Arc<Mutex<Vec<HeaderMap>>>,
    delay: Duration,
}

impl Peer {
    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    fn refusing(self, count: u32) -> Self {
        *self.refusals.lock().unwrap() = count;
        self
    }

    fn calls(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    async fn answer(&self, headers: HeaderMap) -> Result<pb::Quota, Status> {
        self.seen.lock().unwrap().push(headers);
        tokio::time::sleep(self.delay).await;
        let mut refusals = self.refusals.lock().unwrap();
        if let Some(left) = refusals.checked_sub(1) {
            *refusals = left;
            return Err(Problem::new(Reason::ShuttingDown, "the server is stopping").into());
        }
        Ok(pb::Quota { account: self.name.clone(), ..pb::Quota::default() })
    }
}

#[async_trait]
impl QuotaService for Peer {
    async fn get_quota(&self, request: Request<pb::GetQuotaRequest>) -> Result<Response<pb::GetQuotaResponse>, Status> {
        let quota = self.answer(request.metadata().clone().into_headers()).await?;
        Ok(Response::new(pb::GetQuotaResponse { quota: Some(quota) }))
    }

    async fn list_quotas(&self, _: Request<pb::ListQuotasRequest>) -> Result<Response<pb::ListQuotasResponse>, Status> {
        Err(Problem::new(Reason::QuotaSpent, "spent").with("lane", "a").into())
    }
}

/// Serves until the guard is dropped.
async fn served_at(peer: &Peer, address: &str) -> (SocketAddr, DropGuard, TaskTracker) {
    let incoming = TcpIncoming::bind(address.parse().unwrap()).unwrap();
    let address = incoming.local_addr().unwrap();
    let closing = CancellationToken::new();
    let tasks = TaskTracker::new();
    let server = tonic::transport::Server::builder().add_service(QuotaServiceServer::new(peer.clone()));
    tasks.spawn(server.serve_with_incoming_shutdown(incoming, closing.clone().cancelled_owned()));
    tasks.close();
    (address, closing.drop_guard(), tasks)
}

async fn served(peer: &Peer) -> (SocketAddr, DropGuard, TaskTracker) {
    served_at(peer, "127.0.0.1:0").await
}

fn fast() -> Options {
    let retry = RetryPolicy { first_delay: Duration::from_millis(5), max_attempts: 3, ..Options::default().retry };
    Options { retry, ..Options::default() }
}

fn remote(options: Options, addresses: &[SocketAddr]) -> Peers {
    let urls = addresses.iter().map(|address| format!("http://{address}")).collect();
    Peers::new(options, BTreeMap::from([("quota", urls)])).unwrap()
}

fn local(peer: &Peer) -> (Peers, LocalPeers) {
    let peers = Peers::new(fast(), BTreeMap::new()).unwrap();
    let services = Services::new().add(QuotaServiceServer::new(peer.clone()));
    let open = peers.serve_locally(vec!["quota"], &services, &EdgeLimits::default());
    (peers, open)
}

async fn ask(peers: &Peers) -> Result<String, Status> {
    let mut client = QuotaServiceClient::new(peers.to("quota"));
    let answer = client.get_quota(pb::GetQuotaRequest::default()).await?;
    Ok(answer.into_inner().quota.unwrap_or_default().account)
}

/// Makes a call to the peer on behalf of a caller that sent `headers`.
async fn ask_within_a_call(peers: &Peers, headers: &[(&str, &str)]) {
    let peers = peers.clone();
    let handler = service_fn(move |_: http::Request<tonic::body::Body>| {
        let peers = peers.clone();
        async move {
            ask(&peers).await.unwrap();
            Ok::<_, std::convert::Infallible>(http::Response::new(tonic::body::Body::empty()))
        }
    });
    let bounded = AroundLayer::new(deadline::Deadline::new(Deadlines::default())).layer(handler);
    let traced = AroundLayer::new(trace::Trace).layer(bounded);
    let service = AroundLayer::new(request_id::NameCall).layer(traced);
    let request = http::Request::builder().uri("/sampan.export.v1.ExportService/PreviewExport");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    service.oneshot(request.body(tonic::body::Body::empty()).unwrap()).await.unwrap();
}

fn timeout_ms(headers: &HeaderMap) -> u64 {
    headers["grpc-timeout"].to_str().unwrap().strip_suffix('m').unwrap().parse().unwrap()
}

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn a_peer_answers_the_same_in_this_process_and_in_another() {
    let peer = Peer::named("billing");
    let (address, _serving, _) = served(&peer).await;
    let (here, _open) = local(&peer);
    for peers in [here, remote(fast(), &[address])] {
        assert_eq!(ask(&peers).await.unwrap(), "billing");
        let mut client = QuotaServiceClient::new(peers.to("quota"));
        let refused = client.list_quotas(pb::ListQuotasRequest::default()).await.unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted);
        let told = Problem::from_peer(&refused);
        assert_eq!((told.reason(), told.message()), (Reason::QuotaSpent, "spent"));
        assert_eq!(refused.get_details_error_info().unwrap().metadata["lane"], "a");
    }
}

#[tokio::test]
async fn deadline_trace_and_request_id_of_the_call_in_hand_are_passed_on() {
    let peer = Peer::named("billing");
    let (address, _serving, _) = served(&peer).await;
    let (here, _open) = local(&peer);
    for peers in [here, remote(fast(), &[address])] {
        let headers = [("grpc-timeout", "2S"), ("x-request-id", "call-7"), ("traceparent", TRACEPARENT)];
        ask_within_a_call(&peers, &headers).await;
        let seen = peer.seen.lock().unwrap().pop().unwrap();
        assert_eq!(seen["x-request-id"], "call-7");
        assert_eq!(seen["traceparent"], TRACEPARENT);
        let left = timeout_ms(&seen);
        assert!((1_000..2_000).contains(&left), "{left} ms of 2 s are left for the peer");
    }
}

#[tokio::test]
async fn a_call_on_nobodys_behalf_has_a_deadline_of_its_own() {
    let peer = Peer { delay: Duration::from_secs(60), ..Peer::named("billing") };
    let (address, _serving, _) = served(&peer).await;
    let options = Options { timeout: Duration::from_millis(100), ..fast() };
    let late = ask(&remote(options, &[address])).await.unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded);
    assert!((50..=100).contains(&timeout_ms(&peer.seen.lock().unwrap()[0])));
}

#[tokio::test]
async fn a_call_without_effect_is_repeated_while_its_peer_is_unavailable() {
    let peer = Peer::named("billing").refusing(2);
    let (address, _serving, _) = served(&peer).await;
    assert_eq!(ask(&remote(fast(), &[address])).await.unwrap(), "billing");
    assert_eq!(peer.calls(), 3);

    let peer = Peer::named("billing").refusing(9);
    let (address, _serving, _) = served(&peer).await;
    let refused = ask(&remote(fast(), &[address])).await.unwrap_err();
    assert_eq!(Problem::from_peer(&refused).reason(), Reason::ShuttingDown);
    assert_eq!(peer.calls(), 3);
}

#[tokio::test]
async fn a_peer_that_nobody_has_configured_is_unavailable_and_told_by_name() {
    let peers = Peers::new(fast(), BTreeMap::new()).unwrap();
    let refused = ask(&peers).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    let info = refused.get_details_error_info().unwrap();
    assert_eq!((info.reason.as_str(), info.metadata["peer"].as_str()), ("PEER_UNAVAILABLE", "quota"));
}

#[tokio::test]
async fn a_peer_may_be_down_at_first_and_go_and_come_back() {
    let reserved = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = reserved.local_addr().unwrap();
    drop(reserved);
    let peers = remote(fast(), &[address]);
    let down = ask(&peers).await.unwrap_err();
    assert_eq!(down.get_details_error_info().unwrap().reason, "PEER_UNAVAILABLE");

    let peer = Peer::named("billing");
    let (_, serving, tasks) = served_at(&peer, &address.to_string()).await;
    assert_eq!(ask(&peers).await.unwrap(), "billing");
    drop(serving);
    tasks.wait().await;
    assert_eq!(ask(&peers).await.unwrap_err().code(), Code::Unavailable);

    let (_, _serving, _) = served_at(&peer, &address.to_string()).await;
    assert_eq!(ask(&peers).await.unwrap(), "billing");
}

#[tokio::test]
async fn calls_take_turns_over_the_addresses_and_pass_over_a_dead_one() {
    let (first, second) = (Peer::named("first"), Peer::named("second"));
    let (at_first, _serving_first, _) = served(&first).await;
    let (at_second, serving_second, tasks) = served(&second).await;
    let peers = remote(fast(), &[at_first, at_second]);
    for _ in 0..10 {
        ask(&peers).await.unwrap();
    }
    assert_eq!((first.calls(), second.calls()), (5, 5));
    drop(serving_second);
    tasks.wait().await;
    for _ in 0..10 {
        assert_eq!(ask(&peers).await.unwrap(), "first");
    }
}

#[tokio::test]
async fn a_name_is_looked_up_and_stays_the_authority() {
    let peer = Peer::named("billing");
    let (address, _serving, _) = served(&peer).await;
    let url = format!("http://localhost:{}", address.port());
    let peers = Peers::new(fast(), BTreeMap::from([("quota", vec![url])])).unwrap();
    assert_eq!(ask(&peers).await.unwrap(), "billing");
}

#[tokio::test]
async fn what_is_no_address_is_refused_at_the_start() {
    for wrong in ["billing:7500", "ftp://billing", "http://", "http://u:p@billing", "http://billing/path", ""] {
        let refused = Peers::new(fast(), BTreeMap::from([("quota", vec![wrong.to_owned()])]));
        let message = refused.unwrap_err().to_string();
        assert!(message.contains("http://HOST:PORT") && !message.contains("u:p"), "{message}");
    }
    assert!(Peers::new(fast(), BTreeMap::from([("quota", Vec::new())])).is_ok());
}

#[tokio::test]
async fn a_stopped_process_lets_go_of_its_services() {
    let peer = Peer::named("billing");
    let (peers, open) = local(&peer);
    assert_eq!(ask(&peers).await.unwrap(), "billing");
    drop(open);
    assert_eq!(ask(&peers).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(Arc::strong_count(&peer.seen), 1, "the routes and their services are gone");
}

#[tokio::test]
async fn a_peer_is_told_for_whom_a_step_works_and_nobody_else_can_say_so() {
    let peer = Peer::named("share");
    let (address, _serving, _) = served(&peer).await;
    let (here, _open) = local(&peer);
    let there = remote(fast(), &[address]);
    for peers in [&here, &there] {
        let context = CallContext { caller: "ann".to_owned(), ..CallContext::default() };
        context.scope(ask(peers)).await.unwrap();
        let mut forged = Request::new(pb::GetQuotaRequest::default());
        forged.metadata_mut().insert(ON_BEHALF_OF, "eve".parse().unwrap());
        QuotaServiceClient::new(peers.to("quota")).get_quota(forged).await.unwrap();
        let seen: Vec<_> = peer.seen.lock().unwrap().drain(..).collect();
        assert_eq!(seen[0][ON_BEHALF_OF], "ann");
        assert!(!seen[1].contains_key(ON_BEHALF_OF), "a step without a caller speaks for nobody");
    }
}
