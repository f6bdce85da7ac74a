//! The share port of Alibaba Cloud: ten accounts a call, added and removed at once.

use async_trait::async_trait;
use sampan_cloud::share::{Share, ShareCall, ShareTraits};
use sampan_cloud::{CallError, ShareCloud};
use sampan_core::{Cloud, ImageId, Region};

use crate::ecs;
use crate::image_cloud::AlibabaCloud;
use crate::progress;

#[async_trait]
impl ShareCloud for AlibabaCloud {
    fn cloud(&self) -> Cloud {
        Cloud::Alibaba
    }

    fn share_traits(&self) -> ShareTraits {
        ShareTraits {
            action: ecs::SHARE_ACTION,
            accounts_per_call: Some(ecs::MOST_ACCOUNTS),
            adds_and_removes_at_once: true,
        }
    }

    async fn change_shares(&self, region: &Region, image: &ImageId, call: &ShareCall) -> Result<String, CallError> {
        self.ecs.modify_image_share_permission(region, image, call).await
    }

    async fn shares(&self, region: &Region, image: &ImageId) -> Result<Vec<Share>, CallError> {
        Ok(progress::shares(&self.ecs.image_shares(region, image).await?))
    }
}
