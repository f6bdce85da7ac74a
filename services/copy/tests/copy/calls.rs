//! The fake cloud behind the ports of the services.

use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sampan_cloud::bucket::{Bucket, BucketRef, BucketStore, Object, ObjectPage, PresignedUrl};
use sampan_cloud::copy::{CopiedImage, CopyCall, CopyStarted, CopyTraits, CreateImageCall, Snapshot, SnapshotCopyCall};
use sampan_cloud::image::{CancelAnswer, ExportCall, ExportSearch, ExportStarted, ExportTask, ExportTraits, Image};
use sampan_cloud::share::{Share, ShareCall, ShareTraits};
use sampan_cloud::{CallClass, CallError, CopyCloud, ImageCloud, ShareCloud};
use sampan_core::clock::Clock as _;
use sampan_core::{Cloud, ImageId, Reason, Region};

use crate::cloud::{Answer, FakeCloud, Held, HeldSnapshot, home};

#[async_trait]
impl ImageCloud for FakeCloud {
    fn cloud(&self) -> Cloud {
        self.cloud
    }

    fn export_traits(&self) -> ExportTraits {
        unreachable!("a copy exports nothing")
    }

    async fn describe_image(&self, _: &Region, id: &ImageId) -> Result<Option<Image>, CallError> {
        self.arrive("DescribeImage", &home(self.cloud))?;
        Ok(self.script().image.clone().filter(|image| image.id == *id))
    }

    async fn image_quota(&self, region: &Region) -> Result<Option<u64>, CallError> {
        self.arrive("DescribeImageQuota", region)?;
        Ok(self.script().ceilings.get(region).copied())
    }

    async fn check_export(&self, _: &ExportCall) -> Result<(), CallError> {
        unreachable!("a copy exports nothing")
    }

    async fn start_export(&self, _: &ExportCall) -> Result<ExportStarted, CallError> {
        unreachable!("a copy exports nothing")
    }

    async fn find_export(&self, _: &ExportCall, _: Timestamp) -> Result<ExportSearch, CallError> {
        unreachable!("a copy exports nothing")
    }

    async fn export_tasks(&self, _: &Region, _: &[String]) -> Result<Vec<Option<ExportTask>>, CallError> {
        unreachable!("a copy exports nothing")
    }

    async fn cancel_export(&self, _: &Region, _: &str) -> Result<CancelAnswer, CallError> {
        unreachable!("a copy exports nothing")
    }
}

impl FakeCloud {
    fn refuse_copy(&self, call: &CopyCall) -> Result<(), CallError> {
        let action = self.copy_action();
        if self.cloud == Cloud::Alibaba && self.is_copying() {
            return Err(self.error(action, CallClass::Busy, Reason::CopyAlreadyRunning));
        }
        let script = self.script();
        for region in &call.destinations {
            let there = script.images.get(region).map_or(&[][..], Vec::as_slice);
            if there.iter().any(|held| Some(&held.name) == call.name.as_ref()) {
                drop(script);
                return Err(self.error(action, CallClass::Caller, Reason::ImageNameTaken));
            }
            let most = script.ceilings.get(region).copied().unwrap_or(u64::MAX);
            if there.len() as u64 >= most {
                drop(script);
                return Err(self.error(action, CallClass::Quota, Reason::DestinationFull));
            }
        }
        Ok(())
    }

    fn find(&self, region: &Region, choose: impl Fn(&Held) -> bool) -> Vec<CopiedImage> {
        let held: Vec<Held> = self.script().images.get(region).cloned().unwrap_or_default();
        held.iter().filter(|held| choose(held)).filter_map(|held| self.told(held)).collect()
    }
}

#[async_trait]
impl CopyCloud for FakeCloud {
    fn cloud(&self) -> Cloud {
        self.cloud
    }

    fn copy_traits(&self) -> CopyTraits {
        let is_alibaba = self.cloud == Cloud::Alibaba;
        CopyTraits {
            action: self.copy_action(),
            fans_out: !is_alibaba,
            takes_token: is_alibaba,
            cancels: is_alibaba,
            one_at_a_time: is_alibaba,
            takes_labels: is_alibaba,
            encrypts_within_region_only: !is_alibaba,
            copies_snapshots: is_alibaba,
        }
    }

    async fn check_copy(&self, call: &CopyCall) -> Result<(), CallError> {
        self.arrive("Check", &call.source).map(drop)
    }

