//! A saga of three steps over a cloud that follows a script, and the world around them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sampan_cloud::{CallClass, CallError};
use sampan_core::clock::{Clock as _, ManualClock};
use sampan_core::limits::{LimitChoices, Limits};
use sampan_core::{Cloud, Lane, OperationId, Reason};
use sampan_ops::{
    Announcement, CancelOutcome, Chance, Conclusion, Engine, LaneRules, Outcome, Policy, Reopening, Runner,
    RunnerOptions, Saga, Settled, StartRequest, Step, StepContext, StepError, failure,
};
use sampan_state::embedded::Embedded;
use sampan_state::operation::{Failure, Operation, State, Target, TargetState};
use sampan_state::{OnSpent, SharedStore};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::flaky::Flaky;

pub const ACTION: &str = "StartJob";

/// What the toy cloud answers to the next call that starts a job.
#[derive(Debug, Clone)]
pub enum Start {
    /// The job starts, the answer is lost.
    Lost,
    /// The call never arrives, and nobody knows.
    LostOnTheWay,
    Refused(CallClass),
    /// As `Refused`, and the saga says itself that the call had no effect.
    Settled(CallClass),
    /// The cloud has what was wanted already: the step is done without an effect of its call.
    NotNeeded,
}

/// What the next run of the waiting step does.
#[derive(Debug, Clone)]
pub enum Wait {
    Poll,
    PollAfter(Duration),
    Progress(u8),
    Queued,
    Busy,
    Fail,
    Panic,
    Broken(CallClass),
    /// The first target succeeds.
    OneTarget,
    /// Somebody asks for a cancel in the middle of the step.
    CancelAside(Engine),
    /// The process is told to stop in the middle of the step, which then is done.
    StopAside(CancellationToken),
    /// The next two writes fail, and the step is done.
    DownAside(Arc<Flaky>),
    /// Never ends; tells when it began and when it was dropped.
    Hang,
}

#[derive(Debug, Default)]
pub struct ToyCloud {
    pub jobs: Mutex<Vec<OperationId>>,
    pub starts: Mutex<VecDeque<Start>>,
    pub waits: Mutex<VecDeque<Wait>>,
    pub cancels: Mutex<VecDeque<Result<CancelOutcome, CallClass>>>,
    pub undone: Mutex<Vec<&'static str>>,
    pub undo_errors: Mutex<VecDeque<CallClass>>,
    pub calls: AtomicU32,
    pub runs: AtomicU32,
    pub dropped: AtomicU32,
    /// The saga calls again although it does not know that the first call had no effect.
    pub repeats_unsettled: AtomicBool,
    pub hanging: Notify,
    pub let_go: Notify,
    /// Done once before the call is announced, and once after.
    pub before_call: Mutex<Option<Arc<dyn Aside>>>,
    pub deadline: Mutex<Option<Duration>>,
    pub stall: Mutex<Option<Duration>>,
}

/// Something that happens aside, in the middle of a step.
#[async_trait]
pub trait Aside: Send + Sync + std::fmt::Debug {
    async fn happen(&self, operation: OperationId);
}

impl ToyCloud {
    pub fn job_count(&self) -> usize {
        self.jobs.lock().unwrap().len()
    }

    pub fn answer_starts(&self, answers: impl IntoIterator<Item = Start>) {
        self.starts.lock().unwrap().extend(answers);
    }

    pub fn answer_waits(&self, answers: impl IntoIterator<Item = Wait>) {
        self.waits.lock().unwrap().extend(answers);
    }

