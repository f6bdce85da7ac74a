//! Decides what one price is, and which words the price files may use.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;
use sampan_core::Cloud;

use crate::money::{Currency, Exact, Overflow};

/// A word that a price file may not use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no {kind}")]
pub struct UnknownWord {
    /// What was wanted, such as `unit`.
    pub kind: &'static str,
    /// What was found.
    pub word: String,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $kind:literal, { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the word of the price files.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|value| value.as_str() == word)
                    .ok_or_else(|| UnknownWord { kind: $kind, word: word.to_owned() })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// One of a vendor's two price lists.
    Site, "site", {
        /// The Chinese site.
        Cn = "cn",
        /// The international site.
        Intl = "intl",
    }
}

impl Site {
    /// Returns the currency that the site bills in.
    pub fn currency(self) -> Currency {
        match self {
            Self::Cn => Currency::Cny,
            Self::Intl => Currency::Usd,
        }
    }
}

words! {
    /// How sure a price is, the least first.
    Confidence, "confidence", {
        /// Old, from a third party, or disputed.
        Low = "low",
        /// Official but some years old, or recent and second-hand.
        Medium = "medium",
        /// Official and recent, or confirmed.
        High = "high",
    }
}

words! {
    /// What a price is for one of.
    Unit, "unit", {
        /// 2^30 bytes for 720 hours.
        GbMonth = "GB-month",
        /// The same, as other pages write it.
        GibMonth = "GiB-month",
        /// 2^30 bytes for one hour.
        GbHour = "GB-hour",
        /// 2^30 bytes once.
        Gb = "GB",
        /// 10 000 requests.
        Requests = "10k-requests",
        /// 10 000 calls.
        Calls = "10k-calls",
        /// One key for 24 hours.
        KeyDay = "key-day",
        /// One instance for 24 hours.
        InstanceDay = "instance-day",
        /// One query per second, for 24 hours.
        QpsDay = "qps-day",
        /// Switching something on once.
        Enable = "enable",
    }
}

impl Unit {
    /// Returns whether the amount grows with time.
    pub fn is_timed(self) -> bool {
        match self {
            Self::GbMonth | Self::GibMonth | Self::GbHour | Self::KeyDay | Self::InstanceDay | Self::QpsDay => true,
            Self::Gb | Self::Requests | Self::Calls | Self::Enable => false,
        }
    }

    /// Returns how many measured things (bytes, requests, calls, keys …) the price and its tiers are per.
    pub fn size(self) -> u64 {
        match self {
            Self::GbMonth | Self::GibMonth | Self::GbHour | Self::Gb => 1 << 30,
            Self::Requests | Self::Calls => 10_000,
            Self::KeyDay | Self::InstanceDay | Self::QpsDay | Self::Enable => 1,
        }
    }

    /// Returns the parts of a currency unit in a price of 10^-8 for one measured thing (and one hour, where timed).
    fn parts(self) -> u128 {
        // 10^-8 of a currency unit has PARTS / 10^8 parts; each divisor below divides it.
        let whole = Exact::PARTS / 10_u128.pow(Exact::PRICE_PLACES);
        let hours = match self {
            Self::GbMonth | Self::GibMonth => Exact::MONTH_HOURS,
            Self::KeyDay | Self::InstanceDay | Self::QpsDay => 24,
            Self::GbHour | Self::Gb | Self::Requests | Self::Calls | Self::Enable => 1,
        };
        whole / u128::from(self.size()) / hours
    }
}

