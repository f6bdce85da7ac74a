//! Decides whether a mutating call may begin, and writes down that it will.

use std::time::Duration;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use sampan_core::Lane;
use sampan_core::quota_day::QuotaRule;
use sampan_state::operation::{Intent, Operation, QuotaHold};
use sampan_state::operations::UnitsChange;
use sampan_state::{Commit, Error, Next, QuotaPicture, Turn};
use serde_json::Value;
use tokio::time::Instant;

use crate::context::{Purpose, StepContext};
use crate::saga::StepError;

/// An announcement of a mutating call.
#[derive(Debug, Clone)]
pub struct Announcement {
    /// The vendor's name of the action.
    pub action: &'static str,
    /// Token that the call carries, where the action takes one.
    pub token: Option<String>,
    /// The vendor's clock before the call: effects are not older.
    pub since: Timestamp,
    /// What the step needs to recognise the effect.
    pub detail: Value,
}

/// What guards the beginning of a call.
#[derive(Debug, Clone)]
pub(crate) struct CallGuard {
    /// No call begins this short before the day of the quota turns: the cloud could count it on either side.
    pub(crate) day_end_margin: Duration,
    /// No call begins this short after the turn either; then it is tried again.
    pub(crate) after_reset: Duration,
    /// Lifetime of the work lease.
    pub(crate) work_ttl: Duration,
    /// Where a crash check stops the run.
    #[cfg(any(test, feature = "crash-checks"))]
    pub(crate) halt: Option<crate::crash_checks::Halt>,
}

impl CallGuard {
    /// Refuses a call around the turn of a day that is counted.
    fn keep_off_the_turn(&self, rule: &QuotaRule, now: Timestamp) -> Result<(), StepError> {
        if rule.daily_units.is_none() {
            return Ok(());
        }
        let shortly_before = now.saturating_sub(signed(self.after_reset)).unwrap_or(now);
        let reset = rule.resets_at(shortly_before);
        if reset.duration_since(now) >= signed(self.day_end_margin) {
            return Ok(());
        }
        let until = reset.saturating_add(signed(self.after_reset)).unwrap_or(reset);
        Err(StepError::WaitForQuota { until, position: None })
    }
}

impl StepContext {
    /// Asks for permission to make a mutating call, and announces it. After `Ok` the step may call the cloud.
    ///
    /// Takes the operation's units where it does not hold those of today, then writes the record with the intent,
    /// uses the units for good and checks the fences of work and lane, all in one atomic write. An intent of this
    /// step that is there already stays as it is, with its token and its time: the step calls with those.
    ///
    /// # Errors
    /// - [`StepError::WaitForQuota`] when it is not the operation's turn, or the day is about to turn.
    /// - [`StepError::CancelRequested`] when a cancel was asked for meanwhile.
    /// - [`StepError::DeadlinePassed`].
    /// - [`StepError::Store`] with a lost lease. Nothing may be called after any of them.
    ///
    /// # Cancellation
    /// The announcement may be written; the next run finds the intent and looks for an effect.
    pub async fn begin_call(&mut self, call: Announcement) -> Result<(), StepError> {
        let now = self.store.now().await?;
        if self.operation.deadline.is_some_and(|deadline| deadline <= now) {
            return Err(StepError::DeadlinePassed);
        }
        if self.purpose != Purpose::Aside {
            self.guard_the_turn_of_the_day(now)?;
            self.hold_units(now, false).await?;
        }
        let announced = self.write_intent(call, now);
        let written = match self.commit_announcement().await {
            // The day turned, or the console spent it, between the look at the record and the write.
            Err(StepError::Store(Error::QuotaSpent(_))) => match self.hold_units(now, true).await {
                Ok(()) => self.commit_announcement().await,
                Err(refused) => Err(refused),
            },
            other => other,
        };
        if let Err(error) = written {
            self.withdraw(announced);
            return Err(error);
        }
        if self.operation.cancel.is_some() && !self.operation.journal.cancel_too_late && self.purpose != Purpose::Aside
        {
            self.withdraw(announced);
            return Err(StepError::CancelRequested);
        }
        self.fresh = announced;
        #[cfg(any(test, feature = "crash-checks"))]
        crate::crash_checks::halt_after_announcement(self.guard.halt.as_ref()).await;
        Ok(())
    }

