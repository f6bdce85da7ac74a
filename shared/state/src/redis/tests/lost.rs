//! Facts of lost answers: every call can be repeated, and its effect is there once.

use std::time::Duration;

use super::proxy::Proxy;
use super::server::Server;
use super::{OWNER, TTL, admit, claim, ending, free_start, lane, need_redis, open, rule, start, write};
use crate::operation::{CancelRequest, State};
use crate::operations::{Commit, Next, UnitsChange};
use crate::redis::scripts;
use crate::{Error, LaneLocks, OnSpent, Operations, QuotaLedger, Turn};

struct Lossy {
    store: std::sync::Arc<crate::Redis>,
    proxy: Proxy,
    _server: Server,
}

/// Returns a store whose answers can be lost; Redis knows the scripts already.
async fn lossy() -> Lossy {
    let server = Server::start(&[]).await;
    for script in scripts::ALL {
        server.query(&["SCRIPT", "LOAD", script.code()]).await;
    }
    let proxy = Proxy::start(server.port()).await;
    Lossy { store: open(&proxy.url("sampan")).await, proxy, _server: server }
}

impl Lossy {
    /// Runs a call whose first two answers are lost.
    async fn losing<T>(&self, call: impl Future<Output = T>) -> T {
        self.proxy.lose(2);
        let answer = call.await;
        assert_eq!(self.proxy.left(), 0, "no answer was lost");
        answer
    }

    async fn counts(&self) -> (u32, u32, u32, u32) {
        let picture = self.store.quota(&lane(1), &rule(5)).await.unwrap();
        (picture.committed, picture.reserved, picture.spent_elsewhere, picture.waiting_count)
    }
}

#[tokio::test]
async fn a_start_whose_answer_was_lost_is_one_operation() {
    need_redis!();
    let lossy = lossy().await;
    let kept = lossy.losing(admit(&lossy.store, start(&lane(1), OnSpent::Refuse))).await.unwrap();
    assert_eq!(lossy.counts().await, (0, 1, 0, 0));
    assert_eq!(kept.revision, 1);
    assert_eq!(claim(&lossy.store, 10).await.len(), 1);
}

#[tokio::test]
async fn claims_whose_answer_was_lost_are_not_lost() {
    need_redis!();
    let lossy = lossy().await;
    for number in 0..5 {
        admit(&lossy.store, free_start(&lane(number))).await.unwrap();
    }
    let claims = lossy.losing(claim(&lossy.store, 3)).await;
    assert_eq!(claims.len(), 3);
    assert!(claims.iter().all(|claim| claim.lease.fence == 1));
    assert_eq!(claim(&lossy.store, 10).await.len(), 2);
    for claim in claims {
        lossy.store.commit(&claim.lease, ending(claim.operation)).await.unwrap();
    }
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_done_once() {
    need_redis!();
    let lossy = lossy().await;
    admit(&lossy.store, start(&lane(1), OnSpent::Refuse)).await.unwrap();
    let first = claim(&lossy.store, 1).await.remove(0);
    let keep =
        Commit { units: UnitsChange::Commit, rule: Some(rule(5)), ..write(first.operation.clone(), Next::Keep(TTL)) };
    let (kept, lease) = lossy.losing(lossy.store.commit(&first.lease, keep)).await.unwrap();
    assert_eq!((kept.revision, lossy.counts().await), (2, (1, 0, 0, 0)));
    let give_back = write(kept, Next::DueAt(first.operation.created));
    let (kept, none) = lossy.losing(lossy.store.commit(&lease.unwrap(), give_back)).await.unwrap();
    assert_eq!((kept.revision, none), (3, None));
    let second = claim(&lossy.store, 1).await.remove(0);
    let (ended, _) = lossy.losing(lossy.store.commit(&second.lease, ending(second.operation))).await.unwrap();
    assert_eq!((ended.state, ended.revision), (State::Succeeded, 4));
    assert_eq!(lossy.counts().await, (1, 0, 0, 0));
    let reopened = lossy.losing(lossy.store.reopen(ended)).await.unwrap();
    assert_eq!((reopened.state, reopened.revision), (State::Running, 5));
}

#[tokio::test]
async fn a_cancel_that_ended_a_waiter_and_lost_its_answer_still_says_so() {
    need_redis!();
    let lossy = lossy().await;
    for _ in 0..5 {
        admit(&lossy.store, start(&lane(1), OnSpent::Refuse)).await.unwrap();
    }
    let waiter = admit(&lossy.store, start(&lane(1), OnSpent::Queue)).await.unwrap();
    let cancel = CancelRequest { at: waiter.created, by: "ci".to_owned(), remove_result: false };
    let cancelled = lossy.losing(lossy.store.request_cancel(waiter.id, cancel.clone())).await.unwrap();
    assert_eq!((cancelled.state, cancelled.revision), (State::Cancelled, 2));
    assert!(matches!(lossy.store.request_cancel(waiter.id, cancel).await, Err(Error::Ended(_))));
}

#[tokio::test]
async fn units_and_leases_survive_lost_answers() {
    need_redis!();
    let lossy = lossy().await;
    let (store, rule) = (&lossy.store, rule(5));
    let kept = admit(store, free_start(&lane(1))).await.unwrap();
    let turn = lossy.losing(store.take_turn(&lane(1), &rule, kept.id, 2)).await.unwrap();
    assert!(matches!(turn, Turn::Reserved { .. }));
    assert_eq!(lossy.counts().await, (0, 2, 0, 0));
    lossy.losing(store.commit_units(&lane(1), &rule, kept.id)).await.unwrap();
    assert_eq!(lossy.counts().await, (2, 0, 0, 0));
    lossy.losing(store.release_units(&lane(1), &rule, kept.id)).await.unwrap();
    assert_eq!(lossy.counts().await, (0, 0, 0, 0));
    lossy.losing(store.mark_spent(&lane(1), &rule)).await.unwrap();
    assert_eq!(lossy.counts().await, (0, 0, 5, 0));
    let lease = lossy.losing(store.lock_lane(&lane(1), OWNER, TTL)).await.unwrap();
    let lease = lossy.losing(store.renew_lane(&lease, TTL)).await.unwrap();
    assert!(matches!(store.lock_lane(&lane(1), "other", TTL).await, Err(Error::LaneHeld { .. })));
    lossy.losing(store.unlock_lane(&lease)).await.unwrap();
    let other = store.lock_lane(&lane(1), "other", Duration::from_secs(1)).await.unwrap();
    assert!(other.fence > lease.fence);
}
