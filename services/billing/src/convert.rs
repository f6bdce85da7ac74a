//! Translates estimates and prices into messages; the one place where figures become text.

use rust_decimal::Decimal;
use sampan_chassis::convert::image;
use sampan_proto::billing::v1 as pb;

use crate::book::{Confidence, PriceBook, Row, Site, Stale};
use crate::estimate::{Assumption, Estimate, Kind, Line, LineKind, Measure, Notice, Status};
use crate::money::{Currency, Exact, Overflow, Range};

/// Places that a quantity is shown with; a byte is about 10^-9 GB.
const QUANTITY_PLACES: u32 = 9;

/// Returns the message of an estimate.
///
/// # Errors
/// [`Overflow`] when a figure is beyond the largest decimal.
pub(crate) fn estimate(estimate: &Estimate<'_>) -> Result<pb::Estimate, Overflow> {
    let totals = &estimate.totals;
    let money = |range| money(range, estimate.currency);
    let lines: Result<_, _> = estimate.lines.iter().map(|line| self::line(line, estimate)).collect();
    Ok(pb::Estimate {
        kind: kind(estimate.kind).into(),
        cloud: image::cloud(estimate.cloud).into(),
        site: site(estimate.site).into(),
        region: estimate.region.to_string(),
        currency: estimate.currency.as_str().to_owned(),
        total: Some(money(totals.period)?),
        one_time: Some(money(totals.one_time)?),
        per_month: Some(money(totals.per_month)?),
        payable: Some(payable(totals.payable, estimate.currency, totals.rule)?),
        lower_bound: totals.is_lower_bound,
        confidence: confidence(estimate.confidence).into(),
        lines: lines?,
        assumptions: estimate.assumptions.iter().map(assumption).collect(),
        warnings: estimate.warnings.iter().map(notice).collect(),
        resolved: Some(resolved(estimate)),
        price_book: Some(book(estimate.book)),
    })
}

/// Returns the message of a price that is too old.
pub(crate) fn stale(stale: &Stale<'_>) -> pb::StalePrice {
    pb::StalePrice {
        key: stale.row.key_text().to_owned(),
        source_date: stale.row.source_date.to_string(),
        age_days: stale.age_days,
    }
}

/// Returns the message of a price.
pub(crate) fn price(row: &Row, book: &PriceBook) -> pb::Price {
    pb::Price {
        cloud: image::cloud(row.key.cloud).into(),
        site: site(row.key.site).into(),
        region: row.key.region.to_string(),
        item: row.key.item.as_str().to_owned(),
        storage_class: row.key.class.to_string(),
        currency: row.key.site.currency().as_str().to_owned(),
        unit_price: Some(unit_price(row, book)),
    }
}

/// Returns the message that identifies a book.
pub(crate) fn book(book: &PriceBook) -> pb::PriceBookInfo {
    let files = book.files().iter().map(|file| pb::PriceFile { name: file.name.clone(), sha256: file.sha256.clone() });
    pb::PriceBookInfo {
        version: book.version().to_owned(),
        sha256: book.sha256().to_owned(),
        files: files.collect(),
        row_count: i32::try_from(book.rows().len()).unwrap_or(i32::MAX),
    }
}

fn line(line: &Line<'_>, estimate: &Estimate<'_>) -> Result<pb::Line, Overflow> {
    Ok(pb::Line {
        item: line.item.as_str().to_owned(),
        name: line.item.name().to_owned(),
        resource: line.resource.clone().into_owned(),
        region: line.region.to_string(),
        storage_class: line.class.clone().into_owned(),
        kind: match line.kind {
            LineKind::OneTime => pb::LineKind::OneTime,
            LineKind::PerEvent => pb::LineKind::PerEvent,
            LineKind::Recurring => pb::LineKind::Recurring,
        }
        .into(),
        status: match line.status {
            Status::Priced => pb::LineStatus::Priced,
            Status::Free => pb::LineStatus::Free,
            Status::PriceUnknown => pb::LineStatus::PriceUnknown,
            Status::NotApplicable => pb::LineStatus::NotApplicable,
        }
        .into(),
        quantity: Some(quantity(line)?),
        unit_price: line.row.map(|row| unit_price(row, estimate.book)),
        billed_hours: hours(line.billed_hours),
        asked_hours: hours(line.asked_hours),
        amount: line.amount.map(|amount| money(amount, estimate.currency)).transpose()?,
        confidence: confidence(line.confidence).into(),
        note: line.note.clone().into_owned(),
        assumptions: line.assumed.iter().map(|assumed| assumed.code().to_owned()).collect(),
    })
}

fn hours(hours: u64) -> i64 {
    i64::try_from(hours).unwrap_or(i64::MAX)
}

