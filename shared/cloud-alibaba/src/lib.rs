//! Alibaba Cloud: ECS image actions, OSS buckets, ACS3 signing, credentials.
//!
//! [`AlibabaCloud::open`] makes the ports of one account. [`codes`] is the class table of every documented
//! error, [`acs3`] and [`oss4`] are the signatures, each without I/O.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod acs3;
pub mod codes;
mod config;
mod copies;
mod credentials;
mod digest;
mod ecs;
mod hosts;
mod image_cloud;
mod judge;
mod lenient;
mod oss;
pub mod oss4;
mod percent;
mod progress;
mod shares;
mod sign;
mod tasks;
mod xml;

pub use config::AlibabaConfig;
pub use credentials::{CredentialSource, Provider};
pub use hosts::{BadEndpoint, Endpoints};
pub use image_cloud::{AlibabaCloud, DEFAULT_EXPORT_ROLE};
