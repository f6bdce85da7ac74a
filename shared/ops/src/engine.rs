//! What services call: start, read, watch, cancel and try again durable operations.
//!
//! The steps themselves are run by the [`Runner`](crate::Runner).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, Stream};
use sampan_core::quota_day::QuotaRule;
use sampan_core::{Lane, OperationId, RequestId, SharedClock};
use sampan_state::operation::{CancelRequest, Journal, Operation, QuotaHold, RECORD_VERSION, State, TargetState};
use sampan_state::{
    Admitted, Json, ListPage, ListQuery, NewOperation, OnSpent, QuotaPicture, QuotaRequest, SharedStore,
};

use crate::digest::digest;
use crate::error::Error;
use crate::progress;
use crate::rules::LaneRules;
use crate::saga::Saga;
use crate::{metrics, trace};

/// A start of an operation.
#[derive(Debug, Clone, PartialEq)]
pub struct StartRequest {
    /// Kind of a registered saga.
    pub kind: &'static str,
    /// Lane of its mutating calls.
    pub lane: Lane,
    /// Who starts it; empty when callers are not told apart.
    pub caller: String,
    /// The caller's own labels.
    pub labels: BTreeMap<String, String>,
    /// The caller's idempotency key.
    pub request_id: Option<RequestId>,
    /// The checked request, as the saga reads it.
    pub request: Json,
    /// Mutating calls that count in the lane's day; 0 when it makes none.
    pub units: u32,
    /// What becomes of it when the day is spent, now or by the word of the cloud.
    pub on_spent: OnSpent,
}

/// Starts and reads operations. Clones share everything.
#[derive(Debug, Clone)]
pub struct Engine(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    store: SharedStore,
    clock: SharedClock,
    rules: LaneRules,
    sagas: BTreeMap<&'static str, Arc<dyn Saga>>,
}

impl Engine {
    /// Makes an engine that serves `sagas` on `store`; `clock` only dates the ids of operations.
    pub fn new(store: SharedStore, clock: SharedClock, rules: LaneRules, sagas: Vec<Arc<dyn Saga>>) -> Self {
        let sagas = sagas.into_iter().map(|saga| (saga.kind(), saga)).collect();
        Self(Arc::new(Parts { store, clock, rules, sagas }))
    }

    /// Admits an operation in one trip to the store; its steps run by themselves from then on.
    ///
    /// # Errors
    /// - [`Error::UnknownKind`].
    /// - [`Error::Store`] with [`RequestIdReused`](sampan_state::Error::RequestIdReused) or
    ///   [`QuotaSpent`](sampan_state::Error::QuotaSpent), as [`Admission::admit`](sampan_state::Admission::admit).
    pub async fn start(&self, start: StartRequest) -> Result<Admitted, Error> {
        let saga = self.saga(start.kind).ok_or_else(|| Error::UnknownKind(start.kind.to_owned()))?;
        let quota = (start.units > 0).then(|| QuotaRequest {
            units: start.units,
            rule: self.rule(&start.lane),
            on_spent: start.on_spent,
        });
        let operation = self.record(saga.as_ref(), start);
        let admitted = self.0.store.admit(NewOperation { operation, quota, first_due: None }).await?;
        metrics::admitted(&admitted);
        Ok(admitted)
    }

    /// Reads an operation.
    ///
    /// # Errors
    /// [`Error::Store`] with [`NotFound`](sampan_state::Error::NotFound).
    pub async fn get(&self, id: OperationId) -> Result<Operation, Error> {
        Ok(self.0.store.get(id).await?)
    }

    /// Lists operations of every kind, newest first.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot be reached.
    pub async fn list(&self, query: &ListQuery) -> Result<ListPage, Error> {
        Ok(self.0.store.list(query).await?)
    }

