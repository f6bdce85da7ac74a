//! What can happen, and what comes of it: one action per script of the store, call to the cloud, or event.

use stateright::{Model, Property};

use crate::action::{Action, Mutation};
use crate::rules;
use crate::state::{Answer, Hold, Id, Phase, State, Step, Worker};

/// The protocol with its sizes.
#[derive(Debug, Clone)]
pub struct Protocol {
    /// Workers.
    pub workers: usize,
    /// Operations.
    pub operations: usize,
    /// Units of a day.
    pub limit: u8,
    /// Calls that the cloud has room for in all, which only a survey tells; none: any number.
    pub room: Option<u8>,
    /// Repeats of a call whose answer is lost again and again.
    pub repeats: u8,
    /// What is broken.
    pub broken: Vec<Mutation>,
}

impl Protocol {
    fn breaks(&self, mutation: Mutation) -> bool {
        self.broken.contains(&mutation)
    }

    fn is_owner(&self, state: &State, worker: Worker, id: usize) -> bool {
        self.breaks(Mutation::NoFenceCheck) || state.operations[id].lease == Some(worker)
    }

    fn holds_lane(&self, state: &State, worker: Worker) -> bool {
        self.breaks(Mutation::NoFenceCheck) || self.breaks(Mutation::NoLaneLock) || state.lane == Some(worker)
    }

    /// Whether an operation of this order of admission may have a unit now: those before it come first.
    fn has_turn(&self, state: &State, id: usize) -> bool {
        let before = state.operations[..id].iter().filter(|operation| operation.phase == Phase::Waiting).count();
        let taken = state.reserved + state.committed;
        self.breaks(Mutation::NoLimit) || usize::from(taken) + before < usize::from(self.limit)
    }

    /// Gives an operation a unit or a place in the list; returns whether it has a unit.
    fn turn(&self, state: &mut State, id: usize) -> bool {
        state.operations[id].hold = Hold::None;
        if self.has_turn(state, id) {
            state.reserved += 1;
            state.operations[id].hold = Hold::Reserved;
            state.operations[id].phase = Phase::Running;
            return true;
        }
        state.operations[id].phase = Phase::Waiting;
        false
    }

    /// Gives back what an operation holds.
    fn release(state: &mut State, id: usize) {
        match std::mem::replace(&mut state.operations[id].hold, Hold::None) {
            Hold::Reserved => state.reserved = state.reserved.saturating_sub(1),
            Hold::Committed => state.committed = state.committed.saturating_sub(1),
            Hold::None => {}
        }
    }

    /// Uses the unit of today for good; returns whether there was one or it was the operation's turn for one.
    fn commit_unit(&self, state: &mut State, id: usize) -> bool {
        match state.operations[id].hold {
            Hold::Committed => return true,
            Hold::Reserved => {}
            Hold::None => {
                if !self.turn(state, id) {
                    return false;
                }
            }
        }
        // A unit of an earlier day, where that counts, is none of those that are reserved today.
        state.reserved = state.reserved.saturating_sub(1);
        state.committed += 1;
        state.operations[id].hold = Hold::Committed;
        true
    }

    /// The worker gives back what it has, where that is its own.
    fn rest(&self, state: &mut State, worker: Worker) {
        state.workers[usize::from(worker)] = Step::Idle;
        for operation in &mut state.operations {
            operation.lease = operation.lease.filter(|owner| *owner != worker);
        }
        if state.lane == Some(worker) || self.breaks(Mutation::UnlockAnybody) {
            state.lane = None;
        }
    }

    fn begin(&self, state: &mut State, worker: Worker, id: usize, gives_up: bool) {
        state.operations[id].lease = Some(worker);
        if !self.breaks(Mutation::NoLaneLock) {
            state.lane = Some(worker);
        }
        if state.operations[id].intent {
            self.look(state, worker, id, gives_up);
        } else {
            self.survey(state, worker, id, false);
        }
    }

