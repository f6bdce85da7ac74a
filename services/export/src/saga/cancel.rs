//! Cancels an export as far as the cloud can, and says how far that was.

use sampan_cloud::bucket::Object;
use sampan_cloud::image::{CancelAnswer, ExportTaskState};
use sampan_cloud::{Account, CallError};
use sampan_ops::{CancelOutcome, StepContext, StepError};
use sampan_state::operation::Intent;
use serde::{Deserialize, Serialize};

use super::search::{self, Looks, Trace, Verdict};
use super::{Plan, SUBMIT, Submitted, objects};
use crate::spec::ExportSpec;

/// How far the cancel is; kept between its runs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Progress {
    /// The cloud was asked to stop the task.
    asked: bool,
    /// Looks for a call of unknown outcome.
    search: Looks,
    /// Objects that were seen before they were removed: they count, although they are gone.
    seen: Vec<String>,
}

/// What the cancel works with.
#[derive(Debug, Clone, Copy)]
struct Job<'a> {
    account: &'a Account,
    spec: &'a ExportSpec,
}

pub(super) async fn run(
    account: &Account,
    spec: &ExportSpec,
    context: &mut StepContext,
) -> Result<CancelOutcome, StepError> {
    let job = Job { account, spec };
    // What the step kept has another form; a cancel begins with nothing.
    let progress: Progress = context.scratch().ok().flatten().unwrap_or_default();
    let outcome = match (context.output::<Submitted>(SUBMIT).ok(), context.intent().cloned()) {
        (Some(submitted), _) => job.stop(context, progress, &submitted).await?,
        (None, Some(intent)) => job.unsettled(context, progress, &intent).await?,
        (None, None) => cancelled("nothing was sent to the cloud"),
    };
    Ok(outcome)
}

