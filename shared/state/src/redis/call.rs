//! Decides how a script is called: by its hash, with its source when Redis does not know it (any more), again when
//! the answer was lost, and what becomes of Redis's errors.
//!
//! Every script is idempotent, so a repetition needs no look at what happened.

use std::fmt::Display;
use std::io::Write as _;
use std::time::Duration;

use futures::FutureExt as _;
use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value};
use sampan_core::retry::RetryPolicy;
use tokio::time::Instant;
use tracing::{Instrument as _, Span, debug, info_span};

use super::Inner;
use super::keys::Shard;
use super::reply::Reply;
use super::scripts::Script;
use crate::error::Error;
use crate::operation::RECORD_VERSION;

/// What most calls have.
const TYPICAL_BYTES: usize = 1024;
const TYPICAL_ARGUMENTS: usize = 16;

/// A script with what it is given.
#[derive(Debug)]
pub(super) struct Call {
    script: &'static Script,
    shards: Vec<Shard>,
    /// All arguments, one behind the other.
    bytes: Vec<u8>,
    /// Where each argument ends.
    ends: Vec<usize>,
    /// The byte that tells the script of a repetition.
    repeated: Option<usize>,
}

impl Call {
    pub(super) fn new(script: &'static Script, shard: Shard) -> Self {
        Self::over(script, vec![shard])
    }

    /// A call over several shards; on a cluster, one at a time.
    pub(super) fn over(script: &'static Script, shards: Vec<Shard>) -> Self {
        let (bytes, ends) = (Vec::with_capacity(TYPICAL_BYTES), Vec::with_capacity(TYPICAL_ARGUMENTS));
        Self { script, shards, bytes, ends, repeated: None }
    }

    /// Adds a text or bytes.
    pub(super) fn arg(mut self, value: impl AsRef<[u8]>) -> Self {
        self.bytes.extend_from_slice(value.as_ref());
        self.ends.push(self.bytes.len());
        self
    }

    /// Adds the text of a number or an id.
    pub(super) fn number(mut self, value: impl Display) -> Self {
        // Memory takes whatever is written.
        let _ = write!(self.bytes, "{value}");
        self.ends.push(self.bytes.len());
        self
    }

    /// Adds the text of a number or an id, empty when there is none.
    pub(super) fn maybe(self, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.number(value),
            None => self.arg(""),
        }
    }

    /// Adds what `write` writes.
    ///
    /// # Errors
    /// Those of `write`.
    pub(super) fn written<E>(mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<Self, E> {
        write(&mut self.bytes)?;
        self.ends.push(self.bytes.len());
        Ok(self)
    }

    /// Adds `1` or `0`.
    pub(super) fn flag(self, value: bool) -> Self {
        self.arg(if value { "1" } else { "0" })
    }

    /// Adds a flag that is off at first and on when the call is repeated.
    pub(super) fn repeated_flag(mut self) -> Self {
        self.repeated = Some(self.bytes.len());
        self.flag(false)
    }

    fn arguments(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, end)| &self.bytes[begin..*end])
    }
}

/// Repetitions within one call: they bridge a connection that broke, not a server that is gone.
fn policy() -> RetryPolicy {
    RetryPolicy {
        first_delay: Duration::from_millis(50),
        max_delay: Duration::from_millis(500),
        multiplier: 2.0,
        jitter: 0.5,
        max_attempts: 6,
        max_elapsed: Duration::from_secs(4),
    }
}

impl Inner {
    /// Runs a script.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis gave no answer or cannot write; [`Error::Corrupt`] when a key is of the wrong
    /// type or cannot be understood.
    pub(super) async fn run(&self, call: Call) -> Result<Reply, Error> {
        // Only within a trace: what a runner asks again and again would be a trace of its own each time.
        let span = match Span::current().is_none() {
            true => Span::none(),
            false => info_span!("store_call", otel.name = call.script.name, otel.kind = "client"),
        };
        // Boxed, or the types of what Redis's client does become too deep for the compiler.
        self.repeated(call).boxed().instrument(span).await
    }

