//! First step: checks the live facts under the lane lock and sets up the targets. A retry first clears up behind the
//! attempt before it.

use std::time::Duration;

use jiff::SignedDuration;
use sampan_chassis::cost::Objection;
use sampan_cloud::image::Image;
use sampan_core::{ImageId, Region, Violation};
use sampan_ops::failure::{self, of_rules};
use sampan_ops::{Outcome, StepContext, StepError};
use sampan_state::operation::{Target, TargetState};
use serde::{Deserialize, Serialize};

use super::target::{self, DiskWork, Work};
use super::{Job, Planned, again};
use crate::spec::Route;
use crate::survey::Survey;
use crate::{price, rules, waiting};

/// Pause when the image is busy at the cloud.
const BUSY: Duration = Duration::from_secs(120);
/// Pause when a limit of cost waits for the estimator, and how often it does: for 10 min.
const UNPRICED: Duration = Duration::from_secs(15);
const MAX_UNPRICED: u32 = 40;

/// Kept while the price is asked for again.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Unpriced {
    unpriced: u32,
}

pub(super) async fn run(job: Job<'_>, context: &mut StepContext) -> Result<Outcome, StepError> {
    if context.targets().is_empty() {
        let targets = job.spec.destinations.iter().map(|destination| new_target(&destination.region));
        *context.targets() = targets.collect();
    } else if let Some(outcome) = again::clear_up(job, context).await? {
        return Ok(outcome);
    }
    let open = open_regions(context)?;
    let survey = Survey::take(job.account, job.spec, &open, job.limits).await;
    if let Some(outage) = survey.outage() {
        return Err(StepError::Call(outage.clone()));
    }
    let own = removed(context)?;
    let (enforced, warnings) = rules::split(survey.findings(job.spec, job.account, &own, job.limits));
    for warning in &warnings {
        context.warn(&warning.rule, warning.message.clone());
    }
    if !enforced.is_empty() {
        if !keeps_some(context) {
            return Ok(Outcome::Fail(of_rules(enforced)));
        }
        refuse_targets(context, enforced);
    }
    match survey.spent() {
        Some(spent) if keeps_some(context) && !job.spec.queue_when_quota_spent => {
            for index in target::pending(context) {
                target::fail(context, index, failure::of_call(spent));
            }
        }
        Some(spent) => return Ok(Outcome::SpentElsewhere(spent.clone())),
        None => {}
    }
    if let Some(busy) = survey.busy() {
        return Ok(Outcome::Busy { after: BUSY, message: busy.to_string() });
    }
    let Ok(Some(image)) = survey.image else {
        return Err(StepError::Record("the facts of the image are missing".to_owned()));
    };
    if let Some(outcome) = too_dear(job, context, &image, &open).await? {
        return Ok(outcome);
    }
    decide(job, context, image)
}

/// Holds the caller's limit against the price. An estimator that is away for a moment stops nothing for good, and
/// nothing at all where there is no limit.
async fn too_dear(
    job: Job<'_>,
    context: &mut StepContext,
    image: &Image,
    open: &[Region],
) -> Result<Option<Outcome>, StepError> {
    if job.spec.max_cost.is_none() {
        return Ok(None);
    }
    let price = price::of(job.pricing, job.spec, image, open, None).await;
    let Some(objection) = price::objection(job.spec, &price) else { return Ok(None) };
    let violation = price::violation(&objection);
    let looks: Unpriced = context.scratch()?.unwrap_or_default();
    Ok(Some(match objection {
        Objection::Unknown { .. } if looks.unpriced < MAX_UNPRICED => {
            context.keep(&Unpriced { unpriced: looks.unpriced + 1 })?;
            context.warn(&violation.rule, violation.message);
            Outcome::Poll { hint: Some(UNPRICED) }
        }
        Objection::Unknown { .. } | Objection::Above { .. } | Objection::Currency { .. } => {
            if !keeps_some(context) {
                return Ok(Some(Outcome::Fail(of_rules(vec![violation]))));
            }
            refuse_targets(context, vec![violation]);
            return Ok(None);
        }
    }))
}

/// Everything may be called for: writes down how.
fn decide(job: Job<'_>, context: &mut StepContext, image: Image) -> Result<Outcome, StepError> {
    let traits = job.account.copies.copy_traits();
    let route = rules::image::route_of(job.spec, &image, traits, job.limits);
    for index in target::pending(context) {
        let region = target::region(&context.targets()[index])?;
        let name = job.spec.name_in(&region, &image.name);
        target::update(context, index, |target, work| {
            target.label = format!("{region}, as {name}");
            work.name = name;
            if route == Route::Snapshots && work.disks.is_empty() {
                work.disks = disks(&image);
            }
        })?;
    }
    let calls = target::pending(context).len();
    context.need_units(if route == Route::Snapshots { 0 } else { job.spec.units(calls) });
    if context.operation().deadline.is_none() {
        let wait = waiting::deadline(job.spec, &image, traits, calls);
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_hours(72));
        if let Ok(deadline) = context.now().checked_add(wait) {
            context.set_deadline(deadline);
        }
    }
    serde_json::to_value(Planned { image, route })
        .map(Outcome::Done)
        .map_err(|error| StepError::Record(error.to_string()))
}

/// Returns the disks of an image that travels by its snapshots; those without a snapshot are refused by the rules.
pub(super) fn disks(image: &Image) -> Vec<DiskWork> {
    let data =
        |index: usize| (index > 0).then(|| format!("xvd{}", char::from(b'a' + u8::try_from(index % 26).unwrap_or(0))));
    let disks = image.disks.iter().enumerate().map(|(index, disk)| DiskWork {
        source: disk.snapshot_id.clone().unwrap_or_default(),
        device: if index == 0 { None } else { disk.device.clone().or_else(|| data(index)) },
        size_gib: disk.size_gib,
        ..DiskWork::default()
    });
    disks.collect()
}

fn new_target(region: &Region) -> Target {
    Target {
        id: region.to_string(),
        label: region.to_string(),
        state: TargetState::Pending,
        percent: None,
        cloud_ids: std::collections::BTreeMap::new(),
        failure: None,
        attempts: 0,
        started: None,
        last_progress: None,
        finished: None,
        facts: serde_json::Value::Null,
    }
}

/// Returns the regions that still need a call.
fn open_regions(context: &StepContext) -> Result<Vec<Region>, StepError> {
    let targets = &context.operation().targets;
    target::pending(context).into_iter().map(|index| target::region(&targets[index])).collect()
}

/// Returns what was removed in each region and may still be listed.
fn removed(context: &StepContext) -> Result<Vec<(Region, ImageId)>, StepError> {
    let mut removed = Vec::new();
    for target in &context.operation().targets {
        let region = target::region(target)?;
        removed.extend(Work::of(target).removed.into_iter().map(|image| (region.clone(), image)));
    }
    Ok(removed)
}

/// What an earlier attempt has brought about must not be lost with a refusal of the rest.
fn keeps_some(context: &StepContext) -> bool {
    context.operation().targets.iter().any(|target| target.state != TargetState::Pending)
}

/// Fails the targets that a broken rule names, or all that are open when it names none.
fn refuse_targets(context: &mut StepContext, enforced: Vec<Violation>) {
    for index in target::pending(context) {
        let of_target = format!("spec.destinations[{index}]");
        let is_about = |violation: &&Violation| {
            violation.field.starts_with(&of_target) || !violation.field.starts_with("spec.destinations[")
        };
        let violations: Vec<Violation> = enforced.iter().filter(is_about).cloned().collect();
        if !violations.is_empty() {
            target::fail(context, index, of_rules(violations));
        }
    }
}
