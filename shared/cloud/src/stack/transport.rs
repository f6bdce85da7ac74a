//! The transport: the only file that names `reqwest`, and what leaves a process towards a cloud leaves through it.
//!
//! It decides connection rules (no redirects, no proxy for loopback, `*.localhost` is this machine) and tells
//! faults before the first byte from faults after it. What an answer means is decided in `decode.rs`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use http::header::HOST;
use tower::Service;

use super::failure::Fault;

/// Longest API answer that is read.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;
/// Longest time to make a connection, TLS included.
const CONNECT: Duration = Duration::from_secs(5);
/// Time after which an unused connection is closed; below the 60 s after which vendors' gateways close it.
const IDLE: Duration = Duration::from_secs(45);

/// A body that is read piece by piece.
pub type BodyStream = BoxStream<'static, Result<Bytes, Fault>>;

/// Installs ring as the TLS provider of the process, once; later calls do nothing.
///
/// Everything that opens a TLS connection or a TLS listener needs it first.
pub fn init_crypto() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        // An error means that a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// A pool of HTTP connections to any host. Cheap to clone; one is enough for a process.
#[derive(Clone, Default)]
pub struct Transport {
    pools: Arc<Pools>,
    #[cfg(feature = "scripted")]
    script: Option<Script>,
}

/// Answers in the place of clouds.
#[cfg(feature = "scripted")]
type Script = Arc<dyn Fn(&http::Request<Bytes>) -> http::Response<Bytes> + Send + Sync>;

/// Made when first used: reading the system's trust store takes longer than a start should.
#[derive(Default)]
struct Pools {
    direct: OnceLock<Result<reqwest::Client, String>>,
    proxied: OnceLock<Result<reqwest::Client, String>>,
}

impl Transport {
    /// Makes a pool without connections.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a transport from which nothing leaves the process: `script` answers every request.
    #[cfg(feature = "scripted")]
    pub fn scripted(script: impl Fn(&http::Request<Bytes>) -> http::Response<Bytes> + Send + Sync + 'static) -> Self {
        Self { script: Some(Arc::new(script)), ..Self::default() }
    }

    /// Sends `request` and returns the head of its answer with the body still on the wire.
    ///
    /// # Errors
    /// [`Fault::Connect`] when nothing was sent, [`Fault::Interrupted`] when something may have been.
    pub async fn open(&self, request: http::Request<Bytes>) -> Result<http::Response<BodyStream>, Fault> {
        #[cfg(feature = "scripted")]
        if let Some(script) = &self.script {
            return Ok(script(&request).map(|body| futures::stream::iter([Ok(body)]).boxed()));
        }
        let client = self.client(request.uri().host().unwrap_or_default())?;
        let mut request = reqwest::Request::try_from(request).map_err(|error| Fault::Unbuildable(cause(&error)))?;
        // Made again from the address: HTTP/2 wants `:authority` instead.
        request.headers_mut().remove(HOST);
        let answer = client.execute(request).await.map_err(|error| {
            if error.is_builder() {
                Fault::Unbuildable(cause(&error))
            } else if error.is_connect() {
                Fault::Connect(cause(&error))
            } else {
                Fault::Interrupted(cause(&error))
            }
        })?;
        let mut head = http::Response::new(());
        *head.status_mut() = answer.status();
        *head.version_mut() = answer.version();
        *head.headers_mut() = answer.headers().clone();
        let body = answer.bytes_stream().map_err(|error| Fault::Interrupted(cause(&error))).boxed();
        Ok(head.map(|()| body))
    }

    /// Sends `request` and reads its whole answer, of at most 8 MiB.
    ///
    /// # Errors
    /// As [`Transport::open`], and [`Fault::TooLarge`].
    pub async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Fault> {
        let (head, mut body) = self.open(request).await?.into_parts();
        let mut whole = BytesMut::new();
        while let Some(piece) = body.next().await {
            let piece = piece?;
            if whole.len() + piece.len() > LARGEST_ANSWER {
                return Err(Fault::TooLarge { limit_bytes: LARGEST_ANSWER });
            }
            whole.extend_from_slice(&piece);
        }
        Ok(http::Response::from_parts(head, whole.freeze()))
    }

    fn client(&self, host: &str) -> Result<&reqwest::Client, Fault> {
        let local = is_local(host);
        let pool = if local { &self.pools.direct } else { &self.pools.proxied };
        pool.get_or_init(|| build(local)).as_ref().map_err(|what| Fault::Unbuildable(what.clone()))
    }
}

#[expect(clippy::disallowed_methods, reason = "the one owner of HTTP clients")]
fn build(local: bool) -> Result<reqwest::Client, String> {
    init_crypto();
    let builder = reqwest::Client::builder()
        .user_agent(concat!("sampan/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .redirect(reqwest::redirect::Policy::none())
        // Repeating is decided by the retry layer alone.
        .retry(reqwest::retry::never())
        .dns_resolver(Resolver)
        .referer(false);
    let builder = if local { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| format!("no HTTP client: {}", cause(&error)))
}

/// Returns whether `host` means this machine.
fn is_local(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    is_localhost(bare) || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// Resolves `*.localhost` to this machine (RFC 6761), which many systems do not, and asks the system otherwise.
#[derive(Debug)]
struct Resolver;

impl reqwest::dns::Resolve for Resolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let name = name.as_str().to_owned();
        Box::pin(async move {
            let found: Vec<SocketAddr> = if is_localhost(&name) {
                vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]
            } else {
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect()
            };
            let addresses: reqwest::dns::Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

/// Returns the innermost cause of an error: the outer texts of `reqwest` hold the address, signature included.
fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    if std::ptr::addr_eq(inner, error) { kind(error).to_owned() } else { inner.to_string() }
}

fn kind(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "timed out"
    } else if error.is_builder() {
        "not a request"
    } else if error.is_body() {
        "broken body"
    } else {
        "failed"
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

impl Service<http::Request<Bytes>> for Transport {
    type Response = http::Response<Bytes>;
    type Error = Fault;
    type Future = BoxFuture<'static, Result<Self::Response, Fault>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Bytes>) -> Self::Future {
        let transport = self.clone();
        async move { transport.send(request).await }.boxed()
    }
}

/// Credential providers of the `reqsign` family send through the same pool.
impl reqsign_core::HttpSend for Transport {
    async fn http_send(&self, request: http::Request<Bytes>) -> reqsign_core::Result<http::Response<Bytes>> {
        self.send(request).await.map_err(|fault| {
            let passes = matches!(fault, Fault::Connect(_) | Fault::Interrupted(_));
            reqsign_core::Error::unexpected(fault.to_string()).set_retryable(passes)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_under_localhost_and_loopback_addresses_are_local() {
        for host in ["localhost", "b-125.cos.ap-guangzhou.LOCALHOST", "127.0.0.1", "127.9.9.9", "[::1]", "localhost."] {
            assert!(is_local(host), "{host}");
        }
        for host in ["example.com", "localhost.example.com", "10.0.0.1", "notlocalhost"] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[tokio::test]
    async fn a_fault_never_shows_the_address() {
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = closed.local_addr().unwrap().port();
        drop(closed);
        let url = format!("http://b.cos.localhost:{port}/k?q-signature=abcdef");
        let request = http::Request::get(url).body(Bytes::new()).unwrap();
        let fault = Transport::new().send(request).await.unwrap_err();
        assert!(matches!(fault, Fault::Connect(_)), "{fault:?}");
        assert!(!format!("{fault} {fault:?}").contains("abcdef"), "{fault:?}");
    }
}
