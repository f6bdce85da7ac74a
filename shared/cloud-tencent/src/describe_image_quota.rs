//! `DescribeImageQuota`: the ceiling of custom images in a region.

use sampan_cloud::CallError;
use sampan_cloud::stack::Idempotency;
use sampan_core::Region;
use serde::Deserialize;
use serde_json::json;

use crate::api::{Action, Api, Service};

/// 10 requests per second: document 213/15719.
const ACTION: Action = Action { service: Service::Cvm, name: "DescribeImageQuota", per_second: Some(10) };

/// Returns the ceiling, or `None` in regions that do not offer the call.
pub(crate) async fn ceiling(api: &Api, region: &Region) -> Result<Option<u64>, CallError> {
    let request = api.request(&ACTION, region, Idempotency::Safe, &json!({}));
    match api.call::<Content>(request).await {
        Ok(answer) => Ok(answer.content.image_num_quota.and_then(|ceiling| u64::try_from(ceiling).ok())),
        Err(error) if error.code.as_deref().is_some_and(is_absent) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The vendor lists 18 regions for the call (document 213/33274, 2025-11-17) and these answers for the others.
fn is_absent(code: &str) -> bool {
    let family = code.split('.').next().unwrap_or(code);
    matches!(family, "UnsupportedRegion" | "UnsupportedOperation" | "InvalidAction" | "ActionOffline")
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    image_num_quota: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::is_absent;

    #[test]
    fn a_region_without_the_call_is_told_from_a_refusal() {
        assert!(is_absent("UnsupportedOperation.InvalidZone") && is_absent("UnsupportedRegion"));
        assert!(!is_absent("UnauthorizedOperation") && !is_absent("InternalError"));
    }
}
