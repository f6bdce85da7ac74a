//! One whole tour of the services on both clouds gives the same answers, and the same calls to the clouds, in one
//! process, in four, and in four times three behind a proxy.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod copy_support;
mod share_support;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sampan_proto::billing::v1 as billing_pb;
use sampan_proto::copy::v1 as copy_pb;
use sampan_proto::export::v1 as export_pb;
use sampan_proto::operation::v1::operation::Result as Of;
use sampan_proto::operation::v1::{
    GetOperationRequest, ListOperationsRequest, Operation, OperationState, WatchOperationRequest,
};
use sampan_proto::share::v1 as share_pb;
use sampan_tests_e2e::{
    ALIBABA, Api, Ground, Lane, Mesh, Places, ROLES, Redis, Refusal, Server, Setup, Simulator, TENCENT, World, day,
    request, spec_of,
};
use tokio::sync::OnceCell;
use tonic::Code;
use uuid::Uuid;

/// Longest time that a tour takes, with room.
const A_WHILE: Duration = Duration::from_secs(60);
const GIB: i64 = 1 << 30;

/// What callers and clouds saw of a tour, a line each, without ids and times.
type Told = Vec<String>;

/// A caller on its tour: every step is made over fresh connections.
struct Tour<'a> {
    api: &'a (dyn Fn() -> Api + Sync),
    clouds: &'a Simulator,
    lane: Lane,
    told: Told,
}

