//! Decides what a well-formed export request is: turns the message into an [`ExportSpec`], without I/O.
//!
//! Every field error is found at once. What only the cloud can tell is left to [`crate::survey`] and
//! [`crate::rules`].

use std::time::Duration;

use sampan_chassis::convert::image;
use sampan_chassis::convert::spec::{NamedImage, SpecReader, WAITS};
use sampan_chassis::cost::CostLimit;
use sampan_cloud::Accounts;
use sampan_cloud::bucket::BucketRef;
use sampan_cloud::image::ExportCall;
use sampan_core::limits::Limits;
use sampan_core::{AccountName, Cloud, ImageFormat, ImageId, Lane, Reason, Region, Violation};
use sampan_proto::export::v1 as pb;
use sampan_state::OnSpent;
use serde::{Deserialize, Serialize};

use crate::expected_use::ExpectedUse;
use crate::rules::{self, Finding, shown};

/// A checked export: what its record keeps as the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportSpec {
    /// Cloud of the account.
    pub cloud: Cloud,
    /// Configured account.
    pub account: AccountName,
    /// Region of image and bucket.
    pub region: Region,
    /// The image.
    pub image: ImageId,
    /// The bucket.
    pub bucket: String,
    /// Beginning of the object names.
    pub prefix: Option<String>,
    /// File format.
    pub format: ImageFormat,
    /// Whether data disks are left out.
    pub only_root_disk: bool,
    /// Role by which the cloud writes; `None` means the vendor's default.
    pub role_name: Option<String>,
    /// Whether it waits when the day's quota is spent; otherwise it is refused.
    pub queue_when_quota_spent: bool,
    /// How long Sampan waits for the cloud, in seconds; `None` leaves it to the image's size.
    pub deadline_seconds: Option<u64>,
    /// How long without progress counts as a stall, in seconds; `None` leaves it to the image's size.
    pub stall_after_seconds: Option<u64>,
    /// The most that it may cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost: Option<CostLimit>,
    /// What becomes of the files, for estimates.
    #[serde(default, skip_serializing_if = "ExpectedUse::is_default")]
    pub expected_use: ExpectedUse,
    /// The message names no region that is well-formed, and another text stands for it; never so in a spec that is
    /// carried out.
    #[serde(skip)]
    pub lacks_region: bool,
}

/// What a request is checked against.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// Configured accounts.
    pub accounts: &'a Accounts,
    /// Limits in force.
    pub limits: &'a Limits,
}

/// A message that was looked through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What is asked for; `None` when not even the image is named well. Fields that are broken stand as they came, or
    /// as their default.
    pub spec: Option<ExportSpec>,
    /// Every field that is wrong, in the order of the fields.
    pub broken: Vec<Violation>,
    /// What the caller should know.
    pub warnings: Vec<Violation>,
}

impl Reading {
    /// Returns whether a part of the request is wrong: the path of a field, or of a group of fields.
    pub fn doubts(&self, path: &str) -> bool {
        self.broken.iter().any(|violation| violation.field.starts_with(path))
    }
}

impl ExportSpec {
    /// Looks a message through and makes the best of it.
    pub fn read(message: Option<pb::ExportSpec>, ground: Ground<'_>) -> Reading {
        let Some(message) = message else {
            let finding = Finding::new(Reason::FieldRequired, "spec").message("the spec is missing");
            let broken = finding.fix("Set spec: the image, the bucket, and what differs from the defaults").violation();
            return Reading { spec: None, broken: vec![broken], warnings: Vec::new() };
        };
        let mut reader = SpecReader::new(ground.accounts, ground.limits);
        let read = reader.image("spec.image", message.image.as_ref());
        if message.bucket.is_empty() {
            reader.missing("spec.bucket", "the bucket");
        }
        let format = format(&mut reader, message.format);
        let role_name = role_name(&mut reader, &message.role_name);
        let on_spent = reader.when_quota_spent("spec.when_quota_spent", message.when_quota_spent);
        let deadline_seconds = reader.period("spec.deadline", message.deadline, &WAITS);
        let stall_after_seconds = reader.period("spec.stall_after", message.stall_after, &WAITS);
        let max_cost = reader.max_cost("spec.max_cost", message.max_cost.as_ref());
        let expected_use = ExpectedUse::read(message.expected_use.as_ref(), &mut reader);
        let mut findings = reader.finish();
        // Without a cloud the vendor's own rules cannot be told; everything else has been looked at.
        let (is_named, lacks_region) = (read.is_named(), read.region.is_none());
        let Some(NamedImage { cloud, account, region, image }) = read.sketch() else {
            let (broken, warnings) = rules::split(findings);
            return Reading { spec: None, broken, warnings };
        };
        let spec = Self {
            cloud,
            account,
            region,
            image,
            bucket: message.bucket,
            prefix: message.prefix,
            format,
            only_root_disk: message.only_root_disk,
            role_name,
            queue_when_quota_spent: on_spent == OnSpent::Queue,
            deadline_seconds,
            stall_after_seconds,
            max_cost,
            expected_use,
            lacks_region,
        };
        findings.extend(rules::request::check(&spec, ground));
        let (broken, warnings) = rules::split(findings);
        Reading { spec: is_named.then_some(spec), broken, warnings }
    }

    /// Returns the lane of the export's mutating call.
    pub fn lane(&self) -> Lane {
        Lane { cloud: self.cloud, account: self.account.clone(), region: self.region.clone() }
    }

    /// Returns what the cloud is asked for.
    pub fn call(&self) -> ExportCall {
        ExportCall {
            region: self.region.clone(),
            image: self.image.clone(),
            bucket: self.bucket.clone(),
            prefix: self.prefix.clone(),
            format: self.format,
            root_disk_only: self.only_root_disk,
            role_name: self.role_name.clone(),
        }
    }

    /// Returns the bucket at the image's region.
    pub fn bucket_ref(&self) -> BucketRef {
        BucketRef { name: self.bucket.clone(), region: self.region.clone() }
    }

    /// Returns the beginning that all keys of this export share: `PREFIX_IMAGEID_`, or `IMAGEID_` without a prefix.
    pub fn key_stem(&self) -> String {
        self.prefix.as_ref().map_or_else(|| format!("{}_", self.image), |prefix| format!("{prefix}_{}_", self.image))
    }

    /// Returns the asked-for deadline.
    pub fn deadline(&self) -> Option<Duration> {
        self.deadline_seconds.map(Duration::from_secs)
    }

    /// Returns the asked-for stall alarm.
    pub fn stall_after(&self) -> Option<Duration> {
        self.stall_after_seconds.map(Duration::from_secs)
    }
}

/// Reads the file format; unspecified means RAW, and so does one that no version defines, which is noted.
fn format(reader: &mut SpecReader<'_>, number: i32) -> ImageFormat {
    image::asked_format(number).unwrap_or_else(|| {
        reader.unknown_enum("spec.format", number);
        ImageFormat::Raw
    })
}

fn role_name(reader: &mut SpecReader<'_>, name: &str) -> Option<String> {
    const FORM: &str = "up to 64 letters, digits or any of _ - + = , . @";
    let is_valid = name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-+=,.@".contains(c));
    if !is_valid {
        let finding = Finding::new(Reason::FieldMalformed, "spec.role_name").message("the role name is malformed");
        let finding = finding.fix(format!("Use {FORM}; or leave it unset for the cloud's default role"));
        reader.push(finding.limit(FORM, shown(name)));
    }
    (!name.is_empty()).then(|| name.to_owned())
}
