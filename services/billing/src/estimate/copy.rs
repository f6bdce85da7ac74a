//! Estimates a copy: its traffic, the snapshots that stay in each region, keys, and sharing.

use std::borrow::Cow;
use std::sync::Arc;

use sampan_core::Cloud;

use super::export::count;
use super::fee::{Fee, Sheet};
use super::{Assumed, Estimate, Kind, LineKind, Measure, sizes};
use crate::book::{Item, PriceBook};
use crate::money::{Overflow, Range};
use crate::request::{Copy, Encryption};

/// Alibaba sends larger images another way: snapshot by snapshot, which is charged.
const LARGEST_IMAGE_COPY: u128 = 2 << 40;
/// Tencent counts at least this many calls of its key service.
const LEAST_TENCENT_CALLS: u128 = 1_000;

/// Estimates a copy to one or more regions.
///
/// # Errors
/// [`Overflow`] when a figure does not fit.
pub fn copy<'b>(request: &Copy, book: &'b PriceBook) -> Result<Estimate<'b>, Overflow> {
    let mut sheet = Sheet::new(book, request.source.clone());
    let mut is_assumed = false;
    let mut snapshots = Vec::with_capacity(request.disks.len());
    for disk in &request.disks {
        let (size, assumed) = sizes::snapshot(*disk);
        is_assumed |= assumed;
        snapshots.push(size);
    }
    sheet.assume(Assumed::MonthLength, "720 hours");
    if request.keep.is_default {
        sheet.assume(Assumed::KeepFor, "30 days");
    }
    sheet.assume(Assumed::FreeTiers, "none unless given");
    if is_assumed {
        sheet.assume(Assumed::SnapshotSize, "of the disk 0.1 to 1, of the data in use 1");
    }
    sheet.warn("COPIES_STAY", "The copies and their snapshots are kept and billed until they are deleted.");
    let bytes = sizes::sum(snapshots.iter().map(|size| size.map(u128::from)));
    let work = Work { request, bytes, by_size: if is_assumed { &[Assumed::SnapshotSize] } else { &[] } };
    for destination in &request.destinations {
        work.send(&mut sheet, destination)?;
        work.keep(&mut sheet, destination)?;
        work.encrypt(&mut sheet, destination)?;
    }
    work.share(&mut sheet);
    sheet.finish(Kind::Copy, "", request.keep.hours, snapshots)
}

struct Work<'r> {
    request: &'r Copy,
    /// Bytes of all snapshots in one region.
    bytes: Range<u128>,
    by_size: &'static [Assumed],
}

