//! The edge: all services of a process behind all layers, over a store in memory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use sampan_billing_service::{Billing, PriceBook};
use sampan_chassis::cost::Pricing;
use sampan_chassis::layers::{self, Deadlines, EdgeLimits};
use sampan_chassis::operation_service::{OperationApi, Retry};
use sampan_chassis::peer::{self, Peers};
use sampan_chassis::quota_service::{LaneRules as EdgeRules, QuotaApi};
use sampan_chassis::status::Problem;
use sampan_cloud::Accounts;
use sampan_core::quota_day::QuotaRule;
use sampan_core::{Lane, OperationId, Reason};
use sampan_ops::{Engine, LaneRules};
use sampan_proto::copy::v1::copy_service_server::CopyServiceServer;
use sampan_proto::export::v1::export_service_server::ExportServiceServer;
use sampan_proto::share::v1::share_service_server::ShareServiceServer;
use sampan_share_service::saga::Desk;
use sampan_state::operation::Operation;
use sampan_state::{Embedded, SharedStore};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::service::RoutesBuilder;
use tower::util::BoxCloneSyncService;
use tower::{ServiceBuilder, ServiceExt as _};

use crate::scene;

/// Longest time of a call.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same of calls that wait for an operation: nothing works on any here.
const WAIT: Duration = Duration::from_millis(20);
/// Calls after which the world begins anew: starts stay in its store.
const CALLS: usize = 200;

