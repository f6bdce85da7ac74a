//! Estimates as a table with bars, as JSON, and as rows for a spreadsheet.

use anyhow::{Context as _, Result};
use sampan_proto::billing::v1 as pb;

use super::{json, style, words};
use crate::cli::Compare;

const BAR: usize = 20;
const COLUMNS: [&str; 22] = [
    "alternative",
    "item",
    "name",
    "resource",
    "region",
    "storage_class",
    "kind",
    "status",
    "quantity_low",
    "quantity_expected",
    "quantity_high",
    "quantity_unit",
    "billed_hours",
    "unit_price",
    "price_unit",
    "amount_low",
    "amount_expected",
    "amount_high",
    "currency",
    "confidence",
    "source",
    "source_date",
];

/// An estimate, and what its prices are worth today.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The estimate.
    pub estimate: pb::Estimate,
    /// Prices of it that are too old.
    pub stale_prices: Vec<pb::StalePrice>,
}

/// Prints an estimate for a person.
///
/// # Errors
/// When standard output is closed.
pub fn table(answer: &Answer) -> Result<()> {
    let estimate = &answer.estimate;
    words::line(&style::bold(&heading(estimate)))?;
    let header = ["fee", "quantity", "unit price", "hours", "amount", "share", "sure", "note"];
    let mut table = style::table(header).expendable(&["note", "sure", "hours", "share", "unit price"]);
    let most = estimate.lines.iter().map(expected).fold(0.0, f64::max);
    for line in &estimate.lines {
        table.add_row([
            fee(line),
            line.quantity.as_ref().map_or_else(String::new, quantity),
            line.unit_price
                .as_ref()
                .map_or_else(|| "-".to_owned(), |price| format!("{} / {}", price.amount, price.unit)),
            hours(line),
            line.amount.as_ref().map_or_else(|| style::notice("unknown"), |amount| amount.expected.clone()),
            bar(expected(line), most),
            confidence(line.confidence()).to_owned(),
            style::faint(&line.note),
        ]);
    }
    words::line(&table.to_string())?;
    sums(estimate)?;
    notes(answer)
}

fn heading(estimate: &pb::Estimate) -> String {
    let what = match estimate.kind() {
        pb::EstimateKind::Export => "export",
        pb::EstimateKind::Copy => "copy",
        pb::EstimateKind::Download => "download",
        pb::EstimateKind::Unspecified => "estimate",
    };
    let site = match estimate.site() {
        pb::Site::Cn => "cn",
        pb::Site::Intl => "intl",
        pb::Site::Unspecified => "?",
    };
    let mut parts = vec![what.to_owned(), format!("{} {site}", words::cloud(estimate.cloud)), estimate.region.clone()];
    if let Some(resolved) = &estimate.resolved {
        if !resolved.storage_class.is_empty() {
            parts.push(resolved.storage_class.clone());
        }
        if resolved.keep_hours > 0 {
            let days = resolved.keep_hours / 24;
            parts.push(if resolved.keep_hours % 24 == 0 {
                format!("{days} days")
            } else {
                format!("{} hours", resolved.keep_hours)
            });
        }
    }
    parts.join(", ")
}

/// The fee, and its region or variant where an estimate has several.
fn fee(line: &pb::Line) -> String {
    match line.item.as_str() {
        "snapshot" | "kms_key" | "kms_api" | "kms_instance" | "kms_qps" => format!("{} in {}", line.name, line.region),
        "cross_region_copy" | "snapshot_replication" => format!("{}, {}", line.name, line.resource),
        _ => line.name.clone(),
    }
}

fn quantity(quantity: &pb::Quantity) -> String {
    if quantity.low == quantity.high {
        return format!("{} {}", quantity.expected, quantity.unit);
    }
    format!("{} {} ({} to {})", quantity.expected, quantity.unit, quantity.low, quantity.high)
}

