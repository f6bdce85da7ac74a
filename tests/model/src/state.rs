//! What the store, the workers and the cloud hold: one state of the model.

/// Index of a worker.
pub type Worker = u8;
/// Index of an operation, also its order of admission.
pub(crate) type Id = u8;

/// How the store has an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Nobody has asked for it.
    Unknown,
    /// In the waiting list of the lane.
    Waiting,
    /// Runs.
    Running,
    /// Has ended well.
    Succeeded,
    /// Has ended otherwise.
    Failed,
}

/// What an operation holds of the lane's units of today. A unit of an earlier day is as good as none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hold {
    /// Nothing.
    None,
    /// A unit that is not used yet.
    Reserved,
    /// A unit that is used for good.
    Committed,
}

/// An operation, as the store has it, with what the cloud did for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Operation {
    /// How the store has it.
    pub phase: Phase,
    /// Units that it holds.
    pub hold: Hold,
    /// Whether a call is announced whose outcome is not known.
    pub intent: bool,
    /// Whether the cloud's acceptance is written down.
    pub submitted: bool,
    /// Times that the announced call was repeated after a lost answer.
    pub repeats: u8,
    /// Whose the work lease is.
    pub lease: Option<Worker>,
    /// Calls under way that nobody waits for any more.
    pub stray: u8,
    /// Times that the cloud has accepted its call.
    pub accepted: u8,
}

/// What came of a call, as its caller saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Answer {
    /// The cloud took it.
    Accepted,
    /// The cloud refused it: no effect. Or it was not made, because no answer came to the announcement.
    Refused,
    /// No answer came. Whoever does not know gives the operation back at once, to look later.
    Unknown,
}

/// Where a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Nowhere.
    Idle,
    /// Has claimed an operation and the lane, and has seen that the cloud has room; the flag says that the call is a repeat.
    Surveyed(Id, bool),
    /// Has announced the call.
    Announced(Id),
    /// Waits for the answer.
    Calling(Id),
    /// Knows what came of the call.
    Answered(Id, Answer),
}

impl Step {
    /// Returns the operation that the worker is busy with.
    pub fn operation(self) -> Option<usize> {
        match self {
            Self::Idle => None,
            Self::Surveyed(id, _) | Self::Announced(id) | Self::Calling(id) | Self::Answered(id, _) => {
                Some(usize::from(id))
            }
        }
    }
}

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// The operations, in the order of their admission.
    pub operations: Vec<Operation>,
    /// The workers.
    pub workers: Vec<Step>,
    /// Who holds the lane.
    pub lane: Option<Worker>,
    /// Units of today that are reserved, as the lane counts them.
    pub reserved: u8,
    /// Units of today that are used, as the lane counts them.
    pub committed: u8,
    /// Calls that the cloud has accepted today.
    pub accepted_today: u8,
}

impl State {
    /// Returns a state in which nothing was asked for.
    pub(crate) fn new(operations: usize, workers: usize) -> Self {
        let operation = Operation {
            phase: Phase::Unknown,
            hold: Hold::None,
            intent: false,
            submitted: false,
            repeats: 0,
            lease: None,
            stray: 0,
            accepted: 0,
        };
        Self {
            operations: vec![operation; operations],
            workers: vec![Step::Idle; workers],
            lane: None,
            reserved: 0,
            committed: 0,
            accepted_today: 0,
        }
    }

    /// Returns whether a call for this operation is under way.
    pub fn is_under_way(&self, id: usize) -> bool {
        self.operations[id].stray > 0
            || self.workers.iter().any(|step| matches!(step, Step::Calling(of) if usize::from(*of) == id))
    }

    /// Returns whether any call is under way.
    pub fn is_anything_under_way(&self) -> bool {
        (0..self.operations.len()).any(|id| self.is_under_way(id))
    }

    /// Returns how many calls the cloud has accepted in all.
    pub fn accepted(&self) -> u8 {
        self.operations.iter().map(|operation| operation.accepted).sum()
    }

    /// Returns whether every operation has ended.
    pub fn is_over(&self) -> bool {
        self.operations.iter().all(|operation| matches!(operation.phase, Phase::Succeeded | Phase::Failed))
    }

    /// Returns the one state that stands for this and those that differ from it only in the names of the workers.
    pub(crate) fn with_workers_in_order(mut self) -> Self {
        let mut order: Vec<usize> = (0..self.workers.len()).collect();
        let held = |worker: usize| {
            let is = |owner: Option<Worker>| owner.is_some_and(|owner| usize::from(owner) == worker);
            (is(self.lane), self.operations.iter().map(|operation| is(operation.lease)).collect::<Vec<_>>())
        };
        order.sort_by_cached_key(|worker| (self.workers[*worker], held(*worker)));
        let renamed = |worker: Worker| {
            let place = order.iter().position(|old| *old == usize::from(worker)).expect("every worker is in the order");
            Worker::try_from(place).expect("few workers")
        };
        self.lane = self.lane.map(renamed);
        for operation in &mut self.operations {
            operation.lease = operation.lease.map(renamed);
        }
        self.workers = order.iter().map(|old| self.workers[*old]).collect();
        self
    }
}
