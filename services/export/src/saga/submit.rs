//! First step: checks the live facts, announces the call, makes it. After a lost answer: looks for the effect, and
//! repeats the call only when there surely is none.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sampan_chassis::convert;
use sampan_chassis::cost::{Objection, Pricing};
use sampan_cloud::bucket::Bucket;
use sampan_cloud::image::{Disk, ExportSearch, ExportStarted, ExportTask, Image};
use sampan_cloud::{Account, CallClass, CallError};
use sampan_core::DiskRole;
use sampan_core::limits::Limits;
use sampan_ops::context::Announcement;
use sampan_ops::failure::of_rules;
use sampan_ops::{Outcome, Settled, StepContext, StepError};
use sampan_state::operation::{Intent, Target, TargetState};

use super::search::{self, Looks, Trace, Verdict};
use super::{Plan, Submitted, objects};
use crate::spec::ExportSpec;
use crate::survey::Survey;
use crate::{names, price, rules, waiting};

/// Pause when the image or the task list of the cloud is busy.
const BUSY: Duration = Duration::from_secs(120);
/// Repetitions of a call whose answer is lost again and again; after them only the deadline ends the search.
const MAX_REPEATS: u32 = 3;
/// Buckets tell seconds: an object of this second, and one that the call leaves within it, would look the same.
const NEXT_SECOND: Duration = Duration::from_secs(1);
const ANSWER_LOST: &str = "ANSWER_LOST";

/// Pause when a limit of cost waits for the estimator, and how often it does: for 10 min.
const UNPRICED: Duration = Duration::from_secs(15);
const MAX_UNPRICED: u32 = 40;

/// What every run of the step works with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) account: &'a Account,
    pub(super) limits: &'a Limits,
    pub(super) pricing: &'a Pricing,
    pub(super) spec: &'a ExportSpec,
}

/// What the live check has found.
enum Checked {
    /// The export may be called for.
    Ready(Box<Facts>),
    /// It may not, now or ever.
    Stop(Outcome),
}

/// What the cloud and the estimator say before the call.
struct Facts {
    image: Image,
    server_time: Option<Timestamp>,
    estimate: Option<String>,
}