    /// Returns the error, and whether the saga says itself that the call had no effect.
    fn start(&self, id: OperationId) -> Result<(), Box<(CallError, bool)>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let answer = self.starts.lock().unwrap().pop_front();
        let (class, settles) = match answer {
            None => {
                self.jobs.lock().unwrap().push(id);
                return Ok(());
            }
            Some(Start::Lost) => {
                self.jobs.lock().unwrap().push(id);
                (CallClass::UnknownOutcome, false)
            }
            Some(Start::LostOnTheWay) => (CallClass::UnknownOutcome, false),
            Some(Start::Refused(class)) => (class, false),
            Some(Start::Settled(class)) => (class, true),
            Some(Start::NotNeeded) => unreachable!("the saga takes it out before"),
        };
        Err(Box::new((call_error(class), settles)))
    }
}

pub fn call_error(class: CallClass) -> CallError {
    CallError {
        cloud: Cloud::Tencent,
        action: ACTION,
        class,
        reason: match class {
            CallClass::Quota => Reason::CloudQuotaSpent,
            _ => Reason::CloudRefused,
        },
        code: Some("Toy.Code".to_owned()),
        message: "the toy cloud says no".to_owned(),
        request_id: Some("toy-request".to_owned()),
        http_status: None,
        retry_after: None,
        attempts: 1,
    }
}

#[derive(Debug)]
pub struct ToySaga(pub Arc<ToyCloud>);

const STEPS: &[Step] = &[
    Step { name: "submit", under_lane_lock: true },
    Step { name: "wait", under_lane_lock: false },
    Step { name: "prove", under_lane_lock: false },
];

/// Counts when the step that holds it is dropped.
struct Dropped<'a>(&'a ToyCloud);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
        self.0.let_go.notify_one();
    }
}

impl ToySaga {
    async fn submit(&self, context: &mut StepContext) -> Result<Outcome, StepError> {
        let id = context.operation().id;
        if context.intent().is_some() {
            if self.0.jobs.lock().unwrap().contains(&id) {
                context.settle(Settled::Accepted);
                return Ok(Outcome::Done(json!("adopted")));
            }
            if !self.0.repeats_unsettled.load(Ordering::SeqCst) {
                context.settle(Settled::WithoutEffect);
            }
        }
        *context.targets() = vec![target("a"), target("b")];
        if let Some(deadline) = *self.0.deadline.lock().unwrap() {
            let deadline = SignedDuration::try_from(deadline).unwrap();
            context.set_deadline(context.now() + deadline);
        }
        let aside = self.0.before_call.lock().unwrap().take();
        if let Some(aside) = aside {
            aside.happen(id).await;
        }
        let since = context.now();
        context.begin_call(Announcement { action: ACTION, token: None, since, detail: Value::Null }).await?;
        if matches!(self.0.starts.lock().unwrap().front(), Some(Start::NotNeeded)) {
            self.0.starts.lock().unwrap().pop_front();
            context.settle(Settled::WithoutEffect);
            return Ok(Outcome::Done(json!("not needed")));
        }
        if let Err(refused) = self.0.start(id) {
            let (error, settles) = *refused;
            if settles {
                context.settle(Settled::WithoutEffect);
            }
            if error.class == CallClass::Quota {
                return Ok(Outcome::SpentElsewhere(error));
            }
            return Err(error.into());
        }
        context.settle(Settled::Accepted);
        for target in context.targets() {
            target.state = TargetState::Running;
        }
        Ok(Outcome::Done(json!("started")))
    }