    /// Uses one unit of another lane for a mutating call that is about to be made there, such as a removal in a
    /// destination. The call may follow only after `Ok(None)`.
    ///
    /// - `key`: what the call is, unique within the operation; the same key counts once a day.
    /// - Returns the quota of that lane when its day is spent: then nothing may be called there, and nothing was
    ///   counted.
    ///
    /// # Errors
    /// [`StepError::WaitForQuota`] when the day of that lane is about to turn, [`StepError::Store`] when the store
    /// cannot tell.
    pub async fn spend(&self, lane: &Lane, key: &str) -> Result<Option<QuotaPicture>, StepError> {
        let rule = self.rules.rule(lane);
        self.guard.keep_off_the_turn(&rule, self.store.now().await?)?;
        match self.store.spend_units(lane, &rule, &format!("{}/{key}", self.operation.id), 1).await {
            Ok(_) => Ok(None),
            Err(Error::QuotaSpent(picture)) => Ok(Some(*picture)),
            Err(error) => Err(error.into()),
        }
    }

    /// Around the turn of the day the cloud's clock may be on the other side of it.
    fn guard_the_turn_of_the_day(&self, now: Timestamp) -> Result<(), StepError> {
        if self.operation.units == 0 { Ok(()) } else { self.guard.keep_off_the_turn(&self.rule, now) }
    }

    async fn hold_units(&mut self, now: Timestamp, lapsed: bool) -> Result<(), StepError> {
        let units = self.operation.units;
        if units == 0 || (!lapsed && holds(&self.operation, self.rule.day(now))) {
            return Ok(());
        }
        let turn = self.store.take_turn(&self.operation.lane, &self.rule, self.operation.id, units).await?;
        match turn {
            Turn::Reserved { day } => {
                self.operation.quota = QuotaHold::Reserved { day, units };
                Ok(())
            }
            Turn::Waiting { position, earliest_start } => {
                self.operation.quota = QuotaHold::Waiting { position, earliest_start: Some(earliest_start) };
                Err(StepError::WaitForQuota { until: earliest_start, position: Some(position) })
            }
        }
    }

    /// Returns the action when no intent of the step was there before.
    fn write_intent(&mut self, call: Announcement, now: Timestamp) -> Option<&'static str> {
        let Purpose::Step(step) = self.purpose else { return None };
        self.operation.journal.units_unused = false;
        if self.operation.journal.intent.as_ref().is_some_and(|intent| intent.step == step) {
            return None;
        }
        self.operation.journal.intent = Some(Intent {
            step: step.to_owned(),
            action: call.action.to_owned(),
            token: call.token,
            since: call.since,
            written: now,
            detail: call.detail,
        });
        Some(call.action)
    }

    /// Takes back an announcement whose call was not made. The units may be used for good by now.
    fn withdraw(&mut self, announced: Option<&'static str>) {
        if announced.is_some() {
            self.operation.journal.intent = None;
            self.operation.journal.units_unused = true;
        }
    }

    async fn commit_announcement(&mut self) -> Result<(), StepError> {
        let counted = self.operation.units > 0 && self.purpose != Purpose::Aside;
        let commit = Commit {
            operation: self.operation.clone(),
            next: Next::Keep(self.guard.work_ttl),
            units: if counted { UnitsChange::Commit } else { UnitsChange::Leave },
            rule: Some(self.rule.clone()),
            lane: self.lane.clone(),
        };
        let asked = Instant::now();
        let (operation, lease) = self.store.commit(&self.work, commit).await?;
        let took = asked.elapsed();
        self.base = operation.clone();
        self.operation = operation;
        if let Some(lease) = lease {
            self.work = lease;
        }
        // A process that was held up here may have lost its leases to somebody who looks for the call by now, and the
        // call would come after that look. Renewals come at a third of a lease's life, so the rest of it is still there.
        if took >= self.guard.work_ttl / 3 {
            return Err(StepError::Store(Error::LeaseLost(format!("the announcement took {took:?}"))));
        }
        Ok(())
    }
}

/// Returns whether the operation holds all its units of `day`, reserved or used.
fn holds(operation: &Operation, day: Date) -> bool {
    match &operation.quota {
        QuotaHold::Reserved { day: of, units } | QuotaHold::Committed { day: of, units } => {
            *of == day && *units >= operation.units
        }
        QuotaHold::None | QuotaHold::Waiting { .. } | QuotaHold::Released => false,
    }
}

pub(crate) fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