fn hours(line: &pb::Line) -> String {
    match (line.billed_hours, line.asked_hours) {
        (0, _) => String::new(),
        (billed, asked) if billed == asked => billed.to_string(),
        (billed, asked) => format!("{billed} (asked {asked})"),
    }
}

/// The expected amount as a number for drawing; figures are never taken from it.
fn expected(line: &pb::Line) -> f64 {
    line.amount.as_ref().and_then(|amount| amount.expected.parse().ok()).unwrap_or(0.0)
}

fn bar(part: f64, most: f64) -> String {
    if part <= 0.0 || most <= 0.0 {
        return String::new();
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "0 to 20")]
    let cells = (part / most * BAR as f64).round() as usize;
    if cells == 0 { "▏".to_owned() } else { "█".repeat(cells.min(BAR)) }
}

fn confidence(confidence: pb::Confidence) -> &'static str {
    match confidence {
        pb::Confidence::Low => "low",
        pb::Confidence::Medium => "medium",
        pb::Confidence::High => "high",
        pb::Confidence::Unspecified => "?",
    }
}

fn money(money: Option<&pb::Money>) -> String {
    let Some(money) = money else { return "-".to_owned() };
    if money.low == money.high {
        return format!("{} {}", money.expected, money.currency);
    }
    format!("{} {} ({} to {})", money.expected, money.currency, money.low, money.high)
}

/// Returns an estimate in one line: `31.001601 USD (30 to 33.5), of which 19.2 USD per month`.
pub fn brief(estimate: &pb::Estimate) -> String {
    let total = money(estimate.total.as_ref());
    let total = if estimate.lower_bound { format!("at least {total}") } else { total };
    let period = match estimate.resolved.as_ref().map_or(0, |resolved| resolved.keep_hours) {
        0 => String::new(),
        hours if hours % 24 == 0 => format!(" for {} days", hours / 24),
        hours => format!(" for {hours} hours"),
    };
    let per_month = money(estimate.per_month.as_ref());
    // A bill of one month says it already.
    if per_month == total { format!("{total}{period}") } else { format!("{total}{period}; per month {per_month}") }
}

/// Prints the fees of an estimate for a person, those that cost nothing left out.
///
/// # Errors
/// When standard output is closed.
pub fn fees(estimate: &pb::Estimate) -> Result<()> {
    let header = ["fee", "quantity", "unit price", "amount", "least to most"];
    let mut table = style::table(header).expendable(&["unit price", "least to most", "quantity"]);
    let costs = |line: &&pb::Line| line.status() == pb::LineStatus::PriceUnknown || expected(line) > 0.0;
    for line in estimate.lines.iter().filter(costs) {
        let price = line.unit_price.as_ref();
        table.add_row([
            fee(line),
            line.quantity.as_ref().map_or_else(String::new, quantity),
            price.map_or_else(|| "-".to_owned(), |price| format!("{} / {}", price.amount, price.unit)),
            line.amount
                .as_ref()
                .map_or_else(|| style::notice("unknown"), |amount| format!("{} {}", amount.expected, amount.currency)),
            line.amount
                .as_ref()
                .filter(|amount| amount.low != amount.high)
                .map_or_else(|| "-".to_owned(), |amount| format!("{} to {}", amount.low, amount.high)),
        ]);
    }
    table.drop_boring("least to most", "-");
    words::line(&table.to_string())
}

fn sums(estimate: &pb::Estimate) -> Result<()> {
    words::line("")?;
    let total = money(estimate.total.as_ref());
    let total = if estimate.lower_bound { format!("at least {total}") } else { total };
    words::line(&format!("total      {}", style::bold(&total)))?;
    words::line(&format!("one-time   {}", money(estimate.one_time.as_ref())))?;
    words::line(&format!("per month  {}", money(estimate.per_month.as_ref())))?;
    if let Some(payable) = &estimate.payable {
        words::line(&format!("payable    {} {} ({})", payable.expected, payable.currency, payable.rule))?;
    }
    words::line(&format!("sure       {}", confidence(estimate.confidence())))
}

