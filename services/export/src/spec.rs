//! Decides what a well-formed export request is: turns the message into an [`ExportSpec`], without I/O.
//!
//! Every field error is found at once. What only the cloud can tell is left to [`crate::survey`] and
//! [`crate::rules`].

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use sampan_chassis::cost::CostLimit;
use sampan_cloud::Accounts;
use sampan_cloud::bucket::BucketRef;
use sampan_cloud::image::ExportCall;
use sampan_core::limits::Limits;
use sampan_core::{AccountName, Cloud, ImageFormat, ImageId, Lane, Reason, Region, Violation};
use sampan_proto::billing::v1 as billing_pb;
use sampan_proto::export::v1 as pb;
use sampan_proto::image::v1 as image_pb;
use sampan_proto::quota::v1::WhenQuotaSpent;
use sampan_state::OnSpent;
use serde::{Deserialize, Serialize};

use crate::expected_use::ExpectedUse;
use crate::rules::{self, Finding, shown};

/// Shortest and longest deadline and stall alarm.
const WAIT_RANGE: std::ops::RangeInclusive<u64> = 60..=30 * 24 * 3600;
const MAX_LABELS: usize = 64;
const MAX_LABEL_KEY: usize = 63;
const MAX_LABEL_VALUE: usize = 255;

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
    /// Checks a message.
    ///
    /// Returns the spec and the warnings of its fields.
    ///
    /// # Errors
    /// Every field that is wrong, in the order of the fields; never empty.
    pub fn parse(
        message: Option<pb::ExportSpec>,
        ground: Ground<'_>,
    ) -> Result<(Self, Vec<Violation>), Vec<Violation>> {
        match Self::read(message, ground) {
            Reading { spec: Some(spec), broken, warnings } if broken.is_empty() => Ok((spec, warnings)),
            Reading { broken, .. } => Err(broken),
        }
    }

    /// Looks a message through and makes the best of it.
    pub fn read(message: Option<pb::ExportSpec>, ground: Ground<'_>) -> Reading {
        let Some(message) = message else {
            let finding = Finding::new(Reason::FieldRequired, "spec").message("the spec is missing");
            let broken = finding.fix("Set spec: the image, the bucket, and what differs from the defaults").violation();
            return Reading { spec: None, broken: vec![broken], warnings: Vec::new() };
        };
        let mut fields = Fields { ground, broken: Vec::new() };
        let image = fields.image(message.image.as_ref());
        fields.bucket(&message.bucket);
        let format = fields.format(message.format);
        let role_name = fields.role_name(&message.role_name);
        let on_spent = fields.when_quota_spent(message.when_quota_spent);
        let deadline_seconds = fields.wait("spec.deadline", message.deadline);
        let stall_after_seconds = fields.wait("spec.stall_after", message.stall_after);
        let max_cost = fields.max_cost(message.max_cost.as_ref());
        let expected_use = ExpectedUse::read(message.expected_use.as_ref(), &mut fields.broken);
        // Without a cloud the vendor's own rules cannot be told; everything else has been looked at.
        let Some((cloud, account, region, image)) = image else {
            return Reading { spec: None, broken: fields.broken, warnings: Vec::new() };
        };
        let spec = Self {
            cloud,
            account,
            region,
            image,
            bucket: message.bucket,
            prefix: message.prefix,
            format: format.unwrap_or(ImageFormat::Raw),
            only_root_disk: message.only_root_disk,
            role_name,
            queue_when_quota_spent: on_spent == Some(OnSpent::Queue),
            deadline_seconds,
            stall_after_seconds,
            max_cost,
            expected_use,
        };
        let (enforced, warnings) = rules::split(rules::request::check(&spec, ground));
        fields.broken.extend(enforced);
        Reading { spec: Some(spec), broken: fields.broken, warnings }
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

/// Checks the caller's labels.
///
/// # Errors
/// Labels that are wrong, the first 64 of them.
pub fn check_labels(labels: &BTreeMap<String, String>) -> Result<(), Vec<Violation>> {
    let mut broken = Vec::new();
    if labels.len() > MAX_LABELS {
        let finding = Finding::new(Reason::NumberOutOfRange, "labels")
            .message(format!("there are {} labels", labels.len()))
            .fix(format!("Send {MAX_LABELS} labels or fewer"));
        broken.push(finding.limit(format!("{MAX_LABELS} labels"), labels.len().to_string()).violation());
    }
    let is_wrong = |(key, value): &(&String, &String)| {
        key.is_empty() || key.len() > MAX_LABEL_KEY || value.len() > MAX_LABEL_VALUE
    };
    for (key, value) in labels.iter().filter(is_wrong).take(MAX_LABELS) {
        let limit = format!("keys of 1 to {MAX_LABEL_KEY} bytes, values up to {MAX_LABEL_VALUE} bytes");
        let message = match key.is_empty() {
            true => "a label has no key".to_owned(),
            false => format!("label `{}` is too long", shown(key)),
        };
        let finding = Finding::new(Reason::FieldMalformed, "labels")
            .message(message)
            .fix(format!("Use keys of 1 to {MAX_LABEL_KEY} bytes and values of {MAX_LABEL_VALUE} bytes or fewer"));
        broken.push(finding.limit(limit, format!("{} and {} bytes", key.len(), value.len())).violation());
    }
    if broken.is_empty() { Ok(()) } else { Err(broken) }
}

/// Reads the fields one by one and remembers what is wrong.
struct Fields<'a> {
    ground: Ground<'a>,
    broken: Vec<Violation>,
}

