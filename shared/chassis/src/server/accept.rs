//! Decides which connections become calls: bounded in number, secured when the listener is, and none waits for another.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::Connection;
use super::limits::ConnectionLimits;
use super::room::Room;
use crate::tls::Tls;

/// Accepts connections until `closing`; one without a place is closed before a byte of it is read.
pub(super) fn accept(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    limits: &ConnectionLimits,
    closing: CancellationToken,
    tasks: &TaskTracker,
) -> UnboundedReceiverStream<Result<Connection, Infallible>> {
    let (mut room, hello) = (Room::new(limits.at_once), limits.hello);
    // What waits in it has a place, so these bound it.
    let (sender, receiver) = mpsc::unbounded_channel();
    let handshakes = tasks.clone();
    tasks.spawn(async move {
        while let Some(accepted) = closing.run_until_cancelled(listener.accept()).await {
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file handles, mostly: others must be closed first.
                    tracing::warn!(%error, "connection not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let Some(place) = room.enter() else { continue };
            let _ = stream.set_nodelay(true);
            let Some(tls) = &tls else {
                let _ = sender.send(Ok(Connection::open(stream, hello, place)));
                continue;
            };
            let (handshake, sender) = (tls.acceptor().accept(stream), sender.clone());
            let closing = closing.clone();
            handshakes.spawn(async move {
                match closing.run_until_cancelled(tokio::time::timeout(hello, handshake)).await {
                    Some(Ok(Ok(secured))) => drop(sender.send(Ok(Connection::secured(secured, hello, place)))),
                    Some(Ok(Err(error))) => tracing::info!(%error, "handshake failed"),
                    Some(Err(_)) => tracing::info!("handshake took too long"),
                    None => {}
                }
            });
        }
    });
    UnboundedReceiverStream::new(receiver)
}
