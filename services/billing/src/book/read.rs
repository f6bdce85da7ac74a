//! Reads one price file: every row that is wrong is named with its line, and one wrong row refuses the file.

use std::collections::HashSet;
use std::str::FromStr;
use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;
use sampan_core::{Cloud, Region};

use super::row::{Confidence, Key, Row, RowFields, Site, Unit};
use crate::money::Exact;

/// Columns of a price file, in their order.
pub const COLUMNS: [&str; 13] = [
    "provider",
    "site",
    "region_code",
    "item",
    "storage_class",
    "unit",
    "tier_from",
    "tier_to",
    "price",
    "currency",
    "source",
    "source_date",
    "confidence",
];

/// Beyond this a price is a slip of the pen.
const HIGHEST_PRICE: u64 = 1_000_000_000;

/// What is wrong with one row of a price file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, row {row}: {message}")]
pub struct RowProblem {
    /// Name of the file.
    pub file: String,
    /// Line of the file, counted from 1 with the header.
    pub row: u64,
    /// What is wrong, as one phrase.
    pub message: String,
}

/// A file on its way into a book.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    pub(super) file: &'a str,
    pub(super) index: usize,
    pub(super) problems: Vec<RowProblem>,
    texts: HashSet<Arc<str>>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(file: &'a str, index: usize) -> Self {
        Self { file, index, problems: Vec::new(), texts: HashSet::new() }
    }

    pub(super) fn refuse(&mut self, row: u64, message: impl Into<String>) {
        self.problems.push(RowProblem { file: self.file.to_owned(), row, message: message.into() });
    }

    /// Reads all rows; what is wrong is gathered in `problems`.
    pub(super) fn rows(&mut self, text: &str) -> Vec<Row> {
        // Spreadsheets put a byte order mark in front.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut rows = Vec::new();
        let mut record = csv::StringRecord::new();
        let mut is_header = true;
        loop {
            let line = reader.position().line();
            match reader.read_record(&mut record) {
                Ok(false) => break,
                Ok(true) if is_header => {
                    is_header = false;
                    if record.iter().map(str::trim).ne(COLUMNS) {
                        self.refuse(1, format!("the header must be {}", COLUMNS.join(",")));
                        return Vec::new();
                    }
                }
                Ok(true) => {
                    let line = record.position().map_or(line, csv::Position::line);
                    match self.row(&record, line) {
                        Ok(row) => rows.push(row),
                        Err(message) => self.refuse(line, message),
                    }
                }
                Err(error) => {
                    self.refuse(line, error.to_string());
                    break;
                }
            }
        }
        if rows.is_empty() && self.problems.is_empty() {
            self.refuse(1, "the file has no prices");
        }
        rows
    }

    fn row(&mut self, record: &csv::StringRecord, line: u64) -> Result<Row, String> {
        if record.len() != COLUMNS.len() {
            return Err(format!("it has {} columns instead of {}", record.len(), COLUMNS.len()));
        }
        let field = |index: usize| record.get(index).unwrap_or_default().trim();
        let site: Site = word(field(1))?;
        let region = region(field(2))?;
        let key = Key {
            cloud: field(0).parse::<Cloud>().map_err(|error| error.to_string())?,
            site,
            region: self.text(region),
            item: word(field(3))?,
            class: self.text(field(4)),
        };
        let unit: Unit = word(field(5))?;
        if !key.item.takes(unit) {
            return Err(format!("{} is not priced per {unit}", key.item));
        }
        let currency = site.currency().as_str();
        if field(9) != currency {
            return Err(format!("the site {site} bills in {currency}, not in `{}`", field(9)));
        }
        let source = required("source", field(10))?;
        let source_date = required("source_date", field(11))?;
        let fields = RowFields {
            unit,
            tiers: tiers(field(6), field(7))?,
            price: price(field(8))?,
            source: self.text(source),
            source_date: self.text(source_date),
            dated: first_day(source_date)?,
            confidence: word::<Confidence>(field(12))?,
            line,
            file: self.index,
            key,
        };
        Row::new(fields).map_err(|error| error.to_string())
    }

    /// Returns a shared copy: a book repeats a few hundred texts thousands of times.
    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = Arc::from(text);
        self.texts.insert(Arc::clone(&shared));
        shared
    }
}

fn word<T: FromStr<Err: ToString>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn required<'a>(column: &str, text: &'a str) -> Result<&'a str, String> {
    if text.is_empty() { Err(format!("{column} is missing")) } else { Ok(text) }
}

fn region(text: &str) -> Result<&str, String> {
    required("region_code", text)?.parse::<Region>().map_err(|error| error.to_string())?;
    Ok(text)
}

fn price(text: &str) -> Result<Decimal, String> {
    let price = Decimal::from_str_exact(text).map_err(|_| format!("`{text}` is no decimal price"))?.normalize();
    if price.is_sign_negative() && !price.is_zero() {
        return Err(format!("the price {text} is negative"));
    }
    if price.scale() > Exact::PRICE_PLACES {
        return Err(format!("the price {text} has more than {} decimal places", Exact::PRICE_PLACES));
    }
    if price > Decimal::from(HIGHEST_PRICE) {
        return Err(format!("the price {text} is beyond {HIGHEST_PRICE}"));
    }
    Ok(price)
}

fn tiers(from: &str, to: &str) -> Result<(u64, Option<u64>), String> {
    // Far beyond any tier, and small enough that bytes of it fit.
    const HIGHEST: u64 = 1 << 32;
    let bound = |column: &str, text: &str| match text.parse::<u64>() {
        Ok(bound) if bound <= HIGHEST => Ok(bound),
        _ => Err(format!("{column} `{text}` is no whole number up to {HIGHEST}")),
    };
    let from = bound("tier_from", from)?;
    if to.is_empty() {
        return Ok((from, None));
    }
    let to = bound("tier_to", to)?;
    if to <= from {
        return Err(format!("the tier from {from} to {to} is empty"));
    }
    Ok((from, Some(to)))
}

/// Returns the first day that `2024-08-15`, `2024-08` or `2024` can mean.
fn first_day(text: &str) -> Result<Date, String> {
    let padded = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    let is_plain = padded.len() == 10 && padded.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let date = padded.parse::<Date>().ok().filter(|_| is_plain);
    date.ok_or_else(|| format!("`{text}` is no date of the form YYYY-MM-DD, YYYY-MM or YYYY"))
}

/// Finds tiers of one price that do not fit together. `rows` are those of one file in the order of their keys.
pub(super) fn misfits(rows: &[Row]) -> Vec<(u64, String)> {
    let mut misfits = Vec::new();
    for tiers in rows.chunk_by(|a, b| a.key == b.key) {
        if let Some(first) = tiers.first().filter(|first| first.tier_from != 0) {
            misfits.push((first.line, format!("the first tier of {} does not begin at 0", first.key)));
        }
        for pair in tiers.windows(2) {
            let [before, after] = pair else { continue };
            let fault = if before.unit != after.unit {
                Some(format!("is per {} and row {} per {}", after.unit, before.line, before.unit))
            } else if before.tier_from == after.tier_from {
                Some(format!("is a duplicate of row {}", before.line))
            } else if before.tier_to.is_none_or(|end| end > after.tier_from) {
                Some(format!("overlaps the tier of row {}", before.line))
            } else if before.tier_to != Some(after.tier_from) {
                Some(format!("leaves a gap after the tier of row {}", before.line))
            } else {
                None
            };
            if let Some(fault) = fault {
                misfits.push((after.line, format!("{} {fault}", after.key)));
            }
        }
    }
    misfits
}
