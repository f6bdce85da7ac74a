//! Serves QuotaService over the store: what is left of the daily quotas.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use sampan_core::quota_day::QuotaRule;
use sampan_core::{AccountName, Lane, Reason, SharedClock};
use sampan_proto::quota::v1 as pb;
use sampan_proto::quota::v1::quota_service_server::{QuotaService, QuotaServiceServer};
use sampan_state::{ListQuery, SharedStore};
use tonic::{Request, Response, Status};

use crate::auth::{Access, Ask};
use crate::convert;
use crate::convert::request::Fields;
use crate::server::MAX_MESSAGE_BYTES;
use crate::status::Problem;

const READ: &str = "quota.read";
const DEFAULT_PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 200;
const OPERATIONS_PER_READ: u32 = 1_000;
const MOST_READS: usize = 10;

/// Knows the quota rule of every lane.
pub trait LaneRules: Send + Sync + fmt::Debug {
    /// Returns the rule of a lane.
    ///
    /// # Errors
    /// A problem that names the field at fault when the account is not configured, or belongs to the other cloud.
    fn rule(&self, lane: &Lane) -> Result<QuotaRule, Problem>;
}

/// The service.
#[derive(Debug, Clone)]
pub struct QuotaApi {
    store: SharedStore,
    clock: SharedClock,
    rules: Arc<dyn LaneRules>,
}

impl QuotaApi {
    /// Serves the quotas of `store` under `rules`.
    pub fn new(store: SharedStore, clock: SharedClock, rules: Arc<dyn LaneRules>) -> Self {
        Self { store, clock, rules }
    }

    /// Returns the generated server, to be added to [`Services`](crate::server::Services).
    pub fn into_server(self) -> QuotaServiceServer<Self> {
        QuotaServiceServer::new(self).max_decoding_message_size(MAX_MESSAGE_BYTES)
    }

    async fn quota(&self, lane: &Lane) -> Result<pb::Quota, Problem> {
        let rule = self.rules.rule(lane)?;
        let picture = self.store.quota(lane, &rule).await.map_err(|error| self.problem(error))?;
        Ok(convert::quota(&picture, &rule))
    }

    /// Returns the lanes of the newest 10 000 operations that match, in their order.
    async fn lanes(&self, mut query: ListQuery) -> Result<BTreeMap<String, Lane>, Problem> {
        let mut lanes = BTreeMap::new();
        for _ in 0..MOST_READS {
            let page = self.store.list(&query).await.map_err(|error| self.problem(error))?;
            query.before = page.operations.last().map(|record| record.id);
            lanes.extend(page.operations.into_iter().map(|record| (place(&record.lane), record.lane)));
            if !page.more {
                break;
            }
        }
        Ok(lanes)
    }

    fn problem(&self, error: sampan_state::Error) -> Problem {
        Problem::from_store(error, self.clock.now())
    }
}

#[async_trait]
impl QuotaService for QuotaApi {
    async fn get_quota(&self, request: Request<pb::GetQuotaRequest>) -> Result<Response<pb::GetQuotaResponse>, Status> {
        let lane = lane(request.get_ref())?;
        let (account, region) = (lane.account.to_string(), lane.region.to_string());
        Access::of(request.extensions()).check(&Ask::new(READ).account(&account).region(&region))?;
        Ok(Response::new(pb::GetQuotaResponse { quota: Some(self.quota(&lane).await?) }))
    }

    async fn list_quotas(
        &self,
        request: Request<pb::ListQuotasRequest>,
    ) -> Result<Response<pb::ListQuotasResponse>, Status> {
        let access = Access::of(request.extensions());
        let request = request.into_inner();
        let mut fields = Fields::new();
        let account: Option<AccountName> = fields.optional("account", &request.account);
        let cloud = fields.optional_cloud("cloud", request.cloud);
        let size = fields.page_size("page_size", request.page_size, DEFAULT_PAGE, LARGEST_PAGE);
        fields.finish()?;
        let query = ListQuery {
            cloud,
            account: account.map(String::from),
            page_size: OPERATIONS_PER_READ,
            ..ListQuery::default()
        };
        // The token is the place of the page's last lane.
        let may_see = |lane: &Lane| {
            let (account, region) = (lane.account.to_string(), lane.region.to_string());
            access.check(&Ask::new(READ).account(&account).region(&region)).is_ok()
        };
        let lanes = self.lanes(query).await?.into_iter();
        let lanes = lanes.filter(|(text, lane)| *text > request.page_token && may_see(lane));
        let mut page: Vec<_> = lanes.take(size as usize + 1).collect();
        let more = page.len() > size as usize;
        page.truncate(size as usize);
        let last = page.last().map(|(text, _)| text.clone()).filter(|_| more);
        let mut quotas = Vec::with_capacity(page.len());
        for (text, lane) in &page {
            match self.quota(lane).await {
                Ok(quota) => quotas.push(quota),
                // An account that is not configured any more has operations but no rule.
                Err(problem) if problem.reason() == Reason::AccountUnknown => {
                    tracing::debug!(lane = text, "lane without a rule left out");
                }
                Err(problem) => return Err(problem.into()),
            }
        }
        Ok(Response::new(pb::ListQuotasResponse { quotas, next_page_token: last.unwrap_or_default() }))
    }
}

/// Returns a text that sorts by cloud, account and region: a space comes before everything that names are made of.
fn place(lane: &Lane) -> String {
    format!("{} {} {}", lane.cloud, lane.account, lane.region)
}

fn lane(request: &pb::GetQuotaRequest) -> Result<Lane, Problem> {
    let mut fields = Fields::new();
    let cloud = fields.required_cloud("cloud", request.cloud);
    let account = fields.required("account", &request.account);
    let region = fields.required("region", &request.region);
    fields.finish()?;
    match (cloud, account, region) {
        (Some(cloud), Some(account), Some(region)) => Ok(Lane { cloud, account, region }),
        _ => Err(Problem::new(Reason::InternalFault, "a field was neither read nor refused")),
    }
}
