//! The plan of a change: every violation at once, the quota, the calls, and what becomes of each account.

use futures::future::join_all;
use sampan_chassis::convert;
use sampan_cloud::Account;
use sampan_cloud::share::ShareTraits;
use sampan_core::finding::{self, Finding};
use sampan_core::{Cloud, OperationId, Region, Severity, Violation};
use sampan_ops::{Engine, Error};
use sampan_proto::image::v1 as image_pb;
use sampan_proto::share::v1 as pb;
use sampan_state::QuotaPicture;

use crate::copies::{Copies, CopyOf};
use crate::plan::Difference;
use crate::rules::advice;
use crate::spec::{Ground, Reading, ShareSpec};
use crate::survey::Survey;

/// Answers a request whose image is not named well: nothing can be asked of the cloud then.
pub(crate) fn malformed(reading: &Reading) -> pb::PreviewShareResponse {
    pb::PreviewShareResponse {
        startable: false,
        violations: wire(&reading.broken),
        warnings: wire(&reading.warnings),
        ..pb::PreviewShareResponse::default()
    }
}

/// Answers from what the cloud says now; fields that are wrong are told besides, and reach no cloud.
pub(crate) async fn live(
    engine: &Engine,
    ground: Ground<'_>,
    spec: &ShareSpec,
    reading: &Reading,
) -> Result<pb::PreviewShareResponse, Error> {
    let Some(account) = ground.accounts.get(&spec.account) else { return Ok(malformed(reading)) };
    let lane = spec.lane();
    let (survey, quota, copies) =
        futures::join!(Survey::take(account, spec), engine.quota(&lane), copies(engine, account, spec));
    let (quota, (copies, unfinished)) = (quota?, copies?);
    let difference = difference(spec, &survey).unwrap_or_default();
    let calls = difference.calls(account.shares.share_traits(), false).len();
    let mut findings = survey.findings(spec, ground.limits);
    // What is broken by itself is told once.
    findings.retain(|finding| !told(&reading.broken, finding));
    let (live, mut warnings) = finding::split(findings);
    let violations = [reading.broken.clone(), live].concat();
    warnings.splice(0..0, reading.warnings.iter().cloned());
    warnings.extend(advice::of(spec, &difference));
    for copy in &copies {
        warnings.extend(copy.warnings(ground));
    }
    warnings.extend((!unfinished.is_empty()).then(|| unfinished_copies(&unfinished)));
    Ok(pb::PreviewShareResponse {
        startable: violations.is_empty() && has_room(spec, &quota, calls),
        violations: wire(&violations),
        warnings: wire(&warnings),
        image: survey
            .image
            .as_ref()
            .ok()
            .and_then(Option::as_ref)
            .map(|image| convert::image::image(&spec.image_at(), image)),
        quota: Some(convert::quota(&quota, &engine.rule(&lane))),
        planned_calls: planned_calls(engine, account, spec, &difference, &copies),
        accounts_to_add: sorted(difference.add),
        accounts_to_remove: sorted(difference.remove),
        accounts_unchanged: sorted(difference.keep),
        copies: copies
            .iter()
            .filter(|copy| copy.exists())
            .map(|copy| convert::image::at(&copy.spec.image_at()))
            .collect(),
    })
}

/// A copy that the change would follow to, as the cloud tells it.
struct CopyFacts {
    spec: ShareSpec,
    survey: Survey,
}

impl CopyFacts {
    fn exists(&self) -> bool {
        !matches!(self.survey.image, Ok(None))
    }

    /// What stands against a copy stops nothing but its own part.
    fn warnings(&self, ground: Ground<'_>) -> Vec<Violation> {
        let (region, image) = (&self.spec.region, &self.spec.image);
        if !self.exists() {
            return vec![gone(region, image.as_str())];
        }
        let findings = self.survey.findings(&self.spec, ground.limits).into_iter().map(Finding::violation);
        let told = |violation: Violation| Violation {
            message: format!("copy {image} in {region}: {}", violation.message),
            severity: Severity::Warning,
            field: "spec.include_copies".to_owned(),
            ..violation
        };
        findings.map(told).collect()
    }
}

