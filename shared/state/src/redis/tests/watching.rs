//! Facts of watching across processes.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::server::Server;
use super::{PATIENCE, TTL, admit, claim, ending, free_start, lane, need_redis, open, write};
use crate::operations::Next;
use crate::{Operations, Redis};

const URL: &str = "SAMPAN_TEST_REDIS_URL";

#[tokio::test]
#[ignore = "runs in the process that the test below starts"]
async fn child_that_works() {
    let store = open(&std::env::var(URL).expect("started by the other test")).await;
    let claim = claim(&store, 1).await.remove(0);
    let (mut operation, mut lease) = (claim.operation, claim.lease);
    for percent in [10, 20] {
        operation.percent = Some(percent);
        let (kept, kept_lease) = store.commit(&lease, write(operation, Next::Keep(TTL))).await.unwrap();
        println!("committed {percent}");
        (operation, lease) = (kept, kept_lease.unwrap());
        // The parent sees each by itself.
        sleep(Duration::from_millis(1500)).await;
    }
    store.commit(&lease, ending(operation)).await.unwrap();
    println!("committed 100");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_sees_the_commit_of_another_process_within_a_second() {
    need_redis!();
    let server = Server::start(&[]).await;
    let url = server.url("sampan");
    let store = open(&url).await;
    let kept = admit(&store, free_start(&lane(1))).await.unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "redis::tests::watching::child_that_works"])
        .env(URL, &url)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let committed = tokio::task::spawn_blocking(move || {
        let said = output.lines().map_while(Result::ok).filter(|line| line.contains("committed "));
        said.map(|_| Instant::now()).collect::<Vec<_>>()
    });
    let (mut seen, mut revision) = (Vec::new(), kept.revision);
    loop {
        let operation = timeout(PATIENCE, store.changed(kept.id, revision)).await.expect("woken").unwrap();
        revision = operation.revision;
        seen.push(Instant::now());
        if operation.state.is_final() {
            break;
        }
    }
    child.wait().unwrap();
    let committed = committed.await.unwrap();
    assert_eq!((seen.len(), committed.len()), (3, 3));
    for (seen, committed) in seen.iter().zip(&committed) {
        // The child says so after its commit, so the watcher may even be earlier.
        assert!(seen.saturating_duration_since(*committed) < Duration::from_secs(1));
    }
}

async fn watch_one_commit(watcher: &Redis, worker: &Redis) -> Duration {
    let kept = admit(worker, free_start(&lane(1))).await.unwrap();
    let claim = claim(worker, 1).await.remove(0);
    let mut watch = Box::pin(watcher.changed(kept.id, 1));
    // It waits by now, and not for want of trying.
    assert!(timeout(Duration::from_millis(300), &mut watch).await.is_err());
    let committed = Instant::now();
    worker.commit(&claim.lease, ending(claim.operation)).await.unwrap();
    timeout(PATIENCE, watch).await.expect("woken").unwrap();
    committed.elapsed()
}

#[tokio::test]
async fn a_watcher_whose_announcements_are_cut_off_still_sees_the_commit() {
    need_redis!();
    let server = Server::start(&[]).await;
    let url = server.url("sampan");
    let (watcher, worker) = (open(&url).await, open(&url).await);
    assert!(watch_one_commit(&watcher, &worker).await < Duration::from_secs(1));
    for _ in 0..3 {
        server.query(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
        assert!(watch_one_commit(&watcher, &worker).await < Duration::from_secs(1));
    }
    // A user that may not listen: waits look by themselves.
    server.query(&["ACL", "SETUSER", "default", "resetchannels", "&none"]).await;
    server.query(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
    assert!(watcher.inner.news.watched() == 0, "nothing is left behind by those that ended");
}
