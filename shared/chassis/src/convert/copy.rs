//! Translates what copies leave in their records.

use sampan_core::OperationId;
use sampan_proto::operation::v1 as pb;
use sampan_state::result::{CopiedImage, CopyResult, Leftover};

use super::estimate::estimate;
pub use super::estimate::kept as kept_estimate;
use super::image;

/// Returns the message of what a copy has left; `operation` is named where it cannot be read.
pub(super) fn result(operation: OperationId, result: &CopyResult) -> pb::CopyResult {
    pb::CopyResult {
        images: result.images.iter().map(copied).collect(),
        not_copied: result.not_copied.clone(),
        leftovers: result.leftovers.iter().map(leftover).collect(),
        estimate: result.estimate.as_deref().and_then(|text| estimate(operation, text)).map(Box::new),
    }
}

fn copied(copied: &CopiedImage) -> pb::CopiedImage {
    pb::CopiedImage {
        reference: Some(image::at(&copied.at)),
        name: copied.name.clone(),
        snapshot_ids: copied.snapshot_ids.clone(),
        shared_with: copied.shared_with.clone(),
        share_operation: copied.share_operation.clone().unwrap_or_default(),
        snapshot_cost_per_month: copied.snapshot_cost_per_month.clone().unwrap_or_default(),
        currency: copied.currency.clone().unwrap_or_default(),
    }
}

fn leftover(leftover: &Leftover) -> pb::Leftover {
    pb::Leftover {
        region: leftover.region.to_string(),
        resource: leftover.resource.clone(),
        id: leftover.id.clone(),
        cause: leftover.cause.clone(),
    }
}
