//! Rules about the request alone: forms of names, formats, regions.

use sampan_core::{Cloud, ImageFormat, Reason};

use super::Finding;
use crate::spec::{ExportSpec, Ground};

/// Returns every rule that the request breaks, in the order of its fields.
pub fn check(spec: &ExportSpec, ground: Ground<'_>) -> Vec<Finding> {
    [
        region(spec, ground),
        image_id(spec),
        bucket_name(spec),
        prefix(spec, ground),
        format(spec, ground),
        format_in_region(spec, ground),
        root_disk(spec, ground),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn region(spec: &ExportSpec, ground: Ground<'_>) -> Option<Finding> {
    let region = spec.region.as_str();
    let words = ground.limits.words(spec.cloud, "regions")?;
    if words.values.iter().any(|known| known == region) {
        return None;
    }
    let field = "spec.image.region";
    if ground.limits.cloud_of_region(region).is_some() {
        let finding = Finding::new(Reason::RegionOfOtherCloud, field);
        return Some(finding.message(format!("{region} is no region of {}", spec.cloud)));
    }
    // Vendors open regions faster than programs are updated: an unknown one is left to the cloud.
    let finding = Finding::new(Reason::FieldMalformed, field)
        .message(format!("{region} is not a known region of {}", spec.cloud));
    finding.by_words(spec.cloud, words, region).map(Finding::warning)
}

fn image_id(spec: &ExportSpec) -> Option<Finding> {
    let id = spec.image.as_str();
    let (valid, form) = match spec.cloud {
        Cloud::Tencent => (lower_id(id, "img-"), "img- and lower-case letters or digits"),
        // The vendor's own images have long names that end in .vhd; they are refused later, as not custom.
        Cloud::Alibaba => (lower_id(id, "m-") || id.ends_with(".vhd"), "m- and lower-case letters or digits"),
    };
    let finding = Finding::new(Reason::ImageIdMalformed, "spec.image.image_id");
    (!valid).then(|| finding.message(format!("`{id}` is no image id of {}", spec.cloud)).limit(form, id))
}

fn lower_id(id: &str, prefix: &str) -> bool {
    id.strip_prefix(prefix).is_some_and(|rest| {
        !rest.is_empty() && rest.len() <= 40 && rest.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    })
}

fn bucket_name(spec: &ExportSpec) -> Option<Finding> {
    let name = spec.bucket.as_str();
    if name.is_empty() {
        return None;
    }
    let (valid, form) = match spec.cloud {
        Cloud::Tencent => (is_cos_bucket(name), "name-APPID: lower-case letters, digits and hyphens, then the APPID"),
        Cloud::Alibaba => (is_oss_bucket(name), "3 to 63 lower-case letters, digits or hyphens, no hyphen at the ends"),
    };
    let shown: String = name.chars().take(80).collect();
    let finding = Finding::new(Reason::BucketNameMalformed, "spec.bucket");
    (!valid).then(|| finding.message(format!("`{shown}` is no bucket name of {}", spec.cloud)).limit(form, shown))
}

fn is_cos_bucket(name: &str) -> bool {
    let Some((label, app_id)) = name.rsplit_once('-') else { return false };
    name.len() <= 60
        && is_label(label)
        && (5..=20).contains(&app_id.len())
        && app_id.chars().all(|c| c.is_ascii_digit())
}

fn is_oss_bucket(name: &str) -> bool {
    (3..=63).contains(&name.len()) && is_label(name)
}

fn is_label(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn prefix(spec: &ExportSpec, ground: Ground<'_>) -> Option<Finding> {
    let prefix = spec.prefix.as_deref()?;
    let finding = Finding::new(Reason::PrefixMalformed, "spec.prefix");
    if prefix.is_empty() {
        return Some(finding.message("the prefix is empty").limit("1 character or more, or no prefix at all", "empty"));
    }
    let longest = ground.limits.number(spec.cloud, "export.prefix_chars")?;
    let length = u64::try_from(prefix.chars().count()).unwrap_or(u64::MAX);
    if longest.value.is_some_and(|value| length > value) {
        return finding.message("the prefix is too long").by_limit(spec.cloud, longest, length);
    }
    let marks = ground.limits.words(spec.cloud, "export.prefix_marks")?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || marks.values.iter().any(|mark| mark.chars().eq([c]));
    let odd = prefix.chars().find(|c| !allowed(*c))?;
    let finding =
        finding.message(format!("the prefix holds the character {odd:?}")).by_words(spec.cloud, marks, prefix)?;
    let extra = if marks.values.is_empty() { String::new() } else { format!(" and any of {}", marks.values.join(" ")) };
    Some(finding.limit(format!("letters and digits{extra}"), prefix))
}

fn format(spec: &ExportSpec, ground: Ground<'_>) -> Option<Finding> {
    let words = ground.limits.words(spec.cloud, "export.formats")?;
    let word = spec.format.as_str();
    if words.values.iter().any(|known| known == word) {
        return None;
    }
    let finding = Finding::new(Reason::FormatUnsupported, "spec.format");
    finding.message(format!("{} does not export {word}", spec.cloud)).by_words(spec.cloud, words, word)
}

fn format_in_region(spec: &ExportSpec, ground: Ground<'_>) -> Option<Finding> {
    if spec.format == ImageFormat::Raw {
        return None;
    }
    let words = ground.limits.words(spec.cloud, "export.format_regions")?;
    let region = spec.region.as_str();
    if words.values.iter().any(|known| known == region) {
        return None;
    }
    let finding = Finding::new(Reason::FormatUnsupportedInRegion, "spec.format");
    finding.message(format!("{region} exports RAW only")).by_words(spec.cloud, words, region)
}

fn root_disk(spec: &ExportSpec, ground: Ground<'_>) -> Option<Finding> {
    let account = ground.accounts.get(&spec.account)?;
    (spec.only_root_disk && !account.images.export_traits().root_disk_only)
        .then(|| Finding::new(Reason::RootDiskOnlyUnsupported, "spec.only_root_disk"))
}
