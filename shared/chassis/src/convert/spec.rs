//! Reads what the specs of several services have in common: the image, periods, limits of cost, labels, request ids,
//! what a spent quota means.
//!
//! Every wrong field is found at once and told as a broken rule. What only one service asks for is read there.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use sampan_cloud::Accounts;
use sampan_core::finding::{Finding, Source, shown};
use sampan_core::limits::Limits;
use sampan_core::{AccountName, Cloud, ImageId, Reason, Region, RequestId};
use sampan_proto::billing::v1 as billing_pb;
use sampan_proto::image::v1 as pb;
use sampan_proto::quota::v1::WhenQuotaSpent;
use sampan_state::OnSpent;

use crate::cost::CostLimit;

/// Most labels of an operation.
pub const MAX_LABELS: usize = 64;
const MAX_LABEL_KEY: usize = 63;
const MAX_LABEL_VALUE: usize = 255;

/// An image of a configured account, well-formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedImage {
    /// Cloud of the account.
    pub cloud: Cloud,
    /// Configured account.
    pub account: AccountName,
    /// Region of the image.
    pub region: Region,
    /// The image.
    pub image: ImageId,
}

/// What a message says of an image: the parts that are well-formed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadImage {
    /// Cloud of the account.
    pub cloud: Option<Cloud>,
    /// Configured account.
    pub account: Option<AccountName>,
    /// Region of the image.
    pub region: Option<Region>,
    /// The image.
    pub image: Option<ImageId>,
}

impl ReadImage {
    /// Returns the image when all of it is well-formed.
    pub fn named(self) -> Option<NamedImage> {
        Some(NamedImage { cloud: self.cloud?, account: self.account?, region: self.region?, image: self.image? })
    }

    /// Returns the image with stand-ins for what is not well-formed, so that the rules of its cloud can look at the
    /// rest of a request; `None` without a cloud. Nothing of it may reach a cloud.
    pub fn sketch(self) -> Option<NamedImage> {
        Some(NamedImage {
            cloud: self.cloud?,
            account: self.account.or_else(stand_in)?,
            region: self.region.or_else(stand_in)?,
            image: self.image.or_else(stand_in)?,
        })
    }

    /// Returns whether all of it is well-formed.
    pub fn is_named(&self) -> bool {
        self.cloud.is_some() && self.account.is_some() && self.region.is_some() && self.image.is_some()
    }
}

/// Well-formed everywhere, and nobody's name.
fn stand_in<T: FromStr>() -> Option<T> {
    "-".parse().ok()
}

/// Periods that a field takes.
#[derive(Debug, Clone)]
pub struct Periods {
    /// Shortest and longest, in seconds.
    pub seconds: RangeInclusive<u64>,
    /// Both, in words.
    pub words: &'static str,
    /// What to do about another one.
    pub fix: &'static str,
    /// What another one is refused as.
    pub reason: Reason,
}

/// Deadlines and stall alarms.
pub const WAITS: Periods = Periods {
    seconds: 60..=30 * 24 * 3600,
    words: "1 minute to 30 days",
    fix: "Choose 1 minute to 30 days, or leave it unset: then the size of the image decides",
    reason: Reason::DeadlineOutOfRange,
};

/// Reads the fields of a spec one by one and remembers what is wrong.
#[derive(Debug)]
pub struct SpecReader<'a> {
    accounts: &'a Accounts,
    limits: &'a Limits,
    findings: Vec<Finding>,
}

impl<'a> SpecReader<'a> {
    /// Starts with nothing wrong.
    pub fn new(accounts: &'a Accounts, limits: &'a Limits) -> Self {
        Self { accounts, limits, findings: Vec::new() }
    }

    /// Notes what is wrong, or worth a word.
    pub fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Notes that a field is missing; `what` names it to a person.
    pub fn missing(&mut self, field: impl fmt::Display + Copy, what: impl fmt::Display) {
        let finding = Finding::new(Reason::FieldRequired, field).message(format!("{what} is missing"));
        self.push(finding.fix(format!("Set {field}")));
    }

    /// Notes that a field has a number that no version defines.
    pub fn unknown_enum(&mut self, field: impl fmt::Display + Copy, number: i32) {
        let finding = Finding::new(Reason::EnumValueUnknown, field);
        let finding = finding.message(format!("{field} has the unknown value {number}"));
        self.push(finding.limit("a value that the API defines", number.to_string()));
    }

    /// Returns everything that was noted, in the order of the reading.
    pub fn finish(self) -> Vec<Finding> {
        self.findings
    }

