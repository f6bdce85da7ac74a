//! `CreateImage`: makes an image from the snapshots of its disks.

use sampan_cloud::CallError;
use sampan_cloud::copy::CreateImageCall;
use sampan_cloud::stack::Idempotency;
use sampan_core::ImageId;
use serde::Deserialize;

use super::Ecs;
use super::parameters::Parameters;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    image_id: ImageId,
}

impl Ecs {
    /// Starts the making and returns the id of the image.
    pub(crate) async fn create_image(&self, call: &CreateImageCall) -> Result<ImageId, CallError> {
        // A copied snapshot may no longer be known as that of a system disk, and then the vendor wants to be told
        // what is on it.
        let parameters = Parameters::default()
            .set("ImageName", call.name.clone())
            .set("Description", call.description.clone())
            .set("Platform", Some(call.platform.clone()).filter(|word| !word.is_empty()))
            .set("Architecture", Some(call.architecture.clone()).filter(|word| !word.is_empty()))
            .set("BootMode", call.boot_mode.clone());
        let parameters = disks(parameters, call)
            .set("ResourceGroupId", call.resource_group_id.clone())
            .tags(&call.tags)
            .set("ClientToken", call.token.clone());
        let (answer, _) = self.write::<Answer>("CreateImage", &call.region, parameters, Idempotency::Unsafe).await?;
        Ok(answer.image_id)
    }
}

/// The first disk is the system disk.
fn disks(parameters: Parameters, call: &CreateImageCall) -> Parameters {
    call.disks.iter().enumerate().fold(parameters, |parameters, (index, disk)| {
        let field = |name: &str| format!("DiskDeviceMapping.{}.{name}", index + 1);
        let role = if index == 0 { "system" } else { "data" };
        parameters
            .set(field("DiskType"), role.to_owned())
            .set(field("SnapshotId"), disk.snapshot_id.clone())
            .set(field("Device"), disk.device.as_ref().map(|device| format!("/dev/{device}")))
            .set(field("Size"), disk.size_gib.to_string())
    })
}
