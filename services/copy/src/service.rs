//! The gRPC face of the copy service: parse, call one thing, answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use sampan_chassis::auth::{Access, Ask};
use sampan_chassis::convert;
use sampan_chassis::convert::spec::{SpecReader, check_labels, request_id};
use sampan_chassis::cost::Pricing;
use sampan_chassis::status::Problem;
use sampan_cloud::Accounts;
use sampan_core::limits::Limits;
use sampan_core::{Reason, RequestId, SharedClock};
use sampan_ops::{Engine, StartRequest};
use sampan_proto::copy::v1 as pb;
use sampan_proto::copy::v1::copy_service_server::CopyService;
use sampan_state::{Admitted, Json, OnSpent};
use tonic::{Request, Response, Status};

use crate::rules::Finding;
use crate::spec::{CopySpec, Ground, Reading};
use crate::{fields, preview, price, rules, saga};

/// Serves `sampan.copy.v1.CopyService`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Service {
    engine: Engine,
    accounts: Accounts,
    limits: Arc<Limits>,
    pricing: Pricing,
    clock: SharedClock,
}

impl Service {
    /// Makes the service over an engine that runs [`crate::saga::CopySaga`].
    pub fn new(engine: Engine, accounts: Accounts, limits: Arc<Limits>, pricing: Pricing, clock: SharedClock) -> Self {
        Self { engine, accounts, limits, pricing, clock }
    }

    fn ground(&self) -> Ground<'_> {
        Ground { accounts: &self.accounts, limits: &self.limits }
    }

    async fn preview(
        &self,
        access: &Access,
        request: pb::PreviewCopyRequest,
    ) -> Result<pb::PreviewCopyResponse, Problem> {
        let mut reading = CopySpec::read(request.spec, self.ground());
        let mut reader = SpecReader::new(&self.accounts, &self.limits);
        let keep_for = reader.period("keep_for", request.keep_for, &fields::KEEPS);
        reading.broken.extend(rules::split(reader.finish()).0);
        if let Some(spec) = &reading.spec {
            access.check(&asks("copy.preview", spec))?;
        }
        match &reading.spec {
            Some(spec) if reading.broken.is_empty() => {
                let (engine, ground, pricing) = (&self.engine, self.ground(), &self.pricing);
                let asked = preview::Asked { engine, ground, pricing, keep_for };
                let live = preview::live(asked, spec, reading.warnings.clone()).await;
                live.map_err(|error| Problem::from_engine(error, self.clock.now()))
            }
            Some(spec) => Ok(preview::doubtful(self.ground(), spec, &reading).await),
            None => Ok(preview::malformed(&reading.broken)),
        }
    }

    async fn start(&self, access: &Access, request: pb::CopyImageRequest) -> Result<pb::CopyImageResponse, Problem> {
        let labels: BTreeMap<String, String> = request.labels.into_iter().collect();
        let Reading { spec, mut broken, .. } = CopySpec::read(request.spec, self.ground());
        let mut findings = check_labels(&labels);
        let request_id = request_id(&request.request_id, &mut findings);
        broken.extend(findings.into_iter().map(Finding::violation));
        let Some(mut spec) = spec.filter(|_| broken.is_empty()) else { return Err(Problem::request(&broken)) };
        spec.max_cost = access.check(&asks("copy.start", &spec))?.limit(spec.max_cost.take())?;
        self.hold_limit(&spec, request_id).await?;
        let start = StartRequest {
            kind: saga::KIND,
            lane: spec.lane(),
            caller: access.caller().to_owned(),
            labels,
            request_id,
            request: Json::of(&spec).map_err(|error| Problem::new(Reason::InternalFault, error.to_string()))?,
            units: spec.units(spec.destinations.len()),
            on_spent: if spec.queue_when_quota_spent { OnSpent::Queue } else { OnSpent::Refuse },
        };
        let (Admitted::New(operation) | Admitted::Existing(operation)) =
            self.engine.start(start).await.map_err(|error| Problem::from_engine(error, self.clock.now()))?;
        Ok(pb::CopyImageResponse { operation: Some(convert::operation(&operation)) })
    }

    /// Refuses a start that may cost more than its limit. A start that is known already is none: its repetition is
    /// answered, whatever the price is now.
    async fn hold_limit(&self, spec: &CopySpec, request_id: Option<RequestId>) -> Result<(), Problem> {
        let Some(account) = self.accounts.get(&spec.account).filter(|_| spec.max_cost.is_some()) else { return Ok(()) };
        let held = price::hold_limit(&self.pricing, account, &self.limits, spec).await;
        match (held, request_id) {
            (Err(refusal), Some(request_id)) if !self.is_known(spec, request_id).await? => Err(refusal),
            (Err(refusal), None) => Err(refusal),
            (Ok(()), _) | (Err(_), Some(_)) => Ok(()),
        }
    }

    async fn is_known(&self, spec: &CopySpec, request_id: RequestId) -> Result<bool, Problem> {
        let known = self.engine.knows(saga::KIND, &spec.lane(), request_id).await;
        known.map_err(|error| Problem::from_engine(error, self.clock.now()))
    }
}

/// What a caller has to be permitted for this copy.
fn asks<'a>(action: &'a str, spec: &'a CopySpec) -> Ask<'a> {
    let ask = Ask::new(action).account(spec.account.as_str()).region(spec.region.as_str());
    let ask = spec.destinations.iter().fold(ask, |ask, destination| ask.region(destination.region.as_str()));
    ask.share_targets(spec.share_with.iter().map(String::as_str))
}

#[async_trait]
impl CopyService for Service {
    async fn preview_copy(
        &self,
        request: Request<pb::PreviewCopyRequest>,
    ) -> Result<Response<pb::PreviewCopyResponse>, Status> {
        let access = Access::of(request.extensions());
        Ok(Response::new(self.preview(&access, request.into_inner()).await?))
    }

    async fn copy_image(
        &self,
        request: Request<pb::CopyImageRequest>,
    ) -> Result<Response<pb::CopyImageResponse>, Status> {
        let access = Access::of(request.extensions());
        Ok(Response::new(self.start(&access, request.into_inner()).await?))
    }
}