    /// Reads the image at the path `field`, each part for itself.
    pub fn image(&mut self, field: &str, image: Option<&pb::ImageReference>) -> ReadImage {
        let Some(image) = image else {
            self.missing(field, "the image");
            return ReadImage::default();
        };
        let cloud = self.cloud(format_args!("{field}.cloud"), image.cloud);
        let account = self.account(format_args!("{field}.account"), &image.account, cloud);
        let region = self.text(format_args!("{field}.region"), &image.region, Reason::FieldMalformed);
        if let (Some(cloud), Some(region)) = (cloud, &region) {
            self.known_region(format_args!("{field}.region"), cloud, region);
        }
        let id = self.text(format_args!("{field}.image_id"), &image.image_id, Reason::ImageIdMalformed);
        if let (Some(cloud), Some(id)) = (cloud, &id) {
            self.image_id(format_args!("{field}.image_id"), cloud, id);
        }
        ReadImage { cloud, account, region, image: id }
    }

    /// Reads a period in whole seconds; `None` when there is none, or one that the field does not take.
    pub fn period(&mut self, field: &str, asked: Option<prost_types::Duration>, periods: &Periods) -> Option<u64> {
        let asked = asked?;
        let in_range = |seconds: &u64| periods.seconds.contains(seconds) && (0..1_000_000_000).contains(&asked.nanos);
        let seconds = u64::try_from(asked.seconds).ok().filter(in_range);
        if seconds.is_none() {
            let finding = Finding::new(periods.reason, field).message(format!("{field} is out of range"));
            self.push(finding.limit(periods.words, format!("{} s", asked.seconds)).fix(periods.fix));
        }
        seconds
    }

    /// Reads the most that a job may cost.
    pub fn max_cost(&mut self, field: &str, limit: Option<&billing_pb::CostLimit>) -> Option<CostLimit> {
        CostLimit::parse(limit?, field).map_err(|finding| self.push(*finding)).ok()
    }

    /// Reads what a spent quota means; unspecified means a refusal.
    pub fn when_quota_spent(&mut self, field: &str, number: i32) -> OnSpent {
        match WhenQuotaSpent::try_from(number) {
            Ok(WhenQuotaSpent::Unspecified | WhenQuotaSpent::Fail) => OnSpent::Refuse,
            Ok(WhenQuotaSpent::Queue) => OnSpent::Queue,
            Err(_) => {
                self.unknown_enum(field, number);
                OnSpent::Refuse
            }
        }
    }

    /// Reads an identifier that must be there and well-formed. The path of the field is written out only when it is not.
    pub fn text<T: FromStr<Err = sampan_core::ids::InvalidId>>(
        &mut self,
        field: impl fmt::Display + Copy,
        text: &str,
        reason: Reason,
    ) -> Option<T> {
        if text.is_empty() {
            self.missing(field, field);
            return None;
        }
        match text.parse() {
            Ok(id) => Some(id),
            Err(error) => {
                let finding = Finding::new(reason, field).message(error.to_string());
                self.push(finding.limit(error.rule, error.text).fix(format!("Use {} for {field}", error.rule)));
                None
            }
        }
    }

    fn cloud(&mut self, field: impl fmt::Display + Copy, number: i32) -> Option<Cloud> {
        match pb::Cloud::try_from(number) {
            Ok(pb::Cloud::Tencent) => Some(Cloud::Tencent),
            Ok(pb::Cloud::Alibaba) => Some(Cloud::Alibaba),
            Ok(pb::Cloud::Unspecified) => {
                self.missing(field, "the cloud");
                None
            }
            Err(_) => {
                self.unknown_enum(field, number);
                None
            }
        }
    }