/// Every service, and the store that they share.
pub(crate) struct World {
    runtime: Runtime,
    pub(crate) operations: OperationApi,
    pub(crate) quotas: QuotaApi,
    routes: BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>,
    calls: usize,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

#[derive(Debug)]
struct Again(Engine);

#[async_trait::async_trait]
impl Retry for Again {
    async fn retry(&self, id: OperationId, _: &str) -> Result<Operation, Problem> {
        let clock = scene::clock();
        self.0.retry(id).await.map_err(|error| match error {
            sampan_ops::Error::Store(error) => Problem::from_store(error, clock.now()),
            error => Problem::new(Reason::OperationNotRetryable, error.to_string()),
        })
    }
}

#[derive(Debug)]
struct Rules(Accounts, LaneRules);

impl EdgeRules for Rules {
    fn rule(&self, lane: &Lane) -> Result<QuotaRule, Problem> {
        match self.0.get(&lane.account) {
            Some(account) if account.cloud == lane.cloud => Ok(self.1.rule(lane)),
            _ => Err(Problem::field(Reason::AccountUnknown, "account", "no such account")),
        }
    }
}

impl World {
    /// Works with the world of this thread.
    pub(crate) fn with<T>(work: impl FnOnce(&Self) -> T) -> T {
        WORLD.with_borrow_mut(|world| {
            if world.as_ref().is_some_and(|world| world.calls >= CALLS) {
                *world = None;
            }
            let world = world.get_or_insert_with(Self::new);
            world.calls += 1;
            work(world)
        })
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    fn new() -> Self {
        let runtime = scene::runtime();
        let _inside = runtime.enter();
        let (accounts, limits, clock) = (scene::accounts(), scene::limits(), scene::clock());
        let embedded = scene::must(Embedded::in_memory(Arc::clone(&clock)));
        let store: SharedStore = embedded;
        let peers = scene::must(Peers::new(peer::Options::default(), BTreeMap::new()));
        let pricing = Pricing::new(peers.to("billing"), []);
        let rules = LaneRules::new(Arc::clone(&limits));
        let desk = Desk { store: Arc::clone(&store), clock: Arc::clone(&clock), rules: rules.clone() };
        let engine = Engine::new(
            Arc::clone(&store),
            Arc::clone(&clock),
            rules.clone(),
            vec![
                Arc::new(sampan_export_service::ExportSaga::new(
                    accounts.clone(),
                    Arc::clone(&limits),
                    pricing.clone(),
                )),
                Arc::new(sampan_copy_service::CopySaga::new(
                    accounts.clone(),
                    Arc::clone(&limits),
                    pricing.clone(),
                    peers.to("share"),
                )),
                Arc::new(sampan_share_service::ShareSaga::new(accounts.clone(), Arc::clone(&limits), desk)),
            ],
        );
        let operations = OperationApi::new(Arc::clone(&store), Arc::clone(&clock), Arc::new(Again(engine.clone())));
        let quotas = QuotaApi::new(store, Arc::clone(&clock), Arc::new(Rules(accounts.clone(), rules)));
        let book = Arc::new(scene::must(PriceBook::built_in()));
        let billing = sampan_billing_service::Service::new(Billing::new(book, Arc::clone(&clock)));
        let export = (engine.clone(), accounts.clone(), Arc::clone(&limits), pricing.clone(), Arc::clone(&clock));
        let export = sampan_export_service::Service::new(export.0, export.1, export.2, export.3, export.4);
        let copy = sampan_copy_service::Service::new(
            engine.clone(),
            accounts.clone(),
            Arc::clone(&limits),
            pricing,
            Arc::clone(&clock),
        );
        let share = sampan_share_service::Service::new(engine, accounts, limits, clock);
        let mut routes = RoutesBuilder::default();
        routes
            .add_service(operations.clone().into_server())
            .add_service(quotas.clone().into_server())
            .add_service(billing.into_server())
            .add_service(ExportServiceServer::new(export))
            .add_service(CopyServiceServer::new(copy))
            .add_service(ShareServiceServer::new(share));
        let deadlines = Deadlines { default: PATIENCE, maximum: PATIENCE, waiting: WAIT };
        let limits = EdgeLimits { deadlines, ..EdgeLimits::default() };
        let layers = layers::stack(&limits, Arc::default(), CancellationToken::new());
        let routes = BoxCloneSyncService::new(ServiceBuilder::new().layer(layers).service(routes.routes()));
        let world = Self { runtime, operations, quotas, routes, calls: 0 };
        for _ in 0..3 {
            assert_eq!(world.block_on(world.call(scene::must(request(START).ok_or("no request")))), "0");
        }
        world
    }

    /// Returns the status of the call's end. There is one, whatever the call was.
    async fn call(&self, request: Request<Body>) -> String {
        let answer = self.routes.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        let (parts, body) = answer.into_parts();
        let ended = scene::must(tokio::time::timeout(2 * PATIENCE, body.collect()).await);
        let trailers = ended.ok().and_then(|body| body.trailers().cloned()).unwrap_or_default();
        let status = trailers.get("grpc-status").or_else(|| parts.headers.get("grpc-status"));
        let status = status.and_then(|status| status.to_str().ok()).map(str::to_owned);
        status.unwrap_or_else(|| panic!("a call without a status: {parts:?}"))
    }
}

/// A start that every world has behind it.
const START: &[u8] = include_bytes!("../corpus/rpc/export-image");

/// Reads a path, lines of headers, an empty line and a message, which is framed unless the path ends with ` raw`.
fn request(data: &[u8]) -> Option<Request<Body>> {
    let (head, body) = scene::head_and_rest(data);
    let mut lines = head.split(|byte| *byte == b'\n');
    let path = lines.next()?;
    let (path, is_raw) = path.strip_suffix(b" raw").map_or((path, false), |path| (path, true));
    let uri = Uri::try_from(path).ok().filter(|uri| uri.path().starts_with('/'))?;
    let mut framed = BytesMut::new();
    if !is_raw {
        framed.put_u8(0);
        framed.put_u32(u32::try_from(body.len()).ok()?);
    }
    framed.put_slice(body);
    let mut request = Request::post(uri).body(Body::new(Full::<Bytes>::new(framed.freeze()))).ok()?;
    request.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    request.headers_mut().extend(lines.filter_map(scene::header));
    Some(request)
}

pub(crate) fn rpc(data: &[u8]) -> bool {
    let Some(request) = request(data) else { return false };
    World::with(|world| world.block_on(world.call(request)) == "0")
}
