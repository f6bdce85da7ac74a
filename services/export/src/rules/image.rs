//! Rules about the image, as the cloud describes it.

use sampan_cloud::image::{Image, ImageOrigin, ImageState};
use sampan_core::limits::{Limit, Limits};
use sampan_core::{Cloud, DiskRole, Reason};

use super::{Finding, sources};
use crate::spec::ExportSpec;

const FIELD: &str = "spec.image.image_id";

/// Returns every rule that the image breaks; `None` stands for an image that does not exist.
pub fn check(spec: &ExportSpec, image: Option<&Image>, limits: &Limits) -> Vec<Finding> {
    let Some(image) = image else { return vec![absent(spec)] };
    let mut findings: Vec<Finding> = [
        origin(spec.cloud, image),
        windows(spec.cloud, image),
        red_hat(spec.cloud, image),
        encryption(spec, image),
        state(spec.cloud, image),
        data_disks(spec, image, limits),
    ]
    .into_iter()
    .flatten()
    .collect();
    findings.extend(disk_sizes(spec, image, limits));
    findings
}

fn absent(spec: &ExportSpec) -> Finding {
    Finding::new(Reason::ImageNotFound, FIELD)
        .message(format!("{} does not exist in {} of account {}", spec.image, spec.region, spec.account))
        .source(sources::refusals(spec.cloud))
        .fix("Check the image id, the account and the region; an image that was just copied may not be there yet")
}

fn origin(cloud: Cloud, image: &Image) -> Option<Finding> {
    let (reason, observed, fix) = match image.origin {
        ImageOrigin::Custom => return None,
        ImageOrigin::Public => (
            Reason::ImageNotCustom,
            "public image",
            "Start a machine from the image, make a custom image of that machine, and export this one",
        ),
        ImageOrigin::Marketplace => (
            Reason::ImageFromMarketplace,
            "marketplace image",
            "Build the image anew on a public or an imported one; nothing that derives from the marketplace leaves",
        ),
        ImageOrigin::Shared => (
            Reason::ImageSharedToYou,
            "shared image",
            "Copy the image within its region so that the account owns the copy, and export the copy",
        ),
    };
    let finding = Finding::new(reason, FIELD).limit("custom image of the account", observed).fix(fix);
    // The guides speak of the marketplace and of Windows; the other kinds are known from the list of refusals.
    Some(match (image.origin, cloud) {
        (ImageOrigin::Marketplace, Cloud::Alibaba) => finding.source(sources::guide(cloud)),
        _ => finding.source(sources::refusals(cloud)),
    })
}

fn windows(cloud: Cloud, image: &Image) -> Option<Finding> {
    let finding = || {
        Finding::new(Reason::ImageWindows, FIELD)
            .limit("Linux", image.platform.clone())
            .source(sources::guide(cloud))
            .fix("Export a Linux image; the licence of Windows ends at the border of the cloud, so nothing overrides this")
    };
    image.is_windows.then(finding)
}

fn red_hat(cloud: Cloud, image: &Image) -> Option<Finding> {
    // Alibaba leaves the licence to the cloud's own answer; only Tencent refuses by name.
    let refused = cloud == Cloud::Tencent && image.is_red_hat;
    let finding = || {
        Finding::new(Reason::ImageRedHat, FIELD)
            .limit("an image without a commercial licence", image.platform.clone())
            .source(sources::refusals(cloud))
            .fix("Build the image on a free distribution, such as CentOS Stream, Rocky Linux or Debian")
    };
    refused.then(finding)
}

fn encryption(spec: &ExportSpec, image: &Image) -> Option<Finding> {
    let finding = |reason| Finding::new(reason, FIELD).source(sources::refusals(spec.cloud));
    match image.is_encrypted() {
        Some(false) => None,
        Some(true) => Some(
            finding(Reason::ImageEncrypted)
                .limit("unencrypted snapshots", "an encrypted snapshot")
                .fix("Copy the data to unencrypted disks, make an image of these, and export that"),
        ),
        None => Some(
            finding(Reason::ImageEncryptionUnknown)
                .fix("Permit the account to describe snapshots; or go on, and the cloud refuses what is encrypted")
                .warning(),
        ),
    }
}

fn state(cloud: Cloud, image: &Image) -> Option<Finding> {
    let fix = match image.state {
        ImageState::Ready => return None,
        ImageState::Pending => "Wait until the cloud has finished the image, then try again",
        ImageState::Failed => "Make the image anew; this one will never be ready",
        ImageState::Deprecated => "Put the image back into use at the cloud, or export a newer one",
    };
    Some(
        Finding::new(Reason::ImageNotReady, FIELD)
            .message(format!("the image is in state {}", image.raw_state))
            .limit("ready", image.raw_state.clone())
            .source(sources::refusals(cloud))
            .fix(fix),
    )
}

fn data_disks(spec: &ExportSpec, image: &Image, limits: &Limits) -> Option<Finding> {
    if spec.only_root_disk {
        return None;
    }
    let limit = limits.number(spec.cloud, "export.data_disks")?;
    let most = limit.value?;
    let count = u64::try_from(image.data_disks()).unwrap_or(u64::MAX);
    if count <= most {
        return None;
    }
    let fix = match spec.cloud {
        Cloud::Tencent => format!("Set only_root_disk, or make an image with {most} data disks or fewer"),
        Cloud::Alibaba => format!("Make an image with {most} data disks or fewer"),
    };
    Finding::new(Reason::ImageTooManyDataDisks, FIELD)
        .message(format!("the image has {count} data disks"))
        .fix(fix)
        .by_limit(spec.cloud, limit, count)
}

fn disk_sizes(spec: &ExportSpec, image: &Image, limits: &Limits) -> Vec<Finding> {
    let Some(limit) = limits.number(spec.cloud, "export.disk_gib") else { return Vec::new() };
    let Some(largest) = limit.value else { return Vec::new() };
    let bounded = |role: DiskRole| match (spec.cloud, role) {
        (_, DiskRole::Data) => !spec.only_root_disk,
        (Cloud::Tencent, DiskRole::System) => true,
        // The document of Alibaba bounds data disks only; the system disk is left to the cloud.
        (Cloud::Alibaba, DiskRole::System) => false,
    };
    let too_large = image.disks.iter().enumerate().filter(|(_, disk)| bounded(disk.role) && disk.size_gib > largest);
    too_large
        .filter_map(|(index, disk)| {
            let device = crate::names::device(index, disk);
            disk_too_large(spec.cloud, limit, &format!("{} disk {device}", disk.role), disk.size_gib)
        })
        .collect()
}

fn disk_too_large(cloud: Cloud, limit: &Limit, disk: &str, size_gib: u64) -> Option<Finding> {
    let largest = limit.value?;
    Finding::new(Reason::ImageDiskTooLarge, FIELD)
        .message(format!("{disk} has {size_gib} GiB"))
        .fix(format!(
            "Move the data to disks of {largest} GiB or less and make an image of these; override the limit if the \
             cloud gives your account a larger one"
        ))
        .by_limit(cloud, limit, size_gib)
}
