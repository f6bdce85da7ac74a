//! The targets of a change: one per account, and one per account and copy.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sampan_core::Region;
use sampan_state::operation::{Failure, Target, TargetState};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::copies::CopyOf;
use crate::plan::Difference;

/// What is done with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    /// It is added.
    Add,
    /// It is removed.
    Remove,
    /// It is as wanted already.
    Keep,
}

/// The facts of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// Number of the account.
    pub(super) account: String,
    /// What is done with it; `None` while the list of a copy is not known.
    pub(super) action: Option<Action>,
    /// Whether it is to have the image in the end.
    pub(super) wanted: bool,
    /// The copy; `None` for the image itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) copy: Option<CopyOf>,
}

impl Facts {
    /// Reads the facts of a target.
    pub(super) fn of(target: &Target) -> Option<Self> {
        Self::deserialize(&target.facts).ok()
    }
}

/// Returns whether the target is one of a copy.
pub(super) fn is_of_copy(target: &Target) -> bool {
    Facts::of(target).is_some_and(|facts| facts.copy.is_some())
}

/// Returns the accounts of the image itself whose targets succeeded with that action.
pub(super) fn succeeded(targets: &[Target], action: Action) -> Vec<String> {
    let own = targets.iter().filter(|target| target.state == TargetState::Succeeded).filter_map(Facts::of);
    let own = own.filter(|facts| facts.copy.is_none() && facts.action == Some(action));
    let accounts: BTreeSet<String> = own.map(|facts| facts.account).collect();
    accounts.into_iter().collect()
}

/// Returns whether any target succeeded by a change, of the image or of a copy.
pub(super) fn any_changed(targets: &[Target]) -> bool {
    targets.iter().any(|target| target.state == TargetState::Succeeded && !was_kept(target))
}

/// Makes sure that every account of a difference has its target; those that are as wanted have succeeded.
///
/// A target that succeeded by this operation stays as it is: if somebody undoes it meanwhile, the result tells.
pub(super) fn enlist(targets: &mut Vec<Target>, difference: &Difference, wants_kept: bool, now: Timestamp) {
    let all = difference
        .add
        .iter()
        .map(|account| (account, Action::Add, true))
        .chain(difference.keep.iter().map(|account| (account, Action::Keep, wants_kept)))
        .chain(difference.remove.iter().map(|account| (account, Action::Remove, false)));
    for (account, action, wanted) in all {
        let facts = Facts { account: account.clone(), action: Some(action), wanted, copy: None };
        match targets.iter_mut().find(|target| target.id == *account) {
            None => targets.push(target(&facts, account.clone(), None, now)),
            Some(known) if action != Action::Keep && was_kept(known) => {
                *known = target(&facts, account.clone(), None, now)
            }
            Some(_) => {}
        }
    }
}

fn was_kept(target: &Target) -> bool {
    Facts::of(target).is_some_and(|facts| facts.action == Some(Action::Keep))
}

/// Returns whether the operation is through with an account of its image.
pub(super) fn is_settled(targets: &[Target], account: &str) -> bool {
    targets.iter().any(|target| target.id == account && target.state == TargetState::Succeeded && !was_kept(target))
}

/// Marks the accounts whose effect a list shows.
pub(super) fn mark(targets: &mut [Target], live: &BTreeSet<String>, now: Timestamp) {
    for target in targets.iter_mut().filter(|target| !target.state.is_final()) {
        let Some(facts) = Facts::of(target).filter(|facts| facts.copy.is_none()) else { continue };
        let is_there = live.contains(&facts.account);
        match facts.action {
            Some(Action::Add | Action::Keep) if is_there == facts.wanted => succeed(target, now),
            Some(Action::Remove) if !is_there => succeed(target, now),
            Some(Action::Add | Action::Keep | Action::Remove) | None => {}
        }
    }
}

/// Ends a target well.
pub(super) fn succeed(target: &mut Target, now: Timestamp) {
    target.state = TargetState::Succeeded;
    target.percent = Some(100);
    target.failure = None;
    target.finished = Some(now);
}

/// Ends a target badly.
pub(super) fn give_up(target: &mut Target, failure: Failure, now: Timestamp) {
    target.state = TargetState::Failed;
    target.failure = Some(failure);
    target.finished = Some(now);
}

/// Makes the target of an account of a copy.
///
/// - `alone`: the copy is the only one in its region.
pub(super) fn of_copy(account: &str, action: Option<Action>, wanted: bool, copy: &CopyOf, alone: bool) -> Target {
    let facts = Facts { account: account.to_owned(), action, wanted, copy: Some(copy.clone()) };
    let id = id_at(account, copy, alone);
    let mut target = target(&facts, id, Some(&copy.region), Timestamp::UNIX_EPOCH);
    target.cloud_ids.insert("image".to_owned(), copy.image.to_string());
    target.state = TargetState::Pending;
    target.percent = None;
    target.finished = None;
    target
}

/// Returns the id of the target of an account of a copy.
fn id_at(account: &str, copy: &CopyOf, alone: bool) -> String {
    let image = if alone { String::new() } else { format!("/{}", copy.image) };
    format!("{account}@{}{image}", copy.region)
}

fn target(facts: &Facts, id: String, region: Option<&Region>, now: Timestamp) -> Target {
    let place = region.map_or_else(String::new, |region| format!(" in {region}"));
    let verb = match facts.action {
        Some(Action::Add) => "add ",
        Some(Action::Remove) => "remove ",
        Some(Action::Keep) | None => "",
    };
    let is_kept = facts.action == Some(Action::Keep);
    Target {
        id,
        label: format!("{verb}{}{place}", facts.account),
        state: if is_kept { TargetState::Succeeded } else { TargetState::Pending },
        percent: is_kept.then_some(100),
        cloud_ids: std::collections::BTreeMap::new(),
        failure: None,
        attempts: 0,
        started: None,
        last_progress: None,
        finished: is_kept.then_some(now),
        facts: serde_json::to_value(facts).unwrap_or(Value::Null),
    }
}
