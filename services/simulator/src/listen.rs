//! Decides how requests come in: five HTTP/1 listeners on consecutive ports, and connections that can be cut.
//!
//! Hyper is driven directly, because a fault has to cut a connection without an answer, which no router can.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::{Extensions, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::header_case;

/// Marks an answer that must not be sent.
#[derive(Debug, Clone, Copy)]
struct Cut;

/// Returned by the connection's service to make hyper drop the connection.
#[derive(Debug, thiserror::Error)]
#[error("connection cut on order")]
struct CutOnOrder;

/// Returns an answer that is never sent: the connection is closed instead.
pub fn cut() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Cut);
    response
}

/// Binds five listeners on consecutive ports of `host`.
///
/// - `port`: the first; 0 finds five free ones.
pub(crate) async fn bind_five(host: IpAddr, port: u16) -> io::Result<Vec<TcpListener>> {
    if port != 0 {
        return bind_from(host, port).await;
    }
    // Free neighbours cannot be asked for, so tries are all there is; each starts where the system has a free port.
    let mut last_error = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..64 {
        let first = TcpListener::bind((host, 0)).await?.local_addr()?.port();
        match bind_from(host, first).await {
            Ok(listeners) => return Ok(listeners),
            Err(error) => last_error = error,
        }
    }
    Err(last_error)
}

async fn bind_from(host: IpAddr, first: u16) -> io::Result<Vec<TcpListener>> {
    let last = first.checked_add(4).ok_or(io::ErrorKind::AddrNotAvailable)?;
    let mut listeners = Vec::with_capacity(5);
    for port in first..=last {
        listeners.push(TcpListener::bind(SocketAddr::from((host, port))).await?);
    }
    Ok(listeners)
}

/// Serves `router` on `listener` until `stop`, then lets connections finish what they are answering.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let connections = TaskTracker::new();
    let spelling = header_case::learn().await;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(serve_connection(stream, router.clone(), spelling.clone(), stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    connections.close();
    connections.wait().await;
}

/// Time that a connection has to finish its answer after the stop.
const GRACE: Duration = Duration::from_secs(2);

async fn serve_connection(stream: TcpStream, router: Router, spelling: Extensions, stop: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let service = service_fn(move |request: Request<Incoming>| {
        let (router, spelling) = (router.clone(), spelling.clone());
        async move {
            let answer: Result<Response, Infallible> = router.oneshot(request.map(Body::new)).await;
            let Ok(mut response) = answer;
            response.extensions_mut().extend(spelling);
            if response.extensions().get::<Cut>().is_some() { Err(CutOnOrder) } else { Ok(response) }
        }
    });
    let mut http = http1::Builder::new();
    // A caller who gives up does not take the call back: without this hyper would drop the handler.
    http.timer(TokioTimer::new()).half_close(true);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(GRACE, connection.as_mut()).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::content::generated_disk;

    /// Sends one raw request and returns everything that comes until the connection ends.
    async fn ask(request: &str) -> Vec<u8> {
        let disk = generated_disk(1, 3 << 20);
        let router = Router::new()
            .route("/cut", get(|| async { cut() }))
            .route(
                "/middle",
                get(move || async move {
                    let body = disk.cut_body(0..disk.len());
                    Response::builder().header("content-length", disk.len()).body(body).unwrap()
                }),
            )
            .route("/host", get(|headers: http::HeaderMap| async move { headers["host"].as_bytes().to_vec() }));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let serving = TaskTracker::new();
        serving.spawn(serve(listener, router, stop.clone()));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        stop.cancel();
        serving.close();
        serving.wait().await;
        answer
    }

    #[tokio::test]
    async fn a_cut_connection_ends_without_a_single_byte() {
        assert!(ask("GET /cut HTTP/1.1\r\nhost: a\r\n\r\n").await.is_empty());
    }

    #[tokio::test]
    async fn a_body_is_cut_in_its_middle() {
        let answer = ask("GET /middle HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let text = String::from_utf8_lossy(&answer);
        assert!(text.starts_with("HTTP/1.1 200 OK"), "{}", &text[..80]);
        assert!((1 << 20..2 << 20).contains(&answer.len()), "{}", answer.len());
    }

    #[tokio::test]
    async fn a_host_that_is_a_url_is_seen_as_it_was_sent() {
        let answer = ask("GET /host HTTP/1.1\r\nHost: http://127.0.0.1:18081\r\nConnection: close\r\n\r\n").await;
        assert!(String::from_utf8_lossy(&answer).ends_with("\r\n\r\nhttp://127.0.0.1:18081"));
    }
}
