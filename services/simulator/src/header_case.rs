//! Decides how header names are spelled on the wire: as the vendors spell them, not in lower case.
//!
//! HTTP does not care, but COS's Python SDK looks `Content-Length`, `ETag` and `x-cos-hash-crc64ecma` up in a plain
//! dictionary. Hyper keeps a spelling only in a type of its own that nobody else can make, so the spelling is learnt
//! from hyper: it reads one request that is spelled as wanted, and what it noted is put on every answer.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::{Extensions, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::sync::Mutex;

/// A request with every header name that is spelled in another way than in lower case.
const SPELLED: &[u8] = b"GET / HTTP/1.1\r\n\
    Host: x\r\n\
    Accept-Ranges: x\r\n\
    Cache-Control: x\r\n\
    Connection: close\r\n\
    Content-Disposition: x\r\n\
    Content-Encoding: x\r\n\
    Content-Language: x\r\n\
    Content-Length: 0\r\n\
    Content-MD5: x\r\n\
    Content-Range: x\r\n\
    Content-Type: x\r\n\
    Date: x\r\n\
    ETag: x\r\n\
    Expires: x\r\n\
    Last-Modified: x\r\n\
    Location: x\r\n\
    Retry-After: x\r\n\
    Server: x\r\n\
    Vary: x\r\n\r\n";

/// Learns the spelling; put the result among the extensions of each answer.
///
/// Empty, and so without effect, should hyper ever stop to note the spelling.
pub(crate) async fn learn() -> Extensions {
    let (mut client, server) = tokio::io::duplex(4096);
    let noted = Arc::new(Mutex::new(Extensions::new()));
    let note = Arc::clone(&noted);
    let service = service_fn(move |request: Request<Incoming>| {
        let note = Arc::clone(&note);
        async move {
            *note.lock().await = request.into_parts().0.extensions;
            Ok::<_, Infallible>(Response::new(Body::empty()))
        }
    });
    // The pipe holds the whole request, and its other half is dropped only once the answer is written.
    if client.write_all(SPELLED).await.is_ok()
        && let Err(error) =
            http1::Builder::new().preserve_header_case(true).serve_connection(TokioIo::new(server), service).await
    {
        tracing::debug!(%error, "header names stay in lower case");
    }
    drop(client);
    noted.lock().await.clone()
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn answers_spell_their_headers_as_the_vendors_do() {
        let spelling = learn().await;
        let service = service_fn(move |_: Request<Incoming>| {
            let mut response = Response::new(Body::from("body"));
            for (name, value) in [("etag", "1"), ("last-modified", "2"), ("x-cos-request-id", "3")] {
                response.headers_mut().insert(name, http::HeaderValue::from_static(value));
            }
            response.extensions_mut().extend(spelling.clone());
            async move { Ok::<_, Infallible>(response) }
        });
        let (mut client, server) = tokio::io::duplex(4096);
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        http1::Builder::new().serve_connection(TokioIo::new(server), service).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        for line in ["ETag: 1", "Last-Modified: 2", "Content-Length: 4", "x-cos-request-id: 3"] {
            assert!(answer.contains(&format!("\r\n{line}\r\n")), "{line} is not in\n{answer}");
        }
    }
}