fn quantity(line: &Line<'_>) -> Result<pb::Quantity, Overflow> {
    let text = |count: u128| match line.measure {
        Measure::Bytes => gigabytes(count),
        Measure::Requests | Measure::Calls | Measure::Keys | Measure::Instances | Measure::Qps | Measure::Accounts => {
            Ok(count.to_string())
        }
    };
    let Range { low, expected, high } = texts(line.quantity, text)?;
    Ok(pb::Quantity { low, expected, high, unit: line.measure.unit().to_owned() })
}

/// Spells the three figures; most are known, and one that is the same need not be spelled again.
fn texts<T: Copy + PartialEq>(
    range: Range<T>,
    spell: impl Fn(T) -> Result<String, Overflow>,
) -> Result<Range<String>, Overflow> {
    let low = spell(range.low)?;
    let expected = if range.expected == range.low { low.clone() } else { spell(range.expected)? };
    let high = if range.high == range.expected { expected.clone() } else { spell(range.high)? };
    Ok(Range { low, expected, high })
}

/// Returns bytes in GB, rounded half up to 9 places, without trailing zeros.
fn gigabytes(bytes: u128) -> Result<String, Overflow> {
    let scaled = bytes.checked_mul(10_u128.pow(QUANTITY_PLACES)).ok_or(Overflow)?;
    let billionths = i128::try_from((scaled + Exact::GB / 2) / Exact::GB).map_err(|_| Overflow)?;
    let decimal = Decimal::try_from_i128_with_scale(billionths, QUANTITY_PLACES).map_err(|_| Overflow)?;
    Ok(decimal.normalize().to_string())
}

fn money(range: Range<Exact>, currency: Currency) -> Result<pb::Money, Overflow> {
    let Range { low, expected, high } = texts(range, |amount| Ok(amount.rounded()?.to_string()))?;
    Ok(pb::Money { low, expected, high, currency: currency.as_str().to_owned() })
}

fn payable(range: Range<Exact>, currency: Currency, rule: &str) -> Result<pb::Payable, Overflow> {
    let Range { low, expected, high } = texts(range, |amount| Ok(amount.cents()?.to_string()))?;
    Ok(pb::Payable { low, expected, high, currency: currency.as_str().to_owned(), rule: rule.to_owned() })
}

fn unit_price(row: &Row, book: &PriceBook) -> pb::UnitPrice {
    let (tier_from, tier_to) = row.tier_texts();
    pb::UnitPrice {
        amount: row.price_text().to_owned(),
        unit: row.unit.as_str().to_owned(),
        tier_from: tier_from.to_owned(),
        tier_to: tier_to.to_owned(),
        source: row.source.to_string(),
        source_date: row.source_date.to_string(),
        confidence: confidence(row.confidence).into(),
        key: row.key_text().to_owned(),
        row: i32::try_from(row.line).unwrap_or(i32::MAX),
        file: book.files().get(row.file).map(|file| file.name.clone()).unwrap_or_default(),
    }
}

fn resolved(estimate: &Estimate<'_>) -> pb::Resolved {
    let bytes = |size: u64| i64::try_from(size).unwrap_or(i64::MAX);
    let sizes = estimate.sizes.iter().map(|size| pb::SizeRange {
        low_bytes: bytes(size.low),
        expected_bytes: bytes(size.expected),
        high_bytes: bytes(size.high),
    });
    pb::Resolved {
        storage_class: estimate.storage_class.to_owned(),
        keep_hours: hours(estimate.keep_hours),
        sizes: sizes.collect(),
    }
}

fn assumption(assumption: &Assumption) -> pb::Assumption {
    pb::Assumption {
        code: assumption.what.code().to_owned(),
        text: assumption.what.text().to_owned(),
        value: assumption.value.clone().into_owned(),
        override_field: assumption.what.override_field().to_owned(),
    }
}

fn notice(notice: &Notice) -> pb::Notice {
    pb::Notice { code: notice.code.to_owned(), text: notice.text.clone().into_owned() }
}

fn kind(kind: Kind) -> pb::EstimateKind {
    match kind {
        Kind::Export => pb::EstimateKind::Export,
        Kind::Copy => pb::EstimateKind::Copy,
        Kind::Download => pb::EstimateKind::Download,
    }
}

fn site(site: Site) -> pb::Site {
    match site {
        Site::Cn => pb::Site::Cn,
        Site::Intl => pb::Site::Intl,
    }
}

fn confidence(confidence: Confidence) -> pb::Confidence {
    match confidence {
        Confidence::Low => pb::Confidence::Low,
        Confidence::Medium => pb::Confidence::Medium,
        Confidence::High => pb::Confidence::High,
    }
}
