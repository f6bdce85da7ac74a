//! How the billing estimator is configured.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The prices of the estimator.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BillingConfig {
    /// File with your own prices, such as those of a contract; same columns as the built-in ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_file: Option<PathBuf>,
    /// Whether the file stands in place of the built-in prices, instead of on top of them.
    pub only_price_file: bool,
    /// Days after which estimates report a price as too old.
    pub price_max_age_days: u32,
}

impl Default for BillingConfig {
    fn default() -> Self {
        Self {
            price_file: None,
            only_price_file: false,
            price_max_age_days: sampan_billing_service::book::DEFAULT_MAX_AGE_DAYS.unsigned_abs(),
        }
    }
}
