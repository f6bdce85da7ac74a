//! Quotas as a table.

use anyhow::Result;
use sampan_proto::quota::v1::Quota;

use super::{style, words};

/// Prints one row per lane, and the waiting list below it.
///
/// # Errors
/// When standard output is closed.
pub fn print(quotas: &[Quota]) -> Result<()> {
    if quotas.is_empty() {
        return words::line("no lane was used yet; ask for one with --cloud and --region");
    }
    let header = ["account", "region", "left", "used", "held", "elsewhere", "waiting", "day", "next day begins"];
    let mut table = style::table(header).expendable(&["day"]);
    for quota in quotas {
        table.add_row([
            quota.account.clone(),
            quota.region.clone(),
            left(quota),
            quota.used.to_string(),
            quota.reserved.to_string(),
            quota.spent_elsewhere.to_string(),
            quota.waiting_count.to_string(),
            quota.day.clone(),
            words::time(quota.reset_time.as_ref()),
        ]);
    }
    for column in ["held", "elsewhere", "waiting"] {
        table.drop_boring(column, "0");
    }
    words::line(&table.to_string())?;
    for waiting in quotas.iter().flat_map(|quota| &quota.waiting) {
        let start = words::time(waiting.earliest_start_time.as_ref());
        words::line(&format!("  {}. in line: {}, not before {start}", waiting.position, waiting.operation_name))?;
    }
    Ok(())
}

fn left(quota: &Quota) -> String {
    match (quota.daily_limit, quota.remaining) {
        (Some(limit), Some(left)) => format!("{left} of {limit}"),
        _ => "no limit".to_owned(),
    }
}

/// Returns the quota of one lane in a few words.
pub fn brief(quota: &Quota) -> String {
    match (quota.daily_limit, quota.remaining) {
        (Some(limit), Some(left)) => format!(
            "{left} of {limit} image operations left in {} on {} ({}), next day begins {}",
            quota.region,
            quota.day,
            quota.time_zone,
            words::time(quota.reset_time.as_ref())
        ),
        _ => format!("no daily limit in {}", quota.region),
    }
}
