//! Decides whether the servers behind a URL may carry a store: version, role, memory policy, what is there already.

use std::collections::BTreeMap;

use redis::{ErrorKind, RedisError, ServerErrorKind, Value};
use tracing::warn;

use super::keys::{FORMAT, Prefix, SHARDS};
use super::link::Link;
use super::reply::text_of;
use super::url::{RedisUrl, Topology};

/// Oldest Redis that has what the scripts use.
const OLDEST: (u32, u32) = (6, 2);

/// Why a store on Redis cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL cannot be understood.
    #[error("the URL of the store is wrong: {why}")]
    Url {
        /// What is wrong with it.
        why: String,
    },
    /// Nothing answers.
    #[error("{store} cannot be reached: {message}")]
    Unreachable {
        /// The store, without secrets.
        store: String,
        /// What the system says.
        message: String,
    },
    /// One side does not trust the certificate of the other.
    #[error(
        "{store} cannot be trusted, or does not trust us: {message}; name the authority of its certificate with ca=FILE \
         in the URL, and where it asks for ours, cert=FILE and key=FILE"
    )]
    Certificate {
        /// The store, without secrets.
        store: String,
        /// What is wrong with it.
        message: String,
    },
    /// User or password are wrong or missing.
    #[error("{store} refuses the credentials: {message}")]
    Credentials {
        /// The store, without secrets.
        store: String,
        /// What Redis says.
        message: String,
    },
    /// The user may not do what a store needs.
    #[error("the user of {store} lacks a permission: {message}")]
    Permission {
        /// The store, without secrets.
        store: String,
        /// What Redis says.
        message: String,
    },
    /// Redis is too old.
    #[error("{store} is Redis {found}; 6.2 or newer is needed")]
    TooOld {
        /// The store, without secrets.
        store: String,
        /// Its version.
        found: String,
    },
    /// The server is a replica, which takes no writes.
    #[error("{store} is a read-only replica; name its master, or the sentinels that know it")]
    Replica {
        /// The store, without secrets.
        store: String,
    },
    /// Redis would throw records away when its memory is full.
    #[error(
        "{store} has maxmemory-policy {policy}, which forgets operations and quota when memory is full; set it to \
         noeviction, or add eviction=allow to the URL"
    )]
    Evicts {
        /// The store, without secrets.
        store: String,
        /// The policy.
        policy: String,
    },
    /// A cluster was named as one server, or the other way round.
    #[error("{store} {is}; use {instead}")]
    Topology {
        /// The store, without secrets.
        store: String,
        /// What it is.
        is: &'static str,
        /// The scheme to use.
        instead: &'static str,
    },
    /// The store was made by a newer program.
    #[error("{store} has format {found}, this program reads {known}; use the newer program")]
    TooNew {
        /// The store, without secrets.
        store: String,
        /// Format of the store.
        found: u32,
        /// The format that is understood.
        known: u32,
    },
    /// The store was made by an older program, whose form is not read any more.
    #[error(
        "{store} has format {found}, this program reads {known}; let the older program end its operations, then use \
         another prefix"
    )]
    Retired {
        /// The store, without secrets.
        store: String,
        /// Format of the store.
        found: u32,
        /// The format that is understood.
        known: u32,
    },
    /// Keys of the prefix belong to something else.
    #[error("{store} holds no store of this program: {message}; use another prefix")]
    NotAStore {
        /// The store, without secrets.
        store: String,
        /// Which key, and what is wrong.
        message: String,
    },
    /// Redis answered something else.
    #[error("{store} cannot be used: {message}")]
    Failed {
        /// The store, without secrets.
        store: String,
        /// What Redis says.
        message: String,
    },
}

impl OpenError {
    pub(super) fn of(store: &RedisUrl, error: &RedisError) -> Self {
        let (message, store) = (error.to_string(), store.to_string());
        if message.contains("cluster support disabled") {
            return Self::Topology { store, is: "is no cluster", instead: "redis:// or redis+sentinel://" };
        }
        match (error.kind(), error.code()) {
            (ErrorKind::AuthenticationFailed, _) | (_, Some("WRONGPASS" | "NOAUTH")) => {
                Self::Credentials { store, message }
            }
            (ErrorKind::Server(ServerErrorKind::NoPerm), _) => Self::Permission { store, message },
            (ErrorKind::Server(ServerErrorKind::ReadOnly), _) => Self::Replica { store },
            (ErrorKind::MasterNameNotFoundBySentinel, _) => {
                Self::Unreachable { store, message: "the sentinels know no such master".to_owned() }
            }
            (ErrorKind::Io, _) if message.contains("certificate") || message.contains("fatal alert") => {
                Self::Certificate { store, message }
            }
            (ErrorKind::Io | ErrorKind::ClusterConnectionNotFound, _) => Self::Unreachable { store, message },
            _ => Self::Failed { store, message },
        }
    }
}

