//! Facts of a Redis that fails: scripts forgotten, gone and back, restarted, full, slow.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::server::Server;
use super::{PATIENCE, TTL, admit, claim, ending, free_start, lane, need_redis, open, rule, start, write};
use crate::operations::Next;
use crate::redis::{Redis, Time};
use crate::{Error, Health, LaneLocks, OnSpent, Operations, QuotaLedger};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forgotten_scripts_are_loaded_again_in_the_middle_of_work() {
    need_redis!();
    let server = Arc::new(Server::start(&[]).await);
    let store = open(&server.url("sampan")).await;
    let mut workers = JoinSet::new();
    for number in 0..8 {
        let store = Arc::clone(&store);
        workers.spawn(async move {
            for _ in 0..50 {
                admit(&store, free_start(&lane(number))).await.unwrap();
            }
        });
    }
    for _ in 0..20 {
        server.query(&["SCRIPT", "FLUSH"]).await;
    }
    workers.join_all().await;
    server.query(&["SCRIPT", "FLUSH"]).await;
    assert_eq!(claim(&store, 256).await.len() + claim(&store, 256).await.len(), 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_server_has_everything_that_was_acknowledged() {
    need_redis!();
    let server = Server::start(&[]).await;
    let store = open(&server.url("sampan")).await;
    let mut kept = Vec::new();
    for number in 0..20 {
        kept.push(admit(&store, start(&lane(number % 4), OnSpent::Queue)).await.unwrap());
    }
    let claimed = claim(&store, 1).await.remove(0);
    let lease = store.lock_lane(&lane(1), "a", TTL).await.unwrap();
    let picture = store.quota(&lane(0), &rule(5)).await.unwrap();
    server.kill();
    server.start_again().await;
    for operation in &kept {
        assert_eq!(store.get(operation.id).await.unwrap(), *operation);
    }
    assert_eq!(store.quota(&lane(0), &rule(5)).await.unwrap(), picture);
    assert!(matches!(store.lock_lane(&lane(1), "b", TTL).await, Err(Error::LaneHeld { .. })));
    store.renew_lane(&lease, TTL).await.unwrap();
    store.commit(&claimed.lease, ending(claimed.operation)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_goes_on_by_itself_when_the_server_is_back() {
    need_redis!();
    let server = Server::start(&[]).await;
    let store = open(&server.url("sampan")).await;
    let kept = admit(&store, free_start(&lane(1))).await.unwrap();
    let claimed = claim(&store, 1).await.remove(0);
    let watcher = Arc::clone(&store);
    let mut watchers = JoinSet::new();
    watchers.spawn(async move {
        loop {
            match watcher.changed(kept.id, 1).await {
                Ok(operation) => return operation,
                Err(Error::Unavailable(_)) => sleep(Duration::from_millis(50)).await,
                Err(other) => panic!("{other}"),
            }
        }
    });
    server.kill();
    let asked = Instant::now();
    for _ in 0..3 {
        let refused = admit(&store, free_start(&lane(1))).await;
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    }
    assert!(matches!(store.check().await, Err(Error::Unavailable(_))));
    assert!(asked.elapsed() < Duration::from_secs(20), "a call fails soon when nobody is there");
    let asked = Instant::now();
    store.wait_due(&["export".to_owned()], Duration::from_millis(10)).await;
    assert!(asked.elapsed() < Duration::from_secs(2), "a wait ends when its time is up");
    server.start_again().await;
    timeout(PATIENCE, async {
        while store.check().await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the store comes back by itself");
    let (ended, _) = store.commit(&claimed.lease, ending(claimed.operation)).await.unwrap();
    let seen = timeout(PATIENCE, watchers.join_next()).await.expect("the watcher goes on").unwrap().unwrap();
    assert_eq!(seen, ended);
}

#[tokio::test]
async fn a_full_memory_refuses_and_keeps_nothing_by_halves() {
    need_redis!();
    let server = Server::start(&[]).await;
    let store = open(&server.url("sampan")).await;
    let kept = admit(&store, start(&lane(1), OnSpent::Refuse)).await.unwrap();
    let claimed = claim(&store, 1).await.remove(0);
    server.query(&["CONFIG", "SET", "maxmemory", "1mb"]).await;
    let refused = admit(&store, start(&lane(1), OnSpent::Refuse)).await;
    assert!(matches!(&refused, Err(Error::Unavailable(why)) if why.contains("memory is full")), "{refused:?}");
    let refused = store.commit(&claimed.lease, write(claimed.operation.clone(), Next::Keep(TTL))).await;
    assert!(matches!(&refused, Err(Error::Unavailable(why)) if why.contains("memory is full")), "{refused:?}");
    assert!(store.check().await.is_err(), "not ready");
    assert_eq!(store.get(kept.id).await.unwrap(), kept, "what is there can be read");
    server.query(&["CONFIG", "SET", "maxmemory", "0"]).await;
    assert_eq!(store.quota(&lane(1), &rule(5)).await.unwrap().reserved, 1);
    assert_eq!(store.list(&crate::ListQuery { page_size: 9, ..Default::default() }).await.unwrap().operations.len(), 1);
    let (ended, _) = store.commit(&claimed.lease, ending(claimed.operation)).await.unwrap();
    assert_eq!(ended.revision, 2);
}

#[tokio::test]
async fn a_slow_server_is_waited_for() {
    need_redis!();
    let server = Server::start(&[]).await;
    let store = open(&server.url("sampan")).await;
    server.query(&["CLIENT", "PAUSE", "1500", "ALL"]).await;
    admit(&store, start(&lane(1), OnSpent::Refuse)).await.unwrap();
    // Longer than an answer may take: the call is repeated, and counts once.
    server.query(&["CLIENT", "PAUSE", "3300", "ALL"]).await;
    admit(&store, start(&lane(1), OnSpent::Refuse)).await.unwrap();
    assert_eq!(store.quota(&lane(1), &rule(5)).await.unwrap().reserved, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_all_the_time_change_no_count() {
    need_redis!();
    let server = Arc::new(Server::start(&[]).await);
    let store = open(&server.url("sampan")).await;
    let mut workers = JoinSet::new();
    for number in 0..8 {
        let store = Arc::clone(&store);
        workers.spawn(async move {
            let mut admitted = 0;
            for _ in 0..25 {
                loop {
                    match admit(&store, start(&lane(number), OnSpent::Refuse)).await {
                        Ok(_) => break admitted += 1,
                        Err(Error::QuotaSpent(_)) => break,
                        Err(Error::Unavailable(_)) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
            }
            admitted
        });
    }
    for _ in 0..40 {
        server.query(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
        sleep(Duration::from_millis(5)).await;
    }
    workers.join_all().await;
    for number in 0..8 {
        assert_eq!(store.quota(&lane(number), &rule(5)).await.unwrap().reserved, 5);
    }
}

#[tokio::test]
async fn the_clock_of_a_process_changes_nothing() {
    need_redis!();
    let server = Server::start(&[]).await;
    let store = open(&server.url("sampan")).await;
    // What a start brings with it is of a process whose clock is wrong by hours; the store's own counts.
    let mut wrong = start(&lane(1), OnSpent::Refuse);
    wrong.operation.created = jiff::Timestamp::UNIX_EPOCH;
    wrong.operation.updated = jiff::Timestamp::MAX;
    let kept = admit(&store, wrong).await.unwrap();
    let now = store.now().await.unwrap();
    assert!(now.duration_since(kept.created).abs() < jiff::SignedDuration::from_secs(60));
    assert_eq!(kept.created, kept.updated);
}

#[tokio::test]
async fn a_decision_that_too_few_replicas_have_is_not_taken_for_done() {
    need_redis!();
    let server = Server::start(&[]).await;
    let url = format!("{}&wait=1&wait_ms=20", server.url("sampan"));
    let store = Redis::open(&url.parse().unwrap(), Time::Server).await.unwrap();
    let start = start(&lane(1), OnSpent::Refuse);
    let refused = admit(&store, start.clone()).await;
    assert!(matches!(&refused, Err(Error::Unavailable(why)) if why.contains("replicas")), "{refused:?}");
    let replica = Server::start(&["--replicaof", "127.0.0.1", &server.port().to_string()]).await;
    timeout(PATIENCE, async {
        while admit(&store, start.clone()).await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("confirmed once the replica has it");
    assert_eq!(store.quota(&lane(1), &rule(5)).await.unwrap().reserved, 1);
    drop(replica);
}
