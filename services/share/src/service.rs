//! The gRPC face of the share service: parse, call one thing, answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use sampan_chassis::auth::{Access, Ask};
use sampan_chassis::convert;
use sampan_chassis::convert::spec::{SpecReader, check_labels, request_id};
use sampan_chassis::status::Problem;
use sampan_cloud::{Account, Accounts};
use sampan_core::finding::{self, Finding};
use sampan_core::limits::Limits;
use sampan_core::{AccountName, Reason, SharedClock};
use sampan_ops::{Engine, Error, StartRequest};
use sampan_proto::operation::v1::Operation;
use sampan_proto::share::v1 as pb;
use sampan_proto::share::v1::share_service_server::ShareService;
use sampan_state::{Admitted, Json};
use tonic::{Request, Response, Status};

use crate::preview;
use crate::saga;
use crate::spec::{self, Change, Ground, ShareSpec};

/// Serves `sampan.share.v1.ShareService`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Service {
    engine: Engine,
    accounts: Accounts,
    limits: Arc<Limits>,
    clock: SharedClock,
}

/// A start, whichever call asks for it.
struct Start {
    change: Change,
    request_id: String,
    spec: Option<pb::ShareSpec>,
    labels: BTreeMap<String, String>,
}

impl Service {
    /// Makes the service over an engine that runs [`crate::saga::ShareSaga`].
    pub fn new(engine: Engine, accounts: Accounts, limits: Arc<Limits>, clock: SharedClock) -> Self {
        Self { engine, accounts, limits, clock }
    }

    fn ground(&self) -> Ground<'_> {
        Ground { accounts: &self.accounts, limits: &self.limits }
    }

    async fn preview(
        &self,
        access: &Access,
        request: pb::PreviewShareRequest,
    ) -> Result<pb::PreviewShareResponse, Problem> {
        let mut unnamed = Vec::new();
        let change = spec::change(request.change, &mut unnamed);
        let mut reading = ShareSpec::read(request.spec, change, self.ground());
        reading.broken.extend(unnamed.into_iter().map(Finding::violation));
        let Some(spec) = reading.spec.as_ref().filter(|_| !reading.doubts_image()) else {
            return Ok(preview::malformed(&reading));
        };
        access.check(&asks("share.preview", spec))?;
        preview::live(&self.engine, self.ground(), spec, &reading).await.map_err(|error| self.problem(error))
    }

    async fn start(&self, access: &Access, start: Start) -> Result<Option<Operation>, Problem> {
        let reading = ShareSpec::read(start.spec, Some(start.change), self.ground());
        let mut broken = reading.broken;
        let mut findings = check_labels(&start.labels);
        let request_id = request_id(&start.request_id, &mut findings);
        broken.extend(findings.into_iter().map(Finding::violation));
        let Some((spec, account)) = reading.spec.filter(|_| broken.is_empty()).and_then(|spec| self.owner(spec)) else {
            return Err(Problem::request(&broken));
        };
        access.check(&asks("share.start", &spec))?;
        let request = StartRequest {
            kind: saga::KIND,
            lane: spec.lane(),
            caller: access.caller().to_owned(),
            labels: start.labels,
            request_id,
            request: Json::of(&spec).map_err(|error| Problem::new(Reason::InternalFault, error.to_string()))?,
            units: spec.units(account.shares.share_traits()),
            on_spent: spec.on_spent(),
        };
        let (Admitted::New(operation) | Admitted::Existing(operation)) =
            self.engine.start(request).await.map_err(|error| self.problem(error))?;
        Ok(Some(convert::operation(&operation)))
    }

    fn owner(&self, spec: ShareSpec) -> Option<(ShareSpec, &Account)> {
        let account = self.accounts.get(&spec.account)?;
        Some((spec, account))
    }

    async fn list(
        &self,
        access: &Access,
        request: &pb::ListImageSharesRequest,
    ) -> Result<pb::ListImageSharesResponse, Problem> {
        let mut reader = SpecReader::new(&self.accounts, &self.limits);
        let image = reader.image("image", request.image.as_ref()).named();
        let (broken, _) = finding::split(reader.finish());
        let Some(image) = image.filter(|_| broken.is_empty()) else { return Err(Problem::request(&broken)) };
        access.check(&Ask::new("share.list").account(image.account.as_str()).region(image.region.as_str()))?;
        let account = self.account(&image.account)?;
        let shares = account.shares.shares(&image.region, &image.image).await;
        let shares = shares.map_err(|error| Problem::from_call(&error))?;
        let told = |share: sampan_cloud::share::Share| pb::ImageShare {
            account_id: share.account_id,
            share_time: share.since.map(convert::time::timestamp),
        };
        Ok(pb::ListImageSharesResponse { shares: shares.into_iter().map(told).collect() })
    }

    fn account(&self, name: &AccountName) -> Result<&Account, Problem> {
        let gone = || Problem::new(Reason::AccountUnknown, format!("account {name} is not configured"));
        self.accounts.get(name).ok_or_else(gone)
    }

    fn problem(&self, error: Error) -> Problem {
        Problem::from_engine(error, self.clock.now())
    }
}

/// What a caller has to be permitted for this change.
fn asks<'a>(action: &'a str, spec: &'a ShareSpec) -> Ask<'a> {
    let ask = Ask::new(action).account(spec.account.as_str()).region(spec.region.as_str());
    ask.share_targets(spec.account_ids.iter().map(String::as_str))
}

#[async_trait]
impl ShareService for Service {
    async fn preview_share(
        &self,
        request: Request<pb::PreviewShareRequest>,
    ) -> Result<Response<pb::PreviewShareResponse>, Status> {
        let access = Access::of(request.extensions());
        Ok(Response::new(self.preview(&access, request.into_inner()).await?))
    }

    async fn share_image(
        &self,
        request: Request<pb::ShareImageRequest>,
    ) -> Result<Response<pb::ShareImageResponse>, Status> {
        let access = Access::of(request.extensions());
        let pb::ShareImageRequest { request_id, spec, labels } = request.into_inner();
        let start = Start { change: Change::Add, request_id, spec, labels: labels.into_iter().collect() };
        let operation = self.start(&access, start).await?;
        Ok(Response::new(pb::ShareImageResponse { operation }))
    }

    async fn unshare_image(
        &self,
        request: Request<pb::UnshareImageRequest>,
    ) -> Result<Response<pb::UnshareImageResponse>, Status> {
        let access = Access::of(request.extensions());
        let pb::UnshareImageRequest { request_id, spec, labels } = request.into_inner();
        let start = Start { change: Change::Remove, request_id, spec, labels: labels.into_iter().collect() };
        let operation = self.start(&access, start).await?;
        Ok(Response::new(pb::UnshareImageResponse { operation }))
    }

    async fn set_image_shares(
        &self,
        request: Request<pb::SetImageSharesRequest>,
    ) -> Result<Response<pb::SetImageSharesResponse>, Status> {
        let access = Access::of(request.extensions());
        let pb::SetImageSharesRequest { request_id, spec, labels } = request.into_inner();
        let start = Start { change: Change::Set, request_id, spec, labels: labels.into_iter().collect() };
        let operation = self.start(&access, start).await?;
        Ok(Response::new(pb::SetImageSharesResponse { operation }))
    }

    async fn list_image_shares(
        &self,
        request: Request<pb::ListImageSharesRequest>,
    ) -> Result<Response<pb::ListImageSharesResponse>, Status> {
        let access = Access::of(request.extensions());
        Ok(Response::new(self.list(&access, request.get_ref()).await?))
    }
}
