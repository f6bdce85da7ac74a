//! First step: checks the live facts, announces the call, makes it. After a lost answer: looks for the effect.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sampan_cloud::image::{Disk, ExportSearch, ExportStarted, ExportTask, ExportTaskState, Image};
use sampan_cloud::{Account, CallClass, CallError};
use sampan_core::limits::Limits;
use sampan_core::{DiskRole, Violation};
use sampan_ops::context::Announcement;
use sampan_ops::{Outcome, Settled, StepContext, StepError};
use sampan_state::operation::{Failure, Intent, Target, TargetState};
use serde::{Deserialize, Serialize};

use super::{Plan, Submitted, objects};
use crate::rules;
use crate::spec::ExportSpec;
use crate::survey::Survey;
use crate::waiting;

/// Pause between two looks for an effect.
const LOOK_AGAIN: Duration = Duration::from_secs(3);
/// Looks that must all find nothing before a call counts as never having taken effect: task lists and listings
/// of objects follow a call with a delay.
const LOOKS: u32 = 3;
/// Pause when the image or the task list of the cloud is busy.
const BUSY: Duration = Duration::from_secs(120);

pub(super) async fn run(
    account: &Account,
    limits: &Limits,
    spec: &ExportSpec,
    context: &mut StepContext,
) -> Result<Outcome, StepError> {
    match context.intent().cloned() {
        Some(intent) => look(account, spec, context, &intent).await,
        None => begin(account, limits, spec, context).await,
    }
}

async fn begin(
    account: &Account,
    limits: &Limits,
    spec: &ExportSpec,
    context: &mut StepContext,
) -> Result<Outcome, StepError> {
    let survey = Survey::take(account, spec).await;
    if let Some(outage) = survey.outage() {
        return Err(StepError::Call(outage.clone()));
    }
    let (enforced, warnings) = rules::split(survey.findings(spec, limits));
    for warning in &warnings {
        context.warn(&warning.rule, warning.message.clone());
    }
    if !enforced.is_empty() {
        return Ok(Outcome::Fail(refusal(enforced)));
    }
    if let Some(busy) = survey.busy() {
        return Ok(Outcome::Busy { after: BUSY, message: busy.to_string() });
    }
    let (Ok(Some(image)), Ok(Some(bucket))) = (survey.image, survey.bucket) else {
        return Err(StepError::Record("the facts of the image and the bucket are missing".to_owned()));
    };
    let before = objects::list(account, spec).await?.iter().map(Into::into).collect();
    let since = whole_second(bucket.server_time.unwrap_or_else(|| context.now()));
    let plan = Plan { disks: exported_disks(spec, &image), before, since };
    *context.targets() = plan.disks.iter().enumerate().map(|(index, disk)| target(index, disk)).collect();
    set_deadline(spec, &image, context);
    let detail = serde_json::to_value(&plan).map_err(|error| StepError::Record(error.to_string()))?;
    let action = account.images.export_traits().action;
    context.begin_call(Announcement { action, token: None, since, detail }).await?;
    match account.images.start_export(&spec.call()).await {
        Ok(started) => accepted(context, plan, started),
        Err(error) => refused(context, error),
    }
}

fn accepted(context: &mut StepContext, plan: Plan, started: ExportStarted) -> Result<Outcome, StepError> {
    let ExportStarted { task_id, objects, request_id } = started;
    submitted(context, Submitted { plan, task_id, objects, vendor_request_id: Some(request_id) })
}

fn submitted(context: &mut StepContext, output: Submitted) -> Result<Outcome, StepError> {
    context.settle(Settled::Accepted);
    let now = context.now();
    for target in context.targets() {
        target.state = TargetState::Running;
        target.attempts += 1;
        target.started = Some(now);
        if let Some(task) = &output.task_id {
            target.cloud_ids.insert("task".to_owned(), task.clone());
        }
    }
    serde_json::to_value(&output).map(Outcome::Done).map_err(|error| StepError::Record(error.to_string()))
}

fn refused(context: &mut StepContext, error: CallError) -> Result<Outcome, StepError> {
    match error.class {
        CallClass::UnknownOutcome => {
            context.keep(&Looks::default())?;
            Ok(Outcome::Poll { hint: Some(LOOK_AGAIN) })
        }
        CallClass::Quota => {
            context.settle(Settled::WithoutEffect);
            Ok(Outcome::SpentElsewhere(error))
        }
        CallClass::Busy => {
            context.settle(Settled::WithoutEffect);
            let after = error.retry_after.unwrap_or(BUSY);
            Ok(Outcome::Busy { after, message: error.to_string() })
        }
        CallClass::Transient
        | CallClass::Throttled
        | CallClass::Caller
        | CallClass::NotFound
        | CallClass::Permission
        | CallClass::Credentials => {
            context.settle(Settled::WithoutEffect);
            Err(StepError::Call(error))
        }
    }
}

