//! Decides which images the demo puts into the simulated clouds.

use std::path::Path;

use sampan_core::{Cloud, DiskRole};
use sampan_simulator::Running;
use sampan_simulator::world::{ImageState, NewDisk, NewImage, Origin};

use super::disk::Disks;
use crate::client::Failure;
use crate::exit::Exit;

/// The image that is exported on Tencent Cloud.
pub(super) const TENCENT_GOOD: &str = "img-demodisk";
/// The image that is exported on Alibaba Cloud.
pub(super) const ALIBABA_GOOD: &str = "m-bp1sampandemodisk001";
/// The image that breaks nearly every rule.
pub(super) const REFUSED: &str = "img-refused1";
/// Further images, so that the day's operations can be spent.
pub(super) const NIGHTLY: [&str; 4] = ["img-nightly1", "img-nightly2", "img-nightly3", "img-nightly4"];
/// One more, for which nothing is left of the day.
pub(super) const LATE: &str = "img-lateone1";

/// Puts the images into the clouds. Reads the disks once, which blocks.
///
/// # Errors
/// [`Failure`] when a disk cannot be read.
pub(super) fn plant(simulator: &Running, disks: &Disks) -> Result<(), Failure> {
    let file = |role, path: &Path| NewDisk { role, device: None, size_gib: None, file: Some(path.to_owned()) };
    let made_up = |role, gib| NewDisk { role, device: None, size_gib: Some(gib), file: None };
    let good = || vec![file(DiskRole::System, &disks.system), file(DiskRole::Data, &disks.data)];
    let mut refused = vec![made_up(DiskRole::System, 600)];
    refused.extend((0..6).map(|_| made_up(DiskRole::Data, 10)));
    add(simulator, image(simulator, Cloud::Tencent, TENCENT_GOOD, "demo-disk", good()))?;
    add(simulator, image(simulator, Cloud::Alibaba, ALIBABA_GOOD, "demo-disk", good()))?;
    let windows = NewImage {
        platform: "Windows".to_owned(),
        origin: Origin::Marketplace,
        encrypted: true,
        ..image(simulator, Cloud::Tencent, REFUSED, "old-desktop", refused)
    };
    add(simulator, windows)?;
    for id in NIGHTLY.into_iter().chain([LATE]) {
        add(simulator, image(simulator, Cloud::Tencent, id, "nightly-build", vec![made_up(DiskRole::System, 20)]))?;
    }
    Ok(())
}

fn image(simulator: &Running, cloud: Cloud, id: &str, name: &str, disks: Vec<NewDisk>) -> NewImage {
    let region = match cloud {
        Cloud::Tencent => super::scenes::TENCENT_REGION,
        Cloud::Alibaba => super::scenes::ALIBABA_REGION,
    };
    // The first account of each cloud is the one that the services are configured with.
    let account = simulator.credentials().into_iter().find(|account| account.cloud == cloud);
    NewImage {
        cloud,
        account: account.map(|account| account.id).unwrap_or_default(),
        owner: None,
        region: region.to_owned(),
        id: Some(id.to_owned()),
        name: name.to_owned(),
        description: "made by sampan demo".to_owned(),
        platform: "Debian".to_owned(),
        os_name: None,
        origin: Origin::Custom,
        encrypted: false,
        state: ImageState::Ready,
        disks,
    }
}

fn add(simulator: &Running, image: NewImage) -> Result<(), Failure> {
    let id = image.id.clone().unwrap_or_default();
    simulator
        .world()
        .add_image(image)
        .map(drop)
        .map_err(|error| Failure::new(Exit::Failed, format!("the simulated cloud refuses image {id}: {error}")))
}
