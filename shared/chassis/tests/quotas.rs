//! What QuotaService promises, over a store that the tests drive.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod fake_store;

use std::sync::Arc;

use fake_store::{FakeStore, id, lane, noon, running};
use sampan_chassis::{LaneRules, Problem, QuotaApi};
use sampan_core::clock::ManualClock;
use sampan_core::quota_day::QuotaRule;
use sampan_core::{Lane, Reason};
use sampan_proto::image::v1::Cloud;
use sampan_proto::quota::v1 as pb;
use sampan_proto::quota::v1::quota_service_server::QuotaService as _;
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

/// Five units everywhere, but for the account `gone`, which is not configured.
#[derive(Debug)]
struct Five;

impl LaneRules for Five {
    fn rule(&self, lane: &Lane) -> Result<QuotaRule, Problem> {
        if lane.account.as_str() == "gone" {
            return Err(Problem::field(Reason::AccountUnknown, "account", "no such account"));
        }
        Ok(QuotaRule::per_china_day(5))
    }
}

fn api(accounts: &[&str]) -> QuotaApi {
    let records = accounts.iter().enumerate().map(|(second, account)| {
        let mut record = running(id(i64::try_from(second).unwrap()));
        record.lane = lane(account);
        record
    });
    QuotaApi::new(Arc::new(FakeStore::holding(records)), Arc::new(ManualClock::new(noon())), Arc::new(Five))
}

#[tokio::test]
async fn a_lane_tells_its_day_what_is_left_and_who_waits() {
    let request = pb::GetQuotaRequest {
        cloud: Cloud::Tencent.into(),
        account: "prod".to_owned(),
        region: "ap-guangzhou".to_owned(),
    };
    let quota = api(&[]).get_quota(Request::new(request)).await.unwrap().into_inner().quota.unwrap();
    assert_eq!((quota.daily_limit, quota.remaining), (Some(5), Some(0)));
    assert_eq!((quota.used, quota.reserved, quota.spent_elsewhere), (3, 1, 1));
    assert_eq!((quota.day.as_str(), quota.time_zone.as_str()), ("2026-11-21", "UTC+08:00"));
    assert_eq!(quota.reset_time.unwrap().seconds, noon().as_second() + 12 * 3_600);
    assert_eq!((quota.waiting_count, quota.waiting[0].position), (1, 1));
}

#[tokio::test]
async fn every_missing_field_of_a_lane_is_told() {
    let status = api(&[]).get_quota(Request::new(pb::GetQuotaRequest::default())).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let fields = status.get_details_bad_request().unwrap().field_violations;
    let told: Vec<_> = fields.iter().map(|field| (field.field.as_str(), field.reason.as_str())).collect();
    assert_eq!(told, [("cloud", "FIELD_REQUIRED"), ("account", "FIELD_REQUIRED"), ("region", "FIELD_REQUIRED")]);
}

#[tokio::test]
async fn lists_name_each_lane_in_use_once_in_order_and_page_through_all() {
    let api = api(&["b", "a", "gone", "c", "a"]);
    let mut accounts = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListQuotasRequest { page_size: 2, page_token, ..Default::default() };
        let page = api.list_quotas(Request::new(request)).await.unwrap().into_inner();
        accounts.extend(page.quotas.into_iter().map(|quota| quota.account));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(accounts, ["a", "b", "c"], "and the lane without a rule is left out");
}
