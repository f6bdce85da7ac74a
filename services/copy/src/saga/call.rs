//! Makes one call: looks at the destinations once more, announces the call, and makes it. What a refusal means is decided
//! in [`super::refused`].

use std::collections::BTreeMap;

use futures::future::join_all;
use jiff::Timestamp;
use sampan_cloud::copy::{CreateImageCall, DiskFromSnapshot, SnapshotCopyCall};
use sampan_core::{ImageId, Reason, Region};
use sampan_ops::context::Announcement;
use sampan_ops::failure::of_rules;
use sampan_ops::{Outcome, Settled, StepContext, StepError};
use sampan_state::operation::TargetState;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::copy::AT_ONCE;
use super::look::Looks;
use super::next::{Next, Wanted, next, regions};
use super::refused::refused;
use super::target::{self, Work};
use super::{Job, Planned, fail};
use crate::survey::DestinationSurvey;
use crate::{keys, rules};

pub(super) const ANSWER_LOST: &str = "ANSWER_LOST";
const COPY_SNAPSHOT: &str = "CopySnapshot";
const CREATE_IMAGE: &str = "CreateImage";
/// Description of the snapshots that a copy makes on its way.
const DESCRIPTION: &str = "made by sampan for the copy of an image";

/// What is known before a call: kept with its intent, so that an effect can be recognised after a crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CallPlan {
    pub(super) wanted: Wanted,
    /// Name of the effect, for each target of the call.
    pub(super) names: Vec<String>,
    /// Ids of that name that were there before, for each target of the call.
    pub(super) before: Vec<Vec<String>>,
    /// Effects are not older than this.
    pub(super) since: Timestamp,
    /// Token under which the vendor makes the call once.
    pub(super) token: Option<String>,
}

/// What the cloud has begun.
#[derive(Debug, Clone, Default)]
pub(super) struct Begun {
    /// Images by destination; one that is missing is found by its name.
    pub(super) images: BTreeMap<Region, ImageId>,
    /// The copy of a snapshot.
    pub(super) snapshot: Option<String>,
}

pub(super) async fn make(
    job: Job<'_>,
    planned: &Planned,
    context: &mut StepContext,
    wanted: Wanted,
) -> Result<Outcome, StepError> {
    let plan = match wanted {
        Wanted::Image(indices) => plan_images(job, context, &indices).await?,
        Wanted::Create(index) => plan_create(job, context, index).await?,
        Wanted::Snapshot { index, disk } => Some(plan_snapshot(job, context, index, disk).await?),
    };
    let Some(plan) = plan else { return Ok(AT_ONCE) };
    announce(job, context, &plan).await?;
    place(job, planned, context, plan, false).await
}

/// Makes a call again that surely had no effect, under the same announcement and token.
pub(super) async fn repeat(
    job: Job<'_>,
    planned: &Planned,
    context: &mut StepContext,
    plan: CallPlan,
) -> Result<Outcome, StepError> {
    // Somebody else may have taken a name or a place meanwhile: then the call is another one.
    if !matches!(plan.wanted, Wanted::Snapshot { .. }) {
        let indices = plan.wanted.indices();
        if recheck(job, context, &indices).await?.len() < indices.len() {
            context.settle(Settled::WithoutEffect);
            context.keep(&Looks::default())?;
            return Ok(AT_ONCE);
        }
    }
    context.warn(ANSWER_LOST, "no answer came to a copy call, and no effect of it was found: it was repeated");
    announce(job, context, &plan).await?;
    place(job, planned, context, plan, true).await
}

async fn announce(job: Job<'_>, context: &mut StepContext, plan: &CallPlan) -> Result<(), StepError> {
    let action = match plan.wanted {
        Wanted::Image(_) => job.account.copies.copy_traits().action,
        Wanted::Snapshot { .. } => COPY_SNAPSHOT,
        Wanted::Create(_) => CREATE_IMAGE,
    };
    let detail = serde_json::to_value(plan).map_err(|error| StepError::Record(error.to_string()))?;
    context.begin_call(Announcement { action, token: plan.token.clone(), since: plan.since, detail }).await
}

