//! Requests: what a caller sends becomes a spec or a list of everything that is wrong with it.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::Arc;

use prost::Message;
use sampan_billing_service::{Billing, PriceBook, Service};
use sampan_chassis::convert::spec::{check_labels, request_id};
use sampan_cloud::Accounts;
use sampan_copy_service::spec::CopySpec;
use sampan_core::limits::Limits;
use sampan_core::{Violation, finding};
use sampan_export_service::spec::{self as export, ExportSpec};
use sampan_proto::billing::v1 as billing_pb;
use sampan_proto::billing::v1::billing_estimator_service_server::BillingEstimatorService as _;
use sampan_proto::copy::v1 as copy_pb;
use sampan_proto::export::v1 as export_pb;
use sampan_proto::operation::v1 as operation_pb;
use sampan_proto::operation::v1::operation_service_server::OperationService as _;
use sampan_proto::quota::v1 as quota_pb;
use sampan_proto::quota::v1::quota_service_server::QuotaService as _;
use sampan_proto::share::v1 as share_pb;
use sampan_share_service::spec::{self as share, ShareSpec};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tonic::Request;

use crate::edge::World;
use crate::scene;

struct Ground {
    accounts: Accounts,
    limits: Arc<Limits>,
}

thread_local! {
    static GROUND: OnceCell<Ground> = const { OnceCell::new() };
    static BILLING: OnceCell<Billing> = const { OnceCell::new() };
}

fn with_ground<T>(work: impl FnOnce(&Ground) -> T) -> T {
    GROUND.with(|ground| work(ground.get_or_init(|| Ground { accounts: scene::accounts(), limits: scene::limits() })))
}

/// A spec that is accepted is kept as JSON for as long as its operation: it reads back as it was written.
fn is_kept<T: Serialize + DeserializeOwned + PartialEq + Debug>(spec: &T) {
    let text = scene::must(serde_json::to_string(spec));
    let read: T = scene::must(serde_json::from_str(&text));
    assert_eq!(&read, spec, "a record reads another spec than was written");
}

/// What is refused says where and why.
fn explains(broken: &[Violation]) {
    for violation in broken {
        assert!(!violation.field.is_empty() && !violation.message.is_empty(), "{violation:?}");
    }
}

fn common(id: &str, labels: &HashMap<String, String>) {
    let labels: BTreeMap<_, _> = labels.clone().into_iter().collect();
    let mut findings = check_labels(&labels);
    if let Some(id) = request_id(id, &mut findings) {
        assert_eq!(request_id(&id.to_string(), &mut Vec::new()), Some(id), "a request id reads back");
    }
    let (broken, warned) = finding::split(findings);
    explains(&broken);
    explains(&warned);
}

pub(crate) fn export_request(data: &[u8]) -> bool {
    let Ok(request) = export_pb::ExportImageRequest::decode(data) else { return false };
    common(&request.request_id, &request.labels);
    with_ground(|Ground { accounts, limits }| {
        let reading = ExportSpec::read(request.spec, export::Ground { accounts, limits });
        explains(&reading.broken);
        explains(&reading.warnings);
        assert!(reading.spec.is_some() || !reading.broken.is_empty(), "neither a spec nor what is wrong");
        let Some(spec) = reading.spec.filter(|_| reading.broken.is_empty()) else { return false };
        is_kept(&spec);
        let (stem, call) = (spec.key_stem(), spec.call());
        assert!(stem.contains(spec.image.as_str()) && call.bucket == spec.bucket);
        true
    })
}

pub(crate) fn copy_request(data: &[u8]) -> bool {
    let Ok(request) = copy_pb::CopyImageRequest::decode(data) else { return false };
    common(&request.request_id, &request.labels);
    with_ground(|Ground { accounts, limits }| {
        let ground = sampan_copy_service::spec::Ground { accounts, limits };
        let reading = CopySpec::read(request.spec, ground);
        explains(&reading.broken);
        explains(&reading.warnings);
        assert!(reading.spec.is_some() || !reading.broken.is_empty(), "neither a spec nor what is wrong");
        let Some(spec) = reading.spec.filter(|_| reading.broken.is_empty()) else { return false };
        is_kept(&spec);
        assert!(!spec.destinations.is_empty(), "a copy to nowhere was accepted");
        for destination in &spec.destinations {
            assert!(spec.destination(&destination.region).is_some());
            let name = spec.name_in(&destination.region, "kept");
            drop(spec.call(vec![destination.region.clone()], name, None));
        }
        true
    })
}

