//! Rules about where an image may be copied from and to.

use sampan_core::limits::{Limits, Words};
use sampan_core::{Reason, Region};

use super::{Finding, sources};
use crate::spec::CopySpec;

const SOURCE: &str = "spec.image.region";

/// Groups of regions within which a cloud copies, and whether it sometimes copies beyond on request.
const GROUPS: [(&str, bool); 3] =
    [("copy.group_mainland", true), ("copy.group_abroad", true), ("copy.group_finance", false)];

pub(super) fn check(spec: &CopySpec, limits: &Limits) -> Vec<Finding> {
    // Which destinations are elsewhere is known together with the region of the image.
    let Some(home) = spec.home() else { return Vec::new() };
    let mut findings = Vec::new();
    let leaves = spec.destinations.iter().any(|destination| destination.region != *home);
    if leaves {
        findings.extend(copyable(spec, limits, SOURCE, home));
    }
    for (index, destination) in spec.destinations.iter().enumerate() {
        let field = spec.field(index, "region");
        let region = &destination.region;
        if region != home {
            match copyable(spec, limits, &field, region) {
                Some(finding) => findings.push(finding),
                None => findings.extend(pair(spec, limits, &field, region)),
            }
        }
    }
    findings
}

fn holds(words: &Words, region: &Region) -> bool {
    words.values.iter().any(|known| known == region.as_str())
}

fn copyable(spec: &CopySpec, limits: &Limits, field: &str, region: &Region) -> Option<Finding> {
    let words = limits.words(spec.cloud, "copy.regions")?;
    if holds(words, region) || limits.cloud_of_region(region.as_str()).is_some_and(|cloud| cloud != spec.cloud) {
        return None;
    }
    let america = if region.as_str().starts_with("na-") { "; North America is named as not supported" } else { "" };
    Finding::new(Reason::RegionPairUnsupported, field)
        .message(format!("{} copies no images from or to {region}{america}", spec.cloud))
        .fix(format!(
            "Choose one of {}; when the vendor has opened more regions, use the current set of limits or change the \
             list by configuration",
            words.values.join(", ")
        ))
        .by_words(spec.cloud, words, region.as_str())
}

/// Whether the two regions are of one group, where the cloud has groups.
fn pair(spec: &CopySpec, limits: &Limits, field: &str, region: &Region) -> Option<Finding> {
    let groups = GROUPS.iter().filter_map(|(id, opens)| Some((limits.words(spec.cloud, id)?, *opens)));
    let groups: Vec<_> = groups.collect();
    let of = |region: &Region| groups.iter().find(|(words, _)| holds(words, region));
    // A region of no group is one that the tables do not know; the cloud decides.
    let ((own, own_opens), (other, other_opens)) = (of(&spec.region)?, of(region)?);
    if groups.iter().any(|(words, _)| holds(words, &spec.region) && holds(words, region)) {
        return None;
    }
    let finding = Finding::new(Reason::RegionPairUnsupported, field)
        .message(format!("{} does not copy from {} to {region}: {}", spec.cloud, spec.region, other.title))
        .fix(format!("Choose a destination among {}, or ask the vendor to open the pair", own.values.join(", ")))
        .source(sources::guide(spec.cloud))
        .by_words(spec.cloud, own, region.as_str())?;
    // Across the border copies are made for those who have asked for it.
    Some(if *own_opens && *other_opens { finding.warning() } else { finding })
}
