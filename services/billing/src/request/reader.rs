//! Reads single fields: what is wrong is gathered with a reason of its own, before anything is counted.

use std::sync::Arc;

use rust_decimal::Decimal;
use sampan_chassis::convert::image;
use sampan_chassis::convert::request::Fields;
use sampan_core::{Cloud, ImageFormat, Reason, Region};
use sampan_proto::billing::v1 as pb;

use super::{DEFAULT_KEEP_HOURS, Disk, Downloads, Encryption, Free, Keep, Overrides, Place, RestoreSpeed};
use crate::book::{PriceBook, Site};
use crate::class::{self, Class};

/// The largest disk that either cloud sells has 32 TiB; twice that is absurd for certain.
const LARGEST_DISK: u64 = 64 << 40;
const MOST_DISKS: usize = 1_000;
const MOST_REGIONS: usize = 50;
const MOST_DOWNLOADS: i32 = 100_000;
const MOST_RESTORES: i32 = 1_000;
pub(super) const MOST_ACCOUNTS: i32 = 10_000;
const MOST_CALLS: i64 = 1_000_000;
const LONGEST_HOURS: u64 = 100 * 365 * 24;
const LONGEST_RESTORE_HOURS: u64 = 365 * 24;
/// The parts that COS and OSS take have at most 5 GiB.
const LARGEST_PART: i64 = 5 << 30;

/// Reads a site that may be unspecified; the failure is the refusal's sentence.
pub(crate) fn optional_site(number: i32) -> Result<Option<Site>, String> {
    match pb::Site::try_from(number) {
        Ok(pb::Site::Unspecified) => Ok(None),
        Ok(pb::Site::Cn) => Ok(Some(Site::Cn)),
        Ok(pb::Site::Intl) => Ok(Some(Site::Intl)),
        Err(_) => Err(format!("{number} is no site that this version knows; there are cn and intl")),
    }
}

/// Gathers the wrong fields of one request.
pub(super) struct Reader<'b> {
    book: &'b PriceBook,
    pub(super) fields: Fields,
    is_clean: bool,
}

impl<'b> Reader<'b> {
    pub(super) fn new(book: &'b PriceBook) -> Self {
        Self { book, fields: Fields::new(), is_clean: true }
    }

    pub(super) fn is_clean(&self) -> bool {
        self.is_clean
    }

    fn refuse(&mut self, field: &str, reason: Reason, message: impl Into<String>) {
        self.is_clean = false;
        self.fields.refuse(field, reason, message);
    }

    pub(super) fn place(&mut self, cloud: i32, site: i32, field: &str, region: &str, currency: &str) -> Option<Place> {
        let cloud = self.fields.required_cloud("cloud", cloud);
        let site = self.site(site);
        if let Some(site) = site {
            self.currency(site, currency);
        }
        let region = self.region(field, region, cloud);
        Some(Place { cloud: cloud?, site: site?, region: region? })
    }

    fn site(&mut self, number: i32) -> Option<Site> {
        match optional_site(number) {
            Ok(Some(site)) => Some(site),
            Ok(None) => {
                self.refuse("site", Reason::FieldRequired, "it is missing; the account's site decides the price list");
                None
            }
            Err(message) => {
                self.refuse("site", Reason::SiteUnknown, message);
                None
            }
        }
    }

    fn currency(&mut self, site: Site, asked: &str) {
        let billed = site.currency().as_str();
        if !asked.is_empty() && !asked.eq_ignore_ascii_case(billed) {
            let message = format!("the site {site} bills in {billed}; `{asked:.8}` would need a conversion");
            self.refuse("currency", Reason::CurrencyOfOtherSite, message);
        }
    }

