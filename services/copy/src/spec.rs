//! Decides what a well-formed copy request is: turns the message into a [`CopySpec`], without I/O.
//!
//! Every field error is found at once, by [`crate::fields`] and the rules of the request. What only the cloud can
//! tell is left to [`crate::survey`] and [`crate::rules`].

use std::collections::BTreeMap;
use std::time::Duration;

use sampan_chassis::convert::spec::{NamedImage, SpecReader, WAITS};
use sampan_chassis::cost::CostLimit;
use sampan_cloud::Accounts;
use sampan_cloud::copy::{CopyCall, Encryption};
use sampan_core::limits::Limits;
use sampan_core::{AccountName, Cloud, ImageId, Lane, Reason, Region, Violation};
use sampan_proto::copy::v1 as pb;
use sampan_state::OnSpent;
use serde::{Deserialize, Serialize};

use crate::fields;
use crate::rules::{self, Finding};

/// What becomes of the good copies when others fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailurePolicy {
    /// They stay.
    #[default]
    BestEffort,
    /// They are removed.
    AllOrNothing,
}

/// How the content travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// By one copy of the image.
    Image,
    /// By a copy of each snapshot, and a new image made from these.
    Snapshots,
}

/// One region that the image is copied to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// The region.
    pub region: Region,
    /// Name of this copy in place of that of all.
    #[serde(default)]
    pub image_name: Option<String>,
    /// Key of this region in place of that of all.
    #[serde(default)]
    pub kms_key_id: Option<String>,
}

/// A checked copy: what its record keeps as the request.
///
/// While a message is looked through, destinations that name no region, or one twice, are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopySpec {
    /// Cloud of the account.
    pub cloud: Cloud,
    /// Configured account.
    pub account: AccountName,
    /// Region of the image.
    pub region: Region,
    /// The image.
    pub image: ImageId,
    /// Where to: 1 or more, each region once.
    pub destinations: Vec<Destination>,
    /// Name of the copies; `None` keeps that of the image.
    #[serde(default)]
    pub image_name: Option<String>,
    /// Description of the copies.
    #[serde(default)]
    pub description: Option<String>,
    /// Encryption of the copies; `None` leaves them as the image is.
    #[serde(default)]
    pub encryption: Option<Encryption>,
    /// Resource group of the copies.
    #[serde(default)]
    pub resource_group_id: Option<String>,
    /// Tags of the copies.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Accounts that each usable copy is shared with.
    #[serde(default)]
    pub share_with: Vec<String>,
    /// What becomes of the good copies when others fail.
    #[serde(default)]
    pub failure_policy: FailurePolicy,
    /// How the content travels; `None` leaves it to the image's size.
    #[serde(default)]
    pub route: Option<Route>,
    /// Whether it waits when the day's quota is spent; otherwise it is refused.
    pub queue_when_quota_spent: bool,
    /// How long Sampan waits for the cloud, in seconds; `None` leaves it to the image's size.
    pub deadline_seconds: Option<u64>,
    /// How long without progress counts as a stall, in seconds; `None` leaves it to the image's size.
    pub stall_after_seconds: Option<u64>,
    /// How long the copies are kept, in seconds, for estimates; `None` means 30 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_for_seconds: Option<u64>,
    /// The most that they may cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost: Option<CostLimit>,
    /// Places in the message of destinations that were left out; empty in every spec that is carried out.
    #[serde(skip)]
    pub left_out: Vec<usize>,
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
    /// as their default; broken destinations are left out.
    pub spec: Option<CopySpec>,
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

