//! Facts of many processes at once: the count of a lane is exact, and a request starts one operation.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tokio::task::JoinSet;

use super::server::Server;
use super::{free_start, lane, need_redis, open, rule, start};
use crate::{Admission, Admitted, Error, OnSpent, QuotaLedger, Redis};

/// Tells a child where the store is.
const URL: &str = "SAMPAN_TEST_REDIS_URL";
const LANES: u32 = 7;

/// Races 64 callers over the lanes, two starts each, and returns how many were admitted.
async fn race(store: &Arc<Redis>) -> u32 {
    let mut callers = JoinSet::new();
    for number in 0..64 {
        let store = Arc::clone(store);
        callers.spawn(async move {
            let mut admitted = 0;
            for _ in 0..2 {
                match store.admit(start(&lane(number % LANES), OnSpent::Refuse)).await {
                    Ok(_) => admitted += 1,
                    Err(Error::QuotaSpent(_)) => {}
                    Err(other) => panic!("{other}"),
                }
            }
            admitted
        });
    }
    callers.join_all().await.iter().sum()
}

async fn assert_exact(store: &Redis) {
    for number in 0..LANES {
        let picture = store.quota(&lane(number), &rule(5)).await.unwrap();
        assert_eq!((picture.reserved, picture.committed, picture.waiting_count), (5, 0, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_on_three_connections_admit_exactly_the_limit_of_each_lane() {
    need_redis!();
    let server = Server::start(&[]).await;
    let url = server.url("sampan");
    let stores = [open(&url).await, open(&url).await, open(&url).await];
    let (first, second, third) = tokio::join!(race(&stores[0]), race(&stores[1]), race(&stores[2]));
    assert_eq!(first + second + third, 35);
    assert_exact(&stores[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs in the processes that the test below starts"]
async fn child_that_races() {
    let store = open(&std::env::var(URL).expect("started by the other test")).await;
    println!("ready");
    // All children begin together, when their input says so.
    let read = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    read.await.unwrap().unwrap();
    println!("admitted {}", race(&store).await);
}

fn child(url: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "redis::tests::racing::child_that_races"])
        .env(URL, url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Returns what follows a word in the output.
fn read_until(output: &mut impl BufRead, word: &str) -> String {
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0 {
        if let Some((_, rest)) = line.split_once(word) {
            return rest.trim().to_owned();
        }
        line.clear();
    }
    panic!("the child ended before it said `{word}`");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_in_three_processes_admit_exactly_the_limit_of_each_lane() {
    need_redis!();
    let server = Server::start(&[]).await;
    let url = server.url("sampan");
    let admitted = tokio::task::spawn_blocking({
        let url = url.clone();
        move || {
            let mut children: Vec<Child> = (0..3).map(|_| child(&url)).collect();
            let mut outputs: Vec<_> =
                children.iter_mut().map(|child| BufReader::new(child.stdout.take().unwrap())).collect();
            for output in &mut outputs {
                read_until(output, "ready");
            }
            for child in &mut children {
                child.stdin.take().unwrap().write_all(b"go\n").unwrap();
            }
            let admitted: u32 =
                outputs.iter_mut().map(|output| read_until(output, "admitted").parse::<u32>().unwrap()).sum();
            for mut child in children {
                child.wait().unwrap();
            }
            admitted
        }
    });
    assert_eq!(admitted.await.unwrap(), 35);
    assert_exact(&*open(&url).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_equal_requests_on_three_connections_start_one_operation() {
    need_redis!();
    let server = Server::start(&[]).await;
    let url = server.url("sampan");
    let stores = [open(&url).await, open(&url).await, open(&url).await];
    let mut callers = JoinSet::new();
    for number in 0..100 {
        let store = Arc::clone(&stores[number % 3]);
        let mut start = start(&lane(1), OnSpent::Refuse);
        start.operation.request_id = Some("0190a5b2-0000-7000-8000-000000000001".parse().unwrap());
        callers.spawn(async move { store.admit(start).await.unwrap() });
    }
    let all = callers.join_all().await;
    assert_eq!(all.iter().filter(|admitted| matches!(admitted, Admitted::New(_))).count(), 1);
    assert_eq!(stores[0].quota(&lane(1), &rule(5)).await.unwrap().reserved, 1);
}

#[tokio::test]
async fn a_request_id_used_again_on_another_lane_is_refused() {
    need_redis!();
    let server = Server::start(&[]).await;
    let store = open(&server.url("sampan")).await;
    for number in 0..8 {
        let mut start = free_start(&lane(number));
        start.operation.request_id = Some("0190a5b2-0000-7000-8000-000000000001".parse().unwrap());
        start.operation.request_digest = format!("digest-{number}");
        let admitted = store.admit(start).await;
        match number {
            0 => drop(admitted.unwrap()),
            _ => assert!(matches!(admitted, Err(Error::RequestIdReused { existing, .. }) if existing.lane == lane(0))),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_starts_at_once_five_run_and_the_others_wait_in_order() {
    need_redis!();
    let server = Server::start(&[]).await;
    let url = server.url("sampan");
    let stores = [open(&url).await, open(&url).await, open(&url).await];
    let mut callers = JoinSet::new();
    for number in 0..1000 {
        let store = Arc::clone(&stores[number % 3]);
        callers.spawn(async move { super::admit(&store, start(&lane(1), OnSpent::Queue)).await.unwrap() });
    }
    let all = callers.join_all().await;
    let mut positions = Vec::new();
    for operation in &all {
        if let crate::operation::QuotaHold::Waiting { position, .. } = operation.quota {
            positions.push(position);
        }
    }
    positions.sort_unstable();
    assert_eq!(positions, (0..995).collect::<Vec<_>>());
    let picture = stores[0].quota(&lane(1), &rule(5)).await.unwrap();
    assert_eq!((picture.reserved, picture.waiting_count), (5, 995));
}