    async fn wait(&self, context: &mut StepContext) -> Result<Outcome, StepError> {
        let answer = self.0.waits.lock().unwrap().pop_front();
        match answer {
            None => {
                for target in context.targets() {
                    target.state = TargetState::Succeeded;
                }
                Ok(Outcome::Done(Value::Null))
            }
            Some(Wait::Poll) => Ok(Outcome::Poll { hint: None }),
            Some(Wait::PollAfter(hint)) => Ok(Outcome::Poll { hint: Some(hint) }),
            Some(Wait::Queued) => {
                context.mark_queued_at_vendor();
                Ok(Outcome::Poll { hint: None })
            }
            Some(Wait::Progress(percent)) => {
                context.targets()[0].percent = Some(percent);
                Ok(Outcome::Poll { hint: None })
            }
            Some(Wait::Busy) => Ok(Outcome::Busy { after: Duration::from_secs(180), message: "full".to_owned() }),
            Some(Wait::Fail) => Ok(Outcome::Fail(failure::of_reason(Reason::CloudRefused, "broken at the cloud"))),
            Some(Wait::Panic) => {
                context.targets().clear();
                panic!("a step that panics")
            }
            Some(Wait::OneTarget) => {
                context.targets()[0].state = TargetState::Succeeded;
                Ok(Outcome::Poll { hint: None })
            }
            Some(Wait::CancelAside(engine)) => {
                engine.request_cancel(context.operation().id, "aside", false).await.expect("can be cancelled");
                Ok(Outcome::Poll { hint: Some(Duration::from_secs(3600)) })
            }
            Some(Wait::StopAside(stop)) => {
                stop.cancel();
                // The runner has seen it before the step is done.
                tokio::task::yield_now().await;
                tokio::task::yield_now().await;
                for target in context.targets() {
                    target.state = TargetState::Succeeded;
                }
                Ok(Outcome::Done(Value::Null))
            }
            Some(Wait::DownAside(flaky)) => {
                flaky.failing_commits.store(2, Ordering::SeqCst);
                for target in context.targets() {
                    target.state = TargetState::Succeeded;
                }
                Ok(Outcome::Done(Value::Null))
            }
            Some(Wait::Broken(class)) => Err(call_error(class).into()),
            Some(Wait::Hang) => {
                let _dropped = Dropped(&self.0);
                self.0.hanging.notify_one();
                std::future::pending().await
            }
        }
    }
}

fn target(id: &str) -> Target {
    Target {
        id: id.to_owned(),
        label: id.to_owned(),
        state: TargetState::Pending,
        percent: None,
        cloud_ids: Default::default(),
        failure: None,
        attempts: 0,
        started: None,
        last_progress: None,
        finished: None,
        facts: Value::Null,
    }
}

#[async_trait]
impl Saga for ToySaga {
    fn kind(&self) -> &'static str {
        "toy"
    }

    fn steps(&self) -> &'static [Step] {
        STEPS
    }

    async fn run(&self, step: &Step, context: &mut StepContext) -> Result<Outcome, StepError> {
        self.0.runs.fetch_add(1, Ordering::SeqCst);
        match step.name {
            "submit" => self.submit(context).await,
            "wait" => self.wait(context).await,
            _ => Ok(Outcome::Done(json!("proven"))),
        }
    }

    async fn cancel(&self, _context: &mut StepContext) -> Result<CancelOutcome, StepError> {
        match self.0.cancels.lock().unwrap().pop_front() {
            None => Ok(CancelOutcome::Cancelled { message: "stopped at the cloud".to_owned() }),
            Some(Ok(outcome)) => Ok(outcome),
            Some(Err(class)) => Err(call_error(class).into()),
        }
    }

    async fn undo(&self, step: &Step, _context: &mut StepContext) -> Result<(), StepError> {
        if let Some(class) = self.0.undo_errors.lock().unwrap().pop_front() {
            return Err(call_error(class).into());
        }
        self.0.undone.lock().unwrap().push(step.name);
        Ok(())
    }

    fn reopening(&self, _operation: &Operation) -> Option<Reopening> {
        Some(Reopening { from_step: "submit", units: 1 })
    }

    fn conclude(&self, operation: &Operation) -> Conclusion {
        let good = operation.targets.iter().filter(|target| target.state == TargetState::Succeeded).count();
        let state = if good == operation.targets.len() { State::Succeeded } else { State::PartiallySucceeded };
        let failure = operation.targets.iter().find_map(|target| target.failure.clone());
        Conclusion { state, result: operation.journal.outputs.get("prove").cloned(), failure }
    }

    fn deadline_failure(&self, _operation: &Operation) -> Failure {
        failure::of_reason(Reason::ExportDeadlinePassed, "stopped waiting")
    }

    fn stall_after(&self, _operation: &Operation) -> Option<Duration> {
        *self.0.stall.lock().unwrap()
    }
}

