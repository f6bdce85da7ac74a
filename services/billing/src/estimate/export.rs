//! Estimates an export: writing, storing and downloading the objects.

use std::borrow::Cow;

use sampan_core::Cloud;

use super::fee::{Fee, Sheet};
use super::{Assumed, Estimate, Kind, LineKind, Measure, download, sizes};
use crate::book::{Item, PriceBook};
use crate::class::Reading;
use crate::money::{Overflow, Range};
use crate::request::Export;

/// Estimates an export.
///
/// # Errors
/// [`Overflow`] when a figure does not fit.
pub fn export<'b>(request: &Export, book: &'b PriceBook) -> Result<Estimate<'b>, Overflow> {
    let mut sheet = Sheet::new(book, request.place.clone());
    let mut is_assumed = false;
    let mut objects = Vec::with_capacity(request.disks.len());
    for disk in &request.disks {
        let (size, assumed) = sizes::exported(*disk, request.place.cloud, request.format, &request.overrides);
        is_assumed |= assumed;
        objects.push(size);
    }
    assume(&mut sheet, request, is_assumed);
    let by_size: &'static [Assumed] = if is_assumed { &[Assumed::ExportedSize] } else { &[] };
    store(&mut sheet, request, &objects, by_size)?;
    write(&mut sheet, request, &objects, by_size)?;
    let reading = download::Reads {
        place: &request.place,
        class: request.class,
        objects: &objects,
        downloads: &request.downloads,
        free: &request.free,
        overrides: &request.overrides,
        by_size,
    };
    download::read(&mut sheet, &reading)?;
    sheet.finish(Kind::Export, request.class.name, request.keep.hours, objects)
}

fn assume(sheet: &mut Sheet<'_>, request: &Export, is_assumed: bool) {
    sheet.assume(Assumed::MonthLength, "720 hours");
    if request.keep.is_default {
        sheet.assume(Assumed::KeepFor, "30 days");
    }
    sheet.assume(Assumed::FreeTiers, "none unless given");
    if is_assumed {
        sheet.assume(Assumed::ExportedSize, "of the data in use 0.3 to 0.6 packed or 1 sparse, of the disk 0.1 to 0.6");
    }
    match request.overrides.write_part {
        None => sheet.assume(Assumed::WritePartSize, "64 MiB"),
        Some(part) => sheet.assume(Assumed::WritePartSize, format!("{part} bytes, as given")),
    }
    if request.class.reading != Reading::Free {
        sheet.warn(
            "CLASS_NOT_DOCUMENTED_FOR_EXPORT",
            "Whether an export can write straight into this class is not documented; the bucket's default class decides.",
        );
    }
}

/// Storage of the objects, for the period or the minimum of the class.
fn store(
    sheet: &mut Sheet<'_>,
    request: &Export,
    objects: &[Range<u64>],
    by_size: &'static [Assumed],
) -> Result<(), Overflow> {
    let class = request.class;
    let billed = |size: u64| u128::from(size.max(class.minimum_bytes));
    let quantity = sizes::sum(objects.iter().map(|size| size.map(billed)));
    let item = basis(sheet, request);
    let asked = request.keep.hours;
    let hours = asked.max(class.minimum_hours);
    let note = match hours > asked {
        true => Cow::Owned(format!("{} kept, {} billed: the minimum of {}", days(asked), days(hours), class.name)),
        false => Cow::Borrowed(""),
    };
    let fee = Fee::new(item, &request.place.region, class.name, (Measure::Bytes, quantity));
    sheet.charge(Fee {
        kind: LineKind::Recurring,
        hours: (hours, asked),
        free: Range::known(u128::from(request.free.storage)),
        resource: count(objects.len(), "object"),
        note,
        assumed: by_size,
        ..fee
    })
}

/// Decides between list price and published discount, and says so where there are two.
fn basis(sheet: &mut Sheet<'_>, request: &Export) -> Item {
    let discount = sheet.tiers(Item::StorageDiscounted, &request.place.region, request.class.name);
    match (discount.is_empty(), request.is_discounted) {
        (true, false) => Item::Storage,
        (true, true) => {
            sheet.warn(
                "NO_DISCOUNT_PUBLISHED",
                "No discount is published for this class and region; the list price counts.",
            );
            Item::Storage
        }
        (false, false) => {
            sheet.assume(Assumed::PriceBasis, "list");
            Item::Storage
        }
        (false, true) => {
            sheet.assume(Assumed::PriceBasis, "discounted, as asked");
            Item::StorageDiscounted
        }
    }
}

/// Write requests and upstream traffic.
fn write(
    sheet: &mut Sheet<'_>,
    request: &Export,
    objects: &[Range<u64>],
    by_size: &'static [Assumed],
) -> Result<(), Overflow> {
    let place = &request.place;
    let calls = sizes::sum(objects.iter().map(|size| sizes::writes(*size, &request.overrides)));
    let fee = Fee::new(Item::RequestPut, &place.region, request.class.name, (Measure::Requests, calls));
    let assumed: &'static [Assumed] = match (request.overrides.write_part, by_size.is_empty()) {
        (None, _) => &[Assumed::WritePartSize],
        (Some(_), false) => &[Assumed::ExportedSize],
        (Some(_), true) => &[],
    };
    let note = match place.cloud {
        Cloud::Tencent => "parts plus begin and complete of each object; failed calls are billed too",
        Cloud::Alibaba => "parts plus begin and complete of each object",
    };
    sheet.charge(Fee { resource: count(objects.len(), "object"), note: note.into(), assumed, ..fee })?;
    let bytes = sizes::sum(objects.iter().map(|size| size.map(u128::from)));
    let fee = Fee::new(Item::Ingress, &place.region, "", (Measure::Bytes, bytes));
    sheet.charge(Fee {
        resource: count(objects.len(), "object"),
        note: "traffic into a bucket is free on both clouds".into(),
        assumed: by_size,
        ..fee
    })
}

/// Returns `1 object`, `2 objects`.
pub(super) fn count(count: usize, what: &'static str) -> Cow<'static, str> {
    if count == 1 { format!("1 {what}").into() } else { format!("{count} {what}s").into() }
}

/// Returns `10 days` or `5 hours`.
fn days(hours: u64) -> String {
    if hours.is_multiple_of(24) { format!("{} days", hours / 24) } else { format!("{hours} hours") }
}
