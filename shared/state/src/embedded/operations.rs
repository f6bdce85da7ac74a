//! Decides how operations are read, claimed and waited for.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sampan_core::{Lane, OperationId};
use tokio::time::Instant;
use tracing::warn;

use super::batch::Batch;
use super::core::LONGEST_SLEEP;
use super::ledger::{self, Planned};
use super::record::{self, Entry, Held, after, instant, micros_up};
use super::rows::{Halt, Rows, printable};
use super::shown;
use super::{Embedded, commit, keys};
use crate::error::Error;
use crate::lease::WorkLease;
use crate::operation::{CancelRequest, Operation, QuotaHold};
use crate::operations::{Claim, Commit, ListPage, ListQuery, Operations};

/// When an operation whose record cannot be read is tried again: a newer program may have taken over by then.
const UNREADABLE_AGAIN: Duration = Duration::from_secs(60);
/// Operations per page at most.
const PAGE_MOST: u32 = 1000;

#[async_trait]
impl Operations for Embedded {
    async fn get(&self, id: OperationId) -> Result<Operation, Error> {
        let now = self.core.now();
        self.core.read(|rows| shown::operation(rows, record::load(rows, id)?, now))
    }

    async fn list(&self, query: &ListQuery) -> Result<ListPage, Error> {
        // Filters look at every record, which may take long: not on a thread of the runtime.
        let (core, query) = (Arc::clone(&self.core), query.clone());
        let read = move || core.read(|rows| list(rows, &query, core.now()));
        tokio::task::spawn_blocking(read).await.map_err(|stopped| Error::Unavailable(stopped.to_string()))?
    }

    async fn claim(&self, kinds: &[String], owner: &str, limit: u32, ttl: Duration) -> Result<Vec<Claim>, Error> {
        // Most claims find nothing: a look at the snapshot costs no place in the writer's queue.
        let now_us = self.core.now().as_microsecond();
        if limit == 0 || self.core.read(|rows| next_due(rows, kinds))?.is_none_or(|due| due > now_us) {
            return Ok(Vec::new());
        }
        let (kinds, owner) = (kinds.to_vec(), owner.to_owned());
        self.decide(move |batch, now| claim(batch, &kinds, &owner, limit, ttl, now)).await
    }

    async fn renew(&self, lease: &WorkLease, ttl: Duration) -> Result<WorkLease, Error> {
        let lease = lease.clone();
        self.decide(move |batch, now| {
            let mut entry = must_hold(batch, &lease, now)?;
            let expires = after(now, ttl);
            prolong(batch, lease.operation, &mut entry, expires)?;
            Ok(WorkLease { expires, ..lease })
        })
        .await
    }

    async fn commit(&self, lease: &WorkLease, commit: Commit) -> Result<(Operation, Option<WorkLease>), Error> {
        let lease = lease.clone();
        self.decide(move |batch, now| commit::commit(batch, lease, commit, now)).await
    }

    async fn request_cancel(&self, id: OperationId, request: CancelRequest) -> Result<Operation, Error> {
        self.decide(move |batch, now| commit::cancel(batch, id, request, now)).await
    }

    async fn reopen(&self, change: Operation) -> Result<Operation, Error> {
        self.decide(move |batch, now| commit::reopen(batch, change, now)).await
    }

    async fn changed(&self, id: OperationId, after: u64) -> Result<Operation, Error> {
        let mut watcher = self.core.watch(id);
        loop {
            let operation = self.get(id).await?;
            if operation.revision > after || operation.state.is_final() {
                return Ok(operation);
            }
            watcher.changed().await;
        }
    }

