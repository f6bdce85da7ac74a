//! Decides how images and snapshots are made after the call that asked for them: queue, progress, end.

use jiff::{SignedDuration, Timestamp};
use sampan_core::Cloud;

use super::image::{CopySource, ImageState};
use super::snapshot::SnapshotState;
use super::state::State;
use super::task::Spoiled;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobKind {
    /// Copies an image.
    CopyImage,
    /// Makes an image of snapshots.
    CreateImage,
    /// Copies a snapshot to another region.
    CopySnapshot,
}

/// Work of a cloud that has not ended.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) kind: JobKind,
    pub(super) cloud: Cloud,
    pub(super) account: String,
    /// Region in which the result arises.
    pub(super) region: String,
    /// The image in the making.
    pub(super) image: Option<String>,
    /// The snapshots in the making.
    pub(super) snapshots: Vec<String>,
    /// The image or snapshot that is read.
    pub(super) source: Option<CopySource>,
    /// `None` while it waits for its turn.
    pub(super) started_at: Option<Timestamp>,
    pub(super) duration: SignedDuration,
    pub(super) spoiled: Option<Spoiled>,
}

impl Job {
    /// Returns when it ends; `None` when it waits or stalls.
    fn ends_at(&self) -> Option<Timestamp> {
        let duration = match self.spoiled {
            None => self.duration,
            Some(Spoiled::Fails | Spoiled::Vanishes) => self.duration / 2,
            Some(Spoiled::Stalls) => return None,
        };
        self.started_at?.checked_add(duration).ok()
    }

    /// Returns whole percents, at most 99: the end is an event of its own.
    fn progress_at(&self, now: Timestamp) -> u8 {
        let Some(started_at) = self.started_at else { return 0 };
        let passed = now.duration_since(started_at).as_secs_f64();
        let most = if self.spoiled.is_some() { 50.0 } else { 99.0 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=99")]
        let percent = (passed / self.duration.as_secs_f64().max(0.001) * 100.0).clamp(0.0, most) as u8;
        percent
    }

    /// Returns the seconds that are left at its pace; a stalled one has as many as it had half-way.
    pub(super) fn remaining_seconds(&self, now: Timestamp) -> i64 {
        let left = f64::from(100 - self.progress_at(now)) / 100.0 * self.duration.as_secs_f64();
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
        let seconds = left.ceil() as i64;
        seconds
    }

    fn is_at(&self, cloud: Cloud, account: &str, region: &str) -> bool {
        self.cloud == cloud && self.account == account && self.region == region
    }
}

impl State {
    /// Adds a job; copies of images beyond the number that runs at once wait.
    pub(super) fn begin(&mut self, job: Job, now: Timestamp) {
        let place = (job.cloud, job.account.clone(), job.region.clone());
        self.jobs.push(job);
        self.start_waiting(place.0, &place.1, &place.2, now);
    }

    /// Brings every job to `now`, one event after the other, so that a queue moves as it does in time.
    pub(super) fn settle_jobs(&mut self, now: Timestamp) {
        while let Some((index, at)) = self.next_end(now) {
            let job = self.jobs.remove(index);
            self.end(&job);
            self.start_waiting(job.cloud, &job.account, &job.region, at);
        }
        let running: Vec<(Job, u8)> = self.jobs.iter().map(|job| (job.clone(), job.progress_at(now))).collect();
        for (job, percent) in running {
            self.show(&job, None, percent);
        }
    }

    /// Takes a job away that makes `image`, before its end. Returns it.
    pub(super) fn stop_job(&mut self, cloud: Cloud, region: &str, image: &str, now: Timestamp) -> Option<Job> {
        let makes = |job: &Job| job.cloud == cloud && job.region == region && job.image.as_deref() == Some(image);
        let index = self.jobs.iter().position(makes)?;
        let job = self.jobs.remove(index);
        self.start_waiting(cloud, &job.account, region, now);
        Some(job)
    }

    /// Returns the unfinished job that makes an image.
    pub(super) fn job_of_image(&self, cloud: Cloud, region: &str, image: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.cloud == cloud && job.region == region && job.image.as_deref() == Some(image))
    }

