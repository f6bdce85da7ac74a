//! The plan of a copy: every violation at once, the quota, the calls, each destination, the price.

use std::time::Duration;

use sampan_chassis::convert;
use sampan_chassis::cost::Pricing;
use sampan_chassis::status::Problem;
use sampan_cloud::Account;
use sampan_cloud::image::Image;
use sampan_core::{Cloud, Reason, Region, Violation};
use sampan_ops::{Engine, Error};
use sampan_proto::copy::v1 as pb;
use sampan_proto::image::v1 as image_pb;
use sampan_state::QuotaPicture;
use sampan_state::result::ImageAt;

use crate::rules::{self, Finding};
use crate::saga::not_copied;
use crate::spec::{CopySpec, Ground, Reading, Route};
use crate::survey::{self, Survey};
use crate::{price, waiting};

/// Answers a request whose fields are wrong: nothing can be asked of the cloud then.
pub(crate) fn malformed(violations: &[Violation]) -> pb::PreviewCopyResponse {
    pb::PreviewCopyResponse {
        startable: false,
        violations: violations.iter().map(convert::image::violation).collect(),
        ..pb::PreviewCopyResponse::default()
    }
}

/// Answers a request of which some fields are wrong: the cloud is asked about the others, so that one answer names
/// everything. What is wrong reaches no cloud.
pub(crate) async fn doubtful(ground: Ground<'_>, spec: &CopySpec, reading: &Reading) -> pb::PreviewCopyResponse {
    let mut answer = malformed(&reading.broken);
    answer.not_copied = not_copied(spec.cloud);
    let Some(account) = ground.accounts.get(&spec.account) else { return answer };
    if reading.doubts("spec.image.") {
        return answer;
    }
    let image = account.images.describe_image(&spec.region, &spec.image).await;
    let traits = account.copies.copy_traits();
    let findings = match &image {
        Ok(image) => rules::image::check(spec, image.as_ref(), traits, ground.limits),
        Err(error) => vec![Finding::new(error.reason, "spec.image").message(error.to_string())],
    };
    let (violations, noted) = rules::split(findings);
    let new = |violation: &&Violation| !reading.broken.iter().any(|known| known.rule == violation.rule);
    answer.violations.extend(violations.iter().filter(new).map(convert::image::violation));
    answer.warnings = reading.warnings.iter().chain(&noted).map(convert::image::violation).collect();
    answer.image = image.ok().flatten().map(|image| facts(spec, &image));
    answer
}

/// What a preview is made with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) ground: Ground<'a>,
    pub(crate) pricing: &'a Pricing,
    pub(crate) keep_for: Option<u64>,
}

/// Answers a well-formed request from what the cloud says now.
pub(crate) async fn live(
    asked: Asked<'_>,
    spec: &CopySpec,
    field_warnings: Vec<Violation>,
) -> Result<pb::PreviewCopyResponse, Error> {
    let Asked { engine, ground, pricing, keep_for } = asked;
    let Some(account) = ground.accounts.get(&spec.account) else { return Ok(malformed(&field_warnings)) };
    let lane = spec.lane();
    let regions: Vec<Region> = spec.destinations.iter().map(|destination| destination.region.clone()).collect();
    let (survey, quota) = futures::join!(Survey::take(account, spec, &regions, ground.limits), engine.quota(&lane));
    let quota = quota?;
    let mut findings = survey.findings(spec, account, &[], ground.limits);
    findings.extend(survey.busy().map(|error| survey::passing(error, true)));
    // A start that queues waits for the next day; where no day is counted, nobody knows when it could start.
    let queues = spec.queue_when_quota_spent && engine.rule(&lane).daily_units.is_some();
    findings.extend(survey.spent().map(|error| survey::passing(error, queues)));
    let (mut violations, mut warnings) = rules::split(findings);
    warnings.splice(0..0, field_warnings);
    let image = survey.image.as_ref().ok().and_then(Option::as_ref);
    let price = match image {
        Some(image) => price::of(pricing, spec, image, &regions, keep_for).await,
        None => Err(Problem::new(Reason::PriceUnavailable, "the image could not be read")),
    };
    violations.extend(price::objection(spec, &price).as_ref().map(price::violation));
    let traits = account.copies.copy_traits();
    let route = image.map(|image| rules::image::route_of(spec, image, traits, ground.limits));
    let units = if route == Some(Route::Snapshots) { 0 } else { spec.units(regions.len()) };
    let time = image.map(|image| {
        let deadline = waiting::deadline(spec, image, traits, regions.len());
        (deadline, waiting::stall_after(spec, image))
    });
    Ok(pb::PreviewCopyResponse {
        startable: violations.is_empty() && has_room(spec, &quota, units),
        violations: violations.iter().map(convert::image::violation).collect(),
        warnings: warnings.iter().map(convert::image::violation).collect(),
        image: image.map(|image| facts(spec, image)),
        quota: Some(convert::quota(&quota, &engine.rule(&lane))),
        planned_calls: calls(account, spec, image, route, &quota),
        destinations: destinations(spec, &survey, ground),
        route: wire_route(route).into(),
        not_copied: not_copied(spec.cloud),
        price_unavailable: price.as_ref().err().map(unpriced).unwrap_or_default(),
        estimate: price.ok(),
        deadline: time.map(|(deadline, _)| convert::time::duration(deadline)),
        stall_after: time.map(|(_, stall): (Duration, Duration)| convert::time::duration(stall)),
    })
}

