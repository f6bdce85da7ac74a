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
        return words::line("no lane was used yet");
    }
    let mut table = style::table([
        "cloud",
        "account",
        "region",
        "day",
        "limit",
        "used",
        "held",
        "elsewhere",
        "left",
        "waiting",
        "resets",
    ]);
    for quota in quotas {
        let unlimited = || "none".to_owned();
        table.add_row([
            words::cloud(quota.cloud).to_owned(),
            quota.account.clone(),
            quota.region.clone(),
            format!("{} {}", quota.day, quota.time_zone),
            quota.daily_limit.map_or_else(unlimited, |limit| limit.to_string()),
            quota.used.to_string(),
            quota.reserved.to_string(),
            quota.spent_elsewhere.to_string(),
            quota.remaining.map_or_else(|| "no limit".to_owned(), |left| left.to_string()),
            quota.waiting_count.to_string(),
            words::time(quota.reset_time.as_ref()),
        ]);
    }
    words::line(&table.to_string())?;
    for waiting in quotas.iter().flat_map(|quota| &quota.waiting) {
        let start = words::time(waiting.earliest_start_time.as_ref());
        words::line(&format!(
            "  waiting {}: {}, starts at {start} at the earliest",
            waiting.position, waiting.operation_name
        ))?;
    }
    Ok(())
}

/// Returns the quota of one lane in a few words.
pub fn brief(quota: &Quota) -> String {
    match (quota.daily_limit, quota.remaining) {
        (Some(limit), Some(left)) => format!(
            "{left} of {limit} image operations left in {} on {} ({}), reset at {}",
            quota.region,
            quota.day,
            quota.time_zone,
            words::time(quota.reset_time.as_ref())
        ),
        _ => format!("no daily limit in {}", quota.region),
    }
}
