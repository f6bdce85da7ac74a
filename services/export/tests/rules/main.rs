//! Every rule of an export: at its limit, beyond it, in both editions, as a warning and switched off.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub, reason = "tests")]

mod bucket;
mod image;
mod request;
mod spec;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use sampan_cloud::image::{CancelAnswer, ExportCall, ExportSearch, ExportStarted, ExportTask, ExportTraits, Image};
use sampan_cloud::unasked::Unasked;
use sampan_cloud::{Account, Accounts, CallError, ImageCloud};
use sampan_core::limits::{Enforcement, LimitChoices, LimitOverride, LimitSet, Limits};
use sampan_core::{Cloud, ImageFormat, ImageId, Region, Severity, Violation};
use sampan_export_service::rules::Finding;
use sampan_export_service::spec::ExportSpec;

/// Answers for what its cloud can do, and is never called.
#[derive(Debug)]
struct Silent(Cloud);

#[async_trait]
impl ImageCloud for Silent {
    fn cloud(&self) -> Cloud {
        self.0
    }

    fn export_traits(&self) -> ExportTraits {
        let lists_tasks = self.0 == Cloud::Alibaba;
        ExportTraits {
            action: "Export",
            reports_tasks: lists_tasks,
            cancels: lists_tasks,
            root_disk_only: !lists_tasks,
            default_role: "Writer",
        }
    }

    async fn describe_image(&self, _: &Region, _: &ImageId) -> Result<Option<Image>, CallError> {
        unreachable!()
    }

    async fn image_quota(&self, _: &Region) -> Result<Option<u64>, CallError> {
        unreachable!()
    }

    async fn check_export(&self, _: &ExportCall) -> Result<(), CallError> {
        unreachable!()
    }

    async fn start_export(&self, _: &ExportCall) -> Result<ExportStarted, CallError> {
        unreachable!()
    }

    async fn find_export(&self, _: &ExportCall, _: Timestamp) -> Result<ExportSearch, CallError> {
        unreachable!()
    }

    async fn export_tasks(&self, _: &Region, _: &[String]) -> Result<Vec<Option<ExportTask>>, CallError> {
        unreachable!()
    }

    async fn cancel_export(&self, _: &Region, _: &str) -> Result<CancelAnswer, CallError> {
        unreachable!()
    }
}

/// One account per cloud, called after it.
pub fn accounts() -> Accounts {
    let account = |cloud: Cloud| Account {
        name: cloud.as_str().parse().unwrap(),
        cloud,
        number: None,
        images: Arc::new(Silent(cloud)),
        copies: Arc::new(Unasked(cloud)),
        shares: Arc::new(Unasked(cloud)),
        buckets: Arc::new(Unasked(cloud)),
    };
    Cloud::ALL.into_iter().map(account).collect()
}

pub fn documented() -> Limits {
    Limits::load(&LimitChoices::default()).unwrap()
}

pub fn current() -> Limits {
    Limits::load(&LimitChoices { set: LimitSet::Current, ..LimitChoices::default() }).unwrap()
}

/// The documented limits with one changed.
pub fn changed(cloud: Cloud, id: &str, change: LimitOverride) -> Limits {
    let changes = [(id.to_owned(), change)].into_iter().collect();
    let choices = match cloud {
        Cloud::Tencent => LimitChoices { tencent: changes, ..LimitChoices::default() },
        Cloud::Alibaba => LimitChoices { alibaba: changes, ..LimitChoices::default() },
    };
    Limits::load(&choices).unwrap()
}

pub fn only(enforcement: Enforcement) -> LimitOverride {
    LimitOverride { enforcement: Some(enforcement), ..LimitOverride::default() }
}

pub fn spec(cloud: Cloud) -> ExportSpec {
    let (region, image, bucket) = match cloud {
        Cloud::Tencent => ("ap-guangzhou", "img-72n9mi0y", "images-1250000000"),
        Cloud::Alibaba => ("cn-hangzhou", "m-bp67acfmxazb4p0001", "images"),
    };
    ExportSpec {
        cloud,
        account: cloud.as_str().parse().unwrap(),
        region: region.parse().unwrap(),
        image: image.parse().unwrap(),
        bucket: bucket.to_owned(),
        prefix: None,
        format: ImageFormat::Raw,
        only_root_disk: false,
        role_name: None,
        queue_when_quota_spent: false,
        deadline_seconds: None,
        stall_after_seconds: None,
        max_cost: None,
        expected_use: Default::default(),
        lacks_region: false,
    }
}

pub fn told(findings: Vec<Finding>) -> Vec<Violation> {
    findings.into_iter().map(Finding::violation).collect()
}

pub fn rules(found: &[Violation]) -> Vec<&str> {
    found.iter().map(|found| found.rule.as_str()).collect()
}

/// Checks one limit at its value, above, as a warning, and off: `check(limits, value)` judges a subject of `value`.
pub fn bounds(cloud: Cloud, id: &str, rule: &str, value: u64, check: impl Fn(&Limits, u64) -> Vec<Violation>) {
    let documented = documented();
    assert_eq!(documented.number(cloud, id).unwrap().value, Some(value), "{id}");
    assert!(check(&documented, value).is_empty(), "{id} at its value");
    let above = check(&documented, value + 1);
    assert_eq!((rules(&above), above[0].severity), (vec![rule], Severity::Enforced), "{id} above");
    assert!(above[0].limit.starts_with(&value.to_string()), "{above:?}");
    assert!(above[0].observed.starts_with(&(value + 1).to_string()), "{above:?}");
    assert_eq!(above[0].override_key, format!("limits.{cloud}.\"{id}\""));
    assert!(!above[0].source.is_empty());
    assert!(above[0].fix.contains(&value.to_string()), "the fix names the limit: {}", above[0].fix);
    let warned = check(&changed(cloud, id, only(Enforcement::Warn)), value + 1);
    assert_eq!((rules(&warned), warned[0].severity), (vec![rule], Severity::Warning), "{id} as a warning");
    assert!(check(&changed(cloud, id, only(Enforcement::Off)), value + 1).is_empty(), "{id} off");
    let more = LimitOverride { value: Some(value + 1), ..LimitOverride::default() };
    assert!(check(&changed(cloud, id, more.clone()), value + 1).is_empty(), "{id} raised");
    let beyond = check(&changed(cloud, id, more), value + 2);
    assert_eq!(beyond[0].source, "configuration of this server");
}
