//! Decides what a well-formed share request is: turns the message into a [`ShareSpec`], without I/O.
//!
//! Every field error is found at once. What only the cloud can tell is left to [`crate::survey`] and
//! [`crate::rules`].

use sampan_chassis::convert::spec::{NamedImage, SpecReader};
use sampan_cloud::Accounts;
use sampan_cloud::share::ShareTraits;
use sampan_core::finding::{self, Finding};
use sampan_core::limits::Limits;
use sampan_core::{AccountName, Cloud, ImageId, Lane, OperationId, Reason, Region, Violation};
use sampan_proto::share::v1 as pb;
use sampan_state::OnSpent;
use sampan_state::result::ImageAt;
use serde::{Deserialize, Serialize};

use crate::rules;

/// What is done with the accounts of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// They are added.
    Add,
    /// They are removed.
    Remove,
    /// The list becomes exactly these.
    Set,
}

/// A checked change of shares: what its record keeps as the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareSpec {
    /// Cloud of the account.
    pub cloud: Cloud,
    /// Configured account that owns the image.
    pub account: AccountName,
    /// Region of the image, and of its receivers.
    pub region: Region,
    /// The image.
    pub image: ImageId,
    /// What is done with the accounts.
    pub change: Change,
    /// Numbers of the accounts at the cloud, in the order of the request.
    pub account_ids: Vec<String>,
    /// Whether the change follows the image to its copies.
    pub include_copies: bool,
    /// Whether it waits when the day's quota is spent; otherwise it is refused.
    pub queue_when_quota_spent: bool,
    /// The operation that started this one, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<Follows>,
}

/// Why an operation was started by another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follows {
    /// The other one.
    pub operation: OperationId,
    /// Whether it takes back what the other one did; otherwise it does the same for a copy.
    pub takes_back: bool,
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
    /// What is asked for; `None` when not even the image is named well. Account numbers that are broken stand in it
    /// as they came.
    pub spec: Option<ShareSpec>,
    /// Every field that is wrong, in the order of the fields.
    pub broken: Vec<Violation>,
    /// What the caller should know.
    pub warnings: Vec<Violation>,
}

impl Reading {
    /// Returns whether something about the image is wrong.
    pub fn doubts_image(&self) -> bool {
        self.broken.iter().any(|violation| violation.field.starts_with("spec.image"))
    }
}

impl ShareSpec {
    /// Looks a message through and makes the best of it; `change` is `None` when the caller named none.
    pub fn read(message: Option<pb::ShareSpec>, change: Option<Change>, ground: Ground<'_>) -> Reading {
        let mut reader = SpecReader::new(ground.accounts, ground.limits);
        let Some(message) = message else {
            let finding = Finding::new(Reason::FieldRequired, "spec").message("the spec is missing");
            reader.push(finding.fix("Set spec: the image and the accounts"));
            return reading(None, reader.finish());
        };
        let image = reader.image("spec.image", message.image.as_ref());
        let on_spent = reader.when_quota_spent("spec.when_quota_spent", message.when_quota_spent);
        // Without a cloud its own rules cannot be told; everything else has been looked at.
        let is_named = image.is_named();
        let Some(NamedImage { cloud, account, region, image: id }) = image.sketch() else {
            return reading(None, reader.finish());
        };
        let spec = Self {
            cloud,
            account,
            region,
            image: id,
            change: change.unwrap_or(Change::Add),
            account_ids: message.account_ids,
            include_copies: message.include_copies,
            queue_when_quota_spent: on_spent == OnSpent::Queue,
            follows: None,
        };
        let mut findings = reader.finish();
        findings.extend(rules::accounts::check(&spec, ground));
        reading(is_named.then_some(spec), findings)
    }

    /// Returns the lane of the change's mutating calls.
    pub fn lane(&self) -> Lane {
        Lane { cloud: self.cloud, account: self.account.clone(), region: self.region.clone() }
    }

    /// Returns the image as results name it.
    pub fn image_at(&self) -> ImageAt {
        ImageAt {
            cloud: self.cloud,
            account: self.account.to_string(),
            region: self.region.clone(),
            image: self.image.clone(),
        }
    }

    /// Returns the same change for another image of the account, without its copies.
    pub fn for_copy(&self, region: &Region, image: &ImageId) -> Self {
        Self { region: region.clone(), image: image.clone(), include_copies: false, ..self.clone() }
    }

    /// Returns what becomes of it when the day is spent.
    pub fn on_spent(&self) -> OnSpent {
        if self.queue_when_quota_spent { OnSpent::Queue } else { OnSpent::Refuse }
    }

    /// Returns the mutating calls that it surely does not exceed, as far as the request alone tells: what is held of
    /// the day before the list of shares is known. A list that is set exactly may need more; those are counted when
    /// they are made.
    pub fn units(&self, traits: ShareTraits) -> u32 {
        let accounts = match self.change {
            Change::Add | Change::Remove => self.account_ids.len(),
            Change::Set => 1,
        };
        let calls = traits.accounts_per_call.map_or(1, |most| accounts.div_ceil(most.max(1)));
        u32::try_from(calls.max(1)).unwrap_or(u32::MAX)
    }
}

fn reading(spec: Option<ShareSpec>, findings: Vec<Finding>) -> Reading {
    let (broken, warnings) = finding::split(findings);
    Reading { spec, broken, warnings }
}

/// Reads what is to be done with the accounts; a change that is missing or not known is added to `findings`.
pub fn change(number: i32, findings: &mut Vec<Finding>) -> Option<Change> {
    match pb::ShareChange::try_from(number) {
        Ok(pb::ShareChange::Add) => return Some(Change::Add),
        Ok(pb::ShareChange::Remove) => return Some(Change::Remove),
        Ok(pb::ShareChange::Set) => return Some(Change::Set),
        Ok(pb::ShareChange::Unspecified) => findings.push(
            Finding::new(Reason::FieldRequired, "change")
                .message("what to do with the accounts is missing")
                .fix("Set change to ADD, REMOVE or SET"),
        ),
        Err(_) => findings.push(
            Finding::new(Reason::EnumValueUnknown, "change")
                .message(format!("change has the unknown value {number}"))
                .limit("ADD, REMOVE or SET", number.to_string()),
        ),
    }
    None
}
