//! Facts of a failover by Sentinel, under load.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use redis::Value;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::server::{Server, free_port};
use super::{PATIENCE, admit, free_start, lane, need_redis, open, rule, start};
use crate::{Error, OnSpent, Operations, QuotaLedger};

/// One sentinel; ends with the value.
struct Sentinel {
    port: u16,
    child: Child,
    _folder: TempDir,
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn sentinel(master: u16) -> Sentinel {
    let folder = tempfile::Builder::new().prefix("sampan-sentinel-").tempdir().unwrap();
    let port = free_port();
    let path = folder.path().join("sentinel.conf");
    let text = format!(
        "bind 127.0.0.1\nport {port}\ndir {}\nsentinel monitor main 127.0.0.1 {master} 1\n\
         sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 5000\n",
        folder.path().display()
    );
    fs::write(&path, text).unwrap();
    let child = Command::new("redis-server")
        .arg(&path)
        .arg("--sentinel")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Sentinel { port, child, _folder: folder }
}

/// Waits until the sentinel knows a replica that is in step with the master.
async fn until_ready(port: u16, master: &Server) {
    let ask = async |words: &[&str]| -> redis::RedisResult<Value> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{port}"))?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        redis::cmd(words[0]).arg(&words[1..]).query_async(&mut connection).await
    };
    timeout(PATIENCE, async {
        loop {
            let replicas = ask(&["SENTINEL", "REPLICAS", "main"]).await;
            let is_known = matches!(&replicas, Ok(Value::Array(all)) if !all.is_empty());
            let info = format!("{:?}", master.query(&["INFO", "replication"]).await);
            if is_known && info.contains("state=online") {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
    })
    .await
    .expect("the sentinel finds the replica");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_goes_on_after_a_failover_and_what_a_replica_confirmed_is_there() {
    need_redis!();
    let master = Server::start(&[]).await;
    let replica = Server::start(&["--replicaof", "127.0.0.1", &master.port().to_string()]).await;
    let sentinel = sentinel(master.port());
    until_ready(sentinel.port, &master).await;
    let base = format!("redis+sentinel://127.0.0.1:{}/main?prefix=sampan", sentinel.port);
    let confirmed = open(&format!("{base}&wait=1&wait_ms=2000")).await;
    let mut kept = Vec::new();
    for number in 0..20 {
        kept.push(admit(&confirmed, start(&lane(number % 5), OnSpent::Refuse)).await.unwrap());
    }
    let store = open(&base).await;
    let mut workers = JoinSet::new();
    for number in 0..4 {
        let store = Arc::clone(&store);
        workers.spawn(async move {
            let mut failures = 0;
            for _ in 0..40 {
                let start = free_start(&lane(100 + number));
                loop {
                    match admit(&store, start.clone()).await {
                        Ok(_) => break,
                        Err(Error::Unavailable(_)) => failures += 1,
                        Err(other) => panic!("{other}"),
                    }
                }
                sleep(Duration::from_millis(5)).await;
            }
            failures
        });
    }
    sleep(Duration::from_millis(50)).await;
    master.kill();
    timeout(PATIENCE * 2, workers.join_all()).await.expect("work goes on at the new master");
    for operation in kept {
        assert_eq!(store.get(operation.id).await.unwrap().id, operation.id);
    }
    for number in 0..5 {
        assert_eq!(store.quota(&lane(number), &rule(5)).await.unwrap().reserved, 4);
    }
    let role = format!("{:?}", replica.query(&["ROLE"]).await);
    assert!(role.contains("master"), "{role}");
}
