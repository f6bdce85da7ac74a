//! Durable admissions of the embedded store beside a bare write with fdatasync into a preallocated file.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use sampan_core::quota_day::QuotaRule;
use sampan_core::{Cloud, Lane, OperationId, SharedClock, clock};
use sampan_state::embedded::Embedded;
use sampan_state::operation::{Journal, Operation, QuotaHold, RECORD_VERSION, State};
use sampan_state::{NewOperation, OnSpent, QuotaRequest, SharedStore};

use crate::stats::{Latencies, Spread, line};

const ROUND: Duration = Duration::from_secs(2);
const RECORD_BYTES: usize = 1024;
const BARE_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Prints the figures of the embedded store.
pub async fn print(rounds: usize) -> Result<()> {
    println!("embedded store, durable admissions of about 1 KiB");
    let folder = tempfile::tempdir()?;
    let clock = clock::system();
    let store: SharedStore = Embedded::open(&folder.path().join("store"), Arc::clone(&clock))?;
    let mut bare = (Vec::new(), Vec::new());
    let mut redb = Vec::new();
    let mut one = (Vec::new(), Vec::new());
    let mut many = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let latencies = bare_writes(&folder.path().join("bare"))?;
        bare.0.push(latencies.quantile_us(0.5));
        bare.1.push(per_second(&latencies));
        redb.push(redb_commits(&folder.path().join("bare.redb"), &clock)?.quantile_us(0.5));
        let latencies = admissions(&store, &clock, 1).await?;
        one.0.push(latencies.quantile_us(0.5));
        one.1.push(per_second(&latencies));
        let latencies = admissions(&store, &clock, 32).await?;
        many.0.push(latencies.quantile_us(0.5));
        many.1.push(per_second(&latencies));
        many.2.push(latencies.quantile_us(0.99));
    }
    line("bare write + fdatasync, p50 µs", format!("{:.0}", Spread::of(&bare.0)), "");
    line("one row of 1 KiB in a bare redb, p50 of the bare write", Spread::of_ratios(&redb, &bare.0), "");
    line("admission, 1 caller, p50 µs", format!("{:.0}", Spread::of(&one.0)), "");
    line("  of the bare write, p50", Spread::of_ratios(&one.0, &bare.0), "at most 4");
    line("admission, 1 caller, per second", format!("{:.0}", Spread::of(&one.1)), "");
    line("admission, 32 callers, per second", format!("{:.0}", Spread::of(&many.1)), "");
    line("  of one caller (group commit)", Spread::of_ratios(&many.1, &one.1), "at least 6");
    line("  p99 of the bare write's p50", Spread::of_ratios(&many.2, &bare.0), "at most 20");
    Ok(())
}

fn per_second(latencies: &Latencies) -> f64 {
    latencies.len() as f64 / ROUND.as_secs_f64()
}

fn bare_writes(path: &Path) -> Result<Latencies> {
    let file = File::create(path)?;
    let zeros = vec![0; 1024 * 1024];
    for at in (0..BARE_FILE_BYTES).step_by(zeros.len()) {
        file.write_all_at(&zeros, at)?;
    }
    file.sync_all()?;
    let record = vec![7; RECORD_BYTES];
    let (begun, mut latencies, mut at) = (Instant::now(), Vec::new(), 0);
    while begun.elapsed() < ROUND {
        let call = Instant::now();
        file.write_all_at(&record, at)?;
        file.sync_data()?;
        latencies.push(call.elapsed());
        at = (at + RECORD_BYTES as u64) % BARE_FILE_BYTES;
    }
    Ok(Latencies::new(latencies))
}

/// Commits one row at a time into a database with one table: what the engine alone costs.
fn redb_commits(path: &Path, clock: &SharedClock) -> Result<Latencies> {
    const TABLE: redb::TableDefinition<'static, &[u8], &[u8]> = redb::TableDefinition::new("rows");
    let database = redb::Database::create(path)?;
    let record = vec![7; RECORD_BYTES];
    let (begun, mut latencies) = (Instant::now(), Vec::new());
    while begun.elapsed() < ROUND {
        let key = OperationId::generate(clock.now());
        let call = Instant::now();
        let transaction = database.begin_write()?;
        transaction.open_table(TABLE)?.insert(key.uuid().as_bytes().as_slice(), record.as_slice())?;
        transaction.commit()?;
        latencies.push(call.elapsed());
    }
    Ok(Latencies::new(latencies))
}

async fn admissions(store: &SharedStore, clock: &SharedClock, callers: usize) -> Result<Latencies> {
    let until = Instant::now() + ROUND;
    let work = (0..callers).map(|_| {
        let (store, clock) = (Arc::clone(store), Arc::clone(clock));
        async move {
            let mut latencies = Vec::new();
            while Instant::now() < until {
                let start = start(&clock);
                let call = Instant::now();
                store.admit(start).await?;
                latencies.push(call.elapsed());
            }
            anyhow::Ok(latencies)
        }
    });
    let all = futures::future::try_join_all(work).await?;
    Ok(Latencies::new(all.into_iter().flatten().collect()))
}

pub(crate) fn start(clock: &SharedClock) -> NewOperation {
    let now = clock.now();
    let lane = Lane {
        cloud: Cloud::Tencent,
        account: "load".parse().unwrap_or_else(|_| unreachable!("a valid name")),
        region: "ap-guangzhou".parse().unwrap_or_else(|_| unreachable!("a valid region")),
    };
    let operation = Operation {
        version: RECORD_VERSION,
        id: OperationId::generate(now),
        kind: "export".to_owned(),
        lane,
        caller: "load".to_owned(),
        labels: BTreeMap::from([("run".to_owned(), "load".to_owned())]),
        request_id: uuid::Uuid::new_v4().to_string().parse().ok(),
        request: serde_json::json!({ "bucket": "load-1250000000", "prefix": "x".repeat(256) }).into(),
        request_digest: "0".repeat(64),
        state: State::Running,
        targets: Vec::new(),
        quota: QuotaHold::None,
        units: 1,
        on_spent: OnSpent::Refuse,
        journal: Journal::default(),
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
        trace_parent: None,
        revision: 0,
    };
    let quota = QuotaRequest { units: 1, rule: QuotaRule::unlimited(), on_spent: OnSpent::Refuse };
    NewOperation { operation, quota: Some(quota), first_due: None }
}
