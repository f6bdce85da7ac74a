//! Looks for the effect of an export call whose answer was lost, and decides when it surely had none.
//!
//! - A cloud that lists tasks: a new task of the image is the export. When none is listed at several looks, there is
//!   none, and the cloud itself refuses a second export while a first one runs.
//! - A cloud that lists none: objects of ours are the export. While the image is busy, nobody can know whose work
//!   holds it, so only its end or our objects decide. A cloud that has never called the image busy may not tell at
//!   all: then nothing must be seen for as long as such an export could be running before the call is repeated.

use std::time::Duration;

use sampan_cloud::image::{ExportSearch, ExportTask};
use sampan_cloud::{Account, CallClass, CallError};
use sampan_ops::StepError;
use sampan_state::operation::Intent;
use serde::{Deserialize, Serialize};

use super::{Plan, objects};
use crate::spec::ExportSpec;
use crate::waiting;

/// Pause between two looks that follow each other closely.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Looks that must all find nothing where the cloud tells what runs: its answers follow a call with a delay.
const LOOKS: u32 = 4;
/// Share of the quiet time that a pause between two looks takes at most.
const QUIET_SHARE: u32 = 12;

/// What one look saw.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trace {
    /// A task that is ours.
    Task(Box<ExportTask>),
    /// Objects that are ours.
    Objects,
    /// Something holds the image, and nobody tells what.
    Busy,
    /// The cloud would take the export now, and nothing of one is there.
    Nothing,
    /// The cloud refused to say.
    Untold,
}

/// Looks once. Fails only while the cloud cannot be reached.
pub(super) async fn trace(account: &Account, spec: &ExportSpec, plan: &Plan) -> Result<Trace, CallError> {
    let word = match account.images.find_export(&spec.call(), plan.since).await {
        Ok(ExportSearch::Tasks(tasks)) => match ours(tasks, spec, plan) {
            Some(task) => return Ok(Trace::Task(Box::new(task))),
            None => Trace::Nothing,
        },
        Ok(ExportSearch::Busy) => Trace::Busy,
        Ok(ExportSearch::Idle) => Trace::Nothing,
        Err(error) if is_silence(error.class) => return Err(error),
        Err(_) => Trace::Untold,
    };
    let found = objects::of_export(account, spec, plan, &[]).await?;
    Ok(if found.is_empty() { word } else { Trace::Objects })
}

/// A refusal is an answer that tells nothing of the export; the others are no answers.
fn is_silence(class: CallClass) -> bool {
    match class {
        CallClass::Transient | CallClass::Throttled | CallClass::UnknownOutcome => true,
        CallClass::Busy
        | CallClass::Quota
        | CallClass::Caller
        | CallClass::NotFound
        | CallClass::Permission
        | CallClass::Credentials => false,
    }
}

/// Returns the task that is ours: not there before the call, and nothing that it tells speaks against it. One that
/// tells our bucket and our keys comes before one that tells nothing yet.
fn ours(tasks: Vec<ExportTask>, spec: &ExportSpec, plan: &Plan) -> Option<ExportTask> {
    let stem = spec.key_stem();
    let may_be = |task: &ExportTask| {
        let is_new = !plan.known_tasks.contains(&task.task_id);
        let same_image = task.image.as_ref().is_none_or(|image| *image == spec.image);
        let same_bucket = task.bucket.as_ref().is_none_or(|bucket| *bucket == spec.bucket);
        is_new && same_image && same_bucket && task.objects.iter().all(|key| key.starts_with(&stem))
    };
    let mut candidates: Vec<ExportTask> = tasks.into_iter().filter(may_be).collect();
    let told = candidates.iter().position(|task| task.bucket.is_some() || !task.objects.is_empty());
    (!candidates.is_empty()).then(|| candidates.swap_remove(told.unwrap_or(0)))
}

/// Reads what was planned before the call.
pub(super) fn plan_of(intent: &Intent) -> Result<Plan, StepError> {
    serde_json::from_value(intent.detail.clone()).map_err(|error| StepError::Record(error.to_string()))
}

/// What all looks for one lost call have seen; kept between them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Looks {
    /// Looks in a row that found nothing.
    empty: u32,
    /// Time that these looks have covered, in seconds.
    quiet_seconds: u64,
    /// Whether the cloud has called the image busy since the call: then it tells what holds an image.
    was_busy: bool,
    /// Times that the call was repeated.
    pub(super) repeats: u32,
    /// Times that a limit of cost waited for a price.
    pub(super) unpriced: u32,
}

/// What follows from the looks so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The call surely had no effect.
    WithoutEffect,
    /// Look again: after this time, or by the schedule for running work.
    LookAgain(Option<Duration>),
}

impl Looks {
    /// Adds a look that found neither task nor objects.
    ///
    /// - `lists_tasks`: whether the cloud reports tasks.
    pub(super) fn add(&mut self, saw_busy: Option<bool>, lists_tasks: bool, plan: &Plan) -> Verdict {
        match saw_busy {
            None => return Verdict::LookAgain(None),
            Some(true) => {
                *self = Self { was_busy: true, repeats: self.repeats, ..Self::default() };
                return Verdict::LookAgain(None);
            }
            Some(false) => {}
        }
        self.empty = self.empty.saturating_add(1);
        let quiet = waiting::quiet_time(&plan.disks);
        let is_sure = if lists_tasks || self.was_busy {
            self.empty >= LOOKS
        } else {
            Duration::from_secs(self.quiet_seconds) >= quiet
        };
        if is_sure {
            return Verdict::WithoutEffect;
        }
        let pause = if lists_tasks || self.was_busy {
            LOOK_AGAIN
        } else {
            LOOK_AGAIN.saturating_mul(1 << self.empty.min(16)).min(quiet / QUIET_SHARE)
        };
        self.quiet_seconds = self.quiet_seconds.saturating_add(pause.as_secs());
        Verdict::LookAgain(Some(pause))
    }

    /// Begins to count anew, for a repeated call.
    pub(super) fn repeated(&self) -> Self {
        Self { was_busy: self.was_busy, repeats: self.repeats.saturating_add(1), ..Self::default() }
    }
}

#[cfg(test)]
mod tests;
