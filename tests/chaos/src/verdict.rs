//! Judges by what the clouds saw: nothing too often, nothing twice, nothing lost, everything final.

use std::collections::{BTreeMap, BTreeSet};

use sampan_core::Cloud;
use sampan_proto::operation::v1::{Operation, OperationKind, OperationState};
use sampan_tests_e2e::{AuditLine, Lane, Seen, Simulator};
use serde_json::Value;

use crate::job::{Job, Start};
use crate::storm::Tally;

/// Mutating calls of a Tencent lane and day.
const PER_DAY: usize = 5;
/// Label of a share that names the copy which has started it.
const COPY_LABEL: &str = "sampan-copy";

/// Calls that begin a copy.
const COPIES: [&str; 2] = ["SyncImages", "CopyImage"];
/// Reasons of operations of which nobody knows what became of their call.
const UNKNOWN: [&str; 2] = ["EXPORT_OUTCOME_UNKNOWN", "COPY_OUTCOME_UNKNOWN"];

/// Reasons of operations whose task failed or stalled at the cloud.
const SPOILED: [&str; 4] =
    ["EXPORT_FAILED_AT_CLOUD", "EXPORT_DEADLINE_PASSED", "COPY_FAILED_AT_CLOUD", "COPY_DEADLINE_PASSED"];

/// What the clouds have seen, and what they hold at the end.
#[derive(Debug)]
pub struct Held {
    /// The calls.
    pub seen: Seen,
    images: Vec<Value>,
    shares: Vec<Value>,
}

impl Held {
    /// Asks the clouds.
    pub async fn by(clouds: &Simulator) -> Self {
        let (mut images, mut shares) = (clouds.get("images").await, clouds.get("shares").await);
        let list = |of: &mut Value, key: &str| of[key].as_array_mut().map(std::mem::take).unwrap();
        let (images, shares) = (list(&mut images, "images"), list(&mut shares, "shares"));
        Self { seen: clouds.audit().await, images, shares }
    }

    /// Returns how often a job was done: what the cloud has accepted for it, or holds because of it.
    fn times(&self, job: &Job) -> usize {
        match &job.start {
            Start::Export(_) => self.seen.accepted_exports(&job.lane, &job.image),
            Start::Copy { to, .. } => {
                // Alibaba takes the same token again, and makes nothing of it.
                let is_one = |line: &&&AuditLine| line.action == "SyncImages" && line.is_accepted();
                self.calls(job).iter().filter(is_one).count().max(self.named(to, &job.name).len())
            }
        }
    }

    /// Returns the calls that were to begin what the job asks for, accepted or not.
    fn calls(&self, job: &Job) -> Vec<&AuditLine> {
        let begins = |line: &AuditLine| line.is_export() || !line.dry_run && COPIES.contains(&&*line.action);
        let is_ours = |line: &&AuditLine| line.image.as_deref() == Some(&*job.image) && begins(line);
        self.seen.0.iter().filter(is_ours).collect()
    }

    /// Returns the images of a name that a lane holds, good and bad ones.
    fn named(&self, lane: &Lane, name: &str) -> Vec<&str> {
        let is_there =
            |image: &&Value| image["account"] == lane.number && image["region"] == lane.region && image["name"] == name;
        self.images.iter().filter(is_there).map(|image| image["id"].as_str().unwrap()).collect()
    }