fn notes(answer: &Answer) -> Result<()> {
    let estimate = &answer.estimate;
    words::line("")?;
    for assumption in &estimate.assumptions {
        let how = match assumption.override_field.as_str() {
            "" => String::new(),
            field => format!(" (field {field})"),
        };
        let text = format!("{} = {}{how}. {}", assumption.code, assumption.value, assumption.text);
        words::paragraph("assumed ", &text)?;
    }
    for warning in &estimate.warnings {
        words::paragraph(&style::notice("note "), &warning.text)?;
    }
    if let Some(oldest) = answer.stale_prices.iter().max_by_key(|price| price.age_days) {
        let text = format!(
            "{} of the prices are older than a year; the oldest is of {}, {} days ago ({})",
            answer.stale_prices.len(),
            oldest.source_date,
            oldest.age_days,
            oldest.key
        );
        words::paragraph(&style::notice("note "), &text)?;
    }
    if let Some(book) = &estimate.price_book {
        let digest = book.sha256.get(..12).unwrap_or(&book.sha256);
        words::line(&style::faint(&format!("prices {}, sha256 {digest}…; list prices before tax", book.version)))?;
    }
    Ok(())
}

/// Prints estimates side by side for a person.
///
/// # Errors
/// When standard output is closed.
pub fn comparison(compare: Compare, answers: &[(String, Answer)]) -> Result<()> {
    let Some((_, first)) = answers.first() else { return words::line("nothing to compare") };
    words::line(&style::bold(&heading_of_comparison(compare, &first.estimate)))?;
    let header = ["alternative", "total", "", "one-time", "per month", "low to high", "sure", "no price for"];
    let expendable = ["sure", "low to high", "one-time", "per month", "no price for", ""];
    let mut table = style::table(header).expendable(&expendable);
    let number = |answer: &Answer| {
        answer.estimate.total.as_ref().and_then(|total| total.expected.parse::<f64>().ok()).unwrap_or(0.0)
    };
    let most = answers.iter().map(|(_, answer)| number(answer)).fold(0.0, f64::max);
    let figure = |money: &Option<pb::Money>| money.as_ref().map_or_else(String::new, |money| money.expected.clone());
    for (name, answer) in answers {
        let estimate = &answer.estimate;
        let total = figure(&estimate.total);
        let range = estimate.total.as_ref().map(|total| format!("{} to {}", total.low, total.high));
        let open = estimate.lines.iter().filter(|line| line.status() == pb::LineStatus::PriceUnknown);
        let open: Vec<_> = open.map(|line| line.item.as_str()).collect();
        table.add_row([
            name.clone(),
            if estimate.lower_bound { format!("≥ {total}") } else { total },
            bar(number(answer), most),
            figure(&estimate.one_time),
            figure(&estimate.per_month),
            range.unwrap_or_default(),
            confidence(estimate.confidence()).to_owned(),
            style::notice(&open.join(", ")),
        ]);
    }
    table.drop_boring("no price for", "");
    words::line(&table.to_string())
}

fn heading_of_comparison(compare: Compare, estimate: &pb::Estimate) -> String {
    format!(
        "{} compared, in {}: {}",
        compared(compare),
        estimate.currency,
        match compare {
            Compare::StorageClass => format!("{} {}", words::cloud(estimate.cloud), estimate.region),
            Compare::Region => format!(
                "{} {}",
                words::cloud(estimate.cloud),
                estimate.resolved.as_ref().map_or("", |resolved| resolved.storage_class.as_str())
            ),
        }
    )
}

fn compared(compare: Compare) -> &'static str {
    match compare {
        Compare::StorageClass => "storage-class",
        Compare::Region => "region",
    }
}