    fn survey(&self, state: &mut State, worker: Worker, id: usize, is_repeat: bool) {
        if self.room.is_none_or(|room| state.accepted() < room) {
            state.workers[usize::from(worker)] = Step::Surveyed(as_id(id), is_repeat);
            return;
        }
        if self.is_owner(state, worker, id) {
            Self::release(state, id);
            self.end(state, id, Phase::Failed);
        }
        self.rest(state, worker);
    }

    fn look(&self, state: &mut State, worker: Worker, id: usize, gives_up: bool) {
        let operation = &state.operations[id];
        let is_under_way = state.is_under_way(id);
        if self.breaks(Mutation::NoLook) {
            self.survey(state, worker, id, true);
        } else if operation.accepted > 0 {
            state.workers[usize::from(worker)] = Step::Answered(as_id(id), Answer::Accepted);
        } else if is_under_way && !self.breaks(Mutation::LookOnce) {
            self.rest(state, worker);
        } else if operation.repeats >= self.repeats {
            if gives_up {
                self.end(state, id, Phase::Failed);
            }
            self.rest(state, worker);
        } else {
            self.survey(state, worker, id, true);
        }
    }

    fn begin_call(&self, state: &mut State, worker: Worker, id: usize, is_repeat: bool, is_answered: bool) {
        if !self.is_owner(state, worker, id) || !self.holds_lane(state, worker) {
            return self.rest(state, worker);
        }
        if !self.breaks(Mutation::CommitAfterCall) && !self.commit_unit(state, id) {
            return self.rest(state, worker);
        }
        state.operations[id].intent = true;
        state.operations[id].repeats += u8::from(is_repeat);
        let id = as_id(id);
        let next = match (is_answered, is_repeat) {
            (true, _) if self.breaks(Mutation::CallBeforeIntent) => Step::Answered(id, Answer::Unknown),
            (true, _) => Step::Announced(id),
            // It makes no call then, and takes the announcement back.
            (false, false) => Step::Answered(id, Answer::Refused),
            // The intent was there before, so it stays.
            (false, true) => return self.rest(state, worker),
        };
        state.workers[usize::from(worker)] = next;
    }

    /// By its own clock the worker knows whether its leases are live, and makes the call at once or not at all.
    fn send(&self, state: &mut State, worker: Worker, id: usize) {
        let is_live = self.is_owner(state, worker, id) && self.holds_lane(state, worker);
        if is_live || self.breaks(Mutation::CallLate) {
            state.workers[usize::from(worker)] = Step::Calling(as_id(id));
        } else {
            self.rest(state, worker);
        }
    }

    fn settle(&self, state: &mut State, worker: Worker, id: usize, answer: Answer, gives_up: bool) {
        if !self.is_owner(state, worker, id) {
            return self.rest(state, worker);
        }
        if self.breaks(Mutation::CommitAfterCall) && answer == Answer::Accepted {
            self.commit_unit(state, id);
        }
        match answer {
            Answer::Accepted => {
                let operation = &mut state.operations[id];
                (operation.intent, operation.repeats, operation.submitted) = (false, 0, true);
                // The unit stays counted; whose it was makes no difference any more.
                operation.hold = Hold::None;
            }
            Answer::Refused => {
                (state.operations[id].intent, state.operations[id].repeats) = (false, 0);
                if gives_up {
                    Self::release(state, id);
                    self.end(state, id, Phase::Failed);
                }
            }
            Answer::Unknown => {
                if self.breaks(Mutation::ReleaseUnknown) {
                    Self::release(state, id);
                }
                if self.breaks(Mutation::ForgetIntent) {
                    state.operations[id].intent = false;
                }
            }
        }
        self.rest(state, worker);
    }

    fn hear_nothing(&self, state: &mut State, worker: Worker, id: usize) {
        if self.breaks(Mutation::CallBeforeIntent) {
            state.workers[usize::from(worker)] = Step::Answered(as_id(id), Answer::Unknown);
        } else {
            self.settle(state, worker, id, Answer::Unknown, false);
        }
    }

    fn arrive(&self, state: &mut State, id: usize, is_accepted: bool) {
        if is_accepted {
            // More than this proves nothing more, and would make the model grow for ever.
            state.operations[id].accepted = (state.operations[id].accepted + 1).min(2);
            state.accepted_today = (state.accepted_today + 1).min(self.limit + 1);
        }
    }

