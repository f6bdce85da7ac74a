//! Copies as a person reads them: the preview, and what came of them.

use anyhow::Result;
use sampan_proto::copy::v1::{CopyRoute, PreviewCopyResponse};
use sampan_proto::operation::v1::CopyResult;

use super::{estimate, preview, style, words};

/// Prints a preview of a copy.
///
/// # Errors
/// When standard output is closed.
pub fn print_preview(told: &PreviewCopyResponse) -> Result<()> {
    preview::print_head(&preview::Head {
        startable: told.startable,
        violations: &told.violations,
        warnings: &told.warnings,
        image: told.image.as_ref(),
        quota: told.quota.as_ref(),
    })?;
    if !told.destinations.is_empty() {
        print_destinations(told)?;
    }
    if told.startable {
        preview::print_calls(&told.planned_calls)?;
        for fact in &told.not_copied {
            words::paragraph(&format!("{}   ", style::faint("note:")), fact)?;
        }
    }
    match &told.estimate {
        Some(price) => {
            words::paragraph("price:   ", &estimate::brief(price))?;
            estimate::fees(price)
        }
        None if told.price_unavailable.is_empty() => Ok(()),
        None => words::paragraph("price:   ", &style::notice(&told.price_unavailable)),
    }
}

fn print_destinations(told: &PreviewCopyResponse) -> Result<()> {
    let route = match CopyRoute::try_from(told.route) {
        Ok(CopyRoute::Snapshots) => "by a copy of each snapshot and a new image made from these",
        Ok(CopyRoute::Image | CopyRoute::Unspecified) | Err(_) => "by a copy of the image",
    };
    words::line(&format!("travels: {route}"))?;
    let mut table = style::table(["to", "as", "images there", "permitted"]).expendable(&["permitted", "images there"]);
    let count = |count: Option<u32>| count.map_or_else(|| "?".to_owned(), |count| count.to_string());
    for destination in &told.destinations {
        table.add_row([
            destination.region.clone(),
            destination.image_name.clone(),
            count(destination.image_count),
            count(destination.image_limit),
        ]);
    }
    table.drop_boring("permitted", "?");
    table.drop_boring("as", "");
    words::line(&table.to_string())
}

/// Prints what a copy has left: the images, what they do not carry, what is left over.
///
/// # Errors
/// When standard output is closed.
pub fn print_result(result: &CopyResult) -> Result<()> {
    let header = ["region", "image", "name", "snapshots", "per month", "shared with"];
    let mut table = style::table(header).expendable(&["name", "snapshots", "shared with", "per month"]);
    for copied in &result.images {
        let reference = copied.reference.clone().unwrap_or_default();
        let price = match copied.snapshot_cost_per_month.as_str() {
            "" => "-".to_owned(),
            price => format!("{} {}", cents(price), copied.currency),
        };
        let shared = if copied.shared_with.is_empty() { "-".to_owned() } else { copied.shared_with.join(" ") };
        let snapshots = if copied.snapshot_ids.is_empty() { "-".to_owned() } else { copied.snapshot_ids.join(" ") };
        table.add_row([reference.region, reference.image_id, copied.name.clone(), snapshots, price, shared]);
    }
    table.drop_boring("shared with", "-");
    table.drop_boring("per month", "-");
    words::line("")?;
    words::line(&table.to_string())?;
    words::line("")?;
    for left in &result.leftovers {
        let first = format!("{} ", style::bad("left over:"));
        words::paragraph(&first, &format!("{} {} in {}: {}", left.resource, left.id, left.region, left.cause))?;
    }
    if let Some(price) = &result.estimate {
        words::paragraph("price:  ", &estimate::brief(price))?;
    }
    for fact in &result.not_copied {
        words::paragraph(&format!("{}   ", style::faint("note:")), fact)?;
    }
    Ok(())
}

/// Returns a price with two places.
fn cents(price: &str) -> String {
    price.parse::<f64>().map_or_else(|_| price.to_owned(), |price| format!("{price:.2}"))
}
