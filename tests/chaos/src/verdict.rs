//! Judges by what the clouds saw: nothing too often, nothing twice, nothing lost, everything final.

use std::collections::{BTreeMap, BTreeSet};

use sampan_core::Cloud;
use sampan_proto::operation::v1::{Operation, OperationState};
use sampan_tests_e2e::{AuditLine, Seen};

use crate::job::Job;
use crate::storm::Tally;

/// Mutating calls of a Tencent lane and day.
const PER_DAY: usize = 5;

/// Checks that no Tencent lane was called beyond its day, and counts the calls.
pub fn assert_quota(seen: &Seen, tally: &mut Tally) {
    let mut days: BTreeMap<_, usize> = BTreeMap::new();
    for line in seen.mutating().into_iter().filter(|line| line.is_accepted()) {
        tally.add(format!("mutating calls accepted by {}", line.cloud));
        if line.outcome == "lost" {
            tally.add("of these, answers lost");
        }
        if line.cloud == Cloud::Tencent.as_str() {
            *days.entry((line.account.clone(), line.region.clone(), line.quota_day.clone())).or_default() += 1;
        }
    }
    for (day, count) in days {
        assert!(count <= PER_DAY, "{count} calls were accepted on {day:?}");
    }
}

/// Checks that every job became one operation with an end, and that the cloud did what the end says, once.
pub fn assert_operations(
    jobs: &[Job],
    names: &[String],
    operations: &[Operation],
    seen: &Seen,
    thrown: &Tally,
    tally: &mut Tally,
) {
    let by_name: BTreeMap<&str, &Operation> =
        operations.iter().map(|operation| (operation.name.as_str(), operation)).collect();
    let distinct: BTreeSet<&String> = names.iter().collect();
    assert_eq!(distinct.len(), jobs.len(), "two jobs share an operation");
    assert_eq!(operations.len(), jobs.len(), "operations that nobody asked for, or that are lost");
    for (job, name) in jobs.iter().zip(names) {
        let operation = by_name.get(name.as_str()).unwrap_or_else(|| panic!("{name} is lost"));
        assert!(operation.done, "{name} has no end: {operation:#?}");
        let accepted = job.accepted(seen);
        assert!(accepted <= 1, "{name} was submitted {accepted} times: {operation:#?}");
        if operation.state() == OperationState::Succeeded {
            assert_eq!(accepted, 1, "{name} succeeded without a call: {operation:#?}");
        }
        if operation.state() == OperationState::Cancelled {
            assert_eq!(accepted, 0, "{name} was cancelled in line, and called: {operation:#?}");
        }
        tally.add(format!("operations {}", ending(operation)));
    }
    tally.none("operations lost");
    tally.none("operations submitted twice");
    assert_failures(operations, seen, thrown);
}

/// Checks that nothing failed but what a fault explains.
fn assert_failures(operations: &[Operation], seen: &Seen, thrown: &Tally) {
    let failed = |reason: &str| {
        let is_one = |operation: &&Operation| ending(operation) == format!("FAILED {reason}");
        operations.iter().filter(is_one).count()
    };
    // Without an answer, and without a trace of it until the deadline, nobody knows; that is said, not guessed.
    let unanswered = |line: &&AuditLine| line.is_export() && matches!(line.outcome.as_str(), "lost" | "reset");
    let unanswered = seen.0.iter().filter(unanswered).count();
    let unknown = failed("EXPORT_OUTCOME_UNKNOWN");
    assert!(unknown <= unanswered, "{unknown} outcomes are unknown, and {unanswered} calls had no answer");
    let spoiled = failed("EXPORT_FAILED_AT_CLOUD") + failed("EXPORT_DEADLINE_PASSED");
    assert!(spoiled <= thrown.of("fault ordered: fail_task") + thrown.of("fault ordered: stall_task"));
    let all = operations.iter().filter(|operation| operation.state() == OperationState::Failed).count();
    assert_eq!(all, unknown + spoiled, "something else failed, too");
}

/// Says how an operation ended.
pub fn ending(operation: &Operation) -> String {
    let reason = operation.error.as_ref().map_or("", |error| error.reason.as_str());
    format!("{} {reason}", operation.state().as_str_name().trim_start_matches("OPERATION_STATE_")).trim().to_owned()
}
