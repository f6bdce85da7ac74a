//! Knows where the replicas of a peer are: looks names up again and again, and forgets replicas that are gone.
//!
//! A headless service of Kubernetes has one address per replica, a mesh has one for all; both are the same here.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint, Uri};
use tower::service_fn;

use super::{Error, Options};

/// How long a replica that could not be reached is passed over while there are others.
const REST: Duration = Duration::from_secs(1);
/// Shortest time between two looks at the names.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long a look may keep a call waiting that has addresses to go on with.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where a peer is: the configured URLs, and the replicas behind them.
#[derive(Debug)]
pub(super) struct Addresses {
    places: Vec<Place>,
    resolve_every: Duration,
    known: Mutex<Known>,
    looking: tokio::sync::Mutex<()>,
    turn: AtomicUsize,
}

/// One configured URL.
#[derive(Debug)]
struct Place {
    endpoint: Endpoint,
    host: String,
    port: u16,
    connect_timeout: Duration,
}

#[derive(Debug, Default)]
struct Known {
    replicas: BTreeMap<Key, Arc<Replica>>,
    looked: Option<Instant>,
    /// Somebody met a replica that was gone.
    doubted: bool,
}

/// A configured URL, by its place in the list, and an address of its name.
type Key = (usize, SocketAddr);

/// One address of a peer. Its connection is made by the first call, and anew after it broke.
#[derive(Debug)]
pub(super) struct Replica {
    pub(super) address: SocketAddr,
    pub(super) channel: Channel,
    failed: Mutex<Option<Instant>>,
}

impl Replica {
    /// Passes the replica over for a while.
    pub(super) fn rest(&self) {
        *locked(&self.failed) = Some(Instant::now());
    }

    fn rests(&self, now: Instant) -> bool {
        locked(&self.failed).is_some_and(|failed| now.saturating_duration_since(failed) < REST)
    }
}

impl Addresses {
    pub(super) fn new(peer: &'static str, urls: &[String], options: &Options) -> Result<Self, Error> {
        let places = urls.iter().map(|url| Place::new(peer, url, options)).collect::<Result<_, _>>()?;
        Ok(Self {
            places,
            resolve_every: options.resolve_every,
            known: Mutex::default(),
            looking: tokio::sync::Mutex::default(),
            turn: AtomicUsize::new(0),
        })
    }

    /// Returns the replica whose turn it is; `None` when no name has an address.
    pub(super) async fn pick(&self) -> Option<Arc<Replica>> {
        self.look().await;
        let known = locked(&self.known);
        let now = Instant::now();
        let awake: Vec<_> = known.replicas.values().filter(|replica| !replica.rests(now)).collect();
        let of: Vec<_> = if awake.is_empty() { known.replicas.values().collect() } else { awake };
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        of.get(turn.checked_rem(of.len())?).map(|replica| Arc::clone(replica))
    }

    /// Returns how many replicas were found at the last look.
    pub(super) fn count(&self) -> usize {
        locked(&self.known).replicas.len()
    }

    /// Has the names looked up before the next call: a replica could not be reached.
    pub(super) fn doubt(&self) {
        locked(&self.known).doubted = true;
    }

    /// Looks the names up when that is due. One call does it; the others go on with what is known.
    async fn look(&self) {
        if !self.is_due() {
            return;
        }
        let is_first = locked(&self.known).replicas.is_empty();
        let looking = if is_first { Some(self.looking.lock().await) } else { self.looking.try_lock().ok() };
        if looking.is_none() || !self.is_due() {
            return;
        }
        let mut found = BTreeMap::new();
        for (index, place) in self.places.iter().enumerate() {
            // The deadline of the call bounds the first look.
            let patience = if is_first { Duration::MAX } else { PATIENCE };
            match timeout(patience, tokio::net::lookup_host((place.host.as_str(), place.port))).await {
                Ok(Ok(addresses)) => found.extend(addresses.map(|address| ((index, address), None))),
                Ok(Err(error)) => {
                    tracing::warn!(address = %place.host, %error, "peer's name has no address");
                    found.extend(self.kept(index));
                }
                Err(_) => found.extend(self.kept(index)),
            }
        }
        self.learn(found);
    }

    fn is_due(&self) -> bool {
        let known = locked(&self.known);
        let every = if known.doubted || known.replicas.is_empty() { LOOK_AGAIN } else { self.resolve_every };
        known.looked.is_none_or(|looked| looked.elapsed() >= every)
    }

    fn kept(&self, index: usize) -> Vec<(Key, Option<Arc<Replica>>)> {
        let known = locked(&self.known);
        let of_place = known.replicas.iter().filter(|((place, _), _)| *place == index);
        of_place.map(|(key, replica)| (*key, Some(Arc::clone(replica)))).collect()
    }

    fn learn(&self, found: BTreeMap<Key, Option<Arc<Replica>>>) {
        let mut known = locked(&self.known);
        let before = std::mem::take(&mut known.replicas);
        for ((place, address), kept) in found {
            let kept = kept.or_else(|| before.get(&(place, address)).cloned());
            let replica = kept.or_else(|| self.places.get(place).map(|place| Arc::new(place.replica(address))));
            known.replicas.extend(replica.map(|replica| ((place, address), replica)));
        }
        known.looked = Some(Instant::now());
        known.doubted = false;
    }
}

impl Place {
    fn new(peer: &'static str, url: &str, options: &Options) -> Result<Self, Error> {
        // A password has no place in an address, and none in a message about it.
        let shown = url.rsplit_once('@').map_or_else(|| url.to_owned(), |(_, rest)| format!("***@{rest}"));
        let wrong = || Error::Address { peer, url: shown.clone() };
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong()),
        };
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none() && !url.contains('@');
        let host = uri.host().filter(|_| bare).ok_or_else(wrong)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let mut endpoint = Endpoint::from(uri)
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(5));
        if is_tls {
            let tls = options.tls.clone().unwrap_or_else(|| ClientTlsConfig::new().with_native_roots());
            endpoint = endpoint.tls_config(tls).map_err(|source| Error::Tls { url: url.to_owned(), source })?;
        }
        Ok(Self { endpoint, host, port, connect_timeout: options.connect_timeout })
    }

    /// The endpoint keeps the name, for the authority and the certificate; only the connection has the address.
    fn replica(&self, address: SocketAddr) -> Replica {
        let wait = self.connect_timeout;
        let connector = service_fn(move |_: Uri| async move {
            let stream = timeout(wait, TcpStream::connect(address)).await??;
            stream.set_nodelay(true)?;
            Ok::<_, std::io::Error>(TokioIo::new(stream))
        });
        Replica { address, channel: self.endpoint.connect_with_connector_lazy(connector), failed: Mutex::default() }
    }
}

/// Nothing that these locks guard can be left half-changed.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
