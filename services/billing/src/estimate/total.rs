//! Adds lines up: totals, the payable figure by the vendor's rule, the confidence of the whole.

use sampan_core::Cloud;

use super::fee::Sheet;
use super::{Estimate, Kind, Line, LineKind, Status};
use crate::book::Confidence;
use crate::money::{Exact, Overflow, Range};

/// A line above this share of the total lowers the confidence of the whole, in percent.
const WEIGHTY_PERCENT: u128 = 5;

/// Sums of an estimate, exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Everything, for the period that was asked for.
    pub period: Range<Exact>,
    /// What is paid once or per download.
    pub one_time: Range<Exact>,
    /// What recurs in each month of 30 days.
    pub per_month: Range<Exact>,
    /// What the vendor collects, in whole cents.
    pub payable: Range<Exact>,
    /// The rule of the payable figure.
    pub rule: &'static str,
    /// Whether a price is missing.
    pub is_lower_bound: bool,
}

impl Totals {
    fn of(lines: &[Line<'_>], cloud: Cloud) -> Result<Self, Overflow> {
        let mut totals = Self::default();
        let mut cut = Range::<Exact>::default();
        for line in lines {
            let Some(amount) = line.amount else {
                totals.is_lower_bound = true;
                continue;
            };
            totals.period = totals.period.plus(amount)?;
            totals.per_month = totals.per_month.plus(line.month)?;
            cut = cut.plus(amount.map(Exact::cut_to_cents))?;
            match line.kind {
                LineKind::OneTime | LineKind::PerEvent => totals.one_time = totals.one_time.plus(amount)?,
                LineKind::Recurring => {}
            }
        }
        (totals.payable, totals.rule) = match cloud {
            Cloud::Tencent => (cut, "each item is cut to whole cents"),
            Cloud::Alibaba => (totals.period.map(Exact::cut_to_cents), "the sum is cut to whole cents"),
        };
        Ok(totals)
    }
}

impl<'b> Sheet<'b> {
    /// Closes the estimate.
    pub(super) fn finish(
        mut self,
        kind: Kind,
        storage_class: &'static str,
        keep_hours: u64,
        sizes: Vec<Range<u64>>,
    ) -> Result<Estimate<'b>, Overflow> {
        let totals = Totals::of(&self.lines, self.place.cloud)?;
        if totals.is_lower_bound {
            self.warn("PRICE_MISSING", missing(&self.lines));
        }
        let confidence = confidence(&self.lines, &totals);
        let Self { book, place, lines, assumptions, warnings } = self;
        Ok(Estimate {
            kind,
            cloud: place.cloud,
            site: place.site,
            region: place.region,
            currency: place.site.currency(),
            lines,
            totals,
            confidence,
            assumptions,
            warnings,
            storage_class,
            keep_hours,
            sizes,
            book,
        })
    }
}

fn missing(lines: &[Line<'_>]) -> String {
    let open = lines.iter().filter(|line| line.status == Status::PriceUnknown);
    let names: Vec<_> = open.map(|line| format!("{} in {}", line.item, line.region)).collect();
    format!("The price book has no price for {}; every total is a lower bound.", names.join(", "))
}

fn confidence(lines: &[Line<'_>], totals: &Totals) -> Confidence {
    if totals.is_lower_bound {
        return Confidence::Low;
    }
    let whole = totals.period.expected;
    let is_weighty = |line: &&Line<'_>| match line.amount {
        Some(amount) if whole > Exact::default() => amount.expected.exceeds_share(WEIGHTY_PERCENT, whole),
        // Nothing is paid: every line that says so counts.
        _ => line.status != Status::NotApplicable,
    };
    lines.iter().filter(is_weighty).map(|line| line.confidence).min().unwrap_or(Confidence::High)
}
