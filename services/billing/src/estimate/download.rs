//! Estimates downloads: restoring, requests, retrieval and traffic.

use std::borrow::Cow;

use super::export::count;
use super::fee::{Fee, Sheet};
use super::{Assumed, Estimate, Kind, LineKind, Measure, sizes};
use crate::book::{Item, PriceBook, Row};
use crate::class::{Class, Reading, Restore};
use crate::money::{Overflow, Range};
use crate::request::{Download, Downloads, Free, Overrides, Place, RestoreSpeed};

const RESTORED_HOURS: u64 = 24;

/// Estimates downloads of objects that exist already.
///
/// # Errors
/// [`Overflow`] when a figure does not fit.
pub fn download<'b>(request: &Download, book: &'b PriceBook) -> Result<Estimate<'b>, Overflow> {
    let mut sheet = Sheet::new(book, request.place.clone());
    let objects: Vec<_> = request.objects.iter().copied().map(Range::known).collect();
    sheet.assume(Assumed::FreeTiers, "none unless given");
    let reads = Reads {
        place: &request.place,
        class: request.class,
        objects: &objects,
        downloads: &request.downloads,
        free: &request.free,
        overrides: &request.overrides,
        by_size: &[],
    };
    read(&mut sheet, &reads)?;
    sheet.finish(Kind::Download, request.class.name, 0, objects)
}

/// What is read, and how often.
pub(super) struct Reads<'r> {
    pub(super) place: &'r Place,
    pub(super) class: &'static Class,
    pub(super) objects: &'r [Range<u64>],
    pub(super) downloads: &'r Downloads,
    pub(super) free: &'r Free,
    pub(super) overrides: &'r Overrides,
    /// Assumptions that the sizes depend on.
    pub(super) by_size: &'static [Assumed],
}

impl Reads<'_> {
    fn bytes(&self, times: u64) -> Range<u128> {
        sizes::sum(self.objects.iter().map(|size| size.map(u128::from))).map(|bytes| bytes * u128::from(times))
    }

    fn fee(&self, item: Item, class: impl Into<Cow<'static, str>>, times: u64) -> Fee {
        Fee {
            kind: LineKind::PerEvent,
            resource: resource(self.objects.len(), times),
            assumed: self.by_size,
            ..Fee::new(item, &self.place.region, class, (Measure::Bytes, self.bytes(times)))
        }
    }
}

/// Adds every line of the downloads; those that were not asked for show their price.
pub(super) fn read(sheet: &mut Sheet<'_>, reads: &Reads<'_>) -> Result<(), Overflow> {
    if reads.downloads.all() > 0 {
        match reads.overrides.read_part {
            None => sheet.assume(Assumed::ReadPartSize, "64 MiB"),
            Some(part) => sheet.assume(Assumed::ReadPartSize, format!("{part} bytes, as given")),
        }
    }
    requests(sheet, reads)?;
    match reads.class.reading {
        Reading::Free => retrieve_free(sheet, reads)?,
        Reading::Retrieved => sheet.charge(reads.fee(Item::Retrieval, reads.class.name, reads.downloads.all()))?,
        Reading::Restored(rules) => restore(sheet, reads, rules)?,
    }
    public_traffic(sheet, reads)?;
    let private = reads.fee(Item::EgressPrivate, reads.class.name, reads.downloads.private);
    let note = if private.quantity.high == 0 {
        "no private download was asked for"
    } else {
        "traffic inside the region is free on both clouds"
    };
    sheet.charge(Fee { note: note.into(), ..private })
}

/// The price of a class for reading; restored data of a cold class is read as the class that it is restored to.
fn reading_tiers<'b>(sheet: &Sheet<'b>, reads: &Reads<'_>, item: Item) -> &'b [Row] {
    let own = sheet.tiers(item, &reads.place.region, reads.class.name);
    match reads.class.read_as {
        Some(other) if own.is_empty() => sheet.tiers(item, &reads.place.region, other),
        _ => own,
    }
}

fn requests(sheet: &mut Sheet<'_>, reads: &Reads<'_>) -> Result<(), Overflow> {
    let times = reads.downloads.all();
    let calls = sizes::sum(reads.objects.iter().map(|size| sizes::reads(*size, reads.overrides)));
    let fee = reads.fee(Item::RequestGet, reads.class.name, times);
    let (note, assumed): (_, &'static [Assumed]) = match (times, reads.overrides.read_part) {
        (0, _) => ("no download was asked for", &[]),
        (_, None) => ("ranged reads of each object", &[Assumed::ReadPartSize]),
        (_, Some(_)) => ("ranged reads of each object", reads.by_size),
    };
    let fee = Fee {
        measure: Measure::Requests,
        quantity: calls.map(|calls| calls * u128::from(times)),
        note: note.into(),
        assumed,
        ..fee
    };
    let tiers = reading_tiers(sheet, reads, Item::RequestGet);
    sheet.charge_at(fee, tiers)
}