    fn region(&mut self, field: &str, text: &str, cloud: Option<Cloud>) -> Option<Arc<str>> {
        let region: Region = self.fields.required(field, text)?;
        let cloud = cloud?;
        if self.book.knows_region(cloud, region.as_str()) {
            return Some(Arc::from(region.as_str()));
        }
        let is_elsewhere =
            Cloud::ALL.into_iter().any(|other| other != cloud && self.book.knows_region(other, region.as_str()));
        if is_elsewhere {
            self.refuse(field, Reason::RegionOfOtherCloud, format!("{region} is a region of the other cloud"));
        } else {
            self.refuse(field, Reason::RegionUnknown, format!("{cloud} has no region {region} in the price book"));
        }
        None
    }

    pub(super) fn destinations(&mut self, cloud: Option<Cloud>, regions: &[String]) -> Vec<Arc<str>> {
        let field = "destination_regions";
        if regions.is_empty() {
            self.refuse(field, Reason::FieldRequired, "no region is named");
        }
        if regions.len() > MOST_REGIONS {
            let message = format!("{} regions are more than {MOST_REGIONS}", regions.len());
            self.refuse(field, Reason::NumberOutOfRange, message);
            return Vec::new();
        }
        let mut read: Vec<Arc<str>> = Vec::with_capacity(regions.len());
        for (index, text) in regions.iter().enumerate() {
            let field = format!("{field}[{index}]");
            let Some(region) = self.region(&field, text, cloud) else { continue };
            if read.contains(&region) {
                self.refuse(&field, Reason::FieldMalformed, format!("{region} is named twice"));
            } else {
                read.push(region);
            }
        }
        read
    }

