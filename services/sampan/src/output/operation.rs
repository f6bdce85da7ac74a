//! Operations as tables.

use anyhow::Result;
use sampan_proto::operation::v1::{Artifact, ErrorStatus, Operation, OperationState, Target, TargetState, operation};

use super::{copy, estimate, preview, share, style, words};

/// Parts that are told one by one; of more, those that are not done.
const MOST_TARGETS: usize = 12;

/// Prints one row per operation.
///
/// # Errors
/// When standard output is closed.
pub fn print_list(operations: &[Operation]) -> Result<()> {
    if operations.is_empty() {
        return words::line("no operations");
    }
    let header = ["operation", "state", "done", "kind", "image", "account", "region", "started"];
    let mut table = style::table(header).expendable(&["account", "started", "region", "done", "kind"]);
    for operation in operations {
        let image = operation.image.clone().unwrap_or_default();
        table.add_row([
            // Every command takes the name with or without its prefix; without it, lines stay short.
            operation.name.trim_start_matches("operations/").to_owned(),
            words::short_state(operation.state).to_owned(),
            progress(operation),
            words::operation_kind(operation.kind).to_owned(),
            image.image_id,
            image.account,
            image.region,
            words::time(operation.create_time.as_ref()),
        ]);
    }
    words::line(&table.to_string())
}

/// Returns how far an operation is; of one that has ended badly, what it has done.
fn progress(operation: &Operation) -> String {
    if operation.done && operation.state() != OperationState::Succeeded {
        let done = operation.targets.iter().filter(|target| is_done(target)).count();
        return if operation.targets.is_empty() {
            "-".to_owned()
        } else {
            format!("{done}/{}", operation.targets.len())
        };
    }
    operation.progress_percent.map_or_else(|| "-".to_owned(), |percent| format!("{percent} %"))
}

/// Prints one operation with everything that a person wants to know of it.
///
/// # Errors
/// When standard output is closed.
pub fn print(operation: &Operation) -> Result<()> {
    let image = operation.image.clone().unwrap_or_default();
    words::line(&format!("{}  {}", style::bold(&operation.name), state(operation)))?;
    let (id, account, region) = (&image.image_id, &image.account, &image.region);
    words::line(&format!("  image    {id} of account {account} in {region}"))?;
    words::line(&format!("  created  {}", words::time(operation.create_time.as_ref())))?;
    if let Some(quota) = &operation.quota
        && let Some(position) = quota.waiting_position
    {
        let start = words::time(quota.earliest_start_time.as_ref());
        words::line(&format!("  queue    place {position}, starts by itself, not before {start}"))?;
    }
    if operation.done {
        words::line(&format!("  ended    {}", words::time(operation.finish_time.as_ref())))?;
    } else if !operation.step.is_empty() && operation.deadline_time.is_some() {
        let deadline = words::time(operation.deadline_time.as_ref());
        words::line(&format!("  now      {}, until {deadline} at most", words::step(&operation.step)))?;
    }
    let is_long = operation.targets.len() > MOST_TARGETS;
    if is_long {
        let done = operation.targets.iter().filter(|target| is_done(target)).count();
        let part = words::part(operation.kind);
        words::line(&format!("  {part:<8} {done} of {} succeeded", operation.targets.len()))?;
    }
    for target in operation.targets.iter().filter(|target| !is_long || !is_done(target)) {
        let percent = match (operation.done, target.progress_percent) {
            (false, Some(percent)) => format!(", {percent} %"),
            _ => String::new(),
        };
        let part = words::part(operation.kind);
        words::line(&format!("  {part:<8} {}: {}{percent}", target.label, words::target_state(target.state)))?;
        // The first cause is that of the whole; the others are told where they belong.
        if let Some(error) = target.error.as_ref().filter(|_| operation.targets.len() > 1) {
            words::paragraph("           ", &format!("{} [{}]", error.message, error.reason))?;
        }
    }
    if operation.stalled_since_time.is_some() {
        let since = words::time(operation.stalled_since_time.as_ref());
        words::line(&format!("  {}", style::notice(&format!("no progress since {since}: it may have stalled"))))?;
    }
    for warning in &operation.warnings {
        words::paragraph(&format!("  {}  ", style::notice("warning")), &warning.message)?;
    }
    if let Some(error) = &operation.error {
        print_error(error, &operation.name)?;
    }
    print_result(operation)
}

fn is_done(target: &Target) -> bool {
    target.state() == TargetState::Succeeded
}

/// Returns the state with its colour.
pub fn state(operation: &Operation) -> String {
    let word = words::operation_state(operation.state);
    match OperationState::try_from(operation.state) {
        Ok(OperationState::Succeeded) => style::good(word),
        Ok(OperationState::Failed) => style::bad(word),
        Ok(OperationState::PartiallySucceeded | OperationState::Cancelled | OperationState::WaitingForQuota) => {
            style::notice(word)
        }
        Ok(OperationState::Running | OperationState::Cancelling | OperationState::Unspecified) | Err(_) => {
            word.to_owned()
        }
    }
}

