//! Decides what an account of a cloud is to the simulator.

use sampan_core::Cloud;
use serde::Serialize;

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
    /// What the cloud allows this account.
    pub limits: Limits,
}
