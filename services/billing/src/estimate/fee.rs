//! Turns a fee and a quantity into lines: free part first, then one line per price tier, then what has no price.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Assumed, Assumption, Line, LineKind, Measure, Notice, Status};
use crate::book::{Confidence, Item, PriceBook, Row};
use crate::money::{Exact, Overflow, Range};
use crate::request::Place;

/// A fee to be priced.
#[derive(Debug, Clone)]
pub(super) struct Fee {
    pub(super) item: Item,
    pub(super) region: Arc<str>,
    pub(super) class: Cow<'static, str>,
    pub(super) kind: LineKind,
    pub(super) measure: Measure,
    pub(super) quantity: Range<u128>,
    /// Hours billed and hours asked for; zeros where time does not matter.
    pub(super) hours: (u64, u64),
    /// Measured things that are free.
    pub(super) free: Range<u128>,
    pub(super) resource: Cow<'static, str>,
    pub(super) note: Cow<'static, str>,
    pub(super) assumed: &'static [Assumed],
}

impl Fee {
    /// Begins a fee without time, allowance, note or assumption.
    pub(super) fn new(
        item: Item,
        region: &Arc<str>,
        class: impl Into<Cow<'static, str>>,
        quantity: (Measure, Range<u128>),
    ) -> Self {
        Self {
            item,
            region: Arc::clone(region),
            class: class.into(),
            kind: LineKind::OneTime,
            measure: quantity.0,
            quantity: quantity.1,
            hours: (0, 0),
            free: Range::default(),
            resource: Cow::Borrowed(""),
            note: Cow::Borrowed(""),
            assumed: &[],
        }
    }
}

/// An estimate that is being written.
#[derive(Debug)]
pub(super) struct Sheet<'b> {
    pub(super) book: &'b PriceBook,
    pub(super) place: Place,
    pub(super) lines: Vec<Line<'b>>,
    pub(super) assumptions: Vec<Assumption>,
    pub(super) warnings: Vec<Notice>,
}

impl<'b> Sheet<'b> {
    pub(super) fn new(book: &'b PriceBook, place: Place) -> Self {
        Self { book, place, lines: Vec::with_capacity(12), assumptions: Vec::with_capacity(6), warnings: Vec::new() }
    }

    /// Records an assumption once.
    pub(super) fn assume(&mut self, what: Assumed, value: impl Into<Cow<'static, str>>) {
        if !self.assumptions.iter().any(|known| known.what == what) {
            self.assumptions.push(Assumption { what, value: value.into() });
        }
    }

    /// Records a warning once.
    pub(super) fn warn(&mut self, code: &'static str, text: impl Into<Cow<'static, str>>) {
        if !self.warnings.iter().any(|known| known.code == code) {
            self.warnings.push(Notice { code, text: text.into() });
        }
    }