/// Looks at the destinations once more; those that take no copy (any more) fail. Returns what the others hold.
pub(super) async fn recheck(
    job: Job<'_>,
    context: &mut StepContext,
    indices: &[usize],
) -> Result<Vec<(usize, DestinationSurvey)>, StepError> {
    let regions = regions(context, indices)?;
    let works: Vec<Work> = indices.iter().map(|index| Work::of(&context.operation().targets[*index])).collect();
    let asked = regions.iter().zip(&works);
    let asked = asked.map(|(region, work)| DestinationSurvey::take(job.account, region, Some(work.name.clone())));
    let surveys = join_all(asked).await;
    if let Some(outage) = surveys.iter().find_map(DestinationSurvey::outage) {
        return Err(StepError::Call(outage.clone()));
    }
    let mut free = Vec::new();
    for ((index, survey), work) in indices.iter().zip(surveys).zip(works) {
        let (enforced, _) = rules::split(survey.findings(job.spec, &work.removed, job.limits));
        if enforced.is_empty() {
            free.push((*index, survey));
        } else {
            target::fail(context, *index, of_rules(enforced));
        }
    }
    Ok(free)
}

async fn plan_images(
    job: Job<'_>,
    context: &mut StepContext,
    indices: &[usize],
) -> Result<Option<CallPlan>, StepError> {
    let free = recheck(job, context, indices).await?;
    let Some((first, _)) = free.first() else { return Ok(None) };
    let token = job.account.copies.copy_traits().takes_token.then(|| token(context, *first, "copy")).transpose()?;
    Ok(Some(CallPlan {
        names: free.iter().map(|(_, survey)| survey.facts.name.clone().unwrap_or_default()).collect(),
        before: free.iter().map(|(_, survey)| ids(survey)).collect(),
        wanted: Wanted::Image(free.into_iter().map(|(index, _)| index).collect()),
        since: context.now(),
        token,
    }))
}

async fn plan_create(job: Job<'_>, context: &mut StepContext, index: usize) -> Result<Option<CallPlan>, StepError> {
    let Some((_, survey)) = recheck(job, context, &[index]).await?.pop() else { return Ok(None) };
    let token = token(context, index, "create")?;
    // The call is made in the destination, so it counts in the day of that region.
    let key = format!("create/{}", token.split_once('.').map_or("", |(_, rest)| rest));
    if let Some(spent) = context.spend(&job.spec.lane_of(&survey.region), &key).await? {
        let message =
            format!("the image operations of the day are used up in {} until {}", survey.region, spent.resets_at);
        if job.spec.queue_when_quota_spent {
            context.warn("QUOTA_SPENT_IN_DESTINATION", message);
            return Err(StepError::WaitForQuota { until: spent.resets_at, position: None });
        }
        target::fail(context, index, fail(Reason::QuotaSpent, message));
        return Ok(None);
    }
    Ok(Some(CallPlan {
        wanted: Wanted::Create(index),
        names: vec![survey.facts.name.clone().unwrap_or_default()],
        before: vec![ids(&survey)],
        since: context.now(),
        token: Some(token),
    }))
}

async fn plan_snapshot(job: Job<'_>, context: &StepContext, index: usize, disk: usize) -> Result<CallPlan, StepError> {
    let target = &context.operation().targets[index];
    let region = target::region(target)?;
    let calls = Work::of(target).disks.get(disk).map_or(0, |disk| disk.calls);
    let name = keys::snapshot_name(context.operation().id, disk, calls);
    let before = job.account.copies.snapshots_named(&region, &name).await?;
    Ok(CallPlan {
        wanted: Wanted::Snapshot { index, disk },
        names: vec![name],
        before: vec![before.into_iter().map(|snapshot| snapshot.id).collect()],
        since: context.now(),
        token: Some(keys::token(context.operation().id, &format!("disk{disk}."), &region, calls)),
    })
}

fn ids(survey: &DestinationSurvey) -> Vec<String> {
    survey.facts.named.iter().map(|named| named.image.id.to_string()).collect()
}

fn token(context: &StepContext, index: usize, call: &str) -> Result<String, StepError> {
    let target = &context.operation().targets[index];
    Ok(keys::token(context.operation().id, call, &target::region(target)?, Work::of(target).calls))
}