    async fn wait_due(&self, kinds: &[String], at_most: Duration) {
        let mut work = self.core.watch_due();
        let started = Instant::now();
        loop {
            let now_us = self.core.now().as_microsecond();
            let left = at_most.saturating_sub(started.elapsed()).min(LONGEST_SLEEP);
            let sleep = match self.core.read(|rows| next_due(rows, kinds)) {
                Ok(Some(due)) if due <= now_us => return,
                Ok(Some(due)) => left.min(Duration::from_micros(due.abs_diff(now_us))),
                // A store that cannot be read has nothing due; the claim says what is wrong.
                Ok(None) | Err(_) => left,
            };
            if left.is_zero() {
                return;
            }
            // Either the time is up or there is news; both are looked at above.
            drop(tokio::time::timeout(sleep, work.changed()).await);
        }
    }
}

/// Returns the earliest due time of these kinds.
pub(super) fn next_due(rows: &impl Rows, kinds: &[String]) -> Result<Option<i64>, Halt> {
    let mut earliest: Option<i64> = None;
    for kind in kinds {
        let queue = keys::due_queue(kind);
        rows.scan(&queue, &keys::after(&queue), &mut |key, _| {
            if let Some((due, _)) = keys::read_due(key) {
                earliest = Some(earliest.map_or(due, |known| known.min(due)));
            }
            Ok(ControlFlow::Break(()))
        })?;
    }
    Ok(earliest)
}

