//! Rules about the image, as the cloud describes it.

use sampan_cloud::image::{Image, ImageOrigin, ImageState};
use sampan_core::finding::Finding;
use sampan_core::{Cloud, Reason};

use super::sources;
use crate::spec::{Change, ShareSpec};

const FIELD: &str = "spec.image.image_id";

/// Returns every rule that the image breaks; `None` stands for an image that does not exist.
pub fn check(spec: &ShareSpec, image: Option<&Image>) -> Vec<Finding> {
    let Some(image) = image else { return vec![absent(spec)] };
    [origin(spec.cloud, image), state(spec, image), encryption(spec, image), whole_machine(spec, image)]
        .into_iter()
        .flatten()
        .collect()
}

fn absent(spec: &ShareSpec) -> Finding {
    Finding::new(Reason::ImageNotFound, FIELD)
        .message(format!("{} does not exist in {} of account {}", spec.image, spec.region, spec.account))
        .source(sources::refusals(spec.cloud))
        .fix(
            "Check the image id, the account and the region. A share never crosses regions: for another region, copy \
             the image there and share the copy",
        )
}

fn origin(cloud: Cloud, image: &Image) -> Option<Finding> {
    let (reason, message, observed, fix) = match image.origin {
        ImageOrigin::Custom => return None,
        ImageOrigin::Public => (
            Reason::ImageNotCustom,
            "the image is a public or community image, which everybody can use already",
            "public image",
            "Share a custom image of the account",
        ),
        ImageOrigin::Shared => (
            Reason::ImageSharedToYou,
            "the image belongs to another account, and only its owner shares it",
            "shared image",
            "Copy the image within its region so that the account owns the copy, and share the copy",
        ),
        // An image that derives from the marketplace may be the account's own; the cloud knows, and what is on it
        // is charged to whoever uses it.
        ImageOrigin::Marketplace => {
            return Some(
                Finding::new(Reason::ImageFromMarketplace, FIELD)
                    .message("the image comes from the marketplace or derives from it")
                    .limit("custom image of the account", "marketplace image")
                    .source(sources::overview(cloud))
                    .fix("Go on if the image is your own; receivers then pay the fees of what is on it")
                    .warning(),
            );
        }
    };
    let finding = Finding::new(reason, FIELD).message(message).limit("custom image of the account", observed);
    Some(finding.source(sources::refusals(cloud)).fix(fix))
}

fn state(spec: &ShareSpec, image: &Image) -> Option<Finding> {
    let fix = match image.state {
        ImageState::Ready => return None,
        ImageState::Pending => "Wait until the cloud has finished the image, then try again",
        ImageState::Failed => "Make the image anew; this one will never be ready",
        ImageState::Deprecated => "Put the image back into use at the cloud, or share a newer one",
    };
    let finding = Finding::new(Reason::ImageNotReady, FIELD)
        .message(format!("the image is in state {}", image.raw_state))
        .limit("ready", image.raw_state.clone())
        .source(sources::refusals(spec.cloud))
        .fix(fix);
    // Whoever withdraws an image wants its shares to end; only the cloud knows whether it lets them.
    let is_withdrawn = image.state == ImageState::Deprecated && spec.change == Change::Remove;
    Some(if is_withdrawn { finding.warning() } else { finding })
}

fn encryption(spec: &ShareSpec, image: &Image) -> Option<Finding> {
    if spec.change == Change::Remove {
        return None;
    }
    let finding = |reason| Finding::new(reason, FIELD).source(sources::refusals(spec.cloud));
    match (image.is_encrypted(), spec.cloud) {
        (Some(false), _) => None,
        (Some(true), Cloud::Tencent) => Some(
            finding(Reason::ImageEncrypted)
                .message("the image has encrypted snapshots, and encrypted images are not shared on this cloud")
                .limit("unencrypted snapshots", "an encrypted snapshot")
                .fix("Make an image of unencrypted disks, and share that"),
        ),
        (Some(true), Cloud::Alibaba) if image.disks.len() > 1 => Some(
            finding(Reason::ImageNotShareable)
                .message(format!("the image is encrypted and has {} disks", image.disks.len()))
                .limit("1 disk where the image is encrypted", format!("{} disks", image.disks.len()))
                .fix("Make an encrypted image of the system disk alone, or an unencrypted one of all disks"),
        ),
        (Some(true), Cloud::Alibaba) => Some(
            finding(Reason::ImageEncrypted)
                .message(
                    "the image is encrypted: it can be shared only with a key of your own (no service key), and when \
                     the role AliyunECSShareEncryptImageDefaultRole exists",
                )
                .limit("a customer master key", "an encrypted snapshot")
                .fix("Copy the image with a key of your own if it has the service key, and authorise the role")
                .warning(),
        ),
        (None, _) => Some(
            finding(Reason::ImageEncryptionUnknown)
                .fix("Permit the account to describe snapshots; or go on, and the cloud refuses what it does not share")
                .warning(),
        ),
    }
}

fn whole_machine(spec: &ShareSpec, image: &Image) -> Option<Finding> {
    let in_doubt = spec.cloud == Cloud::Tencent && spec.change != Change::Remove && image.data_disks() > 0;
    let finding = || {
        Finding::new(Reason::ImageNotShareable, FIELD)
            .message("the image has data disks, and the cloud may refuse to share such images")
            .limit("", format!("{} data disks", image.data_disks()))
            .source(sources::refusals(spec.cloud))
            .fix("Go on; if the cloud refuses, make an image of the system disk alone")
            .warning()
    };
    in_doubt.then(finding)
}