pub(crate) fn share_request(data: &[u8]) -> bool {
    let Ok(request) = share_pb::SetImageSharesRequest::decode(data) else { return false };
    common(&request.request_id, &request.labels);
    let change = share::change(i32::try_from(data.len() % 5).unwrap_or(0), &mut Vec::new());
    with_ground(|Ground { accounts, limits }| {
        let reading = ShareSpec::read(request.spec, change, share::Ground { accounts, limits });
        explains(&reading.broken);
        explains(&reading.warnings);
        assert!(reading.spec.is_some() || !reading.broken.is_empty(), "neither a spec nor what is wrong");
        let Some(spec) = reading.spec.filter(|_| reading.broken.is_empty()) else { return false };
        is_kept(&spec);
        true
    })
}

/// The first byte chooses the question. Equal questions get equal answers, to the byte.
pub(crate) fn billing_request(data: &[u8]) -> bool {
    let Some((choice, body)) = data.split_first() else { return false };
    BILLING.with(|billing| {
        let billing =
            billing.get_or_init(|| Billing::new(Arc::new(scene::must(PriceBook::built_in())), scene::clock()));
        let estimate = |body| match choice % 4 {
            0 => {
                let request = billing_pb::EstimateExportRequest::decode(body).ok()?;
                billing.estimate_export(&request).ok().map(|answer| (answer.encode_to_vec(), answer.estimate))
            }
            1 => {
                let request = billing_pb::EstimateCopyRequest::decode(body).ok()?;
                billing.estimate_copy(&request).ok().map(|answer| (answer.encode_to_vec(), answer.estimate))
            }
            2 => {
                let request = billing_pb::EstimateDownloadRequest::decode(body).ok()?;
                billing.estimate_download(&request).ok().map(|answer| (answer.encode_to_vec(), answer.estimate))
            }
            _ => {
                let request = Request::new(billing_pb::ListPricesRequest::decode(body).ok()?);
                let answer = scene::without_waiting(Service::new(billing.clone()).list_prices(request)).ok()?;
                Some((answer.into_inner().encode_to_vec(), None))
            }
        };
        let Some((bytes, told)) = estimate(body) else { return false };
        assert_eq!(estimate(body).map(|(bytes, _)| bytes), Some(bytes), "two answers to one question");
        if let Some(total) = told.and_then(|estimate| estimate.total) {
            let amounts = [&total.low, &total.expected, &total.high].map(|text| text.parse::<f64>());
            let [Ok(low), Ok(expected), Ok(high)] = amounts else { panic!("an amount is no number: {total:?}") };
            assert!(0.0 <= low && low <= expected && expected <= high, "{total:?}");
        }
        true
    })
}

/// Lists with the filters of the request. A page's token continues the list with these filters, with nothing twice.
pub(crate) fn operations_request(data: &[u8]) -> bool {
    let Ok(mut request) = operation_pb::ListOperationsRequest::decode(data) else { return false };
    World::with(|world| {
        let list = |request: operation_pb::ListOperationsRequest| {
            world.block_on(world.operations.list_operations(Request::new(request)))
        };
        let Ok(page) = list(request.clone()) else {
            // Without its token, which is of another list, the page may be fine.
            request.page_token.clear();
            drop(list(request));
            return false;
        };
        request.page_size = 1;
        request.page_token = page.into_inner().next_page_token;
        let mut seen = Vec::new();
        loop {
            let page = match list(request.clone()) {
                Ok(page) => page.into_inner(),
                Err(refused) => panic!("a list's own token was refused: {refused:?}"),
            };
            for operation in page.operations {
                assert!(!seen.contains(&operation.name), "{} stands on two pages", operation.name);
                seen.push(operation.name);
            }
            if page.next_page_token.is_empty() {
                return true;
            }
            request.page_token = page.next_page_token;
        }
    })
}

/// The first byte chooses between one lane and a list.
pub(crate) fn quota_request(data: &[u8]) -> bool {
    let Some((choice, body)) = data.split_first() else { return false };
    World::with(|world| {
        if choice % 2 == 0 {
            let Ok(request) = quota_pb::GetQuotaRequest::decode(body) else { return false };
            return world.block_on(world.quotas.get_quota(Request::new(request))).is_ok();
        }
        let Ok(request) = quota_pb::ListQuotasRequest::decode(body) else { return false };
        world.block_on(world.quotas.list_quotas(Request::new(request))).is_ok()
    })
}
