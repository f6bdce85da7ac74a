//! Numbers about attempts. Their labels are clouds, actions and classes, never accounts or operations.

use std::sync::LazyLock;
use std::time::Duration;

use opentelemetry::metrics::{Counter, Histogram};
use opentelemetry::{KeyValue, global};

use super::decode::Reply;
use super::failure::Failure;
use super::request::ApiRequest;
use crate::error::CallClass;

/// Attempts from this one on count together.
const MANY: u32 = 6;

struct Instruments {
    attempts: Counter<u64>,
    duration: Histogram<f64>,
}

static INSTRUMENTS: LazyLock<Instruments> = LazyLock::new(|| {
    let meter = global::meter("sampan");
    let attempts = meter.u64_counter("sampan.cloud.attempts").with_description("Attempts of cloud calls.").build();
    // A counter that is there before it counts shows its first step too.
    attempts.add(0, &[]);
    let duration = meter
        .f64_histogram("sampan.cloud.attempt.duration")
        .with_description("Time of one attempt, with its signature and its turn.")
        .with_unit("s")
        .with_boundaries(vec![0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0])
        .build();
    Instruments { attempts, duration }
});

/// Makes the instruments, so that a scrape before the first call shows them. The process's meter must be set before.
pub fn begin() {
    LazyLock::force(&INSTRUMENTS);
}

/// Counts one attempt.
pub(super) fn attempted(request: &ApiRequest, attempt: u32, ended: &Result<Reply, Failure>, elapsed: Duration) {
    let class = match ended {
        Ok(_) => "ok",
        Err(failure) => word(failure.class),
    };
    let cloud = KeyValue::new("cloud", request.cloud.as_str());
    let (action, class) = (KeyValue::new("action", request.action), KeyValue::new("class", class));
    let number = KeyValue::new("attempt", i64::from(attempt.min(MANY)));
    INSTRUMENTS.duration.record(elapsed.as_secs_f64(), &[cloud.clone(), action.clone(), class.clone()]);
    INSTRUMENTS.attempts.add(1, &[cloud, action, class, number]);
}

fn word(class: CallClass) -> &'static str {
    match class {
        CallClass::Transient => "transient",
        CallClass::Throttled => "throttled",
        CallClass::Busy => "busy",
        CallClass::Quota => "quota",
        CallClass::Caller => "caller",
        CallClass::NotFound => "not_found",
        CallClass::Permission => "permission",
        CallClass::Credentials => "credentials",
        CallClass::UnknownOutcome => "unknown_outcome",
    }
}
