//! `DescribeImageSharePermission`: who an image is shared with, page by page.

use sampan_cloud::CallError;
use sampan_core::{ImageId, Region};
use serde::Deserialize;

use super::{Ecs, MOST_PAGES};
use crate::lenient::Scalar;

/// Page size: what every edition of the vendor's page permits.
const ACCOUNTS_A_PAGE: u64 = 50;

/// An account that the image is shared with.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct AccountRow {
    pub(crate) aliyun_id: Scalar,
    pub(crate) shared_time: Scalar,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    total_count: Scalar,
    accounts: Accounts,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Accounts {
    account: Vec<AccountRow>,
}

impl Ecs {
    /// Lists the accounts, in the vendor's order.
    pub(crate) async fn image_shares(&self, region: &Region, image: &ImageId) -> Result<Vec<AccountRow>, CallError> {
        let mut rows = Vec::new();
        for page in 1..=MOST_PAGES {
            let parameters = vec![
                ("ImageId", Some(image.to_string())),
                ("PageNumber", Some(page.to_string())),
                ("PageSize", Some(ACCOUNTS_A_PAGE.to_string())),
            ];
            let answer: Answer = self.read("DescribeImageSharePermission", region, parameters).await?;
            let shown = answer.accounts.account.len();
            rows.extend(answer.accounts.account);
            // Without a total, only an empty page is surely the last.
            let total = answer.total_count.number().and_then(|total| usize::try_from(total).ok());
            if shown == 0 || total.is_some_and(|total| rows.len() >= total) {
                break;
            }
        }
        Ok(rows)
    }
}