fn list(rows: &impl Rows, query: &ListQuery, now: Timestamp) -> Result<ListPage, Halt> {
    let end = match query.before {
        Some(before) => keys::operation(before),
        None => keys::after(keys::OPERATIONS),
    };
    let size = usize::try_from(query.page_size.clamp(1, PAGE_MOST)).unwrap_or(1);
    let mut operations = Vec::new();
    let mut more = false;
    rows.scan_back(keys::OPERATIONS, &end, &mut |key, value| {
        if !keys::is_record(key) {
            return Ok(ControlFlow::Continue(()));
        }
        match record::parse(&printable(key), value) {
            Ok(operation) if matches(query, &operation) => {
                if operations.len() == size {
                    more = true;
                    return Ok(ControlFlow::Break(()));
                }
                operations.push(operation);
            }
            Ok(_) => {}
            Err(problem) => warn!(%problem, "operation not listed"),
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let mut plans: HashMap<Lane, Vec<Planned>> = HashMap::new();
    for operation in &mut operations {
        shown::lapse(rows, operation)?;
        if matches!(operation.quota, QuotaHold::Waiting { .. }) {
            if !plans.contains_key(&operation.lane) {
                let planned = ledger::plan_by_last_rule(rows, &operation.lane, now)?;
                plans.insert(operation.lane.clone(), planned);
            }
            let planned = plans.get(&operation.lane).map_or(&[][..], Vec::as_slice);
            if let Some(place) = shown::place(planned, operation.id) {
                operation.quota = place;
            }
        }
    }
    Ok(ListPage { operations, more })
}

fn matches(query: &ListQuery, operation: &Operation) -> bool {
    let ListQuery { kinds, states, cloud, account, region, caller, labels, page_size: _, before: _ } = query;
    let lane = &operation.lane;
    (kinds.is_empty() || kinds.contains(&operation.kind))
        && (states.is_empty() || states.contains(&operation.state))
        && cloud.is_none_or(|cloud| cloud == lane.cloud)
        && account.as_ref().is_none_or(|account| account == lane.account.as_str())
        && region.as_ref().is_none_or(|region| region == lane.region.as_str())
        && caller.as_ref().is_none_or(|caller| *caller == operation.caller)
        && labels.iter().all(|(label, value)| operation.labels.get(label) == Some(value))
}

/// Lists at most `limit` operations that are due, longest due first.
pub(super) fn list_due(
    rows: &impl Rows,
    kinds: &[String],
    limit: usize,
    now_us: i64,
) -> Result<Vec<(i64, OperationId)>, Halt> {
    let mut found = Vec::new();
    let mut kinds = kinds.to_vec();
    kinds.sort();
    kinds.dedup();
    for kind in &kinds {
        let mut left = limit;
        let end = keys::due_from(kind, now_us.saturating_add(1));
        rows.scan(&keys::due_queue(kind), &end, &mut |key, _| {
            found.extend(keys::read_due(key));
            left = left.saturating_sub(1);
            Ok(if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
    }
    found.sort_unstable();
    found.truncate(limit);
    Ok(found)
}

fn claim(
    batch: &mut Batch<'_>,
    kinds: &[String],
    owner: &str,
    limit: u32,
    ttl: Duration,
    now: Timestamp,
) -> Result<Vec<Claim>, Halt> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let expires = after(now, ttl);
    let mut claims = Vec::new();
    while claims.len() < limit {
        let due = list_due(batch, kinds, limit - claims.len(), now.as_microsecond())?;
        if due.is_empty() {
            break;
        }
        // Those that cannot be read leave the front of the queue, so every round gets further.
        for (due_us, id) in due {
            let claimed = match record::load(batch, id).and_then(|record| Ok((record, Entry::load(batch, id)?))) {
                Ok((record, mut entry)) => {
                    entry.fence = entry.fence.saturating_add(1);
                    entry.lease = Some(Held { owner: owner.to_owned(), expires_us: micros_up(expires) });
                    entry.wake_us = None;
                    entry.not_before_us = None;
                    prolong(batch, id, &mut entry, expires)?;
                    let lease = WorkLease { operation: id, owner: owner.to_owned(), fence: entry.fence, expires };
                    Claim { operation: shown::operation(batch, record, now)?, lease }
                }
                Err(Halt::Refused(problem)) => {
                    warn!(operation = %id, %problem, "operation not claimed");
                    postpone(batch, kinds, due_us, id, after(now, UNREADABLE_AGAIN))?;
                    continue;
                }
                Err(broken) => return Err(broken),
            };
            claims.push(claimed);
        }
    }
    Ok(claims)
}

/// Moves an operation that cannot be read to a later place of the due queue.
fn postpone(
    batch: &mut Batch<'_>,
    kinds: &[String],
    due_us: i64,
    id: OperationId,
    again: Timestamp,
) -> Result<(), Halt> {
    match Entry::load(batch, id) {
        Ok(mut entry) if entry.due_us == Some(due_us) => {
            entry.move_due(batch, id, Some(micros_up(again)))?;
            return entry.save(batch, id);
        }
        Err(broken @ Halt::Broken(_)) => return Err(broken),
        Ok(_) | Err(Halt::Refused(_)) => {}
    }
    // Not even the entry can be read: the place in the queue is all that there is.
    for kind in kinds {
        let key = keys::due(kind, due_us, id);
        if batch.get(&key)?.is_some() {
            batch.remove(&key);
            batch.put(&keys::due(kind, micros_up(again), id), &[]);
        }
    }
    Ok(())
}

/// Returns the entry of the operation if the lease is live and the newest.
pub(super) fn must_hold(rows: &impl Rows, lease: &WorkLease, now: Timestamp) -> Result<Entry, Halt> {
    let entry = Entry::load(rows, lease.operation)?;
    let is_owner = entry.lease.as_ref().is_some_and(|held| held.owner == lease.owner);
    if is_owner && entry.fence == lease.fence && entry.is_leased(now.as_microsecond()) {
        Ok(entry)
    } else {
        Err(Error::LeaseLost(lease.operation.name()).into())
    }
}

/// Moves the end of a lease, which is the operation's place in the due queue.
pub(super) fn prolong(
    batch: &mut Batch<'_>,
    id: OperationId,
    entry: &mut Entry,
    expires: Timestamp,
) -> Result<(), Halt> {
    let expires_us = micros_up(expires);
    if let Some(held) = &mut entry.lease {
        held.expires_us = expires_us;
    }
    entry.move_due(batch, id, Some(expires_us))?;
    entry.save(batch, id)
}

/// Returns the due time that an operation gets when its lease goes back.
pub(super) fn due_after_lease(entry: &Entry, wanted: Timestamp) -> Timestamp {
    let wanted = micros_up(wanted);
    instant(entry.wake_us.map_or(wanted, |wake| wake.min(wanted)))
}
