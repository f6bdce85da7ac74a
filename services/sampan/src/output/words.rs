//! Says sizes, times and states in words, and writes lines.

use std::io::Write as _;
use std::time::Duration;

use anyhow::Result;
use sampan_proto::image::v1 as image_pb;
use sampan_proto::operation::v1::{OperationState, TargetState};

/// Writes one line to standard output.
///
/// # Errors
/// When standard output is closed.
pub fn line(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(())
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
