//! Second step: does the same for the copies of the image, each by an operation of its own in the copy's lane.

use std::collections::BTreeSet;
use std::time::Duration;

use sampan_core::{OperationId, Reason};
use sampan_ops::{Engine, Error, Outcome, StepContext, StepError};
use sampan_state::operation::{Operation, State, Target, TargetState};
use serde::{Deserialize, Serialize};

use super::children::{self, Task};
use super::targets::{self, Facts};
use super::{Job, done, fail, prolong};
use crate::copies::{Copies, CopyOf};
use crate::preview;
use crate::spec::{Change, ShareSpec};

/// Pause between two looks at the operations that work for this one; they end within seconds as a rule.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Stands for the accounts of a copy whose exact list is to be empty.
pub(super) const ALL: &str = "all";

/// A copy that is followed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Followed {
    copy: CopyOf,
    /// The copy is the only one in its region.
    alone: bool,
    /// Name of the task, the same after a crash.
    key: String,
    accounts: Vec<String>,
    operation: Option<OperationId>,
    is_over: bool,
}

pub(super) async fn run(job: Job<'_>, engine: &Engine, context: &mut StepContext) -> Result<Outcome, StepError> {
    if !job.spec.include_copies {
        return done(&());
    }
    // The others have deadlines of their own.
    prolong(context);
    let Some(mut followed): Option<Vec<Followed>> = context.scratch()? else {
        // Written down before anything is started: what is started later is what was planned.
        let plan = plan(job, engine, context).await?;
        context.keep(&plan)?;
        return Ok(Outcome::Poll { hint: Some(Duration::ZERO) });
    };
    let mut waits = false;
    for one in followed.iter_mut().filter(|one| !one.is_over) {
        match one.operation {
            None => start(job, engine, context, one).await?,
            Some(id) => waits |= look(engine, context, one, id).await? == State::WaitingForQuota,
        }
    }
    context.keep(&followed)?;
    if followed.iter().all(|one| one.is_over) {
        return done(&());
    }
    // One that waits for its day is looked at as rarely as a long job.
    Ok(Outcome::Poll { hint: (!waits).then_some(LOOK_AGAIN) })
}

/// Finds the copies that are still there, and those of their accounts that are not done yet.
async fn plan(job: Job<'_>, engine: &Engine, context: &mut StepContext) -> Result<Vec<Followed>, StepError> {
    let Copies { found, unfinished } = Copies::of(engine, job.spec).await.map_err(children::told)?;
    if !unfinished.is_empty() {
        context.warn("COPIES_UNFINISHED", preview::unfinished_copies(&unfinished).message);
    }
    let (mut there, mut gone) = (Vec::new(), Vec::new());
    for copy in found {
        match job.account.images.describe_image(&copy.region, &copy.image).await? {
            Some(_) => there.push(copy),
            None => gone.push(preview::gone(&copy.region, copy.image.as_str()).message),
        }
    }
    if !gone.is_empty() {
        context.warn("COPIES_GONE", gone.join("; "));
    }
    let is_alone = |copy: &CopyOf| there.iter().filter(|other| other.region == copy.region).count() == 1;
    let plan = there.iter().filter_map(|copy| followed(job.spec, context, copy, is_alone(copy)));
    Ok(plan.collect())
}

/// Plans one copy; `None` when all of it was done before.
fn followed(spec: &ShareSpec, context: &mut StepContext, copy: &CopyOf, alone: bool) -> Option<Followed> {
    let known: Vec<Target> = context.operation().targets.iter().filter(|target| is_of(target, copy)).cloned().collect();
    let is_done = |account: &String| {
        let of_account = |target: &&Target| Facts::of(target).is_some_and(|facts| facts.account == *account);
        known.iter().filter(of_account).any(|target| target.state == TargetState::Succeeded)
    };
    let open: Vec<String> = spec.account_ids.iter().filter(|account| !is_done(account)).cloned().collect();
    let (accounts, has_work) = match spec.change {
        Change::Add | Change::Remove => (open.clone(), !open.is_empty()),
        // An exact list is set whole or not at all.
        Change::Set => {
            let all_done = !known.is_empty() && known.iter().all(|target| target.state == TargetState::Succeeded);
            (spec.account_ids.clone(), !all_done)
        }
    };
    if !has_work {
        return None;
    }
    let shown: Vec<String> = match spec.account_ids.as_slice() {
        [] if known.is_empty() => vec![ALL.to_owned()],
        named => named.to_vec(),
    };
    let wanted = spec.change != Change::Remove && !spec.account_ids.is_empty();
    for account in shown {
        if !known.iter().any(|target| Facts::of(target).is_some_and(|facts| facts.account == account)) {
            context.targets().push(targets::of_copy(&account, None, wanted, copy, alone));
        }
    }
    // A new round after each time that the targets were begun: what was started before has ended.
    let round = known.iter().map(|target| target.attempts).max().unwrap_or(0);
    let key = format!("copy/{}/{}/{round}", copy.region, copy.image);
    Some(Followed { copy: copy.clone(), alone, key, accounts, operation: None, is_over: false })
}