    /// Returns whether an image is read by an unfinished copy.
    pub(super) fn is_being_copied(&self, cloud: Cloud, region: &str, image: &str) -> bool {
        self.jobs.iter().any(|job| {
            let reads = job.source.as_ref().is_some_and(|source| source.region == region && source.id == image);
            job.kind == JobKind::CopyImage && job.cloud == cloud && reads
        })
    }

    fn next_end(&self, now: Timestamp) -> Option<(usize, Timestamp)> {
        let ends = self.jobs.iter().enumerate().filter_map(|(index, job)| Some((index, job.ends_at()?)));
        ends.filter(|(_, at)| *at <= now).min_by_key(|(index, at)| (*at, *index))
    }

    fn start_waiting(&mut self, cloud: Cloud, account: &str, region: &str, at: Timestamp) {
        let places = usize::try_from(self.limits(cloud, account).running_copies).unwrap_or(usize::MAX);
        let is_copy = |job: &Job| job.kind == JobKind::CopyImage && job.is_at(cloud, account, region);
        let mut running = self.jobs.iter().filter(|job| is_copy(job) && job.started_at.is_some()).count();
        let mut started = Vec::new();
        for job in &mut self.jobs {
            if job.started_at.is_some() || !job.is_at(cloud, account, region) {
                continue;
            }
            if job.kind == JobKind::CopyImage {
                if running >= places {
                    continue;
                }
                running += 1;
            }
            job.started_at = Some(at);
            started.push(job.clone());
        }
        for job in started {
            let state = if job.kind == JobKind::CopyImage { ImageState::Copying } else { ImageState::Creating };
            self.show(&job, Some(state), 0);
        }
    }

    fn end(&mut self, job: &Job) {
        if job.spoiled == Some(Spoiled::Vanishes) {
            self.remove_made(job);
            return;
        }
        let failed = job.spoiled.is_some() || self.is_overfull(job);
        let state = if failed { ImageState::Failed } else { ImageState::Ready };
        let percent = if failed { self.shown_progress(job) } else { 100 };
        self.show(job, Some(state), percent);
    }

    /// Returns whether the region holds more images than the account may have, this one included.
    ///
    /// Accepted calls never lead there, so somebody has added images by another way while this one was made.
    fn is_overfull(&self, job: &Job) -> bool {
        let most = self.limits(job.cloud, &job.account).images_per_region;
        let held = self.own_images(job.cloud, &job.account, &job.region).count();
        job.image.is_some() && held > usize::try_from(most).unwrap_or(usize::MAX)
    }

    fn shown_progress(&self, job: &Job) -> u8 {
        let image = self.images.iter().find(|image| job.makes_image(image.cloud, &image.region, &image.id));
        image.map_or(0, |image| image.progress)
    }

    /// Takes away what a job was making.
    pub(super) fn remove_made(&mut self, job: &Job) {
        self.images.retain(|image| !job.makes_image(image.cloud, &image.region, &image.id));
        self.snapshots.retain(|known| known.cloud != job.cloud || !job.snapshots.contains(&known.id));
    }

    /// Writes state and progress into what a job makes.
    fn show(&mut self, job: &Job, state: Option<ImageState>, percent: u8) {
        for image in &mut self.images {
            if job.makes_image(image.cloud, &image.region, &image.id) {
                image.progress = percent;
                // What somebody changed by hand meanwhile stays, until the end.
                image.state = state.unwrap_or(image.state);
            }
        }
        for snapshot in &mut self.snapshots {
            if snapshot.cloud == job.cloud && job.snapshots.contains(&snapshot.id) {
                snapshot.progress = percent;
                snapshot.state = match state {
                    Some(ImageState::Ready) => SnapshotState::Ready,
                    Some(ImageState::Failed) => SnapshotState::Failed,
                    _ => snapshot.state,
                };
            }
        }
    }
}

impl Job {
    fn makes_image(&self, cloud: Cloud, region: &str, id: &str) -> bool {
        self.cloud == cloud && self.region == region && self.image.as_deref() == Some(id)
    }
}
