//! Facts of a cluster: three nodes that a test starts, and slots that move.

use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::Value;
use tokio::time::{sleep, timeout};

use super::server::Server;
use super::{PATIENCE, admit, claim, ending, free_start, lane, need_redis, open, rule, start};
use crate::redis::keys::{Prefix, Shard};
use crate::redis::reply::text_of;
use crate::{Admission, Admitted, Error, Health, OnSpent, Operations, QuotaLedger};

const SLOTS: u16 = 16_384;

/// Three masters; they end with the value.
pub(super) struct Cluster {
    nodes: Vec<Server>,
}

impl Cluster {
    pub(super) async fn start() -> Self {
        let mut nodes = Vec::new();
        for _ in 0..3 {
            nodes.push(Server::start(&["--cluster-enabled", "yes", "--cluster-node-timeout", "3000"]).await);
        }
        for (number, node) in (0..).zip(&nodes) {
            let mut words = vec!["CLUSTER".to_owned(), "ADDSLOTS".to_owned()];
            words.extend((0..SLOTS).filter(|slot| slot % 3 == number).map(|slot| slot.to_string()));
            node.query(&words.iter().map(String::as_str).collect::<Vec<_>>()).await;
            node.query(&["CONFIG", "SET", "cluster-require-full-coverage", "no"]).await;
            node.query(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]).await;
        }
        for node in &nodes[1..] {
            node.query(&["CLUSTER", "MEET", "127.0.0.1", &nodes[0].port().to_string()]).await;
        }
        let cluster = Self { nodes };
        timeout(PATIENCE, async {
            while !cluster.is_whole().await {
                sleep(Duration::from_millis(50)).await;
            }
        })
        .await
        .expect("the nodes find each other");
        cluster
    }

    /// Returns the cluster that many tests of this process share.
    pub(super) async fn shared() -> Arc<Self> {
        static SHARED: tokio::sync::Mutex<Weak<Cluster>> = tokio::sync::Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        match shared.upgrade() {
            Some(cluster) => cluster,
            None => {
                let cluster = Arc::new(Self::start().await);
                *shared = Arc::downgrade(&cluster);
                cluster
            }
        }
    }

    pub(super) fn url(&self, prefix: &str) -> String {
        let hosts: Vec<String> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis+cluster://{}?prefix={prefix}", hosts.join(","))
    }

    async fn is_whole(&self) -> bool {
        for node in &self.nodes {
            let info = text_of(&node.query(&["CLUSTER", "INFO"]).await).unwrap();
            let all = format!("cluster_slots_ok:{SLOTS}");
            if !(info.contains("cluster_state:ok") && info.contains(&all) && info.contains("cluster_known_nodes:3")) {
                return false;
            }
        }
        true
    }

    /// Returns the slot of a lane, the node that has it, and another.
    async fn slot_of(&self, number: u32) -> (String, &Server, &Server) {
        let prefix = Prefix::new("sampan");
        let tag = prefix.tag(Shard::of_lane(&lane(number)));
        let Value::Int(slot) = self.nodes[0].query(&["CLUSTER", "KEYSLOT", tag]).await else { panic!("no slot") };
        let owner = usize::try_from(slot % 3).unwrap();
        (slot.to_string(), &self.nodes[owner], &self.nodes[(owner + 1) % 3])
    }
}

async fn id_of(node: &Server) -> String {
    text_of(&node.query(&["CLUSTER", "MYID"]).await).unwrap()
}

async fn keys_in(node: &Server, slot: &str) -> Vec<String> {
    let Value::Array(keys) = node.query(&["CLUSTER", "GETKEYSINSLOT", slot, "1000"]).await else { panic!("no keys") };
    keys.iter().filter_map(text_of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lanes_lie_on_every_node_and_their_work_is_done() {
    need_redis!();
    let cluster = Cluster::shared().await;
    let store = open(&cluster.url("spread")).await;
    for number in 0..40 {
        admit(&store, free_start(&lane(number))).await.unwrap();
    }
    let claims = claim(&store, 100).await;
    assert_eq!(claims.len(), 40);
    for claim in claims {
        store.commit(&claim.lease, ending(claim.operation)).await.unwrap();
    }
    store.check().await.unwrap();
    for node in &cluster.nodes {
        let Value::Array(keys) = node.query(&["KEYS", "{spread.*"]).await else { panic!("no keys") };
        assert!(keys.len() > 5, "{} keys on one node", keys.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_id_used_again_on_a_lane_of_another_node_is_refused() {
    need_redis!();
    let cluster = Cluster::shared().await;
    let store = open(&cluster.url("requests")).await;
    let request_id = "0190a5b2-0000-7000-8000-000000000001";
    let start_on = |number: u32| {
        let mut start = start(&lane(number), OnSpent::Refuse);
        start.operation.request_id = Some(request_id.parse().unwrap());
        start.operation.request_digest = format!("digest-{number}");
        start
    };
    for number in 0..12 {
        let admitted = store.admit(start_on(number)).await;
        match number {
            0 => drop(admitted.unwrap()),
            _ => assert!(matches!(admitted, Err(Error::RequestIdReused { existing, .. }) if existing.lane == lane(0))),
        }
    }
    assert!(matches!(store.admit(start_on(0)).await.unwrap(), Admitted::Existing(_)));
    // The id of a start that was refused is free for another lane.
    store.mark_spent(&lane(20), &rule(5)).await.unwrap();
    for number in 20..24 {
        let mut start = start_on(number);
        start.operation.request_id = Some("0190a5b2-0000-7000-8000-000000000002".parse().unwrap());
        let admitted = store.admit(start).await;
        match number {
            20 => assert!(matches!(admitted, Err(Error::QuotaSpent(_)))),
            21 => assert!(matches!(admitted, Ok(Admitted::New(_)))),
            _ => assert!(matches!(admitted, Err(Error::RequestIdReused { .. }))),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_decision_is_made_over_half_a_shard_while_its_slot_moves() {
    need_redis!();
    let cluster = Cluster::start().await;
    let store = open(&cluster.url("sampan")).await;
    for _ in 0..3 {
        admit(&store, start(&lane(1), OnSpent::Refuse)).await.unwrap();
    }
    let (slot, from, to) = cluster.slot_of(1).await;
    let (from_id, to_id) = (id_of(from).await, id_of(to).await);
    to.query(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]).await;
    from.query(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]).await;
    let keys = keys_in(from, &slot).await;
    assert!(keys.len() > 5);
    let move_key = async |key: &String| {
        from.query(&["MIGRATE", "127.0.0.1", &to.port().to_string(), key, "0", "5000"]).await;
    };
    // Nothing moved yet, half, everything: each time nobody decides on what is there alone.
    let half = keys.len() / 2;
    for part in [&keys[..0], &keys[..half], &keys[half..]] {
        for key in part {
            move_key(key).await;
        }
        let refused = admit(&store, start(&lane(1), OnSpent::Refuse)).await;
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    }
    for node in [to, from] {
        node.query(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]).await;
    }
    for expected in [true, true, false] {
        let admitted = admit(&store, start(&lane(1), OnSpent::Refuse)).await;
        assert_eq!(admitted.is_ok(), expected, "{admitted:?}");
    }
    assert_eq!(store.quota(&lane(1), &rule(5)).await.unwrap().reserved, 5);
    assert!(keys_in(from, &slot).await.is_empty());
}