    /// Ends an operation. A unit that was used stays counted; it only belongs to nobody any more.
    fn end(&self, state: &mut State, id: usize, phase: Phase) {
        if state.operations[id].hold == Hold::Reserved {
            Self::release(state, id);
        }
        let operation = &mut state.operations[id];
        (operation.phase, operation.hold, operation.intent) = (phase, Hold::None, false);
        // What is of no use any more would only tell states apart that are alike.
        (operation.submitted, operation.repeats) = (false, 0);
    }

    /// What a dead worker holds keeps others away until it runs out, which only delays them: it is taken away at once,
    /// but for the lane of a call that may still arrive.
    fn crash(&self, state: &mut State, worker: Worker) {
        if let Step::Calling(id) = state.workers[usize::from(worker)] {
            let stray = &mut state.operations[usize::from(id)].stray;
            *stray = (*stray + 1).min(2);
        }
        let (leases, lane): (Vec<_>, _) =
            (state.operations.iter().map(|operation| operation.lease).collect(), state.lane);
        self.rest(state, worker);
        if self.breaks(Mutation::EternalWorkLease) {
            for (operation, lease) in state.operations.iter_mut().zip(leases) {
                operation.lease = lease;
            }
        }
        if state.is_anything_under_way() || self.breaks(Mutation::EternalLaneLease) {
            state.lane = lane;
        }
    }

    fn end_day(&self, state: &mut State) {
        (state.reserved, state.committed, state.accepted_today) = (0, 0, 0);
        if !self.breaks(Mutation::UnitOfYesterday) {
            for operation in &mut state.operations {
                operation.hold = Hold::None;
            }
        }
    }

    fn may_end_day(&self, state: &State) -> bool {
        let has_begun = |step: &Step| matches!(step, Step::Announced(_));
        let is_quiet = !state.is_anything_under_way() && !state.workers.iter().any(has_begun);
        let is_new = state.reserved + state.committed + state.accepted_today > 0;
        is_new && (is_quiet || self.breaks(Mutation::CallAtMidnight))
    }

    fn actions_of_worker(&self, state: &State, worker: Worker, step: Step, actions: &mut Vec<Action>) {
        if step != Step::Idle {
            actions.push(Action::Crash(worker));
        }
        match step {
            Step::Idle => {
                for (id, operation) in (0..).zip(&state.operations).filter(|(_, operation)| operation.lease.is_none()) {
                    let is_free = state.lane.is_none() || self.breaks(Mutation::NoLaneLock);
                    match operation.phase {
                        Phase::Waiting if !self.breaks(Mutation::NobodyWakes) => {
                            actions.push(Action::TakeTurn(worker, id))
                        }
                        Phase::Running if operation.submitted => actions.push(Action::Finish(worker, id)),
                        Phase::Running if is_free => {
                            actions.push(Action::Begin(worker, id));
                            if operation.intent && operation.repeats >= self.repeats {
                                actions.push(Action::GiveUp(worker, id));
                            }
                        }
                        Phase::Running | Phase::Waiting | Phase::Unknown | Phase::Succeeded | Phase::Failed => {}
                    }
                }
            }
            Step::Surveyed(_, _) if self.breaks(Mutation::CallBeforeIntent) => actions.push(Action::Send(worker)),
            Step::Surveyed(_, _) => {
                actions.extend([Action::BeginCall(worker, true), Action::BeginCall(worker, false)]);
            }
            Step::Announced(_) => actions.push(Action::Send(worker)),
            Step::Calling(_) => {
                actions.push(Action::Lose(worker));
                for is_accepted in [true, false] {
                    actions.extend([true, false].map(|answered| Action::Deliver(worker, is_accepted, answered)));
                }
            }
            Step::Answered(_, Answer::Refused) => {
                actions.extend([Action::Settle(worker, false), Action::Settle(worker, true)]);
            }
            Step::Answered(_, Answer::Unknown)
                if self.breaks(Mutation::CallBeforeIntent) && !state.operations[step.operation().unwrap()].intent =>
            {
                actions.push(Action::BeginCall(worker, true));
            }
            Step::Answered(_, _) => actions.push(Action::Settle(worker, false)),
        }
    }
}

