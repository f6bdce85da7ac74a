//! An estimator in this process: one dollar for each GiB, twice as much at worst.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use sampan_chassis::cost::Pricing;
use sampan_chassis::layers::EdgeLimits;
use sampan_chassis::peer::{LocalPeers, Options};
use sampan_chassis::{Peers, Problem, Services};
use sampan_core::Reason;
use sampan_proto::billing::v1 as pb;
use sampan_proto::billing::v1::billing_estimator_service_server::{
    BillingEstimatorService, BillingEstimatorServiceServer,
};
use tonic::{Request, Response, Status};

const GIB: f64 = (1_u64 << 30) as f64;

#[derive(Debug, Default)]
pub struct Script {
    pub is_down: bool,
    pub misses_a_price: bool,
    pub asked: Vec<pb::EstimateExportRequest>,
}

#[derive(Debug, Clone)]
pub struct Estimator {
    script: Arc<Mutex<Script>>,
    peers: Peers,
    _open: Arc<LocalPeers>,
}

impl Estimator {
    pub fn up() -> Self {
        let script = Arc::<Mutex<Script>>::default();
        let peers = Peers::new(Options::default(), BTreeMap::new()).unwrap();
        let services = Services::new().add(BillingEstimatorServiceServer::new(Fake(Arc::clone(&script))));
        let open = peers.serve_locally(vec!["billing"], &services, &EdgeLimits::default());
        Self { script, peers, _open: Arc::new(open) }
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    pub fn pricing(&self) -> Pricing {
        Pricing::new(self.peers.to("billing"), [("prod".parse().unwrap(), pb::Site::Intl)])
    }

    /// An account without a price list.
    pub fn pricing_of_nobody(&self) -> Pricing {
        Pricing::new(self.peers.to("billing"), [])
    }
}

struct Fake(Arc<Mutex<Script>>);

impl Clone for Fake {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

fn unasked<T>() -> Result<Response<T>, Status> {
    Err(Problem::new(Reason::InternalFault, "exports do not ask that").into())
}

#[async_trait]
impl BillingEstimatorService for Fake {
    async fn estimate_export(
        &self,
        request: Request<pb::EstimateExportRequest>,
    ) -> Result<Response<pb::EstimateExportResponse>, Status> {
        let mut script = self.0.lock().unwrap();
        let request = request.into_inner();
        let gib: f64 = request.disks.iter().map(|disk| disk.capacity_bytes as f64 / GIB).sum();
        script.asked.push(request);
        if script.is_down {
            return Err(Problem::new(Reason::PeerUnavailable, "billing cannot be reached").into());
        }
        let total = pb::Money {
            low: "0.000000".to_owned(),
            expected: format!("{gib:.6}"),
            high: format!("{:.6}", gib * 2.0),
            currency: "USD".to_owned(),
        };
        let lower_bound = script.misses_a_price;
        let estimate = pb::Estimate { total: Some(total), lower_bound, ..pb::Estimate::default() };
        Ok(Response::new(pb::EstimateExportResponse { estimate: Some(estimate), stale_prices: Vec::new() }))
    }

    async fn estimate_copy(
        &self,
        _: Request<pb::EstimateCopyRequest>,
    ) -> Result<Response<pb::EstimateCopyResponse>, Status> {
        unasked()
    }

    async fn estimate_download(
        &self,
        _: Request<pb::EstimateDownloadRequest>,
    ) -> Result<Response<pb::EstimateDownloadResponse>, Status> {
        unasked()
    }

    async fn list_prices(&self, _: Request<pb::ListPricesRequest>) -> Result<Response<pb::ListPricesResponse>, Status> {
        unasked()
    }
}