    fn account(&mut self, field: impl fmt::Display + Copy, text: &str, cloud: Option<Cloud>) -> Option<AccountName> {
        let name = self.text::<AccountName>(field, text, Reason::FieldMalformed)?;
        let Some(account) = self.accounts.get(&name) else {
            let known: Vec<_> = self.accounts.iter().map(|account| account.name.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            self.push(
                Finding::new(Reason::AccountUnknown, field)
                    .message(format!("no account `{name}` is configured"))
                    .fix(format!("Use one of: {known}; or add `{name}` to the configuration"))
                    .limit(format!("configured: {known}"), text.to_owned()),
            );
            return None;
        };
        if cloud.is_some_and(|cloud| cloud != account.cloud) {
            let of = account.cloud;
            let finding = Finding::new(Reason::AccountOfOtherCloud, field);
            let finding = finding.message(format!("account `{name}` belongs to {of}"));
            self.push(finding.fix(format!("Name {of} as the cloud, or an account of the other cloud")));
            return None;
        }
        Some(name)
    }

    /// Checks a region against the list of the cloud. Vendors open regions faster than programs are updated: an
    /// unknown one is left to the cloud, with a warning.
    pub fn known_region(&mut self, field: impl fmt::Display, cloud: Cloud, region: &Region) {
        let code = region.as_str();
        let Some(words) = self.limits.words(cloud, "regions") else { return };
        if words.values.iter().any(|known| known == code) {
            return;
        }
        if let Some(other) = self.limits.cloud_of_region(code) {
            let finding = Finding::new(Reason::RegionOfOtherCloud, field);
            let finding = finding.message(format!("{code} is no region of {cloud}"));
            let finding = finding.source((words.source.as_str(), words.date.as_str()));
            self.push(finding.fix(format!("Name a region of {cloud}, or an account and an image of {other}")));
            return;
        }
        let finding = Finding::new(Reason::FieldMalformed, field)
            .message(format!("{code} is not a known region of {cloud}"))
            .fix("Check the spelling; if the region is a new one, go on, or add it to the list by configuration");
        self.findings.extend(finding.by_words(cloud, words, code).map(Finding::warning));
    }

    fn image_id(&mut self, field: impl fmt::Display, cloud: Cloud, id: &ImageId) {
        let id = id.as_str();
        let (valid, form, fix) = match cloud {
            Cloud::Tencent => (
                lower_id(id, "img-"),
                "img- and lower-case letters or digits",
                "Copy the id from the list of images at Tencent Cloud; it looks like img-72n9mi0y",
            ),
            // The vendor's own images have long names that end in .vhd; they are refused later, as not custom.
            Cloud::Alibaba => (
                lower_id(id, "m-") || id.ends_with(".vhd"),
                "m- and lower-case letters or digits",
                "Copy the id from the list of images at Alibaba Cloud; it looks like m-bp67acfmxazb4p0001",
            ),
        };
        if !valid {
            let finding = Finding::new(Reason::ImageIdMalformed, field);
            let finding = finding.message(format!("`{}` is no image id of {cloud}", shown(id)));
            self.push(finding.limit(form, shown(id)).source(image_ids(cloud)).fix(fix));
        }
    }
}

fn lower_id(id: &str, prefix: &str) -> bool {
    id.strip_prefix(prefix).is_some_and(|rest| {
        !rest.is_empty() && rest.len() <= 40 && rest.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    })
}

/// Returns where the form of image ids is written down.
fn image_ids(cloud: Cloud) -> Source<'static> {
    match cloud {
        Cloud::Tencent => ("packer-plugin-tencentcloud, check of resource ids", "2025-05-30"),
        Cloud::Alibaba => ("alibabacloud-ecs20140526 7.11.8, DescribeImages", "2026"),
    }
}

/// Returns what is wrong with the caller's labels, the first 64 of them.
pub fn check_labels(labels: &BTreeMap<String, String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if labels.len() > MAX_LABELS {
        let finding = Finding::new(Reason::NumberOutOfRange, "labels");
        let finding = finding.message(format!("there are {} labels", labels.len()));
        let finding = finding.fix(format!("Send {MAX_LABELS} labels or fewer"));
        findings.push(finding.limit(format!("{MAX_LABELS} labels"), labels.len().to_string()));
    }
    let is_wrong = |(key, value): &(&String, &String)| {
        key.is_empty() || key.len() > MAX_LABEL_KEY || value.len() > MAX_LABEL_VALUE
    };
    for (key, value) in labels.iter().filter(is_wrong).take(MAX_LABELS) {
        let message = match key.is_empty() {
            true => "a label has no key".to_owned(),
            false => format!("label `{}` is too long", shown(key)),
        };
        let finding = Finding::new(Reason::FieldMalformed, "labels")
            .message(message)
            .fix(format!("Use keys of 1 to {MAX_LABEL_KEY} bytes and values of {MAX_LABEL_VALUE} bytes or fewer"));
        let limit = format!("keys of 1 to {MAX_LABEL_KEY} bytes, values up to {MAX_LABEL_VALUE} bytes");
        findings.push(finding.limit(limit, format!("{} and {} bytes", key.len(), value.len())));
    }
    findings
}

/// Reads the caller's idempotency key; what is wrong with it is added to `findings`.
pub fn request_id(text: &str, findings: &mut Vec<Finding>) -> Option<RequestId> {
    if text.is_empty() {
        return None;
    }
    let wrong = |error: sampan_core::ids::InvalidId| {
        let finding = Finding::new(Reason::FieldMalformed, "request_id").message(error.to_string());
        findings.push(finding.fix("Send a UUID that is new for every start, or none"));
    };
    text.parse().map_err(wrong).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_bounded_in_number_and_length() {
        let wrong = |labels: BTreeMap<String, String>| -> Vec<String> {
            check_labels(&labels).into_iter().map(|finding| finding.violation().rule).collect()
        };
        let labels = |count: usize| (0..count).map(|index| (format!("k{index}"), String::new())).collect();
        assert!(wrong(labels(64)).is_empty());
        assert_eq!(wrong(labels(65)), ["NUMBER_OUT_OF_RANGE"]);
        let one = |key: String, value: String| wrong(BTreeMap::from([(key, value)]));
        assert!(one("k".repeat(63), "v".repeat(255)).is_empty());
        for (key, value) in
            [("k".repeat(64), String::new()), ("k".to_owned(), "v".repeat(256)), (String::new(), String::new())]
        {
            assert_eq!(one(key, value), ["FIELD_MALFORMED"]);
        }
        let flood = (0..100_000).map(|index| (format!("{index:070}"), String::new())).collect();
        assert!(wrong(flood).len() <= 65, "an answer stays small whatever comes");
    }
}
