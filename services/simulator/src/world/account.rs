//! Decides what an account of a cloud is to the simulator.

use sampan_core::Cloud;
use serde::{Deserialize, Serialize};

use super::limits::Limits;

/// One account of one cloud, with the key that signs its calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Account {
    /// The cloud of the account.
    pub cloud: Cloud,
    /// Account number: the root account's uin on Tencent, the UID on Alibaba.
    #[serde(rename = "account")]
    pub id: String,
    /// Tencent's APPID, the suffix of every COS bucket name; `None` on Alibaba.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// Public half of the key (`SecretId`, `AccessKeyId`).
    pub secret_id: String,
    /// Secret half of the key; a demo value, printed on purpose.
    pub secret_key: String,
    /// Session token that must come with the key, when the key is a temporary one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Roles that the image service may assume to write to buckets.
    pub export_roles: Vec<String>,
    /// Keys of the key service, the same in every region.
    pub kms_keys: Vec<KmsKey>,
    /// Resource groups; Alibaba alone.
    pub resource_groups: Vec<String>,
    /// Numbers of users below this root account, which nothing can be shared with; Tencent alone.
    pub sub_accounts: Vec<String>,
    /// What the cloud allows this account.
    pub limits: Limits,
}

/// One key of an account's key service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KmsKey {
    /// Key id.
    pub id: String,
    /// False when it is switched off.
    #[serde(default = "switched_on")]
    pub enabled: bool,
}

fn switched_on() -> bool {
    true
}

/// Who a number is to somebody who wants to share an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Person {
    /// A root account of this cloud.
    Root,
    /// A user below a root account.
    Sub,
    /// An account of the vendor's other site.
    OtherSite,
    /// Nobody.
    Nobody,
}

/// Numbers that exist without a key, so that there are enough accounts to share with: the last three digits are 100
/// to 199.
pub(super) fn is_neighbour(cloud: Cloud, id: &str) -> bool {
    let stem = match cloud {
        Cloud::Tencent => "100000000",
        Cloud::Alibaba => "1000000000000",
    };
    id.strip_prefix(stem).is_some_and(|tail| tail.len() == 3 && tail.starts_with('1') && is_number(tail))
}

/// Numbers of Alibaba's other site: sixteen digits, the first a 5.
pub(super) fn is_of_other_site(cloud: Cloud, id: &str) -> bool {
    cloud == Cloud::Alibaba && id.len() == 16 && id.starts_with('5') && is_number(id)
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}
