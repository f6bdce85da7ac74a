//! Facts of opening: every cause has its own error.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use super::server::{Server, free_port};
use super::{admit, free_start, lane, need_redis};
use crate::Health;
use crate::redis::{OpenError, Redis, Time};

async fn refused(url: &str) -> OpenError {
    let problem = Redis::open(&url.parse().unwrap(), Time::Server).await.expect_err("refused");
    assert!(problem.to_string().contains("127.0.0.1"), "{problem}");
    problem
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let port = free_port();
    for url in [
        format!("redis://127.0.0.1:{port}"),
        format!("redis+sentinel://127.0.0.1:{port}/main"),
        format!("redis+cluster://127.0.0.1:{port}"),
    ] {
        let problem = refused(&url).await;
        assert!(matches!(problem, OpenError::Unreachable { .. }), "{problem:?}");
    }
}

#[tokio::test]
async fn a_wrong_or_missing_password_is_refused_and_not_shown() {
    need_redis!();
    let server = Server::start(&["--requirepass", "right"]).await;
    let port = server.port();
    for url in [format!("redis://:wr0ng@127.0.0.1:{port}"), format!("redis://127.0.0.1:{port}")] {
        let problem = refused(&url).await;
        assert!(matches!(problem, OpenError::Credentials { .. }), "{problem:?}");
        assert!(!format!("{problem} {problem:?}").contains("wr0ng"));
    }
    let url = format!("redis://:right@127.0.0.1:{port}").parse().unwrap();
    Redis::open(&url, Time::Server).await.unwrap().check().await.unwrap();
}

#[tokio::test]
async fn a_user_needs_the_keys_of_its_prefix_and_no_others() {
    need_redis!();
    let server = Server::start(&[]).await;
    let port = server.port();
    for (user, keys) in [("narrow", "~other:*"), ("right", "~{mine*")] {
        server.query(&["ACL", "SETUSER", user, "on", ">pw", keys, "&{mine}:news", "+@all", "-@admin"]).await;
    }
    let problem = refused(&format!("redis://narrow:pw@127.0.0.1:{port}?prefix=mine")).await;
    assert!(matches!(problem, OpenError::Permission { .. }), "{problem:?}");
    let url = format!("redis://right:pw@127.0.0.1:{port}?prefix=mine").parse().unwrap();
    let store = Redis::open(&url, Time::Server).await.unwrap();
    admit(&store, free_start(&lane(1))).await.unwrap();
}

/// Answers like a server of an old version: what it is asked about itself, and otherwise that all is well.
fn old_server(version: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            answer_as(version, stream);
        }
    });
    port
}

fn answer_as(version: &str, mut stream: TcpStream) {
    let info = format!("redis_version:{version}\r\nrole:master\r\n");
    let mut asked = vec![0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut asked) {
        let text = String::from_utf8_lossy(&asked[..length]);
        let is_about_itself = text.contains("\r\nINFO\r\n");
        // Every command is an array; a client may send several at once.
        for _ in text.lines().filter(|line| line.starts_with('*')) {
            let answer = match is_about_itself {
                true => format!("${}\r\n{info}\r\n", info.len()),
                false => "+OK\r\n".to_owned(),
            };
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

#[tokio::test]
async fn a_redis_that_is_too_old_is_refused_by_its_version() {
    for version in ["5.0.14", "6.0.20"] {
        let problem = refused(&format!("redis://127.0.0.1:{}", old_server(version))).await;
        assert!(matches!(&problem, OpenError::TooOld { found, .. } if found == version), "{problem:?}");
        assert!(problem.to_string().contains("6.2 or newer"), "{problem}");
    }
}

#[tokio::test]
async fn a_read_only_replica_is_refused() {
    need_redis!();
    let master = Server::start(&[]).await;
    let of = format!("127.0.0.1 {}", master.port());
    let replica = Server::start(&["--replicaof", "127.0.0.1", &master.port().to_string()]).await;
    let problem = refused(&replica.url("sampan")).await;
    assert!(matches!(problem, OpenError::Replica { .. }), "{problem:?} of {of}");
}

#[tokio::test]
async fn a_server_that_forgets_records_is_refused_unless_told_otherwise() {
    need_redis!();
    let server = Server::start(&["--maxmemory-policy", "allkeys-lru"]).await;
    let problem = refused(&server.url("sampan")).await;
    assert!(matches!(&problem, OpenError::Evicts { policy, .. } if policy == "allkeys-lru"), "{problem:?}");
    let url = format!("{}&eviction=allow", server.url("sampan")).parse().unwrap();
    Redis::open(&url, Time::Server).await.unwrap();
}

#[tokio::test]
async fn a_node_of_a_cluster_and_a_single_server_are_told_apart() {
    need_redis!();
    let node = Server::start(&["--cluster-enabled", "yes"]).await;
    let problem = refused(&node.url("sampan")).await;
    assert!(matches!(&problem, OpenError::Topology { instead, .. } if instead.contains("cluster")), "{problem:?}");
    let single = Server::start(&[]).await;
    let problem = refused(&single.url("sampan").replace("redis://", "redis+cluster://")).await;
    assert!(matches!(&problem, OpenError::Topology { instead, .. } if instead.contains("redis://")), "{problem:?}");
}

#[tokio::test]
async fn another_format_and_foreign_keys_are_refused_and_left_as_they_are() {
    need_redis!();
    let server = Server::start(&[]).await;
    server.query(&["HSET", "{newer}:about", "format", "3", "shards", "64"]).await;
    let problem = refused(&server.url("newer")).await;
    assert!(matches!(problem, OpenError::TooNew { found: 3, known: 2, .. }), "{problem:?}");
    server.query(&["HSET", "{older}:about", "format", "1", "shards", "16"]).await;
    let problem = refused(&server.url("older")).await;
    assert!(matches!(problem, OpenError::Retired { found: 1, known: 2, .. }), "{problem:?}");
    server.query(&["HSET", "{other}:about", "format", "2", "shards", "64"]).await;
    server.query(&["SET", "{text}:about", "mine"]).await;
    server.query(&["SET", "{busy.3}:ids", "mine"]).await;
    for prefix in ["other", "text", "busy"] {
        let problem = refused(&server.url(prefix)).await;
        assert!(matches!(&problem, OpenError::NotAStore { message, .. } if message.contains(prefix)), "{problem:?}");
    }
    assert_eq!(server.query(&["GET", "{text}:about"]).await, redis::Value::BulkString(b"mine".to_vec()));
}
