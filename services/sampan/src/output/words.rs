//! Says sizes, times and states in words, and writes lines.

use std::io::Write as _;
use std::time::Duration;

use anyhow::Result;
use console::measure_text_width;
use sampan_proto::image::v1 as image_pb;
use sampan_proto::operation::v1::{OperationKind, OperationState, TargetState};

/// Writes one line to standard output.
///
/// # Errors
/// When standard output is closed.
pub fn line(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(())
}

/// Writes a paragraph that begins with `first`; on a terminal, further lines are indented to where the text began.
///
/// # Errors
/// When standard output is closed.
pub fn paragraph(first: &str, text: &str) -> Result<()> {
    for one in wrapped(first, text, super::style::width()) {
        line(&one)?;
    }
    Ok(())
}

/// Breaks a paragraph between words; without a width it stays one line.
pub fn wrapped(first: &str, text: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width else { return vec![format!("{first}{text}")] };
    let indent = measure_text_width(first);
    let mut lines = Vec::new();
    let (mut current, mut used, mut is_fresh) = (first.to_owned(), indent, true);
    for word in text.split(' ') {
        let length = measure_text_width(word);
        if !is_fresh && used + 1 + length > width {
            lines.push(std::mem::replace(&mut current, " ".repeat(indent)));
            (used, is_fresh) = (indent, true);
        }
        if !is_fresh {
            current.push(' ');
            used += 1;
        }
        current.push_str(word);
        used += length;
        is_fresh = false;
    }
    lines.push(current);
    lines
}

/// Returns `3 h 20 min`, `45 s`, `2 d 4 h`: the two largest units.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (size, name) in units {
        let count = rest / size;
        rest %= size;
        if count > 0 {
            parts.push(format!("{count} {name}"));
        }
    }
    parts.truncate(2);
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

/// Returns a size with a binary unit, such as `1.5 GiB`.
pub fn bytes(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

/// Returns a time as `2026-11-21 14:03:05 UTC`; `-` when there is none.
pub fn time(time: Option<&prost_types::Timestamp>) -> String {
    let stamp = time.and_then(|time| jiff::Timestamp::new(time.seconds, time.nanos).ok());
    stamp.map_or_else(|| "-".to_owned(), |stamp| stamp.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// Returns the kind of an operation.
pub fn operation_kind(kind: i32) -> &'static str {
    match OperationKind::try_from(kind) {
        Ok(OperationKind::Export) => "export",
        Ok(OperationKind::Copy) => "copy",
        Ok(OperationKind::Share) => "share",
        Ok(OperationKind::Unspecified) | Err(_) => "?",
    }
}

/// Returns what the parts of an operation of that kind are.
pub fn part(kind: i32) -> &'static str {
    match OperationKind::try_from(kind) {
        Ok(OperationKind::Export) => "disk",
        Ok(OperationKind::Copy) => "region",
        Ok(OperationKind::Share) => "account",
        Ok(OperationKind::Unspecified) | Err(_) => "part",
    }
}

/// Returns the state of an operation in lower-case words.
pub fn operation_state(state: i32) -> &'static str {
    match OperationState::try_from(state) {
        Ok(OperationState::WaitingForQuota) => "waiting for quota",
        Ok(OperationState::Running) => "running",
        Ok(OperationState::Cancelling) => "cancelling",
        Ok(OperationState::Succeeded) => "succeeded",
        Ok(OperationState::PartiallySucceeded) => "partly succeeded",
        Ok(OperationState::Failed) => "failed",
        Ok(OperationState::Cancelled) => "cancelled",
        Ok(OperationState::Unspecified) | Err(_) => "unknown",
    }
}

/// Returns the state of an operation in at most eleven letters, for tables.
pub fn short_state(state: i32) -> &'static str {
    match OperationState::try_from(state) {
        Ok(OperationState::WaitingForQuota) => "queued",
        Ok(OperationState::PartiallySucceeded) => "partly done",
        _ => operation_state(state),
    }
}

/// Says what a step of an operation does; a step that is not known here keeps its name.
pub fn step(step: &str) -> &str {
    match step {
        "submit" => "asking the cloud to begin",
        "await_completion" => "the cloud is writing the files",
        "prove" => "checking every file",
        "plan_copies" => "looking at the image and the regions",
        "copy" => "asking the cloud to copy",
        "await_copies" => "the cloud is copying",
        "share_copies" => "sharing the copies",
        "finish_copies" => "pricing the copies",
        "change" => "changing who has the image",
        "follow" => "doing the same for its copies",
        "read_back" => "reading the list of shares back",
        other => other,
    }
}

/// Returns the state of a target in lower-case words.
pub fn target_state(state: i32) -> &'static str {
    match TargetState::try_from(state) {
        Ok(TargetState::Pending) => "pending",
        Ok(TargetState::Running) => "running",
        Ok(TargetState::Succeeded) => "succeeded",
        Ok(TargetState::Failed) => "failed",
        Ok(TargetState::Cancelled) => "cancelled",
        Ok(TargetState::Unspecified) | Err(_) => "unknown",
    }
}

/// Returns the name of a cloud.
pub fn cloud(cloud: i32) -> &'static str {
    match image_pb::Cloud::try_from(cloud) {
        Ok(image_pb::Cloud::Tencent) => "tencent",
        Ok(image_pb::Cloud::Alibaba) => "alibaba",
        Ok(image_pb::Cloud::Unspecified) | Err(_) => "?",
    }
}

/// Returns the role of a disk.
pub fn disk_role(role: i32) -> &'static str {
    match image_pb::DiskRole::try_from(role) {
        Ok(image_pb::DiskRole::System) => "system",
        Ok(image_pb::DiskRole::Data) => "data",
        Ok(image_pb::DiskRole::Unspecified) | Err(_) => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_is_broken_between_words_and_indented_to_its_text() {
        assert_eq!(wrapped("- ", "one two three", Some(9)), ["- one two", "  three"]);
        assert_eq!(wrapped("- ", "one two three", None), ["- one two three"]);
        assert_eq!(wrapped("- ", "operations/0123456789", Some(9)), ["- operations/0123456789"], "a name stays whole");
    }
}
