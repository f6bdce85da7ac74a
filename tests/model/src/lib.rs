//! A model of how workers share a lane: quota, leases, lane lock, intent, call, look. Checked in every reachable state.
//!
//! What is modelled is what `shared/state/src/redis/scripts`, `shared/ops` and the saga of an export do, one action per
//! script, cloud call or event: an admission reserves a unit or takes a place in line; a worker claims an operation
//! under a lease with a fence; under the lane lock it surveys, commits intent and unit in one write, calls, and writes
//! down what came of it; whoever finds an intent looks before it calls again. Every answer of the cloud and of the
//! store may be lost, every call too; a worker may die between any two actions; every lease may run out under a live
//! worker; days end.
//!
//! What makes it finite, and small enough to be looked at as a whole, leaves no behaviour out:
//!
//! - A fence is a number that grows with every grant. Here a grant is named by its worker, which has one at a time.
//! - Days have no numbers: a unit is of today, or it is as good as none.
//! - Leases of the dead only delay the living, so they vanish with their worker; but the lane of a call that may still
//!   arrive stays taken. A claim and the reading that follows it are one action, because only a writer can be late.
//! - Of the time that passes, only the order counts. Decisions that rest on waiting (an effect that several looks did
//!   not find; a lane whose holder is silent; a day that turns) are taken while no call is under way: the code waits
//!   longer than a call can be under way. [`Mutation::LookOnce`], [`Mutation::ShortLaneLease`] and
//!   [`Mutation::CallAtMidnight`] take that waiting away.
//! - A worker makes the call right after its announcement or, when it was held up and its own clock says that the leases
//!   may be over, not at all. [`Mutation::CallLate`] makes it all the same. A machine that stands still between that
//!   look at the clock and the first byte is beyond any fence of ours.
//!
//! Each [`Mutation`] breaks one rule of the protocol, and the checks must find out.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where its ground does not hold")]

mod action;
mod ending;
mod protocol;
mod rules;
mod state;

pub use action::{Action, Mutation};
pub use ending::{Stuck, find_stuck};
pub use protocol::Protocol;
pub use rules::{ONCE, PROVEN, QUOTA, ROOM, UNITS};
pub use state::{Answer, Hold, Operation, Phase, State, Step, Worker};
