//! Decides what the vendor's words about an image mean: whose it is, what is on it, which disks it has.

use sampan_cloud::image::{Disk, Image, ImageOrigin, ImageState};
use sampan_core::{DiskRole, ImageId};

use crate::ecs::{ImageRow, MappingRow, SnapshotRow};

/// Device of the system disk, for answers that do not name the roles of disks.
const SYSTEM_DEVICE: &str = "xvda";

/// Reads an image; encryption is known here only where the image itself tells it.
pub(crate) fn image(id: &ImageId, row: &ImageRow) -> Image {
    let platform = row.platform.text();
    let windows = row.os_type.text().eq_ignore_ascii_case("windows")
        || platform.starts_with("Windows")
        || platform == "Other Windows";
    let red_hat = platform.eq_ignore_ascii_case("redhat") || row.os_name.text().contains("Red Hat");
    Image {
        id: id.clone(),
        name: row.image_name.text().to_owned(),
        origin: origin(id, row),
        state: state(row.status.text()),
        raw_state: row.status.text().to_owned(),
        platform: platform.to_owned(),
        is_windows: windows,
        is_red_hat: red_hat,
        architecture: row.architecture.text().to_owned(),
        boot_mode: row.boot_mode.non_empty().map(ToOwned::to_owned),
        disks: disks(row),
        created: row.creation_time.instant().map(|created| created.at),
    }
}

fn origin(id: &ImageId, row: &ImageRow) -> ImageOrigin {
    if row.product_code.non_empty().is_some() {
        return ImageOrigin::Marketplace;
    }
    match row.image_owner_alias.text() {
        "marketplace" => ImageOrigin::Marketplace,
        "system" => ImageOrigin::Public,
        // A community image is published by its owner to everybody.
        "others" if row.is_public.flag() == Some(true) => ImageOrigin::Public,
        "others" => ImageOrigin::Shared,
        "self" => ImageOrigin::Custom,
        // Ids of the vendor's own images are the names of their files.
        _ if id.as_str().starts_with("m-") => ImageOrigin::Custom,
        _ => ImageOrigin::Public,
    }
}

fn state(status: &str) -> ImageState {
    match status {
        "Available" => ImageState::Ready,
        "UnAvailable" | "CreateFailed" => ImageState::Failed,
        "Deprecated" => ImageState::Deprecated,
        _ => ImageState::Pending,
    }
}

fn disks(row: &ImageRow) -> Vec<Disk> {
    let mappings = row.disk_device_mappings.as_ref().map_or(&[][..], |set| &set.disk_device_mapping);
    let mut disks: Vec<_> = mappings.iter().map(disk).collect();
    if !disks.iter().any(|disk| disk.role == DiskRole::System) {
        // Older answers have no mapping of the system disk; the size of the image is that of this disk.
        disks.push(Disk {
            role: DiskRole::System,
            device: None,
            size_gib: row.size.number().unwrap_or(0),
            snapshot_id: None,
            encrypted: None,
        });
    }
    // The system disk first; devices have names of one length up to xvdz.
    disks.sort_by(|one, other| (one.role, &one.device).cmp(&(other.role, &other.device)));
    disks
}

fn disk(row: &MappingRow) -> Disk {
    let device = row.device.non_empty().map(|path| path.strip_prefix("/dev/").unwrap_or(path).to_owned());
    let role = match row.role.text() {
        "system" => DiskRole::System,
        "data" => DiskRole::Data,
        _ if device.as_deref() == Some(SYSTEM_DEVICE) => DiskRole::System,
        _ => DiskRole::Data,
    };
    Disk {
        role,
        device,
        size_gib: row.size.number().unwrap_or(0),
        snapshot_id: row.snapshot_id.non_empty().map(ToOwned::to_owned),
        encrypted: row.encrypted.flag(),
    }
}

/// Returns the snapshots that are worth asking about: those of the account's own images, of others it sees none.
pub(crate) fn snapshots_to_ask(image: &Image) -> Vec<String> {
    match image.origin {
        ImageOrigin::Custom | ImageOrigin::Marketplace => {
            image.disks.iter().filter_map(|disk| disk.snapshot_id.clone()).collect()
        }
        ImageOrigin::Public | ImageOrigin::Shared => Vec::new(),
    }
}

/// Returns whether a snapshot is encrypted; a key proves it where the flag is missing.
pub(crate) fn is_encrypted(row: &SnapshotRow) -> Option<bool> {
    row.encrypted.flag().or_else(|| row.kms_key_id.non_empty().map(|_| true))
}

