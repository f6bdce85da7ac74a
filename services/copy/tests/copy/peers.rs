//! An estimator and a share service in this process.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use futures::Stream;
use sampan_chassis::cost::Pricing;
use sampan_chassis::layers::EdgeLimits;
use sampan_chassis::peer::{LocalPeers, Options};
use sampan_chassis::{PeerTransport, Peers, Problem, Services};
use sampan_core::Reason;
use sampan_proto::billing::v1 as billing;
use sampan_proto::billing::v1::billing_estimator_service_server::{
    BillingEstimatorService, BillingEstimatorServiceServer,
};
use sampan_proto::operation::v1 as operation;
use sampan_proto::operation::v1::OperationState;
use sampan_proto::operation::v1::operation_service_server::{OperationService, OperationServiceServer};
use sampan_proto::share::v1 as share;
use sampan_proto::share::v1::share_service_server::{ShareService, ShareServiceServer};
use tonic::{Request, Response, Status};

#[derive(Debug, Default)]
pub struct Script {
    pub billing_is_down: bool,
    pub share_is_down: bool,
    /// A share ends so after this many looks.
    pub looks: u32,
    pub fails: bool,
    pub waits_for_quota: bool,
    pub refuses: bool,
    /// Starts by request id: a repetition starts nothing.
    pub shares: BTreeMap<String, share::ShareImageRequest>,
    pub starts: u32,
    pub looked: BTreeMap<String, u32>,
}

#[derive(Debug, Clone)]
pub struct Neighbours {
    script: Arc<Mutex<Script>>,
    peers: Peers,
    _open: Arc<LocalPeers>,
}

impl Neighbours {
    pub fn new() -> Self {
        let script = Arc::<Mutex<Script>>::default();
        let peers = Peers::new(Options::default(), BTreeMap::new()).unwrap();
        let fake = Fake(Arc::clone(&script));
        let services = Services::new()
            .add(BillingEstimatorServiceServer::new(fake.clone()))
            .add(ShareServiceServer::new(fake.clone()))
            .add(OperationServiceServer::new(fake));
        let open = peers.serve_locally(vec!["billing", "share"], &services, &EdgeLimits::default());
        Self { script, peers, _open: Arc::new(open) }
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    pub fn pricing(&self) -> Pricing {
        Pricing::new(self.peers.to("billing"), [("prod".parse().unwrap(), billing::Site::Intl)])
    }

    pub fn share(&self) -> PeerTransport {
        self.peers.to("share")
    }
}

#[derive(Debug, Clone)]
struct Fake(Arc<Mutex<Script>>);

impl Fake {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap()
    }

    fn operation(&self, name: String) -> operation::Operation {
        let mut script = self.script();
        let looked = script.looked.entry(name.clone()).or_default();
        *looked += 1;
        let is_over = *looked > script.looks;
        let state = match (script.waits_for_quota, is_over, script.fails) {
            (true, _, _) => OperationState::WaitingForQuota,
            (false, false, _) => OperationState::Running,
            (false, true, true) => OperationState::Failed,
            (false, true, false) => OperationState::Succeeded,
        };
        let error = (state == OperationState::Failed)
            .then(|| operation::ErrorStatus { message: "the account refuses".to_owned(), ..Default::default() });
        operation::Operation { name, state: state as i32, done: is_over, error, ..Default::default() }
    }
}

fn down() -> Status {
    Problem::new(Reason::PeerUnavailable, "it is down").into()
}

#[async_trait]
impl BillingEstimatorService for Fake {
    async fn estimate_export(
        &self,
        _: Request<billing::EstimateExportRequest>,
    ) -> Result<Response<billing::EstimateExportResponse>, Status> {
        unreachable!("a copy exports nothing")
    }

