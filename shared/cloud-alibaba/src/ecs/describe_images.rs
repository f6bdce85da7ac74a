//! `DescribeImages`: images of a region by id or by name, in any state, and how many there are.

use sampan_cloud::CallError;
use sampan_core::{ImageId, Region};
use serde::Deserialize;

use super::{Ecs, MOST_PAGES, PAGE, Parameters};
use crate::lenient::Scalar;

/// Images that one call describes by id.
pub(crate) const MOST_IMAGES: usize = 100;
/// Images of the account itself.
const OWN: &str = "self";
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
    /// Percent done of a copy or an import.
    pub(crate) progress: Scalar,
    pub(crate) is_copied: Scalar,
    pub(crate) platform: Scalar,
    #[serde(rename = "OSType")]
    pub(crate) os_type: Scalar,
    #[serde(rename = "OSName")]
    pub(crate) os_name: Scalar,
    pub(crate) architecture: Scalar,
    pub(crate) boot_mode: Scalar,
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
    #[serde(default)]
    total_count: Scalar,
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
        let filter = vec![("ImageId", Some(image.to_string())), ("ImageOwnerAlias", owner.map(ToOwned::to_owned))];
        let answer = self.images(region, filter, 1, PAGE).await?;
        Ok(answer.images.image.into_iter().find(|row| row.image_id.text() == image.as_str()))
    }

    /// Describes images by id, at most [`MOST_IMAGES`]; those that the account does not have are left out.
    ///
    /// Editions of the vendor's page disagree about whether one call takes several ids, so a caller asks again for
    /// each that is missing.
    pub(crate) async fn images_by_id(&self, region: &Region, images: &[ImageId]) -> Result<Vec<ImageRow>, CallError> {
        let ids: Vec<_> = images.iter().map(ImageId::as_str).collect();
        Ok(self.images(region, vec![("ImageId", Some(ids.join(",")))], 1, PAGE).await?.images.image)
    }

    /// Finds the account's own images of exactly that name, in the vendor's order.
    pub(crate) async fn images_named(&self, region: &Region, name: &str) -> Result<Vec<ImageRow>, CallError> {
        let mut named = Vec::new();
        let mut seen = 0;
        for page in 1..=MOST_PAGES {
            let filter = vec![("ImageName", Some(name.to_owned())), ("ImageOwnerAlias", Some(OWN.to_owned()))];
            let answer = self.images(region, filter, page, PAGE).await?;
            let shown = answer.images.image.len() as u64;
            seen += shown;
            // The vendor also shows images that merely contain the name.
            named.extend(answer.images.image.into_iter().filter(|row| row.image_name.text() == name));
            if shown == 0 || answer.total_count.number().is_some_and(|total| seen >= total) {
                break;
            }
        }
        Ok(named)
    }

    /// Counts the account's own images.
    pub(crate) async fn count_own_images(&self, region: &Region) -> Result<u64, CallError> {
        let mut seen = 0;
        for page in 1..=MOST_PAGES {
            let answer = self.images(region, vec![("ImageOwnerAlias", Some(OWN.to_owned()))], page, PAGE).await?;
            if let Some(total) = answer.total_count.number() {
                return Ok(total);
            }
            // Without a total the images themselves are counted.
            let shown = answer.images.image.len() as u64;
            seen += shown;
            if shown == 0 {
                break;
            }
        }
        Ok(seen)
    }

    async fn images(&self, region: &Region, filter: Parameters, page: u64, size: u64) -> Result<Answer, CallError> {
        let mut parameters = filter;
        parameters.push(("Status", Some(EVERY_STATE.to_owned())));
        parameters.push(("PageNumber", Some(page.to_string())));
        parameters.push(("PageSize", Some(size.to_string())));
        self.read("DescribeImages", region, parameters).await
    }
}