/// Standard classes: a documented zero where the book has it, else a fee that does not exist.
fn retrieve_free(sheet: &mut Sheet<'_>, reads: &Reads<'_>) -> Result<(), Overflow> {
    let tiers = sheet.tiers(Item::Retrieval, &reads.place.region, reads.class.name);
    let fee = reads.fee(Item::Retrieval, reads.class.name, reads.downloads.all());
    let fee = Fee { note: "the vendors bill retrieval for colder classes alone".into(), ..fee };
    if tiers.is_empty() {
        sheet.leave_out(fee, None);
        return Ok(());
    }
    sheet.charge_at(fee, tiers)
}

fn restore(sheet: &mut Sheet<'_>, reads: &Reads<'_>, rules: Restore) -> Result<(), Overflow> {
    let asked = reads.downloads;
    let times = if asked.all() == 0 { 0 } else { asked.restores.unwrap_or(1) };
    if times > 0 {
        let value = asked.restores.map_or(Cow::Borrowed("1"), |restores| format!("{restores}, as given").into());
        sheet.assume(Assumed::RestoreCount, value);
    }
    let (data, request) = match asked.restore_speed {
        RestoreSpeed::Expedited => (Item::RetrievalExpedited, Item::RequestRestoreExpedited),
        RestoreSpeed::Standard => (Item::RetrievalStandard, Item::RequestRestoreStandard),
        RestoreSpeed::Bulk => (Item::RetrievalBulk, Item::RequestRestoreBulk),
    };
    let class = reads.class.name;
    let requests = u128::from(times) * u128::try_from(reads.objects.len()).map_err(|_| Overflow)?;
    let fee = Fee {
        measure: Measure::Requests,
        quantity: Range::known(requests),
        assumed: &[],
        ..reads.fee(request, class, times)
    };
    if rules.has_request_fee {
        sheet.charge(fee)?;
    } else {
        sheet.leave_out(Fee { note: "no fee for restore requests is listed for this class".into(), ..fee }, None);
    }
    sheet.charge(reads.fee(if rules.has_speeds { data } else { Item::Retrieval }, class, times))?;
    let Some((item, copy_class)) = rules.copy else { return Ok(()) };
    let tiers = sheet.tiers(item, &reads.place.region, copy_class);
    let hours = asked.restored_hours.unwrap_or(RESTORED_HOURS);
    if times > 0 {
        sheet.assume(Assumed::RestoredFor, format!("{hours} hours"));
    }
    let fee = reads.fee(Item::TemporaryStorage, copy_class, times);
    sheet.charge_at(Fee { hours: (hours, hours), ..fee }, tiers)
}

fn public_traffic(sheet: &mut Sheet<'_>, reads: &Reads<'_>) -> Result<(), Overflow> {
    let asked = reads.downloads;
    let free = Range::known(u128::from(reads.free.public_traffic));
    let class = reads.class.name;
    let noted = |fee: Fee, note: &'static str| {
        let note = if fee.quantity.high == 0 { "no such download was asked for" } else { note };
        Fee { note: note.into(), ..fee }
    };
    let peak = sheet.tiers(Item::EgressPublicPeak, &reads.place.region, class);
    if peak.is_empty() {
        if asked.public_off_peak > 0 {
            sheet.warn(
                "NO_PEAK_HOURS",
                "No night price is known for this region; downloads by night cost the same as by day.",
            );
        }
        let tiers = reading_tiers(sheet, reads, Item::EgressPublic);
        let fee = reads.fee(Item::EgressPublic, class, asked.public + asked.public_off_peak);
        return sheet.charge_at(noted(Fee { free, ..fee }, ""), tiers);
    }
    let day = reads.fee(Item::EgressPublicPeak, class, asked.public);
    let left = free.zip(day.quantity, u128::saturating_sub);
    sheet.charge_at(noted(Fee { free, ..day }, "a download by night costs less"), peak)?;
    let night = reads.fee(Item::EgressPublicOffpeak, class, asked.public_off_peak);
    sheet.charge(noted(Fee { free: left, ..night }, ""))
}

fn resource(objects: usize, times: u64) -> Cow<'static, str> {
    match times {
        1 => count(objects, "object"),
        _ => format!("{} × {times}", count(objects, "object")).into(),
    }
}
