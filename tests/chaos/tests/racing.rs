//! Starts that race on three processes: a lane's limit is exact, the others wait in order, and a request starts once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::Arc;

use sampan_proto::export::v1::ExportImageRequest;
use sampan_proto::operation::v1::{ListOperationsRequest, Operation, OperationState};
use sampan_proto::quota::v1::WhenQuotaSpent;
use sampan_tests_chaos::{Fleet, LANES, REPLICAS};
use sampan_tests_e2e::{Lane, Refusal, Setup, TENCENT, request, spec_of};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tonic::Status;

/// Units of a lane's day.
const LIMIT: usize = 5;

async fn fleet() -> Option<Fleet> {
    // What is admitted may fail at the cloud at its leisure; here only the admission is looked at.
    Fleet::start(&Setup { log: "warn", max_attempts: 1, ..Setup::default() }).await
}

fn start(lane: &Lane, when: WhenQuotaSpent) -> ExportImageRequest {
    let mut spec = spec_of(lane, lane.image("ubuntu"));
    spec.set_when_quota_spent(when);
    request(spec)
}

/// Sends all requests at once, in turn to each process.
async fn race(fleet: &Fleet, requests: Vec<ExportImageRequest>) -> Vec<Result<Operation, Status>> {
    let gate = Arc::new(Barrier::new(requests.len()));
    let mut callers = JoinSet::new();
    let apis: Vec<_> = fleet.replicas.iter().map(|replica| replica.api().expect("it runs")).collect();
    for (number, request) in requests.into_iter().enumerate() {
        let (gate, api) = (Arc::clone(&gate), apis[number % REPLICAS].clone());
        callers.spawn(async move {
            gate.wait().await;
            api.send(request).await
        });
    }
    callers.join_all().await
}

/// Keeps the clouds from ending anything, so that no unit is used or goes back while the race is looked at.
async fn hold_everything(fleet: &Fleet) {
    fleet.clouds.fault(TENCENT.cloud, "DescribeImages", "throttle", 100_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_starts_on_three_processes_five_are_admitted_and_the_others_refused() {
    let Some(fleet) = fleet().await else { return };
    hold_everything(&fleet).await;
    let requests = (0..1000).map(|_| start(&TENCENT, WhenQuotaSpent::Fail)).collect();
    let answers = race(&fleet, requests).await;
    let refused: Vec<Refusal> = answers.iter().filter_map(|answer| answer.as_ref().err()).map(Refusal::of).collect();
    assert_eq!((answers.len() - refused.len(), refused.len()), (LIMIT, 995));
    for refusal in &refused {
        assert_eq!((refusal.code, refusal.reason()), (tonic::Code::ResourceExhausted, "QUOTA_SPENT"), "{refusal:?}");
        assert!(refusal.details.retry_info().is_some(), "{refusal:?}");
    }
    assert_eq!(fleet.operations().await.len(), LIMIT, "a refused start leaves nothing behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_starts_on_three_processes_five_run_and_the_others_wait_in_order() {
    let Some(fleet) = fleet().await else { return };
    hold_everything(&fleet).await;
    let requests = (0..1000).map(|_| start(&TENCENT, WhenQuotaSpent::Queue)).collect();
    let answers: Vec<Operation> = race(&fleet, requests).await.into_iter().map(|answer| answer.unwrap()).collect();
    let waits = |operation: &&Operation| operation.state() == OperationState::WaitingForQuota;
    let positions: Vec<u32> = answers
        .iter()
        .filter(waits)
        .map(|operation| operation.quota.as_ref().unwrap().waiting_position.unwrap())
        .collect();
    assert_eq!(answers.len() - positions.len(), LIMIT);
    let distinct: BTreeSet<u32> = positions.iter().copied().collect();
    let first = *distinct.first().unwrap();
    assert_eq!(distinct.into_iter().collect::<Vec<_>>(), (first..first + 995).collect::<Vec<_>>());
    let quota = fleet.api(1).await.quota(&TENCENT).await;
    assert_eq!((quota.used + quota.reserved, quota.waiting_count), (5, 995), "{quota:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_equal_requests_on_three_processes_start_one_operation() {
    let Some(fleet) = fleet().await else { return };
    let request = start(&TENCENT, WhenQuotaSpent::Fail);
    let answers = race(&fleet, vec![request; 100]).await;
    let names: BTreeSet<String> = answers.into_iter().map(|answer| answer.unwrap().name).collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let list = fleet.api(2).await.list(ListOperationsRequest::default()).await;
    assert_eq!(list.operations.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_callers_on_7_lanes_on_three_processes_exactly_35_starts_are_admitted() {
    let Some(fleet) = fleet().await else { return };
    hold_everything(&fleet).await;
    // Seven regions of Tencent Cloud; what the clouds have there is asked only after the admission.
    let regions = LANES.iter().filter(|lane| lane.cloud == TENCENT.cloud).map(|lane| lane.region).chain(["ap-nanjing"]);
    let lanes: Vec<Lane> = regions.map(|region| Lane { region, ..TENCENT }).collect();
    assert_eq!(lanes.len(), 7);
    let requests = (0..64 * 2).map(|number| start(&lanes[number % 64 % 7], WhenQuotaSpent::Fail)).collect();
    let answers = race(&fleet, requests).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 7 * LIMIT);
}