impl Tour<'_> {
    fn tell(&mut self, what: &str, facts: impl std::fmt::Debug) {
        self.told.push(format!("{} {what}: {facts:?}", self.lane.cloud));
    }

    fn labels(&self) -> HashMap<String, String> {
        HashMap::from([("tour".to_owned(), self.lane.cloud.to_string())])
    }

    async fn ended(&self, started: &Operation) -> Operation {
        (self.api)().ended(&started.name).await
    }

    async fn previews(&mut self) {
        let api = (self.api)();
        for word in ["ubuntu", "market", "nothere"] {
            let preview = api.preview(spec_of(&self.lane, self.lane.image(word))).await;
            assert_eq!(preview.startable, word == "ubuntu", "{preview:#?}");
            let rules: Vec<_> = preview.violations.iter().map(|violation| violation.rule.clone()).collect();
            self.tell(word, (rules, preview.estimate, preview.price_unavailable, preview.planned_calls.len()));
        }
    }

    async fn exports(&mut self) {
        let spec = spec_of(&self.lane, self.lane.image("ubuntu"));
        let start = export_pb::ExportImageRequest { labels: self.labels(), ..request(spec) };
        let started = (self.api)().send(start.clone()).await.expect("accepted");
        let again = (self.api)().send(start.clone()).await.expect("the same request again");
        assert_eq!(again.name, started.name, "one request id is one operation");
        let other = export_pb::ExportImageRequest { labels: HashMap::new(), ..start };
        let refused = (self.api)().refused(other).await;
        assert_eq!((refused.code, refused.reason()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));

        let states = self.watched(&started.name).await;
        assert!(states.is_sorted_by(|one, next| one.revision < next.revision), "{states:#?}");
        let ended = states.last().expect("states");
        let Some(Of::ExportResult(result)) = &ended.result else { panic!("{ended:#?}") };
        let sizes: Vec<_> = result.artifacts.iter().map(|artifact| artifact.size_bytes).collect();
        self.tell("export", (ended.state(), sizes, &result.first_estimate, &result.estimate));
        let image = self.lane.image("ubuntu");
        assert_eq!(self.clouds.audit().await.accepted_exports(&self.lane, &image), 1);
        assert_eq!(self.clouds.objects(self.lane.bucket).await.len(), result.artifacts.len());
    }

    /// Follows an operation from its first revision to its end.
    async fn watched(&self, name: &str) -> Vec<Operation> {
        let request = WatchOperationRequest { name: name.to_owned(), from_revision: None };
        let mut stream = (self.api)().operations.watch_operation(request).await.expect("a watch").into_inner();
        let mut states = Vec::new();
        while let Some(answer) = stream.message().await.expect("the watch goes on") {
            states.push(answer.operation.expect("an operation"));
        }
        assert!(states.last().is_some_and(|last| last.done), "{states:#?}");
        states
    }

    /// Copies an image to two regions and shares the copies; then shares the image itself.
    async fn copies_and_shares(&mut self) {
        let lane = self.lane;
        let image = self.clouds.add_image(&lane, "golden").await;
        let (first, then) = (share_support::receivers(&lane, 0..2), share_support::receivers(&lane, 2..5));
        let spec = copy_pb::CopySpec {
            share_with: first.clone(),
            ..copy_support::spec(&lane, &image, &copy_support::regions(&lane)[..2])
        };
        let preview = copy_pb::PreviewCopyRequest { spec: Some(spec.clone()), keep_for: None };
        let preview = (self.api)().copies.preview_copy(preview).await.expect("a preview").into_inner();
        self.tell("preview of a copy", (preview.startable, preview.estimate, preview.planned_calls.len()));
        let start = copy_pb::CopyImageRequest { labels: self.labels(), ..copy_support::request(spec) };
        let started = (self.api)().send_copy(start).await.expect("accepted");
        let ended = self.ended(&started).await;
        let copied = copy_support::left(&ended).images.clone();
        let shared: Vec<_> = copied.iter().map(|copy| (copy.name.clone(), copy.shared_with.clone())).collect();
        self.tell("copy", (ended.state(), copy_support::states(&ended), &shared, &ended.warnings));
        for copy in copied {
            let id = copy.reference.expect("an image").image_id;
            assert_eq!(share_support::holders(self.clouds, &id).await, first, "{id}");
        }

        let spec = Some(share_support::spec(&lane, &image, &then));
        let request_id = Uuid::new_v4().to_string();
        let start = share_pb::ShareImageRequest { request_id, spec, labels: self.labels() };
        let started = (self.api)().send_share(start).await.expect("accepted");
        let ended = self.ended(&started).await;
        self.tell("share", (ended.state(), copy_support::states(&ended), &share_support::own(&ended).added));
        let list = share_pb::ListImageSharesRequest { image: Some(share_support::reference(&lane, &image)) };
        let listed = (self.api)().shares.list_image_shares(list).await.expect("a list").into_inner().shares;
        let listed: Vec<_> = listed.into_iter().map(|share| share.account_id).collect();
        assert_eq!((listed, share_support::holders(self.clouds, &image).await), (then.clone(), then));
    }

    async fn estimates(&mut self) {
        let disks = vec![billing_pb::DiskSize { capacity_bytes: 40 * GIB, used_bytes: Some(9 * GIB) }];
        let site = billing_pb::Site::Cn.into();
        let export = billing_pb::EstimateExportRequest {
            cloud: self.lane.wire_cloud(),
            site,
            region: self.lane.region.to_owned(),
            disks: disks.clone(),
            ..Default::default()
        };
        let estimate = (self.api)().billing.estimate_export(export).await.expect("an estimate").into_inner();
        self.tell("estimate of an export", estimate.estimate.expect("an estimate"));
        let copy = billing_pb::EstimateCopyRequest {
            cloud: self.lane.wire_cloud(),
            site,
            source_region: self.lane.region.to_owned(),
            destination_regions: copy_support::regions(&self.lane).map(str::to_owned).to_vec(),
            disks,
            ..Default::default()
        };
        let estimate = (self.api)().billing.estimate_copy(copy).await.expect("an estimate").into_inner();
        self.tell("estimate of a copy", estimate.estimate.expect("an estimate"));
    }

    /// Stops an export that would last.
    async fn cancels(&mut self) {
        self.clouds.pace(A_WHILE).await;
        let start = export_pb::ExportImageRequest {
            labels: self.labels(),
            ..request(spec_of(&self.lane, self.lane.image("debian")))
        };
        let started = (self.api)().send(start).await.expect("accepted");
        (self.api)().until(&started.name, |operation| operation.step == "await_completion").await;
        (self.api)().cancel(&started.name, false).await;
        let ended = self.ended(&started).await;
        let warnings: Vec<_> = ended.warnings.iter().map(|warning| warning.code.clone()).collect();
        self.tell("cancel", (ended.state(), copy_support::states(&ended), warnings));
        self.clouds.pace(Setup::default().export_takes).await;
    }

    async fn looks_back(&mut self) {
        let list = ListOperationsRequest { labels: self.labels(), ..Default::default() };
        let listed = (self.api)().list(list).await.operations;
        let newest: Vec<_> = listed.iter().map(|operation| (operation.kind(), operation.state())).collect();
        // What the copy shared carries its labels: a share for each copy, beside the four that were started here.
        assert_eq!(newest.len(), 6, "{newest:?}");
        let first = listed.last().expect("six");
        assert_eq!((self.api)().get(&first.name).await, *first);
        self.tell("operations", newest);
        let unknown = GetOperationRequest { name: format!("operations/{}", Uuid::now_v7()) };
        let refused = Refusal::of(&(self.api)().operations.get_operation(unknown).await.unwrap_err());
        assert_eq!((refused.code, refused.reason()), (Code::NotFound, "OPERATION_NOT_FOUND"));
        let quota = (self.api)().quota(&self.lane).await;
        if self.lane == TENCENT {
            assert_eq!(u64::from(quota.used), self.clouds.counted(&self.lane).await, "our count is the cloud's");
        }
        self.tell("quota", (quota.daily_limit, quota.used, quota.reserved, quota.remaining, quota.waiting_count));
    }
}

