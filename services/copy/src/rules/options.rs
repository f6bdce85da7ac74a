//! Rules about how the copies are to look: names, description, encryption, tags, shares, route.

use sampan_core::{Cloud, Reason};

use super::{Finding, shown, sources};
use crate::spec::{CopySpec, Ground, Route};

/// Words that names, descriptions and tags of Alibaba must not begin with.
const LINKS: [&str; 2] = ["http://", "https://"];
const RESERVED: [&str; 2] = ["aliyun", "acs:"];
const DESCRIPTION_CHARS: std::ops::RangeInclusive<usize> = 2..=256;
const TAG_CHARS: usize = 128;
const KEY_ID_CHARS: usize = 128;
const ACCOUNT_DIGITS: std::ops::RangeInclusive<usize> = 5..=20;

pub(super) fn check(spec: &CopySpec, ground: Ground<'_>) -> Vec<Finding> {
    let mut findings = names(spec, ground);
    findings.extend(labels_of_alibaba(spec));
    findings.extend(description(spec));
    findings.extend(encryption(spec));
    findings.extend(tags(spec, ground));
    findings.extend(shares(spec, ground));
    findings.extend(route(spec, ground));
    findings
}

fn names(spec: &CopySpec, ground: Ground<'_>) -> Vec<Finding> {
    let mut named: Vec<(String, &str)> = Vec::new();
    named.extend(spec.image_name.as_deref().map(|name| ("spec.image_name".to_owned(), name)));
    for (index, destination) in spec.destinations.iter().enumerate() {
        let own = destination.image_name.as_deref();
        named.extend(own.map(|name| (spec.field(index, "image_name"), name)));
    }
    let mut findings: Vec<Finding> = Vec::new();
    for (field, name) in &named {
        if spec.cloud == Cloud::Tencent && field != "spec.image_name" {
            findings.push(unsupported(spec.cloud, field, "gives all destinations of a copy one name"));
        }
        findings.extend(length(spec, ground, field, name));
        findings.extend(characters(spec.cloud, field, name));
    }
    findings
}

fn length(spec: &CopySpec, ground: Ground<'_>, field: &str, name: &str) -> Option<Finding> {
    let limit = ground.limits.number(spec.cloud, "copy.name_chars")?;
    let length = u64::try_from(name.chars().count()).unwrap_or(u64::MAX);
    let most = limit.value.filter(|most| length > *most)?;
    Finding::new(Reason::ImageNameMalformed, field)
        .message(format!("the name has {length} characters"))
        .fix(format!("Use {most} characters or fewer, or leave the name out to keep that of the image"))
        .by_limit(spec.cloud, limit, length)
}

fn characters(cloud: Cloud, field: &str, name: &str) -> Option<Finding> {
    let (is_valid, form, source) = match cloud {
        Cloud::Tencent => (!name.chars().any(char::is_control), "no control characters", sources::OWN),
        Cloud::Alibaba => (
            is_alibaba_name(name),
            "2 or more letters, digits or any of . : _ -, beginning with a letter, not with aliyun, acs: or a link",
            sources::call(cloud),
        ),
    };
    let finding = || {
        Finding::new(Reason::ImageNameMalformed, field)
            .message(format!("`{}` is no name for an image of {cloud}", shown(name)))
            .limit(form, shown(name))
            .source(source)
            .fix(format!("Use {form}; or leave the name out to keep that of the image"))
    };
    (!is_valid).then(finding)
}

fn is_alibaba_name(name: &str) -> bool {
    let begins = name.chars().next().is_some_and(char::is_alphabetic);
    begins
        && name.chars().nth(1).is_some()
        && !RESERVED.iter().chain(&LINKS).any(|word| name.to_ascii_lowercase().starts_with(word))
        && name.chars().all(|c| c.is_alphanumeric() || ".:_-".contains(c))
}

fn unsupported(cloud: Cloud, field: &str, what: &str) -> Finding {
    Finding::new(Reason::CopyOptionUnsupported, field)
        .message(format!("{cloud} {what}"))
        .source(sources::call(cloud))
        .fix(format!("Leave {field} out"))
}