fn stands_for_all(target: &Target) -> bool {
    Facts::of(target).is_some_and(|facts| facts.account == ALL)
}

fn is_of(target: &Target, copy: &CopyOf) -> bool {
    Facts::of(target).is_some_and(|facts| facts.copy.as_ref() == Some(copy))
}

async fn start(job: Job<'_>, engine: &Engine, context: &mut StepContext, one: &mut Followed) -> Result<(), StepError> {
    let spec = ShareSpec { account_ids: one.accounts.clone(), ..job.spec.for_copy(&one.copy.region, &one.copy.image) };
    let units = spec.units(job.account.shares.share_traits());
    let task = Task { key: one.key.clone(), spec, takes_back: false, units };
    match children::start(engine, context.operation(), task).await {
        Ok(operation) => {
            one.operation = Some(operation.id);
            for target in context.targets().iter_mut().filter(|target| is_of(target, &one.copy)) {
                target.cloud_ids.insert("operation".to_owned(), operation.id.name());
                if target.state == TargetState::Pending {
                    target.state = TargetState::Running;
                }
            }
            Ok(())
        }
        Err(Error::Store(error @ sampan_state::Error::QuotaSpent(_))) => {
            one.is_over = true;
            close(context, one, State::Failed, &fail(Reason::QuotaSpent, error.to_string()));
            Ok(())
        }
        Err(error) => Err(children::told(error)),
    }
}

/// Looks at the operation of a copy and returns its state.
async fn look(
    engine: &Engine,
    context: &mut StepContext,
    one: &mut Followed,
    id: OperationId,
) -> Result<State, StepError> {
    let operation = engine.get(id).await.map_err(children::told)?;
    mirror(context, &operation, &one.copy, one.alone);
    if operation.state.is_final() {
        one.is_over = true;
        let ended = || fail(Reason::OperationCancelled, format!("{} has ended without it", id.name()));
        close(context, one, operation.state, &operation.failure.clone().unwrap_or_else(ended));
    }
    Ok(operation.state)
}

/// Takes over what became of the accounts of a copy.
pub(super) fn mirror(context: &mut StepContext, operation: &Operation, copy: &CopyOf, alone: bool) {
    let now = context.now();
    for told in &operation.targets {
        let Some(facts) = Facts::of(told).filter(|facts| facts.copy.is_none()) else { continue };
        let known = context.targets();
        let of_account =
            |target: &Target| is_of(target, copy) && Facts::of(target).is_some_and(|own| own.account == facts.account);
        let index = known.iter().position(of_account).unwrap_or_else(|| {
            let named = targets::of_copy(&facts.account, facts.action, facts.wanted, copy, alone);
            match known.iter_mut().position(|target| is_of(target, copy) && stands_for_all(target)) {
                // Now that its accounts are known, nothing stands for them any more.
                Some(index) => {
                    known[index] = Target { attempts: known[index].attempts, started: known[index].started, ..named };
                    index
                }
                None => {
                    known.push(named);
                    known.len() - 1
                }
            }
        });
        let Some(target) = known.get_mut(index) else { continue };
        let facts = Facts { copy: Some(copy.clone()), ..facts };
        target.facts = serde_json::to_value(&facts).unwrap_or_default();
        target.cloud_ids.insert("operation".to_owned(), operation.id.name());
        match told.state {
            TargetState::Pending => {}
            TargetState::Running => target.state = TargetState::Running,
            TargetState::Succeeded => targets::succeed(target, told.finished.unwrap_or(now)),
            TargetState::Failed | TargetState::Cancelled => {
                target.state = told.state;
                target.failure = told.failure.clone();
                target.finished = told.finished.or(Some(now));
            }
        }
    }
}

/// Ends the accounts of a copy that its operation has told nothing about.
fn close(context: &mut StepContext, one: &Followed, state: State, failure: &sampan_state::operation::Failure) {
    let now = context.now();
    let open = context.targets().iter_mut().filter(|target| is_of(target, &one.copy) && !target.state.is_final());
    for target in open {
        match state {
            State::Succeeded => targets::succeed(target, now),
            _ => targets::give_up(target, failure.clone(), now),
        }
    }
}

/// Returns the copies that the targets speak of, in their order.
pub(super) fn copies_of(targets: &[Target]) -> Vec<CopyOf> {
    let mut seen = BTreeSet::new();
    let copies = targets.iter().filter_map(|target| Facts::of(target)?.copy);
    copies.filter(|copy| seen.insert(copy.clone())).collect()
}
