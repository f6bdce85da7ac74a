//! Credentials, clocks, quotas and buckets of every account.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use sampan_cloud::bucket::BucketRef;
use sampan_cloud::stack::Transport;
use sampan_cloud::{Account, CallClass, CallError};
use sampan_core::limits::Limits;
use sampan_core::{Cloud, ImageId, Lane, Region, clock};
use sampan_ops::LaneRules;
use sampan_state::SharedStore;

use super::ground::clocks;
use super::{Examined, Finding, Wrong};
use crate::cli::BucketArg;
use crate::wiring::open_accounts;

pub(super) async fn check(examined: &Examined<'_>, store: Option<&SharedStore>) -> Vec<Finding> {
    let transport = Transport::new();
    let accounts = match open_accounts(examined.config, &clock::system(), &transport, None) {
        Ok(accounts) => accounts,
        Err(failure) => {
            let wrong = Wrong::of(&failure, "correct the section [accounts]");
            return vec![Finding::new("account", "[accounts]", Err(wrong))];
        }
    };
    // What is wrong with the limits is told where they are looked at.
    let rules = Limits::load(&examined.config.limits).ok().map(|limits| {
        LaneRules::new(Arc::new(limits)).with_utc_offset_minutes(examined.config.operations.quota_day_offset_minutes)
    });
    let mut findings = Vec::new();
    for (name, _) in &examined.args.regions {
        if !accounts.iter().any(|account| account.name.to_string() == *name) {
            findings.push(Finding::new("region", name, Err(unknown())));
        }
    }
    for account in accounts.iter() {
        let name = account.name.to_string();
        let region = match region(examined, account) {
            Ok(region) => region,
            Err(wrong) => {
                findings.push(Finding::new("region", name, Err(wrong)));
                continue;
            }
        };
        let theirs = examined.within(time(examined, account, &region, &transport)).await;
        findings.push(Finding::new("clock", &name, theirs.and_then(clocks)));
        findings.push(Finding::new("credentials", &name, examined.within(credentials(account, &region)).await));
        if let (Some(store), Some(rules)) = (store, &rules) {
            let left = examined.within(quota(account, &region, rules, store)).await;
            findings.push(Finding::new("quota", format!("{name} {region}"), left));
        }
    }
    for bucket in &examined.args.buckets {
        let subject = format!("{}/{}/{}", bucket.account, bucket.region, bucket.name);
        let found = match accounts.get(&bucket.account) {
            Some(account) => examined.within(look(account, bucket)).await,
            None => Err(unknown()),
        };
        findings.push(Finding::new("bucket", subject, found));
    }
    findings
}

fn unknown() -> Wrong {
    Wrong::new("no such account is configured", "name one of the section [accounts]")
}

fn region(examined: &Examined<'_>, account: &Account) -> Result<Region, Wrong> {
    let named = examined.args.regions.iter().find(|(name, _)| *name == account.name.to_string());
    let usual = match account.cloud {
        Cloud::Tencent => "ap-guangzhou",
        Cloud::Alibaba => "cn-hangzhou",
    };
    named
        .map_or(usual, |(_, region)| region.as_str())
        .parse()
        .map_err(|error: sampan_core::ids::InvalidId| Wrong::new(error.to_string(), "use --region ACCOUNT=REGION"))
}

/// Asks for an image that nobody has: the cloud answers "none" only to whom it knows and permits to look.
async fn credentials(account: &Account, region: &Region) -> Result<String, Wrong> {
    let absent = match account.cloud {
        Cloud::Tencent => "img-00000000",
        Cloud::Alibaba => "m-00000000000000000000",
    };
    let absent: ImageId =
        absent.parse().map_err(|error: sampan_core::ids::InvalidId| Wrong::new(error.to_string(), "tell us"))?;
    match account.images.describe_image(region, &absent).await {
        Ok(_) => Ok(format!("accepted in {region}, and may read images")),
        Err(error) => Err(refused(account, &error)),
    }
}

fn refused(account: &Account, error: &CallError) -> Wrong {
    let name = &account.name;
    let mend = match error.class {
        CallClass::Credentials => format!("correct the credentials of [accounts.{name}], or give it some"),
        CallClass::Permission => format!("permit the identity of [accounts.{name}] the call {}", error.action),
        CallClass::Transient | CallClass::Throttled | CallClass::Busy => {
            "see that this machine reaches the cloud (network, proxy, endpoints), and try again".to_owned()
        }
        CallClass::Quota | CallClass::Caller | CallClass::NotFound | CallClass::UnknownOutcome => {
            format!("see region and endpoints of [accounts.{name}]")
        }
    };
    Wrong::new(error.to_string(), mend)
}

/// Reads the cloud's clock from the head of an answer; which answer does not matter.
async fn time(
    examined: &Examined<'_>,
    account: &Account,
    region: &Region,
    transport: &Transport,
) -> Result<Timestamp, Wrong> {
    let own = examined.config.accounts.get(&account.name).and_then(|account| account.endpoints.api.clone());
    let usual = match account.cloud {
        Cloud::Tencent => "https://cvm.tencentcloudapi.com",
        Cloud::Alibaba => "https://ecs.{region}.aliyuncs.com",
    };
    let address = own.unwrap_or_else(|| usual.to_owned()).replace("{region}", region.as_str());
    let unreached =
        |what: String| Wrong::new(what, "see that this machine reaches the cloud (network, proxy, endpoints)");
    let request = http::Request::get(&address).body(Bytes::new()).map_err(|error| unreached(error.to_string()))?;
    let answer = transport.send(request).await.map_err(|fault| unreached(format!("{address}: {fault}")))?;
    let date = answer.headers().get(http::header::DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| rfc2822::DateTimeParser::new().parse_timestamp(date).ok());
    date.ok_or_else(|| unreached(format!("{address} does not tell its time")))
}

async fn quota(account: &Account, region: &Region, rules: &LaneRules, store: &SharedStore) -> Result<String, Wrong> {
    let lane = Lane { cloud: account.cloud, account: account.name.clone(), region: region.clone() };
    let picture = store.quota(&lane, &rules.rule(&lane)).await;
    let picture = picture.map_err(|error| Wrong::new(error.to_string(), "mend the store"))?;
    let images = match account.images.image_quota(region).await {
        Ok(Some(images)) => format!("; room for {images} images in all"),
        Ok(None) => String::new(),
        Err(error) => return Err(refused(account, &error)),
    };
    match (picture.limit, picture.remaining()) {
        (Some(limit), Some(0)) => Err(Wrong::new(
            format!("0 of {limit} image operations are left today"),
            format!("wait until {}, or start with --queue", picture.resets_at),
        )),
        (Some(limit), Some(left)) => Ok(format!("{left} of {limit} image operations are left today{images}")),
        _ => Ok(format!("image operations are not limited{images}")),
    }
}

async fn look(account: &Account, bucket: &BucketArg) -> Result<String, Wrong> {
    let asked = BucketRef { name: bucket.name.clone(), region: bucket.region.clone() };
    let found = account.buckets.head_bucket(&asked).await.map_err(|error| refused(account, &error))?;
    let Some(found) = found else {
        return Err(Wrong::new(
            "there is no such bucket",
            "create it, or correct its name; on Tencent it ends with the APPID",
        ));
    };
    match found.region {
        Some(region) if region != bucket.region.as_str() => {
            Err(Wrong::new(format!("it is in {region}"), "export to a bucket in the region of the image"))
        }
        _ => Ok("the account may look at it".to_owned()),
    }
}
