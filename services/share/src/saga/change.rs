//! First step: compares the live list with what is wanted, announces the call, makes it, and reads the list back.
//!
//! The list decides about every account, never the answer of a call alone: an answer may be lost, and what becomes of
//! the others when a cloud refuses one account is documented nowhere. Nothing is remembered of the list between two
//! calls, so that a crash, a lost answer or somebody else's change is only another list to start from. What a refusal
//! means is decided in [`super::refused`].

use std::collections::BTreeSet;
use std::time::Duration;

use sampan_cloud::CallError;
use sampan_cloud::share::ShareCall;
use sampan_core::{Reason, finding};
use sampan_ops::context::Announcement;
use sampan_ops::failure::of_rules;
use sampan_ops::{Outcome, Settled, StepContext, StepError};
use sampan_state::OnSpent;
use sampan_state::operation::{Intent, TargetState};

use super::notes::Notes;
use super::{Job, done, fail, prolong, targets};
use crate::plan::{self, Difference};
use crate::rules::advice;
use crate::spec::Change;
use crate::survey::{Survey, numbers};

/// Pause between two looks at a list that does not show a call's effect.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Looks after which a call whose answer was lost had no effect.
const LOOKS_AFTER_LOSS: u32 = 3;
/// Looks after which a call that was accepted will show no more effect.
const LOOKS_AFTER_ANSWER: u32 = 5;
/// Repetitions of calls whose answers are lost again and again.
const MAX_REPEATS: u32 = 3;
const ANSWER_LOST: &str = "ANSWER_LOST";

/// What comes next.
enum Next {
    Call(ShareCall),
    Stop(Outcome),
}

pub(super) async fn run(job: Job<'_>, context: &mut StepContext) -> Result<Outcome, StepError> {
    let mut notes: Notes = context.scratch()?.unwrap_or_default();
    if context.operation().deadline.is_none() {
        prolong(context);
    }
    loop {
        let step = match context.intent().cloned() {
            Some(intent) => job.look(context, &mut notes, &intent).await?,
            None => match job.next(context, &mut notes).await? {
                Next::Call(call) => job.call(context, &mut notes, call).await?,
                Next::Stop(outcome) => Some(outcome),
            },
        };
        context.keep(&notes)?;
        if let Some(outcome) = step {
            return Ok(outcome);
        }
    }
}