words! {
    /// A fee.
    Item, "item", {
        /// Object storage at the list price.
        Storage = "storage",
        /// Object storage at the published discount.
        StorageDiscounted = "storage_discounted",
        /// Writing requests.
        RequestPut = "request_put",
        /// Reading requests.
        RequestGet = "request_get",
        /// Requests that restore an object fast.
        RequestRestoreExpedited = "request_restore_expedited",
        /// Requests that restore an object.
        RequestRestoreStandard = "request_restore_standard",
        /// Requests that restore an object slowly.
        RequestRestoreBulk = "request_restore_bulk",
        /// Traffic into the bucket.
        Ingress = "ingress",
        /// Traffic to the internet.
        EgressPublic = "egress_public",
        /// Traffic to the internet by day.
        EgressPublicPeak = "egress_public_peak",
        /// Traffic to the internet by night.
        EgressPublicOffpeak = "egress_public_offpeak",
        /// Traffic inside the region.
        EgressPrivate = "egress_private",
        /// Traffic to the vendor's content delivery network.
        EgressCdnOrigin = "egress_cdn_origin",
        /// Traffic of objects to another region.
        CrossRegionReplication = "cross_region_replication",
        /// Reading data of a colder class.
        Retrieval = "retrieval",
        /// Restoring data fast.
        RetrievalExpedited = "retrieval_expedited",
        /// Restoring data.
        RetrievalStandard = "retrieval_standard",
        /// Restoring data slowly.
        RetrievalBulk = "retrieval_bulk",
        /// The restored copy of an object.
        TemporaryStorage = "temporary_storage",
        /// Copying an image to another region.
        CrossRegionCopy = "cross_region_copy",
        /// Copying a snapshot to another region.
        SnapshotReplication = "snapshot_replication",
        /// Snapshot capacity.
        Snapshot = "snapshot",
        /// A month of snapshot capacity, for comparison alone.
        SnapshotMonthlyReference = "snapshot_monthly_reference",
        /// Instant access to a snapshot.
        SnapshotInstantAccess = "snapshot_instant_access",
        /// Sharing an image; no vendor has a fee for it.
        Share = "share",
        /// A key.
        KmsKey = "kms_key",
        /// Calls of the key service.
        KmsApi = "kms_api",
        /// An instance of the key service.
        KmsInstance = "kms_instance",
        /// Throughput of an instance of the key service.
        KmsQps = "kms_qps",
    }
}

impl Item {
    /// Returns whether the item can be priced in `unit`; any other unit would give a wrong figure silently.
    pub fn takes(self, unit: Unit) -> bool {
        match self {
            Self::Storage | Self::StorageDiscounted | Self::TemporaryStorage => {
                matches!(unit, Unit::GbMonth | Unit::GibMonth | Unit::GbHour)
            }
            Self::Snapshot | Self::SnapshotMonthlyReference => {
                matches!(unit, Unit::GbMonth | Unit::GibMonth | Unit::GbHour)
            }
            Self::SnapshotInstantAccess => matches!(unit, Unit::GibMonth | Unit::Enable),
            Self::RequestPut
            | Self::RequestGet
            | Self::RequestRestoreExpedited
            | Self::RequestRestoreStandard
            | Self::RequestRestoreBulk => unit == Unit::Requests,
            Self::Ingress
            | Self::EgressPublic
            | Self::EgressPublicPeak
            | Self::EgressPublicOffpeak
            | Self::EgressPrivate
            | Self::EgressCdnOrigin
            | Self::CrossRegionReplication
            | Self::Retrieval
            | Self::RetrievalExpedited
            | Self::RetrievalStandard
            | Self::RetrievalBulk
            | Self::CrossRegionCopy
            | Self::SnapshotReplication => unit == Unit::Gb,
            Self::KmsKey => unit == Unit::KeyDay,
            Self::KmsApi => unit == Unit::Calls,
            Self::KmsInstance => unit == Unit::InstanceDay,
            Self::KmsQps => unit == Unit::QpsDay,
            Self::Share => false,
        }
    }
}

/// What a price is for: all rows of one key are the tiers of one price.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Vendor.
    pub cloud: Cloud,
    /// Price list.
    pub site: Site,
    /// Region, or `all`.
    pub region: Arc<str>,
    /// Fee.
    pub item: Item,
    /// Storage class or other variant; may be empty.
    pub class: Arc<str>,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}/{}", self.cloud, self.site, self.region, self.item, self.class)
    }
}

