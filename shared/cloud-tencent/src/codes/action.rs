//! Codes that mean something else to one action than to the others: the vendor says of an image only that it does not
//! permit the call.

use sampan_cloud::CallClass::{Busy, Caller};
use sampan_core::Reason;

use super::{Row, row};

/// Returns the rows of an action, before those of every action.
pub(super) fn rows(action: &str) -> &'static [Row] {
    match action {
        "SyncImages" => SYNC_IMAGES,
        "ModifyImageSharePermission" => MODIFY_IMAGE_SHARE_PERMISSION,
        "DeleteImages" => DELETE_IMAGES,
        _ => &[],
    }
}

const SYNC_IMAGES: &[Row] = &[row(
    Caller,
    Reason::ImageNotCopyable,
    &[
        "InvalidParameter.InstanceImageNotSupport",
        "InvalidParameterValue.InvalidImageId",
        "UnsupportedOperation.LocationImageNotSupported",
    ],
)];

const MODIFY_IMAGE_SHARE_PERMISSION: &[Row] = &[row(
    Caller,
    Reason::ImageNotShareable,
    &[
        "InvalidParameter.InstanceImageNotSupport",
        "InvalidParameterValue.InvalidImageId",
        "UnsupportedOperation.LocationImageNotSupported",
    ],
)];

const DELETE_IMAGES: &[Row] = &[
    row(Caller, Reason::CloudRefused, &["InvalidParameterValue.InvalidImageId"]),
    // Refused while the image is being made, copied or imported, which ends by itself.
    row(Busy, Reason::ImageNotReady, &["InvalidImageId.IncorrectState"]),
];
