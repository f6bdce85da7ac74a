//! What must hold in every state, and what must be possible so that the checks mean something.

use stateright::Property;

use crate::protocol::Protocol;
use crate::state::{Answer, Hold, Phase, State, Step};

/// The cloud never accepts more calls of a day than the lane has units.
pub const QUOTA: &str = "the cloud accepts at most the limit of a day";
/// No operation is submitted twice.
pub const ONCE: &str = "no operation is submitted twice";
/// What was seen in the survey still holds when the call arrives.
pub const ROOM: &str = "the cloud has room for what it accepts";
/// The lane's count is the sum of what operations hold and used.
pub const UNITS: &str = "no unit is lost or made up";
/// An operation that succeeded was accepted.
pub const PROVEN: &str = "success is true";

pub(crate) fn properties() -> Vec<Property<Protocol>> {
    vec![
        Property::always(QUOTA, |model: &Protocol, state: &State| state.accepted_today <= model.limit),
        Property::always(ONCE, |_, state: &State| state.operations.iter().all(|operation| operation.accepted <= 1)),
        Property::always(ROOM, |model: &Protocol, state: &State| {
            model.room.is_none_or(|room| state.accepted() <= room)
        }),
        Property::always(UNITS, |model: &Protocol, state: &State| {
            let of = |wanted: Hold| {
                u8::try_from(state.operations.iter().filter(|operation| operation.hold == wanted).count()).unwrap()
            };
            state.reserved == of(Hold::Reserved)
                && state.committed >= of(Hold::Committed)
                && state.committed >= state.accepted_today
                && state.reserved + state.committed <= model.limit
        }),
        Property::always(PROVEN, |_, state: &State| {
            let is_true = |operation: &crate::Operation| operation.phase != Phase::Succeeded || operation.accepted > 0;
            state.operations.iter().all(is_true)
        }),
        // Without these, a model that does nothing would pass.
        Property::sometimes("all succeed", |_, state: &State| {
            state.operations.iter().all(|operation| operation.phase == Phase::Succeeded)
        }),
        Property::sometimes("a repeated call is accepted", |_, state: &State| {
            state.workers.iter().any(|step| match step {
                Step::Answered(id, Answer::Accepted) => state.operations[usize::from(*id)].repeats > 0,
                _ => false,
            })
        }),
        Property::sometimes("an operation with an open intent waits for another day", |_, state: &State| {
            state.operations.iter().any(|operation| operation.intent && operation.phase == Phase::Waiting)
        }),
        Property::sometimes("a worker acts without its lease", |_, state: &State| {
            state.workers.iter().zip(0..).any(|(step, worker)| {
                step.operation().is_some_and(|id| state.operations[id].lease.is_some_and(|owner| owner != worker))
            })
        }),
    ]
}
