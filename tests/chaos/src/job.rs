//! Kinds of operations, and the jobs that a storm is survived with.
//!
//! A further kind is one variant of [`Kind`] and of [`Start`], their arms here, and a place in [`KINDS`].

use std::time::Duration;

use sampan_core::Cloud;
use sampan_proto::copy::v1::{CopyImageRequest, CopySpec, Destination};
use sampan_proto::export::v1::ExportImageRequest;
use sampan_proto::operation::v1::Operation;
use sampan_proto::quota::v1::WhenQuotaSpent;
use sampan_tests_e2e::{Api, Lane, Simulator, duration, request, spec_of};
use tonic::Status;

use crate::lanes::{LANES, neighbour};

/// What the jobs of a lane are, in turn.
pub const KINDS: &[Kind] = &[Kind::Export, Kind::Copy, Kind::Export, Kind::Export, Kind::Export];

/// Units of a Tencent lane's day.
const DAY: usize = 5;
/// Jobs that each Tencent lane is given: twice what it may do in a day, so that half of them wait.
const PER_TENCENT_LANE: usize = 2 * DAY;
/// Accounts that a copy is shared with.
const RECEIVERS: usize = 2;

/// How long one may run. Some are stalled, so it is short; but whoever looks for a lost effect needs the lane, and stands
/// in for it with all others of the lane, which takes its time on a busy machine.
const DEADLINE: Duration = Duration::from_secs(100);

/// A kind of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An export of an image of its own.
    Export,
    /// A copy of an image of its own to the neighbour of its lane, which starts a share there. An export where the
    /// lane has no neighbour.
    Copy,
}

/// One operation that is asked for, always with the same request id.
#[derive(Debug, Clone)]
pub struct Job {
    /// Where it is.
    pub lane: Lane,
    /// The image that it is about; no other job is about it.
    pub image: String,
    /// The name of that image, and of no other but its copies.
    pub name: String,
    /// What is asked for.
    pub start: Start,
}

/// The request that starts a job.
#[derive(Debug, Clone)]
pub enum Start {
    /// Of an export.
    Export(ExportImageRequest),
    /// Of a copy.
    Copy {
        /// The lane that it goes to.
        to: Lane,
        /// Who is to have it there.
        receivers: Vec<String>,
        /// The request.
        request: CopyImageRequest,
    },
}

/// Makes `count` jobs over all lanes, each with an image of its own.
pub async fn jobs(clouds: &Simulator, count: usize) -> Vec<Job> {
    let lanes_of = |cloud: Cloud| LANES.iter().copied().enumerate().filter(move |(_, lane)| lane.cloud == cloud);
    let tencent = lanes_of(Cloud::Tencent).cycle().take((PER_TENCENT_LANE * 6).min(count / 2));
    let few: Vec<(usize, Lane)> = tencent.collect();
    let many: Vec<(usize, Lane)> = lanes_of(Cloud::Alibaba).cycle().take(count - few.len()).collect();
    let mut of_lane = [0; LANES.len()];
    let mut jobs = Vec::with_capacity(count);
    for (number, (index, lane)) in few.into_iter().chain(many).enumerate() {
        let kind = KINDS[of_lane[index] % KINDS.len()];
        of_lane[index] += 1;
        let name = format!("image{number}");
        let image = clouds.add_image(&lane, &name).await;
        let start = Start::of(kind, &lane, &image);
        jobs.push(Job { lane, image, name, start });
    }
    jobs
}

impl Start {
    fn of(kind: Kind, lane: &Lane, image: &str) -> Self {
        let mut export = spec_of(lane, image);
        export.set_when_quota_spent(WhenQuotaSpent::Queue);
        export.deadline = Some(duration(DEADLINE));
        match (kind, neighbour(lane)) {
            (Kind::Copy, Some(to)) => {
                let receivers: Vec<String> = (0..RECEIVERS).map(|index| lane.receiver(index)).collect();
                let spec = CopySpec {
                    image: export.image,
                    destinations: vec![Destination { region: to.region.to_owned(), ..Destination::default() }],
                    share_with: receivers.clone(),
                    when_quota_spent: export.when_quota_spent,
                    deadline: export.deadline,
                    ..CopySpec::default()
                };
                let request_id = request(Default::default()).request_id;
                let request = CopyImageRequest { request_id, spec: Some(spec), ..CopyImageRequest::default() };
                Self::Copy { to, receivers, request }
            }
            (Kind::Export | Kind::Copy, _) => Self::Export(request(export)),
        }
    }
}

impl Job {
    /// Asks for it once.
    ///
    /// # Errors
    /// The status of a refusal, or of a server that died.
    pub async fn start(&self, api: &Api) -> Result<Operation, Status> {
        match &self.start {
            Start::Export(request) => api.send(request.clone()).await,
            Start::Copy { request, .. } => api.send_copy(request.clone()).await,
        }
    }
}
