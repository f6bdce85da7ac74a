//! Rules about the image, as the cloud describes it.

use sampan_cloud::image::{Image, ImageOrigin, ImageState};
use sampan_core::limits::{Limit, Limits};
use sampan_core::{Cloud, DiskRole, Reason};

use super::Finding;
use crate::spec::ExportSpec;

const FIELD: &str = "spec.image.image_id";

/// Returns every rule that the image breaks; `None` stands for an image that does not exist.
pub fn check(spec: &ExportSpec, image: Option<&Image>, limits: &Limits) -> Vec<Finding> {
    let Some(image) = image else {
        let message = format!("{} does not exist in {} of account {}", spec.image, spec.region, spec.account);
        return vec![Finding::new(Reason::ImageNotFound, FIELD).message(message)];
    };
    let mut findings: Vec<Finding> = [
        origin(spec.cloud, image),
        windows(spec.cloud, image),
        red_hat(spec.cloud, image),
        encryption(spec.cloud, image),
        state(image),
        data_disks(spec, image, limits),
    ]
    .into_iter()
    .flatten()
    .collect();
    findings.extend(disk_sizes(spec, image, limits));
    findings
}

fn origin(cloud: Cloud, image: &Image) -> Option<Finding> {
    let reason = match image.origin {
        ImageOrigin::Custom => return None,
        ImageOrigin::Public => Reason::ImageNotCustom,
        ImageOrigin::Marketplace => Reason::ImageFromMarketplace,
        ImageOrigin::Shared => Reason::ImageSharedToYou,
    };
    Some(Finding::new(reason, FIELD).source(guide(cloud)))
}

fn windows(cloud: Cloud, image: &Image) -> Option<Finding> {
    let finding = Finding::new(Reason::ImageWindows, FIELD).source(guide(cloud));
    image.is_windows.then(|| finding.limit("Linux", image.platform.clone()))
}

fn red_hat(cloud: Cloud, image: &Image) -> Option<Finding> {
    // Alibaba leaves the licence to the cloud's own answer; only Tencent refuses by name.
    let refused = cloud == Cloud::Tencent && image.is_red_hat;
    let finding =
        Finding::new(Reason::ImageRedHat, FIELD).source("tencentcloud-sdk-go v1.3.166, ExportImages error codes");
    refused.then(|| finding.limit("an image without a commercial licence", image.platform.clone()))
}

fn encryption(cloud: Cloud, image: &Image) -> Option<Finding> {
    match image.is_encrypted() {
        Some(false) => None,
        Some(true) => Some(Finding::new(Reason::ImageEncrypted, FIELD).source(guide(cloud))),
        None => Some(Finding::new(Reason::ImageEncryptionUnknown, FIELD).warning()),
    }
}

fn state(image: &Image) -> Option<Finding> {
    let finding = Finding::new(Reason::ImageNotReady, FIELD);
    (image.state != ImageState::Ready).then(|| {
        finding.message(format!("the image is in state {}", image.raw_state)).limit("ready", image.raw_state.clone())
    })
}

fn data_disks(spec: &ExportSpec, image: &Image, limits: &Limits) -> Option<Finding> {
    if spec.only_root_disk {
        return None;
    }
    let limit = limits.number(spec.cloud, "export.data_disks")?;
    let count = u64::try_from(image.data_disks()).unwrap_or(u64::MAX);
    let finding =
        Finding::new(Reason::ImageTooManyDataDisks, FIELD).message(format!("the image has {count} data disks"));
    limit.value.filter(|value| count > *value).and_then(|_| finding.by_limit(spec.cloud, limit, count))
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
    let too_large = image.disks.iter().filter(|disk| bounded(disk.role) && disk.size_gib > largest);
    too_large.filter_map(|disk| disk_too_large(spec.cloud, limit, disk.role, disk.size_gib)).collect()
}

fn disk_too_large(cloud: Cloud, limit: &Limit, role: DiskRole, size_gib: u64) -> Option<Finding> {
    let finding = Finding::new(Reason::ImageDiskTooLarge, FIELD).message(format!("a {role} disk has {size_gib} GiB"));
    finding.by_limit(cloud, limit, size_gib)
}

fn guide(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Tencent => "Tencent Cloud, Exporting Images; ExportImages error codes of tencentcloud-sdk-go v1.3.166",
        Cloud::Alibaba => "Alibaba Cloud, Export a custom image; ExportImage error codes",
    }
}