fn unpriced(problem: &Problem) -> String {
    format!("price unavailable: {}", problem.message())
}

fn has_room(spec: &CopySpec, quota: &QuotaPicture, units: u32) -> bool {
    let free = quota.remaining().is_none_or(|remaining| remaining >= units.saturating_add(quota.waiting_count));
    units == 0 || free || spec.queue_when_quota_spent
}

fn wire_route(route: Option<Route>) -> pb::CopyRoute {
    match route {
        Some(Route::Image) => pb::CopyRoute::Image,
        Some(Route::Snapshots) => pb::CopyRoute::Snapshots,
        None => pb::CopyRoute::Unspecified,
    }
}

fn facts(spec: &CopySpec, image: &Image) -> image_pb::Image {
    let account = spec.account.to_string();
    let at = ImageAt { cloud: spec.cloud, account, region: spec.region.clone(), image: image.id.clone() };
    convert::image::image(&at, image)
}

fn destinations(spec: &CopySpec, survey: &Survey, ground: Ground<'_>) -> Vec<pb::DestinationPlan> {
    let number = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    let plan = |asked: &survey::DestinationSurvey| pb::DestinationPlan {
        region: asked.region.to_string(),
        image_name: asked.facts.name.clone().unwrap_or_default(),
        image_count: asked.facts.count.map(number),
        image_limit: rules::destination::ceiling(spec.cloud, &asked.facts, ground.limits).map(number),
    };
    survey.destinations.iter().map(plan).collect()
}

/// The calls of one cloud, in its own words.
fn calls(
    account: &Account,
    spec: &CopySpec,
    image: Option<&Image>,
    route: Option<Route>,
    quota: &QuotaPicture,
) -> Vec<image_pb::PlannedCall> {
    let traits = account.copies.copy_traits();
    let service = match spec.cloud {
        Cloud::Tencent => "cvm",
        Cloud::Alibaba => "ecs",
    };
    let call = |action: &str, region: &Region, detail: &str| image_pb::PlannedCall {
        service: service.to_owned(),
        action: action.to_owned(),
        region: region.to_string(),
        mutating: false,
        quota_units: 0,
        detail: detail.to_owned(),
    };
    let counted = |count: u32| if quota.limit.is_some() { count } else { 0 };
    let change = |call: image_pb::PlannedCall, units: u32| image_pb::PlannedCall {
        mutating: true,
        quota_units: counted(units),
        ..call
    };
    let home = &spec.region;
    let mut calls = vec![call("DescribeImages", home, "reads the image and its disks")];
    let regions = || spec.destinations.iter().map(|destination| &destination.region);
    calls.extend(regions().map(|region| call("DescribeImages", region, "counts the images and looks for the name")));
    if route == Some(Route::Snapshots) {
        let disks = image.map_or(1, |image| image.disks.len());
        for region in regions() {
            for disk in 1..=disks {
                let detail = format!("copies the snapshot of disk {disk} of {disks} to {region}");
                calls.push(change(call("CopySnapshot", home, &detail), 0));
            }
            calls.push(call("DescribeSnapshots", region, "follows the snapshots until they are finished"));
            calls.push(change(call("CreateImage", region, "makes the image from its snapshots"), 1));
        }
    } else if traits.fans_out {
        let all: Vec<&str> = regions().map(Region::as_str).collect();
        let detail = format!("copies the image to {} with one call", all.join(", "));
        calls.push(change(call(traits.action, home, &detail), 1));
    } else {
        let details = regions().map(|region| format!("copies the image to {region}"));
        calls.extend(details.map(|detail| change(call(traits.action, home, &detail), 1)));
    }
    calls.extend(regions().map(|region| call("DescribeImages", region, "follows the copy until it is usable")));
    if !spec.share_with.is_empty() {
        let accounts = match spec.share_with.len() {
            1 => "1 account".to_owned(),
            many => format!("{many} accounts"),
        };
        let detail = format!("shares the copy with {accounts}, by the share service");
        calls.extend(regions().map(|region| change(call("ModifyImageSharePermission", region, &detail), 1)));
    }
    calls
}
