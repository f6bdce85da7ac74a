//! Shares as a person reads them: the preview, what came of a change, and who has an image now.

use anyhow::Result;
use sampan_proto::operation::v1::ShareResult;
use sampan_proto::share::v1::{ListImageSharesResponse, PreviewShareResponse};

use super::{preview, style, words};

/// Prints a preview of a change.
///
/// # Errors
/// When standard output is closed.
pub fn print_preview(told: &PreviewShareResponse) -> Result<()> {
    preview::print_head(&preview::Head {
        startable: told.startable,
        violations: &told.violations,
        warnings: &told.warnings,
        image: told.image.as_ref(),
        quota: told.quota.as_ref(),
    })?;
    print_accounts("add:     ", &told.accounts_to_add)?;
    print_accounts("remove:  ", &told.accounts_to_remove)?;
    print_accounts("as is:   ", &told.accounts_unchanged)?;
    for copy in &told.copies {
        words::line(&format!("copy:    {} in {}", copy.image_id, copy.region))?;
    }
    if told.startable {
        preview::print_calls(&told.planned_calls)?;
    }
    Ok(())
}

/// Prints what a change has left: one row per image, then the accounts.
///
/// # Errors
/// When standard output is closed.
pub fn print_result(result: &ShareResult) -> Result<()> {
    let mut table = style::table(["region", "image", "added", "removed", "shared with"]).expendable(&["image"]);
    for image in &result.images {
        let reference = image.reference.clone().unwrap_or_default();
        table.add_row([
            reference.region,
            reference.image_id,
            image.added.len().to_string(),
            image.removed.len().to_string(),
            count(image.accounts.len()),
        ]);
    }
    words::line("")?;
    words::line(&table.to_string())?;
    words::line("")?;
    for image in &result.images {
        let region = image.reference.as_ref().map_or("", |reference| reference.region.as_str());
        let place = if result.images.len() > 1 { format!(" in {region}") } else { String::new() };
        print_accounts(&format!("added{place}: "), &image.added)?;
        print_accounts(&format!("removed{place}: "), &image.removed)?;
        print_accounts(&format!("{} ", style::notice(&format!("not as asked for{place}:"))), &image.drift)?;
    }
    Ok(())
}

/// Prints who has an image.
///
/// # Errors
/// When standard output is closed.
pub fn print_list(told: &ListImageSharesResponse) -> Result<()> {
    if told.shares.is_empty() {
        return words::line("shared with nobody");
    }
    let mut table = style::table(["account", "since"]);
    for share in &told.shares {
        table.add_row([share.account_id.clone(), words::time(share.share_time.as_ref())]);
    }
    table.drop_boring("since", "-");
    words::line(&table.to_string())
}

fn print_accounts(first: &str, accounts: &[String]) -> Result<()> {
    if accounts.is_empty() {
        return Ok(());
    }
    words::paragraph(first, &accounts.join(" "))
}

fn count(accounts: usize) -> String {
    match accounts {
        0 => "nobody".to_owned(),
        1 => "1 account".to_owned(),
        more => format!("{more} accounts"),
    }
}