impl Work<'_> {
    fn cloud(&self) -> Cloud {
        self.request.source.cloud
    }

    /// The traffic of one copy, charged by the region that sends.
    fn send(&self, sheet: &mut Sheet<'_>, destination: &Arc<str>) -> Result<(), Overflow> {
        let source = &self.request.source.region;
        let resource = Cow::Owned(format!("{source} to {destination}"));
        let fee = Fee::new(Item::CrossRegionCopy, source, "image", (Measure::Bytes, self.bytes));
        let fee = Fee { resource, assumed: self.by_size, ..fee };
        if source == destination {
            sheet.leave_out(Fee { note: "the copy stays in its region".into(), ..fee }, None);
            return Ok(());
        }
        let goes_as_snapshots = self.cloud() == Cloud::Alibaba && self.bytes.high > LARGEST_IMAGE_COPY;
        self.replicate(sheet, destination, goes_as_snapshots)?;
        if goes_as_snapshots {
            sheet.leave_out(Fee { note: "images above 2 TiB are copied as snapshots".into(), ..fee }, None);
            return Ok(());
        }
        let note = match self.cloud() {
            Cloud::Tencent => {
                sheet.warn(
                    "COPY_FEE_UNDER_REVIEW",
                    "Copying an image is documented free (2023-06-30), but a later note plans charges for copying \
                     snapshots between regions; no price was found, so none is in the upper figure.",
                );
                "documented free, under review"
            }
            Cloud::Alibaba => "documented free for now",
        };
        sheet.charge(Fee { note: note.into(), ..fee })
    }

    /// What the same bytes would cost as snapshots: all of it on the large-image way, else the upper figure alone.
    fn replicate(&self, sheet: &mut Sheet<'_>, destination: &Arc<str>, is_certain: bool) -> Result<(), Overflow> {
        let source = &self.request.source.region;
        let variant = match &**destination {
            region if is_mainland(region) => Cow::Borrowed("to-other-mainland"),
            region => Cow::Owned(format!("to-{region}")),
        };
        let tiers = sheet.tiers(Item::SnapshotReplication, source, &variant);
        let quantity = if is_certain { self.bytes } else { Range { high: self.bytes.high, ..Range::default() } };
        let fee = Fee::new(Item::SnapshotReplication, source, variant, (Measure::Bytes, quantity));
        let fee = Fee { resource: Cow::Owned(format!("{source} to {destination}")), ..fee };
        if is_certain {
            return sheet.charge_at(Fee { assumed: self.by_size, ..fee }, tiers);
        }
        if tiers.is_empty() {
            return Ok(());
        }
        sheet.assume(Assumed::CopyAsSnapshot, "in the upper figure alone");
        let note = "only if the cloud bills the copy as one of snapshots".into();
        sheet.charge_at(Fee { note, assumed: &[Assumed::CopyAsSnapshot], ..fee }, tiers)
    }

    /// The snapshots that the copy leaves in a region.
    fn keep(&self, sheet: &mut Sheet<'_>, destination: &Arc<str>) -> Result<(), Overflow> {
        let hours = self.request.keep.hours;
        let fee = Fee::new(Item::Snapshot, destination, self.snapshot_class(), (Measure::Bytes, self.bytes));
        sheet.charge(Fee {
            kind: LineKind::Recurring,
            hours: (hours, hours),
            free: Range::known(u128::from(self.request.free.snapshot)),
            resource: count(self.request.disks.len(), "snapshot"),
            note: "the image has no fee of its own; its snapshots cost until they are deleted".into(),
            assumed: self.by_size,
            ..fee
        })
    }

    fn snapshot_class(&self) -> &'static str {
        match self.cloud() {
            Cloud::Tencent => "",
            Cloud::Alibaba => "standard",
        }
    }

    /// Keys and calls of the key service in a region.
    fn encrypt(&self, sheet: &mut Sheet<'_>, destination: &Arc<str>) -> Result<(), Overflow> {
        let Some(encryption) = self.request.encryption else { return Ok(()) };
        let keys = Keys::of(self.cloud(), encryption);
        let hours = self.request.keep.hours;
        let timed = |item, class: &'static str, measure, quantity| Fee {
            kind: LineKind::Recurring,
            hours: (hours, hours),
            ..Fee::new(item, destination, class, (measure, quantity))
        };
        sheet.charge(timed(Item::KmsKey, keys.key, Measure::Keys, Range::known(1)))?;
        if let Some(class) = keys.calls {
            let disks = u128::try_from(self.request.disks.len()).map_err(|_| Overflow)?;
            let fee = Fee::new(Item::KmsApi, destination, class, (Measure::Calls, self.calls(sheet, disks)));
            sheet.charge(Fee {
                free: Range::known(u128::from(self.request.free.kms_calls)),
                assumed: if self.request.overrides.kms_calls_per_disk.is_some() { &[] } else { &[Assumed::KmsCalls] },
                resource: count(self.request.disks.len(), "encrypted disk"),
                note: keys.note.into(),
                ..fee
            })?;
        }
        if keys.needs_instance {
            sheet.assume(Assumed::KmsInstance, "exists");
            let perhaps = Range { high: 1, ..Range::default() };
            let assumed: &'static [Assumed] = &[Assumed::KmsInstance];
            sheet.charge(Fee { assumed, ..timed(Item::KmsInstance, "software-payg", Measure::Instances, perhaps) })?;
            sheet.charge(Fee { assumed, ..timed(Item::KmsQps, "payg", Measure::Qps, perhaps) })?;
        }
        Ok(())
    }

    fn calls(&self, sheet: &mut Sheet<'_>, disks: u128) -> Range<u128> {
        let per_disk = match self.request.overrides.kms_calls_per_disk {
            Some(calls) => {
                sheet.assume(Assumed::KmsCalls, format!("{calls} for each disk, as given"));
                Range::known(u128::from(calls))
            }
            None => {
                sheet.assume(Assumed::KmsCalls, "1 to 30 for each disk, 3 expected");
                Range { low: 1, expected: 3, high: 30 }
            }
        };
        let least = match self.cloud() {
            Cloud::Tencent => LEAST_TENCENT_CALLS,
            Cloud::Alibaba => 0,
        };
        per_disk.map(|calls| match calls * disks {
            0 => 0,
            calls => calls.max(least),
        })
    }

    /// Sharing costs nothing; what a receiver would pay is said.
    fn share(&self, sheet: &mut Sheet<'_>) {
        if self.request.share_accounts == 0 {
            return;
        }
        let source = &self.request.source;
        let tiers = sheet.tiers(Item::Snapshot, &source.region, self.snapshot_class());
        let price = tiers.iter().find(|row| !row.is_free_tier());
        let price = price.map_or_else(
            || "at a price that is not in the book".to_owned(),
            |row| format!("at {} {} per {}", row.price, source.site.currency(), row.unit),
        );
        let note = format!(
            "no fee for sharing is documented; a receiver who copies the image pays for its snapshots {price} in {}, \
             and for the disks of instances made from it",
            source.region
        );
        let accounts = Range::known(u128::from(self.request.share_accounts));
        let fee = Fee::new(Item::Share, &source.region, "", (Measure::Accounts, accounts));
        sheet.leave_out(Fee { note: note.into(), ..fee }, None);
    }
}

/// The prices that an encryption needs.
struct Keys {
    key: &'static str,
    calls: Option<&'static str>,
    needs_instance: bool,
    note: &'static str,
}

impl Keys {
    fn of(cloud: Cloud, encryption: Encryption) -> Self {
        let keys = |key, calls, note| Self { key, calls, needs_instance: false, note };
        const COUNTED: &str = "at least 1000 calls are counted";
        match (cloud, encryption) {
            (Cloud::Tencent, Encryption::DefaultKey) => keys("tencent-managed", Some(""), COUNTED),
            (Cloud::Tencent, Encryption::OwnKey | Encryption::LegacyKey) => keys("customer-managed", Some(""), COUNTED),
            (Cloud::Alibaba, Encryption::DefaultKey) => {
                keys("default-service-key", Some("default-service-key"), "the default service key is free")
            }
            (Cloud::Alibaba, Encryption::OwnKey) => {
                Self { needs_instance: true, ..keys("kms-instance-payg", None, "") }
            }
            (Cloud::Alibaba, Encryption::LegacyKey) => keys("legacy-user-key", Some("legacy-user-key"), ""),
        }
    }
}

fn is_mainland(region: &str) -> bool {
    region.starts_with("cn-") && region != "cn-hongkong"
}
