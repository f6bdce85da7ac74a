//! Numbers about durable operations. Their labels are kinds, states and lanes, never operations or callers.

use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use opentelemetry::metrics::{Counter, Histogram};
use opentelemetry::{KeyValue, global};
use sampan_core::Lane;
use sampan_state::Admitted;
use sampan_state::operation::{Operation, QuotaHold, State};

struct Instruments {
    claims: Counter<u64>,
    ended: Counter<u64>,
    duration: Histogram<f64>,
    queue_wait: Histogram<f64>,
    queue_position: Histogram<u64>,
    lane_wait: Histogram<f64>,
    lane_held: Counter<u64>,
    lost: Counter<u64>,
    stalls: Counter<u64>,
}

static INSTRUMENTS: LazyLock<Instruments> = LazyLock::new(|| {
    let meter = global::meter("sampan");
    let counter = |name: &'static str, words: &'static str| {
        let counter = meter.u64_counter(name).with_description(words).build();
        // A counter that is there before it counts shows its first step too.
        counter.add(0, &[]);
        counter
    };
    let seconds = |name: &'static str, words: &'static str, bounds: &[f64]| {
        meter.f64_histogram(name).with_description(words).with_unit("s").with_boundaries(bounds.to_vec()).build()
    };
    let long = [1.0, 10.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0, 43_200.0, 86_400.0];
    let short = [0.001, 0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0];
    Instruments {
        claims: counter("sampan.runner.claims", "Operations that runners took up."),
        ended: counter("sampan.operations.ended", "Operations that ended."),
        duration: seconds("sampan.operations.duration", "Time from the start of an operation to its end.", &long),
        queue_wait: seconds(
            "sampan.queue.wait",
            "Time that operations waited before their first step, for quota above all.",
            &long,
        ),
        queue_position: meter
            .u64_histogram("sampan.queue.position")
            .with_description(
                "Place in the waiting list that operations were given when they had to wait; 0 is the next.",
            )
            .with_boundaries(vec![0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0])
            .build(),
        lane_wait: seconds("sampan.lane.wait", "Time that steps waited for the lock of their lane.", &short),
        lane_held: counter("sampan.lane.held", "Times that a lane was locked by somebody else."),
        lost: counter("sampan.leases.lost", "Leases of work or of lanes that were lost while a step ran."),
        stalls: counter("sampan.operations.stalls", "Operations that made no progress for too long."),
    }
});

/// Makes the instruments, so that a scrape before the first operation shows them. The process's meter must be set
/// before.
pub fn begin() {
    LazyLock::force(&INSTRUMENTS);
}

pub(crate) fn claimed(operation: &Operation) {
    INSTRUMENTS.claims.add(1, &[kind(operation)]);
}

/// Counts a start that has to wait for quota.
pub(crate) fn admitted(admitted: &Admitted) {
    if let Admitted::New(operation) = admitted
        && let QuotaHold::Waiting { position, .. } = operation.quota
    {
        INSTRUMENTS.queue_position.record(u64::from(position), &lane(&operation.lane));
    }
}

/// Counts an operation whose first step begins.
pub(crate) fn began(operation: &Operation, now: Timestamp) {
    INSTRUMENTS.queue_wait.record(seconds(operation.created, now), &lane(&operation.lane));
}

/// Counts what a commit has changed.
pub(crate) fn committed(before: &Operation, after: &Operation) {
    if before.stalled_since.is_none() && after.stalled_since.is_some() {
        INSTRUMENTS.stalls.add(1, &[kind(after)]);
    }
    if after.state.is_final() && !before.state.is_final() {
        let labels = [kind(after), KeyValue::new("state", state_word(after.state))];
        INSTRUMENTS.ended.add(1, &labels);
        INSTRUMENTS.duration.record(seconds(after.created, after.updated), &labels);
    }
}

/// Counts a lane that was locked; `since` is when the step first found it held by somebody else.
pub(crate) fn locked(held: &Lane, since: Option<Timestamp>, now: Timestamp) {
    INSTRUMENTS.lane_wait.record(since.map_or(0.0, |since| seconds(since, now)), &lane(held));
}

pub(crate) fn lane_held(held: &Lane) {
    INSTRUMENTS.lane_held.add(1, &lane(held));
}

/// Counts a lost lease: of `work` or of a `lane`.
pub(crate) fn lost(lease: &'static str) {
    INSTRUMENTS.lost.add(1, &[KeyValue::new("lease", lease)]);
}

/// Returns the word for a state in labels.
pub fn state_word(state: State) -> &'static str {
    match state {
        State::WaitingForQuota => "waiting_for_quota",
        State::Running => "running",
        State::Cancelling => "cancelling",
        State::Succeeded => "succeeded",
        State::PartiallySucceeded => "partially_succeeded",
        State::Failed => "failed",
        State::Cancelled => "cancelled",
    }
}

/// Returns the labels of a lane.
pub fn lane(lane: &Lane) -> [KeyValue; 3] {
    [
        KeyValue::new("cloud", lane.cloud.as_str()),
        KeyValue::new("account", lane.account.to_string()),
        KeyValue::new("region", lane.region.to_string()),
    ]
}

fn kind(operation: &Operation) -> KeyValue {
    KeyValue::new("kind", operation.kind.clone())
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).max(SignedDuration::ZERO).as_secs_f64()
}
