//! Decides what the vendor's words about an image mean: whose it is, what is on it, how far a copy is.

use sampan_cloud::copy::{CopiedImage, CopyState};
use sampan_cloud::image::{Disk, Image, ImageOrigin, ImageState};
use sampan_core::{DiskRole, ImageId};
use serde::Deserialize;

use crate::time::rfc3339;

/// The state in which a copy is going on, at its destination.
const SYNCING: &str = "SYNCING";

/// The vendor's model; old regions leave fields out, so each is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Described {
    image_id: Option<String>,
    pub(crate) image_name: Option<String>,
    os_name: Option<String>,
    image_type: Option<String>,
    image_source: Option<String>,
    created_time: Option<String>,
    image_size: Option<u64>,
    architecture: Option<String>,
    image_state: Option<String>,
    platform: Option<String>,
    /// Percent; examples show stale numbers on images that are not being copied.
    sync_percent: Option<i64>,
    snapshot_set: Option<Vec<Snapshot>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Snapshot {
    snapshot_id: Option<String>,
    disk_usage: Option<String>,
    disk_size: Option<u64>,
}

impl Described {
    /// Returns the id, or `None` when the vendor tells none that could be one.
    pub(crate) fn id(&self) -> Option<ImageId> {
        self.image_id.as_deref()?.parse().ok()
    }

    /// Reads the image as a copy that is going on or has ended.
    pub(crate) fn into_copied(self, id: ImageId) -> CopiedImage {
        let word = self.image_state.as_deref().unwrap_or_default();
        let percent = self.sync_percent.filter(|_| word == SYNCING).map(|percent| percent.clamp(0, 100));
        let state = match state(word) {
            ImageState::Ready | ImageState::Deprecated => CopyState::Ready,
            ImageState::Failed => CopyState::Failed,
            ImageState::Pending => CopyState::Copying,
        };
        let percent = percent.and_then(|percent| u8::try_from(percent).ok());
        // The vendor does not tell whether an image was made by a copy.
        CopiedImage { image: self.into_image(id), state, percent, is_copy: None }
    }

    /// Reads the image. Encryption is never known here.
    pub(crate) fn into_image(self, id: ImageId) -> Image {
        let raw_state = self.image_state.clone().unwrap_or_default();
        let os = self.os_name.clone().unwrap_or_default();
        let platform = self.platform.clone().filter(|word| !word.is_empty()).unwrap_or_else(|| os.clone());
        Image {
            id,
            origin: self.origin(),
            state: state(&raw_state),
            raw_state,
            is_windows: platform.eq_ignore_ascii_case("windows") || lower(&os).starts_with("windows"),
            is_red_hat: is_red_hat(&platform) || is_red_hat(&os),
            platform,
            architecture: self.architecture.clone().unwrap_or_default(),
            // The vendor takes one at imports and never tells it.
            boot_mode: None,
            disks: self.disks(),
            created: self.created_time.as_deref().and_then(rfc3339),
            name: self.image_name.unwrap_or_default(),
        }
    }

    fn origin(&self) -> ImageOrigin {
        match (self.image_type.as_deref(), self.image_source.as_deref()) {
            (Some("PRIVATE_IMAGE"), _) | (None, Some("CREATE_IMAGE" | "EXTERNAL_IMPORT")) => ImageOrigin::Custom,
            (Some("SHARED_IMAGE"), _) => ImageOrigin::Shared,
            // In the vendor's Terraform provider, not in its model.
            (Some("MARKET_IMAGE"), _) => ImageOrigin::Marketplace,
            (_, _) => ImageOrigin::Public,
        }
    }

    /// Returns the system disk, then the data disks in the vendor's order.
    fn disks(&self) -> Vec<Disk> {
        let snapshots = self.snapshot_set.as_deref().unwrap_or_default();
        let of_role = |role: DiskRole| {
            let ours = move |snapshot: &&Snapshot| {
                (snapshot.disk_usage.as_deref() == Some("DATA_DISK")) == (role == DiskRole::Data)
            };
            snapshots.iter().filter(ours).map(move |snapshot| disk(role, snapshot))
        };
        let mut disks: Vec<_> = of_role(DiskRole::System).collect();
        if disks.is_empty() {
            let size = self.image_size.unwrap_or_default();
            disks.push(disk(DiskRole::System, &Snapshot { disk_size: Some(size), ..Snapshot::default() }));
        }
        disks.extend(of_role(DiskRole::Data));
        disks
    }
}

fn disk(role: DiskRole, snapshot: &Snapshot) -> Disk {
    Disk {
        role,
        // The vendor does not tell it.
        device: None,
        size_gib: snapshot.disk_size.unwrap_or_default(),
        snapshot_id: snapshot.snapshot_id.clone().filter(|id| !id.is_empty()),
        encrypted: None,
    }
}

fn state(word: &str) -> ImageState {
    match word {
        // USING stands in older pages for an image that instances were made from.
        "NORMAL" | "USING" => ImageState::Ready,
        "CREATEFAILED" | "IMPORTFAILED" => ImageState::Failed,
        _ => ImageState::Pending,
    }
}

