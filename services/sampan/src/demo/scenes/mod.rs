//! What the demo shows, in order; each scene prints the command that does the same by hand.

mod copy;
mod download;
mod export;
mod preview;
mod quota;
mod share;

use std::collections::HashMap;
use std::time::Duration;

use clap::Parser as _;
use sampan_core::{Cloud, ImageFormat};
use sampan_proto::export::v1::ExportImageRequest;
use sampan_proto::operation::v1::Operation;
use sampan_proto::quota::v1::{GetQuotaRequest, Quota};
use sampan_simulator::world::{Account, AuditLine, Call};
use tokio::time::timeout;

use super::checks::Checks;
use super::prompt::prompt;
use super::stage::{LABEL, Stage};
use super::{image, interrupted, say, time};
use crate::cli::{Cli, Command, CostArgs, ExportArgs, wire_cloud};
use crate::client::Failure;
use crate::commands::watch_to_the_end;
use crate::exit::Exit;
use crate::output::style;

/// Region of the demo on Tencent Cloud.
pub(super) const TENCENT_REGION: &str = "ap-guangzhou";
/// Region of the demo on Alibaba Cloud.
pub(super) const ALIBABA_REGION: &str = "cn-hangzhou";
/// Bucket in the region of Tencent Cloud.
pub(super) const TENCENT_BUCKET: &str = "sampan-guangzhou-1250000000";
/// Bucket in the region of Alibaba Cloud.
pub(super) const ALIBABA_BUCKET: &str = "sampan-hangzhou";
/// Bucket in another region of Tencent Cloud.
const BUCKET_ELSEWHERE: &str = "sampan-shanghai-1250000000";
/// Image of the simulated Tencent Cloud that is copied and shared.
pub(super) const GOLDEN_TENCENT: &str = "img-ubuntu01";
/// Image of the simulated Alibaba Cloud that is copied and shared.
pub(super) const GOLDEN_ALIBABA: &str = "m-bp1sampanubuntu00001";
/// Days that a store of earlier demos may have used up before it is asked to be another one.
const MOST_DAYS: u32 = 60;

/// Plays every scene.
///
/// # Errors
/// [`Failure`] when a scene cannot go on; checks that fail are counted, not returned.
pub(super) async fn play(stage: &Stage, checks: &mut Checks) -> Result<(), Failure> {
    open(stage).await?;
    preview::refused(stage, checks).await?;
    preview::good(stage, checks).await?;
    let tencent = export::on(Cloud::Tencent, stage, checks).await?;
    let alibaba = export::on(Cloud::Alibaba, stage, checks).await?;
    quota::goes_down(stage, checks).await?;
    quota::sixth_is_refused(stage, checks).await?;
    quota::queued_starts_by_itself(stage, checks).await?;
    download::of(&tencent, stage, checks).await?;
    download::of(&alibaba, stage, checks).await?;
    let partial = copy::to_three_regions(stage, checks).await?;
    let copied = copy::failed_one_again(&partial, stage, checks).await?;
    share::with_copies(&copied, stage, checks).await?;
    copy::shared_on_arrival(stage, checks).await?;
    say("")
}

async fn open(stage: &Stage) -> Result<(), Failure> {
    let addresses = stage.simulator.addresses();
    say(&style::bold("Sampan demo: both clouds are simulated, everything else is real"))?;
    say(&format!("  clouds    CVM {}  COS {}", addresses.cvm, addresses.cos))?;
    say(&format!("            ECS {}  OSS {}", addresses.ecs, addresses.oss))?;
    say(&format!("  services  {}", stage.endpoint))?;
    say(&format!("  store     {}", stage.store))?;
    say(&format!("  disk      {}", stage.disks.system.display()))?;
    // The store of an earlier demo may have spent its day.
    for _ in 0..MOST_DAYS {
        let quota = lane(stage).await?;
        if quota.remaining == quota.daily_limit && quota.waiting_count == 0 {
            return Ok(());
        }
        if let Some(reset) = instant(quota.reset_time.as_ref()) {
            time::jump_beyond(&stage.clock, reset);
        }
    }
    Err(Failure::new(Exit::Failed, "the store has no unspent day").advice("name an empty folder with --store"))
}

/// Prints the heading of a scene.
fn scene(title: &str) -> Result<(), Failure> {
    say("")?;
    say(&style::bold(title))
}

/// Prints a refusal as its command would.
fn say_refusal(refusal: &Failure) -> Result<(), Failure> {
    say(&refusal.within(style::width()))
}

/// Prints a command and reads it as the program would, so that what is shown is what is done.
fn typed(line: &str) -> Result<Command, Failure> {
    prompt(line)?;
    read(line)
}

/// Reads a command as the program would.
fn read(line: &str) -> Result<Command, Failure> {
    let words = std::iter::once("sampan").chain(line.split_whitespace());
    let read = Cli::try_parse_from(words).map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    Ok(read.command)
}

