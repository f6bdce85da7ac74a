//! A preview as a person reads it: what stands against it first, then what it would do.

use anyhow::Result;
use sampan_proto::export::v1::PreviewExportResponse;
use sampan_proto::image::v1::{Image, PlannedCall, Violation};
use sampan_proto::quota::v1::Quota;

use super::{estimate, quota, style, words};

/// Prints a preview of an export.
///
/// # Errors
/// When standard output is closed.
pub fn print(preview: &PreviewExportResponse) -> Result<()> {
    print_head(&Head {
        startable: preview.startable,
        violations: &preview.violations,
        warnings: &preview.warnings,
        image: preview.image.as_ref(),
        quota: preview.quota.as_ref(),
    })?;
    if preview.startable {
        print_plan(preview)?;
    }
    match &preview.estimate {
        Some(estimate) => {
            words::paragraph("price:   ", &estimate::brief(estimate))?;
            estimate::fees(estimate)
        }
        None if preview.price_unavailable.is_empty() => Ok(()),
        None => words::paragraph("price:   ", &style::notice(&preview.price_unavailable)),
    }
}

/// What every preview begins with.
#[derive(Debug)]
pub struct Head<'a> {
    /// Whether a start would be accepted.
    pub startable: bool,
    /// What stands against it.
    pub violations: &'a [Violation],
    /// What the caller should know.
    pub warnings: &'a [Violation],
    /// The image, when it could be read.
    pub image: Option<&'a Image>,
    /// The quota of the lane.
    pub quota: Option<&'a Quota>,
}

/// Prints what every preview begins with.
///
/// # Errors
/// When standard output is closed.
pub fn print_head(head: &Head<'_>) -> Result<()> {
    let verdict = match (head.startable, head.violations.len()) {
        (true, _) => style::good("can start"),
        (false, 0) => style::bad("cannot start: the day's quota is spent (--queue waits for the next day)"),
        (false, 1) => style::bad("cannot start: 1 rule is broken"),
        (false, count) => style::bad(&format!("cannot start: {count} rules are broken")),
    };
    words::line(&format!("{} {verdict}", style::bold("preview:")))?;
    for violation in head.violations {
        print_violation(&style::bad("✗"), violation)?;
    }
    for warning in head.warnings {
        print_violation(&style::notice("!"), warning)?;
    }
    if let Some(image) = head.image {
        let disks: Vec<_> =
            image.disks.iter().map(|disk| format!("{} {} GiB", words::disk_role(disk.role), disk.size_gib)).collect();
        words::paragraph("image:   ", &format!("{} ({}), {}", image.name, image.platform, disks.join(" + ")))?;
    }
    if let Some(lane) = head.quota {
        words::paragraph("quota:   ", &quota::brief(lane))?;
    }
    Ok(())
}

/// Prints a broken rule: what is wrong, what is permitted, what to do, and who says so.
///
/// # Errors
/// When standard output is closed.
pub fn print_violation(mark: &str, violation: &Violation) -> Result<()> {
    let rule = style::faint(&format!("[{}]", violation.rule));
    words::paragraph(&format!("  {mark} "), &format!("{} {rule}", violation.message))?;
    if !violation.limit.is_empty() {
        words::paragraph("      permitted: ", &format!("{}; found: {}", violation.limit, violation.observed))?;
    }
    if !violation.fix.is_empty() {
        words::paragraph("      to do:     ", &violation.fix)?;
    }
    if !violation.source.is_empty() {
        let date =
            if violation.source_date.is_empty() { String::new() } else { format!(" ({})", violation.source_date) };
        words::paragraph(&style::faint("      source:    "), &style::faint(&format!("{}{date}", violation.source)))?;
    }
    if !violation.override_key.is_empty() {
        let key = style::faint(&format!("{} on the server", violation.override_key));
        words::paragraph(&style::faint("      override:  "), &key)?;
    }
    Ok(())
}

