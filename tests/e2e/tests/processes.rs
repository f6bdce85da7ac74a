//! The roles in one process and in processes of their own: the same answers, and what is missing while one is down.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::path::Path;

use sampan_proto::billing::v1 as billing_pb;
use sampan_proto::export::v1::ExportSpec;
use sampan_proto::operation::v1::operation::Result as Of;
use sampan_proto::operation::v1::{ExportResult, OperationState, RetryOperationRequest};
use sampan_tests_e2e::{
    Api, Ground, Lane, Redis, Refusal, Server, ServerFolder, Setup, Simulator, TENCENT, free_port, request, spec_of,
};
use tonic::Code;

async fn fresh_ground() -> Ground {
    Ground::new(&Setup::default()).await
}

/// Returns the files of an export process whose billing is at a port.
fn export_of(ground: &Ground, redis: &Redis, billing: u16) -> ServerFolder {
    ground.process("export", &redis.store(), &[("billing", &[format!("http://localhost:{billing}")])])
}

fn limited(lane: &Lane, amount: &str) -> ExportSpec {
    let max_cost = billing_pb::CostLimit { amount: amount.to_owned(), currency: "CNY".to_owned() };
    ExportSpec { max_cost: Some(max_cost), ..spec_of(lane, lane.image("ubuntu")) }
}

/// What a caller sees of one whole job.
#[derive(Debug, PartialEq)]
struct Seen {
    preview: (bool, Option<billing_pb::Estimate>, String),
    above: (Code, String, String, String),
    state: OperationState,
    first: Option<Box<billing_pb::Estimate>>,
    last: Option<Box<billing_pb::Estimate>>,
    sizes: Vec<u64>,
    used: u32,
}

async fn scenario(api: &Api) -> Seen {
    let preview = api.preview(limited(&TENCENT, "1000")).await;
    let above = api.refused(request(limited(&TENCENT, "0.01"))).await;
    let facts = |refusal: &Refusal, key: &str| refusal.fact(key).to_owned();
    let above = (above.code, above.reason().to_owned(), facts(&above, "limit"), facts(&above, "cost"));
    let started = api.start(limited(&TENCENT, "1000")).await;
    let ended = api.ended(&started.name).await;
    let state = ended.state();
    let Some(Of::ExportResult(result)) = ended.result else { panic!("{:#?}", ended.error) };
    let ExportResult { artifacts, first_estimate, estimate, .. } = result;
    Seen {
        preview: (preview.startable, preview.estimate, preview.price_unavailable),
        above,
        state,
        first: first_estimate,
        last: estimate,
        sizes: artifacts.iter().map(|artifact| artifact.size_bytes).collect(),
        used: api.quota(&TENCENT).await.used,
    }
}

async fn billing_at(files: &ServerFolder, port: u16) -> Server {
    Server::start_role("billing", files, &format!("127.0.0.1:{port}")).await
}

async fn export_at(files: &ServerFolder) -> Server {
    Server::start_role("export", files, "127.0.0.1:0").await
}

#[tokio::test]
async fn one_process_and_two_give_the_same_answers() {
    let Some(redis) = Redis::start().await else { return };
    let ground = fresh_ground().await;
    let whole = Server::start(&ground.process("whole", "memory", &[])).await;
    let embedded = scenario(&whole.api()).await;
    assert_eq!(embedded.state, OperationState::Succeeded);
    assert_eq!((embedded.above.0, embedded.above.1.as_str()), (Code::FailedPrecondition, "COST_ABOVE_LIMIT"));
    assert!(embedded.preview.0 && embedded.preview.1.is_some(), "{embedded:#?}");
    assert!(embedded.first.is_some() && embedded.last.is_some(), "{embedded:#?}");
    assert!(whole.stop().await.success());

    let ground = fresh_ground().await;
    let port = free_port();
    let billing = billing_at(&ground.process("billing", &redis.store(), &[]), port).await;
    let export = export_at(&export_of(&ground, &redis, port)).await;
    assert_eq!(scenario(&export.api()).await, embedded);

    // Every role tells of every operation and of the quota; only its own services are there.
    let listed = billing.api().list(Default::default()).await.operations;
    assert_eq!((listed.len(), listed[0].state()), (1, OperationState::Succeeded));
    assert_eq!(billing.api().quota(&TENCENT).await.used, embedded.used);
    let refused = billing.api().refused(request(spec_of(&TENCENT, TENCENT.image("ubuntu")))).await;
    assert_eq!((refused.code, refused.reason()), (Code::Unimplemented, "METHOD_UNKNOWN"));
    let mut estimator =
        billing_pb::billing_estimator_service_client::BillingEstimatorServiceClient::new(export.api().channel);
    let refused = estimator.estimate_export(billing_pb::EstimateExportRequest::default()).await.unwrap_err();
    assert_eq!(Refusal::of(&refused).reason(), "METHOD_UNKNOWN");
    assert!(export.stop().await.success() && billing.stop().await.success());
}