/// Checks every server, then what is kept under the prefix; makes the store when nothing is.
pub(super) async fn check(link: &Link, url: &RedisUrl, prefix: &Prefix) -> Result<(), OpenError> {
    let failed = |error: RedisError| OpenError::of(url, &error);
    for answer in link.info().await.map_err(failed)? {
        check_server(url, &fields(&answer))?;
    }
    check_content(link, url, prefix).await
}

fn fields(info: &str) -> BTreeMap<&str, &str> {
    info.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim())).collect()
}

fn check_server(url: &RedisUrl, info: &BTreeMap<&str, &str>) -> Result<(), OpenError> {
    let store = url.to_string();
    let field = |name: &str| info.get(name).copied().unwrap_or_default();
    let version = field("redis_version");
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    if (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) < OLDEST {
        return Err(OpenError::TooOld { store, found: version.to_owned() });
    }
    let is_cluster = field("cluster_enabled") == "1";
    match (&url.topology, is_cluster) {
        (Topology::Cluster, false) => {
            return Err(OpenError::Topology { store, is: "is no cluster", instead: "redis:// or redis+sentinel://" });
        }
        (Topology::Single | Topology::Sentinel { .. }, true) => {
            return Err(OpenError::Topology { store, is: "is a node of a cluster", instead: "redis+cluster://" });
        }
        _ => {}
    }
    if field("role") != "master" && !is_cluster {
        return Err(OpenError::Replica { store });
    }
    let policy = field("maxmemory_policy");
    if policy != "noeviction" && field("role") == "master" {
        if !url.allows_eviction {
            return Err(OpenError::Evicts { store, policy: policy.to_owned() });
        }
        warn!(%store, policy, "Redis forgets operations and quota when its memory is full");
    }
    if field("aof_enabled") != "1" {
        warn!(%store, "Redis has no append-only file: a restart may lose the last operations; set appendonly yes");
    }
    Ok(())
}

async fn check_content(link: &Link, url: &RedisUrl, prefix: &Prefix) -> Result<(), OpenError> {
    let about = prefix.about();
    let store = || url.to_string();
    let not_ours = |error: RedisError| match error.code() {
        Some("WRONGTYPE") => {
            OpenError::NotAStore { store: store(), message: format!("the key {about} is of another type") }
        }
        _ => OpenError::of(url, &error),
    };
    for (field, value) in [("format", FORMAT), ("shards", SHARDS.into())] {
        link.query(redis::cmd("HSETNX").arg(&about).arg(field).arg(value)).await.map_err(not_ours)?;
    }
    let answer = link.query(redis::cmd("HMGET").arg(&about).arg("format").arg("shards")).await.map_err(not_ours)?;
    let number = |value: Option<&Value>| value.and_then(text_of).and_then(|text| text.parse::<u32>().ok());
    let (format, shards) = match &answer {
        Value::Array(values) => (number(values.first()), number(values.get(1))),
        _ => (None, None),
    };
    match (format, shards) {
        (Some(found), _) if found > FORMAT => Err(OpenError::TooNew { store: store(), found, known: FORMAT }),
        (Some(found), _) if found < FORMAT => Err(OpenError::Retired { store: store(), found, known: FORMAT }),
        (Some(FORMAT), Some(found)) if found == u32::from(SHARDS) => Ok(()),
        _ => Err(OpenError::NotAStore { store: store(), message: format!("the key {about} says {answer:?}") }),
    }?;
    check_types(link, url, prefix).await
}

/// Looks at the keys that all operations of a shard share: one of another type would stop the whole shard.
async fn check_types(link: &Link, url: &RedisUrl, prefix: &Prefix) -> Result<(), OpenError> {
    for shard in super::keys::Shard::all() {
        let key = format!("{}:ids", prefix.tag(shard));
        let answer = link.query(redis::cmd("TYPE").arg(&key)).await.map_err(|error| OpenError::of(url, &error))?;
        let found = text_of(&answer).unwrap_or_default();
        if found != "none" && found != "zset" {
            let message = format!("the key {key} is a {found}");
            return Err(OpenError::NotAStore { store: url.to_string(), message });
        }
    }
    Ok(())
}
