//! Puts an account together, and says in the words of the port what ECS does. What the vendor's words about images
//! and tasks mean is decided in `judge` and `tasks`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use reqsign_file_read_tokio::TokioFileRead;
use sampan_cloud::copy::CopiedImage;
use sampan_cloud::image::{
    CancelAnswer, ExportCall, ExportSearch, ExportStarted, ExportTask, ExportTraits, Image, ImageCloud,
};
use sampan_cloud::stack::{
    Batcher, CredentialCache, Decoder, Pacer, RetryBudget, Signer, Stack, StackParts, credential_context,
};
use sampan_cloud::{CallClass, CallError, Clients};
use sampan_core::{Cloud, ImageId, Reason, Region};
use tracing::warn;

use crate::config::AlibabaConfig;
use crate::copies;
use crate::ecs::{self, Ecs, EcsDecoder};
use crate::hosts::{BadEndpoint, Hosts};
use crate::judge;
use crate::oss::{AlibabaBuckets, OssDecoder};
use crate::sign::{EcsSigner, OssSigner, Pen};
use crate::tasks;

/// Role that the vendor writes by when a call names none.
pub const DEFAULT_EXPORT_ROLE: &str = "AliyunECSImageExportDefaultRole";
/// How long a look at a task or at a copy waits for others of its region.
const GATHER: Duration = Duration::from_millis(20);
/// Details that are asked for side by side.
pub(crate) const SIDE_BY_SIDE: usize = 8;

/// Image, copy and share calls of one account of Alibaba Cloud.
pub struct AlibabaCloud {
    pub(crate) ecs: Ecs,
    pub(crate) trial_runs: bool,
    tasks: Batcher<Region, String, ExportTask>,
    /// Copies in their destinations.
    pub(crate) copied: Batcher<Region, ImageId, CopiedImage>,
}

impl AlibabaCloud {
    /// Puts an account together: its ports, which share credentials, retry budget and pace. Nothing is called or
    /// read before the first use.
    ///
    /// # Errors
    /// [`BadEndpoint`] when a configured address cannot be used.
    pub fn open(config: AlibabaConfig) -> Result<Clients, BadEndpoint> {
        let AlibabaConfig { credentials, endpoints, clock, policy, trial_runs, transport, audit } = config;
        let hosts = Arc::new(Hosts::new(&endpoints)?);
        let context = credential_context(&transport).with_file_read(TokioFileRead);
        let cache = CredentialCache::new(context, credentials.provider(), Arc::clone(&clock));
        let pen = Pen { credentials: Arc::new(cache), clock };
        let (budget, pacer) = (Arc::new(RetryBudget::default()), Arc::new(Pacer::default()));
        let stack = |signer: Arc<dyn Signer>, decoder: Arc<dyn Decoder>| {
            let (budget, pacer, policy) = (Arc::clone(&budget), Arc::clone(&pacer), policy.clone());
            let audit = audit.clone();
            Stack::new(StackParts { signer, decoder, budget, pacer, policy, audit }, transport.clone())
        };
        let oss_signer = OssSigner { pen: pen.clone(), hosts: Arc::clone(&hosts) };
        let oss = stack(Arc::new(oss_signer), Arc::new(OssDecoder));
        let ecs = stack(Arc::new(EcsSigner(pen.clone())), Arc::new(EcsDecoder));
        let cloud = Arc::new(Self::new(Ecs { stack: ecs, hosts: Arc::clone(&hosts) }, trial_runs));
        Ok(Clients {
            images: Arc::<Self>::clone(&cloud),
            copies: Arc::<Self>::clone(&cloud),
            shares: cloud,
            buckets: Arc::new(AlibabaBuckets { stack: oss, hosts, pen }),
        })
    }

    fn new(ecs: Ecs, trial_runs: bool) -> Self {
        let reader = ecs.clone();
        let load = move |region: Region, ids: Vec<String>| {
            let ecs = reader.clone();
            async move {
                let found = tasks::describe(&ecs, &region, &ids).await?;
                Ok(found.into_iter().map(|task| (task.task_id.clone(), task)).collect())
            }
            .boxed()
        };
        let tasks = Batcher::new(GATHER, ecs::MOST_TASKS, Box::new(load));
        let reader = ecs.clone();
        let load = move |region: Region, ids: Vec<ImageId>| {
            let ecs = reader.clone();
            async move { copies::describe(&ecs, &region, &ids).await }.boxed()
        };
        let copied = Batcher::new(GATHER, ecs::MOST_IMAGES, Box::new(load));
        Self { ecs, trial_runs, tasks, copied }
    }

