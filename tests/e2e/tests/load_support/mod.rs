//! Callers that keep a system busy, and what became of every call and operation of theirs.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use sampan_proto::billing::v1 as billing_pb;
use sampan_proto::copy::v1 as copy_pb;
use sampan_proto::operation::v1::{GetOperationRequest, ListOperationsRequest, Operation, OperationState};
use sampan_proto::operation::v1::{OperationKind, WaitOperationRequest};
use sampan_proto::quota::v1::GetQuotaRequest;
use sampan_tests_e2e::{ALIBABA, Api, Lane, Refusal, Simulator, TENCENT, duration, is_passing, request, spec_of};
use serde_json::json;
use tonic::Status;
use uuid::Uuid;

/// Operations that Tencent Cloud allows a region on one day.
const DAY: usize = 5;
/// Pause before a call that failed is made again.
const AGAIN: Duration = Duration::from_millis(50);
/// How long one call waits for the end of an operation.
const WAIT: Duration = Duration::from_secs(20);
/// Such calls until an operation counts as lost.
const WAITS: usize = 3;

/// The lanes of the callers: a caller for each.
pub const LANES: [Lane; 4] = [
    TENCENT,
    ALIBABA,
    Lane { region: "cn-beijing", bucket: "load-beijing", ..ALIBABA },
    Lane { region: "cn-hongkong", bucket: "load-hongkong", ..ALIBABA },
];

/// One operation that a caller has started.
#[derive(Debug, Clone)]
pub struct Started {
    pub kind: OperationKind,
    pub lane: Lane,
    pub image: String,
    pub operation: Operation,
}

/// What has become of the calls.
#[derive(Debug, Default)]
pub struct Load {
    is_over: AtomicBool,
    /// Operations at their end.
    pub ended: Mutex<Vec<Started>>,
    /// Calls that were answered.
    pub answered: AtomicUsize,
    /// Waits that were let go by a server that stops, as it is documented.
    pub let_go: AtomicUsize,
    /// Calls that failed, and were made again.
    pub lost: Mutex<Vec<String>>,
}

impl Load {
    /// Makes buckets, and lets the clouds run many jobs side by side.
    pub async fn prepare(clouds: &Simulator) {
        for lane in &LANES[2..] {
            let bucket = json!({
                "cloud": lane.cloud.as_str(), "account": lane.number, "region": lane.region, "name": lane.bucket,
            });
            clouds.post("buckets", bucket).await;
        }
        let roomy = json!({ "running_exports": 50, "running_copies": 50, "images_per_region": 1000 });
        clouds.limits(&ALIBABA, roomy.clone()).await;
        clouds.limits(&TENCENT, roomy).await;
    }

    /// Keeps the callers calling until [`Load::end`]; each ends what it has begun.
    pub async fn run(&self, api: &(dyn Fn() -> Api + Sync), clouds: &Simulator) {
        let exporters = LANES.iter().map(|lane| self.export(api(), clouds, *lane));
        tokio::join!(join_all(exporters), self.copy(api(), clouds), self.look(api()), self.look(api()));
    }