/// Prints the calls that a job would make.
///
/// # Errors
/// When standard output is closed.
pub fn print_calls(calls: &[PlannedCall]) -> Result<()> {
    words::line("calls:")?;
    for folded in fold(calls) {
        let mark = if folded.call.mutating { style::notice("changes") } else { style::faint("reads  ") };
        words::paragraph(&format!("  {mark}  "), &folded.words())?;
    }
    Ok(())
}

/// Calls that differ in their region alone.
struct Folded<'a> {
    call: &'a PlannedCall,
    /// Where they go; empty when every call of the plan goes to one region.
    regions: Vec<&'a str>,
}

/// Folds calls that say the same of several regions, in the order of the first of them.
fn fold(calls: &[PlannedCall]) -> Vec<Folded<'_>> {
    let alike = |one: &PlannedCall, other: &PlannedCall| {
        let other = PlannedCall { region: one.region.clone(), ..other.clone() };
        *one == other
    };
    let is_spread = calls.iter().any(|call| call.region != calls[0].region);
    let mut folded: Vec<Folded<'_>> = Vec::new();
    for call in calls {
        let region = is_spread.then_some(call.region.as_str());
        let is_new =
            |known: &&mut Folded<'_>| alike(known.call, call) && !known.regions.contains(&call.region.as_str());
        match folded.iter_mut().find(is_new).filter(|_| is_spread) {
            Some(known) => known.regions.extend(region),
            None => folded.push(Folded { call, regions: region.into_iter().collect() }),
        }
    }
    folded
}

impl Folded<'_> {
    fn words(&self) -> String {
        let PlannedCall { service, action, detail, quota_units, .. } = self.call;
        let place = match self.regions.as_slice() {
            [] => String::new(),
            regions => format!(" in {}", regions.join(", ")),
        };
        let each = if self.regions.len() > 1 { " in each" } else { "" };
        let units = match quota_units {
            0 => String::new(),
            1 => format!(" (1 operation of the day{each})"),
            units => format!(" ({units} operations of the day{each})"),
        };
        format!("{service} {action}{place}: {detail}{units}")
    }
}

fn print_plan(preview: &PreviewExportResponse) -> Result<()> {
    print_calls(&preview.planned_calls)?;
    words::line("objects:")?;
    for object in &preview.expected_objects {
        words::line(&format!("  {}, up to {}", object.key_pattern, words::bytes(object.max_size_bytes)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(region: &str, detail: &str, units: u32) -> PlannedCall {
        PlannedCall {
            service: "cvm".to_owned(),
            action: "Do".to_owned(),
            region: region.to_owned(),
            mutating: units > 0,
            quota_units: units,
            detail: detail.to_owned(),
        }
    }

    fn told(calls: &[PlannedCall]) -> Vec<String> {
        fold(calls).iter().map(Folded::words).collect()
    }

    #[test]
    fn calls_that_differ_in_their_region_alone_are_told_once_with_every_region() {
        let calls = [call("a", "reads", 0), call("b", "shares", 1), call("c", "shares", 1), call("b", "reads", 0)];
        let expected = ["cvm Do in a, b: reads", "cvm Do in b, c: shares (1 operation of the day in each)"];
        assert_eq!(told(&calls), expected);
    }

    #[test]
    fn calls_of_one_region_do_not_repeat_it_and_each_is_told() {
        let calls = [call("a", "reads", 0), call("a", "reads", 0), call("a", "copies", 1)];
        assert_eq!(told(&calls), ["cvm Do: reads", "cvm Do: reads", "cvm Do: copies (1 operation of the day)"]);
        assert_eq!(told(&[]), [""; 0]);
    }

    #[test]
    fn the_same_call_twice_in_a_region_stays_two_lines() {
        let calls = [call("a", "reads", 0), call("a", "reads", 0), call("b", "reads", 0)];
        assert_eq!(told(&calls), ["cvm Do in a, b: reads", "cvm Do in a: reads"]);
    }
}
