//! Looks for the effect of a call whose answer was lost, and decides when it surely had none.
//!
//! An effect is an image or a snapshot of the name that the call gave, that was not there before it. Where the call
//! carried a token, a repetition makes nothing twice, and a few looks suffice; elsewhere nothing must be seen for as
//! long as a new image could stay hidden.

use std::time::Duration;

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use sampan_cloud::CallError;
use sampan_core::Reason;
use sampan_ops::{Outcome, Settled, StepContext, StepError};
use sampan_state::operation::Intent;
use serde::{Deserialize, Serialize};

use super::call::{self, ANSWER_LOST, Begun, CallPlan};
use super::next::{Wanted, regions};
use super::{Job, fail, target};
use crate::survey::is_outage;

/// Pause between two looks that follow each other closely.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Looks that must all find nothing where a repetition is harmless.
const LOOKS: u32 = 4;
/// How long nothing must be seen where it is not: answers of the cloud follow a call with a delay.
const QUIET: Duration = Duration::from_secs(15 * 60);
/// Share of that time that a pause between two looks takes at most.
const QUIET_SHARE: u32 = 5;
/// Repetitions of a call whose answer is lost again and again.
const MAX_REPEATS: u32 = 3;
/// The vendor's clock may be behind ours by this much.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What came of a look.
#[derive(Debug)]
pub(super) enum Looked {
    /// The call is settled: its effect was found, or it is given up.
    Settled,
    /// Look again later.
    Rests(Outcome),
    /// The call surely had no effect, and may be made again.
    WithoutEffect(Box<CallPlan>),
}

/// What all looks for one lost call have seen; kept between them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Looks {
    /// Looks in a row that found nothing.
    empty: u32,
    /// Time that these looks have covered, in seconds.
    quiet_seconds: u64,
    /// Times that the call was repeated.
    repeats: u32,
}

impl Looks {
    /// Adds a look that found nothing; returns the pause before the next, or `None` when it is certain.
    pub(super) fn add(&mut self, has_token: bool) -> Option<Duration> {
        self.empty = self.empty.saturating_add(1);
        let is_sure = if has_token { self.empty >= LOOKS } else { Duration::from_secs(self.quiet_seconds) >= QUIET };
        if is_sure {
            return None;
        }
        let pause = if has_token {
            LOOK_AGAIN
        } else {
            LOOK_AGAIN.saturating_mul(1 << self.empty.min(16)).min(QUIET / QUIET_SHARE)
        };
        self.quiet_seconds = self.quiet_seconds.saturating_add(pause.as_secs());
        Some(pause)
    }
}

pub(super) async fn run(job: Job<'_>, context: &mut StepContext, intent: &Intent) -> Result<Looked, StepError> {
    let plan = plan_of(intent)?;
    let mut looks: Looks = context.scratch()?.unwrap_or_default();
    match search(job, context, &plan).await {
        Ok(Some(begun)) => {
            context.warn(ANSWER_LOST, "the answer to a copy call was lost; what it began was found and is followed");
            call::accepted(context, &plan, &begun)?;
            return Ok(Looked::Settled);
        }
        Ok(None) => {}
        Err(error) if is_outage(&error) => return Err(StepError::Call(error)),
        // A refusal to tell is no sign of anything.
        Err(_) => return Ok(Looked::Rests(Outcome::Poll { hint: None })),
    }
    if let Some(pause) = looks.add(plan.token.is_some()) {
        context.keep(&looks)?;
        context.warn(ANSWER_LOST, "no answer came to a copy call; its effect is looked for before it is repeated");
        return Ok(Looked::Rests(Outcome::Poll { hint: Some(pause) }));
    }
    if looks.repeats < MAX_REPEATS {
        context.keep(&Looks { repeats: looks.repeats + 1, ..Looks::default() })?;
        return Ok(Looked::WithoutEffect(Box::new(plan)));
    }
    // Any of the calls may have been taken, so the units stay counted; the other destinations go on.
    context.settle(Settled::Accepted);
    context.keep(&Looks::default())?;
    for (index, name) in plan.wanted.indices().into_iter().zip(&plan.names) {
        let region = context.operation().targets[index].id.clone();
        let message = format!("no answer came to the copy call for {region}, and no image named {name} appeared there");
        target::fail(context, index, fail(Reason::CopyOutcomeUnknown, message));
    }
    Ok(Looked::Settled)
}

/// Reads what was planned before the call.
pub(super) fn plan_of(intent: &Intent) -> Result<CallPlan, StepError> {
    serde_json::from_value(intent.detail.clone()).map_err(|error| StepError::Record(error.to_string()))
}

/// Looks once; `None` when nothing of the call is there. What one destination shows proves the call for all.
pub(super) async fn search(job: Job<'_>, context: &StepContext, plan: &CallPlan) -> Result<Option<Begun>, CallError> {
    let Ok(regions) = regions(context, &plan.wanted.indices()) else { return Ok(None) };
    let copies = &job.account.copies;
    let is_new = |created: Option<Timestamp>| {
        let oldest = plan.since.saturating_sub(CLOCK_SKEW).unwrap_or(plan.since);
        created.is_none_or(|created| created >= oldest)
    };
    if let Wanted::Snapshot { .. } = plan.wanted {
        let (Some(region), Some(name), Some(before)) = (regions.first(), plan.names.first(), plan.before.first())
        else {
            return Ok(None);
        };
        let found = copies.snapshots_named(region, name).await?;
        let ours = found.into_iter().find(|found| !before.contains(&found.id) && is_new(found.created));
        return Ok(ours.map(|ours| Begun { snapshot: Some(ours.id), ..Begun::default() }));
    }
    let named = join_all(regions.iter().zip(&plan.names).map(|(region, name)| copies.images_named(region, name))).await;
    let mut begun = Begun::default();
    let mut untold = None;
    for ((region, answer), before) in regions.iter().zip(named).zip(&plan.before) {
        match answer {
            Ok(images) => {
                let ours = images.into_iter().find(|found| {
                    let may_be_copy = found.is_copy != Some(false) || matches!(plan.wanted, Wanted::Create(_));
                    let id = found.image.id.as_str();
                    may_be_copy && !before.iter().any(|known| known == id) && is_new(found.image.created)
                });
                begun.images.extend(ours.map(|ours| (region.clone(), ours.image.id)));
            }
            Err(error) => untold = Some(error),
        }
    }
    match untold {
        Some(error) if begun.images.is_empty() => Err(error),
        Some(_) | None => Ok((!begun.images.is_empty()).then_some(begun)),
    }
}
