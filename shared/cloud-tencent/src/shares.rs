//! The share port of Tencent Cloud: one call serves every account.

use async_trait::async_trait;
use sampan_cloud::share::{Share, ShareCall, ShareTraits};
use sampan_cloud::{CallError, ShareCloud};
use sampan_core::{Cloud, ImageId, Region};

use crate::cloud::TencentCloud;
use crate::{describe_image_share_permission, modify_image_share_permission};

#[async_trait]
impl ShareCloud for TencentCloud {
    fn cloud(&self) -> Cloud {
        Cloud::Tencent
    }

    fn share_traits(&self) -> ShareTraits {
        ShareTraits {
            action: modify_image_share_permission::NAME,
            accounts_per_call: None,
            adds_and_removes_at_once: false,
        }
    }

    async fn change_shares(&self, region: &Region, image: &ImageId, call: &ShareCall) -> Result<String, CallError> {
        modify_image_share_permission::change(&self.api, region, image, call).await
    }

    async fn shares(&self, region: &Region, image: &ImageId) -> Result<Vec<Share>, CallError> {
        describe_image_share_permission::list(&self.api, region, image).await
    }
}
