//! Alibaba Cloud on the wire: ECS and OSS as their official clients speak them.
//!
//! Decides requests, signatures, envelopes and vendor codes. What the cloud holds and allows is in
//! [`world`](crate::world); this module reads a request, asks the world, and puts the answer into the vendor's words.

mod acs3;
mod ecs;
mod oss;
mod percent;
mod rpc;

pub use ecs::ecs_router;
pub use oss::oss_router;