fn unexpected(line: &str) -> Failure {
    Failure::new(Exit::Failed, format!("`{line}` is read as another command than the demo means"))
}

/// Returns the export of an image, as the command line describes it.
fn export_args(cloud: Cloud, image: &str) -> ExportArgs {
    let (region, bucket, prefix) = match cloud {
        Cloud::Tencent => (TENCENT_REGION, TENCENT_BUCKET, None),
        Cloud::Alibaba => (ALIBABA_REGION, ALIBABA_BUCKET, Some("demo".to_owned())),
    };
    ExportArgs {
        cloud,
        account: None,
        region: region.to_owned(),
        image: image.to_owned(),
        bucket: bucket.to_owned(),
        prefix,
        format: ImageFormat::Raw,
        only_root_disk: false,
        role_name: None,
        queue: false,
        deadline: None,
        stall_after: None,
        cost: CostArgs::default(),
    }
}

/// Returns the options that say the same on the command line.
pub(super) fn options(args: &ExportArgs) -> String {
    let mut text =
        format!("--cloud {} --region {} --image {} --bucket {}", args.cloud, args.region, args.image, args.bucket);
    if let Some(prefix) = &args.prefix {
        text.push_str(&format!(" --prefix {prefix}"));
    }
    if args.queue {
        text.push_str(" --queue");
    }
    text
}

/// Returns the export that a reader can try after the demo.
pub(super) fn example(cloud: Cloud) -> ExportArgs {
    match cloud {
        Cloud::Tencent => export_args(cloud, image::LATE),
        // Another prefix, so that the objects of the demo stay as they were proven.
        Cloud::Alibaba => ExportArgs { prefix: Some("again".to_owned()), ..export_args(cloud, image::ALIBABA_GOOD) },
    }
}

/// Starts an export.
async fn start(stage: &Stage, args: &ExportArgs) -> Result<Operation, Failure> {
    let request =
        ExportImageRequest { request_id: uuid::Uuid::new_v4().to_string(), spec: Some(args.spec()), labels: labels() };
    Ok(stage.client.exports().export_image(request).await?.into_inner().operation.unwrap_or_default())
}

/// Returns the labels of everything that the demo starts.
fn labels() -> HashMap<String, String> {
    let (key, value) = LABEL;
    [(key.to_owned(), value.to_owned())].into()
}

/// Shows the progress of an operation until its end.
async fn watch(stage: &Stage, name: &str) -> Result<Operation, Failure> {
    let patience = stage.patience();
    match timeout(patience, watch_to_the_end(&stage.client, name)).await {
        Ok(ended) => ended?.ok_or_else(interrupted),
        Err(_) => Err(late(&format!("{name} has not ended"), patience)),
    }
}

fn late(what: &str, patience: Duration) -> Failure {
    Failure::new(Exit::Failed, format!("{what} after {} s", patience.as_secs()))
}

/// Returns the quota of the lane whose operations are limited.
async fn lane(stage: &Stage) -> Result<Quota, Failure> {
    let request = GetQuotaRequest {
        cloud: wire_cloud(Cloud::Tencent) as i32,
        account: Cloud::Tencent.to_string(),
        region: TENCENT_REGION.to_owned(),
    };
    Ok(stage.client.quotas().get_quota(request).await?.into_inner().quota.unwrap_or_default())
}

/// Returns how many calls a cloud has accepted that changed something, from the cloud's own log.
fn accepted_exports(stage: &Stage, cloud: Cloud) -> usize {
    let log = stage.simulator.world().audit();
    log.iter().filter(|line| line.call.cloud == cloud && line.call.mutating && line.outcome == "ok").count()
}

/// Returns the calls of one action that a cloud has accepted, from the cloud's own log, oldest first.
fn accepted(stage: &Stage, cloud: Cloud, action: &str) -> Vec<Call> {
    let log = stage.simulator.world().audit();
    let is_meant = |line: &AuditLine| line.call.cloud == cloud && line.call.action == action && line.call.mutating;
    log.into_iter().filter(|line| is_meant(line) && line.outcome == "ok").map(|line| line.call).collect()
}

/// Returns one of the simulated accounts of a cloud; the first is the one that the services are configured with.
fn account(stage: &Stage, cloud: Cloud, place: usize) -> Result<Account, Failure> {
    let mut accounts = stage.simulator.credentials().into_iter().filter(|account| account.cloud == cloud);
    let none = || Failure::new(Exit::Failed, format!("the simulated {cloud} has too few accounts"));
    accounts.nth(place).ok_or_else(none)
}

fn instant(time: Option<&prost_types::Timestamp>) -> Option<jiff::Timestamp> {
    time.and_then(|time| jiff::Timestamp::new(time.seconds, time.nanos).ok())
}