/// Prints an estimate for a program: the message, and the prices that are too old beside its fields.
///
/// # Errors
/// When standard output is closed.
pub fn json(answer: &Answer) -> Result<()> {
    words::line(&json_text(answer)?)
}

/// Prints estimates for a program.
///
/// # Errors
/// When standard output is closed.
pub fn comparison_json(compare: Compare, answers: &[(String, Answer)]) -> Result<()> {
    let estimates: Result<Vec<_>> = answers
        .iter()
        .map(|(name, answer)| {
            Ok(format!(r#"{{"name":{},"estimate":{}}}"#, serde_json::json!(name), json_text(answer)?))
        })
        .collect();
    words::line(&format!(r#"{{"compare":"{}","estimates":[{}]}}"#, compared(compare), estimates?.join(",")))
}

fn json_text(answer: &Answer) -> Result<String> {
    let estimate = json::text("sampan.billing.v1.Estimate", &answer.estimate)?;
    if answer.stale_prices.is_empty() {
        return Ok(estimate);
    }
    let stale: Result<Vec<_>> =
        answer.stale_prices.iter().map(|price| json::text("sampan.billing.v1.StalePrice", price)).collect();
    // The order of the fields is that of the protos, which a map of JSON values would lose.
    let body = estimate.strip_suffix('}').context("an estimate is a JSON object")?;
    Ok(format!(r#"{body},"stale_prices":[{}]}}"#, stale?.join(",")))
}

/// Prints estimates for a spreadsheet: a row per fee, and the total of each estimate below its fees.
///
/// # Errors
/// When standard output is closed.
pub fn csv(answers: &[(String, Answer)]) -> Result<()> {
    let mut writer = ::csv::Writer::from_writer(std::io::stdout().lock());
    writer.write_record(COLUMNS)?;
    for (name, answer) in answers {
        for line in &answer.estimate.lines {
            writer.write_record(row(name, line, &answer.estimate.currency))?;
        }
        writer.write_record(total_row(name, &answer.estimate))?;
    }
    writer.flush()?;
    Ok(())
}

fn row(name: &str, line: &pb::Line, currency: &str) -> [String; COLUMNS.len()] {
    let quantity = line.quantity.clone().unwrap_or_default();
    let price = line.unit_price.clone().unwrap_or_default();
    // Without a price the amount is empty, never 0.
    let amount = line.amount.clone().unwrap_or_default();
    [
        name.to_owned(),
        line.item.clone(),
        line.name.clone(),
        line.resource.clone(),
        line.region.clone(),
        line.storage_class.clone(),
        line.kind().as_str_name().trim_start_matches("LINE_KIND_").to_ascii_lowercase(),
        line.status().as_str_name().trim_start_matches("LINE_STATUS_").to_ascii_lowercase(),
        quantity.low,
        quantity.expected,
        quantity.high,
        quantity.unit,
        line.billed_hours.to_string(),
        price.amount,
        price.unit,
        amount.low,
        amount.expected,
        amount.high,
        currency.to_owned(),
        confidence(line.confidence()).to_owned(),
        price.source,
        price.source_date,
    ]
}

fn total_row(name: &str, estimate: &pb::Estimate) -> [String; COLUMNS.len()] {
    let total = estimate.total.clone().unwrap_or_default();
    let mut row = [const { String::new() }; COLUMNS.len()];
    let cells = [
        ("alternative", name.to_owned()),
        ("item", "total".to_owned()),
        ("region", estimate.region.clone()),
        ("status", if estimate.lower_bound { "lower_bound" } else { "complete" }.to_owned()),
        ("amount_low", total.low),
        ("amount_expected", total.expected),
        ("amount_high", total.high),
        ("currency", total.currency),
        ("confidence", confidence(estimate.confidence()).to_owned()),
    ];
    for (column, cell) in cells {
        if let Some(place) = COLUMNS.iter().position(|known| *known == column).and_then(|index| row.get_mut(index)) {
            *place = cell;
        }
    }
    row
}