    async fn repeated(&self, mut call: Call) -> Result<Reply, Error> {
        let mut schedule = policy().schedule();
        let started = Instant::now();
        loop {
            let problem = match self.once(&call).await {
                Ok(answer) => return Ok(Reply::new(call.script.name, answer)),
                Err(Refusal::Unconfirmed(had)) => Error::Unavailable(format!(
                    "only {had} replicas confirmed what was written; a failover now may lose it"
                )),
                Err(Refusal::Redis(error)) if is_worth_repeating(&error) => unavailable(&error),
                Err(Refusal::Redis(error)) => return Err(self.refused(&call, &error)),
            };
            let Some(delay) = schedule.next_delay(started.elapsed(), None) else { return Err(problem) };
            debug!(script = call.script.name, %problem, "repeated");
            tokio::time::sleep(delay).await;
            if let Some(flag) = call.repeated.and_then(|flag| call.bytes.get_mut(flag)) {
                *flag = b'1';
            }
        }
    }

    async fn once(&self, call: &Call) -> Result<Value, Refusal> {
        let answer = match self.link.query(&self.command(call, "EVALSHA", call.script.hash())).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                // This also makes Redis keep the script.
                self.link.query(&self.command(call, "EVAL", call.script.code())).await?
            }
            answer => answer?,
        };
        if let Some(confirm) = self.confirm.filter(|confirm| call.script.is_confirmed && confirm.replicas > 0) {
            // All of a call lies on one node.
            let tag = call.shards.first().map(|shard| self.prefix.tag(*shard)).unwrap_or_default();
            let had = self.link.wait(tag, confirm.replicas, confirm.within).await?;
            if had < confirm.replicas {
                return Err(Refusal::Unconfirmed(had));
            }
        }
        Ok(answer)
    }

    fn command(&self, call: &Call, verb: &str, script: &str) -> Cmd {
        const ADDED: usize = 8;
        let size = call.bytes.len() + script.len() + TYPICAL_BYTES / 4;
        let mut command = Cmd::with_capacity(call.ends.len() + call.shards.len() + ADDED, size);
        let whole = call.shards.first().filter(|_| self.link.is_cluster());
        command.arg(verb).arg(script).arg(call.shards.len() + usize::from(whole.is_some()));
        for shard in &call.shards {
            command.arg(self.prefix.tag(*shard));
        }
        if let Some(shard) = whole {
            command.arg(self.prefix.whole(*shard));
        }
        command.arg(self.time.argument()).arg(RECORD_VERSION).arg(self.prefix.channel());
        for argument in call.arguments() {
            command.arg(argument);
        }
        command
    }

    fn refused(&self, call: &Call, error: &RedisError) -> Error {
        let detail = error.to_string();
        let what = call.arguments().next().map(|argument| String::from_utf8_lossy(argument).into_owned());
        let key = || format!("{} ({})", what.clone().unwrap_or_default(), call.script.name);
        if detail.contains("WRONGTYPE") {
            let message = format!("one of its keys under {} is of another type than the store's", self.prefix);
            return Error::Corrupt { key: key(), message };
        }
        match detail.split_once("CORRUPT ") {
            Some((_, message)) => Error::Corrupt { key: key(), message: message.to_owned() },
            None => unavailable(error),
        }
    }
}

/// Why a call brought nothing.
enum Refusal {
    Redis(RedisError),
    /// Fewer replicas than wanted had it in time.
    Unconfirmed(u32),
}

impl From<RedisError> for Refusal {
    fn from(error: RedisError) -> Self {
        Self::Redis(error)
    }
}

fn is_worth_repeating(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Io | ErrorKind::ClusterConnectionNotFound | ErrorKind::Parse => true,
        ErrorKind::MasterNameNotFoundBySentinel => true,
        ErrorKind::Server(kind) => matches!(
            kind,
            ServerErrorKind::BusyLoading
                | ServerErrorKind::ReadOnly
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::TryAgain
                | ServerErrorKind::Moved
                | ServerErrorKind::Ask
        ),
        _ => false,
    }
}

/// Says in a person's words why Redis cannot be used.
pub(super) fn unavailable(error: &RedisError) -> Error {
    let why = match error.code() {
        Some("OOM") => "its memory is full (maxmemory) and it refuses writes",
        Some("MISCONF") => "it cannot save to its disk and refuses writes",
        Some("NOREPLICAS") => "too few replicas are connected (min-replicas-to-write) and it refuses writes",
        Some("READONLY") => "it is a replica and refuses writes",
        Some("LOADING") => "it is still reading its data",
        Some("BUSY") => "it is busy with a script of somebody's",
        _ => return Error::Unavailable(format!("Redis: {error}")),
    };
    Error::Unavailable(format!("Redis: {why}"))
}
