//! Rules about the request alone: bucket, prefix, formats, disks. Those of the image's name are the reader's.

use sampan_core::{Cloud, ImageFormat, Reason};

use super::{Finding, shown, sources};
use crate::spec::{ExportSpec, Ground};

/// Returns every rule that the request breaks, in the order of its fields.
pub fn check(spec: &ExportSpec, ground: Ground<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = bucket_name(spec).into_iter().collect();
    findings.extend(prefix(spec, ground));
    let later = [format(spec, ground), format_in_region(spec, ground), root_disk(spec, ground)];
    findings.extend(later.into_iter().flatten());
    findings
}

fn bucket_name(spec: &ExportSpec) -> Option<Finding> {
    let name = spec.bucket.as_str();
    if name.is_empty() {
        return None;
    }
    let (valid, form, fix) = match spec.cloud {
        Cloud::Tencent => (
            is_cos_bucket(name),
            "name-APPID: lower-case letters, digits and hyphens, then the APPID",
            "Write the bucket's full name with the APPID of its account at the end, such as images-1250000000",
        ),
        Cloud::Alibaba => (
            is_oss_bucket(name),
            "3 to 63 lower-case letters, digits or hyphens, no hyphen at the ends",
            "Use 3 to 63 lower-case letters, digits or hyphens that begin and end with a letter or digit",
        ),
    };
    let finding = || {
        Finding::new(Reason::BucketNameMalformed, "spec.bucket")
            .message(format!("`{}` is no bucket name of {}", shown(name), spec.cloud))
            .limit(form, shown(name))
            .source(sources::bucket_names(spec.cloud))
            .fix(fix)
    };
    (!valid).then(finding)
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

/// Length and characters are two rules: each can be changed or switched off without the other.
fn prefix(spec: &ExportSpec, ground: Ground<'_>) -> Vec<Finding> {
    let Some(prefix) = spec.prefix.as_deref() else { return Vec::new() };
    let finding = || Finding::new(Reason::PrefixMalformed, "spec.prefix").fix(prefix_fix(spec.cloud, ground));
    if prefix.is_empty() {
        let empty = finding().message("the prefix is empty").source(sources::OWN);
        return vec![empty.limit("1 character or more, or no prefix at all", "empty")];
    }
    let length = u64::try_from(prefix.chars().count()).unwrap_or(u64::MAX);
    let too_long = ground.limits.number(spec.cloud, "export.prefix_chars").and_then(|longest| {
        longest.value.filter(|value| length > *value)?;
        finding().message("the prefix is too long").by_limit(spec.cloud, longest, length)
    });
    let odd = ground.limits.words(spec.cloud, "export.prefix_marks").and_then(|marks| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || marks.values.iter().any(|mark| mark.chars().eq([c]));
        let odd = prefix.chars().find(|c| !allowed(*c))?;
        let finding = finding().message(format!("the prefix holds the character {odd:?}"));
        let finding = finding.by_words(spec.cloud, marks, shown(prefix))?;
        Some(finding.limit(format!("letters and digits{}", also(&marks.values)), shown(prefix)))
    });
    [too_long, odd].into_iter().flatten().collect()
}

fn prefix_fix(cloud: Cloud, ground: Ground<'_>) -> String {
    let longest = ground.limits.number(cloud, "export.prefix_chars").and_then(|limit| limit.value);
    let marks = ground.limits.words(cloud, "export.prefix_marks").map_or(&[][..], |marks| &marks.values);
    let count = longest.map_or("1 or more".to_owned(), |longest| format!("1 to {longest}"));
    let kinds = if marks.is_empty() {
        "letters or digits".to_owned()
    } else {
        format!("letters, digits or {}", marks.join(" "))
    };
    format!("Use {count} {kinds}, or leave the prefix unset")
}

fn also(marks: &[String]) -> String {
    if marks.is_empty() { String::new() } else { format!(" and any of {}", marks.join(" ")) }
}

fn format(spec: &ExportSpec, ground: Ground<'_>) -> Option<Finding> {
    let words = ground.limits.words(spec.cloud, "export.formats")?;
    let word = spec.format.as_str();
    if words.values.iter().any(|known| known == word) {
        return None;
    }
    Finding::new(Reason::FormatUnsupported, "spec.format")
        .message(format!("{} does not export {word}", spec.cloud))
        .fix(format!("Choose one of {}", words.values.join(", ")))
        .by_words(spec.cloud, words, word)
}

fn format_in_region(spec: &ExportSpec, ground: Ground<'_>) -> Option<Finding> {
    if spec.format == ImageFormat::Raw || spec.lacks_region {
        return None;
    }
    let words = ground.limits.words(spec.cloud, "export.format_regions")?;
    let region = spec.region.as_str();
    if words.values.iter().any(|known| known == region) {
        return None;
    }
    Finding::new(Reason::FormatUnsupportedInRegion, "spec.format")
        .message(format!("{region} exports RAW only"))
        .fix(format!(
            "Choose RAW and convert the file afterwards, or copy the image to one of {}",
            words.values.join(", ")
        ))
        .by_words(spec.cloud, words, region)
}

fn root_disk(spec: &ExportSpec, ground: Ground<'_>) -> Option<Finding> {
    let account = ground.accounts.get(&spec.account)?;
    let finding = || {
        Finding::new(Reason::RootDiskOnlyUnsupported, "spec.only_root_disk")
            .message(format!("{} always exports every disk of an image", spec.cloud))
            .source(sources::call(spec.cloud))
            .fix("Leave only_root_disk unset, or make an image of the system disk alone")
    };
    (spec.only_root_disk && !account.images.export_traits().root_disk_only).then(finding)
}