async fn without_a_price(api: &Api, clouds: &Simulator) {
    let before = clouds.audit().await.0.last().map_or(0, |line| line.seq);
    let preview = api.preview(spec_of(&TENCENT, TENCENT.image("ubuntu"))).await;
    assert!(preview.startable && preview.estimate.is_none(), "{preview:#?}");
    assert!(preview.price_unavailable.starts_with("price unavailable: "), "{}", preview.price_unavailable);
    let used = api.quota(&TENCENT).await.used;
    let refusal = api.refused(request(limited(&TENCENT, "1000"))).await;
    assert_eq!((refusal.code, refusal.reason()), (Code::FailedPrecondition, "PRICE_UNAVAILABLE"));
    let quota = api.quota(&TENCENT).await;
    assert_eq!((quota.used, quota.reserved), (used, 0));
    let after = clouds.audit_after(before).await;
    assert!(after.0.iter().all(|line| !line.mutating), "only reads: {after:#?}");
}

#[tokio::test]
async fn while_billing_is_down_previews_go_on_and_starts_with_a_limit_are_refused() {
    let Some(redis) = Redis::start().await else { return };
    let ground = fresh_ground().await;
    let port = free_port();
    let export = export_at(&export_of(&ground, &redis, port)).await;
    let api = export.api();
    without_a_price(&api, &ground.clouds).await;

    let files = ground.process("billing", &redis.store(), &[]);
    let billing = billing_at(&files, port).await;
    assert!(api.preview(limited(&TENCENT, "1000")).await.estimate.is_some(), "the next call finds it");
    billing.kill();
    without_a_price(&api, &ground.clouds).await;

    // Without a limit no price is needed, at the start or at the end.
    let started = api.start(spec_of(&TENCENT, TENCENT.image("ubuntu"))).await;
    let ended = api.ended(&started.name).await;
    assert_eq!(ended.state(), OperationState::Succeeded, "{ended:#?}");
    let Some(Of::ExportResult(result)) = &ended.result else { panic!("no result") };
    assert!(result.estimate.is_none());

    let billing = billing_at(&files, port).await;
    assert!(api.preview(limited(&TENCENT, "1000")).await.estimate.is_some());
    let retry = RetryOperationRequest { name: ended.name };
    let refused = billing.api().operations.clone().retry_operation(retry).await.unwrap_err();
    assert_eq!(Refusal::of(&refused).reason(), "OPERATION_NOT_RETRYABLE");
    assert!(export.stop().await.success() && billing.stop().await.success());
}

#[tokio::test]
async fn a_price_file_that_cannot_be_used_refuses_the_start_with_its_rows() {
    let ground = fresh_ground().await;
    let prices = ground.folder().join("contract.csv");
    std::fs::write(&prices, "cloud,site\nx,y\n").unwrap();
    let mut files = ground.process("billing", "memory", &[]);
    add(&files.config, &format!("\n[billing]\nprice_file = \"{}\"\n", prices.display()));
    let (status, told) = Server::try_start(&files).await.unwrap_err();
    assert!(!status.success() && told.contains("price file") && told.contains("contract.csv"), "{told}");

    files = ground.process("export", "memory", &[]);
    add(&files.config, "\n[billing]\nprice_max_age_day = 10\n");
    let (_, told) = Server::try_start(&files).await.unwrap_err();
    assert!(told.contains("did you mean `price_max_age_days`"), "{told}");
}

fn add(file: &Path, text: &str) {
    let before = std::fs::read_to_string(file).unwrap();
    std::fs::write(file, before + text).unwrap();
}