/// Adds what snapshots prove: the encryption of each disk, and that the image derives from the marketplace.
pub(crate) fn apply_snapshots(image: &mut Image, rows: &[SnapshotRow]) {
    for disk in &mut image.disks {
        let id = disk.snapshot_id.as_deref();
        let Some(row) = rows.iter().find(|row| id.is_some_and(|id| row.snapshot_id.text() == id)) else { continue };
        let proof = is_encrypted(row);
        // Neither word takes back that the other one says "encrypted".
        disk.encrypted = match (disk.encrypted, proof) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (told, None) => told,
            (_, proof) => proof,
        };
    }
    if rows.iter().any(|row| row.product_code.non_empty().is_some()) {
        image.origin = ImageOrigin::Marketplace;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn judged(json: Value) -> Image {
        image(&"m-1".parse().unwrap(), &serde_json::from_value(json).unwrap())
    }

    fn snapshots(json: Value) -> Vec<SnapshotRow> {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn the_origin_follows_owner_publication_and_product_code() {
        let origin = |json| judged(json).origin;
        assert_eq!(origin(json!({"ImageOwnerAlias": "self", "ProductCode": ""})), ImageOrigin::Custom);
        assert_eq!(origin(json!({"ImageOwnerAlias": "self", "ProductCode": "cmjj00"})), ImageOrigin::Marketplace);
        assert_eq!(origin(json!({"ImageOwnerAlias": "marketplace"})), ImageOrigin::Marketplace);
        assert_eq!(origin(json!({"ImageOwnerAlias": "system", "IsPublic": true})), ImageOrigin::Public);
        assert_eq!(origin(json!({"ImageOwnerAlias": "others", "IsPublic": "True"})), ImageOrigin::Public);
        assert_eq!(origin(json!({"ImageOwnerAlias": "others", "IsPublic": false})), ImageOrigin::Shared);
    }

    #[test]
    fn disks_come_system_first_then_by_device_with_sizes_of_any_type() {
        let image = judged(json!({"Size": 40, "DiskDeviceMappings": {"DiskDeviceMapping": [
            {"Type": "data", "Device": "/dev/xvdc", "Size": 200, "SnapshotId": "s-3"},
            {"Type": "data", "Device": "/dev/xvdb", "Size": "100", "SnapshotId": "s-2"},
            {"Type": "system", "Device": "/dev/xvda", "Size": "40", "SnapshotId": "s-1"}]}}));
        let shown: Vec<_> = image.disks.iter().map(|d| (d.role, d.device.as_deref(), d.size_gib)).collect();
        assert_eq!(
            shown,
            [
                (DiskRole::System, Some("xvda"), 40),
                (DiskRole::Data, Some("xvdb"), 100),
                (DiskRole::Data, Some("xvdc"), 200)
            ]
        );
    }

    #[test]
    fn roles_are_told_by_the_device_where_the_vendor_does_not_name_them() {
        let image = judged(json!({"DiskDeviceMappings": {"DiskDeviceMapping": [
            {"Device": "/dev/xvdb", "Size": "5"}, {"Device": "/dev/xvda", "Size": "20"}]}}));
        assert_eq!(image.disks.iter().map(|disk| disk.role).collect::<Vec<_>>(), [DiskRole::System, DiskRole::Data]);
        let bare = judged(json!({"Size": 30, "DiskDeviceMappings": {"DiskDeviceMapping": []}}));
        assert_eq!((bare.disks.len(), bare.disks[0].size_gib), (1, 30));
    }

    #[test]
    fn windows_and_red_hat_are_seen() {
        assert!(judged(json!({"OSType": "windows"})).is_windows);
        assert!(judged(json!({"Platform": "Windows Server 2022"})).is_windows);
        assert!(judged(json!({"Platform": "RedHat", "OSType": "linux"})).is_red_hat);
        let plain = judged(json!({"Platform": "CentOS", "OSType": "linux"}));
        assert!(!plain.is_windows && !plain.is_red_hat);
    }

    #[test]
    fn states_that_nobody_knows_are_pending() {
        for (word, state) in [
            ("Available", ImageState::Ready),
            ("Waiting", ImageState::Pending),
            ("Creating", ImageState::Pending),
            ("UnAvailable", ImageState::Failed),
            ("CreateFailed", ImageState::Failed),
            ("Deprecated", ImageState::Deprecated),
            ("Unheard", ImageState::Pending),
        ] {
            assert_eq!(judged(json!({"Status": word})).state, state, "{word}");
        }
    }

    #[test]
    fn snapshots_prove_encryption_and_a_marketplace_origin() {
        let mut image = judged(json!({"ImageOwnerAlias": "self", "DiskDeviceMappings": {"DiskDeviceMapping": [
            {"Type": "system", "SnapshotId": "s-1"}, {"Type": "data", "Device": "/dev/xvdb", "SnapshotId": "s-2"}]}}));
        assert_eq!(snapshots_to_ask(&image), ["s-1", "s-2"]);
        assert_eq!(image.is_encrypted(), None);
        apply_snapshots(&mut image, &snapshots(json!([{"SnapshotId": "s-1", "Encrypted": false}])));
        assert_eq!(image.is_encrypted(), None, "one disk is still unknown");
        apply_snapshots(
            &mut image,
            &snapshots(json!([{"SnapshotId": "s-2", "Encrypted": "true", "ProductCode": "x"}])),
        );
        assert_eq!(image.is_encrypted(), Some(true));
        assert_eq!(image.origin, ImageOrigin::Marketplace);
    }
}
