//! Looks at everything that runs: by id, else by name. What the cloud calls failed is final at once.

use futures::future::join_all;
use jiff::SignedDuration;
use sampan_cloud::copy::{CopiedImage, CopyState, Snapshot};
use sampan_cloud::{CallClass, CallError};
use sampan_core::{Reason, Region};
use sampan_ops::{StepContext, StepError, failure};
use sampan_state::operation::{Target, TargetState};

use super::target::{self, Work};
use super::{Job, fail};
use crate::survey::is_outage;

/// How long after its call an image may stay unseen: lists follow a call with a delay.
const UNSEEN: SignedDuration = SignedDuration::from_mins(15);
/// Looks in a row that find nothing, or are refused, before what was there counts as gone.
const MISSES: u32 = 3;

/// What one look at a destination showed.
enum Seen {
    Image(Result<Option<CopiedImage>, CallError>),
    Snapshots(Result<Vec<Option<Snapshot>>, CallError>),
    /// There is nothing to look at now.
    Idle,
}

impl Seen {
    fn error(&self) -> Option<&CallError> {
        match self {
            Self::Image(answer) => answer.as_ref().err(),
            Self::Snapshots(answer) => answer.as_ref().err(),
            Self::Idle => None,
        }
    }
}

/// Looks at every target that runs. Returns whether the vendor has queued any of them.
///
/// # Errors
/// When the cloud could be asked about none of them.
pub(super) async fn run(job: Job<'_>, context: &mut StepContext) -> Result<bool, StepError> {
    let running = target::running(context);
    let mut works = Vec::with_capacity(running.len());
    for index in &running {
        let target = &context.operation().targets[*index];
        works.push((target::region(target)?, Work::of(target)));
    }
    let looks = join_all(works.iter().map(|(region, work)| look(job, region, work))).await;
    let asked: Vec<&Seen> = looks.iter().filter(|seen| !matches!(seen, Seen::Idle)).collect();
    let outages = asked.iter().filter_map(|seen| seen.error()).filter(|error| is_outage(error));
    let outages: Vec<&CallError> = outages.collect();
    if let Some(first) = outages.first().filter(|_| outages.len() == asked.len()) {
        return Err(StepError::Call((*first).clone()));
    }
    let mut is_queued = false;
    for (index, seen) in running.into_iter().zip(looks) {
        is_queued |= take_in(job, context, index, seen)?;
    }
    Ok(is_queued)
}

async fn look(job: Job<'_>, region: &Region, work: &Work) -> Seen {
    let copies = &job.account.copies;
    if work.is_usable {
        return Seen::Idle;
    }
    match (&work.image, work.called) {
        (Some(image), _) => {
            let answer = copies.copied_images(region, std::slice::from_ref(image)).await;
            Seen::Image(answer.map(|images| images.into_iter().next().flatten()))
        }
        (None, Some(_)) => {
            let answer = copies.images_named(region, &work.name).await;
            let is_ours = |found: &CopiedImage| {
                let id = found.image.id.as_str();
                !work.before.iter().any(|known| known == id) && !work.removed.contains(&found.image.id)
            };
            Seen::Image(answer.map(|images| images.into_iter().find(is_ours)))
        }
        (None, None) => {
            let ids: Vec<String> = open_disks(work).map(|(_, copy)| copy.clone()).collect();
            if ids.is_empty() { Seen::Idle } else { Seen::Snapshots(copies.snapshots(region, &ids).await) }
        }
    }
}

fn open_disks(work: &Work) -> impl Iterator<Item = (usize, &String)> {
    let disks = work.disks.iter().enumerate().filter(|(_, disk)| !disk.is_ready);
    disks.filter_map(|(index, disk)| Some((index, disk.copy.as_ref()?)))
}

fn take_in(job: Job<'_>, context: &mut StepContext, index: usize, seen: Seen) -> Result<bool, StepError> {
    match seen {
        Seen::Idle => Ok(false),
        Seen::Image(Ok(Some(copied))) => take_in_image(job, context, index, copied),
        Seen::Snapshots(Ok(snapshots)) => take_in_snapshots(context, index, snapshots),
        Seen::Image(Ok(None)) => missed(context, index, None),
        Seen::Image(Err(error)) | Seen::Snapshots(Err(error)) => match error.class {
            CallClass::NotFound => missed(context, index, None),
            _ if is_outage(&error) => Ok(false),
            _ => missed(context, index, Some(&error)),
        },
    }
}

