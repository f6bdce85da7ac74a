//! Translates what changes of shares leave in their records.

use sampan_proto::operation::v1 as pb;
use sampan_state::result::{ShareResult, SharedImage};

use super::image;

/// Returns the message of what a change of shares has left.
pub(super) fn result(result: &ShareResult) -> pb::ShareResult {
    pb::ShareResult { images: result.images.iter().map(shared).collect() }
}

fn shared(shared: &SharedImage) -> pb::SharedImage {
    pb::SharedImage {
        reference: Some(image::at(&shared.at)),
        added: shared.added.clone(),
        removed: shared.removed.clone(),
        accounts: shared.accounts.clone(),
        drift: shared.drift.clone(),
    }
}