    /// Returns the tiers of a price.
    pub(super) fn tiers(&self, item: Item, region: &str, class: &str) -> &'b [Row] {
        self.book.tiers(self.place.cloud, self.place.site, region, item, class)
    }

    /// Adds the lines of a fee at the price of its own class.
    pub(super) fn charge(&mut self, fee: Fee) -> Result<(), Overflow> {
        let tiers = self.tiers(fee.item, &fee.region, &fee.class);
        self.charge_at(fee, tiers)
    }

    /// Adds a line for a fee that nothing is used of, or that the vendor does not have.
    pub(super) fn leave_out(&mut self, fee: Fee, row: Option<&'b Row>) {
        let line = Line {
            status: Status::NotApplicable,
            amount: Some(Range::default()),
            confidence: row.map_or(Confidence::High, |row| row.confidence),
            row,
            ..blank(&fee, fee.quantity)
        };
        self.lines.push(line);
    }

    /// Adds the lines of a fee at the given tiers, which may be empty.
    pub(super) fn charge_at(&mut self, fee: Fee, tiers: &'b [Row]) -> Result<(), Overflow> {
        // A free first tier is a free tier of the account: it counts only when the request says what is left of it.
        let (free_row, paid) = match tiers {
            [first, rest @ ..] if first.is_free_tier() && !rest.is_empty() => (Some(first), rest),
            all => (None, all),
        };
        if fee.quantity.high == 0 {
            let note = if fee.note.is_empty() { Cow::Borrowed("nothing of it is used") } else { fee.note.clone() };
            self.leave_out(Fee { note, ..fee }, paid.first());
            return Ok(());
        }
        let rest = self.take_free_part(&fee, free_row);
        if rest.high > 0 {
            self.charge_tiers(&fee, rest, paid)?;
        }
        Ok(())
    }

    fn take_free_part(&mut self, fee: &Fee, row: Option<&'b Row>) -> Range<u128> {
        let part = fee.quantity.zip(fee.free, u128::min);
        if part.high == 0 {
            return fee.quantity;
        }
        self.lines.push(Line {
            status: Status::Free,
            amount: Some(Range::default()),
            confidence: row.map_or(Confidence::Medium, |row| row.confidence),
            row,
            note: Cow::Borrowed("free tier, as the request gives it"),
            ..blank(fee, part)
        });
        fee.quantity.zip(part, |all, free| all - free)
    }

    fn charge_tiers(&mut self, fee: &Fee, quantity: Range<u128>, paid: &'b [Row]) -> Result<(), Overflow> {
        let (Some(first), Some(last)) = (paid.first(), paid.last()) else {
            self.leave_open(fee, quantity, "no price is in the book");
            return Ok(());
        };
        if paid.len() > 1 {
            self.assume(Assumed::TierBase, "0");
        }
        let start = first.tier_from;
        let bound = |row: &Row, units: u64| u128::from(units - start) * u128::from(row.unit.size());
        for row in paid {
            let from = bound(row, row.tier_from);
            let to = row.tier_to.map_or(u128::MAX, |to| bound(row, to));
            let part = quantity.map(|all| all.min(to).saturating_sub(from));
            if part.high == 0 {
                break;
            }
            self.lines.push(priced(fee, part, row)?);
        }
        if let Some(end) = last.tier_to.map(|to| bound(last, to)) {
            let beyond = quantity.map(|all| all.saturating_sub(end));
            if beyond.high > 0 {
                self.leave_open(fee, beyond, "the last price tier of the book ends before it");
            }
        }
        Ok(())
    }

    fn leave_open(&mut self, fee: &Fee, quantity: Range<u128>, why: &'static str) {
        self.lines.push(Line { status: Status::PriceUnknown, note: Cow::Borrowed(why), ..blank(fee, quantity) });
    }
}

fn priced<'b>(fee: &Fee, quantity: Range<u128>, row: &'b Row) -> Result<Line<'b>, Overflow> {
    let amount = quantity.try_map(|count| row.cost(count, fee.hours.0))?;
    let month = match fee.kind {
        LineKind::Recurring => quantity.try_map(|count| row.cost(count, MONTH_HOURS))?,
        LineKind::OneTime | LineKind::PerEvent => Range::default(),
    };
    Ok(Line {
        status: if row.price.is_zero() { Status::Free } else { Status::Priced },
        confidence: if fee.assumed.is_empty() { row.confidence } else { Confidence::Low },
        amount: Some(amount),
        month,
        row: Some(row),
        ..blank(fee, quantity)
    })
}

#[expect(clippy::cast_possible_truncation, reason = "720 fits")]
const MONTH_HOURS: u64 = Exact::MONTH_HOURS as u64;

fn blank<'b>(fee: &Fee, quantity: Range<u128>) -> Line<'b> {
    Line {
        item: fee.item,
        resource: fee.resource.clone(),
        region: Arc::clone(&fee.region),
        class: fee.class.clone(),
        kind: fee.kind,
        status: Status::PriceUnknown,
        quantity,
        measure: fee.measure,
        row: None,
        billed_hours: fee.hours.0,
        asked_hours: fee.hours.1,
        amount: None,
        month: Range::default(),
        confidence: Confidence::Low,
        note: fee.note.clone(),
        assumed: fee.assumed,
    }
}