/// The world around a toy saga.
pub struct World {
    pub clock: Arc<ManualClock>,
    pub store: SharedStore,
    pub flaky: Arc<Flaky>,
    pub engine: Engine,
    pub cloud: Arc<ToyCloud>,
}

/// Noon of a day of UTC+8 that has twelve hours left.
pub const NOON: &str = "2026-11-21T04:00:00Z";
/// When that day ends.
pub const RESET: &str = "2026-11-21T16:00:00Z";

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl World {
    pub fn new() -> Self {
        let clock = Arc::new(ManualClock::new(at(NOON)));
        let flaky = Arc::new(Flaky::new(Embedded::in_memory(clock.clone()).unwrap()));
        let store: SharedStore = flaky.clone();
        let limits = Arc::new(Limits::load(&LimitChoices::default()).unwrap());
        let cloud = Arc::new(ToyCloud::default());
        let saga: Arc<dyn Saga> = Arc::new(ToySaga(cloud.clone()));
        let engine = Engine::new(store.clone(), clock.clone(), LaneRules::new(limits), vec![saga]);
        Self { clock, store, flaky, engine, cloud }
    }

    pub fn runner(&self, owner: &str) -> Runner {
        self.runner_with(owner, |_| {})
    }

    pub fn runner_with(&self, owner: &str, change: impl FnOnce(&mut RunnerOptions)) -> Runner {
        let mut options = RunnerOptions {
            owner: owner.to_owned(),
            chance: Chance::seeded(1),
            policy: Policy::default(),
            ..RunnerOptions::default()
        };
        change(&mut options);
        Runner::new(self.engine.clone(), options)
    }

    pub fn advance(&self, by: Duration) {
        self.clock.advance(by.try_into().unwrap());
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub async fn start(&self, on_spent: OnSpent) -> OperationId {
        self.try_start(on_spent).await.unwrap().id
    }

    pub async fn try_start(&self, on_spent: OnSpent) -> Result<Operation, sampan_ops::Error> {
        // Ids of the same millisecond sort by chance.
        self.clock.advance(SignedDuration::from_millis(1));
        match self.engine.start(start(on_spent)).await? {
            sampan_state::Admitted::New(operation) | sampan_state::Admitted::Existing(operation) => Ok(operation),
        }
    }

    pub async fn get(&self, id: OperationId) -> Operation {
        self.engine.get(id).await.unwrap()
    }

    /// Runs until the operation has ended, in steps of 10 s.
    pub async fn end(&self, runner: &Runner, id: OperationId) -> Operation {
        self.end_in_steps(runner, id, Duration::from_secs(10)).await
    }

    /// Runs until the operation has ended.
    pub async fn end_in_steps(&self, runner: &Runner, id: OperationId, step: Duration) -> Operation {
        for _ in 0..10_000 {
            runner.tick().await.unwrap();
            let operation = self.get(id).await;
            if operation.state.is_final() {
                return operation;
            }
            self.advance(step);
        }
        panic!("never ended: {:?}", self.get(id).await);
    }

    /// Returns the units used, held and left of today.
    pub async fn units(&self) -> (u32, u32, u32) {
        let picture = self.engine.quota(&lane()).await.unwrap();
        (picture.committed, picture.reserved, picture.remaining().unwrap())
    }
}

pub fn lane() -> Lane {
    Lane { cloud: Cloud::Tencent, account: "prod".parse().unwrap(), region: "ap-guangzhou".parse().unwrap() }
}

pub fn start(on_spent: OnSpent) -> StartRequest {
    StartRequest {
        kind: "toy",
        lane: lane(),
        caller: "tester".to_owned(),
        labels: Default::default(),
        request_id: None,
        request: json!({"image": "img-1"}).into(),
        units: 1,
        on_spent,
    }
}
