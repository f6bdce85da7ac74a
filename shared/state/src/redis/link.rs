//! Decides how commands reach Redis: one multiplexed connection that is made anew after a failure, or a cluster's.
//!
//! What is worth a repetition is decided in [`call`](super::call).

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr};
use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo as _,
    RedisConnectionInfo, RedisError, RedisResult, ServerErrorKind, TlsCertificates, TlsMode, Value,
};
use secrecy::ExposeSecret as _;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::{Instant, timeout};

use super::reply::text_of;
use super::url::{Host, RedisUrl, Topology};

/// A server that does not take a connection within this time is not there.
const CONNECT: Duration = Duration::from_secs(2);
/// An answer that takes longer is taken for lost.
pub(super) const ANSWER: Duration = Duration::from_secs(3);
/// Callers that wait for a connection share a failure that is no older than this.
const SHARED_FAILURE: Duration = Duration::from_millis(200);

/// The way to Redis.
pub(super) enum Link {
    /// One server at a time.
    Line(Line),
    /// A cluster.
    Cluster {
        /// Follows moved slots by itself.
        connection: ClusterConnection,
        /// Any node carries announcements.
        nodes: Vec<Client>,
    },
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_cluster() { "Cluster" } else { "Line" })
    }
}

/// Where the one server is found.
enum Source {
    Client(Box<Client>),
    Sentinel(Box<AsyncMutex<SentinelClient>>),
}

/// One multiplexed connection, made when it is first needed and anew after it broke.
pub(super) struct Line {
    source: Source,
    current: Mutex<Option<(u64, MultiplexedConnection)>>,
    /// Held while connecting: one attempt at a time; the last failure, for those who waited.
    connecting: AsyncMutex<(u64, Option<(Instant, RedisError)>)>,
}

impl Link {
    /// Prepares the way; a cluster is connected at once, everything else with the first command.
    pub(super) async fn new(url: &RedisUrl, certificates: Option<TlsCertificates>) -> RedisResult<Self> {
        let source = match &url.topology {
            Topology::Cluster => return connect_cluster(url, certificates).await,
            Topology::Single => {
                let info = url.hosts.first().map(|host| info(url, host)).transpose()?;
                let info = info.ok_or((ErrorKind::InvalidClientConfig, "no host"))?;
                Source::Client(Box::new(client(info, certificates.as_ref())?))
            }
            Topology::Sentinel { master } => {
                Source::Sentinel(Box::new(AsyncMutex::new(sentinel(url, master, certificates)?)))
            }
        };
        Ok(Self::Line(Line { source, current: Mutex::new(None), connecting: AsyncMutex::new((0, None)) }))
    }

    /// Returns whether the scripts of one call must stay in one shard.
    pub(super) fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster { .. })
    }

    /// Sends one command.
    pub(super) async fn query(&self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::Line(line) => line.query(command).await,
            Self::Cluster { connection, .. } => command.query_async(&mut connection.clone()).await,
        }
    }

    /// Waits until replicas have what this link wrote to the node of `tag`; returns how many have it.
    pub(super) async fn wait(&self, tag: &str, replicas: u32, within: Duration) -> RedisResult<u32> {
        let millis = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
        let mut command = redis::cmd("WAIT");
        command.arg(replicas).arg(millis);
        let answer = match self {
            Self::Line(line) => line.query(&command).await?,
            Self::Cluster { connection, .. } => {
                // WAIT names no key: it goes where a write to the shard would go.
                let route = SingleNodeRoutingInfo::SpecificNode(Route::with_key(tag, SlotAddr::Master));
                connection.clone().route_command(command, RoutingInfo::SingleNode(route)).await?
            }
        };
        match answer {
            Value::Int(count) => Ok(u32::try_from(count).unwrap_or(0)),
            _ => Ok(0),
        }
    }

    /// Returns what every master says about itself.
    pub(super) async fn info(&self) -> RedisResult<Vec<String>> {
        let command = redis::cmd("INFO");
        let answer = match self {
            Self::Line(line) => line.query(&command).await?,
            Self::Cluster { connection, .. } => {
                let routing = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                connection.clone().route_command(command, routing).await?
            }
        };
        Ok(match answer {
            Value::Map(nodes) => nodes.iter().filter_map(|(_, info)| text_of(info)).collect(),
            Value::Array(nodes) => nodes.iter().filter_map(text_of).collect(),
            one => text_of(&one).into_iter().collect(),
        })
    }

    /// Connects to the announcements.
    pub(super) async fn subscribe(&self, channel: &str) -> RedisResult<PubSub> {
        let connect = async {
            match self {
                Self::Line(line) => line.client().await?.get_async_pubsub().await,
                Self::Cluster { nodes, .. } => {
                    let mut problem = RedisError::from((ErrorKind::ClusterConnectionNotFound, "no node answers"));
                    for node in nodes {
                        match node.get_async_pubsub().await {
                            Ok(connected) => return Ok(connected),
                            Err(error) => problem = error,
                        }
                    }
                    Err(problem)
                }
            }
        };
        let mut connected = timeout(CONNECT, connect).await.map_err(|_| late())??;
        timeout(CONNECT, connected.subscribe(channel)).await.map_err(|_| late())??;
        Ok(connected)
    }
}

