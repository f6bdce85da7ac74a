//! Rules about the image, as the cloud describes it.

use sampan_cloud::copy::CopyTraits;
use sampan_cloud::image::{Image, ImageOrigin, ImageState};
use sampan_core::limits::Limits;
use sampan_core::{Cloud, Reason};

use super::{Finding, sources};
use crate::spec::{CopySpec, Route};

const FIELD: &str = "spec.image.image_id";

/// Returns every rule that the image breaks; `None` stands for an image that does not exist.
pub fn check(spec: &CopySpec, image: Option<&Image>, traits: CopyTraits, limits: &Limits) -> Vec<Finding> {
    let Some(image) = image else { return vec![absent(spec)] };
    let mut findings: Vec<Finding> =
        [origin(spec, image), state(spec.cloud, image), data_disks(spec.cloud, image)].into_iter().flatten().collect();
    findings.extend(within_region(spec, image));
    findings.extend(encryption(spec, image));
    findings.extend(size(spec, image, traits, limits));
    findings
}

/// Returns how the content would travel to a destination: as asked for, else by the image's size.
pub fn route_of(spec: &CopySpec, image: &Image, traits: CopyTraits, limits: &Limits) -> Route {
    let largest = limits.number(spec.cloud, "copy.image_gib").and_then(|limit| limit.value);
    let is_large = largest.is_some_and(|largest| image.total_gib() > largest);
    let by_size = if is_large && traits.copies_snapshots { Route::Snapshots } else { Route::Image };
    spec.route.unwrap_or(by_size)
}

fn absent(spec: &CopySpec) -> Finding {
    Finding::new(Reason::ImageNotFound, FIELD)
        .message(format!("{} does not exist in {} of account {}", spec.image, spec.region, spec.account))
        .source(sources::refusals(spec.cloud))
        .fix("Check the image id, the account and the region; an image that was just made may not be there yet")
}

fn origin(spec: &CopySpec, image: &Image) -> Option<Finding> {
    match image.origin {
        ImageOrigin::Custom => None,
        ImageOrigin::Public => Some(
            Finding::new(Reason::ImageNotCustom, FIELD)
                .message("the image is public, and only custom images are copied")
                .limit("custom image of the account", "public image")
                .source(sources::guide(spec.cloud))
                .fix("Use the public image of that region, or make a custom image of a machine and copy that"),
        ),
        // The vendor copies it where its publisher offers it in the destination, which only the call can tell.
        ImageOrigin::Marketplace => Some(
            Finding::new(Reason::ImageFromMarketplace, FIELD)
                .message(
                    "the image comes from the marketplace: the cloud copies it only where it is offered and bought",
                )
                .limit("custom image of the account", "marketplace image")
                .source(sources::refusals(spec.cloud))
                .fix("Make sure that the image is offered in each destination, or build it on a public image")
                .warning(),
        ),
        ImageOrigin::Shared => {
            let away = spec.destinations.iter().find(|destination| destination.region != spec.region)?;
            Some(
                Finding::new(Reason::ImageSharedToYou, FIELD)
                    .message(format!(
                        "the image is shared by another account and can be copied within {} only, not to {}",
                        spec.region, away.region
                    ))
                    .limit(spec.region.as_str(), away.region.as_str())
                    .source(sources::refusals(spec.cloud))
                    .fix(format!("Copy it within {} first, then copy that image, which is yours", spec.region)),
            )
        }
    }
}

fn state(cloud: Cloud, image: &Image) -> Option<Finding> {
    let fix = match image.state {
        ImageState::Ready => return None,
        ImageState::Pending => "Wait until the cloud has finished the image, then try again",
        ImageState::Failed => "Make the image anew; this one will never be ready",
        ImageState::Deprecated => "Put the image back into use at the cloud, or copy a newer one",
    };
    Some(
        Finding::new(Reason::ImageNotReady, FIELD)
            .message(format!("the image is in state {}", image.raw_state))
            .limit("ready", image.raw_state.clone())
            .source(sources::refusals(cloud))
            .fix(fix),
    )
}

fn data_disks(cloud: Cloud, image: &Image) -> Option<Finding> {
    let disks = image.data_disks();
    (cloud == Cloud::Tencent && disks > 0).then(|| {
        Finding::new(Reason::ImageNotCopyable, FIELD)
            .message(format!("the image has {disks} data disks; the cloud may refuse to copy images of whole machines"))
            .limit("no data disks", format!("{disks} data disks"))
            .source(sources::refusals(cloud))
            .fix("Go on; if the cloud refuses, make an image of the system disk alone")
            .warning()
    })
}