fn labels_of_alibaba(spec: &CopySpec) -> Vec<Finding> {
    if spec.cloud == Cloud::Alibaba {
        return resource_group(spec).into_iter().collect();
    }
    let asked = [
        ("spec.description", spec.description.is_some(), "gives copies no description"),
        ("spec.resource_group_id", spec.resource_group_id.is_some(), "has no resource groups"),
        ("spec.tags", !spec.tags.is_empty(), "takes no tags with a copy"),
    ];
    let asked = asked.into_iter().filter(|(_, is_asked, _)| *is_asked);
    asked.map(|(field, _, what)| unsupported(spec.cloud, field, what)).collect()
}

fn resource_group(spec: &CopySpec) -> Option<Finding> {
    const FORM: &str = "up to 64 letters, digits or hyphens, such as rg-bp67acfmxazb4p";
    let id = spec.resource_group_id.as_deref()?;
    let is_valid = id.len() <= 64 && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let finding = Finding::new(Reason::FieldMalformed, "spec.resource_group_id");
    (!is_valid)
        .then(|| finding.message("the resource group is malformed").limit(FORM, shown(id)).fix(format!("Use {FORM}")))
}

fn description(spec: &CopySpec) -> Option<Finding> {
    let text = spec.description.as_deref().filter(|_| spec.cloud == Cloud::Alibaba)?;
    let length = text.chars().count();
    let is_valid = DESCRIPTION_CHARS.contains(&length) && !LINKS.iter().any(|link| text.starts_with(link));
    let finding = || {
        Finding::new(Reason::DescriptionMalformed, "spec.description")
            .message("the description is too short or too long, or begins with a link")
            .limit("2 to 256 characters, not beginning with http:// or https://", format!("{length} characters"))
            .source(sources::call(spec.cloud))
    };
    (!is_valid).then(finding)
}

fn encryption(spec: &CopySpec) -> Vec<Finding> {
    let mut findings = Vec::new();
    let keys =
        spec.destinations.iter().enumerate().filter_map(|(index, destination)| {
            Some((spec.field(index, "kms_key_id"), destination.kms_key_id.as_deref()?))
        });
    let of_all = spec.encryption.as_ref().and_then(|encryption| encryption.kms_key_id.as_deref());
    let all = of_all.map(|key| ("spec.encryption.kms_key_id".to_owned(), key));
    for (field, key) in all.into_iter().chain(keys) {
        findings.extend(key_id(&field, key));
        if spec.encryption.is_none() {
            findings.push(
                Finding::new(Reason::EncryptionMalformed, &field)
                    .message("a key is given without encryption")
                    .source(sources::refusals(spec.cloud))
                    .fix("Set spec.encryption too, or leave the key out"),
            );
        }
    }
    findings.extend(one_key_for_many(spec));
    if let Some(home) = spec.home().filter(|_| spec.cloud == Cloud::Tencent && spec.encryption.is_some()) {
        let elsewhere = spec.destinations.iter().enumerate().filter(|(_, other)| other.region != *home);
        findings.extend(elsewhere.map(|(index, destination)| {
            Finding::new(Reason::EncryptionRefused, spec.field(index, "region"))
                .message(format!(
                    "tencent encrypts within the region of the image, not on the way to {}",
                    destination.region
                ))
                .limit(home.as_str(), destination.region.as_str())
                .source(sources::call(spec.cloud))
                .fix(format!("Leave the encryption out, or make an encrypted copy in {home} alone"))
        }));
    }
    findings
}

fn key_id(field: &str, key: &str) -> Option<Finding> {
    const FORM: &str = "up to 128 letters, digits or any of - _ / :";
    let is_valid = key.len() <= KEY_ID_CHARS && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_/:".contains(c));
    let finding = Finding::new(Reason::EncryptionMalformed, field);
    (!is_valid).then(|| finding.message("the key id is malformed").limit(FORM, shown(key)).fix(format!("Use {FORM}")))
}

/// Keys never leave their region.
fn one_key_for_many(spec: &CopySpec) -> Option<Finding> {
    spec.encryption.as_ref()?.kms_key_id.as_ref()?;
    let users = spec.destinations.iter().filter(|destination| destination.kms_key_id.is_none()).count();
    (users > 1).then(|| {
        Finding::new(Reason::KmsKeyRefused, "spec.encryption.kms_key_id")
            .message(format!("one key is meant for {users} regions, and keys belong to one region each"))
            .source(sources::OWN)
            .fix("Give each destination its own key: spec.destinations[].kms_key_id")
            .warning()
    })
}