    /// An older backend knows no trial run and has started an export: it is cancelled before it costs anything.
    async fn undo_trial(&self, call: &ExportCall, task: Option<String>, request_id: String) -> CallError {
        let cancelled = match &task {
            Some(task) => self.ecs.cancel_task(&call.region, task).await.is_ok(),
            None => false,
        };
        warn!(image = %call.image, task = task.as_deref(), cancelled, "the cloud took a trial run for an export");
        let what = "the cloud does not know trial runs here and started an export; switch them off";
        trial_taken(ecs::EXPORT_ACTION, request_id, what)
    }
}

/// Makes the error of a trial run that started what it asked about.
pub(crate) fn trial_taken(action: &'static str, request_id: String, what: &str) -> CallError {
    CallError {
        cloud: Cloud::Alibaba,
        action,
        class: CallClass::UnknownOutcome,
        reason: Reason::CloudRefused,
        code: None,
        message: what.to_owned(),
        request_id: Some(request_id),
        http_status: None,
        retry_after: None,
        attempts: 1,
    }
}

/// Returns whether a trial run says that the call itself would be accepted.
pub(crate) fn says_yes(error: &CallError) -> bool {
    matches!(error.code.as_deref(), Some("DryRunOperation" | "DRYRUN.SUCCESS"))
}

#[async_trait]
impl ImageCloud for AlibabaCloud {
    fn cloud(&self) -> Cloud {
        Cloud::Alibaba
    }

    fn export_traits(&self) -> ExportTraits {
        ExportTraits {
            action: ecs::EXPORT_ACTION,
            reports_tasks: true,
            cancels: true,
            root_disk_only: false,
            default_role: DEFAULT_EXPORT_ROLE,
        }
    }

    async fn describe_image(&self, region: &Region, image: &ImageId) -> Result<Option<Image>, CallError> {
        let Some(row) = self.ecs.describe_image(region, image).await? else { return Ok(None) };
        let mut found = judge::image(image, &row);
        let snapshots = judge::snapshots_to_ask(&found);
        if snapshots.is_empty() {
            return Ok(Some(found));
        }
        match self.ecs.describe_snapshots(region, &snapshots).await {
            Ok(rows) => judge::apply_snapshots(&mut found, &rows),
            // Encryption stays unknown; the export itself will tell.
            Err(error) if error.class == CallClass::Permission => {
                warn!(%image, code = error.code.as_deref(), "the account may not describe snapshots");
            }
            Err(error) => return Err(error),
        }
        Ok(Some(found))
    }

    /// Always `None`: the quota is told only in the text of the error that it is used up.
    async fn image_quota(&self, _: &Region) -> Result<Option<u64>, CallError> {
        Ok(None)
    }

    async fn check_export(&self, call: &ExportCall) -> Result<(), CallError> {
        if !self.trial_runs {
            return Ok(());
        }
        match self.ecs.export_image(call, true).await {
            Ok(started) => Err(self.undo_trial(call, started.task_id, started.request_id).await),
            Err(error) if says_yes(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn start_export(&self, call: &ExportCall) -> Result<ExportStarted, CallError> {
        let started = self.ecs.export_image(call, false).await?;
        Ok(ExportStarted { task_id: started.task_id, objects: Vec::new(), request_id: started.request_id })
    }

    async fn find_export(&self, call: &ExportCall, since: Timestamp) -> Result<ExportSearch, CallError> {
        let mut rows = self.ecs.export_tasks_of(&call.region, &call.image).await?;
        rows.retain(|row| row.creation_time.instant().is_none_or(|created| created.can_follow(since)));
        rows.sort_by_key(|row| row.creation_time.instant().map(|created| created.at));
        let found = stream::iter(rows)
            .map(|row| async move { tasks::complete(&self.ecs, &call.region, row).await })
            .buffered(SIDE_BY_SIDE)
            .try_collect()
            .await?;
        Ok(ExportSearch::Tasks(found))
    }

    async fn export_tasks(&self, region: &Region, ids: &[String]) -> Result<Vec<Option<ExportTask>>, CallError> {
        let asked = ids.iter().map(|id| self.tasks.get(region.clone(), id.clone()));
        futures::future::try_join_all(asked).await
    }

    async fn cancel_export(&self, region: &Region, task: &str) -> Result<CancelAnswer, CallError> {
        self.ecs.cancel_task(region, task).await
    }
}

impl fmt::Debug for AlibabaCloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlibabaCloud").field("trial_runs", &self.trial_runs).finish_non_exhaustive()
    }
}
