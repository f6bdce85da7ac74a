//! Decides what the clouds hold at the start and after a reset.

use super::state::State;

/// Plants the seeded accounts, images and buckets.
pub(super) fn plant(_state: &mut State) {}
