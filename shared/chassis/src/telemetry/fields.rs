//! The one list of field names in spans and log lines.
//!
//! A name means the same everywhere. Never a field: credentials, signed URLs, request bodies.

/// Every field that Sampan's own spans and events carry, in alphabetical order.
pub const ALL: &[&str] = &[
    "account",
    "action",
    "address",
    "attempt",
    "attempts",
    "bucket",
    "cloud",
    "delay_ms",
    "elapsed_ms",
    "error",
    "fence",
    "grpc.code",
    "key",
    "kind",
    "lane",
    "operation",
    "otel.kind",
    "otel.name",
    "owner",
    "panic",
    "region",
    "request_id",
    "revision",
    "rpc.method",
    "rpc.service",
    "state",
    "step",
    "target",
    "timeout_ms",
    "units",
    "vendor_code",
    "vendor_request_id",
];
