//! What stores give back: rows and the journal of the embedded one, answers of Redis.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sampan_core::quota_day::QuotaRule;
use sampan_core::{Lane, OperationId};
use sampan_state::embedded::fuzzing::{self, Row};
use sampan_state::operation::{CancelRequest, Journal, Operation, QuotaHold, RECORD_VERSION, State};
use sampan_state::{Embedded, ListQuery, NewOperation, OnSpent, QuotaRequest, SharedStore, redis};
use uuid::Uuid;

use crate::scene::{self, must};

const KIND: &str = "export";
const OPERATIONS: u128 = 3;

fn lane() -> Lane {
    must(lane_of("ap-guangzhou"))
}

fn lane_of(region: &str) -> Result<Lane, sampan_core::ids::InvalidId> {
    Ok(Lane { cloud: sampan_core::Cloud::Tencent, account: "prod-cn".parse()?, region: region.parse()? })
}

fn rule() -> QuotaRule {
    QuotaRule { daily_units: Some(2), utc_offset_minutes: 480 }
}

fn id(number: u128) -> OperationId {
    OperationId::from(Uuid::from_u128(0x019a_0000_0000_7000_8000_0000_0000_0000 + number))
}

fn record(number: u128) -> Operation {
    let request_id = (number == 0).then_some("6f2a4c1e-6d2b-4a52-9f5e-0d6b3a1c9e10");
    must(serde_json::from_value(serde_json::json!({
        "version": RECORD_VERSION, "id": id(number), "kind": KIND, "lane": lane(), "caller": "alice",
        "labels": { "team": "images" }, "request_id": request_id, "request": { "image": "img-72n9mi0y" },
        "request_digest": "d1", "state": State::Running, "targets": [], "quota": QuotaHold::None, "units": 1,
        "on_spent": OnSpent::Queue, "journal": Journal { step_name: "submit".to_owned(), ..Journal::default() },
        "percent": null, "warnings": [], "failure": null, "cancel": null, "result": null, "created": scene::now(),
        "started": null, "last_progress": null, "updated": scene::now(), "finished": null, "stalled_since": null,
        "deadline": null, "revision": 0,
    })))
}

/// The rows of a store with operations that run, wait and are worked on.
pub fn template() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let store = must(Embedded::in_memory(scene::clock()));
        let shared: SharedStore = Arc::clone(&store) as SharedStore;
        scene::runtime().block_on(async {
            for number in 0..OPERATIONS {
                let quota = QuotaRequest { units: 1, rule: rule(), on_spent: OnSpent::Queue };
                let start = NewOperation { operation: record(number), quota: Some(quota), first_due: None };
                must(shared.admit(start).await);
            }
            must(shared.lock_lane(&lane(), "worker-1", TTL).await);
            must(shared.claim(&[KIND.to_owned()], "worker-1", 1, TTL).await);
            must(shared.commit_units(&lane(), &rule(), id(0)).await);
        });
        must(store.all_rows())
    })
}

const TTL: Duration = Duration::from_secs(30);

/// The first byte chooses a row, the rest becomes its value. What cannot be read is refused, and stands in nobody
/// else's way: the other operations are still there.
pub(crate) fn row(data: &[u8]) -> bool {
    let Some((choice, value)) = data.split_first() else { return false };
    let mut rows = template().to_vec();
    let place = usize::from(*choice) % rows.len();
    let Some((key, old)) = rows.get_mut(place) else { return false };
    let key = key.clone();
    *old = value.to_vec();
    let store = must(Embedded::in_memory(scene::clock()));
    must(store.put_rows(&rows));
    let store: SharedStore = store;
    scene::runtime().block_on(async {
        let mut read = 0;
        for number in 0..OPERATIONS {
            let found = store.get(id(number)).await;
            let is_own = key.windows(16).any(|part| part == id(number).uuid().as_bytes());
            assert!(found.is_ok() || is_own || key.first() != Some(&b'o'), "{:?} is lost", id(number));
            read += usize::from(found.is_ok());
        }
        let listed = store.list(&ListQuery { page_size: 10, ..ListQuery::default() }).await;
        drop(store.quota(&lane(), &rule()).await);
        drop(store.lock_lane(&lane(), "worker-2", TTL).await);
        drop(store.take_turn(&lane(), &rule(), id(1), 1).await);
        drop(store.spend_units(&lane(), &rule(), "console", 1).await);
        drop(store.mark_spent(&lane(), &rule()).await);
        drop(store.claim(&[KIND.to_owned()], "worker-2", 10, TTL).await);
        let cancel = CancelRequest { at: scene::now(), by: "alice".to_owned(), remove_result: false };
        drop(store.request_cancel(id(0), cancel).await);
        drop(store.release_units(&lane(), &rule(), id(1)).await);
        let again = NewOperation { operation: record(7), quota: None, first_due: None };
        drop(store.admit(again).await);
        drop(store.check().await);
        listed.is_ok() && read == 3
    })
}

/// The first byte chooses between a whole journal and the body of one frame.
pub(crate) fn journal(data: &[u8]) -> bool {
    let Some((choice, bytes)) = data.split_first() else { return false };
    if choice % 2 == 0 { fuzzing::replay(bytes).is_ok() } else { fuzzing::replay_frame(bytes).is_ok() }
}

pub(crate) fn redis_answer(data: &[u8]) -> bool {
    redis::fuzzing::answer(data, &lane(), &rule())
}

pub(crate) fn redis_address(data: &[u8]) -> bool {
    std::str::from_utf8(data).is_ok_and(redis::fuzzing::address)
}
