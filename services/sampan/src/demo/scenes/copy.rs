//! Copies: to several regions at once with one that fails, the retry of that one, and a copy that is shared on arrival.

use std::time::Duration;

use sampan_core::Cloud;
use sampan_proto::copy::v1::CopyImageRequest;
use sampan_proto::image::v1::ImageReference;
use sampan_proto::operation::v1::{
    CopiedImage, Operation, OperationState, RetryOperationRequest, Target, TargetState, operation,
};
use sampan_simulator::world::{Fault, FaultKind, ImageState, Pace};

use super::{
    ALIBABA_REGION, GOLDEN_ALIBABA, GOLDEN_TENCENT, TENCENT_REGION, accepted, account, labels, lane, prompt, scene,
    typed, unexpected, watch,
};
use crate::cli::Command;
use crate::client::Failure;
use crate::commands::exit_of;
use crate::demo::checks::Checks;
use crate::demo::say;
use crate::demo::stage::Stage;
use crate::exit::Exit;
use crate::output::{self, style};

/// The region whose copy fails the first time.
const UNLUCKY: &str = "ap-beijing";
/// The regions whose copies succeed.
const LUCKY: [&str; 2] = ["ap-shanghai", "ap-hongkong"];
/// Long enough to see the bars grow.
const PACE: Pace = Pace {
    floor: Duration::from_millis(2500),
    per_used_gib: Duration::ZERO,
    per_further_disk: Duration::from_millis(500),
};

/// Copies to three regions, of which one fails; returns the ended operation.
pub(super) async fn to_three_regions(stage: &Stage, checks: &mut Checks) -> Result<Operation, Failure> {
    scene("10. One copy to three regions, and the cloud fails in one of them")?;
    let world = stage.simulator.world();
    world.set_pace(PACE);
    world.order_fault(Fault {
        cloud: Some(Cloud::Tencent),
        action: "SyncImages".to_owned(),
        region: Some(UNLUCKY.to_owned()),
        kind: FaultKind::FailTask,
        times: 1,
        delay: Duration::ZERO,
    });
    say(&style::faint(&format!("(the simulated cloud has orders to fail once in {UNLUCKY})")))?;
    let before = lane(stage).await?.remaining;
    let ended = copy(
        stage,
        &format!(
            "copy --cloud tencent --region {TENCENT_REGION} --image {GOLDEN_TENCENT} --to {UNLUCKY},{}",
            LUCKY.join(",")
        ),
    )
    .await?;
    checks.equal("it succeeded in part", ended.state(), OperationState::PartiallySucceeded)?;
    checks.holds("the exit code of the command says so too (6)", exit_of(&ended) == Exit::PartlyDone)?;
    checks.equal(
        "two regions have a usable copy",
        usable(stage, Cloud::Tencent, &ended)?,
        LUCKY.map(str::to_owned).to_vec(),
    )?;
    let failed: Vec<_> = ended.targets.iter().filter(|target| target.state() == TargetState::Failed).map(why).collect();
    let wanted = (UNLUCKY, "COPY_FAILED_AT_CLOUD");
    checks.equal(format!("{UNLUCKY} alone failed, with its reason"), failed, vec![wanted])?;
    let calls = accepted(stage, Cloud::Tencent, "SyncImages");
    let regions: Vec<usize> = calls.iter().map(|call| call.destinations.len()).collect();
    checks.equal("the cloud was asked once, for all three", regions, vec![3])?;
    let left = before.map(|before| before.saturating_sub(1));
    checks.equal("all three cost one operation of the day", lane(stage).await?.remaining, left)?;
    Ok(ended)
}