    async fn start_copy(&self, call: &CopyCall) -> Result<CopyStarted, CallError> {
        let action = self.copy_action();
        let answer = self.arrive(action, &call.source)?;
        let too_large = {
            let script = self.script();
            script.image.as_ref().is_some_and(|image| image.total_gib() > script.largest_gib)
        };
        if too_large {
            return Err(self.error(action, CallClass::Caller, Reason::ImageTooLargeToCopy));
        }
        let known = call.token.as_ref().is_some_and(|token| self.knows(token));
        if !known {
            self.refuse_copy(call)?;
            self.accept(action, &call.source)?;
        }
        let name = call.name.clone().unwrap_or_default();
        let images: Vec<(Region, ImageId)> = call
            .destinations
            .iter()
            .map(|region| (region.clone(), self.make(region, &name, call.token.as_ref(), true)))
            .collect();
        if let Some(Answer::Lost) = answer {
            return Err(self.lost(action));
        }
        let told = self.script().tells_ids;
        let images = images.into_iter().filter(|_| told).collect();
        Ok(CopyStarted { images, request_id: "fake-request".to_owned() })
    }

    async fn copied_images(&self, region: &Region, images: &[ImageId]) -> Result<Vec<Option<CopiedImage>>, CallError> {
        self.arrive("DescribeImages", region)?;
        let scripted = self.script().looks.pop_front();
        if let Some((class, reason)) = scripted {
            return Err(self.error("DescribeImages", class, reason));
        }
        Ok(images.iter().map(|id| self.find(region, |held| held.id == *id).pop()).collect())
    }

    async fn images_named(&self, region: &Region, name: &str) -> Result<Vec<CopiedImage>, CallError> {
        self.arrive("ImagesNamed", region)?;
        Ok(self.find(region, |held| held.name == name))
    }

    async fn count_images(&self, region: &Region) -> Result<u64, CallError> {
        self.arrive("CountImages", region)?;
        Ok(self.script().images.get(region).map_or(0, |there| there.len() as u64))
    }

    async fn regions(&self) -> Result<Option<Vec<Region>>, CallError> {
        Ok(self.script().usable.clone())
    }

    async fn cancel_copy(&self, region: &Region, image: &ImageId) -> Result<CancelAnswer, CallError> {
        self.arrive("CancelCopyImage", region)?;
        let now = self.clock.now();
        let mut script = self.script();
        let there = script.images.entry(region.clone()).or_default();
        let Some(place) = there.iter().position(|held| held.id == *image) else {
            return Ok(CancelAnswer::AlreadyEnded);
        };
        if there[place].ready.or(there[place].fails).is_some_and(|end| end <= now) {
            return Ok(CancelAnswer::AlreadyEnded);
        }
        let gone = there.remove(place);
        script.snapshots.entry(region.clone()).or_default().retain(|held| !gone.snapshots.contains(&held.id));
        Ok(CancelAnswer::Accepted)
    }

    async fn delete_image(&self, region: &Region, image: &ImageId, with_snapshots: bool) -> Result<(), CallError> {
        let action = self.delete_action();
        let answer = self.arrive(action, region)?;
        let now = self.clock.now();
        let held =
            self.script().images.get(region).and_then(|there| there.iter().find(|held| held.id == *image).cloned());
        let Some(held) = held else { return Ok(()) };
        if held.ready.or(held.fails).is_none_or(|end| end > now) {
            return Err(self.error(action, CallClass::Busy, Reason::CloudBusy));
        }
        self.accept(action, region)?;
        {
            let mut script = self.script();
            script.images.entry(region.clone()).or_default().retain(|known| known.id != *image);
            if with_snapshots && self.cloud == Cloud::Tencent {
                script.snapshots.entry(region.clone()).or_default().retain(|known| !held.snapshots.contains(&known.id));
            }
        }
        if let Some(Answer::Lost) = answer { Err(self.lost(action)) } else { Ok(()) }
    }

    async fn delete_snapshot(&self, region: &Region, snapshot_id: &str) -> Result<(), CallError> {
        let answer = self.arrive("DeleteSnapshot", region)?;
        self.script().snapshots.entry(region.clone()).or_default().retain(|held| held.id != snapshot_id);
        if let Some(Answer::Lost) = answer { Err(self.lost("DeleteSnapshot")) } else { Ok(()) }
    }

