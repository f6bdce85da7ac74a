//! One type for the connections of callers, secured or not: the server exists once in the binary, and who is at the
//! other end is found out once for each connection.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Extensions;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tonic::transport::server::Connected;

use crate::auth::certificate;

/// A connection that was accepted.
pub(crate) struct Connection(Either<TcpStream, Box<TlsStream<TcpStream>>>);

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

impl From<TcpStream> for Connection {
    fn from(stream: TcpStream) -> Self {
        Self(Either::Left(stream))
    }
}

impl From<TlsStream<TcpStream>> for Connection {
    fn from(stream: TlsStream<TcpStream>) -> Self {
        Self(Either::Right(Box::new(stream)))
    }
}

impl Connected for Connection {
    type ConnectInfo = RemoteEnd;

    fn connect_info(&self) -> RemoteEnd {
        match &self.0 {
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
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
