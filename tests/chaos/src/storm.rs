//! What is thrown at a fleet: kills, pauses, restarts of Redis, and faults of the clouds. All by one seed.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use sampan_core::Cloud;
use serde_json::json;
use tokio::time::Instant;

use crate::fleet::Fleet;

/// Calls of both clouds that go wrong.
const CALLS: &[(Cloud, &str)] = &[
    (Cloud::Tencent, "ExportImages"),
    (Cloud::Tencent, "SyncImages"),
    (Cloud::Tencent, "ModifyImageSharePermission"),
    (Cloud::Tencent, "DescribeImages"),
    (Cloud::Tencent, "HeadObject"),
    (Cloud::Tencent, "ListObjects"),
    (Cloud::Alibaba, "ExportImage"),
    (Cloud::Alibaba, "CopyImage"),
    (Cloud::Alibaba, "ModifyImageSharePermission"),
    (Cloud::Alibaba, "DescribeImages"),
    (Cloud::Alibaba, "DescribeTasks"),
    (Cloud::Alibaba, "ListObjects"),
];
const FAULTS: &[&str] = &["throttle", "server_error", "reset", "answer_lost", "answer_lost", "slow"];
/// Calls that begin a task which may go wrong.
const TASKS: [(Cloud, &str); 4] = [
    (Cloud::Tencent, "ExportImages"),
    (Cloud::Tencent, "SyncImages"),
    (Cloud::Alibaba, "ExportImage"),
    (Cloud::Alibaba, "CopyImage"),
];
/// A call that the cloud dawdles at; shorter than a lease, as any call is in earnest.
const SLOW_MS: u64 = 700;
/// A replica that stands still, shorter than a lease.
const PAUSE: Duration = Duration::from_millis(900);

/// How often each thing happened.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally(pub BTreeMap<String, usize>);

impl Tally {
    /// Counts one.
    pub fn add(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    /// Names what did not happen.
    pub fn none(&mut self, what: impl Into<String>) {
        self.0.insert(what.into(), 0);
    }

    /// Returns how often the things happened whose names begin so.
    pub fn of(&self, start: &str) -> usize {
        self.0.iter().filter(|(name, _)| name.starts_with(start)).map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in &self.0 {
            writeln!(f, "| {name:<58} | {count:>6} |")?;
        }
        Ok(())
    }
}

/// A storm; the same seed draws the same.
#[derive(Debug)]
pub struct Storm {
    random: StdRng,
    /// What it has done.
    pub tally: Tally,
}

/// What is drawn.
#[derive(Debug, Clone, Copy)]
enum Blow {
    KillReplica,
    KillAllReplicas,
    StopReplica,
    PauseReplica,
    KillRedis,
    Fault,
}

const BLOWS: &[(Blow, u32)] = &[
    (Blow::KillReplica, 5),
    (Blow::KillAllReplicas, 1),
    (Blow::StopReplica, 1),
    (Blow::PauseReplica, 2),
    (Blow::KillRedis, 2),
    (Blow::Fault, 12),
];

impl Storm {
    /// Makes a storm of a seed.
    pub fn of(seed: u64) -> Self {
        Self { random: StdRng::seed_from_u64(seed), tally: Tally::default() }
    }

    /// Rages for at least `span`, and until it has killed replicas and Redis.
    pub async fn rage(&mut self, fleet: &Fleet, span: Duration) {
        let began = Instant::now();
        // Of these nothing comes back by itself, so they come early and few.
        for (cloud, action) in TASKS {
            self.spoil_task(fleet, cloud, action, "fail_task").await;
            self.spoil_task(fleet, cloud, action, "stall_task").await;
        }
        while began.elapsed() < span || self.tally.of("SIGKILL of Redis") < 2 || self.tally.of("SIGKILL of rep") < 5 {
            self.blow(fleet).await;
            tokio::time::sleep(Duration::from_millis(self.random.random_range(100..700))).await;
        }
    }

    async fn blow(&mut self, fleet: &Fleet) {
        let (blow, _) = *BLOWS.choose_weighted(&mut self.random, |(_, weight)| *weight).unwrap();
        let replica = fleet.replicas.choose(&mut self.random).unwrap();
        match blow {
            Blow::KillReplica => {
                replica.kill().await;
                replica.start().await;
                self.tally.add("SIGKILL of replicas, started again");
            }
            Blow::KillAllReplicas => {
                for replica in &fleet.replicas {
                    replica.kill().await;
                    self.tally.add("SIGKILL of replicas, started again");
                }
                for replica in &fleet.replicas {
                    replica.start().await;
                }
            }
            Blow::StopReplica => {
                assert!(replica.stop().await, "{} did not stop well", replica.name);
                replica.start().await;
                self.tally.add("SIGTERM of replicas, started again");
            }
            Blow::PauseReplica => {
                replica.pause(PAUSE).await;
                self.tally.add("SIGSTOP of replicas, gone on");
            }
            Blow::KillRedis => {
                let mut redis = fleet.redis.lock().await;
                redis.kill();
                tokio::time::sleep(Duration::from_millis(self.random.random_range(0..1500))).await;
                redis.start_again().await;
                self.tally.add("SIGKILL of Redis, started again on its file");
            }
            Blow::Fault => self.order_fault(fleet).await,
        }
    }

    async fn order_fault(&mut self, fleet: &Fleet) {
        let (cloud, action) = *CALLS.choose(&mut self.random).unwrap();
        let kind = *FAULTS.choose(&mut self.random).unwrap();
        let times = self.random.random_range(1..=3_u32);
        let delay_ms = if kind == "slow" { SLOW_MS } else { 0 };
        let fault =
            json!({ "cloud": cloud.as_str(), "action": action, "kind": kind, "times": times, "delay_ms": delay_ms });
        fleet.clouds.post("faults", fault).await;
        for _ in 0..times {
            self.tally.add(format!("fault ordered: {kind}"));
        }
    }

    async fn spoil_task(&mut self, fleet: &Fleet, cloud: Cloud, action: &str, kind: &str) {
        fleet.clouds.fault(cloud, action, kind, 1).await;
        self.tally.add(format!("fault ordered: {kind}"));
    }
}