/// Returns the copies with what the cloud says of them, and the copy operations that have not ended.
async fn copies(
    engine: &Engine,
    account: &Account,
    spec: &ShareSpec,
) -> Result<(Vec<CopyFacts>, Vec<OperationId>), Error> {
    if !spec.include_copies {
        return Ok((Vec::new(), Vec::new()));
    }
    let Copies { found, unfinished } = Copies::of(engine, spec).await?;
    let facts = |copy: CopyOf| async move {
        let spec = spec.for_copy(&copy.region, &copy.image);
        let survey = Survey::take(account, &spec).await;
        CopyFacts { spec, survey }
    };
    Ok((join_all(found.into_iter().map(facts)).await, unfinished))
}

/// Says that a copy does not exist any more.
pub(crate) fn gone(region: &Region, image: &str) -> Violation {
    let finding = Finding::new(sampan_core::Reason::ImageNotFound, "spec.include_copies");
    finding
        .message(format!("copy {image} in {region} does not exist any more and is left out"))
        .fix("Nothing needs to be done")
        .warning()
        .violation()
}

/// Says that copies are still being made.
pub(crate) fn unfinished_copies(unfinished: &[OperationId]) -> Violation {
    let names: Vec<String> = unfinished.iter().map(OperationId::name).collect();
    let finding = Finding::new(sampan_core::Reason::ImageNotReady, "spec.include_copies");
    finding
        .message(format!("copies are still being made and are not followed to: {}", names.join(", ")))
        .fix("Wait for them to end, then share again; or ask for the share when you copy, with share_with")
        .warning()
        .violation()
}

fn difference(spec: &ShareSpec, survey: &Survey) -> Option<Difference> {
    survey.live().map(|live| Difference::of(spec.change, &spec.account_ids, &live))
}

fn told(broken: &[Violation], finding: &Finding) -> bool {
    let rule = finding.clone().violation().rule;
    broken.iter().any(|known| known.rule == rule)
}

fn has_room(spec: &ShareSpec, quota: &QuotaPicture, calls: usize) -> bool {
    let wanted = u32::try_from(calls).unwrap_or(u32::MAX);
    let free = |remaining: u32| remaining.saturating_sub(quota.waiting_count) >= wanted;
    wanted == 0 || spec.queue_when_quota_spent || quota.remaining().is_none_or(free)
}

fn wire(violations: &[Violation]) -> Vec<image_pb::Violation> {
    violations.iter().map(convert::image::violation).collect()
}

fn sorted(mut accounts: Vec<String>) -> Vec<String> {
    accounts.sort();
    accounts.dedup();
    accounts
}

fn planned_calls(
    engine: &Engine,
    account: &Account,
    spec: &ShareSpec,
    difference: &Difference,
    copies: &[CopyFacts],
) -> Vec<image_pb::PlannedCall> {
    let traits = account.shares.share_traits();
    let mut calls = calls_of(engine, spec, difference, traits);
    for copy in copies.iter().filter(|copy| copy.exists()) {
        let difference = self::difference(&copy.spec, &copy.survey).unwrap_or_default();
        calls.extend(calls_of(engine, &copy.spec, &difference, traits));
    }
    calls
}

fn calls_of(
    engine: &Engine,
    spec: &ShareSpec,
    difference: &Difference,
    traits: ShareTraits,
) -> Vec<image_pb::PlannedCall> {
    let service = match spec.cloud {
        Cloud::Tencent => "cvm",
        Cloud::Alibaba => "ecs",
    };
    let counted = engine.rule(&spec.lane()).daily_units.is_some();
    let call = |action: &str, mutating: bool, detail: String| image_pb::PlannedCall {
        service: service.to_owned(),
        action: action.to_owned(),
        region: spec.region.to_string(),
        mutating,
        quota_units: u32::from(mutating && counted),
        detail,
    };
    let read = |detail: &str| call("DescribeImageSharePermission", false, detail.to_owned());
    let mut calls = vec![
        call("DescribeImages", false, format!("reads image {}", spec.image)),
        read("reads who the image is shared with"),
    ];
    let changes = difference.calls(traits, false);
    for change in &changes {
        let words = [("adds", change.add.len()), ("removes", change.remove.len())];
        let words = words.into_iter().filter(|(_, count)| *count > 0);
        let words = words.map(|(verb, count)| format!("{verb} {count} {}", noun(count))).collect::<Vec<_>>();
        calls.push(call(traits.action, true, words.join(", ")));
    }
    if !changes.is_empty() {
        calls.push(read("proves the change"));
    }
    calls
}

fn noun(count: usize) -> &'static str {
    if count == 1 { "account" } else { "accounts" }
}
