//! Alibaba Cloud: ECS image actions, OSS buckets, ACS3 signing, credentials.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod acs3;
pub mod codes;
mod digest;
pub mod oss4;
mod percent;
