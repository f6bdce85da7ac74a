//! Operations as tables.

use anyhow::Result;
use sampan_proto::operation::v1::{Artifact, ErrorStatus, Operation, OperationState, operation};

use super::{style, words};

/// Prints one row per operation.
///
/// # Errors
/// When standard output is closed.
pub fn print_list(operations: &[Operation]) -> Result<()> {
    if operations.is_empty() {
        return words::line("no operations");
    }
    let mut table = style::table(["operation", "kind", "image", "lane", "state", "progress", "started"]);
    for operation in operations {
        let image = operation.image.clone().unwrap_or_default();
        table.add_row([
            operation.name.clone(),
            "export".to_owned(),
            image.image_id,
            format!("{}/{}/{}", words::cloud(image.cloud), image.account, image.region),
            words::operation_state(operation.state).to_owned(),
            operation.progress_percent.map_or_else(|| "-".to_owned(), |percent| format!("{percent} %")),
            words::time(operation.create_time.as_ref()),
        ]);
    }
    words::line(&table.to_string())
}

/// Prints one operation with everything that a person wants to know of it.
///
/// # Errors
/// When standard output is closed.
pub fn print(operation: &Operation) -> Result<()> {
    let image = operation.image.clone().unwrap_or_default();
    words::line(&format!("{}  {}", style::bold(&operation.name), state(operation)))?;
    words::line(&format!(
        "  image    {} in {}/{}/{}",
        image.image_id,
        words::cloud(image.cloud),
        image.account,
        image.region
    ))?;
    words::line(&format!("  created  {}", words::time(operation.create_time.as_ref())))?;
    if let Some(quota) = &operation.quota
        && let Some(position) = quota.waiting_position
    {
        let start = words::time(quota.earliest_start_time.as_ref());
        words::line(&format!("  queue    place {position}, starts at {start} at the earliest"))?;
    }
    if operation.done {
        words::line(&format!("  ended    {}", words::time(operation.finish_time.as_ref())))?;
    } else if !operation.step.is_empty() {
        let deadline = words::time(operation.deadline_time.as_ref());
        words::line(&format!("  step     {}, waits until {deadline} at most", operation.step))?;
    }
    for target in &operation.targets {
        let percent = target.progress_percent.map_or_else(String::new, |percent| format!(", {percent} %"));
        words::line(&format!("  target   {}: {}{percent}", target.label, words::target_state(target.state)))?;
    }
    if operation.stalled_since_time.is_some() {
        let since = words::time(operation.stalled_since_time.as_ref());
        words::line(&format!("  {}", style::notice(&format!("no progress since {since}: it may have stalled"))))?;
    }
    for warning in &operation.warnings {
        words::line(&format!("  {}  {}", style::notice("note"), warning.message))?;
    }
    if let Some(error) = &operation.error {
        print_error(error)?;
    }
    print_result(operation)
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

fn print_error(error: &ErrorStatus) -> Result<()> {
    words::line(&format!(
        "  {}  {} {}",
        style::bad("error"),
        error.message,
        style::faint(&format!("[{}]", error.reason))
    ))?;
    for violation in &error.violations {
        words::line(&format!("    - {}: {}", violation.message, violation.fix))?;
    }
    if !error.vendor_code.is_empty() {
        words::line(&format!("    the cloud's code: {} (request {})", error.vendor_code, error.vendor_request_id))?;
    }
    if !error.remedy.is_empty() {
        words::line(&format!("    what to do: {}", error.remedy))?;
    }
    Ok(())
}

fn print_result(operation: &Operation) -> Result<()> {
    let Some(operation::Result::ExportResult(result)) = &operation.result else { return Ok(()) };
    let mut table = style::table(["disk", "object", "size", "crc-64", "class"]);
    for artifact in &result.artifacts {
        table.add_row([
            disk(artifact),
            artifact.key.clone(),
            words::bytes(artifact.size_bytes),
            artifact.crc64.clone(),
            artifact.storage_class.clone(),
        ]);
    }
    words::line(&format!("  in bucket {} of {}:", result.bucket, result.region))?;
    words::line(&table.to_string())?;
    for artifact in result.artifacts.iter().filter(|artifact| !artifact.unpack_command.is_empty()) {
        words::line(&format!("  unpack:  {}", artifact.unpack_command))?;
    }
    if !result.fstab_reminder.is_empty() {
        words::line(&format!("  {}  {}", style::notice("note"), result.fstab_reminder))?;
    }
    for note in &result.notes {
        words::line(&style::faint(&format!("  note: {note}")))?;
    }
    Ok(())
}

fn disk(artifact: &Artifact) -> String {
    let disk = artifact.disk.clone().unwrap_or_default();
    format!("{} ({})", disk.device, words::disk_role(disk.role))
}