impl CopySpec {
    /// Looks a message through and makes the best of it.
    pub fn read(message: Option<pb::CopySpec>, ground: Ground<'_>) -> Reading {
        let Some(message) = message else {
            let finding = Finding::new(Reason::FieldRequired, "spec").message("the spec is missing");
            let broken = finding.fix("Set spec: the image, the destinations, and what differs from the defaults");
            return Reading { spec: None, broken: vec![broken.violation()], warnings: Vec::new() };
        };
        let mut reader = SpecReader::new(ground.accounts, ground.limits);
        let read = reader.image("spec.image", message.image.as_ref());
        let (destinations, left_out) = fields::destinations(&mut reader, read.cloud, &message.destinations);
        let failure_policy = fields::failure_policy(&mut reader, message.failure_policy);
        let route = fields::route(&mut reader, message.route);
        let on_spent = reader.when_quota_spent("spec.when_quota_spent", message.when_quota_spent);
        let deadline_seconds = reader.period("spec.deadline", message.deadline, &WAITS);
        let stall_after_seconds = reader.period("spec.stall_after", message.stall_after, &WAITS);
        let keep_for_seconds = reader.period("spec.keep_for", message.keep_for, &fields::KEEPS);
        let max_cost = reader.max_cost("spec.max_cost", message.max_cost.as_ref());
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
            destinations,
            image_name: filled(message.image_name),
            description: filled(message.description),
            encryption: message.encryption.map(|asked| Encryption { kms_key_id: filled(asked.kms_key_id) }),
            resource_group_id: filled(message.resource_group_id),
            tags: message.tags.into_iter().collect(),
            share_with: message.share_with,
            failure_policy,
            route,
            queue_when_quota_spent: on_spent == OnSpent::Queue,
            deadline_seconds,
            stall_after_seconds,
            keep_for_seconds,
            max_cost,
            left_out,
            lacks_region,
        };
        findings.extend(rules::request::check(&spec, ground));
        let (broken, warnings) = rules::split(findings);
        Reading { spec: is_named.then_some(spec), broken, warnings }
    }

    /// Returns the path of a part of the destination at `index`, by its place in the message.
    pub fn field(&self, index: usize, part: &str) -> String {
        let mut place = index;
        // In ascending order, so each one that is passed moves the place by one.
        for left_out in &self.left_out {
            place += usize::from(*left_out <= place);
        }
        format!("spec.destinations[{place}].{part}")
    }

    /// Returns the path of the region of a destination.
    pub fn field_of(&self, region: &Region) -> String {
        let index = self.destinations.iter().position(|destination| destination.region == *region);
        self.field(index.unwrap_or(0), "region")
    }

    /// Returns the region of the image, as far as it is known.
    pub fn home(&self) -> Option<&Region> {
        (!self.lacks_region).then_some(&self.region)
    }

    /// Returns the lane of the copy calls: that of the source.
    pub fn lane(&self) -> Lane {
        self.lane_of(&self.region)
    }

    /// Returns the lane of calls in another region.
    pub fn lane_of(&self, region: &Region) -> Lane {
        Lane { cloud: self.cloud, account: self.account.clone(), region: region.clone() }
    }

    /// Returns how many calls of the source's lane serve `destinations` of them.
    pub fn units(&self, destinations: usize) -> u32 {
        match (self.cloud, self.route) {
            _ if destinations == 0 => 0,
            // One call serves all.
            (Cloud::Tencent, _) => 1,
            (Cloud::Alibaba, Some(Route::Snapshots)) => 0,
            (Cloud::Alibaba, Some(Route::Image) | None) => u32::try_from(destinations).unwrap_or(u32::MAX),
        }
    }

    /// Returns the destination of that region.
    pub fn destination(&self, region: &Region) -> Option<&Destination> {
        self.destinations.iter().find(|destination| destination.region == *region)
    }

    /// Returns the name of the copy in a region; `kept` is the name of the image.
    pub fn name_in(&self, region: &Region, kept: &str) -> String {
        let own = self.destination(region).and_then(|destination| destination.image_name.clone());
        own.or_else(|| self.image_name.clone()).unwrap_or_else(|| kept.to_owned())
    }

    /// Returns the encryption of the copy in a region.
    pub fn encryption_in(&self, region: &Region) -> Option<Encryption> {
        let own = self.destination(region).and_then(|destination| destination.kms_key_id.clone());
        self.encryption.as_ref().map(|all| Encryption { kms_key_id: own.or_else(|| all.kms_key_id.clone()) })
    }

    /// Returns what the cloud is asked for; `regions` is never empty, and `name` that of the copies.
    pub fn call(&self, regions: Vec<Region>, name: String, token: Option<String>) -> CopyCall {
        let encryption = regions.first().and_then(|region| self.encryption_in(region));
        CopyCall {
            source: self.region.clone(),
            image: self.image.clone(),
            destinations: regions,
            name: Some(name),
            description: self.description.clone(),
            encryption,
            resource_group_id: self.resource_group_id.clone(),
            tags: self.tags.clone(),
            token,
        }
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

fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
