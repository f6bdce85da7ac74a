//! Clears up behind an earlier attempt before a retry: takes over what has become usable or still runs, removes what
//! failed, and names what cannot be removed.

use std::time::Duration;

use sampan_cloud::copy::CopyState;
use sampan_core::{ImageId, Region};
use sampan_ops::{Outcome, StepContext, StepError};
use sampan_state::operation::TargetState;
use serde::{Deserialize, Serialize};

use super::remove::{self, Removal};
use super::target::{self, Work};
use super::{Job, fail};
use crate::survey::is_outage;

const PAUSE: Duration = Duration::from_secs(15);
/// Looks after which a leftover that does not go is left.
const MOST_LOOKS: u32 = 20;

/// Kept between two looks.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Clearing {
    looks: u32,
}

/// Returns an outcome when the rest has to wait.
pub(super) async fn clear_up(job: Job<'_>, context: &mut StepContext) -> Result<Option<Outcome>, StepError> {
    let clearing: Clearing = context.scratch()?.unwrap_or_default();
    let is_last = clearing.looks >= MOST_LOOKS;
    let mut waits = None;
    for index in target::pending(context) {
        let work = Work::of(&context.operation().targets[index]);
        if !work.has_made() && work.snapshots.is_empty() {
            continue;
        }
        let region = target::region(&context.operation().targets[index])?;
        let state = match find(job, &region, &work).await {
            Ok(state) => state,
            Err(error) if is_outage(&error) => return Err(StepError::Call(error)),
            Err(_) => None,
        };
        match state {
            Some((image, CopyState::Ready | CopyState::Copying | CopyState::Queued)) => {
                take_over(context, index, &region, image)?;
            }
            // Copies of snapshots that are there are used again.
            None if work.called.is_none() && !work.disks.is_empty() => keep_snapshots(context, index)?,
            Some((_, CopyState::Failed)) | None => match remove::target(job, context, index).await? {
                Removal::Gone => {}
                Removal::Later(why) if !is_last && state_is_known(&state) => waits = Some(why),
                // What never appeared is forgotten: if it does arrive, its name is taken, and the rules say so.
                Removal::Later(_) => target::update(context, index, |_, work| work.forget())?,
                Removal::Stays(words) => target::fail(
                    context,
                    index,
                    fail(
                        sampan_core::Reason::ImageNameTaken,
                        format!("what an earlier attempt left is in the way: {words}"),
                    ),
                ),
            },
        }
    }
    let Some(why) = waits else { return Ok(None) };
    context.keep(&Clearing { looks: clearing.looks + 1 })?;
    context.warn("CLEARING_UP", format!("what the attempt before left is removed first: {why}"));
    Ok(Some(Outcome::Poll { hint: Some(PAUSE) }))
}

fn state_is_known(state: &Option<(ImageId, CopyState)>) -> bool {
    state.is_some()
}

/// Finds the image of an earlier attempt, by id or else by name.
async fn find(
    job: Job<'_>,
    region: &Region,
    work: &Work,
) -> Result<Option<(ImageId, CopyState)>, sampan_cloud::CallError> {
    let copies = &job.account.copies;
    if let Some(image) = &work.image {
        let seen = copies.copied_images(region, std::slice::from_ref(image)).await?.into_iter().next().flatten();
        return Ok(seen.map(|seen| (image.clone(), seen.state)));
    }
    if work.called.is_none() {
        return Ok(None);
    }
    let is_ours = |id: &ImageId| !work.before.iter().any(|known| known == id.as_str()) && !work.removed.contains(id);
    let named = copies.images_named(region, &work.name).await?;
    let ours = named.into_iter().find(|found| is_ours(&found.image.id));
    Ok(ours.map(|found| (found.image.id, found.state)))
}

/// The copy of an earlier attempt goes on, or is there: no further call is made for it.
fn take_over(context: &mut StepContext, index: usize, region: &Region, image: ImageId) -> Result<(), StepError> {
    let now = context.now();
    let words =
        format!("the copy to {region} of an earlier attempt, image {image}, is taken over instead of made again");
    target::update(context, index, |target, work| {
        target.state = TargetState::Running;
        work.image = Some(image);
        work.called.get_or_insert(now);
        (work.is_usable, work.misses) = (false, 0);
        work.leftovers.clear();
    })?;
    context.warn("TAKEN_OVER", words);
    Ok(())
}

/// Forgets the copies of snapshots that failed; those that are finished or run are used.
fn keep_snapshots(context: &mut StepContext, index: usize) -> Result<(), StepError> {
    target::update(context, index, |_, work| {
        for disk in work.disks.iter_mut().filter(|disk| !disk.is_ready && disk.misses > 0) {
            disk.copy = None;
        }
        work.leftovers.clear();
    })
}
