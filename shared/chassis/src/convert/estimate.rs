//! Translates estimates into the form that records keep: the estimator's message, encoded, in base64. It is kept as it
//! came, because nothing here reads it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message as _;
use sampan_core::OperationId;
use sampan_proto::billing::v1 as pb;

/// Returns an estimate in the form that records keep.
pub fn kept(estimate: &pb::Estimate) -> String {
    STANDARD.encode(estimate.encode_to_vec())
}

/// Returns the message of an estimate that was kept; `operation` is named where it cannot be read.
pub(super) fn estimate(operation: OperationId, text: &str) -> Option<pb::Estimate> {
    let bytes = STANDARD
        .decode(text)
        .inspect_err(|error| tracing::error!(%operation, %error, "an estimate cannot be read"))
        .ok()?;
    pb::Estimate::decode(bytes.as_slice())
        .inspect_err(|error| tracing::error!(%operation, %error, "an estimate cannot be read"))
        .ok()
}
