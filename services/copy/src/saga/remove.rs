//! Removes what was made for one destination: cancels what runs where the cloud can, then the image, then its
//! snapshots. Each run looks first, so no removal is asked for twice that has happened.

use sampan_cloud::copy::CopyState;
use sampan_cloud::image::CancelAnswer;
use sampan_cloud::{CallClass, CallError};
use sampan_core::{ImageId, Region};
use sampan_ops::{StepContext, StepError};
use sampan_state::result::Leftover;

use super::Job;
use super::target::{self, Work};

/// How far a removal is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Removal {
    /// Nothing is left.
    Gone,
    /// It can go on later; why not now.
    Later(String),
    /// Something cannot be removed; why. It is among the leftovers of the target.
    Stays(String),
}

/// Removes everything of the target at `index`, as far as that is possible now.
pub(super) async fn target(job: Job<'_>, context: &mut StepContext, index: usize) -> Result<Removal, StepError> {
    let region = target::region(&context.operation().targets[index])?;
    let work = Work::of(&context.operation().targets[index]);
    target::update(context, index, |_, work| work.leftovers.clear())?;
    if let Some(found) = unnamed(job, &region, &work).await {
        match found {
            Ok(Some(image)) => target::update(context, index, |_, work| work.image = Some(image))?,
            Ok(None) => {
                return Ok(Removal::Later(format!("an image named {} has not appeared in {region} yet", work.name)));
            }
            Err(error) => return later_or_stays(context, index, ("image", &work.name), &error),
        }
    }
    if let Some(image) = Work::of(&context.operation().targets[index]).image {
        match remove_image(job, context, index, &region, &image).await? {
            Removal::Gone => target::update(context, index, |_, work| {
                work.removed.push(image);
                (work.image, work.called, work.is_usable) = (None, None, false);
            })?,
            other => return Ok(other),
        }
    }
    let removal = remove_snapshots(job, context, index, &region).await?;
    if removal == Removal::Gone {
        target::update(context, index, |_, work| work.forget())?;
    }
    Ok(removal)
}

/// Looks for an image whose id the cloud never told; `None` when there is none to look for.
async fn unnamed(job: Job<'_>, region: &Region, work: &Work) -> Option<Result<Option<ImageId>, CallError>> {
    if work.image.is_some() || work.called.is_none() {
        return None;
    }
    let is_ours = |id: &ImageId| !work.before.iter().any(|known| known == id.as_str()) && !work.removed.contains(id);
    let named = job.account.copies.images_named(region, &work.name).await;
    Some(named.map(|found| found.into_iter().map(|found| found.image.id).find(is_ours)))
}

async fn remove_image(
    job: Job<'_>,
    context: &mut StepContext,
    index: usize,
    region: &Region,
    image: &ImageId,
) -> Result<Removal, StepError> {
    let copies = &job.account.copies;
    let seen = match copies.copied_images(region, std::slice::from_ref(image)).await {
        Ok(seen) => seen.into_iter().next().flatten(),
        Err(error) => return later_or_stays(context, index, ("image", image.as_str()), &error),
    };
    let Some(seen) = seen else { return Ok(Removal::Gone) };
    let snapshots: Vec<String> = seen.image.disks.iter().filter_map(|disk| disk.snapshot_id.clone()).collect();
    if !snapshots.is_empty() {
        target::update(context, index, |_, work| work.snapshots = snapshots)?;
    }
    if matches!(seen.state, CopyState::Queued | CopyState::Copying) {
        if !copies.copy_traits().cancels {
            return Ok(Removal::Later(format!(
                "image {image} is still being copied to {region}, and cannot be stopped"
            )));
        }
        return Ok(match copies.cancel_copy(region, image).await {
            Ok(CancelAnswer::Accepted | CancelAnswer::AlreadyEnded) => {
                Removal::Later(format!("the copy of image {image} to {region} is being stopped"))
            }
            Ok(CancelAnswer::Impossible) => {
                Removal::Later(format!("the cloud does not stop the copy of image {image} to {region}"))
            }
            Err(error) => return later_or_stays(context, index, ("image", image.as_str()), &error),
        });
    }
    // The removal is a call in that region, and counts in its day.
    if let Some(spent) = context.spend(&job.spec.lane_of(region), &format!("delete/{image}")).await? {
        let why = format!("the image operations of the day are used up in {region} until {}", spent.resets_at);
        return stays(context, index, ("image", image.as_str()), why);
    }
    match copies.delete_image(region, image, true).await {
        Ok(()) => Ok(Removal::Gone),
        Err(error) => later_or_stays(context, index, ("image", image.as_str()), &error),
    }
}

/// Where the removal of an image leaves its snapshots behind, they are removed one by one.
async fn remove_snapshots(
    job: Job<'_>,
    context: &mut StepContext,
    index: usize,
    region: &Region,
) -> Result<Removal, StepError> {
    if !job.account.copies.copy_traits().copies_snapshots {
        return Ok(Removal::Gone);
    }
    let work = Work::of(&context.operation().targets[index]);
    let copies = work.disks.iter().filter_map(|disk| disk.copy.clone());
    let mut snapshots: Vec<String> = work.snapshots.iter().cloned().chain(copies).collect();
    snapshots.sort();
    snapshots.dedup();
    let mut worst = Removal::Gone;
    for snapshot in snapshots {
        match job.account.copies.delete_snapshot(region, &snapshot).await {
            Ok(()) => target::update(context, index, |_, work| {
                work.snapshots.retain(|known| *known != snapshot);
                for disk in work.disks.iter_mut().filter(|disk| disk.copy.as_ref() == Some(&snapshot)) {
                    (disk.copy, disk.is_ready, disk.percent) = (None, false, 0);
                }
            })?,
            Err(error) => {
                let removal = later_or_stays(context, index, ("snapshot", &snapshot), &error)?;
                if worst == Removal::Gone || matches!(removal, Removal::Later(_)) {
                    worst = removal;
                }
            }
        }
    }
    Ok(worst)
}

/// What passes is tried again; what the cloud refuses for good is left, and named.
fn later_or_stays(
    context: &mut StepContext,
    index: usize,
    thing: (&str, &str),
    error: &CallError,
) -> Result<Removal, StepError> {
    match error.class {
        CallClass::Transient | CallClass::Throttled | CallClass::Busy | CallClass::UnknownOutcome => {
            Ok(Removal::Later(error.to_string()))
        }
        CallClass::Quota | CallClass::Caller | CallClass::NotFound | CallClass::Permission | CallClass::Credentials => {
            stays(context, index, thing, error.to_string())
        }
    }
}

fn stays(
    context: &mut StepContext,
    index: usize,
    (resource, id): (&str, &str),
    cause: String,
) -> Result<Removal, StepError> {
    let region = target::region(&context.operation().targets[index])?;
    let words = format!("{resource} {id} stays in {region}: {cause}");
    let left = Leftover { region, resource: resource.to_owned(), id: id.to_owned(), cause };
    target::update(context, index, |_, work| {
        work.leftovers.retain(|known| known.id != left.id);
        work.leftovers.push(left);
    })?;
    Ok(Removal::Stays(words))
}
