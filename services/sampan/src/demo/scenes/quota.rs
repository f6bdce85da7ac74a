//! The quota of the day: it goes down, refuses the sixth export, and lets a queued one start after the reset.

use std::time::Duration;

use sampan_core::Cloud;
use sampan_proto::operation::v1::OperationState;
use sampan_proto::quota::v1::Quota;

use super::{accepted_exports, export_args, instant, lane, late, options, prompt, say_refusal, scene, start, watch};
use crate::client::Failure;
use crate::demo::checks::Checks;
use crate::demo::stage::Stage;
use crate::demo::{image, say, time};
use crate::exit::Exit;
use crate::output::{self, words};

/// How long the queued export is shown as waiting before the clock jumps.
const A_LOOK: Duration = Duration::from_millis(1500);

/// Spends the rest of the day, and shows the quota before and after.
pub(super) async fn goes_down(stage: &Stage, checks: &mut Checks) -> Result<(), Failure> {
    scene("5. Tencent Cloud permits 5 image operations per region and day")?;
    let pace = stage.simulator.world().pace();
    stage.simulator.world().set_pace(sampan_simulator::world::Pace { floor: Duration::from_millis(800), ..pace });
    checks.equal("4 of the day's 5 are left after the first export", show(stage).await?.remaining, Some(4))?;
    let mut started = Vec::new();
    for (count, id) in (1..).zip(image::NIGHTLY) {
        let args = export_args(Cloud::Tencent, id);
        prompt(&format!("export {} --detach", options(&args)))?;
        let operation = start(stage, &args).await?;
        let left = lane(stage).await?.remaining;
        say(&format!("{}  ({} left)", operation.name, left.map_or_else(|| "?".to_owned(), |left| left.to_string())))?;
        if left != Some(4 - count) {
            checks.equal(format!("{} are left", 4 - count), left, Some(4 - count))?;
        }
        started.push(operation.name);
    }
    let mut succeeded = 0;
    for name in &started {
        let ended = watch(stage, name).await?;
        succeeded += usize::from(ended.state() == OperationState::Succeeded);
    }
    checks.equal("all four succeeded, side by side", succeeded, started.len())?;
    checks.equal("nothing is left of the day", show(stage).await?.remaining, Some(0))
}

/// Asks for one more.
pub(super) async fn sixth_is_refused(stage: &Stage, checks: &mut Checks) -> Result<(), Failure> {
    scene("6. The sixth export of the day is refused")?;
    let args = export_args(Cloud::Tencent, image::LATE);
    prompt(&format!("export {}", options(&args)))?;
    match start(stage, &args).await {
        Ok(operation) => checks.holds(format!("it is refused, not started as {}", operation.name), false)?,
        Err(refusal) => {
            say_refusal(&refusal)?;
            checks.equal("the reason is the spent quota", refusal.reason.as_deref(), Some("QUOTA_SPENT"))?;
            checks.holds("the exit code of the command says so too (4)", refusal.exit == Exit::QuotaSpent)?;
        }
    }
    checks.equal("the cloud was not asked", accepted_exports(stage, Cloud::Tencent), 5)
}

/// Queues it, lets the day turn, and sees it start.
pub(super) async fn queued_starts_by_itself(stage: &Stage, checks: &mut Checks) -> Result<(), Failure> {
    scene("7. With --queue it waits for the next day, and starts by itself")?;
    let mut args = export_args(Cloud::Tencent, image::LATE);
    args.queue = true;
    prompt(&format!("export {}", options(&args)))?;
    let queued = start(stage, &args).await?;
    output::operation::print(&queued).map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    let quota = queued.quota.clone().unwrap_or_default();
    let reset = lane(stage).await?.reset_time;
    checks.equal("it waits for quota", queued.state(), OperationState::WaitingForQuota)?;
    checks.equal("it is the first in line", quota.waiting_position, Some(1))?;
    checks.equal("it knows its earliest start: the reset", quota.earliest_start_time, reset)?;
    let Some(reset) = instant(reset.as_ref()) else {
        return Err(Failure::new(Exit::Failed, "the quota has no time of reset"));
    };
    let jump = async {
        tokio::time::sleep(A_LOOK).await;
        time::jump_beyond(&stage.clock, reset)
    };
    let (ended, jumped) = tokio::join!(watch(stage, &queued.name), jump);
    let ended = ended.map_err(|failure| match failure.exit {
        Exit::Failed => late("the queued export did not start", stage.patience()),
        _ => failure,
    })?;
    let hours = words::duration(Duration::try_from(jumped).unwrap_or_default());
    say(&format!("the clock of the demo was put forward by {hours}, beyond the reset"))?;
    checks.equal("it started by itself and succeeded", ended.state(), OperationState::Succeeded)?;
    checks.equal("the new day has counted it", show(stage).await?.remaining, Some(4))?;
    checks.equal(
        "six exports were asked for once each, and the cloud saw six calls",
        accepted_exports(stage, Cloud::Tencent),
        6,
    )
}

async fn show(stage: &Stage) -> Result<Quota, Failure> {
    prompt("quota --cloud tencent --region ap-guangzhou")?;
    let quota = lane(stage).await?;
    output::quota::print(std::slice::from_ref(&quota))
        .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    Ok(quota)
}
