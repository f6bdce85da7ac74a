//! Tencent Cloud on the wire: CVM (with the one CBS call that image work needs) and COS.
//!
//! Decides how Tencent's side reads requests, judges signatures and words its answers. What the cloud holds and
//! allows is decided in [`crate::world`].

mod cos;
mod cvm;
mod date;
mod q_sign;
mod tc3;

pub use cos::cos_router;
pub use cvm::cvm_router;
