//! Kinds of operations, and the jobs that a storm is survived with.
//!
//! A further kind is one variant of [`Kind`], its arms here, and a place in [`KINDS`].

use std::time::Duration;

use sampan_core::Cloud;
use sampan_proto::export::v1::ExportImageRequest;
use sampan_proto::operation::v1::Operation;
use sampan_proto::quota::v1::WhenQuotaSpent;
use sampan_tests_e2e::{Api, Lane, Seen, Simulator, duration, request, spec_of};
use tonic::Status;

use crate::lanes::LANES;

/// What the jobs of a storm are, in turn.
pub const KINDS: &[Kind] = &[Kind::Export];

/// Units of a Tencent lane's day.
const DAY: usize = 5;
/// Jobs that each Tencent lane is given: twice what it may do in a day, so that half of them wait.
const PER_TENCENT_LANE: usize = 2 * DAY;

/// How long one may run; the shortest that can be asked for, because some are stalled.
const DEADLINE: Duration = Duration::from_secs(60);

/// A kind of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An export of an image of its own.
    Export,
}

/// One operation that is asked for, always with the same request id.
#[derive(Debug, Clone)]
pub struct Job {
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub lane: Lane,
    /// The image that it is about; no other job is about it.
    pub image: String,
    request: ExportImageRequest,
}

/// Makes `count` jobs over all lanes, each with an image of its own.
pub async fn jobs(clouds: &Simulator, count: usize) -> Vec<Job> {
    let lanes_of = |cloud: Cloud| LANES.iter().filter(move |lane| lane.cloud == cloud);
    let few =
        lanes_of(Cloud::Tencent).cycle().take((PER_TENCENT_LANE * lanes_of(Cloud::Tencent).count()).min(count / 2));
    let few: Vec<Lane> = few.copied().collect();
    let many: Vec<Lane> = lanes_of(Cloud::Alibaba).cycle().take(count - few.len()).copied().collect();
    let mut jobs = Vec::with_capacity(count);
    for (number, lane) in few.iter().chain(&many).enumerate() {
        let kind = KINDS[number % KINDS.len()];
        let image = clouds.add_image(lane, &format!("image{number}")).await;
        let mut spec = spec_of(lane, &image);
        spec.set_when_quota_spent(WhenQuotaSpent::Queue);
        spec.deadline = Some(duration(DEADLINE));
        jobs.push(Job { kind, lane: *lane, image, request: request(spec) });
    }
    jobs
}

impl Job {
    /// Asks for it once.
    ///
    /// # Errors
    /// The status of a refusal, or of a server that died.
    pub async fn start(&self, api: &Api) -> Result<Operation, Status> {
        match self.kind {
            Kind::Export => api.send(self.request.clone()).await,
        }
    }

    /// Returns how many calls for it the cloud has accepted.
    pub fn accepted(&self, seen: &Seen) -> usize {
        match self.kind {
            Kind::Export => seen.accepted_exports(&self.lane, &self.image),
        }
    }
}