fn print_error(error: &ErrorStatus, name: &str) -> Result<()> {
    let reason = style::faint(&format!("[{}]", error.reason));
    // The rules follow, each with its own words.
    let message = match error.violations.len() {
        0 => error.message.clone(),
        1 => "1 rule is broken".to_owned(),
        count => format!("{count} rules are broken"),
    };
    words::paragraph(&format!("  {}    ", style::bad("error")), &format!("{message} {reason}"))?;
    for violation in &error.violations {
        preview::print_violation(&style::bad("✗"), violation)?;
    }
    if !error.vendor_code.is_empty() {
        let request = match error.vendor_request_id.as_str() {
            "" => String::new(),
            id => format!(" (request {id})"),
        };
        words::line(&format!("  cloud    {}{request}", error.vendor_code))?;
    }
    // Broken rules say themselves what to do.
    if !error.remedy.is_empty() && error.violations.iter().all(|rule| rule.fix.is_empty()) {
        words::paragraph("  to do    ", &named(&error.remedy, name))?;
    }
    Ok(())
}

/// Completes the command of a remedy, so that it can be copied.
fn named(remedy: &str, name: &str) -> String {
    const COMMAND: &str = "sampan operations retry";
    remedy.replace(&format!("{COMMAND}."), COMMAND).replace(COMMAND, &format!("{COMMAND} {name}"))
}

fn print_result(operation: &Operation) -> Result<()> {
    let result = match &operation.result {
        Some(operation::Result::ExportResult(result)) => result,
        Some(operation::Result::CopyResult(result)) => return copy::print_result(result),
        Some(operation::Result::ShareResult(result)) => return share::print_result(result),
        None => return Ok(()),
    };
    let mut table = style::table(["disk", "object", "size", "crc-64", "class"]).expendable(&["class", "crc-64"]);
    for artifact in &result.artifacts {
        table.add_row([
            disk(artifact),
            artifact.key.clone(),
            words::bytes(artifact.size_bytes),
            artifact.crc64.clone(),
            artifact.storage_class.clone(),
        ]);
    }
    words::line(&format!("  bucket   {} in {}", result.bucket, result.region))?;
    words::line("")?;
    words::line(&table.to_string())?;
    words::line("")?;
    if let Some(actual) = &result.estimate {
        words::paragraph("price:  ", &estimate::brief(actual))?;
        if let Some(first) = &result.first_estimate {
            words::paragraph("before: ", &estimate::brief(first))?;
        }
    }
    for artifact in result.artifacts.iter().filter(|artifact| !artifact.unpack_command.is_empty()) {
        // Never broken: it is there to be copied.
        words::line(&format!("unpack: {}", artifact.unpack_command))?;
    }
    if !result.fstab_reminder.is_empty() {
        words::paragraph(&format!("{}   ", style::notice("note:")), &result.fstab_reminder)?;
    }
    for note in &result.notes {
        words::paragraph(&format!("{}   ", style::faint("note:")), note)?;
    }
    words::paragraph("next:   ", &format!("sampan download {} --to DIR --unpack", operation.name))
}

/// Names the disk of an artifact: its device and its role.
pub fn disk(artifact: &Artifact) -> String {
    let disk = artifact.disk.clone().unwrap_or_default();
    format!("{} ({})", disk.device, words::disk_role(disk.role))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_badly_tells_how_many_parts_it_has_done() {
        let target = |state: TargetState| Target { state: state.into(), ..Target::default() };
        let ended = |state: OperationState, targets: Vec<Target>| Operation {
            state: state.into(),
            done: true,
            progress_percent: Some(100),
            targets,
            ..Operation::default()
        };
        let (good, bad) = (target(TargetState::Succeeded), target(TargetState::Failed));
        assert_eq!(progress(&ended(OperationState::PartiallySucceeded, vec![good.clone(), bad.clone()])), "1/2");
        assert_eq!(progress(&ended(OperationState::Failed, vec![bad])), "0/1");
        assert_eq!(progress(&ended(OperationState::Failed, Vec::new())), "-");
        assert_eq!(progress(&ended(OperationState::Succeeded, vec![good])), "100 %");
    }

    #[test]
    fn a_remedy_has_the_name_that_its_command_needs() {
        assert_eq!(
            named("Try it again: RetryOperation, or sampan operations retry.", "operations/1"),
            "Try it again: RetryOperation, or sampan operations retry operations/1"
        );
        assert_eq!(named("Wait.", "operations/1"), "Wait.");
    }
}