    async fn copy_snapshot(&self, call: &SnapshotCopyCall) -> Result<String, CallError> {
        let answer = self.arrive("CopySnapshot", &call.source)?;
        let now = self.clock.now();
        let id = {
            let mut script = self.script();
            let ready = now + SignedDuration::try_from(script.takes).unwrap();
            let there = script.snapshots.get(&call.destination).map_or(&[][..], Vec::as_slice);
            let known = there.iter().find(|held| held.name == call.name).map(|held| held.id.clone());
            match known {
                // The token is made of the same parts as the name.
                Some(id) => id,
                None => {
                    let id = script.next_snapshot();
                    let (name, source) = (call.name.clone(), call.snapshot_id.clone());
                    let held = HeldSnapshot { id: id.clone(), name, made: now, ready, source };
                    script.snapshots.entry(call.destination.clone()).or_default().push(held);
                    id
                }
            }
        };
        if let Some(Answer::Lost) = answer { Err(self.lost("CopySnapshot")) } else { Ok(id) }
    }

    async fn snapshots(&self, region: &Region, snapshots: &[String]) -> Result<Vec<Option<Snapshot>>, CallError> {
        self.arrive("DescribeSnapshots", region)?;
        let there: Vec<HeldSnapshot> = self.script().snapshots.get(region).cloned().unwrap_or_default();
        let find = |id: &String| there.iter().find(|held| held.id == *id).map(|held| self.told_snapshot(held));
        Ok(snapshots.iter().map(find).collect())
    }

    async fn snapshots_named(&self, region: &Region, name: &str) -> Result<Vec<Snapshot>, CallError> {
        self.arrive("SnapshotsNamed", region)?;
        let there: Vec<HeldSnapshot> = self.script().snapshots.get(region).cloned().unwrap_or_default();
        Ok(there.iter().filter(|held| held.name == name).map(|held| self.told_snapshot(held)).collect())
    }

    async fn create_image(&self, call: &CreateImageCall) -> Result<ImageId, CallError> {
        let answer = self.arrive("CreateImage", &call.region)?;
        let now = self.clock.now();
        {
            let script = self.script();
            let there = script.snapshots.get(&call.region).map_or(&[][..], Vec::as_slice);
            for disk in &call.disks {
                let is_ready = there.iter().any(|held| held.id == disk.snapshot_id && held.ready <= now);
                assert!(is_ready, "snapshot {} is not finished", disk.snapshot_id);
            }
            assert_eq!((call.platform.as_str(), call.boot_mode.as_deref()), ("Debian", Some("UEFI")));
        }
        let id = self.make(&call.region, &call.name, call.token.as_ref(), false);
        if let Some(Answer::Lost) = answer { Err(self.lost("CreateImage")) } else { Ok(id) }
    }
}

#[async_trait]
impl ShareCloud for FakeCloud {
    fn cloud(&self) -> Cloud {
        self.cloud
    }

    fn share_traits(&self) -> ShareTraits {
        unreachable!("a copy leaves shares to the share service")
    }

    async fn change_shares(&self, _: &Region, _: &ImageId, _: &ShareCall) -> Result<String, CallError> {
        unreachable!("a copy leaves shares to the share service")
    }

    async fn shares(&self, _: &Region, _: &ImageId) -> Result<Vec<Share>, CallError> {
        unreachable!("a copy leaves shares to the share service")
    }
}

#[async_trait]
impl BucketStore for FakeCloud {
    fn cloud(&self) -> Cloud {
        self.cloud
    }

    async fn head_bucket(&self, _: &BucketRef) -> Result<Option<Bucket>, CallError> {
        unreachable!("a copy needs no bucket")
    }

    async fn head_object(&self, _: &BucketRef, _: &str) -> Result<Option<Object>, CallError> {
        unreachable!("a copy needs no bucket")
    }

    async fn list_objects(&self, _: &BucketRef, _: &str, _: Option<&str>) -> Result<ObjectPage, CallError> {
        unreachable!("a copy needs no bucket")
    }

    async fn delete_object(&self, _: &BucketRef, _: &str) -> Result<(), CallError> {
        unreachable!("a copy needs no bucket")
    }

    async fn presign_get(&self, _: &BucketRef, _: &str, _: Duration) -> Result<PresignedUrl, CallError> {
        unreachable!("a copy needs no bucket")
    }
}
