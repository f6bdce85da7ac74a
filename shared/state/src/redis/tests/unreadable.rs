//! Facts of keys that cannot be read: each is refused for itself, takes no other with it, and is never overwritten.

use sampan_core::OperationId;

use super::server::Server;
use super::{OWNER, TTL, admit, claim, free_start, lane, need_redis, open, rule, start, write};
use crate::operation::{CancelRequest, Operation, RECORD_VERSION};
use crate::operations::Next;
use crate::redis::keys::{Prefix, Shard};
use crate::{Error, LaneLocks, ListQuery, OnSpent, Operations, QuotaLedger};

fn key(operation: &Operation, kind: &str) -> String {
    let prefix = Prefix::new("sampan");
    let tag = prefix.tag(Shard::of_lane(&operation.lane));
    format!("{tag}:{kind}:{}", operation.id)
}

fn lane_key(number: u32, kind: &str) -> String {
    let lane = lane(number);
    let prefix = Prefix::new("sampan");
    let tag = prefix.tag(Shard::of_lane(&lane));
    format!("{tag}:{kind}:{lane}")
}

fn cancel(operation: &Operation) -> CancelRequest {
    CancelRequest { at: operation.created, by: "ci".to_owned(), remove_result: false }
}

#[tokio::test]
async fn a_record_of_a_newer_version_is_refused_by_readers_and_writers() {
    need_redis!();
    let server = Server::start(&[]).await;
    let store = open(&server.url("sampan")).await;
    let kept = admit(&store, start(&lane(1), OnSpent::Refuse)).await.unwrap();
    let claimed = claim(&store, 1).await.remove(0);
    server.query(&["HSET", &key(&kept, "entry"), "v", "2", "st", "HIBERNATING"]).await;
    let before = server.query(&["HGETALL", &key(&kept, "entry")]).await;
    let refusals = [
        store.get(kept.id).await.err(),
        store.request_cancel(kept.id, cancel(&kept)).await.err(),
        store.reopen(kept.clone()).await.err(),
        store.commit(&claimed.lease, write(claimed.operation, Next::Keep(TTL))).await.err(),
        store.take_turn(&lane(1), &rule(5), kept.id, 1).await.err(),
        store.commit_units(&lane(1), &rule(5), kept.id).await.err(),
        store.release_units(&lane(1), &rule(5), kept.id).await.err(),
        store.changed(kept.id, 0).await.err(),
    ];
    for refusal in refusals {
        let Some(Error::TooNew { key, found, known }) = refusal else { panic!("{refusal:?}") };
        assert_eq!((key, found, known), (kept.id.name(), RECORD_VERSION + 1, RECORD_VERSION));
    }
    assert_eq!(server.query(&["HGETALL", &key(&kept, "entry")]).await, before);
}

#[tokio::test]
async fn a_list_skips_what_it_cannot_read() {
    need_redis!();
    let server = Server::start(&[]).await;
    let store = open(&server.url("sampan")).await;
    let mut all = Vec::new();
    for _ in 0..7 {
        all.push(admit(&store, free_start(&lane(1))).await.unwrap());
    }
    server.query(&["SET", &key(&all[0], "record"), "[damaged"]).await;
    server.query(&["HSET", &key(&all[1], "entry"), "v", "2"]).await;
    server.query(&["DEL", &key(&all[2], "record")]).await;
    server.query(&["DEL", &key(&all[3], "entry")]).await;
    server.query(&["SET", &key(&all[4], "entry"), "of another type"]).await;
    server.query(&["DEL", &key(&all[5], "record")]).await;
    server.query(&["RPUSH", &key(&all[5], "record"), "of another type"]).await;
    let page = store.list(&ListQuery { page_size: 10, ..ListQuery::default() }).await.unwrap();
    assert_eq!(page.operations.iter().map(|operation| operation.id).collect::<Vec<_>>(), [all[6].id]);
}

