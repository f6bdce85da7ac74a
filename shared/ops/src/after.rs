//! Decides what becomes of the record after a run of a step.
//!
//! Pure: the facts of the run go in, the record as it is to be committed comes out. What a failed call means is
//! decided in `repeat`, how an operation ends in `ending`.

use std::time::Duration;

use jiff::Timestamp;
use sampan_cloud::CallError;
use sampan_core::quota_day::QuotaRule;
use sampan_state::OnSpent;
use sampan_state::operation::Operation;
use sampan_state::operations::UnitsChange;
use serde_json::Value;

use crate::announce::signed;
use crate::policy::Policy;
use crate::saga::{Outcome, Saga, StepError};
use crate::{ending, failure, progress, repeat, waiting};

/// How a run ended.
#[derive(Debug)]
pub enum Ran {
    /// With an outcome.
    Outcome(Outcome),
    /// With an error.
    Error(StepError),
    /// With a panic of the step.
    Panicked,
}

/// What is known of a run besides its end.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// The store's clock.
    pub now: Timestamp,
    /// The vendor has queued the work.
    pub queued_at_vendor: bool,
    /// Action that this run announced as the first of its step.
    pub fresh: Option<&'static str>,
    /// Chance, 0.0 to 1.0.
    pub chance: f64,
}

/// What the worker does after the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Goes on at once.
    GoOn,
    /// Gives the operation back until then.
    Until(Timestamp),
    /// Gives the operation back until its turn at the lane has come.
    InLine {
        /// Since when it waits for the lane.
        since: Timestamp,
        /// When it is looked at all the same.
        at_latest: Option<Timestamp>,
    },
    /// Forgets it: it has ended.
    Ended,
    /// Commits nothing and forgets it: the record belongs to somebody else.
    Abandon,
}

/// A record as it is to be committed, and what comes after.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The record.
    pub operation: Operation,
    /// What comes after.
    pub rest: Rest,
    /// What happens to the units.
    pub units: UnitsChange,
    /// Word for the log.
    pub outcome: &'static str,
}

impl Verdict {
    pub(crate) fn new(operation: Operation, rest: Rest, outcome: &'static str) -> Self {
        Self { operation, rest, units: UnitsChange::Leave, outcome }
    }
}

/// Everything that the decisions about one operation look at.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Its saga.
    pub saga: &'a dyn Saga,
    /// The waits.
    pub policy: &'a Policy,
    /// Limit and day of its lane.
    pub rule: &'a QuotaRule,
    /// The run.
    pub facts: Facts,
}

impl Frame<'_> {
    pub(crate) fn after(&self, wait: Duration) -> Timestamp {
        self.facts.now.saturating_add(signed(wait)).unwrap_or(Timestamp::MAX)
    }

    fn until(&self, at: Timestamp) -> Duration {
        Duration::try_from(at.duration_since(self.facts.now)).unwrap_or(Duration::ZERO)
    }
}

/// Marks in the record that its step is begun once more.
pub fn begin_step(operation: &mut Operation, now: Timestamp) {
    operation.started.get_or_insert(now);
    operation.journal.step_started.get_or_insert(now);
    operation.journal.step_attempts = operation.journal.step_attempts.saturating_add(1);
}

/// Decides what becomes of the working copy `operation` after a run of its step.
///
/// `base` is the record as the store has it.
pub fn after_step(base: &Operation, mut operation: Operation, ran: Ran, frame: Frame<'_>) -> Verdict {
    let moved = progress::observe(&base.targets, &mut operation, frame.facts.now);
    if moved {
        progress::end_alarm(&mut operation);
    }
    match ran {
        Ran::Outcome(Outcome::Done(output)) => done(operation, output, frame),
        Ran::Outcome(Outcome::Poll { hint }) => {
            let alive = moved || frame.facts.queued_at_vendor;
            let limit = frame.saga.stall_after(&operation);
            progress::watch_silence(&mut operation, alive, limit, frame.facts.now);
            operation.journal.step_failures = 0;
            let age = repeat::age(&operation, frame.facts.now);
            let wait = match hint {
                Some(_) => frame.policy.poll.delay(age, hint, frame.facts.chance),
                None => frame.until(frame.policy.poll.beat(age, &operation.lane, frame.facts.now)),
            };
            repeat::look_again(operation, wait, "poll", frame)
        }
        Ran::Outcome(Outcome::Busy { after, message }) => {
            let wait = frame.policy.poll.delay(after, Some(after), frame.facts.chance);
            repeat::busy(operation, wait, &message, frame)
        }
        Ran::Outcome(Outcome::SpentElsewhere(error)) => spent_elsewhere(operation, &error, frame),
        Ran::Outcome(Outcome::Fail(failure)) => ending::fail(operation, failure, frame),
        Ran::Error(error) => repeat::after_error(operation, error, frame),
        Ran::Panicked => repeat::after_panic(base.clone(), operation.journal.step_attempts, frame),
    }
}

fn done(mut operation: Operation, output: Value, frame: Frame<'_>) -> Verdict {
    let steps = frame.saga.steps();
    let name = std::mem::take(&mut operation.journal.step_name);
    let first = steps.iter().position(|step| step.name == name).map_or(steps.len(), |index| index + 1);
    operation.journal.outputs.insert(name, output);
    let rest = first..steps.len();
    let next = rest.into_iter().find(|index| frame.saga.has_work(&steps[*index], &operation)).unwrap_or(steps.len());
    let journal = &mut operation.journal;
    journal.next_step = u32::try_from(next).unwrap_or(u32::MAX);
    journal.step_name = steps.get(next).map_or(String::new(), |step| step.name.to_owned());
    journal.scratch = Value::Null;
    journal.step_attempts = 0;
    journal.step_failures = 0;
    journal.step_started = None;
    // A step that is done has settled its call, whether it said so or not.
    journal.intent = None;
    progress::end_alarm(&mut operation);
    operation.warnings.retain(|warning| warning.code != repeat::BUSY);
    if next >= steps.len() {
        return ending::conclude(operation, frame);
    }
    let units = if operation.journal.units_unused { UnitsChange::Release } else { UnitsChange::Leave };
    operation.journal.units_unused = false;
    Verdict { units, ..Verdict::new(operation, Rest::GoOn, "done") }
}

/// The cloud says that the day is spent: the call surely had no effect.
pub(crate) fn spent_elsewhere(mut operation: Operation, error: &CallError, frame: Frame<'_>) -> Verdict {
    if frame.facts.fresh == Some(error.action) {
        operation.journal.intent = None;
    }
    operation.journal.units_unused = false;
    // Where no day is counted, the quota is another one of the cloud's, and nobody knows when to come back.
    let counted = operation.units > 0 && frame.rule.daily_units.is_some();
    match operation.on_spent {
        OnSpent::Queue if frame.rule.daily_units.is_some() => {
            let reset = frame.rule.resets_at(frame.facts.now);
            let mut verdict = waiting::park(operation, reset, frame);
            verdict.units = if counted { UnitsChange::SpentElsewhere { requeue: true } } else { UnitsChange::Leave };
            verdict
        }
        OnSpent::Queue | OnSpent::Refuse => {
            operation.journal.units_unused = !counted;
            let mut verdict = ending::fail(operation, failure::of_call(error), frame);
            if counted {
                verdict.units = UnitsChange::SpentElsewhere { requeue: false };
            }
            verdict
        }
    }
}
