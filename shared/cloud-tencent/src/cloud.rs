//! The image port of Tencent Cloud, and how an account is put together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use jiff::Timestamp;
use sampan_cloud::copy::CopiedImage;
use sampan_cloud::image::{
    CancelAnswer, ExportCall, ExportSearch, ExportStarted, ExportTask, ExportTraits, Image, ImageOrigin,
};
use sampan_cloud::stack::{Batcher, Decoder, Pacer, RetryBudget, Signer, Stack, StackParts};
use sampan_cloud::{CallClass, CallError, Clients, ImageCloud};
use sampan_core::{Cloud, ImageId, Reason, Region};

use crate::api::{Api, ApiDecoder};
use crate::bucket::Buckets;
use crate::config::TencentConfig;
use crate::cos::{Cos, CosDecoder};
use crate::q_sign::CosSigner;
use crate::tc3::Tc3Signer;
use crate::{credentials, describe_image_quota, describe_images, describe_snapshots, export_images};

/// How long a look at a copy waits for others of its region.
const GATHER: Duration = Duration::from_millis(20);

/// Image, copy and share calls of one account.
pub struct TencentCloud {
    pub(crate) api: Api,
    /// Copies in their destinations.
    pub(crate) copied: Batcher<Region, ImageId, CopiedImage>,
}

impl TencentCloud {
    /// Puts an account together: its ports, which share credentials, retry budget and pace. Nothing is called or
    /// read before the first use.
    pub fn open(config: TencentConfig) -> Clients {
        let TencentConfig { credentials, endpoints, language, policy, clock, transport, audit } = config;
        let credentials = Arc::new(credentials::cache(credentials, &endpoints, &transport, &clock));
        let (budget, pacer) = (Arc::new(RetryBudget::default()), Arc::new(Pacer::default()));
        let stack = |signer: Arc<dyn Signer>, decoder: Arc<dyn Decoder>| {
            let (budget, pacer, policy) = (Arc::clone(&budget), Arc::clone(&pacer), policy.clone());
            let audit = audit.clone();
            Stack::new(StackParts { signer, decoder, budget, pacer, policy, audit }, transport.clone())
        };
        let tc3 = Tc3Signer { credentials: Arc::clone(&credentials), clock: Arc::clone(&clock) };
        let q_sign = CosSigner { credentials: Arc::clone(&credentials), clock: Arc::clone(&clock) };
        let cos = Cos { stack: stack(Arc::new(q_sign), Arc::new(CosDecoder)), template: endpoints.cos() };
        let api = Api { stack: stack(Arc::new(tc3), Arc::new(ApiDecoder)), endpoints, language };
        let cloud = Arc::new(Self::new(api));
        Clients {
            images: Arc::<Self>::clone(&cloud),
            copies: Arc::<Self>::clone(&cloud),
            shares: cloud,
            buckets: Arc::new(Buckets { cos, credentials, clock }),
        }
    }

    fn new(api: Api) -> Self {
        let reader = api.clone();
        let load = move |region: Region, ids: Vec<ImageId>| {
            let api = reader.clone();
            async move { describe_images::copied(&api, &region, &ids).await }.boxed()
        };
        Self { api, copied: Batcher::new(GATHER, describe_images::MOST_IMAGES, Box::new(load)) }
    }
}

#[async_trait]
impl ImageCloud for TencentCloud {
    fn cloud(&self) -> Cloud {
        Cloud::Tencent
    }

    fn export_traits(&self) -> ExportTraits {
        ExportTraits {
            action: export_images::NAME,
            reports_tasks: false,
            cancels: false,
            root_disk_only: true,
            default_role: "CVM_QcsRole",
        }
    }

    async fn describe_image(&self, region: &Region, image: &ImageId) -> Result<Option<Image>, CallError> {
        let Some(mut image) = describe_images::one(&self.api, region, image).await? else { return Ok(None) };
        // The snapshots of somebody else's image cannot be asked about.
        if image.origin == ImageOrigin::Custom {
            describe_snapshots::fill_in(&self.api, region, &mut image.disks).await?;
        }
        Ok(Some(image))
    }

    async fn image_quota(&self, region: &Region) -> Result<Option<u64>, CallError> {
        describe_image_quota::ceiling(&self.api, region).await
    }

    async fn check_export(&self, call: &ExportCall) -> Result<(), CallError> {
        export_images::dry_run(&self.api, call).await
    }

    async fn start_export(&self, call: &ExportCall) -> Result<ExportStarted, CallError> {
        export_images::start(&self.api, call).await
    }

    /// There is no list of exports, so a dry run tells whether the image is held by one.
    async fn find_export(&self, call: &ExportCall, _since: Timestamp) -> Result<ExportSearch, CallError> {
        match export_images::dry_run(&self.api, call).await {
            Ok(()) => Ok(ExportSearch::Idle),
            Err(error) if error.class == CallClass::Busy && error.reason == Reason::CloudBusy => Ok(ExportSearch::Busy),
            Err(error) => Err(error),
        }
    }

    async fn export_tasks(&self, _: &Region, tasks: &[String]) -> Result<Vec<Option<ExportTask>>, CallError> {
        Ok(vec![None; tasks.len()])
    }

    async fn cancel_export(&self, _: &Region, _: &str) -> Result<CancelAnswer, CallError> {
        Ok(CancelAnswer::Impossible)
    }
}

impl fmt::Debug for TencentCloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TencentCloud").field("api", &self.api).finish_non_exhaustive()
    }
}