    pub(super) fn class(&mut self, cloud: Cloud, word: &str) -> Option<&'static Class> {
        let found = class::find(cloud, word);
        if found.is_none() {
            let names: Vec<_> = class::of(cloud).iter().map(|class| class.name).collect();
            let message = format!("{cloud} has no storage class `{word:.40}`; it has {}", names.join(", "));
            self.refuse("storage_class", Reason::StorageClassUnknown, message);
        }
        found
    }

    pub(super) fn format(&mut self, number: i32, cloud: Option<Cloud>) -> Option<ImageFormat> {
        let format = image::asked_format(number);
        if format.is_none() {
            let message = format!("{number} is no format that this version knows");
            self.refuse("format", Reason::EnumValueUnknown, message);
        }
        if format == Some(ImageFormat::Vdi) && cloud == Some(Cloud::Tencent) {
            self.refuse("format", Reason::FormatUnsupported, "tencent exports raw, vhd, qcow2 and vmdk");
        }
        format
    }

    pub(super) fn disks(&mut self, disks: &[pb::DiskSize]) -> Vec<Disk> {
        self.list_length("disks", disks.len());
        let mut read = Vec::with_capacity(disks.len().min(MOST_DISKS));
        for (index, disk) in disks.iter().take(MOST_DISKS).enumerate() {
            let field = format!("disks[{index}].capacity_bytes");
            let Some(capacity) = self.size(&field, disk.capacity_bytes) else { continue };
            if capacity == 0 {
                self.refuse(&field, Reason::SizeZero, "a disk has at least one byte");
                continue;
            }
            let used = match disk.used_bytes {
                None => None,
                Some(used) => {
                    let field = format!("disks[{index}].used_bytes");
                    let Some(used) = self.size(&field, used) else { continue };
                    if used > capacity {
                        let message = format!("{used} bytes are in use on a disk of {capacity}");
                        self.refuse(&field, Reason::UsedAboveCapacity, message);
                        continue;
                    }
                    Some(used)
                }
            };
            read.push(Disk { capacity, used });
        }
        read
    }

    pub(super) fn objects(&mut self, sizes: &[i64]) -> Vec<u64> {
        let field = "object_sizes_bytes";
        self.list_length(field, sizes.len());
        let sizes = sizes.iter().take(MOST_DISKS).enumerate();
        sizes.filter_map(|(index, size)| self.size(&format!("{field}[{index}]"), *size)).collect()
    }

    fn list_length(&mut self, field: &str, length: usize) {
        if length == 0 {
            self.refuse(field, Reason::FieldRequired, "it is empty");
        }
        if length > MOST_DISKS {
            self.refuse(field, Reason::NumberOutOfRange, format!("{length} are more than {MOST_DISKS}"));
        }
    }

    fn size(&mut self, field: &str, bytes: i64) -> Option<u64> {
        match u64::try_from(bytes) {
            Err(_) => {
                self.refuse(field, Reason::SizeNegative, format!("{bytes} bytes are negative"));
                None
            }
            Ok(size) if size > LARGEST_DISK => {
                self.refuse(field, Reason::SizeTooLarge, format!("{bytes} bytes are more than 64 TiB"));
                None
            }
            Ok(size) => Some(size),
        }
    }

    pub(super) fn keep(&mut self, keep: Option<prost_types::Duration>) -> Keep {
        let hours = keep.and_then(|keep| self.hours("keep_for", keep, LONGEST_HOURS));
        Keep { hours: hours.unwrap_or(DEFAULT_KEEP_HOURS), is_default: keep.is_none() }
    }

    /// Reads a period in full hours: an hour that has begun counts.
    fn hours(&mut self, field: &str, period: prost_types::Duration, longest: u64) -> Option<u64> {
        if period.seconds < 0 || period.nanos < 0 {
            self.refuse(field, Reason::PeriodNegative, "the period is negative");
            return None;
        }
        let seconds = u64::try_from(period.seconds).unwrap_or(u64::MAX).saturating_add(u64::from(period.nanos > 0));
        let hours = seconds.div_ceil(3_600);
        if hours == 0 {
            self.refuse(field, Reason::PeriodZero, "the period is zero");
        } else if hours > longest {
            let message = format!("{hours} hours are more than {longest}");
            self.refuse(field, Reason::PeriodTooLong, message);
        } else {
            return Some(hours);
        }
        None
    }

    pub(super) fn count(&mut self, field: &str, count: i32, most: i32) -> u64 {
        if !(0..=most).contains(&count) {
            self.refuse(field, Reason::NumberOutOfRange, format!("{count} is not between 0 and {most}"));
        }
        u64::try_from(count).unwrap_or(0)
    }

    pub(super) fn downloads(&mut self, downloads: Option<&pb::Downloads>) -> Downloads {
        let Some(asked) = downloads else { return Downloads::default() };
        let restore_speed = match pb::RestoreSpeed::try_from(asked.restore_speed) {
            Ok(pb::RestoreSpeed::Expedited) => RestoreSpeed::Expedited,
            Ok(pb::RestoreSpeed::Unspecified | pb::RestoreSpeed::Standard) => RestoreSpeed::Standard,
            Ok(pb::RestoreSpeed::Bulk) => RestoreSpeed::Bulk,
            Err(_) => {
                let message = format!("{} is no speed that this version knows", asked.restore_speed);
                self.refuse("downloads.restore_speed", Reason::EnumValueUnknown, message);
                RestoreSpeed::Standard
            }
        };
        let restores = self.count("downloads.restore_count", asked.restore_count, MOST_RESTORES);
        let restored_for = asked.restored_for;
        Downloads {
            public: self.count("downloads.public_count", asked.public_count, MOST_DOWNLOADS),
            public_off_peak: self.count("downloads.public_off_peak_count", asked.public_off_peak_count, MOST_DOWNLOADS),
            private: self.count("downloads.private_count", asked.private_count, MOST_DOWNLOADS),
            restore_speed,
            restores: (restores > 0).then_some(restores),
            restored_hours: restored_for
                .and_then(|period| self.hours("downloads.restored_for", period, LONGEST_RESTORE_HOURS)),
        }
    }

    pub(super) fn free(&mut self, free: Option<&pb::FreeAllowance>) -> Free {
        let Some(free) = free else { return Free::default() };
        Free {
            storage: self.allowance("free.storage_bytes", free.storage_bytes),
            snapshot: self.allowance("free.snapshot_bytes", free.snapshot_bytes),
            public_traffic: self.allowance("free.public_traffic_bytes", free.public_traffic_bytes),
            kms_calls: self.allowance("free.kms_calls", free.kms_calls),
        }
    }

    fn allowance(&mut self, field: &str, count: i64) -> u64 {
        u64::try_from(count).unwrap_or_else(|_| {
            self.refuse(field, Reason::NumberOutOfRange, format!("{count} is negative"));
            0
        })
    }

    pub(super) fn overrides(&mut self, overrides: Option<&pb::Overrides>) -> Overrides {
        let Some(asked) = overrides else { return Overrides::default() };
        let kms_calls_per_disk = asked.kms_calls_per_disk.map(|calls| {
            if !(0..=MOST_CALLS).contains(&calls) {
                let message = format!("{calls} is not between 0 and {MOST_CALLS}");
                self.refuse("overrides.kms_calls_per_disk", Reason::NumberOutOfRange, message);
            }
            u64::try_from(calls).unwrap_or(0)
        });
        Overrides {
            export_ratio: self.ratio(&asked.export_ratio),
            write_part: self.part("overrides.write_part_bytes", asked.write_part_bytes, 1 << 20),
            read_part: self.part("overrides.read_part_bytes", asked.read_part_bytes, 64 << 10),
            kms_calls_per_disk,
        }
    }

    fn ratio(&mut self, text: &str) -> Option<Decimal> {
        let field = "overrides.export_ratio";
        if text.is_empty() {
            return None;
        }
        let Ok(ratio) = Decimal::from_str_exact(text) else {
            self.refuse(field, Reason::FieldMalformed, format!("`{text:.40}` is no decimal such as 0.6"));
            return None;
        };
        let ratio = ratio.normalize();
        // Twelve places are exact with every permitted size.
        if ratio < Decimal::ZERO || ratio > Decimal::ONE || ratio.scale() > 12 {
            let message = format!("{text:.40} is not between 0 and 1 with at most 12 places");
            self.refuse(field, Reason::NumberOutOfRange, message);
            return None;
        }
        Some(ratio)
    }

    fn part(&mut self, field: &str, bytes: i64, least: i64) -> Option<u64> {
        if bytes == 0 {
            return None;
        }
        if !(least..=LARGEST_PART).contains(&bytes) {
            let message = format!("{bytes} bytes are not between {least} and {LARGEST_PART}");
            self.refuse(field, Reason::NumberOutOfRange, message);
        }
        u64::try_from(bytes).ok()
    }

    pub(super) fn is_discounted(&mut self, number: i32) -> bool {
        match pb::PriceBasis::try_from(number) {
            Ok(pb::PriceBasis::Unspecified | pb::PriceBasis::List) => false,
            Ok(pb::PriceBasis::Discounted) => true,
            Err(_) => {
                let message = format!("{number} is no basis that this version knows");
                self.refuse("price_basis", Reason::EnumValueUnknown, message);
                false
            }
        }
    }

    pub(super) fn encryption(&mut self, number: i32, cloud: Option<Cloud>) -> Option<Encryption> {
        match pb::Encryption::try_from(number) {
            Ok(pb::Encryption::Unspecified) => None,
            Ok(pb::Encryption::DefaultKey) => Some(Encryption::DefaultKey),
            Ok(pb::Encryption::OwnKey) => Some(Encryption::OwnKey),
            Ok(pb::Encryption::LegacyKey) => {
                if cloud == Some(Cloud::Tencent) {
                    self.refuse("encryption", Reason::FieldMalformed, "only alibaba has a legacy KMS");
                }
                Some(Encryption::LegacyKey)
            }
            Err(_) => {
                let message = format!("{number} is no encryption that this version knows");
                self.refuse("encryption", Reason::EnumValueUnknown, message);
                None
            }
        }
    }
}