impl Line {
    async fn query(&self, command: &Cmd) -> RedisResult<Value> {
        let (number, mut connection) = self.connection().await?;
        let answer: RedisResult<Value> = command.query_async(&mut connection).await;
        if let Err(error) = &answer
            && is_broken(error)
        {
            self.give_up(number);
        }
        answer
    }

    async fn client(&self) -> RedisResult<Client> {
        match &self.source {
            Source::Client(client) => Ok((**client).clone()),
            Source::Sentinel(sentinel) => sentinel.lock().await.async_get_client().await,
        }
    }

    fn known(&self) -> Option<(u64, MultiplexedConnection)> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn give_up(&self, number: u64) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|(known, _)| *known == number) {
            *current = None;
        }
    }

    async fn connection(&self) -> RedisResult<(u64, MultiplexedConnection)> {
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let asked = Instant::now();
        let mut connecting = self.connecting.lock().await;
        if let Some(known) = self.known() {
            return Ok(known);
        }
        if let (_, Some((failed, error))) = &*connecting
            && (*failed > asked || failed.elapsed() < SHARED_FAILURE)
        {
            return Err(error.clone());
        }
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(ANSWER));
        let connect = async {
            let client = self.client().await?;
            client.get_multiplexed_async_connection_with_config(&config).await
        };
        match timeout(CONNECT * 2, connect).await.unwrap_or_else(|_| Err(late())) {
            Ok(connection) => {
                let number = connecting.0.wrapping_add(1);
                *connecting = (number, None);
                let fresh = (number, connection);
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(fresh.clone());
                Ok(fresh)
            }
            Err(error) => {
                connecting.1 = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }
}

fn late() -> RedisError {
    RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))
}

/// Returns whether another connection is worth a try: this one broke, hangs, or leads to a server that lost its role.
fn is_broken(error: &RedisError) -> bool {
    error.is_unrecoverable_error()
        || error.is_io_error()
        || matches!(error.kind(), ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown))
}

fn address(host: &Host, tls: bool) -> ConnectionAddr {
    let Host { name, port } = host.clone();
    if tls {
        ConnectionAddr::TcpTls { host: name, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(name, port)
    }
}

fn tcp() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

fn settings(url: &RedisUrl) -> RedisConnectionInfo {
    let mut settings = RedisConnectionInfo::default().set_db(url.db);
    if let Some(user) = &url.credentials.user {
        settings = settings.set_username(user);
    }
    if let Some(password) = &url.credentials.password {
        settings = settings.set_password(password.expose_secret());
    }
    settings
}

fn info(url: &RedisUrl, host: &Host) -> RedisResult<ConnectionInfo> {
    let info = address(host, url.tls).into_connection_info()?;
    Ok(info.set_redis_settings(settings(url)).set_tcp_settings(tcp()))
}

fn client(info: ConnectionInfo, certificates: Option<&TlsCertificates>) -> RedisResult<Client> {
    match certificates {
        Some(certificates) => Client::build_with_tls(info, certificates.clone()),
        None => Client::open(info),
    }
}

fn sentinel(url: &RedisUrl, master: &str, certificates: Option<TlsCertificates>) -> RedisResult<SentinelClient> {
    // Sentinels are asked for an address each time a connection is made anew, so a failover needs no word of theirs.
    let addresses = url.hosts.iter().map(|host| address(host, url.tls));
    let mut builder = SentinelClientBuilder::new(addresses, master, SentinelServerType::Master)?
        .set_client_to_redis_db(url.db)
        .set_client_to_redis_tcp_settings(tcp());
    if url.tls {
        builder =
            builder.set_client_to_redis_tls_mode(TlsMode::Secure).set_client_to_sentinel_tls_mode(TlsMode::Secure);
    }
    if let Some(certificates) = certificates {
        builder = builder
            .set_client_to_redis_certificates(certificates.clone())
            .set_client_to_sentinel_certificates(certificates);
    }
    if let Some(user) = &url.credentials.user {
        builder = builder.set_client_to_redis_username(user);
    }
    if let Some(password) = &url.credentials.password {
        builder = builder.set_client_to_redis_password(password.expose_secret());
    }
    if let Some(user) = &url.sentinel_credentials.user {
        builder = builder.set_client_to_sentinel_username(user);
    }
    if let Some(password) = &url.sentinel_credentials.password {
        builder = builder.set_client_to_sentinel_password(password.expose_secret());
    }
    builder.build()
}

async fn connect_cluster(url: &RedisUrl, certificates: Option<TlsCertificates>) -> RedisResult<Link> {
    let infos = url.hosts.iter().map(|host| info(url, host)).collect::<RedisResult<Vec<_>>>()?;
    let node = |info: &ConnectionInfo| client(info.clone(), certificates.as_ref());
    let nodes = infos.iter().map(node).collect::<RedisResult<Vec<_>>>()?;
    let mut builder = ClusterClient::builder(infos)
        .connection_timeout(CONNECT)
        .response_timeout(ANSWER)
        .overall_response_timeout(Some(ANSWER * 2))
        .tcp_settings(tcp());
    if url.tls {
        builder = builder.tls(TlsMode::Secure);
    }
    if let Some(certificates) = certificates {
        builder = builder.certs(certificates);
    }
    let connection = builder.build()?.get_async_connection().await?;
    Ok(Link::Cluster { connection, nodes })
}