/// Within its own region a copy makes sense only to encrypt the image or to own it.
fn within_region(spec: &CopySpec, image: &Image) -> Option<Finding> {
    let index = spec.destinations.iter().position(|destination| destination.region == spec.region)?;
    let makes_sense = spec.encryption.is_some() || image.origin == ImageOrigin::Shared;
    let finding = || {
        Finding::new(Reason::DestinationIsSource, spec.field(index, "region"))
            .message(format!("{} is the region of the image itself", spec.region))
            .limit("another region", spec.region.as_str())
            .source(sources::call(spec.cloud))
            .fix("Name another region, ask for encryption, or share the image: within its region nobody needs a copy")
    };
    (!makes_sense).then(finding)
}

fn encryption(spec: &CopySpec, image: &Image) -> Vec<Finding> {
    let is_encrypted = image.is_encrypted();
    let across = spec.destinations.iter().any(|destination| destination.region != spec.region);
    let finding = |reason: Reason, field: &str| Finding::new(reason, field).source(sources::refusals(spec.cloud));
    let found = match (spec.cloud, is_encrypted) {
        (Cloud::Tencent, Some(true)) => Some(
            finding(Reason::ImageEncrypted, FIELD)
                .message("the image is encrypted, and the cloud does not copy encrypted images")
                .limit("unencrypted snapshots", "an encrypted snapshot")
                .fix("Copy the unencrypted image that it was made from, and encrypt in the destination"),
        ),
        (Cloud::Alibaba, Some(true)) if spec.encryption.is_none() => Some(
            finding(Reason::EncryptionRefused, "spec.encryption")
                .message("the image is encrypted, and a copy never makes it plain")
                .limit("encryption", "none")
                .fix("Set spec.encryption, with a key of each destination or the default one"),
        ),
        (Cloud::Alibaba, Some(false)) if spec.encryption.is_some() && across => Some(
            finding(Reason::EncryptionRefused, "spec.encryption")
                .message("the cloud may refuse to encrypt a plain image on its way to another region")
                .fix(format!("Go on; if the cloud refuses, make an encrypted copy in {} and copy that", spec.region))
                .warning(),
        ),
        (_, None) => Some(
            finding(Reason::ImageEncryptionUnknown, FIELD)
                .fix("Permit the account to describe snapshots; or go on, and the cloud refuses what it does not copy")
                .warning(),
        ),
        (Cloud::Tencent, Some(false)) | (Cloud::Alibaba, Some(_)) => None,
    };
    found.into_iter().collect()
}

fn size(spec: &CopySpec, image: &Image, traits: CopyTraits, limits: &Limits) -> Vec<Finding> {
    let mut findings = Vec::new();
    let total = image.total_gib();
    if let Some(limit) = limits.number(spec.cloud, "copy.image_gib")
        && limit.value.is_some_and(|largest| total > largest)
    {
        let at_home = spec.destinations.iter().any(|destination| destination.region == spec.region);
        if route_of(spec, image, traits, limits) == Route::Image || at_home {
            let finding = Finding::new(Reason::ImageTooLargeToCopy, FIELD)
                .message(format!("the image has {total} GiB"))
                .fix("Leave the route out, so that its snapshots travel to other regions; within its region it stays");
            findings.extend(finding.by_limit(spec.cloud, limit, total));
        }
    }
    if route_of(spec, image, traits, limits) == Route::Snapshots {
        findings.extend(by_snapshots(spec, image, limits));
    }
    findings
}

fn by_snapshots(spec: &CopySpec, image: &Image, limits: &Limits) -> Vec<Finding> {
    let mut findings = Vec::new();
    if image.disks.is_empty() || image.disks.iter().any(|disk| disk.snapshot_id.is_none()) {
        findings.push(
            Finding::new(Reason::SnapshotNotFound, FIELD)
                .message("the cloud does not tell the snapshots of the image, so they cannot be copied")
                .source(sources::call(spec.cloud))
                .fix("Copy the image in one piece: route = IMAGE"),
        );
    }
    let disks = u64::try_from(image.data_disks()).unwrap_or(u64::MAX);
    if let Some(limit) = limits.number(spec.cloud, "copy.data_disks")
        && limit.value.is_some_and(|most| disks > most)
    {
        let finding = Finding::new(Reason::ImageTooManyDataDisks, FIELD)
            .message(format!("the image has {disks} data disks"))
            .fix("Make an image with fewer data disks");
        findings.extend(finding.by_limit(spec.cloud, limit, disks));
    }
    findings
}