#[tokio::test]
async fn a_claim_skips_what_it_cannot_read_and_loses_no_other() {
    need_redis!();
    let server = Server::start(&[]).await;
    let store = open(&server.url("sampan")).await;
    let mut all = Vec::new();
    for number in 0..8 {
        all.push(admit(&store, free_start(&lane(number))).await.unwrap());
    }
    server.query(&["SET", &key(&all[0], "record"), "[damaged"]).await;
    server.query(&["HSET", &key(&all[1], "entry"), "v", "2"]).await;
    server.query(&["DEL", &key(&all[2], "record")]).await;
    server.query(&["DEL", &key(&all[3], "entry")]).await;
    server.query(&["SET", &key(&all[4], "entry"), "of another type"]).await;
    server.query(&["DEL", &key(&all[5], "record")]).await;
    server.query(&["RPUSH", &key(&all[5], "record"), "of another type"]).await;
    let ids = |claims: Vec<crate::Claim>| claims.into_iter().map(|claim| claim.operation.id).collect::<Vec<_>>();
    assert_eq!(ids(claim(&store, 1).await), [all[6].id]);
    assert_eq!(ids(claim(&store, 10).await), [all[7].id]);
    // They keep no worker spinning.
    let (now, due) = store.inner.next_due(Shard::all().collect(), &["export".to_owned()]).await.unwrap();
    assert!(due.unwrap() > now + 50_000_000);
}

#[tokio::test]
async fn a_key_of_another_type_is_said_and_left_as_it_is() {
    need_redis!();
    let server = Server::start(&[]).await;
    let store = open(&server.url("sampan")).await;
    let kept = admit(&store, start(&lane(1), OnSpent::Refuse)).await.unwrap();
    let claimed = claim(&store, 1).await.remove(0);
    let corrupt = |refusal: Option<Error>, what: &str| match refusal {
        Some(Error::Corrupt { message, .. }) => assert!(message.contains("another type"), "{what}: {message}"),
        other => panic!("{what}: {other:?}"),
    };
    // The lane.
    server.query(&["SET", &lane_key(2, "lane"), "mine"]).await;
    corrupt(admit(&store, start(&lane(2), OnSpent::Refuse)).await.err(), "start");
    corrupt(store.lock_lane(&lane(2), OWNER, TTL).await.err(), "lock");
    corrupt(store.quota(&lane(2), &rule(5)).await.err(), "quota");
    // The line for the lane.
    let held = store.lock_lane(&lane(4), OWNER, TTL).await.unwrap();
    let before = server.query(&["HGETALL", &lane_key(4, "lane")]).await;
    server.query(&["SET", &lane_key(4, "line"), "mine"]).await;
    corrupt(store.unlock_lane(&held).await.err(), "unlock");
    assert_eq!(server.query(&["HGETALL", &lane_key(4, "lane")]).await, before);
    // The waiting list.
    server.query(&["SET", &lane_key(3, "wait"), "mine"]).await;
    corrupt(admit(&store, start(&lane(3), OnSpent::Queue)).await.err(), "queue");
    corrupt(store.mark_spent(&lane(3), &rule(5)).await.err(), "mark");
    // The record of an operation that somebody works on.
    server.query(&["DEL", &key(&kept, "record")]).await;
    server.query(&["RPUSH", &key(&kept, "record"), "mine"]).await;
    let entry = server.query(&["HGETALL", &key(&kept, "entry")]).await;
    corrupt(store.get(kept.id).await.err(), "get");
    corrupt(store.commit(&claimed.lease, write(claimed.operation, Next::Keep(TTL))).await.err(), "commit");
    corrupt(store.request_cancel(kept.id, cancel(&kept)).await.err(), "cancel");
    assert_eq!(server.query(&["HGETALL", &key(&kept, "entry")]).await, entry);
    assert_eq!(server.query(&["GET", &lane_key(2, "lane")]).await, redis::Value::BulkString(b"mine".to_vec()));
    for damaged in ["[damaged", ""] {
        server.query(&["SET", &key(&kept, "record"), damaged]).await;
        let refused = store.request_cancel(kept.id, cancel(&kept)).await;
        assert!(matches!(refused, Err(Error::Corrupt { .. })), "{refused:?}");
        assert_eq!(server.query(&["HGETALL", &key(&kept, "entry")]).await, entry);
    }
    // Others go on.
    let other = admit(&store, start(&lane(4), OnSpent::Refuse)).await.unwrap();
    assert_eq!(store.get(other.id).await.unwrap(), other);
    assert!(matches!(store.get(OperationId::generate(other.created)).await, Err(Error::NotFound(_))));
}
