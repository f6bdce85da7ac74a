//! Translates the record of an operation, whichever service started it.
//!
//! Any role can tell of any operation, so what a kind keeps in the free parts of its record is read here: `image` of
//! the request, and, in [`export`], [`copy`] and [`share`], the facts of its targets and its result.

use sampan_core::Reason;
use sampan_proto::image::v1 as image_pb;
use sampan_proto::operation::v1 as pb;
use sampan_state::operation::{CancelRequest, Failure, Operation, QuotaHold, State, Target, TargetState, Warning};
use serde::de::DeserializeOwned;

use super::time::timestamp;
use super::{copy, export, image, share};
use crate::status;

/// The kind of an export, as records name it.
pub const EXPORT: &str = "export";
/// The kind of a copy, as records name it.
pub const COPY: &str = "copy";
/// The kind of a change of shares, as records name it.
pub const SHARE: &str = "share";

/// Returns the message of a record.
pub fn operation(record: &Operation) -> pb::Operation {
    pb::Operation {
        name: record.id.name(),
        kind: kind(&record.kind).into(),
        state: state(record.state).into(),
        done: record.state.is_final(),
        image: Some(image_reference(record)),
        targets: record.targets.iter().map(target).collect(),
        step: record.journal.step_name.clone(),
        progress_percent: record.percent.map(u32::from),
        quota: Some(quota_use(&record.quota)),
        create_time: Some(timestamp(record.created)),
        start_time: record.started.map(timestamp),
        last_progress_time: record.last_progress.map(timestamp),
        update_time: Some(timestamp(record.updated)),
        finish_time: record.finished.map(timestamp),
        deadline_time: record.deadline.map(timestamp),
        revision: record.revision,
        labels: record.labels.clone().into_iter().collect(),
        caller: record.caller.clone(),
        request_id: record.request_id.map(|id| id.to_string()).unwrap_or_default(),
        warnings: record.warnings.iter().map(warning).collect(),
        error: record.failure.as_ref().map(error),
        cancellation: record.cancel.as_ref().map(cancellation),
        stalled_since_time: record.stalled_since.map(timestamp),
        result: result(record),
    }
}

/// Returns the message value of a kind; a kind of a newer version is unspecified.
pub fn kind(word: &str) -> pb::OperationKind {
    match word {
        EXPORT => pb::OperationKind::Export,
        COPY => pb::OperationKind::Copy,
        SHARE => pb::OperationKind::Share,
        _ => pb::OperationKind::Unspecified,
    }
}

/// Returns the message value of a state.
pub fn state(state: State) -> pb::OperationState {
    match state {
        State::WaitingForQuota => pb::OperationState::WaitingForQuota,
        State::Running => pb::OperationState::Running,
        State::Cancelling => pb::OperationState::Cancelling,
        State::Succeeded => pb::OperationState::Succeeded,
        State::PartiallySucceeded => pb::OperationState::PartiallySucceeded,
        State::Failed => pb::OperationState::Failed,
        State::Cancelled => pb::OperationState::Cancelled,
    }
}

fn image_reference(record: &Operation) -> image_pb::ImageReference {
    image_pb::ImageReference {
        cloud: image::cloud(record.lane.cloud).into(),
        account: record.lane.account.to_string(),
        region: record.lane.region.to_string(),
        image_id: record.image().unwrap_or_default(),
    }
}

fn target(target: &Target) -> pb::Target {
    let disk = export::DiskFacts::of(target);
    pb::Target {
        id: target.id.clone(),
        state: target_state(target.state).into(),
        progress_percent: target.percent.map(u32::from),
        size_bytes: disk.as_ref().and_then(export::DiskFacts::size_bytes),
        disk: disk.map(export::DiskFacts::message),
        cloud_ids: target.cloud_ids.clone().into_iter().collect(),
        error: target.failure.as_ref().map(error),
        attempt_count: target.attempts,
        start_time: target.started.map(timestamp),
        last_progress_time: target.last_progress.map(timestamp),
        finish_time: target.finished.map(timestamp),
        label: target.label.clone(),
    }
}

fn target_state(state: TargetState) -> pb::TargetState {
    match state {
        TargetState::Pending => pb::TargetState::Pending,
        TargetState::Running => pb::TargetState::Running,
        TargetState::Succeeded => pb::TargetState::Succeeded,
        TargetState::Failed => pb::TargetState::Failed,
        TargetState::Cancelled => pb::TargetState::Cancelled,
    }
}

fn quota_use(hold: &QuotaHold) -> pb::QuotaUse {
    let of = |status: pb::QuotaStatus| pb::QuotaUse { status: status.into(), ..pb::QuotaUse::default() };
    match hold {
        QuotaHold::None => of(pb::QuotaStatus::None),
        QuotaHold::Waiting { position, earliest_start } => pb::QuotaUse {
            // Records count places from 0, people from 1.
            waiting_position: Some(position.saturating_add(1)),
            earliest_start_time: earliest_start.map(timestamp),
            ..of(pb::QuotaStatus::Waiting)
        },
        QuotaHold::Reserved { day, units } => {
            pb::QuotaUse { units: *units, day: day.to_string(), ..of(pb::QuotaStatus::Reserved) }
        }
        QuotaHold::Committed { day, units } => {
            pb::QuotaUse { units: *units, day: day.to_string(), ..of(pb::QuotaStatus::Committed) }
        }
        QuotaHold::Released => of(pb::QuotaStatus::Released),
    }
}

fn warning(warning: &Warning) -> pb::Warning {
    pb::Warning { code: warning.code.clone(), message: warning.message.clone() }
}

fn error(failure: &Failure) -> pb::ErrorStatus {
    let reason = Reason::from_word(&failure.reason);
    pb::ErrorStatus {
        code: reason.map_or(tonic::Code::Unknown, |reason| status::code(reason.code())).into(),
        reason: failure.reason.clone(),
        message: failure.message.clone(),
        remedy: reason.map(Reason::remedy).unwrap_or_default().to_owned(),
        vendor_code: failure.vendor_code.clone().unwrap_or_default(),
        vendor_request_id: failure.vendor_request_id.clone().unwrap_or_default(),
        violations: failure.violations.iter().map(image::violation).collect(),
    }
}

fn cancellation(cancel: &CancelRequest) -> pb::Cancellation {
    pb::Cancellation {
        request_time: Some(timestamp(cancel.at)),
        requested_by: cancel.by.clone(),
        remove_result: cancel.remove_result,
    }
}

fn result(record: &Operation) -> Option<pb::operation::Result> {
    use pb::operation::Result as Of;
    match kind(&record.kind) {
        pb::OperationKind::Export => read(record).map(|result| Of::ExportResult(export::result(record.id, &result))),
        pb::OperationKind::Copy => read(record).map(|result| Of::CopyResult(copy::result(record.id, &result))),
        pb::OperationKind::Share => read(record).map(|result| Of::ShareResult(share::result(&result))),
        pb::OperationKind::Unspecified => None,
    }
}

fn read<T: DeserializeOwned>(record: &Operation) -> Option<T> {
    let value = record.result.as_ref()?;
    T::deserialize(value)
        .inspect_err(|error| {
            tracing::error!(operation = %record.id, kind = record.kind, %error, "a result cannot be read");
        })
        .ok()
}
