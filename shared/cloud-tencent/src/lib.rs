//! Tencent Cloud: CVM image actions, COS buckets, TC3 signing, credentials.
//!
//! [`TencentCloud::open`] makes the ports of one account. Each action of the vendor is one file that builds
//! its request and reads its answer; sending, repeating and pacing are the call stack's, and what a code of the
//! vendor means is decided in [`codes`] alone.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod api;
mod bucket;
mod cloud;
pub mod codes;
mod config;
mod copies;
mod cos;
pub mod credentials;
mod delete_images;
mod delete_object;
mod describe_image_quota;
mod describe_image_share_permission;
mod describe_images;
mod describe_snapshots;
mod digest;
mod export_images;
mod head_bucket;
mod head_object;
mod image;
mod list_objects;
mod modify_image_share_permission;
mod presign;
pub mod q_sign;
mod shares;
mod sync_images;
pub mod tc3;
mod time;

pub use cloud::TencentCloud;
pub use config::{Endpoints, Language, TencentConfig};