fn is_red_hat(word: &str) -> bool {
    let plain: String = word.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let plain = lower(&plain);
    plain.contains("redhat") || plain.contains("rhel")
}

fn lower(word: &str) -> String {
    word.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn image(json: serde_json::Value) -> Image {
        serde_json::from_value::<Described>(json).unwrap().into_image("img-72n9mi0y".parse().unwrap())
    }

    fn copied(json: serde_json::Value) -> (CopyState, Option<u8>) {
        let copied = serde_json::from_value::<Described>(json).unwrap().into_copied("img-72n9mi0y".parse().unwrap());
        (copied.state, copied.percent)
    }

    #[test]
    fn a_whole_machine_image_has_its_system_disk_first() {
        let image = image(json!({
            "ImageName": "web", "OsName": "CentOS 8.0 64位", "ImageType": "PRIVATE_IMAGE", "Platform": "CentOS",
            "CreatedTime": "2020-09-22T00:00:00+00:00", "ImageState": "NORMAL", "Architecture": "x86_64",
            "ImageSize": 50, "SyncPercent": null, "NewField": {},
            "SnapshotSet": [
                { "SnapshotId": "snap-d1", "DiskUsage": "DATA_DISK", "DiskSize": 100 },
                { "SnapshotId": "snap-s", "DiskUsage": "SYSTEM_DISK", "DiskSize": 50 },
                { "SnapshotId": "snap-d2", "DiskUsage": "DATA_DISK", "DiskSize": 200 },
            ],
        }));
        let ids: Vec<_> = image.disks.iter().map(|disk| disk.snapshot_id.as_deref().unwrap()).collect();
        assert_eq!((ids, image.total_gib(), image.data_disks()), (vec!["snap-s", "snap-d1", "snap-d2"], 350, 2));
        assert_eq!((image.origin, image.state), (ImageOrigin::Custom, ImageState::Ready));
        assert_eq!(image.created, Some("2020-09-22T00:00:00Z".parse().unwrap()));
        assert!(!image.is_windows && !image.is_red_hat && image.is_encrypted().is_none());
    }

    #[test]
    fn every_field_may_be_missing_and_every_unknown_state_is_pending() {
        let bare = image(json!({ "ImageSize": 20, "ImageState": "EXPORTING", "SnapshotSet": null }));
        assert_eq!((bare.disks.len(), bare.disks[0].size_gib), (1, 20));
        assert_eq!(
            (bare.origin, bare.state, bare.raw_state.as_str()),
            (ImageOrigin::Public, ImageState::Pending, "EXPORTING")
        );
    }

    #[test]
    fn origins_are_told_apart() {
        for (word, origin) in [
            ("PUBLIC_IMAGE", ImageOrigin::Public),
            ("SHARED_IMAGE", ImageOrigin::Shared),
            ("MARKET_IMAGE", ImageOrigin::Marketplace),
        ] {
            assert_eq!(image(json!({ "ImageType": word })).origin, origin);
        }
        assert_eq!(image(json!({ "ImageSource": "EXTERNAL_IMPORT" })).origin, ImageOrigin::Custom);
    }

    #[test]
    fn commercial_systems_are_recognised_by_platform_or_name() {
        for (platform, os) in [("Windows", ""), ("", "Windows Server 2022"), ("windows", "x")] {
            assert!(image(json!({ "Platform": platform, "OsName": os })).is_windows, "{platform} {os}");
        }
        for (platform, os) in [("RedHat", ""), ("", "Red Hat Enterprise Linux 9"), ("Other", "RHEL 8.4")] {
            assert!(image(json!({ "Platform": platform, "OsName": os })).is_red_hat, "{platform} {os}");
        }
    }

    #[test]
    fn a_copy_tells_its_percent_only_while_it_is_going_on() {
        assert_eq!(copied(json!({ "ImageState": "SYNCING", "SyncPercent": 20 })), (CopyState::Copying, Some(20)));
        assert_eq!(copied(json!({ "ImageState": "SYNCING", "SyncPercent": null })), (CopyState::Copying, None));
        assert_eq!(copied(json!({ "ImageState": "NORMAL", "SyncPercent": 20 })), (CopyState::Ready, None));
        for (odd, percent) in [(-3, 0), (250, 100)] {
            assert_eq!(copied(json!({ "ImageState": "SYNCING", "SyncPercent": odd })).1, Some(percent));
        }
    }

    #[test]
    fn a_copy_fails_by_the_words_for_it_and_goes_on_by_every_unknown_one() {
        for word in ["CREATEFAILED", "IMPORTFAILED"] {
            assert_eq!(copied(json!({ "ImageState": word })).0, CopyState::Failed, "{word}");
        }
        for word in ["CREATING", "IMPORTING", "UNHEARD", ""] {
            assert_eq!(copied(json!({ "ImageState": word })).0, CopyState::Copying, "{word}");
        }
    }
}