async fn tour(api: &(dyn Fn() -> Api + Sync), clouds: &Simulator, lane: Lane) -> Told {
    let mut tour = Tour { api, clouds, lane, told: Vec::new() };
    tour.previews().await;
    tour.exports().await;
    tour.copies_and_shares().await;
    tour.estimates().await;
    tour.cancels().await;
    tour.looks_back().await;
    tour.told
}

/// Makes the tour on both clouds; its last lines are the calls that changed something, as the clouds wrote them down.
async fn scenario(api: &(dyn Fn() -> Api + Sync), clouds: &Simulator) -> Told {
    day::away_from_the_turn(A_WHILE).await;
    let mut told = tour(api, clouds, TENCENT).await;
    told.extend(tour(api, clouds, ALIBABA).await);
    let seen = clouds.audit().await;
    let line =
        |line: &sampan_tests_e2e::AuditLine| format!("{} {} {} {}", line.cloud, line.region, line.action, line.outcome);
    let mut calls: Vec<String> = seen.mutating().into_iter().map(line).collect();
    calls.sort();
    assert!(calls.iter().all(|call| call.ends_with(" ok")), "nothing was called in vain: {calls:#?}");
    told.extend(calls);
    told
}

/// What the tour tells where everything runs in one process.
async fn embedded() -> &'static Told {
    static TOLD: OnceCell<Told> = OnceCell::const_new();
    let tell = || async {
        let world = World::start().await;
        scenario(&|| world.api(), &world.clouds).await
    };
    TOLD.get_or_init(tell).await
}

fn assert_same(told: &Told, embedded: &Told) {
    for (here, there) in told.iter().zip(embedded) {
        assert_eq!(here, there);
    }
    assert_eq!(told.len(), embedded.len());
}

#[tokio::test]
async fn in_one_process_the_tour_ends_well_on_both_clouds() {
    let told = embedded().await;
    let states = [OperationState::Succeeded, OperationState::Cancelled];
    for (what, state) in [("export", states[0]), ("copy", states[0]), ("share", states[0]), ("cancel", states[1])] {
        let ends = told.iter().filter(|line| line.contains(&format!(" {what}: ({state:?}")));
        assert_eq!(ends.count(), 2, "{what}: {told:#?}");
    }
}

#[tokio::test]
async fn in_four_processes_the_tour_is_the_same() {
    let Some(redis) = Redis::start().await else { return };
    let ground = Ground::new(&Setup::default()).await;
    let mut servers = HashMap::new();
    let mut peers: Vec<(&str, Vec<String>)> = Vec::new();
    for role in ROLES {
        let known: Vec<_> = peers.iter().map(|(role, urls)| (*role, &urls[..])).collect();
        let server = Server::start_role(role, &ground.process(role, &redis.store(), &known), "127.0.0.1:0").await;
        peers.push((role, vec![server.url().to_owned()]));
        servers.insert(role, server);
    }
    let url = |role| servers[role].url();
    // Operations and quotas are asked of each process in its turn.
    let turn = AtomicUsize::new(0);
    let api = || {
        let common = url(ROLES[turn.fetch_add(1, Ordering::Relaxed) % ROLES.len()]);
        let (export, copy, share, billing) = (url("export"), url("copy"), url("share"), url("billing"));
        Api::of(&Places { export, copy, share, billing, common })
    };
    assert_same(&scenario(&api, &ground.clouds).await, embedded().await);
    for (role, server) in servers {
        assert!(server.stop().await.success(), "{role}");
    }
}

#[tokio::test]
async fn in_four_times_three_processes_behind_a_proxy_the_tour_is_the_same() {
    let Some(mesh) = Mesh::start(&Setup::default(), None).await else { return };
    assert_same(&scenario(&|| mesh.api(), &mesh.ground.clouds).await, embedded().await);
}
