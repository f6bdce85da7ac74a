//! The EVALSHA of the baselines: the least that an admission must do, or Sampan's own as Redis saw it.

use std::path::Path;

use anyhow::{Context as _, Result};
use futures::StreamExt as _;
use redis::Client;
use redis::aio::MultiplexedConnection;

use crate::grpc;

/// The least: reads a lock, counts, keeps a record of about 1 KiB and a due time.
const LEAST: &str = "local held = redis.call('GET', KEYS[1] .. ':lock') \
    local count = redis.call('INCR', KEYS[1] .. ':used') \
    if count == 1 then redis.call('EXPIRE', KEYS[1] .. ':used', 86400) end \
    redis.call('SET', KEYS[1] .. ':lock', 'me', 'PX', 1000) \
    redis.call('HSET', KEYS[1] .. ':record:' .. ARGV[1], 'record', ARGV[2]) \
    redis.call('ZADD', KEYS[1] .. ':due', ARGV[3], ARGV[1]) \
    return count";
/// About what an operation's record has.
const RECORD_BYTES: usize = 1024;

/// One EVALSHA, ready to be sent again and again.
#[derive(Debug, Clone)]
pub struct Script {
    connection: MultiplexedConnection,
    arguments: Vec<Argument>,
}

#[derive(Debug, Clone)]
enum Argument {
    Fixed(String),
    OperationId,
    RequestId,
}

impl Script {
    /// Loads the least script.
    pub async fn least(url: &str) -> Result<Self> {
        let mut connection = Client::open(url)?.get_multiplexed_async_connection().await?;
        let hash: String = redis::cmd("SCRIPT").arg("LOAD").arg(LEAST).query_async(&mut connection).await?;
        let fixed = |text: &str| Argument::Fixed(text.to_owned());
        let record = Argument::Fixed(" ".repeat(RECORD_BYTES));
        let arguments = vec![fixed(&hash), fixed("1"), fixed("{bare}"), Argument::OperationId, record, fixed("1")];
        Ok(Self { connection, arguments })
    }

    /// Records what `sampan` sends for a start, in a process of its own that is ended before this returns.
    pub async fn recorded_of(sampan: &Path, url: &str) -> Result<Self> {
        let client = Client::open(url)?;
        let connection = client.get_multiplexed_async_connection().await?;
        let (server, _folder) = grpc::start_on(sampan, url).await?;
        let mut starts = grpc::connect(&server.url()).await?;
        // The first one loads the script and makes the lane.
        grpc::call(&mut starts).await?;
        let mut seen = client.get_async_monitor().await?.into_on_message::<String>();
        let started = grpc::call(&mut starts).await?;
        let line = loop {
            let line = seen.next().await.context("Redis ended what it shows")?;
            if line.contains("\"EVALSHA\"") && line.contains(&started.request_id) {
                break line;
            }
        };
        server.stop().await?;
        let slot = |argument: String| match argument {
            id if id == started.operation_id => Argument::OperationId,
            id if id == started.request_id => Argument::RequestId,
            other => Argument::Fixed(other),
        };
        let arguments = quoted(&line).into_iter().skip(1).map(slot).collect();
        Ok(Self { connection, arguments })
    }

    /// Runs it once, for an operation of this id.
    pub async fn run(&self, id: &str) -> Result<()> {
        let mut command = redis::cmd("EVALSHA");
        for argument in &self.arguments {
            match argument {
                Argument::Fixed(text) => command.arg(text),
                Argument::OperationId => command.arg(id),
                Argument::RequestId => command.arg(uuid::Uuid::new_v4().to_string()),
            };
        }
        let _: redis::Value = command.query_async(&mut self.connection.clone()).await?;
        Ok(())
    }
}

/// Returns the quoted words of a line of MONITOR.
fn quoted(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut characters = line.chars();
    while characters.by_ref().any(|character| character == '"') {
        let mut word = String::new();
        loop {
            match characters.next() {
                Some('\\') => word.extend(characters.next()),
                Some('"') | None => break,
                Some(character) => word.push(character),
            }
        }
        words.push(word);
    }
    words
}
