//! Decides what `DescribeImageQuota` answers: how many custom images the account may have in the region.

use serde_json::json;

use super::error::ApiError;
use super::gate::Caller;
use super::params::Params;
use super::{Fields, fields};

/// Answers the ceiling; how many are used is counted by `DescribeImages`.
///
/// # Errors
/// `UnknownParameter`: the action has none.
pub(super) fn run(caller: &Caller, params: &Params) -> Result<Fields, ApiError> {
    params.only(&[])?;
    Ok(fields(json!({ "ImageNumQuota": caller.account.limits.images_per_region })))
}
