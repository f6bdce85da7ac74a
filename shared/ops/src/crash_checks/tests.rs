//! A good saga passes; a saga that breaks one promise is caught by the check of that promise.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use sampan_core::clock::ManualClock;
use sampan_core::limits::{LimitChoices, Limits};
use sampan_core::{Cloud, Lane, Reason};
use sampan_state::OnSpent;
use sampan_state::embedded::Embedded;
use sampan_state::operation::{Failure, Operation, State};
use serde_json::{Value, json};

use super::{CheckWorld, Scenario, crash_at_each_step, fail_at_each_step, repeat_each_step};
use crate::context::{Announcement, Settled, StepContext};
use crate::engine::StartRequest;
use crate::failure;
use crate::rules::LaneRules;
use crate::saga::{CancelOutcome, Conclusion, Outcome, Saga, Step, StepError};

/// What the saga does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Makes its call without announcing it, and never looks.
    CallsBlindly,
    /// Announces, and repeats the call without a look.
    NeverLooks,
    /// Takes every announced call for made.
    AdoptsUnseen,
    /// Removes nothing when it fails.
    UndoesNothing,
    /// Gives up before a passing error can pass.
    Impatient,
    /// Counts its looks in memory instead of in the record.
    KeepsStateInMemory,
}

type Things = Arc<Mutex<Vec<String>>>;

#[derive(Debug)]
struct Maker {
    fault: Fault,
    things: Things,
    looks: Mutex<u32>,
}

const STEPS: &[Step] = &[Step { name: "make", under_lane_lock: true }, Step { name: "await", under_lane_lock: false }];

impl Maker {
    async fn make(&self, context: &mut StepContext) -> Result<Outcome, StepError> {
        if self.fault == Fault::Impatient {
            context.set_deadline(context.now() + SignedDuration::from_secs(60));
        }
        let name = context.operation().id.to_string();
        if context.intent().is_some() && self.fault != Fault::NeverLooks {
            if self.things.lock().unwrap().contains(&name) || self.fault == Fault::AdoptsUnseen {
                context.settle(Settled::Accepted);
                return Ok(Outcome::Done(json!(name)));
            }
            context.settle(Settled::WithoutEffect);
        }
        if self.fault != Fault::CallsBlindly {
            let call = Announcement { action: "Make", token: None, since: context.now(), detail: Value::Null };
            context.begin_call(call).await?;
        }
        self.things.lock().unwrap().push(name.clone());
        context.settle(Settled::Accepted);
        Ok(Outcome::Done(json!(name)))
    }

    fn wait(&self, context: &mut StepContext) -> Result<Outcome, StepError> {
        let seen = if self.fault == Fault::KeepsStateInMemory {
            let mut looks = self.looks.lock().unwrap();
            *looks += 1;
            if *looks > 3 {
                return Ok(Outcome::Fail(failure::of_reason(Reason::InternalFault, "looked too often")));
            }
            *looks
        } else {
            context.scratch::<u32>()?.unwrap_or(0) + 1
        };
        context.keep(&seen)?;
        Ok(if seen < 3 { Outcome::Poll { hint: None } } else { Outcome::Done(Value::Null) })
    }
}

#[async_trait]
impl Saga for Maker {
    fn kind(&self) -> &'static str {
        "make"
    }

    fn steps(&self) -> &'static [Step] {
        STEPS
    }

    async fn run(&self, step: &Step, context: &mut StepContext) -> Result<Outcome, StepError> {
        match step.name {
            "make" => self.make(context).await,
            _ => self.wait(context),
        }
    }

    async fn cancel(&self, _context: &mut StepContext) -> Result<CancelOutcome, StepError> {
        Ok(CancelOutcome::TooLate)
    }

    async fn undo(&self, step: &Step, context: &mut StepContext) -> Result<(), StepError> {
        let name: String = context.output(step.name)?;
        if self.fault != Fault::UndoesNothing {
            self.things.lock().unwrap().retain(|thing| *thing != name);
        }
        Ok(())
    }

    fn conclude(&self, _operation: &Operation) -> Conclusion {
        Conclusion { state: State::Succeeded, result: None, failure: None }
    }

    fn deadline_failure(&self, _operation: &Operation) -> Failure {
        failure::of_reason(Reason::ExportDeadlinePassed, "too late")
    }

    fn stall_after(&self, _operation: &Operation) -> Option<Duration> {
        None
    }
}

