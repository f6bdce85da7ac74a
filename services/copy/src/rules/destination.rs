//! Rules about one destination, as the cloud describes it.

use sampan_cloud::copy::{CopiedImage, CopyState};
use sampan_core::limits::{Enforcement, Limits};
use sampan_core::{Cloud, ImageId, Reason, Region};

use super::{Finding, sources};
use crate::spec::CopySpec;

/// What the cloud says about a destination.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Custom images that it holds; `None` when the cloud could not tell.
    pub count: Option<u64>,
    /// Custom images that it may hold by the cloud's own word; `None` when the cloud did not tell.
    pub ceiling: Option<u64>,
    /// Name that the copy would get; `None` while the image is not known.
    pub name: Option<String>,
    /// Images of that name.
    pub named: Vec<CopiedImage>,
}

/// Returns every rule that the destination breaks.
///
/// - `own`: images there that earlier attempts of the same operation have made.
pub fn check(spec: &CopySpec, region: &Region, facts: &Facts, own: &[ImageId], limits: &Limits) -> Vec<Finding> {
    let index = spec.destinations.iter().position(|destination| destination.region == *region).unwrap_or(0);
    let mut findings: Vec<Finding> = full(spec, index, region, facts, limits).into_iter().collect();
    findings.extend(taken(spec, index, region, facts, own));
    findings
}

/// Returns how many custom images a region may hold: the cloud's own word, else the limits.
pub fn ceiling(cloud: Cloud, facts: &Facts, limits: &Limits) -> Option<u64> {
    facts.ceiling.or_else(|| limits.number(cloud, "image.per_region").and_then(|limit| limit.value))
}

fn full(spec: &CopySpec, index: usize, region: &Region, facts: &Facts, limits: &Limits) -> Option<Finding> {
    let count = facts.count?;
    let most = ceiling(spec.cloud, facts, limits)?;
    if count < most {
        return None;
    }
    let finding = Finding::new(Reason::DestinationFull, spec.field(index, "region"))
        .message(format!("{region} holds {count} of {most} custom images, so none more fits"))
        .fix(format!("Remove images in {region} that nobody needs, or ask the vendor for a higher ceiling"));
    let limit = limits.number(spec.cloud, "image.per_region");
    match (facts.ceiling, limit) {
        // The cloud was asked, and its answer wins over every table; only the strictness is the configuration's.
        (Some(_), limit) => {
            let finding = finding
                .limit(format!("{most} images"), format!("{count} images"))
                .source(("the cloud's own answer about the region", ""));
            match limit.map_or(Enforcement::Enforce, |limit| limit.enforcement) {
                Enforcement::Enforce => Some(finding),
                Enforcement::Warn => Some(finding.warning()),
                Enforcement::Off => None,
            }
        }
        (None, Some(limit)) => finding.by_limit(spec.cloud, limit, count),
        (None, None) => None,
    }
}

fn taken(spec: &CopySpec, index: usize, region: &Region, facts: &Facts, own: &[ImageId]) -> Option<Finding> {
    let name = facts.name.as_deref()?;
    let by = facts.named.iter().find(|named| !own.contains(&named.image.id))?;
    let id = &by.image.id;
    let (what, fix) = match (by.state, by.is_copy) {
        (CopyState::Failed, Some(false)) => {
            ("a failed image", format!("Remove {id} in {region}: it failed and is of no use"))
        }
        (CopyState::Failed, _) => {
            ("a copy that has failed", format!("Remove {id} in {region}: it is left of a copy that failed"))
        }
        (CopyState::Queued | CopyState::Copying, _) => {
            ("an image in the making", format!("Wait for {id}, which may be the same copy, or choose another name"))
        }
        (CopyState::Ready, _) => ("an image", "Choose another name, or remove that image".to_owned()),
    };
    let field = match spec.destinations.get(index).and_then(|destination| destination.image_name.as_ref()) {
        Some(_) => spec.field(index, "image_name"),
        None if spec.image_name.is_some() => "spec.image_name".to_owned(),
        None => spec.field(index, "region"),
    };
    Some(
        Finding::new(Reason::ImageNameTaken, &field)
            .message(format!("{region} has {what} of the name {name} already: {id}"))
            .limit("a name that is free in the destination", format!("{name} ({id})"))
            .source(sources::refusals(spec.cloud))
            .fix(fix),
    )
}