fn as_id(id: usize) -> Id {
    Id::try_from(id).expect("few operations")
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(self.operations, self.workers)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        // Operations are alike, so nothing is lost by naming them in the order of their admission.
        if let Some(id) = state.operations.iter().position(|operation| operation.phase == Phase::Unknown) {
            actions.push(Action::Admit(as_id(id)));
        }
        for (id, operation) in (0..).zip(&state.operations) {
            if operation.phase != Phase::Unknown {
                actions.push(Action::AdmitAgain(id));
            }
            if operation.stray > 0 {
                actions.push(Action::LoseStray(id));
                actions.extend([true, false].map(|is_accepted| Action::DeliverStray(id, is_accepted)));
            }
            if operation.lease.is_some() && !self.breaks(Mutation::EternalWorkLease) {
                actions.push(Action::ExpireWork(id));
            }
        }
        for (worker, step) in (0..).zip(&state.workers) {
            self.actions_of_worker(state, worker, *step, actions);
        }
        let is_quiet = !state.is_anything_under_way() || self.breaks(Mutation::ShortLaneLease);
        if state.lane.is_some() && is_quiet && !self.breaks(Mutation::EternalLaneLease) {
            actions.push(Action::ExpireLane);
        }
        if self.may_end_day(state) {
            actions.push(Action::EndDay);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        let next = &mut state;
        let of = |worker: Worker| last.workers[usize::from(worker)];
        let id_of = |worker: Worker| of(worker).operation().expect("a busy worker");
        match action {
            Action::Admit(id) => {
                self.turn(next, usize::from(id));
            }
            // The operation is there already, and with it the answer.
            Action::AdmitAgain(_) if !self.breaks(Mutation::AdmitTwice) => return None,
            Action::AdmitAgain(id) => {
                if !self.has_turn(last, usize::from(id)) {
                    return None;
                }
                next.reserved += 1;
            }
            Action::TakeTurn(_, id) => {
                self.turn(next, usize::from(id));
            }
            Action::Begin(worker, id) => self.begin(next, worker, usize::from(id), false),
            Action::GiveUp(worker, id) => self.begin(next, worker, usize::from(id), true),
            Action::Finish(_, id) => self.end(next, usize::from(id), Phase::Succeeded),
            Action::BeginCall(worker, answered) => {
                let is_repeat = matches!(of(worker), Step::Surveyed(_, true));
                self.begin_call(next, worker, id_of(worker), is_repeat, answered);
            }
            Action::Send(worker) => self.send(next, worker, id_of(worker)),
            Action::Deliver(worker, is_accepted, is_answered) => {
                self.arrive(next, id_of(worker), is_accepted);
                if !is_answered {
                    self.hear_nothing(next, worker, id_of(worker));
                } else {
                    let answer = if is_accepted { Answer::Accepted } else { Answer::Refused };
                    next.workers[usize::from(worker)] = Step::Answered(as_id(id_of(worker)), answer);
                }
            }
            Action::Lose(worker) => self.hear_nothing(next, worker, id_of(worker)),
            Action::DeliverStray(id, is_accepted) => {
                next.operations[usize::from(id)].stray -= 1;
                self.arrive(next, usize::from(id), is_accepted);
            }
            Action::LoseStray(id) => next.operations[usize::from(id)].stray -= 1,
            Action::Settle(worker, gives_up) => {
                let Step::Answered(_, answer) = of(worker) else { return None };
                self.settle(next, worker, id_of(worker), answer, gives_up);
            }
            Action::Crash(worker) => self.crash(next, worker),
            Action::ExpireWork(id) => next.operations[usize::from(id)].lease = None,
            Action::ExpireLane => next.lane = None,
            Action::EndDay => self.end_day(next),
        }
        Some(state.with_workers_in_order())
    }

    fn properties(&self) -> Vec<Property<Self>> {
        rules::properties()
    }
}