impl Job<'_> {
    async fn stop(
        self,
        context: &mut StepContext,
        progress: Progress,
        submitted: &Submitted,
    ) -> Result<CancelOutcome, StepError> {
        match &submitted.task_id {
            Some(task) if self.account.images.export_traits().cancels => {
                self.stop_task(context, progress, submitted, task).await
            }
            _ => self.let_go(context, progress, submitted).await,
        }
    }

    /// A call was announced and its outcome is not known: finds what came of it.
    async fn unsettled(
        self,
        context: &mut StepContext,
        mut progress: Progress,
        intent: &Intent,
    ) -> Result<CancelOutcome, StepError> {
        let plan = search::plan_of(intent)?;
        let found = |plan: Plan, task_id| Submitted { plan, task_id, objects: Vec::new(), vendor_request_id: None };
        let saw_busy = match search::trace(self.account, self.spec, &plan).await? {
            Trace::Task(task) => return self.stop(context, progress, &found(plan, Some(task.task_id))).await,
            Trace::Objects => return self.stop(context, progress, &found(plan, None)).await,
            Trace::Busy => Some(true),
            Trace::Nothing => Some(false),
            Trace::Untold => None,
        };
        let lists_tasks = self.account.images.export_traits().reports_tasks;
        let verdict = progress.search.add(saw_busy, lists_tasks, &plan);
        if verdict == Verdict::WithoutEffect {
            context.settle(sampan_ops::Settled::WithoutEffect);
            return Ok(cancelled("no answer came to the export call, and nothing of an export was found"));
        }
        // Where the cloud lists no tasks, certainty takes hours, and only who wants the result removed waits for it.
        if !lists_tasks && !removes(context) {
            return Ok(cancelled(format!(
                "no answer came to the export call, so whether it runs is not known; its objects may still arrive in \
                 bucket {}: {}*",
                self.spec.bucket,
                self.spec.key_stem()
            )));
        }
        context.keep(&progress)?;
        Ok(CancelOutcome::Poll)
    }

    async fn stop_task(
        self,
        context: &mut StepContext,
        mut progress: Progress,
        submitted: &Submitted,
        task: &String,
    ) -> Result<CancelOutcome, StepError> {
        if !progress.asked {
            match self.account.images.cancel_export(&self.spec.region, task).await? {
                CancelAnswer::Accepted => progress.asked = true,
                CancelAnswer::AlreadyEnded => {}
                CancelAnswer::Impossible => return self.let_go(context, progress, submitted).await,
            }
            context.keep(&progress)?;
        }
        let described = self.account.images.export_tasks(&self.spec.region, std::slice::from_ref(task)).await?;
        let described = described.into_iter().next().flatten();
        let promised = described.as_ref().map(|task| task.objects.clone()).unwrap_or_default();
        let words = match described.map(|task| task.state) {
            Some(ExportTaskState::Queued | ExportTaskState::Running) => return Ok(CancelOutcome::Poll),
            Some(ExportTaskState::Finished) if !removes(context) => return Ok(CancelOutcome::TooLate),
            Some(ExportTaskState::Finished) => format!("export task {task} had finished before the cancel reached it"),
            Some(ExportTaskState::Failed { .. }) => {
                format!("export task {task} had failed before the cancel reached it")
            }
            Some(ExportTaskState::Cancelled) | None => format!("the cloud stopped export task {task}"),
        };
        // Objects of disks that were done before the cancel stay in the bucket unless they are removed.
        let left = self.left(submitted, &promised).await?;
        let removable = self.removable(submitted, &promised, &left);
        if removes(context) {
            self.remove(&removable).await?;
        }
        Ok(cancelled(format!("{words}{}", told(&left, if removes(context) { &removable } else { &[] }))))
    }

    /// The cloud cannot stop the export: Sampan stops following it, or waits to remove what arrives.
    async fn let_go(
        self,
        context: &mut StepContext,
        mut progress: Progress,
        submitted: &Submitted,
    ) -> Result<CancelOutcome, StepError> {
        const HONEST: &str = "the cloud has no way to stop this export";
        let expected = submitted.plan.disks.len();
        let left = self.left(submitted, &submitted.objects).await?;
        if !removes(context) {
            if left.len() >= expected {
                return Ok(CancelOutcome::TooLate);
            }
            let stem = format!("{}*", self.spec.key_stem());
            let promised = if submitted.objects.is_empty() { stem } else { submitted.objects.join(", ") };
            return Ok(cancelled(format!(
                "{HONEST}; Sampan stopped following it, and its objects may still arrive in bucket {}: {promised}",
                self.spec.bucket
            )));
        }
        let removable = self.removable(submitted, &submitted.objects, &left);
        // Only what an earlier run has written down is removed: then it is counted, whatever happens in between.
        let known: Vec<Object> =
            removable.iter().filter(|object| progress.seen.contains(&object.key)).cloned().collect();
        let is_new = known.len() < removable.len();
        self.remove(&known).await?;
        progress
            .seen
            .extend(removable.iter().filter(|object| !known.contains(object)).map(|object| object.key.clone()));
        // What does not bear a name of this export for sure is never removed, so nothing waits for it either.
        let stays: Vec<Object> = left.into_iter().filter(|object| !removable.contains(object)).collect();
        if progress.seen.len() + stays.len() >= expected && !is_new {
            let removed = progress.seen.join(", ");
            let stays = if stays.is_empty() { String::new() } else { told(&stays, &[]) };
            return Ok(cancelled(format!("{HONEST}; it ran to its end; removed from the bucket: {removed}{stays}")));
        }
        context.keep(&progress)?;
        context.warn("CANCEL_WAITS_FOR_RESULT", format!("{HONEST}; its objects are removed as soon as they arrive"));
        Ok(CancelOutcome::Poll)
    }

    /// Returns the objects of this export that are in the bucket now.
    async fn left(self, submitted: &Submitted, promised: &[String]) -> Result<Vec<Object>, CallError> {
        let mut left = objects::of_export(self.account, self.spec, &submitted.plan, promised).await?;
        if !promised.is_empty() {
            let listed = objects::of_export(self.account, self.spec, &submitted.plan, &[]).await?;
            left.extend(listed.into_iter().filter(|object| !promised.contains(&object.key)));
        }
        Ok(left)
    }

    fn removable(self, submitted: &Submitted, promised: &[String], left: &[Object]) -> Vec<Object> {
        let surely = |object: &&Object| submitted.plan.may_remove(self.spec, object, promised);
        left.iter().filter(surely).cloned().collect()
    }

    async fn remove(self, objects: &[Object]) -> Result<(), CallError> {
        let bucket = self.spec.bucket_ref();
        for object in objects {
            self.account.buckets.delete_object(&bucket, &object.key).await?;
        }
        Ok(())
    }
}

fn removes(context: &StepContext) -> bool {
    context.operation().cancel.as_ref().is_some_and(|cancel| cancel.remove_result)
}

fn told(left: &[Object], removed: &[Object]) -> String {
    let join = |objects: Vec<&Object>| objects.iter().map(|object| object.key.as_str()).collect::<Vec<_>>().join(", ");
    let stays: Vec<&Object> = left.iter().filter(|object| !removed.contains(object)).collect();
    let mut words = String::new();
    if left.is_empty() {
        words.push_str("; nothing of it is in the bucket");
    }
    if !removed.is_empty() {
        words.push_str(&format!("; removed from the bucket: {}", join(removed.iter().collect())));
    }
    if !stays.is_empty() {
        words.push_str(&format!("; left in the bucket: {}", join(stays)));
    }
    words
}

fn cancelled(message: impl Into<String>) -> CancelOutcome {
    CancelOutcome::Cancelled { message: message.into() }
}
