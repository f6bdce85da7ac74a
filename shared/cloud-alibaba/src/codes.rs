//! Decides what each documented code of ECS and OSS permits and under which reason it is told: the class table.
//!
//! The rows live in the submodules, grouped by action as the vendor documents them. A code is matched to the
//! letter, misspelt ones included; the HTTP status never decides alone, because editions of the vendor's pages
//! disagree about it. What a lost answer means is decided by the call stack.

mod ecs_common;
mod ecs_copy;
mod ecs_export;
mod ecs_other;
mod ecs_share;
mod oss;

use sampan_cloud::CallClass;
use sampan_core::Reason;

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// What the failure permits.
    pub class: CallClass,
    /// The reason that a caller of Sampan is told.
    pub reason: Reason,
}

/// Codes of one meaning. A code that ends in `.*` stands for every code that begins with what precedes it.
#[derive(Debug, Clone, Copy)]
struct Row {
    class: CallClass,
    reason: Reason,
    codes: &'static [&'static str],
}

impl Row {
    fn meaning(&self) -> Meaning {
        Meaning { class: self.class, reason: self.reason }
    }

    fn has(&self, code: &str) -> bool {
        self.codes.contains(&code)
    }

    fn has_family_of(&self, code: &str) -> bool {
        let families = self.codes.iter().filter_map(|known| known.strip_suffix('*'));
        families.into_iter().any(|family: &str| code.starts_with(family) || Some(code) == family.strip_suffix('.'))
    }
}

const fn row(class: CallClass, reason: Reason, codes: &'static [&'static str]) -> Row {
    Row { class, reason, codes }
}

/// Rows of an ECS action, before those that every action shares.
fn ecs_rows(action: &str) -> &'static [Row] {
    match action {
        "ExportImage" => ecs_export::EXPORT_IMAGE,
        "DescribeTasks" | "DescribeTaskAttribute" => ecs_export::DESCRIBE_TASK,
        "CancelTask" => ecs_export::CANCEL_TASK,
        "CopyImage" => ecs_copy::COPY_IMAGE,
        "CancelCopyImage" => ecs_copy::CANCEL_COPY_IMAGE,
        "CopySnapshot" => ecs_copy::COPY_SNAPSHOT,
        "CreateImage" => ecs_copy::CREATE_IMAGE,
        "ModifyImageSharePermission" | "DescribeImageSharePermission" => ecs_share::SHARE_PERMISSION,
        "DescribeImages" => ecs_other::DESCRIBE_IMAGES,
        "DescribeSnapshots" => ecs_other::DESCRIBE_SNAPSHOTS,
        "DeleteImage" => ecs_other::DELETE_IMAGE,
        "DeleteSnapshot" => ecs_other::DELETE_SNAPSHOT,
        "ImportImage" => ecs_other::IMPORT_IMAGE,
        "DescribeRegions" => ecs_other::DESCRIBE_REGIONS,
        _ => &[],
    }
}

/// Every table of ECS, the shared one first.
const ECS_TABLES: [&[Row]; 15] = [
    ecs_common::ANY_ACTION,
    ecs_export::EXPORT_IMAGE,
    ecs_export::DESCRIBE_TASK,
    ecs_export::CANCEL_TASK,
    ecs_copy::COPY_IMAGE,
    ecs_copy::CANCEL_COPY_IMAGE,
    ecs_copy::COPY_SNAPSHOT,
    ecs_copy::CREATE_IMAGE,
    ecs_share::SHARE_PERMISSION,
    ecs_other::DESCRIBE_IMAGES,
    ecs_other::DESCRIBE_SNAPSHOTS,
    ecs_other::DELETE_IMAGE,
    ecs_other::DELETE_SNAPSHOT,
    ecs_other::IMPORT_IMAGE,
    ecs_other::DESCRIBE_REGIONS,
];

/// Looks the meaning of an ECS `code` up, as `action` gave it.
///
/// The action's own rows win over those of every action, and exact codes over families. A code that is documented
/// for another action alone has the meaning that it has there. `status` is asked last, for codes that no page
/// knows.
pub fn ecs(action: &str, code: &str, status: u16) -> Meaning {
    let own = ecs_rows(action);
    let found = exact(own, code)
        .or_else(|| ECS_TABLES.iter().find_map(|table| exact(table, code)))
        .or_else(|| family(own, code))
        .or_else(|| ECS_TABLES.iter().find_map(|table| family(table, code)));
    found.unwrap_or_else(|| unknown(status))
}

/// Looks the meaning of an OSS `code` up; the empty code is an answer without one.
pub fn oss(code: &str, status: u16) -> Meaning {
    exact(oss::ANY_OPERATION, code).or_else(|| bare_status(code, status)).unwrap_or_else(|| unknown(status))
}

/// Returns whether credentials that are fetched anew may be accepted after `code`: not when the clock is to blame.
pub fn credentials_may_have_changed(meaning: Meaning, code: &str) -> bool {
    meaning.class == CallClass::Credentials && !matches!(code, "InvalidTimeStamp.Expired" | "RequestTimeTooSkewed")
}

fn exact(rows: &[Row], code: &str) -> Option<Meaning> {
    rows.iter().find(|row| row.has(code)).map(Row::meaning)
}

fn family(rows: &[Row], code: &str) -> Option<Meaning> {
    rows.iter().find(|row| row.has_family_of(code)).map(Row::meaning)
}

/// A HEAD that fails may come without any code; then the status is all there is.
fn bare_status(code: &str, status: u16) -> Option<Meaning> {
    let (class, reason) = match (code, status) {
        ("", 403) => (CallClass::Permission, Reason::CloudPermissionDenied),
        ("", 404) => (CallClass::NotFound, Reason::CloudRefused),
        _ => return None,
    };
    Some(Meaning { class, reason })
}

fn unknown(status: u16) -> Meaning {
    let (class, reason) = match status {
        429 => (CallClass::Throttled, Reason::CloudThrottled),
        500.. => (CallClass::Transient, Reason::CloudUnavailable),
        _ => (CallClass::Caller, Reason::CloudRefused),
    };
    Meaning { class, reason }
}

#[cfg(test)]
mod tests;