fn take_in_image(
    job: Job<'_>,
    context: &mut StepContext,
    index: usize,
    copied: CopiedImage,
) -> Result<bool, StepError> {
    let now = context.now();
    let held_back = job.is_all_or_nothing();
    let (id, raw_state) = (copied.image.id.clone(), copied.image.raw_state.clone());
    target::update(context, index, |target, work| {
        work.image = Some(id.clone());
        work.seen = true;
        work.misses = 0;
        let snapshots = copied.image.disks.iter().filter_map(|disk| disk.snapshot_id.clone());
        let snapshots: Vec<String> = snapshots.collect();
        if !snapshots.is_empty() {
            work.snapshots = snapshots;
        }
        match copied.state {
            CopyState::Ready => {
                work.is_usable = true;
                work.disk_gib = copied.image.disks.iter().map(|disk| disk.size_gib).collect();
                target.percent = Some(100);
                if !held_back {
                    target.state = TargetState::Succeeded;
                    target.finished = Some(now);
                }
            }
            // The last percent is the cloud's word that the image is usable.
            CopyState::Queued | CopyState::Copying => {
                target.percent = copied.percent.map(|percent| percent.min(99)).max(target.percent);
            }
            CopyState::Failed => {}
        }
    })?;
    if copied.state == CopyState::Failed {
        let region = context.operation().targets[index].id.clone();
        let message = format!(
            "the cloud reports the copy to {region} as failed: image {id} is in state {raw_state}, and stays there \
             until a retry or somebody removes it"
        );
        target::fail(context, index, fail(Reason::CopyFailedAtCloud, message));
    }
    Ok(copied.state == CopyState::Queued)
}

fn take_in_snapshots(
    context: &mut StepContext,
    index: usize,
    snapshots: Vec<Option<Snapshot>>,
) -> Result<bool, StepError> {
    let (broken, is_queued) = target::update(context, index, |target, work| {
        let open: Vec<usize> = open_disks(work).map(|(disk, _)| disk).collect();
        let mut broken = None;
        let mut is_queued = false;
        for (disk, snapshot) in open.into_iter().zip(snapshots) {
            let Some(disk) = work.disks.get_mut(disk) else { continue };
            let Some(snapshot) = snapshot else {
                disk.misses += 1;
                let most = if disk.seen { MISSES } else { MISSES * 20 };
                if disk.misses >= most {
                    broken = Some((Reason::CopyVanished, disk.copy.clone().unwrap_or_default()));
                }
                continue;
            };
            (disk.seen, disk.misses) = (true, 0);
            disk.percent = snapshot.percent.unwrap_or(disk.percent).min(100);
            match snapshot.state {
                CopyState::Ready => (disk.is_ready, disk.percent) = (true, 100),
                CopyState::Failed => broken = Some((Reason::CopyFailedAtCloud, snapshot.id)),
                CopyState::Queued => is_queued = true,
                CopyState::Copying => {}
            }
        }
        show_percent(target, work);
        (broken, is_queued)
    })?;
    if let Some((reason, snapshot)) = broken {
        let region = context.operation().targets[index].id.clone();
        let message = format!("the copy of a snapshot to {region} came to nothing: {snapshot}");
        target::fail(context, index, fail(reason, message));
    }
    Ok(is_queued)
}

/// The snapshots are nine tenths of the way.
fn show_percent(target: &mut Target, work: &Work) {
    let sum: u32 = work.disks.iter().map(|disk| u32::from(disk.percent)).sum();
    let count = u32::try_from(work.disks.len()).unwrap_or(u32::MAX).max(1);
    target.percent = u8::try_from(sum * 9 / (count * 10)).ok().max(target.percent);
}

/// A look that found nothing, or was refused.
fn missed(context: &mut StepContext, index: usize, error: Option<&CallError>) -> Result<bool, StepError> {
    let now = context.now();
    let work = target::update(context, index, |_, work| {
        work.misses += 1;
        work.clone()
    })?;
    let region = context.operation().targets[index].id.clone();
    let waited = work.called.map(|called| now.duration_since(called)).unwrap_or_default();
    let what = work.image.as_ref().map_or_else(|| format!("an image named {}", work.name), |id| format!("image {id}"));
    let told = match error {
        Some(error) if work.misses >= MISSES => Some(failure::of_call(error)),
        None if work.seen && work.misses >= MISSES => {
            let words = format!("{what} was seen in {region} and is not there any more");
            Some(fail(Reason::CopyVanished, words))
        }
        None if !work.seen && waited > UNSEEN => {
            let words = format!("the cloud accepted the copy, but {what} never appeared in {region}");
            Some(fail(Reason::CopyVanished, words))
        }
        Some(_) | None => None,
    };
    if let Some(told) = told {
        target::fail(context, index, told);
    }
    Ok(false)
}