/// Makes the announced call.
async fn place(
    job: Job<'_>,
    planned: &Planned,
    context: &mut StepContext,
    plan: CallPlan,
    is_repeated: bool,
) -> Result<Outcome, StepError> {
    let copies = &job.account.copies;
    let answer = match &plan.wanted {
        Wanted::Image(indices) => {
            let name = plan.names.first().cloned().unwrap_or_default();
            let call = job.spec.call(regions(context, indices)?, name, plan.token.clone());
            copies.start_copy(&call).await.map(|started| Begun { images: started.images, snapshot: None })
        }
        Wanted::Snapshot { index, disk } => {
            let call = snapshot_call(job, context, &plan, *index, *disk)?;
            copies.copy_snapshot(&call).await.map(|id| Begun { snapshot: Some(id), ..Begun::default() })
        }
        Wanted::Create(index) => {
            let call = create_call(job, planned, context, &plan, *index)?;
            let region = call.region.clone();
            copies.create_image(&call).await.map(|id| Begun { images: [(region, id)].into(), snapshot: None })
        }
    };
    match answer {
        Ok(begun) => {
            accepted(context, &plan, &begun)?;
            goes_on(job, planned, context)
        }
        Err(error) => refused(job, planned, context, &plan, error, is_repeated).await,
    }
}

/// Says how the step goes on after a call: at once, when something runs has moved, or not at all.
pub(super) fn goes_on(job: Job<'_>, planned: &Planned, context: &StepContext) -> Result<Outcome, StepError> {
    Ok(match next(job, planned, context)? {
        Next::Nothing => Outcome::Done(Value::Null),
        Next::Call(_) => AT_ONCE,
        Next::Wait => Outcome::Poll { hint: None },
    })
}

fn snapshot_call(
    job: Job<'_>,
    context: &StepContext,
    plan: &CallPlan,
    index: usize,
    disk: usize,
) -> Result<SnapshotCopyCall, StepError> {
    let target = &context.operation().targets[index];
    let destination = target::region(target)?;
    let work = Work::of(target);
    let source = work.disks.get(disk).map(|disk| disk.source.clone()).unwrap_or_default();
    Ok(SnapshotCopyCall {
        source: job.spec.region.clone(),
        snapshot_id: source,
        encryption: job.spec.encryption_in(&destination),
        destination,
        name: plan.names.first().cloned().unwrap_or_default(),
        description: DESCRIPTION.to_owned(),
        resource_group_id: job.spec.resource_group_id.clone(),
        tags: job.spec.tags.clone(),
        token: plan.token.clone(),
    })
}

fn create_call(
    job: Job<'_>,
    planned: &Planned,
    context: &StepContext,
    plan: &CallPlan,
    index: usize,
) -> Result<CreateImageCall, StepError> {
    let target = &context.operation().targets[index];
    let disks = Work::of(target).disks.into_iter().map(|disk| DiskFromSnapshot {
        device: disk.device,
        snapshot_id: disk.copy.unwrap_or_default(),
        size_gib: disk.size_gib,
    });
    Ok(CreateImageCall {
        region: target::region(target)?,
        name: plan.names.first().cloned().unwrap_or_default(),
        description: job.spec.description.clone(),
        platform: planned.image.platform.clone(),
        architecture: planned.image.architecture.clone(),
        boot_mode: planned.image.boot_mode.clone(),
        disks: disks.collect(),
        resource_group_id: job.spec.resource_group_id.clone(),
        tags: job.spec.tags.clone(),
        token: plan.token.clone(),
    })
}

/// Writes down what a call has begun.
pub(super) fn accepted(context: &mut StepContext, plan: &CallPlan, begun: &Begun) -> Result<(), StepError> {
    context.settle(Settled::Accepted);
    context.keep(&Looks::default())?;
    let now = context.now();
    let indices = plan.wanted.indices();
    for (place, index) in indices.into_iter().enumerate() {
        let region = target::region(&context.operation().targets[index])?;
        target::update(context, index, |target, work| {
            if target.state == TargetState::Pending {
                target.state = TargetState::Running;
                target.attempts += 1;
                target.started = Some(now);
            }
            if let Wanted::Snapshot { disk, .. } = plan.wanted {
                if let Some(disk) = work.disks.get_mut(disk) {
                    disk.copy.clone_from(&begun.snapshot);
                    disk.calls += 1;
                }
                return;
            }
            work.calls += 1;
            work.called = Some(now);
            work.image = begun.images.get(&region).cloned();
            work.before = plan.before.get(place).cloned().unwrap_or_default();
        })?;
    }
    Ok(())
}
