//! One type for the connections of callers, secured or not: the server exists once in the binary, and who is at the
//! other end is found out once for each connection. A client that is silent from the start is not waited for.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Extensions;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tonic::transport::server::Connected;

use super::room::Place;
use crate::auth::certificate;

/// With so many bytes each client of HTTP/2 begins (RFC 9113, section 3.4); no request of HTTP/1.1 is shorter. From then
/// on, pings and the time that headers may take find out who is silent.
const HELLO_BYTES: usize = 24;

/// A connection that was accepted.
pub(crate) struct Connection {
    stream: Either<TcpStream, Box<TlsStream<TcpStream>>>,
    hello: Option<Hello>,
    _place: Place,
}

/// What is left of a client's first words, and until when they are waited for.
struct Hello {
    bytes: usize,
    until: Pin<Box<Sleep>>,
}

/// Who is at the other end; in the extensions of every request.
#[derive(Debug, Clone, Default)]
pub(crate) struct RemoteEnd {
    address: Option<SocketAddr>,
    spiffe_id: Option<Arc<str>>,
}

impl RemoteEnd {
    /// Returns the end that a request came from; one of which nothing is known for calls within the process.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// Returns the address and port.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Returns the address.
    pub(crate) fn ip(&self) -> Option<IpAddr> {
        self.address.map(|address| address.ip())
    }

    /// Returns the identity in the certificate that was verified at the handshake.
    pub(crate) fn spiffe_id(&self) -> Option<&str> {
        self.spiffe_id.as_deref()
    }
}

impl Connection {
    /// Wraps a connection without TLS; within `hello`, its client must have begun.
    pub(super) fn open(stream: TcpStream, hello: Duration, place: Place) -> Self {
        Self { stream: Either::Left(stream), hello: Some(Hello::within(hello)), _place: place }
    }

    /// Wraps a connection with TLS; within `hello`, its client must have begun.
    pub(super) fn secured(stream: TlsStream<TcpStream>, hello: Duration, place: Place) -> Self {
        Self { stream: Either::Right(Box::new(stream)), hello: Some(Hello::within(hello)), _place: place }
    }
}

impl Hello {
    fn within(time: Duration) -> Self {
        Self { bytes: HELLO_BYTES, until: Box::pin(tokio::time::sleep(time)) }
    }
}

impl Connected for Connection {
    type ConnectInfo = RemoteEnd;

    fn connect_info(&self) -> RemoteEnd {
        match &self.stream {
            Either::Left(stream) => RemoteEnd { address: stream.peer_addr().ok(), spiffe_id: None },
            Either::Right(stream) => {
                let (tcp, session) = stream.get_ref();
                let own = session.peer_certificates().and_then(<[_]>::first);
                let spiffe_id = own.and_then(certificate::spiffe_id).map(Arc::from);
                RemoteEnd { address: tcp.peer_addr().ok(), spiffe_id }
            }
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Some(hello) = &mut self.hello {
            hello.bytes = hello.bytes.saturating_sub(buffer.filled().len() - before);
            if hello.bytes == 0 {
                self.hello = None;
            } else if polled.is_pending() && hello.until.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        polled
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
