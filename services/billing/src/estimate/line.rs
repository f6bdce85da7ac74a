//! Decides what one line of an estimate holds.

use std::borrow::Cow;
use std::sync::Arc;

use super::Assumed;
use crate::book::{Confidence, Item, Row};
use crate::money::{Exact, Range};

/// How often a line is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Once.
    OneTime,
    /// Per download.
    PerEvent,
    /// By time.
    Recurring,
}

/// How far the price of a line is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// By a row of the book.
    Priced,
    /// Free by a row of the book, or by an allowance.
    Free,
    /// Not at all.
    PriceUnknown,
    /// Nothing of it is used, or there is no such fee.
    NotApplicable,
}

/// What a quantity counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Bytes, shown as GB.
    Bytes,
    /// Requests.
    Requests,
    /// Calls of the key service.
    Calls,
    /// Keys.
    Keys,
    /// Instances of the key service.
    Instances,
    /// Queries per second.
    Qps,
    /// Accounts.
    Accounts,
}

impl Measure {
    /// Returns the unit that people read.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Bytes => "GB",
            Self::Requests => "requests",
            Self::Calls => "calls",
            Self::Keys => "keys",
            Self::Instances => "instances",
            Self::Qps => "qps",
            Self::Accounts => "accounts",
        }
    }
}

/// One fee, in one region and one price tier.
#[derive(Debug, Clone)]
pub struct Line<'b> {
    /// The fee.
    pub item: Item,
    /// What is billed.
    pub resource: Cow<'static, str>,
    /// Region that bills it.
    pub region: Arc<str>,
    /// Storage class or other variant; may be empty.
    pub class: Cow<'static, str>,
    /// How often.
    pub kind: LineKind,
    /// How far its price is known.
    pub status: Status,
    /// How much, in measured things.
    pub quantity: Range<u128>,
    /// What is measured.
    pub measure: Measure,
    /// The price.
    pub row: Option<&'b Row>,
    /// Hours that are billed; 0 where time does not matter.
    pub billed_hours: u64,
    /// Hours that were asked for; 0 where time does not matter.
    pub asked_hours: u64,
    /// What it costs; `None` when the price is not known.
    pub amount: Option<Range<Exact>>,
    /// What it costs in each month while it lasts; nothing for lines that are not recurring.
    pub month: Range<Exact>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why it is as it is; may be empty.
    pub note: Cow<'static, str>,
    /// What its quantity depends on.
    pub assumed: &'static [Assumed],
}

impl Item {
    /// Returns the item in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Storage => "object storage",
            Self::StorageDiscounted => "object storage, discounted",
            Self::RequestPut => "write requests of the export",
            Self::RequestGet => "read requests of the downloads",
            Self::RequestRestoreExpedited => "restore requests, expedited",
            Self::RequestRestoreStandard => "restore requests, standard",
            Self::RequestRestoreBulk => "restore requests, bulk",
            Self::Ingress => "upstream traffic into the bucket",
            Self::EgressPublic => "public downstream traffic",
            Self::EgressPublicPeak => "public downstream traffic, 08:00-24:00 UTC+8",
            Self::EgressPublicOffpeak => "public downstream traffic, 00:00-08:00 UTC+8",
            Self::EgressPrivate => "private downstream traffic in the region",
            Self::EgressCdnOrigin => "traffic to the CDN",
            Self::CrossRegionReplication => "replication of objects to another region",
            Self::Retrieval => "data retrieval",
            Self::RetrievalExpedited => "data retrieval, expedited",
            Self::RetrievalStandard => "data retrieval, standard",
            Self::RetrievalBulk => "data retrieval, bulk",
            Self::TemporaryStorage => "storage of restored copies",
            Self::CrossRegionCopy => "traffic of the image copy",
            Self::SnapshotReplication => "copying of snapshots",
            Self::Snapshot => "snapshot capacity of the copied image",
            Self::SnapshotMonthlyReference => "snapshot capacity, month figure",
            Self::SnapshotInstantAccess => "instant access to snapshots",
            Self::Share => "sharing of the image",
            Self::KmsKey => "encryption key",
            Self::KmsApi => "calls of the key service",
            Self::KmsInstance => "instance of the key service",
            Self::KmsQps => "throughput of the key service",
        }
    }
}
