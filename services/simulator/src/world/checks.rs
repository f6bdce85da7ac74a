//! Decides the checks that every call has in common which makes or changes images: name, room, group, day.

use jiff::Timestamp;
use sampan_core::Cloud;

use super::image_refusal::ImageRefusal;
use super::quota_day;
use super::state::State;

impl State {
    /// Checks that no image of the account has the name in the region; images without a name do not collide.
    pub(super) fn check_name(&self, cloud: Cloud, account: &str, region: &str, name: &str) -> Result<(), ImageRefusal> {
        if !name.is_empty() && self.own_images(cloud, account, region).any(|image| image.name == name) {
            return Err(ImageRefusal::NameTaken { name: name.to_owned(), region: region.to_owned() });
        }
        Ok(())
    }

    /// Checks that one more image fits; those that are being made or have failed take their place too.
    pub(super) fn check_image_quota(&self, cloud: Cloud, account: &str, region: &str) -> Result<(), ImageRefusal> {
        let limit = self.limits(cloud, account).images_per_region;
        if self.own_images(cloud, account, region).count() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            return Err(ImageRefusal::ImageQuota { region: region.to_owned(), limit });
        }
        Ok(())
    }

    /// Checks that so many more snapshots fit.
    pub(super) fn check_snapshot_quota(
        &self,
        cloud: Cloud,
        account: &str,
        region: &str,
        more: usize,
    ) -> Result<(), ImageRefusal> {
        let Some(limit) = self.limits(cloud, account).snapshots_per_region else { return Ok(()) };
        let held = self.own_snapshots(cloud, account, region).count();
        if held.saturating_add(more) > usize::try_from(limit).unwrap_or(usize::MAX) {
            return Err(ImageRefusal::SnapshotQuota { region: region.to_owned(), limit });
        }
        Ok(())
    }

    /// Checks that the account has the resource group.
    pub(super) fn check_group(&self, cloud: Cloud, account: &str, group: Option<&str>) -> Result<(), ImageRefusal> {
        let Some(group) = group else { return Ok(()) };
        let has_it = |groups: &[String]| groups.iter().any(|known| known == group);
        if self.account(cloud, account).is_some_and(|account| has_it(&account.resource_groups)) {
            return Ok(());
        }
        Err(ImageRefusal::ResourceGroupUnknown { group: group.to_owned() })
    }

    /// Checks that an operation of the day is left.
    pub(super) fn check_day(
        &self,
        cloud: Cloud,
        account: &str,
        region: &str,
        now: Timestamp,
    ) -> Result<(), ImageRefusal> {
        let used = self.used_operations(cloud, account, region, now);
        match self.limits(cloud, account).daily_operations {
            Some(limit) if used >= limit => Err(ImageRefusal::DailyOperationsUsedUp { limit, day: quota_day(now) }),
            _ => Ok(()),
        }
    }
}
