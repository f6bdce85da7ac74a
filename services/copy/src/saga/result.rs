//! Writes down what a copy left, and why the rest of it failed: both from the record alone.

use sampan_chassis::convert::estimate::kept;
use sampan_core::{Cloud, Region};
use sampan_proto::billing::v1::Estimate;
use sampan_state::operation::{Failure, Operation, Target, TargetState};
use sampan_state::result::{CopiedImage, CopyResult, ImageAt, Leftover};

use super::target::{self, Work};
use crate::price;
use crate::spec::CopySpec;

/// Returns what a copy does not carry, one sentence each.
pub(crate) fn not_copied(cloud: Cloud) -> Vec<String> {
    let mut facts = vec![
        "role authorisation is not copied: attach the roles to the instances of each region anew".to_owned(),
        "service authorisation is not copied: authorise the services of each region anew".to_owned(),
        "instance user data is not copied: give it to each new instance".to_owned(),
        "accounts that the image is shared with do not get the copies, unless these are shared too".to_owned(),
    ];
    if cloud == Cloud::Alibaba {
        facts.push("tags and the resource group are not copied, unless they are given with the copy".to_owned());
    }
    facts
}

/// Returns the result without its price; `None` when the request cannot be read.
pub(super) fn build(operation: &Operation) -> Option<CopyResult> {
    let spec: CopySpec = operation.request.read().ok()?;
    let succeeded = operation.targets.iter().filter(|target| target.state == TargetState::Succeeded);
    Some(CopyResult {
        images: succeeded.filter_map(|target| copied(&spec, target)).collect(),
        not_copied: not_copied(spec.cloud),
        leftovers: leftovers(operation),
        estimate: None,
    })
}

fn copied(spec: &CopySpec, target: &Target) -> Option<CopiedImage> {
    let work = Work::of(target);
    let region: Region = target::region(target).ok()?;
    let at = ImageAt { cloud: spec.cloud, account: spec.account.to_string(), region, image: work.image? };
    let share = work.share.unwrap_or_default();
    Some(CopiedImage {
        at,
        name: work.name,
        snapshot_ids: work.snapshots,
        shared_with: share.accounts,
        share_operation: (!share.operation.is_empty()).then_some(share.operation),
        snapshot_cost_per_month: None,
        currency: None,
    })
}

/// Returns what was made and nobody asked to keep: of targets that failed, and of earlier attempts.
pub(super) fn leftovers(operation: &Operation) -> Vec<Leftover> {
    let mut left = Vec::new();
    for target in &operation.targets {
        let (work, Ok(region)) = (Work::of(target), target::region(target)) else { continue };
        if target.state != TargetState::Succeeded {
            let cause =
                "of a copy that came to nothing; a retry removes it, or takes it over when it is usable by then";
            let thing = |resource: &str, id: String| Leftover {
                region: region.clone(),
                resource: resource.to_owned(),
                id,
                cause: cause.to_owned(),
            };
            let known = |id: &String| work.leftovers.iter().any(|known| known.id == *id);
            let image = work.image.as_ref().map(ToString::to_string);
            left.extend(image.filter(|id| !known(id)).map(|id| thing("image", id)));
            let copies = work.disks.iter().filter_map(|disk| disk.copy.clone());
            let snapshots = copies.chain(work.snapshots.iter().cloned()).filter(|id| !known(id));
            let mut snapshots: Vec<String> = snapshots.collect();
            snapshots.sort();
            snapshots.dedup();
            left.extend(snapshots.into_iter().map(|id| thing("snapshot", id)));
        }
        left.extend(work.leftovers);
    }
    left
}

/// Says what is left over in a sentence's end; empty when nothing is.
pub(super) fn told(leftovers: &[Leftover]) -> String {
    let things =
        leftovers.iter().map(|left| format!("{} {} in {} ({})", left.resource, left.id, left.region, left.cause));
    things.collect::<Vec<_>>().join(", ")
}

/// Returns why the operation failed: the first failure, with the number of the others.
pub(super) fn failure(operation: &Operation) -> Option<Failure> {
    let failed = operation.targets.iter().filter_map(|target| Some((&target.id, target.failure.as_ref()?)));
    let failed: Vec<_> = failed.collect();
    let (region, first) = failed.first()?;
    if operation.targets.len() == 1 {
        return Some((*first).clone());
    }
    let others: Vec<&str> = failed.iter().skip(1).map(|(region, _)| region.as_str()).collect();
    let others = if others.is_empty() { String::new() } else { format!("; also failed: {}", others.join(", ")) };
    let count = format!("{} of {} destinations failed", failed.len(), operation.targets.len());
    let message = format!("{count}; {region}: {}{others}", first.message);
    Some(Failure { message, ..(*first).clone() })
}

/// Adds what the copies cost from now on.
pub(super) fn add_price(result: &mut CopyResult, estimate: &Estimate) {
    for image in &mut result.images {
        if let Some(cost) = price::monthly(estimate, image.at.region.as_str()) {
            image.snapshot_cost_per_month = Some(cost);
            image.currency = Some(estimate.currency.clone());
        }
    }
    result.estimate = Some(kept(estimate));
}
