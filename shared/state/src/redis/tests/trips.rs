//! Facts of cost: how many commands a call sends to Redis.

use super::server::Server;
use super::{TTL, admit, claim, ending, lane, need_redis, open, start, write};
use crate::operations::Next;
use crate::redis::scripts;
use crate::{OnSpent, Operations};

/// Returns how often the server was sent each command since it was last asked.
async fn sent(server: &Server) -> Vec<(String, u64)> {
    let redis::Value::BulkString(text) = server.query(&["INFO", "commandstats"]).await else { panic!("no text") };
    server.query(&["CONFIG", "RESETSTAT"]).await;
    let text = String::from_utf8(text).unwrap();
    let stats = text.lines().filter_map(|line| line.strip_prefix("cmdstat_")?.split_once(":calls="));
    let counts = stats.map(|(name, rest)| (name.to_owned(), rest.split(',').next().unwrap().parse().unwrap()));
    counts.filter(|(name, _)| ["evalsha", "eval", "wait", "multi"].contains(&name.as_str())).collect()
}

async fn scripts_sent(server: &Server) -> u64 {
    let sent = sent(server).await;
    assert!(sent.iter().all(|(name, _)| name == "evalsha"), "{sent:?}");
    sent.iter().map(|(_, count)| count).sum()
}

#[tokio::test]
async fn an_admission_is_one_script_and_so_is_every_step() {
    need_redis!();
    let server = Server::start(&[]).await;
    for script in scripts::ALL {
        server.query(&["SCRIPT", "LOAD", script.code()]).await;
    }
    let store = open(&server.url("sampan")).await;
    sent(&server).await;
    for _ in 0..20 {
        let mut start = start(&lane(1), OnSpent::Queue);
        start.operation.request_id = Some(uuid::Uuid::new_v4().to_string().parse().unwrap());
        admit(&store, start).await.unwrap();
    }
    assert_eq!(scripts_sent(&server).await, 20, "20 admissions");
    let claims = claim(&store, 10).await;
    assert_eq!(scripts_sent(&server).await, 1, "one claim of {}", claims.len());
    for claim in claims {
        let (operation, lease) = store.commit(&claim.lease, write(claim.operation, Next::Keep(TTL))).await.unwrap();
        store.commit(&lease.unwrap(), ending(operation)).await.unwrap();
    }
    assert_eq!(scripts_sent(&server).await, 10, "five operations of two steps");
}

#[tokio::test]
async fn a_call_by_id_is_one_script_or_two_for_an_operation_new_to_the_process() {
    need_redis!();
    let server = Server::start(&[]).await;
    for script in scripts::ALL {
        server.query(&["SCRIPT", "LOAD", script.code()]).await;
    }
    let url = server.url("sampan");
    let kept = admit(&*open(&url).await, start(&lane(1), OnSpent::Queue)).await.unwrap();
    let store = open(&url).await;
    for expected in [2, 1] {
        server.query(&["CONFIG", "RESETSTAT"]).await;
        store.get(kept.id).await.unwrap();
        let sent: u64 = sent(&server).await.iter().filter(|(name, _)| name == "evalsha").map(|(_, count)| count).sum();
        assert_eq!(sent, expected);
    }
}