/// One price: one row of a file.
#[derive(Debug, Clone)]
pub struct Row {
    /// What it is for.
    pub key: Key,
    /// What it is for one of.
    pub unit: Unit,
    /// Where the tier begins, in units, inclusive.
    pub tier_from: u64,
    /// Where the tier ends, in units, exclusive; `None` when it has no end.
    pub tier_to: Option<u64>,
    /// Price in the currency of the site.
    pub price: Decimal,
    /// Document that it was read in.
    pub source: Arc<str>,
    /// Date of that document, as it was written.
    pub source_date: Arc<str>,
    /// First day that the date can mean.
    pub dated: Date,
    /// How sure it is.
    pub confidence: Confidence,
    /// Line of the file, counted from 1 with the header.
    pub line: u64,
    /// Place of the file in the book.
    pub file: usize,
    /// Parts of the price for one measured thing, and one hour where the unit is timed.
    parts: u128,
    texts: Texts,
}

/// How a row is shown: written once, because every estimate shows it again.
#[derive(Debug, Clone)]
struct Texts {
    key: Box<str>,
    price: Box<str>,
    tier_from: Box<str>,
    tier_to: Box<str>,
}

impl Row {
    /// Completes a row.
    ///
    /// # Errors
    /// [`Overflow`] for a price that no amount could be counted with.
    pub(super) fn new(fields: RowFields) -> Result<Self, Overflow> {
        let RowFields { key, unit, tiers, price, source, source_date, dated, confidence, line, file } = fields;
        let mantissa = u128::try_from(price.mantissa()).map_err(|_| Overflow)?;
        let places = Exact::PRICE_PLACES.checked_sub(price.scale()).ok_or(Overflow)?;
        let hundred_millionths = mantissa.checked_mul(10_u128.pow(places)).ok_or(Overflow)?;
        let parts = hundred_millionths.checked_mul(unit.parts()).ok_or(Overflow)?;
        let (tier_from, tier_to) = tiers;
        let texts = Texts {
            key: key.to_string().into(),
            price: price.to_string().into(),
            tier_from: tier_from.to_string().into(),
            tier_to: tier_to.map(|to| to.to_string()).unwrap_or_default().into(),
        };
        Ok(Self {
            key,
            unit,
            tier_from,
            tier_to,
            price,
            source,
            source_date,
            dated,
            confidence,
            line,
            file,
            parts,
            texts,
        })
    }

    /// Returns what `count` measured things cost for `hours`; the hours do not matter where the unit is not timed.
    ///
    /// # Errors
    /// [`Overflow`].
    pub fn cost(&self, count: u128, hours: u64) -> Result<Exact, Overflow> {
        let hours = if self.unit.is_timed() { hours } else { 1 };
        let units = count.checked_mul(u128::from(hours)).ok_or(Overflow)?;
        Exact::times(self.parts, units)
    }

    /// Returns the name of the price: cloud/site/region/item/class.
    pub fn key_text(&self) -> &str {
        &self.texts.key
    }

    /// Returns the price as a decimal.
    pub fn price_text(&self) -> &str {
        &self.texts.price
    }

    /// Returns where the tier begins and ends; the end is empty when there is none.
    pub fn tier_texts(&self) -> (&str, &str) {
        (&self.texts.tier_from, &self.texts.tier_to)
    }

    /// Returns whether the row is a free beginning of a price that is charged beyond it.
    pub fn is_free_tier(&self) -> bool {
        self.price.is_zero() && self.tier_from == 0 && self.tier_to.is_some()
    }
}

/// The parts of a [`Row`] before they are checked.
#[derive(Debug)]
pub(super) struct RowFields {
    pub(super) key: Key,
    pub(super) unit: Unit,
    pub(super) tiers: (u64, Option<u64>),
    pub(super) price: Decimal,
    pub(super) source: Arc<str>,
    pub(super) source_date: Arc<str>,
    pub(super) dated: Date,
    pub(super) confidence: Confidence,
    pub(super) line: u64,
    pub(super) file: usize,
}
