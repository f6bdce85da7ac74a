//! `DescribeImageSharePermission`: who an image is shared with, all in one answer.

use sampan_cloud::CallError;
use sampan_cloud::share::{Share, ascending};
use sampan_cloud::stack::Idempotency;
use sampan_core::{ImageId, Region};
use serde::Deserialize;
use serde_json::json;

use crate::api::{Action, Api, Service};
use crate::time::rfc3339;

/// 10 requests per second: document 213/33273.
const ACTION: Action = Action { service: Service::Cvm, name: "DescribeImageSharePermission", per_second: Some(10) };

/// Returns the accounts, ascending by number.
pub(crate) async fn list(api: &Api, region: &Region, image: &ImageId) -> Result<Vec<Share>, CallError> {
    let body = json!({ "ImageId": image.as_str() });
    let answer = api.call::<Content>(api.request(&ACTION, region, Idempotency::Safe, &body)).await?;
    Ok(answer.content.into_shares())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    share_permission_set: Option<Vec<Permission>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Permission {
    account_id: Option<String>,
    created_time: Option<String>,
}

impl Content {
    fn into_shares(self) -> Vec<Share> {
        let share = |one: Permission| {
            let since = one.created_time.as_deref().and_then(rfc3339);
            Some(Share { account_id: one.account_id?, since })
        };
        ascending(self.share_permission_set.unwrap_or_default().into_iter().filter_map(share).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_ascend_by_number_with_the_time_of_their_share() {
        let json = r#"{"SharePermissionSet":[{"AccountId":"900","CreatedTime":"2020-09-22T00:00:00+00:00"},
            {"AccountId":"1000"},{"AccountId":"70","CreatedTime":""}]}"#;
        let shares = serde_json::from_str::<Content>(json).unwrap().into_shares();
        let shown: Vec<_> = shares.iter().map(|share| (share.account_id.as_str(), share.since.is_some())).collect();
        assert_eq!(shown, [("70", false), ("900", true), ("1000", false)]);
    }

    #[test]
    fn an_image_that_nobody_shares_has_an_empty_list() {
        for json in ["{}", r#"{"SharePermissionSet":null}"#, r#"{"SharePermissionSet":[]}"#] {
            assert_eq!(serde_json::from_str::<Content>(json).unwrap().into_shares(), [], "{json}");
        }
    }
}
