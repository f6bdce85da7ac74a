//! The names of what can happen, and of what is broken on purpose.

use crate::state::{Id, Worker};

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A start is admitted.
    Admit(Id),
    /// The start is asked for again, because its answer was lost.
    AdmitAgain(Id),
    /// A worker claims an operation that waits, and asks for its turn.
    TakeTurn(Worker, Id),
    /// A worker claims an operation and the lane; then it looks for the effect of an announced call, or surveys what the
    /// cloud has room for.
    Begin(Worker, Id),
    /// It announces the call and uses the unit; the store's answer arrives or is lost.
    BeginCall(Worker, bool),
    /// The call leaves.
    Send(Worker),
    /// The call arrives: whether the cloud takes it, whether the answer arrives. Without one, the worker gives up.
    Deliver(Worker, bool, bool),
    /// The call is lost.
    Lose(Worker),
    /// A call that nobody waits for arrives; whether the cloud takes it.
    DeliverStray(Id, bool),
    /// A call that nobody waits for is lost.
    LoseStray(Id),
    /// The worker writes down what came of the call; after a refusal it may end the operation.
    Settle(Worker, bool),
    /// A worker claims an operation that was accepted, and ends it.
    Finish(Worker, Id),
    /// As `Begin`, but the deadline has passed: a look that finds nothing is the last one.
    GiveUp(Worker, Id),
    /// It dies.
    Crash(Worker),
    /// A work lease runs out.
    ExpireWork(Id),
    /// The lane's lease runs out.
    ExpireLane,
    /// The day ends.
    EndDay,
}

/// A rule of the protocol that is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// A unit goes back when no answer came, before it is known whether the call had an effect.
    ReleaseUnknown,
    /// The call is made before its intent is written.
    CallBeforeIntent,
    /// The unit is used for good only after the call.
    CommitAfterCall,
    /// Writes do not check whose the newest lease is.
    NoFenceCheck,
    /// Whoever finds an intent calls again without looking for an effect.
    NoLook,
    /// One look that finds nothing counts as proof, although the call may still be under way.
    LookOnce,
    /// The intent is forgotten when the answer is lost.
    ForgetIntent,
    /// A worker that was held up between its announcement and its call makes the call all the same.
    CallLate,
    /// The lane lock is not asked for.
    NoLaneLock,
    /// Whoever is done frees the lane, also when it is somebody else's by now.
    UnlockAnybody,
    /// The lane of a silent holder is given away while its call may be under way.
    ShortLaneLease,
    /// Calls are made up to the very end of a day.
    CallAtMidnight,
    /// A unit of an earlier day counts as one of today.
    UnitOfYesterday,
    /// A start that is asked for again, because its answer was lost, reserves again.
    AdmitTwice,
    /// Who comes late does not look whether somebody waits, and the lane counts no limit.
    NoLimit,
    /// Work leases never run out.
    EternalWorkLease,
    /// The lane's lease never runs out.
    EternalLaneLease,
    /// Nobody asks for the turn of who waits.
    NobodyWakes,
}
