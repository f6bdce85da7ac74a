//! The gRPC face of the export service: parse, call one thing, answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use sampan_chassis::auth::{Access, Ask};
use sampan_chassis::convert;
use sampan_chassis::convert::spec::{check_labels, request_id};
use sampan_chassis::cost::Pricing;
use sampan_chassis::status::Problem;
use sampan_cloud::Accounts;
use sampan_cloud::bucket::BucketRef;
use sampan_core::limits::Limits;
use sampan_core::{AccountName, OperationId, Reason, RequestId, SharedClock};
use sampan_ops::{Engine, Error, StartRequest};
use sampan_proto::export::v1 as pb;
use sampan_proto::export::v1::export_service_server::ExportService;
use sampan_state::operation::State;
use sampan_state::result::ExportResult;
use sampan_state::{Admitted, Json, OnSpent};
use tonic::{Request, Response, Status};

use crate::rules::Finding;
use crate::spec::{ExportSpec, Ground, Reading};
use crate::{estimate, preview, price, saga, urls};

/// Serves `sampan.export.v1.ExportService`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Service {
    engine: Engine,
    accounts: Accounts,
    limits: Arc<Limits>,
    pricing: Pricing,
    clock: SharedClock,
}

impl Service {
    /// Makes the service over an engine that runs [`crate::saga::ExportSaga`].
    pub fn new(engine: Engine, accounts: Accounts, limits: Arc<Limits>, pricing: Pricing, clock: SharedClock) -> Self {
        Self { engine, accounts, limits, pricing, clock }
    }

