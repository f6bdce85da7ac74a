//! Numbers of the edge: calls, connections, the health of the store, audit records that were lost.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use opentelemetry::metrics::{Counter, Gauge, Histogram, UpDownCounter};
use opentelemetry::{KeyValue, global};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use sampan_cloud::audit::AuditLog as _;
use tonic::Code;

use crate::audit::Places;

struct Instruments {
    calls: Histogram<f64>,
    connections: UpDownCounter<i64>,
    connections_refused: Counter<u64>,
    store_up: Gauge<u64>,
    store_checks: Histogram<f64>,
    store_errors: Counter<u64>,
}

static INSTRUMENTS: LazyLock<Instruments> = LazyLock::new(|| {
    let meter = global::meter("sampan");
    let seconds = |name: &'static str, words: &'static str, bounds: &[f64]| {
        meter.f64_histogram(name).with_description(words).with_unit("s").with_boundaries(bounds.to_vec()).build()
    };
    let calls = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
    let store_errors = meter
        .u64_counter("sampan.store.errors")
        .with_description("Times that the store did not answer whether it works, or that it does not.")
        .build();
    let connections =
        meter.i64_up_down_counter("sampan.server.connections").with_description("Open connections.").build();
    let connections_refused = meter
        .u64_counter("sampan.server.connections.refused")
        .with_description("Connections above `server.max_connections`, which were closed at once.")
        .build();
    // A counter that is there before it counts shows its first step too.
    connections.add(0, &[]);
    connections_refused.add(0, &[]);
    store_errors.add(0, &[]);
    Instruments {
        calls: seconds("rpc.server.duration", "Time of calls, to the last byte of the answer.", &calls),
        connections,
        connections_refused,
        store_up: meter.u64_gauge("sampan.store.up").with_description("1 while the store works.").build(),
        store_checks: seconds("sampan.store.check.duration", "Time of the store's answer to a check.", &calls[1..]),
        store_errors,
    }
});

/// Service and method of every path that is served; what others ask for is counted together.
static METHODS: LazyLock<HashMap<String, (String, String)>> = LazyLock::new(|| {
    let sets = [sampan_proto::FILE_DESCRIPTOR_SET, tonic_health::pb::FILE_DESCRIPTOR_SET];
    let mut methods = HashMap::new();
    for set in sets.into_iter().filter_map(|bytes| FileDescriptorSet::decode(bytes).ok()) {
        for file in &set.file {
            for service in &file.service {
                let name = format!("{}.{}", file.package(), service.name());
                for method in &service.method {
                    let path = format!("/{name}/{}", method.name());
                    methods.insert(path, (name.clone(), method.name().to_owned()));
                }
            }
        }
    }
    methods
});

/// Makes the instruments. The process's meter must be set before.
pub(super) fn begin() {
    LazyLock::force(&INSTRUMENTS);
}

/// Returns the service and the method of a path, as labels.
pub(crate) fn labels(path: &str) -> (&'static str, &'static str) {
    METHODS.get(path).map_or(("other", "other"), |(service, method)| (service.as_str(), method.as_str()))
}

/// Counts a call.
pub(crate) fn called((service, method): (&'static str, &'static str), code: Code, elapsed: Duration) {
    let labels = [
        KeyValue::new("rpc.service", service),
        KeyValue::new("rpc.method", method),
        KeyValue::new("rpc.grpc.status_code", i64::from(i32::from(code))),
    ];
    INSTRUMENTS.calls.record(elapsed.as_secs_f64(), &labels);
}

/// Counts a connection that is open from now on.
pub(crate) fn connected() {
    INSTRUMENTS.connections.add(1, &[]);
}

/// Counts a connection that is closed.
pub(crate) fn disconnected() {
    INSTRUMENTS.connections.add(-1, &[]);
}

/// Counts a connection that there was no room for.
pub(crate) fn turned_away() {
    INSTRUMENTS.connections_refused.add(1, &[]);
}

/// Counts one look at the store.
pub(crate) fn checked(is_up: bool, elapsed: Duration) {
    INSTRUMENTS.store_up.record(u64::from(is_up), &[]);
    INSTRUMENTS.store_checks.record(elapsed.as_secs_f64(), &[]);
    INSTRUMENTS.store_errors.add(u64::from(!is_up), &[]);
}

/// Shows how many audit records `places` could not keep, and whether the last one was kept.
pub fn watch_audit(places: &Arc<Places>) {
    let meter = global::meter("sampan");
    let (lost, failing) = (Arc::downgrade(places), Arc::downgrade(places));
    let failures = move || lost.upgrade()?.file.as_ref().map(crate::audit::AuditFile::failures);
    meter
        .u64_observable_counter("sampan.audit.failures")
        .with_description("Audit records that could not be kept.")
        .with_callback(move |observer| observer.observe(failures().unwrap_or_default(), &[]))
        .build();
    let is_failing = move || Some(failing.upgrade()?.file.as_ref()?.is_failing());
    meter
        .u64_observable_gauge("sampan.audit.failing")
        .with_description("1 while audit records cannot be kept, and no call that changes something is made.")
        .with_callback(move |observer| observer.observe(u64::from(is_failing().unwrap_or_default()), &[]))
        .build();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_nobody_serves_share_one_label() {
        assert_eq!(labels("/sampan.quota.v1.QuotaService/GetQuota"), ("sampan.quota.v1.QuotaService", "GetQuota"));
        assert_eq!(labels("/grpc.health.v1.Health/Check").1, "Check");
        assert_eq!(labels("/a/b"), ("other", "other"));
    }
}