    /// One dollar for each GiB, region and month.
    async fn estimate_copy(
        &self,
        request: Request<billing::EstimateCopyRequest>,
    ) -> Result<Response<billing::EstimateCopyResponse>, Status> {
        if self.script().billing_is_down {
            return Err(down());
        }
        let request = request.into_inner();
        let gib: i64 = request.disks.iter().map(|disk| disk.capacity_bytes >> 30).sum();
        let hours = request.keep_for.map_or(720, |keep| keep.seconds / 3600);
        let cost = |months: f64| format!("{:.6}", gib as f64 * months * hours as f64 / 720.0);
        let money = |months: f64| billing::Money {
            low: cost(months),
            expected: cost(months),
            high: cost(months),
            currency: "USD".to_owned(),
        };
        let line = |region: &String| billing::Line {
            region: region.clone(),
            kind: billing::LineKind::Recurring as i32,
            status: billing::LineStatus::Priced as i32,
            billed_hours: hours,
            amount: Some(money(1.0)),
            ..Default::default()
        };
        let estimate = billing::Estimate {
            currency: "USD".to_owned(),
            total: Some(money(request.destination_regions.len() as f64)),
            lines: request.destination_regions.iter().map(line).collect(),
            ..Default::default()
        };
        Ok(Response::new(billing::EstimateCopyResponse { estimate: Some(estimate), stale_prices: Vec::new() }))
    }

    async fn estimate_download(
        &self,
        _: Request<billing::EstimateDownloadRequest>,
    ) -> Result<Response<billing::EstimateDownloadResponse>, Status> {
        unreachable!("a copy downloads nothing")
    }

    async fn list_prices(
        &self,
        _: Request<billing::ListPricesRequest>,
    ) -> Result<Response<billing::ListPricesResponse>, Status> {
        unreachable!("a copy lists no prices")
    }
}

#[async_trait]
impl ShareService for Fake {
    async fn preview_share(
        &self,
        _: Request<share::PreviewShareRequest>,
    ) -> Result<Response<share::PreviewShareResponse>, Status> {
        unreachable!("a copy previews no share")
    }

    async fn share_image(
        &self,
        request: Request<share::ShareImageRequest>,
    ) -> Result<Response<share::ShareImageResponse>, Status> {
        let request = request.into_inner();
        {
            let mut script = self.script();
            if script.share_is_down {
                return Err(down());
            }
            if script.refuses {
                return Err(Problem::new(Reason::CloudPermissionDenied, "sharing is forbidden").into());
            }
            script.starts += 1;
            script.shares.insert(request.request_id.clone(), request.clone());
        }
        let name = format!("operations/{}", request.request_id);
        Ok(Response::new(share::ShareImageResponse { operation: Some(self.operation(name)) }))
    }

    async fn unshare_image(
        &self,
        _: Request<share::UnshareImageRequest>,
    ) -> Result<Response<share::UnshareImageResponse>, Status> {
        unreachable!("a copy takes nothing back")
    }

    async fn set_image_shares(
        &self,
        _: Request<share::SetImageSharesRequest>,
    ) -> Result<Response<share::SetImageSharesResponse>, Status> {
        unreachable!("a copy only adds")
    }

    async fn list_image_shares(
        &self,
        _: Request<share::ListImageSharesRequest>,
    ) -> Result<Response<share::ListImageSharesResponse>, Status> {
        unreachable!("a copy only adds")
    }
}

#[async_trait]
impl OperationService for Fake {
    type WatchOperationStream = Pin<Box<dyn Stream<Item = Result<operation::WatchOperationResponse, Status>> + Send>>;

    async fn get_operation(
        &self,
        request: Request<operation::GetOperationRequest>,
    ) -> Result<Response<operation::GetOperationResponse>, Status> {
        if self.script().share_is_down {
            return Err(down());
        }
        let operation = self.operation(request.into_inner().name);
        Ok(Response::new(operation::GetOperationResponse { operation: Some(operation) }))
    }

    async fn list_operations(
        &self,
        _: Request<operation::ListOperationsRequest>,
    ) -> Result<Response<operation::ListOperationsResponse>, Status> {
        unreachable!("a copy looks at its share alone")
    }

    async fn wait_operation(
        &self,
        _: Request<operation::WaitOperationRequest>,
    ) -> Result<Response<operation::WaitOperationResponse>, Status> {
        unreachable!("a copy never waits")
    }

    async fn watch_operation(
        &self,
        _: Request<operation::WatchOperationRequest>,
    ) -> Result<Response<Self::WatchOperationStream>, Status> {
        unreachable!("a copy never waits")
    }

    async fn cancel_operation(
        &self,
        _: Request<operation::CancelOperationRequest>,
    ) -> Result<Response<operation::CancelOperationResponse>, Status> {
        unreachable!("a copy cancels no share")
    }

    async fn retry_operation(
        &self,
        _: Request<operation::RetryOperationRequest>,
    ) -> Result<Response<operation::RetryOperationResponse>, Status> {
        unreachable!("a copy retries no share")
    }
}