    /// Returns whether a start with this request id was accepted on the lane before, by looking through its operations
    /// of that kind, newest first: a repetition follows its start closely.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot be reached.
    pub async fn knows(&self, kind: &str, lane: &Lane, request_id: RequestId) -> Result<bool, Error> {
        let mut query = ListQuery {
            kinds: vec![kind.to_owned()],
            cloud: Some(lane.cloud),
            account: Some(lane.account.to_string()),
            region: Some(lane.region.to_string()),
            ..ListQuery::default()
        };
        loop {
            let page = self.list(&query).await?;
            if page.operations.iter().any(|operation| operation.request_id == Some(request_id)) {
                return Ok(true);
            }
            query.before = page.operations.last().map(|last| last.id);
            if !page.more || query.before.is_none() {
                return Ok(false);
            }
        }
    }

    /// Follows an operation from after `revision` on: its newest record at once, then each newer one.
    ///
    /// Revisions that come faster than the stream is read are skipped, the final record never is; the stream ends
    /// after it. It also ends after an error, and can be resumed from the last revision seen.
    pub fn watch(
        &self,
        id: OperationId,
        revision: u64,
    ) -> impl Stream<Item = Result<Operation, Error>> + Send + 'static {
        let store = Arc::clone(&self.0.store);
        stream::unfold(Some(revision), move |after| {
            let store = Arc::clone(&store);
            async move {
                match store.changed(id, after?).await {
                    Ok(operation) => {
                        let next = (!operation.state.is_final()).then_some(operation.revision);
                        Some((Ok(operation), next))
                    }
                    Err(error) => Some((Err(Error::from(error)), None)),
                }
            }
        })
    }

    /// Waits until the operation has ended or `timeout` has passed, and returns its newest record.
    ///
    /// # Errors
    /// [`Error::Store`] with [`NotFound`](sampan_state::Error::NotFound). Running out of time is none.
    pub async fn wait(&self, id: OperationId, timeout: Duration) -> Result<Operation, Error> {
        let ended = async {
            let mut after = 0;
            loop {
                let operation = self.0.store.changed(id, after).await?;
                if operation.state.is_final() {
                    return Ok(operation);
                }
                after = operation.revision;
            }
        };
        match tokio::time::timeout(timeout, ended).await {
            Ok(ended) => ended,
            Err(_) => self.get(id).await,
        }
    }

    /// Asks an operation to stop; what comes of it is told in its record.
    ///
    /// # Errors
    /// [`Error::Store`] with [`NotFound`](sampan_state::Error::NotFound) or [`Ended`](sampan_state::Error::Ended).
    pub async fn request_cancel(
        &self,
        id: OperationId,
        by: impl Into<String>,
        remove_result: bool,
    ) -> Result<Operation, Error> {
        let at = self.0.store.now().await?;
        Ok(self.0.store.request_cancel(id, CancelRequest { at, by: by.into(), remove_result }).await?)
    }

    /// Puts an ended operation back to work for its failed targets; needs quota as a start does.
    ///
    /// # Errors
    /// - [`Error::NotRetryable`] when it has not ended, nothing of it failed, or its saga cannot begin again.
    /// - [`Error::Store`] with [`QuotaSpent`](sampan_state::Error::QuotaSpent) when the day is spent and its caller
    ///   did not choose to queue; nothing is changed then.
    /// - [`Error::Store`] with [`LeaseLost`](sampan_state::Error::LeaseLost) when somebody was faster.
    pub async fn retry(&self, id: OperationId) -> Result<Operation, Error> {
        let operation = self.get(id).await?;
        let refuse = |why| Error::NotRetryable { id, why };
        match operation.state {
            State::Failed | State::PartiallySucceeded => {}
            State::WaitingForQuota | State::Running | State::Cancelling => return Err(refuse("it has not ended")),
            State::Succeeded | State::Cancelled => return Err(refuse("nothing of it has failed")),
        }
        let saga = self.saga(&operation.kind).ok_or_else(|| Error::UnknownKind(operation.kind.clone()))?;
        let reopening = saga.reopening(&operation).ok_or(refuse("operations of this kind begin anew instead"))?;
        let first = saga.steps().iter().position(|step| step.name == reopening.from_step);
        let first = first.ok_or(refuse("its saga names no step to begin at"))?;
        if operation.on_spent == OnSpent::Refuse {
            self.refuse_without_units(&operation.lane, reopening.units).await?;
        }
        let mut change = operation;
        change.units = reopening.units;
        change.trace_parent = trace::current().or(change.trace_parent);
        reopen_at(&mut change, saga.as_ref(), first);
        Ok(self.0.store.reopen(change).await?)
    }

    /// Returns the quota of a lane.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot be reached.
    pub async fn quota(&self, lane: &Lane) -> Result<QuotaPicture, Error> {
        Ok(self.0.store.quota(lane, &self.rule(lane)).await?)
    }

    /// Returns the quotas of `lanes`, in their order.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot be reached.
    pub async fn quotas(&self, lanes: &[Lane]) -> Result<Vec<QuotaPicture>, Error> {
        let mut pictures = Vec::with_capacity(lanes.len());
        for lane in lanes {
            pictures.push(self.quota(lane).await?);
        }
        Ok(pictures)
    }

    /// Checks that the store works.
    ///
    /// # Errors
    /// [`Error::Store`] with [`Unavailable`](sampan_state::Error::Unavailable) when it does not.
    pub async fn ready(&self) -> Result<(), Error> {
        Ok(self.0.store.check().await?)
    }

    /// Returns the quota rule of a lane.
    pub fn rule(&self, lane: &Lane) -> QuotaRule {
        self.0.rules.rule(lane)
    }

    /// Returns the kinds that are served here, in alphabetical order.
    pub fn kinds(&self) -> Vec<String> {
        self.0.sagas.keys().map(|kind| (*kind).to_owned()).collect()
    }

    pub(crate) fn rules(&self) -> &LaneRules {
        &self.0.rules
    }

    pub(crate) fn saga(&self, kind: &str) -> Option<&Arc<dyn Saga>> {
        self.0.sagas.get(kind)
    }

    pub(crate) fn store(&self) -> &SharedStore {
        &self.0.store
    }

    /// The units are taken with the call; this only spares an ended operation a second failure.
    async fn refuse_without_units(&self, lane: &Lane, units: u32) -> Result<(), Error> {
        let picture = self.quota(lane).await?;
        let short = picture.remaining().is_some_and(|left| left < units) || picture.waiting_count > 0;
        if units > 0 && short {
            return Err(sampan_state::Error::QuotaSpent(Box::new(picture)).into());
        }
        Ok(())
    }

    fn record(&self, saga: &dyn Saga, start: StartRequest) -> Operation {
        let now = self.0.clock.now();
        let request_digest = digest(&start);
        let step_name = saga.steps().first().map_or(String::new(), |step| step.name.to_owned());
        Operation {
            version: RECORD_VERSION,
            id: OperationId::generate(now),
            kind: start.kind.to_owned(),
            lane: start.lane,
            caller: start.caller,
            labels: start.labels,
            request_id: start.request_id,
            request: start.request,
            request_digest,
            state: State::Running,
            targets: Vec::new(),
            quota: QuotaHold::None,
            units: start.units,
            on_spent: start.on_spent,
            journal: Journal { step_name, ..Journal::default() },
            percent: None,
            warnings: Vec::new(),
            failure: None,
            cancel: None,
            result: None,
            created: now,
            started: None,
            last_progress: None,
            updated: now,
            finished: None,
            deadline: None,
            stalled_since: None,
            trace_parent: trace::current(),
            revision: 0,
        }
    }
}

/// Sets the record back to the beginning of a step; targets that succeeded stay.
fn reopen_at(change: &mut Operation, saga: &dyn Saga, first: usize) {
    for target in change.targets.iter_mut().filter(|target| target.state != TargetState::Succeeded) {
        target.state = TargetState::Pending;
        target.percent = None;
        target.failure = None;
        target.finished = None;
    }
    let steps = saga.steps();
    let mut outputs = std::mem::take(&mut change.journal.outputs);
    outputs.retain(|name, _| steps[..first].iter().any(|step| step.name == name));
    change.journal = Journal {
        next_step: u32::try_from(first).unwrap_or(u32::MAX),
        step_name: steps[first].name.to_owned(),
        outputs,
        ..Journal::default()
    };
    change.state = State::Running;
    change.percent = progress::percent(&change.targets);
    change.failure = None;
    change.cancel = None;
    change.result = None;
    change.finished = None;
    change.deadline = None;
    change.stalled_since = None;
}