    /// Returns when so many calls were answered.
    pub async fn reach(&self, answered: usize) {
        while self.answered.load(Ordering::Relaxed) < answered {
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Lets the callers come to their end.
    pub fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    /// Returns whether the callers come to their end.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// Exports one image after the other.
    async fn export(&self, api: Api, clouds: &Simulator, lane: Lane) {
        let most = if lane == TENCENT { DAY } else { usize::MAX };
        for number in 0..most {
            if self.is_over() {
                return;
            }
            let image = clouds.add_image(&lane, &format!("export{number}")).await;
            let start = request(spec_of(&lane, &image));
            let started = self.ask("ExportImage", async || api.send(start.clone()).await).await;
            let operation = self.wait(&api, &started.name).await;
            let done = Started { kind: OperationKind::Export, lane, image, operation };
            self.ended.lock().unwrap().push(done);
        }
    }

    /// Copies one image after the other, and has the copies shared.
    async fn copy(&self, api: Api, clouds: &Simulator) {
        let lane = ALIBABA;
        for number in 0.. {
            if self.is_over() {
                return;
            }
            let image = clouds.add_image(&lane, &format!("copy{number}")).await;
            let spec = copy_pb::CopySpec {
                image: spec_of(&lane, &image).image,
                destinations: vec![copy_pb::Destination { region: "cn-shanghai".to_owned(), ..Default::default() }],
                share_with: vec!["1000000000000100".to_owned()],
                ..Default::default()
            };
            let request_id = Uuid::new_v4().to_string();
            let start = copy_pb::CopyImageRequest { request_id, spec: Some(spec), ..Default::default() };
            let started = self.ask("CopyImage", async || api.send_copy(start.clone()).await).await;
            let operation = self.wait(&api, &started.name).await;
            let done = Started { kind: OperationKind::Copy, lane, image, operation };
            self.ended.lock().unwrap().push(done);
        }
    }

    /// Asks everything that changes nothing.
    async fn look(&self, api: Api) {
        let disks = vec![billing_pb::DiskSize { capacity_bytes: 1 << 30, used_bytes: None }];
        let price = billing_pb::EstimateExportRequest {
            cloud: ALIBABA.wire_cloud(),
            site: billing_pb::Site::Cn.into(),
            region: ALIBABA.region.to_owned(),
            disks,
            ..Default::default()
        };
        let preview =
            sampan_proto::export::v1::PreviewExportRequest { spec: Some(spec_of(&ALIBABA, ALIBABA.image("ubuntu"))) };
        let quota = GetQuotaRequest {
            cloud: TENCENT.wire_cloud(),
            account: TENCENT.account.to_owned(),
            region: TENCENT.region.to_owned(),
        };
        while !self.is_over() {
            self.ask("EstimateExport", async || api.billing.clone().estimate_export(price.clone()).await).await;
            let previewed = async || api.export.clone().preview_export(preview.clone()).await;
            let preview = self.ask("PreviewExport", previewed).await.into_inner();
            assert!(preview.startable, "{:?}", preview.violations);
            self.ask("GetQuota", async || api.quotas.clone().get_quota(quota.clone()).await).await;
            let list = ListOperationsRequest { page_size: 5, ..Default::default() };
            let listed = async || api.operations.clone().list_operations(list.clone()).await;
            let newest = self.ask("ListOperations", listed).await.into_inner().operations;
            if let Some(newest) = newest.first() {
                let get = GetOperationRequest { name: newest.name.clone() };
                self.ask("GetOperation", async || api.operations.clone().get_operation(get.clone()).await).await;
            }
        }
    }

    /// Waits for the end of an operation; who is let go waits on.
    async fn wait(&self, api: &Api, name: &str) -> Operation {
        let request = WaitOperationRequest { name: name.to_owned(), timeout: Some(duration(WAIT)) };
        for _ in 0..WAITS {
            let waited = self.ask("WaitOperation", async || {
                loop {
                    match api.operations.clone().wait_operation(request.clone()).await {
                        Err(status) if Refusal::of(&status).reason() == "SHUTTING_DOWN" => {
                            self.let_go.fetch_add(1, Ordering::Relaxed);
                        }
                        answered => return answered,
                    }
                }
            });
            let operation = waited.await.into_inner().operation.expect("an operation");
            if operation.done {
                return operation;
            }
        }
        panic!("{name} has no end");
    }

    /// Makes a call until it is answered; what was not answered at once is written down.
    async fn ask<T>(&self, what: &str, call: impl AsyncFn() -> Result<T, Status>) -> T {
        loop {
            match call().await {
                Ok(answer) => {
                    self.answered.fetch_add(1, Ordering::Relaxed);
                    return answer;
                }
                Err(status) => {
                    assert!(is_passing(&status), "{what}: {status:?}");
                    self.lost.lock().unwrap().push(format!("{what}: {status:?}"));
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// Checks that everything that was started came to a good end, and that the clouds were asked for it once.
    ///
    /// - `others`: exports that others have started.
    pub async fn verify(&self, api: &Api, clouds: &Simulator, others: usize) {
        let ended = self.ended.lock().unwrap().clone();
        let seen = clouds.audit().await;
        for Started { kind, lane, image, operation } in &ended {
            assert_eq!(operation.state(), OperationState::Succeeded, "{operation:#?}");
            let action = if *kind == OperationKind::Copy { "CopyImage" } else { lane.export_action };
            let of_image = seen
                .of(action)
                .into_iter()
                .filter(|line| line.cloud == lane.cloud.as_str() && line.is_accepted() && !line.dry_run);
            let accepted = of_image.filter(|line| line.image.as_deref() == Some(image)).count();
            assert_eq!(accepted, 1, "{kind:?} of {image}: {:#?}", operation.warnings);
            if *kind == OperationKind::Copy {
                assert!(operation.warnings.iter().all(|warning| warning.code != "SHARE_FAILED"), "{operation:#?}");
            }
        }
        let known = everything(api).await;
        let count = |wanted| known.iter().filter(|operation| operation.kind() == wanted).count();
        let (exports, copies, shares) =
            (count(OperationKind::Export), count(OperationKind::Copy), count(OperationKind::Share));
        assert_eq!(
            (exports + copies - others, shares),
            (ended.len(), copies),
            "no operation is lost, and none is twice"
        );
        let quota = api.quota(&TENCENT).await;
        assert_eq!(u64::from(quota.used), clouds.counted(&TENCENT).await, "our count is the cloud's");
    }

    /// Says how much was done.
    pub fn print(&self, what: &str) {
        let (answered, let_go) = (self.answered.load(Ordering::Relaxed), self.let_go.load(Ordering::Relaxed));
        let (ended, lost) = (self.ended.lock().unwrap().len(), self.lost.lock().unwrap().len());
        println!("{what}: {answered} calls answered, {lost} lost, {let_go} waits let go, {ended} operations ended");
    }
}

/// Returns every operation.
async fn everything(api: &Api) -> Vec<Operation> {
    let mut all = Vec::new();
    let mut request = ListOperationsRequest { page_size: 200, ..Default::default() };
    loop {
        let page = api.list(request.clone()).await;
        all.extend(page.operations);
        if page.next_page_token.is_empty() {
            return all;
        }
        request.page_token = page.next_page_token;
    }
}