/// How often a lost call was looked for without a trace of it.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Looks {
    without_trace: u32,
}

async fn look(
    account: &Account,
    spec: &ExportSpec,
    context: &mut StepContext,
    intent: &Intent,
) -> Result<Outcome, StepError> {
    let plan: Plan =
        serde_json::from_value(intent.detail.clone()).map_err(|error| StepError::Record(error.to_string()))?;
    let found = match account.images.find_export(&spec.call(), intent.since).await? {
        ExportSearch::Tasks(tasks) => tasks.into_iter().find(|task| is_ours(task, spec)).map(Some),
        ExportSearch::Busy => Some(None),
        ExportSearch::Idle => None,
    };
    if let Some(task) = found {
        return adopt(context, plan, task);
    }
    if objects::list(account, spec).await?.iter().any(|object| plan.is_ours(object)) {
        return adopt(context, plan, None);
    }
    let mut looks: Looks = context.scratch()?.unwrap_or_default();
    looks.without_trace += 1;
    if looks.without_trace >= LOOKS {
        // Surely without effect: the units go back, and the next run begins anew.
        context.settle(Settled::WithoutEffect);
        context.keep(&())?;
        return Ok(Outcome::Poll { hint: Some(Duration::ZERO) });
    }
    context.keep(&looks)?;
    Ok(Outcome::Poll { hint: Some(LOOK_AGAIN) })
}

fn adopt(context: &mut StepContext, plan: Plan, task: Option<ExportTask>) -> Result<Outcome, StepError> {
    context.warn("ANSWER_LOST", "the answer to the export call was lost; the running export was found and is followed");
    let (task_id, objects) = task.map_or((None, Vec::new()), |task| (Some(task.task_id), task.objects));
    submitted(context, Submitted { plan, task_id, objects, vendor_request_id: None })
}

fn is_ours(task: &ExportTask, spec: &ExportSpec) -> bool {
    let same_image = task.image.as_ref().is_none_or(|image| *image == spec.image);
    let same_bucket = task.bucket.as_ref().is_none_or(|bucket| *bucket == spec.bucket);
    same_image && same_bucket && task.state != ExportTaskState::Cancelled
}

fn refusal(violations: Vec<Violation>) -> Failure {
    let first = violations.first();
    let reason = first.map(|violation| violation.rule.clone()).unwrap_or_default();
    let message = match (first, violations.len()) {
        (Some(first), 1) => first.message.clone(),
        (Some(first), count) => format!("{}, and {} more rules are broken", first.message, count - 1),
        (None, _) => String::new(),
    };
    Failure { reason, message, vendor_code: None, vendor_request_id: None, violations }
}

fn exported_disks(spec: &ExportSpec, image: &Image) -> Vec<Disk> {
    image.disks.iter().filter(|disk| !spec.only_root_disk || disk.role == DiskRole::System).cloned().collect()
}

fn set_deadline(spec: &ExportSpec, image: &Image, context: &mut StepContext) {
    let wait = SignedDuration::try_from(waiting::deadline(spec, image)).unwrap_or(SignedDuration::from_hours(72));
    if let Ok(deadline) = context.now().checked_add(wait) {
        context.set_deadline(deadline);
    }
}

/// Objects carry whole seconds, so the bound must not be finer than they are.
fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn target(index: usize, disk: &Disk) -> Target {
    let id = super::manifest::device_name(index, disk);
    let label = format!("{} disk {id}, {} GiB", disk.role, disk.size_gib);
    let mut cloud_ids = std::collections::BTreeMap::new();
    if let Some(snapshot) = &disk.snapshot_id {
        cloud_ids.insert("snapshot".to_owned(), snapshot.clone());
    }
    let facts = serde_json::to_value(disk).unwrap_or_default();
    Target {
        id,
        label,
        state: TargetState::Pending,
        percent: None,
        cloud_ids,
        failure: None,
        attempts: 0,
        started: None,
        last_progress: None,
        finished: None,
        facts,
    }
}