impl Job<'_> {
    /// Repeats the preview's check, now that the lane is ours, and works out the next call.
    async fn next(self, context: &mut StepContext, notes: &mut Notes) -> Result<Next, StepError> {
        let survey = Survey::take(self.account, self.spec).await;
        if let Some(outage) = survey.outage() {
            return Err(StepError::Call(outage.clone()));
        }
        let (enforced, warnings) = finding::split(survey.findings(self.spec, self.limits));
        let live = survey.live();
        let now = live.as_ref().map(|live| Difference::of(self.spec.change, &self.spec.account_ids, live));
        for warning in warnings.iter().chain(&advice::of(self.spec, &now.unwrap_or_default())) {
            context.warn(&warning.rule, warning.message.clone());
        }
        if !enforced.is_empty() && !has_changed(context, notes) {
            return Ok(Next::Stop(Outcome::Fail(of_rules(enforced))));
        }
        let Some(live) = live.filter(|_| enforced.is_empty()) else {
            // The first calls have changed something; what is left of the change is given up.
            let failure = of_rules(enforced);
            let open = self.open(context);
            notes.refuse(open, &failure);
            return Ok(Next::Stop(self.finish(context, notes)?));
        };
        let difference = self.pending(context, notes, &live);
        let calls = difference.calls(self.account.shares.share_traits(), notes.one_by_one);
        match calls.into_iter().next() {
            Some(call) => Ok(Next::Call(call)),
            None => Ok(Next::Stop(self.finish(context, notes)?)),
        }
    }

    /// Brings the targets up to date with a list, and returns what is still to be done.
    pub(super) fn pending(self, context: &mut StepContext, notes: &Notes, live: &BTreeSet<String>) -> Difference {
        let now = context.now();
        let difference = Difference::of(self.spec.change, &self.spec.account_ids, live);
        targets::enlist(context.targets(), &difference, self.spec.change != Change::Remove, now);
        targets::mark(context.targets(), live, now);
        let targets = &context.operation().targets;
        difference.without(|account| notes.refused.contains_key(account) || targets::is_settled(targets, account))
    }

    /// Returns the accounts of the image that are neither done nor given up.
    pub(super) fn open(self, context: &StepContext) -> Vec<String> {
        let open = context.operation().targets.iter().filter(|target| !target.state.is_final());
        open.filter(|target| !targets::is_of_copy(target)).map(|target| target.id.clone()).collect()
    }

    /// Announces a call and makes it. `None` means to go on.
    async fn call(
        self,
        context: &mut StepContext,
        notes: &mut Notes,
        call: ShareCall,
    ) -> Result<Option<Outcome>, StepError> {
        if !self.cover(context, notes).await? {
            return Ok(None);
        }
        context.keep(notes)?;
        let detail = serde_json::to_value(&call).map_err(|error| StepError::Record(error.to_string()))?;
        let action = self.account.shares.share_traits().action;
        let since = context.now();
        let before = context.operation().targets.clone();
        begin_targets(context, &call);
        if let Err(refused) = context.begin_call(Announcement { action, token: None, since, detail }).await {
            *context.targets() = before;
            return Err(refused);
        }
        match self.account.shares.change_shares(&self.spec.region, &self.spec.image, &call).await {
            Ok(request_id) => {
                notes.accepted = true;
                tracing::info!(operation = %context.operation().id, image = %self.spec.image, request_id, "shares changed");
                Ok(None)
            }
            Err(error) => self.refused(context, notes, &call, error).await,
        }
    }

    /// Makes sure that the day has a unit for one more call. Those that the operation holds come first; what a list
    /// needs beyond, because more is to be changed than the request could tell, is used one by one.
    ///
    /// Returns `false` when the day is spent: what is left of the change is given up then.
    async fn cover(self, context: &StepContext, notes: &mut Notes) -> Result<bool, StepError> {
        if notes.used < context.operation().units.max(1) {
            return Ok(true);
        }
        let key = format!("call-{}", notes.used);
        let Some(picture) = context.spend(&self.spec.lane(), &key).await? else { return Ok(true) };
        if self.spec.on_spent() == OnSpent::Queue {
            return Err(StepError::WaitForQuota { until: picture.resets_at, position: None });
        }
        let words = format!(
            "the image operations of {} are used up in {} after {} of the calls that the change needs",
            picture.day, picture.lane, notes.used
        );
        notes.refuse(self.open(context), &fail(Reason::QuotaSpent, words));
        Ok(false)
    }

    /// Looks for the effect of the announced call. `None` means that it is settled.
    async fn look(
        self,
        context: &mut StepContext,
        notes: &mut Notes,
        intent: &Intent,
    ) -> Result<Option<Outcome>, StepError> {
        let call = call_of(intent)?;
        let live = self.live().await?;
        let now = context.now();
        targets::mark(context.targets(), &live, now);
        let missing = plan::missing(&call, &live);
        let has_effect = missing.len() < call.add.len() + call.remove.len();
        if missing.is_empty() {
            self.took_effect(context, notes);
            return Ok(None);
        }
        notes.looks += 1;
        let enough = if notes.accepted { LOOKS_AFTER_ANSWER } else { LOOKS_AFTER_LOSS };
        if notes.looks < enough {
            if !notes.accepted {
                context.warn(
                    ANSWER_LOST,
                    "no answer came to the share call; its effect is looked for before it is repeated",
                );
            }
            return Ok(Some(Outcome::Poll { hint: Some(LOOK_AGAIN) }));
        }
        // The list is sure by now.
        let was_accepted = notes.accepted;
        if has_effect {
            self.took_effect(context, notes);
            return Ok(None);
        }
        if was_accepted {
            self.took_effect(context, notes);
            let words = "the cloud accepted the change, and its list of shares does not show it";
            notes.refuse(missing, &fail(Reason::ShareNotEffective, words));
            return Ok(None);
        }
        self.without_effect(context, notes);
        notes.repeats += 1;
        if notes.repeats > MAX_REPEATS {
            let words = format!("no answer came to the share call {} times, and it had no effect", notes.repeats);
            notes.refuse(missing, &fail(Reason::ShareNotEffective, words));
        } else {
            let words = "no answer came to the share call, and the list showed no effect of it: it was repeated";
            context.warn(ANSWER_LOST, words);
        }
        Ok(None)
    }

    /// Returns the accounts that the image is shared with now.
    pub(super) async fn live(self) -> Result<BTreeSet<String>, CallError> {
        Ok(numbers(&self.account.shares.shares(&self.spec.region, &self.spec.image).await?))
    }

    /// The announced call counts.
    pub(super) fn took_effect(self, context: &mut StepContext, notes: &mut Notes) {
        notes.used += 1;
        notes.settled();
        context.settle(Settled::Accepted);
    }

    /// The announced call counts for nothing, and its unit goes back; with an earlier call that counts, units can only
    /// go back together, so it stays.
    pub(super) fn without_effect(self, context: &mut StepContext, notes: &mut Notes) {
        notes.settled();
        context.settle(if notes.used > 0 { Settled::Accepted } else { Settled::WithoutEffect });
    }

    /// Ends the step: every account of the image is done or given up.
    fn finish(self, context: &mut StepContext, notes: &Notes) -> Result<Outcome, StepError> {
        let now = context.now();
        for target in context.targets().iter_mut().filter(|target| !target.state.is_final()) {
            if targets::is_of_copy(target) {
                continue;
            }
            let unseen = || fail(Reason::ShareNotEffective, "the cloud's list of shares does not show the change");
            let failure = notes.refused.get(&target.id).cloned().unwrap_or_else(unseen);
            targets::give_up(target, failure, now);
        }
        if notes.used == 0 {
            // What was held for a call that was not needed goes back.
            context.need_units(0);
        }
        done(&notes.used)
    }
}

/// Reads the call of an announcement.
pub(super) fn call_of(intent: &Intent) -> Result<ShareCall, StepError> {
    serde::Deserialize::deserialize(&intent.detail)
        .map_err(|error: serde_json::Error| StepError::Record(error.to_string()))
}

/// Returns whether the operation has changed anything so far, this time or before it was tried again.
pub(super) fn has_changed(context: &StepContext, notes: &Notes) -> bool {
    notes.used > 0 || targets::any_changed(&context.operation().targets)
}

/// Marks the accounts of a call as begun; it is written down with the announcement.
fn begin_targets(context: &mut StepContext, call: &ShareCall) {
    let now = context.now();
    for target in context.targets().iter_mut().filter(|target| !target.state.is_final()) {
        if call.add.contains(&target.id) || call.remove.contains(&target.id) {
            target.state = TargetState::Running;
            target.attempts += 1;
            target.started.get_or_insert(now);
        }
    }
}
