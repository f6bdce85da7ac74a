//! Facts of records that cannot be read: each is refused for itself and takes no other with it.

use std::time::Duration;

use jiff::SignedDuration;
use sampan_core::OperationId;

use super::super::batch::Batch;
use super::super::operations::next_due;
use super::super::rows::Rows;
use super::super::{Embedded, keys};
use super::{admit, clock, shared};
use crate::operation::{CancelRequest, RECORD_VERSION};
use crate::{Error, ListQuery, Operations};

const TTL: Duration = Duration::from_secs(30);

/// Puts other bytes in the place of a record.
async fn overwrite(store: &Embedded, id: OperationId, change: impl Fn(String) -> String + Send + 'static) {
    store
        .decide(move |batch, _| {
            let key = keys::operation(id);
            let record = String::from_utf8(batch.get(&key)?.unwrap()).unwrap();
            batch.put(&key, change(record).as_bytes());
            Ok(())
        })
        .await
        .unwrap();
}

async fn damage(store: &Embedded, id: OperationId) {
    overwrite(store, id, |record| record.replacen('{', "[", 1)).await;
}

async fn age(store: &Embedded, id: OperationId, with_unknown_form: bool) {
    let known = format!("\"version\":{RECORD_VERSION}");
    let newer = format!("\"version\":{}", RECORD_VERSION + 1);
    overwrite(store, id, move |record| {
        let record = record.replacen(&known, &newer, 1);
        if with_unknown_form { record.replacen("\"RUNNING\"", "\"HIBERNATING\"", 1) } else { record }
    })
    .await;
}

#[tokio::test]
async fn a_record_of_a_newer_version_is_refused_whether_or_not_its_form_is_known() {
    let store = Embedded::in_memory(shared(&clock())).unwrap();
    for with_unknown_form in [false, true] {
        let kept = admit(&store).await.unwrap();
        age(&store, kept.id, with_unknown_form).await;
        match store.get(kept.id).await {
            Err(Error::TooNew { key, found, known }) => {
                assert_eq!((key, found, known), (kept.id.name(), RECORD_VERSION + 1, RECORD_VERSION));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_damaged_record_is_named_and_never_overwritten() {
    let store = Embedded::in_memory(shared(&clock())).unwrap();
    let kept = admit(&store).await.unwrap();
    let claim = store.claim(&["export".to_owned()], "w", 1, TTL).await.unwrap().remove(0);
    damage(&store, kept.id).await;
    let before = store.core.read(|rows| rows.get(&keys::operation(kept.id))).unwrap();
    let cancel = CancelRequest { at: kept.created, by: "ci".to_owned(), remove_result: false };
    let commit = crate::Commit {
        operation: claim.operation,
        next: crate::Next::Keep(TTL),
        units: crate::operations::UnitsChange::Leave,
        rule: None,
        lane: None,
    };
    assert!(matches!(store.get(kept.id).await, Err(Error::Corrupt { key, .. }) if key == kept.id.name()));
    assert!(matches!(store.request_cancel(kept.id, cancel).await, Err(Error::Corrupt { .. })));
    assert!(matches!(store.commit(&claim.lease, commit).await, Err(Error::Corrupt { .. })));
    assert!(matches!(store.changed(kept.id, 0).await, Err(Error::Corrupt { .. })));
    assert_eq!(store.core.read(|rows| rows.get(&keys::operation(kept.id))).unwrap(), before);
}

#[tokio::test]
async fn a_list_skips_what_it_cannot_read() {
    let store = Embedded::in_memory(shared(&clock())).unwrap();
    let first = admit(&store).await.unwrap();
    let damaged = admit(&store).await.unwrap();
    let newer = admit(&store).await.unwrap();
    damage(&store, damaged.id).await;
    age(&store, newer.id, true).await;
    let page = store.list(&ListQuery { page_size: 10, ..ListQuery::default() }).await.unwrap();
    assert_eq!(page.operations, [first]);
}

#[tokio::test]
async fn a_claim_skips_what_it_cannot_read_and_loses_no_other() {
    let clock = clock();
    let store = Embedded::in_memory(shared(&clock)).unwrap();
    for _ in 0..5 {
        damage(&store, admit(&store).await.unwrap().id).await;
    }
    let missing_entry = admit(&store).await.unwrap();
    let damage = move |batch: &mut Batch<'_>, _| {
        batch.put(&keys::entry(missing_entry.id), b"?");
        Ok(())
    };
    store.decide(damage).await.unwrap();
    clock.advance(SignedDuration::from_millis(1));
    let good = admit(&store).await.unwrap();
    let kinds = ["export".to_owned()];
    let claims = store.claim(&kinds, "w", 1, TTL).await.unwrap();
    assert_eq!(claims.into_iter().map(|claim| claim.operation.id).collect::<Vec<_>>(), [good.id]);
    // They do not keep workers spinning, and are tried again later.
    let next_due = || store.core.read(|rows| next_due(rows, &kinds)).unwrap().unwrap();
    assert!(next_due() > good.created.as_microsecond());
    clock.advance(SignedDuration::from_secs(61));
    assert!(next_due() < good.created.as_microsecond() + 61_000_000);
    assert_eq!(store.claim(&kinds, "w", 10, TTL).await.unwrap().len(), 1);
}