    fn ground(&self) -> Ground<'_> {
        Ground { accounts: &self.accounts, limits: &self.limits }
    }

    async fn preview(
        &self,
        access: &Access,
        request: pb::PreviewExportRequest,
    ) -> Result<pb::PreviewExportResponse, Problem> {
        let reading = ExportSpec::read(request.spec, self.ground());
        if let Some(spec) = &reading.spec {
            access.check(&asks("export.preview", spec))?;
        }
        match &reading.spec {
            Some(spec) if reading.broken.is_empty() => {
                let warnings = reading.warnings.clone();
                let live = preview::live(&self.engine, self.ground(), &self.pricing, spec, warnings).await;
                live.map_err(|error| self.problem(error))
            }
            Some(spec) => Ok(preview::doubtful(self.ground(), spec, &reading).await),
            None => Ok(preview::malformed(&reading.broken)),
        }
    }

    async fn start(
        &self,
        access: &Access,
        request: pb::ExportImageRequest,
    ) -> Result<pb::ExportImageResponse, Problem> {
        let labels: BTreeMap<String, String> = request.labels.into_iter().collect();
        let Reading { spec, mut broken, .. } = ExportSpec::read(request.spec, self.ground());
        let mut findings = check_labels(&labels);
        let request_id = request_id(&request.request_id, &mut findings);
        broken.extend(findings.into_iter().map(Finding::violation));
        let Some(mut spec) = spec.filter(|_| broken.is_empty()) else { return Err(Problem::request(&broken)) };
        spec.max_cost = access.check(&asks("export.start", &spec))?.limit(spec.max_cost.take())?;
        let start = StartRequest {
            kind: saga::KIND,
            lane: spec.lane(),
            caller: access.caller().to_owned(),
            labels,
            request_id,
            request: Json::of(&spec).map_err(|error| Problem::new(Reason::InternalFault, error.to_string()))?,
            units: 1,
            on_spent: if spec.queue_when_quota_spent { OnSpent::Queue } else { OnSpent::Refuse },
        };
        self.hold_limit(&spec, start.request_id).await?;
        let (Admitted::New(operation) | Admitted::Existing(operation)) =
            self.engine.start(start).await.map_err(|error| self.problem(error))?;
        Ok(pb::ExportImageResponse { operation: Some(convert::operation(&operation)) })
    }

    /// Refuses a start that may cost more than its limit. A start that is known already is none: its repetition is
    /// answered, whatever the price is now.
    async fn hold_limit(&self, spec: &ExportSpec, request_id: Option<RequestId>) -> Result<(), Problem> {
        let Some(account) = self.accounts.get(&spec.account).filter(|_| spec.max_cost.is_some()) else { return Ok(()) };
        let held = price::hold_limit(&self.pricing, account, &self.limits, spec).await;
        match (held, request_id) {
            (Err(refusal), Some(request_id)) if !self.is_known(spec, request_id).await? => Err(refusal),
            (Err(refusal), None) => Err(refusal),
            (Ok(()), _) | (Err(_), Some(_)) => Ok(()),
        }
    }

    async fn is_known(&self, spec: &ExportSpec, request_id: RequestId) -> Result<bool, Problem> {
        self.engine.knows(saga::KIND, &spec.lane(), request_id).await.map_err(|error| self.problem(error))
    }

    async fn download_urls(
        &self,
        access: &Access,
        request: pb::CreateDownloadUrlsRequest,
    ) -> Result<pb::CreateDownloadUrlsResponse, Problem> {
        let (id, valid_for) = urls::parse(&request).map_err(|broken| Problem::request(&broken))?;
        let (result, bucket, account) = self.finished(access, id).await?;
        let account = self.accounts.get(&account).ok_or_else(|| {
            Problem::new(Reason::AccountUnknown, format!("account {account} is not configured any more"))
        })?;
        urls::create(account, &bucket, &result, valid_for).await
    }

    /// Reads the manifest of a finished export.
    async fn finished(
        &self,
        access: &Access,
        id: OperationId,
    ) -> Result<(ExportResult, BucketRef, AccountName), Problem> {
        let operation = self.engine.get(id).await.map_err(|error| self.problem(error))?;
        if !access.may("export.download", &operation) {
            return Err(self.problem(Error::Store(sampan_state::Error::NotFound(id))));
        }
        let has_artifacts = matches!(operation.state, State::Succeeded | State::PartiallySucceeded);
        let result = operation
            .result
            .filter(|_| has_artifacts && operation.kind == saga::KIND)
            .ok_or_else(|| Problem::new(Reason::OperationNotSucceeded, format!("{} has no artifacts", id.name())))?;
        let result: ExportResult = serde_json::from_value(result).map_err(|error| {
            Problem::new(Reason::StoreCorrupt, format!("the result of {} is unreadable: {error}", id.name()))
        })?;
        let bucket = BucketRef { name: result.bucket.clone(), region: operation.lane.region };
        Ok((result, bucket, operation.lane.account))
    }

    fn problem(&self, error: Error) -> Problem {
        Problem::from_engine(error, self.clock.now())
    }
}

/// What a caller has to be permitted for this export.
fn asks<'a>(action: &'a str, spec: &'a ExportSpec) -> Ask<'a> {
    Ask::new(action).account(spec.account.as_str()).region(spec.region.as_str()).bucket(&spec.bucket)
}

#[async_trait]
impl ExportService for Service {
    async fn preview_export(
        &self,
        request: Request<pb::PreviewExportRequest>,
    ) -> Result<Response<pb::PreviewExportResponse>, Status> {
        let access = Access::of(request.extensions());
        Ok(Response::new(self.preview(&access, request.into_inner()).await?))
    }

    async fn estimate_export(
        &self,
        request: Request<pb::EstimateExportRequest>,
    ) -> Result<Response<pb::EstimateExportResponse>, Status> {
        let access = Access::of(request.extensions());
        Ok(Response::new(estimate::answer(self.ground(), &self.pricing, &access, request.into_inner()).await?))
    }

    async fn export_image(
        &self,
        request: Request<pb::ExportImageRequest>,
    ) -> Result<Response<pb::ExportImageResponse>, Status> {
        let access = Access::of(request.extensions());
        Ok(Response::new(self.start(&access, request.into_inner()).await?))
    }

    async fn create_download_urls(
        &self,
        request: Request<pb::CreateDownloadUrlsRequest>,
    ) -> Result<Response<pb::CreateDownloadUrlsResponse>, Status> {
        let access = Access::of(request.extensions());
        Ok(Response::new(self.download_urls(&access, request.into_inner()).await?))
    }
}
