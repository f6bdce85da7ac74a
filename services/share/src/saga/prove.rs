//! Last step: reads the lists back and writes down what was changed, and what differs from what was asked for.

use std::collections::BTreeSet;

use sampan_ops::{Outcome, StepContext, StepError};
use sampan_state::operation::{Target, TargetState};
use sampan_state::result::{ImageAt, ShareResult, SharedImage};

use super::targets::{Action, Facts};
use super::{Job, done, follow};
use crate::copies::CopyOf;
use crate::spec::Change;
use crate::survey::{is_passing, numbers};

pub(super) async fn run(job: Job<'_>, context: &mut StepContext) -> Result<Outcome, StepError> {
    let copies = follow::copies_of(&context.operation().targets);
    let mut images = vec![read(job, context, None).await?];
    for copy in &copies {
        images.push(read(job, context, Some(copy)).await?);
    }
    let drifted = images.iter().filter(|image| !image.drift.is_empty());
    let words: Vec<String> = drifted
        .map(|image| {
            let ImageAt { region, image: id, .. } = &image.at;
            format!("{id} in {region}: {}", image.drift.join(", "))
        })
        .collect();
    if !words.is_empty() {
        let words = format!("somebody else has changed the shares meanwhile; not as asked for: {}", words.join("; "));
        context.warn("SHARES_DRIFTED", words);
    }
    done(&ShareResult { images })
}

async fn read(job: Job<'_>, context: &mut StepContext, copy: Option<&CopyOf>) -> Result<SharedImage, StepError> {
    let at = match copy {
        None => job.spec.image_at(),
        Some(copy) => job.spec.for_copy(&copy.region, &copy.image).image_at(),
    };
    let live = match job.account.shares.shares(&at.region, &at.image).await {
        Ok(shares) => Some(numbers(&shares)),
        Err(error) if is_passing(&error) => return Err(StepError::Call(error)),
        Err(error) => {
            // What was changed is known all the same.
            context.warn("SHARES_UNREADABLE", format!("the shares could not be read back at last: {error}"));
            None
        }
    };
    Ok(told(job.spec.change, at, copy, &context.operation().targets, live.as_ref()))
}

/// Works out the result of one image. Pure.
fn told(
    change: Change,
    at: ImageAt,
    copy: Option<&CopyOf>,
    targets: &[Target],
    live: Option<&BTreeSet<String>>,
) -> SharedImage {
    let own: Vec<(&Target, Facts)> = targets
        .iter()
        .filter_map(|target| Some((target, Facts::of(target)?)))
        .filter(|(_, facts)| facts.copy.as_ref() == copy)
        .collect();
    let done = |action: Action| {
        let done =
            own.iter().filter(|(target, facts)| target.state == TargetState::Succeeded && facts.action == Some(action));
        let accounts: BTreeSet<String> = done.map(|(_, facts)| facts.account.clone()).collect();
        accounts.into_iter().collect()
    };
    let drift = live.map(|live| drift(change, &own, live)).unwrap_or_default();
    SharedImage {
        at,
        added: done(Action::Add),
        removed: done(Action::Remove),
        accounts: live.map(|live| live.iter().cloned().collect()).unwrap_or_default(),
        drift,
    }
}

/// Accounts that are not as asked for although everything that was asked for them was done.
fn drift(change: Change, own: &[(&Target, Facts)], live: &BTreeSet<String>) -> Vec<String> {
    let mut drift: BTreeSet<String> = own
        .iter()
        .filter(|(target, facts)| target.state == TargetState::Succeeded && facts.action.is_some())
        .filter(|(_, facts)| live.contains(&facts.account) != facts.wanted)
        .map(|(_, facts)| facts.account.clone())
        .collect();
    if change == Change::Set {
        let is_known = |account: &&String| own.iter().any(|(_, facts)| facts.account == **account);
        drift.extend(live.iter().filter(|account| !is_known(account)).cloned());
    }
    drift.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use sampan_core::Cloud;

    use super::super::targets::enlist;
    use super::*;
    use crate::plan::Difference;

    fn owned(accounts: &[&str]) -> Vec<String> {
        accounts.iter().map(|account| (*account).to_owned()).collect()
    }

    fn ended(change: Change, accounts: &[&str], before: &[&str], after: &[&str]) -> SharedImage {
        let now = "2026-11-21T04:00:00Z".parse().unwrap();
        let before: BTreeSet<String> = owned(before).into_iter().collect();
        let mut targets = Vec::new();
        let difference = Difference::of(change, &owned(accounts), &before);
        enlist(&mut targets, &difference, change != Change::Remove, now);
        for target in &mut targets {
            target.state = TargetState::Succeeded;
        }
        let at = ImageAt {
            cloud: Cloud::Tencent,
            account: "prod".to_owned(),
            region: "ap-guangzhou".parse().unwrap(),
            image: "img-1".parse().unwrap(),
        };
        told(change, at, None, &targets, Some(&owned(after).into_iter().collect()))
    }

    #[test]
    fn a_result_tells_what_was_added_and_removed_and_nothing_that_was_so_before() {
        let set = ended(Change::Set, &["2", "3"], &["1", "2"], &["2", "3"]);
        assert_eq!((set.added, set.removed), (owned(&["3"]), owned(&["1"])));
        assert_eq!((set.accounts, set.drift), (owned(&["2", "3"]), owned(&[])));
    }

    #[test]
    fn what_somebody_else_changed_meanwhile_is_drift() {
        let set = ended(Change::Set, &["2", "3"], &["1", "2"], &["1", "3", "9"]);
        assert_eq!(set.drift, ["1", "2", "9"], "one came back, one went, one is new");
        assert_eq!(ended(Change::Add, &["2"], &[], &["9"]).drift, ["2"], "others are nobody's business here");
        assert_eq!(ended(Change::Remove, &["2", "3"], &["2"], &["3"]).drift, ["3"]);
    }
}