    /// Returns who has an image.
    fn receivers(&self, image: &str) -> BTreeSet<&str> {
        let shares = self.shares.iter().filter(|share| share["image"] == image);
        shares.map(|share| share["receiver"].as_str().unwrap()).collect()
    }
}

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
    held: &Held,
    thrown: &Tally,
    tally: &mut Tally,
) {
    let by_name: BTreeMap<&str, &Operation> =
        operations.iter().map(|operation| (operation.name.as_str(), operation)).collect();
    let distinct: BTreeSet<&String> = names.iter().collect();
    assert_eq!(distinct.len(), jobs.len(), "two jobs share an operation");
    let mut shares = shares_of_copies(operations);
    let mut spoiled = Vec::new();
    let asked = operations.len() - shares.len();
    assert_eq!(asked, jobs.len(), "operations that nobody asked for, or that are lost");
    for (job, name) in jobs.iter().zip(names) {
        let operation = by_name.get(name.as_str()).unwrap_or_else(|| panic!("{name} is lost"));
        assert!(operation.done, "{name} has no end: {operation:#?}");
        let times = held.times(job);
        assert!(times <= 1, "{name} was done {times} times: {operation:#?} {:#?}", held.calls(job));
        if operation.state() == OperationState::Succeeded {
            assert_eq!(times, 1, "{name} succeeded without a call: {operation:#?}");
        }
        if operation.state() == OperationState::Cancelled {
            assert_eq!(times, 0, "{name} was cancelled in line, and called: {operation:#?}");
        }
        // Without an answer, and without a trace of it until the deadline, nobody knows; that is said, not guessed. An
        // answer dies with the replica that it came to, too, but only a spoiled task leaves no trace then.
        if UNKNOWN.iter().any(|reason| ending(operation).ends_with(reason)) {
            let was_answered = held.calls(job).iter().any(|line| line.outcome == "ok");
            spoiled.extend(was_answered.then_some(operation));
        }
        let what = match &job.start {
            Start::Export(_) => "exports",
            Start::Copy { to, receivers, .. } => {
                let share = shares.remove(name.trim_start_matches("operations/"));
                assert_shared(operation, share, &held.named(to, &job.name), receivers, held);
                if let Some(share) = share {
                    tally.add(format!("shares of copies {}", ending(share)));
                }
                "copies"
            }
        };
        tally.add(format!("{what} {}", ending(operation)));
    }
    assert!(shares.is_empty(), "shares of copies that nobody asked for: {shares:#?}");
    tally.none("operations lost");
    tally.none("operations done twice");
    assert_failures(operations, spoiled, thrown);
}

/// Returns the shares that copies have started, by the id of their copy.
fn shares_of_copies(operations: &[Operation]) -> BTreeMap<&str, &Operation> {
    let shares = operations.iter().filter(|operation| operation.kind() == OperationKind::Share);
    let mut by_copy = BTreeMap::new();
    for share in shares {
        let copy = share.labels.get(COPY_LABEL).unwrap_or_else(|| panic!("nobody asked for {share:#?}"));
        assert!(by_copy.insert(copy.as_str(), share).is_none(), "two shares of the copy {copy}");
    }
    by_copy
}

/// Checks that a copy has whom it was to be shared with, when its share says so, and nobody else.
fn assert_shared(copy: &Operation, share: Option<&Operation>, images: &[&str], asked: &[String], held: &Held) {
    let asked: BTreeSet<&str> = asked.iter().map(String::as_str).collect();
    let have_it: BTreeSet<&str> = images.iter().flat_map(|image| held.receivers(image)).collect();
    assert!(have_it.is_subset(&asked), "{have_it:?} have {images:?}: {copy:#?}");
    let Some(share) = share else {
        assert!(copy.state() != OperationState::Succeeded, "nobody was asked to share {copy:#?}");
        assert!(have_it.is_empty(), "{have_it:?} have {images:?} without a share: {copy:#?}");
        return;
    };
    assert!(share.done, "no end of {share:#?}");
    match share.state() {
        OperationState::Succeeded => assert_eq!(have_it, asked, "{share:#?}"),
        OperationState::Cancelled => assert!(have_it.is_empty(), "cancelled in line, and called: {share:#?}"),
        _ => {}
    }
}

/// Checks that nothing failed but what a fault explains.
///
/// - `spoiled`: operations that a spoiled task explains, whatever they say.
fn assert_failures<'a>(operations: &'a [Operation], mut spoiled: Vec<&'a Operation>, thrown: &Tally) {
    let is_bad = |operation: &&Operation| {
        matches!(operation.state(), OperationState::Failed | OperationState::PartiallySucceeded)
    };
    let failed_by = |operation: &Operation, reasons: &[&str]| {
        reasons.iter().any(|reason| ending(operation) == format!("FAILED {reason}"))
    };
    let (explained, others): (Vec<&Operation>, Vec<&Operation>) = operations
        .iter()
        .filter(is_bad)
        .partition(|operation| failed_by(operation, &[&SPOILED[..], &UNKNOWN].concat()));
    assert!(others.is_empty(), "something else failed, too: {others:#?}");
    spoiled.extend(explained.into_iter().filter(|operation| failed_by(operation, &SPOILED)));
    let most = thrown.of("fault ordered: fail_task") + thrown.of("fault ordered: stall_task");
    assert!(spoiled.len() <= most, "{} operations failed, and {most} tasks were spoiled: {spoiled:#?}", spoiled.len());
}

/// Says how an operation ended.
pub fn ending(operation: &Operation) -> String {
    let reason = operation.error.as_ref().map_or("", |error| error.reason.as_str());
    format!("{} {reason}", operation.state().as_str_name().trim_start_matches("OPERATION_STATE_")).trim().to_owned()
}