async fn world(fault: Fault) -> CheckWorld<Things> {
    let clock = Arc::new(ManualClock::new("2026-11-21T04:00:00Z".parse().unwrap()));
    let things = Things::default();
    let lane =
        Lane { cloud: Cloud::Tencent, account: "prod".parse().unwrap(), region: "ap-guangzhou".parse().unwrap() };
    CheckWorld {
        store: Embedded::in_memory(clock.clone()).unwrap(),
        clock,
        rules: LaneRules::new(Arc::new(Limits::load(&LimitChoices::default()).unwrap())),
        saga: Arc::new(Maker { fault, things: Arc::clone(&things), looks: Mutex::new(0) }),
        start: StartRequest {
            kind: "make",
            lane,
            caller: String::new(),
            labels: Default::default(),
            request_id: None,
            request: Value::Null.into(),
            units: 1,
            on_spent: OnSpent::Refuse,
        },
        fakes: things,
    }
}

fn judge(things: &Things, _ended: &Operation, scenario: Scenario) -> Result<(), String> {
    let count = things.lock().unwrap().len();
    let wanted = usize::from(!matches!(scenario, Scenario::Failed(_)));
    if count == wanted { Ok(()) } else { Err(format!("{count} things, not {wanted}")) }
}

async fn repeated(fault: Fault) -> Result<usize, String> {
    repeat_each_step(async || world(fault).await, judge).await
}

async fn failed(fault: Fault) -> Result<usize, String> {
    fail_at_each_step(async || world(fault).await, judge).await
}

async fn crashed(fault: Fault) -> Result<usize, String> {
    crash_at_each_step(async || world(fault).await, judge).await
}

#[tokio::test]
async fn a_saga_that_keeps_its_promises_passes_every_check() {
    assert_eq!(repeated(Fault::None).await, Ok(3));
    assert_eq!(failed(Fault::None).await, Ok(4));
    assert_eq!(crashed(Fault::None).await, Ok(6));
}

#[tokio::test]
async fn a_step_that_calls_without_an_announcement_is_caught_by_the_repetition() {
    assert_eq!(repeated(Fault::CallsBlindly).await, Err("step make repeated: 2 things, not 1".to_owned()));
}

#[tokio::test]
async fn a_step_that_never_looks_is_caught_by_the_crash_after_its_call() {
    let caught = crashed(Fault::NeverLooks).await.unwrap_err();
    assert_eq!(caught, "crash after the first run of step make: 2 things, not 1");
}

#[tokio::test]
async fn a_step_that_adopts_what_it_has_not_seen_is_caught_by_the_crash_before_its_call() {
    let caught = crashed(Fault::AdoptsUnseen).await.unwrap_err();
    assert_eq!(caught, "crash in step make, call announced and not made: 0 things, not 1");
}

#[tokio::test]
async fn a_saga_that_removes_nothing_is_caught_by_the_failure() {
    assert_eq!(failed(Fault::UndoesNothing).await, Err("step await failed: 1 things, not 0".to_owned()));
}

#[tokio::test]
async fn a_saga_that_gives_up_early_is_caught_by_the_error_that_passes() {
    let caught = failed(Fault::Impatient).await.unwrap_err();
    assert!(
        caught.starts_with("step await met an error that passed: ended as Failed with failure `too late"),
        "{caught}"
    );
}

#[tokio::test]
async fn a_step_that_keeps_its_state_in_memory_is_caught_by_the_repetition_and_the_crash() {
    assert!(repeated(Fault::KeepsStateInMemory).await.unwrap_err().contains("looked too often"));
    assert!(crashed(Fault::KeepsStateInMemory).await.unwrap_err().contains("looked too often"));
}