/// Tries the failed region again; returns the operation as it ended then.
pub(super) async fn failed_one_again(
    first: &Operation,
    stage: &Stage,
    checks: &mut Checks,
) -> Result<Operation, Failure> {
    scene("11. The retry, of what failed and nothing else")?;
    prompt(&format!("operations retry {}", first.name))?;
    let request = RetryOperationRequest { name: first.name.clone() };
    stage.client.operations().retry_operation(request).await?;
    let ended = show(stage, &first.name).await?;
    checks.equal("now all of it succeeded", ended.state(), OperationState::Succeeded)?;
    checks.equal("all three regions have a usable copy", usable(stage, Cloud::Tencent, &ended)?.len(), 3)?;
    let calls = accepted(stage, Cloud::Tencent, "SyncImages");
    let last = calls.last().map(|call| call.destinations.clone()).unwrap_or_default();
    checks.equal(
        format!("the cloud was asked for {UNLUCKY} alone"),
        (calls.len(), last),
        (2, vec![UNLUCKY.to_owned()]),
    )?;
    let kept = copies(first).iter().all(|copy| copies(&ended).iter().any(|now| now.reference == copy.reference));
    checks.holds("the good copies are the same as before", kept)?;
    let owner = account(stage, Cloud::Tencent, 0)?;
    let there = stage.simulator.world().images(Cloud::Tencent, &owner.id, UNLUCKY);
    let is_failed = there.iter().any(|image| image.state == ImageState::Failed);
    checks.holds(format!("the failed image is gone from {UNLUCKY}"), !is_failed)?;
    Ok(ended)
}

/// Copies on Alibaba Cloud, and shares each copy with another account as soon as it can be used.
pub(super) async fn shared_on_arrival(stage: &Stage, checks: &mut Checks) -> Result<(), Failure> {
    scene("13. On Alibaba Cloud: copied, and shared on arrival")?;
    let receiver = account(stage, Cloud::Alibaba, 1)?.id;
    stage.simulator.world().set_pace(Pace { floor: Duration::from_millis(1500), ..PACE });
    let ended = copy(
        stage,
        &format!(
            "copy --cloud alibaba --region {ALIBABA_REGION} --image {GOLDEN_ALIBABA} --to cn-shanghai,ap-southeast-1 \
             --share-with {receiver}"
        ),
    )
    .await?;
    checks.equal("it succeeded", ended.state(), OperationState::Succeeded)?;
    checks.equal("both regions have a usable copy", usable(stage, Cloud::Alibaba, &ended)?.len(), 2)?;
    checks.equal("the cloud was asked once for each", accepted(stage, Cloud::Alibaba, "CopyImage").len(), 2)?;
    let shared = copies(&ended).iter().all(|copy| copy.shared_with == [receiver.as_str()]);
    checks.holds(format!("account {receiver} has both"), shared)
}

/// Starts a copy as it is typed, and shows it to its end.
async fn copy(stage: &Stage, line: &str) -> Result<Operation, Failure> {
    let Command::Copy(command) = typed(line)? else { return Err(unexpected(line)) };
    let request = CopyImageRequest {
        request_id: uuid::Uuid::new_v4().to_string(),
        spec: Some(command.copy.spec()),
        labels: labels(),
    };
    let started = stage.client.copies().copy_image(request).await?.into_inner().operation.unwrap_or_default();
    show(stage, &started.name).await
}

/// Shows an operation to its end, and what came of it.
async fn show(stage: &Stage, name: &str) -> Result<Operation, Failure> {
    let ended = watch(stage, name).await?;
    output::operation::print(&ended).map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    Ok(ended)
}

/// Returns the copies that an operation has made.
pub(super) fn copies(ended: &Operation) -> &[CopiedImage] {
    match &ended.result {
        Some(operation::Result::CopyResult(result)) => &result.images,
        Some(operation::Result::ExportResult(_) | operation::Result::ShareResult(_)) | None => &[],
    }
}

/// Returns the regions whose copy the cloud itself calls ready.
fn usable(stage: &Stage, cloud: Cloud, ended: &Operation) -> Result<Vec<String>, Failure> {
    let owner = account(stage, cloud, 0)?.id;
    let world = stage.simulator.world();
    let references = copies(ended).iter().filter_map(|copy| copy.reference.as_ref());
    let is_ready = |copy: &&ImageReference| {
        let image = world.image(cloud, &owner, &copy.region, &copy.image_id);
        image.is_some_and(|image| image.state == ImageState::Ready)
    };
    Ok(references.filter(is_ready).map(|copy| copy.region.clone()).collect())
}

/// Returns the region of a target, and why it failed.
fn why(target: &Target) -> (&str, &str) {
    (&target.id, target.error.as_ref().map_or("", |error| &error.reason))
}