impl Fields<'_> {
    fn push(&mut self, finding: Finding) {
        self.broken.push(finding.violation());
    }

    fn missing(&mut self, field: &str, what: &str) {
        let finding = Finding::new(Reason::FieldRequired, field).message(format!("{what} is missing"));
        self.push(finding.fix(format!("Set {field}")));
    }

    fn bucket(&mut self, name: &str) {
        if name.is_empty() {
            self.missing("spec.bucket", "the bucket");
        }
    }

    fn image(&mut self, image: Option<&image_pb::ImageReference>) -> Option<(Cloud, AccountName, Region, ImageId)> {
        let Some(image) = image else {
            self.missing("spec.image", "the image");
            return None;
        };
        let cloud = self.cloud(image.cloud);
        let account = self.account(&image.account, cloud);
        let region = self.text::<Region>("spec.image.region", &image.region, Reason::FieldMalformed);
        let id = self.text::<ImageId>("spec.image.image_id", &image.image_id, Reason::ImageIdMalformed);
        Some((cloud?, account?, region?, id?))
    }

    fn cloud(&mut self, number: i32) -> Option<Cloud> {
        match image_pb::Cloud::try_from(number) {
            Ok(image_pb::Cloud::Tencent) => Some(Cloud::Tencent),
            Ok(image_pb::Cloud::Alibaba) => Some(Cloud::Alibaba),
            Ok(image_pb::Cloud::Unspecified) => {
                self.missing("spec.image.cloud", "the cloud");
                None
            }
            Err(_) => self.unknown_enum("spec.image.cloud", number),
        }
    }

    fn account(&mut self, text: &str, cloud: Option<Cloud>) -> Option<AccountName> {
        let name = self.text::<AccountName>("spec.image.account", text, Reason::FieldMalformed)?;
        let Some(account) = self.ground.accounts.get(&name) else {
            let known: Vec<_> = self.ground.accounts.iter().map(|account| account.name.as_str()).collect();
            let finding = Finding::new(Reason::AccountUnknown, "spec.image.account");
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            self.push(
                finding
                    .message(format!("no account `{name}` is configured"))
                    .fix(format!("Use one of: {known}; or add `{name}` to the configuration"))
                    .limit(format!("configured: {known}"), text.to_owned()),
            );
            return None;
        };
        if cloud.is_some_and(|cloud| cloud != account.cloud) {
            let finding = Finding::new(Reason::AccountOfOtherCloud, "spec.image.account");
            let finding = finding.message(format!("account `{name}` belongs to {}", account.cloud));
            self.push(finding.fix(format!("Name {} as the cloud, or an account of the other cloud", account.cloud)));
            return None;
        }
        Some(name)
    }

    fn text<T: FromStr<Err = sampan_core::ids::InvalidId>>(
        &mut self,
        field: &'static str,
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

    fn format(&mut self, number: i32) -> Option<ImageFormat> {
        match image_pb::ImageFormat::try_from(number) {
            Ok(image_pb::ImageFormat::Unspecified | image_pb::ImageFormat::Raw) => Some(ImageFormat::Raw),
            Ok(image_pb::ImageFormat::Vhd) => Some(ImageFormat::Vhd),
            Ok(image_pb::ImageFormat::Qcow2) => Some(ImageFormat::Qcow2),
            Ok(image_pb::ImageFormat::Vmdk) => Some(ImageFormat::Vmdk),
            Ok(image_pb::ImageFormat::Vdi) => Some(ImageFormat::Vdi),
            Err(_) => self.unknown_enum("spec.format", number),
        }
    }

    fn when_quota_spent(&mut self, number: i32) -> Option<OnSpent> {
        match WhenQuotaSpent::try_from(number) {
            Ok(WhenQuotaSpent::Unspecified | WhenQuotaSpent::Fail) => Some(OnSpent::Refuse),
            Ok(WhenQuotaSpent::Queue) => Some(OnSpent::Queue),
            Err(_) => self.unknown_enum("spec.when_quota_spent", number),
        }
    }

    fn unknown_enum<T>(&mut self, field: &'static str, number: i32) -> Option<T> {
        let finding = Finding::new(Reason::EnumValueUnknown, field);
        let finding = finding.message(format!("{field} has the unknown value {number}"));
        self.push(finding.limit("a value that the API defines", number.to_string()));
        None
    }

    fn wait(&mut self, field: &'static str, wait: Option<prost_types::Duration>) -> Option<u64> {
        let wait = wait?;
        let in_range = |seconds: &u64| WAIT_RANGE.contains(seconds) && (0..1_000_000_000).contains(&wait.nanos);
        let seconds = u64::try_from(wait.seconds).ok().filter(in_range);
        if seconds.is_none() {
            let finding = Finding::new(Reason::DeadlineOutOfRange, field).message(format!("{field} is out of range"));
            let finding =
                finding.fix("Choose 1 minute to 30 days, or leave it unset: then the size of the image decides");
            self.push(finding.limit("1 minute to 30 days", format!("{} s", wait.seconds)));
        }
        seconds
    }

    fn max_cost(&mut self, limit: Option<&billing_pb::CostLimit>) -> Option<CostLimit> {
        CostLimit::parse(limit?, "spec.max_cost").map_err(|broken| self.broken.push(*broken)).ok()
    }

    fn role_name(&mut self, name: &str) -> Option<String> {
        let valid = name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-+=,.@".contains(c));
        if !valid {
            const FORM: &str = "up to 64 letters, digits or any of _ - + = , . @";
            let finding = Finding::new(Reason::FieldMalformed, "spec.role_name").message("the role name is malformed");
            let finding = finding.fix(format!("Use {FORM}; or leave it unset for the cloud's default role"));
            self.push(finding.limit(FORM, shown(name)));
        }
        (!name.is_empty()).then(|| name.to_owned())
    }
}