fn tags(spec: &CopySpec, ground: Ground<'_>) -> Vec<Finding> {
    if spec.cloud == Cloud::Tencent {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let count = u64::try_from(spec.tags.len()).unwrap_or(u64::MAX);
    if let Some(limit) = ground.limits.number(spec.cloud, "copy.tags")
        && limit.value.is_some_and(|most| count > most)
    {
        let finding = Finding::new(Reason::TagsFull, "spec.tags").message(format!("there are {count} tags"));
        findings.extend(finding.by_limit(spec.cloud, limit, count));
    }
    let is_wrong = |(key, value): &(&String, &String)| {
        let lower = key.to_ascii_lowercase();
        key.is_empty()
            || key.chars().count() > TAG_CHARS
            || value.chars().count() > TAG_CHARS
            || RESERVED.iter().chain(&LINKS).any(|word| lower.starts_with(word))
            || LINKS.iter().any(|link| value.starts_with(link))
    };
    findings.extend(spec.tags.iter().filter(is_wrong).map(|(key, _)| {
        Finding::new(Reason::TagMalformed, "spec.tags")
            .message(format!("tag `{}` breaks the cloud's rule", shown(key)))
            .limit("keys of 1 to 128 characters that do not begin with aliyun, acs: or a link", shown(key))
            .source(sources::call(spec.cloud))
    }));
    findings
}

fn shares(spec: &CopySpec, ground: Ground<'_>) -> Vec<Finding> {
    const FIELD: &str = "spec.share_with";
    let mut findings = Vec::new();
    let count = u64::try_from(spec.share_with.len()).unwrap_or(u64::MAX);
    if let Some(limit) = ground.limits.number(spec.cloud, "share.accounts")
        && limit.value.is_some_and(|most| count > most)
    {
        let finding = Finding::new(Reason::ShareQuotaSpent, FIELD).message(format!("there are {count} accounts"));
        findings.extend(finding.fix("Share with fewer accounts").by_limit(spec.cloud, limit, count));
    }
    let own = ground.accounts.get(&spec.account).and_then(|account| account.number.as_deref());
    for (index, account) in spec.share_with.iter().enumerate() {
        let field = format!("{FIELD}[{index}]");
        let is_number = account.chars().all(|c| c.is_ascii_digit()) && ACCOUNT_DIGITS.contains(&account.len());
        if !is_number {
            findings.push(
                Finding::new(Reason::FieldMalformed, &field)
                    .message(format!("`{}` is no number of a root account", shown(account)))
                    .limit("5 to 20 digits", shown(account))
                    .source(sources::OWN)
                    .fix("Use the number of the root account: digits only, no names and no sub-accounts"),
            );
        } else if spec.share_with[..index].contains(account) {
            let finding = Finding::new(Reason::FieldMalformed, &field);
            findings.push(finding.message(format!("{account} is named twice")).fix("Name each account once"));
        } else if own == Some(account) {
            let finding = Finding::new(Reason::ShareWithOwnAccount, &field);
            findings.push(finding.message(format!("{account} is the account that makes the copies")));
        }
    }
    findings
}

fn route(spec: &CopySpec, ground: Ground<'_>) -> Vec<Finding> {
    const FIELD: &str = "spec.route";
    if spec.route != Some(Route::Snapshots) {
        return Vec::new();
    }
    let Some(account) = ground.accounts.get(&spec.account) else { return Vec::new() };
    if !account.copies.copy_traits().copies_snapshots {
        return vec![unsupported(spec.cloud, FIELD, "copies no snapshots")];
    }
    let at_home = spec.destinations.iter().any(|destination| spec.home() == Some(&destination.region));
    let finding = || {
        Finding::new(Reason::SnapshotNotCopyable, FIELD)
            .message(format!("snapshots are not copied within {}", spec.region))
            .source(("Alibaba Cloud, CopySnapshot API reference, error codes", "2026-01"))
            .fix("Leave the route out for the copy within the region")
    };
    at_home.then(finding).into_iter().collect()
}
