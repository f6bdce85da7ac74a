//! `DescribeImages`: one image of a region, in any state.

use sampan_cloud::CallError;
use sampan_core::{ImageId, Region};
use serde::Deserialize;

use super::Ecs;
use crate::lenient::Scalar;

/// Every state, because the vendor shows `Available` images alone when none is named.
const EVERY_STATE: &str = "Waiting,Creating,Available,UnAvailable,CreateFailed,Deprecated";

/// An image as the vendor describes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ImageRow {
    pub(crate) image_id: Scalar,
    pub(crate) image_name: Scalar,
    pub(crate) image_owner_alias: Scalar,
    pub(crate) is_public: Scalar,
    pub(crate) product_code: Scalar,
    pub(crate) status: Scalar,
    pub(crate) platform: Scalar,
    #[serde(rename = "OSType")]
    pub(crate) os_type: Scalar,
    #[serde(rename = "OSName")]
    pub(crate) os_name: Scalar,
    pub(crate) architecture: Scalar,
    /// Capacity of the system disk alone, in GiB.
    pub(crate) size: Scalar,
    pub(crate) creation_time: Scalar,
    pub(crate) disk_device_mappings: Option<Mappings>,
}

/// The vendor wraps lists twice.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Mappings {
    pub(crate) disk_device_mapping: Vec<MappingRow>,
}

/// A disk of an image.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct MappingRow {
    #[serde(rename = "Type")]
    pub(crate) role: Scalar,
    pub(crate) device: Scalar,
    pub(crate) size: Scalar,
    pub(crate) snapshot_id: Scalar,
    pub(crate) encrypted: Scalar,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    images: Images,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Images {
    image: Vec<ImageRow>,
}

impl Ecs {
    /// Finds an image; `None` when the account sees none of that id.
    ///
    /// Without an owner the vendor leaves marketplace images out, so these are asked for when nothing was found.
    pub(crate) async fn describe_image(&self, region: &Region, image: &ImageId) -> Result<Option<ImageRow>, CallError> {
        match self.images_of(region, image, None).await? {
            Some(found) => Ok(Some(found)),
            None => self.images_of(region, image, Some("marketplace")).await,
        }
    }

    async fn images_of(
        &self,
        region: &Region,
        image: &ImageId,
        owner: Option<&str>,
    ) -> Result<Option<ImageRow>, CallError> {
        let parameters = vec![
            ("ImageId", Some(image.to_string())),
            ("Status", Some(EVERY_STATE.to_owned())),
            ("ImageOwnerAlias", owner.map(ToOwned::to_owned)),
        ];
        let answer: Answer = self.read("DescribeImages", region, parameters).await?;
        Ok(answer.images.image.into_iter().find(|row| row.image_id.text() == image.as_str()))
    }
}