impl Job<'_> {
    pub(super) async fn run(self, context: &mut StepContext) -> Result<Outcome, StepError> {
        match context.intent().cloned() {
            Some(intent) => self.look(context, &intent).await,
            None => self.begin(context).await,
        }
    }

    async fn begin(self, context: &mut StepContext) -> Result<Outcome, StepError> {
        let facts = match self.check(context).await? {
            Checked::Ready(facts) => *facts,
            Checked::Stop(outcome) => return Ok(outcome),
        };
        let since = whole_second(facts.server_time.unwrap_or_else(|| context.now()));
        let plan = self.plan(facts, since).await?;
        if plan.before.iter().any(|seen| seen.last_modified.map(whole_second) == Some(since)) {
            return Ok(Outcome::Poll { hint: Some(NEXT_SECOND) });
        }
        if !plan.before.is_empty() {
            let words = format!(
                "the bucket holds {} objects that begin with {}; those that the cloud names alike are replaced",
                plan.before.len(),
                self.spec.key_stem()
            );
            context.warn("OBJECTS_EXIST", words);
        }
        *context.targets() = plan.disks.iter().enumerate().map(|(index, disk)| target(index, disk)).collect();
        self.call(context, plan).await
    }

    /// Repeats the preview's check, now that the lane is ours.
    async fn check(self, context: &mut StepContext) -> Result<Checked, StepError> {
        let survey = Survey::take(self.account, self.spec).await;
        if let Some(outage) = survey.outage() {
            return Err(StepError::Call(outage.clone()));
        }
        let (enforced, warnings) = rules::split(survey.findings(self.spec, self.limits));
        for warning in &warnings {
            context.warn(&warning.rule, warning.message.clone());
        }
        if !enforced.is_empty() {
            return Ok(Checked::Stop(Outcome::Fail(of_rules(enforced))));
        }
        if let Some(spent) = survey.spent() {
            return Ok(Checked::Stop(Outcome::SpentElsewhere(spent.clone())));
        }
        if let Some(busy) = survey.busy() {
            return Ok(Checked::Stop(Outcome::Busy { after: BUSY, message: busy.to_string() }));
        }
        match (survey.image, survey.bucket) {
            (Ok(Some(image)), Ok(Some(bucket))) => self.priced(context, image, &bucket).await,
            _ => Err(StepError::Record("the facts of the image and the bucket are missing".to_owned())),
        }
    }

    /// Asks the price, and holds the caller's limit against it. An estimator that is away for a moment stops nothing
    /// for good, and nothing at all where there is no limit.
    async fn priced(self, context: &mut StepContext, image: Image, bucket: &Bucket) -> Result<Checked, StepError> {
        let price = price::before(self.pricing, self.spec, &image, price::class_in(Some(bucket))).await;
        let Some(objection) = price::objection(self.spec, &price) else {
            let estimate = price.ok().as_ref().map(convert::estimate::kept);
            return Ok(Checked::Ready(Box::new(Facts { image, server_time: bucket.server_time, estimate })));
        };
        let violation = price::violation(&objection);
        let mut looks: Looks = context.scratch()?.unwrap_or_default();
        Ok(Checked::Stop(match objection {
            Objection::Unknown { .. } if looks.unpriced < MAX_UNPRICED => {
                looks.unpriced += 1;
                context.keep(&looks)?;
                context.warn(&violation.rule, violation.message);
                Outcome::Poll { hint: Some(UNPRICED) }
            }
            Objection::Unknown { .. } | Objection::Above { .. } | Objection::Currency { .. } => {
                Outcome::Fail(of_rules(vec![violation]))
            }
        }))
    }

    /// Notes what is there before the call, so that it is never taken for the effect.
    async fn plan(self, facts: Facts, since: Timestamp) -> Result<Plan, CallError> {
        let before = objects::list(self.account, self.spec).await?.iter().map(Into::into).collect();
        // Tasks tell their age in minutes, so one of this minute that is somebody else's looks as new as ours.
        let known_tasks = if self.account.images.export_traits().reports_tasks {
            match self.account.images.find_export(&self.spec.call(), since).await? {
                ExportSearch::Tasks(tasks) => tasks.into_iter().map(|task| task.task_id).collect(),
                ExportSearch::Busy | ExportSearch::Idle => Vec::new(),
            }
        } else {
            Vec::new()
        };
        let disks = exported_disks(self.spec, &facts.image);
        Ok(Plan { disks, before, known_tasks, since, estimate: facts.estimate })
    }

    /// Announces the call and makes it. An earlier announcement stays as it is, with its plan.
    async fn call(self, context: &mut StepContext, plan: Plan) -> Result<Outcome, StepError> {
        set_deadline(self.spec, &plan.disks, context);
        let detail = serde_json::to_value(&plan).map_err(|error| StepError::Record(error.to_string()))?;
        let action = self.account.images.export_traits().action;
        let is_repeated = context.intent().is_some();
        context.begin_call(Announcement { action, token: None, since: plan.since, detail }).await?;
        match self.account.images.start_export(&self.spec.call()).await {
            Ok(ExportStarted { task_id, objects, request_id }) => {
                submitted(context, Submitted { plan, task_id, objects, vendor_request_id: Some(request_id) })
            }
            Err(error) => refused(context, error, is_repeated),
        }
    }

    async fn look(self, context: &mut StepContext, intent: &Intent) -> Result<Outcome, StepError> {
        let plan = search::plan_of(intent)?;
        let mut looks: Looks = context.scratch()?.unwrap_or_default();
        let saw_busy = match search::trace(self.account, self.spec, &plan).await? {
            Trace::Task(task) => return adopt(context, plan, Some(*task)),
            Trace::Objects => return adopt(context, plan, None),
            Trace::Busy => Some(true),
            Trace::Nothing => Some(false),
            Trace::Untold => None,
        };
        let verdict = looks.add(saw_busy, self.account.images.export_traits().reports_tasks, &plan);
        context.keep(&looks)?;
        match verdict {
            Verdict::WithoutEffect if looks.repeats < MAX_REPEATS => self.repeat(context, plan, &looks).await,
            Verdict::WithoutEffect => Ok(Outcome::Poll { hint: None }),
            Verdict::LookAgain(hint) => {
                context.warn(
                    ANSWER_LOST,
                    "no answer came to the export call; its effect is looked for before it is repeated",
                );
                Ok(Outcome::Poll { hint })
            }
        }
    }

    /// The call surely had no effect: makes it again, after another look at the live facts.
    async fn repeat(self, context: &mut StepContext, plan: Plan, looks: &Looks) -> Result<Outcome, StepError> {
        match self.check(context).await? {
            Checked::Ready(_) => {}
            // Other work holds the image now, or its price is not known; the plan is kept, so that an effect that comes late is still known.
            Checked::Stop(wait @ (Outcome::Busy { .. } | Outcome::Poll { .. })) => return Ok(wait),
            Checked::Stop(outcome) => {
                context.settle(Settled::WithoutEffect);
                return Ok(outcome);
            }
        }
        context.keep(&looks.repeated())?;
        context.warn(ANSWER_LOST, "no answer came to the export call, and no effect of it was found: it was repeated");
        self.call(context, plan).await
    }
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

/// Decides what a call means that was not accepted.
fn refused(context: &mut StepContext, error: CallError, is_repeated: bool) -> Result<Outcome, StepError> {
    match error.class {
        CallClass::UnknownOutcome => {
            context.warn(ANSWER_LOST, format!("the outcome of the export call is not known: {error}"));
            Ok(Outcome::Poll { hint: Some(Duration::from_secs(1)) })
        }
        CallClass::Quota => {
            context.settle(Settled::WithoutEffect);
            Ok(Outcome::SpentElsewhere(error))
        }
        CallClass::Busy => {
            // After a lost call the image may be busy with our own export, so the search goes on.
            if !is_repeated {
                context.settle(Settled::WithoutEffect);
            }
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

fn adopt(context: &mut StepContext, plan: Plan, task: Option<ExportTask>) -> Result<Outcome, StepError> {
    context.warn(ANSWER_LOST, "the answer to the export call was lost; the running export was found and is followed");
    let task_id = task.map(|task| task.task_id);
    submitted(context, Submitted { plan, task_id, objects: Vec::new(), vendor_request_id: None })
}

/// Returns the disks that an export writes, in the image's order.
pub(crate) fn exported_disks(spec: &ExportSpec, image: &Image) -> Vec<Disk> {
    image.disks.iter().filter(|disk| !spec.only_root_disk || disk.role == DiskRole::System).cloned().collect()
}

fn set_deadline(spec: &ExportSpec, disks: &[Disk], context: &mut StepContext) {
    let wait = SignedDuration::try_from(waiting::deadline(spec, disks)).unwrap_or(SignedDuration::from_hours(72));
    if let Ok(deadline) = context.now().checked_add(wait) {
        context.set_deadline(deadline);
    }
}

/// Objects carry whole seconds, so the bound must not be finer than they are.
fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn target(index: usize, disk: &Disk) -> Target {
    let id = names::device(index, disk);
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
